//! Patches: Codex's `*** Begin Patch`, and unified diffs.

use super::tool::Sink;
use crate::model::FileChange;

/// Tells whether a text is a patch.
pub(super) fn is_patch(text: &str) -> bool {
    let start = text.trim_start();
    start.contains("*** Begin Patch")
        || start.starts_with("diff --git ")
        || (start.starts_with("--- ") && start.contains("\n+++ "))
}

/// Reads a patch.
pub(super) fn read(text: &str, sink: &mut Sink<'_>) {
    let mut file = File::default();
    let mut inside = !text.contains("*** Begin Patch");
    for line in text.lines() {
        if line.starts_with("*** Begin Patch") {
            inside = true;
            continue;
        }
        if !inside {
            continue;
        }
        // A removed line may look like a file's head: a unified diff says how many lines a hunk has.
        if file.left != (0, 0) {
            file.take(line);
            continue;
        }
        if let Some(path) = line.strip_prefix("*** Move to: ") {
            file.path = Some(path.to_owned());
            continue;
        }
        let head = [("*** Add File: ", true), ("*** Update File: ", false), ("*** Delete File: ", false)];
        if let Some((path, is_new)) = head.iter().find_map(|(head, new)| Some((line.strip_prefix(head)?, *new))) {
            file.end(sink);
            file = File { path: Some(path.to_owned()), is_new, ..File::default() };
        } else if line.starts_with("*** End Patch") {
            file.end(sink);
            (file, inside) = (File::default(), false);
        } else if let Some(path) = line.strip_prefix("--- ").filter(|_| !file.in_hunk || file.is_unified) {
            file.end(sink);
            file = File { is_unified: true, is_new: path.starts_with("/dev/null"), ..File::default() };
        } else if let Some(path) = line.strip_prefix("+++ ").filter(|_| file.is_unified) {
            let path = path.split('\t').next().unwrap_or(path);
            file.path = Some(path.strip_prefix("b/").unwrap_or(path).to_owned());
        } else if line.starts_with("@@") {
            file.end_hunk(sink);
            file.in_hunk = true;
            file.left = if file.is_unified { lengths(line).unwrap_or_default() } else { (0, 0) };
        } else {
            file.take(line);
        }
    }
    file.end(sink);
}

/// Reads the numbers of old and new lines from `@@ -1,2 +1,3 @@`.
fn lengths(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split(' ').skip(1);
    let mut length = |sign: char| {
        let range = words.next()?.strip_prefix(sign)?;
        range.split_once(',').map_or(Some(1), |(_, length)| length.parse().ok())
    };
    Some((length('-')?, length('+')?))
}

/// One file of a patch, as far as it was read.
#[derive(Default)]
struct File {
    path: Option<String>,
    is_new: bool,
    is_unified: bool,
    in_hunk: bool,
    /// Old and new lines that the hunk still has, where that is known.
    left: (usize, usize),
    before: String,
    after: String,
    changed: bool,
}

impl File {
    fn take(&mut self, line: &str) {
        let add = |text: &mut String, line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        let (old, new) = (!line.starts_with('+'), !line.starts_with('-'));
        if !line.starts_with('\\') {
            self.left = (self.left.0.saturating_sub(old.into()), self.left.1.saturating_sub(new.into()));
        }
        if let Some(line) = line.strip_prefix('+') {
            add(&mut self.after, line);
            self.changed = true;
        } else if let Some(line) = line.strip_prefix('-') {
            add(&mut self.before, line);
            self.changed = true;
        } else if !line.starts_with('\\') && (self.in_hunk || !self.is_unified) {
            // Context; an empty line may have lost its blank.
            let line = line.strip_prefix(' ').unwrap_or(line);
            add(&mut self.before, line);
            add(&mut self.after, line);
        }
    }

    fn end_hunk(&mut self, sink: &mut Sink<'_>) {
        let (before, after) = (std::mem::take(&mut self.before), std::mem::take(&mut self.after));
        let changed = std::mem::take(&mut self.changed);
        let Some(path) = self.path.as_deref().filter(|_| changed && !after.is_empty()) else { return };
        let change = match (self.is_new, before.is_empty()) {
            (true, _) => FileChange::Whole(after),
            (false, true) => FileChange::Insert(after),
            (false, false) => FileChange::Replace { before, after, everywhere: false },
        };
        sink.put(path, change);
    }

    fn end(&mut self, sink: &mut Sink<'_>) {
        self.end_hunk(sink);
        (self.in_hunk, self.left) = (false, (0, 0));
    }
}
