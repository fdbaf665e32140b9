//! `why`: who wrote a line, and what for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::cause::{Cause, Causes};
use super::commit::{Evidence, Reach};
use super::index::{self, Known};
use super::path::Roots;
use crate::link::{Link, normal};
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::store::{BlamedLine, CodeChanges, CodeCommit, CodeFile, MetaPath, lines_between};

/// The largest file of the work tree that is read, in bytes.
const FILE_MAX: u64 = 32 << 20;

/// Asks why lines are there, or why a commit is.
#[derive(Debug, Clone, Default)]
pub struct Why {
    /// `<file>`, `<file>:<line>`, `<file>:<first>,<last>`, or a commit of the code.
    pub target: String,
    /// The folder that the file is named from.
    pub folder: PathBuf,
    /// The commit of the code whose file is meant; the work tree's if there is none.
    pub revision: Option<String>,
}

/// Says what was found.
#[derive(Debug, Clone)]
pub enum Explained {
    /// Lines of a file, in their order.
    Lines {
        /// The file, below the root of the work tree.
        path: String,
        /// Lines in a row that have one cause.
        lines: Vec<WhyLines>,
    },
    /// A commit.
    Commit {
        /// The commit.
        commit: CodeBrief,
        /// The calls that wrote what it adds, with the file and its lines; no lines where they only took some out.
        causes: Vec<(Link, Cause)>,
    },
}

/// Holds lines in a row that came in together.
#[derive(Debug, Clone)]
pub struct WhyLines {
    /// The first line, from 1.
    pub first: u32,
    /// The last line.
    pub last: u32,
    /// The commit that they came in with; `None` while they are not committed.
    pub commit: Option<CodeBrief>,
    /// What wrote them, if that is known.
    pub cause: Option<Cause>,
}

/// Names a commit of the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBrief {
    /// Its id.
    pub id: ObjectId,
    /// Who wrote it.
    pub author: String,
    /// When, in seconds.
    pub seconds: i64,
    /// First line of its message.
    pub subject: String,
}

impl Explained {
    /// Tells whether anything has a known cause.
    pub fn is_known(&self) -> bool {
        match self {
            Explained::Lines { lines, .. } => lines.iter().any(|lines| lines.cause.is_some()),
            Explained::Commit { causes, .. } => !causes.is_empty(),
        }
    }
}

/// Finds the tool call that wrote a line: by `git blame`, and by the index of links, or else the evidence itself.
///
/// # Errors
/// When neither a file nor a commit is meant, or the file has no such line.
pub fn why(workspace: &Workspace, request: &Why) -> Result<Explained, OpError> {
    let run = Run {
        workspace,
        evidence: Evidence::new(workspace, Reach::Far),
        links: HashMap::new(),
        causes: Causes::new(workspace),
    };
    match File::find(workspace, request)? {
        Some(file) => run.lines(file),
        None => run.commit(&request.target),
    }
}

/// A file that is asked about.
struct File {
    path: String,
    lines: Option<(u32, u32)>,
    /// The commit whose file it is, or on top of which the work tree stands.
    commit: Option<ObjectId>,
    /// The work tree's text, if that is meant.
    now: Option<String>,
}

impl File {
    /// Reads the target as a file, if there is one of that name.
    fn find(workspace: &Workspace, request: &Why) -> Result<Option<Self>, OpError> {
        let roots = Roots::of(workspace);
        let folder = std::path::absolute(&request.folder).unwrap_or_else(|_| request.folder.clone());
        let commit = match &request.revision {
            Some(revision) => Some(find_commit(workspace, revision)?),
            None => workspace.repo.code_commit(),
        };
        for (name, lines) in readings(&request.target) {
            let full = folder.join(name);
            let below =
                if full.is_file() { roots.below(&full) } else { roots.below(&full).or_else(|| Some(name.to_owned())) };
            let Some(path) = below else { continue };
            if request.revision.is_none() && full.is_file() {
                let text = read_file(&full)?;
                return Ok(Some(File { path, lines, commit, now: Some(text) }));
            }
            if let Some(id) = commit
                && workspace.repo.has_code_file(&workspace.repo.read_code_commit(&id)?, &path)?
            {
                return Ok(Some(File { path, lines, commit, now: None }));
            }
        }
        match &request.revision {
            Some(revision) => {
                Err(OpError::Request { reason: format!("'{}' is no file of '{revision}'", request.target) })
            }
            None => Ok(None),
        }
    }
}

/// Returns how a target can be read: a file as a whole, or one with lines behind it.
fn readings(target: &str) -> Vec<(&str, Option<(u32, u32)>)> {
    let mut found = vec![(target, None)];
    if let Some((name, lines)) = target.rsplit_once(':') {
        let (first, last) = lines.split_once(',').or_else(|| lines.split_once('-')).unwrap_or((lines, lines));
        if let (Ok(first), Ok(last), false) = (first.parse::<u32>(), last.parse::<u32>(), name.is_empty()) {
            found.insert(0, (name, Some((first, last))));
        }
    }
    found
}

fn find_commit(workspace: &Workspace, revision: &str) -> Result<ObjectId, OpError> {
    let found = workspace.repo.find_code_commit(revision)?;
    found.ok_or_else(|| OpError::UnknownCode { name: revision.to_owned() })
}

fn read_file(path: &Path) -> Result<String, OpError> {
    let error = |source| OpError::Read { path: path.display().to_string(), source };
    if std::fs::metadata(path).map_err(error)?.len() > FILE_MAX {
        return Err(error(std::io::Error::other("the file is too large")));
    }
    let bytes = std::fs::read(path).map_err(error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// One question under way.
struct Run<'w> {
    workspace: &'w Workspace,
    evidence: Evidence<'w>,
    links: HashMap<(ObjectId, String), Vec<Link>>,
    causes: Causes<'w>,
}

/// Where one line came from.
#[derive(Clone, PartialEq)]
struct Origin {
    commit: Option<ObjectId>,
    link: Option<Link>,
}

impl Run<'_> {
    fn lines(mut self, file: File) -> Result<Explained, OpError> {
        let repo = &self.workspace.repo;
        let head = file.commit.map(|id| repo.read_code_commit(&id)).transpose()?;
        let committed = match &head {
            Some(head) => repo.code_file(head, &file.path, &Reach::Far.limits())?,
            None => None,
        };
        let text = file.now.clone().or_else(|| committed.clone()).unwrap_or_default();
        let count = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
        let (first, last) = file.lines.unwrap_or((1, count));
        if first == 0 || first > last || last > count {
            let reason = format!("'{}' has {count} lines, not {first},{last}", file.path);
            return Err(if count == 0 {
                OpError::Request { reason: format!("'{}' is empty", file.path) }
            } else {
                OpError::Request { reason }
            });
        }
        let old = committed.unwrap_or_default();
        let (removed, added) =
            if file.now.is_some() { lines_between(&bare(&old), &bare(&text)) } else { (Vec::new(), Vec::new()) };
        let new_links = if added.is_empty() {
            Vec::new()
        } else {
            let changed = CodeFile {
                path: file.path.clone(),
                old: (!old.is_empty()).then(|| old.clone()),
                new: Some(text.clone()),
                added: added.clone(),
                removed: removed.clone(),
                ..CodeFile::default()
            };
            let changes = CodeChanges { files: vec![changed], is_complete: true, is_cut_short: false };
            self.evidence.link_changes(&changes, head.as_ref())?
        };
        // Each line of the work tree is new, or has its place in the commit.
        let place = Places::new(&removed, &added);
        let wanted: Vec<(u32, Option<u32>)> = (first..=last).map(|line| (line, place.old(line))).collect();
        let olds = || wanted.iter().filter_map(|(_, old)| *old);
        let blamed: HashMap<u32, BlamedLine> = match (&head, olds().min(), olds().max()) {
            (Some(head), Some(low), Some(high)) => {
                let blamed = repo.blame_code(&head.id, &file.path, Some((low, high)))?;
                blamed.into_iter().map(|line| (line.line, line)).collect()
            }
            _ => HashMap::new(),
        };
        let mut found: Vec<(u32, Origin)> = Vec::new();
        for (line, old) in wanted {
            let origin = match old.and_then(|old| blamed.get(&old)) {
                Some(blamed) => {
                    let links = self.links_of(&blamed.commit, &blamed.path)?;
                    let link = links.iter().find(|link| link.covers(&blamed.path, blamed.original)).cloned();
                    Origin { commit: Some(blamed.commit), link }
                }
                None => {
                    Origin { commit: None, link: new_links.iter().find(|link| link.covers(&file.path, line)).cloned() }
                }
            };
            found.push((line, origin));
        }
        let mut lines: Vec<WhyLines> = Vec::new();
        let mut before: Option<Origin> = None;
        for (line, origin) in found {
            let is_same = before.as_ref().is_some_and(|before| {
                before.commit == origin.commit
                    && match (&before.link, &origin.link) {
                        (Some(one), Some(other)) => (one.entry, &one.call) == (other.entry, &other.call),
                        (None, None) => true,
                        _ => false,
                    }
            });
            match lines.last_mut().filter(|_| is_same) {
                Some(known) => known.last = line,
                None => {
                    let cause = origin.link.as_ref().map(|link| self.causes.find(link)).transpose()?.flatten();
                    let commit = origin.commit.map(|id| self.brief(&id)).transpose()?;
                    lines.push(WhyLines { first: line, last: line, commit, cause });
                }
            }
            before = Some(origin);
        }
        Ok(Explained::Lines { path: file.path, lines })
    }

    fn commit(mut self, target: &str) -> Result<Explained, OpError> {
        let id = find_commit(self.workspace, target)?;
        let brief = self.brief(&id)?;
        let mut causes = Vec::new();
        let mut links = self.indexed(&id, None)?;
        if links.is_empty() {
            links = self.compute(&id, None)?;
        }
        for link in links {
            if let Some(cause) = self.causes.find(&link)? {
                causes.push((link, cause));
            }
        }
        Ok(Explained::Commit { commit: brief, causes })
    }

    /// Returns the links of a file of a commit: from the index, or else from the evidence.
    fn links_of(&mut self, id: &ObjectId, path: &str) -> Result<Vec<Link>, OpError> {
        let key = (*id, path.to_owned());
        if let Some(known) = self.links.get(&key) {
            return Ok(known.clone());
        }
        let mut sound = Vec::new();
        for link in self.indexed(id, Some(path))? {
            if self.causes.find(&link)?.is_some() {
                sound.push(link);
            }
        }
        if sound.is_empty() {
            sound = self.compute(id, Some(path))?;
        }
        self.links.insert(key, sound.clone());
        Ok(sound)
    }

    /// Reads the links of a commit from the indexes. The own one is believed; what somebody else says counts as far as
    /// the context bears it out.
    fn indexed(&self, id: &ObjectId, path: Option<&str>) -> Result<Vec<Link>, OpError> {
        let mut found: Vec<Link> = Vec::new();
        let mut commit = None;
        let records = index::records(self.workspace, &MetaPath::of_commit(id))?;
        for (is_own, record) in records.into_iter().filter(|(_, record)| record.commit == *id) {
            for link in record.links.into_iter().filter(|link| path.is_none_or(|path| link.path == path)) {
                if !is_own {
                    let is_known =
                        |known: &Link| (known.entry, &known.call, &known.path) == (link.entry, &link.call, &link.path);
                    if found.iter().any(is_known) {
                        continue;
                    }
                    if commit.is_none() {
                        commit = Some(self.workspace.repo.read_code_commit(id)?);
                    }
                    if !commit.as_ref().is_some_and(|commit| self.evidence.bears_out(commit, &link)) {
                        continue;
                    }
                } else if self.evidence.has_failed(&link) {
                    continue;
                }
                found.push(link);
            }
        }
        Ok(found)
    }

    fn compute(&self, id: &ObjectId, only: Option<&str>) -> Result<Vec<Link>, OpError> {
        let commit: CodeCommit = self.workspace.repo.read_code_commit(id)?;
        Ok(self.evidence.link_commit(&commit, only, &Known::new())?.links)
    }

    fn brief(&self, id: &ObjectId) -> Result<CodeBrief, OpError> {
        let CodeCommit { id, author, authored, subject, .. } = self.workspace.repo.read_code_commit(id)?;
        Ok(CodeBrief { id, author, seconds: authored, subject })
    }
}

/// Returns a text with the same lines and without white space in them: a line that was indented is not a new one.
fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    for line in text.lines() {
        bare.push_str(&normal(line));
        bare.push('\n');
    }
    bare
}

/// Where the lines of a new text are in the old one.
struct Places {
    /// Ranges of lines, from 0, that only the old or the new text has, in order.
    removed: Vec<bool>,
    added: Vec<bool>,
    /// For each line that both have, in order: its place in the old text.
    common: Vec<u32>,
}

impl Places {
    fn new(removed: &[std::ops::Range<usize>], added: &[std::ops::Range<usize>]) -> Self {
        let flags = |ranges: &[std::ops::Range<usize>]| {
            let mut flags = vec![false; ranges.last().map_or(0, |last| last.end)];
            ranges.iter().for_each(|range| flags[range.clone()].fill(true));
            flags
        };
        let removed = flags(removed);
        let common = (0..removed.len()).filter(|at| !removed[*at]).filter_map(|at| u32::try_from(at).ok()).collect();
        Places { removed, added: flags(added), common }
    }

    /// Returns the old number of a line, both from 1; `None` for a new one.
    fn old(&self, line: u32) -> Option<u32> {
        let at = line as usize - 1;
        if self.added.get(at).copied().unwrap_or(false) {
            return None;
        }
        let new_before = self.added.iter().take(at).filter(|added| **added).count();
        let nth = at - new_before;
        let old = match self.common.get(nth) {
            Some(old) => *old as usize,
            // Behind the last change, the two texts are the same.
            None => self.removed.len() + nth - self.common.len(),
        };
        u32::try_from(old + 1).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_work_tree_have_their_places_in_the_commit() {
        let (old, new) = ("a\nb\nc\nd\ne\n", "x\na\nc\ny\nz\nd\ne\nend\n");
        let (removed, added) = lines_between(old, new);
        let places = Places::new(&removed, &added);
        let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let mut same = 0;
        for line in 1..=new.len() as u32 {
            if let Some(at) = places.old(line) {
                assert_eq!(old[at as usize - 1], new[line as usize - 1]);
                same += 1;
            }
        }
        assert_eq!(same, 4);
        assert_eq!(Places::new(&[], &[]).old(7), Some(7));
    }

    #[test]
    fn a_target_is_a_file_with_lines_or_without() {
        assert_eq!(readings("a:3"), [("a", Some((3, 3))), ("a:3", None)]);
        assert_eq!(readings("a:3,5")[0], ("a", Some((3, 5))));
        assert_eq!(readings("a:b"), [("a:b", None)]);
        assert_eq!(readings(":3"), [(":3", None)]);
    }
}
