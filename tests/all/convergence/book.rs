//! What was acknowledged: a book beside the program, kept by simpler means.

use std::collections::BTreeMap;

use serde_json::Value;

/// Is what an entry is to be in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which clone wrote it, and alone changes it.
    pub owner: usize,
    /// The entry's id.
    pub id: String,
    /// What it says.
    pub text: String,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it was dropped.
    pub dropped: bool,
}

/// Holds the entries of each branch by their ids.
#[derive(Default)]
pub struct Book {
    branches: BTreeMap<String, BTreeMap<String, Line>>,
}

impl Book {
    /// Notes a branch that begins with what the program shows of it.
    pub fn begin(&mut self, branch: &str, shown: &str) {
        let lines = entries(shown).into_iter().map(|(id, text, pinned)| {
            let owner = text.strip_prefix('c').and_then(|rest| rest.split_once(' ')?.0.parse().ok());
            let owner = owner.unwrap_or_else(|| panic!("'{text}' was written by nobody"));
            (id.clone(), Line { owner, id, text, pinned, dropped: false })
        });
        self.branches.insert(branch.to_owned(), lines.collect());
    }

    /// Notes an entry.
    pub fn add(&mut self, branch: &str, line: Line) {
        let before = self.branches.entry(branch.to_owned()).or_default().insert(line.id.clone(), line);
        assert_eq!(before, None, "an id is given once");
    }

    /// Returns an entry that this clone may change and that is there.
    pub fn pick(&self, branch: &str, owner: usize, rng: &mut fastrand::Rng) -> Option<Line> {
        let lines = self.branches.get(branch)?.values();
        let own: Vec<&Line> = lines.filter(|line| line.owner == owner && !line.dropped).collect();
        if own.is_empty() { None } else { Some(own[rng.usize(..own.len())].clone()) }
    }

    /// Notes what became of an entry.
    pub fn set(&mut self, branch: &str, line: Line) {
        self.branches.entry(branch.to_owned()).or_default().insert(line.id.clone(), line);
    }

    /// Returns the names of the branches.
    pub fn branches(&self) -> Vec<String> {
        self.branches.keys().cloned().collect()
    }

    /// Compares a branch with what the program shows of it: each entry once, as it was left, and no other.
    pub fn check(&self, branch: &str, shown: &str) {
        let expected: BTreeMap<&str, &Line> =
            self.branches[branch].iter().filter(|(_, line)| !line.dropped).map(|(id, line)| (&**id, line)).collect();
        let mut found = BTreeMap::new();
        for (id, text, pinned) in entries(shown) {
            let Some(line) = expected.get(&*id) else {
                panic!("{branch} has '{text}' ({id}), which nobody wrote there")
            };
            assert_eq!((&text, pinned), (&line.text, line.pinned), "{branch}: {id}");
            assert_eq!(found.insert(id.clone(), ()), None, "{branch}: {id} is there twice");
        }
        let lost: Vec<&&Line> = expected.values().filter(|line| !found.contains_key(&line.id)).collect();
        assert!(lost.is_empty(), "{branch} has lost {lost:?}");
    }
}

/// Reads id, text and pin of the entries from lines of JSON.
fn entries(shown: &str) -> Vec<(String, String, bool)> {
    let read = |line: &str| {
        let entry: Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |key: &str| entry[key].as_str().expect("a text").to_owned();
        (text("id"), text("content"), entry["pin"].as_bool().expect("a pin or none"))
    };
    shown.lines().map(read).collect()
}
