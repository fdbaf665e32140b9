//! Where `owner/repo` is.

use std::fmt;
use std::str::FromStr;

use super::{GitUrl, GitUrlError, Name};

/// Is what stands before `owner/repo.git`: `https://github.com/` unless `trace.marketplaceHost` says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    prefix: String,
}

impl Host {
    /// Returns the address of a repository.
    pub fn url_of(&self, owner: &Name, repo: &Name) -> GitUrl {
        let text = format!("{}{owner}/{repo}.git", self.prefix);
        text.parse().expect("a prefix that was checked with a name, and names have nothing odd")
    }
}

/// The host of most of the world's marketplaces.
impl Default for Host {
    fn default() -> Self {
        Host { prefix: "https://github.com/".to_owned() }
    }
}

impl FromStr for Host {
    type Err = GitUrlError;

    /// Reads a URL without the repository (`https://git.example.com/`), `user@host:`, or a folder (`/srv/git`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let start = if text.starts_with('/') { "file://" } else { "" };
        let end = if text.ends_with(['/', ':']) && !text.ends_with("://") { "" } else { "/" };
        let prefix = format!("{start}{text}{end}");
        // With the longest names, so that no later one makes it too long.
        let longest = "x".repeat(Name::MAX);
        format!("{prefix}{longest}/{longest}.git").parse::<GitUrl>()?;
        Ok(Host { prefix })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url_of(&Name::from_static("o"), &Name::from_static("r")).to_string();
        f.pad(url.strip_suffix("o/r.git").unwrap_or(&url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_all_that_can_stand_before_a_repository() {
        let (owner, repo) = ("acme".parse().expect("a name"), "flows".parse().expect("a name"));
        for (host, url) in [
            ("https://github.com/", "https://github.com/acme/flows.git"),
            ("https://git.example.com:8443/mirror", "https://git.example.com:8443/mirror/acme/flows.git"),
            ("git@example.com:", "git@example.com:acme/flows.git"),
            ("git@example.com:team", "git@example.com:team/acme/flows.git"),
            ("ssh://git@example.com", "ssh://git@example.com/acme/flows.git"),
            ("file:///srv/git/", "file:///srv/git/acme/flows.git"),
            ("/srv/git", "file:///srv/git/acme/flows.git"),
        ] {
            let host: Host = host.parse().expect(host);
            assert_eq!(host.url_of(&owner, &repo).as_git(), url);
        }
        assert_eq!(Host::default().to_string(), "https://github.com/");
        for bad in ["", "-x", "ext::sh -c x", "github.com", "https://", "https:// x/"] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }
}
