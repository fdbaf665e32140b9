//! A workflow that a marketplace offers, and where it lies.

use serde_json::Value;

use super::fault::not_a;
use super::inner_path::{PathError, join, split};
use super::manifest::{entry_name, entry_version, shortened, text};
use super::{Fault, Files, FilesError, Name, Node, Version};
use crate::model::ObjectId;

/// What a workflow's file is called in its folder.
pub const DEFINITION: &str = "workflow.json";
/// The folder that workflows were in once.
const OLD_FOLDER: &str = ".workflows/";
/// The folder that they are in now.
const FOLDER: &str = "workflows/";

/// Is what a manifest says of one workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowEntry {
    /// Its name in this marketplace.
    pub name: Name,
    /// Its version, if the manifest says one.
    pub version: Option<Version>,
    /// What it is for.
    pub description: Option<String>,
    /// Where it lies: a path within the marketplace that was not looked at yet.
    pub path: Result<String, EntryError>,
    /// Where it stands in the manifest, as a JSON pointer.
    pub pointer: String,
}

/// Says why an entry of a manifest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// It comes from somewhere in a way that is not supported.
    #[error("comes from {kind}, which is not supported")]
    RemoteType {
        /// What the manifest calls it.
        kind: String,
    },
    /// It does not say where it comes from.
    #[error("its source {reason}")]
    Source {
        /// What is wrong with what it says.
        reason: String,
    },
    /// It is there twice, in the same version, and what is there differs.
    #[error("its manifest has two that differ, at {}", pointers.join(" and "))]
    Twice {
        /// Where they stand in the manifest, as JSON pointers.
        pointers: Vec<String>,
    },
    /// It leads out of its marketplace.
    #[error("its source '{path}' {reason}")]
    Outside {
        /// What the manifest says.
        path: String,
        /// In which way.
        reason: PathError,
    },
    /// Nothing lies there.
    #[error("there is no '{path}'")]
    Missing {
        /// The path within the marketplace.
        path: String,
    },
    /// It is a folder without a workflow.
    #[error("there is no '{DEFINITION}' in '{folder}'")]
    NoDefinition {
        /// The folder within the marketplace.
        folder: String,
    },
    /// It is, or lies behind, a symbolic link.
    #[error("'{at}' is a symbolic link, which is not followed")]
    Link {
        /// Where the link lies.
        at: String,
    },
    /// It lies in another repository.
    #[error("'{at}' is a submodule, which is not entered")]
    Submodule {
        /// Where that begins.
        at: String,
    },
    /// The files cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// Says where a workflow or a plugin lies within a marketplace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The folder; `""` is the root of the marketplace.
    pub folder: String,
    /// The tree of the folder: the whole of it is the workflow.
    pub tree: ObjectId,
    /// The workflow's file in the folder.
    pub file: String,
    /// The blob of that file.
    pub blob: ObjectId,
}

impl Place {
    /// Returns the path of the workflow's file within the marketplace.
    pub fn path(&self) -> String {
        if self.folder.is_empty() { self.file.clone() } else { format!("{}/{}", self.folder, self.file) }
    }
}

impl WorkflowEntry {
    /// Reads an entry; `None` if it has no name. `root` is `metadata.workflowRoot`.
    pub(super) fn read(value: &Value, pointer: &str, root: Option<&str>, faults: &mut Vec<Fault>) -> Option<Self> {
        let Value::Object(entry) = value else {
            faults.push(Fault::error(pointer, not_a("an object", value)));
            return None;
        };
        let name = entry_name(entry, pointer, faults)?;
        let path = path_of(entry.get("source"), root);
        if let Err(error) = &path {
            faults.push(Fault::error(pointer, format!("'{name}' {error}")));
        }
        Some(WorkflowEntry {
            version: entry_version(entry, pointer, faults),
            description: text(entry, pointer, "description", faults),
            name,
            path,
            pointer: pointer.to_owned(),
        })
    }

    /// Finds the workflow's file and folder.
    ///
    /// # Errors
    /// When it is not there, or cannot be used.
    pub fn locate(&self, files: &dyn Files) -> Result<Place, EntryError> {
        let path = self.path.clone()?;
        let newer = path.strip_prefix(OLD_FOLDER).map(|rest| format!("{FOLDER}{rest}"));
        if let Some(newer) = newer
            && matches!(files.look(&newer)?, Some(Node::File { .. } | Node::Folder { .. }))
        {
            return locate(files, &newer);
        }
        locate(files, &path)
    }
}

/// Finds a workflow by the path of its file, or of the folder that its `workflow.json` is in.
///
/// # Errors
/// When it is not there, or lies behind a link or in a submodule.
pub fn locate(files: &dyn Files, path: &str) -> Result<Place, EntryError> {
    match found(files, path)? {
        Node::File { id, .. } => {
            let (folder, file) = split(path);
            match found(files, folder)? {
                Node::Folder { id: tree } => {
                    Ok(Place { folder: folder.to_owned(), tree, file: file.to_owned(), blob: id })
                }
                _ => Err(EntryError::Missing { path: folder.to_owned() }),
            }
        }
        _ => {
            let inner = if path.is_empty() { DEFINITION.to_owned() } else { format!("{path}/{DEFINITION}") };
            match files.look(&inner)? {
                Some(Node::File { .. } | Node::Link { .. } | Node::Submodule { .. }) => locate(files, &inner),
                None | Some(Node::Folder { .. }) => Err(EntryError::NoDefinition { folder: path.to_owned() }),
            }
        }
    }
}

/// Returns the file or folder at a path.
pub(super) fn found(files: &dyn Files, path: &str) -> Result<Node, EntryError> {
    match files.look(path)? {
        None => Err(EntryError::Missing { path: path.to_owned() }),
        Some(Node::Link { at }) => Err(EntryError::Link { at }),
        Some(Node::Submodule { at }) => Err(EntryError::Submodule { at }),
        Some(node) => Ok(node),
    }
}

/// Applies the rules of a source: what begins with `./` or `../` is relative to the marketplace, all else to the
/// folder that the manifest names for it.
fn path_of(source: Option<&Value>, root: Option<&str>) -> Result<String, EntryError> {
    let path = match source {
        Some(Value::String(path)) => path,
        Some(Value::Object(source)) => {
            let kind = source.get("source").and_then(Value::as_str).unwrap_or("an unknown kind of source");
            return Err(EntryError::RemoteType { kind: shortened(kind) });
        }
        Some(other) => return Err(EntryError::Source { reason: not_a("a string", other) }),
        None => return Err(EntryError::Source { reason: "is missing".to_owned() }),
    };
    let base = if path.starts_with("./") || path.starts_with("../") { None } else { root };
    let outside = |reason| EntryError::Outside { path: shortened(path), reason };
    join(base.unwrap_or_default(), path).map_err(outside)
}
