//! Fetches into a mirror: as little as the server lets us, and never so that a failure harms what is there.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{ASKED, Asked, INCOMING, Mirror, MirrorPlace, SOURCE_HEAD, TAGS, decoded, times};
use crate::model::{HashKind, ObjectId, Person};
use crate::store::git::{self, Answer, Connection, FETCH_ONLY, talk};
use crate::store::{ForeignKind, Repo, StoreError, check_url};

/// How often a reader may say that it needs more blobs: manifests, then what they name.
const ROUNDS: usize = 4;
/// Most blobs that are asked for in one talk.
const BLOBS_A_TALK: usize = 10_000;
/// Most blobs that are asked for in all.
const BLOBS_MAX: usize = 100_000;
/// Most folders that are looked into to find out whether a mirror is sound.
const FOLDERS_MAX: usize = 100_000;

/// What git says when nothing else than leaving less out is to be tried: nobody is there, or nobody lets us in. Servers that
/// cannot leave out what we do not need say so in many ways, or not at all.
const IN_VAIN: [&str; 15] = [
    "could not resolve",
    "couldn't connect",
    "failed to connect",
    "connection refused",
    "connection timed out",
    "connection reset",
    "operation timed out",
    "authentication failed",
    "permission denied",
    "could not read username",
    "could not read password",
    "terminal prompts disabled",
    "repository not found",
    "does not appear to be a git repository",
    "host key verification",
];

/// How long a lock of git's own in a mirror may be held by what a killed process of ours left running.
const LOCKED_FOR: Duration = Duration::from_secs(5);

/// Says which blobs of a tree somebody will read; is asked again once they are here.
pub type Needed<'a> = &'a dyn Fn(&Repo, &ObjectId) -> Result<Vec<ObjectId>, StoreError>;

/// Says what a refresh did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// What is there now.
    pub commit: ObjectId,
    /// What was there before.
    pub old: Option<ObjectId>,
    /// Whether it was broken, and made anew: where the broken one is.
    pub made_anew: Option<std::path::PathBuf>,
}

impl MirrorPlace {
    /// Fetches a state of the repository, and the blobs of it that are needed; what is here stays.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::Slow`]: the mirror is as it was. [`StoreError::Ref`] when there is no such
    /// branch, tag or commit.
    pub fn refresh(
        &self,
        asked: &Asked,
        connection: &Connection,
        needed: Needed<'_>,
    ) -> Result<(Mirror, Refreshed), StoreError> {
        check_url(&self.url)?;
        asked.check()?;
        let _turn = self.turn()?;
        self.sweep();
        let connection = Connection { runs_hooks: false, ..*connection };
        if let Some(mirror) = self.open()? {
            let old = mirror.find(asked).ok().flatten().map(|found| found.commit);
            match mirror.fetch(asked, &connection, needed) {
                Ok(commit) => {
                    let refreshed = Refreshed { commit, old, made_anew: None };
                    return Ok((mirror.opened_anew()?, refreshed));
                }
                Err(error) if mirror.is_sound() => return Err(error),
                // It is broken: the reason is not the server's.
                Err(_) => {}
            }
        }
        let (folder, commit) = self.make(asked, &connection, needed)?;
        let made_anew = self.folder.exists().then(|| self.beside("broken"));
        if let Some(aside) = &made_anew {
            fs::rename(&self.folder, aside).map_err(StoreError::io("move", &self.folder))?;
        }
        fs::rename(&folder, &self.folder).map_err(StoreError::io("move", &folder))?;
        let mirror = self.open()?.ok_or_else(|| StoreError::Open { reason: "the cache cannot be read".to_owned() })?;
        Ok((mirror, Refreshed { commit, old: None, made_anew }))
    }

    /// Makes the mirror in a folder beside its place.
    fn make(
        &self,
        asked: &Asked,
        connection: &Connection,
        needed: Needed<'_>,
    ) -> Result<(std::path::PathBuf, ObjectId), StoreError> {
        let folder = self.beside("new");
        let make = |kind: HashKind| {
            let format = if kind == HashKind::Sha1 { "--object-format=sha1" } else { "--object-format=sha256" };
            git::init(&["--quiet", "--bare", "--template=", "--initial-branch=main", format, "--", &text(&folder)?])?;
            settle(&folder)?;
            let place = MirrorPlace { folder: folder.clone(), ..self.clone() };
            let mirror = place.open()?;
            let mirror = mirror.ok_or_else(|| StoreError::Open { reason: "the cache cannot be made".to_owned() })?;
            mirror.fetch(asked, connection, needed)
        };
        let made = match make(HashKind::Sha1) {
            Err(StoreError::Unreachable { reason, .. }) if reason.contains("mismatched algorithms") => {
                let _ = fs::remove_dir_all(&folder);
                make(HashKind::Sha256)
            }
            made => made,
        };
        match made {
            Ok(commit) => Ok((folder, commit)),
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    /// Removes what killed processes left beside the mirror. Nobody else is at it now.
    pub(super) fn sweep(&self) {
        let (Some(all), Some(name)) = (self.folder.parent(), self.folder.file_name()) else { return };
        let name = name.to_string_lossy();
        let is_left = |file: &str| {
            file.strip_prefix(&*name).is_some_and(|rest| rest.starts_with(".new-") || rest.starts_with(".gone-"))
        };
        for file in fs::read_dir(all).into_iter().flatten().filter_map(Result::ok) {
            if is_left(&file.file_name().to_string_lossy()) {
                let _ = fs::remove_dir_all(file.path());
            }
        }
    }
}

impl Mirror {
    /// Lists the tags that the server has now; nothing is fetched.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn list_tags(&self, connection: &Connection) -> Result<Vec<String>, StoreError> {
        let arguments = ["--tags", "--refs", "--quiet", "--", "origin"].map(str::to_owned);
        let connection = Connection { runs_hooks: false, ..*connection };
        let answer = talk(&self.repo, "ls-remote", &self.address(), &arguments, &connection)?;
        if !answer.success {
            return Err(answer.unreachable(&self.place.shown));
        }
        let name = |line: &str| Some(line.split_once('\t')?.1.strip_prefix("refs/tags/")?.to_owned());
        Ok(answer.printed.lines().filter_map(name).collect())
    }

    /// Fetches those of these blobs that are not here.
    ///
    /// # Errors
    /// As [`MirrorPlace::refresh`].
    pub fn complete(&self, blobs: &[ObjectId], connection: &Connection) -> Result<(), StoreError> {
        if blobs.iter().all(|id| self.repo.has_object(id)) {
            return Ok(());
        }
        let _turn = self.place.turn()?;
        self.fetch_blobs(blobs, &Connection { runs_hooks: false, ..*connection })
    }

    fn fetch(&self, asked: &Asked, connection: &Connection, needed: Needed<'_>) -> Result<ObjectId, StoreError> {
        self.keep_seen()?;
        let refspec = match asked.commit() {
            Some(commit) => format!("+{commit}:{}", asked.comes_as()),
            None => format!("+{}:{}", asked.there(), asked.comes_as()),
        };
        let answer =
            self.talk_fetch(&["--depth=1", "--filter=blob:none"], std::slice::from_ref(&refspec), connection)?;
        if !answer.success {
            let said = answer.said.to_lowercase();
            let no_such_name = said.contains("couldn't find remote ref") && asked.commit().is_none();
            if no_such_name || answer.is_about_objects() || IN_VAIN.iter().any(|words| said.contains(words)) {
                return Err(self.unreachable(&answer));
            }
            self.fetch_all(asked, refspec, &answer, connection)?;
        }
        let found = Repo::open_exactly(&self.place.folder)?.find_ref_id(&asked.comes_as())?;
        let fresh = self.opened_anew()?;
        let nothing = || StoreError::Ref { name: asked.there(), reason: "it names no commit".to_owned() };
        let found = found.ok_or_else(nothing)?;
        let commit = fresh.repo.peel_to_commit(&found)?.ok_or_else(nothing)?;
        let tree = fresh.repo.tree_of_commit(&commit)?;
        fresh.gather(&tree, connection, needed)?;
        // Only now is it what a reader finds: whoever is killed before has what was there.
        fresh.repo.overwrite_ref(&asked.kept_as(), found, "trace marketplace", &nobody(&fresh.repo)?)?;
        fresh.keep_seen()?;
        let now = fresh.repo.now()?.seconds();
        times::note(&self.place.folder, &self.place.shown, std::slice::from_ref(asked), now)?;
        Ok(commit)
    }

    /// Fetches without leaving anything out; where a server gives no commit by its id, all that it has.
    fn fetch_all(
        &self,
        asked: &Asked,
        refspec: String,
        first: &Answer,
        connection: &Connection,
    ) -> Result<(), StoreError> {
        if let Some(commit) = asked.commit() {
            let refspecs = ["+refs/heads/*:refs/source/all/heads/*", "+refs/tags/*:refs/source/all/tags/*"];
            let answer = self.talk_fetch(&["--no-filter"], &refspecs.map(str::to_owned), connection)?;
            if !answer.success {
                return Err(self.unreachable(&answer));
            }
            let fresh = self.opened_anew()?;
            if !fresh.repo.has_object(&commit) {
                return Err(self.unreachable(first));
            }
            return fresh.repo.overwrite_ref(&asked.comes_as(), commit, "trace marketplace", &nobody(&fresh.repo)?);
        }
        let answer = self.talk_fetch(&["--no-filter"], &[refspec], connection)?;
        if answer.success { Ok(()) } else { Err(self.unreachable(&answer)) }
    }

    /// Fetches blobs as long as somebody needs some that are not here.
    fn gather(&self, tree: &ObjectId, connection: &Connection, needed: Needed<'_>) -> Result<(), StoreError> {
        for _ in 0..ROUNDS {
            let repo = self.opened_anew()?;
            let blobs: Vec<ObjectId> =
                needed(&repo.repo, tree)?.into_iter().filter(|id| !repo.repo.has_object(id)).collect();
            if blobs.is_empty() {
                return Ok(());
            }
            repo.fetch_blobs(&blobs, connection)?;
        }
        Ok(())
    }

    fn fetch_blobs(&self, blobs: &[ObjectId], connection: &Connection) -> Result<(), StoreError> {
        let mut seen = HashSet::new();
        let missing: Vec<String> = blobs
            .iter()
            .filter(|id| seen.insert(**id) && !self.repo.has_object(id))
            .take(BLOBS_MAX)
            .map(ToString::to_string)
            .collect();
        for part in missing.chunks(BLOBS_A_TALK) {
            let answer = self.talk_fetch(&["--filter=blob:none"], part, connection)?;
            if !answer.success {
                // A server that gives no object by its id gives them all.
                let again = self.talk_fetch(&["--refetch", "--no-filter"], &self.kept_refspecs()?, connection)?;
                return if again.success { Ok(()) } else { Err(self.unreachable(&answer)) };
            }
        }
        Ok(())
    }

    /// Returns what was fetched by name, to be fetched once more; where readers look stays as it is.
    fn kept_refspecs(&self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        let kept = self.repo.list_refs("refs/source/")?.into_iter().map(|(name, _)| name);
        let coming = self.repo.list_refs(INCOMING)?.into_iter().map(|(name, _)| name.replacen(INCOMING, "refs/", 1));
        let names: std::collections::BTreeSet<String> = kept.chain(coming).collect();
        for name in names {
            let asked = match (name.strip_prefix(ASKED), name.strip_prefix(TAGS)) {
                (Some(asked), _) => Asked::Ref(decoded(asked)),
                (_, Some(tag)) => Asked::Tag(decoded(tag)),
                _ if name == SOURCE_HEAD => Asked::Head,
                _ => continue,
            };
            if asked.commit().is_none() {
                found.push(format!("+{}:{}", asked.there(), asked.comes_as()));
            }
        }
        Ok(found)
    }

    fn talk_fetch(&self, options: &[&str], wanted: &[String], connection: &Connection) -> Result<Answer, StoreError> {
        let options = FETCH_ONLY.iter().chain(&["--update-shallow"]).chain(options);
        let mut arguments: Vec<String> = options.map(|&one| one.to_owned()).collect();
        arguments.extend(["--".to_owned(), "origin".to_owned()]);
        arguments.extend_from_slice(wanted);
        let mut settings = self.address();
        settings.push("fetch.negotiationAlgorithm=noop".to_owned());
        let begun = Instant::now();
        loop {
            let answer = talk(&self.repo, "fetch", &settings, &arguments, connection)?;
            let is_locked = !answer.success && answer.said.contains(".lock': File exists");
            if !is_locked {
                return Ok(answer);
            }
            // Nobody of ours is at it but us: a git whose git trace was killed may still be, or has left its lock.
            if begun.elapsed() > LOCKED_FOR {
                self.remove_locks();
                return talk(&self.repo, "fetch", &settings, &arguments, connection);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Removes locks that were left behind.
    fn remove_locks(&self) {
        let folder = &self.place.folder;
        let below = walkdir::WalkDir::new(folder.join("refs")).into_iter().filter_map(Result::ok);
        let locks = below
            .map(|file| file.into_path())
            .chain(["shallow.lock", "packed-refs.lock"].map(|name| folder.join(name)));
        for lock in locks.filter(|path| path.extension().is_some_and(|end| end == "lock")) {
            let _ = fs::remove_file(lock);
        }
    }

    /// Returns the setting that says where the repository is: in no file, for a password may be in it.
    fn address(&self) -> Vec<String> {
        vec![format!("remote.origin.url={}", self.place.url), "remote.origin.fetch=".to_owned()]
    }

    /// Keeps what was fetched, whatever the server does next.
    fn keep_seen(&self) -> Result<(), StoreError> {
        for (_, id) in self.repo.list_refs("refs/source/")? {
            let name = format!("refs/seen/{id}");
            if self.repo.find_ref_id(&name)?.is_none() {
                self.repo.overwrite_ref(&name, id, "trace marketplace", &nobody(&self.repo)?)?;
            }
        }
        Ok(())
    }

    /// Tells whether all trees of what was fetched can be read.
    fn is_sound(&self) -> bool {
        let Ok(refs) = self.repo.list_refs("refs/source/") else { return false };
        let mut open = Vec::new();
        for (_, id) in refs {
            match self
                .repo
                .peel_to_commit(&id)
                .and_then(|commit| commit.map(|commit| self.repo.tree_of_commit(&commit)).transpose())
            {
                Ok(tree) => open.extend(tree),
                Err(_) => return false,
            }
        }
        let mut seen: HashSet<ObjectId> = HashSet::new();
        while let Some(tree) = open.pop() {
            if !seen.insert(tree) || seen.len() > FOLDERS_MAX {
                continue;
            }
            let Ok(rows) = self.repo.foreign_rows(&tree) else { return false };
            open.extend(rows.into_iter().filter(|row| row.kind == ForeignKind::Folder).map(|row| row.id));
        }
        true
    }

    /// Opens the repository again: git has written packs meanwhile, and says which commits have no parents here.
    fn opened_anew(&self) -> Result<Mirror, StoreError> {
        let repo = Repo::open_exactly(&self.place.folder)?;
        Ok(Mirror { repo, place: self.place.clone() })
    }

    fn unreachable(&self, answer: &Answer) -> StoreError {
        if answer.said.contains("couldn't find remote ref") {
            let name = answer.said.split("couldn't find remote ref ").nth(1).and_then(|rest| rest.lines().next());
            let (name, shown) = (name.unwrap_or("HEAD").to_owned(), &self.place.shown);
            return StoreError::Ref { name, reason: format!("'{shown}' has no such branch, tag or commit") };
        }
        answer.unreachable(&self.place.shown)
    }
}

/// Makes sure that nothing is ever collected in a mirror, whoever runs `git gc` there.
fn settle(folder: &Path) -> Result<(), StoreError> {
    use std::io::Write;
    let path = folder.join("config");
    let text = "[gc]\n\tauto = 0\n\tpruneExpire = never\n\treflogExpire = never\n[maintenance]\n\tauto = false\n";
    let opened = fs::OpenOptions::new().append(true).open(&path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(StoreError::io("write", &path))
}

/// Returns whose name stands in the logs of a mirror: nobody looks at them.
fn nobody(repo: &Repo) -> Result<Person, StoreError> {
    Ok(Person { name: "git trace".to_owned(), email: String::new(), time: repo.now()? })
}

fn text(path: &Path) -> Result<String, StoreError> {
    let reason = || format!("'{}' is not UTF-8", path.display());
    path.to_str().map(str::to_owned).ok_or_else(|| StoreError::Open { reason: reason() })
}
