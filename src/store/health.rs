//! What can be seen of a repository's health without reading its history.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Repo, StoreError, git};

/// The folder of loose objects that git counts to guess how many there are: the first two digits of their ids.
const SAMPLE: &str = "17";

/// Age from which on a lock file counts as left behind: git's own are held for moments.
const STALE: Duration = Duration::from_secs(60);

/// Says how many loose objects there are, as git guesses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LooseObjects {
    /// How many.
    pub count: u64,
    /// From how many on git collects garbage by itself; 0 is never.
    pub limit: u64,
}

impl Repo {
    /// Returns the version of the git that is found on the search path, and of the `git trace` that it would run.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn git_version(&self) -> Result<String, StoreError> {
        let said = git::run(self, "version", &[], None)?;
        Ok(String::from_utf8_lossy(&said).trim().trim_start_matches("git version ").to_owned())
    }

    /// Returns what the `git trace` says that git finds; `None` if it finds none.
    pub fn installed_version(&self) -> Option<String> {
        let said = git::run(self, "trace", &["--version"], None).ok()?;
        Some(String::from_utf8_lossy(&said).trim().trim_start_matches("git-trace ").to_owned())
    }

    /// Guesses the number of loose objects, of everybody's.
    ///
    /// # Errors
    /// When `gc.auto` is no number.
    pub fn loose_objects(&self) -> Result<LooseObjects, StoreError> {
        let limit = self.config_number("gc.auto").unwrap_or(None).unwrap_or(6700);
        let inside = fs::read_dir(self.objects_dir.join(SAMPLE)).into_iter().flatten().count() as u64;
        Ok(LooseObjects { count: inside * 256, limit })
    }

    /// Lists lock files of our refs that nobody can be holding any more. (Those in our own folder are the kernel's: they
    /// stay, and block nobody.)
    pub fn stale_locks(&self) -> Vec<PathBuf> {
        let roots = [self.common_dir.join(&self.settings.ref_prefix), self.private_dir.join("refs/worktree/trace")];
        let mut found: Vec<PathBuf> = roots
            .iter()
            .flat_map(|root| walkdir::WalkDir::new(root).max_depth(6).into_iter().filter_map(Result::ok))
            .filter(|file| file.file_type().is_file() && file.file_name().to_string_lossy().ends_with(".lock"))
            .filter(|file| {
                let changed = file.metadata().ok().and_then(|data| data.modified().ok());
                let age = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
                age.is_some_and(|age| age > STALE)
            })
            .map(walkdir::DirEntry::into_path)
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// Removes lock files that were left behind, while no other git trace writes. Returns those that are gone.
    ///
    /// # Errors
    /// When another process is writing.
    pub fn remove_stale_locks(&self) -> Result<Vec<PathBuf>, StoreError> {
        let _guard = self.lock()?;
        Ok(self.stale_locks().into_iter().filter(|path| fs::remove_file(path).is_ok()).collect())
    }
}
