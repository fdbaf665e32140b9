//! Where marketplaces and plugins come from.

use std::fmt;

use super::inner_path::{PathError, is_drive, join};
use super::{GitUrl, GitUrlError, Host, Name, Revision, RevisionError};

/// What stands before a path of this machine where it could be taken for something else.
pub(super) const LOCAL: &str = "local:";
/// Longest path of this machine, in bytes.
const PATH_MAX: usize = 4096;

/// Says what lies at a path of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathKind {
    /// A file, or a link to one.
    File,
    /// A folder, or a link to one.
    Folder,
}

/// Tells what lies at a path as a person wrote it; `None` if nothing does.
pub type Look<'a> = &'a dyn Fn(&str) -> Option<PathKind>;

/// Is a repository or a folder, at one state, and the folder in it.
///
/// It is written `<where>`, `<where>#<revision>`, `<where>#<revision>:<folder>` or `<where>#:<folder>`, and where is
/// `owner/repo`, an address of git, or a path: `/x`, `./x`, `../x`, `~/x` or `local:<path>`. Where the path itself holds
/// `#`, a `#` at the end says that nothing follows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// The repository or folder.
    pub location: Location,
    /// Its state; without one, what its `HEAD` names, or the folder as it is.
    pub revision: Option<Revision>,
    /// The folder in it, with `/`; `""` is its root.
    pub folder: String,
}

/// Is a repository, or a folder of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// A repository on the host of marketplaces ([`Host`]).
    Hosted {
        /// Whose it is.
        owner: Name,
        /// What it is called.
        repo: Name,
    },
    /// A repository at an address.
    Url(GitUrl),
    /// A repository or a folder of this machine, as it was written; `~/` is the user's home.
    Local(String),
}

/// Says why a text is no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It is neither `owner/repo`, nor an address, nor a path.
    #[error("not a marketplace: '{text}': it is neither owner/repo, nor the address of a repository, nor a path")]
    Unknown {
        /// The text as given.
        text: String,
    },
    /// It is an address that is refused.
    #[error(transparent)]
    Url(#[from] GitUrlError),
    /// What follows `#` is no revision.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// What follows `#<revision>:` is no folder within a repository.
    #[error("the folder '{folder}' {reason}")]
    Folder {
        /// The folder as given.
        folder: String,
        /// Why.
        reason: PathError,
    },
}

impl Source {
    /// Makes a source of a whole repository or folder.
    pub fn new(location: Location) -> Self {
        Source { location, revision: None, folder: String::new() }
    }

    /// Reads a source. What `look` finds is a path, even if it is written like `owner/repo`.
    ///
    /// # Errors
    /// When it is no source, or could be taken for an option.
    pub fn parse(text: &str, look: Look<'_>) -> Result<Self, SourceError> {
        let text = text.trim();
        let unknown = || SourceError::Unknown { text: text.chars().take(200).collect() };
        if text.is_empty() || text.starts_with('-') || text.len() > PATH_MAX || text.contains(char::is_control) {
            return Err(unknown());
        }
        let path = text.strip_prefix(LOCAL);
        if path.is_none() && !is_url(text) && look(text).is_some() {
            return Ok(Source::new(Location::Local(text.to_owned())));
        }
        let given = path.unwrap_or(text);
        let last = given.rsplit_once('#').unwrap_or((given, ""));
        let local = path.is_some() || is_path(text) || is_path(last.0) || (!is_url(text) && look(last.0).is_some());
        // A path may hold `#`; an address and `owner/repo` cannot, but the folder in it may.
        let (place, state) = if local { last } else { given.split_once('#').unwrap_or((given, "")) };
        let (revision, folder) = state.split_once(':').unwrap_or((state, ""));
        let mut revision = if revision.is_empty() { None } else { Some(revision.parse::<Revision>()?) };
        let location = if local {
            if place.is_empty() {
                return Err(unknown());
            }
            Location::Local(place.to_owned())
        } else if is_url(place) {
            Location::Url(place.parse()?)
        } else {
            let (owner, repo) = place.split_once('/').ok_or_else(unknown)?;
            let (repo, at) = repo.split_once('@').map_or((repo, None), |(repo, at)| (repo, Some(at)));
            if let Some(at) = at {
                let twice = revision.replace(at.parse()?).is_some();
                if twice {
                    return Err(unknown());
                }
            }
            let name = |text: &str| text.parse::<Name>().map_err(|_| unknown());
            let repo = repo.trim_end_matches(".git");
            Location::Hosted { owner: name(owner)?, repo: name(repo)? }
        };
        Ok(Source { location, revision, folder: inner_folder(folder)? })
    }

    /// Returns a text that is the same for every way of writing one repository or folder, whatever its state and the
    /// folder in it. A path should be the real one, absolute and without links.
    pub fn repository_identity(&self, host: &Host) -> String {
        match &self.location {
            Location::Hosted { owner, repo } => host.url_of(owner, repo).identity(),
            Location::Url(url) => url.identity(),
            Location::Local(path) => {
                let kept = path.trim_end_matches('/');
                format!("file://{}", if kept.is_empty() { "/" } else { kept })
            }
        }
    }

    /// Returns a text that is the same for every way of writing this source.
    pub fn identity(&self, host: &Host) -> String {
        format!("{}{}", self.repository_identity(host), self.state())
    }

    /// Returns the address that git fetches from; `None` for a path of this machine.
    pub fn url(&self, host: &Host) -> Option<GitUrl> {
        match &self.location {
            Location::Hosted { owner, repo } => Some(host.url_of(owner, repo)),
            Location::Url(url) => Some(url.clone()),
            Location::Local(_) => None,
        }
    }

    /// Writes the source exactly, with passwords that an address may have: for git's configuration and nothing else.
    pub fn exact(&self) -> String {
        match &self.location {
            Location::Url(url) => format!("{}{}", url.as_git(), self.state()),
            _ => self.to_string(),
        }
    }

    /// Writes the source without passwords, as it may stand in a file of the repository.
    pub fn public(&self) -> String {
        match &self.location {
            Location::Url(url) => format!("{}{}", url.public(), self.state()),
            _ => self.to_string(),
        }
    }

    /// Returns `#<revision>:<folder>`, as far as there is any.
    fn state(&self) -> String {
        let revision = self.revision.as_ref().map_or("", Revision::as_str);
        match (revision, self.folder.as_str()) {
            ("", "") => String::new(),
            (revision, "") => format!("#{revision}"),
            (revision, folder) => format!("#{revision}:{folder}"),
        }
    }
}

/// Shows the source as a person would write it; `***` stands for passwords in addresses.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        match &self.location {
            Location::Hosted { owner, repo } => write!(f, "{owner}/{repo}{state}"),
            Location::Url(url) => write!(f, "{url}{state}"),
            Location::Local(path) => {
                let prefix = if is_path(path) { "" } else { LOCAL };
                let odd = path.contains('#') || path.ends_with(char::is_whitespace);
                let end = if state.is_empty() && odd { "#" } else { "" };
                write!(f, "{prefix}{path}{state}{end}")
            }
        }
    }
}

/// Reads a folder within a repository as a person writes it.
fn inner_folder(folder: &str) -> Result<String, SourceError> {
    join("", folder).map_err(|reason| SourceError::Folder { folder: folder.to_owned(), reason })
}

/// Tells whether a text can be nothing but a path of this machine.
pub(super) fn is_path(text: &str) -> bool {
    let starts = ["/", "./", "../", "~/", ".\\", "..\\", "\\"];
    matches!(text, "." | ".." | "~") || starts.iter().any(|start| text.starts_with(start)) || is_drive(text)
}

/// Tells whether a text is meant as an address: `scheme://…`, `host:path` or `helper::…`.
fn is_url(text: &str) -> bool {
    let place = text.split_once('#').map_or(text, |(place, _)| place);
    !is_path(text) && !text.starts_with(LOCAL) && place.split('/').next().is_some_and(|first| first.contains(':'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOTHING: Look<'static> = &|_| None;

    fn source(text: &str) -> Source {
        Source::parse(text, NOTHING).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn sources_are_repositories_addresses_and_paths() {
        let hosted = source("acme/flows#v1.2:sub/market");
        assert!(
            matches!(&hosted.location, Location::Hosted { owner, repo } if owner.as_str() == "acme" && repo.as_str() == "flows")
        );
        assert_eq!(
            (hosted.revision.as_ref().map(Revision::as_str), hosted.folder.as_str()),
            (Some("v1.2"), "sub/market")
        );
        assert_eq!(source("acme/flows@v1.2"), source(" acme/flows.git#v1.2 "));
        let url = source("https://example.com/o/r.git#:./a//b/");
        assert_eq!((url.revision, url.folder.as_str()), (None, "a/b"));
        assert!(matches!(url.location, Location::Url(_)));
        assert!(matches!(source("git@example.com:o/r#main").location, Location::Url(_)));
        for path in ["/x", "./x", "../x", "~/x", ".", "..", "local:x", "local:-x", "local:a@b#"] {
            assert!(matches!(source(path).location, Location::Local(_)), "{path}");
        }
        assert_eq!(source("local:/x.git#v1:sub").to_string(), "/x.git#v1:sub");
    }

    #[test]
    fn odd_places_are_shown_so_that_they_are_found_again() {
        for text in
            ["local:..#v1", "./a b #", "local:a#b#", "o/r.git.git", "https://h/o/r#v1:a#b", "local:/x:y", "~#v1:sub"]
        {
            let read = source(text);
            assert_eq!(source(&read.to_string()), read, "{text} {read}");
        }
    }

    #[test]
    fn what_is_there_is_a_path() {
        let there: Look<'_> = &|path| ["acme/flows", "a#b"].contains(&path).then_some(PathKind::Folder);
        for (text, path) in [("acme/flows", "acme/flows"), ("acme/flows#v1", "acme/flows"), ("a#b", "a#b")] {
            let source = Source::parse(text, there).expect(text);
            assert_eq!(source.location, Location::Local(path.to_owned()));
        }
    }

    #[test]
    fn what_could_hurt_is_refused() {
        for bad in [
            "",
            " ",
            "-x/y",
            "x",
            "a/b/c",
            "a/..",
            "./-\nx",
            ".git/x",
            "a/-b",
            "--upload-pack=x/y",
            "ext::sh -c x",
            "o/r#-x",
            "o/r#a..b",
            "o/r#v1:../x",
            "o/r#v1:/x",
            "o/r#v1:.git",
            "o/r@a#b",
            "o/r@",
            "local:",
            "local:#x",
            "https://h",
            "o/r#a:b\\c",
        ] {
            assert!(Source::parse(bad, NOTHING).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_source_has_one_identity() {
        let host = Host::default();
        let identity = |text: &str| source(text).identity(&host);
        assert_eq!(identity("acme/flows#v1"), identity("git@github.com:Acme/flows.git#v1"));
        assert_eq!(identity("/srv/flows"), identity("file:///srv/flows/"));
        assert_ne!(identity("acme/flows#v1"), identity("acme/flows#v2"));
        assert_ne!(identity("acme/flows"), identity("acme/flows#:sub"));
        assert_eq!(
            source("acme/flows").repository_identity(&host),
            source("acme/flows#v1:sub").repository_identity(&host)
        );
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(
            text in prop_oneof!["\\PC{0,40}", "[a-z@:/.#~-]{0,24}", "(local:|~/|[a-z]/)[a-z@:/.#]{0,24}"],
        ) {
            if let Ok(source) = Source::parse(&text, NOTHING) {
                prop_assert_eq!(Source::parse(&source.exact(), NOTHING), Ok(source.clone()), "{}", source.exact());
                let _ = source.identity(&Host::default());
                if source.public() == source.exact() {
                    prop_assert_eq!(Source::parse(&source.to_string(), NOTHING), Ok(source));
                }
            }
        }
    }
}
