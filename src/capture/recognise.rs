//! Whose record a file is, told from its first bytes.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Agent, amp, chatgpt, continue_cli, copilot, cursor, droid, hermes, opencode, pi, swe_agent, windsurf};

/// Bytes at the start of a record that tell whose it is.
pub const RECOGNISED_BYTES: u64 = 256 * 1024;
/// Lines that are looked at.
const LINES: usize = 8;

/// Finds out whose record a file is.
///
/// # Errors
/// When it cannot be read.
pub fn recognise_file(path: &Path) -> io::Result<Option<Agent>> {
    let mut head = Vec::new();
    if path.is_dir() {
        return Ok(recognise(path, &head));
    }
    File::open(path)?.take(RECOGNISED_BYTES).read_to_end(&mut head)?;
    Ok(recognise(path, &head))
}

/// Finds out whose record a file is, from its first bytes (up to [`RECOGNISED_BYTES`]) and its name.
pub fn recognise(path: &Path, head: &[u8]) -> Option<Agent> {
    let own = shape_of(path, head);
    if matches!(own, Some(Agent::Atif | Agent::Claude | Agent::Codex | Agent::Gemini)) {
        return own;
    }
    let found = READERS.iter().find(|(_, is_record)| is_record(path, head));
    found.map(|(agent, _)| *agent).or(own)
}

type IsRecord = fn(&Path, &[u8]) -> bool;

/// Readers that know their records by themselves.
const READERS: [(Agent, IsRecord); 11] = [
    (Agent::Amp, amp::is_record),
    (Agent::Chatgpt, chatgpt::is_record),
    (Agent::Continue, continue_cli::is_record),
    (Agent::Copilot, copilot::is_record),
    (Agent::Cursor, cursor::is_record),
    (Agent::Droid, droid::is_record),
    (Agent::Hermes, hermes::is_record),
    (Agent::Opencode, opencode::is_record),
    (Agent::Pi, pi::is_record),
    (Agent::SweAgent, swe_agent::is_record),
    (Agent::Windsurf, windsurf::is_record),
];

/// Tells by the members of the first objects.
fn shape_of(path: &Path, head: &[u8]) -> Option<Agent> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    if head.starts_with(b"SQLite format 3\0") {
        return database(&name);
    }
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).expect("valid up to there"),
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if name.ends_with(".traj") && text.starts_with('{') {
        return Some(Agent::SweAgent);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES);
    if let Some(agent) = lines.filter_map(Shape::of_line).find_map(|shape| shape.of_lines()) {
        return Some(agent);
    }
    Shape::of_start(text)?.of_document()
}

fn database(name: &str) -> Option<Agent> {
    match name {
        _ if name.starts_with("opencode") => Some(Agent::Opencode),
        _ if name.starts_with("state.vscdb") || name.starts_with("store.db") => Some(Agent::Cursor),
        _ if name.starts_with("traces") || name.starts_with("agent-traces") => Some(Agent::Copilot),
        _ if name.starts_with("state") || name.contains("hermes") => Some(Agent::Hermes),
        _ => None,
    }
}

/// Holds the names of an object's members, and its `type`, as far as it was read.
#[derive(Debug, Default)]
struct Shape {
    names: HashSet<String>,
    kind: String,
    /// Whether the members of the objects that are in it count as its own.
    is_list: bool,
}

impl Shape {
    /// Reads a line that is an object, whole.
    fn of_line(line: &str) -> Option<Self> {
        let mut shape = Shape::default();
        let mut reader = serde_json::Deserializer::from_str(line);
        let whole =
            line.starts_with('{') && reader.deserialize_map(Members(&mut shape)).is_ok() && reader.end().is_ok();
        whole.then_some(shape)
    }

    /// Reads an object as far as it is there; of a list, its first object.
    fn of_start(text: &str) -> Option<Self> {
        let (is_list, text) = match text.strip_prefix('[') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        };
        let mut shape = Shape { is_list, ..Shape::default() };
        let mut reader = serde_json::Deserializer::from_str(text);
        // What is cut off is an error, and what stands before it is enough.
        let _ = text.starts_with('{').then(|| reader.deserialize_map(Members(&mut shape)));
        (!shape.names.is_empty()).then_some(shape)
    }

    fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.names.contains(*name))
    }

    /// Tells whose line it is.
    fn of_lines(&self) -> Option<Agent> {
        let kind = self.kind.as_str();
        let codex = ["session_meta", "response_item", "event_msg", "turn_context", "compacted"];
        Some(match () {
            () if self.has(&["payload"]) && codex.contains(&kind) => Agent::Codex,
            () if self.has(&["uuid", "sessionId"]) || self.has(&["leafUuid"]) => Agent::Claude,
            () if kind == "file-history-snapshot" || kind == "queue-operation" => Agent::Claude,
            () if self.has(&["data"]) && kind == "session.start" => Agent::Copilot,
            () if self.has(&["kind", "v"]) => Agent::Copilot,
            () if kind == "session_start" && self.has(&["id"]) => Agent::Droid,
            () if kind == "session" && self.has(&["version", "id"]) => Agent::Pi,
            () if self.has(&["atof_version"]) => Agent::Hermes,
            () if self.has(&["status"]) && self.names.contains(kind) => Agent::Windsurf,
            () if self.has(&["role", "message"]) => Agent::Cursor,
            () if self.has(&["sessionId", "projectHash"]) && !self.has(&["messages"]) => Agent::Gemini,
            () if self.has(&["id", "content"]) && ["user", "gemini"].contains(&kind) => Agent::Gemini,
            () if self.has(&["message"]) && ["user", "assistant"].contains(&kind) => Agent::Claude,
            () if self.has(&["role", "content"]) || self.has(&["role", "tool_calls"]) => Agent::Jsonl,
            () if self.has(&["call_id"]) && kind.starts_with("function_call") => Agent::Jsonl,
            () => return None,
        })
    }

    /// Tells whose document it is.
    fn of_document(&self) -> Option<Agent> {
        Some(match () {
            () if self.has(&["schema_version", "steps"]) => Agent::Atif,
            () if self.has(&["mapping"]) || self.has(&["polylogue_capture_kind"]) => Agent::Chatgpt,
            () if self.has(&["sessionId", "history"]) => Agent::Continue,
            () if self.has(&["requests"]) => Agent::Copilot,
            () if self.has(&["sessionId", "messages"]) => Agent::Gemini,
            () if self.has(&["trajectory"]) => Agent::SweAgent,
            () if self.has(&["info", "messages"]) => Agent::Opencode,
            () if self.has(&["sessionID", "role"]) => Agent::Opencode,
            () if self.has(&["session_id", "messages"]) => Agent::Hermes,
            () if self.has(&["v", "id", "messages"]) => Agent::Amp,
            () if self.is_list && (self.has(&["role"]) || self.has(&["type", "call_id"])) => Agent::Jsonl,
            () if !self.is_list && self.has(&["messages"]) => Agent::Jsonl,
            () => return None,
        })
    }
}

struct Members<'a>(&'a mut Shape);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let is_kind = name == "type";
            if self.0.names.len() < 256 {
                self.0.names.insert(name);
            }
            if is_kind {
                self.0.kind = map.next_value::<Kind>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A `type` that is a text, or nothing.
struct Kind(String);

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <&serde_json::value::RawValue>::deserialize(deserializer)?;
        Ok(Kind(serde_json::from_str(value.get()).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_apart() {
        for (name, head, agent) in [
            ("x.jsonl", r#"{"type":"session_meta","payload":{"id":"1"}}"#, Agent::Codex),
            ("x.jsonl", r#"{"type":"user","uuid":"u","sessionId":"s","message":{}}"#, Agent::Claude),
            ("x.jsonl", r#"{"type":"summary","summary":"x","leafUuid":"u"}"#, Agent::Claude),
            ("x.jsonl", "{\"type\":\"user\",\"message\":{\"content\":\"x\"},\"cwd\":\"/\"}\n{}", Agent::Claude),
            ("x.jsonl", r#"{"type":"session.start","data":{"sessionId":"s"}}"#, Agent::Copilot),
            ("x.jsonl", r#"{"kind":0,"v":{"requests":[]}}"#, Agent::Copilot),
            ("x.json", "{\n \"version\": 3,\n \"requests\": [ {\"a\":", Agent::Copilot),
            ("x.jsonl", r#"{"type":"session_start","id":"s","cwd":"/"}"#, Agent::Droid),
            ("x.jsonl", r#"{"type":"session","version":3,"id":"s"}"#, Agent::Pi),
            ("x.jsonl", r#"{"status":"done","type":"user_input","user_input":{}}"#, Agent::Windsurf),
            ("x.jsonl", r#"{"role":"user","message":{"content":[]}}"#, Agent::Cursor),
            ("x.jsonl", r#"{"sessionId":"s","projectHash":"h","kind":"main"}"#, Agent::Gemini),
            ("x.jsonl", r#"{"id":"1","timestamp":"t","type":"user","content":"x"}"#, Agent::Gemini),
            ("x.json", "{\n \"sessionId\": \"s\",\n \"messages\": [", Agent::Gemini),
            ("x.json", "{\n \"schema_version\": \"ATIF-v1.7\",\n \"steps\": [", Agent::Atif),
            ("x.json", "{\"id\":\"x\",\"mapping\":{}}", Agent::Chatgpt),
            ("x.json", "[{\"id\":\"x\",\"mapping\":{\"a\"", Agent::Chatgpt),
            ("x.json", "{\"sessionId\":\"s\",\"history\":[]}", Agent::Continue),
            ("x.json", "{\"session_id\":\"s\",\"messages\":[]}", Agent::Hermes),
            ("T-1.json", "{\"v\":2,\"id\":\"T-1\",\"messages\":[", Agent::Amp),
            ("a.traj", "{ \"trajectory\": [", Agent::SweAgent),
            ("x.jsonl", r#"{"role":"user","content":"x"}"#, Agent::Jsonl),
            ("x.json", "[\n {\"role\":\"user\",\"content\":\"x\"}]", Agent::Jsonl),
            ("x.json", "{\"model\":\"m\",\"messages\":[{", Agent::Jsonl),
            ("opencode.db", "SQLite format 3\0", Agent::Opencode),
        ] {
            assert_eq!(recognise(Path::new(name), head.as_bytes()), Some(agent), "{name}: {head}");
        }
        for head in ["", "hello", "{}", "[]", "[1]", "{\"a\":1}", "\u{0}\u{1}", "{\"type\":{\"x\":1}}", "[[[[[["] {
            assert_eq!(recognise(Path::new("x"), head.as_bytes()), None, "{head}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(recognise(Path::new("x"), deep.as_bytes()), None);
        assert_eq!(recognise(Path::new("x"), format!("{{\"a\":{deep}").as_bytes()), None);
    }
}
