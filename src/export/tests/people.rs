//! The forms for people and programs.

use super::*;
use crate::export::{Problem, ProblemKind, plain_text};

#[test]
fn text_is_what_was_said_under_a_line_of_facts() {
    let mut items = session();
    items[1].entry.flags.pin = true;
    items[8].entry.tokens = 1_234_567;
    let (text, rendered) = rendered(&items, Format::Text);
    assert_eq!(rendered.entries, 9);
    assert!(
        text.starts_with(
            r#"entry 0000000000 (0000000 system, 27 tokens)

You are a careful engineer.

entry 0000000001 (0000001 user, 21 tokens, pinned)

Why does "make" fail?

entry 0000000002 (0000002 assistant, 272 tokens)

[thinking] Look first.

I will look.


[call Bash toolu_1]
{
  "timeout": 3e303,
  "command": "make \u00e9"
}

[call Read toolu_2]
{}

entry 0000000003 (0000003 tool, 174 tokens)

[result of toolu_2]
a
[image image/png 6 bytes]

entry 0000000005 (0000005 tool, 136 tokens)

[result of toolu_1, an error]
No rule to make target

(hook) slow

"#
        ),
        "{text}"
    );
    assert!(text.contains("(0000008 summary, 1,234,567 tokens)"));
    let all = Options { all: true, ..Options::new(Format::Text) };
    assert!(try_render(&items, all).expect("text").0.contains("(0000004 event, 12 tokens)\n\ndisk is full\n"));
}

#[test]
fn text_keeps_bytes_and_shows_what_cannot_be_read() {
    let mut out = Vec::new();
    let items = [item(0, "tool", BodyKind::Text, b"a\xff\x1b[m\n"), item(1, "tool", BodyKind::Json, b"{oops")];
    render(&items, &Options::new(Format::Text), &mut out).expect("text");
    assert!(out.windows(8).any(|bytes| bytes == b"a\xff\x1b[m\n\n\x65"), "{}", out.escape_ascii());
    assert_eq!(plain_text(&BodyKind::Json, b"{oops"), "{oops");
    assert_eq!(plain_text(&BodyKind::Other("bin".to_owned()), &[0; 1000]), "[bin 1,000 bytes]");
}

#[test]
fn a_line_of_json_per_entry_tells_everything() {
    let mut items =
        context(&[("user", "a\n\"b\""), ("assistant", "[ {\"type\" : \"text\",\n\"text\":\"x y\",\"n\":1.0} ]")]);
    items[0].entry.flags.pin = true;
    items.push(item(2, "tool", BodyKind::Text, b"\xff\xfe"));
    items.push(item(3, "tool", BodyKind::Json, b"{"));
    items.push(item(4, "note", BodyKind::Text, b"n"));
    let options = Options { all: true, ..Options::new(Format::Jsonl) };
    assert_eq!(
        try_render(&items, options).expect("lines").0,
        r#"{"id":"0000000000","position":"0000000","role":"user","tokens":5,"pin":true,"kind":"text","content":"a\n\"b\""}
{"id":"0000000001","position":"0000001","role":"assistant","tokens":43,"pin":false,"kind":"json","content":[{"type":"text","text":"x y","n":1.0}]}
{"id":"0000000002","position":"0000002","role":"tool","tokens":2,"pin":false,"kind":"text","content_base64":"//4="}
{"id":"0000000003","position":"0000003","role":"tool","tokens":1,"pin":false,"kind":"json","content_base64":"ew=="}
{"id":"0000000004","position":"0000004","role":"note","tokens":1,"pin":false,"kind":"text","content":"n"}
"#
    );
}

#[test]
fn markdown_lets_no_html_through_and_nothing_swallow_what_follows() {
    let page = |body: &str| rendered(&context(&[("user", body), ("assistant", "end")]), Format::Markdown).0;
    assert_eq!(
        page("# Hi\n<script>\n```html\n<b>\n```\n`a<b`"),
        "## 0000000 user\n\n`0000000000`, 35 tokens\n\n# Hi\n&lt;script>\n```html\n<b>\n```\n`a&lt;b`\n\n\
         ## 0000001 assistant\n\n`0000000001`, 3 tokens\n\nend\n\n"
    );
    assert!(page("~~~~\n<b>\n~~~").contains("~~~~\n<b>\n~~~\n~~~~\n\n## 0000001"), "an open fence is closed");
    for hidden in ["- a\n  ```\n<b>", "> ```\n<b>", "x\r```\r<b>", "``` a`b\n<b>", "\t````\n<b>", " ~~~\n<b>"] {
        let shown = page(hidden);
        let marks = if hidden.contains("````") {
            "`````"
        } else if hidden.contains("```") {
            "````"
        } else {
            "```"
        };
        assert!(shown.contains(&format!("\n{marks}\n{hidden}\n{marks}\n")), "{shown}");
    }
}

#[test]
fn markdown_fences_what_tools_said() {
    let call = r#"[{"type":"tool_use","id":"t`1","name":"a<b","input":{"x":"````"}}]"#;
    let answer = r#"[{"type":"tool_result","tool_use_id":"t`1","content":"```\n</details>"}]"#;
    let (page, _) = rendered(&context(&[("user", "x"), ("assistant", call), ("tool", answer)]), Format::Markdown);
    assert!(page.contains("**call** `a<b` ``t`1``\n\n`````json\n{\n  \"x\": \"````\"\n}\n`````\n"), "{page}");
    assert!(page.contains("**result** of ``t`1``\n\n````\n```\n</details>\n````\n"), "{page}");
}

#[test]
fn names_read_back_and_every_fault_has_advice() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let error = "yaml".parse::<Format>().expect_err("unknown");
    assert_eq!(error.to_string(), "unknown format 'yaml'");
    assert!(error.hint().contains("openai-responses"));
    let call = || "c".to_owned();
    for kind in [
        ProblemKind::EmptyMessage,
        ProblemKind::OrphanCall { call: call(), last: true },
        ProblemKind::OrphanCall { call: call(), last: false },
        ProblemKind::SeparatedResult { call: call() },
        ProblemKind::UnnamedResult,
        ProblemKind::AssistantFirst,
    ] {
        let problem = Problem { entry: EntryId::from_bits(7), kind };
        assert!(problem.hint().contains("'git trace "), "{}", problem.hint());
    }
}
