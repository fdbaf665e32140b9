//! The trailer that names contexts in a commit message, for those who ask for it (`trace.trailer`).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::commit::{Evidence, Reach};
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};

/// The trailer's name.
const NAME: &str = "Git-Trace";

/// How long may be looked for evidence: git waits.
const TIME: Duration = Duration::from_millis(500);

/// The largest message that is changed, in bytes.
const MESSAGE_MAX: u64 = 1 << 20;

/// Adds trailers for the contexts with evidence in what is staged to the message that git prepares.
///
/// A merge, a squash and a message that is used again are left alone: they are made of commits that have their own.
pub(super) fn add(workspace: &Workspace, path: &Path, source: &str) -> Result<(), OpError> {
    let mut evidence = Evidence::new(workspace, Reach::Near);
    evidence.set_end(std::time::Instant::now() + TIME);
    if !matches!(source, "" | "message" | "template") || evidence.is_empty() {
        return Ok(());
    }
    let repo = &workspace.repo;
    // git names the file from the root of the work tree, where it starts the hook.
    let error = |source| OpError::Read { path: path.display().to_string(), source };
    if std::fs::metadata(path).map_err(error)?.len() > MESSAGE_MAX {
        return Ok(());
    }
    let head = repo.code_commit().map(|id| repo.read_code_commit(&id)).transpose()?;
    let changes = evidence.staged_changes()?;
    // One line a context: the newest of its commits tells of all before.
    let mut newest: BTreeMap<String, (i64, ObjectId)> = BTreeMap::new();
    for link in evidence.link_changes(&changes, head.as_ref())? {
        let millis = repo.read_commit(&link.trace)?.committer.time.millis;
        let known = newest.entry(link.branch).or_insert((millis, link.trace));
        *known = (*known).max((millis, link.trace));
    }
    let trailers: Vec<String> =
        newest.iter().map(|(branch, (_, trace))| format!("{NAME}: {branch}@{}", trace.short(12))).collect();
    let message = std::fs::read_to_string(path).map_err(error)?;
    let mark = workspace.config("core.commentChar").or_else(|| workspace.config("core.commentString"));
    let mark = mark.filter(|mark| mark != "auto" && !mark.is_empty()).unwrap_or_else(|| "#".to_owned());
    // With -m, nothing in the message is a comment.
    let mark = (source != "message").then_some(mark.as_str());
    let new = with_trailers(&message, &trailers, mark);
    if new != message {
        std::fs::write(path, new).map_err(error)?;
    }
    Ok(())
}

/// Puts trailers where `git interpret-trailers` does: at the end of the last paragraph if it is made of trailers, else in
/// one of their own, in front of the comments.
fn with_trailers(message: &str, trailers: &[String], mark: Option<&str>) -> String {
    let lines: Vec<&str> = message.lines().collect();
    let is_comment = |line: &&str| mark.is_some_and(|mark| line.starts_with(mark));
    // The scissors, and all that follows a first comment behind the text, is not part of the message.
    let comments =
        lines.iter().rposition(|line| !is_comment(line) && !line.trim().is_empty()).map_or(0, |last| last + 1);
    let cut = mark.and_then(|mark| {
        lines.iter().position(|line| line.starts_with(mark) && line.contains("------------------------ >8 ----"))
    });
    let end = match cut {
        Some(cut) => lines[..cut]
            .iter()
            .rposition(|line| !is_comment(line) && !line.trim().is_empty())
            .map_or(0, |last| last + 1),
        None => comments,
    };
    let (text, rest) = lines.split_at(end);
    let missing: Vec<&String> = trailers.iter().filter(|trailer| !text.contains(&trailer.as_str())).collect();
    // A message without words is how one tells git not to commit.
    if missing.is_empty() || text.is_empty() {
        return message.to_owned();
    }
    let start = text.iter().rposition(|line| line.trim().is_empty()).map_or(0, |gap| gap + 1);
    let is_block = start > 0 && text[start..].iter().all(|line| is_trailer(line));
    let mut new: Vec<&str> = text.to_vec();
    if !is_block {
        new.push("");
    }
    new.extend(missing.into_iter().map(String::as_str));
    new.extend(rest);
    new.join("\n") + "\n"
}

fn is_trailer(line: &str) -> bool {
    let folded = line.starts_with([' ', '\t']);
    folded
        || line.split_once(':').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_stands_where_git_looks_for_it() {
        let trailers = ["Git-Trace: claude-1/main@0123".to_owned()];
        let add = |message: &str| with_trailers(message, &trailers, Some("#"));
        assert_eq!(add("subject\n"), "subject\n\nGit-Trace: claude-1/main@0123\n");
        assert_eq!(
            add("subject\n\nbody\n\nSigned-off-by: A\n# help\n"),
            "subject\n\nbody\n\nSigned-off-by: A\nGit-Trace: claude-1/main@0123\n# help\n"
        );
        for empty in ["\n# help\n", "", "\n\n", "# ------------------------ >8 ------------------------\ndiff\n"] {
            assert_eq!(add(empty), empty);
        }
        assert_eq!(add("fix: it\n"), "fix: it\n\nGit-Trace: claude-1/main@0123\n");
        let once = add("subject\n");
        assert_eq!(add(&once), once);
        let diff = "s\n# ------------------------ >8 ------------------------\ndiff --git a b\n";
        assert!(add(diff).starts_with("s\n\nGit-Trace: claude-1/main@0123\n# ---"));
        assert_eq!(with_trailers("s\n\n# of us\n", &trailers, None), "s\n\n# of us\n\nGit-Trace: claude-1/main@0123\n");
    }
}
