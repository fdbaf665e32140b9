//! The forms for OpenAI.

use super::*;

#[test]
fn a_session_becomes_chat_messages() {
    let (document, rendered) = rendered(&session(), Format::OpenaiChat);
    assert_eq!(
        document,
        r#"{"messages":[
{"role":"system","content":"You are a careful engineer."},
{"role":"user","content":"Why does \"make\" fail?"},
{"role":"assistant","content":"I will look.\n","tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"Bash","arguments":"{\"timeout\": 3e303, \"command\":\"make \\u00e9\"}"}},{"id":"toolu_2","type":"function","function":{"name":"Read","arguments":"{}"}}]},
{"role":"tool","tool_call_id":"toolu_2","content":"a"},
{"role":"tool","tool_call_id":"toolu_1","content":"No rule to make target"},
{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0K"}}]},
{"role":"user","content":"(hook) slow"},
{"role":"system","content":"The user opened Makefile."},
{"role":"assistant","content":"A rule is missing."},
{"role":"user","content":"Rule was added."},
{"role":"user","content":[{"type":"text","text":"Thanks"},{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}]}
]}
"#
    );
    assert_eq!((rendered.entries, rendered.messages), (9, 11));
    assert_eq!(lost(&rendered), [(2, Lost::Thinking), (3, Lost::Moved), (5, Lost::ErrorMark)]);
    checker::check(Format::OpenaiChat, &document).expect("valid");
}

#[test]
fn a_session_becomes_items() {
    let (document, rendered) = rendered(&session(), Format::OpenaiResponses);
    assert_eq!(
        document,
        r#"{"instructions":"You are a careful engineer.",
"input":[
{"type":"message","role":"user","content":"Why does \"make\" fail?"},
{"type":"message","role":"assistant","content":"I will look.\n"},
{"type":"function_call","call_id":"toolu_1","name":"Bash","arguments":"{\"timeout\": 3e303, \"command\":\"make \\u00e9\"}"},
{"type":"function_call","call_id":"toolu_2","name":"Read","arguments":"{}"},
{"type":"function_call_output","call_id":"toolu_2","output":[{"type":"input_text","text":"a"},{"type":"input_image","detail":"auto","image_url":"data:image/png;base64,iVBORw0K"}]},
{"type":"function_call_output","call_id":"toolu_1","output":"No rule to make target"},
{"type":"message","role":"user","content":"(hook) slow"},
{"type":"message","role":"system","content":"The user opened Makefile."},
{"type":"message","role":"assistant","content":"A rule is missing."},
{"type":"message","role":"user","content":"Rule was added."},
{"type":"message","role":"user","content":[{"type":"input_text","text":"Thanks"},{"type":"input_image","detail":"auto","image_url":"https://example.org/a.png"}]}
]}
"#
    );
    assert_eq!((rendered.entries, rendered.messages), (9, 11));
    assert_eq!(lost(&rendered), [(2, Lost::Thinking), (5, Lost::ErrorMark)]);
    checker::check(Format::OpenaiResponses, &document).expect("valid");
}

const ASSISTANT: &str = r#"{"role": "assistant", "content":null, "reasoning_content":"hm", "x":1.0, "tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}"#;
const ANSWER: &str = r#"{"role":"tool","tool_call_id":"call_1","content":"1","name":"f"}"#;

#[test]
fn chat_messages_stay_as_they_were() {
    let user = r#"{"role":"user", "name":"ann", "content":"hi"}"#;
    let developer = r#"{"role":"developer","content":"be brief"}"#;
    let items = context(&[("system", developer), ("user", user), ("assistant", ASSISTANT), ("tool", ANSWER)]);
    let (document, rendered) = rendered(&items, Format::OpenaiChat);
    assert_eq!(document, format!("{{\"messages\":[\n{developer},\n{user},\n{ASSISTANT},\n{ANSWER}\n]}}\n"));
    assert_eq!(rendered.dropped, []);
}

#[test]
fn calls_of_two_entries_in_a_row_become_one_message() {
    let second = r#"[{"type":"text","text":"and"},{"type":"tool_use","id":"t2","name":"g","input":{"a":1}}]"#;
    let answer = r#"[{"type":"tool_result","tool_use_id":"t2"}]"#;
    let items = context(&[
        ("user", "x"),
        ("assistant", "first"),
        ("assistant", ASSISTANT),
        ("assistant", second),
        ("user", "wait"),
        ("tool", answer),
        ("tool", ANSWER),
    ]);
    let (document, _) = rendered(&items, Format::OpenaiChat);
    assert_eq!(
        document,
        r#"{"messages":[
{"role":"user","content":"x"},
{"role":"assistant","content":"first"},
{"role":"assistant","content":"and","reasoning_content":"hm","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"t2","type":"function","function":{"name":"g","arguments":"{\"a\":1}"}}]},
{"role":"tool","tool_call_id":"t2","content":""},
{"role":"tool","tool_call_id":"call_1","content":"1","name":"f"},
{"role":"user","content":"wait"}
]}
"#
    );
}

#[test]
fn items_stay_as_they_were_and_only_sealed_reasoning_goes_back() {
    let sealed = r#"{"type":"reasoning","id":"rs_1","summary":[], "encrypted_content":"gAAA"}"#;
    let open = r#"{"type":"reasoning","id":"rs_2","summary":[{"type":"summary_text","text":"s"}]}"#;
    let said = r#"{"type":"message","id":"msg_1","role":"assistant","status":"completed","phase":"commentary","content":[{"type":"output_text","text":"y","annotations":[]}]}"#;
    let call = r#"{"type":"custom_tool_call","call_id":"c1","name":"apply_patch","input":"*** Begin"}"#;
    let shell =
        r#"{"type":"local_shell_call","call_id":"c2","status":"completed","action":{"type":"exec","command":["ls"]}}"#;
    let search = r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#;
    let items = context(&[
        ("user", r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}"#),
        ("assistant", &format!("[{sealed},{search},{said},{open},{call},{shell}]")),
        ("tool", "patched"),
        ("tool", r#"{"type":"function_call_output","call_id":"c2","output":"a"}"#),
        ("assistant", &format!("[{}]", sealed.replace("rs_1", "rs_3"))),
    ]);
    let (document, rendered) = rendered(&items, Format::OpenaiResponses);
    assert_eq!(
        document,
        format!(
            r#"{{"input":[
{{"type":"message","role":"user","content":[{{"type":"input_text","text":"x"}}]}},
{sealed},
{search},
{said},
{call},
{shell},
{{"type":"custom_tool_call_output","call_id":"c1","output":"patched"}},
{{"type":"function_call_output","call_id":"c2","output":"a"}}
]}}
"#
        )
    );
    assert_eq!(lost(&rendered), [(1, Lost::UnsignedThinking), (4, Lost::TrailingThinking)]);

    let (document, rendered) = super::rendered(&items, Format::OpenaiChat);
    assert!(document.contains(r#"{"role":"assistant","content":"y","tool_calls":[{"id":"c1","type":"custom","custom":{"name":"apply_patch","input":"*** Begin"}},{"id":"c2","type":"function","function":{"name":"local_shell","arguments":"{\"type\":\"exec\",\"command\":[\"ls\"]}"}}]}"#), "{document}");
    let search = Lost::Block { kind: "web_search_call".to_owned() };
    assert_eq!(lost(&rendered), [(1, Lost::Thinking), (1, search), (1, Lost::Thinking), (4, Lost::Thinking)]);
}

#[test]
fn documents_go_where_there_is_a_place_for_them() {
    let pdf = r#"{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"AA=="}}"#;
    let text = r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"t"}}"#;
    let url = r#"{"type":"document","source":{"type":"url","url":"https://example.org/b.pdf"}}"#;
    let items = context(&[("user", &format!("[{pdf},{text},{url}]"))]);
    let (chat, in_chat) = rendered(&items, Format::OpenaiChat);
    assert!(chat.contains(r#"[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}},{"type":"text","text":"t"}]"#), "{chat}");
    assert_eq!(lost(&in_chat), [(0, Lost::Block { kind: "document".to_owned() })]);
    let (responses, in_responses) = rendered(&items, Format::OpenaiResponses);
    assert!(responses.contains(r#"[{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="},{"type":"input_text","text":"t"},{"type":"input_file","file_url":"https://example.org/b.pdf"}]"#), "{responses}");
    assert_eq!(in_responses.dropped, []);
}
