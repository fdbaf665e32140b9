//! What goes over the wire: objects, bytes, and what the two sides tell each other.

use std::fs;
use std::path::Path;

use crate::servers::{Kind, Proxy, Server};
use crate::world::{World, amount};

/// Entries of the large context.
const ENTRIES: usize = 10_000;

/// A clone whose server is reached over a line that counts.
struct Counted {
    server: Server,
    line: Proxy,
    world: World,
}

impl Counted {
    fn new() -> Self {
        let server = Server::start(Kind::Daemon).expect("git is there");
        let line = Proxy::to(server.port());
        let world = World::new("sha1");
        world.ok(&["remote", "add", "origin", &server.url_over(&line)]);
        Counted { server, line, world }
    }

    /// Makes another clone of the same server.
    fn other(&self) -> World {
        let world = World::new("sha1");
        world.ok(&["remote", "add", "origin", &self.server.url_over(&self.line)]);
        world
    }

    /// Runs git trace, and returns what went over the wire.
    fn talk(&self, world: &World, arguments: &[&str]) -> Talk {
        let (log, pack) = (world.root().join("packets"), world.root().join("pack"));
        for file in [&log, &pack] {
            let _ = fs::remove_file(file);
        }
        self.line.take_count();
        let mut command = world.trace(arguments);
        command.env("GIT_TRACE_PACKET", &log).env("GIT_TRACE_PACKFILE", &pack);
        let output = command.output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        let (up, down) = self.line.take_count();
        // What came is told as it came: a pack, whose header counts its objects. What is stored may hold more than that,
        // as git puts the bases of differences into a pack that it keeps.
        let got = fs::read(&pack).ok().and_then(|pack| Some(u32::from_be_bytes(pack.get(8..12)?.try_into().ok()?)));
        Talk { up, down, got: got.unwrap_or(0) as usize, packets: packets(&log) }
    }
}

/// Is what went over the wire.
struct Talk {
    up: u64,
    down: u64,
    /// How many objects came.
    got: usize,
    /// The lines that the client sent and got, as git tells them.
    packets: Vec<String>,
}

impl Talk {
    fn count(&self, what: &str) -> usize {
        self.packets.iter().filter(|line| line.contains(what)).count()
    }

    fn told(&self) -> String {
        let haves = self.count("> have ");
        format!("{} bytes up, {} down, {haves} haves, {} packets", self.up, self.down, self.packets.len())
    }
}

fn packets(log: &Path) -> Vec<String> {
    let text = fs::read(log).unwrap_or_default();
    // `12:00:00.000000 pkt-line.c:85 packet:        fetch> have …`
    let text = String::from_utf8_lossy(&text);
    text.lines().filter_map(|line| Some(line.split_once("packet:")?.1.trim().to_owned())).collect()
}

/// Writes a repository's code: this many commits of one file, straight to a pack.
fn write_code(world: &World, commits: usize) {
    let mut stream = String::new();
    for nth in 0..commits {
        let text = format!("line {nth}\n");
        stream += &format!(
            "commit refs/heads/main\ncommitter C <c@example.com> {} +0000\ndata 1\nx\nM 644 inline file.txt\n\
             data {}\n{text}\n",
            1_770_000_000 + nth,
            text.len()
        );
    }
    let mut command = world.command("git", &world.repo());
    command.args(["fast-import", "--quiet"]);
    let output = crate::world::feed(command, stream.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Writes messages, as one commit each, on a branch.
fn write_context(world: &World, branch: &str, entries: usize) {
    let messages: Vec<serde_json::Value> = (0..entries)
        .map(|nth| {
            let role = ["user", "assistant"][nth % 2];
            serde_json::json!({"role": role, "content": format!("{branch}: message {nth} of a long session")})
        })
        .collect();
    let input = serde_json::Value::from(messages).to_string();
    world.ok_with(&["--branch", branch, "commit", "--messages", "-q"], input.as_bytes());
}

fn objects(dir: &Path, world: &World) -> usize {
    let counted = world.git(&["count-objects", "-v"], dir);
    let of = |key: &str| -> usize {
        let line = counted.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("0");
        line.trim().parse().expect("a number")
    };
    of("count:") + of("in-pack:")
}

#[test]
fn one_new_entry_of_a_long_context_is_a_few_objects() {
    let counted = Counted::new();
    let one = &counted.world;
    write_code(one, 4000);
    write_context(one, "main/main", ENTRIES);
    let whole = counted.talk(one, &["push", "origin"]);
    // Most appends write a blob, a tree and a commit; the 32nd seals a chunk, which is the costliest.
    let other = counted.other();
    write_code(&other, 4000);
    counted.talk(&other, &["pull", "origin"]);
    let (mut most_up, mut most_down, mut most_sent, mut most_haves) = (0, 0, 0, 0);
    for nth in 0..34 {
        one.ok_with(&["commit", "-q"], format!("one more message, number {nth}").as_bytes());
        let before = objects(&counted.server.repository(), one);
        let push = counted.talk(one, &["push", "origin"]);
        let sent = objects(&counted.server.repository(), one) - before;
        assert!((3..=6).contains(&sent), "{sent} objects for entry {nth}");
        assert!(push.up + push.down <= 4096, "push of entry {nth}: {}", push.told());
        assert_eq!(push.count("push> have"), 0);

        let fetch = counted.talk(&other, &["fetch", "origin"]);
        let got = fetch.got;
        assert!((3..=6).contains(&got), "{got} objects for entry {nth}");
        assert!(fetch.up + fetch.down <= 4096, "fetch of entry {nth}: {}", fetch.told());
        assert!(fetch.count("> have ") < 20, "{}", fetch.told());
        most_up = most_up.max(push.up + push.down);
        most_down = most_down.max(fetch.up + fetch.down);
        most_sent = most_sent.max(sent.max(got));
        most_haves = most_haves.max(fetch.count("> have "));
    }
    eprintln!(
        "{ENTRIES} entries: all of it {}; one more: at most {most_sent} objects, {most_up} bytes pushed, {most_down} \
         fetched, {most_haves} haves",
        whole.told()
    );
}

#[test]
fn fetch_asks_for_our_names_only() {
    let counted = Counted::new();
    let one = &counted.world;
    write_code(one, 50);
    one.git(&["push", "-q", "origin", "main"], &one.repo());
    for nth in 0..40 {
        counted.server.git(&["update-ref", &format!("refs/heads/topic{nth}"), "refs/heads/main"]);
    }
    write_context(one, "main/main", 3);
    counted.talk(one, &["push", "origin"]);
    let other = counted.other();
    let fetch = counted.talk(&other, &["fetch", "origin"]);
    assert!(fetch.count("ref-prefix refs/trace/heads/") > 0, "{:?}", fetch.packets);
    let asked: Vec<&String> = fetch.packets.iter().filter(|line| line.contains("ref-prefix ")).collect();
    assert!(asked.iter().all(|line| line.contains("refs/trace/")), "{asked:?}");
    assert_eq!(fetch.count("refs/heads/topic"), 0, "no other ref is told");
    let code = other.git(&["rev-parse", "refs/heads/main"], &one.repo());
    let mut command = other.command("git", &other.repo());
    let found = command.args(["cat-file", "-e", code.trim()]).output().expect("git starts");
    assert!(!found.status.success(), "no code comes along");
}

#[test]
fn one_new_session_among_many_is_cheap() {
    let counted = Counted::new();
    let one = &counted.world;
    write_code(one, amount(1000, 4000));
    let sessions = 300;
    for nth in 0..sessions {
        write_context(one, &format!("s{nth}/main"), 2);
    }
    counted.talk(one, &["push", "--all", "origin"]);
    let other = counted.other();
    write_code(&other, amount(1000, 4000));
    counted.talk(&other, &["fetch", "origin"]);
    write_context(one, "new/main", 2);
    let push = counted.talk(one, &["push", "origin", "new/main"]);
    let fetch = counted.talk(&other, &["fetch", "origin"]);
    eprintln!("one new session beside {sessions}: push {}; fetch {}", push.told(), fetch.told());
    // The names of all sessions are told each time; what they hold is not.
    assert!(push.up < 4096 && push.down < 4096 + 100 * sessions, "{}", push.told());
    assert!(fetch.count("> have ") < 20, "{}", fetch.told());
    assert!(fetch.up < 4096 && fetch.down < 4096 + 100 * sessions, "{}", fetch.told());
}

#[test]
fn plain_git_is_as_it_was() {
    let refs = |world: &World| {
        let refs = world.git(&["for-each-ref", "--format=%(refname) %(objectname)"], &world.repo());
        refs.lines().filter(|line| !line.starts_with("refs/trace/")).map(str::to_owned).collect::<Vec<_>>()
    };
    // The same is done in two pairs of repositories: with traces, and without.
    let done = [true, false].map(|with_traces| {
        let counted = Counted::new();
        let one = &counted.world;
        write_code(one, 200);
        if with_traces {
            write_context(one, "main/main", 300);
            counted.talk(one, &["push", "origin"]);
        } else {
            one.ok(&["remote", "remove", "origin"]);
        }
        let other = counted.other();
        if with_traces {
            counted.talk(&other, &["pull", "origin"]);
        } else {
            other.ok(&["remote", "remove", "origin"]);
        }
        for world in [one, &other] {
            let url = counted.server.url_over(&counted.line);
            world.configure("remote.code.url", &url);
            world.configure("remote.code.fetch", "+refs/heads/*:refs/remotes/code/*");
        }
        counted.line.take_count();
        one.git(&["push", "-q", "--all", "code"], &one.repo());
        let (pushed, _) = counted.line.take_count();
        other.git(&["fetch", "-q", "code"], &other.repo());
        let (asked, got) = counted.line.take_count();
        let there: Vec<String> =
            counted.server.refs().into_iter().filter(|line| !line.starts_with("refs/trace/")).collect();
        (refs(one), refs(&other), there, [pushed, asked, got])
    });
    let [with, without] = done;
    assert_eq!((&with.0, &with.1, &with.2), (&without.0, &without.1, &without.2));
    eprintln!("plain git: pushed, asked, got {:?} bytes with traces, {:?} without", with.3, without.3);
    for (with, without) in with.3.iter().zip(without.3) {
        assert!(*with <= without + without / 10 + 300, "{with} bytes instead of {without}");
    }
}
