//! How commits and entries look, in JSON and on a terminal.

use serde_json::{Value, json};

use crate::model::{Commit, Entry, Item, Person, Touch, TouchKind, Usage};
use crate::ui::{Label, Line, figures};

/// Returns a commit as JSON.
pub(super) fn commit_json(commit: &Commit) -> Value {
    let facts = &commit.facts;
    json!({
        "commit": commit.id,
        "tree": commit.tree,
        "parents": commit.parents,
        "author": person_json(&commit.author),
        "committer": person_json(&commit.committer),
        "subject": commit.subject,
        "body": commit.body,
        "operation": facts.operation.name(),
        "entries": facts.entries.iter().map(touch_json).collect::<Vec<_>>(),
        "tokens": facts.tokens,
        "total": facts.total,
        "count": facts.count,
        "agent": facts.agent,
        "code": facts.code,
        "model": facts.model,
        "usage": facts.usage.as_ref().map(usage_json),
        "cost_nano_usd": facts.cost.map(|cost| cost.0),
        "session": facts.session,
        "trailers": facts.other.iter().map(|(name, value)| json!([name, value])).collect::<Vec<_>>(),
    })
}

fn person_json(person: &Person) -> Value {
    json!({ "name": person.name, "email": person.email, "time": person.time.to_string() })
}

fn touch_json(touch: &Touch) -> Value {
    let fields: serde_json::Map<String, Value> =
        touch.fields.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    json!({ "change": change_word(touch.kind), "id": touch.id, "fields": fields })
}

/// Returns what a provider reported; what it did not report is `null`.
pub(super) fn usage_json(usage: &Usage) -> Value {
    json!({
        "input": usage.input,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "output": usage.output,
        "reasoning": usage.reasoning,
    })
}

/// Returns an entry as JSON, without its body.
pub(super) fn entry_json(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "position": entry.position.to_string(),
        "role": entry.role.name(),
        "tokens": entry.tokens,
        "pin": entry.flags.pin,
        "flags": entry.flags.other,
        "kind": entry.kind.ending(),
        "body": entry.body,
        "meta": entry.meta,
    })
}

/// Returns an entry with its body as JSON; a body that is no UTF-8 is given lossily, its object id tells the truth.
pub(super) fn item_json(item: &Item) -> Value {
    let mut value = entry_json(&item.entry);
    value["text"] = Value::from(String::from_utf8_lossy(&item.body));
    value
}

/// Names what happened to an entry.
pub(super) fn change_word(kind: TouchKind) -> &'static str {
    match kind {
        TouchKind::Added => "added",
        TouchKind::Changed => "changed",
        TouchKind::Removed => "removed",
        TouchKind::Marked => "marked",
    }
}

/// Returns the head line of an entry: position, id, role, tokens, pin.
pub(super) fn entry_line(entry: &Entry) -> Line {
    let line = Line::new()
        .push(Label::Position, entry.position.to_string())
        .plain(" ")
        .push(Label::Entry, entry.id.as_str())
        .plain(" ")
        .push(Label::of_role(&entry.role), entry.role.name())
        .plain(" ")
        .push(Label::Tokens, format!("{} tokens", figures::count(entry.tokens)));
    if entry.flags.pin { line.plain(" ").push(Label::Pin, "pin") } else { line }
}

/// Returns what a provider reported, on one line.
pub(super) fn usage_line(usage: &Usage) -> Line {
    let parts = [
        ("input", usage.input),
        ("cache read", usage.cache_read),
        ("cache write", usage.cache_write),
        ("output", usage.output),
        ("reasoning", usage.reasoning),
    ];
    let known = parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", figures::count(value?))));
    Line::new().push(Label::Tokens, known.collect::<Vec<_>>().join(", "))
}
