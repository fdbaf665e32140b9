//! Whether a session is one of its own, or goes on from a copy of another one's messages.
//!
//! An agent that forks a session, or resumes it under a new id, begins the new record with the old messages. They are
//! not stored again, and what they cost is not counted again: the session becomes a branch of the old one's agent.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, OpenOptions};
use std::io::Write;

use super::super::replay::{FIRST_BRANCH, part};
use super::super::{OpError, Workspace};
use super::run::Run;
use crate::capture::{Conversation, Routed};
use crate::model::{Branch, EntryId, Step};

/// Steps that are held back until a message tells whose session it is.
const HELD_MAX: usize = 4096;

/// How a file begins that says what was forgotten: tombstones follow in the same line, entries in the others.
const FORGOTTEN: &str = "forgotten ";

/// A larger file is none of ours.
const FORGOTTEN_MAX: u64 = 64 << 20;

/// Says what is known of a session's origin.
pub(super) enum Origin {
    /// It is one of its own.
    Own,
    /// Its first message will tell; until then steps wait.
    Undecided(Vec<Routed>),
    /// What is read is a copy of messages of the session at home here; `last` is the newest of them.
    Copy { branch: String, last: Option<EntryId> },
    /// The copy is over: what comes goes to this branch, and to others named after it.
    Fork { branch: String },
}

impl Origin {
    /// Tells whether it is known where the session belongs.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self, Origin::Own | Origin::Fork { .. })
    }
}

/// Names the branch of a session that goes on from another one, by the name that its agent would have had.
pub(super) fn fork_branch(agent: &str) -> String {
    let id = agent.split_once('-').map_or(agent, |(_, id)| id);
    part(&format!("fork-{id}"))
}

impl Workspace {
    /// Returns the agent at whose branches a session is that begins with this message.
    fn home_of(&self, first: EntryId) -> Option<String> {
        let name = fs::read_to_string(self.firsts_dir().join(first.as_str())).ok()?;
        let name = name.trim_end();
        Branch::new(name, FIRST_BRANCH).ok()?;
        let is_there = self.repo.branches_of(name).is_ok_and(|branches| !branches.is_empty());
        is_there.then(|| name.to_owned())
    }

    /// Returns the entries of a forgotten session that begins with this message, as long as it is forgotten.
    fn forgotten_with(&self, first: EntryId) -> Option<HashSet<EntryId>> {
        let path = self.firsts_dir().join(first.as_str());
        let small = fs::metadata(&path).is_ok_and(|data| data.len() <= FORGOTTEN_MAX);
        let text = small.then(|| fs::read_to_string(&path).ok()).flatten()?;
        let (keys, ids) = text.strip_prefix(FORGOTTEN)?.split_once('\n')?;
        let prefix = &self.settings().ref_prefix;
        let is_here = |key: &str| matches!(self.repo.find_ref_id(&format!("{prefix}/forgotten/{key}")), Ok(Some(_)));
        keys.split_whitespace().any(is_here).then(|| ids.lines().filter_map(|id| id.parse().ok()).collect())
    }

    /// Remembers with which message the sessions begin that are at home with this agent. Losing it makes forks sessions
    /// of their own.
    pub(super) fn remember_first(&self, first: EntryId, agent: &str) {
        let dir = self.firsts_dir();
        let create = || OpenOptions::new().write(true).create_new(true).open(dir.join(first.as_str()));
        let file = match create() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(&dir).and_then(|()| create())
            }
            opened => opened,
        };
        // Whoever was first stays so.
        let _ = file.and_then(|mut file| file.write_all(format!("{agent}\n").as_bytes()));
    }

    fn firsts_dir(&self) -> std::path::PathBuf {
        self.repo.trace_dir().join("firsts")
    }
}

/// Lists the files that remember with which message this agent's sessions begin.
fn files_of_agent(workspace: &Workspace, agent: &str) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(workspace.firsts_dir()).into_iter().flatten().filter_map(Result::ok);
    let is_its = |path: &std::path::PathBuf| fs::read_to_string(path).is_ok_and(|name| name.trim_end() == agent);
    files.map(|file| file.path()).filter(is_its).collect()
}

/// Lets the files that remember with which message this agent's sessions begin say what was forgotten: the ids of the
/// entries, without a word or a name, so that a copy under another session's id is known for what it is. Without a
/// tombstone that names a session they go.
///
/// # Errors
/// When one cannot be written.
pub(in crate::ops) fn forget_firsts(
    workspace: &Workspace,
    agent: &str,
    keys: &[String],
    ids: &BTreeSet<EntryId>,
) -> std::io::Result<()> {
    let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let text = format!("{FORGOTTEN}{}\n{lines}", keys.join(" "));
    for path in files_of_agent(workspace, agent) {
        if keys.is_empty() {
            fs::remove_file(&path)?;
            continue;
        }
        let temporary = path.with_extension(format!("{:08x}", fastrand::u32(..)));
        fs::write(&temporary, &text).and_then(|()| fs::rename(&temporary, &path))?;
    }
    Ok(())
}

/// Lets go of what [`forget_firsts`] has written for tombstones that were lifted.
pub(in crate::ops) fn lift_firsts(workspace: &Workspace, keys: &[String]) {
    for file in fs::read_dir(workspace.firsts_dir()).into_iter().flatten().filter_map(Result::ok) {
        let text = fs::read_to_string(file.path()).unwrap_or_default();
        let named = text.strip_prefix(FORGOTTEN).and_then(|text| text.lines().next()).unwrap_or_default();
        if named.split_whitespace().any(|key| keys.iter().any(|lifted| lifted == key)) {
            // What stays is passed over: its tombstone is gone.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// What is known of a copy of a forgotten session, at whose beginning this one stands.
#[derive(Default)]
pub(super) struct Copied {
    /// Whether the first message has been looked up.
    is_looked_up: bool,
    /// The entries of the forgotten session; none if it is no copy of one.
    ids: HashSet<EntryId>,
    /// Whether the copy is over.
    is_over: bool,
}

impl Run<'_, '_> {
    /// Tells whether a step is a copy of what was forgotten.
    fn is_forgotten(&mut self, routed: &Routed) -> bool {
        if !self.copied.is_looked_up
            && let Some(first) = first_message(routed)
        {
            let ids = self.workspace.forgotten_with(first).unwrap_or_default();
            self.copied = Copied { is_looked_up: true, is_over: ids.is_empty(), ids };
        }
        let Copied { is_looked_up, ids, is_over } = &mut self.copied;
        match &routed.step {
            Step::Append(message) | Step::Extend(message) | Step::Compress { summary: message, .. } => {
                let is_forgotten = ids.contains(&message.id);
                *is_over |= *is_looked_up && !is_forgotten && routed.conversation == Conversation::Main;
                is_forgotten
            }
            _ => *is_looked_up && !*is_over,
        }
    }

    /// Sends a step where its session's origin says.
    pub(super) fn place(&mut self, routed: Routed) -> Result<(), OpError> {
        if self.is_forgotten(&routed) {
            return Ok(());
        }
        match &mut self.origin {
            Origin::Own => self.replay(routed),
            Origin::Undecided(held) => match first_message(&routed) {
                None if held.len() < HELD_MAX => {
                    held.push(routed);
                    Ok(())
                }
                first => {
                    let home = first.and_then(|first| self.workspace.home_of(first));
                    if let Some(home) = home.filter(|home| *home != self.agent) {
                        self.home = Some(home);
                        return Ok(());
                    }
                    self.first = first;
                    self.release()?;
                    self.replay(routed)
                }
            },
            Origin::Copy { .. } => self.place_copy(routed),
            Origin::Fork { branch } => {
                let branch = branch.clone();
                self.replay(renamed(routed, &branch))
            }
        }
    }

    /// Replays what waited for the origin to be known.
    pub(super) fn release(&mut self) -> Result<(), OpError> {
        match std::mem::replace(&mut self.origin, Origin::Own) {
            Origin::Undecided(held) => {
                // Before the first message nobody could know.
                let held: Vec<Routed> = held.into_iter().filter(|routed| !self.is_forgotten(routed)).collect();
                held.into_iter().try_for_each(|routed| self.replay(routed))
            }
            origin => {
                self.origin = origin;
                Ok(())
            }
        }
    }

    /// Passes over what the other session has, up to the first message that it has not.
    fn place_copy(&mut self, routed: Routed) -> Result<(), OpError> {
        let id = match &routed.step {
            Step::Append(message) | Step::Compress { summary: message, .. } => message.id,
            _ => return Ok(()),
        };
        if self.knows(&routed.conversation, id) {
            if let (Origin::Copy { last, .. }, Conversation::Main) = (&mut self.origin, &routed.conversation) {
                *last = Some(id);
            }
            return Ok(());
        }
        if routed.conversation != Conversation::Main {
            return self.replay(routed);
        }
        if let Origin::Copy { branch, last } = std::mem::replace(&mut self.origin, Origin::Own) {
            let fork = Step::Fork { branch: branch.clone(), after: last };
            self.origin = Origin::Fork { branch: branch.clone() };
            self.replay(Routed { conversation: Conversation::Main, step: fork })?;
        }
        self.place(routed)
    }
}

/// Returns the id of a message that tells sessions apart: one that a model sees.
fn first_message(routed: &Routed) -> Option<EntryId> {
    match (&routed.conversation, &routed.step) {
        (Conversation::Main, Step::Append(message)) if message.role.is_sent() => Some(message.id),
        _ => None,
    }
}

/// Names branches after the one of the fork: the record knows them by the names that they have in its own session.
fn renamed(mut routed: Routed, fork: &str) -> Routed {
    if let (Conversation::Main, Step::Fork { branch, .. } | Step::Switch { branch }) =
        (&routed.conversation, &mut routed.step)
    {
        *branch = if branch == FIRST_BRANCH { fork.to_owned() } else { part(&format!("{fork}-{branch}")) };
    }
    routed
}
