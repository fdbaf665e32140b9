//! Small transcripts, written for these tests.

/// Writes a user line; `content` is JSON, `more` further fields with a comma before them.
pub(super) fn user(uuid: &str, parent: &str, content: &str, more: &str) -> String {
    format!(
        r#"{{"parentUuid":{},"isSidechain":false,"cwd":"/p","sessionId":"s1","version":"2.1.0","gitBranch":"b","type":"user","message":{{"role":"user","content":{content}}},"uuid":"{uuid}","timestamp":"2026-01-01T10:00:00.000Z"{more}}}"#,
        quoted(parent)
    ) + "\n"
}

/// Writes a prompt.
pub(super) fn prompt(uuid: &str, parent: &str, text: &str) -> String {
    user(uuid, parent, &format!("\"{text}\""), "")
}

/// Writes a tool result.
pub(super) fn result(uuid: &str, parent: &str, call: &str, text: &str) -> String {
    let content = format!(r#"[{{"tool_use_id":"{call}","type":"tool_result","content":"{text}"}}]"#);
    user(uuid, parent, &content, r#","toolUseResult":{"stdout":"a second copy","agentId":7}"#)
}

/// Writes an assistant line of the API message `id` with the given blocks and usage.
pub(super) fn reply(uuid: &str, parent: &str, id: &str, blocks: &str, output: u64, stop: &str) -> String {
    format!(
        r#"{{"parentUuid":{},"isSidechain":false,"cwd":"/p","sessionId":"s1","type":"assistant","requestId":"r-{id}","message":{{"id":"{id}","type":"message","role":"assistant","model":"claude-x","content":[{blocks}],"stop_reason":{stop},"usage":{{"input_tokens":3,"cache_creation_input_tokens":5,"cache_read_input_tokens":7,"output_tokens":{output}}}}},"uuid":"{uuid}","timestamp":"2026-01-01T10:00:01.000Z"}}"#,
        quoted(parent)
    ) + "\n"
}

/// Writes an assistant line with one text block.
pub(super) fn says(uuid: &str, parent: &str, id: &str, text: &str) -> String {
    reply(uuid, parent, id, &format!(r#"{{"type":"text","text":"{text}"}}"#), 9, "\"end_turn\"")
}

/// Writes an assistant line with one tool call.
pub(super) fn calls(uuid: &str, parent: &str, id: &str, call: &str) -> String {
    let block = format!(r#"{{"type":"tool_use","id":"{call}","name":"Read","input":{{ "x" : 1 }}}}"#);
    reply(uuid, parent, id, &block, 30, "null")
}

/// Writes a system line.
pub(super) fn system(uuid: &str, parent: &str, subtype: &str, more: &str) -> String {
    format!(
        r#"{{"parentUuid":{},"sessionId":"s1","type":"system","subtype":"{subtype}","uuid":"{uuid}"{more}}}"#,
        quoted(parent)
    ) + "\n"
}

/// Writes a progress line.
pub(super) fn progress(uuid: &str, parent: &str) -> String {
    format!(
        r#"{{"parentUuid":{},"type":"progress","data":{{"type":"bash_progress","output":"…"}},"uuid":"{uuid}"}}"#,
        quoted(parent)
    ) + "\n"
}

/// Writes what a compaction leaves: a boundary `<uuid>b` and the summary.
pub(super) fn compaction(uuid: &str, after: &str, preserved: &str) -> String {
    let boundary = format!("{uuid}b");
    let more =
        format!(r#","logicalParentUuid":"{after}","compactMetadata":{{"trigger":"auto","preTokens":1000{preserved}}}"#);
    system(&boundary, "", "compact_boundary", &more)
        + &user(uuid, &boundary, "\"the story so far\"", r#","isCompactSummary":true,"isVisibleInTranscriptOnly":true"#)
}

fn quoted(parent: &str) -> String {
    if parent.is_empty() { "null".to_owned() } else { format!("\"{parent}\"") }
}

/// Returns a transcript with one of everything.
pub(super) fn everything() -> String {
    let file = r#"{"type":"file-history-snapshot","messageId":"m","snapshot":{}}"#.to_owned() + "\n";
    let queue = r#"{"type":"queue-operation","operation":"enqueue","sessionId":"s1"}"#.to_owned() + "\n";
    let image = r#"[{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]"#;
    [
        file.clone(),
        progress("p0", ""),
        prompt("u1", "p0", "read both files"),
        reply("a1", "u1", "m1", r#"{"type":"thinking","thinking":"hm","signature":"sig"}"#, 2, "null"),
        calls("a2", "a1", "m1", "t1"),
        progress("p1", "a2"),
        result("r1", "a2", "t1", "first"),
        queue.clone(),
        calls("a3", "a2", "m1", "t2"),
        result("r2", "a3", "t2", "second"),
        says("a4", "r2", "m2", "done"),
        system("s1", "a4", "stop_hook_summary", ""),
        queue.clone(),
        queue,
        user("u2", "s1", image, ""),
        says("a5", "u2", "m3", "a picture"),
        prompt("u3", "s1", "no, do this instead"),
        says("a6", "u3", "m4", "as you wish"),
        system(
            "mc",
            "a6",
            "microcompact_boundary",
            r#","microcompactMetadata":{"trigger":"auto","preTokens":9,"tokensSaved":5,"compactedToolIds":["t1"]}"#,
        ),
        prompt("u4", "mc", "back to the picture"),
        says("a7", "u4", "m5", "fine"),
        compaction("c1", "a7", r#","preservedMessages":{"uuids":["u4","a7"]}"#),
        says("a8", "c1", "m6", "going on"),
        prompt("u5", "a5", "an answer on the first branch"),
        file,
        "{broken\n".to_owned(),
        "\n".to_owned(),
        "[1]\n".to_owned(),
        prompt("u5", "a5", "an answer on the first branch"),
        says("a9", "u5", "m7", "last words"),
    ]
    .concat()
}
