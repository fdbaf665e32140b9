//! Whether a session is one of its own, or goes on from a copy of another one's messages.
//!
//! An agent that forks a session, or resumes it under a new id, begins the new record with the old messages. They are
//! not stored again, and what they cost is not counted again: the session becomes a branch of the old one's agent.

use std::fs::{self, OpenOptions};
use std::io::Write;

use super::super::replay::{FIRST_BRANCH, part};
use super::super::{OpError, Workspace};
use super::run::Run;
use crate::capture::{Conversation, Routed};
use crate::model::{Branch, EntryId, Step};

/// Steps that are held back until a message tells whose session it is.
const HELD_MAX: usize = 4096;

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
pub(super) fn files_of_agent(workspace: &Workspace, agent: &str) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(workspace.firsts_dir()).into_iter().flatten().filter_map(Result::ok);
    let is_its = |path: &std::path::PathBuf| fs::read_to_string(path).is_ok_and(|name| name.trim_end() == agent);
    files.map(|file| file.path()).filter(is_its).collect()
}

impl Run<'_, '_> {
    /// Sends a step where its session's origin says.
    pub(super) fn place(&mut self, routed: Routed) -> Result<(), OpError> {
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
            Origin::Undecided(held) => held.into_iter().try_for_each(|routed| self.replay(routed)),
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
