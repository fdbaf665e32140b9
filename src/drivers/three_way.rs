//! Two changes of one text, put together where they do not touch: a three-way merge of lines.

use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::Reconcile;

/// After this long a comparison becomes coarser: its changes are larger, and still true.
const PATIENCE: Duration = Duration::from_millis(500);

/// Is a change of one side: these lines of the base became those of the side.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    base: Range<usize>,
    side: Range<usize>,
}

/// Returns the text with both changes, or nothing if they touch the same lines, or if there is no base and the sides
/// differ.
pub(super) fn reconcile(task: &Reconcile) -> Option<String> {
    let Reconcile { base, ours, theirs, .. } = task;
    if ours == theirs {
        return Some(ours.clone());
    }
    let base = base.as_ref()?;
    if base == ours {
        return Some(theirs.clone());
    }
    if base == theirs {
        return Some(ours.clone());
    }
    let lines = |text: &'_ str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<String>>();
    let (base, ours, theirs) = (lines(base), lines(ours), lines(theirs));
    let (left, right) = (changes(&base, &ours), changes(&base, &theirs));
    let mut merged = String::new();
    let (mut at, mut left, mut right) = (0, left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let (change, side) = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(one), Some(other))
                if one.base == other.base && ours[one.side.clone()] == theirs[other.side.clone()] =>
            {
                right.next();
                (left.next()?, &ours)
            }
            // Changes that touch are a conflict too: nobody knows which of two insertions comes first.
            (Some(one), Some(other)) if one.base.start <= other.base.end && other.base.start <= one.base.end => {
                return None;
            }
            (Some(one), Some(other)) if one.base.start < other.base.start => (left.next()?, &ours),
            (Some(_), None) => (left.next()?, &ours),
            _ => (right.next()?, &theirs),
        };
        merged.extend(base[at..change.base.start].iter().map(String::as_str));
        merged.extend(side[change.side].iter().map(String::as_str));
        at = change.base.end;
    }
    merged.extend(base[at..].iter().map(String::as_str));
    Some(merged)
}

/// Returns what a side changed, neighbouring changes in one.
fn changes(base: &[String], side: &[String]) -> Vec<Change> {
    let deadline = Some(Instant::now() + PATIENCE);
    let mut found: Vec<Change> = Vec::new();
    for op in capture_diff_slices_deadline(Algorithm::Myers, base, side, deadline) {
        if let DiffOp::Equal { .. } = op {
            continue;
        }
        let change = Change { base: op.old_range(), side: op.new_range() };
        match found.last_mut() {
            Some(last) if last.base.end == change.base.start && last.side.end == change.side.start => {
                last.base.end = change.base.end;
                last.side.end = change.side.end;
            }
            _ => found.push(change),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn merged(base: Option<&str>, ours: &str, theirs: &str) -> Option<String> {
        let (ours, theirs) = (ours.to_owned(), theirs.to_owned());
        reconcile(&Reconcile { base: base.map(str::to_owned), ours, theirs, ..Reconcile::default() })
    }

    #[test]
    fn changes_apart_are_both_taken() {
        let base = "port 80\nhost a\n\nlog off\n";
        let both = merged(Some(base), "port 8080\nhost a\n\nlog off\n", "port 80\nhost a\n\nlog on\nmore\n");
        assert_eq!(both.as_deref(), Some("port 8080\nhost a\n\nlog on\nmore\n"));
        assert_eq!(merged(Some(base), "port 8080\nhost a\n\nlog off\n", "port 9090\nhost a\n\nlog off\n"), None);
        assert_eq!(merged(Some("a\nb\n"), "a\nx\nb\n", "a\ny\nb\n"), None, "two insertions at one place");
        assert_eq!(merged(Some("a\nb\n"), "a\nx\nb\n", "a\nx\nb\n").as_deref(), Some("a\nx\nb\n"));
        assert_eq!(merged(None, "a", "b"), None);
        assert_eq!(merged(None, "a", "a").as_deref(), Some("a"));
        assert_eq!(merged(Some("a\nb\nc"), "", "a\nb\nc").as_deref(), Some(""), "dropped here, untouched there");
        assert_eq!(merged(Some("a\nb\nc"), "", "a\nb\nd"), None);
    }

    /// What git itself makes of it is the oracle.
    fn by_git(base: &str, ours: &str, theirs: &str) -> Option<String> {
        let dir = tempfile::tempdir().expect("a folder");
        for (name, text) in [("base", base), ("ours", ours), ("theirs", theirs)] {
            std::fs::write(dir.path().join(name), text).expect("written");
        }
        let mut git = std::process::Command::new("git");
        let output = git.args(["merge-file", "-p", "ours", "base", "theirs"]).current_dir(dir.path()).output();
        let output = output.expect("git starts");
        output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
    }

    /// Lines that are all different: which of two equal lines went, nobody can tell, and git may guess another one.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        proptest::sample::subsequence((b'a'..=b'h').collect::<Vec<u8>>(), 0..=8)
    }

    fn edited(text: &[u8], edits: &[(u8, u8, u8)]) -> String {
        let mut text = text.to_vec();
        for (place, kind, new) in edits {
            let at = usize::from(*place) % (text.len() + 1);
            match kind % 3 {
                0 => text.insert(at, *new),
                _ if at == text.len() => {}
                1 => drop(text.remove(at)),
                _ => text[at] = *new,
            }
        }
        text.iter().map(|letter| format!("{}\n", char::from(*letter))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_we_merge_git_merges_to_the_same(base in text(),
                                                left in proptest::collection::vec((0u8..9, 0u8..3, b'v'..b'z'), 0..3),
                                                right in proptest::collection::vec((0u8..9, 0u8..3, b'p'..b't'), 0..3)) {
            let (ours, theirs, base) = (edited(&base, &left), edited(&base, &right), edited(&base, &[]));
            if let Some(both) = merged(Some(&base), &ours, &theirs) {
                // git may refuse what we take, since it asks for a line between changes; it never makes another text.
                if let Some(gits) = by_git(&base, &ours, &theirs) {
                    prop_assert_eq!(both, gits);
                }
            }
        }
    }
}
