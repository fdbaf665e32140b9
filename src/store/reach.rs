//! What some commits reach and others do not: messages, names and files, each once.

use std::collections::HashSet;

use super::{Repo, StoreError, Walk};
use crate::codec::{RowKind, rows};
use crate::model::ObjectId;

/// Trees in trees are walked so deep; a context has four.
const DEPTH: usize = 16;

/// Is one thing that was found, and the first commit that brought it.
#[derive(Debug, Clone, Copy)]
pub enum Reached<'a> {
    /// A commit's message.
    Message {
        /// The commit.
        commit: ObjectId,
        /// The whole text.
        text: &'a [u8],
    },
    /// A name in a tree; the file or folder of that name may be an old one.
    Name {
        /// The commit.
        commit: ObjectId,
        /// The folders around it, each with `/` behind it.
        folder: &'a str,
        /// The name.
        name: &'a [u8],
    },
    /// A file's content.
    Blob {
        /// The commit.
        commit: ObjectId,
        /// The folders around it, each with `/` behind it.
        folder: &'a str,
        /// Its name, when it was first met.
        name: &'a [u8],
        /// The object.
        id: ObjectId,
    },
}

impl Repo {
    /// Visits what `tips` reach and `known` do not, the oldest commit first, each object once. What of `known` is not here is
    /// left out: nothing here is known by it.
    ///
    /// As in git, an old file that a new commit brings back may be visited too.
    ///
    /// # Errors
    /// When an object cannot be read, or the visitor says so.
    pub fn visit_new<E: From<StoreError>>(
        &self,
        tips: &[ObjectId],
        known: &[ObjectId],
        visit: &mut dyn FnMut(Reached<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let known: Vec<ObjectId> = known.iter().copied().filter(|id| self.read_link(id).is_ok()).collect();
        let commits = self.listed(Walk { tips, hidden: &known, first_parent: false })?;
        let new: HashSet<ObjectId> = commits.iter().copied().collect();
        let mut seen = HashSet::new();
        let mut nothing = |_: Reached<'_>| Ok::<(), StoreError>(());
        let mut edges: HashSet<ObjectId> = HashSet::new();
        for id in &commits {
            edges.extend(self.read_link(id)?.parents.into_iter().filter(|parent| !new.contains(parent)));
        }
        // Where history goes on that is known.
        for edge in edges {
            let tree = self.read_root(&edge)?;
            TreeVisit { repo: self, commit: edge, seen: &mut seen, visit: &mut nothing }.tree(tree, "", 0)?;
        }
        for id in commits.into_iter().rev() {
            let (tree, text) = self.read_words(&id)?;
            visit(Reached::Message { commit: id, text: &text })?;
            TreeVisit { repo: self, commit: id, seen: &mut seen, visit: &mut *visit }.tree(tree, "", 0)?;
        }
        Ok(())
    }
}

struct TreeVisit<'v, E> {
    repo: &'v Repo,
    commit: ObjectId,
    seen: &'v mut HashSet<ObjectId>,
    visit: &'v mut dyn FnMut(Reached<'_>) -> Result<(), E>,
}

impl<E: From<StoreError>> TreeVisit<'_, E> {
    fn tree(&mut self, tree: ObjectId, folder: &str, depth: usize) -> Result<(), E> {
        if !self.seen.insert(tree) {
            return Ok(());
        }
        if depth > DEPTH {
            return Err(StoreError::Object { id: tree, reason: "folders are nested too deeply".to_owned() }.into());
        }
        let bytes = self.repo.read_tree_bytes(&tree)?;
        let commit = self.commit;
        for row in rows(&bytes, tree.kind()) {
            let row = row.map_err(StoreError::from)?;
            if row.kind == RowKind::Tree {
                (self.visit)(Reached::Name { commit, folder, name: row.name })?;
                let below = format!("{folder}{}/", String::from_utf8_lossy(row.name));
                self.tree(row.id, &below, depth + 1)?;
                continue;
            }
            (self.visit)(Reached::Name { commit, folder, name: row.name })?;
            if self.seen.insert(row.id) {
                (self.visit)(Reached::Blob { commit, folder, name: row.name, id: row.id })?;
            }
        }
        Ok(())
    }
}
