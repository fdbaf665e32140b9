//! A tool call, whatever agent's shape it has.

use serde_json::{Map, Value};

/// Names of the member that says which tool is called.
const NAMES: [&str; 5] = ["name", "tool", "toolName", "tool_name", "function_name"];

/// Names of the member that holds what the tool is given.
const INPUTS: [&str; 9] =
    ["input", "arguments", "args", "parameters", "params", "rawInput", "raw_input", "toolInput", "tool_input"];

/// Names of the member that holds the call's id; an item of OpenAI's responses has an `id` of its own beside `call_id`.
const IDS: [&str; 8] = ["call_id", "callId", "callID", "tool_call_id", "toolCallId", "toolUseId", "tool_use_id", "id"];

/// Longest id of a call, in bytes.
const ID_MAX: usize = 200;

/// Holds what is known of a call.
pub(super) struct Call<'a> {
    pub(super) id: Option<&'a str>,
    /// The tool's name.
    pub(super) name: &'a str,
    pub(super) input: Input<'a>,
    /// Whether the record says that it did not work.
    pub(super) failed: bool,
}

/// What a tool is given.
pub(super) enum Input<'a> {
    /// Named values.
    Object(Map<String, Value>),
    /// One text.
    Text(&'a str),
}

impl<'a> Call<'a> {
    /// Reads an object as a call, if it is one.
    pub(super) fn read(members: &'a Map<String, Value>) -> Option<Self> {
        let id = first_text(members, &IDS).filter(|id| !id.is_empty() && id.len() <= ID_MAX);
        let state = members.get("state").and_then(Value::as_object);
        let status = state.and_then(|state| state.get("status")).or_else(|| members.get("status"));
        let failed = status.is_some_and(is_failure);
        if members.get("type").and_then(Value::as_str) == Some("local_shell_call") {
            let input = read_input(members.get("action")?)?;
            return Some(Call { id, name: "local_shell", input, failed });
        }
        let inner = members.get("function").and_then(Value::as_object).unwrap_or(members);
        let name = first_text(inner, &NAMES)?;
        let input = INPUTS.iter().find_map(|key| inner.get(*key));
        let input = read_input(input.or_else(|| state?.get("input"))?)?;
        Some(Call { id, name, input, failed })
    }
}

/// Returns the id of the call that an object is the result of, if it says that the call did not work.
pub(super) fn failed_result(members: &Map<String, Value>) -> Option<&str> {
    const ERRORS: [&str; 2] = ["is_error", "isError"];
    let id = first_text(members, &IDS[..IDS.len() - 1]).filter(|id| !id.is_empty() && id.len() <= ID_MAX)?;
    let is_error = ERRORS.iter().any(|key| members.get(*key).and_then(Value::as_bool) == Some(true));
    let no_success = members.get("success").and_then(Value::as_bool) == Some(false);
    (is_error || no_success || members.get("status").is_some_and(is_failure)).then_some(id)
}

fn is_failure(status: &Value) -> bool {
    const FAILURES: [&str; 7] = ["error", "failed", "cancelled", "canceled", "rejected", "denied", "declined"];
    status.as_str().is_some_and(|status| FAILURES.contains(&status.to_ascii_lowercase().as_str()))
}

impl Input<'_> {
    /// Returns it as people read it.
    pub(super) fn text(&self) -> String {
        match self {
            Input::Object(members) => serde_json::to_string(members).unwrap_or_default(),
            Input::Text(text) => (*text).to_owned(),
        }
    }
}

/// Reads an input: an object, an object within a text, or a text.
fn read_input(value: &Value) -> Option<Input<'_>> {
    match value {
        Value::Object(members) => Some(Input::Object(members.clone())),
        Value::String(text) => {
            let inner = text.trim_start().starts_with('{').then(|| serde_json::from_str::<Value>(text).ok()).flatten();
            Some(match inner {
                Some(Value::Object(members)) => Input::Object(members),
                _ => Input::Text(text),
            })
        }
        _ => None,
    }
}

/// Returns the first of these members that is a text.
pub(super) fn first_text<'v>(members: &'v Map<String, Value>, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|name| members.get(*name)?.as_str())
}
