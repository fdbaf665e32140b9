//! Random sequences of operations against the simplest model there is: a context is a list of rows.
//!
//! Each operation is carried out through the library on a real repository, and what it made of the context is compared
//! with what a few lines of list handling say it must be. git is the oracle for merge bases and for soundness.
//!
//! `GITTRACE_SOAK=1` runs for longer; `GITTRACE_SEED=<n>` runs one case again.

use std::collections::{HashMap, HashSet};

use fastrand::Rng;
use git_trace::codec::{ToolIds, tool_ids};
use git_trace::export::{Format, Options, render};
use git_trace::model::{BodyKind, EntryId, Item, ObjectId, Operation, Role};
use git_trace::ops::{
    Beside, CommitMessages, Compress, CompressMode, Destination, DropEntries, Edit, Expand, Merge, NewMessage, OpError,
    Order, Outcome, Pin, Preference, Rebase, Reorder, Restore, Switch, Verify, Workspace, commit, compress, context,
    drop, edit, expand, merge, pin, rebase, reorder, restore, switch, validate, verify,
};

use crate::world::World;

/// One entry as the model knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    id: EntryId,
    role: Role,
    body: ObjectId,
    pin: bool,
    /// The tool calls that it makes or answers.
    calls: Vec<String>,
}

/// Holds a repository, its random numbers, and what was done, for the report.
struct Case {
    world: World,
    workspace: Workspace,
    random: Rng,
    serial: usize,
    done: Vec<String>,
    branches: Vec<String>,
}

#[test]
fn any_sequence_of_operations_does_what_lists_would_do() {
    let given = std::env::var("GITTRACE_SEED").ok().and_then(|seed| seed.parse().ok());
    let soak = std::env::var_os("GITTRACE_SOAK").is_some();
    let (cases, steps) = if soak { (300, 60) } else { (10, 30) };
    for seed in given.map_or_else(|| (0..cases).collect::<Vec<u64>>(), |seed| vec![seed]) {
        let mut case = Case::new(seed);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..steps).for_each(|_| case.step());
            case.world.fsck();
            case.validate();
            case.verify();
        }));
        if let Err(panic) = outcome {
            eprintln!("seed {seed}, after:\n{}", case.done.join("\n"));
            std::panic::resume_unwind(panic);
        }
    }
}

impl Case {
    fn new(seed: u64) -> Self {
        let format = if seed % 5 == 4 { "sha256" } else { "sha1" };
        let world = World::new(format);
        for (key, value) in [("user.name", "A U Thor"), ("user.email", "author@example.com"), ("trace.fsync", "false")]
        {
            world.configure(key, value);
        }
        world.ok(&["init"]);
        let workspace = Workspace::discover(&world.repo(), None, None).expect("our own repository");
        let random = Rng::with_seed(seed);
        let mut case =
            Case { world, workspace, random, serial: 0, done: Vec::new(), branches: vec!["main".to_owned()] };
        (0..3).for_each(|_| case.append());
        case
    }

    fn items(&self, revision: Option<&str>) -> Vec<Item> {
        context(&self.workspace, revision).expect("readable").items
    }

    fn rows(&self, revision: Option<&str>) -> Vec<Row> {
        rows(&self.items(revision))
    }

    fn pick(&mut self, rows: &[Row]) -> Row {
        rows[self.random.usize(..rows.len())].clone()
    }

    /// Does something at random, and checks what came of it.
    fn step(&mut self) {
        let before = self.rows(None);
        if before.len() < 3 {
            return self.append();
        }
        match self.random.u8(..20) {
            0..=6 => self.append(),
            7 | 8 => self.edit(&before),
            9 => self.pin(&before),
            10 => self.drop(&before),
            11 => self.branch(),
            12 => self.switch(),
            13 | 14 => self.merge(),
            15 => self.rebase(),
            16 => self.reorder(&before),
            _ => self.compress(&before),
        }
        self.check();
    }

    /// Checks that another repository would take in what was made, whatever it has already.
    fn validate(&mut self) {
        let commits = self.world.git(&["log", "--format=%H", "--glob=refs/trace/heads/*"], &self.world.repo());
        let commits: Vec<ObjectId> = commits.lines().map(|line| line.parse().expect("an id")).collect();
        for branch in self.branches.clone() {
            let tip = self.world.tip(&format!("refs/trace/heads/main/{branch}")).expect("a branch");
            let tip = tip.parse().expect("an id");
            let known = commits[self.random.usize(..commits.len())];
            for known in [&[][..], &[known]] {
                assert_eq!(validate(&self.workspace, tip, known).expect("it can be told"), None);
            }
        }
    }

    /// Checks that every commit did what it says.
    fn verify(&self) {
        let verified = verify(&self.workspace, &Verify { all: true, ..Verify::default() }).expect("it can be told");
        for verified in verified.commits {
            assert_eq!(verified.findings, [], "{} {:?}", verified.id, verified.commit);
        }
    }

    /// Checks what must hold after every operation.
    fn check(&self) {
        let items = self.items(None);
        let ids: HashSet<EntryId> = items.iter().map(|item| item.entry.id).collect();
        assert_eq!(ids.len(), items.len(), "every entry once");
        assert!(items.is_sorted_by(|one, other| one.entry.position < other.entry.position));
        let mut out = Vec::new();
        if let Err(error) = render(&items, &Options::new(Format::OpenaiChat), &mut out) {
            for item in &items {
                let entry = &item.entry;
                eprintln!(
                    "{} {} {} {}",
                    entry.id,
                    entry.role,
                    entry.flags.pin,
                    String::from_utf8_lossy(&item.body[..item.body.len().min(90)])
                );
            }
            panic!("not a valid context: {error}");
        }
        let tip = context(&self.workspace, None).expect("readable").commit;
        let sent = items.iter().filter(|item| item.entry.role.is_sent()).map(|item| item.entry.tokens).sum::<u64>();
        assert_eq!((tip.facts.total, tip.facts.count), (sent, items.len() as u64), "the sums are those of the entries");
    }

    fn text(&mut self) -> String {
        self.serial += 1;
        let words = ["alpha", "beta", "gamma", "delta", "/src/main.rs", "port", "8080", "error E0308"];
        let count = self.random.usize(3..40);
        let picked: Vec<&str> = (0..count).map(|_| words[self.random.usize(..words.len())]).collect();
        format!("{} number {}", picked.join(" "), self.serial)
    }

    fn append(&mut self) {
        let before = self.rows_or_none();
        let text = self.text();
        let messages = match self.random.u8(..4) {
            0 => {
                let call = format!(
                    r#"[{{"type":"tool_use","id":"toolu_{}","name":"Read","input":{{"file_path":"/a/b"}}}}]"#,
                    self.serial
                );
                let result =
                    format!(r#"[{{"type":"tool_result","tool_use_id":"toolu_{}","content":"{text}"}}]"#, self.serial);
                let json = |role, body: String| NewMessage { kind: BodyKind::Json, ..NewMessage::text(role, body) };
                vec![json(Role::Assistant, call), json(Role::User, result)]
            }
            1 => vec![NewMessage::text(Role::Assistant, text)],
            _ => vec![NewMessage::text(Role::User, text)],
        };
        self.done.push(format!("append {}", messages.len()));
        let done =
            commit(&self.workspace, &CommitMessages { messages, ..CommitMessages::default() }).expect("appended");
        let after = self.rows(None);
        assert_eq!(after[..before.len()], before);
        assert_eq!(after[before.len()..].iter().map(|row| row.id).collect::<Vec<_>>(), done.entries);
    }

    fn rows_or_none(&self) -> Vec<Row> {
        context(&self.workspace, None).map(|found| rows(&found.items)).unwrap_or_default()
    }

    fn edit(&mut self, before: &[Row]) {
        let row = self.pick(before);
        let body = self.text().into_bytes();
        self.done.push(format!("edit {}", row.id));
        let request = Edit {
            entry: row.id.to_string(),
            body,
            kind: None,
            role: None,
            message: None,
            force: false,
            dry_run: false,
        };
        let mut expected = before.to_vec();
        match edit(&self.workspace, &request) {
            Ok(_) => {
                let now = self.rows(None).into_iter().find(|now| now.id == row.id).expect("it stays");
                assert_ne!(now.body, row.body);
                expected.iter_mut().filter(|known| known.id == row.id).for_each(|known| known.body = now.body);
            }
            Err(OpError::Pinned { .. } | OpError::Message { .. }) => {}
            Err(other) => panic!("{other}"),
        }
        assert_eq!(self.rows(None), expected);
    }

    fn pin(&mut self, before: &[Row]) {
        let row = self.pick(before);
        self.done.push(format!("pin {} {}", row.id, !row.pin));
        let request = Pin { entries: vec![row.id.to_string()], pin: !row.pin, message: None, dry_run: false };
        pin(&self.workspace, &request).expect("pinned");
        let mut expected = before.to_vec();
        expected.iter_mut().filter(|known| known.id == row.id).for_each(|known| known.pin = !row.pin);
        assert_eq!(self.rows(None), expected);
    }

    fn drop(&mut self, before: &[Row]) {
        let row = self.pick(before);
        self.done.push(format!("drop {}", row.id));
        let request = DropEntries { entries: vec![row.id.to_string()], message: None, force: false, dry_run: false };
        let mut expected = before.to_vec();
        match drop(&self.workspace, &request) {
            Ok(_) => expected.retain(|known| known.id != row.id),
            Err(OpError::Pinned { .. } | OpError::ToolPair { .. }) => {}
            Err(other) => panic!("{other}"),
        }
        assert_eq!(self.rows(None), expected);
    }

    fn go(&mut self, to: Destination) {
        switch(&self.workspace, &Switch { to, dry_run: false }).expect("moved");
    }

    fn branch(&mut self) {
        let before = self.rows(None);
        let name = format!("b{}", self.branches.len());
        self.done.push(format!("branch {name}"));
        self.branches.push(name.clone());
        self.go(Destination::New { name, start: None, force: false });
        assert_eq!(self.rows(None), before);
    }

    fn other_branch(&mut self) -> Option<String> {
        let head = context(&self.workspace, None).expect("readable").commit.id;
        let name = self.branches[self.random.usize(..self.branches.len())].clone();
        let tip = self.workspace.resolve(&name).expect("a branch");
        (tip != head).then_some(name)
    }

    fn switch(&mut self) {
        let Some(name) = self.other_branch() else { return };
        self.done.push(format!("switch {name}"));
        let expected = self.rows(Some(&name));
        self.go(Destination::Branch(name));
        assert_eq!(self.rows(None), expected);
    }

    /// Asks git where two revisions began.
    fn bases(&self, ours: ObjectId, theirs: ObjectId) -> Vec<String> {
        let found =
            self.world.git(&["merge-base", "--all", &ours.to_string(), &theirs.to_string()], &self.world.repo());
        found.split_whitespace().map(str::to_owned).collect()
    }

    fn merge(&mut self) {
        let Some(name) = self.other_branch() else { return };
        let prefer = if self.random.bool() { Preference::Ours } else { Preference::Theirs };
        self.done.push(format!("merge {name} {prefer:?}"));
        let before = context(&self.workspace, None).expect("readable");
        let ours = rows(&before.items);
        let theirs = self.rows(Some(&name));
        let their_tip = self.workspace.resolve(&name).expect("a branch");
        let bases = self.bases(before.commit.id, their_tip);
        let request = Merge { revision: name, prefer: Some(prefer.clone()), ..Merge::default() };
        let done = merge(&self.workspace, &request).expect("merged");
        let after = self.rows(None);
        if done.outcome == Outcome::FastForward {
            return assert_eq!(after, theirs);
        }
        let [base] = bases.as_slice() else { return };
        if base == &their_tip.to_string() {
            return assert_eq!(after, ours, "nothing to do");
        }
        let base = self.rows(Some(base));
        check_three_way(&base, &ours, &theirs, &after, prefer == Preference::Ours);
        // What was there in order stays in order, where the other side moved nothing.
        for (side, other) in [(&ours, &theirs), (&theirs, &ours)] {
            if in_order(&base, other) && in_order(&ours, &theirs) {
                assert!(in_order(side, &after), "{side:?}\n{after:?}");
            }
        }
    }

    fn rebase(&mut self) {
        let Some(name) = self.other_branch() else { return };
        self.done.push(format!("rebase {name}"));
        let before = context(&self.workspace, None).expect("readable");
        let ours = rows(&before.items);
        let onto = self.rows(Some(&name));
        let their_tip = self.workspace.resolve(&name).expect("a branch");
        let bases = self.bases(before.commit.id, their_tip);
        let range = [before.commit.id.to_string(), format!("^{their_tip}")];
        let git =
            |arguments: &[&str]| self.world.git(&[arguments, &[&range[0], &range[1]]].concat(), &self.world.repo());
        let merges = git(&["rev-list", "--merges"]);
        let restores = git(&["log", "--format=%(trailers:key=Trace-Op,valueonly)"]).contains("restore");
        let request = Rebase { upstream: Some(name), prefer: Some(Preference::Theirs), ..Rebase::default() };
        rebase(&self.workspace, &request).expect("rebased");
        let after = self.rows(None);
        // Step by step, what was taken out and put back comes back although the other side took it out.
        if let ([base], true, false) = (bases.as_slice(), merges.trim().is_empty(), restores) {
            // The commits that are done again are theirs of each step.
            check_three_way(&self.rows(Some(base)), &onto, &ours, &after, false);
        }
    }

    fn reorder(&mut self, before: &[Row]) {
        let (moved, anchor) = (self.pick(before), self.pick(before));
        self.done.push(format!("reorder {} after {}", moved.id, anchor.id));
        let order = Order::Move { entries: vec![moved.id.to_string()], place: Beside::After(anchor.id.to_string()) };
        let mut expected = before.to_vec();
        match reorder(&self.workspace, &Reorder { order, force: true, message: None, dry_run: false }) {
            Ok(_) => {
                expected.retain(|row| row.id != moved.id);
                let at = expected.iter().position(|row| row.id == anchor.id).expect("it stays") + 1;
                expected.insert(at, moved);
            }
            Err(OpError::InvalidOrder { .. } | OpError::Nothing { .. }) => {}
            Err(other) => panic!("{other}"),
        }
        assert_eq!(self.rows(None), expected);
    }

    fn compress(&mut self, before: &[Row]) {
        let (one, other) = (self.random.usize(..before.len()), self.random.usize(..before.len()));
        let (low, high) = (one.min(other), one.max(other));
        let modes = [
            CompressMode::Mask,
            CompressMode::Dedupe,
            CompressMode::Drop,
            CompressMode::Combine,
            CompressMode::Extract,
            CompressMode::Title,
        ];
        let mode = modes[self.random.usize(..modes.len())];
        self.done.push(format!("compress {}..{} {mode:?}", before[low].id, before[high].id));
        let request = Compress {
            ranges: vec![format!("{}..{}", before[low].id, before[high].id)],
            mode,
            target_tokens: (mode == CompressMode::Extract).then_some(60),
            ..Compress::default()
        };
        let made = compress(&self.workspace, &request);
        let after = self.rows(None);
        if made.is_err() {
            return assert_eq!(after, before, "refused, and nothing moved");
        }
        let commit = context(&self.workspace, None).expect("readable").commit;
        assert_eq!(commit.facts.operation, Operation::Compress);
        assert!(commit.facts.tokens <= 0, "never larger");
        // Pins: same objects, same order. What is outside the range: as it was, where it was.
        let pins = |rows: &[Row]| rows.iter().filter(|row| row.pin).cloned().collect::<Vec<Row>>();
        assert_eq!(pins(&after), pins(before));
        let outside: Vec<&Row> = before[..low].iter().chain(&before[high + 1..]).collect();
        let touched: HashSet<EntryId> = commit.facts.entries.iter().map(|touch| touch.id).collect();
        let kept: Vec<&Row> = after.iter().filter(|row| outside.contains(row)).collect();
        let expected: Vec<&Row> = outside.into_iter().filter(|row| !touched.contains(&row.id)).collect();
        assert_eq!(kept.len(), expected.len());
        assert_eq!(kept, expected);
        self.take_back(before, &after);
    }

    /// Looks through what compressed, and puts the originals back: then all is as it was.
    fn take_back(&mut self, before: &[Row], after: &[Row]) {
        let old: HashMap<EntryId, &Row> = before.iter().map(|row| (row.id, row)).collect();
        let compressed: Vec<&Row> =
            after.iter().filter(|row| old.get(&row.id).is_none_or(|old| old.body != row.body)).collect();
        if compressed.is_empty() {
            return;
        }
        for row in &compressed {
            let shown = expand(&self.workspace, &Expand { entry: row.id.to_string(), depth: 1 }).expect("expanded");
            for item in shown.leaves() {
                assert!(old.get(&item.entry.id).is_some_and(|old| old.body == item.entry.body), "byte for byte");
            }
        }
        if self.random.bool() {
            return;
        }
        self.done.push("restore".to_owned());
        let entries: Vec<String> = compressed.iter().map(|row| row.id.to_string()).collect();
        for entry in entries {
            match restore(&self.workspace, &Restore { entries: vec![entry], message: None, dry_run: false }) {
                // One restore takes back the whole compression.
                Ok(_) | Err(OpError::NotCompressed { .. } | OpError::UnknownEntry { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        let gone = before.iter().any(|row| !self.rows(None).contains(row));
        assert!(!gone, "all originals are back");
    }
}

fn rows(items: &[Item]) -> Vec<Row> {
    let row = |item: &Item| {
        let entry = &item.entry;
        let ToolIds { mut calls, results } = tool_ids(&item.body);
        calls.extend(results);
        Row { id: entry.id, role: entry.role.clone(), body: entry.body, pin: entry.flags.pin, calls }
    };
    items.iter().map(row).collect()
}

/// Tells whether what both have stands in the same order.
fn in_order(one: &[Row], other: &[Row]) -> bool {
    let place: HashMap<EntryId, usize> = other.iter().enumerate().map(|(at, row)| (row.id, at)).collect();
    one.iter().filter_map(|row| place.get(&row.id)).is_sorted()
}

/// Checks which rows are there, and what they say, after ours and theirs became one.
fn check_three_way(base: &[Row], ours: &[Row], theirs: &[Row], after: &[Row], ours_wins: bool) {
    let find = |rows: &[Row], id: EntryId| rows.iter().find(|row| row.id == id).cloned();
    let all: HashSet<EntryId> = base.iter().chain(ours).chain(theirs).map(|row| row.id).collect();
    for id in all {
        let (was, one, other) = (find(base, id), find(ours, id), find(theirs, id));
        let winner = if ours_wins { &one } else { &other };
        let now = find(after, id);
        let changed = |row: &Row| was.as_ref().is_none_or(|was| was.body != row.body || (row.pin && !was.pin));
        match (&was, &one, &other) {
            (None, _, _) => assert!(now.is_some(), "new on a side: {id}"),
            (Some(_), Some(left), None) | (Some(_), None, Some(left)) => {
                // What stays for its own sake keeps the other half of its call.
                let half = |row: &Row| row.id != id && row.calls.iter().any(|call| left.calls.contains(call));
                let expected = (changed(left) && winner.is_some()) || after.iter().any(half);
                assert_eq!(now.is_some(), expected, "one side took it out: {id}");
            }
            (Some(_), None, None) => assert!(now.is_none()),
            (Some(was), Some(one), Some(other)) => {
                let now = now.expect("nobody took it out");
                let expected = match (one.body != was.body, other.body != was.body) {
                    (false, true) if one.pin && !was.pin && !other.pin => winner.as_ref().map(|row| row.body),
                    (true, false) if other.pin && !was.pin && !one.pin => winner.as_ref().map(|row| row.body),
                    (false, _) => Some(other.body),
                    (true, false) => Some(one.body),
                    (true, true) => {
                        winner.as_ref().map(|row| row.body).filter(|_| one.body != other.body).or(Some(one.body))
                    }
                };
                assert_eq!(Some(now.body), expected, "{id}");
            }
        }
    }
}
