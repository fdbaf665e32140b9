//! Text out of the trees in which VS Code keeps what was rendered for the model (`@vscode/prompt-tsx`).

use serde_json::Value;
use serde_json::value::RawValue;

use crate::capture::claude::json::elements;
use crate::capture::compose::{joined, quoted};
use crate::capture::members::Members;

/// A piece of text in a tree.
const TEXT: u64 = 2;

/// Returns the content of a tool's result as JSON text: its parts are strings, or trees whose text is taken.
///
/// `None` where some part is neither: then its bytes are kept as they are.
pub(super) fn result(raw: &RawValue) -> Option<String> {
    let content = Members::of(raw)?.list("content");
    let mut pieces = Vec::new();
    for part in &content {
        let value = Members::of(part)?.get("value")?;
        pieces.push(match Members::of(value) {
            Some(value) => quoted(&words(value.get("node")?)?),
            None if value.get().starts_with('"') => value.get().to_owned(),
            None => return None,
        });
    }
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    Some(joined(&pieces))
}

/// Returns the text of a tree; `None` where it is none, or deeper than a parser goes.
fn words(node: &RawValue) -> Option<String> {
    let tree: Value = serde_json::from_str(node.get()).ok()?;
    let mut out = String::new();
    let mut left = vec![&tree];
    while let Some(node) = left.pop() {
        if node.get("type").and_then(Value::as_u64) == Some(TEXT) {
            let breaks = node.get("lineBreakBefore").and_then(Value::as_bool).unwrap_or(false);
            if breaks && !out.is_empty() && !out.ends_with('\n') {
                out.push('\n');
            }
            out.push_str(node.get("text")?.as_str()?);
        }
        left.extend(node.get("children").and_then(Value::as_array).into_iter().flatten().rev());
    }
    Some(out)
}

/// Returns the texts of a rendered message (`[{"type":1,"text":…},{"type":3,…}]`).
pub(super) fn message(raw: Option<&RawValue>) -> Vec<&RawValue> {
    let parts = raw.and_then(|raw| elements(raw.get())).unwrap_or_default();
    parts.into_iter().filter_map(|part| Members::of(part)?.quoted("text")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_taken_out_of_a_tree() {
        let of = |text: &str| result(&RawValue::from_string(text.to_owned()).expect("JSON"));
        let node = r#"{"type":1,"children":[{"type":2,"text":"a"},{"type":1,"children":[{"type":2,"text":"b","lineBreakBefore":true}]},{"type":2,"text":"\n"},{"type":2,"text":"c"}]}"#;
        assert_eq!(of(&format!(r#"{{"content":[{{"value":{{"node":{node}}}}}]}}"#)).as_deref(), Some(r#""a\nb\nc""#));
        assert_eq!(of(r#"{"content":[{"value":"x\u0020"}]}"#).as_deref(), Some(r#""x\u0020""#));
        let two = r#"[{"type":"text","text":"x"},{"type":"text","text":"y"}]"#;
        assert_eq!(of(r#"{"content":[{"value":"x"},{"value":"y"}]}"#).as_deref(), Some(two));
        assert_eq!(of(r#"{"content":[{"value":7}]}"#), None);
        assert_eq!(of("[]"), None);
        let deep = format!(r#"{{"content":[{{"value":{{"node":{}{}}}}}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(of(&deep), None);
    }
}
