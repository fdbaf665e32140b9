//! Messages of all shapes.

use super::*;
use crate::capture::reader_tests::Sample;
use crate::capture::recognise;

fn is_record(path: &Path, head: &[u8]) -> bool {
    recognise(path, head) == Some(Agent::Jsonl)
}

const MESSAGES: [&str; 8] = [
    r#"{"role":"developer","content":"be brief"}"#,
    r#"{"role":"user","content":"go"}"#,
    r#"{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"a": 1}}],"model":"m","usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":5}}"#,
    r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"x"}]}"#,
    r#"{"role":"assistant","content":null,"tool_calls":[{"id":"t2","type":"function","function":{"name":"f","arguments":"{}"}}],"usage":{"prompt_tokens":10,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":6}}}"#,
    r#"{"role":"tool","tool_call_id":"t2","content":"y"}"#,
    r#"{"type":"function_call","call_id":"t3","name":"f","arguments":"{}"}"#,
    r#"{"type":"banner","text":"hello"}"#,
];

#[test]
fn all_shapes_are_read_alike_from_lines_a_list_and_a_document() {
    let list = format!("[\n{}\n]", MESSAGES.join(",\n"));
    let document = format!("{{\"model\":\"m2\",\n\"messages\":{list}}}");
    for (name, text) in [("x.jsonl", MESSAGES.join("\n")), ("x.json", list), ("x.json", document)] {
        let sample = Sample::new(name, &text);
        assert!(sample.is_of(is_record), "{text}");
        let found = sample.read(read).expect("read");
        let roles: Vec<&str> = found.messages.iter().map(|one| one.role.name()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "tool", "assistant", "tool", "assistant", "event"]);
        assert_eq!(found.messages[1].body, b"go");
        assert_eq!(found.messages[2].body, br#"[{"type":"tool_use","id":"t1","name":"f","input":{"a": 1}}]"#);
        assert_eq!(found.messages[4].body, MESSAGES[4].as_bytes(), "calls stand beside the content");
        let usage = |nth: usize| found.messages[nth].usage.map(|usage| (usage.input, usage.cache_read, usage.output));
        assert_eq!(usage(2), Some((Some(3), Some(4), Some(5))));
        assert_eq!(usage(4), Some((Some(4), Some(6), Some(2))));
        assert_eq!((found.facts.tool_calls, found.facts.tool_results), (3, 2));
    }
}

#[test]
fn our_own_output_comes_back_as_it_was() {
    let text = "{\"id\":\"7h3kp0c2vd\",\"position\":\"0000001\",\"role\":\"user\",\"tokens\":4,\"pin\":false,\"kind\":\"text\",\"content\":\"go\"}\n\
        {\"id\":\"7h3kp0c2ve\",\"position\":\"0000002\",\"role\":\"note\",\"tokens\":0,\"pin\":false,\"kind\":\"json\",\"content\":{\"a\":1}}\n";
    let found = Sample::new("x.jsonl", text).read(read).expect("read");
    assert_eq!(found.messages[0].id.as_str(), "7h3kp0c2vd");
    assert_eq!((found.messages[0].body.as_slice(), found.messages[1].body.as_slice()), (&b"go"[..], &b"{\"a\":1}"[..]));
}

#[test]
fn every_start_is_answered() {
    Sample::new("x.jsonl", &MESSAGES.join("\n")).survives_cuts(read, is_record);
    Sample::new("x.json", &format!("[{}, 7]", MESSAGES.join(","))).survives_cuts(read, is_record);
}
