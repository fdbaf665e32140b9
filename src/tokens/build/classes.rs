//! Unicode classes of the pre-tokenisation patterns as a two-stage table.

use regex_syntax::hir::{Class, HirKind};
use std::path::Path;

/// Scalar values per block of the second stage.
const BLOCK: usize = 128;

/// In rising class number; later rows win, so `White_Space` decides for U+0085 and line ends for `\r` and `\n`.
const CLASSES: [(u8, &str); 7] = [
    (1, r"[\p{Lu}\p{Lt}]"),
    (2, r"\p{Ll}"),
    (3, r"[\p{Lm}\p{Lo}]"),
    (4, r"\p{M}"),
    (5, r"\p{N}"),
    (7, r"\s"),
    (6, r"[\r\n]"),
];

/// Writes `class_index.bin` (one byte a block) and `class_blocks.bin` (one byte a scalar value).
pub fn write(out: &Path) {
    let mut class_of = vec![0_u8; 0x11_0000];
    for (class, pattern) in CLASSES {
        for (first, last) in ranges(pattern) {
            class_of[first as usize..=last as usize].fill(class);
        }
    }
    let mut blocks: Vec<&[u8]> = Vec::new();
    let mut index = Vec::new();
    for block in class_of.chunks(BLOCK) {
        let at = blocks.iter().position(|known| *known == block).unwrap_or_else(|| {
            blocks.push(block);
            blocks.len() - 1
        });
        index.push(u8::try_from(at).expect("Unicode needs fewer than 256 distinct blocks"));
    }
    std::fs::write(out.join("class_index.bin"), index).expect("OUT_DIR is writable");
    std::fs::write(out.join("class_blocks.bin"), blocks.concat()).expect("OUT_DIR is writable");
}

fn ranges(pattern: &str) -> Vec<(u32, u32)> {
    let hir = regex_syntax::parse(pattern).expect("the patterns above are valid");
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|range| (range.start() as u32, range.end() as u32)).collect()
        }
        other => panic!("not a Unicode class: {other:?}"),
    }
}
