//! What a ref was before: its log, newest line first.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::head::{HEAD, Head};
use super::refs::Backend;
use super::{Repo, StoreError, ref_file, reftable};
use crate::model::{Branch, ObjectId};

/// Bytes that are read at a time, from the end: a log may be long, and what is asked for is mostly near.
const BLOCK: u64 = 16 << 10;

impl Repo {
    /// Returns what a ref held before its last `nth` changes, as git's `<ref>@{<nth>}`.
    pub(super) fn logged(&self, name: &str, nth: usize) -> Result<Option<ObjectId>, StoreError> {
        if self.refs == Backend::Reftable {
            return Ok(reftable::resolve(self, &format!("{name}@{{{nth}}}")));
        }
        let (mut left, mut found, mut oldest) = (nth, None, None);
        newest_lines(&ref_file::log_path(self, name), &mut |line| {
            let (old, new) = (id_at(line, 0), id_at(line, 1));
            if left == 0 {
                found = new;
                return false;
            }
            left -= 1;
            oldest = old;
            true
        })?;
        // Before its first line, a ref was what that line says it was.
        Ok(found.or(oldest.filter(|id| left == 0 && id.as_bytes().iter().any(|byte| *byte != 0))))
    }

    /// Returns the ids that a ref's log names, as far back as it goes.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn logged_ids(&self, name: &str) -> Result<Vec<ObjectId>, StoreError> {
        let mut found = Vec::new();
        if self.refs == Backend::Reftable {
            found.extend(reftable::logged_ids(self, name));
            return Ok(found);
        }
        let is_real = |id: &ObjectId| id.as_bytes().iter().any(|byte| *byte != 0);
        newest_lines(&ref_file::log_path(self, name), &mut |line| {
            found.extend([id_at(line, 0), id_at(line, 1)].into_iter().flatten().filter(is_real));
            true
        })?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Returns where HEAD was before its last `nth` switches, as git's `@{-<nth>}`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn previous_head(&self, nth: usize) -> Result<Option<Head>, StoreError> {
        let mut left = nth;
        let mut from: Option<String> = None;
        let mut renamed: Vec<(String, String)> = Vec::new();
        let mut look = |message: &str| {
            let names = |start: &str| message.strip_prefix(start)?.split_once(" to ");
            if let Some((name, _)) = names("checkout: moving from ") {
                left = left.saturating_sub(1);
                if left == 0 {
                    from = Some(name.to_owned());
                }
            } else if let Some((old, new)) = names("trace branch: renamed ") {
                renamed.push((old.to_owned(), new.to_owned()));
            }
            from.is_none()
        };
        match self.refs {
            Backend::Files => newest_lines(&ref_file::log_path(self, HEAD), &mut |line| {
                look(line.split_once('\t').map_or("", |(_, message)| message))
            })?,
            Backend::Reftable => reftable::log_messages(self, HEAD).lines().all(&mut look),
        };
        let head = |name: String| match name.split_once('/') {
            Some((agent, branch)) => Branch::new(agent, branch).ok().map(Head::Branch),
            None => name.parse().ok().map(Head::Detached),
        };
        // The branch may have another name since.
        for (old, new) in renamed.into_iter().rev() {
            if from.as_deref() == Some(&old) {
                from = Some(new);
            }
        }
        Ok(from.and_then(head))
    }
}

fn id_at(line: &str, nth: usize) -> Option<ObjectId> {
    line.split(' ').nth(nth)?.parse().ok()
}

/// Reads a file's lines from the last to the first, until the reader has had enough; tells whether it never had.
fn newest_lines(path: &Path, take: &mut dyn FnMut(&str) -> bool) -> Result<bool, StoreError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        opened => opened.map_err(StoreError::io("read", path))?,
    };
    let read = |file: &mut File, start: u64, length: u64| {
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    let mut end = file.metadata().map_err(StoreError::io("read", path))?.len();
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let start = end.saturating_sub(BLOCK);
        let mut bytes = read(&mut file, start, end - start).map_err(StoreError::io("read", path))?;
        bytes.append(&mut rest);
        let mut lines = bytes.split(|byte| *byte == b'\n');
        // The first line of a block may have its beginning in the block before.
        rest = if start == 0 { Vec::new() } else { lines.next().unwrap_or_default().to_vec() };
        for line in lines.rev().filter(|line| !line.is_empty()) {
            if !take(&String::from_utf8_lossy(line)) {
                return Ok(false);
            }
        }
        if start == 0 {
            return Ok(true);
        }
        end = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_newest_first_however_long_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let lines: Vec<String> = (0..4000).map(|nth| format!("{nth}{}", "x".repeat(nth * 37 % 300))).collect();
        let long = "y".repeat(3 * BLOCK as usize);
        std::fs::write(&path, format!("{}\n{long}\n{}\n", lines[..2000].join("\n"), lines[2000..].join("\n")))
            .expect("a file");
        let mut read = Vec::new();
        let whole = newest_lines(&path, &mut |line| {
            read.push(line.to_owned());
            true
        });
        assert!(whole.expect("it can be read"));
        read.reverse();
        assert_eq!(read.remove(2000), long);
        assert_eq!(read, lines);
        assert!(newest_lines(&folder.path().join("none"), &mut |_| false).expect("no log, no lines"));
    }
}
