//! Pi's sessions: JSONL files under `~/.pi/agent/sessions/`, which grow by lines.
//!
//! Entries form a tree: each names its parent, and a session goes on from any of them. What goes on from a message that
//! others follow is a branch; entries that are no messages make none. `compaction` takes the place of what stood before
//! the first entry that it keeps. What extensions put into the context is said by the user; what they keep for
//! themselves, and changes of settings, are events. A shell command of the user's is one too unless the model saw it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::{Line, each_line, stem};
use super::compose::Blocks;
use super::members::Members;
use super::outlet::{Outlet, Source, push};
use super::sniff::Sniff;
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::{EntryId, Message, Role, Step, Usage};

/// Compactions keep no more entries than this altogether: a file that says so was not written by Pi.
const KEPT: usize = 10_000_000;

/// Tells whether the first bytes of a file are those of a session.
pub fn is_record(_path: &Path, head: &[u8]) -> bool {
    let sniff = Sniff::of(head);
    sniff.is("type", "session") && sniff.has("id") && (sniff.has("cwd") || sniff.has("version"))
}

/// Reads a session.
///
/// # Errors
/// When it cannot be read, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let mut reader = Reader {
        outlet: Outlet::new(Agent::Pi, stem(path), sink),
        nodes: Vec::new(),
        places: HashMap::new(),
        tips: vec![("main".to_owned(), None)],
        ends: HashMap::new(),
        branch: 0,
        kept: 0,
    };
    each_line(path, &mut |line| {
        reader.take(line);
        reader.outlet.flow()
    })?;
    reader.outlet.finish()
}

/// An entry of the tree.
struct Node {
    parent: Option<usize>,
    /// What it was handed out as, where it is part of the context.
    entry: Option<EntryId>,
    /// The nearest message at or above it.
    message: Option<usize>,
}

struct Reader<'s> {
    outlet: Outlet<'s>,
    nodes: Vec<Node>,
    places: HashMap<String, usize>,
    /// Each branch, and its newest message.
    tips: Vec<(String, Option<usize>)>,
    /// The branch whose newest message it is.
    ends: HashMap<usize, usize>,
    branch: usize,
    /// Number of entries that compactions kept so far.
    kept: usize,
}

impl Reader<'_> {
    fn take(&mut self, line: Line<'_>) {
        let Some((text, entry)) = line.object() else {
            return self.outlet.broken();
        };
        let kind = entry.text("type").unwrap_or_default();
        if kind == "session" {
            return self.header(&entry);
        }
        let id = entry.name("id");
        let source = match &id {
            Some(id) => Source::Local(id),
            None => Source::At(line.number, text),
        };
        let parent = match (entry.name("parentId"), &id) {
            (Some(parent), _) => self.places.get(&parent).copied(),
            // The first version of the format had no tree.
            (None, None) => self.nodes.len().checked_sub(1),
            (None, Some(_)) => None,
        };
        let message = parent.and_then(|parent| self.nodes[parent].message);
        self.nodes.push(Node { parent, entry: None, message });
        let node = self.nodes.len() - 1;
        if let Some(id) = &id {
            self.places.entry(id.clone()).or_insert(node);
        }
        let draft = match &*kind {
            "message" => self.message(&entry, source),
            "compaction" => return self.compaction(&entry, source, node, text),
            "branch_summary" => self.plain(source, Role::Summary, entry.get("summary")),
            "custom_message" => self.custom(&entry, source),
            "session_info" => {
                self.outlet.facts.title = entry.name("name");
                None
            }
            _ => None,
        };
        match draft.filter(|(_, blocks)| !blocks.is_empty()) {
            Some((mut draft, blocks)) => {
                draft.time = entry.time("timestamp").or_else(|| entry.object("message").time("timestamp"));
                self.go(node);
                self.nodes[node].entry = self.outlet.say(draft, blocks);
                self.settle(node);
            }
            None => self.outlet.event(source, entry.time("timestamp"), text),
        }
    }

    fn header(&mut self, header: &Members<'_>) {
        self.outlet.set_id(header.name("id"));
        self.outlet.facts.cwd = header.name("cwd");
        self.outlet.facts.started = header.time("timestamp");
        self.outlet.facts.parent = header.name("parentSession");
    }

    /// Goes to the branch that a message belongs to, given what it follows.
    fn go(&mut self, node: usize) {
        let after = self.nodes[node].message;
        if self.tips[self.branch].1 == after {
            return;
        }
        if let Some(branch) = after.and_then(|after| self.ends.get(&after).copied()) {
            self.branch = branch;
            return self.outlet.step(Step::Switch { branch: self.tips[branch].0.clone() });
        }
        let branch = format!("rewind-{}", self.tips.len());
        self.tips.push((branch.clone(), after));
        self.branch = self.tips.len() - 1;
        let after = after.and_then(|after| self.nodes[after].entry);
        self.outlet.step(Step::Fork { branch, after });
    }

    /// Takes down that a message was handed out.
    fn settle(&mut self, node: usize) {
        self.nodes[node].message = Some(node);
        if let Some(before) = self.tips[self.branch].1.replace(node)
            && self.ends.get(&before) == Some(&self.branch)
        {
            self.ends.remove(&before);
        }
        self.ends.insert(node, self.branch);
    }

    fn compaction(&mut self, entry: &Members<'_>, source: Source<'_>, node: usize, text: &str) {
        let time = entry.time("timestamp");
        let Some(words) = entry.quoted("summary") else { return self.outlet.event(source, time, text) };
        let first = entry.name("firstKeptEntryId").and_then(|id| self.places.get(&id).copied());
        let mut kept = Vec::new();
        let mut at = self.nodes[node].parent.filter(|_| first.is_some() && self.kept < KEPT);
        while let Some(place) = at {
            kept.extend(self.nodes[place].entry);
            at = self.nodes[place].parent.filter(|_| Some(place) != first);
            if at.is_none() && Some(place) != first {
                // What is to be kept does not stand above: then nothing is.
                kept.clear();
            }
        }
        kept.reverse();
        self.kept += kept.len();
        self.go(node);
        let mut summary = self.outlet.draft(source, Role::Summary);
        summary.time = time;
        self.nodes[node].entry = Some(summary.id);
        self.outlet.compress(summary, words, kept, entry.count("tokensBefore"));
        self.settle(node);
    }

    fn plain(&mut self, source: Source<'_>, role: Role, words: Option<&RawValue>) -> Option<(Message, Blocks)> {
        let mut blocks = Blocks::default();
        blocks.text(words);
        (!blocks.is_empty()).then(|| (self.outlet.draft(source, role), blocks))
    }

    fn custom(&mut self, message: &Members<'_>, source: Source<'_>) -> Option<(Message, Blocks)> {
        let blocks = content(message);
        if blocks.is_empty() {
            return None;
        }
        let mut draft = self.outlet.draft(source, Role::User);
        push(&mut draft, "meta", Some("1"));
        Some((draft, blocks))
    }

    fn message(&mut self, entry: &Members<'_>, source: Source<'_>) -> Option<(Message, Blocks)> {
        let message = entry.object("message");
        match message.text("role").as_deref()? {
            "user" => {
                let blocks = content(&message);
                (!blocks.is_empty()).then(|| (self.outlet.draft(source, Role::User), blocks))
            }
            "assistant" => {
                let blocks = content(&message);
                if blocks.is_empty() {
                    return None;
                }
                let mut draft = self.outlet.draft(source, Role::Assistant);
                draft.model = message.name("model");
                draft.usage = usage(&message.object("usage"));
                Some((draft, blocks))
            }
            "toolResult" => {
                let mut blocks = Blocks::default();
                let call = message.name("toolCallId")?;
                let mut inner = content(&message);
                blocks.quoted_result(&call, &inner.json(), message.is_true("isError"));
                blocks.images = inner.images;
                Some((self.outlet.draft(source, Role::Tool), blocks))
            }
            "bashExecution" if !message.is_true("excludeFromContext") => {
                let mut blocks = Blocks::default();
                blocks.text(message.get("command"));
                blocks.text(message.get("output"));
                let mut draft = self.outlet.draft(source, Role::User);
                push(&mut draft, "meta", Some("1"));
                push(&mut draft, "exit", message.get("exitCode").map(RawValue::get));
                Some((draft, blocks))
            }
            "custom" => self.custom(&message, source),
            "branchSummary" | "compactionSummary" => self.plain(source, Role::Summary, message.get("summary")),
            _ => None,
        }
    }
}

fn content(message: &Members<'_>) -> Blocks {
    let mut blocks = Blocks::default();
    let is_anthropic = message.text("provider").is_none_or(|provider| provider == "anthropic");
    match message.get("content") {
        Some(content) if content.get().starts_with('[') => {
            for raw in message.list("content") {
                add(&mut blocks, raw, is_anthropic);
            }
        }
        content => blocks.text(content),
    }
    blocks
}

fn add(blocks: &mut Blocks, raw: &RawValue, is_anthropic: bool) {
    let block = Members::of(raw).unwrap_or_default();
    match block.text("type").as_deref() {
        Some("thinking") if block.quoted("thinking").is_some() => {
            blocks.thinking(block.get("thinking"), block.get("thinkingSignature").filter(|_| is_anthropic));
        }
        Some("toolCall") => match (block.name("id"), block.name("name")) {
            (Some(id), Some(name)) => blocks.call(&id, &name, block.get("arguments")),
            _ => blocks.other("toolCall", raw),
        },
        Some("image") => match (block.name("mimeType"), block.quoted("data")) {
            (Some(media), Some(data)) => blocks.image(&media, data.get()),
            _ => blocks.content(raw),
        },
        Some("text") if block.quoted("text").is_some() => blocks.text(block.get("text")),
        _ => blocks.content(raw),
    }
}

/// Reads a row of usage; one of noughts only says that the call failed before it was counted.
fn usage(row: &Members<'_>) -> Option<Usage> {
    let usage = row.usage(["input", "cacheRead", "cacheWrite", "output", "reasoning"]);
    usage.filter(|usage| usage.context().unwrap_or(0) > 0 || usage.output.unwrap_or(0) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::reader_tests::{Sample, lines_hold};

    const LINES: &str = r#"{"type":"session","version":3,"id":"p1","timestamp":"2026-03-31T10:00:00.000Z","cwd":"/w"}
{"type":"model_change","id":"e1","parentId":null,"timestamp":"2026-03-31T10:00:00.500Z","modelId":"m"}
{"type":"message","id":"e2","parentId":"e1","timestamp":"2026-03-31T10:00:01.000Z","message":{"role":"user","content":"Do"}}
{"type":"message","id":"e3","parentId":"e2","timestamp":"2026-03-31T10:00:02.000Z","message":{"role":"assistant","provider":"anthropic","model":"claude","content":[{"type":"thinking","thinking":"hm","thinkingSignature":"s"},{"type":"toolCall","id":"a","name":"edit","arguments":{"n":1.0}}],"usage":{"input":2,"output":3,"cacheRead":4,"cacheWrite":0}}}
{"type":"message","id":"e4","parentId":"e3","message":{"role":"toolResult","toolCallId":"a","toolName":"edit","content":[{"type":"text","text":"ok"}],"isError":true}}
{"type":"message","id":"e5","parentId":"e4","message":{"role":"bashExecution","command":"ls","output":"x","exitCode":0}}
{"type":"message","id":"e6","parentId":"e2","message":{"role":"assistant","content":[{"type":"text","text":"other"}],"stopReason":"stop"}}
{"type":"label","id":"e7","parentId":"e6","targetId":"e2","label":"here"}
{"type":"message","id":"e8","parentId":"e7","message":{"role":"user","content":"on"}}
{"type":"compaction","id":"e9","parentId":"e8","summary":"So far","firstKeptEntryId":"e6","tokensBefore":50000}
{"type":"custom_message","id":"f1","parentId":"e9","customType":"x","content":"injected","display":true}
{"type":"message","id":"f2","parentId":"e5","message":{"role":"user","content":"back"}}
{"type":"session_info","id":"f3","parentId":"f2","name":"A name"}
"#;

    #[test]
    fn a_session_is_read() {
        let sample = Sample::new("p.jsonl", LINES);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("a session");
        found.check();
        let steps =
            "event user assistant tool user fork:rewind-1 assistant event user compress:2 user switch:main user event";
        assert_eq!(found.steps(), steps);
        let facts = &found.facts;
        assert_eq!((facts.id.as_deref(), facts.title.as_deref()), (Some("p1"), Some("A name")));
        assert_eq!((facts.tool_calls, facts.tool_results), (1, 1));
        let usage = found.messages[2].usage.expect("told");
        assert_eq!((usage.input, usage.cache_read, usage.cache_write), (Some(2), Some(4), Some(0)));
        assert!(found.text(2).contains(r#""signature":"s""#) && found.text(2).contains(r#""input":{"n":1.0}"#));
        assert_eq!(found.text(3), r#"[{"type":"tool_result","tool_use_id":"a","content":"ok","is_error":true}]"#);
        let Step::Fork { after, .. } = &found.routed[5].step else { panic!("a fork") };
        assert_eq!(*after, Some(found.messages[1].id));
        let Step::Compress { kept, facts, .. } = &found.routed[9].step else { panic!("a compaction") };
        assert_eq!(kept[..], [found.messages[5].id, found.messages[7].id]);
        assert_eq!(facts[..], [("Reported-Tokens".to_owned(), "50000".to_owned())]);
    }

    #[test]
    fn cuts_and_growth() {
        lines_hold(read, is_record, "p.jsonl", LINES);
    }

    #[test]
    fn parents_that_lead_nowhere_do_no_harm() {
        let lines = r#"{"type":"session","id":"p","cwd":"/"}
{"type":"message","id":"a","parentId":"a","message":{"role":"user","content":"1"}}
{"type":"message","id":"b","parentId":"none","message":{"role":"user","content":"2"}}
{"type":"message","id":"b","parentId":"b","message":{"role":"user","content":"3"}}
{"type":"compaction","id":"c","parentId":"c","summary":"s","firstKeptEntryId":"zz"}
"#;
        Sample::new("p.jsonl", lines).read(read).expect("read").check();
    }
}
