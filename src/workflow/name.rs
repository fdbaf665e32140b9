//! Names of workflows, plugins, owners and repositories.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many near names are told.
const NEAR_MAX: usize = 3;
/// How alike a near name has to be, from 0 to 1.
const NEAR_LEAST: f64 = 0.7;
/// How many names are compared when near ones are looked for.
const COMPARED_MAX: usize = 20_000;

/// Is a name that can be a folder, a part of a ref and an operand without being taken for anything else.
///
/// It has 1 to 100 characters of `A-Z a-z 0-9 _ . -`, begins with a letter, a digit or `_`, does not end in `.` or
/// `.lock`, and does not hold `..`. Case counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Says that a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a name: '{text}'")]
pub struct NameError {
    /// The text as given.
    pub text: String,
}

impl Name {
    /// Longest name, in bytes.
    pub const MAX: usize = 100;

    /// Makes a name of a text that is one.
    pub(super) fn from_static(text: &'static str) -> Self {
        text.parse().expect("a name of our own")
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let first = text.bytes().next();
        let sound = text.len() <= Name::MAX
            && first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && text.bytes().all(inner)
            && !text.contains("..")
            && !text.ends_with('.')
            && !text.ends_with(".lock");
        if sound { Ok(Name(text.to_owned())) } else { Err(NameError { text: text.to_owned() }) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Returns the names that somebody who wrote `wanted` may have meant, the likeliest first, at most three.
pub fn near_names<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted: String = wanted.chars().take(Name::MAX).collect::<String>().to_lowercase();
    let mut near: Vec<(f64, &str)> = Vec::new();
    for name in names.into_iter().take(COMPARED_MAX).filter(|name| name.len() <= Name::MAX) {
        let lower = name.to_lowercase();
        let begun = wanted.len() > 2 && (lower.starts_with(&wanted) || wanted.starts_with(&lower));
        let alike = strsim::normalized_damerau_levenshtein(&wanted, &lower).max(if begun { NEAR_LEAST } else { 0.0 });
        if alike >= NEAR_LEAST && !near.iter().any(|(_, known)| *known == name) {
            near.push((alike, name));
        }
    }
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
    near.into_iter().take(NEAR_MAX).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_hurt_are_refused() {
        for good in ["deploy", "Deploy_2", "a.b", "_x", "9", "e2e-test-builder"] {
            assert_eq!(good.parse::<Name>().map(String::from), Ok(good.to_owned()));
        }
        let long = "x".repeat(Name::MAX + 1);
        for bad in ["", ".", "..", ".git", "-x", "a..b", "a.", "x.lock", "a/b", "a\\b", "a b", "a\n", "é", "a@b", &long]
        {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }

    #[test]
    fn near_names_are_what_may_have_been_meant() {
        let names = ["deploy", "deploy-web", "review", "destroy", "Deploy"];
        assert_eq!(near_names("depoly", names), ["Deploy", "deploy"]);
        assert_eq!(near_names("DEPLOY", names)[..2], ["Deploy", "deploy"]);
        assert_eq!(near_names("dep", names), ["Deploy", "deploy", "deploy-web"]);
        assert!(near_names("zzz", names).is_empty() && near_names("", names).is_empty());
    }
}
