//! The type that says "this went through the redactor".

use std::borrow::Cow;

/// A value that a [`Redactor`](super::Redactor) has seen: what may be written to a repository.
///
/// Only this room can make one, so a function that takes `Redacted<T>` cannot be given text that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<T> {
    inner: T,
    findings: Vec<Finding>,
}

/// One secret that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Name of the rule that found it, such as `github-pat`.
    pub rule: Cow<'static, str>,
    /// First byte of the secret in the input.
    pub start: usize,
    /// Byte behind the secret in the input.
    pub end: usize,
}

impl<T> Redacted<T> {
    /// Marks a value as seen.
    pub(super) const fn new(inner: T, findings: Vec<Finding>) -> Self {
        Self { inner, findings }
    }

    /// What was found and replaced, in the order of the input. Positions count bytes of the input.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The value, borrowed.
    pub const fn as_inner(&self) -> &T {
        &self.inner
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T> AsRef<T> for Redacted<T> {
    fn as_ref(&self) -> &T {
        &self.inner
    }
}
