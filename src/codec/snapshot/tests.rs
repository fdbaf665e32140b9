//! A snapshot against the simplest model there is: a list of entries.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::codec::Row;
use crate::model::{BodyKind, EntryId, Flags, Role};

/// Keeps trees in memory, under ids that count up.
#[derive(Debug, Default)]
struct Memory {
    trees: BTreeMap<ObjectId, Vec<u8>>,
    reads: usize,
}

impl TreeStore for Memory {
    type Error = CodecError;

    fn read_tree(&mut self, id: &ObjectId) -> Result<Vec<u8>, CodecError> {
        self.reads += 1;
        self.trees.get(id).cloned().ok_or(CodecError::Tree { reason: "no such tree" })
    }

    fn write_tree(&mut self, bytes: &[u8], base: Option<(&ObjectId, &[u8])>) -> Result<ObjectId, CodecError> {
        if let Some((id, base)) = base {
            assert_eq!(self.trees[id], base, "a base is what was stored");
        }
        let mut raw = [0; 20];
        raw[..8].copy_from_slice(&(self.trees.len() as u64).to_be_bytes());
        self.trees.insert(ObjectId::Sha1(raw), bytes.to_vec());
        Ok(ObjectId::Sha1(raw))
    }
}

const MANIFEST: ObjectId = ObjectId::Sha1([0xee; 20]);

fn entry(serial: u64, position: Position) -> Entry {
    let role = ["assistant", "user", "tool", "meta-x", "zebra"][serial as usize % 5];
    Entry {
        position,
        role: Role::from_name(role),
        tokens: serial,
        id: EntryId::from_bits(serial),
        flags: Flags::default(),
        kind: BodyKind::Text,
        body: ObjectId::Sha1([serial as u8; 20]),
        meta: serial.is_multiple_of(4).then_some(ObjectId::Sha1([0xaa; 20])),
    }
}

#[derive(Debug, Clone)]
enum Change {
    Append(usize),
    Insert(Index),
    Remove(Index),
    Pin(Index),
    Reread,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => (1usize..60).prop_map(Change::Append),
        4 => any::<Index>().prop_map(Change::Insert),
        3 => any::<Index>().prop_map(Change::Remove),
        2 => any::<Index>().prop_map(Change::Pin),
        2 => Just(Change::Reread),
    ];
    prop::collection::vec(change, 1..60)
}

proptest! {
    #[test]
    fn a_snapshot_is_a_list(changes in changes()) {
        let mut store = Memory::default();
        let mut snapshot = Snapshot::new(HashKind::Sha1, MANIFEST);
        let mut model: Vec<Entry> = Vec::new();
        let mut serial = 0;
        for change in changes {
            match change {
                Change::Append(count) => for _ in 0..count {
                    let next = model.last().map_or(0, |last| last.position.number() + 1);
                    serial += 1;
                    let new = entry(serial, Position::new(next).expect("few"));
                    snapshot.append(&mut store, new.clone()).expect("memory");
                    model.push(new);
                },
                Change::Insert(pick) if model.len() > 1 => {
                    let at = pick.index(model.len() - 1);
                    serial += 1;
                    let position = Position::between(&model[at].position, &model[at + 1].position).expect("a gap");
                    let new = entry(serial, position);
                    snapshot.insert(&mut store, new.clone()).expect("memory");
                    model.insert(at + 1, new);
                }
                Change::Remove(pick) if !model.is_empty() => {
                    let gone = model.remove(pick.index(model.len()));
                    let place = snapshot.locate(&mut store, &gone.position).expect("memory").expect("present");
                    snapshot.remove(place);
                    prop_assert_eq!(snapshot.locate(&mut store, &gone.position).expect("memory"), None);
                }
                Change::Pin(pick) if !model.is_empty() => {
                    let at = pick.index(model.len());
                    model[at].flags.pin = true;
                    let place = snapshot.find(&mut store, model[at].id).expect("memory").expect("present");
                    snapshot.replace(place, model[at].clone());
                }
                Change::Reread => {
                    let root = snapshot.write(&mut store).expect("memory");
                    snapshot = Snapshot::read(&mut store, root).expect("just written");
                }
                _ => {}
            }
        }
        let root = snapshot.write(&mut store).expect("memory");
        let mut again = Snapshot::read(&mut store, root).expect("just written");
        prop_assert_eq!(again.last_position(&mut store).expect("memory"), model.last().map(|last| last.position.clone()));
        prop_assert_eq!(&again.entries(&mut store).expect("memory"), &model);
        prop_assert_eq!(snapshot.entries(&mut store).expect("memory"), model);
        prop_assert!(again.tail().len() <= TAIL_MAX);
        prop_assert_eq!(again.write(&mut store).expect("memory"), root, "reading changes nothing");
        for bytes in store.trees.values() {
            let key = |row: &Row<'_>| [row.name, if row.kind == RowKind::Tree { &b"/"[..] } else { b"" }].concat();
            let names: Vec<Vec<u8>> = rows(bytes, HashKind::Sha1).map(|row| key(&row.expect("ours"))).collect();
            prop_assert!(names.is_sorted_by(|low, high| low < high), "git's order");
        }
    }

    #[test]
    fn what_differs_is_found_without_reading_what_does_not(count in 1u64..400, pick in any::<Index>(), more in 0u64..40) {
        let mut store = Memory::default();
        let mut old = Snapshot::new(HashKind::Sha1, MANIFEST);
        for serial in 0..count {
            old.append(&mut store, entry(serial, Position::new(serial).expect("few"))).expect("memory");
        }
        let root = old.write(&mut store).expect("memory");
        let mut new = Snapshot::read(&mut store, root).expect("ours");
        let mut changed = new.entries(&mut store).expect("memory").remove(pick.index(count as usize));
        changed.flags.pin = true;
        let place = new.find(&mut store, changed.id).expect("memory").expect("present");
        new.replace(place, changed.clone());
        for serial in count..count + more {
            new.append(&mut store, entry(serial, Position::new(serial).expect("few"))).expect("memory");
        }
        let after = new.write(&mut store).expect("memory");
        let (mut old, mut new) = (Snapshot::read(&mut store, root).expect("ours"), Snapshot::read(&mut store, after).expect("ours"));
        let windows = Snapshot::windows(&mut [&mut old, &mut new], &mut store).expect("memory");
        let (before, after) = (&windows[0], &windows[1]);
        let only = |these: &[Entry], those: &[Entry]| these.iter().filter(|one| !those.contains(one)).map(|one| one.id).collect::<Vec<_>>();
        prop_assert_eq!(only(before, after), vec![changed.id]);
        prop_assert_eq!(only(after, before).len() as u64, 1 + more);
        prop_assert!(before.len() <= 6 * TAIL_MAX, "the chunk, those beside it, the last one, the tail: not {}", before.len());
    }

    #[test]
    fn hostile_trees_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut store = Memory::default();
        let root = store.write_tree(&bytes, None).expect("memory");
        let _ = Snapshot::read(&mut store, root);
    }
}

#[test]
fn appending_to_a_long_context_touches_three_trees_at_most() {
    let mut store = Memory::default();
    let mut snapshot = Snapshot::new(HashKind::Sha1, MANIFEST);
    for serial in 0..10_000 {
        snapshot.append(&mut store, entry(serial, Position::new(serial).expect("few"))).expect("memory");
    }
    let root = snapshot.write(&mut store).expect("memory");
    let mut most = 0;
    let mut written = 0;
    let mut root = root;
    for serial in 10_000..10_320 {
        store.reads = 0;
        let before = store.trees.len();
        let mut snapshot = Snapshot::read(&mut store, root).expect("ours");
        snapshot.append(&mut store, entry(serial, Position::new(serial).expect("few"))).expect("memory");
        root = snapshot.write(&mut store).expect("memory");
        most = most.max(store.reads);
        written += store.trees.len() - before;
    }
    assert!(most <= 3, "root, folder of groups, last group; not {most}");
    assert!(written <= 320 + 4 * 11, "one tree each, and three more for every chunk; not {written}");
}

#[test]
fn a_chunk_that_is_named_twice_is_refused() {
    let mut store = Memory::default();
    let mut snapshot = Snapshot::new(HashKind::Sha1, MANIFEST);
    for serial in 0..40 {
        snapshot.append(&mut store, entry(serial, Position::new(serial).expect("few"))).expect("memory");
    }
    let root = snapshot.write(&mut store).expect("memory");
    let chunk =
        store.trees.iter().find(|(_, bytes)| bytes.starts_with(b"100644 0000000.")).map(|(id, _)| *id).expect("sealed");
    let mut group = Vec::new();
    write_row(RowKind::Tree, b"000000", &chunk, &mut group);
    write_row(RowKind::Tree, b"000001", &chunk, &mut group);
    let known =
        store.trees.iter().find(|(_, bytes)| bytes.starts_with(b"40000 000000\0")).map(|(id, _)| *id).expect("a group");
    store.trees.insert(known, group);
    assert!(Snapshot::read(&mut store, root).expect("root").entries(&mut store).is_err());
}
