//! What a rule is: the words that wake it, and how the secret is then found.

use std::ops::Range;

use super::shape::Shape;

/// One kind of secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Stable name, shown in markers and reports.
    pub id: &'static str,
    /// ASCII words, matched without regard to case, one of which must be in the text before the rule is tried.
    pub words: &'static [&'static str],
    /// How the secret is found around a word.
    pub find: Find,
    /// Least Shannon entropy of the secret, bits per byte; 0 asks nothing.
    pub entropy: f32,
    /// Whether the word may start inside another word.
    pub inner: bool,
    /// Whether the secret must have a digit.
    pub digits: bool,
}

/// How a rule finds its secret once one of its words was seen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Find {
    /// A pattern that starts where the word starts and ends within the same run of token bytes. Group 1, if it is
    /// there, is the secret.
    Token(&'static str),
    /// A pattern searched from `before` bytes before the word to `after` bytes behind it.
    Near {
        /// Bytes looked at before the word.
        before: usize,
        /// Bytes looked at from the word's start.
        after: usize,
        /// The pattern; it must touch the word.
        pattern: &'static str,
    },
    /// A value of this shape assigned to a name that holds the word, as in `OKTA_TOKEN=…`.
    Assigned(Shape),
    /// Code of its own, for what a pattern cannot say.
    Code(Finder),
}

/// Looks at the word found at `word` and adds the secrets near it to `found`; returns the position before which it
/// need not be asked again.
pub(super) type Finder = fn(text: &[u8], word: Range<usize>, found: &mut Vec<Range<usize>>) -> usize;

/// Makes a rule for a token that is known by its prefix.
pub(super) const fn token(id: &'static str, words: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { id, words, find: Find::Token(pattern), entropy: 0.0, inner: false, digits: false }
}

/// Makes a rule for a pattern around a word.
pub(super) const fn near(
    id: &'static str,
    words: &'static [&'static str],
    before: usize,
    after: usize,
    pattern: &'static str,
) -> Rule {
    Rule { id, words, find: Find::Near { before, after, pattern }, entropy: 0.0, inner: true, digits: false }
}

/// Makes a rule for a value assigned to a name that holds a vendor's name.
pub(super) const fn assigned(id: &'static str, words: &'static [&'static str], shape: Shape) -> Rule {
    Rule { id, words, find: Find::Assigned(shape), entropy: 2.5, inner: true, digits: false }
}

/// Makes a rule that is code.
pub(super) const fn code(id: &'static str, words: &'static [&'static str], finder: Finder) -> Rule {
    Rule { id, words, find: Find::Code(finder), entropy: 0.0, inner: true, digits: false }
}

impl Rule {
    /// Asks for at least `bits` of entropy per byte.
    pub(super) const fn entropy(mut self, bits: f32) -> Self {
        self.entropy = bits;
        self
    }

    /// Asks for a digit in the secret.
    pub(super) const fn digits(mut self) -> Self {
        self.digits = true;
        self
    }

    /// Lets the word start inside another word.
    pub(super) const fn inner(mut self) -> Self {
        self.inner = true;
        self
    }
}
