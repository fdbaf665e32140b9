//! Small sessions in both forms.

use super::*;
use crate::capture::reader_tests::Sample;
use crate::capture::recognise;

fn is_record(path: &Path, head: &[u8]) -> bool {
    recognise(path, head) == Some(Agent::Gemini)
}

const HEAD: &str =
    r#"{"sessionId":"s1","projectHash":"h","startTime":"2026-01-10T02:08:26.108Z","directories":["/work"]}"#;
const USER: &str = r#"{"id":"u1","timestamp":"2026-01-10T02:08:26.108Z","type":"user","content":[{"text":"go"}]}"#;
const CALL: &str = r#"{"id":"g1","timestamp":"2026-01-10T02:08:27.108Z","type":"gemini","content":"I will.","thoughts":[{"subject":"Plan","description":"Do it\n"}],"tokens":{"input":100,"output":10,"cached":60,"thoughts":5,"tool":0,"total":115},"model":"gemini-2.5-pro","toolCalls":[{"id":"c1","name":"run","args":{"cmd": "ls"}"#;
const RESULT: &str =
    r#","result":[{"functionResponse":{"id":"c1","name":"run","response":{"output":"fine"}}}],"status":"success"}]}"#;

fn lines(lines: &[&str]) -> Sample {
    Sample::new("session.jsonl", &(lines.join("\n") + "\n"))
}

#[test]
fn a_message_its_result_and_its_usage() {
    let call = format!("{CALL}{RESULT}");
    let info = r#"{"id":"i1","type":"info","content":"update"}"#;
    let document = format!(
        "{{\n \"sessionId\": \"s1\",\n \"projectHash\": \"h\",\n \"messages\": [\n{USER},\n{call},\n{info}\n]}}"
    );
    for sample in [lines(&[HEAD, USER, &call, info]), Sample::new("session.json", &document)] {
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("read");
        let bodies: Vec<_> = found.messages.iter().map(|one| String::from_utf8_lossy(&one.body).into_owned()).collect();
        assert_eq!(bodies[0], "go");
        assert_eq!(
            bodies[1],
            r#"[{"type":"thinking","thinking":"**Plan** Do it\n"},{"type":"text","text":"I will."},{"type":"tool_use","id":"c1","name":"run","input":{"cmd": "ls"}}]"#
        );
        assert_eq!(bodies[2], r#"[{"type":"tool_result","tool_use_id":"c1","content":"fine"}]"#);
        assert_eq!((found.messages[3].role.name(), bodies[3].as_str()), ("event", info));
        let usage = found.messages[1].usage.expect("told");
        assert_eq!(
            (usage.input, usage.cache_read, usage.output, usage.reasoning),
            (Some(40), Some(60), Some(15), Some(5))
        );
        assert_eq!((found.facts.id.as_deref(), found.facts.model.as_deref()), (Some("s1"), Some("gemini-2.5-pro")));
        assert_eq!((found.facts.prompts, found.facts.tool_calls, found.facts.tool_results), (1, 1, 1));
    }
}

#[test]
fn a_message_that_grew_is_one_entry_and_its_result_stands_where_it_came() {
    let open = format!("{CALL}}}]}}");
    let call = format!("{CALL}{RESULT}");
    let info = r#"{"id":"i1","type":"info","content":"slow"}"#;
    let early = lines(&[HEAD, USER, &open, info]).read(read).expect("read");
    let late = lines(&[HEAD, USER, &open, info, &call]).read(read).expect("read");
    let ids = |found: &crate::capture::reader_tests::Found| found.messages.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(&late)[..3], ids(&early)[..], "what was there keeps its place");
    assert_eq!(late.messages[3].role, Role::Tool);
}

#[test]
fn a_rewind_is_a_branch() {
    let again = r#"{"id":"u2","type":"user","content":"otherwise"}"#;
    let found = lines(&[HEAD, USER, &format!("{CALL}{RESULT}"), r#"{"$rewindTo":"g1"}"#, again]).read(read);
    let found = found.expect("read");
    let forks: Vec<&Step> =
        found.routed.iter().map(|routed| &routed.step).filter(|step| matches!(step, Step::Fork { .. })).collect();
    assert_eq!(forks, [&Step::Fork { branch: "rewind-1".to_owned(), after: Some(found.messages[0].id) }]);
    let found = lines(&[HEAD, USER, r#"{"$rewindTo":"nobody"}"#, USER]).read(read).expect("read");
    assert!(found.routed.iter().any(|routed| routed.step == Step::Fork { branch: "rewind-1".to_owned(), after: None }));
}

#[test]
fn every_start_of_a_session_is_answered() {
    let call = format!("{CALL}{RESULT}");
    lines(&[HEAD, USER, &call, r#"{"$rewindTo":"g1"}"#, r#"{"$set":{"summary":"Title"}}"#, "7", "{\"id\":[]}", USER])
        .survives_cuts(read, is_record);
    let document = format!("{{\n\"sessionId\":\"s1\",\n\"messages\":[\n{USER},{call},7,[]]}}");
    Sample::new("x.json", &document).survives_cuts(read, is_record);
}
