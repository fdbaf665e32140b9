//! Changes refs of a remote. What goes is named by its object, so that exactly what was looked at is sent.

use std::collections::HashMap;
use std::time::Duration;

use super::git::{Connection, talk};
use super::refs::{Expected, RefEdit, RefValue};
use super::remote::Remote;
use super::{Repo, StoreError};
use crate::model::{ObjectId, Person};

/// What servers say when somebody else is changing the same ref.
const BUSY: [&str; 3] = ["cannot lock ref", "failed to update ref", "failed to lock"];

/// Most refs of one push.
const LOT: usize = 1000;

/// How often a push is tried while the server is busy with another one.
const ATTEMPTS: u64 = 4;

/// Describes a ref of the remote that is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// The ref by its name here: `refs/trace/heads/…`.
    pub name: String,
    /// What it is to hold there; `None` deletes it.
    pub source: Option<ObjectId>,
    /// What it has to hold there before.
    pub lease: Lease,
}

/// Says what a remote's ref has to hold for a change to go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Nothing, or a commit that the new one has in its history.
    Forward,
    /// Exactly this; `None`: it must not be there.
    Exactly(Option<ObjectId>),
}

/// Says what became of a ref of the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The ref by its name here.
    pub name: String,
    /// Its name there.
    pub there: String,
    /// What became of it.
    pub outcome: SendOutcome,
}

/// Says what became of a ref of the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// It held that already.
    UpToDate,
    /// It is new.
    New,
    /// It moved forward.
    Forward,
    /// It was set to what does not have the old in its history.
    Forced,
    /// It is gone.
    Deleted,
    /// It did not change.
    Rejected {
        /// What git or the server gave as the reason.
        reason: String,
    },
}

impl Repo {
    /// Changes refs of a remote, in one push of its own. Each is looked at by itself, unless they are to change all or
    /// none. What the remote has afterwards is noted here.
    ///
    /// # Errors
    /// When the remote cannot be reached, or said nothing about the refs.
    pub fn send(
        &self,
        remote: &Remote,
        sends: &[Send],
        all_or_none: bool,
        connection: &Connection,
        who: &Person,
    ) -> Result<Vec<Sent>, StoreError> {
        let sending = Sending { repo: self, remote, all_or_none, connection, who };
        // A command line has an end.
        let most = if all_or_none { sends.len().max(1) } else { LOT };
        let mut all = Vec::with_capacity(sends.len());
        for lot in sends.chunks(most) {
            all.extend(sending.lot(lot)?);
        }
        Ok(all)
    }
}

/// Says how refs of a remote are to change.
struct Sending<'a> {
    repo: &'a Repo,
    remote: &'a Remote,
    all_or_none: bool,
    connection: &'a Connection,
    who: &'a Person,
}

impl Sending<'_> {
    /// Changes as many refs as one push takes; tries again where somebody else is just changing them.
    fn lot(&self, sends: &[Send]) -> Result<Vec<Sent>, StoreError> {
        let mut attempt = 1;
        loop {
            let sent = self.once(sends)?;
            // A push that was killed a moment ago may still be under way there; and others push too.
            let is_busy = sent.iter().any(|sent| match &sent.outcome {
                SendOutcome::Rejected { reason } => BUSY.iter().any(|words| reason.contains(words)),
                _ => false,
            });
            if !is_busy || attempt == ATTEMPTS {
                return Ok(sent);
            }
            std::thread::sleep(Duration::from_millis(fastrand::u64(100..400) * attempt));
            attempt += 1;
        }
    }

    fn once(&self, sends: &[Send]) -> Result<Vec<Sent>, StoreError> {
        let local =
            |name: &str| StoreError::Ref { name: name.to_owned(), reason: "it never leaves this machine".to_owned() };
        let mut arguments: Vec<String> =
            ["--porcelain", "--no-follow-tags", "--recurse-submodules=no", "--no-progress"].map(str::to_owned).to_vec();
        if self.all_or_none {
            arguments.push("--atomic".to_owned());
        }
        let mut refspecs = Vec::with_capacity(sends.len());
        for send in sends {
            let there = self.remote.there(&send.name).ok_or_else(|| local(&send.name))?;
            if let Lease::Exactly(old) = send.lease {
                let old = old.map(|id| id.to_string()).unwrap_or_default();
                arguments.push(format!("--force-with-lease={there}:{old}"));
            }
            refspecs.push(format!("{}:{there}", send.source.map(|id| id.to_string()).unwrap_or_default()));
        }
        arguments.extend(["--".to_owned(), self.remote.name.clone()]);
        arguments.extend(refspecs);
        // A remote that is a mirror takes no refspecs, and one with options of its own would get those.
        let settings = [format!("remote.{}.mirror=false", self.remote.name)];
        let answer = talk(self.repo, "push", &settings, &arguments, self.connection)?;
        let said = answer.words_of_server();
        let rows: HashMap<String, SendOutcome> = answer.printed.lines().filter_map(row).collect();
        let has_rejected = rows.values().any(|outcome| matches!(outcome, SendOutcome::Rejected { .. }));
        if !answer.success && !has_rejected {
            return Err(answer.unreachable(&self.remote.name));
        }
        let mut sent = Vec::with_capacity(sends.len());
        for send in sends {
            let there = self.remote.there(&send.name).ok_or_else(|| local(&send.name))?;
            let outcome = match rows.get(&there) {
                Some(SendOutcome::Rejected { reason }) => {
                    let reason = if said.is_empty() { reason.clone() } else { format!("{reason}: {said}") };
                    SendOutcome::Rejected { reason }
                }
                Some(outcome) => outcome.clone(),
                None => SendOutcome::Rejected { reason: "the remote said nothing about it".to_owned() },
            };
            sent.push(Sent { name: send.name.clone(), there, outcome });
        }
        self.note(sends, &sent)?;
        Ok(sent)
    }

    /// Notes what a remote has now.
    fn note(&self, sends: &[Send], sent: &[Sent]) -> Result<(), StoreError> {
        let mut edits = Vec::new();
        for (send, sent) in sends.iter().zip(sent) {
            let Some(tracking) = self.remote.tracking(&send.name).filter(|tracking| *tracking != send.name) else {
                continue;
            };
            if matches!(sent.outcome, SendOutcome::Rejected { .. }) {
                continue;
            }
            let known = self.repo.find_ref_id(&tracking)?;
            if known == send.source {
                continue;
            }
            edits.push(RefEdit {
                name: tracking,
                expected: Expected::Any,
                new: send.source.map(RefValue::Id),
                message: "trace push".to_owned(),
            });
        }
        // Deleting a ref whose folder holds it alone is git's business: it goes by itself.
        let (set, gone): (Vec<RefEdit>, Vec<RefEdit>) = edits.into_iter().partition(|edit| edit.new.is_some());
        for edits in [set, gone].iter().filter(|edits| !edits.is_empty()) {
            let guard = self.repo.lock()?;
            self.repo.edit_refs(&guard, edits, self.who, self.repo.durability(true))?;
        }
        Ok(())
    }
}

/// Reads a line of `git push --porcelain`: flag, refs and summary, with tabs between.
fn row(line: &str) -> Option<(String, SendOutcome)> {
    let mut parts = line.splitn(3, '\t');
    let (flag, refs, summary) = (parts.next()?, parts.next()?, parts.next()?);
    let (_, there) = refs.rsplit_once(':')?;
    let reason = || {
        let inner = summary.rsplit_once('(').map(|(_, inner)| inner.trim_end_matches(')'));
        inner.unwrap_or(summary).to_owned()
    };
    let outcome = match flag {
        " " => SendOutcome::Forward,
        "*" => SendOutcome::New,
        "+" => SendOutcome::Forced,
        "-" => SendOutcome::Deleted,
        "=" => SendOutcome::UpToDate,
        "!" => SendOutcome::Rejected { reason: reason() },
        _ => return None,
    };
    Some((there.to_owned(), outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_push_are_read() {
        let read = |line: &str| row(line).map(|(_, outcome)| outcome);
        let refs = "abc:refs/trace/heads/main/main";
        assert_eq!(read(&format!(" \t{refs}\tabc..def")), Some(SendOutcome::Forward));
        assert_eq!(read(&format!("*\t{refs}\t[new reference]")), Some(SendOutcome::New));
        let rejected = read(&format!("!\t{refs}\t[remote rejected] (pre-receive hook declined)"));
        assert_eq!(rejected, Some(SendOutcome::Rejected { reason: "pre-receive hook declined".to_owned() }));
        assert_eq!(read("Done"), None);
        assert_eq!(read("To /srv/a.git"), None);
        assert_eq!(
            row(&format!("-\t:{}\t[deleted]", "refs/trace/heads/a/b")).map(|row| row.0).as_deref(),
            Some("refs/trace/heads/a/b")
        );
    }
}
