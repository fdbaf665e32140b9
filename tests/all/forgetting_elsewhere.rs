//! What others forget, and what it does here: no more than it says, and no more than they have a say in.

use std::path::{Path, PathBuf};

use git_trace::codec::Tombstone;
use git_trace::model::{Branch, ObjectId};
use serde_json::Value;

use crate::fake_agent::FakeAgent;
use crate::forgetting::files_with;
use crate::world::{World, feed};

/// A server, a repository that has it as `origin`, and another one beside it.
struct Place {
    world: World,
    server: PathBuf,
    other: String,
}

impl Place {
    fn new() -> Self {
        let world = World::new("sha1");
        world.git(&["init", "-q", "--bare", "server.git"], world.root());
        world.git(&["init", "-q", "--initial-branch=main", "other"], world.root());
        let server = world.root().join("server.git");
        let other = world.root().join("other");
        for dir in [&world.repo(), &other] {
            world.git(&["remote", "add", "origin", server.to_str().expect("plain")], dir);
        }
        let other = other.to_str().expect("plain").to_owned();
        Place { world, server, other }
    }

    /// Runs a command in the other repository.
    fn there(&self, arguments: &[&str]) -> String {
        self.world.ok(&[&["-C", self.other.as_str()], arguments].concat())
    }

    fn say(&self, branch: &str, words: &str) {
        self.world.ok_with(&["--branch", branch, "commit", "--role", "user", "-F", "-"], words.as_bytes());
    }

    fn say_there(&self, branch: &str, words: &str) {
        let arguments = ["-C", &self.other, "--branch", branch, "commit", "--role", "user", "-F", "-"];
        self.world.ok_with(&arguments, words.as_bytes());
    }

    /// Returns the names of our refs in the repository, below a folder of them.
    fn refs(&self, folder: &str) -> Vec<String> {
        let folder = format!("refs/trace/{folder}");
        let refs = self.world.git(&["for-each-ref", "--format=%(refname)", &folder], &self.world.repo());
        refs.lines().map(|name| name["refs/trace/".len()..].to_owned()).collect()
    }

    /// Runs a command, and returns what it complained.
    fn told(&self, arguments: &[&str]) -> String {
        let output = self.world.trace(arguments).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }
}

/// Puts a tombstone in a repository.
fn bury(world: &World, dir: &Path, tombstone: &Tombstone) {
    let tree = world.git(&["mktree"], dir);
    let mut command = world.command("git", dir);
    command.args(["commit-tree", tree.trim(), "-F", "-"]);
    let made = String::from_utf8(feed(command, tombstone.encode().as_bytes()).stdout).expect("an id");
    world.git(&["update-ref", &format!("refs/trace/forgotten/{}", tombstone.key()), made.trim()], dir);
}

#[test]
fn another_remote_forgets_for_itself_alone() {
    let place = Place::new();
    let world = &place.world;
    place.say("main/main", "one");
    place.say("main/main", "two");
    world.ok(&["push"]);
    world.configure("trace.remote", "origin");
    world.git(&["clone", "-q", "--mirror", "server.git", "fork.git"], world.root());
    let fork = world.root().join("fork.git");
    world.git(&["remote", "add", "fork", fork.to_str().expect("plain")], &world.repo());
    world.ok(&["fetch", "fork"]);
    let before = place.refs("");
    let tip: ObjectId = world.tip("refs/trace/heads/main/main").expect("a branch").parse().expect("an id");
    let root = world.git(&["rev-list", "--max-parents=0", "refs/trace/heads/main/main"], &world.repo());
    let branch = Branch::new("main", "main").expect("a name");
    let tombstone = Tombstone::new(branch, vec![root.trim().parse().expect("an id")], tip);
    bury(world, &fork, &tombstone);

    // What the fork forgot is the fork's: nothing of origin's, and nothing of ours.
    let told = place.told(&["fetch", "fork"]);
    assert!(!told.contains("to take it back"), "{told}");
    let noted = format!("remote-forgotten/fork/{}", tombstone.key());
    let mut expected = before.clone();
    expected.retain(|name| name != "remotes/fork/main/main");
    expected.extend(["aside/main/main".to_owned(), noted.clone()]);
    expected.sort();
    assert_eq!(place.refs(""), expected);
    assert_eq!(world.tip("refs/trace/heads/main/main"), Some(tip.to_string()));
    world.ok(&["push"]);
    assert!(world.ok(&["verify", "--all"]).contains("none signed"));
    // But it does not go there again.
    let complaint = world.fails(1, &["push", "fork"]);
    assert!(complaint.contains("branch 'main/main' was forgotten, and is not sent again"), "{complaint}");
    world.ok(&["push", "fork", "--all"]);

    // What the default remote forgot covers all that is here, and is ours from then on.
    bury(world, &place.server, &tombstone);
    let told = place.told(&["fetch"]);
    let hint = format!("git trace forget --lift main/main && git trace branch main/main {tip}");
    assert_eq!(told.matches("to take it back").count(), 1, "{told}");
    assert!(told.contains(&hint), "{told}");
    let key = tombstone.key();
    let left = ["aside/main/main".to_owned(), format!("forgotten/{key}")];
    let here = place.refs("");
    assert!(left.iter().all(|name| here.contains(name)), "{here:?}");
    assert!(!here.iter().any(|name| name.contains("heads/") || name.starts_with("remotes/")), "{here:?}");
    // Lifted at the fork, it is not noted any more.
    world.git(&["update-ref", "-d", &format!("refs/trace/forgotten/{key}")], &fork);
    world.ok(&["fetch", "fork"]);
    assert!(!place.refs("").contains(&noted));
    world.fsck();
}

#[test]
fn a_session_stays_away_only_where_something_of_it_was_forgotten() {
    let place = Place::new();
    let world = &place.world;
    place.say("main/main", "one");
    world.ok(&["push"]);
    let mut agent = FakeAgent::new(world, "5e55a0bb-0001-4000-8000-000000000001", &world.repo());
    agent.is_hooked = false;
    agent.start("startup");
    agent.prompt("the plan");
    agent.say("done");
    agent.stop();
    let transcript = agent.transcript.to_str().expect("plain").to_owned();
    let unknown = |digit: u8| ObjectId::Sha1([digit; 20]);
    let mut tombstone = Tombstone::new(Branch::new("zzz", "main").expect("a name"), vec![unknown(1)], unknown(3));
    tombstone.sessions = vec!["claude:5e55a0bb-0001-4000-8000-000000000001".to_owned()];
    bury(world, &place.server, &tombstone);
    world.ok(&["fetch"]);
    assert_eq!(place.refs("remote-forgotten").len(), 1);
    assert!(!world.ok(&["import", "--json", &transcript]).contains("\"forgotten\":\""));
    let branch = "refs/trace/heads/claude-5e55a0bb/main";
    let tip = world.tip(branch).expect("it was imported");

    // The same about the branch itself.
    let root = world.git(&["rev-list", "--max-parents=0", branch], &world.repo());
    let branch = Branch::new("claude-5e55a0bb", "main").expect("a name");
    let roots = vec![root.trim().parse().expect("an id")];
    let sessions = tombstone.sessions;
    let tombstone = Tombstone { sessions, ..Tombstone::new(branch, roots, tip.parse().expect("an id")) };
    bury(world, &place.server, &tombstone);
    world.ok(&["fetch"]);
    assert!(world.ok(&["import", "--json", &transcript]).contains("\"forgotten\":\"claude-5e55a0bb"));
    // A hook says why it is silent, and names nothing.
    world.configure("trace.capture", "true");
    agent.is_hooked = true;
    agent.prompt("go on");
    let log = std::fs::read_to_string(world.repo().join(".git/trace/hook.log")).expect("a log");
    assert!(log.contains("the session was forgotten") && !log.contains("5e55a0bb"), "{log}");
}

#[test]
fn a_session_that_goes_on_is_not_forgotten_with_another_branch() {
    let place = Place::new();
    let world = &place.world;
    let mut agent = FakeAgent::new(world, "5e55a0cc-0001-4000-8000-000000000001", &world.repo());
    agent.is_hooked = false;
    agent.start("startup");
    for words in ["one", "two", "three"] {
        agent.prompt(words);
        agent.say("done");
    }
    agent.stop();
    let transcript = agent.transcript.to_str().expect("plain").to_owned();
    world.ok(&["import", &transcript]);
    world.ok(&["branch", "claude-5e55a0cc/exp", "claude-5e55a0cc/main"]);
    world.ok(&["--branch", "claude-5e55a0cc/main", "reset", "--hard", "claude-5e55a0cc/main~1"]);
    place.say("claude-5e55a0cc/main", "by hand");
    let told: Value = serde_json::from_str(&world.ok(&["forget", "--json", "claude-5e55a0cc/exp"])).expect("JSON");
    assert_eq!(told["forgotten"]["sessions"], Value::Array(Vec::new()), "{told}");
    assert!(!world.ok(&["import", "--json", &transcript]).contains("\"forgotten\":\""));
}

#[test]
fn a_forgotten_sibling_leaves_the_tags_of_others() {
    let place = Place::new();
    let world = &place.world;
    place.say("main/main", "one");
    world.ok(&["tag", "main/v1"]);
    world.ok(&["branch", "main/two"]);
    place.say("main/two", "two");
    world.ok(&["push", "--all"]);
    world.ok(&["forget", "main/two", "--remote"]);
    // Who clones, and who only fetches.
    world.ok(&["clone", place.server.to_str().expect("plain"), "../cloned"]);
    place.there(&["fetch"]);
    for dir in [world.root().join("cloned"), PathBuf::from(&place.other)] {
        let tags = world.git(&["for-each-ref", "--format=%(refname)", "refs/trace/tags"], &dir);
        assert_eq!(tags, "refs/trace/tags/main/v1\n", "{}", dir.display());
        let aside = world.git(&["for-each-ref", "refs/trace/aside"], &dir);
        assert_eq!(aside, "", "{}", dir.display());
    }
}

#[test]
fn a_copy_of_another_branch_with_a_longer_name_stays() {
    let place = Place::new();
    let world = &place.world;
    place.say("main/main", "one");
    world.ok(&["branch", "main/fork"]);
    place.say("main/fork", "two");
    let (tip, fork) = (world.tip("refs/trace/heads/main/main"), world.tip("refs/trace/heads/main/fork"));
    let (tip, fork) = (tip.expect("a branch"), fork.expect("a branch"));
    for (name, id) in [("main.old", &fork), ("main.1", &fork), ("main", &tip), ("main+1", &tip)] {
        world.git(&["update-ref", &format!("refs/trace/aside/main/{name}"), id], &world.repo());
    }
    let told = place.told(&["forget", "main/main"]);
    assert!(told.contains(&format!("git update-ref refs/trace/aside/main/main+1 {tip}")), "{told}");
    assert_eq!(place.refs("aside"), ["aside/main/main.1", "aside/main/main.old"]);
    let told = place.told(&["forget", "--lift", "main/main"]);
    assert!(!told.contains("main.old") && !told.contains("main.1"), "{told}");
}

#[test]
fn commits_of_others_that_go_are_named_and_can_be_taken_back() {
    let place = Place::new();
    let world = &place.world;
    place.say("main/main", "one");
    world.ok(&["push"]);
    place.there(&["pull"]);
    place.say_there("main/main", "two");
    place.there(&["push"]);
    world.ok(&["fetch"]);
    let theirs = world.tip("refs/trace/remotes/origin/main/main").expect("it was fetched");
    assert_ne!(world.tip("refs/trace/heads/main/main"), Some(theirs.clone()));
    let told = place.told(&["forget", "main/main", "--remote"]);
    assert!(told.contains("'main/main' had 1 commit at 'origin' that are on no branch here"), "{told}");
    let undo = format!("git trace forget --lift main/main && git trace branch main/main {theirs}");
    assert!(told.contains(&undo), "{told}");
    world.ok(&["forget", "--lift", "main/main", "--remote"]);
    world.ok(&["branch", "main/main", &theirs]);
    world.ok(&["push"]);
    place.there(&["pull"]);
}

#[test]
fn what_was_lifted_elsewhere_is_told_and_can_be_lifted_there_later() {
    let place = Place::new();
    let world = &place.world;
    place.say("main/main", "one");
    place.say("x/main", "two");
    world.ok(&["push", "--all"]);
    place.there(&["fetch"]);
    place.there(&["branch", "x/main", "origin/x/main"]);
    world.ok(&["forget", "x/main", "--remote"]);
    place.there(&["fetch"]);
    // Lifted in one clone alone: the hint names the branch, and what it says works.
    let told = place.world.trace(&["-C", &place.other, "forget", "--lift", "x/main"]).output().expect("it runs");
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("git trace forget --lift x/main --remote"), "{told}");
    assert!(told.contains("git update-ref -d refs/trace/aside/x/main"), "{told}");
    let complaint = world.fails(1, &["-C", &place.other, "forget", "--lift", "x/main"]);
    assert!(complaint.contains("git trace forget --lift x/main --remote"), "{complaint}");
    place.there(&["forget", "--lift", "x/main", "--remote"]);
    let left = world.git(&["for-each-ref", "refs/trace/forgotten", "refs/trace/remote-forgotten"], &place.server);
    assert_eq!(left, "");
    let back = place.there(&["log", "--json", "refs/trace/aside/x/main"]);
    assert!(back.contains("commit"), "{back}");
    place.there(&["branch", "x/main", "refs/trace/aside/x/main"]);
    place.there(&["push", "origin", "x/main"]);

    // The one that forgot it is told, once, and keeps its own until it is lifted there too.
    let told = place.told(&["fetch"]);
    assert!(told.contains("'x/main' is no longer forgotten at 'origin', but here"), "{told}");
    assert!(told.contains("git trace forget --lift x/main"), "{told}");
    world.ok(&["forget", "--lift", "x/main"]);
    world.ok(&["fetch"]);
    assert!(world.tip("refs/trace/remotes/origin/x/main").is_some());
    assert_eq!(place.refs("remote-forgotten"), [""; 0]);
}

#[test]
fn what_was_forgotten_does_not_come_back_with_a_copy_of_the_session() {
    let place = Place::new();
    let world = &place.world;
    place.say("main/main", "stays");
    let mut agent = FakeAgent::new(world, "5e55a0dd-0001-4000-8000-000000000001", &world.repo());
    agent.is_hooked = false;
    agent.start("startup");
    for words in ["the heliotrope plan", "the heliotrope garden"] {
        agent.prompt(words);
        agent.say("a heliotrope answer");
    }
    agent.stop();
    world.ok(&["import", agent.transcript.to_str().expect("plain")]);
    world.ok(&["forget", "--purge", "claude:5e55a0dd-0001-4000-8000-000000000001"]);
    assert_eq!(files_with(world, &world.repo().join(".git"), "heliotrope"), Vec::<PathBuf>::new());

    // Resumed under another id: the old lines first, and then what is new.
    let copy = world.root().join("99999999-0001-4000-8000-000000000001.jsonl");
    let copied = |agent: &FakeAgent<'_>| {
        let text = std::fs::read_to_string(&agent.transcript).expect("a transcript");
        std::fs::write(&copy, text.replace(r#""sessionId":"5e55a0dd-"#, r#""sessionId":"99999999-"#)).expect("written");
        world.ok(&["import", "--json", copy.to_str().expect("plain")])
    };
    copied(&agent);
    assert_eq!(place.refs("heads"), ["heads/main/main"]);
    agent.prompt("a new beginning");
    agent.say("so be it");
    agent.flush();
    copied(&agent);
    agent.prompt("and on");
    agent.say("and on it goes");
    agent.flush();
    copied(&agent);
    // Nobody remembers how far it was read: it is read again.
    std::fs::remove_dir_all(world.repo().join(".git/trace/watermarks")).expect("removed");
    copied(&agent);
    assert_eq!(place.refs("heads"), ["heads/claude-99999999/main", "heads/main/main"]);
    assert_eq!(files_with(world, &world.repo().join(".git"), "heliotrope"), Vec::<PathBuf>::new());
    let context = world.ok(&["--branch", "claude-99999999/main", "context"]);
    assert!(context.contains("a new beginning") && context.contains("and on"), "{context}");
    world.fsck();
}
