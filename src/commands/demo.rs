//! `git trace demo`

use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::session::Session;
use crate::ops::create_repository;
use crate::ui::{ExitCode, Failure, Label, Line};

/// A small session of Claude Code, made up for this purpose.
const SESSION: &[u8] = include_bytes!("../../templates/demo/session.jsonl");

/// What the demo runs, one subcommand after the other; `FILE` stands for the session.
const TOUR: &[(&str, &[&str])] = &[
    (
        "An agent's session becomes a branch, one commit a message; the password in it is replaced before it is stored.",
        &["import", "claude", "FILE", "--as", "shop"],
    ),
    ("Look at it.", &["checkout", "shop/main"]),
    ("", &["status"]),
    ("", &["log", "--oneline"]),
    (
        "Branch off before the last exchange, and go another way. No object is copied.",
        &["checkout", "-b", "shop/metrics", "HEAD~2"],
    ),
    ("", &["commit", "--role", "user", "-F", "PROMPT"]),
    ("Pin what must not be lost, whatever is compressed later.", &["pin", "#0"]),
    ("", &["diff", "shop/main", "shop/metrics", "--stat"]),
    ("Read the context back, as it would go to a model.", &["context"]),
    ("", &["context", "--as", "anthropic"]),
];

pub(super) fn args(command: Command) -> Command {
    command
        .about("Show it all on a bundled session, in a scratch repository")
        .long_about(
            "Make a repository in a new folder, import a bundled session, branch off, pin, and show log, status and \
             context. Nothing outside that folder is touched.",
        )
        .arg(
            Arg::new("folder")
                .value_name("folder")
                .value_parser(value_parser!(std::path::PathBuf))
                .help("An empty folder; a temporary one, removed in the end, if not given"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let refused = |error: std::io::Error| Failure::refused(format!("cannot make the scratch repository: {error}"));
    let scratch = tempfile::TempDir::new().map_err(refused)?;
    let folder = matches.get_one::<std::path::PathBuf>("folder").map_or(scratch.path(), std::path::PathBuf::as_path);
    create_repository(folder, "git trace demo", "demo@example.com").map_err(super::session::failure)?;
    let file = scratch.path().join("session.jsonl");
    let prompt = scratch.path().join("prompt.txt");
    std::fs::write(&file, SESSION).map_err(refused)?;
    std::fs::write(&prompt, "Expose metrics on port 9090 instead, beside the shop.").map_err(refused)?;
    for (why, words) in TOUR {
        step(session, folder, why, words, &file, &prompt)?;
    }
    let ui = &session.ui;
    if matches.contains_id("folder") {
        ui.hint(format!("plain git reads all of it: git -C '{}' log --graph --all", folder.display()));
    }
    Ok(())
}

/// Runs one subcommand in the scratch repository, after showing it.
fn step(
    session: &Session,
    folder: &Path,
    why: &str,
    words: &[&str],
    file: &Path,
    prompt: &Path,
) -> Result<(), Failure> {
    let ui = &session.ui;
    if !why.is_empty() {
        ui.print(&Line::new())?;
        ui.print(&Line::new().push(Label::Heading, format!("# {why}")))?;
    }
    let shown: Vec<&str> = words
        .iter()
        .map(|word| match *word {
            "FILE" => "session.jsonl",
            "PROMPT" => "prompt.txt",
            word => word,
        })
        .collect();
    ui.print(&Line::new().push(Label::Muted, format!("$ git trace {}", shown.join(" "))))?;
    ui.flush()?;
    let mut arguments: Vec<OsString> = vec!["git-trace".into(), "-C".into(), folder.into(), "--no-pager".into()];
    arguments.extend(words.iter().map(|word| match *word {
        "FILE" => file.into(),
        "PROMPT" => prompt.into(),
        word => OsString::from(word),
    }));
    match super::run(arguments) {
        ExitCode::Done => Ok(()),
        code => Err(Failure::new(code, format!("'git trace {}' went wrong", words.join(" ")))),
    }
}
