//! Opens a repository, and refuses the ones that we could hurt.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use gix::odb::store::init::Slots;
use gix::sec::trust::Mapping;

use super::object::from_gix;
use super::refs::Backend;
use super::settings::Settings;
use super::{BODY_MAX, Repo, StoreError, command_line};
use crate::model::{HashKind, ObjectId};

/// Extensions of the repository format that change nothing for us, or that are handled.
const KNOWN_EXTENSIONS: [&str; 9] = [
    "noop",
    "noop-v1",
    "objectformat",
    "partialclone",
    "preciousobjects",
    "refstorage",
    "relativeworktrees",
    "worktreeconfig",
    "compatobjectformat",
];

impl Repo {
    /// Finds the repository around `dir` as git does: `GIT_DIR` and its friends come first.
    ///
    /// # Errors
    /// When there is none, when it belongs to somebody else, or when it uses what this program does not know.
    pub fn discover(dir: &Path) -> Result<Self, StoreError> {
        Self::find_and_open(dir, true)
    }

    /// Opens the repository in this folder, whatever the environment says.
    ///
    /// # Errors
    /// As [`Repo::discover`].
    pub fn open_at(dir: &Path) -> Result<Self, StoreError> {
        Self::find_and_open(dir, false)
    }

    /// Opens the repository that is this folder, or whose work tree has its top here; no other folder is looked into, and
    /// nothing of the environment points elsewhere.
    ///
    /// # Errors
    /// As [`Repo::discover`].
    pub fn open_exactly(dir: &Path) -> Result<Self, StoreError> {
        let dir = std::path::absolute(dir).map_err(StoreError::io("find", dir))?;
        let opened = gix::ThreadSafeRepository::open_opts(&dir, strict(gix::open::Options::default()));
        Self::of(opened.map_err(|error| open_error(&dir, &error))?.to_thread_local())
    }

    fn find_and_open(dir: &Path, by_environment: bool) -> Result<Self, StoreError> {
        let mut trust: Mapping<gix::open::Options> = Mapping::default();
        trust.full = strict(trust.full);
        trust.reduced = strict(trust.reduced);
        let absolute = |path: &Path| std::path::absolute(path).map_err(StoreError::io("find", path));
        let dir = absolute(dir)?;
        // A ceiling that is not above us is none.
        let upwards = gix::discover::upwards::Options { match_ceiling_dir_or_error: false, ..Default::default() };
        let opened = match by_environment {
            true => gix::ThreadSafeRepository::discover_with_environment_overrides_opts(&dir, upwards, trust),
            false => gix::ThreadSafeRepository::discover_opts(&dir, upwards, trust),
        };
        let git = opened.map_err(|error| open_error(&dir, &error))?.to_thread_local();
        if is_at_ceiling(&dir, git.workdir().unwrap_or(git.git_dir())) {
            return Err(StoreError::NoRepository { path: dir });
        }
        check_objects(git.objects.store_ref().path())?;
        Self::of(git)
    }

    fn of(mut git: gix::Repository) -> Result<Self, StoreError> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(StoreError::io("find", path));
        // What a context held is what it holds: no `git replace` stands between.
        git.objects.ignore_replacements = true;
        check_format(&git)?;
        let kind = match git.object_hash() {
            gix::hash::Kind::Sha1 => HashKind::Sha1,
            gix::hash::Kind::Sha256 => HashKind::Sha256,
            other => return Err(unsupported("object format", &other.to_string())),
        };
        let reftable =
            git.config_snapshot().string("extensions.refStorage").is_some_and(|value| value.starts_with(b"reftable"));
        let settings = Settings::read(&git)?;
        Ok(Repo {
            kind,
            private_dir: absolute(git.git_dir())?,
            common_dir: absolute(git.common_dir())?,
            objects_dir: absolute(git.objects.store_ref().path())?,
            refs: if reftable { Backend::Reftable } else { Backend::Files },
            quarantine: std::env::var_os("GIT_QUARANTINE_PATH").is_some(),
            settings,
            cannot_sign: Default::default(),
            loose: Default::default(),
            shallow: shallow_commits(&git)?,
            tip: Default::default(),
            places: Default::default(),
            relisted: Default::default(),
            git,
        })
    }

    /// Returns the hash function of the repository.
    pub fn hash_kind(&self) -> HashKind {
        self.kind
    }

    /// Returns the git directory of this worktree.
    pub fn git_dir(&self) -> &Path {
        &self.private_dir
    }

    /// Returns the folder for our own files, shared by all worktrees; it need not exist.
    pub fn trace_dir(&self) -> PathBuf {
        self.common_dir.join("trace")
    }

    /// Returns the work tree, if the repository has one.
    pub fn work_dir(&self) -> Option<&Path> {
        self.git.workdir()
    }

    /// Returns the commit that the work tree is at, if any.
    pub fn code_commit(&self) -> Option<ObjectId> {
        let head = match self.refs {
            Backend::Files => self.git.head_id().ok()?.detach(),
            Backend::Reftable => {
                let answer =
                    super::git::run(self, "rev-parse", &["--verify", "--quiet", "HEAD^{commit}"], None).ok()?;
                gix::ObjectId::from_hex(answer.trim_ascii()).ok()?
            }
        };
        ObjectId::from_bytes(head.as_slice())
    }
}

/// Returns options under which nothing is opened that belongs to somebody else, and nothing grows without a limit.
fn strict(options: gix::open::Options) -> gix::open::Options {
    options
        .bail_if_untrusted(true)
        .cli_overrides(command_line::config())
        .config_overrides([format!("gitoxide.objects.allocLimit={BODY_MAX}")])
        // Room for the packs that come and go while a process lives; gix's own minimum is 32.
        .object_store_slots(Slots::AsNeededByDiskState { multiplier: 1.1, minimum: 256 })
}

/// Tells whether the search went up to a folder of `GIT_CEILING_DIRECTORIES`: git stops below it, gix there.
fn is_at_ceiling(dir: &Path, found: &Path) -> bool {
    let given = std::env::var_os("GIT_CEILING_DIRECTORIES").filter(|_| std::env::var_os("GIT_DIR").is_none());
    let Some(ceilings) = given else { return false };
    let (Ok(dir), Ok(found)) = (dir.canonicalize(), found.canonicalize()) else { return false };
    dir != found
        && std::env::split_paths(&ceilings).any(|ceiling| ceiling.canonicalize().is_ok_and(|path| path == found))
}

/// Refuses an object directory beside the repository's own, which gix does not know: what git would look for there
/// would be stored elsewhere. In a receive quarantine nothing is written anyway.
fn check_objects(own: &Path) -> Result<(), StoreError> {
    let given = std::env::var_os("GIT_OBJECT_DIRECTORY").filter(|_| std::env::var_os("GIT_QUARANTINE_PATH").is_none());
    match given.map(PathBuf::from) {
        Some(given) if given.canonicalize().ok() != own.canonicalize().ok() => {
            Err(unsupported("object directory (GIT_OBJECT_DIRECTORY)", &given.display().to_string()))
        }
        _ => Ok(()),
    }
}

/// Returns the commits whose parents a shallow clone left out.
fn shallow_commits(git: &gix::Repository) -> Result<HashSet<ObjectId>, StoreError> {
    let commits = git.shallow_commits().map_err(|error| StoreError::Open { reason: error_chain(&error).join(": ") })?;
    Ok(commits.iter().flat_map(|commits| commits.iter()).map(|id| from_gix(id)).collect())
}

fn check_format(git: &gix::Repository) -> Result<(), StoreError> {
    let config = git.config_snapshot();
    let version = config.integer("core.repositoryFormatVersion").unwrap_or(0);
    if !(0..=1).contains(&version) {
        return Err(unsupported("format version", &version.to_string()));
    }
    // git ignores unknown extensions in version 0, and dies on them in version 1; gix opens both.
    if version == 1 {
        for section in config.plumbing().sections_by_name("extensions").into_iter().flatten() {
            for name in section.body().value_names() {
                let name = name.to_string().to_ascii_lowercase();
                if !KNOWN_EXTENSIONS.contains(&name.as_str()) {
                    return Err(unsupported("extension", &name));
                }
            }
        }
    }
    match config.string("extensions.refStorage") {
        Some(storage) if !(storage.starts_with(b"files") || storage.starts_with(b"reftable")) => {
            Err(unsupported("ref storage", &storage.to_string()))
        }
        _ => Ok(()),
    }
}

fn unsupported(what: &'static str, value: &str) -> StoreError {
    StoreError::Unsupported { what, value: value.to_owned() }
}

fn open_error(dir: &Path, error: &gix::Error) -> StoreError {
    let text: Vec<String> = error_chain(error);
    let all = text.join(": ");
    let between = |start: &str, end: &str| Some(all.split_once(start)?.1.split_once(end)?.0);
    if all.contains("ntrusted") || all.contains("unsafe") || all.contains("ownership") {
        let path = between("The git directory at \"", "\" is considered unsafe").map(PathBuf::from);
        StoreError::Untrusted { path: path.unwrap_or_else(|| dir.to_owned()) }
    } else if let Some(version) = between("Unsupported repository format version", "key=").and(between("input=", ",")) {
        unsupported("format version", version)
    } else if all.contains("Could not find a git repository")
        || all.contains("not a git repository")
        || all.contains("discover")
    {
        StoreError::NoRepository { path: dir.to_owned() }
    } else {
        StoreError::Open { reason: all }
    }
}

/// Returns the messages of an error and of its causes, outermost first.
pub(super) fn error_chain(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
}
