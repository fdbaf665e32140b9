//! The plan of an interactive rebase, in git's manner: one line a commit.

use std::collections::HashSet;

use super::rebase::{Prepared, Rebase};
use super::sequence::{Action, Step};
use super::{OpError, Workspace};
use crate::codec::one_line;
use crate::model::{Commit, ObjectId};

/// The largest plan that is read, in bytes.
pub const PLAN_MAX: usize = 16 << 20;

/// Digits of a commit's id in a plan.
const DIGITS: usize = 12;

/// What the words mean, as it stands below a plan.
const WORDS: &str = "\
# p, pick <commit> = do the commit again
# r, reword <commit> <subject> = do it again with this subject
# e, edit <commit> = do it again and pause there, for you to change the context
# s, squash <commit> = make it part of the commit before, both messages kept
# f, fixup <commit> = as squash, without its message
# c, compress <commit> = do it again; what such lines in a row added becomes one summary
# d, drop <commit> = leave it out
#
# Lines can be put into another order. A line that is not there is a commit that goes.
# Without any line nothing is done.
";

/// Holds a plan that can be changed and carried out.
#[derive(Debug, Clone)]
pub struct RebasePlan {
    /// One line a commit, oldest first, and what can be done with them.
    pub text: String,
    /// The commits, in the same order.
    pub commits: Vec<ObjectId>,
}

/// Writes the plan that does what a rebase would do without one.
///
/// # Errors
/// When a revision names nothing.
pub fn rebase_plan(workspace: &Workspace, request: &Rebase) -> Result<RebasePlan, OpError> {
    workspace.check_nothing_stopped()?;
    let Prepared { onto, commits, .. } = Prepared::of(workspace, request)?;
    let mut text = String::new();
    for commit in &commits {
        text += &format!("pick {} {}\n", commit.id.short(DIGITS), one_line(&commit.subject, 200));
    }
    let count = commits.len();
    text +=
        &format!("\n# Rebase onto {} ({count} commit{})\n#\n", onto.short(DIGITS), if count == 1 { "" } else { "s" });
    text += WORDS;
    Ok(RebasePlan { text, commits: commits.iter().map(|commit| commit.id).collect() })
}

/// Reads a plan for these commits; returns the steps and the commits that it leaves out.
pub(super) fn parse_plan(
    workspace: &Workspace,
    plan: &str,
    commits: &[Commit],
) -> Result<(Vec<Step>, Vec<ObjectId>), OpError> {
    if plan.len() > PLAN_MAX {
        return Err(OpError::Plan { line: 1, reason: format!("the plan has more than {PLAN_MAX} bytes") });
    }
    let mut ids: Vec<(String, &Commit)> = commits.iter().map(|commit| (commit.id.to_string(), commit)).collect();
    ids.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let mut reading = Reading { ids, steps: Vec::new(), group: Vec::new(), named: HashSet::new(), last: None };
    let mut left_out = Vec::new();
    for (nth, line) in plan.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let gone = reading.take(line).map_err(|reason| OpError::Plan { line: nth + 1, reason })?;
        left_out.extend(gone);
    }
    reading.end_group();
    let Reading { steps, named, .. } = reading;
    if named.is_empty() {
        return Err(OpError::Nothing { reason: "the plan has no lines".to_owned() });
    }
    let missing: Vec<&Commit> = commits.iter().filter(|commit| !named.contains(&commit.id)).collect();
    if !missing.is_empty() {
        let told = || missing.iter().map(|commit| commit.id.short(DIGITS)).collect::<Vec<_>>();
        match workspace.config("rebase.missingCommitsCheck").map(|value| value.to_ascii_lowercase()).as_deref() {
            Some("error") => return Err(OpError::MissingCommits { commits: told() }),
            Some("ignore") => {}
            _ => workspace.warn(format!("the plan has no line for {}: left out", told().join(", "))),
        }
        left_out.extend(missing.iter().map(|commit| commit.id));
    }
    Ok((steps, left_out))
}

/// Holds what is known while a plan is read.
struct Reading<'a> {
    /// The commits by their ids.
    ids: Vec<(String, &'a Commit)>,
    steps: Vec<Step>,
    /// The commits of `compress` lines in a row.
    group: Vec<ObjectId>,
    named: HashSet<ObjectId>,
    /// Message of the last step, into which others may be folded.
    last: Option<String>,
}

impl<'a> Reading<'a> {
    /// Takes in a line; returns the commit if it is left out.
    fn take(&mut self, line: &str) -> Result<Option<ObjectId>, String> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (name, text) = rest.trim_start().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
        const KNOWN: [&str; 14] =
            ["pick", "p", "drop", "d", "edit", "e", "fixup", "f", "squash", "s", "reword", "r", "compress", "c"];
        if !KNOWN.contains(&word) {
            return Err(format!("unknown word '{}'", one_line(word, 40)));
        }
        let commit = self.find(name)?;
        if !self.named.insert(commit.id) {
            return Err(format!("'{}' is there twice", one_line(name, 64)));
        }
        if !matches!(word, "compress" | "c") {
            self.end_group();
        }
        let whole = || format!("{}\n\n{}", commit.subject, commit.body).trim().to_owned();
        let mut step = Step::new(Action::Pick, commit.id);
        match word {
            "drop" | "d" => return Ok(Some(commit.id)),
            "fixup" | "f" | "squash" | "s" => {
                let joins = word.starts_with('s');
                let (Some(before), Some(message)) = (self.steps.last_mut(), &mut self.last) else {
                    return Err(format!("'{word}' has no commit before it that it could be made part of"));
                };
                before.folded.push(commit.id);
                if joins {
                    *message = format!("{message}\n\n{}", whole());
                    before.message = Some(message.clone());
                }
                return Ok(None);
            }
            "reword" | "r" => {
                let subject = one_line(text, 200);
                if subject.is_empty() {
                    return Err(format!("'{word}' needs the new subject behind the commit"));
                }
                if subject != commit.subject {
                    step.message = Some(format!("{subject}\n\n{}", commit.body).trim().to_owned());
                }
            }
            "edit" | "e" => step.pauses = true,
            "compress" | "c" => self.group.push(commit.id),
            _ => {}
        }
        // Nothing is made part of a commit that the user is to change, or that is compressed.
        let folds = !step.pauses && self.group.is_empty();
        self.last = folds.then(|| step.message.clone().unwrap_or_else(whole));
        self.steps.push(step);
        Ok(None)
    }

    fn find(&self, name: &str) -> Result<&'a Commit, String> {
        let shown = one_line(name, 64);
        if name.len() < 4 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("'{shown}' is no commit id"));
        }
        let name = name.to_ascii_lowercase();
        let first = self.ids.partition_point(|(id, _)| *id < name);
        let mut found = self.ids[first..].iter().take(2).filter(|(id, _)| id.starts_with(&name));
        match (found.next(), found.next()) {
            (Some((_, commit)), None) => Ok(commit),
            (None, _) => Err(format!("'{shown}' is none of the commits to rebase")),
            (Some(_), Some(_)) => Err(format!("'{shown}' is ambiguous")),
        }
    }

    fn end_group(&mut self) {
        if let Some(last) = self.group.last() {
            let step = Step { folded: self.group.clone(), ..Step::new(Action::Compress, *last) };
            self.steps.push(step);
            self.group.clear();
            self.last = None;
        }
    }
}
