//! Tool calls and results in a body, whatever provider's shape it has.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Holds the ids of the tool calls that a body makes, and of the calls whose results it brings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToolIds {
    /// Calls made here.
    pub calls: Vec<String>,
    /// Calls answered here.
    pub results: Vec<String>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tool_use_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tool_call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

/// Finds the tool calls and results in a JSON body: Anthropic's blocks, OpenAI's chat messages and responses items.
/// What cannot be read has none.
pub fn tool_ids(body: &[u8]) -> ToolIds {
    let mut found = ToolIds::default();
    let Ok(text) = std::str::from_utf8(body) else { return found };
    collect(text, 0, &mut found);
    found
}

/// Walks a list of blocks, or one object and the list in its `content`: no deeper, as the formats go no deeper.
fn collect(text: &str, depth: usize, found: &mut ToolIds) {
    let text = text.trim_start();
    if text.starts_with('[') {
        for block in serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default() {
            collect_block(block.get(), depth, found);
        }
    } else if text.starts_with('{') {
        collect_block(text, depth, found);
    }
}

fn collect_block(text: &str, depth: usize, found: &mut ToolIds) {
    let Ok(block) = serde_json::from_str::<Block<'_>>(text) else { return };
    let own = |id: Option<Cow<'_, str>>| id.map(Cow::into_owned);
    match block.kind.as_deref() {
        Some("tool_use" | "function") => found.calls.extend(own(block.id)),
        Some("function_call" | "custom_tool_call" | "local_shell_call") => found.calls.extend(own(block.call_id)),
        Some("tool_result") => found.results.extend(own(block.tool_use_id)),
        Some("function_call_output" | "custom_tool_call_output" | "local_shell_call_output") => {
            found.results.extend(own(block.call_id));
        }
        _ if depth == 0 => {
            found.results.extend(own(block.tool_call_id));
            for inner in [block.tool_calls, block.content].into_iter().flatten() {
                collect(inner.get(), 1, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_known() {
        let ids = |body: &str| {
            let ToolIds { calls, results } = tool_ids(body.as_bytes());
            (calls.join(","), results.join(","))
        };
        let pair = |calls: &str, results: &str| (calls.to_owned(), results.to_owned());
        assert_eq!(
            ids(r#"[{"type":"text","text":"x"},{"type":"tool_use","id":"a"},{"type":"tool_use","id":"b"}]"#),
            pair("a,b", "")
        );
        assert_eq!(ids(r#"[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text"}]}]"#), pair("", "a"));
        assert_eq!(
            ids(r#"{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{}}]}"#),
            pair("c", "")
        );
        assert_eq!(ids(r#"{"role":"tool","tool_call_id":"c","content":"x"}"#), pair("", "c"));
        assert_eq!(ids(r#"{"type":"function_call","call_id":"d"}"#), pair("d", ""));
        assert_eq!(ids(r#"{"type":"function_call_output","call_id":"d"}"#), pair("", "d"));
        assert_eq!(ids(r#"{"type":"local_shell_call","call_id":"e"}"#), pair("e", ""));
        assert_eq!(ids(r#"{"type":"local_shell_call_output","call_id":"e"}"#), pair("", "e"));
        assert_eq!(ids("\"text\""), pair("", ""));
        assert_eq!(ids("{"), pair("", ""));
    }
}
