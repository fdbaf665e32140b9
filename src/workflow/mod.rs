//! Workflows and plugins: how they are named, what marketplaces offer, what their manifests say, which one is meant.
//!
//! Everything here is pure. What a marketplace holds is seen through [`Files`]: git objects, never a checkout.

mod catalog;
mod choose;
mod definition;
mod entry;
mod fault;
mod files;
mod git_url;
mod host;
mod inner_path;
mod json;
mod lock;
mod looping;
mod manifest;
mod market;
mod mcp;
mod members;
mod name;
mod older;
mod plugin;
mod reference;
mod requirement;
mod resolve_error;
mod revision;
mod rooted;
mod source;
mod version;

pub use catalog::{Catalog, PluginCatalog};
pub use choose::{Choice, Precedence, choose};
pub use definition::{Definition, DefinitionError, Effort, Isolation};
pub use entry::{DEFINITION, EntryError, Place, WorkflowEntry, locate};
pub use fault::{Fault, Severity};
pub use files::{Files, FilesError, Node};
pub use git_url::{GitUrl, GitUrlError};
pub use host::Host;
pub use inner_path::PathError;
pub use json::{DOCUMENT_MAX, JsonError};
pub use lock::{Lock, LockError, Locked};
pub use looping::Loop;
pub use manifest::{About, ManifestError, PLUGIN_MANIFESTS, WORKFLOW_MANIFESTS};
pub use market::{Market, Searched, SourceFault};
pub use mcp::{MCP_FILE, McpCollision, McpOption, McpServers};
pub use name::{Name, NameError, near_names};
pub use plugin::{PluginEntry, PluginSource, locate_plugin};
pub use reference::{Named, Reference, ReferenceError};
pub use requirement::{Requirement, RequirementError};
pub use resolve_error::{Candidate, Failed, Found, NotFound, ResolveError};
pub use revision::{Revision, RevisionError};
pub use rooted::{Rooted, marketplace_root};
pub use source::{Location, Look, PathKind, Source, SourceError};
pub use version::{TagVersion, Version, VersionError};

#[cfg(test)]
mod tests;
