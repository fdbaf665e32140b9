//! `git trace watch`

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::import::{agent_and_paths, document};
use super::session::{Session, failure};
use crate::ops::{AgentFolders, Watch, watch};
use crate::ui::{Failure, JsonDocument, Line, figures};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Follow agents' records, and import what is new")
        .long_about(
            "Follow the records that agents write of this repository's sessions (Claude Code, Codex, Gemini CLI), or \
             those that are named, and import what is new. It is for where hooks cannot be installed, and ends with \
             Ctrl-C.",
        )
        .override_usage("git trace watch [<agent>] [<path>...]")
        .arg(
            Arg::new("path")
                .value_name("path")
                .num_args(0..)
                .value_parser(value_parser!(PathBuf))
                .help("The agent, then records or folders of records"),
        )
        .arg(Arg::new("once").long("once").action(ArgAction::SetTrue).help("Look once, and end"))
        .arg(
            Arg::new("interval")
                .long("interval")
                .value_name("seconds")
                .default_value("2")
                .value_parser(|text: &str| {
                    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.05..=86_400.0).contains(seconds));
                    seconds.map(Duration::from_secs_f64).ok_or("it is a number of seconds from 0.05 to 86400")
                })
                .help("How long to wait between two looks"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let words: Vec<&PathBuf> = matches.get_many::<PathBuf>("path").into_iter().flatten().collect();
    let (agent, paths) = match words.as_slice() {
        [word] if word.to_str().is_some_and(|name| name.parse::<crate::ops::Agent>().is_ok()) && !word.exists() => {
            (word.to_str().and_then(|name| name.parse().ok()), Vec::new())
        }
        words => agent_and_paths(words)?,
    };
    let request = Watch {
        agent,
        paths: paths.into_iter().cloned().collect(),
        folders: folders(),
        interval: matches.get_one::<Duration>("interval").copied().filter(|_| !matches.get_flag("once")),
    };
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Where it cannot be caught it ends us at once, which loses nothing either.
        let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    let ui = &session.ui;
    let mut failed = None;
    let ended = watch(workspace, &request, &stop, &mut |(path, outcome)| {
        let path = path.display().to_string();
        let printed = match outcome {
            Err(error) => {
                ui.warning(format!("{path}: {}", failure(error).message));
                return;
            }
            Ok(outcome) if ui.wants_json() => ui.json_line(&JsonDocument::new("import", 1, document(&path, &outcome))),
            Ok(outcome) => {
                let (commits, agent) = (figures::count(outcome.commits), &outcome.agent);
                ui.print(&Line::new().plain(format!("{agent}: {commits} new commits from {path}")))
            }
        };
        if let Err(error) = printed.and_then(|()| ui.flush()) {
            // Nobody listens any more.
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            failed = Some(error);
        }
    });
    session.pass_on_warnings();
    match failed {
        Some(error) => Err(error.into()),
        None => ended.map_err(failure),
    }
}

/// Finds where agents write, as they do.
pub(super) fn folders() -> AgentFolders {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = variable("HOME");
    let under = |name: &str| home.as_ref().map(|home| home.join(name));
    AgentFolders {
        claude: variable("CLAUDE_CONFIG_DIR").or_else(|| under(".claude")),
        codex: variable("CODEX_HOME").or_else(|| under(".codex")),
        gemini: variable("GEMINI_CLI_HOME").map(|home| home.join(".gemini")).or_else(|| under(".gemini")),
    }
}
