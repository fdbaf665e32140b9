//! Lines that stand for what a tool answered: they name the original, which has another name once it was made anew.

use std::collections::HashMap;

use crate::codec::STUB;
use crate::model::{EntryId, ObjectId};
use crate::redact::Pattern;

/// Fewest digits by which a line names the original.
const DIGITS: usize = 7;

/// What stands between the number of tokens and the original's id.
const OBJECT: &str = " tokens, object ";

/// Tells whether a text is such a line and nothing else.
pub(super) fn is_one(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(STUB).and_then(|rest| rest.strip_suffix(']')) else { return false };
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if rest.strip_suffix(" bytes").is_some_and(is_number) {
        return true;
    }
    let Some((tokens, rest)) = rest.split_once(OBJECT) else { return false };
    let (id, later) = rest.split_once("; said again in ").map_or((rest, None), |(id, later)| (id, Some(later)));
    is_number(tokens) && is_id(id) && later.is_none_or(|later| later.parse::<EntryId>().is_ok())
}

fn is_id(text: &str) -> bool {
    text.len() >= DIGITS && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// What bodies of entries are called now, and by how much they count another number of tokens, by their old names.
#[derive(Debug, Clone, Default)]
pub(super) struct Originals {
    known: HashMap<ObjectId, (ObjectId, i64)>,
}

impl Originals {
    pub(super) fn add(&mut self, old: ObjectId, new: ObjectId, tokens: i64) {
        self.known.insert(old, (new, tokens));
    }

    /// Finds the lines in a body that name something which has another name now, and what they are to say.
    pub(super) fn renamed(&self, body: &[u8]) -> Vec<Pattern> {
        let mut found = Vec::new();
        if self.known.is_empty() {
            return found;
        }
        for at in memchr::memmem::find_iter(body, STUB) {
            let text = String::from_utf8_lossy(&body[at..body.len().min(at + 160)]).into_owned();
            let Some((tokens, rest)) = text[STUB.len()..].split_once(OBJECT) else { continue };
            let id = rest.split(|one: char| !one.is_ascii_hexdigit()).next().unwrap_or_default();
            let (Ok(tokens), true) = (tokens.parse::<u64>(), is_id(id)) else { continue };
            let Some((new, change)) = self.find(id) else { continue };
            let old = format!("{STUB}{tokens}{OBJECT}{id}");
            let tokens = tokens.saturating_add_signed(change);
            found.push(Pattern::renamed(&old, &format!("{STUB}{tokens}{OBJECT}{}", new.short(id.len()))));
        }
        found
    }

    fn find(&self, digits: &str) -> Option<(ObjectId, i64)> {
        let mut named = self.known.iter().filter(|(old, _)| old.to_string().starts_with(digits));
        named.next().map(|(_, renamed)| *renamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_were_made_so_are_stubs() {
        for line in
            ["[old tool result cleared: 41 tokens, object 0c4a8157ce59]", "[old tool result cleared: 312 bytes]"]
        {
            assert!(is_one(line), "{line}");
        }
        for line in [
            "[old tool result cleared: my secret]",
            "[old tool result cleared: 41 tokens, object my-secret-id]",
            "[old tool result cleared: 41 tokens, object 0c4a8157ce59] and more",
            "[old tool result cleared: 41 tokens, object 0c4a8157ce59; said again in my secret]",
        ] {
            assert!(!is_one(line), "{line}");
        }
    }
}
