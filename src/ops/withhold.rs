//! What capture leaves out: tools and paths that the user named, and everything while capture is paused.
//!
//! An entry whose words are withheld stays, with its role, its place and its calls' ids, so that calls and results remain
//! pairs and nothing that comes later hangs in the air.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Workspace;
use crate::codec::{Block, blocks, mask_tool_results};
use crate::model::{BodyKind, Message, Role};
use crate::store::matches_glob;

/// Bytes of a command or patch in which paths are looked for.
const SEARCHED: usize = 256 << 10;
const EXCLUDED: &str = "[withheld: trace.capture.exclude]";
const PAUSED: &str = "[withheld: capture was paused]";

/// Calls whose input stands where every call's input stands.
const KNOWN_CALLS: [&str; 4] = ["tool_use", "function", "function_call", "custom_tool_call"];
/// Entries that are remembered as withheld: only the newest can still grow.
const ENTRIES_MAX: usize = 256;

/// Remembers what was left out of a session, for what is still to come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Withheld {
    /// Calls whose results are to be left out, whenever they come.
    #[serde(default)]
    pub(super) calls: BTreeSet<String>,
    /// Entries that came in a pause: what is added to them stays out too.
    #[serde(default)]
    pub(super) entries: BTreeSet<String>,
}

impl Withheld {
    /// Tells whether there is nothing to remember.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.entries.is_empty()
    }
}

/// Says what is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Withhold {
    /// Patterns of tools' names.
    tools: Vec<String>,
    /// Patterns of paths.
    paths: Vec<String>,
    /// Whether capture is paused.
    all: bool,
}

impl Withhold {
    /// Reads `trace.capture.exclude` (`tool:<pattern>`, `path:<pattern>` or `<path pattern>`, any number of them), and
    /// whether capture is paused.
    pub(super) fn of(workspace: &Workspace) -> Self {
        let mut found = Withhold { all: workspace.is_paused(), ..Withhold::default() };
        for value in workspace.repo.config_all("trace.capture.exclude") {
            match value.split_once(':') {
                Some(("tool", pattern)) => found.tools.push(pattern.to_owned()),
                Some(("path", pattern)) => found.paths.push(pattern.to_owned()),
                _ => found.paths.push(value),
            }
        }
        found
    }

    /// Takes the words out of a message that are to be left out, and remembers in `held` what has to be left out because of
    /// that when it comes.
    pub(super) fn apply(&self, message: &mut Message, held: &mut Withheld) {
        let id = message.id.to_string();
        let calls = &mut held.calls;
        if self.all || held.entries.contains(&id) {
            let found = blocks(&message.body);
            calls.extend(found.iter().filter_map(|block| made(block)).map(Cow::into_owned));
            (message.kind, message.body) = skeleton(message.role.clone(), &found, PAUSED);
            // It may grow after the pause.
            held.entries.insert(id);
            while held.entries.len() > ENTRIES_MAX {
                held.entries.pop_first();
            }
            return;
        }
        if message.kind != BodyKind::Json || (self.tools.is_empty() && self.paths.is_empty() && calls.is_empty()) {
            return;
        }
        let text = String::from_utf8_lossy(&message.body);
        let is_event = !message.role.is_sent() && message.role != Role::Spawn;
        if is_event && (self.names_path(&text) || calls.iter().any(|call| text.contains(call.as_str()))) {
            (message.kind, message.body) = skeleton(message.role.clone(), &[], EXCLUDED);
            return;
        }
        let found = blocks(&message.body);
        // Calls whose input stands under names of their own: the whole message goes.
        let odd =
            found.iter().filter(|block| !KNOWN_CALLS.iter().any(|kind| block.is(kind)) && block.call_id.is_some());
        let odd: Vec<String> = odd.filter(|block| block.output.is_none()).filter_map(|b| text_of(b.call_id)).collect();
        if !odd.is_empty() && self.names_path(&text) {
            calls.extend(odd);
            (message.kind, message.body) = skeleton(message.role.clone(), &found, EXCLUDED);
            return;
        }
        let mut cuts: Vec<(usize, usize, &str)> = Vec::new();
        let start = message.body.as_ptr().addr();
        for block in blocks(&message.body) {
            let Some(call) = made(&block).filter(|_| self.leaves_out(&block)) else { continue };
            calls.insert(call.into_owned());
            for raw in inputs(&block) {
                let empty = if raw.get().starts_with('"') { "\"{}\"" } else { "{}" };
                cuts.push((raw.get().as_ptr().addr() - start, raw.get().len(), empty));
            }
        }
        cuts.sort_unstable();
        let mut body = Vec::with_capacity(message.body.len());
        let mut copied = 0;
        for (at, length, text) in cuts.into_iter() {
            if at >= copied {
                body.extend_from_slice(&message.body[copied..at]);
                body.extend_from_slice(text.as_bytes());
                copied = at + length;
            }
        }
        body.extend_from_slice(&message.body[copied..]);
        message.body = body;
        if !calls.is_empty() {
            let stub =
                &mut |result: &crate::codec::ToolResult<'_>| calls.contains(&*result.call).then(|| EXCLUDED.to_owned());
            message.body = mask_tool_results(&message.body, stub);
        }
    }

    /// Tells whether nothing at all is left out.
    pub(super) fn is_nothing(&self) -> bool {
        !self.all && self.tools.is_empty() && self.paths.is_empty()
    }

    /// Tells whether a file of the work tree is to be left out, by its path from the top.
    pub(super) fn is_path_left_out(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| is_path(pattern, path))
    }

    /// Tells whether the input and the result of a call are to be left out.
    fn leaves_out(&self, block: &Block<'_>) -> bool {
        let name = block.name.and_then(text).or_else(|| text(function(block)?.name?)).unwrap_or_default();
        if self.tools.iter().any(|pattern| matches_glob(pattern, &name)) {
            return true;
        }
        !self.paths.is_empty() && inputs(block).into_iter().any(|raw| self.names_path(raw.get()))
    }

    /// Tells whether a call's input names one of the paths: as a member, or as a word of a command or a patch.
    fn names_path(&self, input: &str) -> bool {
        let mut end = input.len().min(SEARCHED);
        while !input.is_char_boundary(end) {
            end -= 1;
        }
        // Words, whatever they stand in: what is escaped in JSON is no part of a usual path.
        let is_gap = |one: char| one.is_whitespace() || "\"'`,;|&<>(){}[]=\\@:%".contains(one);
        input[..end]
            .split(is_gap)
            .filter(|word| !word.is_empty())
            .any(|word| self.paths.iter().any(|pattern| is_path(pattern, word.trim_start_matches("./"))))
    }
}

/// Tells whether a pattern means a path, much as in `.gitignore`: without a slash it means any part of it, with one the
/// path or its end, and what is below. `*` means slashes too, and there is no `!`.
fn is_path(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_end_matches('/');
    if !pattern.contains('/') {
        return path.split('/').any(|part| matches_glob(pattern, part));
    }
    let pattern = pattern.trim_start_matches('/');
    let means = |pattern: &str| {
        [pattern.to_owned(), format!("*/{pattern}"), format!("{pattern}/*"), format!("*/{pattern}/*")]
            .iter()
            .any(|pattern| matches_glob(pattern, path))
    };
    means(pattern) || (pattern.contains("**/") && means(&pattern.replace("**/", "")))
}

/// Returns the id of the call that a block makes.
fn made<'a>(block: &Block<'a>) -> Option<Cow<'a, str>> {
    if block.is("tool_use") || block.is("function") {
        return text(block.id?);
    }
    let kinds = ["function_call", "custom_tool_call", "local_shell_call"];
    kinds.iter().any(|kind| block.is(kind)).then(|| text(block.call_id?))?
}

fn function<'a>(block: &Block<'a>) -> Option<Block<'a>> {
    Block::read(block.function?.get())
}

/// Returns what a call is made with.
fn inputs<'a>(block: &Block<'a>) -> Vec<&'a RawValue> {
    let inner = function(block).and_then(|function| function.arguments);
    [block.input, block.arguments, inner].into_iter().flatten().collect()
}

/// Makes a body that says nothing and makes the same calls and brings the same results.
fn skeleton(role: Role, found: &[Block<'_>], why: &str) -> (BodyKind, Vec<u8>) {
    let json = |text: &str| serde_json::to_string(text).expect("a text is JSON");
    let raw = |raw: Option<&RawValue>| raw.map_or("null", RawValue::get).to_owned();
    let mut parts = Vec::new();
    for block in found {
        if block.is("tool_use") {
            parts.push(format!(
                r#"{{"type":"tool_use","id":{},"name":{},"input":{{}}}}"#,
                raw(block.id),
                raw(block.name)
            ));
        } else if block.is("tool_result") {
            let (call, said) = (raw(block.tool_use_id), json(why));
            parts.push(format!(r#"{{"type":"tool_result","tool_use_id":{call},"content":{said}}}"#));
        } else if block.is("function_call") {
            let (call, name) = (raw(block.call_id), raw(block.name));
            parts.push(format!(r#"{{"type":"function_call","call_id":{call},"name":{name},"arguments":"{{}}"}}"#));
        } else if block.is("local_shell_call") {
            let call = raw(block.call_id);
            parts.push(format!(
                r#"{{"type":"function_call","call_id":{call},"name":"local_shell","arguments":"{{}}"}}"#
            ));
        } else if block.is("local_shell_call_output") {
            let (call, said) = (raw(block.call_id), json(why));
            parts.push(format!(r#"{{"type":"function_call_output","call_id":{call},"output":{said}}}"#));
        } else if block.is("custom_tool_call") {
            let (call, name) = (raw(block.call_id), raw(block.name));
            parts.push(format!(r#"{{"type":"custom_tool_call","call_id":{call},"name":{name},"input":""}}"#));
        } else if block.is("function_call_output") || block.is("custom_tool_call_output") {
            let (kind, call, said) = (raw(block.kind), raw(block.call_id), json(why));
            parts.push(format!(r#"{{"type":{kind},"call_id":{call},"output":{said}}}"#));
        } else if block.is("function") {
            let name = raw(function(block).and_then(|function| function.name));
            let call = raw(block.id);
            parts.push(format!(r#"{{"type":"tool_use","id":{call},"name":{name},"input":{{}}}}"#));
        } else if block.kind.is_none() && block.tool_call_id.is_some() {
            let (call, said) = (raw(block.tool_call_id), json(why));
            parts.push(format!(r#"{{"type":"tool_result","tool_use_id":{call},"content":{said}}}"#));
        }
    }
    match (parts.is_empty(), role.is_sent()) {
        (true, true) => (BodyKind::Text, why.as_bytes().to_vec()),
        (true, false) => (BodyKind::Json, format!(r#"{{"withheld":{}}}"#, json(why)).into_bytes()),
        (false, _) => (BodyKind::Json, format!("[{}]", parts.join(",")).into_bytes()),
    }
}

fn text_of(raw: Option<&RawValue>) -> Option<String> {
    Some(text(raw?)?.into_owned())
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str(raw.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::tool_ids;
    use crate::model::EntryId;

    fn message(role: Role, kind: BodyKind, body: &str) -> Message {
        let body = body.as_bytes().to_vec();
        let id = EntryId::from_bits(1);
        Message { id, role, kind, body, time: None, model: None, usage: None, fields: Vec::new(), meta: None }
    }

    fn withheld(policy: &Withhold, body: &str, calls: &mut Withheld) -> String {
        let mut message = message(Role::Assistant, BodyKind::Json, body);
        policy.apply(&mut message, calls);
        String::from_utf8(message.body).expect("text")
    }

    #[test]
    fn named_tools_and_paths_lose_their_input_and_their_result() {
        let policy =
            Withhold { tools: vec!["Web*".into()], paths: vec![".env".into(), "secrets/*".into()], all: false };
        let mut calls = Withheld::default();
        let body = r#"[{"type":"text","text":"look"},{"type":"tool_use","id":"a","name":"Read","input":{"file_path":"/w/.env"}},
            {"type":"tool_use","id":"b","name":"Bash","input":{"command":"cat secrets/key.pem | wc"}},
            {"type":"tool_use","id":"c","name":"WebFetch","input":{"url":"x"}},{"type":"tool_use","id":"d","name":"Read","input":{"file_path":"/w/a.rs"}}]"#;
        let left = withheld(&policy, body, &mut calls);
        assert!(!left.contains(".env") && !left.contains("key.pem") && !left.contains("url"), "{left}");
        assert!(left.contains("a.rs") && left.contains("look"));
        assert_eq!(tool_ids(left.as_bytes()).calls, ["a", "b", "c", "d"]);
        let results = r#"[{"type":"tool_result","tool_use_id":"a","content":"KEY=1"},{"type":"tool_result","tool_use_id":"d","content":"fn"}]"#;
        let left = withheld(&policy, results, &mut calls);
        assert!(!left.contains("KEY") && left.contains("\"fn\"") && left.contains(EXCLUDED), "{left}");
        // However often it comes.
        assert_eq!(withheld(&policy, results, &mut calls), left);
        assert_eq!(calls.calls.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
        let mut calls = Withheld::default();
        let shell = r#"{"type":"local_shell_call","call_id":"s","action":{"command":["cat",".env"]}}"#;
        let left = withheld(&policy, shell, &mut calls);
        assert!(!left.contains(".env") && tool_ids(left.as_bytes()).calls == ["s"], "{left}");
    }

    #[test]
    fn openai_calls_are_known_too() {
        let policy = Withhold { tools: vec![], paths: vec![".env".into()], all: false };
        let mut calls = Withheld::default();
        let body =
            r#"{"type":"function_call","call_id":"f","name":"shell","arguments":"{\"cmd\":[\"cat\",\".env\"]}"}"#;
        assert!(withheld(&policy, body, &mut calls).contains(r#""arguments":"{}""#));
        let chat = r#"{"role":"assistant","tool_calls":[{"id":"g","type":"function","function":{"name":"r","arguments":"{\"p\":\".env\"}"}}]}"#;
        assert!(!withheld(&policy, chat, &mut calls).contains(".env"));
        assert_eq!(calls.calls.len(), 2);
    }

    #[test]
    fn while_capture_is_paused_nothing_is_said_and_pairs_stay_pairs() {
        let policy = Withhold { all: true, ..Withhold::default() };
        let mut calls = Withheld::default();
        let body = r#"[{"type":"thinking","thinking":"deep","signature":"s"},{"type":"tool_use","id":"a","name":"Read","input":{"p":"x"}}]"#;
        let left = withheld(&policy, body, &mut calls);
        assert_eq!(left, r#"[{"type":"tool_use","id":"a","name":"Read","input":{}}]"#);
        // What grows after the pause stays out.
        let over = Withhold { paths: vec!["x".into()], ..Withhold::default() };
        assert_eq!(withheld(&over, r#"[{"type":"text","text":"more words"}]"#, &mut calls), PAUSED);
        for (role, kind, body) in [
            (Role::User, BodyKind::Text, "my words"),
            (Role::Assistant, BodyKind::Json, r#"[{"type":"text","text":"my words"}]"#),
            (Role::Event, BodyKind::Json, r#"{"a":"my words"}"#),
        ] {
            let mut message = message(role, kind, body);
            policy.apply(&mut message, &mut calls);
            assert!(!String::from_utf8_lossy(&message.body).contains("my words"));
        }
    }

    #[test]
    fn patterns_mean_what_they_mean_in_gitignore() {
        for (pattern, path, means) in [
            (".env", "/w/.env", true),
            (".env", "/w/.envrc", false),
            ("*.pem", "a/b.pem", true),
            ("secrets/*", "/w/secrets/a/b", true),
            ("secrets/*", "/w/my-secrets", false),
            ("/a/b", "a/b", true),
            ("secrets/", "/w/secrets/a", true),
            ("a/secrets/", "a/secrets/b", true),
            ("src/**/key.txt", "src/key.txt", true),
        ] {
            assert_eq!(is_path(pattern, path), means, "{pattern} {path}");
        }
    }
}
