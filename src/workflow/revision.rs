//! Which state of a repository is meant.

use std::fmt;
use std::str::FromStr;

use crate::model::ObjectId;

/// Is the name of a branch or a tag, a full name of a ref, or the id of a commit, that git cannot take for an option
/// or for an expression.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(String);

/// Says that a text cannot name a state of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a branch, a tag or a commit: '{text}'")]
pub struct RevisionError {
    /// The text as given.
    pub text: String,
}

impl Revision {
    /// Longest name, in bytes.
    pub const MAX: usize = 250;

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id of the commit, if it is named by its full id.
    pub fn commit(&self) -> Option<ObjectId> {
        self.0.parse().ok()
    }
}

impl From<ObjectId> for Revision {
    fn from(commit: ObjectId) -> Self {
        Revision(commit.to_string())
    }
}

impl FromStr for Revision {
    type Err = RevisionError;

    /// Keeps to git's own rules for names of refs, without `#`, which divides here.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_odd = |one: char| one.is_control() || one.is_whitespace() || "~^:?*[\\#".contains(one);
        let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
        let sound = (1..=Revision::MAX).contains(&text.len())
            && !text.starts_with('-')
            && !text.contains(is_odd)
            && !text.contains("..")
            && !text.contains("@{")
            && !text.ends_with('.')
            && text != "@"
            && text.split('/').all(part);
        if sound { Ok(Revision(text.to_owned())) } else { Err(RevisionError { text: text.to_owned() }) }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_get_through() {
        for good in ["main", "v1.2.0", "feature/x", "refs/heads/main", "release@2", "deploy--v1.0.0", "é"] {
            assert!(good.parse::<Revision>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-x",
            "--upload-pack=touch x",
            "a b",
            "a..b",
            "HEAD~1",
            "a^",
            "a:b",
            "@",
            "@{u}",
            "x@{1}",
            "a//b",
            "/a",
            "a/",
            ".a",
            "a/.b",
            "a.lock",
            "a.",
            "a\n",
            "a#b",
            "a?",
            "a*",
            "[a",
            "a\\b",
        ] {
            assert!(bad.parse::<Revision>().is_err(), "{bad}");
        }
        let id = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(id.parse::<Revision>().expect("a commit").commit().map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!("main".parse::<Revision>().expect("a branch").commit(), None);
    }
}
