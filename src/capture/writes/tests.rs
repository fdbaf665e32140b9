use proptest::prelude::*;

use super::*;
use crate::model::FileChange;

/// Tells what a body writes, one line a write.
fn told(body: &str) -> Vec<String> {
    file_writes(body.as_bytes())
        .into_iter()
        .map(|write| {
            let change = match write.change {
                FileChange::Whole(text) => format!("= {text:?}"),
                FileChange::Replace { before, after, everywhere } => {
                    format!("{} {before:?} -> {after:?}", if everywhere { "*" } else { "~" })
                }
                FileChange::Insert(text) => format!("+ {text:?}"),
            };
            let folder = write.folder.map(|folder| format!(" in {folder}")).unwrap_or_default();
            format!("{} {}{folder} {change}", write.call, write.path)
        })
        .collect()
}

fn one(body: &str) -> String {
    let told = told(body);
    assert_eq!(told.len(), 1, "{body}: {told:?}");
    told.into_iter().next().expect("one")
}

#[test]
fn every_agents_editor_is_understood() {
    for (body, expected) in [
        // Claude Code
        (
            r#"[{"type":"text","text":"x"},{"type":"tool_use","id":"t","name":"Write","input":{"file_path":"/r/a","content":"x\n"}}]"#,
            r#"t /r/a = "x\n""#,
        ),
        (
            r#"[{"type":"tool_use","id":"t","name":"Edit","input":{"file_path":"a","old_string":"x","new_string":"y","replace_all":true}}]"#,
            r#"t a * "x" -> "y""#,
        ),
        (
            r#"[{"type":"tool_use","id":"t","name":"NotebookEdit","input":{"notebook_path":"a.ipynb","new_source":"y"}}]"#,
            r#"t a.ipynb + "y""#,
        ),
        // Anthropic's own editor tool
        (
            r#"[{"type":"tool_use","id":"t","name":"str_replace_based_edit_tool","input":{"command":"create","path":"a","file_text":"y"}}]"#,
            r#"t a = "y""#,
        ),
        (
            r#"[{"type":"tool_use","id":"t","name":"str_replace_editor","input":{"command":"str_replace","path":"a","old_str":"x","new_str":"y"}}]"#,
            r#"t a ~ "x" -> "y""#,
        ),
        (
            r#"[{"type":"tool_use","id":"t","name":"str_replace_editor","input":{"command":"insert","path":"a","insert_line":3,"new_str":"y"}}]"#,
            r#"t a + "y""#,
        ),
        // OpenAI chat, with the arguments in a text
        (
            r#"{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"write_file","arguments":"{\"path\":\"a\",\"content\":\"y\"}"}}]}"#,
            r#"c a = "y""#,
        ),
        // Gemini CLI, opencode, Cursor, Copilot
        (
            r#"{"toolCalls":[{"id":"g","name":"replace","args":{"file_path":"a","old_string":"x","new_string":"y"},"status":"success"}]}"#,
            r#"g a ~ "x" -> "y""#,
        ),
        (
            r#"{"parts":[{"functionCall":{"name":"write_file","args":{"file_path":"a","content":"y"}}}]}"#,
            r##"#0 a = "y""##,
        ),
        (
            r#"{"type":"tool","callID":"o","tool":"edit","state":{"status":"completed","input":{"filePath":"a","oldString":"x","newString":"y"}}}"#,
            r#"o a ~ "x" -> "y""#,
        ),
        (
            r#"{"toolCallId":"k","toolName":"search_replace","args":{"file_path":"a","old_string":"x","new_string":"y"}}"#,
            r#"k a ~ "x" -> "y""#,
        ),
        (
            r#"{"toolCallId":"k","name":"insert_edit_into_file","arguments":{"filePath":"a","code":"y","explanation":"z"}}"#,
            r#"k a + "y""#,
        ),
    ] {
        assert_eq!(one(body), expected, "{body}");
    }
    let multi = r#"[{"type":"tool_use","id":"t","name":"MultiEdit","input":{"file_path":"a","edits":[{"old_string":"","new_string":"y"},{"old_string":"y","new_string":"z"}]}}]"#;
    assert_eq!(told(multi), [r#"t a = "y""#, r#"t a ~ "y" -> "z""#]);
}

#[test]
fn patches_are_read_wherever_they_stand() {
    let patch = "*** Begin Patch\n*** Add File: new.rs\n+one\n+two\n*** Update File: old.rs\n*** Move to: moved.rs\n@@ fn f\n a\n-b\n+c\n@@\n+d\n*** Delete File: gone\n*** End Patch\n";
    let expected = [
        r#"p new.rs = "one\ntwo\n""#.to_owned(),
        r#"p moved.rs ~ "a\nb\n" -> "a\nc\n""#.to_owned(),
        r#"p moved.rs + "d\n""#.to_owned(),
    ];
    let quoted = |text: &str| serde_json::to_string(text).expect("a text");
    let custom =
        format!(r#"{{"type":"custom_tool_call","call_id":"p","name":"apply_patch","input":{}}}"#, quoted(patch));
    assert_eq!(told(&custom), expected);
    let arguments = quoted(&format!(r#"{{"input":{}}}"#, quoted(patch)));
    let function =
        format!(r#"{{"type":"function_call","id":"fc","call_id":"p","name":"apply_patch","arguments":{arguments}}}"#);
    assert_eq!(told(&function), expected);
    let script = format!("apply_patch <<'EOF'\n{patch}EOF\n");
    let shell = format!(
        r#"{{"type":"local_shell_call","call_id":"p","action":{{"command":["bash","-lc",{}]}}}}"#,
        quoted(&script)
    );
    assert_eq!(told(&shell), expected);
    let unified = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n--- b\n+-- c\n\\ No newline at end of file\n";
    let body = format!(r#"[{{"type":"tool_use","id":"p","name":"patch","input":{{"patch":{}}}}}]"#, quoted(unified));
    let told = told(&body);
    assert!(told[0].starts_with(r#"p x ~ "a\n"#), "{told:?}");
}

#[test]
fn scripts_write_through_heredocs() {
    let writes = |script: &str| {
        let script = serde_json::to_string(script).expect("a text");
        told(&format!(r#"[{{"type":"tool_use","id":"s","name":"Bash","input":{{"command":{script}}}}}]"#))
    };
    assert_eq!(writes("cat > a.txt <<'EOF'\nx\ny\nEOF\necho done"), [r#"s a.txt = "x\ny\n""#]);
    assert_eq!(writes("cat <<EOF >> 'a b'\nx\nEOF"), [r#"s a b + "x\n""#]);
    assert_eq!(writes("cd sub && tee -a f <<-END\n\tx\n\tEND\n"), [r#"s f in sub + "x\n""#]);
    assert_eq!(writes("cat <<E | tee 'x > y'\nx\nE\n"), [r#"s x > y = "x\n""#]);
    assert_eq!(writes("mkdir -p d && cat > d/a <<E && ls > b\nx\nE\n"), [r#"s d/a = "x\n""#]);
    assert_eq!(writes("cat > a <<E\n1\nE\ncat > b <<E\n2\nE\n").len(), 2);
    for nothing in [
        "cat <<< word > a",
        "cat > $F <<E\nx\nE",
        "cat <<E\nx\nE",
        "python3 - <<E > /dev/null\nx\nE",
        "ls > out",
        "python3 - <<E > out\nx\nE",
        "sed s/a/b/ <<E > out\nx\nE",
        "ssh host 'cat > a' <<E\nx\nE",
        "cat '>' <<E\nx\nE",
        "echo 'a > b' | cat <<E\nx\nE",
        "cat header - > a <<E\nx\nE",
        "cat <<E | sort > a\nx\nE",
        "ls > a; python3 <<E\nx\nE",
        "cat <<E || tee a\nx\nE",
    ] {
        assert!(writes(nothing).is_empty(), "{nothing}");
    }
    assert!(writes("cat > a <<E\nnever ends").is_empty());
}

#[test]
fn a_call_that_did_not_work_is_told_by_its_result() {
    for (body, expected) in [
        (r#"[{"type":"tool_result","tool_use_id":"t","content":"no","is_error":true}]"#, &["t"][..]),
        (r#"[{"type":"tool_result","tool_use_id":"t","content":"yes","is_error":false}]"#, &[]),
        (r#"{"content":[{"type":"text","text":"is_error"},{"tool_use_id":"u","is_error":true}]}"#, &["u"]),
        (r#"{"type":"function_call_output","call_id":"c","status":"failed","output":"x"}"#, &["c"]),
        (r#"{"toolCallId":"k","success":false}"#, &["k"]),
        (r#"{"id":"message","is_error":true}"#, &[]),
        ("is_error", &[]),
    ] {
        assert_eq!(failed_calls(body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn what_writes_nothing_is_no_evidence() {
    for body in [
        r#"[{"type":"tool_use","id":"t","name":"Read","input":{"file_path":"a"}}]"#,
        r#"[{"type":"tool_use","id":"t","name":"Grep","input":{"path":"a","pattern":"content"}}]"#,
        r#"[{"type":"tool_result","tool_use_id":"t","content":[{"type":"tool_use","id":"t","name":"Write","input":{"file_path":"a","content":"x"}}]}]"#,
        r#"{"type":"tool","tool":"write","state":{"status":"error","input":{"filePath":"a","content":"x"}}}"#,
        r#"[{"type":"text","text":"{\"name\":\"Write\",\"input\":{}}"}]"#,
        "\"text\"",
        "[",
    ] {
        assert!(told(body).is_empty(), "{body}");
    }
}

proptest! {
    #[test]
    fn any_input_ends_in_an_answer(text in ".{0,200}", raw in prop::collection::vec(any::<u8>(), 0..200)) {
        file_writes(&raw);
        let quoted = serde_json::to_string(&text).expect("a text");
        for name in ["Bash", "apply_patch", "Write"] {
            for key in ["command", "input", "patch", "content"] {
                file_writes(format!(r#"{{"name":"{name}","input":{{"path":"a","{key}":{quoted}}}}}"#).as_bytes());
            }
            file_writes(format!(r#"{{"name":"{name}","input":{quoted}}}"#).as_bytes());
        }
    }
}
