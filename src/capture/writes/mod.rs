//! The files that a message's tool calls write, whatever agent's shape the calls have.
//!
//! What is read here is evidence of where a line of code came from, so that nothing is guessed: a call whose input says
//! neither which file nor which text writes nothing.

mod call;
mod patch;
mod shell;
mod tool;

use serde_json::Value;

use crate::model::FileWrite;
use call::Call;

/// The largest body that is looked at, in bytes.
const BODY_MAX: usize = 8 << 20;

/// Most writes of one message that are told.
const WRITES_MAX: usize = 512;

/// How deep calls may stand in a message.
const DEPTH_MAX: usize = 8;

/// Finds what the tool calls in a JSON body write to files, in their order. What cannot be read writes nothing.
pub fn file_writes(body: &[u8]) -> Vec<FileWrite> {
    let mut found = Vec::new();
    let begins = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if body.len() > BODY_MAX || !matches!(begins, Some(b'[' | b'{')) || !may_write(body) {
        return found;
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return found };
    let mut calls = 0;
    collect(&value, 0, &mut calls, &mut |call, id| {
        if !call.failed && found.len() < WRITES_MAX {
            tool::writes(call, id, &mut found);
        }
    });
    found
}

/// Finds the ids of the calls that a JSON body says did not work, as where the user said no: what they were to write was
/// never written.
pub fn failed_calls(body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let words: [&[u8]; 5] = [b"is_error", b"isError", b"\"status\"", b"\"success\"", b"\"error\""];
    let may_tell = words.iter().any(|word| memchr::memmem::find(body, word).is_some());
    if body.len() <= BODY_MAX && may_tell {
        let value = serde_json::from_slice::<Value>(body).unwrap_or_default();
        collect_failed(&value, 0, &mut found);
    }
    found
}

fn collect_failed(value: &Value, depth: usize, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) if depth <= DEPTH_MAX => {
            elements.iter().for_each(|element| collect_failed(element, depth + 1, found));
        }
        Value::Object(members) if depth <= DEPTH_MAX => match call::failed_result(members) {
            Some(id) if found.len() < WRITES_MAX => found.push(id.to_owned()),
            Some(_) => {}
            None => members.values().for_each(|value| collect_failed(value, depth + 1, found)),
        },
        _ => {}
    }
}

/// Holds a tool call as a message makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The tool.
    pub name: String,
    /// What it was given: JSON, or a text.
    pub input: String,
    /// What it writes to files.
    pub writes: Vec<FileWrite>,
}

/// Finds a tool call of a JSON body by the name that [`file_writes`] gives it.
pub fn tool_call(body: &[u8], id: &str) -> Option<ToolCall> {
    let value = (body.len() <= BODY_MAX).then(|| serde_json::from_slice::<Value>(body).ok()).flatten()?;
    let (mut calls, mut found) = (0, None);
    collect(&value, 0, &mut calls, &mut |call, name| {
        if name == id && found.is_none() {
            let mut writes = Vec::new();
            tool::writes(call, name, &mut writes);
            found = Some(ToolCall { name: call.name.to_owned(), input: call.input.text(), writes });
        }
    });
    found
}

/// Tells quickly whether there could be a call: most messages have none.
fn may_write(body: &[u8]) -> bool {
    let words: [&[u8]; 7] =
        [b"\"input\"", b"\"arguments\"", b"\"args\"", b"\"parameters\"", b"\"action\"", b"\"rawInput\"", b"oolInput\""];
    words.iter().any(|word| memchr::memmem::find(body, word).is_some())
}

/// Goes through a message and hands each call on, with its name.
fn collect(value: &Value, depth: usize, calls: &mut usize, take: &mut dyn FnMut(&Call<'_>, &str)) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, depth + 1, calls, take)),
        Value::Object(members) => {
            if let Some(call) = Call::read(members) {
                let name = call.id.map_or_else(|| format!("#{calls}"), str::to_owned);
                *calls += 1;
                return take(&call, &name);
            }
            // What a tool answered was not written by it.
            let is_result = |text: &str| text.contains("result") || text.contains("output");
            if members.get("type").and_then(Value::as_str).is_some_and(is_result) {
                return;
            }
            let inner = members.iter().filter(|(name, _)| !is_result(&name.to_ascii_lowercase()));
            inner.for_each(|(_, value)| collect(value, depth + 1, calls, take));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
