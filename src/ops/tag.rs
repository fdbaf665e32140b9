//! `tag`: named checkpoints of a context.

use serde::Serialize;

use super::{OpError, Workspace};
use crate::model::{Branch, ObjectId};

/// Asks for tags to be listed, or one to be made or deleted.
#[derive(Debug, Clone)]
pub enum Tag {
    /// All tags.
    List,
    /// A new tag.
    Create {
        /// Its name: `<name>` of the current agent, or `<agent>/<name>`.
        name: String,
        /// The commit; HEAD if `None`.
        revision: Option<String>,
        /// Whether a tag of that name may move.
        force: bool,
    },
    /// A tag to delete.
    Delete {
        /// Its name.
        name: String,
    },
}

/// Holds one tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagOutcome {
    /// Its name, `<agent>/<name>`.
    pub name: String,
    /// The commit it names, or named.
    pub commit: ObjectId,
    /// The commit it named before it moved.
    pub was: Option<ObjectId>,
}

/// Lists, makes or deletes tags; returns the tags that it is about.
///
/// # Errors
/// When the name is taken, or there is no such tag or revision.
pub fn tag(workspace: &Workspace, request: &Tag) -> Result<Vec<TagOutcome>, OpError> {
    let repo = &workspace.repo;
    let agent = workspace
        .target()?
        .branch
        .map_or_else(|| Branch::default().agent().to_owned(), |branch| branch.agent().to_owned());
    match request {
        Tag::List => {
            let tags = repo.tags()?.into_iter();
            Ok(tags.map(|(name, commit)| TagOutcome { name: name.to_string(), commit, was: None }).collect())
        }
        Tag::Create { name, revision, force } => {
            let tag = Branch::parse(name, &agent)?;
            let ref_name = repo.tag_ref(&tag);
            let was = repo.find_ref_id(&ref_name)?;
            if was.is_some() && !force {
                return Err(OpError::Exists { what: "tag", name: tag.to_string() });
            }
            let commit = workspace.commit(revision.as_deref())?.id;
            repo.move_ref(&ref_name, was, commit, "trace tag", &repo.committer()?)?;
            Ok(vec![TagOutcome { name: tag.to_string(), commit, was }])
        }
        Tag::Delete { name } => {
            let tag = Branch::parse(name, &agent)?;
            let ref_name = repo.tag_ref(&tag);
            let commit = repo.find_ref_id(&ref_name)?.ok_or_else(|| OpError::NoTag { name: tag.to_string() })?;
            repo.delete_ref(&ref_name, commit, &repo.committer()?)?;
            Ok(vec![TagOutcome { name: tag.to_string(), commit, was: Some(commit) }])
        }
    }
}
