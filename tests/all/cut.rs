//! A push or fetch that is cut short changes nothing or everything, ends in time, and is finished by the same command.

use std::time::Duration;

use crate::servers::{Answer, Cut, How, Kind, Proxy, Run, Server, Way};
use crate::world::{World, amount};

/// The longest that a command may take to say that a line is dead.
const VERDICT: Duration = Duration::from_secs(20);

/// The branches that travel.
const BRANCHES: [&str; 3] = ["refs/trace/heads/main/main", "refs/trace/heads/main/other", "refs/trace/heads/side/main"];

/// Is what is done to a transfer.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// The line fails.
    Line(Way, How),
    /// The client is killed; git, which it started, goes on.
    ClientAlone,
    /// The client is killed with all that it started.
    Client,
    /// The server is killed.
    Server,
}

const BLOWS: [Blow; 8] = [
    Blow::Line(Way::Up, How::Reset),
    Blow::Line(Way::Down, How::Reset),
    Blow::Line(Way::Up, How::Close),
    Blow::Line(Way::Down, How::Close),
    Blow::ClientAlone,
    Blow::Client,
    Blow::Client,
    Blow::Server,
];

/// Two clones and a server between them.
struct Scene {
    server: Server,
    line: Proxy,
    sender: World,
    receiver: World,
    rng: fastrand::Rng,
    seed: u64,
    /// How many bytes an uncut push and fetch take each way.
    usual: [(u64, u64); 2],
    /// And how long.
    time: [Duration; 2],
}

#[test]
fn cut_transfers_change_nothing_or_everything() {
    let seed = std::env::var("GITTRACE_SEED")
        .map_or_else(|_| fastrand::u64(..1_000_000), |seed| seed.parse().expect("GITTRACE_SEED is a number"));
    for (kind, quick, soak) in [(Kind::Daemon, 16, 150), (Kind::Http, 8, 100), (Kind::Ssh, 6, 100)] {
        let Some(mut scene) = Scene::new(kind, seed) else { continue };
        let rounds = amount(quick, soak);
        let mut cut = 0;
        for round in 0..rounds {
            cut += usize::from(scene.round(round));
        }
        eprintln!("{kind:?}: {cut} of {rounds} pushes and as many fetches were cut");
        scene.server.fsck();
        scene.sender.fsck();
        scene.receiver.fsck();
    }
}

#[test]
fn a_line_that_falls_silent_is_given_up() {
    // All of a talk may take so many seconds, whatever the transport can find out by itself.
    for (kind, seconds, shares) in
        [(Kind::Daemon, 1, &[0.0, 0.1, 0.7][..]), (Kind::Http, 2, &[0.7]), (Kind::Ssh, 4, &[0.8])]
    {
        let Some(scene) = Scene::new(kind, 1) else { continue };
        scene.sender.configure("trace.timeout", &seconds.to_string());
        scene.grow(0);
        let before = scene.refs_there();
        for share in shares {
            let after = (scene.usual[0].0 as f64 * share) as u64;
            scene.line.arm(Cut { way: Way::Up, after, how: How::Stall });
            let answer = scene.push().within(VERDICT);
            assert!(answer.status.is_some(), "{kind:?} after {after} bytes: it hangs");
            assert!(!answer.is_ok() && !answer.stderr.is_empty(), "{kind:?}: {}", answer.stderr);
            assert!(scene.line.has_failed());
            assert_eq!(scene.refs_there(), before, "{kind:?}");
            scene.line.mend(scene.server.port());
        }
        scene.must_soon(|| scene.push(), "push");
        scene.server.fsck();
    }
}

impl Scene {
    fn new(kind: Kind, seed: u64) -> Option<Self> {
        let server = Server::start(kind)?;
        let line = Proxy::to(server.port());
        let (sender, receiver) = (World::new("sha1"), World::new("sha1"));
        for world in [&sender, &receiver] {
            server.admit_over(world, line.port());
            world.ok(&["remote", "add", "origin", &server.url_over(&line)]);
            world.configure("trace.timeout", "10");
        }
        sender.ok(&["init"]);
        sender.ok(&["branch", "other"]);
        sender.ok(&["branch", "side/main"]);
        let rng = fastrand::Rng::with_seed(seed);
        let mut scene =
            Scene { server, line, sender, receiver, rng, seed, usual: [(0, 0); 2], time: [Duration::ZERO; 2] };
        scene.must(scene.push(), "push");
        scene.must(scene.fetch(), "fetch");
        scene.grow(1_000_000);
        scene.line.take_count();
        scene.time[0] = scene.must(scene.push(), "push").took;
        scene.usual[0] = scene.line.take_count();
        scene.time[1] = scene.must(scene.fetch(), "fetch").took;
        scene.usual[1] = scene.line.take_count();
        Some(scene)
    }

    /// Adds to each branch; what is added cannot be compressed.
    fn grow(&self, round: usize) {
        for branch in BRANCHES {
            let branch = branch.trim_start_matches("refs/trace/heads/");
            for nth in 0..2 {
                let mut rng = fastrand::Rng::with_seed((round * 10 + nth) as u64);
                let words: String = std::iter::repeat_with(|| rng.alphabetic()).take(5000).collect();
                let words: Vec<&str> = words.as_bytes().chunks(7).filter_map(|w| std::str::from_utf8(w).ok()).collect();
                let text = format!("round {round}, {nth}: {}", words.join(" "));
                self.sender.ok_with(&["--branch", branch, "commit", "-q"], text.as_bytes());
            }
        }
    }

    /// Cuts a push and then a fetch; tells whether the push was cut.
    fn round(&mut self, round: usize) -> bool {
        self.grow(round);
        let old = self.refs_there();
        let new = refs_of(&self.sender, "refs/trace/heads");
        let was_cut = self.strike(round, 0);
        let there = self.refs_there();
        for (at, branch) in there.iter().enumerate() {
            assert!(*branch == old[at] || *branch == new[at], "round {round}, seed {}: {branch}", self.seed);
        }
        // All that refs name is there. Objects that nothing names may be without those that they name: a server that is
        // killed while it takes them over leaves some behind.
        self.server.git(&["rev-list", "--objects", "--all", "--quiet"]);
        self.must_soon(|| self.push(), &format!("push after round {round}, seed {}", self.seed));
        assert_eq!(self.refs_there(), new);
        self.server.fsck();

        let old = refs_of(&self.receiver, "refs/trace/remotes/origin");
        self.strike(round, 1);
        let is_one_of = |found: &String| {
            let as_head = found.replace("refs/trace/remotes/origin/", "refs/trace/heads/");
            old.contains(found) || new.contains(&as_head)
        };
        let found = refs_of(&self.receiver, "refs/trace/remotes/origin");
        assert!(found.iter().all(is_one_of), "round {round}, seed {}: {found:?}", self.seed);
        self.receiver.git(&["rev-list", "--objects", "--all", "--quiet"], &self.receiver.repo());
        self.must(self.fetch(), &format!("fetch after round {round}, seed {}", self.seed));
        let found = refs_of(&self.receiver, "refs/trace/remotes/origin");
        assert_eq!(found.len(), new.len(), "{found:?}");
        assert!(found.iter().all(|row| new.contains(&row.replace("remotes/origin", "heads"))), "round {round}");
        self.receiver.fsck();
        was_cut
    }

    /// Starts a push (0) or a fetch (1) and cuts it; tells whether it did not end well.
    fn strike(&mut self, round: usize, which: usize) -> bool {
        let blow = BLOWS[self.rng.usize(..BLOWS.len())];
        let (up, down) = self.usual[which];
        if let Blow::Line(way, how) = blow {
            let most = if way == Way::Up { up } else { down };
            self.line.arm(Cut { way, after: self.rng.u64(..=most), how });
        }
        let mut run = if which == 0 { self.push() } else { self.fetch() };
        let moment = self.time[which].mul_f64(self.rng.f64() * 1.1);
        match blow {
            Blow::Line(..) => {}
            Blow::ClientAlone => {
                std::thread::sleep(moment);
                run.kill_alone();
            }
            Blow::Client => {
                std::thread::sleep(moment);
                run.kill_all();
            }
            Blow::Server => {
                std::thread::sleep(moment);
                self.server.kill();
            }
        }
        let answer = run.within(VERDICT);
        assert!(answer.status.is_some(), "round {round}, seed {}, {blow:?}: it hangs", self.seed);
        if matches!(blow, Blow::Server) {
            self.server.restart();
        }
        self.line.mend(self.server.port());
        !answer.is_ok()
    }

    fn push(&self) -> Run {
        Run::start(self.sender.trace(&["push", "--all", "origin"]))
    }

    fn fetch(&self) -> Run {
        Run::start(self.receiver.trace(&["fetch", "origin"]))
    }

    /// A server may still be at work on what it was sent by a client that is gone; then the same command is repeated.
    fn must_soon(&self, run: impl Fn() -> Run, what: &str) {
        let answer = run().within(VERDICT);
        if !answer.stdout.contains("cannot lock ref") {
            let log = self.server.log();
            assert!(answer.is_ok(), "{what} ended with {:?}: {}{}\n{log}", answer.status, answer.stdout, answer.stderr);
            return;
        }
        eprintln!("{what}: the server was still at it");
        std::thread::sleep(Duration::from_millis(300));
        self.must(run(), what);
    }

    fn must(&self, run: Run, what: &str) -> Answer {
        let answer = run.within(VERDICT);
        let log = self.server.log();
        assert!(answer.is_ok(), "{what} ended with {:?}: {}{}\n{log}", answer.status, answer.stdout, answer.stderr);
        answer
    }

    fn refs_there(&self) -> Vec<String> {
        self.server.refs().into_iter().filter(|row| row.starts_with("refs/trace/heads/")).collect()
    }
}

fn refs_of(world: &World, folder: &str) -> Vec<String> {
    let refs = world.git(&["for-each-ref", "--format=%(refname) %(objectname)", folder], &world.repo());
    refs.lines().map(str::to_owned).collect()
}
