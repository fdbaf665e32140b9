//! Byte pair merging: how many tokens a piece that is not itself a token becomes.

use super::vocabulary::{NO_RANK, Vocabulary};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Pieces up to this many parts are merged in an array on the stack; longer ones with a heap.
const ARRAY: usize = 128;
/// Longer pieces are counted in windows of this many bytes, so that memory stays bounded.
const WINDOW: usize = 4 << 20;

/// Counts the tokens of one piece. Time grows as n log n.
///
/// Memory is bounded to about 30 bytes for each byte of a window: a piece (one unbroken word or run) above 4 MiB is
/// counted in windows of 4 MiB, and every cut may add a token or two to the exact number.
pub(super) fn count(vocabulary: &Vocabulary, piece: &[u8]) -> u64 {
    piece.chunks(WINDOW).map(|window| count_window(vocabulary, window)).sum()
}

fn count_window(vocabulary: &Vocabulary, piece: &[u8]) -> u64 {
    let mut starts = [0_u16; ARRAY + 1];
    let mut parts = 0;
    for start in Parts::of(vocabulary, piece) {
        let Some(place) = starts.get_mut(parts).filter(|_| parts < ARRAY && start <= usize::from(u16::MAX)) else {
            return merge_in_heap(vocabulary, piece);
        };
        *place = start as u16;
        parts += 1;
    }
    let Ok(len) = u16::try_from(piece.len()) else { return merge_in_heap(vocabulary, piece) };
    starts[parts] = len;
    merge_in_array(vocabulary, piece, &mut starts[..=parts])
}

/// Where merging starts from: every byte, but a whole character where that cannot change the result.
struct Parts<'a> {
    vocabulary: &'a Vocabulary,
    piece: &'a [u8],
    at: usize,
}

impl<'a> Parts<'a> {
    fn of(vocabulary: &'a Vocabulary, piece: &'a [u8]) -> Self {
        Parts { vocabulary, piece, at: 0 }
    }

    /// Length of the part at `at`: a character's, when no merge may cross its two boundaries before it is whole.
    #[inline]
    fn length(&self, lead: u8) -> usize {
        let len = match lead {
            0xC2..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0..0xF8 => 4,
            _ => return 1,
        };
        let end = self.at + len;
        let Some([.., last]) = self.piece.get(self.at..end) else { return 1 };
        let before = self.at.checked_sub(1).and_then(|at| self.piece.get(at));
        let open_before = before.is_some_and(|before| self.vocabulary.joins(*before, lead));
        let open_after = self.piece.get(end).is_some_and(|next| self.vocabulary.joins(*last, *next));
        if open_before || open_after || self.vocabulary.rank(&self.piece[self.at..end]) == NO_RANK { 1 } else { len }
    }
}

impl Iterator for Parts<'_> {
    /// Where the part starts.
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let start = self.at;
        let lead = *self.piece.get(start)?;
        self.at += if lead < 0x80 { 1 } else { self.length(lead) };
        Some(start)
    }
}

/// Merges in place: `starts` holds the start of each part, then the end of the piece.
fn merge_in_array(vocabulary: &Vocabulary, piece: &[u8], starts: &mut [u16]) -> u64 {
    let rank = |from: u16, to: u16| {
        piece.get(usize::from(from)..usize::from(to)).map_or(NO_RANK, |bytes| vocabulary.rank(bytes))
    };
    let mut parts = starts.len() - 1;
    let mut ranks = [NO_RANK; ARRAY];
    for at in 0..parts.saturating_sub(1) {
        ranks[at] = rank(starts[at], starts[at + 2]);
    }
    loop {
        let (mut lowest, mut at) = (NO_RANK, 0);
        for (place, rank) in ranks[..parts.saturating_sub(1)].iter().enumerate() {
            if *rank < lowest {
                (lowest, at) = (*rank, place);
            }
        }
        if lowest == NO_RANK {
            return parts as u64;
        }
        starts.copy_within(at + 2..=parts, at + 1);
        ranks.copy_within(at + 2..parts, at + 1);
        parts -= 1;
        ranks[at] = if at + 1 < parts { rank(starts[at], starts[at + 2]) } else { NO_RANK };
        if at > 0 {
            ranks[at - 1] = rank(starts[at - 1], starts[at + 1]);
        }
    }
}

/// A part in the heap merge; `next` is the index of the following part, `rank` that of this part joined with it.
struct Part {
    start: u32,
    previous: u32,
    next: u32,
    rank: u32,
}

const NONE: u32 = u32::MAX;

/// Merges with a heap of candidates; a candidate whose rank is no longer its part's is skipped.
fn merge_in_heap(vocabulary: &Vocabulary, piece: &[u8]) -> u64 {
    let mut parts: Vec<Part> = Parts::of(vocabulary, piece)
        .enumerate()
        .map(|(index, start)| Part {
            start: start as u32,
            previous: (index as u32).wrapping_sub(1),
            next: index as u32 + 1,
            rank: NO_RANK,
        })
        .collect();
    let Some(last) = parts.last_mut() else { return 0 };
    last.next = NONE;
    let mut count = parts.len() as u64;

    let rank_of = |parts: &[Part], index: u32| {
        let part = &parts[index as usize];
        let Some(right) = parts.get(part.next as usize) else { return NO_RANK };
        let end = parts.get(right.next as usize).map_or(piece.len(), |after| after.start as usize);
        vocabulary.rank(&piece[part.start as usize..end])
    };
    let mut candidates = Vec::with_capacity(parts.len());
    for index in 0..parts.len() as u32 {
        let rank = rank_of(&parts, index);
        parts[index as usize].rank = rank;
        if rank != NO_RANK {
            candidates.push(Reverse(candidate(rank, index)));
        }
    }
    let mut heap = BinaryHeap::from(candidates);
    while let Some(Reverse(lowest)) = heap.pop() {
        let (rank, index) = ((lowest >> 32) as u32, lowest as u32);
        if parts[index as usize].rank != rank {
            continue;
        }
        let right = parts[index as usize].next as usize;
        let after = parts[right].next;
        parts[right].rank = NO_RANK;
        parts[index as usize].next = after;
        if let Some(after) = parts.get_mut(after as usize) {
            after.previous = index;
        }
        count -= 1;
        for changed in [index, parts[index as usize].previous] {
            if changed == NONE {
                continue;
            }
            let rank = rank_of(&parts, changed);
            parts[changed as usize].rank = rank;
            if rank != NO_RANK {
                heap.push(Reverse(candidate(rank, changed)));
            }
        }
    }
    count
}

/// Lowest rank first, then leftmost.
fn candidate(rank: u32, index: u32) -> u64 {
    u64::from(rank) << 32 | u64::from(index)
}
