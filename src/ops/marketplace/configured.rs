//! Which marketplaces are known, and where what was fetched of them is kept.

use std::path::{Path, PathBuf};

use super::MarketError;
use super::local::{Place, expand, place_of};
use crate::ops::{OpError, Workspace};
use crate::store::ConfigScope;
use crate::workflow::{Host, Location, PathKind, Source};

/// The variable that names marketplaces, as often as there are any.
pub(super) const KEY: &str = "trace.marketplace";

/// Is a marketplace that the configuration names.
#[derive(Debug)]
pub(in crate::ops) struct Configured {
    /// As it stands there.
    pub(in crate::ops) text: String,
    /// Whose configuration that is.
    pub(in crate::ops) scope: ConfigScope,
    /// What it means, or why it means nothing.
    pub(in crate::ops) source: Result<Source, MarketError>,
}

/// Lists the marketplaces of the configuration, the repository's own first; one that is named twice is there once.
pub(in crate::ops) fn configured(workspace: &Workspace) -> Result<Vec<Configured>, OpError> {
    let host = host(workspace)?;
    let base = base(workspace);
    let mut found: Vec<Configured> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut values = workspace.repo.config_values("trace", "marketplace");
    // git reads the user's file first.
    values.sort_by_key(|(scope, _)| !matches!(scope, ConfigScope::Command | ConfigScope::Repository));
    for (scope, text) in values {
        let source = parse_written(&text).map(|source| settle(source, &base));
        let identity = source.as_ref().map_or_else(|_| text.clone(), |source| source.identity(&host));
        if seen.insert(identity) {
            found.push(Configured { text, scope, source });
        }
    }
    Ok(found)
}

/// Reads a source; a path is counted from `from`.
pub(in crate::ops) fn parse(text: &str, from: &Path) -> Result<Source, MarketError> {
    let look = look_from(from);
    Source::parse(text, &look).map_err(MarketError::Source)
}

/// Reads a source that stands in a file: what lies where somebody works just now has no say in what it means.
pub(in crate::ops) fn parse_written(text: &str) -> Result<Source, MarketError> {
    Source::parse(text, &|_| None).map_err(MarketError::Source)
}

/// Says where a source of this machine really is: at its root, without links, whatever folder paths are counted from.
pub(in crate::ops) fn settle(source: Source, from: &Path) -> Source {
    let Location::Local(path) = &source.location else { return source };
    let real = match place_of(path, from) {
        Ok(Place::Repository(real) | Place::Folder(real)) => real,
        Err(_) => expand(path, from),
    };
    match real.to_str() {
        Some(real) => Source { location: Location::Local(real.to_owned()), ..source },
        None => source,
    }
}

/// Returns what tells the room of workflows what lies at a path.
pub(in crate::ops) fn look_from(from: &Path) -> impl Fn(&str) -> Option<PathKind> {
    let from = from.to_owned();
    move |path| {
        let data = std::fs::metadata(expand(path, &from)).ok()?;
        if data.is_dir() { Some(PathKind::Folder) } else { data.is_file().then_some(PathKind::File) }
    }
}

/// Returns the folder from which paths in the configuration are counted.
pub(in crate::ops) fn base(workspace: &Workspace) -> PathBuf {
    workspace.repo.work_dir().unwrap_or_else(|| workspace.repo.git_dir()).to_owned()
}

/// Returns the host of `owner/repo`: `trace.marketplaceHost`, else GitHub.
pub(in crate::ops) fn host(workspace: &Workspace) -> Result<Host, OpError> {
    let key = "trace.marketplaceHost";
    match workspace.config(key) {
        Some(text) => text.parse().map_err(|_| OpError::config(key, &text)),
        None => Ok(Host::default()),
    }
}

/// Returns the folder in which mirrors are: `trace.cacheDir`, else `git-trace/marketplaces` in the user's cache folder.
pub(in crate::ops) fn cache_folder(workspace: &Workspace) -> Result<PathBuf, OpError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute("HOME");
    if let Some(given) = workspace.config("trace.cacheDir").filter(|given| !given.is_empty()) {
        return Ok(expand(&given, &base(workspace)));
    }
    let cache = absolute("XDG_CACHE_HOME").or_else(|| home.map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("git-trace/marketplaces")).ok_or_else(|| MarketError::NoCacheFolder.into())
}

/// Shows a text that is no source as far as that can be done: what is before an `@` may be a password.
pub(in crate::ops) fn masked(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://***{}", &text[..scheme], &text[at..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_a_file_means_the_same_in_every_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("acme/flows")).expect("a folder");
        let typed = parse("acme/flows", folder.path()).expect("a path");
        assert!(matches!(typed.location, Location::Local(_)));
        let written = parse_written("acme/flows").expect("a repository");
        assert!(matches!(settle(written, folder.path()).location, Location::Hosted { .. }));
        let path = settle(parse_written("./acme/flows").expect("a path"), folder.path());
        let real = folder.path().canonicalize().expect("a folder").join("acme/flows").display().to_string();
        assert_eq!(path.location, Location::Local(real));
    }

    #[test]
    fn what_may_be_a_password_is_not_shown() {
        assert_eq!(masked("https://u:geheim@ho st/x"), "https://***@ho st/x");
        assert_eq!(masked("acme/flows@v1"), "acme/flows@v1");
    }
}
