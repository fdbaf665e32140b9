//! Personal paths: `/home/alice/x` reads `~/x`.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

/// The home directories to be replaced.
#[derive(Debug, Clone)]
pub(super) struct Homes(AhoCorasick);

/// What stands in the place of a home directory.
pub(super) const MARK: &[u8] = b"~";

impl Homes {
    /// Takes directories (`/home/alice`, `C:\Users\alice`) and user names (`alice`, which stands for the usual
    /// directories of that user). `None` when there are none.
    pub(super) fn new(homes: &[String]) -> Option<Self> {
        let mut directories: Vec<String> = Vec::new();
        for home in homes {
            let home = home.trim_end_matches(['/', '\\']);
            if home.is_empty() {
                continue;
            }
            if home.contains(['/', '\\']) {
                directories.push(home.to_owned());
            } else {
                for parent in ["/home/", "/Users/", "C:\\Users\\", "/c/Users/", "/mnt/c/Users/"] {
                    directories.push(format!("{parent}{home}"));
                }
            }
        }
        // In source text a backslash is often written twice.
        let twice: Vec<String> =
            directories.iter().filter(|d| d.contains('\\')).map(|d| d.replace('\\', "\\\\")).collect();
        directories.extend(twice);
        if directories.is_empty() {
            return None;
        }
        AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(directories).ok().map(Self)
    }

    /// Finds every home directory that is a whole part of a path.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        self.0
            .find_iter(text)
            .map(|found| found.range())
            .filter(|range| {
                let begins = text[..range.start].last().is_none_or(|b| !matches!(b, b'.' | b'~' | b'_' | b'-'))
                    && super::boundary::starts_token(text, range.start);
                let ends =
                    text.get(range.end).is_none_or(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'-' | b'.'));
                begins && ends
            })
            .collect()
    }
}
