//! The repository: objects, refs, locks, durability. The only room that names gix.
//!
//! **Guarantees**
//! 1. Nothing outside `refs/trace`, `refs/worktree/trace`, the object store and our own folder is written.
//! 2. Objects are stored before a ref names them; a ref moves only from the value that was expected.
//! 3. A durable change that was acknowledged survives a power cut.
//! 4. A killed process blocks nobody.
//! 5. Repositories that we could hurt are refused before anything is written.

mod batch;
mod clock;
mod draft;
mod error;
mod git;
mod head;
mod history;
mod lock;
mod loose;
mod loose_reader;
mod object;
mod open;
mod pack;
mod ref_file;
mod refs;
mod reftable;
mod revision;
mod settings;
mod sink;
mod tidy;

use std::cell::RefCell;
use std::path::PathBuf;

pub use batch::{Batch, Size, Start};
pub use draft::{CommitRequest, Context};
pub use error::StoreError;
pub use head::{HEAD, Head, ORIG_HEAD};
pub use history::History;
pub use object::BODY_MAX;
pub use pack::Durability;
pub use refs::RefValue;
pub use settings::Settings;

use crate::model::HashKind;

/// Holds an open repository.
pub struct Repo {
    git: gix::Repository,
    kind: HashKind,
    private_dir: PathBuf,
    common_dir: PathBuf,
    objects_dir: PathBuf,
    refs: refs::Backend,
    quarantine: bool,
    settings: Settings,
    loose: RefCell<loose_reader::LooseReader>,
    /// The same repository, opened later.
    fresh: RefCell<Option<gix::Repository>>,
    /// The context that was written last, so that the next append need not read it.
    tip: RefCell<Option<draft::Draft>>,
}

impl Repo {
    /// Returns what the user configured.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Reads a variable of git's configuration as text.
    pub fn config(&self, key: &str) -> Option<String> {
        self.git.config_snapshot().string(key).map(|value| value.to_string())
    }
}
