//! A block of lines of ours in a file of others: between two marks, put in and taken out byte for byte.

use std::ops::Range;

use memchr::memmem;

/// How the first line of a block begins.
const FIRST: &[u8] = b"# >>> git-trace";
/// The last line of a block.
const LAST: &[u8] = b"# <<< git-trace";

/// Puts a block, which ends with a line feed, behind the first `at` bytes, on lines of its own.
///
/// Where those bytes end within a line, the block's last line feed goes in front of it instead.
pub fn insert(bytes: &[u8], at: usize, block: &[u8]) -> Vec<u8> {
    let (before, after) = bytes.split_at(at);
    match before.last() {
        None | Some(b'\n') => [before, block, after].concat(),
        Some(_) => [before, b"\n", block.trim_ascii_end(), after].concat(),
    }
}

/// Finds the first block, with its line ends.
pub fn find(bytes: &[u8]) -> Option<Range<usize>> {
    let starts = memmem::find_iter(bytes, FIRST).find(|at| *at == 0 || bytes[at - 1] == b'\n')?;
    let after = memmem::find_iter(&bytes[starts..], LAST).map(|at| at + starts);
    let last = after.into_iter().find(|at| {
        let rest = &bytes[at + LAST.len()..];
        bytes[at - 1] == b'\n' && (rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n"))
    })?;
    let end = last + LAST.len();
    match memchr::memchr(b'\n', &bytes[end..]) {
        Some(newline) => Some(starts..end + newline + 1),
        // It was put in behind a line that did not end.
        None => Some(starts.saturating_sub(1)..bytes.len()),
    }
}

/// Takes all blocks out; `None` if there is none.
pub fn remove(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut left = bytes.to_vec();
    let mut found = false;
    while let Some(range) = find(&left) {
        left.drain(range);
        found = true;
    }
    found.then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] = b"# >>> git-trace: x\nours\n# <<< git-trace\n";

    #[test]
    fn blocks_come_and_go_byte_for_byte() {
        for text in
            ["", "a\n", "a", "a\nb", "a\r\n", "#!/bin/sh\nx\n", "\n\n", "# <<< git-trace\n", "x # >>> git-trace\n"]
        {
            for at in (0..=text.len()).filter(|at| *at == text.len() || *at == 0 || text.as_bytes()[at - 1] == b'\n') {
                let with = insert(text.as_bytes(), at, BLOCK);
                assert!(memmem::find(&with, b"\nours\n").is_some(), "{text:?}");
                assert_eq!(remove(&with).as_deref(), Some(text.as_bytes()), "{text:?} at {at}");
            }
            assert_eq!(remove(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn what_others_wrote_around_a_block_stays() {
        let edited = b"#!/bin/sh\n# theirs\n# >>> git-trace: older\nx\n# <<< git-trace\nmore\n";
        assert_eq!(remove(edited), Some(b"#!/bin/sh\n# theirs\nmore\n".to_vec()));
        assert_eq!(remove(b"# >>> git-trace\nno end\n"), None, "half a block is not ours to cut");
    }
}
