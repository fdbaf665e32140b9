//! The journal: which tool calls wrote to which files, by the file's name. It is a cache under the git directory.
//!
//! Each file name has a short list of its newest writes, which is all that a git hook reads, and a long list of older
//! ones. So the work of a hook does not grow with the number of sessions. The words themselves stay in the entries.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::path::Roots;
use crate::capture::{failed_calls, file_writes};
use crate::model::{EntryId, ObjectId};
use crate::ops::Workspace;

/// Size from which on the older half of a short list goes to the long one, in bytes.
const SHORT_MAX: u64 = 32 << 10;

/// Bytes of a long list that are read, from its end.
const LONG_MAX: u64 = 64 << 20;

/// Name of the list of the newest writes of all.
const RECENT: &str = "recent";

/// Beginning of the names of the lists of calls that did not work.
const FAILED: &str = "failed-";

/// Length from which on a call's id names no other call of any session.
const UNIQUE_ID: usize = 16;

/// Says that a tool call wrote to a file; or, without a path, that it did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) struct Note {
    /// When, in milliseconds since the epoch.
    pub(in crate::ops) millis: i64,
    /// Whether the session says so; else that is merely when it was read.
    pub(in crate::ops) is_dated: bool,
    pub(in crate::ops) branch: String,
    pub(in crate::ops) session: Option<String>,
    pub(in crate::ops) entry: EntryId,
    /// The commit that brought the call.
    pub(in crate::ops) trace: ObjectId,
    /// The entry's body then.
    pub(in crate::ops) body: ObjectId,
    pub(in crate::ops) call: String,
    /// As [`Roots::noted`] has it.
    pub(in crate::ops) path: String,
}

impl Note {
    /// Tells whether it says of a call that it did not work.
    pub(in crate::ops) fn is_failure(&self) -> bool {
        self.path.is_empty()
    }

    /// Tells whether this failure is of another note's call.
    fn is_of(&self, other: &Note) -> bool {
        let is_here = match (&self.session, &other.session) {
            (Some(one), Some(other)) => one == other,
            _ => self.branch == other.branch,
        };
        self.is_failure() && self.call == other.call && (is_here || self.call.len() >= UNIQUE_ID)
    }
}

/// Finds the writes of messages, one after the other.
pub(in crate::ops) struct Noting {
    roots: Option<Roots>,
    /// The folder in which the session runs.
    folder: Option<String>,
    /// The writes of the message that is being stored, with its body.
    waiting: Option<(ObjectId, Vec<crate::model::FileWrite>)>,
    /// The calls that it says did not work.
    failed: Vec<String>,
    pub(in crate::ops) notes: Vec<Note>,
}

impl Noting {
    pub(in crate::ops) fn new() -> Self {
        Noting { roots: None, folder: None, waiting: None, failed: Vec::new(), notes: Vec::new() }
    }

    /// Takes note of where the session runs now.
    pub(in crate::ops) fn set_folder(&mut self, folder: &str) {
        self.folder = Some(folder.to_owned());
    }

    /// Looks for writes in a message of a model, and in any message for calls that did not work.
    pub(in crate::ops) fn look(&mut self, id: ObjectId, body: &[u8], is_of_model: bool) {
        let writes = if is_of_model { file_writes(body) } else { Vec::new() };
        self.waiting = (!writes.is_empty()).then_some((id, writes));
        self.failed = failed_calls(body);
    }

    /// Notes what was found, once the commit is known; `note` lends its other fields.
    pub(in crate::ops) fn stored(&mut self, workspace: &Workspace, note: impl Fn() -> Note) {
        let failed = std::mem::take(&mut self.failed).into_iter();
        self.notes.extend(failed.map(|call| Note { call, path: String::new(), ..note() }));
        let Some((body, writes)) = self.waiting.take() else { return };
        let roots = self.roots.get_or_insert_with(|| Roots::of(workspace));
        for write in writes {
            if let Some(path) = roots.noted(&write, self.folder.as_deref()) {
                self.notes.push(Note { body, call: write.call, path, ..note() });
            }
        }
    }
}

/// The lists on disk.
pub(in crate::ops) struct Journal {
    dir: PathBuf,
    lock: PathBuf,
    /// Notes by the file's name, in a rehearsal that leaves the disk alone.
    rehearsed: Option<HashMap<String, Vec<Note>>>,
    /// The lists of calls that did not work, as far as they were read.
    failures: RefCell<HashMap<String, Vec<Note>>>,
}

impl Journal {
    pub(in crate::ops) fn of(workspace: &Workspace) -> Self {
        let dir = workspace.repo.trace_dir();
        let (dir, lock) = (dir.join("writes"), dir.join("writes.lock"));
        Journal { dir, lock, rehearsed: None, failures: RefCell::default() }
    }

    /// Stands for lists with these notes, without a disk.
    pub(in crate::ops) fn rehearsed(workspace: &Workspace, notes: Vec<Note>) -> Self {
        let mut lists: HashMap<String, Vec<Note>> = HashMap::new();
        for note in notes {
            let name = if note.is_failure() { failure_key(&note.call) } else { name_of(&note.path).to_owned() };
            lists.entry(name).or_default().push(note);
        }
        Journal { rehearsed: Some(lists), ..Journal::of(workspace) }
    }

    /// Tells whether nothing was ever noted.
    pub(in crate::ops) fn is_empty(&self) -> bool {
        match &self.rehearsed {
            Some(lists) => lists.is_empty(),
            None => !self.dir.join(RECENT).exists(),
        }
    }

    /// Tells whether anything was written to a file of this name.
    pub(in crate::ops) fn knows(&self, path: &str) -> bool {
        match &self.rehearsed {
            Some(lists) => lists.contains_key(name_of(path)),
            None => self.short(path).exists(),
        }
    }

    /// Adds notes.
    pub(in crate::ops) fn add(&self, notes: &[Note]) -> io::Result<()> {
        if notes.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(&self.dir)?;
        let _guard = self.guard()?;
        self.add_unguarded(&self.dir, notes)
    }

    /// Reads the newest notes on files of this name, oldest first; all of them if `all`.
    pub(in crate::ops) fn read(&self, path: &str, all: bool) -> Vec<Note> {
        if let Some(lists) = &self.rehearsed {
            return lists.get(name_of(path)).cloned().unwrap_or_default();
        }
        let short = self.short(path);
        let mut notes = if all { read_notes(&short.with_extension("old"), LONG_MAX) } else { Vec::new() };
        notes.extend(read_notes(&short, 2 * SHORT_MAX));
        let name = name_of(path);
        notes.retain(|note| name_of(&note.path) == name);
        notes
    }

    /// Tells whether the call of a note is known not to have worked.
    pub(in crate::ops) fn has_failed(&self, note: &Note) -> bool {
        let key = failure_key(&note.call);
        if let Some(lists) = &self.rehearsed {
            return lists.get(&key).into_iter().flatten().any(|failure| failure.is_of(note));
        }
        let mut failures = self.failures.borrow_mut();
        let list = failures.entry(key).or_insert_with_key(|key| read_notes(&self.dir.join(key), LONG_MAX));
        list.iter().any(|failure| failure.is_of(note))
    }

    /// Reads the newest notes of all.
    pub(in crate::ops) fn recent(&self) -> Vec<Note> {
        match &self.rehearsed {
            Some(lists) => lists.values().flatten().filter(|note| !note.is_failure()).cloned().collect(),
            None => read_notes(&self.dir.join(RECENT), 2 * SHORT_MAX),
        }
    }

    /// Puts these notes in the place of all; those that came in since `started` stay.
    pub(in crate::ops) fn rebuild(&self, notes: &[Note], started: SystemTime) -> io::Result<()> {
        let new = self.dir.with_extension(format!("{:08x}", fastrand::u32(..)));
        fs::create_dir_all(&new)?;
        self.add_unguarded(&new, notes)?;
        let _guard = self.guard()?;
        let known: HashSet<ObjectId> = notes.iter().map(|note| note.trace).collect();
        let mut late = Vec::new();
        for file in fs::read_dir(&self.dir).into_iter().flatten().filter_map(Result::ok) {
            let is_late = file.metadata().and_then(|data| data.modified()).is_ok_and(|time| time >= started);
            let is_list = file.path().extension().is_none() && file.file_name() != RECENT;
            if is_late && is_list {
                late.extend(
                    read_notes(&file.path(), 2 * SHORT_MAX).into_iter().filter(|note| !known.contains(&note.trace)),
                );
            }
        }
        // Most of them were there before, and their branches are gone: there is nothing any more to show for them.
        late.retain(|note| u128::try_from(note.millis).is_ok_and(|millis| millis + 60_000 >= since_epoch(started)));
        self.add_unguarded(&new, &late)?;
        let old = self.dir.with_extension(format!("old-{:08x}", fastrand::u32(..)));
        if self.dir.exists() {
            fs::rename(&self.dir, &old)?;
        }
        fs::rename(&new, &self.dir)?;
        let _ = fs::remove_dir_all(&old);
        Ok(())
    }

    /// Changes the lines of all lists: `None` lets one go.
    pub(in crate::ops) fn change(&self, change: &dyn Fn(Note) -> Option<Note>) -> io::Result<()> {
        if !self.dir.exists() {
            return Ok(());
        }
        let _guard = self.guard()?;
        for file in fs::read_dir(&self.dir)?.filter_map(Result::ok) {
            let path = file.path();
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
            let changed: String =
                lines.iter().filter_map(|line| change(decode(line)?)).map(|note| encode(&note)).collect();
            if changed != text {
                let temporary = path.with_extension("new");
                fs::write(&temporary, changed)?;
                fs::rename(&temporary, &path)?;
            }
        }
        Ok(())
    }

    fn guard(&self) -> io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.lock)?;
        file.lock()?;
        Ok(file)
    }

    fn add_unguarded(&self, dir: &Path, notes: &[Note]) -> io::Result<()> {
        let mut lists: BTreeMap<String, String> = BTreeMap::new();
        for note in notes {
            let line = encode(note);
            if note.is_failure() {
                lists.entry(failure_key(&note.call)).or_default().push_str(&line);
                continue;
            }
            lists.entry(key(&note.path)).or_default().push_str(&line);
            lists.entry(RECENT.to_owned()).or_default().push_str(&line);
        }
        for (name, text) in lists {
            let path = dir.join(&name);
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(text.as_bytes())?;
            if file.metadata()?.len() > SHORT_MAX && !name.starts_with(FAILED) {
                shorten(&path, name != RECENT)?;
            }
        }
        Ok(())
    }

    fn short(&self, path: &str) -> PathBuf {
        self.dir.join(key(path))
    }
}

/// Moves the older half of a list, or more, to the long one.
fn shorten(path: &Path, keeps: bool) -> io::Result<()> {
    let bytes = fs::read(path)?;
    let from = bytes.len().saturating_sub(SHORT_MAX as usize / 2);
    let cut = bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at);
    if keeps {
        let mut old = OpenOptions::new().create(true).append(true).open(path.with_extension("old"))?;
        old.write_all(&bytes[..cut])?;
    }
    let temporary = path.with_extension("new");
    fs::write(&temporary, &bytes[cut..])?;
    fs::rename(&temporary, path)
}

/// Returns the name of the list of files of this name.
fn key(path: &str) -> String {
    blake3::hash(name_of(path).as_bytes()).to_hex()[..16].to_owned()
}

/// Returns the name of the list of failures that has those of this call.
fn failure_key(call: &str) -> String {
    format!("{FAILED}{}", &blake3::hash(call.as_bytes()).to_hex()[..2])
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn since_epoch(time: SystemTime) -> u128 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_millis())
}

/// Writes a note as a line; a `~` before the time says that the session does not tell it. It begins with a line feed too, so that half a line, which a crash may leave, spoils no other.
fn encode(note: &Note) -> String {
    let Note { millis, is_dated, branch, session, entry, trace, body, call, path } = note;
    let mark = if *is_dated { "" } else { "~" };
    let session = escape(session.as_deref().unwrap_or_default());
    format!("\n1\t{mark}{millis}\t{branch}\t{session}\t{entry}\t{trace}\t{body}\t{}\t{}\n", escape(call), escape(path))
}

fn decode(line: &str) -> Option<Note> {
    let ["1", millis, branch, session, entry, trace, body, call, path] = line.split('\t').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    Some(Note {
        is_dated: !millis.starts_with('~'),
        millis: millis.trim_start_matches('~').parse().ok()?,
        branch: branch.to_owned(),
        session: Some(unescape(session)).filter(|session| !session.is_empty()),
        entry: entry.parse().ok()?,
        trace: trace.parse().ok()?,
        body: body.parse().ok()?,
        call: unescape(call),
        path: unescape(path),
    })
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\t', "%09").replace('\n', "%0a").replace('\r', "%0d")
}

fn unescape(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    text.replace("%0d", "\r").replace("%0a", "\n").replace("%09", "\t").replace("%25", "%")
}

/// Reads the end of a list; a call that is noted more than once, as in a fork of its session, is its first note.
fn read_notes(path: &Path, most: u64) -> Vec<Note> {
    let read = || {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(most)))?;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    let bytes = read().unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().filter_map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(number: u8, path: &str) -> Note {
        Note {
            millis: i64::from(number),
            is_dated: number.is_multiple_of(2),
            branch: "claude-1/main".to_owned(),
            session: None,
            entry: EntryId::from_bits(number.into()),
            trace: ObjectId::Sha1([number; 20]),
            body: ObjectId::Sha256([number; 32]),
            call: format!("call\t{number}%0a"),
            path: path.to_owned(),
        }
    }

    #[test]
    fn the_short_list_stays_short_and_nothing_is_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let (dir, lock) = (folder.path().join("writes"), folder.path().join("lock"));
        let journal = Journal { dir, lock, rehearsed: None, failures: RefCell::default() };
        assert!(journal.is_empty() && !journal.knows("a/b.rs"));
        let notes: Vec<Note> = (0..200).map(|number| note(number, "a/b\n%.rs")).collect();
        for _ in 0..10 {
            journal.add(&notes).expect("written");
        }
        journal.add(&[note(7, "other")]).expect("written");
        let size = fs::metadata(journal.short("b\n%.rs")).expect("a list").len();
        assert!(size <= SHORT_MAX, "{size}");
        let all = journal.read("x/b\n%.rs", true);
        assert_eq!(all.len(), 2000);
        assert_eq!(all[..200], notes[..]);
        assert!(journal.read("b\n%.rs", false).len() < 1000);
        assert_eq!(journal.recent().last(), Some(&note(7, "other")));
        // Half a line is no note, and spoils none.
        let mut file = OpenOptions::new().append(true).open(journal.short("other")).expect("a list");
        file.write_all(b"\n1\t5\tclaude").expect("written");
        journal.add(&[note(8, "other")]).expect("written");
        assert_eq!(journal.read("other", false), [note(7, "other"), note(8, "other")]);
        // A call that did not work is told by its id, in its session where others may use the same.
        let failure = |number: u8| Note { path: String::new(), ..note(number, "") };
        journal.add(&[failure(8)]).expect("written");
        assert!(journal.has_failed(&note(8, "other")) && !journal.has_failed(&note(7, "other")));
        let elsewhere = Note { branch: "claude-2/main".to_owned(), ..note(8, "other") };
        assert!(!journal.has_failed(&elsewhere));
        assert_eq!(journal.recent().last(), Some(&note(8, "other")));
        journal.rebuild(&[note(9, "new")], SystemTime::now()).expect("rebuilt");
        assert!(!journal.knows("other") && journal.read("new", true).len() == 1);
    }
}
