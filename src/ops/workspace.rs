//! What every operation works on: a repository, the branch that is meant, and the redactor.

use std::cell::{Cell, OnceCell};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::OpError;
use crate::codec::{Manifest, derive_entry_id};
use crate::model::{Branch, Commit, EntryId, ObjectId, Time};
use crate::redact::{Config, Key, Options, Redactor};
use crate::store::{HEAD, Head, Repo, StoreError};
use crate::tokens::Encoding;

/// The largest `.gitleaks.toml` that is read, in bytes.
const RULES_MAX: u64 = 1 << 20;

/// Opens the operations on one repository.
pub struct Workspace {
    pub(crate) repo: Repo,
    branch: Option<Branch>,
    id_seed: Option<String>,
    redactor: OnceCell<Redactor>,
    /// A redactor that is on even where redaction is off, and leaves home directories alone.
    scanner: OnceCell<Redactor>,
    /// A redactor whose key is kept nowhere, for what is not stored.
    rehearsal: OnceCell<Redactor>,
    rehearsing: Cell<bool>,
    warnings: std::cell::RefCell<Vec<String>>,
}

/// Names the ref that an operation reads or moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The full name.
    pub ref_name: String,
    /// The branch, unless HEAD is detached.
    pub branch: Option<Branch>,
}

impl Workspace {
    /// Finds the repository around `dir`, as git does.
    ///
    /// `branch` stands in the place of HEAD's branch (`--branch`, `GITTRACE_BRANCH`). With `id_seed`, ids of new
    /// entries follow from it and the commit before, so that tests see the same ones again.
    ///
    /// # Errors
    /// When there is no repository, or it is refused; when `branch` is no branch name.
    pub fn discover(dir: &Path, branch: Option<&str>, id_seed: Option<String>) -> Result<Self, OpError> {
        Self::of(Repo::discover(dir)?, branch, id_seed)
    }

    /// Opens the repository in this folder, whatever the environment says.
    ///
    /// # Errors
    /// As [`Workspace::discover`].
    pub(crate) fn open_at(dir: &Path) -> Result<Self, OpError> {
        Self::of(Repo::open_at(dir)?, None, None)
    }

    fn of(repo: Repo, branch: Option<&str>, id_seed: Option<String>) -> Result<Self, OpError> {
        let branch = branch.map(|name| Branch::parse(name, Branch::default().agent())).transpose()?;
        Ok(Workspace {
            repo,
            branch,
            id_seed,
            redactor: OnceCell::new(),
            scanner: OnceCell::new(),
            rehearsal: OnceCell::new(),
            rehearsing: Cell::new(false),
            warnings: Default::default(),
        })
    }

    /// Returns what the user configured.
    pub fn settings(&self) -> &crate::store::Settings {
        self.repo.settings()
    }

    /// Returns the folder of our own files, shared by all worktrees; it need not exist.
    pub fn trace_dir(&self) -> PathBuf {
        self.repo.trace_dir()
    }

    /// Reads a variable of git's configuration as text.
    pub fn config(&self, key: &str) -> Option<String> {
        self.repo.config(key)
    }

    /// Reads a variable of git's configuration that is yes or no; `None` if it is not set, or is neither.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.config(key)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    /// Returns what is odd but hinders nothing, once: broken redaction rules, for example.
    pub fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// Tells the user of something odd once the operation is over.
    pub(crate) fn warn(&self, text: String) {
        self.warnings.borrow_mut().push(text);
    }

    /// Returns the ref that is meant when none is named.
    ///
    /// # Errors
    /// When HEAD cannot be read.
    pub fn target(&self) -> Result<Target, OpError> {
        match self.head()? {
            Head::Branch(branch) => Ok(Target { ref_name: self.repo.branch_ref(&branch), branch: Some(branch) }),
            Head::Detached(_) => Ok(Target { ref_name: HEAD.to_owned(), branch: None }),
        }
    }

    /// Returns the command that puts the target back to a commit.
    pub(super) fn way_back(&self, commit: ObjectId) -> String {
        self.command(&format!("reset --hard {}", commit.short(12)))
    }

    /// Returns a command that means the target that is meant here, wherever HEAD is.
    pub(super) fn command(&self, words: &str) -> String {
        match &self.branch {
            Some(branch) => format!("git trace --branch {branch} {words}"),
            None => format!("git trace {words}"),
        }
    }

    /// Returns the newest commit of the target.
    ///
    /// # Errors
    /// When the target has no commit yet, or it cannot be read.
    pub fn tip(&self) -> Result<Commit, OpError> {
        let target = self.target()?;
        let id = self.repo.find_ref_id(&target.ref_name)?.ok_or_else(|| target.no_commits())?;
        Ok(self.repo.read_commit(&id)?)
    }

    /// Finds the commit that a revision names; `None` and `HEAD` are the target.
    ///
    /// # Errors
    /// When it names nothing, or git trace did not make it.
    pub fn commit(&self, revision: Option<&str>) -> Result<Commit, OpError> {
        let id = self.resolve(revision.unwrap_or("HEAD"))?;
        Ok(self.repo.read_commit(&id)?)
    }

    /// Finds the object id of the commit that a revision names.
    ///
    /// # Errors
    /// When it names nothing.
    pub fn resolve(&self, revision: &str) -> Result<ObjectId, OpError> {
        let rest = revision.strip_prefix("HEAD").or_else(|| revision.strip_prefix('@'));
        let of_head = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['~', '^', '@', '{']));
        if of_head && !revision.starts_with("@{-") {
            let target = self.target()?;
            if self.repo.find_ref_id(&target.ref_name)?.is_none() {
                return Err(target.no_commits());
            }
        }
        Ok(self.repo.resolve_at(revision, &self.head()?)?)
    }

    /// Returns the time that a commit would get now.
    ///
    /// # Errors
    /// When `GIT_COMMITTER_DATE` holds no date.
    pub fn now(&self) -> Result<Time, OpError> {
        Ok(self.repo.now()?)
    }

    /// Returns where this worktree is, or the branch that stands in its place.
    ///
    /// # Errors
    /// When HEAD cannot be read.
    pub fn head(&self) -> Result<Head, OpError> {
        match &self.branch {
            Some(branch) => Ok(Head::Branch(branch.clone())),
            None => Ok(self.repo.head()?),
        }
    }

    /// Says whether nothing is to be written from here on, not even the key of the markers.
    pub(crate) fn rehearse(&self, dry_run: bool) {
        self.rehearsing.set(dry_run);
    }

    /// Returns the redactor with this repository's key and rules.
    pub(crate) fn redactor(&self) -> Result<&Redactor, OpError> {
        let keyless = self.rehearsing.get() && !self.key_path().exists();
        let cell = if keyless { &self.rehearsal } else { &self.redactor };
        if let Some(redactor) = cell.get() {
            return Ok(redactor);
        }
        let redactor = if self.repo.settings().redact {
            let home = self.repo.settings().redact_home.then(|| std::env::var("HOME").ok()).flatten();
            let options = Options { home: home.map(|home| vec![home]), config: self.redaction_rules()? };
            let key = if keyless { Key::new(random_key()?) } else { self.redaction_key()? };
            Redactor::new(key, options)
        } else {
            Redactor::off()
        };
        Ok(cell.get_or_init(|| redactor))
    }

    /// Returns a redactor with this repository's key and rules that is on in any case: what leaves the machine, or is to
    /// be taken out, is looked for wherever it was stored.
    pub(crate) fn scanner(&self) -> Result<&Redactor, OpError> {
        if let Some(scanner) = self.scanner.get() {
            return Ok(scanner);
        }
        let keyless = self.rehearsing.get() && !self.key_path().exists();
        let key = if keyless { Key::new(random_key()?) } else { self.redaction_key()? };
        let scanner = Redactor::new(key, Options { home: None, config: self.redaction_rules()? });
        Ok(self.scanner.get_or_init(|| scanner))
    }

    fn redaction_rules(&self) -> Result<Option<Config>, OpError> {
        let Some(path) = self.repo.work_dir().map(|dir| dir.join(".gitleaks.toml")) else { return Ok(None) };
        let small = fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() <= RULES_MAX);
        let Some(text) = small.then(|| fs::read_to_string(&path).ok()).flatten() else { return Ok(None) };
        let config = Config::from_gitleaks_toml(&text)?;
        let warnings = config.warnings().iter().map(|warning| format!(".gitleaks.toml: {warning}"));
        self.warnings.borrow_mut().extend(warnings);
        Ok(Some(config))
    }

    fn key_path(&self) -> PathBuf {
        self.repo.trace_dir().join("redaction-key")
    }

    /// Reads the key of this repository's markers, or makes one: it never leaves the git directory.
    fn redaction_key(&self) -> Result<Key, OpError> {
        let dir = self.repo.trace_dir();
        let path = self.key_path();
        let read = || fs::read(&path).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        if let Some(key) = read() {
            return Ok(Key::new(key));
        }
        self.repo.check_quarantine()?;
        let io = |action, path: &Path, source| StoreError::Io { action, path: path.to_owned(), source };
        fs::create_dir_all(&dir).map_err(|source| io("create", &dir, source))?;
        let key = random_key()?;
        // Whole or not at all, and the first one wins: two processes may be here at once.
        let temporary = dir.join(format!("redaction-key.{:08x}", fastrand::u32(..)));
        let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary);
        let written = opened.and_then(|mut file| {
            file.write_all(&key)?;
            file.sync_all()
        });
        let linked = written.and_then(|()| fs::hard_link(&temporary, &path));
        let _ = fs::remove_file(&temporary);
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(io("write", &path, error).into()),
            _ => Ok(Key::new(read().unwrap_or(key))),
        }
    }

    /// Returns the encoding in which a context's tokens are counted.
    pub(crate) fn encoding(manifest: &Manifest) -> Encoding {
        manifest.tokenizer.parse().unwrap_or(Encoding::O200kBase)
    }

    /// Makes the id of a new entry, the `nth` of a change on top of `parent`.
    pub(crate) fn new_entry_id(&self, parent: Option<ObjectId>, nth: usize) -> EntryId {
        match &self.id_seed {
            Some(seed) => {
                // Two branches go on from one commit with different entries.
                let branch = self.target().map(|target| target.display_name()).unwrap_or_default();
                let parent = parent.map(|id| id.to_string()).unwrap_or_default();
                derive_entry_id(&format!("seed:{seed}:{branch}:{parent}:{nth}"))
            }
            None => EntryId::from_bits(fastrand::u64(..)),
        }
    }

    /// Returns the most tokens that a branch's context should have: `trace.<branch>.budget`, the manifest's, or
    /// `trace.budget`.
    pub(crate) fn budget(&self, target: &Target, manifest: Option<&Manifest>) -> Result<Option<u64>, OpError> {
        let key = target.branch.as_ref().map(|branch| format!("trace.{branch}.budget"));
        if let Some(limit) = key.map(|key| self.repo.config_number(&key)).transpose()?.flatten() {
            return Ok(Some(limit));
        }
        Ok(manifest.and_then(|manifest| manifest.budget).or(self.repo.settings().budget))
    }
}

fn random_key() -> Result<[u8; 32], OpError> {
    let mut key = [0; 32];
    let filled = getrandom::fill(&mut key).map_err(|error| std::io::Error::other(error.to_string()));
    let io = |source| StoreError::Io { action: "read", path: PathBuf::from("random numbers"), source };
    filled.map(|()| key).map_err(|source| io(source).into())
}

impl Target {
    /// Returns the name that people use.
    pub fn display_name(&self) -> String {
        self.branch.as_ref().map_or_else(|| "HEAD (detached)".to_owned(), ToString::to_string)
    }

    pub(crate) fn no_commits(&self) -> OpError {
        OpError::NoCommits { branch: self.display_name() }
    }
}
