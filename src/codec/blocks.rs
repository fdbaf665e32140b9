//! The blocks of a body, whatever provider's shape it has, each a slice of the body itself.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Holds the raw members of a block that calls and results of tools are made of.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Block<'a> {
    /// `type`
    #[serde(borrow, rename = "type")]
    pub kind: Option<&'a RawValue>,
    /// `text`
    #[serde(borrow)]
    pub text: Option<&'a RawValue>,
    /// `thinking`
    #[serde(borrow)]
    pub thinking: Option<&'a RawValue>,
    /// `id`
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    /// `name`
    #[serde(borrow)]
    pub name: Option<&'a RawValue>,
    /// `input`
    #[serde(borrow)]
    pub input: Option<&'a RawValue>,
    /// `arguments`
    #[serde(borrow)]
    pub arguments: Option<&'a RawValue>,
    /// `function`
    #[serde(borrow)]
    pub function: Option<&'a RawValue>,
    /// `tool_use_id`
    #[serde(borrow)]
    pub tool_use_id: Option<&'a RawValue>,
    /// `tool_call_id`
    #[serde(borrow)]
    pub tool_call_id: Option<&'a RawValue>,
    /// `call_id`
    #[serde(borrow)]
    pub call_id: Option<&'a RawValue>,
    /// `is_error`
    #[serde(borrow)]
    pub is_error: Option<&'a RawValue>,
    /// `content`
    #[serde(borrow)]
    pub content: Option<&'a RawValue>,
    /// `output`
    #[serde(borrow)]
    pub output: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

/// Returns the blocks of a body: the elements of a list, or one object, and what a message has in its `content` and
/// `tool_calls`. What cannot be read, or names a member twice, has none.
pub fn blocks(body: &[u8]) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    if let Ok(text) = std::str::from_utf8(body) {
        collect(text, 0, &mut found);
    }
    found
}

impl<'a> Block<'a> {
    /// Reads one object.
    pub fn read(source: &'a str) -> Option<Self> {
        // Without this check it could be read from an array, field by field.
        source.starts_with('{').then(|| serde_json::from_str(source).ok())?
    }

    /// Tells whether the block is of this type.
    pub fn is(&self, kind: &str) -> bool {
        let quoted = self.kind.map_or("", RawValue::get);
        quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')) == Some(kind)
    }
}

/// Goes into a message's lists, and no deeper, as the formats go no deeper.
fn collect<'a>(text: &'a str, depth: usize, found: &mut Vec<Block<'a>>) {
    let text = text.trim_ascii_start();
    let elements: Vec<&'a RawValue> = match text.as_bytes().first() {
        Some(b'[') => serde_json::from_str(text).unwrap_or_default(),
        Some(b'{') => serde_json::from_str(text).map(|one| vec![one]).unwrap_or_default(),
        _ => Vec::new(),
    };
    for block in elements.into_iter().filter_map(|element| Block::read(element.get())) {
        found.push(block);
        if depth == 0 && (block.kind.is_none() || block.is("message")) {
            for inner in [block.tool_calls, block.content].into_iter().flatten() {
                collect(inner.get(), 1, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_opened_and_nothing_deeper() {
        let count = |body: &str| blocks(body.as_bytes()).len();
        assert_eq!(count(r#" [{"type":"text"},{"type":"tool_result","content":[{"type":"text"}]}]"#), 2);
        assert_eq!(count(r#"{"role":"user","content":[{"type":"tool_result","content":[{"type":"text"}]}]}"#), 2);
        assert_eq!(count(r#"{"role":"assistant","tool_calls":[{"type":"function"}],"content":null}"#), 2);
        assert_eq!(count(r#"{"type":"x","type":"y"}"#), 0);
        assert_eq!(count("\"text\"") + count("{") + count("[1,[{}]]"), 0);
    }
}
