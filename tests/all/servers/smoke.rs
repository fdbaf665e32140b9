//! git trace on every kind of server: what goes comes back, and plain git beside it is as it was.

use std::time::Duration;

use super::{Answer, Kind, Rule, Run, Server};
use crate::world::World;

const LIMIT: Duration = Duration::from_secs(60);

/// Makes a clone whose remote `origin` is the server.
fn member(server: &Server) -> World {
    let world = World::new("sha1");
    server.admit(&world);
    world.git(&["remote", "add", "origin", &server.url()], &world.repo());
    world
}

/// Runs git trace in a clone, where nobody sits who could type a password.
fn trace(world: &World, arguments: &[&str]) -> Answer {
    let mut command = world.trace(arguments);
    command.env("GIT_TERMINAL_PROMPT", "0").env("GITTRACE_ID_SEED", world.root());
    let answer = Run::start(command).within(LIMIT);
    assert!(answer.status.is_some(), "{arguments:?} did not end: {}", answer.stderr);
    answer
}

fn ok(world: &World, arguments: &[&str]) -> String {
    let answer = trace(world, arguments);
    assert!(answer.is_ok(), "{arguments:?}: {}{}", answer.stdout, answer.stderr);
    answer.stdout
}

fn fails(world: &World, code: i32, arguments: &[&str]) -> String {
    let answer = trace(world, arguments);
    assert_eq!(answer.code(), Some(code), "{arguments:?}: {}{}", answer.stdout, answer.stderr);
    answer.stdout + &answer.stderr
}

fn say(world: &World, text: &str) {
    let mut command = world.trace(&["commit", "-q", "-m", text]);
    command.env("GITTRACE_ID_SEED", format!("{}{text}", world.root().display()));
    let output = crate::world::feed(command, text.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn commit_code(world: &World, text: &str) {
    std::fs::write(world.repo().join("code.txt"), text).expect("a file");
    world.git(&["add", "code.txt"], &world.repo());
    world.git(&["commit", "-q", "-m", text], &world.repo());
}

/// Returns the refs that are not ours.
fn code_refs(world: &World) -> Vec<String> {
    let refs = world.git(&["for-each-ref", "--format=%(refname) %(objectname)"], &world.repo());
    refs.lines().filter(|row| !row.starts_with("refs/trace/")).map(str::to_owned).collect()
}

#[test]
fn contexts_go_there_and_come_back() {
    for kind in Kind::ALL {
        let Some(server) = Server::start(kind) else { continue };
        let (one, other) = (member(&server), member(&server));
        commit_code(&one, "first");
        one.git(&["push", "-q", "-u", "origin", "main"], &one.repo());
        say(&one, "the beginning");
        let code = code_refs(&one);
        let there =
            |prefix: &str| -> Vec<String> { server.refs().into_iter().filter(|row| row.starts_with(prefix)).collect() };
        let code_there = there("refs/heads/");
        ok(&one, &["push"]);
        assert_eq!(there("refs/trace/heads/").len(), 1, "{kind:?}: {:?}", server.refs());
        assert!(ok(&one, &["ls-remote"]).contains("main/main"), "{kind:?}");
        ok(&other, &["pull"]);
        assert_eq!(ok(&one, &["context"]), ok(&other, &["context"]), "{kind:?}");

        // Both go on.
        say(&one, "from one");
        say(&other, "from the other");
        ok(&one, &["push"]);
        let said = fails(&other, 1, &["push"]);
        assert!(said.contains("git trace pull"), "{kind:?}: {said}");
        ok(&other, &["pull"]);
        ok(&other, &["push"]);
        ok(&one, &["pull"]);
        let context = ok(&one, &["context", "--as", "jsonl"]);
        assert_eq!(context, ok(&other, &["context", "--as", "jsonl"]), "{kind:?}");
        for text in ["the beginning", "from one", "from the other"] {
            assert_eq!(context.matches(text).count(), 1, "{kind:?}: {context}");
        }

        // Only the contexts.
        let folder = one.root().join("only").display().to_string();
        ok(&one, &["clone", &server.url(), &folder]);
        assert_eq!(ok(&one, &["-C", &folder, "context", "--as", "jsonl"]), context, "{kind:?}");

        // What git does for the user is what it did.
        assert_eq!((code_refs(&one), there("refs/heads/")), (code, code_there), "{kind:?}");
        commit_code(&one, "second");
        one.git(&["push", "-q"], &one.repo());
        other.git(&["fetch", "-q"], &other.repo());
        let tip = one.tip("refs/heads/main").expect("a tip");
        assert_eq!(there("refs/heads/"), [format!("refs/heads/main {tip}")], "{kind:?}");
        let fetched = code_refs(&other);
        assert!(fetched.iter().all(|row| row.starts_with("refs/remotes/origin/")), "{kind:?}: {fetched:?}");
        assert!(fetched.contains(&format!("refs/remotes/origin/main {tip}")), "{kind:?}: {fetched:?}");

        server.fsck();
        for world in [&one, &other] {
            world.fsck();
            ok(world, &["verify"]);
        }
    }
}

#[test]
fn a_wrong_password_is_told_and_nobody_is_asked() {
    let Some(server) = Server::start(Kind::Http) else { return };
    let one = World::new("sha1");
    one.git(&["remote", "add", "origin", &server.url()], &one.repo());
    say(&one, "hello");
    for arguments in [&["push"][..], &["fetch"], &["pull"], &["ls-remote"]] {
        let said = fails(&one, 1, arguments);
        assert!(said.contains("cannot reach remote 'origin'") && said.contains("Username"), "{said}");
    }
    server.admit_as(&one, server.port(), "agent", "another");
    let said = fails(&one, 1, &["push"]);
    assert!(said.contains("Authentication failed") || said.contains("could not read"), "{said}");
    assert!(!said.contains("another"), "no password is shown: {said}");
    server.admit(&one);
    ok(&one, &["push"]);
    assert_eq!(server.refs().len(), 1);
}

#[test]
fn an_unknown_host_or_key_is_told_and_nobody_is_asked() {
    let Some(server) = Server::start(Kind::Ssh) else { return };
    let one = member(&server);
    say(&one, "hello");
    let hosts = one.home().join("ssh/known_hosts");
    let known = std::fs::read(&hosts).expect("known hosts");
    std::fs::write(&hosts, "").expect("a file");
    let said = fails(&one, 1, &["push"]);
    assert!(said.contains("cannot reach remote 'origin'") && said.contains("Host key verification failed"), "{said}");
    std::fs::write(&hosts, known).expect("a file");
    let key = one.home().join("ssh/key");
    let good = std::fs::read(&key).expect("a key");
    std::fs::remove_file(&key).expect("a key");
    let said = fails(&one, 1, &["fetch"]);
    assert!(said.contains("Permission denied"), "{said}");
    std::fs::write(&key, good).expect("a key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a key");
    ok(&one, &["push"]);
}

#[test]
fn strict_hosts_are_understood() {
    // What they refuse under our own names, they take as branches.
    for (kind, rule, words) in [
        (Kind::Http, Rule::OnlyHeadsAndTags, "only branches and tags can be pushed here"),
        (Kind::Ssh, Rule::EachRef, "you are not allowed to write refs/trace/heads/main/main"),
        (Kind::Daemon, Rule::Hidden, "hidden ref"),
    ] {
        let Some(server) = Server::start(kind) else { continue };
        server.insist(rule);
        let one = member(&server);
        commit_code(&one, "first");
        one.git(&["push", "-q", "-u", "origin", "main"], &one.repo());
        let before = server.refs();
        say(&one, "hello");
        let said = fails(&one, 1, &["push"]);
        assert!(said.contains(words) && said.contains("git trace remote mode origin branch"), "{rule:?}: {said}");
        assert_eq!(server.refs(), before, "{rule:?}");
        ok(&one, &["remote", "mode", "origin", "branch"]);
        ok(&one, &["push"]);
        assert!(server.refs().iter().any(|row| row.starts_with("refs/heads/git-trace/heads/main/main ")), "{rule:?}");
        let other = member(&server);
        ok(&other, &["remote", "mode", "origin", "branch"]);
        ok(&other, &["pull"]);
        assert_eq!(ok(&other, &["context"]), ok(&one, &["context"]), "{rule:?}");
        say(&other, "back");
        ok(&other, &["push"]);
        ok(&one, &["pull"]);
        assert_eq!(ok(&other, &["context"]), ok(&one, &["context"]), "{rule:?}");
        server.fsck();
    }
}

#[test]
fn what_a_host_will_not_take_is_told_in_its_words() {
    let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(60_000).collect();
    let large: String = random.as_bytes().chunks(9).map(|word| format!("{} ", String::from_utf8_lossy(word))).collect();
    for (rule, words) in [
        (Rule::LargestObject(50_000), "is larger than 50000 bytes"),
        (Rule::LargestPush(20_000), "exceeds maximum allowed size"),
        (Rule::Committer("somebody@example.com"), "the committer committer@example.com is not you"),
    ] {
        for kind in [Kind::Path, Kind::Http] {
            let Some(server) = Server::start(kind) else { continue };
            server.insist(rule);
            let one = member(&server);
            say(&one, &large);
            let said = fails(&one, 1, &["push"]);
            assert!(said.contains(words), "{kind:?} {rule:?}: {said}");
            assert_eq!(server.refs(), [""; 0], "{kind:?} {rule:?}");
        }
    }
    for rule in [Rule::Fsck, Rule::NoRewind, Rule::NoDelete, Rule::Committer("committer@example.com")] {
        let server = Server::start(Kind::Path).expect("there is nothing to install");
        server.insist(rule);
        let one = member(&server);
        ok(&one, &["remote", "mode", "origin", "branch"]);
        say(&one, "hello");
        say(&one, "a mistake");
        ok(&one, &["push"]);
        ok(&one, &["reset", "--hard", "HEAD~1"]);
        say(&one, "better");
        let answer = trace(&one, &["push", "--force-with-lease"]);
        assert_eq!(answer.is_ok(), rule != Rule::NoRewind, "{rule:?}: {}{}", answer.stdout, answer.stderr);
    }
}

#[test]
fn two_that_began_by_themselves_come_together() {
    let server = Server::start(Kind::Path).expect("there is nothing to install");
    let (one, other) = (member(&server), member(&server));
    // Two people, each with a context of their own on the same branch, at another time.
    say(&one, "from one");
    let mut command = other.trace(&["commit", "-q"]);
    command.env("GIT_COMMITTER_DATE", "1780000500 +0000").env("GIT_AUTHOR_DATE", "1780000500 +0000");
    command.env("GIT_COMMITTER_EMAIL", "other@example.com").env("GITTRACE_ID_SEED", "other");
    assert!(crate::world::feed(command, b"from the other").status.success());
    ok(&one, &["push"]);
    let said = fails(&other, 1, &["push"]);
    assert!(said.contains("git trace pull"), "{said}");
    let said = fails(&other, 1, &["pull"]);
    assert!(said.contains("no common beginning"), "{said}");
    ok(&other, &["merge", "--allow-unrelated-histories", "origin/main/main"]);
    ok(&other, &["push"]);
    ok(&one, &["pull"]);
    let context = ok(&one, &["context", "--as", "jsonl"]);
    assert_eq!(context, ok(&other, &["context", "--as", "jsonl"]));
    for text in ["from one", "from the other"] {
        assert_eq!(context.matches(text).count(), 1, "{context}");
    }
}
