//! A message and its parts, as entries.

use serde_json::value::RawValue;

use super::Stored;
use crate::capture::compose::Blocks;
use crate::capture::members::Members;
use crate::capture::outlet::{Outlet, Source, push};
use crate::model::{Role, Time, Usage};

/// Parts that only say what others say too: snapshots of files, and where the model's calls began.
const NOISE: [&str; 2] = ["snapshot", "step-start"];

/// Hands out a message.
pub(super) fn say(outlet: &mut Outlet<'_>, stored: &Stored, info: &Members<'_>, parts: &[Stored]) {
    let time = info.object("time").time("created");
    match info.text("role").as_deref() {
        Some("user") => ask(outlet, stored, time, parts),
        Some("assistant") if info.is_true("summary") => summary(outlet, stored, info, time, parts),
        Some("assistant") => {
            let mut answer = Answer::new(outlet, stored, info, time);
            for part in parts {
                answer.take(part);
            }
            answer.end(true);
        }
        _ => outlet.event(Source::Id(&stored.id), time, &stored.json),
    }
    if let Some(error) = info.get("error") {
        outlet.event(Source::Id(&format!("{}:error", stored.id)), time, error.get());
    }
}

/// Hands out what a person said, with what went with it.
fn ask(outlet: &mut Outlet<'_>, stored: &Stored, time: Option<Time>, parts: &[Stored]) {
    let mut blocks = Blocks::default();
    let mut events = Vec::new();
    for part in parts {
        let Some((raw, members)) = open(part) else {
            outlet.broken();
            continue;
        };
        match members.text("type").as_deref() {
            Some("text") if members.is_true("ignored") => events.push(part),
            Some("text") => blocks.text(members.get("text")),
            Some("file") if blocks.data_url(members.get("url")) => {}
            Some(kind @ ("file" | "agent" | "subtask")) => blocks.other(kind, &raw),
            _ => events.push(part),
        }
    }
    let mut draft = outlet.draft(Source::Id(&stored.id), Role::User);
    draft.time = time;
    outlet.say(draft, blocks);
    for part in events {
        outlet.event(Source::Id(&part.id), time, &part.json);
    }
}

/// Hands out a summary, which takes the place of everything before it.
fn summary(outlet: &mut Outlet<'_>, stored: &Stored, info: &Members<'_>, time: Option<Time>, parts: &[Stored]) {
    let words: Vec<_> = parts.iter().filter_map(open).filter(|(_, part)| is(part, "text")).collect();
    let words: String = words.iter().filter_map(|(_, part)| part.text("text").map(|text| text.into_owned())).collect();
    if words.is_empty() {
        return;
    }
    let words = RawValue::from_string(crate::capture::compose::quoted(&words)).expect("a string is JSON");
    let mut draft = outlet.draft(Source::Id(&stored.id), Role::Summary);
    draft.time = time;
    draft.model = info.name("modelID");
    draft.usage = usage(&info.object("tokens"));
    outlet.compress(draft, &words, Vec::new(), None);
}

fn open(part: &Stored) -> Option<(Box<RawValue>, Members<'_>)> {
    let raw = RawValue::from_string(part.json.trim_ascii().to_owned()).ok()?;
    Some((raw, Members::parse(&part.json)?))
}

fn is(part: &Members<'_>, kind: &str) -> bool {
    part.text("type").is_some_and(|one| one == kind)
}

/// What the model did, call by call.
struct Answer<'o, 's, 'a> {
    outlet: &'o mut Outlet<'s>,
    info: &'a Members<'a>,
    time: Option<Time>,
    /// The id of the entry that is being put together: the message's own for its first.
    id: String,
    is_first: bool,
    blocks: Blocks,
    results: Vec<(String, Blocks, Option<Time>)>,
    events: Vec<&'a Stored>,
    usage: Option<Usage>,
    told: bool,
}

impl<'o, 's, 'a> Answer<'o, 's, 'a> {
    fn new(outlet: &'o mut Outlet<'s>, stored: &Stored, info: &'a Members<'a>, time: Option<Time>) -> Self {
        Answer {
            outlet,
            info,
            time,
            id: stored.id.clone(),
            is_first: true,
            blocks: Blocks::default(),
            results: Vec::new(),
            events: Vec::new(),
            usage: None,
            told: false,
        }
    }

    fn take(&mut self, stored: &'a Stored) {
        let Some((raw, part)) = open(stored) else { return self.outlet.broken() };
        let kind = part.name("type").unwrap_or_default();
        let goes_on = matches!(&*kind, "step-start" | "text" | "reasoning") && !self.results.is_empty();
        if goes_on && !(kind == "text" && part.text("text").is_none_or(|text| text.is_empty())) {
            self.end(false);
        }
        if self.blocks.is_empty() && !self.is_first && self.results.is_empty() {
            self.id.clone_from(&stored.id);
        }
        match &*kind {
            "text" => self.blocks.text(part.get("text")),
            "reasoning" => {
                let signature = part.object("metadata").object("anthropic").get("signature");
                self.blocks.thinking(part.get("text"), signature);
            }
            "tool" => self.tool(stored, &part),
            "file" if self.blocks.data_url(part.get("url")) => {}
            "file" => self.blocks.other("file", &raw),
            "step-finish" => {
                self.usage = usage(&part.object("tokens")).or(self.usage);
                self.told |= self.usage.is_some();
            }
            kind if NOISE.contains(&kind) => {}
            _ => self.events.push(stored),
        }
    }

    fn tool(&mut self, stored: &Stored, part: &Members<'_>) {
        let call = part.name("callID").unwrap_or_else(|| stored.id.clone());
        let state = part.object("state");
        self.blocks.call(&call, &part.name("tool").unwrap_or_default(), state.get("input"));
        let mut blocks = Blocks::default();
        match state.text("status").as_deref() {
            Some("completed") => {
                let mut pictures = Blocks::default();
                pictures.text(state.get("output"));
                for file in state.list("attachments") {
                    let url = Members::of(file);
                    if !pictures.data_url(url.and_then(|file| file.get("url"))) {
                        pictures.other("file", file);
                    }
                }
                blocks.quoted_result(&call, &pictures.json(), false);
                blocks.images = pictures.images;
            }
            Some("error") => blocks.result(&call, state.get("error"), true),
            // It is still running: there is no result yet.
            _ => {}
        }
        self.results.push((stored.id.clone(), blocks, state.object("time").time("end")));
    }

    /// Hands out a call of the model and what its tools answered. The message's own count of tokens is its last call's.
    fn end(&mut self, is_last: bool) {
        let mut usage = self.usage.take();
        if is_last && !self.told {
            usage = self::usage(&self.info.object("tokens"));
        }
        let blocks = std::mem::take(&mut self.blocks);
        if !blocks.is_empty() {
            let mut draft = self.outlet.draft(Source::Id(&self.id), Role::Assistant);
            draft.time = self.time;
            draft.model = self.info.name("modelID");
            draft.usage = usage;
            push(&mut draft, "provider", self.info.name("providerID").as_deref());
            self.outlet.say(draft, blocks);
            self.is_first = false;
        }
        for (id, blocks, time) in std::mem::take(&mut self.results) {
            let mut draft = self.outlet.draft(Source::Id(&format!("{id}:result")), Role::Tool);
            draft.time = time;
            self.outlet.say(draft, blocks);
        }
        for part in std::mem::take(&mut self.events) {
            self.outlet.event(Source::Id(&part.id), self.time, &part.json);
        }
    }
}

/// Reads a row of tokens. `input` is without the cached ones; whether `output` holds the reasoning, the total tells.
fn usage(row: &Members<'_>) -> Option<Usage> {
    let cache = row.object("cache");
    let (input, output, reasoning) = (row.count("input"), row.count("output"), row.count("reasoning"));
    let (read, write) = (cache.count("read"), cache.count("write"));
    let parts = [input, output, reasoning, read, write];
    let sum = parts.iter().flatten().fold(0u64, |sum, part| sum.saturating_add(*part));
    // A row of noughts is what a message begins with, before anything was counted.
    if sum == 0 {
        return None;
    }
    let is_apart = row.count("total") == Some(sum);
    let output = if is_apart { output.map(|output| output.saturating_add(reasoning.unwrap_or(0))) } else { output };
    Some(Usage { input, cache_read: read, cache_write: write, output, reasoning })
}

#[cfg(test)]
mod tests {
    use crate::capture::opencode::{is_record, read, sessions};
    use crate::capture::reader_tests::{Found, found};
    use std::path::Path;

    const USER: &str = r#"{"role":"user","time":{"created":1706459830000}}"#;
    const ASSISTANT: &str = r#"{"role":"assistant","time":{"created":1706459831000},"modelID":"gpt-5","providerID":"openai","tokens":{"input":9,"output":4,"reasoning":1,"total":14,"cache":{"read":0,"write":0}}}"#;
    const SUMMARY: &str = r#"{"role":"assistant","time":{"created":1706459832000},"summary":true,"modelID":"gpt-5"}"#;

    /// Message, part, JSON.
    const PARTS: [(&str, &str, &str); 10] = [
        ("m1", "p01", r#"{"type":"text","text":"Do"}"#),
        ("m1", "p02", r#"{"type":"file","mime":"image/png","url":"data:image/png;base64,QUJD"}"#),
        ("m2", "p03", r#"{"type":"step-start","snapshot":"x"}"#),
        ("m2", "p04", r#"{"type":"reasoning","text":"hm"}"#),
        (
            "m2",
            "p05",
            r#"{"type":"tool","tool":"edit","callID":"a","state":{"status":"completed","input":{"n":1.0},"output":"ok","time":{"start":1,"end":1706459833000}}}"#,
        ),
        (
            "m2",
            "p06",
            r#"{"type":"tool","tool":"run","callID":"b","state":{"status":"error","input":{},"error":"no"}}"#,
        ),
        (
            "m2",
            "p07",
            r#"{"type":"step-finish","tokens":{"input":10,"output":20,"reasoning":5,"cache":{"read":30,"write":0}}}"#,
        ),
        ("m2", "p08", r#"{"type":"patch","hash":"h","files":["f"]}"#),
        ("m2", "p09", r#"{"type":"text","text":"Done"}"#),
        ("m3", "p10", r#"{"type":"text","text":"So far"}"#),
    ];

    fn write(root: &Path, path: &str, json: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, json).expect("written");
    }

    fn storage(root: &Path, parts: usize) {
        for (id, json) in [("m1", USER), ("m2", ASSISTANT), ("m3", SUMMARY)] {
            write(root, &format!("message/s1/{id}.json"), json);
        }
        for (message, id, json) in &PARTS[..parts] {
            write(root, &format!("part/{message}/{id}.json"), json);
        }
        write(root, "message/s2/c1.json", USER);
        write(root, "part/c1/q1.json", r#"{"type":"text","text":"sub"}"#);
        write(
            root,
            "session/p/s1.json",
            r#"{"id":"s1","projectID":"p","directory":"/w","title":"T","time":{"created":1}}"#,
        );
        write(
            root,
            "session/p/s2.json",
            r#"{"id":"s2","projectID":"p","directory":"/w","parentID":"s1","time":{"created":2}}"#,
        );
    }

    fn check(found: &Found) {
        found.check();
        assert_eq!(found.steps(), "user assistant tool tool event assistant compress:0 s2/user");
        assert_eq!((found.facts.title.as_deref(), found.facts.cwd.as_deref()), (Some("T"), Some("/w")));
        assert!(found.text(1).contains(r#""input":{"n":1.0}"#) && found.text(1).contains(r#""thinking":"hm""#));
        assert!(found.text(3).contains(r#""content":"no","is_error":true"#));
        assert_eq!((found.text(5), found.text(6)), ("Done".to_owned(), "So far".to_owned()));
        let usage = found.messages[1].usage.expect("told");
        assert_eq!(
            (usage.input, usage.cache_read, usage.output, usage.reasoning),
            (Some(10), Some(30), Some(20), Some(5))
        );
        assert_eq!(found.messages[5].usage, None, "the message's own row is the last call's, which was told");
        assert_eq!(found.field(0, "image"), ["1"]);
        assert_eq!(found.field(5, "source"), ["opencode:p09"]);
    }

    #[test]
    fn a_folder_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        storage(root, PARTS.len());
        assert!(is_record(root, b"") && is_record(&root.join("message/s1"), b""));
        assert_eq!(sessions(root).expect("one"), ["s1"]);
        for path in ["", "s1", "message/s1", "session/p/s1.json"] {
            check(&found(&root.join(path), read).expect(path));
        }
        assert_eq!(found(&root.join("s2"), read).expect("by its name").steps(), "user");
        assert!(found(&root.join("s3"), read).is_err());
    }

    #[test]
    fn a_session_that_grew_keeps_its_ids() {
        let folder = tempfile::tempdir().expect("a folder");
        storage(folder.path(), PARTS.len());
        let ids = |found: &Found| found.messages.iter().map(|message| message.id).collect::<Vec<_>>();
        let whole = ids(&found(folder.path(), read).expect("read"));
        for parts in 0..PARTS.len() {
            let folder = tempfile::tempdir().expect("a folder");
            storage(folder.path(), parts);
            let before = ids(&found(folder.path(), read).expect("read"));
            let kept: Vec<_> = whole.iter().filter(|id| before.contains(id)).copied().collect();
            assert_eq!(kept, before, "with {parts} parts");
        }
    }

    #[test]
    fn broken_files_are_counted_and_links_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("storage");
        storage(&root, 1);
        write(&root, "part/m1/p00.json", "{\"type\":");
        write(&root, "part/m1/p99.json", "[]");
        write(&root, "message/s1/../x.json", USER);
        std::fs::write(root.join("part/m1/p98.json"), b"\xff").expect("written");
        write(folder.path(), "outside/o1.json", r#"{"type":"text","text":"secret"}"#);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path().join("outside"), root.join("part/m2")).expect("a link");
            let file = folder.path().join("outside/o1.json");
            std::os::unix::fs::symlink(file, root.join("part/m1/p97.json")).expect("a link");
        }
        let found = found(&root, read).expect("read");
        assert_eq!(found.facts.broken, 3);
        assert!(found.messages.iter().all(|message| !String::from_utf8_lossy(&message.body).contains("secret")));
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_database_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("opencode.db");
        let writer = rusqlite::Connection::open(&path).expect("a database");
        writer
            .execute_batch(
                "CREATE TABLE message (id TEXT, session_id TEXT, time_created INTEGER, data TEXT); \
                 CREATE TABLE part (id TEXT, message_id TEXT, session_id TEXT, time_created INTEGER, data TEXT); \
                 CREATE TABLE session (id TEXT, parent_id TEXT, directory TEXT, title TEXT, time_created INTEGER); \
                 INSERT INTO session VALUES ('s1', NULL, '/w', 'T', 1), ('s2', 's1', '/w', 'U', 2);",
            )
            .expect("tables");
        let message = |id: &str, session: &str, at: i64, json: &str| {
            let values = rusqlite::params![id, session, at, json];
            writer.execute("INSERT INTO message VALUES (?1, ?2, ?3, ?4)", values).expect("a message");
        };
        message("m1", "s1", 1, USER);
        message("m2", "s1", 2, ASSISTANT);
        message("m3", "s1", 3, SUMMARY);
        message("c1", "s2", 4, USER);
        let part = |message: &str, id: &str, session: &str, json: &str| {
            let values = rusqlite::params![id, message, session, json];
            writer.execute("INSERT INTO part VALUES (?1, ?2, ?3, 0, ?4)", values).expect("a part");
        };
        PARTS.iter().for_each(|(message, id, json)| part(message, id, "s1", json));
        part("c1", "q1", "s2", r#"{"type":"text","text":"sub"}"#);
        assert!(is_record(&path, &std::fs::read(&path).expect("there")));
        check(&found(&path, read).expect("read"));
        part("gone", "q2", "s1", "{}");
        assert_eq!(found(&path.join("s1"), read).expect("read").facts.broken, 1);
        let root = folder.path().join("storage");
        storage(&root, PARTS.len());
        let ids = |path: &Path| found(path, read).expect("read").messages.iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(&path), ids(&root), "the same session has the same ids in both");
    }
}
