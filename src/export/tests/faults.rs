//! What is refused, and how that is said.

use super::*;
use crate::export::{ProblemKind, validate};

const CALL: &str = r#"[{"type":"text","text":"see"},{"type":"tool_use","id":"t1","name":"ls","input":{}}]"#;
const RESULT: &str = r#"[{"type":"tool_result","tool_use_id":"t1","content":"a"}]"#;

/// Returns the places and messages of the faults, and checks that render refuses and writes nothing.
fn faults(entries: &[(&str, &str)]) -> Vec<String> {
    let items = context(entries);
    let problems = validate(&items);
    for format in [Format::Anthropic, Format::OpenaiChat, Format::OpenaiResponses] {
        let mut out = Vec::new();
        let refused = render(&items, &Options::new(format), &mut out).is_err();
        assert_eq!(refused, problems.iter().any(|problem| problem.concerns(format)), "{format}");
        assert!(!refused || out.is_empty());
    }
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn calls_and_results_must_pair_in_place() {
    assert_eq!(faults(&[("user", "x"), ("assistant", CALL), ("tool", RESULT)]), [""; 0]);
    assert_eq!(
        faults(&[("user", "x"), ("assistant", CALL), ("user", "y"), ("assistant", "z")]),
        ["no result for call 't1' of entry '0000000001'"]
    );
    assert_eq!(faults(&[("user", "x"), ("tool", RESULT)]), ["no call 't1' for the result in entry '0000000001'"]);
    assert_eq!(
        faults(&[("user", "x"), ("assistant", CALL), ("tool", RESULT), ("user", RESULT)]),
        ["second result for call 't1' in entry '0000000003'"]
    );
    assert_eq!(
        faults(&[("user", "x"), ("tool", RESULT), ("assistant", CALL)]),
        ["result before its call 't1' in entry '0000000001'"]
    );
    assert_eq!(
        faults(&[("user", "x"), ("assistant", CALL), ("user", "y"), ("assistant", "z"), ("tool", RESULT)]),
        ["result not directly behind its call 't1' in entry '0000000004'"]
    );
    assert_eq!(
        faults(&[("user", "x"), ("assistant", CALL), ("tool", RESULT), ("assistant", CALL), ("tool", RESULT)]),
        ["second call 't1' in entry '0000000003'", "second result for call 't1' in entry '0000000004'"]
    );
    assert_eq!(faults(&[("user", "x"), ("tool", "out")]), ["no call named by the tool result in entry '0000000001'"]);
}

#[test]
fn empty_and_misplaced_content_is_refused() {
    for empty in ["", " \n", "\"\"", "[]", r#"[{"type":"text","text":"\t"}]"#, r#"{"role":"user","content":null}"#] {
        let kind = if empty.starts_with(['[', '{', '"']) { BodyKind::Json } else { BodyKind::Text };
        let items = [item(0, "user", kind, empty.as_bytes())];
        assert_eq!(validate(&items)[0].kind, ProblemKind::EmptyMessage, "{empty}");
        assert!(try_render(&items, Options::new(Format::OpenaiChat)).is_err());
    }
    assert_eq!(faults(&[("user", CALL)])[0], "tool call outside a message of the model in entry '0000000000'");
    assert_eq!(
        faults(&[("user", "x"), ("assistant", RESULT)])[0],
        "tool result outside a message of the user in entry '0000000001'"
    );
}

#[test]
fn bodies_that_cannot_be_read_are_named() {
    for (body, reason) in [
        ("[1]", "not an object where one belongs"),
        ("[{\"type\":\"text\"}]", "'text' is missing"),
        ("[{\"type\":\"text\",\"text\":1}]", "'text' is not a string"),
        ("{\"a\":1}", "an object with neither 'type' nor 'role'"),
        ("[{\"type\":\"tool_use\",\"id\":\"\",\"name\":\"f\",\"input\":{}}]", "'id' is empty"),
        (
            "[{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":\"x\"}]",
            "a tool call whose 'input' is not an object",
        ),
        ("[{\"type\":\"text\",\"type\":\"x\"}]", "duplicate field `type` at line 1 column 21"),
        ("[", "not JSON: EOF while parsing a list at line 1 column 1"),
    ] {
        let found = faults(&[("user", body)]);
        assert_eq!(found, [format!("cannot read entry '0000000000': {reason}")]);
    }
    let items = [item(0, "user", BodyKind::Other("bin".to_owned()), b"x")];
    assert_eq!(validate(&items)[0].to_string(), "cannot read entry '0000000000': unknown kind of body 'bin'");
}

#[test]
fn only_anthropic_wants_the_user_to_begin() {
    let items = context(&[("system", "s"), ("assistant", "hello"), ("user", "hi")]);
    let refusal = try_render(&items, Options::new(Format::Anthropic)).expect_err("refused");
    assert_eq!(
        refusal.to_string(),
        "cannot render the context as 'anthropic': no message of the user before entry '0000000001'"
    );
    assert!(refusal.hint().expect("advice").contains("git trace context --pad"));
    assert!(try_render(&items, Options::new(Format::OpenaiChat)).is_ok());
    let (document, rendered) =
        try_render(&items, Options { pad: true, ..Options::new(Format::Anthropic) }).expect("padded");
    checker::check(Format::Anthropic, &document).expect("valid");
    assert_eq!(rendered.messages, 3);
}

#[test]
fn an_interrupted_session_is_refused_with_advice_and_rendered_without_its_end() {
    let two = r#"[{"type":"tool_use","id":"t2","name":"ls","input":{}},{"type":"tool_use","id":"t3","name":"ls","input":{}}]"#;
    let answer = r#"[{"type":"tool_result","tool_use_id":"t2","content":"a"},{"type":"text","text":"stop"}]"#;
    let items = context(&[
        ("user", "x"),
        ("assistant", CALL),
        ("tool", RESULT),
        ("assistant", two),
        ("user", answer),
        ("assistant", r#"[{"type":"thinking","thinking":"hm","signature":"s"}]"#),
        ("assistant", &CALL.replace("t1", "t4")),
    ]);
    let refusal = try_render(&items, Options::new(Format::Anthropic)).expect_err("refused");
    assert_eq!(
        refusal.to_string(),
        "cannot render the context as 'anthropic': no result for call 't3' of entry '0000000003' (and 1 more)"
    );
    let last = validate(&items).pop().expect("two");
    assert_eq!(last.kind, ProblemKind::OrphanCall { call: "t4".to_owned(), last: true });
    assert!(last.hint().contains("git trace context --trim"));
    for format in [Format::Anthropic, Format::OpenaiChat, Format::OpenaiResponses] {
        let (document, rendered) =
            try_render(&items[..5], Options { trim: true, ..Options::new(format) }).expect("trimmed");
        checker::check(format, &document).expect("valid");
        assert_eq!(rendered.trimmed, [items[3].entry.id]);
        assert!(document.contains("stop") && document.contains("t1") && !document.contains("t2"));
    }
    // The thinking before the last call says nothing by itself, so the end goes on behind it.
    let (_, rendered) = try_render(&items, Options { trim: true, ..Options::new(Format::Anthropic) }).expect("trimmed");
    assert_eq!(rendered.trimmed, [items[3].entry.id, items[6].entry.id]);
    assert_eq!(lost(&rendered), [(5, Lost::TrailingThinking)]);
}

#[test]
fn plain_output_that_cannot_be_told_goes_with_its_calls() {
    let two = r#"[{"type":"tool_use","id":"t2","name":"ls","input":{}},{"type":"tool_use","id":"t3","name":"ls","input":{}}]"#;
    let items = context(&[("user", "x"), ("assistant", two), ("tool", "a"), ("user", "stop")]);
    for format in [Format::Anthropic, Format::OpenaiChat, Format::OpenaiResponses] {
        let (_, rendered) = try_render(&items, Options { trim: true, ..Options::new(format) }).expect("trimmed");
        assert_eq!(rendered.trimmed, [items[1].entry.id, items[2].entry.id]);
        assert_eq!(rendered.entries, 2);
    }
}

#[test]
fn trimming_changes_nothing_where_all_is_answered() {
    for format in [Format::Anthropic, Format::OpenaiChat, Format::OpenaiResponses] {
        let trimmed = try_render(&session(), Options { trim: true, ..Options::new(format) }).expect("valid");
        assert_eq!(trimmed, rendered(&session(), format));
    }
}
