//! ChatGPT's export: `conversations.json`, a list of conversations, or one of them by itself.
//!
//! A conversation is a tree of messages (`mapping`): an answer that was asked for again, or a prompt that was edited,
//! stands beside the first one. The first stays on its branch; each later one is a branch of its own, named after its
//! first entry, so that a conversation that grew has the same branches. The branch that is in use is the last one
//! switched to. What the model says to a recipient is a call of that tool, and what the tool says next its result;
//! tokens are not told. What is none of the model's context (recaps of reasoning, further messages of a tool) is
//! events.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::{read_text, stem};
use super::claude::json::{elements, text};
use super::compose::Blocks;
use super::members::Members;
use super::outlet::{Outlet, Source, push};
use super::selected::Selected;
use super::sniff::Sniff;
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::{EntryId, Role, Step};

/// Tells whether the first bytes of a file are those of an export.
pub fn is_record(_path: &Path, head: &[u8]) -> bool {
    let sniff = Sniff::of(head);
    let is_capture = sniff.has("polylogue_capture_kind")
        && memchr::memmem::find(sniff.get("session").unwrap_or_default(), b"\"chatgpt\"").is_some();
    let is_tree = sniff.begins("mapping", "{");
    is_capture || is_tree && ["current_node", "conversation_id", "create_time"].iter().any(|name| sniff.has(name))
}

/// Lists the ids of an export's conversations, in its order; one of them is read as `<export>/<id>`.
///
/// # Errors
/// When it cannot be read or is none.
pub fn sessions(path: &Path) -> Result<Vec<String>, CaptureError> {
    let text = read_text(Agent::Chatgpt, path)?;
    Ok(ids(&conversations(&text)?))
}

/// Reads a conversation.
///
/// # Errors
/// When it cannot be read or is none, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let selected = Selected::of(path);
    let text = read_text(Agent::Chatgpt, &selected.path)?;
    let conversations = conversations(&text)?;
    let id = selected.pick(Agent::Chatgpt, &ids(&conversations))?;
    let conversation = conversations.into_iter().find(|one| id.is_none() || id_of(one) == id);
    let mut outlet = Outlet::new(Agent::Chatgpt, id.unwrap_or_else(|| stem(&selected.path)), sink);
    if let Some(conversation) = conversation {
        outlet.facts.title = conversation.name("title");
        outlet.facts.started = conversation.time("create_time");
        let mut reader = Reader { outlet, branch: "main".to_owned(), current: None };
        reader.walk(&Tree::of(&conversation));
        outlet = reader.outlet;
    }
    outlet.finish()
}

/// Reads the conversations: a list, one by itself, or one in a capture of the page.
fn conversations(text: &str) -> Result<Vec<Members<'_>>, CaptureError> {
    let is_one = |members: &Members<'_>| members.get("mapping").is_some();
    let found = match Members::parse(text) {
        Some(one) if is_one(&one) => vec![one],
        Some(capture) => vec![capture.object("raw_provider_payload")],
        None => elements(text.trim_ascii()).unwrap_or_default().into_iter().filter_map(Members::of).collect(),
    };
    let found: Vec<_> = found.into_iter().filter(is_one).collect();
    if found.is_empty() {
        let reason = "no conversation with a 'mapping'".to_owned();
        return Err(CaptureError::Format { agent: Agent::Chatgpt, reason });
    }
    Ok(found)
}

fn id_of(conversation: &Members<'_>) -> Option<String> {
    conversation.name("conversation_id").or_else(|| conversation.name("id"))
}

fn ids(conversations: &[Members<'_>]) -> Vec<String> {
    conversations.iter().filter_map(id_of).collect()
}

/// The nodes of a conversation.
struct Tree<'a> {
    nodes: Vec<Members<'a>>,
    children: Vec<Vec<usize>>,
    roots: Vec<usize>,
    current: Option<usize>,
}

impl<'a> Tree<'a> {
    fn of(conversation: &Members<'a>) -> Self {
        let mapping = conversation.object("mapping");
        let names: Vec<&str> = mapping.iter().map(|(name, _)| name).collect();
        let places: HashMap<&str, usize> = names.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        let nodes: Vec<Members<'a>> = mapping.iter().map(|(_, raw)| Members::of(raw).unwrap_or_default()).collect();
        let parent = |node: &Members<'a>| places.get(&*node.text("parent")?).copied();
        let children = nodes.iter().enumerate().map(|(place, node)| {
            let listed =
                node.list("children").into_iter().filter_map(|child| places.get(&*text(Some(child))?).copied());
            listed.filter(|child| parent(&nodes[*child]) == Some(place)).collect()
        });
        let children = children.collect();
        let roots = (0..nodes.len()).filter(|place| parent(&nodes[*place]).is_none()).collect();
        let current = conversation.text("current_node").and_then(|name| places.get(&*name).copied());
        Tree { nodes, children, roots, current }
    }
}

/// A node that is to be visited.
#[derive(Clone)]
struct Visit {
    node: usize,
    /// The newest entry above it.
    after: Option<EntryId>,
    /// What comes from it starts a branch.
    forks: bool,
    /// The branch that it goes on from.
    branch: String,
    /// The call that waits for its result: its id and the tool.
    open: Option<(String, String)>,
}

struct Reader<'s> {
    outlet: Outlet<'s>,
    branch: String,
    current: Option<String>,
}

impl Reader<'_> {
    fn walk(&mut self, tree: &Tree<'_>) {
        let visit = |node, forks| Visit { node, after: None, forks, branch: "main".to_owned(), open: None };
        let mut stack: Vec<Visit> =
            tree.roots.iter().enumerate().map(|(nth, node)| visit(*node, nth > 0)).rev().collect();
        let mut seen = vec![false; tree.nodes.len()];
        while let Some(mut visit) = stack.pop() {
            if self.outlet.is_stopped() {
                return;
            }
            let node = visit.node;
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            if let Some(message) = tree.nodes[node].get("message") {
                self.say(message, &mut visit);
            }
            if tree.current == Some(node) {
                self.current = Some(visit.branch.clone());
            }
            for (nth, child) in tree.children[node].iter().enumerate().rev() {
                stack.push(Visit { node: *child, forks: visit.forks || nth > 0, ..visit.clone() });
            }
        }
        self.outlet.facts.broken += seen.iter().filter(|seen| !**seen).count() as u64;
        if let Some(branch) = self.current.take().filter(|branch| *branch != self.branch) {
            self.outlet.step(Step::Switch { branch });
        }
    }

    fn say(&mut self, raw: &RawValue, visit: &mut Visit) {
        let Some(message) = Members::of(raw) else { return self.outlet.broken() };
        let id = message.name("id");
        let source = match &id {
            Some(id) => Source::Id(id),
            None => Source::At(visit.node as u64, raw.get()),
        };
        let author = message.object("author");
        let content = message.object("content");
        let mut blocks = Blocks::default();
        let is_known = add(&mut blocks, &content);
        let role = match author.text("role").as_deref() {
            Some("system") => Role::System,
            Some("user") if content.text("content_type").is_some_and(|kind| kind == "user_editable_context") => {
                Role::System
            }
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("tool") => Role::Tool,
            _ => Role::Event,
        };
        if is_known && blocks.is_empty() {
            return;
        }
        let recipient = message.name("recipient").filter(|recipient| recipient != "all" && role == Role::Assistant);
        let open = visit.open.clone();
        let said = match (role, recipient) {
            _ if !is_known => None,
            (Role::Assistant, Some(tool)) => {
                let call = self.outlet.call_id(source, 0);
                let mut called = Blocks::default();
                let input = content.quoted("text").or_else(|| content.list("parts").first().copied());
                called.call(&call, &tool, input);
                visit.open = Some((call, tool));
                Some((Role::Assistant, called))
            }
            (Role::Tool, _) => {
                open.filter(|(_, tool)| author.text("name").is_none_or(|name| name == *tool)).map(|(call, _)| {
                    let mut answered = Blocks::default();
                    answered.quoted_result(&call, &blocks.json(), false);
                    answered.images = blocks.images;
                    visit.open = None;
                    (Role::Tool, answered)
                })
            }
            (Role::Event, _) => None,
            (role, _) => Some((role, blocks)),
        };
        let time = message.time("create_time");
        match said {
            Some((role, blocks)) => {
                let mut draft = self.outlet.draft(source, role);
                draft.time = time;
                let metadata = message.object("metadata");
                draft.model = metadata.name("model_slug").filter(|_| draft.role == Role::Assistant);
                if metadata.is_true("is_visually_hidden_from_conversation") {
                    push(&mut draft, "meta", Some("1"));
                }
                self.go(visit, draft.id);
                visit.after = self.outlet.say(draft, blocks);
            }
            None => {
                let mut event = self.outlet.draft(source, Role::Event);
                event.time = time;
                event.body = raw.get().as_bytes().to_vec();
                self.go(visit, event.id);
                visit.after = Some(self.outlet.append(event));
            }
        }
    }

    /// Goes to the branch that a message belongs to.
    fn go(&mut self, visit: &mut Visit, first: EntryId) {
        if std::mem::take(&mut visit.forks) {
            visit.branch = format!("rewind-{first}");
            self.branch.clone_from(&visit.branch);
            self.outlet.step(Step::Fork { branch: visit.branch.clone(), after: visit.after });
        } else if self.branch != visit.branch {
            self.branch.clone_from(&visit.branch);
            self.outlet.step(Step::Switch { branch: visit.branch.clone() });
        }
    }
}

/// Adds what a message says; false where its kind is none of a context's.
fn add(blocks: &mut Blocks, content: &Members<'_>) -> bool {
    match content.text("content_type").as_deref() {
        Some("text" | "multimodal_text") => content.list("parts").into_iter().for_each(|part| add_part(blocks, part)),
        Some("code" | "execution_output" | "tether_quote" | "system_error") => blocks.text(content.get("text")),
        Some("tether_browsing_display") => blocks.text(content.get("result")),
        Some("user_editable_context") => {
            blocks.text(content.get("user_profile"));
            blocks.text(content.get("user_instructions"));
        }
        Some("thoughts") => {
            for thought in content.list("thoughts") {
                blocks.thinking(Members::of(thought).and_then(|thought| thought.get("content")), None);
            }
            content.list("parts").into_iter().for_each(|part| blocks.thinking(Some(part), None));
        }
        _ => return false,
    }
    true
}

fn add_part(blocks: &mut Blocks, raw: &RawValue) {
    match Members::of(raw) {
        None => blocks.text(Some(raw)),
        Some(part) => match part.quoted("text") {
            Some(words) => blocks.text(Some(words)),
            None => blocks.other(&part.text("content_type").unwrap_or("part".into()), raw),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::reader_tests::{Sample, found, growth_keeps_ids};

    fn node(id: &str, parent: &str, children: &str, message: &str) -> String {
        let list: Vec<String> = children.split_whitespace().map(|child| format!("\"{child}\"")).collect();
        format!(r#""{id}":{{"id":"{id}","parent":{parent},"children":[{}],"message":{message}}}"#, list.join(","))
    }

    fn said(id: &str, role: &str, content: &str) -> String {
        format!(
            r#"{{"id":"m{id}","author":{{"role":"{role}"}},"create_time":1784164500.5,"content":{content},"metadata":{{"model_slug":"gpt-5"}},"recipient":"all"}}"#
        )
    }

    fn words(text: &str) -> String {
        format!(r#"{{"content_type":"text","parts":["{text}"]}}"#)
    }

    fn conversation(is_grown: bool) -> String {
        let call = r#"{"id":"m4","author":{"role":"assistant"},"content":{"content_type":"code","text":"{\"q\":1.0}"},"recipient":"browser"}"#;
        let result = r#"{"id":"m5","author":{"role":"tool","name":"browser"},"content":{"content_type":"execution_output","text":"x"}}"#;
        let mut nodes = vec![
            node("r", "null", "1", "null"),
            node("1", "\"r\"", "2", &said("1", "system", &words(""))),
            node("2", "\"1\"", if is_grown { "3 4" } else { "3" }, &said("2", "user", &words("Hi"))),
            node(
                "3",
                "\"2\"",
                "",
                &said("3", "assistant", r#"{"content_type":"thoughts","thoughts":[{"content":"hm"}]}"#),
            ),
        ];
        if is_grown {
            nodes.push(node("4", "\"2\"", "5", call));
            nodes.push(node("5", "\"4\"", "6", result));
            nodes.push(node(
                "6",
                "\"5\"",
                "7",
                &said("6", "assistant", r#"{"content_type":"reasoning_recap","content":"x"}"#),
            ));
            nodes.push(node("7", "\"6\"", "", &said("7", "assistant", r#"{"content_type":"multimodal_text","parts":["See",{"content_type":"image_asset_pointer","width":8}]}"#)));
        }
        let current = if is_grown { "7" } else { "3" };
        format!(
            r#"{{"conversation_id":"c1","title":"T","create_time":1784164500.0,"mapping":{{{}}},"current_node":"{current}"}}"#,
            nodes.join(",\n")
        )
    }

    #[test]
    fn a_conversation_is_read() {
        let sample = Sample::new("c.json", &conversation(true));
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("a conversation");
        found.check();
        let fork = format!("fork:rewind-{}", found.messages[2].id);
        assert_eq!(found.steps(), format!("user assistant {fork} assistant tool event assistant"));
        let Step::Fork { after, .. } = &found.routed[2].step else { panic!("a fork") };
        assert_eq!(*after, Some(found.messages[0].id));
        assert_eq!(
            (found.text(0), found.text(1)),
            ("Hi".to_owned(), r#"[{"type":"thinking","thinking":"hm"}]"#.to_owned())
        );
        assert!(found.text(2).contains(r#""name":"browser","input":{"q":1.0}"#));
        assert!(found.text(3).contains(r#""content":"x""#));
        assert!(found.text(5).contains(r#"{"type":"agent.image_asset_pointer","value":{"#));
        assert_eq!(found.facts.started.map(|time| time.millis), Some(1_784_164_500_000));
        assert_eq!((found.facts.model.as_deref(), found.facts.id.as_deref()), (Some("gpt-5"), Some("c1")));
    }

    #[test]
    fn an_export_holds_many() {
        let other = conversation(false).replace("\"c1\"", "\"c2\"").replace("\"id\":\"m", "\"id\":\"n");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("conversations.json");
        std::fs::write(&path, format!("[{},{other}]", conversation(true))).expect("written");
        assert_eq!(sessions(&path).expect("two"), ["c1", "c2"]);
        assert!(matches!(read(&path, &mut |_| ControlFlow::Continue(())), Err(CaptureError::Format { .. })));
        let one = found(&path.join("c2"), read).expect("the second");
        assert_eq!((one.facts.id.as_deref(), one.roles().as_str()), (Some("c2"), "user assistant"));
    }

    #[test]
    fn cuts_growth_and_circles() {
        let whole = Sample::new("c.json", &conversation(true));
        whole.survives_cuts(read, is_record);
        growth_keeps_ids(read, &Sample::new("c.json", &conversation(false)), &whole);
        let circle = format!(
            r#"{{"id":"c","mapping":{{{},{}}},"current_node":"a"}}"#,
            node("a", "\"b\"", "b", &said("1", "user", &words("x"))),
            node("b", "\"a\"", "a", "null")
        );
        assert_eq!(Sample::new("c.json", &circle).read(read).expect("read").facts.broken, 2);
    }
}
