//! A plugin that a marketplace offers, and where it comes from.

use serde_json::{Map, Value};

use super::entry::{EntryError, found};
use super::fault::{below, not_a};
use super::inner_path::join;
use super::manifest::{entry_name, entry_version, shortened, text};
use super::{Fault, Files, GitUrl, Location, Name, Node, Revision, Source, Version};
use crate::model::ObjectId;

/// Is what a manifest says of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginEntry {
    /// Its name in this marketplace.
    pub name: Name,
    /// Its version, if the manifest says one.
    pub version: Option<Version>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether the plugin's own `plugin.json` says what it is, and the entry only adds to that; otherwise the entry
    /// says all, and there may be none.
    pub strict: bool,
    /// Where it comes from.
    pub source: Result<PluginSource, EntryError>,
    /// Where it stands in the manifest, as a JSON pointer.
    pub pointer: String,
}

/// Says where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PluginSource {
    /// From the marketplace itself.
    Inside {
        /// The folder; `""` is the root of the marketplace.
        folder: String,
    },
    /// From another repository.
    Git {
        /// The repository, its state and the folder in it. Where the manifest names a branch or tag *and* a commit,
        /// the commit is the state.
        source: Source,
        /// The branch or tag that it names beside the commit, which may be there no more.
        branch: Option<Revision>,
    },
}

impl PluginEntry {
    /// Reads an entry; `None` if it has no name. `root` is `metadata.pluginRoot`.
    pub(super) fn read(value: &Value, pointer: &str, root: Option<&str>, faults: &mut Vec<Fault>) -> Option<Self> {
        let Value::Object(entry) = value else {
            faults.push(Fault::error(pointer, not_a("an object", value)));
            return None;
        };
        let name = entry_name(entry, pointer, faults)?;
        let strict = match entry.get("strict") {
            None | Some(Value::Null) => true,
            Some(Value::Bool(strict)) => *strict,
            Some(other) => {
                faults.push(Fault::warning(below(pointer, "strict"), not_a("true or false", other)));
                true
            }
        };
        let source = source_of(entry.get("source"), root);
        if let Err(error) = &source {
            faults.push(Fault::error(pointer, format!("'{name}' {error}")));
        }
        Some(PluginEntry {
            version: entry_version(entry, pointer, faults),
            description: text(entry, pointer, "description", faults),
            name,
            strict,
            source,
            pointer: pointer.to_owned(),
        })
    }
}

/// Finds a plugin's folder in a marketplace or in its own repository.
///
/// # Errors
/// When it is not there, is no folder, or lies behind a link or in a submodule.
pub fn locate_plugin(files: &dyn Files, folder: &str) -> Result<ObjectId, EntryError> {
    match found(files, folder)? {
        Node::Folder { id } => Ok(id),
        _ => Err(EntryError::Missing { path: format!("{folder}/") }),
    }
}

fn source_of(source: Option<&Value>, root: Option<&str>) -> Result<PluginSource, EntryError> {
    match source {
        Some(Value::String(path)) => inside(path, root),
        Some(Value::Object(source)) => remote(source, root),
        Some(other) => Err(EntryError::Source { reason: not_a("a string or an object", other) }),
        None => Err(EntryError::Source { reason: "is missing".to_owned() }),
    }
}

/// Reads a path within the marketplace; bare names are in the folder that the manifest names for them.
fn inside(path: &str, root: Option<&str>) -> Result<PluginSource, EntryError> {
    let relative = matches!(path, "." | "..") || path.starts_with("./") || path.starts_with("../");
    let base = match root {
        _ if relative || path.starts_with('/') => "",
        Some(root) => root,
        None => {
            let reason = format!("has to begin with './': '{}'", shortened(path));
            return Err(EntryError::Source { reason });
        }
    };
    let outside = |reason| EntryError::Outside { path: shortened(path), reason };
    Ok(PluginSource::Inside { folder: join(base, path).map_err(outside)? })
}

fn remote(source: &Map<String, Value>, root: Option<&str>) -> Result<PluginSource, EntryError> {
    let member = |name: &str| match source.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(EntryError::Source { reason: format!("has a '{name}' that {}", not_a("a string", other)) }),
    };
    let needed = |name: &str| member(name)?.ok_or_else(|| EntryError::Source { reason: format!("has no '{name}'") });
    let kind = needed("source")?;
    let location = match kind {
        "local" => return inside(needed("path")?, root),
        "github" => repository(needed("repo")?)?,
        "url" | "git-subdir" => match needed("url")? {
            url if url.contains(':') => Location::Url(url.parse::<GitUrl>().map_err(odd)?),
            short => repository(short)?,
        },
        "npm" | "archive" | "command" => return Err(EntryError::RemoteType { kind: kind.to_owned() }),
        other => return Err(EntryError::RemoteType { kind: format!("'{}'", shortened(other)) }),
    };
    let path = if kind == "git-subdir" { needed("path")? } else { member("path")?.unwrap_or_default() };
    let outside = |reason| EntryError::Outside { path: shortened(path), reason };
    let folder = join("", path).map_err(outside)?;
    let branch = member("ref")?.filter(|name| !name.is_empty()).map(str::parse::<Revision>).transpose().map_err(odd)?;
    let commit = member("sha")?.map(commit).transpose()?;
    let (revision, branch) = match commit {
        Some(commit) => (Some(commit.into()), branch),
        None => (branch, None),
    };
    Ok(PluginSource::Git { source: Source { location, revision, folder }, branch })
}

fn repository(text: &str) -> Result<Location, EntryError> {
    let refused = || EntryError::Source { reason: format!("names no repository: '{}'", shortened(text)) };
    let (owner, repo) = text.split_once('/').ok_or_else(refused)?;
    let repo = repo.trim_end_matches(".git");
    let name = |text: &str| text.parse::<Name>().map_err(|_| refused());
    Ok(Location::Hosted { owner: name(owner)?, repo: name(repo)? })
}

fn commit(text: &str) -> Result<ObjectId, EntryError> {
    text.parse().map_err(|_| EntryError::Source { reason: format!("names no commit: '{}'", shortened(text)) })
}

fn odd(error: impl std::fmt::Display) -> EntryError {
    EntryError::Source { reason: format!("is refused: {error}") }
}
