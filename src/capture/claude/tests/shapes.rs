//! What each shape of transcript becomes.

use super::fixtures::*;
use super::replay::{main_of, read_all, replay};
use crate::capture::Conversation;
use crate::capture::claude::IssueKind;
use crate::model::{BodyKind, Message, Role, Step};

fn messages(text: &str) -> Vec<Message> {
    let steps = read_all(text.as_bytes()).0.into_iter();
    steps
        .filter_map(|routed| match routed.step {
            Step::Append(message) => Some(message),
            _ => None,
        })
        .collect()
}

fn body(message: &Message) -> &str {
    std::str::from_utf8(&message.body).expect("JSON or text")
}

fn fields<'a>(message: &'a Message, name: &str) -> Vec<&'a str> {
    message.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn lines_of_one_api_message_are_one_entry_and_results_between_them_follow_it() {
    let text = [
        prompt("u1", "", "go"),
        reply("a1", "u1", "m1", r#"{"type":"text", "text":"both"}"#, 1, "null"),
        calls("a2", "a1", "m1", "t1"),
        progress("p1", "a2"),
        result("r1", "a2", "t1", "one"),
        calls("a3", "a2", "m1", "t2"),
        result("r2", "a3", "t2", "two"),
        says("a4", "r1", "m2", "done"),
    ]
    .concat();
    let (found, outcome) = (messages(&text), read_all(text.as_bytes()).1);
    let roles: Vec<&str> = found.iter().map(|message| message.role.name()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "assistant"]);
    let call = |id: &str| format!(r#"{{"type":"tool_use","id":"{id}","name":"Read","input":{{ "x" : 1 }}}}"#);
    let expected = format!(r#"[{{"type":"text", "text":"both"}},{},{}]"#, call("t1"), call("t2"));
    assert_eq!(body(&found[1]), expected, "the original bytes of each block");
    assert_eq!(fields(&found[1], "call"), ["t1", "t2"]);
    assert_eq!(fields(&found[1], "source"), ["claude:a1"]);
    assert_eq!((fields(&found[1], "msg"), fields(&found[1], "req")), (vec!["m1"], vec!["r-m1"]));
    assert_eq!(body(&found[2]), r#"[{"tool_use_id":"t1","type":"tool_result","content":"one"}]"#);
    assert_eq!(fields(&found[3], "call"), ["t2"]);
    assert_eq!(outcome.summary.api_messages, 2);
    let usage = found[1].usage.expect("reported");
    assert_eq!((usage.input, usage.cache_write, usage.cache_read, usage.output), (Some(3), Some(5), Some(7), Some(30)));
    assert_eq!((outcome.summary.usage.input, outcome.summary.usage.output), (6, 39), "one row for each message");
    let context = main_of(text.as_bytes());
    assert_eq!(context.branches.len(), 1, "parallel calls are no rewind");
}

#[test]
fn what_is_told_on_every_line_is_a_fact_only_when_it_changes() {
    let moved = user("u3", "u2", "\"x\"", "").replace(r#""cwd":"/p""#, r#""cwd":"/q""#);
    let found = messages(&(prompt("u1", "", "a") + &prompt("u2", "u1", "b") + &moved));
    assert_eq!(fields(&found[0], "cwd"), ["/p"]);
    assert_eq!(fields(&found[0], "branch"), ["b"]);
    assert!(fields(&found[1], "cwd").is_empty());
    assert_eq!((fields(&found[2], "cwd"), fields(&found[2], "branch")), (vec!["/q"], vec![]));
}

#[test]
fn a_compaction_replaces_what_the_model_saw() {
    let text = [
        prompt("u1", "", "one"),
        says("a1", "u1", "m1", "two"),
        system("s1", "a1", "turn_duration", ""),
        compaction("c1", "s1", ""),
        says("a2", "c1", "m2", "three"),
    ]
    .concat();
    let context = main_of(text.as_bytes());
    let three = r#"assistant [{"type":"text","text":"three"}]"#;
    assert_eq!(context.sent("main"), ["summary the story so far", three]);
    assert_eq!(context.branches["main"].len(), 3, "what is not sent stays, and the boundary is no entry");
    let (steps, outcome) = read_all(text.as_bytes());
    let Step::Compress { facts, kept, .. } = &steps[3].step else { panic!("{:?}", steps[3]) };
    let expected = [("Trigger", "auto"), ("Reported-Tokens", "1000")];
    assert_eq!(facts, &expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(kept.is_empty());
    assert_eq!(outcome.summary.compactions.len(), 1);
}

#[test]
fn a_compaction_keeps_what_it_names() {
    let before = [
        prompt("u1", "", "one"),
        calls("a1", "u1", "m1", "t1"),
        result("r1", "a1", "t1", "found"),
        says("a2", "r1", "m2", "two"),
    ]
    .concat();
    let named = r#","preservedMessages":{"anchorUuid":"c1","uuids":["gone","a1","r1","a2"]}"#;
    let segment = r#","preservedSegment":{"headUuid":"a1","anchorUuid":"c1","tailUuid":"a2"}"#;
    for preserved in [named, segment] {
        let text = before.clone() + &compaction("c1", "a2", preserved) + &prompt("u2", "a2", "more");
        let sent = main_of(text.as_bytes()).sent("main");
        let roles: Vec<&str> = sent.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
        assert_eq!(roles, ["summary", "assistant", "tool", "assistant", "user"], "{preserved}");
    }
}

#[test]
fn a_message_that_the_agent_writes_anew_after_a_compaction_is_back() {
    let text = [
        prompt("u1", "", "one"),
        says("a1", "u1", "m1", "two"),
        compaction("c1", "a1", ""),
        says("a1", "c1", "m1", "two"),
        says("a1", "c1", "m1", "two"),
    ]
    .concat();
    let context = main_of(text.as_bytes());
    assert_eq!(context.sent("main").len(), 2);
    assert_eq!(read_all(text.as_bytes()).1.summary.usage.output, 9, "it was paid for once");
}

#[test]
fn a_boundary_without_summary_is_an_event_once_something_else_follows() {
    let boundary = system("b1", "", "compact_boundary", r#","logicalParentUuid":"u1""#);
    let text = prompt("u1", "", "one") + &boundary;
    let (_, outcome) = read_all(text.as_bytes());
    assert_eq!(outcome.pending, boundary.len() as u64);
    let found = messages(&(text + &prompt("u2", "b1", "two")));
    let bodies: Vec<&str> = found.iter().map(body).collect();
    assert_eq!(bodies, ["one", boundary.trim(), "two"]);
}

#[test]
fn a_micro_compaction_empties_the_results_it_names() {
    let metadata =
        r#","microcompactMetadata":{"trigger":"auto","preTokens":9,"tokensSaved":4,"compactedToolIds":["t1","gone"]}"#;
    let text = [
        prompt("u1", "", "one"),
        calls("a1", "u1", "m1", "t1"),
        result("r1", "a1", "t1", "a long result"),
        says("a2", "r1", "m2", "two"),
        system("mc", "a2", "microcompact_boundary", metadata),
    ]
    .concat();
    let (steps, outcome) = read_all(text.as_bytes());
    let Some(Step::Mask { entries, calls, facts }) = steps.last().map(|routed| &routed.step) else { panic!() };
    assert_eq!((entries.len(), calls.len(), facts.len()), (1, 2, 3));
    assert_eq!(outcome.summary.micro_compactions, 1);
    let sent = main_of(text.as_bytes()).sent("main");
    let stub = r#"[{"tool_use_id":"t1","type":"tool_result","content":"[old tool result cleared: 15 bytes]"}]"#;
    assert_eq!(sent[2], format!("tool {stub}"));
}

#[test]
fn a_second_prompt_after_the_same_message_starts_a_branch() {
    let text = [
        prompt("u1", "", "one"),
        says("a1", "u1", "m1", "two"),
        system("s1", "a1", "turn_duration", ""),
        prompt("u2", "s1", "three"),
        says("a2", "u2", "m2", "four"),
        // The line between is not sent, so both prompts follow the same message.
        prompt("u3", "a1", "other three"),
        says("a3", "u3", "m3", "other four"),
        prompt("u4", "", "from scratch"),
        prompt("u5", "a2", "back"),
    ]
    .concat();
    let context = main_of(text.as_bytes());
    let last = |branch: &str| context.sent(branch).last().cloned().unwrap_or_default();
    assert_eq!(context.branches.len(), 3);
    assert_eq!((context.sent("main").len(), last("main")), (5, "user back".to_owned()));
    assert_eq!(context.sent("rewind-1")[2], "user other three");
    assert_eq!(context.sent("rewind-1").len(), 4);
    assert_eq!(context.branches["rewind-1"].len(), 5, "the event before both prompts is shared");
    assert_eq!(context.sent("rewind-2"), ["user from scratch"]);
    assert_eq!(read_all(text.as_bytes()).1.summary.rewinds, 2);
}

#[test]
fn lines_without_links_are_one_conversation() {
    let text = prompt("u1", "", "a") + &says("a1", "", "m1", "b") + &prompt("u2", "", "c") + &prompt("u3", "zz", "d");
    let context = main_of(text.as_bytes());
    assert_eq!((context.branches.len(), context.sent("main").len()), (1, 4));
}

#[test]
fn inline_subagents_are_conversations_of_their_own() {
    let side = |line: String| line.replace(r#""isSidechain":false"#, r#""isSidechain":true,"agentId":"x""#);
    let text = [
        prompt("u1", "", "ask"),
        calls("a1", "u1", "m1", "t1"),
        side(prompt("x1", "", "look")),
        side(calls("x2", "x1", "n1", "y1")),
        side(result("x3", "x2", "y1", "seen")),
        side(says("x4", "x3", "n2", "it is there")),
        result("r1", "a1", "t1", "it is there"),
        says("a2", "r1", "m2", "there"),
    ]
    .concat();
    let (steps, outcome) = read_all(text.as_bytes());
    let contexts = replay(&steps);
    assert_eq!(contexts[&Conversation::Main].sent("main").len(), 4);
    let child = &contexts[&Conversation::Subagent("x".to_owned())];
    assert_eq!(child.sent("main").len(), 4);
    assert_eq!(fields(&child.branches["main"][0], "sidechain"), ["1"]);
    assert_eq!(outcome.summary.sidechain_lines, 4);
    let own: String = text.split_inclusive('\n').skip(2).take(4).collect();
    let contexts = replay(&read_all(own.as_bytes()).0);
    assert_eq!(contexts.keys().collect::<Vec<_>>(), [&Conversation::Main], "a file of its own");
}

#[test]
fn the_answer_of_a_subagent_names_it() {
    let answer = result("r1", "a1", "t1", "ok").replace(r#""agentId":7"#, r#""agentId":"x7""#);
    assert_eq!(fields(&messages(&answer)[0], "agent"), ["x7"]);
    assert!(fields(&messages(&result("r1", "a1", "t1", "ok"))[0], "agent").is_empty());
}

#[test]
fn a_streaming_placeholder_is_marked() {
    let long = r#"{"type":"thinking","thinking":"a thought that takes far more than two tokens","signature":"s"}"#;
    for (stop, output, expected) in [("null", 2, vec!["1"]), ("null", 40, vec![]), ("\"end_turn\"", 2, vec![])] {
        let found = messages(&reply("a1", "", "m1", long, output, stop));
        assert_eq!(fields(&found[0], "placeholder"), expected, "{stop} {output}");
    }
}

#[test]
fn content_that_is_a_string_becomes_text_unless_it_is_no_unicode() {
    let text = user("u1", "", r#""tab\t and \u00e9\ud83d\ude00""#, "") + &user("u2", "u1", r#""half \ud83d pair""#, "");
    let found = messages(&text);
    assert_eq!((&found[0].kind, body(&found[0])), (&BodyKind::Text, "tab\t and \u{e9}\u{1f600}"));
    assert_eq!((&found[1].kind, body(&found[1])), (&BodyKind::Json, r#""half \ud83d pair""#));
    let blocks = r#"[ {"type":"text","text":"\ud83d"} ]"#;
    let found = messages(&user("u1", "", blocks, ""));
    assert_eq!((&found[0].kind, body(&found[0])), (&BodyKind::Json, blocks));
}

#[test]
fn images_are_counted_also_in_results() {
    let image = r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}"#;
    let inside =
        format!(r#"[{{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{image},{image}]}}]"#);
    let text = user("u1", "", &format!("[{image}]"), "") + &user("u2", "u1", &inside, "");
    let (found, outcome) = (messages(&text), read_all(text.as_bytes()).1);
    assert_eq!((fields(&found[0], "image"), fields(&found[1], "image")), (vec!["1"], vec!["2"]));
    assert_eq!(fields(&found[1], "error"), ["1"]);
    assert_eq!((outcome.summary.images, outcome.summary.tool_errors), (3, 1));
}

#[test]
fn what_is_not_known_is_kept_and_what_is_noise_is_counted() {
    let strange = r#"{"type":"hologram","uuid":"h1","parentUuid":"u1","x":[1,{"y":null}]}"#;
    let double = r#"{"type":"user","type":"user","uuid":"d"}"#;
    let shapeless = r#"{"type":"user","uuid":"e1","message":"error"}"#;
    let text = [prompt("u1", "", "a"), format!("  {strange} \r\n{double}\n{shapeless}\n42\n"), progress("p1", "h1")];
    let (found, outcome) = (messages(&text.concat()), read_all(text.concat().as_bytes()).1);
    let events: Vec<&str> = found[1..].iter().map(body).collect();
    assert_eq!(events, [strange, double, shapeless, "42"]);
    assert!(found[1..].iter().all(|message| message.role == Role::Event && message.kind == BodyKind::Json));
    assert_eq!(
        (outcome.summary.dropped, outcome.summary.kinds["hologram"], outcome.summary.kinds["untyped"]),
        (1, 1, 2)
    );
}

#[test]
fn messages_that_the_client_made_are_no_replies() {
    let made = says("a1", "u1", "m1", "No response requested.").replace("claude-x", "<synthetic>");
    let fault = says("a2", "a1", "m2", "API Error")
        .replace(r#""type":"assistant","req"#, r#""isApiErrorMessage":true,"type":"assistant","req"#);
    let text = prompt("u1", "", "a") + &made + &fault + &prompt("u2", "a2", "b");
    let (found, outcome) = (messages(&text), read_all(text.as_bytes()).1);
    assert_eq!(found.iter().filter(|message| message.role == Role::Event).count(), 2);
    assert_eq!((outcome.summary.client_made, outcome.summary.api_messages, outcome.summary.usage.output), (2, 0, 0));
}

#[test]
fn a_line_that_comes_twice_is_one_entry_and_equal_lines_without_id_are_two() {
    let queue = r#"{"type":"queue-operation","operation":"popAll","sessionId":"s1"}"#.to_owned() + "\n";
    let text = prompt("u1", "", "a") + &prompt("u1", "", "another a") + &queue + &queue;
    let (found, outcome) = (messages(&text), read_all(text.as_bytes()).1);
    let bodies: Vec<&str> = found.iter().map(body).collect();
    assert_eq!(bodies, ["a", queue.trim(), queue.trim()]);
    assert_ne!(found[1].id, found[2].id);
    assert_eq!((outcome.summary.duplicates, outcome.summary.prompts), (1, 1));
    let longer = messages(&(text + &queue));
    assert!(longer.iter().zip(&found).all(|(new, old)| new.id == old.id), "ids stay as the file grows");
}

#[test]
fn an_api_id_that_comes_back_loses_nothing_and_costs_nothing() {
    let text = [
        prompt("u1", "", "a"),
        says("a1", "u1", "m1", "first"),
        prompt("u2", "a1", "b"),
        says("a2", "u2", "m1", "again"),
    ]
    .concat();
    let (found, outcome) = (messages(&text), read_all(text.as_bytes()).1);
    assert_eq!(found.len(), 4);
    assert_ne!(found[1].id, found[3].id);
    assert_eq!(found[3].usage, None);
    assert_eq!((outcome.summary.api_messages, outcome.summary.reopened_messages), (1, 1));
    assert_eq!(outcome.summary.usage.output, 9);
}

#[test]
fn broken_lines_are_named_and_an_unfinished_one_waits() {
    let first = prompt("u1", "", "a");
    let mut bytes = first.clone().into_bytes();
    bytes.extend_from_slice(b"{broken\n\n\xff\xfe\n");
    bytes.extend_from_slice(prompt("u2", "u1", "b").as_bytes());
    bytes.extend_from_slice(br#"{"type":"user","uuid":"u3","mess"#);
    let (steps, outcome) = read_all(&bytes);
    assert_eq!(steps.len(), 2);
    let found: Vec<_> = outcome.issues.iter().map(|issue| (issue.line, issue.offset, issue.kind)).collect();
    let at = first.len() as u64;
    assert_eq!(found, [(2, at, IssueKind::NotJson), (4, at + 9, IssueKind::NotUtf8)]);
    assert_eq!((outcome.pending, outcome.summary.broken), (32, 2));
    assert_eq!(outcome.watermark.bytes(), bytes.len() as u64 - 32);
}

#[test]
fn the_program_s_own_user_lines_are_marked() {
    let skill = user("k1", "r1", r#"[{"type":"text","text":"skill"}]"#, r#","isMeta":true,"sourceToolUseID":"t1""#);
    let text = [
        prompt("u1", "", "a"),
        calls("a1", "u1", "m1", "t1"),
        result("r1", "a1", "t1", "x"),
        skill,
        calls("a2", "a1", "m1", "t2"),
        result("r2", "a2", "t2", "y"),
    ]
    .concat();
    let found = messages(&text);
    let roles: Vec<&str> = found.iter().map(|message| message.role.name()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "user", "tool"]);
    assert_eq!(fields(&found[3], "meta"), ["1"]);
    assert_eq!(read_all(text.as_bytes()).1.summary.prompts, 1);
}

#[test]
fn a_title_that_a_person_chose_stays() {
    let text = concat!(
        r#"{"type":"ai-title","aiTitle":"one"}"#,
        "\n",
        r#"{"type":"custom-title","customTitle":"two"}"#,
        "\n",
        r#"{"type":"ai-title","aiTitle":"three"}"#,
        "\n"
    );
    assert_eq!(read_all(text.as_bytes()).1.summary.title.as_deref(), Some("two"));
}
