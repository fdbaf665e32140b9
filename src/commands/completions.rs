//! `git trace completions`

use clap::{Arg, ArgMatches, Command, value_parser};

use super::session::Session;
use crate::ui::completions::{Shell, script};
use crate::ui::{Failure, Label};

pub(super) fn args(command: Command) -> Command {
    command.about("Write a completion script for bash, zsh or fish").arg(
        Arg::new("shell")
            .value_name("shell")
            .required(true)
            .value_parser(value_parser!(Shell))
            .help("bash, zsh or fish"),
    )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let shell = matches.get_one::<Shell>("shell").copied().expect("the argument is required");
    Ok(session.ui.text(Label::Plain, &script(super::command(None), shell))?)
}
