//! The repository itself: refs of others, an alias in the way, loose objects, locks, a newer format.

use super::Remedy;
use super::finding::Findings;
use crate::codec::CodecError;
use crate::ops::{OpError, Workspace};
use crate::store::{Scope, StoreError};

/// The name of the file whose presence means that capture is paused.
const PAUSED: &str = "paused";

/// The file in which hooks write down what went wrong.
const LOG: &str = "hook.log";

/// The most refs of others that are named.
const NAMED_MAX: usize = 5;

/// Looks at what is wrong with the repository.
pub(super) fn look(workspace: &Workspace, findings: &mut Findings) {
    let repo = &workspace.repo;
    if repo.trace_dir().join(PAUSED).exists() {
        findings.warning("paused", "capture is paused here", Some("git trace unpause".to_owned()));
    }
    let log = repo.trace_dir().join(LOG);
    if let Some(line) = last_line(&log) {
        let command = shlex::try_quote(&log.to_string_lossy()).ok().map(|path| format!("tail {path}"));
        findings.note("log", format!("a hook wrote down: {line}"), command);
    }
    if let Some(scope) = repo.alias_scope("trace") {
        let option = match scope {
            Scope::User => " --global",
            Scope::System => " --system",
            Scope::Repository | Scope::Command => "",
        };
        let message = "the alias 'trace' is ignored by git, because there is a command of that name";
        findings.warning("alias", message, Some(format!("git config{option} --unset alias.trace")));
    }
    match repo.foreign_refs() {
        Ok(foreign) if !foreign.is_empty() => {
            let names: Vec<&str> = foreign.iter().take(NAMED_MAX).map(String::as_str).collect();
            let more = if foreign.len() > NAMED_MAX { ", …" } else { "" };
            let message = format!("{} refs of another tool are among ours: {}{more}", foreign.len(), names.join(", "));
            findings.note("refs", message, Some("git config trace.refPrefix refs/<other name>".to_owned()));
        }
        Ok(_) => {}
        Err(error) => findings.warning("refs", error.to_string(), Some("git fsck".to_owned())),
    }
    if let Ok(loose) = repo.loose_objects()
        && loose.limit > 0
        && loose.count > loose.limit
    {
        let message = format!("about {} loose objects, {} is when git collects garbage", loose.count, loose.limit);
        findings.note("objects", message, Some("git trace pack && git gc".to_owned()));
    }
    let locks = repo.stale_locks();
    if let Some(first) = locks.first() {
        let others = if locks.len() > 1 { format!(" and {} more", locks.len() - 1) } else { String::new() };
        let message = format!("a lock was left behind: '{}'{others}", first.display());
        findings.fixable("locks", message, "git trace doctor --fix".to_owned(), Remedy::Locks);
    }
    match workspace.tip() {
        Ok(tip) => {
            if let Err(error) = repo.read_context_manifest(&tip) {
                tell_of_tip(&error.into(), findings);
            }
        }
        Err(OpError::NoCommits { .. }) => {}
        Err(error) => tell_of_tip(&error, findings),
    }
}

/// Returns the last line of a log, which is cut anew before it gets long.
fn last_line(log: &std::path::Path) -> Option<String> {
    let bytes = std::fs::read(log).ok()?;
    let line = bytes.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
    let text = String::from_utf8_lossy(line).chars().take(300).collect::<String>();
    (!text.is_empty()).then_some(text)
}

/// Tells of a branch that this program cannot read.
fn tell_of_tip(error: &OpError, findings: &mut Findings) {
    let newer = |error: &CodecError| matches!(error, CodecError::NewerFormat { .. });
    let is_newer = match error {
        OpError::Store(StoreError::Codec(codec)) => newer(codec),
        OpError::Store(StoreError::NotAContext { source, .. }) => newer(source),
        _ => false,
    };
    let command = if is_newer { "cargo install git-trace" } else { "git trace log, and git fsck" };
    findings.error("format", error.to_string(), command);
}
