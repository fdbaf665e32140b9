//! A second opinion on what a provider accepts, from the output alone.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::export::Format;

/// Checks a document; `Err` says what is wrong.
pub(super) fn check(format: Format, document: &str) -> Result<(), String> {
    let document: Value = serde_json::from_str(document).map_err(|error| error.to_string())?;
    match format {
        Format::Anthropic => anthropic(list(&document["messages"])),
        Format::OpenaiChat => chat(list(&document["messages"])),
        Format::OpenaiResponses => responses(list(&document["input"])),
        other => Err(format!("no rules for {other}")),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn ids(blocks: &[Value], kind: &str, name: &str) -> Vec<String> {
    blocks.iter().filter(|block| text(block, "type") == kind).map(|block| text(block, name).to_owned()).collect()
}

fn anthropic(messages: &[Value]) -> Result<(), String> {
    let mut open: Vec<String> = Vec::new();
    let mut all = BTreeSet::new();
    for (place, message) in messages.iter().enumerate() {
        let blocks = list(&message["content"]);
        let role = text(message, "role");
        if role != ["user", "assistant"][place % 2] {
            return Err(format!("message {place} is by {role}"));
        }
        let last = blocks.last().ok_or(format!("message {place} is empty"))?;
        if role == "assistant" && text(last, "type").contains("thinking") {
            return Err(format!("message {place} ends in thinking"));
        }
        for block in blocks {
            let kind = text(block, "type");
            if kind == "text" && text(block, "text").trim().is_empty() {
                return Err(format!("blank text in message {place}"));
            }
            if kind == "thinking" && text(block, "signature").is_empty() {
                return Err(format!("unsigned thinking in message {place}"));
            }
        }
        let mut results = ids(blocks, "tool_result", "tool_use_id");
        let first_other = blocks.iter().position(|block| text(block, "type") != "tool_result");
        if first_other.is_some_and(|first| first < results.len()) {
            return Err(format!("results do not come first in message {place}"));
        }
        results.sort();
        open.sort();
        if results != open {
            return Err(format!("message {place} answers {results:?}, open are {open:?}"));
        }
        open = ids(blocks, "tool_use", "id");
        for id in &open {
            if role != "assistant" || !all.insert(id.clone()) {
                return Err(format!("call {id} in message {place}"));
            }
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("open at the end: {open:?}")) }
}

fn chat(messages: &[Value]) -> Result<(), String> {
    let mut open = BTreeSet::new();
    let mut all = BTreeSet::new();
    for (place, message) in messages.iter().enumerate() {
        if text(message, "role") == "tool" {
            if !open.remove(text(message, "tool_call_id")) {
                return Err(format!("message {place} answers nothing"));
            }
            continue;
        }
        if !open.is_empty() {
            return Err(format!("message {place} comes before the results of {open:?}"));
        }
        for call in list(&message["tool_calls"]) {
            let id = text(call, "id");
            if !open.insert(id) || !all.insert(id) {
                return Err(format!("second call {id}"));
            }
        }
        if message["content"].is_null() && open.is_empty() {
            return Err(format!("message {place} is empty"));
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("open at the end: {open:?}")) }
}

fn responses(items: &[Value]) -> Result<(), String> {
    let mut open = BTreeSet::new();
    let mut all = BTreeSet::new();
    for (place, item) in items.iter().enumerate() {
        let kind = text(item, "type");
        let id = text(item, "call_id");
        if kind.ends_with("_call") && (!open.insert(id) || !all.insert(id)) {
            return Err(format!("second call {id}"));
        }
        if kind.ends_with("_output") && !open.remove(id) {
            return Err(format!("item {place} answers nothing"));
        }
        if kind == "message" && text(item, "role") != "assistant" && !open.is_empty() {
            return Err(format!("item {place} comes before the results of {open:?}"));
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("open at the end: {open:?}")) }
}
