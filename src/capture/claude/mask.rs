//! Tool results emptied in place.

use std::collections::HashSet;

use crate::codec::{self, STUB};

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
    let calls: HashSet<&str> = calls.iter().map(String::as_str).collect();
    codec::mask_tool_results(body, &mut |result| {
        let wanted = calls.contains(&*result.call) && !result.is_stub();
        wanted.then(|| format!("{STUB}{} bytes]", result.content.len()))
    })
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
