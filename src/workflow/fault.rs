//! What is wrong in a file of somebody else's, and where.

use std::fmt;

/// Most faults that are told of a document.
pub(super) const FAULTS_MAX: usize = 100;

/// Most characters of a name that are told of.
const PART_MAX: usize = 200;

/// Says how much a fault matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// What stands there is understood, or left out, and all else is as it was meant.
    Warning,
    /// The thing that it is in cannot be used.
    Error,
}

/// Says what is wrong at one place of a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a JSON pointer (RFC 6901); the whole document is `""`.
    pub pointer: String,
    /// What, in git's manner.
    pub text: String,
    /// How much it matters.
    pub severity: Severity,
}

impl Fault {
    /// Makes a fault that can be lived with.
    pub fn warning(pointer: impl Into<String>, text: impl Into<String>) -> Self {
        Fault { pointer: pointer.into(), text: text.into(), severity: Severity::Warning }
    }

    /// Makes a fault that cannot.
    pub fn error(pointer: impl Into<String>, text: impl Into<String>) -> Self {
        Fault { pointer: pointer.into(), text: text.into(), severity: Severity::Error }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() { f.write_str(&self.text) } else { write!(f, "{}: {}", self.pointer, self.text) }
    }
}

/// Leaves out what is more than anybody reads.
pub(super) fn bounded(mut faults: Vec<Fault>) -> Vec<Fault> {
    if faults.len() > FAULTS_MAX {
        let more = faults.len() - (FAULTS_MAX - 1);
        faults.truncate(FAULTS_MAX - 1);
        faults.push(Fault::warning("", format!("has {more} more faults")));
    }
    faults
}

/// Appends the name of a member, or the number of an element, to a JSON pointer; a name that is too long for anybody is cut.
pub(super) fn below(pointer: &str, name: impl fmt::Display) -> String {
    let name = name.to_string();
    let (part, more) = match name.char_indices().nth(PART_MAX) {
        Some((end, _)) => (&name[..end], "…"),
        None => (name.as_str(), ""),
    };
    format!("{pointer}/{}{more}", part.replace('~', "~0").replace('/', "~1"))
}

/// Returns what a fault says of a value that is of another type than it should be.
pub(super) fn not_a(wanted: &str, found: &serde_json::Value) -> String {
    let found = match found {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "true or false",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "an array",
        serde_json::Value::Object(_) => "an object",
    };
    format!("has to be {wanted}, and is {found}")
}
