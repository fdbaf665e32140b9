//! `git trace commit`

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::changed;
use super::session::{Session, failure};
use crate::model::Role;
use crate::ops::{BODY_MAX, CommitMessages, NewMessage, commit, parse_messages};
use crate::ui::{ExitCode, Failure};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Put messages at the end of the context")
        .long_about(
            "Put messages at the end of the context, in one commit. The content comes from standard input, or from a \
             file with -F, byte for byte. With --messages it is JSON: one message or a list of them, in the shapes of \
             Anthropic and OpenAI.",
        )
        .arg(role_arg().default_value("user"))
        .arg(
            Arg::new("message")
                .short('m')
                .long("message")
                .value_name("text")
                .action(ArgAction::Append)
                .help("The commit message"),
        )
        .arg(file_arg())
        .arg(
            Arg::new("messages")
                .long("messages")
                .visible_alias("as-json")
                .action(ArgAction::SetTrue)
                .conflicts_with("file-role")
                .help("The content is JSON: one message or a list"),
        )
        .arg(Arg::new("model").long("model").value_name("name").help("The model that spoke"))
        .arg(
            Arg::new("decision").long("decision").value_name("key[=value]").help("The decision that the message takes"),
        )
        .arg(Arg::new("pin").long("pin").action(ArgAction::SetTrue).help("Pin the entry at once"))
        .arg(
            Arg::new("allow-empty")
                .long("allow-empty")
                .action(ArgAction::SetTrue)
                .help("Store a message without content"),
        )
        .arg(dry_run_arg())
        .group(clap::ArgGroup::new("file-role").args(["role"]).required(false))
}

/// `--role`
pub(super) fn role_arg() -> Arg {
    let roles = ["system", "user", "assistant", "tool", "summary", "event", "note"];
    Arg::new("role").long("role").value_name("role").value_parser(roles).help("Who speaks")
}

/// `-F`
pub(super) fn file_arg() -> Arg {
    Arg::new("file")
        .short('F')
        .long("file")
        .value_name("file")
        .value_parser(value_parser!(PathBuf))
        .help("Read the content from a file ('-': standard input)")
}

/// `-n`
pub(super) fn dry_run_arg() -> Arg {
    Arg::new("dry-run")
        .short('n')
        .long("dry-run")
        .action(ArgAction::SetTrue)
        .help("Write nothing, say what would be done")
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let content = read_content(matches.get_one::<PathBuf>("file"))?;
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let mut messages = if matches.get_flag("messages") {
        parse_messages(&content).map_err(failure)?
    } else {
        vec![NewMessage::text(Role::from_name(&text("role").unwrap_or_default()), content)]
    };
    for message in &mut messages {
        message.pin |= matches.get_flag("pin");
        message.model = message.model.take().or_else(|| text("model"));
        message.decision = message.decision.take().or_else(|| text("decision"));
    }
    let given: Vec<String> = matches.get_many::<String>("message").into_iter().flatten().cloned().collect();
    let request = CommitMessages {
        messages,
        message: (!given.is_empty()).then(|| given.join("\n\n")),
        allow_empty: matches.get_flag("allow-empty"),
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = commit(workspace, &request).map_err(failure)?;
    changed::print(session, "commit", &outcome)
}

/// Reads a file, or standard input; never more than a body may have.
pub(super) fn read_content(file: Option<&PathBuf>) -> Result<Vec<u8>, Failure> {
    let path = file.filter(|path| path.as_os_str() != "-");
    let name = || path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let refused = |reason: String| Failure::new(ExitCode::Refused, format!("cannot read '{}': {reason}", name()));
    let mut content = Vec::new();
    let read = match path {
        Some(path) => File::open(path).and_then(|file| file.take(BODY_MAX + 1).read_to_end(&mut content)),
        None => std::io::stdin().lock().take(BODY_MAX + 1).read_to_end(&mut content),
    };
    read.map_err(|error| refused(error.to_string()))?;
    if content.len() as u64 > BODY_MAX {
        return Err(refused(format!("it has more than {BODY_MAX} bytes")));
    }
    Ok(content)
}
