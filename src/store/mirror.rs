//! Caches of other repositories: bare, shallow, without blobs that nobody asked for; read by tree lookup, never checked out.
//!
//! **Guarantees**
//! 1. A mirror is opened where it is: no search upwards ever takes another repository for it.
//! 2. What it has once seen stays: refs `refs/seen/<commit>` keep it, and nothing is collected or renamed away.
//! 3. A refresh that does not end well leaves it as it was: refs follow when all that is needed of what they name is here.
//!    One that is broken is made anew first, and then moved aside.

mod fetch;
mod times;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

pub use fetch::{Needed, Refreshed};

use super::remote::without_password;
use super::{Repo, StoreError, take_lock};
use crate::model::ObjectId;

/// How long to wait for another process that fetches into the same mirror.
const TURN: Duration = Duration::from_secs(120);

/// Longest readable part of a mirror's folder name, in characters.
const SLUG_MAX: usize = 48;

/// What the repository's own `HEAD` is called in a mirror.
const SOURCE_HEAD: &str = "refs/source/HEAD";
/// Where branches, tags and commits are that somebody asked for by name.
const ASKED: &str = "refs/source/asked/";
/// Where that is which just came, until all that is needed of it is here.
const INCOMING: &str = "refs/incoming/";
/// Where tags are that may be versions.
const TAGS: &str = "refs/source/tags/";

/// Says which state of a repository is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// What its `HEAD` names.
    Head,
    /// What a branch, a tag or a full commit id names.
    Ref(String),
    /// What a tag names.
    Tag(String),
}

impl Asked {
    /// Returns the ref in which a mirror keeps it.
    pub(super) fn kept_as(&self) -> String {
        match self {
            Asked::Head => SOURCE_HEAD.to_owned(),
            Asked::Ref(name) => format!("{ASKED}{}", coded(name)),
            Asked::Tag(name) => format!("{TAGS}{}", coded(name)),
        }
    }

    /// Returns the ref in which it waits until all that is needed of it is here.
    pub(super) fn comes_as(&self) -> String {
        self.kept_as().replacen("refs/", INCOMING, 1)
    }

    /// Returns what a server calls it, or the commit id.
    pub(super) fn there(&self) -> String {
        match self {
            Asked::Head => "HEAD".to_owned(),
            Asked::Ref(name) => name.clone(),
            Asked::Tag(name) => format!("refs/tags/{name}"),
        }
    }

    /// Returns the commit, if it is asked for by its id.
    pub(super) fn commit(&self) -> Option<ObjectId> {
        match self {
            Asked::Ref(name) => name.parse().ok(),
            _ => None,
        }
    }

    /// Refuses what cannot be the name of a ref, or could be taken for an option or for several refs.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let name = match self {
            Asked::Head => return Ok(()),
            Asked::Ref(name) | Asked::Tag(name) => name,
        };
        let is_sound = !name.starts_with(['-', '+', '^'])
            && name.len() <= 255
            && gix::validate::reference::name(self.kept_as().as_str().into()).is_ok();
        let reason = || "it cannot be the name of a branch or a tag".to_owned();
        if is_sound { Ok(()) } else { Err(StoreError::Ref { name: name.clone(), reason: reason() }) }
    }
}

/// Names the place of a mirror, which need not be there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorPlace {
    folder: PathBuf,
    url: String,
    shown: String,
}

/// Is a mirror that is there.
pub struct Mirror {
    repo: Repo,
    place: MirrorPlace,
}

/// Says what one state of a mirror is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mirrored {
    /// The commit.
    pub commit: ObjectId,
    /// When it was last fetched, in seconds since 1970; `None` if nobody noted it.
    pub fetched: Option<i64>,
}

impl MirrorPlace {
    /// Names the place of the mirror of the repository at `url`, in the folder of all mirrors. `identity` is the same however
    /// the address is spelt; `slug` is for people.
    pub fn new(all: &Path, slug: &str, identity: &str, url: &str) -> Self {
        let mut readable = String::new();
        for one in slug.chars().take(SLUG_MAX) {
            match one.to_ascii_lowercase() {
                kept @ ('a'..='z' | '0'..='9' | '_') => readable.push(kept),
                _ if readable.ends_with('-') || readable.is_empty() => {}
                _ => readable.push('-'),
            }
        }
        let digest = Sha256::digest(identity.as_bytes());
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let folder = all.join(format!("{}-{digest}.git", readable.trim_end_matches('-')));
        let shown = without_password(url);
        // What follows is often a key.
        let shown = shown.split_once('?').map_or(shown.clone(), |(address, _)| address.to_owned());
        MirrorPlace { folder, url: url.to_owned(), shown }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens the mirror; `None` if there is none, or none that can be used.
    ///
    /// # Errors
    /// When it belongs to somebody else.
    pub fn open(&self) -> Result<Option<Mirror>, StoreError> {
        if !self.folder.join("HEAD").is_file() {
            return Ok(None);
        }
        match Repo::open_exactly(&self.folder) {
            Ok(repo) => Ok(Some(Mirror { repo, place: self.clone() })),
            Err(error @ StoreError::Untrusted { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Removes the mirror with all that it has seen; tells whether there was one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> Result<bool, StoreError> {
        let all = self.folder.parent().expect("it is in the folder of all mirrors");
        if !all.exists() {
            return Ok(false);
        }
        let _turn = self.turn()?;
        self.sweep();
        if !self.folder.exists() {
            return Ok(false);
        }
        // Under another name first: nobody opens half of it.
        let gone = self.beside("gone");
        fs::rename(&self.folder, &gone).map_err(StoreError::io("move", &self.folder))?;
        fs::remove_dir_all(&gone).map_err(StoreError::io("remove", &gone))?;
        Ok(true)
    }

    /// Returns a name beside the mirror that nobody has.
    fn beside(&self, why: &str) -> PathBuf {
        let mut name = self.folder.as_os_str().to_owned();
        name.push(format!(".{why}-{:08x}", fastrand::u32(..)));
        PathBuf::from(name)
    }

    /// Waits until nobody else fetches into the mirror.
    fn turn(&self) -> Result<File, StoreError> {
        let all = self.folder.parent().expect("it is in the folder of all mirrors");
        make_private(all)?;
        let mut path = self.folder.as_os_str().to_owned();
        path.push(".lock");
        take_lock(Path::new(&path), Instant::now() + TURN)
    }
}

impl Mirror {
    /// Returns the repository that it is.
    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// Finds a state of the repository as it was when it was last fetched; `None` if it never was.
    ///
    /// # Errors
    /// When the mirror cannot be read.
    pub fn find(&self, asked: &Asked) -> Result<Option<Mirrored>, StoreError> {
        asked.check()?;
        // A commit is what it is, whoever fetched it and why.
        let commit = match asked.commit() {
            Some(commit) if self.repo.has_object(&commit) => Some(commit),
            _ => self.repo.find_ref_id(&asked.kept_as())?,
        };
        let Some(id) = commit else { return Ok(None) };
        let Some(commit) = self.repo.peel_to_commit(&id)? else { return Ok(None) };
        Ok(Some(Mirrored { commit, fetched: times::read(&self.place.folder).of(asked) }))
    }

    /// Lists the tags that were fetched, with the commits that they name.
    ///
    /// # Errors
    /// When the mirror cannot be read.
    pub fn tags(&self) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let mut found = Vec::new();
        for (name, id) in self.repo.list_refs(TAGS)? {
            if let (Some(tag), Some(commit)) = (name.strip_prefix(TAGS), self.repo.peel_to_commit(&id)?) {
                found.push((decoded(tag), commit));
            }
        }
        Ok(found)
    }

    /// Tells how many bytes it has on disk.
    pub fn bytes(&self) -> u64 {
        let files = walkdir::WalkDir::new(&self.place.folder).into_iter().filter_map(Result::ok);
        files.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file).map(|data| data.len()).sum()
    }
}

/// Makes a folder that only its user may look into.
pub(super) fn make_private(folder: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(StoreError::io("create", folder))
}

/// Writes a name as one part of a ref's name: `a` and `a/b` may both be asked for, at different times.
fn coded(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

/// Reads what [`coded`] wrote.
fn decoded(name: &str) -> String {
    name.replace("%2F", "/").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_by_identity_and_read_by_people() {
        let place = |identity: &str| MirrorPlace::new(Path::new("/c"), "Acme/Flows é..", identity, "https://x/y");
        let name = place("a").folder().to_string_lossy().into_owned();
        assert!(name.starts_with("/c/acme-flows-") && name.ends_with(".git"), "{name}");
        assert_ne!(place("a"), place("b"));
        let odd = MirrorPlace::new(Path::new("/c"), "../..", "x", "u");
        let keyed = MirrorPlace::new(Path::new("/c"), "x", "x", "https://u:p@h/o?key=k");
        assert!(!keyed.shown.contains("key") && !keyed.shown.contains(":p"), "{}", keyed.shown);
        assert_eq!(odd.folder().parent(), Some(Path::new("/c")), "{}", odd.folder().display());
    }

    #[test]
    fn names_that_could_mean_more_are_refused() {
        for bad in ["-x", "+x", "^x", "a:b", "a b", "..", "a..b", "x.lock", "", "a\nb", "*", "@{-1}"] {
            assert!(Asked::Ref(bad.to_owned()).check().is_err(), "{bad}");
            assert!(Asked::Tag(bad.to_owned()).check().is_err(), "{bad}");
        }
        for good in ["main", "a/b", "v1.0.0", "deploy--v1", "50%", "a%2Fb"] {
            assert!(Asked::Ref(good.to_owned()).check().is_ok(), "{good}");
            assert_eq!(decoded(&coded(good)), good);
        }
        assert_ne!(Asked::Ref("a/b".to_owned()).kept_as(), Asked::Ref("a%2Fb".to_owned()).kept_as());
    }
}
