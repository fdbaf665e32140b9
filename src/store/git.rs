//! The one file that starts `git`: for what gix cannot do.

#![allow(clippy::disallowed_methods, reason = "this is the file that starts git")]

use std::io::{BufRead, Read, Seek, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Repo, StoreError};
use crate::model::Person;

mod network;

pub(super) use network::{Answer, FETCH_ONLY, talk};
pub use network::{Connection, PUSHING};

/// Settings that keep a repository's own configuration from starting programs when we ask git a local question.
const LOCAL_SAFETY: [&str; 12] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "submodule.recurse=false",
    "-c",
    "core.alternateRefsCommand=",
    // Not safety but the same place: what git moves for us has a reflog, whatever its name.
    "-c",
    "core.logAllRefUpdates=always",
];

/// Runs a local git subcommand on the repository and returns what it printed.
///
/// Arguments that come from outside must stand behind `--` or `--end-of-options`, or be full ref names and ids.
/// Everything in the environment that could point git elsewhere is taken out.
pub(super) fn run(
    repo: &Repo,
    command: &'static str,
    arguments: &[&str],
    input: Option<&[u8]>,
) -> Result<Vec<u8>, StoreError> {
    start(Start { input, ..Start::new(&repo.private_dir, command, arguments) })
}

/// As [`run`], from the git directory of any worktree.
pub(super) fn run_from(git_dir: &Path, command: &'static str, arguments: &[&str]) -> Result<Vec<u8>, StoreError> {
    start(Start::new(git_dir, command, arguments))
}

/// Makes a repository, under the user's own configuration.
pub(super) fn init(arguments: &[&str]) -> Result<(), StoreError> {
    let error = |reason: String| StoreError::Git { command: "init".to_owned(), reason };
    let mut process = Command::new("git");
    network::take_out_others(&mut process);
    let ran = process.env("LC_ALL", "C").arg("init").args(arguments).stdin(Stdio::null()).output();
    let ran = ran.map_err(|source| error(source.to_string()))?;
    let said = String::from_utf8_lossy(&ran.stderr);
    if ran.status.success() { Ok(()) } else { Err(error(said.lines().next().unwrap_or_default().to_owned())) }
}

/// Names a work tree and the index that stands for it.
pub(super) struct WorkTree<'a> {
    /// The folder at its top.
    pub(super) top: &'a Path,
    /// The index, which is not the user's.
    pub(super) index: &'a Path,
    /// Where new objects go; the repository's own folder if `None`.
    pub(super) scratch: Option<&'a Path>,
}

/// As [`run`], at the top of a work tree and with an index of our own. Filters that the user configured run, as they do
/// for `git add`: without them the content would be another.
pub(super) fn run_in(
    repo: &Repo,
    tree: &WorkTree<'_>,
    command: &'static str,
    arguments: &[&str],
    input: Option<&[u8]>,
) -> Result<Vec<u8>, StoreError> {
    let text = |path: &Path| {
        let reason = || format!("'{}' is not UTF-8", path.display());
        path.to_str()
            .map(str::to_owned)
            .ok_or_else(|| StoreError::Git { command: command.to_owned(), reason: reason() })
    };
    let (top, index) = (text(tree.top)?, text(tree.index)?);
    let mut environment =
        vec![("GIT_INDEX_FILE", index.as_str()), ("GIT_WORK_TREE", top.as_str()), ("GIT_LITERAL_PATHSPECS", "1")];
    let scratch = tree.scratch.map(text).transpose()?;
    let objects = text(&repo.objects_dir)?;
    if let Some(scratch) = &scratch {
        environment.extend([
            ("GIT_OBJECT_DIRECTORY", scratch.as_str()),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects.as_str()),
        ]);
    }
    start(Start {
        input,
        top: Some(tree.top),
        environment: &environment,
        settings: &["-c", "core.safecrlf=false", "-c", "index.sparse=false", "-c", "core.splitIndex=false"],
        ..Start::new(&repo.private_dir, command, arguments)
    })
}

/// As [`run`], at the top of a work tree whose files the question is about; nothing of them is read.
pub(super) fn run_at(
    repo: &Repo,
    top: &Path,
    command: &'static str,
    arguments: &[&str],
) -> Result<Vec<u8>, StoreError> {
    let tree = top.to_string_lossy();
    let start_of = Start::new(&repo.private_dir, command, arguments);
    start(Start { top: Some(top), environment: &[("GIT_WORK_TREE", &tree)], ..start_of })
}

/// As [`run`], with variables for git.
pub(super) fn run_with(
    repo: &Repo,
    command: &'static str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<Vec<u8>, StoreError> {
    start(Start { environment, ..Start::new(&repo.private_dir, command, arguments) })
}

/// As [`run`], so that paths are counted from the root of the work tree, wherever this process is; nothing of the work
/// tree is read. No configured list of revisions changes the answer.
pub(super) fn run_at_root(
    repo: &Repo,
    command: &'static str,
    arguments: &[&str],
    settings: &[&str],
) -> Result<Vec<u8>, StoreError> {
    let start_of = Start::new(&repo.private_dir, command, arguments);
    start(Start { settings, at_root: true, ..start_of })
}

/// Lets git ask the credential helpers, and nobody else: where none has an answer, git ends with an error instead of
/// asking the user. The helpers are those of the user's own configuration, wherever that is.
pub(super) fn fill_credential(repo: &Repo, question: &[u8]) -> Result<Vec<u8>, StoreError> {
    start(Start {
        input: Some(question),
        // An empty program stands in the way of all others that could ask.
        environment: &[("GIT_ASKPASS", ""), ("SSH_ASKPASS", ""), ("GCM_INTERACTIVE", "never")],
        settings: &["-c", "core.askPass=", "-c", "credential.interactive=false"],
        ..Start::new(&repo.private_dir, "credential", &["fill"])
    })
}

/// As [`run`], with the user's keys and programs for signatures, wherever they are configured.
pub(super) fn run_with_keys(
    repo: &Repo,
    command: &'static str,
    arguments: &[&str],
    input: Option<&[u8]>,
) -> Result<Vec<u8>, StoreError> {
    start(Start { input, users_settings: true, ..Start::new(&repo.private_dir, command, arguments) })
}

/// As [`run`], for what writes a reflog or a commit: under the name of `who`, in a worktree's git directory.
pub(super) fn run_as(
    git_dir: &Path,
    command: &'static str,
    arguments: &[&str],
    input: Option<&[u8]>,
    who: &Person,
) -> Result<Vec<u8>, StoreError> {
    let date = format!("@{} +0000", who.time.seconds());
    let identity = [
        ("GIT_COMMITTER_NAME", who.name.as_str()),
        ("GIT_COMMITTER_EMAIL", &who.email),
        ("GIT_COMMITTER_DATE", &date),
        ("GIT_AUTHOR_NAME", &who.name),
        ("GIT_AUTHOR_EMAIL", &who.email),
        ("GIT_AUTHOR_DATE", &date),
    ];
    start(Start { input, environment: &identity, ..Start::new(git_dir, command, arguments) })
}

/// Is what git is started with.
struct Start<'a> {
    git_dir: &'a Path,
    /// Where it runs, if that matters.
    top: Option<&'a Path>,
    command: &'static str,
    arguments: &'a [&'a str],
    input: Option<&'a [u8]>,
    environment: &'a [(&'a str, &'a str)],
    /// Further settings for this command.
    settings: &'a [&'a str],
    /// Whether paths are counted from the root of the work tree.
    at_root: bool,
    /// Whether settings on the command line and in the environment count, as for credentials and keys.
    users_settings: bool,
}

impl<'a> Start<'a> {
    fn new(git_dir: &'a Path, command: &'static str, arguments: &'a [&'a str]) -> Self {
        Start {
            git_dir,
            top: None,
            command,
            arguments,
            input: None,
            environment: &[],
            settings: &[],
            at_root: false,
            users_settings: false,
        }
    }
}

fn start(start: Start<'_>) -> Result<Vec<u8>, StoreError> {
    let Start { git_dir, top, command, arguments, input, environment, settings, at_root, users_settings } = start;
    let error = |reason: String| StoreError::Git { command: command.to_owned(), reason };
    // Helpers are named there, which the user may have put elsewhere.
    let users_settings = users_settings || command == "credential";
    let mut process = Command::new("git");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("GIT_") && !(users_settings && text.starts_with("GIT_CONFIG_")) {
            process.env_remove(name);
        }
    }
    process.envs(environment.iter().copied());
    process.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
    // What a partial clone has not is not fetched behind the user's back.
    process.env("GIT_NO_LAZY_FETCH", "1");
    // An object is what it is, whatever the user replaced it by.
    process.env("GIT_NO_REPLACE_OBJECTS", "1");
    process.args(LOCAL_SAFETY).args(settings).arg("--no-pager").arg("--git-dir").arg(git_dir);
    if at_root {
        process.current_dir(git_dir).arg("--work-tree").arg(git_dir);
    }
    if let Some(top) = top {
        process.current_dir(top);
    }
    process.arg(command).args(arguments);
    process.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = process.spawn().map_err(|source| error(source.to_string()))?;
    let mut stdin = child.stdin.take();
    let mut stdout = child.stdout.take();
    let mut stderr = child.stderr.take();
    let mut printed = Vec::new();
    let mut said = Vec::new();
    // Three pipes at once: git may fill any of them before it reads the next line of its input.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            if let (Some(pipe), Some(bytes)) = (stdin.as_mut(), input) {
                // git may die of a bad line before it has read all: its own words say more than our error.
                let _ = pipe.write_all(bytes);
            }
            drop(stdin.take());
        });
        scope.spawn(|| stderr.as_mut().map(|pipe| pipe.read_to_end(&mut said)));
        stdout.as_mut().map(|pipe| pipe.read_to_end(&mut printed))
    });
    let status = child.wait().map_err(|source| error(source.to_string()))?;
    if status.success() {
        Ok(printed)
    } else {
        let said = String::from_utf8_lossy(&said);
        Err(error(said.lines().next().unwrap_or("it failed without a word").trim_start_matches("fatal: ").to_owned()))
    }
}

/// Runs a local git subcommand with this standard input that prints much, and hands out its lines as they come.
pub(super) fn run_lines(
    repo: &Repo,
    command: &'static str,
    arguments: &[&str],
    input: &[u8],
    take: &mut dyn FnMut(&[u8]),
) -> Result<(), StoreError> {
    let error = |reason: String| StoreError::Git { command: command.to_owned(), reason };
    let mut process = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            process.env_remove(name);
        }
    }
    process.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
    process.env("GIT_NO_REPLACE_OBJECTS", "1");
    process.args(LOCAL_SAFETY).arg("--no-pager").arg("--git-dir").arg(&repo.private_dir).arg(command).args(arguments);
    // What it complains of goes to a file, which takes any amount.
    let mut said = tempfile::tempfile().map_err(|source| error(source.to_string()))?;
    let complaints = said.try_clone().map_err(|source| error(source.to_string()))?;
    // What is asked comes from a file too: git reads when it likes.
    let mut asked = tempfile::tempfile().map_err(|source| error(source.to_string()))?;
    asked.write_all(input).and_then(|()| asked.rewind()).map_err(|source| error(source.to_string()))?;
    process.stdin(asked).stdout(Stdio::piped()).stderr(complaints);
    let mut child = process.spawn().map_err(|source| error(source.to_string()))?;
    let pipe = child.stdout.take().expect("it is piped");
    let mut lines = std::io::BufReader::new(pipe).split(b'\n');
    let read = lines.try_for_each(|line| line.map(|line| take(&line)));
    let status = child.wait().map_err(|source| error(source.to_string()))?;
    read.map_err(|source| error(source.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let mut text = String::new();
    let _ = said.rewind().and_then(|()| said.read_to_string(&mut text));
    Err(error(text.lines().next().unwrap_or("it failed without a word").trim_start_matches("fatal: ").to_owned()))
}
