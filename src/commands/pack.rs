//! `git trace pack`

use clap::{ArgMatches, Command};
use serde_json::json;

use super::session::{Session, failure};
use crate::ops::{OpError, pack};
use crate::ui::{Failure, JsonDocument};

pub(super) fn args(command: Command) -> Command {
    command.about("Pack the loose objects that git trace wrote, now").long_about(
        "Pack the loose objects that git trace wrote, and bring the commit-graph up to date. This happens by itself \
         (trace.autoPack); the objects and packs of others are never touched.",
    )
}

pub(super) fn run(session: &Session, _: &ArgMatches) -> Result<(), Failure> {
    pack(session.workspace()?).map_err(|error: OpError| failure(error))?;
    if session.ui.wants_json() {
        return Ok(session.ui.json(&JsonDocument::new("pack", 1, json!({})))?);
    }
    Ok(())
}
