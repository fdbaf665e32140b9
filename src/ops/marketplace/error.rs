//! Why a marketplace could not be read, or changed.

use crate::store::StoreError;
use crate::workflow::{GitUrl, ManifestError, SourceError};

/// Says why a marketplace could not be read, or its configuration not changed.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    /// A text names no marketplace.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Nothing lies at a path.
    #[error("'{path}' does not exist")]
    NoSuchPath {
        /// The path.
        path: String,
    },
    /// A local repository has no commit that could be read.
    #[error("'{source_name}' has no commit{}", asked.as_ref().map(|asked| format!(" '{asked}'")).unwrap_or_default())]
    NoCommit {
        /// The marketplace.
        source_name: String,
        /// The branch, tag or commit that was asked for.
        asked: Option<String>,
    },
    /// The folder within the marketplace is not there.
    #[error("'{source_name}' has no folder '{folder}'")]
    NoFolder {
        /// The marketplace.
        source_name: String,
        /// The folder.
        folder: String,
    },
    /// A plain folder has no other states than the one it is in.
    #[error("'{source_name}' is a plain folder, which has no '{asked}'")]
    PlainFolder {
        /// The folder.
        source_name: String,
        /// The branch, tag or commit that was asked for.
        asked: String,
    },
    /// It was never fetched, and nothing is to be fetched now.
    #[error("'{source_name}' was never fetched{}, and --offline is set", asked.as_ref().map(|asked| format!(" at '{asked}'")).unwrap_or_default())]
    Offline {
        /// The marketplace.
        source_name: String,
        /// The branch, tag or commit that was asked for.
        asked: Option<String>,
    },
    /// It could not be fetched.
    #[error("cannot reach '{source_name}': {reason}")]
    Unreachable {
        /// The marketplace.
        source_name: String,
        /// Its address as git needs it, without passwords.
        address: Option<String>,
        /// What git said.
        reason: String,
        /// What is the matter.
        why: Why,
    },
    /// git is not installed.
    #[error("cannot fetch '{source_name}': git is not installed, or not found")]
    GitMissing {
        /// The marketplace.
        source_name: String,
    },
    /// There is no folder for what is fetched.
    #[error("no folder for what is fetched: neither 'trace.cacheDir' nor HOME is set")]
    NoCacheFolder,
    /// No marketplace is known.
    #[error("no marketplaces are known")]
    NoneKnown,
    /// A marketplace is not among those that are known.
    #[error("'{text}' is not among the marketplaces that are known")]
    NotConfigured {
        /// As it was given.
        text: String,
    },
    /// A marketplace is known already.
    #[error("'{text}' is known already, in {scope} configuration")]
    AlreadyKnown {
        /// As it stands in the configuration.
        text: String,
        /// Whose configuration.
        scope: &'static str,
    },
    /// Its manifest is missing or unusable.
    #[error("'{source_name}' is no marketplace: {error}")]
    Manifest {
        /// The marketplace.
        source_name: String,
        /// What is wrong.
        error: ManifestError,
    },
    /// All else.
    #[error("cannot read '{source_name}': {error}")]
    Store {
        /// The marketplace.
        source_name: String,
        /// What went wrong.
        error: Box<StoreError>,
    },
}

/// Says what is the matter with a server that was not reached, as far as git's words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The network, or the server's name.
    Network,
    /// Who asks is not known there, or may not.
    Access,
    /// There is no such repository, or none that one may see.
    NotFound,
    /// The server has no such branch, tag or commit.
    NoSuchState,
    /// What came was not sound, and was not kept.
    Unsound,
    /// Something else.
    Other,
}

impl Why {
    /// Reads it out of what git said.
    pub fn of(said: &str) -> Self {
        let said = said.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if has(&["fsck", "bad pack", "index-pack", "bad object", "unpack"]) {
            Why::Unsound
        } else if has(&[
            "authentication failed",
            "permission denied",
            "could not read username",
            "could not read password",
            "403",
            "401",
            "host key verification",
            "terminal prompts disabled",
            "access denied",
        ]) {
            Why::Access
        } else if has(&[
            "repository not found",
            "does not appear to be a git repository",
            "not exported",
            "404",
            "does not exist",
            "no such",
        ]) {
            Why::NotFound
        } else if has(&["couldn't find remote ref", "no such branch"]) {
            Why::NoSuchState
        } else if has(&[
            "could not resolve",
            "unable to access",
            "couldn't connect",
            "failed to connect",
            "connection",
            "timed out",
            "timeout",
            "network",
            "unreachable",
            "ssl",
            "tls",
            "certificate",
            "early eof",
            "hung up",
            "no end after",
            "could not read from remote",
            "operation too slow",
        ]) {
            Why::Network
        } else {
            Why::Other
        }
    }
}

impl MarketError {
    /// Says why a fetch did not come about.
    pub(in crate::ops) fn of_store(source_name: &str, error: StoreError) -> Self {
        let source_name = source_name.to_owned();
        match error {
            StoreError::Unreachable { remote, reason } => {
                let why = Why::of(&reason);
                let address = remote.parse::<GitUrl>().ok().map(|url| url.public());
                MarketError::Unreachable { source_name, address, reason, why }
            }
            error @ StoreError::Slow { .. } => {
                let (address, reason) = (None, error.to_string());
                MarketError::Unreachable { source_name, address, reason, why: Why::Network }
            }
            StoreError::Ref { name, reason } if reason.contains("has no such branch") => {
                MarketError::NoCommit { source_name, asked: Some(name) }
            }
            StoreError::Git { reason, .. } if reason.contains("(os error 2)") => {
                MarketError::GitMissing { source_name }
            }
            error => MarketError::Store { source_name, error: Box::new(error) },
        }
    }

    /// Tells what the user can do about it.
    pub(in crate::ops) fn hints(&self) -> Vec<String> {
        match self {
            MarketError::Source(_) => {
                vec!["name one so: owner/repo, https://example.com/flows.git#v1, ./folder".to_owned()]
            }
            MarketError::NoCommit { asked: None, .. } => {
                vec!["what is committed is read, never the work tree: git commit first".to_owned()]
            }
            MarketError::Offline { .. } => {
                vec!["fetch it: git trace marketplace refresh, or leave out --offline".to_owned()]
            }
            MarketError::Unreachable { why, address, .. } => match why {
                Why::Access => vec![match address {
                    Some(address) => {
                        let quoted = shlex::try_quote(address).unwrap_or_else(|_| address.into());
                        format!("see whether git itself may: git ls-remote {quoted}")
                    }
                    None => "see whether git itself may, with git ls-remote and its address".to_owned(),
                }],
                Why::NotFound => vec!["look at its address: git trace marketplace list".to_owned()],
                Why::Unsound => vec!["nothing of it was kept; tell who runs that repository".to_owned()],
                _ => vec!["what was fetched before is still there: --offline uses it".to_owned()],
            },
            MarketError::GitMissing { .. } => vec!["install git; marketplaces of this machine need none".to_owned()],
            MarketError::NoCacheFolder => vec!["name one: git config --global trace.cacheDir <folder>".to_owned()],
            MarketError::NoneKnown => {
                vec!["add one: git trace marketplace add <owner/repo, address or path>".to_owned()]
            }
            MarketError::NotConfigured { .. } => vec!["see which are: git trace marketplace list".to_owned()],
            MarketError::AlreadyKnown { .. } => vec!["to fetch it: git trace marketplace refresh".to_owned()],
            MarketError::Store { error, .. } => error.hint().into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_git_that_is_not_there_is_missing() {
        for (number, is_missing) in [(2, true), (24, false), (28, false)] {
            let reason = std::io::Error::from_raw_os_error(number).to_string();
            let error = MarketError::of_store("x", StoreError::Git { command: "fetch".to_owned(), reason });
            assert_eq!(matches!(error, MarketError::GitMissing { .. }), is_missing, "{number}: {error}");
        }
    }

    #[test]
    fn what_is_to_be_tried_names_an_address_and_no_password() {
        let denied = |remote: &str| {
            let (remote, reason) = (remote.to_owned(), "Authentication failed".to_owned());
            MarketError::of_store("acme/flows", StoreError::Unreachable { remote, reason }).hints().join(" ")
        };
        assert!(
            denied("https://github.com/acme/flows.git").ends_with("git ls-remote https://github.com/acme/flows.git")
        );
        assert!(denied("https://token@h/x?key=k").ends_with("git ls-remote https://h/x"));
    }

    #[test]
    fn what_git_says_is_understood() {
        for (said, why) in [
            ("fatal: unable to access https://x", Why::Network),
            ("Could not resolve host: x", Why::Network),
            ("Permission denied (publickey)", Why::Access),
            ("remote: Repository not found.", Why::NotFound),
            ("Authentication failed", Why::Access),
            ("fatal: couldn't find remote ref nope", Why::NoSuchState),
            ("error: object 1: hasDotdot: contains '..' · fatal: fsck error in packed object", Why::Unsound),
            ("disk full", Why::Other),
        ] {
            assert_eq!(Why::of(said), why, "{said}");
        }
    }
}
