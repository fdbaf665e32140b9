//! Workflows and plugins: how they are named, what marketplaces offer, what their manifests say, which one is meant.
//!
//! Everything here is pure. What a marketplace holds is seen through [`Files`]: git objects, never a checkout.

mod fault;
mod files;
mod git_url;
mod host;
mod inner_path;
mod lock;
mod looping;
mod name;
mod reference;
mod requirement;
mod revision;
mod source;
mod version;

pub use fault::{Fault, Severity};
pub use files::{Files, FilesError, Node};
pub use git_url::{GitUrl, GitUrlError};
pub use host::Host;
pub use inner_path::PathError;
pub use lock::{Lock, LockError, Locked};
pub use looping::Loop;
pub use name::{Name, NameError, near_names};
pub use reference::{Named, Reference, ReferenceError};
pub use requirement::{Requirement, RequirementError};
pub use revision::{Revision, RevisionError};
pub use source::{Location, Look, PathKind, Source, SourceError};
pub use version::{TagVersion, Version, VersionError};
