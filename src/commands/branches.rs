//! The list that `git trace branch` prints.

use serde_json::{Value, json};

use super::session::{Session, failure};
use super::view::commit_json;
use crate::model::{ObjectId, Time};
use crate::ops::{ListBranches, ListedBranch, Upstream, branches};
use crate::ui::{Align, Failure, JsonDocument, Label, Line, display_width, figures};

/// Digits of a commit's id in the list.
const DIGITS: usize = 10;

/// Prints the branches that were asked for.
pub(super) fn print(session: &Session, request: &ListBranches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let found = branches(workspace, request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        let rows: Vec<Value> = found.branches.iter().map(branch_json).collect();
        let body = json!({ "detached": found.detached, "branches": rows });
        return Ok(ui.json(&JsonDocument::new("branch", 1, body))?);
    }
    ui.request_pager();
    if let Some(commit) = found.detached {
        ui.print(&detached(&commit))?;
    }
    let now = workspace.now().map_err(failure)?;
    let rows: Vec<Row<'_>> = found.branches.iter().map(|branch| Row::of(branch, now)).collect();
    let width = |cell: &dyn Fn(&Row<'_>) -> String| rows.iter().map(|row| display_width(&cell(row))).max().unwrap_or(0);
    let widths = [
        width(&|row| row.branch.name.clone()),
        width(&|row| row.tokens.clone()),
        width(&|row| row.entries.clone()),
        width(&|row| row.age.clone()),
        width(&|row| row.actor.clone()),
        width(&|row| row.upstream.clone()),
    ];
    for row in &rows {
        let line = row.line(widths);
        ui.print(&match ui.width() {
            Some(width) => line.truncated(width),
            None => line,
        })?;
    }
    Ok(())
}

/// Prints the name of HEAD's branch, or nothing.
pub(super) fn print_current(session: &Session) -> Result<(), Failure> {
    let target = session.workspace()?.target().map_err(failure)?;
    let name = target.branch.map(|branch| branch.to_string());
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("branch", 1, json!({ "current": name })))?);
    }
    match name {
        Some(name) => Ok(ui.print(&Line::new().push(Label::Branch, name))?),
        None => Ok(()),
    }
}

fn detached(commit: &ObjectId) -> Line {
    let at = Line::new().push(Label::Head, "*").plain(" (").push(Label::Head, "HEAD detached at ");
    at.push(Label::Commit, commit.short(DIGITS)).plain(")")
}

/// A branch as words.
struct Row<'a> {
    branch: &'a ListedBranch,
    tokens: String,
    entries: String,
    age: String,
    actor: String,
    upstream: String,
    subject: &'a str,
}

impl<'a> Row<'a> {
    fn of(branch: &'a ListedBranch, now: Time) -> Self {
        let upstream = branch.upstream.as_ref().map(words).unwrap_or_default();
        match &branch.tip {
            Ok(tip) => Row {
                branch,
                tokens: format!("{} tokens", figures::count(tip.facts.total)),
                entries: match tip.facts.count {
                    1 => "1 entry".to_owned(),
                    count => format!("{} entries", figures::count(count)),
                },
                age: figures::relative(tip.committer.time, now),
                actor: tip.facts.agent.as_ref().unwrap_or(&branch.agent).clone(),
                upstream,
                subject: &tip.subject,
            },
            Err(reason) => Row {
                branch,
                tokens: String::new(),
                entries: String::new(),
                age: String::new(),
                actor: branch.agent.clone(),
                upstream,
                subject: reason,
            },
        }
    }

    fn line(&self, [name, tokens, entries, age, actor, upstream]: [usize; 6]) -> Line {
        let branch = self.branch;
        let (mark, label) = match (branch.is_head, branch.worktrees.is_empty()) {
            (true, _) => ("*", Label::Head),
            (false, false) => ("+", Label::Branch),
            (false, true) => (" ", if branch.is_remote { Label::Remote } else { Label::Plain }),
        };
        let line = Line::new()
            .push(label, mark)
            .plain(" ")
            .cell(label, &branch.name, name, Align::Left)
            .plain(" ")
            .push(Label::Commit, branch.commit.short(DIGITS))
            .plain("  ")
            .cell(Label::Tokens, &self.tokens, tokens, Align::Right)
            .plain("  ")
            .cell(Label::Plain, &self.entries, entries, Align::Right)
            .plain("  ")
            .cell(Label::Time, &self.age, age, Align::Left)
            .plain("  ")
            .cell(Label::Actor, &self.actor, actor, Align::Left)
            .plain("  ");
        let line = match upstream {
            0 => line,
            width => line.cell(Label::Remote, &self.upstream, width, Align::Left).plain("  "),
        };
        line.push(if branch.tip.is_ok() { Label::Plain } else { Label::Error }, self.subject)
    }
}

fn words(upstream: &Upstream) -> String {
    let state = match (upstream.gone, upstream.ahead, upstream.behind) {
        (true, ..) => ": gone".to_owned(),
        (_, 0, 0) => String::new(),
        (_, ahead, 0) => format!(": ahead {ahead}"),
        (_, 0, behind) => format!(": behind {behind}"),
        (_, ahead, behind) => format!(": ahead {ahead}, behind {behind}"),
    };
    format!("[{}{state}]", upstream.name)
}

fn branch_json(branch: &ListedBranch) -> Value {
    let (tip, fault) = match &branch.tip {
        Ok(tip) => (Some(commit_json(tip)), None),
        Err(reason) => (None, Some(reason)),
    };
    json!({
        "name": branch.name,
        "ref": branch.ref_name,
        "agent": branch.agent,
        "remote": branch.is_remote,
        "head": branch.is_head,
        "worktrees": branch.worktrees,
        "commit": branch.commit,
        "tokens": branch.tip.as_ref().ok().map(|tip| tip.facts.total),
        "count": branch.tip.as_ref().ok().map(|tip| tip.facts.count),
        "time": branch.tip.as_ref().ok().map(|tip| tip.committer.time.to_string()),
        "upstream": branch.upstream,
        "tip": tip,
        "fault": fault,
    })
}
