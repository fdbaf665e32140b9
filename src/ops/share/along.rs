//! `trace.push`: what becomes of contexts when the code is pushed.

use std::fs;
use std::time::Duration;

use super::push::{Push, push};
use super::remote::default_remote;
use crate::ops::{OpError, Workspace};

/// How long git waits for our push.
const GIT_WAITS: Duration = Duration::from_secs(20);

/// Programs above us that are looked at.
const ANCESTORS: usize = 4;

/// Sends all contexts where the user wants them to go along with the code (`trace.push=auto`), if the code goes where they
/// are to go; returns what to tell.
pub(in crate::ops) fn push_along(workspace: &Workspace, remote: &str) -> Option<String> {
    if is_rehearsed() {
        return None;
    }
    let failed = |error: OpError| Some(format!("contexts were not pushed: {error}"));
    let meant = match default_remote(workspace, None) {
        Ok(meant) => meant.name,
        Err(error) => return failed(error),
    };
    if workspace.config("trace.remote").is_none() && meant != remote {
        return None;
    }
    match push(workspace, &Push { remote: Some(meant.clone()), all: true, time: Some(GIT_WAITS), ..Push::default() }) {
        Ok(pushed) => {
            let count = pushed.rejected().count();
            let hint = "git trace pull --all, then git trace push --all";
            (count > 0).then(|| format!("{count} contexts were not taken by '{meant}': {hint}"))
        }
        Err(error) => failed(error),
    }
}

/// Tells whether git was asked to push nothing: it runs its hook all the same, and does not say so.
fn is_rehearsed() -> bool {
    let mut pid = std::process::id();
    for _ in 0..ANCESTORS {
        // The fourth field behind the name, which may hold anything but ends with the last bracket.
        let parent = fs::read_to_string(format!("/proc/{pid}/stat"))
            .ok()
            .and_then(|line| line.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok());
        let Some(parent) = parent.filter(|parent| *parent > 1) else { return false };
        let line = fs::read(format!("/proc/{parent}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        if words.contains(&b"push".as_slice()) {
            let is_dry = |word: &&[u8]| {
                **word == *b"--dry-run" || (word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'n'))
            };
            return words.iter().any(is_dry);
        }
        pid = parent;
    }
    false
}
