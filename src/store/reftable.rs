//! Refs through git itself: the only way on a reftable, and the way of deleting on every storage.

use std::path::PathBuf;

use super::git;
use super::head::{HEAD, ORIG_HEAD};
use super::logged::Strip;
use super::refs::{Expected, RefEdit, RefValue};
use super::{Repo, StoreError};
use crate::codec::one_line;
use crate::model::{ObjectId, Person, Time};

pub(super) fn find(repo: &Repo, name: &str) -> Result<Option<RefValue>, StoreError> {
    if let Ok(target) = git::run(repo, "symbolic-ref", &["--quiet", name], None) {
        let target = String::from_utf8_lossy(&target).trim_end().to_owned();
        return Ok(Some(RefValue::Symbolic(target)));
    }
    let Ok(answer) = git::run(repo, "rev-parse", &["--verify", "--quiet", "--end-of-options", name], None) else {
        return Ok(None);
    };
    parse_id(&answer).map(|id| Some(RefValue::Id(id)))
}

pub(super) fn list(repo: &Repo, prefix: &str) -> Result<Vec<(String, ObjectId)>, StoreError> {
    let answer = git::run(repo, "for-each-ref", &["--format=%(objectname) %(refname)", prefix], None)?;
    let text = String::from_utf8_lossy(&answer);
    let rows = text.lines().filter_map(|line| line.split_once(' '));
    rows.map(|(id, name)| Ok((name.to_owned(), parse_id(id.as_bytes())?))).collect()
}

/// Resolves `<full ref>@{…}` and the like through git.
pub(super) fn resolve(repo: &Repo, revision: &str) -> Option<ObjectId> {
    let wanted = format!("{revision}^{{commit}}");
    let answer = git::run(repo, "rev-parse", &["--verify", "--quiet", "--end-of-options", &wanted], None).ok()?;
    parse_id(&answer).ok()
}

/// Returns the messages of a ref's log, newest first, one a line; nothing where there is no log.
pub(super) fn log_messages(repo: &Repo, name: &str) -> String {
    let printed = git::run(repo, "log", &["--walk-reflogs", "--format=%gs", "--end-of-options", name], None);
    String::from_utf8_lossy(&printed.unwrap_or_default()).into_owned()
}

/// Returns the commits that a ref's log names.
pub(super) fn logged_ids(repo: &Repo, name: &str) -> Vec<ObjectId> {
    Log::of(repo, name).ids()
}

/// A ref's log: where git has to stand to read it, and the ref's name there.
struct Log<'n> {
    git_dir: PathBuf,
    name: &'n str,
}

impl<'n> Log<'n> {
    fn of(repo: &Repo, name: &'n str) -> Self {
        let (git_dir, short) = repo.ref_place(name);
        // What belongs to no worktree can be read from any.
        let is_shared = short == name && git_dir == repo.common_dir;
        Log { git_dir: if is_shared { repo.private_dir.clone() } else { git_dir }, name: short }
    }

    /// Returns what each line says that the ref became, and its message, newest first.
    fn lines(&self) -> Vec<(Option<ObjectId>, String)> {
        let arguments = ["--walk-reflogs", "--format=%H%x00%gs", "--end-of-options", self.name];
        let printed = git::run_from(&self.git_dir, "log", &arguments).unwrap_or_default();
        let line = |line: &str| line.split_once('\0').map(|(id, message)| (id.parse().ok(), message.to_owned()));
        String::from_utf8_lossy(&printed).lines().filter_map(line).collect()
    }

    /// Returns what the ref was before a number of lines; behind the last one, what that one says it was before.
    fn before(&self, lines: usize) -> Option<ObjectId> {
        let wanted = format!("{}@{{{lines}}}", self.name);
        let arguments = ["--verify", "--quiet", "--end-of-options", &wanted];
        let answer = git::run_from(&self.git_dir, "rev-parse", &arguments).ok()?;
        parse_id(&answer).ok().filter(|id| id.as_bytes().iter().any(|byte| *byte != 0))
    }

    fn ids(&self) -> Vec<ObjectId> {
        let lines = self.lines();
        let first = if lines.is_empty() { None } else { self.before(lines.len()) };
        lines.into_iter().filter_map(|(id, _)| id).chain(first).collect()
    }

    fn delete(&self, line: usize, who: &Person) -> Result<(), StoreError> {
        let line = format!("{}@{{{line}}}", self.name);
        git::run_as(&self.git_dir, "reflog", &["delete", "--rewrite", &line], None, who).map(drop)
    }

    /// Takes lines out; returns how many.
    fn strip(&self, strip: &Strip<'_>, who: &Person) -> Result<u64, StoreError> {
        let lines = self.lines();
        let goes = |(id, message): &(Option<ObjectId>, String)| {
            id.is_some_and(|id| strip.gone.contains(&id)) || (strip.quotes)(message.as_bytes())
        };
        let doomed: Vec<usize> = (0..lines.len()).filter(|nth| goes(&lines[*nth])).collect();
        // The newest line is the first: from the end on, the numbers of the others stay.
        doomed.iter().rev().try_for_each(|nth| self.delete(*nth, who))?;
        let mut left = lines.len() - doomed.len();
        // The first line keeps what the ref was before it, and git holds on to that.
        while left > 0 && self.before(left).is_some_and(|id| strip.gone.contains(&id)) {
            self.delete(left - 1, who)?;
            left -= 1;
        }
        Ok((lines.len() - left) as u64)
    }
}

/// Names the refs whose logs are ours, those of all worktrees included.
fn own(repo: &Repo) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for worktree in repo.worktree_heads()? {
        names.extend([worktree.ref_name.replace(HEAD, ORIG_HEAD), worktree.ref_name]);
    }
    names.extend(list(repo, &format!("{}/", repo.settings.ref_prefix))?.into_iter().map(|(name, _)| name));
    Ok(names)
}

/// Returns all commits that our logs name.
pub(super) fn all_logged(repo: &Repo) -> Result<Vec<ObjectId>, StoreError> {
    Ok(own(repo)?.iter().flat_map(|name| Log::of(repo, name).ids()).collect())
}

/// Lines of a log that go along when a branch is renamed: git can write each only by a process of its own.
const REPLAYED: &str = "-200";

/// Writes the newest lines of one ref's log into that of another, which must not exist; returns the commit that the
/// other ref is at then. What git has no longer is left out.
pub(super) fn replay_log(repo: &Repo, old: &str, new: &str, who: &Person) -> Result<Option<ObjectId>, StoreError> {
    let format = "--format=%H%x00%gn%x00%ge%x00%gd%x00%gs";
    let arguments = ["--walk-reflogs", REPLAYED, "--date=raw", format, "--end-of-options", old];
    let printed = git::run(repo, "log", &arguments, None).unwrap_or_default();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let mut at = None;
    for line in printed.lines().rev() {
        let [id, name, email, moment, message] = line.split('\0').collect::<Vec<_>>()[..] else { continue };
        let Ok(id) = id.parse::<ObjectId>() else { continue };
        let seconds = moment.rsplit_once("@{").and_then(|(_, time)| time.split(' ').next()?.parse().ok());
        let time = seconds.map_or(who.time, Time::from_seconds);
        let who = Person { name: name.to_owned(), email: email.to_owned(), time };
        let expected = at.map_or(Expected::Absent, Expected::Id);
        let edit = RefEdit { name: new.to_owned(), expected, new: Some(RefValue::Id(id)), message: message.to_owned() };
        self::edit(repo, &[edit], &who)?;
        at = Some(id);
    }
    Ok(at)
}

/// Takes lines out of our logs; returns how many.
pub(super) fn strip_logs(repo: &Repo, strip: &Strip<'_>, who: &Person) -> Result<u64, StoreError> {
    own(repo)?.iter().map(|name| Log::of(repo, name).strip(strip, who)).sum()
}

/// Changes refs in one transaction of `git update-ref --stdin`.
pub(super) fn edit(repo: &Repo, edits: &[RefEdit], who: &Person) -> Result<(), StoreError> {
    let none = "0".repeat(repo.hash_kind().id_len() * 2);
    let mut script = String::from("start\n");
    let mut symbolic = Vec::new();
    for RefEdit { name, expected, new, message } in edits {
        let old = match expected {
            Expected::Absent => Some(none.clone()),
            Expected::Id(id) => Some(id.to_string()),
            Expected::Any => None,
        };
        let old = old.map(|old| format!(" {old}")).unwrap_or_default();
        match new {
            Some(RefValue::Id(id)) => script += &format!("option no-deref\nupdate {name} {id}{old}\n"),
            Some(RefValue::Symbolic(target)) => symbolic.push((name, target, message)),
            None => script += &format!("option no-deref\ndelete {name}{old}\n"),
        }
    }
    script += "prepare\ncommit\n";
    // git takes one message for all of them.
    let placed = edits.iter().find(|edit| !matches!(edit.new, Some(RefValue::Symbolic(_))));
    let message = one_line(placed.map_or("trace", |edit| edit.message.as_str()), 200);
    if edits.len() > symbolic.len() {
        let arguments = ["--create-reflog", "-m", &message, "--stdin"];
        git::run_as(&repo.private_dir, "update-ref", &arguments, Some(script.as_bytes()), who).map_err(|error| {
            match error {
                StoreError::Git { reason, .. }
                    if ["but expected", "already exists", "unable to resolve reference"]
                        .iter()
                        .any(|words| reason.contains(words)) =>
                {
                    let moved = edits.iter().find(|edit| reason.contains(&format!("'{}'", edit.name)));
                    StoreError::RefMoved { name: moved.unwrap_or(&edits[0]).name.clone() }
                }
                other => other,
            }
        })?;
    }
    for (name, target, message) in symbolic {
        // git writes another worktree's HEAD only from there.
        let (git_dir, name) = repo.ref_place(name);
        git::run_as(&git_dir, "symbolic-ref", &["-m", &one_line(message, 200), name, target], None, who)?;
    }
    Ok(())
}

fn parse_id(answer: &[u8]) -> Result<ObjectId, StoreError> {
    let text = String::from_utf8_lossy(answer);
    text.trim().parse().map_err(|_| StoreError::Git {
        command: "rev-parse".to_owned(),
        reason: format!("unexpected answer '{}'", text.trim()),
    })
}
