//! Versions, and the tags that name them.

use std::cmp::Ordering;
use std::fmt;

use super::Name;

/// Holds a version as its owner wrote it: semver wherever it can be read as that, else any text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version {
    text: String,
    semver: Option<semver::Version>,
}

/// Says that a text cannot be a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a version: '{text}'")]
pub struct VersionError {
    /// The text as given.
    pub text: String,
}

impl Version {
    /// Longest version, in bytes.
    pub const MAX: usize = 100;

    /// Reads a version. `v1.2.0` is the version 1.2.0, and so are `1.2` and `1` the versions 1.2.0 and 1.0.0.
    ///
    /// # Errors
    /// When it is empty, too long, or holds blanks or control characters.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let sound = (1..=Version::MAX).contains(&text.len())
            && !text.chars().any(|one| one.is_control() || one.is_whitespace())
            && !text.starts_with('-');
        if !sound {
            return Err(VersionError { text: text.to_owned() });
        }
        Ok(Version { text: text.to_owned(), semver: lenient(text) })
    }

    /// Returns the version as its owner wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the version as semver, if it can be read as that.
    pub(super) fn semver(&self) -> Option<&semver::Version> {
        self.semver.as_ref()
    }

    /// Tells whether it is one that comes before a release (`1.0.0-rc.1`).
    pub fn is_pre_release(&self) -> bool {
        self.semver.as_ref().is_some_and(|version| !version.pre.is_empty())
    }

    /// Compares two versions by age: semver's order, and before it all that is no semver, in the order of its text.
    pub fn by_age(&self, other: &Self) -> Ordering {
        match (&self.semver, &other.semver) {
            (Some(one), Some(two)) => one.cmp_precedence(two),
            (Some(_), None) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (None, None) => self.text.cmp(&other.text),
        }
    }

    /// Tells whether two texts name one version: `v1.2.0` is `1.2`.
    pub fn is_same(&self, other: &Self) -> bool {
        self.text == other.text || (self.semver.is_some() && self.semver == other.semver)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Reads semver, with a `v` before it and with parts missing.
fn lenient(text: &str) -> Option<semver::Version> {
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    if let Ok(version) = semver::Version::parse(bare) {
        return Some(version);
    }
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = bare.split('.').collect();
    match parts.as_slice() {
        [major] if number(major) => semver::Version::parse(&format!("{major}.0.0")).ok(),
        [major, minor] if number(major) && number(minor) => semver::Version::parse(&format!("{major}.{minor}.0")).ok(),
        _ => None,
    }
}

/// Is a tag that names a version of a workflow or a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagVersion {
    /// The tag, without `refs/tags/`.
    pub tag: String,
    /// The version that it names.
    pub version: Version,
    /// Whether it names that workflow (`deploy--v1.2.0`, `deploy-v1.2.0`) and not the whole marketplace (`v1.2.0`).
    pub own: bool,
}

impl TagVersion {
    /// Reads a tag; `None` if it names no full version of `name`. What is before the version decides: `<name>--v`,
    /// `<name>-v`, `v` or nothing. Tags that move along, such as `v1`, are none.
    pub fn read(tag: &str, name: &Name) -> Option<Self> {
        let (text, own) = match tag.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('-')) {
            Some(rest) => (rest.strip_prefix("-v").or_else(|| rest.strip_prefix('v'))?, true),
            None => (tag.strip_prefix('v').unwrap_or(tag), false),
        };
        semver::Version::parse(text).ok()?;
        Some(TagVersion { tag: tag.to_owned(), version: Version::parse(text).ok()?, own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).expect("a version")
    }

    #[test]
    fn versions_are_in_order_of_age() {
        let mut versions: Vec<Version> =
            ["1.0.0", "v1.10", "main-2", "1.2.0", "2.0.0-rc.1", "2", "1.2.0-beta", "abc"].map(version).into();
        versions.sort_by(Version::by_age);
        let texts: Vec<&str> = versions.iter().map(Version::as_str).collect();
        assert_eq!(texts, ["abc", "main-2", "1.0.0", "1.2.0-beta", "1.2.0", "v1.10", "2.0.0-rc.1", "2"]);
        assert!(version("v1.2").is_same(&version("1.2.0")) && !version("1.2.0+a").is_same(&version("1.2.0+b")));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for bad in ["", " 1", "1\n", "-1", &"1".repeat(101)] {
            assert!(Version::parse(bad).is_err(), "{bad}");
        }
        assert!(version("99999999999999999999.0.0").semver().is_none(), "numbers that are too large are only text");
    }

    #[test]
    fn tags_name_versions() {
        let name: Name = "deploy".parse().expect("a name");
        let read = |tag: &str| TagVersion::read(tag, &name).map(|read| (read.version.to_string(), read.own));
        assert_eq!(read("deploy--v1.2.0"), Some(("1.2.0".to_owned(), true)));
        assert_eq!(read("deploy-v1.2.0-rc.1"), Some(("1.2.0-rc.1".to_owned(), true)));
        assert_eq!(read("v1.2.0"), Some(("1.2.0".to_owned(), false)));
        assert_eq!(read("1.2.0"), Some(("1.2.0".to_owned(), false)));
        for other in ["deploy-web--v1.0.0", "deploy-1.0.0", "v1", "v1.2", "latest", "deploy", "", "review--v1.0.0"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
