//! Real records of many agents, whole: whose each is, and what is in it, as an independent count finds it.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use git_trace::capture::{
    Agent, CaptureError, Conversation, Routed, SessionFacts, amp, chatgpt, continue_cli, copilot, cursor, droid,
    hermes, opencode, pi, swe_agent, windsurf,
};
use git_trace::codec::tool_ids;
use git_trace::export::plain_text;
use git_trace::model::{BodyKind, Message, Role, Step};
use serde_json::Value;

use crate::world::shared_data;

type IsRecord = fn(&Path, &[u8]) -> bool;
type Read = fn(&Path, &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError>;

const READERS: [(Agent, IsRecord, Read); 11] = [
    (Agent::Amp, amp::is_record, amp::read),
    (Agent::Chatgpt, chatgpt::is_record, chatgpt::read),
    (Agent::Continue, continue_cli::is_record, continue_cli::read),
    (Agent::Copilot, copilot::is_record, copilot::read),
    (Agent::Cursor, cursor::is_record, cursor::read),
    (Agent::Droid, droid::is_record, droid::read),
    (Agent::Hermes, hermes::is_record, hermes::read),
    (Agent::Opencode, opencode::is_record, opencode::read),
    (Agent::Pi, pi::is_record, pi::read),
    (Agent::SweAgent, swe_agent::is_record, swe_agent::read),
    (Agent::Windsurf, windsurf::is_record, windsurf::read),
];

/// Beginnings of paths, and whose records are there. The first that fits holds.
const OWNERS: [(&str, Option<Agent>); 20] = [
    ("git-ai/fixtures/amp-threads/", Some(Agent::Amp)),
    ("git-ai/fixtures/continue-cli-", Some(Agent::Continue)),
    ("git-ai/fixtures/copilot_vscode_workspace/GitHub.copilot-chat/transcripts/", Some(Agent::Copilot)),
    ("git-ai/fixtures/copilot_vscode_workspace", None),
    ("git-ai/fixtures/copilot-otel/", Some(Agent::Copilot)),
    ("git-ai/fixtures/copilot_", Some(Agent::Copilot)),
    ("git-ai/fixtures/cursor-", Some(Agent::Cursor)),
    ("git-ai/fixtures/droid-session.jsonl", Some(Agent::Droid)),
    ("git-ai/fixtures/opencode-sqlite", Some(Agent::Opencode)),
    ("git-ai/fixtures/opencode-storage/message/test-session-123/", None),
    ("git-ai/fixtures/opencode-storage/message/test-session-123", Some(Agent::Opencode)),
    ("git-ai/fixtures/opencode-storage/", None),
    ("git-ai/fixtures/opencode-storage", Some(Agent::Opencode)),
    ("git-ai/fixtures/pi-", Some(Agent::Pi)),
    ("git-ai/fixtures/windsurf-", Some(Agent::Windsurf)),
    ("polylogue/chatgpt/", Some(Agent::Chatgpt)),
    ("polylogue/origin-capability/chatgpt-", Some(Agent::Chatgpt)),
    ("polylogue/origin-capability/hermes-", Some(Agent::Hermes)),
    ("polylogue/hermes/a", Some(Agent::Hermes)),
    ("swe-agent/", Some(Agent::SweAgent)),
];

/// The trajectories in ATIF that Hermes makes are ATIF's.
const ATIF: &str = "polylogue/hermes/atif/";

fn owner(name: &str) -> Option<Agent> {
    let fits = |(start, _): &&(&str, Option<Agent>)| name.starts_with(start);
    OWNERS.iter().find(fits).filter(|_| !name.starts_with(ATIF)).and_then(|(_, agent)| *agent)
}

/// Lists all files and folders of the shared transcripts: name and path.
fn all(data: &Path) -> Vec<(String, PathBuf, bool)> {
    let root = data.join("transcripts");
    let entries = walkdir::WalkDir::new(&root).min_depth(1).sort_by_file_name().into_iter().filter_map(Result::ok);
    let of = |entry: walkdir::DirEntry| {
        let name = entry.path().strip_prefix(&root).expect("below").to_str().expect("plain").to_owned();
        (name, entry.path().to_owned(), entry.file_type().is_dir())
    };
    entries.map(of).collect()
}

#[test]
fn every_record_is_its_agents_and_no_others() {
    let Some(data) = shared_data() else { return };
    let mut found = HashSet::new();
    for (name, path, is_folder) in all(&data) {
        let mut head = if is_folder { Vec::new() } else { std::fs::read(&path).expect("a file") };
        head.truncate(64 * 1024);
        let claims: Vec<Agent> =
            READERS.iter().filter(|(_, is_record, _)| is_record(&path, &head)).map(|(agent, ..)| *agent).collect();
        let is_stored_so = !is_folder || owner(&name) == Some(Agent::Opencode) && !name.contains("sqlite");
        let expected: Vec<Agent> = owner(&name).into_iter().filter(|_| is_stored_so).collect();
        assert_eq!(claims, expected, "{name}");
        found.extend(claims);
    }
    assert_eq!(found.len(), READERS.len(), "each agent has samples: {found:?}");
}

/// What is in a record: prompts, replies, calls, results.
type Counts = [u64; 4];

fn read(name: &str, path: &Path, read: Read) -> (SessionFacts, Vec<Routed>) {
    let mut routed = Vec::new();
    let facts = read(path, &mut |step| {
        routed.push(step);
        ControlFlow::Continue(())
    });
    (facts.unwrap_or_else(|error| panic!("{name}: {error}")), routed)
}

fn message(step: &Step) -> Option<&Message> {
    match step {
        Step::Append(message) | Step::Compress { summary: message, .. } => Some(message),
        _ => None,
    }
}

/// Holds what was read to its promises, and returns what is in it.
fn check(name: &str, routed: &[Routed]) -> Counts {
    let mut counts = [0; 4];
    let (mut calls, mut ids) = (HashSet::new(), HashSet::new());
    for message in routed.iter().filter_map(|routed| message(&routed.step)) {
        assert!(ids.insert(message.id), "{name}: id {} comes twice", message.id);
        counts[0] += u64::from(message.role == Role::User);
        counts[1] += u64::from(message.role == Role::Assistant);
        let text = plain_text(&message.kind, &message.body);
        if message.role == Role::Event {
            serde_json::from_slice::<Value>(&message.body).unwrap_or_else(|error| panic!("{name}: event: {error}"));
            continue;
        }
        let raw = String::from_utf8_lossy(&message.body);
        assert!(message.kind == BodyKind::Text || text != raw, "{name}: cannot be read: {raw}");
        let tools = tool_ids(&message.body);
        counts[2] += tools.calls.len() as u64;
        counts[3] += tools.results.len() as u64;
        calls.extend(tools.calls);
        tools.results.iter().for_each(|call| assert!(calls.contains(call), "{name}: no call for '{call}'"));
    }
    counts
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("text");
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn whole(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Counts messages in Anthropic's shape.
fn blocks<'v>(messages: impl Iterator<Item = &'v Value>) -> Counts {
    let mut counts = [0; 4];
    for message in messages {
        let of = |kind: &str| list(&message["content"]).iter().filter(|block| block["type"] == kind).count() as u64;
        counts[0] += u64::from(message["role"] == "user" && of("tool_result") == 0);
        counts[1] += u64::from(message["role"] == "assistant");
        counts[2] += of("tool_use");
        counts[3] += of("tool_result");
    }
    counts
}

/// Counts what a record holds without any of the program's code; `None` where the numbers below were counted by hand.
fn count(agent: Agent, path: &Path) -> Option<Counts> {
    let is = |value: &Value, name: &str, text: &str| u64::from(value[name] == text);
    let sum = |list: &[Value], of: &dyn Fn(&Value) -> Counts| {
        list.iter().map(of).fold([0; 4], |sum, one| std::array::from_fn(|place| sum[place] + one[place]))
    };
    let length = |value: &Value| list(value).len() as u64;
    let name = path.file_name()?.to_str()?;
    Some(match agent {
        Agent::Amp => blocks(list(&whole(path)["messages"]).iter()),
        Agent::Cursor => {
            let roles: Vec<Value> = lines(path);
            let messages: Vec<Value> = roles
                .iter()
                .map(|line| serde_json::json!({"role": line["role"], "content": line["message"]["content"]}))
                .collect();
            blocks(messages.iter())
        }
        Agent::Droid => blocks(lines(path).iter().map(|line| &line["message"])),
        Agent::Continue => sum(list(&whole(path)["history"]), &|item| {
            let message = &item["message"];
            let done = list(&item["toolCallStates"]).iter().filter(|state| state["status"] == "done").count() as u64;
            [is(message, "role", "user"), is(message, "role", "assistant"), length(&message["toolCalls"]), done]
        }),
        Agent::SweAgent => sum(list(&whole(path)["history"]), &|message| {
            let is = |role| is(message, "role", role);
            [is("user"), is("assistant"), length(&message["tool_calls"]), is("tool")]
        }),
        Agent::Pi => sum(&lines(path), &|line| {
            let message = &line["message"];
            let calls = list(&message["content"]).iter().filter(|block| block["type"] == "toolCall").count() as u64;
            let is = |role| is(message, "role", role);
            [is("user"), is("assistant"), calls, is("toolResult")]
        }),
        Agent::Windsurf => sum(&lines(path), &|line| {
            let said = [is(line, "type", "user_input"), is(line, "type", "planner_response")];
            let tool = 1 - said[0] - said[1];
            [said[0], said[1] + tool, tool, tool]
        }),
        Agent::Copilot if name.contains("stream") || name.contains("cli") || name.contains("transcript_") => {
            let events = lines(path);
            let asked: u64 = events.iter().map(|event| length(&event["data"]["toolRequests"])).sum();
            let mut counts = sum(&events, &|event| {
                let is = |kind| is(event, "type", kind);
                [is("user.message"), is("assistant.message"), 0, is("tool.execution_complete")]
            });
            counts[2] = asked;
            counts
        }
        Agent::Copilot if name.ends_with("simple.json") => sum(list(&whole(path)["requests"]), &|request| {
            let metadata = &request["result"]["metadata"];
            let rounds = list(&metadata["toolCallRounds"]);
            let calls = rounds.iter().map(|round| length(&round["toolCalls"])).sum();
            let results = metadata["toolCallResults"].as_object().map_or(0, |results| results.len() as u64);
            let context = u64::from(metadata["renderedGlobalContext"].is_array());
            [1 + context, rounds.len() as u64, calls, results]
        }),
        _ => return None,
    })
}

/// Records whose numbers are not simply counted: found by hand.
const BY_HAND: [(&str, Counts); 20] = [
    // The result of 'toolCallId' comes from the event alone; a run without a message of the model's is a call too.
    ("git-ai/fixtures/copilot_vscode_workspace/GitHub.copilot-chat/transcripts/test-session-abc.jsonl", [1, 1, 1, 1]),
    ("git-ai/fixtures/copilot_chat_session_lookup_auto.jsonl", [0, 0, 0, 0]),
    ("git-ai/fixtures/copilot_chat_session_lookup_details_only.jsonl", [0, 0, 0, 0]),
    ("git-ai/fixtures/copilot_chat_session_lookup_json_file.json", [0, 0, 0, 0]),
    ("git-ai/fixtures/copilot_chat_session_lookup_non_auto.jsonl", [0, 0, 0, 0]),
    ("git-ai/fixtures/copilot_chat_session_lookup_selected_model.jsonl", [0, 0, 0, 0]),
    ("git-ai/fixtures/copilot_session_empty_then_patched.jsonl", [1, 1, 0, 0]),
    // Two requests, and the context that went with the first; three rounds and one.
    ("git-ai/fixtures/copilot_session_multiline.jsonl", [3, 4, 2, 2]),
    // The same session as '.json'.
    ("git-ai/fixtures/copilot_session_simple.jsonl", [4, 5, 2, 2]),
    ("git-ai/fixtures/copilot-otel/traces.db/48eb5d32-e8f9-4528-b791-92cec0da9dce", [2, 2, 1, 1]),
    ("git-ai/fixtures/copilot-otel/traces.db/f25ea82a-4ef6-4151-9144-46ee55690bcb", [2, 2, 1, 1]),
    ("git-ai/fixtures/opencode-sqlite/opencode.db", [1, 2, 1, 1]),
    ("git-ai/fixtures/opencode-sqlite-empty/opencode.db", [0, 0, 0, 0]),
    ("git-ai/fixtures/opencode-storage", [1, 2, 1, 1]),
    ("git-ai/fixtures/opencode-storage/message/test-session-123", [1, 2, 1, 1]),
    // A prompt; the first answer, thinking, a call and the last answer.
    ("polylogue/chatgpt/native-browser-capture-v1.json", [1, 4, 1, 1]),
    ("polylogue/chatgpt/native-conversation-v1.json", [1, 4, 1, 1]),
    ("polylogue/origin-capability/chatgpt-export.json", [1, 0, 0, 0]),
    // One of its answers was rewound.
    ("polylogue/hermes/archival_export/v1/example-session.json", [1, 2, 1, 1]),
    // The model's answer names no call: the tool's run does.
    ("polylogue/hermes/atof/nemo_relay_atof_v0.1_real_redacted.jsonl", [1, 2, 1, 1]),
];

#[test]
fn every_record_is_read_whole() {
    let Some(data) = shared_data() else { return };
    let mut records: Vec<(String, PathBuf)> = Vec::new();
    for (name, path, is_folder) in all(&data) {
        if name.ends_with("traces.db") {
            let sessions = copilot::sessions(&path).expect("sessions");
            records.extend(sessions.iter().map(|session| (format!("{name}/{session}"), path.join(session))));
        } else if owner(&name).is_some()
            && (!is_folder || owner(&name) == Some(Agent::Opencode) && !name.contains("sqlite"))
        {
            records.push((name, path));
        }
    }
    let mut by_hand = 0;
    for (name, path) in &records {
        let agent = owner(name).expect("someone's");
        let (_, _, reader) = READERS.iter().find(|(one, ..)| *one == agent).expect("a reader");
        let (facts, routed) = read(name, path, *reader);
        let found = check(name, &routed);
        assert_eq!(found, [facts.prompts, facts.replies, facts.tool_calls, facts.tool_results], "{name}: its facts");
        assert_eq!(facts.broken, 0, "{name}");
        let hand = BY_HAND.iter().find(|(one, _)| one == name).map(|(_, counts)| *counts);
        by_hand += usize::from(hand.is_some());
        match hand.or_else(|| count(agent, path)) {
            Some(expected) => assert_eq!(found, expected, "{name}"),
            None => assert_eq!(name, "polylogue/origin-capability/hermes-session.jsonl"),
        }
        let again = read(name, path, *reader);
        assert!((facts, routed) == again, "{name}: another reading gives something else");
    }
    assert!(records.len() >= 39, "{} records", records.len());
    assert_eq!(by_hand, BY_HAND.len());
}

#[test]
fn facts_of_real_records_are_told() {
    let Some(data) = shared_data() else { return };
    let fixtures = data.join("transcripts/git-ai/fixtures");
    let facts = |name: &str, reader: Read| read(name, &fixtures.join(name), reader);
    let (amp, _) = facts("amp-threads/T-019ca1ce-3ae2-7686-a41e-ccc078837f8a.json", amp::read);
    assert_eq!(amp.model.as_deref(), Some("claude-opus-4-6"));
    assert_eq!(amp.cwd.as_deref(), Some("/Users/svarlamov/projects/testing-git-amp"));
    let (droid, _) = facts("droid-session.jsonl", droid::read);
    assert_eq!(droid.model.as_deref(), Some("custom:BYOK-GPT-5-MINI-0"));
    let (opencode, steps) = facts("opencode-sqlite/opencode.db", opencode::read);
    assert_eq!(
        (opencode.id.as_deref(), opencode.parent.as_deref()),
        (Some("test-session-123"), Some("parent-session-456"))
    );
    assert!(steps.iter().all(|routed| routed.conversation == Conversation::Main));
    // One row for each call of the model: the amp thread has three, the sum is that of its file.
    let (_, steps) = facts("amp-threads/T-019ca1ce-3ae2-7686-a41e-ccc078837f8a.json", amp::read);
    let usage: Vec<_> = steps.iter().filter_map(|routed| message(&routed.step)?.usage).collect();
    assert_eq!(usage.iter().filter_map(|usage| usage.output).collect::<Vec<_>>(), [239, 71, 245]);
    assert_eq!(usage[0].context(), Some(14_870));
    let trace = "copilot-otel/traces.db/48eb5d32-e8f9-4528-b791-92cec0da9dce";
    let (_, steps) = facts(trace, copilot::read);
    let usage: Vec<_> = steps.iter().filter_map(|routed| message(&routed.step)?.usage).collect();
    assert_eq!(usage.iter().filter_map(|usage| usage.context()).collect::<Vec<_>>(), [17_414, 18_101]);
    assert_eq!(usage.iter().filter_map(|usage| usage.input).collect::<Vec<_>>(), [14_598, 181]);
}
