//! Lines that stand in the place of what a tool answered.

use super::super::OpError;
use super::super::change::count_entry;
use super::scene::Scene;
use crate::codec::{STUB, ToolResult, mask_tool_results, tool_results};
use crate::model::{BodyKind, EntryId, Role};
use crate::tokens::{self, Body, count_body, count_text};

/// Digits of an object id in a stub: what git takes for unambiguous in all but huge repositories.
const ID_DIGITS: usize = 12;

/// Holds an entry's body with stubs in it.
#[derive(Debug, Clone)]
pub(super) struct Masked {
    pub(super) body: Vec<u8>,
    pub(super) tokens: u64,
}

/// Says which results of an entry are to go: for each call, the entry that says the same later, if that is why.
pub(super) type Wanted<'a> = dyn Fn(&str) -> Option<Option<EntryId>> + 'a;

/// Puts stubs in the place of an entry's results; `None` if that would make it no smaller.
pub(super) fn mask(scene: &Scene<'_>, at: usize, wanted: &Wanted<'_>) -> Result<Option<Masked>, OpError> {
    let entry = &scene.entries[at];
    if entry.kind != BodyKind::Json && entry.role != Role::Tool {
        return Ok(None);
    }
    let body = scene.body(at)?;
    let id = entry.body.short(ID_DIGITS);
    let stub = |tokens: u64, later: Option<EntryId>| match later {
        Some(later) => format!("{STUB}{tokens} tokens, object {id}; said again in {later}]"),
        None => format!("{STUB}{tokens} tokens, object {id}]"),
    };
    let masked = match entry.kind {
        BodyKind::Text if entry.role == Role::Tool && !body.starts_with(STUB.as_bytes()) => {
            let Some(later) = wanted("") else { return Ok(None) };
            stub(entry.tokens.saturating_sub(tokens::MESSAGE_FRAMING), later).into_bytes()
        }
        BodyKind::Json => {
            let alone = tool_results(body).len() == 1;
            let rest = || {
                let empty = mask_tool_results(body, &mut |_| Some(String::new()));
                count_entry(scene.encoding, &entry.role, &entry.kind, &empty)
            };
            let worth = |result: &ToolResult<'_>| {
                let tokens = match alone {
                    // What is not the rest is the result: large ones need not be counted again.
                    true => entry.tokens.saturating_sub(rest()),
                    false => count_body(scene.encoding, Body::Json, result.content.as_bytes()),
                };
                let text = stub(tokens, wanted(&result.call)?);
                (count_text(scene.encoding, &text) < tokens).then_some(text)
            };
            mask_tool_results(body, &mut |result| if result.is_stub() { None } else { worth(result) })
        }
        _ => return Ok(None),
    };
    if masked == body {
        return Ok(None);
    }
    let tokens = count_entry(scene.encoding, &entry.role, &entry.kind, &masked);
    Ok((tokens < entry.tokens).then_some(Masked { body: masked, tokens }))
}
