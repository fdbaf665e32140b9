//! The lasting name of what a commit changes, whatever it stands on.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::line::normal_lines;

/// Names a change by its files and its lines, without white space and without where they stand: a rebase, a cherry-pick or
/// another message leave it as it is.
///
/// It is no `git patch-id`: that depends on the context of the hunks, and on how they are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PatchId(String);

/// One file of a change.
#[derive(Debug, Clone, Copy)]
pub struct PatchFile<'a> {
    /// Its path.
    pub path: &'a str,
    /// What it held; `None` if it was not there, or is no text.
    pub old: Option<&'a str>,
    /// What it holds.
    pub new: Option<&'a str>,
    /// Names of its two contents, for what is no text.
    pub contents: &'a str,
}

/// Names a change; `None` for one whose lines only changed places.
pub fn patch_id(files: &[PatchFile<'_>]) -> Option<PatchId> {
    let mut files = files.to_vec();
    files.sort_by_key(|file| file.path);
    let mut hasher = blake3::Hasher::new();
    let mut put = |kind: &str, text: &str| {
        hasher.update(kind.as_bytes());
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    let mut is_empty = true;
    for file in files {
        let (removed, added) = difference(file.old.unwrap_or_default(), file.new.unwrap_or_default());
        let is_text = file.old.is_some() || file.new.is_some();
        if is_text && removed.is_empty() && added.is_empty() {
            continue;
        }
        is_empty = false;
        put("file", file.path);
        if !is_text {
            put("contents", file.contents);
        }
        removed.iter().for_each(|line| put("-", line));
        added.iter().for_each(|line| put("+", line));
    }
    (!is_empty).then(|| PatchId(hasher.finalize().to_hex()[..40].to_owned()))
}

/// Returns the lines that only one of two texts has, each as often as it has it more, in their order; empty lines do not
/// count.
fn difference(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let lines =
        |text: &str| -> Vec<String> { normal_lines(text).into_iter().filter(|line| !line.is_empty()).collect() };
    let (old, new) = (lines(old), lines(new));
    let beyond = |lines: &[String], others: &[String]| {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        others.iter().for_each(|line| *counts.entry(line).or_default() += 1);
        let mut rest = Vec::new();
        for line in lines {
            match counts.get_mut(line.as_str()).filter(|count| **count > 0) {
                Some(count) => *count -= 1,
                None => rest.push(line.clone()),
            }
        }
        rest
    };
    (beyond(&old, &new), beyond(&new, &old))
}

impl PatchId {
    /// Reads an id: 40 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        valid.then(|| PatchId(text.to_owned()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(old: &str, new: &str) -> Option<PatchId> {
        patch_id(&[PatchFile { path: "a", old: Some(old), new: Some(new), contents: "" }])
    }

    #[test]
    fn an_id_is_that_of_the_change_not_of_the_place() {
        let plain = id("a\nb\n", "a\nx\nb\n").expect("a change");
        assert_eq!(id("top\n\na\nb\nc\n", "top\n\na\n\t x\nb\nc\n"), Some(plain.clone()));
        assert_ne!(id("a\nb\n", "a\ny\nb\n"), Some(plain.clone()));
        assert_eq!(id("a\nb\n", "b\na\n"), None);
        assert_eq!(PatchId::parse(plain.as_str()), Some(plain));
        assert_eq!(PatchId::parse("../x"), None);
        let binary = |contents| patch_id(&[PatchFile { path: "a", old: None, new: None, contents }]);
        assert_ne!(binary("1 2"), binary("1 3"));
    }
}
