//! A server that answers before it was asked for the answer: dulwich, in the older protocol over HTTP.

use std::process::Command;

use super::{Kind, Server};
use crate::world::{World, feed};

/// Stores a message on a branch.
fn say(world: &World, branch: &str, text: &str) {
    let mut command = world.trace(&["--branch", branch, "commit", "-q"]);
    command.env("GITTRACE_ID_SEED", format!("{}{branch}{}", world.root().display(), text.len()));
    let output = feed(command, text.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Copies a folder with all that is in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status().expect("cp starts");
    assert!(copied.success());
}

#[test]
fn a_server_that_sends_before_the_offers_end_is_understood() {
    let Some(server) = Server::start(Kind::Dulwich) else { return };
    let member = || {
        let world = World::new("sha1");
        server.admit(&world);
        world.ok(&["remote", "add", "origin", &server.url()]);
        world
    };
    let (one, other) = (member(), member());
    say(&one, "main/main", "the beginning");
    one.ok(&["push"]);
    other.ok(&["pull"]);
    // More than git offers at once: it goes on to offer while the server has sent all already.
    for nth in 0..20 {
        say(&other, "main/main", &format!("{} of the other's own", "word ".repeat(nth)));
    }
    // And more than a pipe holds, so that what is sent twice finds nobody who reads it, whoever is quicker.
    let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(300_000).collect();
    let large: String = random.as_bytes().chunks(9).map(|word| format!("{} ", String::from_utf8_lossy(word))).collect();
    say(&one, "second/main", &large);
    one.ok(&["push", "--all"]);

    // git itself breaks off, and says nothing about it.
    let plain = other.root().join("plain");
    copy(&other.repo(), &plain);
    let mut command = other.command("git", &plain);
    let output =
        command.args(["fetch", "-q", "origin", "+refs/trace/heads/*:refs/plain/*"]).output().expect("git starts");
    let said = String::from_utf8_lossy(&output.stderr);
    eprintln!("plain git ends with {:?}, and says {said:?}", output.status.code());

    let said = other.ok(&["fetch"]);
    assert!(said.contains("second/main"), "{said}");
    other.ok(&["branch", "second/main", "origin/second/main"]);
    let shown = other.ok(&["--branch", "second/main", "context", "--as", "jsonl"]);
    assert_eq!(shown, one.ok(&["--branch", "second/main", "context", "--as", "jsonl"]));
    other.ok(&["pull"]);
    other.ok(&["push"]);
    one.ok(&["pull"]);
    for world in [&one, &other] {
        world.ok(&["verify", "--all"]);
    }
    server.fsck();
}
