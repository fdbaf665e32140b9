//! The form for Anthropic.

use super::*;
use crate::export::{ProblemKind, validate};

#[test]
fn a_session_becomes_messages_that_take_turns_with_every_block_as_it_was() {
    let (document, rendered) = rendered(&session(), Format::Anthropic);
    assert_eq!(
        document,
        r#"{"system":[{"type":"text","text":"You are a careful engineer."}],
"messages":[
{"role":"user","content":[{"type":"text","text":"Why does \"make\" fail?"}]},
{"role":"assistant","content":[{"type":"thinking","thinking":"Look first.","signature":"c2ln"},{"type":"text","text":"I will look.\n"},{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"timeout": 3e303, "command":"make \u00e9"}},{"type":"tool_use","id":"toolu_2","name":"Read","input":{}}]},
{"role":"user","content":[{"tool_use_id":"toolu_2","type":"tool_result","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}}]},{"tool_use_id":"toolu_1","type":"tool_result","content":"No rule to make target","is_error":true},{"type":"text","text":"(hook) slow"},{"type":"text","text":"<system-reminder>\nThe user opened Makefile.\n</system-reminder>"}]},
{"role":"assistant","content":[{"type":"text","text":"A rule is missing."}]},
{"role":"user","content":[{"type":"text","text":"Rule was added."},{"type":"text","text":"Thanks"},{"type":"image","source":{"type":"url","url":"https://example.org/a.png"}}]}
]}
"#
    );
    assert_eq!((rendered.entries, rendered.messages), (9, 5));
    assert_eq!(rendered.dropped, []);
    checker::check(Format::Anthropic, &document).expect("valid");
}

#[test]
fn thinking_goes_back_only_as_the_provider_made_it() {
    let items = context(&[
        ("user", "x"),
        (
            "assistant",
            r#"[{"type":"thinking","thinking":"a","signature":""},{"type":"thinking","thinking":"b"},{"type":"redacted_thinking","data":"Zm9v"},{"type":"text","text":"y"},{"type":"thinking","thinking":"c","signature":"s"}]"#,
        ),
        ("user", "z"),
        ("assistant", r#"[{"type":"thinking","thinking":"stopped","signature":"s"}]"#),
        ("user", "go on"),
    ]);
    assert_eq!(validate(&items), []);
    let (document, rendered) = rendered(&items, Format::Anthropic);
    assert_eq!(
        document,
        r#"{"messages":[
{"role":"user","content":[{"type":"text","text":"x"}]},
{"role":"assistant","content":[{"type":"redacted_thinking","data":"Zm9v"},{"type":"text","text":"y"}]},
{"role":"user","content":[{"type":"text","text":"z"},{"type":"text","text":"go on"}]}
]}
"#
    );
    let expected = [
        (1, Lost::UnsignedThinking),
        (1, Lost::UnsignedThinking),
        (1, Lost::TrailingThinking),
        (3, Lost::TrailingThinking),
    ];
    assert_eq!(lost(&rendered), expected);
}

#[test]
fn blank_text_is_left_out_and_said_so() {
    let items = context(&[
        ("user", r#"[{"type":"text","text":"\n\u0020"},{"type":"text","text":"x"},{"type":"text","text":""}]"#),
        ("assistant", r#"[{"type":"text","text":"y"}]"#),
    ]);
    let (document, rendered) = rendered(&items, Format::Anthropic);
    assert!(document.contains(r#"{"role":"user","content":[{"type":"text","text":"x"}]}"#), "{document}");
    assert_eq!(lost(&rendered), [(0, Lost::BlankText), (0, Lost::BlankText)]);
}

#[test]
fn blocks_of_types_not_known_here_pass_through() {
    let block = r#"{"type":"hologram", "deep":{"a":[1.0]}}"#;
    let search = r#"{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}"#;
    let items = context(&[("user", &format!("[{block}]")), ("assistant", &format!("[{search},{block}]"))]);
    let (document, _) = rendered(&items, Format::Anthropic);
    assert!(document.contains(&format!("[{search},{block}]")), "{document}");
    let (_, rendered) = super::rendered(&items, Format::OpenaiChat);
    assert_eq!(rendered.messages, 0);
    assert_eq!(lost(&rendered).len(), 3);
}

#[test]
fn openai_s_shapes_become_blocks() {
    let items = context(&[
        (
            "user",
            r#"{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image\/png;base64,AAAA"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,BBBB"}}]}"#,
        ),
        (
            "assistant",
            r#"{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":" {\"n\": 1.50}"}},{"id":"call_2","type":"function","function":{"name":"g","arguments":"not json"}},{"id":"call_3","type":"function","function":{"name":"h","arguments":""}}]}"#,
        ),
        ("tool", r#"{"role":"tool","tool_call_id":"call_1","content":"one"}"#),
        ("tool", r#"{"role":"tool","tool_call_id":"call_2","content":""}"#),
        ("tool", r#"{"role":"tool","tool_call_id":"call_3","content":[{"type":"text","text":"3"}]}"#),
        (
            "assistant",
            r#"[{"type":"reasoning","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"e"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"patch"}]},{"type":"custom_tool_call","call_id":"call_4","name":"apply_patch","input":"*** Begin\n"}]"#,
        ),
        ("tool", r#"{"type":"custom_tool_call_output","call_id":"call_4","output":"ok"}"#),
    ]);
    let (document, rendered) = rendered(&items, Format::Anthropic);
    assert_eq!(
        document,
        r#"{"messages":[
{"role":"user","content":[{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image\/png","data":"AAAA"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"BBBB"},"title":"a.pdf"}]},
{"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"f","input":{"n": 1.50}},{"type":"tool_use","id":"call_2","name":"g","input":{"input":"not json"}},{"type":"tool_use","id":"call_3","name":"h","input":{}}]},
{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"one"},{"type":"tool_result","tool_use_id":"call_2","content":""},{"type":"tool_result","tool_use_id":"call_3","content":"3"}]},
{"role":"assistant","content":[{"type":"text","text":"patch"},{"type":"tool_use","id":"call_4","name":"apply_patch","input":{"input":"*** Begin\n"}}]},
{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_4","content":"ok"}]}
]}
"#
    );
    let expected = [(1, Lost::Thinking), (1, Lost::WrappedInput), (5, Lost::Thinking), (5, Lost::WrappedInput)];
    assert_eq!(lost(&rendered), expected);
}

#[test]
fn plain_output_of_the_only_open_call_is_its_result() {
    let call = r#"[{"type":"tool_use","id":"t1","name":"ls","input":{}}]"#;
    let items = context(&[("user", "x"), ("assistant", call), ("tool", "a\tb"), ("user", "and?")]);
    let (document, _) = rendered(&items, Format::Anthropic);
    let expected = r#"[{"type":"tool_result","tool_use_id":"t1","content":"a\tb"},{"type":"text","text":"and?"}]"#;
    assert!(document.contains(expected), "{document}");
    let items = context(&[("user", "x"), ("assistant", call), ("tool", "a"), ("tool", "b")]);
    let kinds: Vec<ProblemKind> = validate(&items).into_iter().map(|problem| problem.kind).collect();
    let open = ProblemKind::OrphanCall { call: "t1".to_owned(), last: true };
    assert_eq!(kinds, [open, ProblemKind::UnnamedResult, ProblemKind::UnnamedResult]);
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_said_so() {
    let items = [item(0, "user", BodyKind::Text, b"a\xff")];
    let (document, rendered) = rendered(&items, Format::Anthropic);
    assert!(document.contains("a\u{fffd}"));
    assert_eq!(lost(&rendered), [(0, Lost::InvalidText)]);
}

#[test]
fn depth_does_not_matter() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let call = format!(r#"[{{"type":"tool_use","id":"t1","name":"f","input":{{"a":{deep}}},"later":{deep}}}]"#);
    let answer = r#"{"type":"function_call_output","call_id":"t1","output":{"x":1}}"#;
    let items = context(&[("user", "x"), ("assistant", &call), ("tool", answer)]);
    for format in Format::ALL {
        let (document, _) = rendered(&items, format);
        assert!(document.contains(&deep) || document.matches('[').count() >= 200_000, "{format}");
    }
}
