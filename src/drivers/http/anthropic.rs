//! Anthropic's Messages API, as its documentation describes it (`/v1/messages`, version 2023-06-01).

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, cut_off};
use crate::model::Usage;

#[derive(Deserialize)]
struct Message {
    model: Option<String>,
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<Reported>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Reported {
    /// Without the cached ones.
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

pub(super) fn request(model: &str, prompt: &str, max_tokens: u64) -> Value {
    json!({ "model": model, "max_tokens": max_tokens, "messages": [{ "role": "user", "content": prompt }] })
}

pub(super) fn reply(body: &[u8]) -> Result<Reply, String> {
    let message: Message = serde_json::from_slice(body).map_err(|error| format!("no message: {error}"))?;
    match message.stop_reason.as_deref() {
        Some("end_turn" | "stop_sequence") | None => {}
        Some(limit @ ("max_tokens" | "model_context_window_exceeded")) => return Err(cut_off(limit)),
        Some("refusal") => return Err("the model refused".to_owned()),
        Some(other) => return Err(format!("it stopped for '{other}'")),
    }
    let text = message.content.into_iter().filter(|block| block.kind == "text").filter_map(|block| block.text);
    let usage = message.usage.map(|usage| Usage {
        input: usage.input_tokens,
        cache_read: usage.cache_read_input_tokens,
        cache_write: usage.cache_creation_input_tokens,
        output: usage.output_tokens,
        reasoning: None,
    });
    Ok(Reply { text: text.collect(), model: message.model, usage })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_the_api_writes_it() {
        let body = br#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[
            {"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Port 8080 "},{"type":"text","text":"stays."}],
            "stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":3,
            "cache_read_input_tokens":100,"output_tokens":7,"service_tier":"standard"}}"#;
        let reply = reply(body).expect("a message");
        assert_eq!(
            (reply.text.as_str(), reply.model.as_deref()),
            ("Port 8080 stays.", Some("claude-sonnet-4-5-20250929"))
        );
        let usage =
            Usage { input: Some(12), cache_read: Some(100), cache_write: Some(3), output: Some(7), reasoning: None };
        assert_eq!(reply.usage, Some(usage));
    }

    #[test]
    fn what_is_no_whole_answer_is_an_error() {
        let stop = |reason: &str| {
            reply(format!(r#"{{"content":[{{"type":"text","text":"x"}}],"stop_reason":"{reason}"}}"#).as_bytes())
        };
        assert_eq!(stop("max_tokens"), Err("it was cut off (max_tokens)".to_owned()));
        assert_eq!(stop("refusal"), Err("the model refused".to_owned()));
        assert_eq!(stop("tool_use"), Err("it stopped for 'tool_use'".to_owned()));
        assert!(reply(b"{}").is_err() && reply(b"[1").is_err() && stop("end_turn").is_ok());
    }
}
