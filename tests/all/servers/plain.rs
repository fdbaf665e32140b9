//! The servers themselves, asked by plain git: what is shown with them is worth as much as they are.

use std::net::TcpStream;
use std::time::Duration;

use super::{Cut, How, Kind, Proxy, Rule, Run, Server, Way};
use crate::world::World;

const LIMIT: Duration = Duration::from_secs(30);
const TRACES: &str = "refs/trace/heads/*:refs/trace/heads/*";

/// Makes a clone with a few entries, which may use the server.
fn writer(server: &Server) -> World {
    let world = World::new("sha1");
    for text in ["use port 8080", "understood", "thank you"] {
        world.ok_with(&["commit", "-q"], text.as_bytes());
    }
    server.admit(&world);
    world
}

/// Runs git in a clone and returns whether it ended well, and what it complained.
fn try_git(world: &World, arguments: &[&str]) -> (bool, String) {
    let mut command = world.command("git", &world.repo());
    command.env("GIT_TERMINAL_PROMPT", "0").args(arguments);
    let answer = Run::start(command).within(LIMIT);
    assert!(answer.status.is_some(), "git {arguments:?} did not end: {}", answer.stderr);
    (answer.is_ok(), answer.stderr)
}

#[test]
fn every_kind_takes_traces_and_gives_them() {
    for kind in Kind::ALL {
        let Some(server) = Server::start(kind) else { continue };
        let one = writer(&server);
        let (ok, said) = try_git(&one, &["push", "-q", &server.url(), TRACES]);
        assert!(ok, "{kind:?}: {said}; {}", server.log());
        let expected =
            [format!("refs/trace/heads/main/main {}", one.tip("refs/trace/heads/main/main").expect("a tip"))];
        assert_eq!(server.refs(), expected, "{kind:?}");
        server.fsck();

        let other = World::new("sha1");
        server.admit(&other);
        let (ok, said) = try_git(&other, &["fetch", "-q", &server.url(), TRACES]);
        assert!(ok, "{kind:?}: {said}; {}", server.log());
        assert_eq!(other.ok(&["context"]), one.ok(&["context"]), "{kind:?}");
        other.fsck();
    }
}

#[test]
fn a_line_counts_what_goes_over_it() {
    for kind in Kind::BY_PORT {
        let Some(server) = Server::start(kind) else { continue };
        let line = Proxy::to(server.port());
        let one = writer(&server);
        server.admit_over(&one, line.port());
        let (ok, said) = try_git(&one, &["push", "-q", &server.url_over(&line), TRACES]);
        assert!(ok, "{kind:?}: {said}");
        let (up, down) = line.take_count();
        assert!(up > 1000 && down > 100, "{kind:?}: {up} bytes up, {down} down");
        let (ok, said) = try_git(&one, &["fetch", "-q", &server.url_over(&line), "refs/trace/heads/main/main"]);
        assert!(ok, "{kind:?}: {said}");
        let (up, down) = line.take_count();
        assert!(up > 50 && down > 100, "{kind:?}: {up} bytes up, {down} down");
    }
}

#[test]
fn a_line_fails_when_it_is_told_to() {
    for kind in Kind::BY_PORT {
        let Some(server) = Server::start(kind) else { continue };
        let line = Proxy::to(server.port());
        let one = writer(&server);
        server.admit_over(&one, line.port());
        let url = server.url_over(&line);
        for (way, how) in
            [(Way::Up, How::Close), (Way::Up, How::Reset), (Way::Down, How::Reset), (Way::Down, How::Close)]
        {
            line.arm(Cut { way, after: 120, how });
            let (ok, _) = try_git(&one, &["push", "-q", &url, TRACES]);
            assert!(!ok && line.has_failed(), "{kind:?} {way:?} {how:?}");
            assert_eq!(server.refs(), [""; 0], "{kind:?} {way:?} {how:?}");
            line.mend(server.port());
        }
        line.arm(Cut { way: Way::Up, after: 120, how: How::Stall });
        let mut command = one.command("git", &one.repo());
        command.args(["push", "-q", &url, TRACES]);
        let answer = Run::start(command).within(Duration::from_millis(700));
        assert!(answer.status.is_none() && line.has_failed(), "{kind:?}: git hangs on a line that stalls");
        line.mend(server.port());
        let (ok, said) = try_git(&one, &["push", "-q", &url, TRACES]);
        assert!(ok, "{kind:?}: {said}");
        server.fsck();
    }
}

#[test]
fn a_server_that_was_killed_is_gone_and_comes_back() {
    for kind in Kind::BY_PORT {
        let Some(mut server) = Server::start(kind) else { continue };
        let one = writer(&server);
        let before = server.port();
        server.kill();
        assert!(TcpStream::connect(("127.0.0.1", before)).is_err(), "{kind:?}: nobody listens");
        assert!(!try_git(&one, &["push", "-q", &server.url(), TRACES]).0, "{kind:?}");
        server.restart();
        server.admit(&one);
        let (ok, said) = try_git(&one, &["push", "-q", &server.url(), TRACES]);
        assert!(ok, "{kind:?}: {said}");
        let port = server.port();
        drop(server);
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{kind:?}: it ends with the test");
    }
}

#[test]
fn a_wrong_password_is_refused() {
    let Some(server) = Server::start(Kind::Http) else { return };
    let one = World::new("sha1");
    one.ok_with(&["commit", "-q"], b"words");
    let (ok, said) = try_git(&one, &["push", "-q", &server.url(), TRACES]);
    assert!(!ok && said.contains("could not read Username"), "{said}");
    server.admit_as(&one, server.port(), "agent", "another");
    let (ok, said) = try_git(&one, &["push", "-q", &server.url(), TRACES]);
    assert!(!ok && (said.contains("could not read") || said.contains("Authentication failed")), "{said}");
    assert_eq!(server.refs(), [""; 0]);
}

#[test]
fn strict_hosts_refuse_in_their_own_words() {
    for (rule, words) in [
        (Rule::OnlyHeadsAndTags, "only branches and tags can be pushed here, not refs/trace/heads/main/main"),
        (Rule::EachRef, "you are not allowed to write refs/trace/heads/main/main"),
        (Rule::Hidden, "deny updating a hidden ref"),
        (Rule::LargestObject(50_000), "is larger than 50000 bytes"),
        (Rule::LargestPush(20_000), "exceeds maximum allowed size"),
        (Rule::Committer("somebody@example.com"), "the committer committer@example.com is not you"),
    ] {
        let server = Server::start(Kind::Path).expect("there is nothing to install");
        server.insist(rule);
        let one = writer(&server);
        let large: String = std::iter::repeat_with(fastrand::alphanumeric).take(60_000).collect();
        one.ok_with(&["commit", "-q"], large.as_bytes());
        let (ok, said) = try_git(&one, &["push", "-q", &server.url(), TRACES]);
        assert!(!ok && said.contains(words), "{rule:?}: {said}");
        assert_eq!(server.refs(), [""; 0], "{rule:?}");
    }
    // git guards only branches against going back and deletion, so that a host does so in the mode `branch` alone.
    let branch = "refs/heads/git-trace/main/main";
    for rule in [Rule::Fsck, Rule::NoRewind, Rule::NoDelete, Rule::LargestObject(50_000), Rule::LargestPush(20_000)] {
        let server = Server::start(Kind::Path).expect("there is nothing to install");
        server.insist(rule);
        let one = writer(&server);
        let push = |what: String| try_git(&one, &["push", "-q", &server.url(), &what]);
        let (ok, said) = push(format!("refs/trace/heads/main/main:{branch}"));
        assert!(ok, "{rule:?}: {said}");
        let rewound = push(format!("+refs/trace/heads/main/main~1:{branch}")).0;
        assert_eq!(rewound, rule != Rule::NoRewind, "{rule:?}");
        let deleted = push(format!(":{branch}")).0;
        assert_eq!(deleted, rule != Rule::NoDelete, "{rule:?}");
    }
}
