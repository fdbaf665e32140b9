//! Classes of Unicode scalar values, as the pre-tokenisation patterns distinguish them.

/// A set of classes, one bit each; a single class is a set of one.
pub(super) type Classes = u16;

/// Everything not named below: punctuation, symbols, controls, unassigned.
pub(super) const OTHER: Classes = 1;
/// `\p{Lu}` and `\p{Lt}`.
pub(super) const UPPER: Classes = 1 << 1;
/// `\p{Ll}`.
pub(super) const LOWER: Classes = 1 << 2;
/// `\p{Lm}` and `\p{Lo}`.
pub(super) const CASELESS: Classes = 1 << 3;
/// `\p{M}`.
pub(super) const MARK: Classes = 1 << 4;
/// `\p{N}`.
pub(super) const NUMBER: Classes = 1 << 5;
/// `\r` and `\n`.
pub(super) const NEWLINE: Classes = 1 << 6;
/// `\s` without the line ends.
pub(super) const SPACE: Classes = 1 << 7;
/// Behind the last character: in no set that a pattern asks for.
pub(super) const END: Classes = 0;

/// `\p{L}`.
pub(super) const LETTER: Classes = UPPER | LOWER | CASELESS;

const BLOCK: usize = 128;
/// Block number of every 128 scalar values. Made by the build script from the tables of `regex-syntax`.
static INDEX: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/class_index.bin"));
static BLOCKS: &[[u8; BLOCK]] = include_bytes!(concat!(env!("OUT_DIR"), "/class_blocks.bin")).as_chunks::<BLOCK>().0;
static ASCII: [u8; BLOCK] = BLOCKS[INDEX[0] as usize];

/// Returns the class of the character that starts at `at`, and its length in bytes; `(END, 0)` behind the text.
///
/// `text` must be valid UTF-8; anything else yields some class, and never a panic.
#[inline(always)]
pub(super) fn class_at(text: &[u8], at: usize) -> (Classes, usize) {
    match text.get(at) {
        Some(byte) if *byte < 0x80 => (1 << ASCII[usize::from(*byte)], 1),
        Some(lead) => wide_class(text, at, *lead),
        None => (END, 0),
    }
}

/// Returns the end of the run of characters in `set` that starts at `at`.
#[inline(always)]
pub(super) fn run(text: &[u8], mut at: usize, set: Classes) -> usize {
    loop {
        let (class, len) = class_at(text, at);
        if class & set == 0 {
            return at;
        }
        at += len;
    }
}

#[inline]
fn wide_class(text: &[u8], at: usize, lead: u8) -> (Classes, usize) {
    let next = |offset: usize| text.get(at + offset).map_or(0, |byte| u32::from(byte & 0x3F));
    let lead = u32::from(lead);
    let (scalar, len) = if lead < 0xE0 {
        ((lead & 0x1F) << 6 | next(1), 2)
    } else if lead < 0xF0 {
        ((lead & 0x0F) << 12 | next(1) << 6 | next(2), 3)
    } else {
        ((lead & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3), 4)
    };
    let block = INDEX.get(scalar as usize / BLOCK).map_or(0, |block| usize::from(*block));
    let class = BLOCKS.get(block).map_or(0, |block| block[scalar as usize % BLOCK]);
    (1 << class, len)
}
