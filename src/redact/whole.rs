//! A message without what it said: what holds a conversation together stays, and all else goes.

use serde_json::{Map, Value};

/// Kinds of parts that stay parts of their kind; of any other, what is left is a text.
const KINDS: [&str; 18] = [
    "text",
    "input_text",
    "output_text",
    "summary_text",
    "reasoning_text",
    "thinking",
    "reasoning",
    "message",
    "function",
    "tool_use",
    "server_tool_use",
    "tool_result",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "local_shell_call",
    "local_shell_call_output",
];

/// Members by which calls and results find each other.
const IDS: [&str; 4] = ["id", "tool_use_id", "tool_call_id", "call_id"];

/// Members that hold parts, or words.
const PARTS: [&str; 10] = [
    "content",
    "output",
    "summary",
    "text",
    "thinking",
    "refusal",
    "reasoning",
    "reasoning_content",
    "tool_calls",
    "function",
];

/// Longest word of the protocol.
const WORD_MAX: usize = 64;

/// Returns a message, or several behind each other, with `instead` of each text; `None` if it cannot be read.
pub(super) fn message(json: &[u8], instead: &dyn Fn(&str) -> String) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(json.len());
    for document in serde_json::Deserializer::from_slice(json).into_iter::<Value>() {
        let kept = part(document.ok()?, instead);
        if !new.is_empty() {
            new.push(b'\n');
        }
        serde_json::to_writer(&mut new, &kept).expect("a vector takes every write");
    }
    Some(new)
}

/// Returns a message of one text, for one that is nested too deeply to be read.
pub(super) fn text(json: &[u8], instead: &dyn Fn(&str) -> String) -> Vec<u8> {
    let text = instead(&String::from_utf8_lossy(json));
    serde_json::json!([{ "type": "text", "text": text }]).to_string().into_bytes()
}

fn part(value: Value, instead: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(instead(&text)),
        Value::Array(parts) => Value::Array(parts.into_iter().map(|one| part(one, instead)).collect()),
        Value::Object(members) => object(members, instead),
        Value::Number(number) => Value::String(instead(&number.to_string())),
        Value::Bool(_) | Value::Null => Value::Null,
    }
}

fn object(members: Map<String, Value>, instead: &dyn Fn(&str) -> String) -> Value {
    let kind = members.get("type").and_then(Value::as_str).map(str::to_owned);
    let is_known = match &kind {
        Some(kind) => KINDS.contains(&kind.as_str()),
        None => ["role", "content", "function", "tool_calls"].iter().any(|name| members.contains_key(*name)),
    };
    let is_call = ["input", "arguments", "args", "action"].iter().any(|name| members.contains_key(*name));
    if !is_known && !is_call {
        return other(members, kind.is_some(), instead);
    }
    let mut kept = Map::new();
    for (name, value) in members {
        let new = match (name.as_str(), value) {
            ("type" | "role", Value::String(word)) if is_word(&word) => Value::String(word),
            (id, Value::String(word)) if IDS.contains(&id) => Value::String(word),
            ("name", Value::String(word)) if is_call => Value::String(word),
            ("is_error", Value::Bool(mark)) => Value::Bool(mark),
            // It is JSON in a text.
            ("arguments", Value::String(text)) => Value::String(emptied(&Value::String(text), instead).to_string()),
            ("input", Value::String(text)) => Value::String(instead(&text)),
            ("input" | "arguments" | "args" | "action", value) => emptied(&value, instead),
            (_, Value::Null) => Value::Null,
            (known, value) if PARTS.contains(&known) => part(value, instead),
            _ => continue,
        };
        kept.insert(name, new);
    }
    Value::Object(kept)
}

/// Returns what stands for an image, a file, thinking that only the provider can read, or what nobody knows.
fn other(members: Map<String, Value>, is_part: bool, instead: &dyn Fn(&str) -> String) -> Value {
    if members.is_empty() {
        return Value::Object(members);
    }
    if !is_part {
        return emptied(&Value::Object(members), instead);
    }
    let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind = if kind.starts_with("input_") { "input_text" } else { "text" };
    let mut kept = Map::new();
    kept.insert("type".to_owned(), kind.into());
    kept.insert("text".to_owned(), instead(&Value::Object(members).to_string()).into());
    Value::Object(kept)
}

/// Returns an object that says no more than that something was taken out.
fn emptied(value: &Value, instead: &dyn Fn(&str) -> String) -> Value {
    const NAME: &str = "redacted";
    let known = match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        _ => value.clone(),
    };
    let said = match &known {
        Value::Object(members) if members.is_empty() => return known,
        // It was taken out before.
        Value::Object(members) if members.len() == 1 => members.get(NAME).and_then(Value::as_str).map(instead),
        _ => None,
    };
    let said = said.unwrap_or_else(|| instead(&known.to_string()));
    Value::Object(Map::from_iter([(NAME.to_owned(), Value::String(said))]))
}

/// Tells whether a text can be a word of a protocol.
fn is_word(text: &str) -> bool {
    text.len() <= WORD_MAX
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(json: &str) -> String {
        let instead = |text: &str| if text.trim().is_empty() || text == "*" { text.to_owned() } else { "*".to_owned() };
        String::from_utf8(message(json.as_bytes(), &instead).expect("JSON")).expect("text")
    }

    #[test]
    fn what_holds_it_together_stays_and_nothing_else() {
        for (json, expected) in [
            (r#""secret""#, r#""*""#),
            (
                r#"[{"type":"tool_use","id":"t1","name":"Bash","input":{"SECRET":1,"a":["b"]},"customer_id":"bob@x"}]"#,
                r#"[{"type":"tool_use","id":"t1","name":"Bash","input":{"redacted":"*"}}]"#,
            ),
            (
                r#"[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"image","source":{"data":"QUJD"}},{"type":"text","text":"x"}]}]"#,
                r#"[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"text","text":"*"},{"type":"text","text":"*"}]}]"#,
            ),
            (
                r#"[{"type":"thinking","thinking":"a plan","signature":"c2ln"},{"type":"document","name":"bob.pdf"}]"#,
                r#"[{"type":"thinking","thinking":"*"},{"type":"text","text":"*"}]"#,
            ),
            (
                r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"q\":17}"}}]}"#,
                r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"redacted\":\"*\"}"}}]}"#,
            ),
            (r#"{"type":"input_image","image_url":"data:image/png;base64,AA"}"#, r#"{"type":"input_text","text":"*"}"#),
            (r#"{"customer":"bob","age":42}"#, r#"{"redacted":"*"}"#),
        ] {
            assert_eq!(whole(json), expected);
            assert_eq!(whole(expected), expected, "twice is once");
        }
        assert!(message(b"{", &str::to_owned).is_none());
    }
}
