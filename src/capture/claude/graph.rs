//! The graph of `parentUuid` links: which branch of the conversation a line goes to.

use std::collections::{HashMap, HashSet};

use super::names::Names;
use super::watermark::Incomplete;
use crate::model::EntryId;

/// Names the place of a message in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    /// Key of the message's line.
    pub key: EntryId,
    /// The entry that holds it.
    pub entry: EntryId,
    /// Its number in the order of the file.
    pub seq: u32,
    /// The branch it was put on.
    pub branch: u32,
    /// The conversation it is part of.
    pub thread: u32,
}

/// Says which message a line follows, lines that are no messages left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    /// None: it starts the conversation.
    Root,
    /// One that the file does not hold; the order of the file says where the line belongs.
    Unknown,
    /// This one.
    At(Anchor),
}

/// Holds what is remembered of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// The message that it is, or else the one that it follows.
    pub at: Parent,
    /// Whether it is a message.
    pub own: bool,
    /// Key of the line that it names as its parent.
    pub parent: Option<EntryId>,
    /// The conversation it is part of.
    pub thread: u32,
    /// Number of compactions before it, or before the one that kept it.
    pub epoch: u32,
}

/// Remembers where the first prompt after a message was put: a second one is a rewind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// The last entry before that prompt.
    pub after: Option<EntryId>,
    /// The branch it was put on.
    pub branch: u32,
    /// The last number before it.
    pub seq: u32,
    /// The session it said it was of, as a key.
    pub session: Option<EntryId>,
}

#[derive(Debug)]
struct Branch {
    name: String,
    parent: Option<u32>,
    from: u32,
    last: Option<EntryId>,
}

/// More rewinds than people make; from here on a rewind's messages follow in the order of the file.
const BRANCHES: usize = 1000;

/// A kept segment is the end of a context that was too long as a whole; it has no more lines than this.
const SEGMENT: usize = 4096;

/// Says where a line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Move {
    /// To the branch that the line before went to.
    Stay,
    /// To a branch that exists.
    Switch(String),
    /// To a new branch, which starts after this entry.
    Fork(String, Option<EntryId>),
}

/// Remembers every line that has a uuid, in about 200 bytes each.
#[derive(Debug)]
pub(super) struct Graph {
    nodes: HashMap<EntryId, Node>,
    order: Vec<EntryId>,
    is_partial: bool,
    seq: u32,
    branches: Vec<Branch>,
    current: u32,
    turns: HashMap<EntryId, Turn>,
    root: Option<Turn>,
    is_linked: bool,
    missing: HashSet<EntryId>,
    /// Number of distinct parents that lines name and the file does not hold before them.
    pub dangling: u64,
}

/// What a partial graph is made of: the lines before a watermark that the next ones are likely to follow.
#[derive(Debug)]
pub(super) struct Window {
    /// The lines, in their order.
    pub nodes: Vec<(EntryId, Node)>,
    /// The turns at the messages that they are or follow.
    pub turns: Vec<(EntryId, Turn)>,
    /// The turn at the start.
    pub root: Option<Turn>,
    /// Whether any message named a parent.
    pub is_linked: bool,
    /// The number of the last message.
    pub seq: u32,
    /// The last entry.
    pub last: Option<EntryId>,
}

impl Graph {
    /// Starts with nothing.
    pub(super) fn new() -> Self {
        Graph {
            nodes: HashMap::new(),
            order: Vec::new(),
            is_partial: false,
            seq: 0,
            branches: vec![Branch { name: "main".to_owned(), parent: None, from: 0, last: None }],
            current: 0,
            turns: HashMap::new(),
            root: None,
            is_linked: false,
            missing: HashSet::new(),
            dangling: 0,
        }
    }

    /// Goes on from the end of a file that has one branch; what the window does not hold is `Incomplete`.
    pub(super) fn resume(window: Window) -> Self {
        let mut graph = Graph::new();
        graph.is_partial = true;
        graph.seq = window.seq;
        graph.branches[0].last = window.last;
        graph.turns = window.turns.into_iter().collect();
        graph.root = window.root;
        graph.is_linked = window.is_linked;
        graph.order = window.nodes.iter().map(|(key, _)| *key).collect();
        graph.nodes = window.nodes.into_iter().collect();
        graph
    }

    /// Returns the last `size` of the first `length` lines; `None` when there is more than one branch.
    pub(super) fn window(&self, length: usize, size: usize) -> Option<Window> {
        if self.branches.len() > 1 {
            return None;
        }
        let order = &self.order[length.saturating_sub(size)..length];
        let nodes: Vec<(EntryId, Node)> = order.iter().map(|key| (*key, self.nodes[key])).collect();
        let mut turns: Vec<(EntryId, Turn)> = Vec::new();
        for (_, node) in &nodes {
            if let Parent::At(anchor) = node.at
                && let Some(turn) = self.turns.get(&anchor.key)
                && turns.iter().all(|(known, _)| *known != anchor.key)
            {
                turns.push((anchor.key, *turn));
            }
        }
        let (root, is_linked, seq, last) = (self.root, self.is_linked, self.seq, self.branches[0].last);
        Some(Window { nodes, turns, root, is_linked, seq, last })
    }

    /// Returns how many lines are remembered.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Looks a line up.
    pub(super) fn known(&self, key: EntryId, names: &Names) -> Result<Option<Node>, Incomplete> {
        match self.nodes.get(&key) {
            Some(node) => Ok(Some(*node)),
            None => names.check(key).map(|()| None),
        }
    }

    /// Tells whether a line is remembered.
    pub(super) fn contains(&self, key: EntryId) -> bool {
        self.nodes.contains_key(&key)
    }

    /// Tells whether what follows this message goes to the current branch.
    pub(super) fn is_here(&self, at: Parent) -> bool {
        match at {
            Parent::At(anchor) if anchor.thread == 0 => self.is_on_branch(anchor),
            _ => true,
        }
    }

    /// Looks a line up that ought to be there.
    pub(super) fn named(&self, key: EntryId) -> Result<Option<Node>, Incomplete> {
        match self.nodes.get(&key) {
            None if self.is_partial => Err(Incomplete),
            found => Ok(found.copied()),
        }
    }

    /// Returns the message that a line with this parent follows.
    pub(super) fn follow(&self, parent: Option<EntryId>) -> Result<Parent, Incomplete> {
        let Some(parent) = parent else { return Ok(Parent::Root) };
        Ok(self.named(parent)?.map_or(Parent::Unknown, |node| node.at))
    }

    /// Takes a message's line in.
    pub(super) fn add(&mut self, key: Option<EntryId>, parent: Option<EntryId>, at: Parent, to: (EntryId, u32, u32)) {
        let (entry, thread, epoch) = to;
        self.seq = self.seq.saturating_add(1);
        self.is_linked |= matches!(at, Parent::At(_));
        let Some(key) = key else { return };
        let anchor = Anchor { key, entry, seq: self.seq, branch: self.current, thread };
        self.remember(key, Node { at: Parent::At(anchor), own: true, parent, thread, epoch }, at);
    }

    /// Takes a line in that is no message: what follows it follows what it follows.
    pub(super) fn pass(&mut self, key: Option<EntryId>, parent: Option<EntryId>, at: Parent, thread: u32) {
        if let Some(key) = key {
            self.remember(key, Node { at, own: false, parent, thread, epoch: 0 }, at);
        }
    }

    fn remember(&mut self, key: EntryId, node: Node, at: Parent) {
        if let Some(parent) = node.parent
            && at == Parent::Unknown
            && !self.nodes.contains_key(&parent)
            && self.missing.insert(parent)
        {
            self.dangling += 1;
        }
        if self.nodes.insert(key, node).is_none() {
            self.order.push(key);
        }
    }

    /// Finds the branch for a line of the main conversation, and goes there.
    ///
    /// A line that opens a turn where another turn was opened before starts a branch; any other line follows its
    /// parent.
    pub(super) fn go(&mut self, at: Parent, opens: bool, session: Option<EntryId>) -> Move {
        let anchor = match at {
            Parent::At(anchor) if anchor.thread == 0 => Some(anchor),
            Parent::Root if opens => None,
            _ => return Move::Stay,
        };
        if opens {
            let turn = match anchor {
                Some(anchor) => self.turns.get(&anchor.key).copied(),
                // A file that has no links at all, or a second session in it, says nothing by a missing parent.
                None => self.root.filter(|root| self.is_linked && root.session == session),
            };
            if let Some(turn) = turn.filter(|_| self.branches.len() < BRANCHES) {
                return self.fork(turn);
            }
        }
        let moved = match anchor {
            Some(anchor) if !self.is_on_branch(anchor) => {
                self.current = anchor.branch;
                Move::Switch(self.branches[anchor.branch as usize].name.clone())
            }
            _ => Move::Stay,
        };
        if opens {
            let turn = Turn { after: self.last(), branch: self.current, seq: self.seq, session };
            match anchor {
                Some(anchor) => drop(self.turns.insert(anchor.key, turn)),
                None => self.root = self.root.or(Some(turn)),
            }
        }
        moved
    }

    fn fork(&mut self, turn: Turn) -> Move {
        let name = format!("rewind-{}", self.branches.len());
        self.current = self.branches.len() as u32;
        self.branches.push(Branch { name: name.clone(), parent: Some(turn.branch), from: turn.seq, last: turn.after });
        Move::Fork(name, turn.after)
    }

    fn is_on_branch(&self, anchor: Anchor) -> bool {
        let (mut at, mut limit) = (self.current, u32::MAX);
        loop {
            let branch = &self.branches[at as usize];
            if at == anchor.branch {
                return anchor.seq <= limit;
            }
            match branch.parent {
                Some(parent) => (at, limit) = (parent, limit.min(branch.from)),
                None => return false,
            }
        }
    }

    /// Returns the last entry on the current branch.
    pub(super) fn last(&self) -> Option<EntryId> {
        self.branches[self.current as usize].last
    }

    /// Takes down that an entry was put on the current branch.
    pub(super) fn set_last(&mut self, entry: EntryId) {
        self.branches[self.current as usize].last = Some(entry);
    }

    /// Returns the entries of these lines in the order of the file, and says that they outlived a compaction.
    pub(super) fn keep(&mut self, keys: &[EntryId], epoch: u32) -> Result<Vec<EntryId>, Incomplete> {
        let mut found: Vec<(u32, EntryId)> = Vec::new();
        for key in keys {
            if let Some(Node { at: Parent::At(anchor), own: true, .. }) = self.named(*key)? {
                found.push((anchor.seq, anchor.entry));
                if let Some(node) = self.nodes.get_mut(key) {
                    node.epoch = epoch;
                }
            }
        }
        found.sort_unstable();
        let mut seen = HashSet::new();
        Ok(found.into_iter().map(|(_, entry)| entry).filter(|entry| seen.insert(*entry)).collect())
    }

    /// Returns the keys of all messages on the current branch from `head` to `tail`; a `tail` that is not there yet is
    /// the end.
    pub(super) fn segment(&self, head: EntryId, tail: EntryId) -> Result<Vec<EntryId>, Incomplete> {
        if self.is_partial {
            return Err(Incomplete);
        }
        let seq_of = |key: EntryId| match self.nodes.get(&key)?.at {
            Parent::At(anchor) => Some(anchor),
            _ => None,
        };
        let Some(head) = seq_of(head) else { return Ok(Vec::new()) };
        let last = seq_of(tail).map_or(u32::MAX, |tail| tail.seq);
        let is_inside = |key: &&EntryId| match self.nodes.get(*key) {
            Some(Node { at: Parent::At(anchor), own: true, thread, .. }) => {
                let (from, to) = (head.seq, last);
                *thread == head.thread
                    && (from..=to).contains(&anchor.seq)
                    && (*thread != 0 || self.is_on_branch(*anchor))
            }
            _ => false,
        };
        let recent = &self.order[self.order.len().saturating_sub(SEGMENT)..];
        Ok(recent.iter().filter(is_inside).copied().collect())
    }
}
