//! Whether a call can have written the lines that somebody says it wrote.

use std::collections::HashSet;

use super::line::{is_trivial, normal, normal_lines};
use crate::model::FileChange;

/// Tells whether lines are in what was written, one of them at least with something to say; none were taken out.
pub fn is_borne_out(lines: &[&str], changes: &[&FileChange]) -> bool {
    let mut whole: HashSet<String> = HashSet::new();
    // What replaces a part of a line stands within one.
    let mut parts: Vec<String> = Vec::new();
    for change in changes {
        match change {
            FileChange::Whole(text) | FileChange::Insert(text) => whole.extend(normal_lines(text)),
            FileChange::Replace { after, .. } => {
                let mut lines = normal_lines(after);
                let ends = lines.first().into_iter().chain(lines.last());
                parts.extend(ends.filter(|line| !is_trivial(line)).cloned());
                whole.extend(lines.drain(..));
            }
        }
    }
    if lines.is_empty() {
        return changes.iter().any(|change| matches!(change, FileChange::Replace { .. }));
    }
    let lines: Vec<String> = lines.iter().map(|line| normal(line)).collect();
    let is_written = |line: &String| whole.contains(line) || parts.iter().any(|part| line.contains(part.as_str()));
    let mut telling = lines.iter().filter(|line| !is_trivial(line)).peekable();
    telling.peek().is_some() && telling.all(is_written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_needs_the_words() {
        let whole = FileChange::Whole("fn one() {\n    two();\n}\n".to_owned());
        let part = FileChange::Replace { before: "8080".to_owned(), after: "9090".to_owned(), everywhere: false };
        assert!(is_borne_out(&["fn one()  {", "}"], &[&whole]));
        assert!(!is_borne_out(&["fn one() {", "something of a person"], &[&whole]));
        assert!(!is_borne_out(&["}"], &[&whole]));
        assert!(is_borne_out(&["let port = 9090;"], &[&whole, &part]));
        assert!(!is_borne_out(&["let port = 8080;"], &[&part]));
        assert!(is_borne_out(&[], &[&part]) && !is_borne_out(&[], &[&whole]) && !is_borne_out(&["x"], &[]));
    }
}
