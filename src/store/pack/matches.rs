//! Finds what repeats within one short object.

/// The longest input: every earlier byte is then near enough for deflate to name.
pub(super) const MAX_INPUT: usize = 1 << 15;
/// The longest repetition that deflate can name.
pub(super) const MAX_MATCH: usize = 258;
/// Shorter repetitions cost more than they save.
const MIN_MATCH: usize = 4;
const HASH_BITS: u32 = 12;

/// A byte as it is, or a repetition of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// One byte.
    Literal(u8),
    /// `len` bytes (4 to 258) that stood `distance` bytes (1 to 32768) before.
    Repeat {
        /// The number of bytes.
        len: u16,
        /// How far back they stood.
        distance: u16,
    },
}

/// Splits objects into tokens, one object after the other, without clearing its table in between.
///
/// That is the point of it: zlib clears 128 KB for every object, which takes longer than compressing a short one.
pub(super) struct Matcher {
    /// The last place of each hash, counted on over all objects, so that those of earlier objects are known to be old.
    heads: Vec<u32>,
    /// The place before it with the same hash.
    previous: Vec<u32>,
    /// The count at which the present object starts; never 0.
    start: u32,
    /// How many places are tried for each repetition.
    tries: u32,
    /// Whether a repetition is given up for a longer one that starts a byte later.
    lazy: bool,
}

impl Matcher {
    /// Makes a matcher for a deflate level of 1 to 9.
    pub(super) fn new(level: u8) -> Self {
        let (tries, lazy) = match level {
            0..=1 => (1, false),
            2..=3 => (4, false),
            4..=5 => (8, true),
            6..=7 => (32, true),
            _ => (256, true),
        };
        Self { heads: vec![0; 1 << HASH_BITS], previous: Vec::new(), start: 1, tries, lazy }
    }

    /// Replaces `tokens` by those of `bytes`, of which there are at most [`MAX_INPUT`].
    pub(super) fn split(&mut self, bytes: &[u8], tokens: &mut Vec<Token>) {
        debug_assert!(bytes.len() <= MAX_INPUT);
        tokens.clear();
        if self.start > u32::MAX / 2 {
            self.heads.fill(0);
            self.start = 1;
        }
        if self.previous.len() < bytes.len() {
            self.previous.resize(bytes.len(), 0);
        }
        let mut at = 0;
        let mut found = self.look(bytes, at, MIN_MATCH - 1);
        while at < bytes.len() {
            let Some((len, distance)) = found else {
                tokens.push(Token::Literal(bytes[at]));
                at += 1;
                found = self.look(bytes, at, MIN_MATCH - 1);
                continue;
            };
            if self.lazy && len < 32 {
                let later = self.look(bytes, at + 1, len);
                if later.is_some() {
                    tokens.push(Token::Literal(bytes[at]));
                    at += 1;
                    found = later;
                    continue;
                }
            }
            tokens.push(Token::Repeat { len: len as u16, distance: distance as u16 });
            for skipped in at + 1 + usize::from(self.lazy && len < 32)..at + len {
                self.remember(bytes, skipped);
            }
            at += len;
            found = self.look(bytes, at, MIN_MATCH - 1);
        }
        self.start += bytes.len() as u32;
    }

    /// Remembers the place `at` and returns the last place with the same hash, if it is one of this object.
    fn remember(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        let hash = u32::from_le_bytes(four).wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS);
        let head = &mut self.heads[hash as usize];
        let last = std::mem::replace(head, self.start + at as u32);
        self.previous[at] = last;
        last.checked_sub(self.start).map(|at| at as usize)
    }

    /// Returns length and distance of the longest repetition at `at` that is longer than `least`.
    fn look(&mut self, bytes: &[u8], at: usize, least: usize) -> Option<(usize, usize)> {
        let mut place = self.remember(bytes, at)?;
        let ahead = &bytes[at..bytes.len().min(at + MAX_MATCH)];
        let (mut best, mut best_place) = (least, None);
        for _ in 0..self.tries {
            // One byte tells most of the shorter ones.
            if best >= ahead.len() {
                break;
            }
            if bytes[place + best] == ahead[best] {
                let len = equal(&bytes[place..], ahead);
                if len > best {
                    (best, best_place) = (len, Some(place));
                }
            }
            match self.previous[place].checked_sub(self.start) {
                Some(next) => place = next as usize,
                None => break,
            }
        }
        best_place.map(|place| (best, at - place))
    }
}

/// The number of equal bytes at the beginning, eight at a time.
fn equal(left: &[u8], right: &[u8]) -> usize {
    let mut len = 0;
    for (left, right) in left.chunks_exact(8).zip(right.chunks_exact(8)) {
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("a chunk is 8 bytes"));
        let differing = word(left) ^ word(right);
        if differing != 0 {
            return len + (differing.trailing_zeros() / 8) as usize;
        }
        len += 8;
    }
    len + left[len..].iter().zip(&right[len..]).take_while(|(left, right)| left == right).count()
}
