//! Chat sessions as VS Code logs them: a state, then changes to it (its `objectMutationLog`).
//!
//! A line is `{"kind":0,"v":state}`, `{"kind":1,"k":path,"v":value}` (set), `{"kind":2,"k":path,"v":[…],"i":n}` (cut the
//! list to `n` elements where that is given, then append), or `{"kind":3,"k":path}` (delete). A change whose place does
//! not exist is counted as broken. Values that no change enters stay in their own bytes.

use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::chat;
use crate::capture::bounded::{FILE_BYTES, each_line, stem};
use crate::capture::claude::json::{elements, text};
use crate::capture::compose::quoted;
use crate::capture::members::Members;
use crate::capture::outlet::Outlet;
use crate::capture::{Agent, CaptureError, Routed, SessionFacts};

/// Changes reach no deeper than this.
const PATH: usize = 32;

/// Reads a logged session.
pub(super) fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let mut state = None;
    let (mut broken, mut bytes) = (0, 0);
    each_line(path, &mut |line| {
        bytes += line.text.map_or(0, str::len) as u64;
        let is_done = line.text.and_then(Members::parse).and_then(|change| apply(&mut state, &change));
        broken += u64::from(is_done.is_none());
        if bytes > FILE_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if bytes > FILE_BYTES {
        return Err(CaptureError::TooLarge { max: FILE_BYTES });
    }
    let mut session = String::new();
    state.unwrap_or(Node::Object(Vec::new())).write(&mut session);
    let mut outlet = Outlet::new(Agent::Copilot, stem(path), sink);
    outlet.facts.broken = broken;
    chat::say_all(&session, outlet)
}

/// A value, opened as far as changes went into it.
enum Node {
    Raw(Box<RawValue>),
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
}

/// Carries a change out; `None` where it cannot be.
fn apply(state: &mut Option<Node>, change: &Members<'_>) -> Option<()> {
    let value = || change.get("v").map(|value| Node::Raw(value.to_owned()));
    let kind = change.count("kind")?;
    if kind == 0 {
        *state = Some(value()?);
        return Some(());
    }
    let path = change.list("k");
    if path.len() > PATH {
        return None;
    }
    let state = state.as_mut()?;
    if kind == 2 {
        let list = path.iter().try_fold(state, |node, step| node.child(step))?.list()?;
        if let Some(length) = change.count("i") {
            list.truncate(usize::try_from(length).ok()?);
        }
        list.extend(change.list("v").into_iter().map(|value| Node::Raw(value.to_owned())));
        return Some(());
    }
    let (last, way) = path.split_last()?;
    let parent = way.iter().try_fold(state, |node, step| node.child(step))?;
    match (kind, text(Some(last))) {
        (1, Some(name)) => {
            let members = parent.object()?;
            // A value that is no JSON (`undefined`) is not written: it deletes.
            members.retain(|(one, _)| *one != name);
            members.extend(value().map(|value| (name.into_owned(), value)));
        }
        (1, None) => {
            let place: usize = last.get().parse().ok()?;
            let list = parent.list()?;
            match place.cmp(&list.len()) {
                Ordering::Less => list[place] = value()?,
                Ordering::Equal => list.push(value()?),
                Ordering::Greater => return None,
            }
        }
        (3, Some(name)) => parent.object()?.retain(|(one, _)| *one != name),
        _ => return None,
    }
    Some(())
}

impl Node {
    /// Opens an object.
    fn object(&mut self) -> Option<&mut Vec<(String, Node)>> {
        if let Node::Raw(raw) = self {
            let members = Members::of(raw)?;
            let members = members.iter().map(|(name, value)| (name.to_owned(), Node::Raw(value.to_owned())));
            *self = Node::Object(members.collect());
        }
        match self {
            Node::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Opens a list.
    fn list(&mut self) -> Option<&mut Vec<Node>> {
        if let Node::Raw(raw) = self {
            let list = elements(raw.get())?;
            *self = Node::List(list.into_iter().map(|value| Node::Raw(value.to_owned())).collect());
        }
        match self {
            Node::List(list) => Some(list),
            _ => None,
        }
    }

    /// Goes one step of a path.
    fn child(&mut self, step: &RawValue) -> Option<&mut Node> {
        match text(Some(step)) {
            Some(name) => self.object()?.iter_mut().rev().find(|(one, _)| *one == name).map(|(_, value)| value),
            None => self.list()?.get_mut(step.get().parse::<usize>().ok()?),
        }
    }

    /// Writes the value; it is no deeper than a path is long.
    fn write(&self, out: &mut String) {
        match self {
            Node::Raw(raw) => out.push_str(raw.get()),
            Node::Object(members) => {
                out.push('{');
                for (nth, (name, value)) in members.iter().enumerate() {
                    out.push_str(if nth > 0 { "," } else { "" });
                    out.push_str(&quoted(name));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
            Node::List(list) => {
                out.push('[');
                for (nth, value) in list.iter().enumerate() {
                    out.push_str(if nth > 0 { "," } else { "" });
                    value.write(out);
                }
                out.push(']');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::capture::copilot::is_record;
    use crate::capture::reader_tests::{Sample, growth_keeps_ids};

    const LOG: &str = r#"{"kind":0,"v":{"version":3,"sessionId":"v1","requests":[],"inputState":{"inputText":""}}}
{"kind":2,"k":["requests"],"v":[{"requestId":"r1","message":{"text":"Hi"},"response":[]}]}
{"kind":2,"k":["requests",0,"response"],"v":[{"value":"He"}]}
{"kind":2,"k":["requests",0,"response"],"v":[{"value":"Hello"}],"i":0}
{"kind":1,"k":["requests",0,"result"],"v":{"usage":{"promptTokens":5}}}
{"kind":1,"k":["inputState","inputText"],"v":"x"}
{"kind":3,"k":["inputState","inputText"]}
{"kind":1,"k":["customTitle"],"v":"T"}
{"kind":2,"k":["requests"],"v":[{"requestId":"r2","message":{"text":"wrong"}}]}
{"kind":2,"k":["requests"],"v":[{"requestId":"r3","message":{"text":"right"}}],"i":1}
"#;

    #[test]
    fn changes_are_carried_out() {
        let sample = Sample::new("v1.jsonl", LOG);
        assert!(sample.is_of(is_record));
        let found = sample.read(crate::capture::copilot::read).expect("a session");
        found.check();
        assert_eq!(found.roles(), "user assistant user");
        assert_eq!((found.text(0), found.text(1), found.text(2)), ("Hi".into(), "Hello".into(), "right".into()));
        assert_eq!((found.facts.title.as_deref(), found.facts.broken), (Some("T"), 0));
        assert_eq!(found.messages[1].usage.and_then(|usage| usage.input), Some(5));
    }

    #[test]
    fn cuts_growth_and_changes_that_lead_nowhere() {
        let whole = Sample::new("v1.jsonl", LOG);
        whole.survives_cuts(crate::capture::copilot::read, is_record);
        for (end, _) in LOG.match_indices('\n').take(8) {
            growth_keeps_ids(crate::capture::copilot::read, &Sample::new("v1.jsonl", &LOG[..=end]), &whole);
        }
        let wrong = [
            r#"{"kind":1,"k":["a","b"],"v":1}"#,
            r#"{"kind":2,"k":["inputState"],"v":[]}"#,
            r#"{"kind":1,"k":[],"v":1}"#,
            r#"{"kind":1,"k":["requests",9],"v":{}}"#,
            r#"{"kind":9,"k":["a"]}"#,
            "{}",
            "[",
            r#"{"kind":3,"k":["requests",0]}"#,
        ];
        let first = LOG.split_inclusive('\n').next().expect("a line");
        let sample = Sample::new("v1.jsonl", &format!("{first}{}\n", wrong.join("\n")));
        assert_eq!(sample.read(crate::capture::copilot::read).expect("read").facts.broken, wrong.len() as u64);
    }
}
