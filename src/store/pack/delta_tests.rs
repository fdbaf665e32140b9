use super::*;
use proptest::prelude::*;

fn encode(base: &[u8], target: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    Encoder::default().encode(base, target, limit, &mut out).then_some(out)
}

/// A row of a context tree, as bytes.
fn row(position: u32, seed: u64) -> Vec<u8> {
    let mut row = format!("100644 {position:07}.assistant.96.{:010}.txt\0", seed % 10_000_000_000).into_bytes();
    for step in 0..20u64 {
        row.push((seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(step * 0x1234_5678_9abc) >> 40) as u8);
    }
    row
}

fn tree(rows: &[(u32, u64)]) -> Vec<u8> {
    rows.iter().flat_map(|&(position, seed)| row(position, seed)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn apply_undoes_encode(base in bytes(), target in bytes()) {
        let delta = encode(&base, &target, usize::MAX).expect("no limit");
        prop_assert_eq!(apply(&base, &delta, target.len()), Ok(target));
    }

    #[test]
    fn apply_undoes_encode_after_cutting_and_pasting(base in bytes(), cuts in proptest::collection::vec((any::<u16>(), any::<u16>(), bytes()), 0..6)) {
        let mut target = Vec::new();
        for (from, len, new) in cuts {
            let from = usize::from(from) % (base.len() + 1);
            let to = from + usize::from(len) % (base.len() - from + 1);
            target.extend_from_slice(&base[from..to]);
            target.extend_from_slice(&new[..new.len().min(40)]);
        }
        let delta = encode(&base, &target, usize::MAX).expect("no limit");
        prop_assert_eq!(apply(&base, &delta, target.len()), Ok(target));
    }

    #[test]
    fn tree_edits_are_small(rows in proptest::collection::vec(any::<u64>(), 8..200), edits in proptest::collection::vec((0u8..4, any::<u16>(), any::<u64>()), 1..4)) {
        let mut rows: Vec<(u32, u64)> = rows.into_iter().zip(0..).map(|(seed, at)| (at, seed)).collect();
        let base = tree(&rows);
        for &(edit, at, seed) in &edits {
            let at = usize::from(at) % rows.len();
            match edit {
                0 => rows.push((rows.len() as u32, seed)),
                1 => rows[at].1 = seed,
                2 => drop(rows.drain(..at.min(rows.len() - 4))),
                _ => rows.insert(at, (rows[at].0, seed)),
            }
            if rows.len() < 5 { break; }
        }
        let target = tree(&rows);
        let delta = encode(&base, &target, usize::MAX).expect("no limit");
        // A row is about 60 bytes: each edit may cost two rows and a few copies, never the tree.
        prop_assert!(delta.len() <= 20 + edits.len() * 150, "{} bytes of {}", delta.len(), target.len());
        prop_assert_eq!(apply(&base, &delta, target.len()), Ok(target));
    }

    #[test]
    fn limit_is_kept(base in bytes(), target in bytes(), limit in 0usize..400) {
        if let Some(delta) = encode(&base, &target, limit) {
            prop_assert!(delta.len() <= limit);
            prop_assert_eq!(apply(&base, &delta, target.len()), Ok(target));
        }
    }

    #[test]
    fn hostile_deltas_never_panic_nor_pass_the_limit(base in bytes(), delta in bytes(), size in 0u8..128) {
        let _ = apply(&base, &delta, 1000).map(|target| assert!(target.len() <= 1000));
        let mut framed = Vec::new();
        push_size(&mut framed, base.len());
        push_size(&mut framed, usize::from(size));
        framed.extend_from_slice(&delta);
        let _ = apply(&base, &framed, 100).map(|target| assert!(target.len() <= 100));
    }
}

/// Short, long, repetitive and random bytes.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        proptest::collection::vec(0u8..2, 0..3000),
        (proptest::collection::vec(any::<u8>(), 1..60), 1usize..3000).prop_map(|(part, times)| part.repeat(times)),
    ]
}

#[test]
fn appending_a_row_costs_the_row() {
    let base = tree(&(0..32).map(|at| (at, u64::from(at) * 77)).collect::<Vec<_>>());
    let added = row(32, 4711);
    let target = [base.clone(), added.clone()].concat();
    let delta = encode(&base, &target, usize::MAX).expect("no limit");
    assert!(delta.len() <= added.len() + 8, "{}", delta.len());
}

#[test]
fn sealing_the_tail_copies_what_stays() {
    let rows: Vec<_> = (0..33).map(|at| (at, u64::from(at) * 77)).collect();
    let base = [b"40000 .chunk\0aaaaaaaaaaaaaaaaaaaa".to_vec(), tree(&rows)].concat();
    let target = [b"40000 .chunk\0bbbbbbbbbbbbbbbbbbbb".to_vec(), tree(&rows[10..]), row(33, 5)].concat();
    let delta = encode(&base, &target, usize::MAX).expect("no limit");
    assert!(delta.len() <= 110, "{}", delta.len());
    assert_eq!(apply(&base, &delta, target.len()), Ok(target));
}

#[test]
fn copies_are_written_as_git_does() {
    let base: Vec<u8> = (0..70_000u32).flat_map(u32::to_le_bytes).collect();
    let delta = encode(&base, &base, usize::MAX).expect("no limit");
    // 280,000 = 4 * 65536 + 17856; a copy of 65536 bytes carries no length, offset bytes that are zero are left out.
    let head = [0xc0, 0x8b, 0x11, 0xc0, 0x8b, 0x11];
    let copies = [0x80, 0x84, 0x01, 0x84, 0x02, 0x84, 0x03, 0xb4, 0x04, 0xc0, 0x45];
    assert_eq!(delta, [&head[..], &copies[..]].concat());
}

#[test]
fn wrong_deltas_are_refused_by_name() {
    assert_eq!(apply(b"base", &[3, 1, 1, b'x'], 10), Err(DeltaError::WrongBase));
    assert_eq!(apply(b"base", &[4, 1, 0], 10), Err(DeltaError::Invalid));
    assert_eq!(apply(b"base", &[4, 1, 2, b'x'], 10), Err(DeltaError::Truncated));
    assert_eq!(apply(b"base", &[4, 2, 1, b'x'], 10), Err(DeltaError::WrongSize));
    assert_eq!(apply(b"base", &[4, 1, 2, b'x', b'y'], 10), Err(DeltaError::WrongSize));
    assert_eq!(apply(b"base", &[4, 9, 0x91, 1, 9], 10), Err(DeltaError::Invalid));
    assert_eq!(apply(b"base", &[4, 11], 10), Err(DeltaError::TooLong { limit: 10 }));
    assert_eq!(apply(b"base", &[0xff; 30], 10), Err(DeltaError::Invalid));
}
