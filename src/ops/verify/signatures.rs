//! Signatures of commits, as git itself judges them.

use super::Note;
use super::commit::Report;
use super::objects::Trouble;
use crate::model::ObjectId;
use crate::ops::{Finding, Workspace};
use crate::store::{SignatureState, signature_headers};

/// A commit whose signature is wrong, or cannot be judged.
pub(super) type Judged = (ObjectId, Option<Finding>, Option<Note>);

/// Gathers commits with a signature, so that git is started once.
#[derive(Default)]
pub(super) struct Signed {
    waiting: Vec<ObjectId>,
    /// Commits with a signature.
    pub(super) signed: u64,
    /// Signatures that fit and are of somebody known.
    pub(super) trusted: u64,
}

impl Signed {
    /// Looks for a signature in the bytes of a commit.
    pub(super) fn look(&mut self, id: ObjectId, commit: &[u8], wanted: bool, report: &mut Report) {
        let finding = |reason: &str| Finding::Signature { reason: reason.to_owned() };
        match signature_headers(commit, id.kind()) {
            0 if wanted => report.findings.push(finding("there is none")),
            0 => {}
            1 => self.waiting.push(id),
            _ => report.findings.push(finding("there is more than one")),
        }
    }

    /// Asks git about all that were found.
    pub(super) fn ask(&mut self, workspace: &Workspace, wanted: bool) -> Result<Vec<Judged>, Trouble> {
        let waiting = std::mem::take(&mut self.waiting);
        self.signed += waiting.len() as u64;
        let mut found = Vec::new();
        for (id, state) in workspace.repo.signatures(&waiting)? {
            let reason = match state {
                SignatureState::Good => {
                    self.trusted += 1;
                    continue;
                }
                SignatureState::Bad => {
                    let reason = "it does not fit the commit".to_owned();
                    found.push((id, Some(Finding::Signature { reason }), None));
                    continue;
                }
                SignatureState::Revoked => {
                    let reason = "its key was revoked".to_owned();
                    found.push((id, Some(Finding::Signature { reason }), None));
                    continue;
                }
                SignatureState::Unknown(reason) => reason,
            };
            found.push(match wanted {
                true => (id, Some(Finding::Signature { reason }), None),
                false => (id, None, Some(Note::Unchecked { reason })),
            });
        }
        Ok(found)
    }
}
