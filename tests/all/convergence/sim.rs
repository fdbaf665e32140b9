//! Clones, a server and a line between them, driven by a seed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::book::{Book, Line};
use super::trouble::{Tally, Trouble};
use crate::servers::{Answer, Kind, Proxy, Run, Server};
use crate::world::World;

/// The longest that any command may take, failing lines included.
const LIMIT: Duration = Duration::from_secs(40);

/// When the simulated time begins.
const BEGIN: u64 = 1_780_000_000;

/// Is a clone.
struct Replica {
    world: World,
    /// Its branches, `<agent>/<branch>`.
    branches: BTreeSet<String>,
    /// How far its clock is wrong, in seconds.
    skew: u64,
}

/// Is a simulation.
pub struct Sim {
    seed: u64,
    rng: fastrand::Rng,
    server: Server,
    line: Option<Proxy>,
    clones: Vec<Replica>,
    book: Book,
    step: u64,
    texts: usize,
    log: Vec<String>,
    /// How often contexts went and came, and what went wrong meanwhile.
    tally: Tally,
}

impl Sim {
    /// Starts a server and clones that have the same two branches; `None` where the server is not installed.
    pub fn begin(count: usize, kind: Kind, seed: u64) -> Option<Self> {
        let server = Server::start(kind)?;
        let line = kind.has_port().then(|| Proxy::to(server.port()));
        let mut rng = fastrand::Rng::with_seed(seed);
        let replica = |_| Replica { world: World::new("sha1"), branches: BTreeSet::new(), skew: rng.u64(..120) };
        let clones: Vec<Replica> = (0..count).map(replica).collect();
        let book = Book::default();
        let mut sim =
            Sim { seed, rng, server, line, clones, book, step: 0, texts: 0, log: Vec::new(), tally: Tally::default() };
        for at in 0..count {
            sim.admit(at);
            let url = sim.url();
            sim.local(at, &["remote", "add", "origin", &url]);
            // A line that falls silent is given up soon.
            sim.clones[at].world.configure("trace.timeout", "6");
        }
        sim.local(0, &["init"]);
        sim.clones[0].branches.insert("main/main".to_owned());
        sim.append(0, "main/main");
        sim.branch_from(0, "main/main", "main/side");
        for branch in ["main/main", "main/side"] {
            sim.append(0, branch);
        }
        sim.local(0, &["push", "--all"]);
        for at in 1..count {
            sim.local(at, &["pull"]);
            sim.clones[at].branches.insert("main/main".to_owned());
            sim.adopt(at);
        }
        Some(sim)
    }

    /// Does this many random things, lets all clones agree, and looks whether they do.
    pub fn run(mut self, operations: usize) {
        let begun = std::time::Instant::now();
        for _ in 0..operations {
            let at = self.rng.usize(..self.clones.len());
            let branches: Vec<String> = self.clones[at].branches.iter().cloned().collect();
            let branch = branches[self.rng.usize(..branches.len())].clone();
            match self.rng.u8(..100) {
                0..35 => self.append(at, &branch),
                35..44 => self.edit(at, &branch),
                44..50 => self.pin(at, &branch),
                50..54 => self.unpin(at, &branch),
                54..59 => self.take_out(at, &branch),
                59..62 => {
                    let new = format!("main/b{}", self.step);
                    self.branch_from(at, &branch, &new);
                }
                62..76 => self.push(at, &branch),
                76..93 => self.pull(at, &branch),
                _ => {
                    let trouble = self.trouble();
                    self.transfer(at, &["fetch"], trouble);
                    self.adopt(at);
                }
            }
        }
        self.agree();
        self.check();
        let (kind, clones, took) = (self.server.kind(), self.clones.len(), begun.elapsed().as_secs());
        eprintln!(
            "{kind:?}, {clones} clones, seed {}: {operations} operations in {took} s, {:?}",
            self.seed, self.tally
        );
    }

    /// Lets two clones merge the same two sides by themselves, and push: what they have in the end is one merge.
    pub fn merge_at_once(mut self) {
        let name = "refs/trace/heads/main/main";
        for at in [0, 1] {
            self.append(at, "main/main");
        }
        let own = self.clones[1].world.tip(name).expect("a tip");
        self.local(0, &["push"]);
        self.local(1, &["pull"]);
        // The other one merges too, before it hears of that: the server had the second one's side for a while.
        let (there, repo) = (self.server.repository(), self.clones[1].world.repo());
        let back = format!("+{own}:{name}");
        self.clones[1].world.git(&["push", "-q", &there.display().to_string(), &back], &repo);
        self.local(0, &["pull"]);
        let merges = [0, 1].map(|at| self.clones[at].world.tip(name));
        assert_ne!(merges[0], merges[1], "each made a merge of its own");
        self.local(0, &["push"]);
        self.agree();
        self.check();
        let count = self.server.git(&["rev-list", "--count", "--merges", name]);
        assert_eq!(count, "1\n", "{}", self.story());
    }

    fn append(&mut self, at: usize, branch: &str) {
        let count = self.rng.usize(1..4);
        let texts: Vec<String> = (0..count).map(|nth| format!("c{at} says {}", self.texts + nth)).collect();
        self.texts += count;
        let messages: Vec<Value> =
            texts.iter().map(|text| serde_json::json!({"role": "user", "content": text})).collect();
        let input = Value::from(messages).to_string();
        let said = self.work(at, branch, &["commit", "--messages", "--json"], &input);
        let answer: Value = serde_json::from_str(&said).expect("an answer in JSON");
        let ids = answer["outcome"]["entries"].as_array().expect("entries").clone();
        assert_eq!(ids.len(), texts.len(), "{said}");
        for (id, text) in ids.iter().zip(texts) {
            let id = id.as_str().expect("an id").to_owned();
            self.book.add(branch, Line { owner: at, id, text, pinned: false, dropped: false });
        }
    }

    /// Finds an entry of the clone's own; what another one writes at the same time would be a conflict.
    fn own(&mut self, at: usize, branch: &str, is_meant: impl Fn(&Line) -> bool) -> Option<Line> {
        self.book.pick(branch, at, &mut self.rng).filter(|line| is_meant(line))
    }

    fn note(&mut self, branch: &str, line: Line) {
        self.book.set(branch, line);
    }

    fn edit(&mut self, at: usize, branch: &str) {
        let Some(line) = self.own(at, branch, |line| !line.pinned) else { return };
        let text = format!("{}, and again {}", line.text.split(',').next().unwrap_or_default(), self.step);
        self.work(at, branch, &["edit", &line.id], &text);
        self.note(branch, Line { text, ..line });
    }

    fn pin(&mut self, at: usize, branch: &str) {
        let Some(line) = self.own(at, branch, |line| !line.pinned) else { return };
        self.work(at, branch, &["pin", &line.id], "");
        self.note(branch, Line { pinned: true, ..line });
    }

    fn unpin(&mut self, at: usize, branch: &str) {
        let Some(line) = self.own(at, branch, |line| line.pinned) else { return };
        self.work(at, branch, &["unpin", &line.id], "");
        self.note(branch, Line { pinned: false, ..line });
    }

    fn take_out(&mut self, at: usize, branch: &str) {
        let Some(line) = self.own(at, branch, |line| !line.pinned) else { return };
        self.work(at, branch, &["drop", &line.id], "");
        self.note(branch, Line { dropped: true, ..line });
    }

    fn branch_from(&mut self, at: usize, from: &str, new: &str) {
        self.local(at, &["branch", new, from]);
        let shown = self.work(at, new, &["context", "--as", "jsonl"], "");
        self.book.begin(new, &shown);
        self.clones[at].branches.insert(new.to_owned());
    }

    fn push(&mut self, at: usize, branch: &str) {
        let trouble = self.trouble();
        let answer = self.transfer(at, &["push", "origin", branch], trouble);
        if answer.is_ok() {
            // What was said to be there is there.
            let name = format!("refs/trace/heads/{branch}");
            let there = self.server.git(&["rev-parse", &name]);
            assert_eq!(Some(there.trim()), self.clones[at].world.tip(&name).as_deref(), "{}", self.story());
        } else if matches!(trouble, Trouble::None) {
            let is_behind = answer.code() == Some(1) && answer.stderr.contains("pull");
            assert!(is_behind, "push ended with {:?}: {}\n{}", answer.status, answer.stderr, self.story());
        }
    }

    fn pull(&mut self, at: usize, branch: &str) {
        let trouble = self.trouble();
        let answer = self.transfer(at, &["--branch", branch, "pull"], trouble);
        let is_fine = answer.is_ok() || !matches!(trouble, Trouble::None);
        assert!(is_fine, "pull ended with {:?}: {}\n{}", answer.status, answer.stderr, self.story());
        assert_ne!(answer.code(), Some(3), "nothing disagrees: {}\n{}", answer.stderr, self.story());
        if self.rng.bool() {
            self.adopt(at);
        }
    }

    /// Makes branches of what the remote is known to have and the clone has not.
    fn adopt(&mut self, at: usize) {
        let known = self.clones[at].world.git(
            &["for-each-ref", "--format=%(refname:lstrip=4)", "refs/trace/remotes/origin"],
            &self.clones[at].world.repo(),
        );
        for branch in known.lines() {
            if !self.clones[at].branches.contains(branch) {
                let from = format!("refs/trace/remotes/origin/{branch}");
                self.local(at, &["branch", branch, &from]);
                self.clones[at].branches.insert(branch.to_owned());
            }
        }
    }

    /// Lets all clones pull and push until nothing changes, which must come soon.
    fn agree(&mut self) {
        self.mend();
        for _ in 0..4 {
            for at in 0..self.clones.len() {
                self.local(at, &["pull", "--all"]);
                self.adopt(at);
                self.local(at, &["push", "--all"]);
            }
            let there = self.heads_of_server();
            if (0..self.clones.len()).all(|at| self.heads_of(at) == there) {
                return;
            }
        }
        panic!("the clones do not agree\n{}", self.story());
    }

    /// Looks whether all have what was acknowledged, and all is sound.
    fn check(&mut self) {
        self.server.fsck();
        for at in 0..self.clones.len() {
            self.clones[at].world.fsck();
            for branch in self.book.branches() {
                // A branch that only its maker had, and was not there for anybody else, is everywhere by now.
                let shown = self.work(at, &branch, &["context", "--as", "jsonl"], "");
                self.book.check(&branch, &shown);
            }
            self.local(at, &["verify", "--all"]);
        }
    }

    /// Runs a command on a branch of a clone, which must end well.
    fn work(&mut self, at: usize, branch: &str, arguments: &[&str], input: &str) -> String {
        let arguments = [&["--branch", branch], arguments].concat();
        let answer = self.start(at, &arguments, input).within(LIMIT);
        assert!(answer.is_ok(), "{arguments:?} ended with {:?}: {}\n{}", answer.status, answer.stderr, self.story());
        answer.stdout
    }

    fn local(&mut self, at: usize, arguments: &[&str]) {
        let answer = self.start(at, arguments, "").within(LIMIT);
        assert!(answer.is_ok(), "{arguments:?} ended with {:?}: {}\n{}", answer.status, answer.stderr, self.story());
    }

    /// Starts a command in a clone, at its own time.
    fn start(&mut self, at: usize, arguments: &[&str], input: &str) -> Run {
        use std::io::{Seek, Write};
        self.step += 1;
        self.log.push(format!("{}: clone {at}: {}", self.step, arguments.join(" ")));
        let clone = &self.clones[at];
        let date = format!("{} +0000", BEGIN + self.step * 7 + clone.skew);
        let mut command = clone.world.trace(arguments);
        command.env("GITTRACE_ID_SEED", format!("{}-{at}-{}", self.seed, self.step));
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        command.env("GIT_AUTHOR_NAME", format!("Clone {at}")).env("GIT_COMMITTER_NAME", format!("Clone {at}"));
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(input.as_bytes()).and_then(|()| file.rewind()).expect("a file");
        command.stdin(file);
        Run::start(command)
    }

    /// Runs a command that talks to the server, while something may go wrong; it must end in time.
    fn transfer(&mut self, at: usize, arguments: &[&str], trouble: Trouble) -> Answer {
        if let (Trouble::Line(cut), Some(line)) = (trouble, &self.line) {
            line.arm(cut);
        }
        let mut run = self.start(at, arguments, "");
        if !matches!(trouble, Trouble::None) {
            self.log.push(format!("   {trouble:?}"));
        }
        match trouble {
            Trouble::KillClient { after, alone } => {
                std::thread::sleep(after);
                if alone { run.kill_alone() } else { run.kill_all() }
            }
            Trouble::KillServer { after } => {
                std::thread::sleep(after);
                self.server.kill();
            }
            Trouble::None | Trouble::Line(_) => {}
        }
        let answer = run.within(LIMIT);
        self.tally.note(arguments.contains(&"push"), trouble, answer.is_ok());
        assert!(answer.status.is_some(), "{arguments:?} hangs ({trouble:?})\n{}", self.story());
        self.log.push(format!("   {:?} {}", answer.code(), answer.stderr.trim_end().replace('\n', "\n   ")));
        if matches!(trouble, Trouble::KillServer { .. }) {
            self.server.restart();
        }
        if !matches!(trouble, Trouble::None) {
            self.mend();
        }
        answer
    }

    fn trouble(&mut self) -> Trouble {
        // Java takes long to start.
        let can_restart = self.server.kind() != Kind::Jgit;
        Trouble::choose(&mut self.rng, self.line.is_some(), can_restart)
    }

    fn mend(&mut self) {
        if let Some(line) = &self.line {
            line.mend(self.server.port());
        }
    }

    fn url(&self) -> String {
        self.line.as_ref().map_or_else(|| self.server.url(), |line| self.server.url_over(line))
    }

    fn admit(&self, at: usize) {
        let port = self.line.as_ref().map_or(0, Proxy::port);
        self.server.admit_over(&self.clones[at].world, port);
    }

    fn heads_of(&self, at: usize) -> Vec<String> {
        let world = &self.clones[at].world;
        let heads =
            world.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/trace/heads"], &world.repo());
        heads.lines().map(str::to_owned).collect()
    }

    fn heads_of_server(&self) -> Vec<String> {
        self.server.refs().into_iter().filter(|line| line.starts_with("refs/trace/heads/")).collect()
    }

    /// Tells what happened, and how to see it again.
    fn story(&self) -> String {
        let (kind, clones) = (self.server.kind(), self.clones.len());
        let from = self.log.len().saturating_sub(60);
        format!("GITTRACE_SEED={} ({clones} clones, {kind:?}):\n{}", self.seed, self.log[from..].join("\n"))
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.story());
        }
    }
}
