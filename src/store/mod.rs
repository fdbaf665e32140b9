//! The repository: objects, refs, locks, durability. The only room that names gix.
//!
//! **Guarantees**
//! 1. Nothing outside `refs/trace`, `refs/worktree/trace`, the object store and our own folder is written.
//! 2. Objects are stored before a ref names them; a ref moves only from the value that was expected.
//! 3. A durable change that was acknowledged survives a power cut.
//! 4. A killed process blocks nobody.
//! 5. Repositories that we could hurt are refused before anything is written.

mod ancestry;
mod batch;
mod branches;
mod bundle;
mod clock;
mod code;
mod code_git;
mod command_line;
mod configured;
mod create;
mod credential;
mod draft;
mod error;
mod file_id;
mod file_lock;
mod folder;
mod foreign;
mod git;
mod group;
mod head;
mod header;
mod health;
mod history;
mod intake;
mod lock;
mod logged;
mod loose;
mod loose_reader;
mod meta;
mod mirror;
mod negotiation;
mod object;
mod open;
mod pack;
mod place;
mod purge;
mod reach;
mod receive;
mod ref_file;
mod reflog;
mod refs;
mod reftable;
mod remote;
mod revision;
mod rewrite;
mod send;
mod settings;
mod sign;
mod signature;
mod sink;
mod snapshot;
mod staging;
mod state_file;
mod suffix;
mod tidy;
mod tombstone;
mod transaction;
mod unpacked;
mod work_tree;
mod worktrees;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

pub use batch::{Batch, Size, Start};
pub use branches::Placement;
pub use clock::parse_date;
pub use code::{CodeChanges, CodeCommit, CodeFile, CodeLimits, lines_between};
pub use code_git::BlamedLine;
pub use draft::{CommitRequest, Context};
pub use error::StoreError;
pub use file_lock::{take_lock, wait_for_lock};
pub use folder::HashedFolder;
pub use foreign::{ForeignKind, ForeignRow, TreeFile, TreeLimits};
pub use git::{Connection, PUSHING};
pub use group::{Pending, REQUESTS_MAX, Ticket};
pub use head::{HEAD, Head, ORIG_HEAD};
pub use header::ObjectKind;
pub use health::LooseObjects;
pub use history::{History, Walk};
pub use intake::{Intake, RefAdvance};
pub use meta::{META_FILE_MAX, MetaEdits, MetaPath, Patience};
pub use mirror::{Asked, Mirror, MirrorPlace, Mirrored, Needed, Refreshed};
pub use object::BODY_MAX;
pub use pack::Durability;
pub use purge::{Purge, Purged};
pub use reach::Reached;
pub use receive::{Arrival, Arrivals, Wanted};
pub use refs::RefValue;
pub use remote::{FORGOTTEN, HEADS, Kind, META, Remote, RemoteMode, TAGS, check_url, is_remote_name};
pub use rewrite::{RawCommit, RawRow, Rewrite};
pub use send::{Lease, Send, SendOutcome, Sent};
pub use settings::Settings;
pub use sign::SignPolicy;
pub use signature::{SignatureState, signature_headers};
pub use snapshot::{TreeChange, Untracked, WorkTreeState};
pub use transaction::RefMove;
pub use unpacked::Unpacked;
pub use work_tree::{HooksPath, Scope, Scope as ConfigScope};
pub use worktrees::{StoppedIn, WorktreeHead};

use crate::model::{HashKind, ObjectId};

/// Tells whether a name matches a shell pattern, in which `*` matches `/` too, as in git's lists of branches.
pub fn matches_glob(pattern: &str, name: &str) -> bool {
    gix::glob::wildmatch(pattern.into(), name.into(), gix::glob::wildmatch::Mode::empty())
}

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
    /// Whether a commit that nobody waits for could not be signed.
    cannot_sign: std::cell::Cell<bool>,
    loose: RefCell<loose_reader::LooseReader>,
    /// Commits whose parents a shallow clone left out.
    shallow: HashSet<ObjectId>,
    /// The context that was written last, so that the next append need not read it.
    tip: RefCell<Option<draft::Draft>>,
    /// Where remotes are, by name, as git said last.
    places: RefCell<HashMap<String, place::Places>>,
    /// The objects as listed anew after one was not found in the first list.
    relisted: RefCell<Option<gix::odb::Handle>>,
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

    /// Reads all values of a variable of git's configuration, in the order in which git reads its files.
    pub fn config_all(&self, key: &str) -> Vec<String> {
        let found = self.git.config_snapshot().plumbing().strings(key);
        found.into_iter().flatten().map(|value| value.to_string()).collect()
    }

    /// Reads a variable of git's configuration as a number that is not negative; `2k` is 2,048, as in git.
    ///
    /// # Errors
    /// [`StoreError::Config`] when it is no such number.
    pub fn config_number(&self, key: &str) -> Result<Option<u64>, StoreError> {
        settings::number(&self.git.config_snapshot(), key)
    }
}
