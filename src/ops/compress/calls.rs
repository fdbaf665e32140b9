//! What tools were called, and what they were asked to read.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::codec::{Block, blocks};

/// Holds a call of a tool, as it stands in a body.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    /// What it was called with: a JSON object, or a string that holds one.
    pub(super) input: Option<&'a RawValue>,
}

/// Names what a call wants to read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) path: String,
    /// The first line, from 1.
    pub(super) first: u64,
    /// The last line, where it is said.
    pub(super) last: Option<u64>,
}

/// Tools that read files, as agents name them, in small letters.
const READERS: [&str; 12] = [
    "cat",
    "file_read",
    "get_file",
    "open_file",
    "read",
    "read_file",
    "readfile",
    "read_text_file",
    "str_replace_based_edit_tool",
    "str_replace_editor",
    "view",
    "view_file",
];

/// The largest input that is looked into, in bytes: a path and two numbers are small.
const INPUT_MAX: usize = 16 << 10;

/// Finds the calls of tools in a JSON body.
pub(super) fn calls(body: &[u8]) -> Vec<Call<'_>> {
    blocks(body).into_iter().filter_map(call).collect()
}

/// Reads a block as a call.
pub(super) fn call(block: Block<'_>) -> Option<Call<'_>> {
    if block.is("tool_use") {
        return Some(Call { id: text(block.id)?, name: text(block.name)?, input: block.input });
    }
    if block.is("function") {
        let function = Block::read(block.function?.get())?;
        return Some(Call { id: text(block.id)?, name: text(function.name)?, input: function.arguments });
    }
    if block.is("function_call") || block.is("custom_tool_call") {
        return Some(Call {
            id: text(block.call_id)?,
            name: text(block.name)?,
            input: block.arguments.or(block.input),
        });
    }
    None
}

/// Returns a string's text; `None` for any other value.
pub(super) fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let source = raw?.get();
    let inner = source.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(source).ok().map(Cow::Owned)
}

#[derive(Deserialize)]
struct Input {
    #[serde(alias = "path", alias = "filename", alias = "file", alias = "target_file", alias = "absolute_path")]
    file_path: String,
    #[serde(default)]
    command: Option<String>,
    #[serde(default, alias = "start_line", alias = "start_line_one_indexed", alias = "startLine")]
    offset: Option<u64>,
    #[serde(default)]
    limit: Option<u64>,
    #[serde(default, alias = "end_line_one_indexed_inclusive", alias = "endLine")]
    end_line: Option<u64>,
    #[serde(default)]
    view_range: Option<(u64, i64)>,
}

impl Call<'_> {
    /// Returns what the call reads, if it is one that does nothing but read a file.
    pub(super) fn read(&self) -> Option<Read> {
        let name = self.name.to_ascii_lowercase();
        // Servers of tools put their own name before: `mcp__files__read_file`.
        let name = name.rsplit("__").next().unwrap_or_default();
        let source = self.input.filter(|input| input.get().len() <= INPUT_MAX && READERS.contains(&name))?.get();
        let input: Input = match source.starts_with('"') {
            true => serde_json::from_str(&serde_json::from_str::<String>(source).ok()?).ok()?,
            false => serde_json::from_str(source).ok()?,
        };
        if name.starts_with("str_replace") && input.command.as_deref() != Some("view") {
            return None;
        }
        let first = input.view_range.map(|(first, _)| first).or(input.offset).unwrap_or(1).max(1);
        let last = input.view_range.and_then(|(_, last)| u64::try_from(last).ok()).or(input.end_line);
        let last = last.or(input.limit.map(|limit| first.saturating_add(limit).saturating_sub(1)));
        Some(Read { path: input.file_path, first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_known_in_every_shape() {
        let read = |body: &str| calls(body.as_bytes()).first().and_then(Call::read);
        let whole = |path: &str| Some(Read { path: path.to_owned(), first: 1, last: None });
        assert_eq!(read(r#"[{"type":"tool_use","id":"a","name":"Read","input":{"file_path":"x.rs"}}]"#), whole("x.rs"));
        assert_eq!(
            read(
                r#"{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"read_file","arguments":"{\"path\":\"x\"}"}}]}"#
            ),
            whole("x")
        );
        assert_eq!(
            read(
                r#"{"type":"function_call","call_id":"c","name":"mcp__fs__view","arguments":"{\"path\":\"x\",\"view_range\":[3,-1]}"}"#
            ),
            Some(Read { path: "x".to_owned(), first: 3, last: None })
        );
        let part = r#"[{"type":"tool_use","id":"a","name":"Read","input":{"file_path":"x","offset":11,"limit":5}}]"#;
        assert_eq!(read(part), Some(Read { path: "x".to_owned(), first: 11, last: Some(15) }));
        for other in ["Edit", "Write", "Bash", "str_replace_based_edit_tool"] {
            assert_eq!(read(&part.replace("Read", other)), None);
        }
        assert_eq!(read(&part.replace("11", "-1")), None);
    }
}
