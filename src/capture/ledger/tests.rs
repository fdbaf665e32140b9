//! What goes out when a record is read again.

use std::collections::HashMap;
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;
use crate::model::{BodyKind, Message, Role, Usage};

/// Plays the branches of a conversation, as an import would.
#[derive(Default)]
struct Store {
    branches: HashMap<String, Vec<(EntryId, Vec<u8>)>>,
    at: String,
    log: Vec<String>,
    output: u64,
    is_anew: bool,
}

impl Store {
    fn now(&self) -> Vec<String> {
        let branch = self.branches.get(&self.at).cloned().unwrap_or_default();
        branch.into_iter().map(|(_, body)| String::from_utf8(body).expect("text")).collect()
    }
}

impl Receiver for Store {
    fn take(&mut self, routed: Routed) -> ControlFlow<()> {
        match routed.step {
            Step::Append(message) => {
                let branch = self.branches.entry(self.at.clone()).or_default();
                assert!(branch.iter().all(|(id, _)| *id != message.id), "handed out twice");
                self.log.push(format!("+{}", String::from_utf8_lossy(&message.body)));
                self.output += message.usage.and_then(|usage| usage.output).unwrap_or(0);
                branch.push((message.id, message.body));
            }
            Step::Extend(message) => {
                self.log.push(format!("~{}", String::from_utf8_lossy(&message.body)));
                let branch = self.branches.get_mut(&self.at).expect("there");
                branch.iter_mut().find(|(id, _)| *id == message.id).expect("there").1 = message.body;
            }
            Step::Fork { branch, after } => {
                self.log.push(format!("fork {branch}"));
                if self.is_anew && self.branches.contains_key(&branch) {
                    self.at = branch;
                    return ControlFlow::Continue(());
                }
                let from = self.branches.get(&self.at).cloned().unwrap_or_default();
                let end = after.map_or(0, |after| from.iter().position(|(id, _)| *id == after).expect("there") + 1);
                assert!(self.branches.insert(branch.clone(), from[..end].to_vec()).is_none(), "a name of its own");
                self.at = branch;
            }
            Step::Switch { branch } => {
                assert!(self.branches.contains_key(&branch));
                self.log.push(format!("switch {branch}"));
                self.at = branch;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn restart(&mut self) {
        self.at = FIRST.to_owned();
        self.is_anew = true;
    }

    fn is_known(&mut self, _: &Conversation, message: &Message) -> bool {
        let id = message.id;
        self.branches.values().flatten().any(|(known, _)| *known == id)
    }
}

/// Makes a record: one message a word, whose id is what stands before a `=`.
fn record(words: &str) -> Vec<Routed> {
    let step = |word: &str| match word.split_once(':') {
        Some(("fork", rest)) => {
            let (branch, after) = rest.split_once('@').expect("a name and an entry");
            Step::Fork { branch: branch.to_owned(), after: (!after.is_empty()).then(|| derive_entry_id(after)) }
        }
        Some((_, branch)) => Step::Switch { branch: branch.to_owned() },
        None => Step::Append(Message {
            id: derive_entry_id(word.split('=').next().expect("a word")),
            role: Role::User,
            kind: BodyKind::Text,
            body: word.as_bytes().to_vec(),
            time: None,
            model: None,
            usage: Some(Usage { output: Some(1), ..Usage::default() }),
            fields: Vec::new(),
            meta: None,
        }),
    };
    words.split_whitespace().map(|word| Routed { conversation: Conversation::Main, step: step(word) }).collect()
}

fn stamp(words: &str) -> Stamp {
    Stamp { bytes: words.len() as u64, written: words.to_owned(), fingerprint: "x".to_owned() }
}

/// Reads the versions of a record one after the other, and returns what went out for each.
fn readings(store: &mut Store, versions: &[&str]) -> Vec<Vec<String>> {
    let mut watermark: Option<String> = None;
    let read = |words: &&str| {
        let before = watermark.as_deref().and_then(Ledger::from_json);
        let ledger = hand_out(before, record(words), stamp(words), store).expect("it takes all");
        watermark = Some(ledger.to_json());
        store.is_anew = false;
        std::mem::take(&mut store.log)
    };
    versions.iter().map(read).collect()
}

#[test]
fn what_is_new_goes_out_and_what_changed_as_an_extension() {
    let mut store = Store::default();
    let out = readings(&mut store, &["a b", "a b c", "a b=2 c", "a b=2 c", "a b=2 c d"]);
    assert_eq!(out, [vec!["+a", "+b"], vec!["+c"], vec!["~b=2"], vec![], vec!["+d"]]);
    assert_eq!(store.now(), ["a", "b=2", "c", "d"]);
}

#[test]
fn a_record_that_goes_on_elsewhere_gets_a_branch_and_loses_nothing() {
    let mut store = Store::default();
    let out = readings(&mut store, &["a b c", "a b", "a b x", "a b x y", "a b c z"]);
    let fork = |word: &str| format!("fork rewind-{}", derive_entry_id(word));
    assert_eq!(out[1], [] as [&str; 0], "a shorter record takes nothing back");
    assert_eq!(out[2], [fork("x"), "+x".to_owned()]);
    assert_eq!(out[3], ["+y"]);
    assert_eq!(out[4], [fork("c"), "+c".to_owned(), "+z".to_owned()]);
    assert_eq!(store.now(), ["a", "b", "c", "z"]);
    assert_eq!(store.branches["main"].len(), 3);
    assert_eq!(store.output, 6, "the usage of what was there counts once");
}

#[test]
fn a_record_that_came_to_an_end_too_early_goes_on_where_it_was() {
    let mut store = Store::default();
    let out = readings(&mut store, &["a b c", "a b", "a b c d"]);
    assert_eq!(out, [vec!["+a", "+b", "+c"], vec![], vec!["+d"]]);
}

#[test]
fn the_records_own_branches_are_followed() {
    let mut store = Store::default();
    let whole = "a b fork:rewind-1@a x switch:main c fork:rewind-2@ p switch:rewind-1 y";
    let out = readings(&mut store, &["a b", "a b fork:rewind-1@a x", whole]);
    assert_eq!(out[1], ["fork rewind-1", "+x"]);
    assert_eq!(out[2], ["switch main", "+c", "fork rewind-2", "+p", "switch rewind-1", "+y"]);
    assert_eq!(store.now(), ["a", "x", "y"]);
    let out = readings(&mut store, &[whole]);
    assert!(out[0].iter().all(|step| !step.starts_with('+')), "without a watermark all is known: {out:?}");
    assert_eq!(store.now(), ["a", "x", "y"]);
}

#[test]
fn names_that_are_taken_are_not_given_again() {
    let mut store = Store::default();
    readings(&mut store, &["a b fork:rewind-1@a x", "a n fork:rewind-1@a o switch:main q"]);
    assert_eq!(store.now(), ["a", "n", "q"]);
    assert_eq!(store.branches["rewind-1"].len(), 2);
    assert_eq!(store.branches["rewind-1-2"].len(), 2);
}

#[test]
fn an_unchanged_record_is_not_looked_at() {
    let mut store = Store::default();
    let ledger = hand_out(None, record("a"), stamp("a"), &mut store).expect("it takes all");
    let again = hand_out(Some(ledger.clone()), record("a b"), stamp("a"), &mut store).expect("it takes all");
    assert_eq!((again, store.now()), (ledger, vec!["a".to_owned()]));
    assert!(Ledger::from_json("{}").is_none() && Ledger::from_json("").is_none());
    let broken = r#"{"version":1,"stamp":{"bytes":0,"written":"","fingerprint":""},"main":{"steps":"abc","at":""}}"#;
    assert!(Ledger::from_json(broken).is_none());
}

#[test]
fn without_a_watermark_the_receiver_says_what_is_known() {
    let mut store = Store::default();
    readings(&mut store, &["a b c"]);
    assert_eq!(readings(&mut store, &["a b c d", "a b c d e"]), [["+d"], ["+e"]]);
}

proptest! {
    #[test]
    fn however_it_was_cut_the_end_is_the_same(words in prop::collection::vec("[a-e]{3}", 1..12), cuts in prop::collection::vec(0usize..12, 0..6)) {
        let mut seen = HashSet::new();
        let words: Vec<String> = words.into_iter().filter(|word| seen.insert(word.clone())).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(words.len())).collect();
        cuts.sort_unstable();
        cuts.push(words.len());
        let versions: Vec<String> = cuts.iter().map(|cut| words[..*cut].join(" ")).collect();
        let mut store = Store::default();
        readings(&mut store, &versions.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(store.now(), words);
    }

    #[test]
    fn whatever_a_record_becomes_it_is_what_is_there_then(versions in prop::collection::vec(prop::collection::vec("[a-f]", 0..6), 1..6)) {
        let mut store = Store::default();
        let versions: Vec<Vec<String>> = versions.into_iter().map(|words| {
            let mut seen = HashSet::new();
            words.into_iter().filter(|word| seen.insert(word.clone())).collect()
        }).collect();
        let texts: Vec<String> = versions.iter().map(|words| words.join(" ")).collect();
        readings(&mut store, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        let last = versions.last().expect("one");
        // A record that only became shorter took nothing back.
        prop_assert_eq!(&store.now()[..last.len()], &last[..]);
        let all: HashSet<String> = versions.iter().flatten().cloned().collect();
        let stored: HashSet<String> = store.branches.values().flatten().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect();
        prop_assert_eq!(all, stored);
    }
}
