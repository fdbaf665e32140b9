//! Stored bytes as they are, for programs.

use std::io;

use super::{OutputError, Ui, escape_bytes};

/// Writes stored bytes to standard output: unchanged to a pipe or file, escaped where a person reads them.
///
/// A character of UTF-8 may be split over two writes. What is incomplete at the end goes out when the writer is
/// dropped.
pub struct RawOut<'a> {
    ui: &'a Ui,
    /// The start of a character that is not complete yet, at most 3 bytes.
    rest: Vec<u8>,
}

impl<'a> RawOut<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        RawOut { ui, rest: Vec::new() }
    }

    /// Writes a piece.
    ///
    /// # Errors
    /// When nobody reads it, or it cannot be written.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        if !self.ui.is_watched() {
            return self.ui.write_answer(bytes);
        }
        let joined;
        let bytes = if self.rest.is_empty() {
            bytes
        } else {
            joined = [std::mem::take(&mut self.rest).as_slice(), bytes].concat();
            &joined
        };
        let complete = bytes.len() - incomplete(bytes);
        self.rest = bytes[complete..].to_vec();
        self.ui.write_answer(escape_bytes(&bytes[..complete]).as_bytes())
    }
}

impl io::Write for RawOut<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.ui.flush()?)
    }
}

impl Drop for RawOut<'_> {
    fn drop(&mut self) {
        if !self.rest.is_empty() {
            // A fault is remembered and told by the next write, or at the end.
            let _ = self.ui.write_answer(escape_bytes(&self.rest).as_bytes());
        }
    }
}

/// Counts the bytes at the end that are the start of a character.
fn incomplete(bytes: &[u8]) -> usize {
    let longest = bytes.len().min(3);
    for length in 1..=longest {
        let tail = &bytes[bytes.len() - length..];
        let needed = match tail[0] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if length < needed { length } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::{Environment, Settings};

    fn written(environment: Environment, pieces: &[&[u8]]) -> Vec<u8> {
        let (ui, captured) = Ui::captured(Settings { environment, ..Settings::default() });
        let mut raw = ui.raw_out();
        for piece in pieces {
            raw.put(piece).expect("memory takes it");
        }
        drop(raw);
        captured.answer_bytes()
    }

    #[test]
    fn bytes_are_unchanged_only_where_no_person_reads_them() {
        let hostile: &[&[u8]] = &[b"a\x1b[31m\xff\r\n"];
        assert_eq!(written(Environment::default(), hostile), hostile[0]);
        let paged_by_git = Environment::default().with("GIT_PAGER_IN_USE", "1");
        for environment in [Environment::default().with_terminal(), paged_by_git] {
            assert_eq!(written(environment, hostile), b"a^[[31m\\xff^M\n");
        }
    }

    proptest! {
        #[test]
        fn where_the_writes_are_cut_does_not_matter(text in "\\PC{0,30}", bytes: Vec<u8>, at in 0_usize..30) {
            for whole in [text.as_bytes(), &bytes] {
                let at = at.min(whole.len());
                let pieces = written(Environment::default().with_terminal(), &[&whole[..at], &whole[at..]]);
                let once = written(Environment::default().with_terminal(), &[whole]);
                // A selector at the start of a piece has lost what stood before it.
                prop_assume!(!text.contains(['\u{fe0e}', '\u{fe0f}']));
                prop_assert_eq!(pieces, once);
            }
        }
    }
}
