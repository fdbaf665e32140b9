//! A small trajectory with everything in it.

use super::*;
use crate::capture::reader_tests::Sample;
use crate::capture::recognise;

fn is_record(path: &Path, head: &[u8]) -> bool {
    recognise(path, head) == Some(Agent::Atif)
}

const DOCUMENT: &str = r#"{"schema_version":"ATIF-v1.7","session_id":"s1","agent":{"name":"a","version":"1","model_name":"m"},
"steps":[
{"step_id":1,"source":"user","message":"go","timestamp":"2026-01-10T02:08:26Z"},
{"step_id":2,"source":"agent","message":"old","metrics":{"prompt_tokens":7,"completion_tokens":7},"is_copied_context":true},
{"step_id":3,"source":"agent","message":"","reasoning_content":"hm","tool_calls":[{"tool_call_id":"c1","function_name":"f","arguments":{"a": 1}}],
 "observation":{"results":[{"source_call_id":"c1","content":"fine","subagent_trajectory_ref":[{"trajectory_id":"t2"}]},{"content":"a bell rings"}]},
 "metrics":{"prompt_tokens":100,"cached_tokens":60,"completion_tokens":5}},
{"step_id":4,"source":"narrator","message":"x"}],
"subagent_trajectories":[{"schema_version":"ATIF-v1.7","trajectory_id":"t2","agent":{"name":"b","version":"1"},"steps":[{"step_id":1,"source":"user","message":"help"}]}]}"#;

#[test]
fn steps_results_and_subagents() {
    let sample = Sample::new("x.json", DOCUMENT);
    assert!(sample.is_of(is_record));
    let found = sample.read(read).expect("read");
    let told: Vec<_> =
        found.messages.iter().map(|one| (one.role.name(), String::from_utf8_lossy(&one.body).into_owned())).collect();
    assert_eq!(told[0], ("user", "go".to_owned()));
    assert_eq!(
        told[2].1,
        r#"[{"type":"thinking","thinking":"hm"},{"type":"tool_use","id":"c1","name":"f","input":{"a": 1}}]"#
    );
    assert_eq!(told[3], ("tool", r#"[{"type":"tool_result","tool_use_id":"c1","content":"fine"}]"#.to_owned()));
    assert_eq!(told[4], ("user", "a bell rings".to_owned()));
    assert_eq!(told[5].0, "event");
    assert_eq!(found.messages[1].usage, None, "what was copied was paid for elsewhere");
    let usage = found.messages[2].usage.expect("told");
    assert_eq!((usage.input, usage.cache_read, usage.output), (Some(40), Some(60), Some(5)));
    assert!(found.messages[3].fields.contains(&("agent".to_owned(), "t2".to_owned())));
    assert_eq!(found.routed.last().map(|one| one.conversation.clone()), Some(Conversation::Subagent("t2".to_owned())));
    assert_eq!((found.facts.id.as_deref(), found.facts.model.as_deref()), (Some("s1"), Some("m")));
}

#[test]
fn every_start_is_answered_and_other_versions_are_refused() {
    Sample::new("x.json", DOCUMENT).survives_cuts(read, is_record);
    for text in ["{\"schema_version\":\"ATIF-v2.0\",\"steps\":[]}", "{\"schema_version\":\"ATIF-v1.0\"}", "[]"] {
        assert!(matches!(Sample::new("x.json", text).read(read), Err(CaptureError::Format { .. })), "{text}");
    }
}
