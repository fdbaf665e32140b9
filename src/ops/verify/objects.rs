//! Objects, read with their ids computed anew: each once.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Checked;
use crate::codec::{CodecError, Manifest, Meta, Root, ToolIds, strict_chunk, strict_folder, strict_root, tool_ids};
use crate::model::{BodyKind, Commit, Entry, ObjectId, Role};
use crate::ops::change::count_entry;
use crate::ops::sealed::ReadTrees;
use crate::ops::{Finding, OpError};
use crate::store::{ObjectKind, Repo, StoreError};
use crate::tokens::Encoding;

/// Why something could not be looked at.
pub(super) enum Trouble {
    /// It is wrong.
    Found(Finding),
    /// A partial clone left it out.
    LeftOut,
    /// It cannot be told.
    Op(OpError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        let found = |id, reason: String| Trouble::Found(Finding::Object { id, reason });
        match error {
            StoreError::Missing { promisor: Some(_), .. } => Trouble::LeftOut,
            StoreError::Missing { id, promisor: None } => found(id, "it is missing".to_owned()),
            StoreError::Object { id, reason } => found(id, reason),
            StoreError::TooLarge { id, size, limit } => found(id, format!("{size} bytes; the limit is {limit}")),
            StoreError::NotAContext { id, source } => found(id, source.to_string()),
            other => Trouble::Op(other.into()),
        }
    }
}

impl From<OpError> for Trouble {
    fn from(error: OpError) -> Self {
        match error {
            OpError::Store(error) => error.into(),
            OpError::NoOriginals { .. } => Trouble::LeftOut,
            other => Trouble::Op(other),
        }
    }
}

/// What a body says, beyond its bytes.
pub(super) struct Body {
    /// What it costs a model.
    pub(super) tokens: u64,
    /// The calls and results in it.
    pub(super) ids: ToolIds,
}

/// Reads objects.
pub(super) struct Objects<'r> {
    pub(super) repo: &'r Repo,
    pub(super) checked: Checked,
    proven: HashSet<ObjectId>,
    bodies: HashMap<(ObjectId, BodyKind, Role, Encoding), Rc<Body>>,
    /// Kinds of objects that were asked for; `None` for those that are not here.
    kinds: HashMap<ObjectId, Option<ObjectKind>>,
}

impl<'r> Objects<'r> {
    pub(super) fn new(repo: &'r Repo) -> Self {
        Objects {
            repo,
            checked: Checked::default(),
            proven: HashSet::new(),
            bodies: HashMap::new(),
            kinds: HashMap::new(),
        }
    }

    /// Reads an object; its id is computed anew the first time.
    pub(super) fn read(&mut self, id: &ObjectId, kind: ObjectKind) -> Result<Vec<u8>, Trouble> {
        if self.proven.contains(id) {
            return Ok(match kind {
                ObjectKind::Tree => self.repo.read_tree_bytes(id)?,
                ObjectKind::Blob => self.repo.read_blob(id)?,
                kind => self.repo.read_proven(id, kind)?,
            });
        }
        let bytes = self.repo.read_proven(id, kind)?;
        self.proven.insert(*id);
        match kind {
            ObjectKind::Commit => self.checked.commits += 1,
            ObjectKind::Tree => self.checked.trees += 1,
            _ => self.checked.blobs += 1,
        }
        Ok(bytes)
    }

    /// Reads a commit of a context, and the bytes of it.
    pub(super) fn commit(&mut self, id: &ObjectId) -> Result<(Commit, Vec<u8>), Trouble> {
        let bytes = self.read(id, ObjectKind::Commit)?;
        Ok((self.repo.parse_commit(id, &bytes)?, bytes))
    }

    pub(super) fn root(&mut self, tree: &ObjectId) -> Result<Root, Trouble> {
        let bytes = self.read(tree, ObjectKind::Tree)?;
        strict_root(&bytes, tree.kind()).map_err(|error| self.wrong(*tree, error))
    }

    pub(super) fn manifest(&mut self, id: &ObjectId) -> Result<Manifest, Trouble> {
        let bytes = self.read(id, ObjectKind::Blob)?;
        Manifest::decode(&bytes).map_err(|error| self.wrong(*id, error))
    }

    pub(super) fn meta(&mut self, id: &ObjectId) -> Result<Meta, Trouble> {
        let bytes = self.read(id, ObjectKind::Blob)?;
        Meta::decode(&bytes).map_err(|error| self.wrong(*id, error))
    }

    /// Reads a body, counts it, and finds the calls in it.
    pub(super) fn body(&mut self, entry: &Entry, encoding: Encoding) -> Result<Rc<Body>, Trouble> {
        let key = (entry.body, entry.kind.clone(), entry.role.clone(), encoding);
        if let Some(body) = self.bodies.get(&key) {
            return Ok(Rc::clone(body));
        }
        let bytes = self.read(&entry.body, ObjectKind::Blob)?;
        let may_call = entry.role.is_sent() && entry.kind == BodyKind::Json;
        let ids = if may_call { tool_ids(&bytes) } else { ToolIds::default() };
        let body = Rc::new(Body { tokens: count_entry(encoding, &entry.role, &entry.kind, &bytes), ids });
        self.bodies.insert(key, Rc::clone(&body));
        Ok(body)
    }

    /// Returns the kind of an object, if it is here.
    pub(super) fn kind(&mut self, id: &ObjectId) -> Result<Option<ObjectKind>, Trouble> {
        if let Some(known) = self.kinds.get(id) {
            return Ok(*known);
        }
        let kind = match self.repo.header(id) {
            Ok((kind, _)) => Some(kind),
            Err(StoreError::Missing { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        self.kinds.insert(*id, kind);
        Ok(kind)
    }
}

impl ReadTrees for Objects<'_> {
    type Error = Trouble;

    fn folder(&mut self, id: &ObjectId, digits: usize) -> Result<Vec<(u32, ObjectId)>, Trouble> {
        let bytes = self.read(id, ObjectKind::Tree)?;
        strict_folder(&bytes, id.kind(), digits).map_err(|error| self.wrong(*id, error))
    }

    fn chunk(&mut self, id: &ObjectId) -> Result<Vec<Entry>, Trouble> {
        let bytes = self.read(id, ObjectKind::Tree)?;
        strict_chunk(&bytes, id.kind()).map_err(|error| self.wrong(*id, error))
    }

    fn wrong(&self, object: ObjectId, error: CodecError) -> Trouble {
        Trouble::Found(Finding::Object { id: object, reason: error.to_string() })
    }
}
