//! A stream of bytes, cut at newlines.

use std::io::{self, Read};
use std::ops::Range;

const CHUNK: usize = 256 * 1024;
/// A buffer that one long line made larger than this is given back after the line.
const KEEP: usize = 8 * 1024 * 1024;

/// Reads lines without copying them, holding one line and one chunk in memory.
pub(in crate::capture) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    searched: usize,
    offset: u64,
    limit: usize,
    ended: bool,
}

/// Says where a line stands: in the stream, and in the buffer until the next one is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::capture) struct Span {
    /// Offset of its first byte in the stream.
    pub offset: u64,
    /// Offset after its newline, or the end of the stream.
    pub end: u64,
    /// Whether it ends in a newline.
    pub terminated: bool,
    /// Whether it was longer than the limit; its bytes are gone.
    pub too_long: bool,
    range: Range<usize>,
}

impl<R: Read> Lines<R> {
    /// Starts at `offset`, which the stream must stand at; lines over `limit` bytes are not held.
    pub(in crate::capture) fn new(input: R, offset: u64, limit: usize) -> Self {
        Lines { input, buffer: Vec::new(), start: 0, searched: 0, offset, limit, ended: false }
    }

    /// Finds the next line.
    pub(in crate::capture) fn next(&mut self) -> io::Result<Option<Span>> {
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.buffer[self.searched..]) {
                let newline = self.searched + found;
                return Ok(Some(self.cut(newline, newline + 1, true)));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() - self.start > self.limit {
                return self.skip().map(Some);
            }
            if self.ended {
                let end = self.buffer.len();
                return Ok((self.start < end).then(|| self.cut(end, end, false)));
            }
            self.fill()?;
        }
    }

    /// Returns the bytes of the line found last, without its newline.
    pub(in crate::capture) fn bytes(&self, span: &Span) -> &[u8] {
        &self.buffer[span.range.clone()]
    }

    fn cut(&mut self, line_end: usize, next: usize, terminated: bool) -> Span {
        let too_long = line_end - self.start > self.limit;
        let range = if too_long { 0..0 } else { self.start..line_end };
        let offset = self.offset;
        self.offset += (next - self.start) as u64;
        self.start = next;
        self.searched = next;
        Span { offset, end: self.offset, terminated, too_long, range }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.capacity() > KEEP && self.buffer.len() < CHUNK {
            self.buffer.shrink_to(CHUNK * 2);
        }
        let read = self.input.by_ref().take(CHUNK as u64).read_to_end(&mut self.buffer)?;
        self.ended = read == 0;
        Ok(())
    }

    fn skip(&mut self) -> io::Result<Span> {
        let offset = self.offset;
        let mut terminated = false;
        loop {
            self.offset += (self.buffer.len() - self.start) as u64;
            self.buffer.clear();
            (self.start, self.searched) = (0, 0);
            self.fill()?;
            if self.ended {
                break;
            }
            if let Some(newline) = memchr::memchr(b'\n', &self.buffer) {
                self.offset += newline as u64 + 1;
                (self.start, self.searched) = (newline + 1, newline + 1);
                terminated = true;
                break;
            }
        }
        Ok(Span { offset, end: self.offset, terminated, too_long: true, range: 0..0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8], limit: usize) -> Vec<(Option<Vec<u8>>, u64, u64, bool)> {
        let mut lines = Lines::new(bytes, 0, limit);
        let mut found = Vec::new();
        while let Some(span) = lines.next().expect("memory does not fail") {
            let text = (!span.too_long).then(|| lines.bytes(&span).to_vec());
            found.push((text, span.offset, span.end, span.terminated));
        }
        found
    }

    proptest! {
        #[test]
        fn every_byte_belongs_to_exactly_one_line(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..300), limit in 1usize..40) {
            let found = all(&bytes, limit);
            let mut at = 0;
            for (text, offset, end, terminated) in &found {
                prop_assert_eq!(*offset, at);
                let line = &bytes[*offset as usize..*end as usize];
                prop_assert_eq!(*terminated, line.ends_with(b"\n"));
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                prop_assert_eq!(text.is_none(), line.len() > limit);
                if let Some(text) = text {
                    prop_assert_eq!(text.as_slice(), line);
                }
                at = *end;
            }
            prop_assert_eq!(at, bytes.len() as u64);
        }
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_whole_and_one_over_the_limit_is_passed() {
        let mut bytes = vec![b'x'; 3 * CHUNK + 7];
        bytes.extend_from_slice(b"\nshort\n");
        assert_eq!(all(&bytes, 4 * CHUNK)[0].0.as_ref().map(Vec::len), Some(3 * CHUNK + 7));
        let found = all(&bytes, CHUNK);
        assert_eq!(found[0].0, None);
        assert_eq!(found[1].0.as_deref(), Some(&b"short"[..]));
    }
}
