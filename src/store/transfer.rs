//! What goes to a remote and what comes from it.
//!
//! What comes is first put under refs of its own, `incoming/<remote>/…` below our prefix, where nobody looks; only what was
//! found sound becomes what the remote is known to have. What goes is named by its object, so that exactly what was
//! looked at is sent.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::time::{Duration, Instant};

use super::git::{Answer, Connection, talk};
use super::refs::{Expected, RefEdit, RefValue};
use super::remote::{FORGOTTEN, HEADS, KINDS, Kind, META, Remote, TAGS};
use super::{Repo, StoreError, wait_for_lock};
use crate::model::{ObjectId, Person};

/// Lines of what a server says that are passed on.
const SAID_MAX: usize = 12;

/// How long to wait for another fetch of this repository.
const TURN: Duration = Duration::from_secs(60);

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

/// Says what is wanted from a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All that travels.
    All,
    /// These branches, `<agent>/<branch>` or with a `*` in it, with indexes and what was forgotten.
    Branches(Vec<String>),
    /// Only what was forgotten.
    Forgotten,
}

/// A ref that came from a remote and is not trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// What kind of ref it is.
    pub kind: Kind,
    /// Its name below the folder of its kind: `<agent>/<branch>` of a branch. It is as the server has it.
    pub name: String,
    /// Where it is to be kept.
    pub tracking: String,
    /// What is kept there now.
    pub old: Option<ObjectId>,
    /// What the remote has.
    pub new: ObjectId,
}

/// Holds what came from a remote; when it is dropped, what was not accepted is let go.
pub struct Arrivals<'r> {
    repo: &'r Repo,
    who: Person,
    remote: String,
    staged: Vec<(String, ObjectId)>,
    /// What is new or differs from what is known.
    pub changed: Vec<Arrival>,
    /// What is known of the remote, and is not there any more: refs, and what they name.
    pub gone: Vec<(String, ObjectId)>,
    /// What went wrong with a part of it.
    pub complaint: Option<String>,
    /// Keeps other fetches waiting.
    _turn: File,
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
        let local =
            |name: &str| StoreError::Ref { name: name.to_owned(), reason: "it never leaves this machine".to_owned() };
        let mut arguments: Vec<String> =
            ["--porcelain", "--no-follow-tags", "--recurse-submodules=no", "--no-progress"].map(str::to_owned).to_vec();
        if all_or_none {
            arguments.push("--atomic".to_owned());
        }
        let mut refspecs = Vec::with_capacity(sends.len());
        for send in sends {
            let there = remote.there(&send.name).ok_or_else(|| local(&send.name))?;
            if let Lease::Exactly(old) = send.lease {
                let old = old.map(|id| id.to_string()).unwrap_or_default();
                arguments.push(format!("--force-with-lease={there}:{old}"));
            }
            refspecs.push(format!("{}:{there}", send.source.map(|id| id.to_string()).unwrap_or_default()));
        }
        arguments.extend(["--".to_owned(), remote.name.clone()]);
        arguments.extend(refspecs);
        // A remote that is a mirror takes no refspecs, and one with options of its own would get those.
        let settings = [format!("remote.{}.mirror=false", remote.name)];
        let answer = talk(self, "push", &settings, &arguments, connection)?;
        let said = words_of(&answer.said);
        let rows: Vec<(String, SendOutcome)> = answer.printed.lines().filter_map(row).collect();
        if rows.is_empty() && !answer.success {
            return Err(unreachable(remote, &answer));
        }
        let mut sent = Vec::with_capacity(sends.len());
        for send in sends {
            let there = remote.there(&send.name).ok_or_else(|| local(&send.name))?;
            let outcome = match rows.iter().find(|(name, _)| *name == there) {
                Some((_, SendOutcome::Rejected { reason })) => {
                    let reason = if said.is_empty() { reason.clone() } else { format!("{reason}: {said}") };
                    SendOutcome::Rejected { reason }
                }
                Some((_, outcome)) => outcome.clone(),
                None => SendOutcome::Rejected { reason: "the remote said nothing about it".to_owned() },
            };
            sent.push(Sent { name: send.name.clone(), there, outcome });
        }
        self.note_sent(remote, sends, &sent, who)?;
        Ok(sent)
    }

    /// Notes what a remote has now.
    fn note_sent(&self, remote: &Remote, sends: &[Send], sent: &[Sent], who: &Person) -> Result<(), StoreError> {
        let mut edits = Vec::new();
        for (send, sent) in sends.iter().zip(sent) {
            let Some(tracking) = remote.tracking(&send.name).filter(|tracking| *tracking != send.name) else {
                continue;
            };
            if matches!(sent.outcome, SendOutcome::Rejected { .. }) {
                continue;
            }
            let known = self.find_ref_id(&tracking)?;
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
            let guard = self.lock()?;
            self.edit_refs(&guard, edits, who, self.durability(true))?;
        }
        Ok(())
    }

    /// Brings what a remote has here, under names where nobody looks, and says what is new.
    ///
    /// # Errors
    /// When the remote cannot be reached, or has nothing of these names.
    pub fn receive(
        &self,
        remote: &Remote,
        wanted: &Wanted,
        connection: &Connection,
        who: &Person,
    ) -> Result<Arrivals<'_>, StoreError> {
        self.check_quarantine()?;
        let turn = self.fetch_turn()?;
        let mut arrivals = Arrivals {
            repo: self,
            who: who.clone(),
            remote: remote.name.clone(),
            staged: Vec::new(),
            changed: Vec::new(),
            gone: Vec::new(),
            complaint: None,
            _turn: turn,
        };
        // Left behind by one that was killed.
        arrivals.clear()?;
        let folder = arrivals.folder();
        let mut arguments: Vec<String> = [
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-show-forced-updates",
            "--no-prune",
            "--no-filter",
            "--refmap=",
        ]
        .map(str::to_owned)
        .to_vec();
        let mut settings = vec![format!("remote.{}.mirror=false", remote.name)];
        let tracking = remote.tracking_folder(HEADS);
        if *wanted == Wanted::Forgotten || self.list_refs(&tracking)?.is_empty() {
            // Nothing that is here helps the server: without this git would offer it the whole history of the code.
            settings.push("fetch.negotiationAlgorithm=noop".to_owned());
        } else {
            arguments.push(format!("--negotiation-tip={tracking}*"));
        }
        arguments.extend(["--".to_owned(), remote.source().to_owned()]);
        arguments.extend(refspecs(remote, wanted, &folder));
        let answer = talk(self, "fetch", &settings, &arguments, connection)?;
        arrivals.staged = self.list_refs(&folder)?;
        if !answer.success {
            if let Some(name) = answer.said.split("couldn't find remote ref ").nth(1) {
                let there = name.lines().next().unwrap_or_default();
                let branch = remote.here(there).unwrap_or_else(|| there.to_owned());
                let heads = format!("{}/heads/", self.settings.ref_prefix);
                let branch = branch.strip_prefix(&heads).unwrap_or(&branch).to_owned();
                return Err(StoreError::NotOnRemote { branch, remote: remote.name.clone() });
            }
            if arrivals.staged.is_empty() {
                return Err(unreachable(remote, &answer));
            }
            arrivals.complaint = Some(complaint(&answer));
        }
        arrivals.compare(remote, wanted)?;
        Ok(arrivals)
    }

    /// Lists what a remote, or an address, has of ours: names as they are here, and what they name.
    ///
    /// Servers have no way to ask for part of their refs but a fetch; so all are listed, and ours are picked out.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn list_remote(&self, remote: &Remote, connection: &Connection) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let arguments = ["--refs", "--quiet", "--", &remote.name].map(str::to_owned);
        let answer = talk(self, "ls-remote", &[], &arguments, connection)?;
        if !answer.success {
            return Err(unreachable(remote, &answer));
        }
        let row = |line: &str| {
            let (id, name) = line.split_once('\t')?;
            Some((remote.here(name)?, id.parse().ok()?))
        };
        Ok(answer.printed.lines().filter_map(row).collect())
    }

    /// Waits until no other fetch of this repository is under way.
    fn fetch_turn(&self) -> Result<File, StoreError> {
        let folder = self.trace_dir();
        std::fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        let path = folder.join("fetch.lock");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(StoreError::io("open", &path))?;
        match wait_for_lock(&file, Instant::now() + TURN) {
            Ok(true) => Ok(file),
            Ok(false) => Err(StoreError::Locked { path }),
            Err(error) => Err(StoreError::io("lock", &path)(error)),
        }
    }
}

/// Returns what git is to fetch, and under which names.
fn refspecs(remote: &Remote, wanted: &Wanted, folder: &str) -> Vec<String> {
    let server = remote.server_prefix();
    let all = |kind: Kind| format!("+{server}/{0}/*:{folder}{0}/*", kind.folder);
    match wanted {
        Wanted::All => KINDS.into_iter().map(all).collect(),
        Wanted::Forgotten => vec![all(FORGOTTEN)],
        Wanted::Branches(names) => {
            let heads = names.iter().map(|name| format!("+{server}/heads/{name}:{folder}heads/{name}"));
            heads.chain([all(META), all(FORGOTTEN)]).collect()
        }
    }
}

impl Arrivals<'_> {
    fn folder(&self) -> String {
        format!("{}/incoming/{}/", self.repo.settings.ref_prefix, self.remote)
    }

    /// Finds out what is new, and what is gone.
    fn compare(&mut self, remote: &Remote, wanted: &Wanted) -> Result<(), StoreError> {
        let folder = self.folder();
        let mut seen = HashSet::new();
        for (name, new) in &self.staged {
            let Some((kind, rest)) = name.strip_prefix(&folder).and_then(|rest| rest.split_once('/')) else { continue };
            let Some(kind) = KINDS.into_iter().find(|known| known.folder == kind) else { continue };
            let tracking = format!("{}{rest}", remote.tracking_folder(kind));
            let old = self.repo.find_ref_id(&tracking)?;
            seen.insert(tracking.clone());
            if old != Some(*new) {
                self.changed.push(Arrival { kind, name: rest.to_owned(), tracking, old, new: *new });
            }
        }
        if *wanted == Wanted::All && self.complaint.is_none() {
            for kind in [HEADS, TAGS, META] {
                let known = self.repo.list_refs(&remote.tracking_folder(kind))?;
                self.gone.extend(known.into_iter().filter(|(name, _)| !seen.contains(name)));
            }
        }
        Ok(())
    }

    /// Takes these for what the remote has.
    ///
    /// # Errors
    /// When a ref cannot be written, or moved in the meantime.
    pub fn accept(&self, sound: &[Arrival]) -> Result<(), StoreError> {
        let edit = |arrival: &Arrival| RefEdit {
            name: arrival.tracking.clone(),
            expected: arrival.old.map_or(Expected::Absent, Expected::Id),
            new: Some(RefValue::Id(arrival.new)),
            message: format!("trace fetch {}", self.remote),
        };
        let edits: Vec<RefEdit> = sound.iter().map(edit).collect();
        if edits.is_empty() {
            return Ok(());
        }
        let guard = self.repo.lock()?;
        self.repo.edit_refs(&guard, &edits, &self.who, self.repo.durability(true))
    }

    /// Forgets what the remote has no longer.
    ///
    /// # Errors
    /// When a ref cannot be deleted.
    pub fn prune(&self) -> Result<(), StoreError> {
        self.delete(&self.gone)
    }

    /// Lets go of what came.
    fn clear(&self) -> Result<(), StoreError> {
        self.delete(&self.repo.list_refs(&self.folder())?)
    }

    fn delete(&self, refs: &[(String, ObjectId)]) -> Result<(), StoreError> {
        let edit = |(name, id): &(String, ObjectId)| RefEdit {
            name: name.clone(),
            expected: Expected::Id(*id),
            new: None,
            message: "trace fetch".to_owned(),
        };
        let edits: Vec<RefEdit> = refs.iter().map(edit).collect();
        if edits.is_empty() {
            return Ok(());
        }
        let guard = self.repo.lock()?;
        self.repo.edit_refs(&guard, &edits, &self.who, self.repo.durability(true))
    }
}

impl Drop for Arrivals<'_> {
    fn drop(&mut self) {
        // What stays is cleared by the next fetch.
        let _ = self.clear();
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

/// Returns what the server itself said, on one line.
fn words_of(said: &str) -> String {
    let lines = said.lines().filter_map(|line| line.strip_prefix("remote:")).map(str::trim);
    lines.filter(|line| !line.is_empty()).take(SAID_MAX).collect::<Vec<_>>().join(" · ")
}

/// Returns what git complained of, on one line.
fn complaint(answer: &Answer) -> String {
    let plain = |line: &str| {
        let line =
            ["fatal: ", "error: ", "warning: "].iter().find_map(|start| line.strip_prefix(start)).unwrap_or(line);
        line.trim().to_owned()
    };
    let matters = |line: &&str| {
        !line.trim().is_empty()
            && !["hint:", "From ", "To ", "Please make sure", "and the repository exists", "warning: no common commits"]
                .iter()
                .any(|start| line.starts_with(start))
    };
    let lines: Vec<String> = answer.said.lines().filter(matters).map(plain).take(SAID_MAX).collect();
    if lines.is_empty() { "it failed without a word".to_owned() } else { lines.join(" · ") }
}

fn unreachable(remote: &Remote, answer: &Answer) -> StoreError {
    StoreError::Unreachable { remote: remote.name.clone(), reason: complaint(answer) }
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
