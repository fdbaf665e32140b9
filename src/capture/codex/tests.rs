//! Small rollouts, read whole and in pieces.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::*;
use crate::capture::{Outcome, Receiver, Record};
use crate::model::{Message, Usage};

/// Keeps what was handed out, as branches of entries would hold it.
#[derive(Default)]
struct Store {
    branches: BTreeMap<String, Vec<Message>>,
    at: String,
    appended: usize,
    compressed: Vec<(Message, Vec<EntryId>)>,
    usage: BTreeMap<EntryId, Usage>,
    knows: bool,
}

impl Receiver for Store {
    fn take(&mut self, routed: Routed) -> ControlFlow<()> {
        let branch = self.branches.entry(self.at.clone()).or_default();
        match routed.step {
            Step::Append(message) => {
                assert!(branch.iter().all(|one| one.id != message.id), "an entry comes once");
                self.appended += 1;
                self.usage.extend(message.usage.map(|usage| (message.id, usage)));
                branch.push(message);
            }
            Step::Extend(message) => {
                assert!(self.usage.insert(message.id, message.usage.expect("that is what was missing")).is_none());
                let id = message.id;
                *branch.iter_mut().find(|one| one.id == id).expect("it was handed out") = message;
            }
            Step::Compress { summary, kept, .. } => {
                branch.retain(|one| kept.contains(&one.id) || !one.role.is_sent());
                branch.push(summary.clone());
                self.compressed.push((summary, kept));
            }
            Step::Fork { branch: name, after } => {
                let end = after.map_or(0, |id| branch.iter().position(|one| one.id == id).expect("there") + 1);
                let start = branch[..end].to_vec();
                assert!(self.branches.insert(name.clone(), start).is_none());
                self.at = name;
            }
            step => panic!("{step:?}"),
        }
        ControlFlow::Continue(())
    }

    fn restart(&mut self) {
        self.at = "main".to_owned();
    }

    fn is_known(&mut self, _: &Conversation, message: &Message) -> bool {
        let id = message.id;
        self.knows && self.branches.values().flatten().any(|one| one.id == id)
    }
}

fn read(store: &mut Store, path: &Path, watermark: Option<&str>) -> Outcome {
    Record::open(Some(Agent::Codex), path).expect("opened").read(watermark, store).expect("read")
}

fn whole(text: &str) -> (Store, Outcome) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    let mut store = Store::default();
    let outcome = read(&mut store, file.path(), None);
    (store, outcome)
}

fn line(kind: &str, payload: &str) -> String {
    format!("{{\"timestamp\":\"2026-02-11T05:53:33.335Z\",\"type\":\"{kind}\",\"payload\":{payload}}}\n")
}

fn said(role: &str, words: &str) -> String {
    let part = if role == "assistant" { "output_text" } else { "input_text" };
    let content = format!("[{{\"type\":\"{part}\",\"text\":\"{words}\"}}]");
    line("response_item", &format!("{{\"type\":\"message\",\"role\":\"{role}\",\"content\":{content}}}"))
}

fn call(id: &str) -> String {
    let payload =
        format!("{{\"type\":\"function_call\",\"name\":\"shell\",\"arguments\":\"{{}}\",\"call_id\":\"{id}\"}}");
    line("response_item", &payload)
}

fn output(id: &str) -> String {
    line("response_item", &format!("{{\"type\":\"function_call_output\",\"call_id\":\"{id}\",\"output\":\"ok\"}}"))
}

fn tokens(total: u64, last: u64) -> String {
    let counts = |n: u64| {
        let cached = n / 2;
        format!(
            "{{\"input_tokens\":{n},\"cached_input_tokens\":{cached},\"output_tokens\":{n},\"reasoning_output_tokens\":1}}"
        )
    };
    let info = format!("{{\"total_token_usage\":{},\"last_token_usage\":{}}}", counts(total), counts(last));
    line("event_msg", &format!("{{\"type\":\"token_count\",\"info\":{info}}}"))
}

fn meta(id: &str, forked_from: Option<&str>) -> String {
    let from = forked_from.map(|from| format!(",\"forked_from_id\":\"{from}\"")).unwrap_or_default();
    line("session_meta", &format!("{{\"id\":\"{id}\",\"cwd\":\"/work\",\"git\":{{\"branch\":\"main\"}}{from}}}"))
}

fn session() -> String {
    [
        meta("s1", None),
        line("turn_context", "{\"cwd\":\"/work\",\"model\":\"gpt-5\"}"),
        said("user", "<environment_context>here</environment_context>"),
        said("user", "go"),
        line("event_msg", "{\"type\":\"user_message\",\"message\":\"go\"}"),
        line("response_item", "{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"x\"}"),
        call("c1"),
        tokens(100, 100),
        tokens(100, 100),
        output("c1"),
        said("assistant", "done"),
        tokens(250, 150),
        line("event_msg", "{\"type\":\"turn_aborted\",\"reason\":\"interrupted\"}"),
        said("user", "go"),
        call("c2"),
        output("c2"),
        tokens(300, 50),
        said("assistant", "again"),
        line("something_new", "{\"x\":1}"),
    ]
    .concat()
}

#[test]
fn items_are_entries_in_their_own_bytes() {
    let (store, outcome) = whole(&session());
    let main = &store.branches["main"];
    let roles: Vec<&str> = main.iter().map(|message| message.role.name()).collect();
    assert_eq!(
        roles,
        [
            "user",
            "user",
            "assistant",
            "assistant",
            "tool",
            "assistant",
            "event",
            "user",
            "assistant",
            "tool",
            "assistant",
            "event"
        ]
    );
    let body = |nth: usize| std::str::from_utf8(&main[nth].body).expect("UTF-8");
    assert_eq!(body(3), r#"{"type":"function_call","name":"shell","arguments":"{}","call_id":"c1"}"#);
    assert!(body(11).contains("something_new"), "what is not known passes through");
    assert_ne!(main[1].id, main[7].id, "what is said twice is two entries");
    assert_eq!(main[3].fields.last(), Some(&("call".to_owned(), "c1".to_owned())));
    let facts = outcome.facts;
    assert_eq!(
        (facts.id.as_deref(), facts.cwd.as_deref(), facts.model.as_deref()),
        (Some("s1"), Some("/work"), Some("gpt-5"))
    );
    assert_eq!((facts.prompts, facts.replies, facts.tool_calls, facts.tool_results), (2, 2, 2, 2));
}

#[test]
fn usage_counts_once_and_without_the_cache() {
    let (store, _) = whole(&session());
    let main = &store.branches["main"];
    let outputs: Vec<_> = main.iter().map(|message| message.usage.and_then(|usage| usage.output)).collect();
    assert_eq!(outputs.iter().flatten().sum::<u64>(), 300, "as the last total says");
    assert_eq!((outputs[3], outputs[5], outputs[8]), (Some(100), Some(150), Some(50)));
    let usage = main[3].usage.expect("told");
    assert_eq!((usage.input, usage.cache_read, usage.reasoning), (Some(50), Some(50), Some(1)));
    // A total that went on while nothing was written counts too, and usage without a message is an event's.
    let (store, _) = whole(&[meta("s", None), tokens(10, 10), tokens(40, 20)].concat());
    let outputs = store.branches["main"].iter().map(|one| (one.role.clone(), one.usage.and_then(|usage| usage.output)));
    assert_eq!(outputs.collect::<Vec<_>>(), [(Role::Event, Some(10)), (Role::Event, Some(30))]);
}

#[test]
fn wherever_a_reading_ended_the_rest_is_the_same() {
    let text = session();
    let (expected, _) = whole(&text);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.jsonl");
    for cut in 0..text.len() {
        let mut store = Store::default();
        std::fs::write(&path, &text[..cut]).expect("written");
        let first = read(&mut store, &path, None);
        let again = read(&mut store, &path, Some(&first.watermark));
        assert_eq!(again.watermark, first.watermark, "cut at {cut}: nothing is new");
        std::fs::write(&path, &text).expect("written");
        let last = read(&mut store, &path, Some(&first.watermark));
        assert_eq!((last.pending, store.branches == expected.branches), (0, true), "cut at {cut}");
        assert_eq!(store.usage, expected.usage);
        // A state that is not there is made anew from the file.
        let mut other = Store::default();
        std::fs::write(&path, &text[..cut]).expect("written");
        let first = read(&mut other, &path, None);
        let mut mark: serde_json::Value = serde_json::from_str(&first.watermark).expect("JSON");
        mark["state"] = serde_json::Value::Null;
        read(&mut other, &path, Some(&mark.to_string()));
        std::fs::write(&path, &text).expect("written");
        read(&mut other, &path, Some(&mark.to_string()));
        assert_eq!(other.branches, expected.branches, "cut at {cut}, without a state");
    }
}

#[test]
fn a_file_that_was_written_anew_brings_what_is_not_known() {
    let text = session();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.jsonl");
    std::fs::write(&path, &text).expect("written");
    let mut store = Store { knows: true, ..Store::default() };
    let first = read(&mut store, &path, None);
    let before = store.appended;
    std::fs::write(&path, format!("\n{text}{}", said("user", "more"))).expect("written");
    read(&mut store, &path, Some(&first.watermark));
    assert_eq!(store.appended, before + 1);
}

#[test]
fn turns_that_were_taken_back_stay_and_what_follows_is_a_branch() {
    let back = line("event_msg", "{\"type\":\"thread_rolled_back\",\"num_turns\":1}");
    let text = session() + &back + &said("user", "else") + &back + &said("user", "once more");
    let (store, _) = whole(&text);
    assert_eq!(store.branches["main"].len(), 12);
    let branch = |name: &str| store.branches[name].len();
    assert_eq!((branch("rewind-1"), branch("rewind-2")), (8, 8));
    let last = store.branches["rewind-2"].last().expect("one");
    assert!(String::from_utf8_lossy(&last.body).contains("once more"));
    let all = line("event_msg", "{\"type\":\"thread_rolled_back\",\"num_turns\":99}");
    let (store, _) = whole(&(session() + &all + &said("user", "x")));
    assert_eq!(store.branches["rewind-1"].len(), 2, "what stood before the first turn stays");
}

#[test]
fn a_compaction_keeps_what_its_history_has() {
    let item = |words: &str| {
        format!(
            "{{\"type\":\"message\",\"role\":\"user\",\"content\":[{{\"type\":\"input_text\",\"text\":\"{words}\"}}]}}"
        )
    };
    let history = format!("[{},{}]", item("go"), item("summary of it all"));
    let compacted = line("compacted", &format!("{{\"message\":\"summary\",\"replacement_history\":{history}}}"));
    let (store, _) = whole(&(session() + &compacted));
    let (summary, kept) = &store.compressed[0];
    assert_eq!(kept, &[store.branches["main"].iter().find(|one| one.role == Role::User).expect("kept").id]);
    assert_eq!(std::str::from_utf8(&summary.body).expect("UTF-8"), format!("[{}]", item("summary of it all")));
    let (store, _) = whole(&(session() + &line("compacted", "{\"message\":\"in short\"}")));
    let (summary, kept) = &store.compressed[0];
    assert_eq!((summary.body.as_slice(), kept.len()), (&b"in short"[..], 2), "the words of people stay");
}

#[test]
fn a_fork_names_its_parents_entries_alike() {
    let text = session();
    let (parent, _) = whole(&text);
    let fork = meta("s2", Some("s1")) + &text.replace("05:53:33", "06:00:00") + &said("user", "elsewhere");
    let (fork, outcome) = whole(&fork);
    let ids = |store: &Store| store.branches["main"].iter().map(|one| one.id).collect::<Vec<_>>();
    let (parent, fork) = (ids(&parent), ids(&fork));
    assert_eq!(fork[..parent.len()], parent[..]);
    assert_eq!((outcome.facts.id.as_deref(), outcome.facts.parent.as_deref()), (Some("s2"), Some("s1")));
    let (other, _) = whole(&text.replace("\"s1\"", "\"s9\""));
    assert!(ids(&other).iter().all(|id| !parent.contains(id)), "another session's entries are others");
}

#[test]
fn the_first_versions_lines_are_items_too() {
    let text = "{\"id\":\"old\",\"timestamp\":\"2025-06-01T10:00:00Z\",\"instructions\":null}\n\
        {\"record_type\":\"state\"}\n{\"type\":\"message\",\"role\":\"user\",\"content\":\"hi\"}\n";
    let (store, outcome) = whole(text);
    assert_eq!((store.branches["main"].len(), outcome.facts.id.as_deref()), (1, Some("old")));
}

#[test]
fn nothing_hostile_does_harm() {
    let deep = format!("{{\"type\":\"response_item\",\"payload\":{}{}}}\n", "[".repeat(50_000), "]".repeat(50_000));
    let lines = [
        "no JSON\n".to_owned(),
        "\u{0}\n[]\n{}\n\"x\"\n{\"type\":7,\"payload\":7}\n".to_owned(),
        deep,
        line("response_item", "{\"type\":\"message\",\"role\":\"wizard\"}"),
        line("response_item", "{\"type\":\"function_call\",\"call_id\":7}"),
        line("event_msg", "7"),
        line("event_msg", "{\"type\":\"thread_rolled_back\",\"num_turns\":18446744073709551615}"),
        line(
            "event_msg",
            "{\"type\":\"token_count\",\"info\":{\"last_token_usage\":{\"input_tokens\":1,\"cached_input_tokens\":9}}}",
        ),
        line("compacted", "7"),
        line("session_meta", "7"),
    ];
    let (_, outcome) = whole(&lines.concat());
    assert_eq!((outcome.facts.broken, outcome.issues.len()), (4, 4), "{:?}", outcome.issues);
    let large = line("response_item", &format!("{{\"type\":\"reasoning\",\"summary\":\"{}\"}}", "x".repeat(2 << 20)));
    let (store, outcome) = whole(&(large + &tokens(5, 5)));
    assert_eq!(store.branches["main"].len(), 2, "the usage is an event's, as nothing so large waits");
    assert!(outcome.watermark.len() < 10_000);
}
