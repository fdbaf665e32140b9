//! Marketplaces of a sandbox: folders of it, and the repositories of its servers.

use git_trace::model::ObjectId;
use git_trace::workflow::{
    Files, FilesError, Host, Location, Market, Node, Rooted, Searched, Source, SourceFault, marketplace_root,
};

use super::case::Sandbox;

#[allow(dead_code, reason = "the unit tests of the room need more of it")]
#[path = "../../../src/workflow/tests/tree.rs"]
mod tree;

pub use tree::Tree;

/// Is a marketplace as it is searched.
pub struct Stall {
    pub source: Source,
    pub files: Result<Shelf, SourceFault>,
    /// Where its files are, as the reference tells it.
    pub home: String,
    /// `owner/repo`, where it is one.
    pub slug: Option<String>,
}

/// Is a folder of files in memory.
pub struct Shelf {
    tree: Tree,
    folder: String,
}

impl Shelf {
    fn rooted(&self) -> Rooted<'_> {
        Rooted::new(&self.tree, self.folder.as_str())
    }
}

impl Files for Shelf {
    fn look(&self, path: &str) -> Result<Option<Node>, FilesError> {
        self.rooted().look(path)
    }

    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, FilesError> {
        self.rooted().read(path, max)
    }

    fn list(&self, folder: &str) -> Result<Vec<(String, Node)>, FilesError> {
        self.rooted().list(folder)
    }
}

impl Stall {
    /// Finds a marketplace by its source; a local one by the nearest root, from the path upwards.
    pub fn find(sandbox: &Sandbox, source: Source) -> Self {
        let failed = |source, fault| Stall { source, files: Err(fault), home: String::new(), slug: None };
        match source.location.clone() {
            Location::Hosted { owner, repo } => {
                let slug = format!("{owner}/{repo}");
                let files = sandbox.remotes.get(&slug).cloned().map(|tree| Shelf { tree, folder: String::new() });
                let home = sandbox.real(&format!("$HOME/.config/athena/marketplaces/{slug}"));
                let files = files.ok_or_else(|| SourceFault::Unreachable { reason: "no such server".to_owned() });
                Stall { source, files, home, slug: Some(slug) }
            }
            Location::Url(_) => {
                failed(source, SourceFault::Unreachable { reason: "nothing is fetched here".to_owned() })
            }
            Location::Local(path) => {
                let tree = sandbox.files();
                let below = sandbox.below_root(&path);
                let root = below.and_then(|below| marketplace_root(&tree, &below).expect("readable files"));
                let Some(folder) = root else { return failed(source, SourceFault::NotFound) };
                let home = sandbox.absolute(&folder);
                let source = Source { location: Location::Local(home.clone()), ..source };
                Stall { source, files: Ok(Shelf { tree, folder }), home, slug: None }
            }
        }
    }

    /// Returns the marketplace as the search takes it.
    pub fn searched(&self) -> Searched<'_> {
        Searched { source: self.source.clone(), identity: self.source.identity(&Host::default()), market: self }
    }

    /// Returns how the reference calls the marketplace.
    pub fn label(&self) -> String {
        match &self.slug {
            Some(slug) => format!("marketplace {slug}"),
            None => format!("local marketplace {}", self.source),
        }
    }
}

impl Market for Stall {
    fn files(&self) -> Result<&dyn Files, SourceFault> {
        self.files.as_ref().map(|files| files as &dyn Files).map_err(Clone::clone)
    }

    fn tags(&self) -> Result<Vec<String>, SourceFault> {
        Ok(Vec::new())
    }

    fn at_tag(&self, _: &str) -> Result<Box<dyn Files + '_>, SourceFault> {
        Err(SourceFault::NotFound)
    }
}
