//! The words of summaries that need no driver.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::{OpError, preview};
use super::calls::{call, calls, text};
use super::scene::{Scene, cost};
use crate::codec::{blocks, tool_results};
use crate::model::{BodyKind, Role};

/// Most tools that a title names.
const TOOLS_MAX: usize = 4;

/// Puts the texts of entries one behind the other, each with who speaks.
pub(super) fn combine(scene: &Scene<'_>, members: &[usize]) -> Result<String, OpError> {
    let mut out = String::new();
    for at in members {
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        let role = &scene.entries[*at].role;
        if *role != Role::Summary {
            out.push_str(role.name());
            out.push_str(": ");
        }
        out.push_str(said(scene, *at)?.trim_end());
    }
    Ok(out)
}

/// Returns what an entry says in few tokens: texts as they are, calls with their input on one line, results without the
/// ids that would tie them to calls.
fn said(scene: &Scene<'_>, at: usize) -> Result<String, OpError> {
    let entry = &scene.entries[at];
    let short = if entry.kind == BodyKind::Json { short(scene.body(at)?) } else { None };
    // What is not known as a whole is told as people read it.
    short.map_or_else(|| scene.text(at), Ok)
}

fn short(body: &[u8]) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut results = tool_results(body).into_iter();
    for block in blocks(body) {
        let words = text(block.text);
        if let Some(call) = call(block) {
            let input = call.input.map(|input| text(Some(input)).unwrap_or_else(|| input.get().into()));
            parts.push(format!("[call {}] {}", call.name, input.unwrap_or_default()));
        } else if block.is("text") || block.is("input_text") || block.is("output_text") {
            parts.push(words?.into_owned());
        } else if block.is("tool_result") || block.output.is_some() || block.tool_call_id.is_some() {
            let mark = if block.is_error.is_some_and(|mark| mark.get() == "true") { "[error]" } else { "[result]" };
            parts.push(format!("{mark} {}", content(results.next()?.content)?));
            if block.kind.is_none() {
                // The whole message is the result.
                break;
            }
        } else if block.is("thinking") {
            parts.push(format!("[thinking] {}", text(block.thinking)?));
        } else if block.kind.is_none() || block.is("message") {
            // A message: its blocks come next.
            parts.extend(text(block.content).map(Cow::into_owned));
        } else {
            return None;
        }
    }
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// Returns the text of a result's content; `None` if there is more in it than text.
fn content(source: &str) -> Option<String> {
    if source.starts_with('"') {
        return serde_json::from_str(source).ok();
    }
    let texts: Option<Vec<String>> =
        blocks(source.as_bytes()).into_iter().map(|block| Some(text(block.text)?.into_owned())).collect();
    texts.map(|texts| texts.join("\n"))
}

/// Says in one line what entries were about: the first words of the user, how much there was, which tools were called.
pub(super) fn title(scene: &Scene<'_>, members: &[usize]) -> Result<String, OpError> {
    let role = |wanted: Role| members.iter().find(|at| scene.entries[**at].role == wanted);
    let first = role(Role::User).or(role(Role::Summary)).or(members.first());
    let words = first.map(|at| scene.preview(*at)).transpose()?.unwrap_or_default();
    let mut tools: BTreeMap<String, usize> = BTreeMap::new();
    for at in members.iter().filter(|at| scene.entries[**at].kind == BodyKind::Json) {
        for call in calls(scene.body(*at)?) {
            *tools.entry(preview(&call.name)).or_default() += 1;
        }
    }
    let mut tools: Vec<(String, usize)> = tools.into_iter().collect();
    tools.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(&other.0)));
    let named: Vec<String> = tools.iter().take(TOOLS_MAX).map(|(name, count)| format!("{name} {count}")).collect();
    let mut out = format!("{}: {words}", amount(scene, members).trim_end_matches(']'));
    if !named.is_empty() {
        out += &format!("; tools: {}", named.join(", "));
    }
    out.push(']');
    Ok(out)
}

/// Says how much there was, and nothing else.
pub(super) fn amount(scene: &Scene<'_>, members: &[usize]) -> String {
    let tokens: u64 = members.iter().map(|at| cost(&scene.entries[*at])).sum();
    let unit = if members.len() == 1 { "entry" } else { "entries" };
    format!("[{} {unit}, {tokens} tokens]", members.len())
}
