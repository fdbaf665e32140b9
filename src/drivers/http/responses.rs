//! OpenAI's responses.

use serde::Deserialize;
use serde_json::{Value, json};

use super::chat::{InputDetails, OutputDetails, normalised};
use super::{Reply, cut_off};

#[derive(Deserialize)]
struct Response {
    model: Option<String>,
    status: Option<String>,
    incomplete_details: Option<Incomplete>,
    error: Option<Fault>,
    #[serde(default)]
    output: Vec<Item>,
    usage: Option<Reported>,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Fault {
    message: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    content: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Reported {
    /// All input, cached or not.
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

pub(super) fn request(model: &str, prompt: &str, max_tokens: Option<u64>) -> Value {
    // Nothing of it is to be kept at the provider: the context is here.
    let mut request = json!({ "model": model, "input": prompt, "store": false });
    if let Some(limit) = max_tokens {
        request["max_output_tokens"] = limit.into();
    }
    request
}

pub(super) fn reply(body: &[u8]) -> Result<Reply, String> {
    let response: Response = serde_json::from_slice(body).map_err(|error| format!("no response: {error}"))?;
    match response.status.as_deref() {
        Some("completed") | None => {}
        Some("incomplete") => {
            let reason = response.incomplete_details.and_then(|details| details.reason);
            return Err(cut_off(reason.as_deref().unwrap_or("incomplete")));
        }
        Some(other) => {
            let words = response.error.and_then(|error| error.message).unwrap_or_default();
            return Err(format!("it {other}: {words}").trim_end_matches(": ").to_owned());
        }
    }
    let mut text = String::new();
    for part in
        response.output.into_iter().filter(|item| item.kind == "message").filter_map(|item| item.content).flatten()
    {
        if let Some(refusal) = part.refusal {
            return Err(format!("the model refused: {refusal}"));
        }
        if part.kind == "output_text" {
            text.push_str(part.text.as_deref().unwrap_or_default());
        }
    }
    let usage = response.usage.map(|usage| {
        let cached = usage.input_tokens_details.and_then(|details| details.cached_tokens);
        let reasoning = usage.output_tokens_details.and_then(|details| details.reasoning_tokens);
        normalised(usage.input_tokens, cached, usage.output_tokens, reasoning)
    });
    Ok(Reply { text, model: response.model, usage })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Usage;

    #[test]
    fn a_response_is_read_as_the_api_writes_it() {
        let body = br#"{"id":"resp_1","object":"response","status":"completed","error":null,"incomplete_details":null,
            "model":"gpt-5-2025-08-07","output":[{"type":"reasoning","id":"rs_1","summary":[],"content":null},{"type":"message","id":"msg_1",
            "status":"completed","role":"assistant","content":[{"type":"output_text","text":"Port 8080 stays.","annotations":[]}]}],
            "usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":64},"output_tokens":30,
            "output_tokens_details":{"reasoning_tokens":20},"total_tokens":130}}"#;
        let reply = reply(body).expect("a response");
        assert_eq!((reply.text.as_str(), reply.model.as_deref()), ("Port 8080 stays.", Some("gpt-5-2025-08-07")));
        let usage =
            Usage { input: Some(36), cache_read: Some(64), cache_write: None, output: Some(30), reasoning: Some(20) };
        assert_eq!(reply.usage, Some(usage));
    }

    #[test]
    fn what_is_no_whole_answer_is_an_error() {
        let cut = br#"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]}"#;
        assert_eq!(reply(cut), Err("it was cut off (max_output_tokens)".to_owned()));
        let failed = br#"{"status":"failed","error":{"code":"server_error","message":"sorry"},"output":[]}"#;
        assert_eq!(reply(failed), Err("it failed: sorry".to_owned()));
        let refused =
            br#"{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"no"}]}]}"#;
        assert_eq!(reply(refused), Err("the model refused: no".to_owned()));
    }
}
