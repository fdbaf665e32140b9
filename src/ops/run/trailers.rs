//! What each commit of a run says of the run as a whole.

use crate::codec::{escape_field, unescape_field};
use crate::model::Commit;
use crate::ops::{OpError, Workspace};
use crate::run::{Header, RunId, Status};

/// The name of the workflow.
const WORKFLOW: &str = "Trace-Workflow";
/// How the run stands.
const STATUS: &str = "Trace-Status";
/// The folder of its `trace.md`.
const DIR: &str = "Trace-Dir";
/// The linked worktree that the folder is in.
const WORKTREE: &str = "Trace-Worktree";
/// Says that its `trace.md` made room for another run's.
const ASIDE: &str = "Trace-Aside";
/// The step that a commit is about, and how it stands.
pub(super) const STEP: &str = "Trace-Step";
/// The object id that `trace.md` has as it was written then.
pub(super) const PAGE: &str = "Trace-Page";

/// The fields of a header beyond those that it names.
const WORKTREE_FIELD: &str = "worktree";
const ASIDE_FIELD: &str = "aside";

/// Says how a run stands, read from its newest commit alone.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) workflow: String,
    /// `None` if it is one that this version does not know.
    pub(super) status: Option<Status>,
    pub(super) folder: Option<String>,
    pub(super) worktree: Option<String>,
    pub(super) is_aside: bool,
}

impl Told {
    /// Reads the trailers; `None` if the commit was not made by a command for runs.
    pub(super) fn of_commit(run: &RunId, commit: &Commit) -> Option<Self> {
        let facts = &commit.facts;
        (facts.trailer("Trace-Run") == Some(run.as_str())).then_some(())?;
        let plain = |word: &str| unescape_field(word).into_owned();
        let status = serde_json::from_value(facts.trailer(STATUS)?.into()).ok();
        Some(Told {
            workflow: facts.trailer(WORKFLOW)?.to_owned(),
            status,
            folder: facts.trailer(DIR).map(plain),
            worktree: facts.trailer(WORKTREE).map(plain),
            is_aside: facts.trailer(ASIDE).is_some(),
        })
    }

    /// Reads the header.
    pub(super) fn of_header(header: &Header) -> Self {
        Told {
            workflow: header.workflow.name.clone(),
            status: Some(header.status),
            folder: header.folder.clone(),
            worktree: worktree(header).map(str::to_owned),
            is_aside: is_aside(header),
        }
    }
}

/// Returns the linked worktree of the run's folder.
pub(super) fn worktree(header: &Header) -> Option<&str> {
    header.other.get(WORKTREE_FIELD)?.as_str()
}

/// Tells whether the run's `trace.md` made room for another run's.
pub(super) fn is_aside(header: &Header) -> bool {
    header.other.get(ASIDE_FIELD).is_some_and(|value| value.as_bool() == Some(true))
}

/// Notes in a header which worktree the folder is in.
pub(super) fn set_worktree(header: &mut Header, name: Option<String>) {
    if let Some(name) = name {
        header.other.insert(WORKTREE_FIELD.to_owned(), name.into());
    }
}

/// Notes in a header that its `trace.md` makes room for another run's.
pub(super) fn set_aside(header: &mut Header) {
    header.other.insert(ASIDE_FIELD.to_owned(), true.into());
}

/// Returns the trailers that tell what a header says.
pub(super) fn told_by(workspace: &Workspace, header: &Header) -> Result<Vec<(String, String)>, OpError> {
    let redactor = workspace.redactor()?;
    let clean = |text: &str| redactor.line(text).as_inner().clone();
    let mut told =
        vec![(WORKFLOW.to_owned(), clean(&header.workflow.name)), (STATUS.to_owned(), header.status.to_string())];
    told.extend(header.folder.as_deref().map(|folder| (DIR.to_owned(), escape_field(&clean(folder)).into_owned())));
    told.extend(worktree(header).map(|name| (WORKTREE.to_owned(), escape_field(name).into_owned())));
    told.extend(is_aside(header).then(|| (ASIDE.to_owned(), "yes".to_owned())));
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_back_as_they_were() {
        for name in [".", "a b/c  d", "100%", "%20", "tab\there\n", "e\u{301}/日本"] {
            assert_eq!(unescape_field(&escape_field(name)), name);
            assert!(!escape_field(name).contains(char::is_whitespace));
        }
        assert_eq!(unescape_field("%zz%4"), "%zz%4");
    }
}
