//! The answer of every subcommand that makes a commit.

use serde_json::json;

use super::session::Session;
use crate::ops::{Budget, Changed};
use crate::ui::{Failure, JsonDocument, Label, Line, figures};

/// Says what was done, and how to take it back.
pub(super) fn print(session: &Session, verb: &str, changed: &Changed) -> Result<(), Failure> {
    session.pass_on_warnings();
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new(verb, 1, json!({ "outcome": changed })))?);
    }
    let mut line = Line::new().plain("[").push(Label::Branch, changed.branch.as_deref().unwrap_or("HEAD detached"));
    line = match &changed.commit {
        Some(commit) => line.plain(" ").push(Label::Commit, commit.short(10)).plain("] "),
        None => line.plain("] ").push(Label::Muted, "(dry run) "),
    };
    line = line.plain(verb);
    for id in changed.entries.iter().take(4) {
        line = line.plain(" ").push(Label::Entry, id.as_str());
    }
    if changed.entries.len() > 4 {
        line = line.plain(format!(" (+{} more)", changed.entries.len() - 4));
    }
    let sizes = format!(
        "; {} tokens, {} in {} entries",
        figures::change(changed.tokens),
        figures::count(changed.total),
        figures::count(changed.count)
    );
    ui.print(&line.push(Label::Tokens, sizes))?;
    if !changed.redacted.is_empty() {
        let mut rules = changed.redacted.clone();
        rules.sort();
        rules.dedup();
        ui.warning(format!("secrets were replaced before storing: {} ({})", changed.redacted.len(), rules.join(", ")));
    }
    if let Some(budget) = changed.budget.map(|limit| Budget { used: changed.total, limit }) {
        warn_of_budget(session, budget);
    }
    if let Some(undo) = &changed.undo {
        ui.hint(format!("to take it back: {undo}"));
    }
    Ok(())
}

/// Warns when the context nears its limit.
pub(super) fn warn_of_budget(session: &Session, budget: Budget) {
    let sizes = || format!("{} of {} tokens", figures::count(budget.used), figures::count(budget.limit));
    if budget.is_over() {
        session.ui.warning(format!("the context is over its budget: {}", sizes()));
    } else if budget.is_near() {
        session.ui.warning(format!("the context is near its budget: {}", sizes()));
    }
}
