//! The manifest of a marketplace, as far as workflows and plugins share it.

use serde_json::{Map, Value};

use super::fault::{below, not_a};
use super::json::{DOCUMENT_MAX, JsonError, read};
use super::{Fault, Files, FilesError, Name, Node, Version};

/// Where the manifest of workflows is; the first that is there counts, whatever it says.
pub const WORKFLOW_MANIFESTS: [&str; 2] = [".athena-workflow/marketplace.json", ".claude-plugin/marketplace.json"];
/// Where the manifest of plugins is; the first that is there counts, whatever it says.
pub const PLUGIN_MANIFESTS: [&str; 2] = [".agents/plugins/marketplace.json", ".claude-plugin/marketplace.json"];
/// Most workflows, and most plugins, that are read of one marketplace.
const ENTRIES_MAX: usize = 20_000;
/// Most names that are renamed.
const RENAMES_MAX: usize = 1000;
/// Longest description, in characters; the rest is left out.
const TEXT_MAX: usize = 4096;

/// Says why a marketplace cannot be read as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// There is no manifest.
    #[error("there is no '{path}'")]
    Missing {
        /// Where it was looked for last.
        path: String,
    },
    /// The manifest is a folder.
    #[error("'{path}' is a folder")]
    Folder {
        /// Where.
        path: String,
    },
    /// The manifest is, or lies behind, a symbolic link.
    #[error("'{path}' is not read: '{at}' is a symbolic link")]
    Link {
        /// The manifest.
        path: String,
        /// The link.
        at: String,
    },
    /// The manifest lies in another repository.
    #[error("'{path}' is not read: '{at}' is a submodule")]
    Submodule {
        /// The manifest.
        path: String,
        /// Where that begins.
        at: String,
    },
    /// The manifest is no JSON, or too large.
    #[error("'{path}' {reason}")]
    Json {
        /// The manifest.
        path: String,
        /// What is wrong.
        reason: JsonError,
    },
    /// The manifest is JSON, and no manifest.
    #[error("'{path}': {fault}")]
    Invalid {
        /// The manifest.
        path: String,
        /// What is wrong, and where.
        fault: Fault,
    },
    /// The files cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// Holds what every manifest says of its marketplace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// What it calls itself.
    pub name: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// Its own version.
    pub version: Option<Version>,
    /// Names that are others by now; `None` for what is there no more.
    pub renames: Vec<(Name, Option<Name>)>,
}

impl About {
    /// Follows the renames of a name; `None` if it is there no more, or leads nowhere.
    pub fn renamed(&self, name: &Name) -> Option<Option<&Name>> {
        let next = |name: &Name| self.renames.iter().find(|(old, _)| old == name).map(|(_, new)| new.as_ref());
        let mut now = next(name)?;
        for _ in 0..self.renames.len() {
            match now.and_then(next) {
                Some(further) => now = further,
                None => return Some(now),
            }
        }
        Some(None)
    }
}

/// Is a manifest that was found and is JSON.
pub(super) struct Manifest {
    pub(super) path: String,
    pub(super) faults: Vec<Fault>,
    root: Map<String, Value>,
}

impl Manifest {
    /// Finds the manifest and reads it.
    pub(super) fn find(files: &dyn Files, places: [&str; 2]) -> Result<Self, ManifestError> {
        let [preferred, other] = places;
        let path = if files.look(preferred)?.is_some() { preferred } else { other }.to_owned();
        match files.look(&path)? {
            None => return Err(ManifestError::Missing { path }),
            Some(Node::Folder { .. }) => return Err(ManifestError::Folder { path }),
            Some(Node::Link { at }) => return Err(ManifestError::Link { path, at }),
            Some(Node::Submodule { at }) => return Err(ManifestError::Submodule { path, at }),
            Some(Node::File { .. }) => {}
        }
        let bytes = match files.read(&path, DOCUMENT_MAX) {
            Err(FilesError::TooLarge { size, .. }) => {
                return Err(ManifestError::Json { path, reason: JsonError::TooLarge { size } });
            }
            bytes => bytes?,
        };
        match read(&bytes) {
            Err(reason) => Err(ManifestError::Json { path, reason }),
            Ok((Value::Object(root), faults)) => Ok(Manifest { path, faults, root }),
            Ok((other, _)) => Err(ManifestError::Invalid { path, fault: Fault::error("", not_a("an object", &other)) }),
        }
    }

    /// Takes a list of entries out of the manifest; what is not there, or `null`, is empty.
    pub(super) fn take_entries(&mut self, name: &str) -> Result<Vec<Value>, ManifestError> {
        let path = self.path.clone();
        let invalid = |text: String| ManifestError::Invalid { path, fault: Fault::error(below("", name), text) };
        match self.root.remove(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(entries)) if entries.len() > ENTRIES_MAX => {
                Err(invalid(format!("has {} entries, more than {ENTRIES_MAX}", entries.len())))
            }
            Some(Value::Array(entries)) => Ok(entries),
            Some(other) => Err(invalid(not_a("an array", &other))),
        }
    }

    /// Returns what the manifest says of itself.
    pub(super) fn about(&mut self) -> About {
        let faults = &mut self.faults;
        let metadata = match self.root.get("metadata") {
            Some(Value::Object(metadata)) => Some(metadata),
            None | Some(Value::Null) => None,
            Some(other) => {
                faults.push(Fault::warning("/metadata", not_a("an object", other)));
                None
            }
        };
        let mut either = |name: &str| {
            let outer = text(&self.root, "", name, faults);
            outer.or_else(|| text(metadata?, "/metadata", name, faults))
        };
        let (name, description) = (either("name"), either("description"));
        let version = either("version").and_then(|version| Version::parse(&version).ok());
        About { name, description, version, renames: renames(self.root.get("renames"), faults) }
    }

    /// Returns the folder that bare sources are relative to (`metadata.workflowRoot`, `metadata.pluginRoot`).
    pub(super) fn root_folder(&mut self, name: &str) -> Option<String> {
        let metadata = self.root.get("metadata")?.as_object()?;
        text(metadata, "/metadata", name, &mut self.faults).filter(|root| !root.is_empty())
    }
}

/// Returns a member that is a text; anything else is told and left out.
pub(super) fn text(object: &Map<String, Value>, at: &str, name: &str, faults: &mut Vec<Fault>) -> Option<String> {
    match object.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.chars().take(TEXT_MAX).collect()),
        Some(other) => {
            faults.push(Fault::warning(below(at, name), not_a("a string", other)));
            None
        }
    }
}

/// Returns the name of an entry; without one it is told and left out.
pub(super) fn entry_name(entry: &Map<String, Value>, at: &str, faults: &mut Vec<Fault>) -> Option<Name> {
    let fault = match entry.get("name") {
        Some(Value::String(name)) => match name.parse() {
            Ok(name) => return Some(name),
            Err(_) => Fault::error(below(at, "name"), format!("cannot be a name: '{}'", shortened(name))),
        },
        Some(other) => Fault::error(below(at, "name"), not_a("a string", other)),
        None => Fault::error(at, "has no name"),
    };
    faults.push(fault);
    None
}

/// Returns the version of an entry; one that is none is told and left out.
pub(super) fn entry_version(entry: &Map<String, Value>, at: &str, faults: &mut Vec<Fault>) -> Option<Version> {
    let version = text(entry, at, "version", faults)?;
    let read = Version::parse(&version);
    if read.is_err() {
        let told = format!("cannot be a version: '{}'", shortened(&version));
        faults.push(Fault::warning(below(at, "version"), told));
    }
    read.ok()
}

/// Returns the beginning of a text that is too long to be told.
pub(super) fn shortened(text: &str) -> String {
    const MAX: usize = 100;
    let mut short: String = text.chars().take(MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn renames(value: Option<&Value>, faults: &mut Vec<Fault>) -> Vec<(Name, Option<Name>)> {
    let object = match value {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Object(object)) => object,
        Some(other) => {
            faults.push(Fault::warning("/renames", not_a("an object", other)));
            return Vec::new();
        }
    };
    let mut renames = Vec::new();
    for (old, new) in object.iter().take(RENAMES_MAX) {
        let new_name = match new {
            Value::Null => Some(None),
            Value::String(new) => new.parse().ok().map(Some),
            _ => None,
        };
        match (old.parse(), new_name) {
            (Ok(old), Some(new)) => renames.push((old, new)),
            _ => faults.push(Fault::warning(below("/renames", old), "is not a name and its new name, or null")),
        }
    }
    renames
}
