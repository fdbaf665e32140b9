//! The words of summaries that need no driver.

use std::collections::BTreeMap;

use super::super::{OpError, preview};
use super::calls::calls;
use super::scene::{Scene, cost};
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
        out.push_str(scene.text(*at)?.trim_end());
    }
    Ok(out)
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
    let tokens: u64 = members.iter().map(|at| cost(&scene.entries[*at])).sum();
    let unit = if members.len() == 1 { "entry" } else { "entries" };
    let mut out = format!("[{} {unit}, {tokens} tokens: {words}", members.len());
    if !named.is_empty() {
        out += &format!("; tools: {}", named.join(", "));
    }
    out.push(']');
    Ok(out)
}
