//! What to ask a remote for, and what to offer it: little, however much is here.

use std::collections::HashSet;

use super::git::{Connection, talk};
use super::receive::Wanted;
use super::remote::{FORGOTTEN, HEADS, KINDS, Kind, META, Remote};
use super::{Repo, StoreError};
use crate::model::ObjectId;

/// Contexts that are offered to a server without asking first what it has: as many as git offers at once.
const OFFERED: usize = 16;

/// Of the contexts that a server has already, so many of the youngest are offered, once it was asked what it has.
const NEWEST: usize = 4;

/// Most contexts that are offered in any case.
const OFFERED_MAX: usize = 256;

/// Most refs that are asked for by name.
const NAMED: usize = 5000;

/// Says what git is to fetch.
pub(super) struct Plan {
    /// What, and under which names.
    pub(super) refspecs: Vec<String>,
    /// What is offered to the server as known.
    pub(super) tips: Vec<ObjectId>,
    /// All that the server has, as it is called here, where it was listed.
    pub(super) listed: Option<HashSet<String>>,
}

/// Is a ref that a remote has, and that is known otherwise here.
struct Differing {
    /// Where it is kept here.
    tracking: String,
    /// What is kept there.
    old: Option<ObjectId>,
    /// How it is asked for.
    refspec: String,
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

impl Repo {
    /// Decides what to ask for, and what to offer.
    ///
    /// git offers the server a commit of every branch that both have, until the server has seen enough; for a context that
    /// began by itself it never has. So where many contexts are known, it is asked first which refs the server has, and
    /// then for those that differ alone; unless the server seems to have so many refs of code that listing them costs more.
    pub(super) fn plan(
        &self,
        remote: &Remote,
        wanted: &Wanted,
        folder: &str,
        connection: &Connection,
    ) -> Result<Plan, StoreError> {
        let known = self.list_refs(&remote.tracking_folder(HEADS))?;
        let whole = |tips| Plan { refspecs: refspecs(remote, wanted, folder), tips, listed: None };
        if *wanted == Wanted::Forgotten {
            return Ok(whole(Vec::new()));
        }
        if known.len() <= OFFERED || *wanted != Wanted::All || self.has_many_code_refs(remote, known.len())? {
            return Ok(whole(self.youngest(known, OFFERED_MAX)));
        }
        let Ok(listed) = self.list_remote(remote, connection) else {
            // A list that is too long, for example: git gets along without one.
            return Ok(whole(self.youngest(known, OFFERED_MAX)));
        };
        let differing = self.known_otherwise(remote, &listed, folder)?;
        if differing.len() > NAMED {
            return Ok(whole(self.youngest(known, OFFERED_MAX)));
        }
        let ours = remote.tracking_folder(HEADS);
        let mut tips: Vec<ObjectId> =
            differing.iter().filter(|one| one.tracking.starts_with(&ours)).filter_map(|one| one.old).collect();
        // What is new may go on from what was new last.
        tips.extend(self.youngest(known, NEWEST));
        let refspecs = differing.into_iter().map(|one| one.refspec).collect();
        let listed = listed.iter().filter_map(|(local, _)| remote.tracking(local)).collect();
        Ok(Plan { refspecs, tips, listed: Some(listed) })
    }

    /// Returns the refspecs of all that the remote has, and that is known otherwise here.
    pub(super) fn differing(
        &self,
        remote: &Remote,
        folder: &str,
        connection: &Connection,
    ) -> Result<Vec<String>, StoreError> {
        let listed = self.list_remote(remote, connection)?;
        Ok(self.known_otherwise(remote, &listed, folder)?.into_iter().map(|one| one.refspec).collect())
    }

    /// Returns what of a remote's list is known otherwise here.
    fn known_otherwise(
        &self,
        remote: &Remote,
        listed: &[(String, ObjectId)],
        folder: &str,
    ) -> Result<Vec<Differing>, StoreError> {
        let prefix = format!("{}/", self.settings.ref_prefix);
        let mut found = Vec::new();
        for (local, id) in listed {
            let (Some(tracking), Some(rest)) = (remote.tracking(local), local.strip_prefix(&prefix)) else { continue };
            let old = self.find_ref_id(&tracking)?;
            if old != Some(*id) {
                let refspec = format!("+{}/{rest}:{folder}{rest}", remote.server_prefix());
                found.push(Differing { tracking, old, refspec });
            }
        }
        Ok(found)
    }

    /// Returns the youngest of these commits, at most so many.
    fn youngest(&self, mut known: Vec<(String, ObjectId)>, most: usize) -> Vec<ObjectId> {
        if known.len() > most {
            known.sort_by_cached_key(|(_, id)| {
                std::cmp::Reverse(self.read_link(id).map_or(i64::MIN, |link| link.seconds))
            });
        }
        known.into_iter().take(most).map(|(_, id)| id).collect()
    }

    /// Tells whether a remote is known to have many more refs of code than contexts.
    fn has_many_code_refs(&self, remote: &Remote, contexts: usize) -> Result<bool, StoreError> {
        let branches = self.list_refs(&format!("refs/remotes/{}/", remote.name))?.len();
        let tags = self.list_refs("refs/tags/")?.len();
        Ok(branches + tags > contexts.saturating_mul(10))
    }

    /// Lists what a remote, or an address, has of ours: names as they are here, and what they name.
    ///
    /// Servers have no way to ask for part of their refs but a fetch; so all are listed, and ours are picked out.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn list_remote(&self, remote: &Remote, connection: &Connection) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let arguments = ["--refs", "--quiet", "--", remote.source()].map(str::to_owned);
        let answer = talk(self, "ls-remote", &[], &arguments, connection)?;
        if !answer.success {
            return Err(answer.unreachable(&remote.name));
        }
        let row = |line: &str| {
            let (id, name) = line.split_once('\t')?;
            Some((remote.here(name)?, id.parse().ok()?))
        };
        Ok(answer.printed.lines().filter_map(row).collect())
    }
}
