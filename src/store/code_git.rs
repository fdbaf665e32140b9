//! What git itself is asked about the code: revisions, blame, what is staged. It starts no other program for that, and
//! fetches nothing.

use super::code::Changed;
use super::object::to_gix;
use super::{CodeChanges, CodeLimits, Repo, StoreError, git};
use crate::model::ObjectId;

/// Says where a line of a file came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlamedLine {
    /// The line in the file that was asked about, from 1.
    pub line: u32,
    /// The commit that it came in with.
    pub commit: ObjectId,
    /// The file's path at that commit.
    pub path: String,
    /// The line's number at that commit, from 1.
    pub original: u32,
    /// Whether history ends at that commit, so that the line may be older.
    pub is_boundary: bool,
}

impl Repo {
    /// Finds the commit of the code that a revision names, in git's own language; `None` if it names none.
    ///
    /// # Errors
    /// When git cannot be started.
    pub fn find_code_commit(&self, revision: &str) -> Result<Option<ObjectId>, StoreError> {
        if revision.contains(['\0', '\n']) {
            return Ok(None);
        }
        let wanted = format!("{revision}^{{commit}}");
        let answer = git::run(self, "rev-parse", &["--verify", "--quiet", "--end-of-options", &wanted], None);
        Ok(answer.ok().and_then(|answer| String::from_utf8_lossy(&answer).trim().parse().ok()))
    }

    /// Lists commits of the code, oldest first: a range in git's language, or all that a branch or a tag can reach.
    ///
    /// # Errors
    /// When the range names nothing.
    pub fn code_range(&self, range: Option<&str>) -> Result<Vec<ObjectId>, StoreError> {
        let mut arguments = vec!["--reverse", "--topo-order"];
        match range {
            Some(range) => arguments.extend(["--end-of-options", range]),
            None => arguments.extend(["--branches", "--remotes", "--tags", "HEAD"]),
        }
        arguments.push("--");
        let answer = git::run(self, "rev-list", &arguments, None)?;
        Ok(String::from_utf8_lossy(&answer).lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Asks `git blame` where lines of a file came from; `lines` are first and last, from 1.
    ///
    /// # Errors
    /// When the file is not there, or has fewer lines.
    pub fn blame_code(
        &self,
        commit: &ObjectId,
        path: &str,
        lines: Option<(u32, u32)>,
    ) -> Result<Vec<BlamedLine>, StoreError> {
        let (range, commit) = (lines.map(|(first, last)| format!("-L{first},{last}")), commit.to_string());
        // What revisions the user wants to skip is a matter of taste: here it is asked who wrote the line. Who indented it
        // anew did not.
        let mut arguments = vec!["--porcelain", "-w", "--no-textconv", "--ignore-revs-file="];
        arguments.extend(range.as_deref());
        arguments.extend([commit.as_str(), "--", path]);
        let answer = git::run_at_root(self, "blame", &arguments, &[])?;
        Ok(parse_blame(&String::from_utf8_lossy(&answer)))
    }

    /// Compares what is staged with HEAD; renames are told of the files that are `wanted`.
    ///
    /// # Errors
    /// When git cannot tell.
    pub fn staged_changes(
        &self,
        limits: &CodeLimits,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<CodeChanges, StoreError> {
        let base = match self.code_commit() {
            Some(head) => head.to_string(),
            None => gix::ObjectId::empty_tree(to_gix(&ObjectId::null(self.kind)).kind()).to_string(),
        };
        let index = std::env::var("GIT_INDEX_FILE").ok();
        let environment: Vec<(&str, &str)> =
            index.as_deref().map(|path| ("GIT_INDEX_FILE", path)).into_iter().collect();
        let arguments = ["--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", &base, "--"];
        let answer = git::run_with(self, "diff-index", &arguments, &environment)?;
        let text = String::from_utf8_lossy(&answer);
        let mut words = text.split('\0');
        let mut found = Vec::new();
        while let (Some(head), Some(path)) = (words.next(), words.next()) {
            let [old_mode, new_mode, old, new, _] = head.split(' ').collect::<Vec<_>>()[..] else { break };
            let blob = |mode: &str, id: &str| {
                mode.trim_start_matches(':').starts_with("100").then(|| id.parse().ok()).flatten()
            };
            found.push(Changed {
                path: path.to_owned(),
                old_path: None,
                old: blob(old_mode, old),
                new: blob(new_mode, new),
            });
            if found.len() >= limits.files {
                break;
            }
        }
        Ok(self.read_changes(found, limits, wanted))
    }
}

/// Reads what `git blame --porcelain` says: facts about a commit stand only where it is named first.
fn parse_blame(text: &str) -> Vec<BlamedLine> {
    let mut found: Vec<BlamedLine> = Vec::new();
    let mut known: std::collections::HashMap<ObjectId, (String, bool)> = std::collections::HashMap::new();
    let mut current: Option<BlamedLine> = None;
    for line in text.split('\n') {
        if line.starts_with('\t') {
            if let Some(mut blamed) = current.take() {
                // A file name that stands here is the one of these lines; else it is the one that was named before.
                let (path, boundary) = known.entry(blamed.commit).or_default();
                if blamed.path.is_empty() {
                    blamed.path.clone_from(path);
                } else {
                    path.clone_from(&blamed.path);
                }
                *boundary |= blamed.is_boundary;
                blamed.is_boundary = *boundary;
                found.push(blamed);
            }
            continue;
        }
        match &mut current {
            None => {
                let mut words = line.split(' ');
                let commit = words.next().and_then(|word| word.parse::<ObjectId>().ok());
                let mut number = || words.next()?.parse::<u32>().ok();
                if let (Some(commit), Some(original), Some(line)) = (commit, number(), number()) {
                    current = Some(BlamedLine { line, commit, path: String::new(), original, is_boundary: false });
                }
            }
            Some(blamed) => match line.split_once(' ') {
                Some(("filename", path)) => blamed.path = unquote(path),
                None if line == "boundary" => blamed.is_boundary = true,
                _ => {}
            },
        }
    }
    found
}

/// Reads a path that git may have put in quotes, as C has it.
fn unquote(path: &str) -> String {
    let Some(inner) = path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) else { return path.to_owned() };
    gix::quote::ansi_c::undo(path.as_bytes().into()).map_or_else(|_| inner.to_owned(), |(path, _)| path.to_string())
}
