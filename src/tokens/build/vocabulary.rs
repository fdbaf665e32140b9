//! One vocabulary as perfect hash tables ("hash, displace"): every lookup reads one displacement and one slot.

use crate::hash::{self, MIDDLE, SHORT};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use tiktoken_rs::CoreBPE;

/// The length of a token is kept above its rank in a slot's last word; no token is longer than 255 bytes.
const LENGTH_SHIFT: u32 = 24;
/// Mean number of tokens a bucket holds.
const PER_BUCKET: usize = 4;

/// Writes `<name>_{short,middle,long}_{displacements,slots}.bin`, `<name>_long_text.bin` and `<name>_joints.bin`.
pub fn write(out: &Path, name: &str, bpe: &CoreBPE) {
    let tokens = tokens(bpe);
    let save = |what: &str, bytes: &[u8]| {
        std::fs::write(out.join(format!("{name}_{what}.bin")), bytes).expect("OUT_DIR is writable");
    };

    let (mut short, mut middle, mut long, mut text) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (rank, token) in tokens.iter().enumerate() {
        let rank = u32::try_from(rank).expect("ranks fit 24 bits");
        let word = rank | (u32::try_from(token.len()).expect("tokens are short") << LENGTH_SHIFT);
        assert!(rank < 1 << LENGTH_SHIFT && (1..256).contains(&token.len()));
        if token.len() <= SHORT {
            let key = hash::short_key(token);
            short.push((hash::of_short(key, token.len()), slot(&[key], word)));
        } else if token.len() <= MIDDLE {
            let key = hash::middle_key(token).expect("longer than eight bytes");
            middle.push((hash::of_middle(key, token.len()), slot(&[key.0, key.1], word)));
        } else {
            let at = u32::try_from(text.len()).expect("long tokens are few");
            text.extend_from_slice(token);
            long.push((hash::of_long(token), [at.to_le_bytes(), word.to_le_bytes()].concat()));
        }
    }
    for (what, entries) in [("short", short), ("middle", middle), ("long", long)] {
        let (displacements, slots) = place(&entries);
        save(&format!("{what}_displacements"), &displacements);
        save(&format!("{what}_slots"), &slots);
    }
    save("long_text", &text);
    save("joints", &joints(&tokens));
}

/// The vocabulary by rank. Special tokens lie above the first gap and are left out.
fn tokens(bpe: &CoreBPE) -> Vec<Vec<u8>> {
    let specials: BTreeSet<Vec<u8>> = bpe.special_tokens().iter().map(|name| name.as_bytes().to_vec()).collect();
    let mut tokens = Vec::new();
    while let Ok(token) = bpe.decode_bytes(&[u32::try_from(tokens.len()).expect("ranks fit 24 bits")]) {
        if specials.contains(&token) {
            break;
        }
        tokens.push(token);
    }
    assert!(tokens.len() > 100_000, "the vocabulary has a gap at rank {}", tokens.len());
    tokens
}

fn slot(keys: &[u64], word: u32) -> Vec<u8> {
    let mut bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
    bytes.extend_from_slice(&word.to_le_bytes());
    bytes
}

/// Finds, largest bucket first, a displacement that puts each bucket's tokens into free slots.
fn place(entries: &[(u64, Vec<u8>)]) -> (Vec<u8>, Vec<u8>) {
    let width = entries.first().expect("every length class has tokens").1.len();
    let size = entries.len() + entries.len() / 32;
    let bucket_count = entries.len().div_ceil(PER_BUCKET);
    let mut buckets = vec![Vec::new(); bucket_count];
    for (index, (hash, _)) in entries.iter().enumerate() {
        buckets[hash::bucket(*hash, bucket_count)].push(index);
    }
    let mut order: Vec<usize> = (0..bucket_count).collect();
    order.sort_by_key(|bucket| std::cmp::Reverse(buckets[*bucket].len()));

    let mut displacements = vec![0_u16; bucket_count];
    let mut taken = vec![false; size];
    let mut slots = vec![0_u8; size * width];
    let mut places = Vec::new();
    for bucket in order {
        let members = &buckets[bucket];
        let displacement = (0..=u16::MAX)
            .find(|displacement| {
                places.clear();
                members.iter().all(|index| {
                    let place = hash::slot(entries[*index].0, *displacement, size);
                    let free = !taken[place] && !places.contains(&place);
                    places.push(place);
                    free
                })
            })
            .expect("a displacement exists for every bucket");
        displacements[bucket] = displacement;
        for (place, index) in places.iter().zip(members) {
            taken[*place] = true;
            slots[place * width..(place + 1) * width].copy_from_slice(&entries[*index].1);
        }
    }
    (displacements.iter().flat_map(|displacement| displacement.to_le_bytes()).collect(), slots)
}

/// A bit for each byte pair (last byte of one character, first byte of the next) across which merging may join
/// *parts* of characters, or may join a character before its own bytes have met.
///
/// A character with no such pair on either side is always merged within itself first, so the counter may start from
/// the whole character. Proof of exactness: no token holds a part of it together with bytes from outside, and every
/// token that holds all of it and more, and lies in the text, has a higher rank than the character itself.
fn joints(tokens: &[Vec<u8>]) -> Vec<u8> {
    let ranks: HashMap<&[u8], usize> =
        tokens.iter().enumerate().map(|(rank, token)| (token.as_slice(), rank)).collect();
    let mut bits = vec![0_u8; 65_536 / 8];
    let mut mark = |before: u8, first: u8| {
        let pair = usize::from(before) << 8 | usize::from(first);
        bits[pair / 8] |= 1 << (pair % 8);
    };
    for (rank, token) in tokens.iter().enumerate() {
        let starts: Vec<usize> = (0..token.len()).filter(|at| token[*at] & 0xC0 != 0x80).collect();
        let Ok(text) = std::str::from_utf8(token) else {
            starts.iter().filter(|at| **at > 0).for_each(|at| mark(token[at - 1], token[*at]));
            continue;
        };
        for (at, character) in text.char_indices() {
            let end = at + character.len_utf8();
            let early = ranks.get(&token[at..end]).is_some_and(|own| *own > rank);
            if early && at > 0 {
                mark(token[at - 1], token[at]);
            }
            if early && end < token.len() {
                mark(token[end - 1], token[end]);
            }
        }
    }
    for token in tokens {
        let is_character = std::str::from_utf8(token).is_ok_and(|text| text.chars().count() == 1);
        assert!(!is_character || merges_whole(token, &ranks), "the bytes of a character never meet: {token:?}");
    }
    bits
}

/// Tells whether plain merging turns these bytes into one token.
fn merges_whole(bytes: &[u8], ranks: &HashMap<&[u8], usize>) -> bool {
    let mut starts: Vec<usize> = (0..=bytes.len()).collect();
    while starts.len() > 2 {
        let pairs = (0..starts.len() - 2).filter_map(|at| Some((*ranks.get(&bytes[starts[at]..starts[at + 2]])?, at)));
        let Some((_, at)) = pairs.min() else { return false };
        starts.remove(at + 1);
    }
    true
}
