//! Which run is meant, and which there are: one commit is read of each.

use std::path::PathBuf;

use super::trailers::{STEP, Told};
use super::{RunError, page};
use crate::model::{Branch, Commit, ObjectId};
use crate::ops::{OpError, Workspace};
use crate::run::{RunId, Status};
use crate::store::Head;

/// Names a run.
#[derive(Debug, Clone, Default)]
pub struct WhichRun {
    /// Its id, or the beginning of it; the run of the folder if `None`.
    pub run: Option<String>,
    /// The run that the process works in, if there is such a one here: it comes before that of the folder.
    pub within: Option<String>,
    /// The folder that is worked in.
    pub dir: PathBuf,
}

/// Is a run as its newest commit tells of it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) run: RunId,
    pub(super) tip: ObjectId,
    pub(super) commit: Commit,
    pub(super) told: Told,
    /// Whether it is of this clone.
    pub(super) is_here: bool,
}

/// Holds all runs that there are.
#[derive(Debug)]
pub(super) struct SeenRuns {
    pub(super) seen: Vec<Seen>,
    /// Those that cannot be read, with the reason.
    pub(super) broken: Vec<(RunId, String)>,
}

impl Seen {
    /// Tells whether something may still be done in it.
    pub(super) fn is_open(&self) -> bool {
        self.told.status != Some(Status::Completed)
    }

    /// Returns what the newest commit says of a step, the last one if of more than one.
    pub(super) fn step(&self) -> Option<&str> {
        let told = &self.commit.facts.other;
        told.iter().rev().find(|(name, _)| name == STEP).map(|(_, step)| step.as_str())
    }
}

impl Workspace {
    /// Lists the runs, the newest first.
    pub(super) fn seen_runs(&self) -> Result<SeenRuns, OpError> {
        let any = Branch::new("run", "x").expect("a name");
        let prefix = self.repo.branch_ref(&any);
        let prefix = prefix.trim_end_matches('x');
        let (mut seen, mut broken) = (Vec::new(), Vec::new());
        for (name, tip) in self.repo.list_refs(prefix)? {
            let Some(run) = name.strip_prefix(prefix).and_then(|name| RunId::parse(name).ok()) else { continue };
            match self.see(&run, tip) {
                Ok(one) => seen.push(one),
                Err(error) => broken.push((run, error.to_string())),
            }
        }
        let age = |one: &Seen| (std::cmp::Reverse(one.commit.committer.time.seconds()), one.run.clone());
        seen.sort_by_key(age);
        Ok(SeenRuns { seen, broken })
    }

    fn see(&self, run: &RunId, tip: ObjectId) -> Result<Seen, OpError> {
        let commit = self.repo.read_commit(&tip)?;
        let told = match Told::of_commit(run, &commit) {
            Some(told) => told,
            // Another command has made it: a revert, for example.
            None => {
                let state = self.read_run(run)?.ok_or_else(|| RunError::NoSuchRun { name: run.to_string() })?;
                Told::of_header(&state.header)
            }
        };
        Ok(Seen { run: run.clone(), tip, commit, told, is_here: self.is_run_here(run) })
    }

    /// Finds the run that is meant: the one that is named, the one that this process works in, that of the branch that
    /// is worked on, that of the folder or of one around it, or the only one that is open. What is not named is never a
    /// run that came from elsewhere.
    pub(super) fn find_run(&self, which: &WhichRun) -> Result<RunId, OpError> {
        if let Some(name) = &which.run {
            return self.named_run(name);
        }
        if let Some(Ok(run)) = which.within.as_deref().map(RunId::parse)
            && self.repo.find_ref_id(&self.run_target(&run).ref_name)?.is_some()
        {
            return Ok(run);
        }
        if let Head::Branch(branch) = self.head()?
            && let Some(run) = RunId::of_branch(&branch)
        {
            return self.named_run(run.as_str());
        }
        let SeenRuns { seen, .. } = self.seen_runs()?;
        let folder = self.folder_of(&which.dir).unwrap_or_default();
        let mut around = folder.as_deref();
        while let Some(folder) = around {
            if let Some(found) = self.run_in(&seen, folder)? {
                return Ok(found.run.clone());
            }
            around = match folder {
                "." => None,
                inner => Some(inner.rsplit_once('/').map_or(".", |(outer, _)| outer)),
            };
        }
        let (open, elsewhere): (Vec<&Seen>, Vec<&Seen>) =
            seen.iter().filter(|one| one.is_open()).partition(|one| one.is_here);
        match open[..] {
            [one] => Ok(one.run.clone()),
            [] if elsewhere.is_empty() => {
                Err(RunError::NoRun { folder: folder.unwrap_or_else(|| which.dir.display().to_string()) }.into())
            }
            [] => Err(RunError::Elsewhere { runs: names(&elsewhere) }.into()),
            _ => Err(RunError::WhichRun { runs: names(&open) }.into()),
        }
    }

    fn named_run(&self, name: &str) -> Result<RunId, OpError> {
        let no_such = || OpError::from(RunError::NoSuchRun { name: name.to_owned() });
        if let Ok(run) = RunId::parse(name)
            && self.repo.find_ref_id(&self.run_target(&run).ref_name)?.is_some()
        {
            return Ok(run);
        }
        let SeenRuns { seen, .. } = self.seen_runs()?;
        let begins = |one: &&Seen| !name.is_empty() && one.run.as_str().starts_with(name);
        let found: Vec<&Seen> = seen.iter().filter(begins).collect();
        match found[..] {
            [one] => Ok(one.run.clone()),
            [] => Err(no_such()),
            _ => Err(RunError::WhichRun { runs: names(&found) }.into()),
        }
    }

    /// Finds the run of this clone whose `trace.md` is in exactly this folder of this worktree: the open one, or else
    /// the newest.
    ///
    /// # Errors
    /// When more than one is open, and the file is none that one of them alone wrote.
    pub(super) fn run_in<'s>(&self, seen: &'s [Seen], folder: &str) -> Result<Option<&'s Seen>, OpError> {
        let here = || seen.iter().filter(|one| one.is_here && !one.told.is_aside && self.is_in(one, folder));
        let open: Vec<&Seen> = here().filter(|one| one.is_open()).collect();
        match open[..] {
            [] => Ok(here().next()),
            [one] => Ok(Some(one)),
            _ => match page::written_by(self, folder, &open)?[..] {
                [one] => Ok(Some(one)),
                _ => Err(RunError::WhichRun { runs: names(&open) }.into()),
            },
        }
    }

    /// Tells whether a run is of this folder of this worktree.
    pub(super) fn is_in(&self, seen: &Seen, folder: &str) -> bool {
        seen.told.folder.as_deref() == Some(folder) && seen.told.worktree == self.repo.worktree_name()
    }
}

/// Names some runs, of which there may be many.
fn names(runs: &[&Seen]) -> Vec<String> {
    runs.iter().take(5).map(|one| one.run.to_string()).collect()
}
