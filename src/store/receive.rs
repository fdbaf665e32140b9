//! Brings what a remote has. It is first put under refs of its own, `incoming/…` below our prefix, where nobody
//! looks; only what was found sound becomes what the remote is known to have.

use std::collections::HashSet;
use std::fs::File;
use std::time::{Duration, Instant};

use super::git::{Answer, Connection, FETCH_ONLY, talk};
use super::negotiation::Plan;
use super::refs::{Expected, RefEdit, RefValue};
use super::remote::{FORGOTTEN, HEADS, KINDS, Kind, META, Remote, TAGS};
use super::staging::Staging;
use super::{Repo, StoreError, take_lock};
use crate::model::{ObjectId, Person};

/// How long to wait for another fetch of this repository.
const TURN: Duration = Duration::from_secs(60);

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
    /// Refs that git refused, by their names here, because of an object in them; and what it said.
    pub bad: Vec<(String, String)>,
    /// Tombstones that it had, and has no longer.
    pub lifted: Vec<(String, ObjectId)>,
    /// What went wrong with a part of it.
    pub complaint: Option<String>,
    staging: Staging<'r>,
    /// Keeps other fetches waiting.
    _turn: File,
}

impl Repo {
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
        self.settle_place(remote, who)?;
        let mut arrivals = Arrivals {
            repo: self,
            who: who.clone(),
            remote: remote.name.clone(),
            staged: Vec::new(),
            changed: Vec::new(),
            gone: Vec::new(),
            bad: Vec::new(),
            lifted: Vec::new(),
            complaint: None,
            staging: Staging::new(self, who)?,
            _turn: turn,
        };
        let folder = arrivals.staging.folder().to_owned();
        let plan = self.plan(remote, wanted, &folder, connection)?;
        if plan.refspecs.is_empty() {
            arrivals.compare(remote, wanted, plan.listed)?;
            return Ok(arrivals);
        }
        let answer = self.fetch_refs(remote, &plan.refspecs, &plan.tips, connection)?;
        if !answer.success {
            if let Some(name) = answer.said.split("couldn't find remote ref ").nth(1) {
                let there = name.lines().next().unwrap_or_default();
                let branch = remote.here(there).unwrap_or_else(|| there.to_owned());
                let heads = format!("{}/heads/", self.settings.ref_prefix);
                let branch = branch.strip_prefix(&heads).unwrap_or(&branch).to_owned();
                return Err(StoreError::NotOnRemote { branch, remote: remote.name.clone() });
            }
            if answer.is_about_objects() {
                self.fetch_apart(remote, wanted, &plan, connection, &mut arrivals)?;
            } else if self.list_refs(&folder)?.is_empty() {
                return Err(answer.unreachable(&remote.name));
            } else {
                arrivals.complaint = Some(answer.complaint());
            }
        }
        arrivals.staged = self.list_refs(&folder)?;
        arrivals.compare(remote, wanted, plan.listed)?;
        Ok(arrivals)
    }

    /// Fetches refs; offers nothing where git broke off without a reason over what it offered.
    ///
    /// A server may send the objects before git is done with its offers, and without having said that it is ready (dulwich
    /// does, up to 1.2.21, in the older protocol over HTTP). git takes them, and asks for them again; if it has ended
    /// before they come again, its helper writes into a closed pipe, and git counts all of it as failed. Where nothing is
    /// offered, there is nothing to answer too soon; and what came is here by then, so that most of it does not come twice.
    fn fetch_refs(
        &self,
        remote: &Remote,
        refspecs: &[String],
        tips: &[ObjectId],
        connection: &Connection,
    ) -> Result<Answer, StoreError> {
        let answer = self.fetch_offering(remote, refspecs, tips, connection)?;
        if tips.is_empty() || !answer.is_without_reason() {
            return Ok(answer);
        }
        self.fetch_offering(remote, refspecs, &[], connection)
    }

    fn fetch_offering(
        &self,
        remote: &Remote,
        refspecs: &[String],
        tips: &[ObjectId],
        connection: &Connection,
    ) -> Result<Answer, StoreError> {
        let options = FETCH_ONLY.iter().chain(&["--no-filter"]);
        let mut arguments: Vec<String> = options.map(|&one| one.to_owned()).collect();
        let mut settings = vec![format!("remote.{}.mirror=false", remote.name)];
        if tips.is_empty() {
            // Nothing that is here helps the server: without this git would offer it the whole history of the code.
            settings.push("fetch.negotiationAlgorithm=noop".to_owned());
        }
        arguments.extend(tips.iter().map(|tip| format!("--negotiation-tip={tip}")));
        arguments.extend(["--".to_owned(), remote.source().to_owned()]);
        arguments.extend_from_slice(refspecs);
        talk(self, "fetch", &settings, &arguments, connection)
    }

    /// Fetches ref by ref, in halves, what could not be fetched as one because an object in it is bad; says which refs cannot
    /// be had.
    fn fetch_apart(
        &self,
        remote: &Remote,
        wanted: &Wanted,
        plan: &Plan,
        connection: &Connection,
        arrivals: &mut Arrivals<'_>,
    ) -> Result<(), StoreError> {
        let refspecs = match wanted {
            Wanted::All => self.differing(remote, arrivals.staging.folder(), connection)?,
            _ => plan.refspecs.clone(),
        };
        let mut open = vec![refspecs];
        while let Some(part) = open.pop() {
            let answer = self.fetch_refs(remote, &part, &plan.tips, connection)?;
            match (answer.success, part.as_slice()) {
                (true, _) | (_, []) => {}
                (false, _) if !answer.is_about_objects() => return Err(answer.unreachable(&remote.name)),
                (false, [refspec]) => {
                    let there = refspec.trim_start_matches('+').split(':').next().unwrap_or_default();
                    let name = remote.here(there).unwrap_or_else(|| there.to_owned());
                    arrivals.bad.push((name, answer.complaint()));
                }
                (false, several) => {
                    let (one, other) = several.split_at(several.len() / 2);
                    open.extend([one.to_vec(), other.to_vec()]);
                }
            }
        }
        Ok(())
    }

    /// Waits until no other fetch of this repository is under way.
    fn fetch_turn(&self) -> Result<File, StoreError> {
        take_lock(&self.trace_dir().join("fetch.lock"), Instant::now() + TURN)
    }
}

impl Arrivals<'_> {
    /// Finds out what is new, and what is gone.
    fn compare(&mut self, remote: &Remote, wanted: &Wanted, listed: Option<HashSet<String>>) -> Result<(), StoreError> {
        let folder = self.staging.folder();
        let mut seen = listed.unwrap_or_default();
        for (name, new) in &self.staged {
            let Some((kind, rest)) = name.strip_prefix(folder).and_then(|rest| rest.split_once('/')) else { continue };
            let Some(kind) = KINDS.into_iter().find(|known| known.folder == kind) else { continue };
            let tracking = format!("{}{rest}", remote.tracking_folder(kind));
            let old = self.repo.find_ref_id(&tracking)?;
            seen.insert(tracking.clone());
            if old != Some(*new) {
                self.changed.push(Arrival { kind, name: rest.to_owned(), tracking, old, new: *new });
            }
        }
        if *wanted == Wanted::All && self.complaint.is_none() && self.bad.is_empty() {
            for kind in [HEADS, TAGS, META] {
                let known = self.repo.list_refs(&remote.tracking_folder(kind))?;
                self.gone.extend(known.into_iter().filter(|(name, _)| !seen.contains(name)));
            }
        }
        // Tombstones are always asked for, all of them.
        if self.complaint.is_none() {
            let known = self.repo.list_refs(&remote.tracking_folder(FORGOTTEN))?;
            self.lifted = known.into_iter().filter(|(name, _)| !seen.contains(name)).collect();
        }
        Ok(())
    }

    /// Takes these for what the remote has, and makes the refs that are new here in the same step; a tombstone that it lifted
    /// covers nothing of it any more.
    ///
    /// # Errors
    /// When a ref cannot be written, or moved in the meantime.
    pub fn accept(&self, sound: &[Arrival], made: &[(String, ObjectId)]) -> Result<(), StoreError> {
        let edit = |arrival: &Arrival| RefEdit {
            name: arrival.tracking.clone(),
            expected: arrival.old.map_or(Expected::Absent, Expected::Id),
            new: Some(RefValue::Id(arrival.new)),
            message: format!("trace fetch {}", self.remote),
        };
        let make = |(name, id): &(String, ObjectId)| RefEdit {
            name: name.clone(),
            expected: Expected::Absent,
            new: Some(RefValue::Id(*id)),
            message: format!("trace fetch {}", self.remote),
        };
        let edits: Vec<RefEdit> = sound.iter().map(edit).chain(made.iter().map(make)).collect();
        if !edits.is_empty() {
            let guard = self.repo.lock()?;
            self.repo.edit_refs(&guard, &edits, &self.who, self.repo.durability(true))?;
        }
        self.repo.delete_refs(&self.lifted, "trace fetch", &self.who)
    }

    /// Forgets what the remote has no longer.
    ///
    /// # Errors
    /// When a ref cannot be deleted.
    pub fn prune(&self) -> Result<(), StoreError> {
        self.repo.delete_refs(&self.gone, "trace fetch", &self.who)
    }
}
