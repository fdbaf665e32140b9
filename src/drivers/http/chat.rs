//! OpenAI's chat completions, and the many servers that speak them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, cut_off};
use crate::model::Usage;

#[derive(Deserialize)]
struct Completion {
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Reported>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Reported {
    /// All input, cached or not.
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
}

/// How much of the input came from a cache; the responses have the same.
#[derive(Deserialize)]
pub(super) struct InputDetails {
    pub(super) cached_tokens: Option<u64>,
}

/// How much of the output was reasoning; the responses have the same.
#[derive(Deserialize)]
pub(super) struct OutputDetails {
    pub(super) reasoning_tokens: Option<u64>,
}

pub(super) fn request(model: &str, prompt: &str, max_tokens: Option<u64>) -> Value {
    let mut request = json!({ "model": model, "messages": [{ "role": "user", "content": prompt }] });
    if let Some(limit) = max_tokens {
        request["max_completion_tokens"] = limit.into();
    }
    request
}

pub(super) fn reply(body: &[u8]) -> Result<Reply, String> {
    let completion: Completion = serde_json::from_slice(body).map_err(|error| format!("no completion: {error}"))?;
    let choice = completion.choices.into_iter().next().ok_or("there is no choice in it")?;
    if let Some(refusal) = choice.message.refusal.filter(|refusal| !refusal.is_empty()) {
        return Err(format!("the model refused: {refusal}"));
    }
    match choice.finish_reason.as_deref() {
        // Some servers leave it out, or empty.
        Some("stop" | "") | None => {}
        Some("length") => return Err(cut_off("length")),
        Some("content_filter") => return Err("the provider's filter took it away".to_owned()),
        Some(other) => return Err(format!("it stopped for '{other}'")),
    }
    let usage = completion.usage.map(|usage| {
        let cached = usage.prompt_tokens_details.and_then(|details| details.cached_tokens);
        let reasoning = usage.completion_tokens_details.and_then(|details| details.reasoning_tokens);
        normalised(usage.prompt_tokens, cached, usage.completion_tokens, reasoning)
    });
    Ok(Reply { text: choice.message.content.unwrap_or_default(), model: completion.model, usage })
}

/// Takes the cached tokens out of the input, where OpenAI counts them.
pub(super) fn normalised(
    input: Option<u64>,
    cached: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
) -> Usage {
    let input = input.map(|input| input.saturating_sub(cached.unwrap_or(0)));
    Usage { input, cache_read: cached, cache_write: None, output, reasoning }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_is_read_as_the_api_writes_it() {
        let body = br#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5-2025-08-07","choices":[{"index":0,
            "message":{"role":"assistant","content":"Port 8080 stays.","refusal":null,"annotations":[]},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":100,"completion_tokens":30,"total_tokens":130,"prompt_tokens_details":{"cached_tokens":64,
            "audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":20}}}"#;
        let reply = reply(body).expect("a completion");
        assert_eq!((reply.text.as_str(), reply.model.as_deref()), ("Port 8080 stays.", Some("gpt-5-2025-08-07")));
        let usage =
            Usage { input: Some(36), cache_read: Some(64), cache_write: None, output: Some(30), reasoning: Some(20) };
        assert_eq!(reply.usage, Some(usage));
    }

    #[test]
    fn what_is_no_whole_answer_is_an_error() {
        let choice = |choice: &str| reply(format!(r#"{{"choices":[{choice}]}}"#).as_bytes());
        assert_eq!(
            choice(r#"{"message":{"content":"x"},"finish_reason":"length"}"#),
            Err("it was cut off (length)".to_owned())
        );
        assert_eq!(
            choice(r#"{"message":{"content":null,"refusal":"I won't"},"finish_reason":"stop"}"#),
            Err("the model refused: I won't".to_owned())
        );
        assert!(choice(r#"{"message":{"content":"x"},"finish_reason":"content_filter"}"#).is_err());
        assert!(choice("").is_err() && reply(b"{\"choices\":7}").is_err());
    }

    #[test]
    fn more_cached_than_read_does_not_go_below_nothing() {
        assert_eq!(normalised(Some(5), Some(9), None, None).input, Some(0));
        assert_eq!(normalised(None, Some(9), None, None).input, None);
    }
}
