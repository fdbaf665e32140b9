//! Tool results emptied in place.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{elements, object, text};

/// What a stub starts with; a result that is one already is left alone.
const STUB: &str = "\"[old tool result cleared: ";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use_id: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// Replaces the content of the results of `calls` by a stub that says how many bytes of JSON it held.
///
/// Everything else in the body stays byte for byte as it is; so does a body that is no list of blocks. Doing it twice
/// is doing it once.
///
/// ```
/// let body = br#"[{"type":"tool_result", "tool_use_id":"a", "content":"long"}, {"type":"text"}]"#;
/// let masked = git_trace::capture::claude::mask_tool_results(body, &["a".to_owned()]);
/// let expected = br#"[{"type":"tool_result", "tool_use_id":"a", "content":"[old tool result cleared: 6 bytes]"}, {"type":"text"}]"#;
/// assert_eq!(masked, expected);
/// ```
pub fn mask_tool_results(body: &[u8], calls: &[String]) -> Vec<u8> {
    let source = std::str::from_utf8(body).unwrap_or_default();
    let blocks = elements(source.trim_ascii_start()).unwrap_or_default();
    let calls: HashSet<&str> = calls.iter().map(String::as_str).collect();
    let mut masked = Vec::with_capacity(body.len());
    let mut copied = 0;
    for block in blocks {
        let Some(content) = result_content(block, &calls) else { continue };
        let start = content.as_ptr().addr() - body.as_ptr().addr();
        masked.extend_from_slice(&body[copied..start]);
        masked.extend_from_slice(format!("{STUB}{} bytes]\"", content.len()).as_bytes());
        copied = start + content.len();
    }
    masked.extend_from_slice(&body[copied..]);
    masked
}

fn result_content<'a>(block: &'a RawValue, calls: &HashSet<&str>) -> Option<&'a str> {
    let block = object::<Block<'a>>(block.get())?;
    let call = text(block.tool_use_id)?;
    let wanted = text(block.kind)? == "tool_result" && calls.contains(&*call);
    let content = block.content?.get();
    (wanted && !content.starts_with(STUB)).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_named_results_change_and_only_once() {
        let body = br#" [ {"content" : [{"type":"text","text":"x"}],"tool_use_id":"a","type":"tool_result"},
            {"type":"tool_result","tool_use_id":"b","content":"kept"}, {"type":"tool_result","tool_use_id":"a"} ]"#;
        let masked = mask_tool_results(body, &["a".to_owned(), "zz".to_owned()]);
        let text = String::from_utf8(masked.clone()).expect("still UTF-8");
        assert!(
            text.starts_with(r#" [ {"content" : "[old tool result cleared: 28 bytes]","tool_use_id":"a""#),
            "{text}"
        );
        assert!(text.ends_with(r#""content":"kept"}, {"type":"tool_result","tool_use_id":"a"} ]"#));
        assert_eq!(mask_tool_results(&masked, &["a".to_owned()]), masked);
    }

    proptest! {
        #[test]
        fn a_body_that_is_no_list_of_blocks_stays(body in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(mask_tool_results(&body, &["a".to_owned()]), body);
        }
    }
}
