//! `verify`: checks from the objects alone that commits did what they say, and nothing that they must not do.
//!
//! Each commit is compared with its first parent, and each object is read once: what nothing changed was checked where it
//! came in.

mod commit;
mod compression;
mod forest;
mod index;
mod note;
mod objects;
mod pointers;
mod signatures;
mod state;
mod trailers;

use std::collections::HashMap;

use self::commit::{Commits, Report};
use self::forest::Forest;
use self::objects::{Objects, Trouble};
use self::pointers::Pointers;
use self::signatures::Signed;
use super::{Finding, Log, OpError, Workspace, log};
use crate::model::{Commit, ObjectId};

pub use self::note::Note;

/// Says what is to be checked.
#[derive(Debug, Clone, Default)]
pub struct Verify {
    /// Commits, and ranges of them; HEAD if there are none.
    pub revisions: Vec<String>,
    /// Everything: branches, tags, what was fetched, indexes of links.
    pub all: bool,
    /// Whether a commit that is not signed by somebody known is a finding.
    pub signed: bool,
}

/// Holds what was found out.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// The commits: all that were asked for, or those of all of which there is something to say.
    pub commits: Vec<Verified>,
    /// Indexes of links, by their refs, of which there is something to say.
    pub indexes: Vec<(String, Vec<Finding>, Vec<Note>)>,
    /// How much was looked at.
    pub checked: Checked,
}

/// Holds what was found out about a commit.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Its id.
    pub id: ObjectId,
    /// The commit, if it can be read.
    pub commit: Option<Commit>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What could not be checked, or is odd without being wrong.
    pub notes: Vec<Note>,
}

/// Counts what was looked at, each object once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// Commits, those included that others were compared with.
    pub commits: u64,
    /// Folders.
    pub trees: u64,
    /// Bodies, manifests and other files.
    pub blobs: u64,
    /// Commits with a signature.
    pub signed: u64,
    /// Signatures that fit and are of somebody known.
    pub trusted: u64,
}

impl Verification {
    /// Returns how many commits and indexes are not what they say.
    pub fn unsound(&self) -> usize {
        let commits = self.commits.iter().filter(|verified| !verified.findings.is_empty()).count();
        commits + self.indexes.iter().filter(|(_, findings, _)| !findings.is_empty()).count()
    }
}

/// Checks commits: one a revision (HEAD where there is none), all of a range, or everything.
///
/// # Errors
/// When a revision names nothing, or the repository itself cannot be read. What is wrong with objects is a finding.
pub fn verify(workspace: &Workspace, request: &Verify) -> Result<Verification, OpError> {
    let verified = match request.all {
        true => verify_all(workspace, request),
        false => verify_some(workspace, request),
    };
    verified.map_err(|trouble| match trouble {
        Trouble::Op(error) => error,
        Trouble::Found(finding) => OpError::Unsound { findings: vec![finding] },
        Trouble::LeftOut => OpError::Request { reason: "the remote's objects are needed".to_owned() },
    })
}

fn verify_some(workspace: &Workspace, request: &Verify) -> Result<Verification, Trouble> {
    let mut wanted: Vec<ObjectId> = Vec::new();
    let head = ["HEAD".to_owned()];
    for revision in if request.revisions.is_empty() { head.as_slice() } else { &request.revisions } {
        if revision.contains("..") {
            let request = Log { revisions: vec![revision.clone()], ..Log::default() };
            for commit in log(workspace, &request)? {
                wanted.push(commit?.id);
            }
        } else {
            wanted.push(workspace.resolve(revision)?);
        }
    }
    let mut run = Run::new(workspace, request)?;
    let mut selected = Vec::new();
    for id in &wanted {
        let parent = match run.commits.objects.commit(id) {
            Ok((commit, _)) => commit.parents.first().copied(),
            Err(trouble @ Trouble::Op(_)) => return Err(trouble),
            Err(_) => None,
        };
        selected.push((*id, parent));
    }
    let mut found = run.check(&selected)?;
    Ok(Verification {
        commits: wanted.iter().filter_map(|id| found.remove(id)).collect(),
        indexes: Vec::new(),
        checked: run.checked(),
    })
}

fn verify_all(workspace: &Workspace, request: &Verify) -> Result<Verification, Trouble> {
    let mut run = Run::new(workspace, request)?;
    let prefix = format!("{}/", workspace.settings().ref_prefix);
    let (mut tips, mut indexes, mut tombstones) = (Vec::new(), Vec::new(), Vec::new());
    for (name, id) in workspace.repo.list_refs(&prefix).map_err(OpError::from)? {
        let parts: Vec<&str> = name[prefix.len()..].split('/').collect();
        match parts[..] {
            // Snapshots, workflows and plugins hold files of others: git's own fsck is for them.
            ["snapshots" | "workflows" | "plugins", ..] => {}
            ["meta" | "remote-meta", ..] | ["remotes", _, "meta", ..] => indexes.push((name, id)),
            ["forgotten" | "remote-forgotten", ..] => tombstones.push((name, id)),
            _ => tips.push(id),
        }
    }
    if let Ok(Some(id)) = workspace.repo.find_ref_id(crate::store::HEAD) {
        tips.push(id);
    }
    let (commits, broken) = forest::reach(&mut run.commits.objects, &tips)?;
    let mut verification = Verification::default();
    for (id, trouble) in broken {
        let mut report = Report::default();
        report.trouble(trouble)?;
        verification.commits.push(run.verified(id, None, report));
    }
    let mut found = run.check(&commits)?;
    let of_interest = |verified: &Verified| !verified.findings.is_empty() || !verified.notes.is_empty();
    verification.commits.extend(commits.iter().filter_map(|(id, _)| found.remove(id)).filter(of_interest));
    for (name, id) in indexes {
        let mut report = Report::default();
        match index::check(&mut run.commits.objects, &id) {
            Ok(found) => report = found,
            Err(trouble) => report.trouble(trouble)?,
        }
        if !report.findings.is_empty() || !report.notes.is_empty() {
            verification.indexes.push((name, report.findings, note::once(report.notes)));
        }
    }
    for (name, id) in tombstones {
        if let Err(trouble) = run.commits.objects.read(&id, crate::store::ObjectKind::Commit) {
            let mut report = Report::default();
            report.trouble(trouble)?;
            verification.indexes.push((name, report.findings, report.notes));
        }
    }
    verification.checked = run.checked();
    Ok(verification)
}

/// Checks commits and their signatures.
struct Run<'w> {
    commits: Commits<'w>,
    signed: Signed,
    wants_signatures: bool,
}

impl<'w> Run<'w> {
    fn new(workspace: &'w Workspace, request: &Verify) -> Result<Self, Trouble> {
        let objects = Objects::new(&workspace.repo);
        let commits = Commits::new(workspace, objects, Pointers::of(workspace)?);
        Ok(Run { commits, signed: Signed::default(), wants_signatures: request.signed })
    }

    /// Checks these commits, which are given with their first parents.
    fn check(&mut self, commits: &[(ObjectId, Option<ObjectId>)]) -> Result<HashMap<ObjectId, Verified>, Trouble> {
        let mut found = HashMap::new();
        for id in Forest::of(commits).order() {
            let mut report = Report::default();
            let commit = match self.commits.objects.commit(&id) {
                Ok((commit, bytes)) => {
                    report = self.commits.check(&commit)?;
                    report.findings.extend(trailers::repeated(&bytes));
                    self.signed.look(id, &bytes, self.wants_signatures, &mut report);
                    Some(commit)
                }
                Err(trouble) => {
                    report.trouble(trouble)?;
                    None
                }
            };
            found.insert(id, self.verified(id, commit, report));
        }
        for (id, findings, notes) in self.signed.ask(self.commits.workspace, self.wants_signatures)? {
            if let Some(verified) = found.get_mut(&id) {
                verified.findings.extend(findings);
                verified.notes.extend(notes);
            }
        }
        Ok(found)
    }

    fn verified(&self, id: ObjectId, commit: Option<Commit>, report: Report) -> Verified {
        Verified { id, commit, findings: report.findings, notes: note::once(report.notes) }
    }

    fn checked(&self) -> Checked {
        let Signed { signed, trusted, .. } = self.signed;
        Checked { signed, trusted, ..self.commits.objects.checked }
    }
}
