//! Which versions somebody asks for.

use std::fmt;
use std::str::FromStr;

use super::Version;

/// Most ranges that are joined by `||`.
const ALTERNATIVES_MAX: usize = 16;

/// Says which versions will do: one (`1.2.0`, `v1.2.0`, `=1.2.0`), those that begin alike (`1`, `1.2`, `1.x`), a range
/// (`^1.2`, `~1.2`, `>=1,<2`, `^1 || ^2`), the newest release (`latest`), or any other text, which is a version that is
/// written just so.
///
/// Versions before a release (`2.0.0-rc.1`) will do only where such a version is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    text: String,
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Wanted {
    Latest,
    Exactly(semver::Version),
    Ranges(Vec<semver::VersionReq>),
    Text,
}

/// Says that a text cannot say which versions will do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a version or range: '{text}'")]
pub struct RequirementError {
    /// The text as given.
    pub text: String,
}

impl Requirement {
    /// Tells whether a version will do.
    pub fn accepts(&self, version: &Version) -> bool {
        if version.as_str() == self.text {
            return true;
        }
        match (&self.wanted, version.semver()) {
            (Wanted::Latest, _) => !version.is_pre_release(),
            // The build is no part of what is older or newer, but whoever names one wants that one.
            (Wanted::Exactly(wanted), Some(version)) if wanted.build.is_empty() => {
                wanted.cmp_precedence(version).is_eq()
            }
            (Wanted::Exactly(wanted), Some(version)) => wanted == version,
            (Wanted::Ranges(ranges), Some(version)) => ranges.iter().any(|range| range.matches(version)),
            (Wanted::Text, _) | (_, None) => false,
        }
    }

    /// Tells whether only one version can do, so that nothing newer is looked for once it is found.
    pub fn is_exact(&self) -> bool {
        matches!(self.wanted, Wanted::Exactly(_) | Wanted::Text)
    }

    /// Tells whether the newest release is asked for, whatever its version.
    pub fn is_latest(&self) -> bool {
        self.wanted == Wanted::Latest
    }

    /// Returns the newest of the versions that will do.
    pub fn best<'a, T>(&self, versions: impl IntoIterator<Item = (T, &'a Version)>) -> Option<T> {
        let fitting = versions.into_iter().filter(|(_, version)| self.accepts(version));
        // Of equals the first: `max_by` alone would take the last.
        fitting.reduce(|best, next| if next.1.by_age(best.1).is_gt() { next } else { best }).map(|(item, _)| item)
    }

    /// Returns the text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let text = given.trim();
        let inner = |one: char| one.is_ascii_alphanumeric() || " .+_-^~<>=*,|@".contains(one);
        let sound = (1..=Version::MAX).contains(&text.len())
            && text.chars().all(inner)
            && text.bytes().any(|byte| byte.is_ascii_alphanumeric() || byte == b'*')
            && !text.starts_with(['-', '.', '@'])
            && !text.ends_with('@');
        if !sound {
            return Err(RequirementError { text: given.to_owned() });
        }
        Ok(Requirement { text: text.to_owned(), wanted: wanted(text) })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

fn wanted(text: &str) -> Wanted {
    if text == "latest" {
        return Wanted::Latest;
    }
    let bare = text.strip_prefix('=').unwrap_or(text).trim_start();
    if let Ok(version) = semver::Version::parse(bare.strip_prefix(['v', 'V']).unwrap_or(bare)) {
        return Wanted::Exactly(version);
    }
    let alternatives: Vec<&str> = text.split("||").collect();
    let ranges: Option<Vec<_>> = alternatives.iter().map(|part| range(part)).collect();
    match ranges {
        Some(ranges) if ranges.len() <= ALTERNATIVES_MAX => Wanted::Ranges(ranges),
        _ => Wanted::Text,
    }
}

/// Reads one range, its comparisons divided by commas or, as npm has it, by blanks.
fn range(text: &str) -> Option<semver::VersionReq> {
    let mut comparisons: Vec<String> = Vec::new();
    let mut operator = String::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        if word.chars().all(|one| "<>=^~".contains(one)) {
            operator.push_str(word);
            continue;
        }
        comparisons.push(comparison(&std::mem::take(&mut operator), word));
    }
    if comparisons.is_empty() || !operator.is_empty() {
        return None;
    }
    semver::VersionReq::parse(&comparisons.join(", ")).ok()
}

/// Writes one comparison as the crate `semver` reads it: there a bare `1.2` would mean `^1.2`, and `v1` nothing.
fn comparison(operator: &str, word: &str) -> String {
    let split = word.find(|one: char| !"<>=^~".contains(one)).unwrap_or(word.len());
    let (own, version) = word.split_at(split);
    let version = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let operator = format!("{operator}{own}");
    let wild = version.split('.').any(|part| matches!(part, "*" | "x" | "X"));
    if operator.is_empty() && !wild { format!("={version}") } else { format!("{operator}{version}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepts(requirement: &str, version: &str) -> bool {
        let requirement: Requirement = requirement.parse().expect("a requirement");
        requirement.accepts(&Version::parse(version).expect("a version"))
    }

    #[test]
    fn ranges_mean_what_they_mean_elsewhere() {
        let rows = [
            ("1.2.0", "1.2.0", true),
            ("1.2.0", "1.2.1", false),
            ("v1.2.0", "1.2.0", true),
            ("=1.2.0", "v1.2.0", true),
            ("1.2.0", "1.2.0+build", true),
            ("1.2.0+a", "1.2.0", false),
            ("1.2.0+a", "1.2.0+a", true),
            ("^1.2", "1.9.0", true),
            ("^1.2", "2.0.0", false),
            ("^1.2", "1.1.9", false),
            ("^0.2.1", "0.3.0", false),
            ("~1.2", "1.2.9", true),
            ("~1.2", "1.3.0", false),
            (">=1,<2", "1.5.0", true),
            (">=1,<2", "2.0.0", false),
            (">=1 <2", "1.5.0", true),
            (">= 1.0.0 < 2.0.0", "1.5.0", true),
            ("^1 || ^3", "3.1.0", true),
            ("^1 || ^3", "2.1.0", false),
            ("1", "1.9.0", true),
            ("1.2", "1.3.0", false),
            ("1.x", "1.3.0", true),
            ("*", "7.0.0", true),
            ("latest", "7.0.0", true),
            ("latest", "7.0.0-rc.1", false),
            ("^7.0.0", "7.0.0-rc.1", false),
            ("^7.0.0-rc.0", "7.0.0-rc.1", true),
            ("7.0.0-rc.1", "7.0.0-rc.1", true),
            ("nightly", "nightly", true),
            ("nightly", "1.0.0", false),
            ("1.0", "1.0", true),
            ("1.0.0@x", "1.0.0", false),
        ];
        for (requirement, version, expected) in rows {
            assert_eq!(accepts(requirement, version), expected, "{requirement} {version}");
        }
    }

    #[test]
    fn the_newest_that_fits_is_best() {
        let versions = ["1.0.0", "2.0.0", "1.10.0", "1.9.0", "3.0.0-rc.1", "odd"]
            .map(|text| Version::parse(text).expect("a version"));
        let best = |text: &str| {
            let requirement: Requirement = text.parse().expect("a requirement");
            requirement.best(versions.iter().map(|version| (version.as_str(), version)))
        };
        assert_eq!(best("^1"), Some("1.10.0"));
        assert_eq!(best("latest"), Some("2.0.0"));
        assert_eq!(best("odd"), Some("odd"));
        assert_eq!(best("^4"), None);
    }

    #[test]
    fn what_says_nothing_is_refused() {
        for bad in ["", " ", "-1", "..", "@", "a/b", "a:b", "1\n2", "<>", "é", "1@", &"1".repeat(101)] {
            assert!(bad.parse::<Requirement>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}", version in "[ -~]{1,20}") {
            if let Ok(requirement) = text.parse::<Requirement>() {
                prop_assert_eq!(requirement.to_string().parse::<Requirement>(), Ok(requirement.clone()));
                if let Ok(version) = Version::parse(&version) {
                    requirement.accepts(&version);
                }
            }
        }
    }
}
