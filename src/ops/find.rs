//! Finds the entries that people name.

use super::change::{Editing, preview_body};
use super::{OpError, Workspace};
use crate::model::{Entry, EntryId};

/// Shortest beginning of an id that names an entry.
const PREFIX_MIN: usize = 3;

/// Finds an entry of a context by its id, the beginning of its id, its position (`0000012`, `#12`), or its place from
/// the end (`@1` is the last).
pub(super) fn find_entry<'e>(
    entries: &'e [Entry],
    name: &str,
    say: &dyn Fn(&Entry) -> String,
) -> Result<&'e Entry, OpError> {
    if let Ok(id) = name.parse::<EntryId>()
        && let Some(entry) = entries.iter().find(|entry| entry.id == id)
    {
        return Ok(entry);
    }
    let from_end = name.strip_prefix('@').and_then(|place| place.parse::<usize>().ok());
    if let Some(entry) = from_end.and_then(|place| entries.len().checked_sub(place)).and_then(|at| entries.get(at)) {
        return Ok(entry);
    }
    let position = name.strip_prefix('#').filter(|number| !number.is_empty());
    let position = position.map_or_else(|| name.to_owned(), |number| format!("{number:0>7}"));
    if let Some(entry) = entries.iter().find(|entry| entry.position.to_string() == position) {
        return Ok(entry);
    }
    let prefixed: Vec<&Entry> = match name.len() >= PREFIX_MIN {
        true => entries.iter().filter(|entry| entry.id.as_str().starts_with(name)).collect(),
        false => Vec::new(),
    };
    match prefixed[..] {
        [entry] => Ok(entry),
        [] => Err(OpError::UnknownEntry { name: name.to_owned(), near: near(entries, name, say) }),
        _ => {
            let candidates = prefixed.iter().take(5).map(|entry| entry.id.to_string()).collect();
            Err(OpError::AmbiguousEntry { name: name.to_owned(), candidates })
        }
    }
}

/// Entries whose ids look like the name, best first, at most three.
fn near(entries: &[Entry], name: &str, say: &dyn Fn(&Entry) -> String) -> Vec<String> {
    let mut close: Vec<(f32, &Entry)> = entries
        .iter()
        .rev()
        .take(5000)
        .map(|entry| (similar::TextDiff::from_chars(name, entry.id.as_str()).ratio(), entry))
        .filter(|(ratio, _)| *ratio >= 0.6)
        .collect();
    close.sort_by(|one, other| other.0.total_cmp(&one.0));
    close.iter().take(3).map(|(_, entry)| format!("'{}' ({})", entry.id, say(entry))).collect()
}

impl Editing<'_> {
    /// Finds the entries with these names in the context that is being changed.
    pub(super) fn find_all(&mut self, names: &[String]) -> Result<Vec<Entry>, OpError> {
        let mut found: Vec<Entry> = Vec::with_capacity(names.len());
        let mut entries = None;
        for name in names {
            // A whole id is found without reading the whole context.
            let exact = name.parse().ok().map(|id| self.context.find(id)).transpose()?.flatten();
            let entry = match exact {
                Some(entry) => entry,
                None => {
                    if entries.is_none() {
                        entries = Some(self.context.entries()?);
                    }
                    let workspace = self.workspace;
                    let say = |entry: &Entry| say(workspace, entry);
                    find_entry(entries.as_deref().unwrap_or_default(), name, &say)?.clone()
                }
            };
            if !found.iter().any(|known| known.id == entry.id) {
                found.push(entry);
            }
        }
        Ok(found)
    }
}

/// Says in a few words which entry this is.
pub(super) fn say(workspace: &Workspace, entry: &Entry) -> String {
    let body = workspace.repo.read_blob(&entry.body).unwrap_or_default();
    format!("{}: {}", entry.role, preview_body(&entry.kind, &body))
}
