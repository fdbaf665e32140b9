//! Harbor's Agent Trajectory Interchange Format, version 1: one JSON document.
//!
//! A step is an entry: what was thought, said and called, as content blocks. The results in its observation follow it,
//! each as an entry of its own. Steps that were copied from another trajectory count no usage. Subagents' trajectories
//! that stand in the document are conversations of their own. `metrics.prompt_tokens` includes what was cached.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::{read_text, stem};
use super::claude::json;
use super::compose::Blocks;
use super::members::Members;
use super::outlet::{Outlet, Source, push};
use super::{Agent, CaptureError, Conversation, Routed, SessionFacts};
use crate::model::{Role, Usage};

/// Trajectories in trajectories are read so deep.
const DEPTH: usize = 8;

/// Reads a trajectory.
///
/// # Errors
/// When it cannot be read, is none of version 1, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let text = read_text(Agent::Atif, path)?;
    let format = |reason: &str| CaptureError::Format { agent: Agent::Atif, reason: reason.to_owned() };
    let document = Members::parse(&text).ok_or_else(|| format("it is no JSON object"))?;
    if !document.text("schema_version").is_some_and(|version| version.starts_with("ATIF-v1.")) {
        return Err(format("it is not of version 1"));
    }
    if document.get("steps").is_none() {
        return Err(format("it has no steps"));
    }
    let mut outlet = Outlet::new(Agent::Atif, stem(path), sink);
    outlet.set_id(document.name("session_id").or_else(|| document.name("trajectory_id")));
    outlet.facts.parent = document.object("continued_trajectory_ref").name("session_id");
    let mut reader = Reader { outlet };
    reader.trajectory(&document, "", 0);
    reader.outlet.finish()
}

struct Reader<'s> {
    outlet: Outlet<'s>,
}

impl Reader<'_> {
    /// Reads a trajectory; `name` tells it from others of the document.
    fn trajectory(&mut self, document: &Members<'_>, name: &str, depth: usize) {
        let model = document.object("agent").name("model_name");
        for (nth, raw) in document.list("steps").into_iter().enumerate() {
            match Members::of(raw) {
                Some(step) => self.step(raw.get(), &step, &format!("{name}{}", nth + 1), model.as_deref()),
                None => self.outlet.broken(),
            }
        }
        let here = self.outlet.to.clone();
        for (nth, raw) in document.list("subagent_trajectories").into_iter().enumerate() {
            let Some(inner) = Members::of(raw).filter(|_| depth < DEPTH) else { continue };
            let id = inner.name("trajectory_id").or_else(|| inner.name("session_id"));
            let id = id.unwrap_or_else(|| format!("{name}{}", nth + 1));
            self.outlet.to = Conversation::Subagent(id.clone());
            self.trajectory(&inner, &format!("{id}:"), depth + 1);
        }
        self.outlet.to = here;
    }

    fn step(&mut self, text: &str, step: &Members<'_>, name: &str, model: Option<&str>) {
        let time = step.time("timestamp");
        let role = match step.text("source").as_deref() {
            Some("system") => Role::System,
            Some("user") => Role::User,
            Some("agent") => Role::Assistant,
            _ => return self.outlet.event(Source::Local(name), time, text),
        };
        let mut blocks = Blocks::default();
        blocks.thinking(step.quoted("reasoning_content"), None);
        if let Some(message) = step.get("message") {
            content(&mut blocks, message);
        }
        for (nth, raw) in step.list("tool_calls").into_iter().enumerate() {
            let call = Members::of(raw).unwrap_or_default();
            let id = call.name("tool_call_id").unwrap_or_else(|| self.outlet.call_id(Source::Local(name), nth));
            let function = call.name("function_name").unwrap_or_else(|| "unknown".to_owned());
            blocks.call(&id, &function, call.get("arguments"));
        }
        let is_copied = step.is_true("is_copied_context");
        let usage = step.get("metrics").and_then(Members::of).filter(|_| !is_copied).map(|metrics| usage(&metrics));
        if blocks.is_empty() {
            // What it cost, and when, is said all the same.
            if usage.is_some() || step.get("observation").is_none() {
                self.outlet.event(Source::Local(name), time, text);
            }
        } else {
            let mut draft = self.outlet.draft(Source::Local(name), role);
            draft.time = time;
            if draft.role == Role::Assistant {
                draft.model = step.name("model_name").or_else(|| model.map(str::to_owned));
                draft.usage = usage;
            }
            if is_copied {
                push(&mut draft, "copied", Some("1"));
            }
            self.outlet.say(draft, blocks);
        }
        for (nth, raw) in step.object("observation").list("results").into_iter().enumerate() {
            self.result(raw, &format!("{name}:{}", nth + 1), time);
        }
    }

    fn result(&mut self, raw: &RawValue, name: &str, time: Option<crate::model::Time>) {
        let result = Members::of(raw).unwrap_or_default();
        let mut blocks = Blocks::default();
        let role = match result.name("source_call_id") {
            Some(call) => {
                let mut inner = Blocks::default();
                result.get("content").into_iter().for_each(|raw| content(&mut inner, raw));
                let (kind, bytes) = inner.body();
                let bytes = String::from_utf8(bytes).expect("it is made of text");
                let is_text = kind == crate::model::BodyKind::Text;
                blocks.quoted_result(&call, &if is_text { super::compose::quoted(&bytes) } else { bytes }, false);
                Role::Tool
            }
            None => {
                // An environment that answers without having been called speaks as the user does.
                result.get("content").into_iter().for_each(|raw| content(&mut blocks, raw));
                Role::User
            }
        };
        let children = result.list("subagent_trajectory_ref");
        let child = children.first().and_then(|raw| Members::of(raw)).unwrap_or_default();
        if blocks.is_empty() {
            return;
        }
        let mut draft = self.outlet.draft(Source::Local(name), role);
        draft.time = time;
        push(&mut draft, "agent", child.name("trajectory_id").or_else(|| child.name("session_id")).as_deref());
        self.outlet.say(draft, blocks);
    }
}

/// Adds what a message or a result says: text, or a list of parts.
fn content(blocks: &mut Blocks, raw: &RawValue) {
    let Some(parts) = json::elements(raw.get()) else { return blocks.text(Some(raw)) };
    for raw in parts {
        let part = Members::of(raw).unwrap_or_default();
        match part.quoted("text") {
            Some(text) => blocks.text(Some(text)),
            None => blocks.other("part", raw),
        }
    }
}

fn usage(metrics: &Members<'_>) -> Usage {
    let cached = metrics.count("cached_tokens");
    Usage {
        input: metrics.count("prompt_tokens").map(|input| input.saturating_sub(cached.unwrap_or(0))),
        cache_read: cached,
        cache_write: None,
        output: metrics.count("completion_tokens"),
        reasoning: metrics.object("extra").count("reasoning_tokens"),
    }
}

#[cfg(test)]
mod tests;
