//! Ranges of history in git's language: `A..B`, `A...B`, `^A`, `A^!`.

use super::{OpError, Workspace};
use crate::model::ObjectId;

/// Holds one word of git's language of ranges, not yet looked up.
///
/// ```
/// use git_trace::ops::RevisionRange;
///
/// let range = RevisionRange::parse("main..idea");
/// assert_eq!(range, RevisionRange::Between { from: "main".to_owned(), to: "idea".to_owned() });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevisionRange {
    /// `A`: what A can reach.
    Reachable(String),
    /// `^A`: without what A can reach.
    Hidden(String),
    /// `A..B`: what B can reach and A cannot; a side that is left out is HEAD.
    Between {
        /// What is left out.
        from: String,
        /// What is shown.
        to: String,
    },
    /// `A...B`: what one of them can reach and not both.
    Symmetric {
        /// One side.
        left: String,
        /// The other side.
        right: String,
    },
    /// `A^!`: A alone.
    Alone(String),
    /// `A^@`: what A's parents can reach.
    Parents(String),
}

/// Holds the two ends of a part of history: what the tips can reach and the hidden commits cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// Where it begins, newest.
    pub tips: Vec<ObjectId>,
    /// What is left out, with all below it.
    pub hidden: Vec<ObjectId>,
}

impl RevisionRange {
    /// Reads a word; whether its revisions exist is not looked at.
    pub fn parse(text: &str) -> Self {
        let side = |name: &str| if name.is_empty() { "HEAD".to_owned() } else { name.to_owned() };
        // The words of a message may hold anything. `..` alone is no range in git either.
        if text.starts_with(":/") || text == ".." {
            return RevisionRange::Reachable(text.to_owned());
        }
        if let Some((left, right)) = outside_braces(text) {
            return match right.strip_prefix('.') {
                Some(right) => RevisionRange::Symmetric { left: side(left), right: side(right) },
                None => RevisionRange::Between { from: side(left), to: side(right) },
            };
        }
        if let Some(name) = text.strip_prefix('^') {
            RevisionRange::Hidden(name.to_owned())
        } else if let Some(name) = text.strip_suffix("^!") {
            RevisionRange::Alone(side(name))
        } else if let Some(name) = text.strip_suffix("^@") {
            RevisionRange::Parents(side(name))
        } else {
            RevisionRange::Reachable(text.to_owned())
        }
    }

    /// Finds the commits at the ends.
    ///
    /// # Errors
    /// When a revision names nothing.
    pub fn resolve(&self, workspace: &Workspace) -> Result<Span, OpError> {
        let one = |name: &str| workspace.resolve(name);
        let (tips, hidden) = match self {
            RevisionRange::Reachable(name) => (vec![one(name)?], Vec::new()),
            RevisionRange::Hidden(name) => (Vec::new(), vec![one(name)?]),
            RevisionRange::Between { from, to } => (vec![one(to)?], vec![one(from)?]),
            RevisionRange::Symmetric { left, right } => {
                let (left, right) = (one(left)?, one(right)?);
                (vec![left, right], workspace.repo.merge_bases(left, right)?)
            }
            RevisionRange::Alone(name) => {
                let commit = workspace.commit(Some(name))?;
                (vec![commit.id], commit.parents)
            }
            RevisionRange::Parents(name) => (workspace.commit(Some(name))?.parents, Vec::new()),
        };
        Ok(Span { tips, hidden })
    }
}

impl Span {
    /// Finds the ends of what several words name together; HEAD's history if they name no tip.
    ///
    /// # Errors
    /// When a revision names nothing.
    pub fn of(workspace: &Workspace, words: &[String]) -> Result<Self, OpError> {
        let mut all = Span::default();
        let mut named = false;
        for word in words {
            let range = RevisionRange::parse(word);
            named |= !matches!(range, RevisionRange::Hidden(_));
            let span = range.resolve(workspace)?;
            all.tips.extend(span.tips);
            all.hidden.extend(span.hidden);
        }
        if !named {
            all.tips.push(workspace.resolve("HEAD")?);
        }
        Ok(all)
    }
}

/// Splits at the first `..` that is not within `{…}`, where dates and words of messages stand.
fn outside_braces(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, one) in text.bytes().enumerate() {
        match one {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'.' if depth == 0 && text.as_bytes().get(at + 1) == Some(&b'.') => {
                return Some((&text[..at], &text[at + 2..]));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_git_reads_them() {
        let between = |from: &str, to: &str| RevisionRange::Between { from: from.to_owned(), to: to.to_owned() };
        let symmetric =
            |left: &str, right: &str| RevisionRange::Symmetric { left: left.to_owned(), right: right.to_owned() };
        let plain = |name: &str| RevisionRange::Reachable(name.to_owned());
        assert_eq!(RevisionRange::parse("a..b"), between("a", "b"));
        assert_eq!(RevisionRange::parse("a.."), between("a", "HEAD"));
        assert_eq!(RevisionRange::parse("..b~1"), between("HEAD", "b~1"));
        assert_eq!(RevisionRange::parse("a...b"), symmetric("a", "b"));
        assert_eq!(RevisionRange::parse("..."), symmetric("HEAD", "HEAD"));
        assert_eq!(RevisionRange::parse("a@{1..2}"), plain("a@{1..2}"));
        assert_eq!(RevisionRange::parse("a@{2 days ago}..b"), between("a@{2 days ago}", "b"));
        assert_eq!(RevisionRange::parse(":/fix..it"), plain(":/fix..it"));
        assert_eq!(RevisionRange::parse(".."), plain(".."));
        assert_eq!(RevisionRange::parse("^a"), RevisionRange::Hidden("a".to_owned()));
        assert_eq!(RevisionRange::parse("a^!"), RevisionRange::Alone("a".to_owned()));
        assert_eq!(RevisionRange::parse("^@"), RevisionRange::Hidden("@".to_owned()));
        assert_eq!(RevisionRange::parse("a~2^@"), RevisionRange::Parents("a~2".to_owned()));
    }
}
