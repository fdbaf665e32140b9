//! From the name of a marketplace to its files at one state.

use std::borrow::Borrow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::MarketError;
use super::blobs::{has_manifests, needed_blobs};
use super::configured::{cache_folder, host};
use super::local::{Place, place_of};
use super::tree_files::TreeFiles;
use crate::model::ObjectId;
use crate::ops::share::connection;
use crate::ops::{OpError, Workspace};
use crate::store::{Asked, Connection, HashedFolder, Mirror, MirrorPlace, Refreshed, Repo, StoreError, TreeLimits};
use crate::workflow::{Files, Host, Location, Node, Source};

/// What is taken of a plain folder that is a marketplace.
const FOLDER_LIMITS: TreeLimits = TreeLimits { entries: 50_000, bytes: 256 << 20, depth: 64 };

/// Reaches marketplaces: those of this machine where they are, all others through mirrors.
pub(in crate::ops) struct Reach<'w> {
    workspace: &'w Workspace,
    pub(in crate::ops) host: Host,
    cache: PathBuf,
    /// Whether nothing is fetched.
    pub(in crate::ops) offline: bool,
    may_ask: bool,
}

/// Is a marketplace at one state.
#[derive(Clone)]
pub(in crate::ops) struct Reached {
    /// How it was asked for.
    pub(in crate::ops) source: Source,
    /// Where the repository is, without passwords.
    pub(in crate::ops) url: String,
    held: Rc<Held>,
    /// The commit; a plain folder has none.
    pub(in crate::ops) commit: Option<ObjectId>,
    /// The tree of the marketplace.
    pub(in crate::ops) root: ObjectId,
    /// When it was fetched, in seconds since 1970, if it was.
    pub(in crate::ops) fetched: Option<i64>,
    /// The folder on this machine that it is read from, if it is one of this machine.
    pub(in crate::ops) local: Option<PathBuf>,
}

/// What holds the objects of a marketplace.
pub(in crate::ops) enum Held {
    Mirror(Mirror),
    Repository(Box<Repo>),
    Folder(HashedFolder),
}

impl Held {
    fn repo(&self) -> &Repo {
        match self {
            Held::Mirror(mirror) => mirror.repo(),
            Held::Repository(repo) => repo,
            Held::Folder(folder) => folder.repo(),
        }
    }
}

/// Shares what holds the objects of a marketplace.
#[derive(Clone)]
pub(in crate::ops) struct Holder(Rc<Held>);

impl Borrow<Repo> for Holder {
    fn borrow(&self) -> &Repo {
        self.0.repo()
    }
}

impl<'w> Reach<'w> {
    /// Prepares to reach marketplaces.
    pub(in crate::ops) fn new(workspace: &'w Workspace, offline: bool) -> Result<Self, OpError> {
        let (host, cache) = (host(workspace)?, cache_folder(workspace)?);
        Ok(Reach { workspace, host, cache, offline, may_ask: true })
    }

    /// Opens a marketplace as it was when it was last fetched; one that never was is fetched, unless nothing is to be.
    pub(in crate::ops) fn open(&self, source: &Source) -> Result<Reached, MarketError> {
        let asked = asked_of(source);
        self.open_at(source, &asked)
    }

    /// As [`Reach::open`], at a tag of it.
    pub(in crate::ops) fn open_tag(&self, source: &Source, tag: &str) -> Result<Reached, MarketError> {
        self.open_at(source, &Asked::Tag(tag.to_owned()))
    }

    /// As [`Reach::open`], at a commit.
    pub(in crate::ops) fn open_commit(&self, source: &Source, commit: ObjectId) -> Result<Reached, MarketError> {
        self.open_at(source, &Asked::Ref(commit.to_string()))
    }

    fn open_at(&self, source: &Source, asked: &Asked) -> Result<Reached, MarketError> {
        let Some(place) = self.mirror_place(source) else { return self.open_local(source, asked) };
        let name = source.to_string();
        let of_store = |error| MarketError::of_store(&name, error);
        if let Some(mirror) = place.open().map_err(of_store)?
            && let Some(found) = mirror.find(asked).map_err(of_store)?
        {
            match self.reached(source, Held::Mirror(mirror), found.commit, found.fetched) {
                // Broken: it is fetched anew.
                Err(MarketError::Store { .. }) if !self.offline => {}
                Ok(reached) if !has_manifests(reached.repo(), &reached.root) => return self.gather(reached, asked),
                reached => return reached,
            }
        }
        self.fetch(source, asked).map(|(reached, _)| reached)
    }

    /// Fetches what is needed of a marketplace whose commit is here for the sake of something else: another folder of it, or
    /// a workflow that was locked.
    fn gather(&self, reached: Reached, asked: &Asked) -> Result<Reached, MarketError> {
        let name = reached.source.to_string();
        let of_store = |error| MarketError::of_store(&name, error);
        if self.offline {
            let asked = (*asked != Asked::Head).then(|| shown(asked));
            return Err(MarketError::Offline { source_name: name.clone(), asked });
        }
        let mut reached = reached;
        // The manifests, then what they name.
        for _ in 0..2 {
            let blobs = needed_blobs(reached.repo(), &reached.root, "").map_err(of_store)?;
            self.need(&reached, &blobs)?;
            let place = self.mirror_place(&reached.source).expect("what is of this machine has nothing to gather");
            if let Some(mirror) = place.open().map_err(of_store)? {
                reached.held = Rc::new(Held::Mirror(mirror));
            }
        }
        Ok(reached)
    }

    /// Fetches a marketplace as it is now; nothing is done for one of this machine.
    pub(in crate::ops) fn refresh(&self, source: &Source) -> Result<(Reached, Option<Refreshed>), MarketError> {
        match self.mirror_place(source) {
            None => self.open_local(source, &asked_of(source)).map(|reached| (reached, None)),
            Some(_) => self.fetch(source, &asked_of(source)).map(|(reached, done)| (reached, Some(done))),
        }
    }

    /// Lists the tags that a marketplace has now; offline, those that were fetched.
    pub(in crate::ops) fn tags(&self, source: &Source, reached: &Reached) -> Result<Vec<String>, MarketError> {
        let of_store = |error| MarketError::of_store(&source.to_string(), error);
        match &*reached.held {
            Held::Folder(_) => Ok(Vec::new()),
            Held::Repository(repo) => {
                let tags = repo.list_refs("refs/tags/").map_err(of_store)?;
                Ok(tags.iter().filter_map(|(name, _)| Some(name.strip_prefix("refs/tags/")?.to_owned())).collect())
            }
            Held::Mirror(mirror) if self.offline => {
                Ok(mirror.tags().map_err(of_store)?.into_iter().map(|(tag, _)| tag).collect())
            }
            Held::Mirror(mirror) => mirror.list_tags(&self.connection(source)?).map_err(of_store),
        }
    }

    /// Makes sure that all files of a folder are here.
    pub(in crate::ops) fn complete(&self, reached: &Reached, folder: &str, max: usize) -> Result<(), MarketError> {
        let Held::Mirror(_) = &*reached.held else { return Ok(()) };
        let blobs = reached.files().blobs_below(folder, max);
        let blobs = blobs.map_err(|error| MarketError::of_store(&reached.source.to_string(), error))?;
        self.need(reached, &blobs)
    }

    /// Makes sure that some files are here.
    pub(in crate::ops) fn need(&self, reached: &Reached, blobs: &[ObjectId]) -> Result<(), MarketError> {
        let Held::Mirror(mirror) = &*reached.held else { return Ok(()) };
        if blobs.iter().all(|blob| reached.repo().has_object(blob)) {
            return Ok(());
        }
        let name = reached.source.to_string();
        if self.offline {
            return Err(MarketError::Offline { source_name: name, asked: None });
        }
        let completed = mirror.complete(blobs, &self.connection(&reached.source)?);
        completed.map_err(|error| MarketError::of_store(&name, error))
    }

    /// Names the mirror of a marketplace; those of this machine have none.
    pub(in crate::ops) fn mirror_place(&self, source: &Source) -> Option<MirrorPlace> {
        let url = source.url(&self.host)?;
        let identity = source.repository_identity(&self.host);
        let slug = identity.trim_start_matches("file://");
        Some(MirrorPlace::new(&self.cache, slug, &identity, url.as_git()))
    }

    fn fetch(&self, source: &Source, asked: &Asked) -> Result<(Reached, Refreshed), MarketError> {
        let name = source.to_string();
        let place = self.mirror_place(source).expect("what has no mirror is not fetched");
        if self.offline {
            let asked = (*asked != Asked::Head).then(|| shown(asked));
            return Err(MarketError::Offline { source_name: name, asked });
        }
        let needed = |repo: &Repo, tree: &ObjectId| needed_blobs(repo, tree, &source.folder);
        let fetched = place.refresh(asked, &self.connection(source)?, &needed);
        let (mirror, done) = fetched.map_err(|error| MarketError::of_store(&name, error))?;
        let found = mirror.find(asked).ok().flatten().and_then(|found| found.fetched);
        let reached = self.reached(source, Held::Mirror(mirror), done.commit, found)?;
        Ok((reached, done))
    }

    fn open_local(&self, source: &Source, asked: &Asked) -> Result<Reached, MarketError> {
        let Location::Local(path) = &source.location else { unreachable!("all others have a mirror") };
        let name = source.to_string();
        let of_store = |error| MarketError::of_store(&name, error);
        match place_of(path, Path::new("/"))? {
            Place::Repository(top) => {
                let repo = Repo::open_exactly(&top).map_err(of_store)?;
                let commit = local_commit(&repo, asked).map_err(of_store)?;
                let none = || {
                    let asked = (*asked != Asked::Head).then(|| shown(asked));
                    MarketError::NoCommit { source_name: name.clone(), asked }
                };
                let commit = commit.ok_or_else(none)?;
                let work_tree = repo.work_dir().map(Path::to_owned);
                let reached = self.reached(source, Held::Repository(Box::new(repo)), commit, None)?;
                // A name for where it is that does not depend on how it was reached.
                Ok(Reached { url: top.display().to_string(), local: work_tree, ..reached })
            }
            Place::Folder(folder) => {
                if *asked != Asked::Head {
                    return Err(MarketError::PlainFolder { source_name: name, asked: shown(asked) });
                }
                self.open_folder(source, &folder)
            }
        }
    }

    /// Reads a plain folder as it is.
    pub(in crate::ops) fn open_folder(&self, source: &Source, folder: &Path) -> Result<Reached, MarketError> {
        let name = source.to_string();
        let identity = file_identity(folder);
        let slug = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let place = MirrorPlace::new(&self.cache.join("folders"), &slug, &identity, "");
        let held = HashedFolder::read(folder, place.folder(), &FOLDER_LIMITS);
        let held = held.map_err(|error| MarketError::of_store(&name, error))?;
        let tree = held.tree;
        let (url, local) = (folder.display().to_string(), Some(folder.to_owned()));
        let whole = Reached {
            source: source.clone(),
            url,
            held: Rc::new(Held::Folder(held)),
            commit: None,
            root: tree,
            fetched: None,
            local,
        };
        whole.within(&source.folder)
    }

    fn reached(
        &self,
        source: &Source,
        held: Held,
        commit: ObjectId,
        fetched: Option<i64>,
    ) -> Result<Reached, MarketError> {
        let name = source.to_string();
        let root = held.repo().tree_of_commit(&commit).map_err(|error| MarketError::of_store(&name, error))?;
        let url = source.url(&self.host).map(|url| url.public()).unwrap_or_default();
        let source = source.clone();
        let folder = source.folder.clone();
        let (held, commit) = (Rc::new(held), Some(commit));
        Reached { source, url, held, commit, root, fetched, local: None }.within(&folder)
    }

    fn connection(&self, source: &Source) -> Result<Connection, MarketError> {
        let of_store = |error: StoreError| MarketError::of_store(&source.to_string(), error);
        connection(self.workspace, self.may_ask, None).map_err(of_store)
    }
}

impl Reached {
    /// Returns the repository that holds its objects.
    pub(in crate::ops) fn repo(&self) -> &Repo {
        self.held.repo()
    }

    /// Returns its files.
    pub(in crate::ops) fn files(&self) -> TreeFiles<Holder> {
        TreeFiles::new(Holder(Rc::clone(&self.held)), self.root)
    }

    /// Goes to a folder in it.
    fn within(self, folder: &str) -> Result<Self, MarketError> {
        let source_name = self.source.to_string();
        let none = || MarketError::NoFolder { source_name: source_name.clone(), folder: folder.to_owned() };
        let found = match folder {
            "" => return Ok(self),
            folder => self.files().look(folder).map_err(|_| none())?,
        };
        let Some(Node::Folder { id }) = found else { return Err(none()) };
        let local = self.local.as_ref().map(|local| local.join(folder));
        Ok(Reached { root: id, local, ..self })
    }
}

/// Returns which state a source asks for.
fn asked_of(source: &Source) -> Asked {
    source.revision.as_ref().map_or(Asked::Head, |revision| Asked::Ref(revision.as_str().to_owned()))
}

/// Finds the commit of a repository of this machine; names are looked up as git does for a fetch.
fn local_commit(repo: &Repo, asked: &Asked) -> Result<Option<ObjectId>, StoreError> {
    let name = match asked {
        Asked::Head => return Ok(repo.code_commit()),
        Asked::Tag(tag) => format!("refs/tags/{tag}"),
        Asked::Ref(name) => {
            if let Ok(id) = name.parse::<ObjectId>() {
                return if repo.has_object(&id) { repo.peel_to_commit(&id) } else { Ok(None) };
            }
            let places = [name.clone(), format!("refs/tags/{name}"), format!("refs/heads/{name}")];
            let full = places.into_iter().filter(|place| place.starts_with("refs/"));
            let mut found = None;
            for place in full {
                if found.is_none() && repo.find_ref_id(&place)?.is_some() {
                    found = Some(place);
                }
            }
            match found {
                Some(found) => found,
                None => return Ok(None),
            }
        }
    };
    match repo.find_ref_id(&name)? {
        Some(id) => repo.peel_to_commit(&id),
        None => Ok(None),
    }
}

fn shown(asked: &Asked) -> String {
    match asked {
        Asked::Head => "HEAD".to_owned(),
        Asked::Ref(name) | Asked::Tag(name) => name.clone(),
    }
}

fn file_identity(path: &Path) -> String {
    format!("file://{}", path.display())
}
