//! Results of tools in a body, and the same body without their words.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::blocks::{Block, blocks};

/// What the words that stand in the place of a result start with.
pub const STUB: &str = "[old tool result cleared: ";

/// Holds a result of a tool, as it stands in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult<'a> {
    /// The call that it answers.
    pub call: Cow<'a, str>,
    /// The JSON source of what the tool said.
    pub content: &'a str,
    /// Whether the call went wrong.
    pub is_error: bool,
}

impl ToolResult<'_> {
    /// Tells whether a stub stands here already.
    pub fn is_stub(&self) -> bool {
        self.content.strip_prefix('"').is_some_and(|inner| inner.starts_with(STUB))
    }
}

/// Finds the results of tools in a JSON body: `tool_result` blocks of Anthropic, messages of the role `tool` of OpenAI's
/// chat, outputs of OpenAI's responses. In the order of the body.
pub fn tool_results(body: &[u8]) -> Vec<ToolResult<'_>> {
    let mut found: Vec<ToolResult<'_>> = blocks(body).into_iter().filter_map(result).collect();
    // A message may stand before what is in it, whichever member comes first in the source.
    found.sort_by_key(|result| result.content.as_ptr().addr());
    found
}

/// Puts a text in the place of what each result says, where `stub` has one for it. All other bytes stay as they are.
///
/// ```
/// use git_trace::codec::mask_tool_results;
///
/// let body = br#"{"role": "tool", "content": "long", "tool_call_id": "a"}"#;
/// let masked = mask_tool_results(body, &mut |result| Some(format!("was {}", result.content.len())));
/// assert_eq!(masked, br#"{"role": "tool", "content": "was 6", "tool_call_id": "a"}"#);
/// ```
pub fn mask_tool_results(body: &[u8], stub: &mut dyn FnMut(&ToolResult<'_>) -> Option<String>) -> Vec<u8> {
    let mut masked = Vec::with_capacity(body.len());
    let mut copied = 0;
    for result in tool_results(body) {
        let start = result.content.as_ptr().addr() - body.as_ptr().addr();
        // A hostile message may be a result that holds results.
        let Some(text) = (start >= copied).then(|| stub(&result)).flatten() else { continue };
        masked.extend_from_slice(&body[copied..start]);
        serde_json::to_writer(&mut masked, &text).expect("a vector takes every write");
        copied = start + result.content.len();
    }
    masked.extend_from_slice(&body[copied..]);
    masked
}

fn result(block: Block<'_>) -> Option<ToolResult<'_>> {
    let responses = ["function_call_output", "custom_tool_call_output", "local_shell_call_output"];
    let (call, content) = if block.is("tool_result") {
        (block.tool_use_id, block.content)
    } else if block.kind.is_none() && block.tool_call_id.is_some() {
        (block.tool_call_id, block.content)
    } else if responses.iter().any(|kind| block.is(kind)) {
        (block.call_id, block.output)
    } else {
        return None;
    };
    let is_error = block.is_error.is_some_and(|mark| mark.get() == "true");
    Some(ToolResult { call: text(call?)?, content: content?.get(), is_error })
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mask(body: &str) -> String {
        let mut stub = |result: &ToolResult<'_>| (!result.is_stub()).then(|| format!("{STUB}\"{}\"]", result.call));
        String::from_utf8(mask_tool_results(body.as_bytes(), &mut stub)).expect("still UTF-8")
    }

    #[test]
    fn every_shape_is_known_and_only_the_words_go() {
        for (body, masked) in [
            (
                r#" [ {"content" : [{"type":"text"}],"tool_use_id":"a","type":"tool_result"}, {"n":3e303} ]"#,
                r#" [ {"content" : "[old tool result cleared: \"a\"]","tool_use_id":"a","type":"tool_result"}, {"n":3e303} ]"#,
            ),
            (
                r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"a\"b","content":"x"}]}"#,
                r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"a\"b","content":"[old tool result cleared: \"a\"b\"]"}]}"#,
            ),
            (
                r#"{"role":"tool","tool_call_id":"c","content":"x"}"#,
                r#"{"role":"tool","tool_call_id":"c","content":"[old tool result cleared: \"c\"]"}"#,
            ),
            (
                r#"{"type":"function_call_output","call_id":"d","output":"x"}"#,
                r#"{"type":"function_call_output","call_id":"d","output":"[old tool result cleared: \"d\"]"}"#,
            ),
        ] {
            assert_eq!(mask(body), masked.replace("a\"b\"]", "a\\\"b\\\"]"));
            assert_eq!(mask(&mask(body)), mask(body), "twice is once");
        }
        let nested = r#"{"tool_call_id":"c","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}"#;
        assert_eq!(mask(nested), "{\"tool_call_id\":\"c\",\"content\":\"[old tool result cleared: \\\"c\\\"]\"}");
        for other in
            [r#"[{"type":"tool_use","id":"a","input":{"content":"x"}}]"#, "\"text\"", "{", r#"{"content":"x"}"#]
        {
            assert_eq!(mask(other), other);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_stay(body in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(mask_tool_results(&body, &mut |_| Some(String::new())), body);
        }
    }
}
