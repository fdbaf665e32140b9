//! Messages as programs hand them in: one JSON object or a list of them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::OpError;
use crate::model::{BodyKind, Role};

/// Holds a message that is to become an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Who speaks.
    pub role: Role,
    /// How to read the body.
    pub kind: BodyKind,
    /// The content, as it is to be stored.
    pub body: Vec<u8>,
    /// The model that spoke.
    pub model: Option<String>,
    /// Whether the entry is to be pinned at once.
    pub pin: bool,
    /// The decision that the entry takes.
    pub decision: Option<String>,
}

impl NewMessage {
    /// Makes a plain text message.
    pub fn text(role: Role, text: impl Into<Vec<u8>>) -> Self {
        NewMessage { role, kind: BodyKind::Text, body: text.into(), model: None, pin: false, decision: None }
    }
}

/// The fields that decide how a message is stored; all others stay in the body.
#[derive(Deserialize)]
struct Given<'a> {
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(default)]
    tool_calls: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    tool_call_id: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    pin: bool,
    #[serde(borrow, default)]
    decision: Option<Cow<'a, str>>,
}

/// Reads one message or a list of them, in the shapes of Anthropic (`{"role", "content"}`) and OpenAI (chat messages
/// with `tool_calls` or `tool_call_id`, responses items with a `type`).
///
/// The content is kept in its own bytes: a string becomes plain text, a list of blocks stays JSON, and a message whose
/// other fields matter to the model is kept whole.
///
/// # Errors
/// When it is not JSON, or a message has neither role nor type.
pub fn parse_messages(json: &[u8]) -> Result<Vec<NewMessage>, OpError> {
    let malformed = |at, reason: String| OpError::Message { at, reason };
    let text = std::str::from_utf8(json).map_err(|_| malformed(None, "not UTF-8".to_owned()))?;
    let text = text.trim();
    let list: Vec<&RawValue> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| malformed(None, error.to_string()))?
    } else {
        vec![serde_json::from_str(text).map_err(|error| malformed(None, error.to_string()))?]
    };
    let parse =
        |(at, raw): (usize, &&RawValue)| parse_message(raw.get()).map_err(|reason| malformed(Some(at + 1), reason));
    list.iter().enumerate().map(parse).collect()
}

fn parse_message(raw: &str) -> Result<NewMessage, String> {
    let given: Given<'_> = serde_json::from_str(raw).map_err(|error| error.to_string())?;
    let kind = given.kind.as_deref().unwrap_or("message");
    let role = match (given.role.as_deref(), kind) {
        (Some("developer"), _) => Role::System,
        (Some(role), _) => Role::from_name(role),
        (None, "function_call" | "reasoning" | "custom_tool_call") => Role::Assistant,
        (None, "function_call_output" | "custom_tool_call_output") => Role::Tool,
        (None, _) => return Err("no role".to_owned()),
    };
    if let Role::Other(name) = &role {
        return Err(format!("unknown role '{name}'"));
    }
    let whole = given.tool_calls.is_some() || given.tool_call_id.is_some() || kind != "message";
    let (kind, body) = match given.content {
        _ if whole => (BodyKind::Json, raw.as_bytes().to_vec()),
        None => return Err("no content".to_owned()),
        // A string with a lone surrogate has no UTF-8 form: its JSON is kept.
        Some(content) => match serde_json::from_str::<String>(content.get()) {
            Ok(text) => (BodyKind::Text, text.into_bytes()),
            Err(_) if content.get() == "null" => return Err("no content".to_owned()),
            Err(_) => (BodyKind::Json, content.get().as_bytes().to_vec()),
        },
    };
    let model = given.model.map(Cow::into_owned);
    Ok(NewMessage { role, kind, body, model, pin: given.pin, decision: given.decision.map(Cow::into_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_keeps_its_bytes() {
        let json = br#"[{"role":"user","content":"a\nb"},
            {"role":"assistant","content":[ {"type":"text","text":"x", "n":3e303} ],"model":"m"},
            {"role":"assistant","content":null,"tool_calls":[]},
            {"role":"user","content":"\ud800"},
            {"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]"#;
        let messages = parse_messages(json).expect("well formed");
        let bodies: Vec<&str> =
            messages.iter().map(|message| std::str::from_utf8(&message.body).expect("UTF-8")).collect();
        assert_eq!(bodies[0], "a\nb");
        assert_eq!(bodies[1], r#"[ {"type":"text","text":"x", "n":3e303} ]"#);
        assert_eq!(bodies[2], r#"{"role":"assistant","content":null,"tool_calls":[]}"#);
        assert_eq!(bodies[3], r#""\ud800""#);
        assert_eq!(messages[1].model.as_deref(), Some("m"));
        assert_eq!((&messages[4].role, &messages[4].kind), (&Role::Assistant, &BodyKind::Json));
    }

    #[test]
    fn what_is_no_message_is_named() {
        for (json, error) in [
            ("[{\"role\":\"user\",\"content\":\"x\"},{\"content\":\"y\"}]", "malformed message 2: no role"),
            ("{\"role\":\"user\"}", "malformed message 1: no content"),
            ("{\"role\":\"wizard\",\"content\":\"x\"}", "malformed message 1: unknown role 'wizard'"),
        ] {
            assert_eq!(parse_messages(json.as_bytes()).expect_err("refused").to_string(), error);
        }
        assert!(parse_messages(b"{\"role\":").is_err());
        assert!(parse_messages(b"").is_err());
    }
}
