//! What a message body costs: what a model sees, and nothing else.

use git_trace::tokens::{Body, Encoding, IMAGE_TOKENS_MAX, MESSAGE_FRAMING, TOOL_CALL_FRAMING, count_body, count_text};
use proptest::prelude::*;
use serde_json::{Value, json};

const O200K: Encoding = Encoding::O200kBase;
/// The header of a PNG of 1,000 x 500 pixels.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAA+gAAAH0CAYAAAA=";
const PNG_TOKENS: u64 = 667;

fn cost(content: &Value) -> u64 {
    count_body(O200K, Body::Json, content.to_string().as_bytes())
}

fn text(text: &str) -> u64 {
    count_text(O200K, text)
}

#[test]
fn text_costs_the_same_in_every_form() {
    let words = "Use port 8080, it's \"free\" – 的中\n";
    for content in [
        json!(words),
        json!({ "type": "text", "text": words }),
        json!([{ "type": "text", "text": words, "cache_control": { "type": "ephemeral" } }]),
        json!({ "role": "user", "content": words }),
        json!({ "role": "user", "content": [{ "type": "input_text", "text": words }] }),
        json!({ "type": "message", "id": "msg_1", "role": "assistant", "content": [{ "type": "output_text", "text": words }] }),
        json!({ "role": "model", "parts": [{ "text": words, "thoughtSignature": "abc" }] }),
        json!({ "type": "tool_result", "tool_use_id": "toolu_1", "is_error": false, "content": words }),
        json!({ "type": "tool_result", "content": [{ "type": "text", "text": words }] }),
        json!({ "type": "function_call_output", "call_id": "call_1", "output": words }),
        json!({ "type": "document", "source": { "type": "text", "media_type": "text/plain", "data": words } }),
        json!({ "type": "document", "source": { "type": "content", "content": [{ "type": "text", "text": words }] } }),
        json!({ "type": "thinking", "thinking": words, "signature": "EqoBCkgIAxABGAIiQH" }),
        json!({ "type": "reasoning", "summary": [{ "type": "summary_text", "text": words }], "encrypted_content": "gAAAA" }),
    ] {
        assert_eq!(cost(&content), text(words), "{content}");
    }
    assert_eq!(count_body(O200K, Body::Text, words.as_bytes()), text(words));
}

#[test]
fn a_tool_call_costs_its_name_its_input_and_its_framing() {
    let input = r#"{"command":"cargo test","timeout":120000}"#;
    let expected = TOOL_CALL_FRAMING + text("Bash") + text(input);
    let spaced = format!(
        "[ {{ \"type\": \"tool_use\", \"id\": \"toolu_01\", \"name\": \"Bash\", \"input\": {} }} ]",
        input.replace(':', " : ")
    );
    assert_eq!(count_body(O200K, Body::Json, spaced.as_bytes()), expected);
    for content in [
        json!({ "type": "function_call", "call_id": "c", "name": "Bash", "arguments": input }),
        json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "Bash", "arguments": input } }] }),
        json!({ "parts": [{ "functionCall": { "name": "Bash", "args": serde_json::from_str::<Value>(input).expect("JSON") } }] }),
    ] {
        assert_eq!(cost(&content), expected, "{content}");
    }
}

#[test]
fn framing_is_what_the_published_format_spends() {
    let written = text("assistant") + text("commentary") + text(" to=functions.") + text(" ") + text("json");
    assert_eq!(TOOL_CALL_FRAMING, written + 5);
    assert_eq!(MESSAGE_FRAMING, 3);
}

#[test]
fn what_the_model_does_not_see_is_free() {
    assert_eq!(cost(&json!([{ "type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix" }])), 0);
    assert_eq!(cost(&json!({ "type": "document", "source": { "type": "base64", "data": "JVBERi0xLjQK" } })), 0);
    assert_eq!(
        cost(&json!({ "type": "document", "title": "Plan", "source": { "type": "url", "url": "x" } })),
        text("Plan")
    );
    assert_eq!(cost(&json!(null)), 0);
    assert_eq!(cost(&json!([])), 0);
}

#[test]
fn an_image_costs_its_size_whoever_sends_it() {
    let url = format!("data:image/png;base64,{PNG}");
    for content in [
        json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": PNG } }),
        json!({ "type": "image_url", "image_url": { "url": url } }),
        json!({ "type": "input_image", "image_url": url }),
        json!({ "type": "image", "data": PNG, "mimeType": "image/png" }),
        json!({ "parts": [{ "inlineData": { "mimeType": "image/png", "data": PNG } }] }),
    ] {
        assert_eq!(cost(&content), PNG_TOKENS, "{content}");
    }
    assert_eq!(cost(&json!({ "type": "image", "source": { "type": "file", "file_id": "f" } })), IMAGE_TOKENS_MAX);
}

#[test]
fn an_unknown_block_costs_its_compact_source() {
    let compact = r#"{"type":"hologram","n":1.50,"s":"a  b","u":"\u00e9"}"#;
    let spaced = compact.replace(',', " ,\n\t");
    assert_eq!(count_body(O200K, Body::Json, spaced.as_bytes()), text(compact));
    assert_eq!(cost(&json!({ "anything": [1, 2] })), text(r#"{"anything":[1,2]}"#));
    assert_eq!(cost(&json!(42)), text("42"));
}

#[test]
fn broken_input_counts_as_text() {
    for bytes in
        [&b"{\"type\":\"text\",\"text\":"[..], b"", b"plain words", b"[1,2", b"\"a\" \"b\"", b"{\"a\":\"\xff\"}"]
    {
        assert_eq!(count_body(O200K, Body::Json, bytes), O200K.count_bytes(bytes));
    }
}

#[test]
fn a_lone_surrogate_counts_as_the_replacement_character() {
    let body = br#"[{"type":"text","text":"cut \ud83d here","\udfff":"\ud800"}]"#;
    assert_eq!(count_body(O200K, Body::Json, body), text("cut \u{fffd} here"));
}

#[test]
fn depth_is_bounded() {
    let deep = |levels: usize| format!("{}\"x\"{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(count_body(O200K, Body::Json, deep(10).as_bytes()), 1);
    assert!(count_body(O200K, Body::Json, deep(1_000_000).as_bytes()) > 1);
    let blocks = format!("{}\"x\"{}", r#"{"type":"tool_result","content":"#.repeat(100_000), "}".repeat(100_000));
    assert!(count_body(O200K, Body::Json, blocks.as_bytes()) > 1);
}

fn content() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![any::<String>().prop_map(Value::from), any::<f64>().prop_map(Value::from), Just(Value::Null)];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = proptest::sample::select(vec![
            "type",
            "text",
            "content",
            "source",
            "data",
            "input",
            "name",
            "thinking",
            "parts",
            "function",
            "tool_calls",
            "image_url",
            "x",
        ]);
        let kind = proptest::sample::select(vec![
            "text",
            "tool_use",
            "tool_result",
            "image",
            "document",
            "thinking",
            "reasoning",
            "function",
            "message",
            "new",
        ]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            (kind, proptest::collection::vec((name, inner), 0..5)).prop_map(|(kind, members)| {
                let mut object: serde_json::Map<_, _> =
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                object.insert("type".to_owned(), kind.into());
                object.into()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_list_costs_the_sum_of_its_blocks_and_white_space_nothing(blocks in proptest::collection::vec(content(), 0..4)) {
        let sum: u64 = blocks.iter().map(cost).sum();
        let list = Value::from(blocks);
        prop_assert_eq!(cost(&list), sum);
        let pretty = serde_json::to_string_pretty(&list).expect("JSON");
        prop_assert_eq!(count_body(O200K, Body::Json, pretty.as_bytes()), sum);
    }

    #[test]
    fn any_bytes_have_a_cost(bytes in "[\\[\\]{}\":,a-z\\\\u0-9d \u{0}-\u{ff}]{0,40}") {
        let _ = count_body(O200K, Body::Json, bytes.as_bytes());
    }
}
