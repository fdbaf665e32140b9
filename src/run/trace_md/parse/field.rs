//! A field of a file: its name, and the lines that follow it.

use super::line::Heading;
use crate::run::Artifact;
use crate::run::step::is_none;
use crate::run::trace_md::escape::{decode, is_blank};
use crate::run::trace_md::render::{INDENT, ITEM_INDENT};

/// Names a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Task,
    Started,
    Status,
    Reason,
    Summary,
    Challenges,
    DesignChanges,
    Attempted,
    Tried,
    Notes,
    Artifacts,
    At,
    Step,
    Decision,
    Note,
    Missing,
    Changed,
}

const OF_HEAD: [Name; 4] = [Name::Task, Name::Started, Name::Status, Name::Reason];
const OF_STEP: [Name; 8] = [
    Name::Status,
    Name::Summary,
    Name::Challenges,
    Name::DesignChanges,
    Name::Attempted,
    Name::Tried,
    Name::Notes,
    Name::Artifacts,
];
const OF_RESUME: [Name; 6] = [Name::At, Name::Step, Name::Decision, Name::Note, Name::Missing, Name::Changed];

impl Name {
    /// Reads the name of a field that the section below this heading may have.
    pub(super) fn read(text: &str, heading: &Heading) -> Option<Self> {
        let known: &[Name] = match heading {
            Heading::Title(_) => &OF_HEAD,
            Heading::Step { .. } => &OF_STEP,
            Heading::Resume => &OF_RESUME,
        };
        known.iter().copied().find(|known| known.name().eq_ignore_ascii_case(text))
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Name::Task => "Task",
            Name::Started => "Started",
            Name::Status => "Status",
            Name::Reason => "Reason",
            Name::Summary => "Summary",
            Name::Challenges => "Challenges",
            Name::DesignChanges => "Design changes",
            Name::Attempted => "Attempted",
            Name::Tried => "Tried",
            Name::Notes => "Notes",
            Name::Artifacts => "Artifacts",
            Name::At => "At",
            Name::Step => "Step",
            Name::Decision => "Decision",
            Name::Note => "Note",
            Name::Missing => "Missing artifacts",
            Name::Changed => "Changed artifacts",
        }
    }

    /// Tells whether it may have more than one line.
    pub(super) const fn goes_on(self) -> bool {
        !matches!(self, Name::Status | Name::Step | Name::Decision)
    }
}

/// Holds a field as it stands in the file.
pub(super) struct Field {
    pub(super) line: usize,
    pub(super) name: Name,
    /// Whether a rule has ended it.
    pub(super) ended: bool,
    first: String,
    more: Vec<String>,
}

impl Field {
    pub(super) fn new(line: usize, name: Name, first: &str) -> Self {
        Field { line, name, ended: false, first: first.trim_matches(is_blank).to_owned(), more: Vec::new() }
    }

    pub(super) fn push(&mut self, line: &str) {
        self.more.push(line.trim_end_matches(is_blank).to_owned());
    }

    /// Returns its text; `None` if nothing stands there.
    pub(super) fn text(self) -> Option<String> {
        let more = self.more.iter().map(|line| dedent(line, INDENT));
        join(std::iter::once(self.first.as_str()).chain(more))
    }

    /// Returns its items; `None` if nothing stands there, no items if it says that there are none.
    pub(super) fn list(self) -> Option<Vec<String>> {
        let items = self.items();
        match items.as_slice() {
            [] => None,
            [one] if is_none(one) => Some(Vec::new()),
            _ => Some(items.iter().map(|item| decode(item)).collect()),
        }
    }

    pub(super) fn artifacts(self) -> Vec<Artifact> {
        self.items().iter().filter(|item| !is_none(item)).map(|item| artifact(item)).collect()
    }

    /// Takes the items apart, not decoded yet.
    fn items(self) -> Vec<String> {
        let mut items: Vec<Vec<&str>> = Vec::new();
        if !self.first.is_empty() {
            items.push(vec![&self.first]);
        }
        for line in &self.more {
            let left = line.trim_start_matches(is_blank);
            let depth = line.len() - left.len();
            let bullet = ["- ", "* ", "+ "].into_iter().find_map(|mark| left.strip_prefix(mark));
            let bullet = bullet.or_else(|| matches!(left, "-" | "*" | "+").then_some(""));
            match (bullet.filter(|_| depth < 2), items.last_mut()) {
                (Some(item), _) => items.push(vec![item.trim_matches(is_blank)]),
                (None, Some(item)) => item.push(dedent(line, ITEM_INDENT)),
                (None, None) if left.is_empty() => {}
                (None, None) => items.push(vec![left]),
            }
        }
        items.into_iter().filter_map(|lines| join_raw(lines.into_iter())).collect()
    }
}

/// Takes the indentation off; a line with less of it was written by hand.
fn dedent(line: &str, indent: usize) -> &str {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    if blanks >= indent {
        return &line[indent..];
    }
    match line.strip_prefix('\t') {
        Some(rest) => rest,
        None => &line[blanks..],
    }
}

fn join<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    join_raw(lines).map(|text| decode(&text))
}

/// Puts lines together without those at the ends that are empty.
fn join_raw<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let lines: Vec<&str> = lines.collect();
    let start = lines.iter().position(|line| !line.is_empty())?;
    let end = lines.iter().rposition(|line| !line.is_empty())?;
    Some(lines[start..=end].join("\n"))
}

/// Reads `path (size bytes, blob)`, or a path alone.
fn artifact(item: &str) -> Artifact {
    let recorded = || {
        let (path, rest) = item.strip_suffix(')')?.rsplit_once(" (")?;
        let (size, blob) = rest.split_once(" bytes, ")?;
        let size = Some(size.parse().ok()?);
        let is_id = matches!(blob.len(), 40 | 64) && blob.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| Artifact { path: decode(path), blob: Some(blob.to_ascii_lowercase()), size })
    };
    recorded().unwrap_or_else(|| {
        let quoted = item.strip_prefix('`').and_then(|item| item.strip_suffix('`'));
        Artifact { path: decode(quoted.unwrap_or(item)), blob: None, size: None }
    })
}
