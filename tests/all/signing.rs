//! Signatures: made as git makes them, and judged as git judges them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::world::{World, feed};

const BRANCH: &str = "refs/trace/heads/main/main";

/// A repository whose commits are signed with a key of its own for ssh.
fn signing(object_format: &str) -> World {
    let world = World::new(object_format);
    let key = make_key(&world, "key");
    let public = std::fs::read_to_string(key.with_extension("pub")).expect("a key");
    let allowed = world.root().join("allowed");
    std::fs::write(&allowed, format!("committer@example.com {public}")).expect("written");
    world.configure("gpg.format", "ssh");
    world.configure("user.signingKey", key.to_str().expect("plain"));
    world.configure("gpg.ssh.allowedSignersFile", allowed.to_str().expect("plain"));
    world.configure("commit.gpgSign", "true");
    world
}

fn make_key(world: &World, name: &str) -> PathBuf {
    let key = world.root().join(name);
    let mut make = world.command("ssh-keygen", world.root());
    let made = make.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(&key).output();
    assert!(made.expect("ssh-keygen is there").status.success());
    key
}

/// Tells what git itself thinks of a commit's signature.
fn git_verifies(world: &World, commit: &str) -> bool {
    let mut command = world.command("git", &world.repo());
    command.args(["verify-commit", commit]).output().expect("git starts").status.success()
}

fn tip(world: &World) -> String {
    world.tip(BRANCH).expect("a branch")
}

fn raw(world: &World, commit: &str) -> String {
    world.git(&["cat-file", "commit", commit], &world.repo())
}

/// Stores a commit with other bytes, and returns its id.
fn forge(world: &World, bytes: &str) -> String {
    let mut command = world.command("git", &world.repo());
    command.args(["hash-object", "-w", "--literally", "-t", "commit", "--stdin"]);
    String::from_utf8(feed(command, bytes.as_bytes()).stdout).expect("an id").trim().to_owned()
}

/// Returns the rules that a commit breaks.
fn rules(world: &World, arguments: &[&str]) -> Vec<String> {
    let output = world.trace(&[&["verify", "--json"], arguments].concat()).output().expect("it starts");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let commits = found["commits"].as_array().expect("commits").iter();
    let findings = commits.flat_map(|commit| commit["findings"].as_array().expect("findings"));
    let rules: Vec<String> = findings.map(|finding| finding["rule"].as_str().expect("a rule").to_owned()).collect();
    assert_eq!(output.status.code(), Some(i32::from(!rules.is_empty())));
    rules
}

#[test]
fn commits_are_signed_with_ssh_and_git_agrees() {
    for format in ["sha1", "sha256"] {
        let world = signing(format);
        world.ok(&["init"]);
        world.ok_with(&["commit"], b"one");
        world.ok_with(&["commit", "--role", "assistant"], b"two");
        world.ok(&["pin", "#1"]);
        for commit in world.git(&["rev-list", BRANCH], &world.repo()).lines() {
            assert!(git_verifies(&world, commit), "{}", raw(&world, commit));
        }
        assert!(rules(&world, &["--all", "--signed"]).is_empty());
        let said = world.ok(&["verify", "--all", "--signed"]);
        assert!(said.contains("4 signed, 4 by somebody known"), "{said}");
        world.fsck();
        // A rehearsal signs nothing, and needs no key.
        world.configure("user.signingKey", "/nowhere");
        world.ok_with(&["commit", "-n"], b"three");
    }
}

#[test]
fn a_merge_and_a_rebase_are_signed_too() {
    let world = signing("sha1");
    world.ok(&["init"]);
    world.ok_with(&["commit"], b"one");
    world.ok(&["branch", "other"]);
    world.ok_with(&["commit"], b"ours");
    world.ok_with(&["--branch", "other", "commit"], b"theirs");
    world.ok(&["merge", "other"]);
    assert!(git_verifies(&world, &tip(&world)));
    world.ok(&["--branch", "other", "rebase", "main"]);
    assert!(rules(&world, &["--all", "--signed"]).is_empty());
}

#[test]
fn a_literal_key_is_found_in_the_agent() {
    let world = signing("sha1");
    let socket = world.root().join("agent");
    let mut agent = world.command("ssh-agent", world.root());
    let mut agent = agent.args(["-D", "-a"]).arg(&socket).spawn().expect("ssh-agent is there");
    while !socket.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let added = world
        .command("ssh-add", world.root())
        .arg("-q")
        .arg(world.root().join("key"))
        .env("SSH_AUTH_SOCK", &socket)
        .status();
    let public = std::fs::read_to_string(world.root().join("key.pub")).expect("a key");
    std::fs::rename(world.root().join("key"), world.root().join("away")).expect("moved");
    let run = |arguments: &[&str], input: &[u8]| {
        let mut command = world.trace(arguments);
        command.env("SSH_AUTH_SOCK", &socket);
        feed(command, input)
    };
    world.configure("user.signingKey", &format!("key::{}", public.trim()));
    let literal = run(&["commit"], b"one");
    world.git(&["config", "--unset", "user.signingKey"], &world.repo());
    world.configure("gpg.ssh.defaultKeyCommand", "ssh-add -L");
    let by_command = run(&["commit"], b"two");
    agent.kill().expect("ours");
    agent.wait().expect("ended");
    assert!(added.expect("ssh-add is there").success());
    for output in [literal, by_command] {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let commits = world.git(&["rev-list", BRANCH], &world.repo());
    assert!(commits.lines().all(|commit| git_verifies(&world, commit)), "{}", raw(&world, &tip(&world)));
}

#[test]
fn a_person_is_told_when_signing_fails_and_nothing_moves() {
    let world = signing("sha1");
    world.ok(&["init"]);
    let before = tip(&world);
    for (key, value, words) in [
        ("user.signingKey", "/nowhere/at/all", "ssh-keygen"),
        ("gpg.ssh.program", "/nowhere/ssh-keygen", "cannot sign the commit: /nowhere/ssh-keygen"),
        ("gpg.format", "smoke", "gpg.format"),
    ] {
        let old = world.git(&["config", "--default", "", "--get", key], &world.repo());
        world.configure(key, value);
        let output = feed(world.trace(&["commit"]), b"one");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains(words), "{complaint}");
        assert_eq!(tip(&world), before);
        match old.trim() {
            "" => drop(world.git(&["config", "--unset", key], &world.repo())),
            old => world.configure(key, old),
        }
    }
    world.git(&["config", "--unset", "user.signingKey"], &world.repo());
    let complaint = String::from_utf8_lossy(&feed(world.trace(&["commit"]), b"one").stderr).into_owned();
    assert!(complaint.contains("'user.signingKey'") && complaint.contains("hint: to do it without"), "{complaint}");
    // What the hint says works, also where everything is signed.
    assert!(complaint.contains("git -c trace.sign=never trace <command>"), "{complaint}");
    for words in ["as git", "always"] {
        if words == "always" {
            world.configure("trace.sign", words);
        }
        let mut command = world.trace(&["commit"]);
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "trace.sign").env("GIT_CONFIG_VALUE_0", "never");
        let output = feed(command, words.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    world.configure("trace.sign", "never");
    world.ok_with(&["commit"], b"one");
    assert!(!raw(&world, &tip(&world)).contains("gpgsig"));
    world.configure("trace.sign", "sometimes");
    assert!(world.fails(1, &["status"]).contains("trace.sign"));
}

#[test]
fn what_is_captured_is_signed_only_where_everything_is() {
    let world = signing("sha1");
    let record = world.root().join("session.jsonl");
    let line = |nth: u32, parent: &str| {
        format!(
            "{{\"type\":\"user\",\"uuid\":\"u{nth}\",\"parentUuid\":{parent},\"sessionId\":\"5e55a0aa-0000\",\
             \"timestamp\":\"2026-11-20T10:00:0{nth}.000Z\",\"cwd\":\"/x\",\"version\":\"2\",\
             \"message\":{{\"role\":\"user\",\"content\":\"hello {nth}\"}}}}\n"
        )
    };
    std::fs::write(&record, line(1, "null")).expect("written");
    let path = record.to_str().expect("plain").to_owned();
    let import = |name: &str| world.ok(&["import", "claude", &path, "--as", name]);
    let signed = |name: &str| {
        let log = world.git(&["log", "--format=%G?", &format!("refs/trace/heads/{name}/main")], &world.repo());
        log.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    import("plain");
    assert!(signed("plain").iter().all(|state| state == "N"), "{:?}", signed("plain"));
    world.configure("trace.sign", "always");
    import("always");
    assert!(signed("always").iter().all(|state| state == "G"), "{:?}", signed("always"));
    // A program that waits for a person who is not there, and one that fails: it is stored all the same.
    world.configure("gpg.ssh.program", "false");
    import("failing");
    assert!(signed("failing").iter().all(|state| state == "N"), "{:?}", signed("failing"));
    let waiting = world.root().join("waiting");
    std::fs::write(&waiting, "#!/bin/sh\nsleep 600 & wait\n").expect("written");
    Command::new("chmod").arg("+x").arg(&waiting).status().expect("chmod");
    world.configure("gpg.ssh.program", waiting.to_str().expect("plain"));
    let started = std::time::Instant::now();
    import("waiting");
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    assert!(signed("waiting").iter().all(|state| state == "N"));
}

#[test]
fn forged_stripped_and_doubled_signatures_are_found() {
    let world = signing("sha1");
    world.ok(&["init"]);
    world.ok_with(&["commit"], b"one");
    let commit = tip(&world);
    let bytes = raw(&world, &commit);
    let (start, end) = (bytes.find("gpgsig ").expect("signed"), bytes.find("\n\n").expect("a message") + 1);
    let signature = &bytes[start..end];

    let changed = forge(&world, &bytes.replace("append user: one", "append user: two"));
    assert_eq!(rules(&world, &[&changed]), ["signature"]);
    let at = signature.len() / 2;
    let letter = if signature.as_bytes()[at] == b'A' { "B" } else { "A" };
    let mut broken = signature.to_owned();
    broken.replace_range(at..=at, letter);
    assert_eq!(rules(&world, &[&forge(&world, &bytes.replace(signature, &broken))]), ["signature"]);
    let stripped = forge(&world, &bytes.replace(signature, ""));
    assert!(rules(&world, &[&stripped]).is_empty());
    assert_eq!(rules(&world, &["--signed", &stripped]), ["signature"]);
    let doubled = forge(&world, &bytes.replace(signature, &signature.repeat(2)));
    assert_eq!(rules(&world, &[&doubled]), ["signature"]);

    // Somebody else's key: unknown, which matters only where a signature is wanted.
    let other = make_key(&world, "other");
    world.configure("user.signingKey", other.to_str().expect("plain"));
    world.ok_with(&["commit"], b"by another");
    assert!(!git_verifies(&world, &tip(&world)));
    assert!(rules(&world, &["HEAD"]).is_empty());
    assert!(world.ok(&["verify"]).contains("nobody that is known has the key"));
    assert_eq!(rules(&world, &["--signed", "HEAD"]), ["signature"]);
    world.git(&["config", "--unset", "gpg.ssh.allowedSignersFile"], &world.repo());
    assert!(world.ok(&["verify"]).contains("cannot be checked"));
}

#[test]
fn commits_are_signed_with_gpg_and_git_agrees() {
    let world = World::new("sha1");
    if Command::new("gpg").arg("--version").output().is_err() {
        eprintln!("skipped: there is no gpg");
        return;
    }
    let home = world.root().join("gnupg");
    std::fs::create_dir(&home).expect("a folder");
    Command::new("chmod").arg("700").arg(&home).status().expect("chmod");
    let gpg = |arguments: &[&str]| world.command("gpg", world.root()).env("GNUPGHOME", &home).args(arguments).output();
    let who = "C O Mitter <committer@example.com>";
    let made = gpg(&["--batch", "--quiet", "--passphrase", "", "--quick-gen-key", who, "ed25519", "sign", "never"]);
    let made = made.expect("gpg starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    world.configure("commit.gpgSign", "true");
    // A program in between, so that git and we find the same keys.
    let program = world.root().join("gpg-here");
    std::fs::write(&program, format!("#!/bin/sh\nGNUPGHOME='{}' exec gpg \"$@\"\n", home.display())).expect("written");
    Command::new("chmod").arg("+x").arg(&program).status().expect("chmod");
    world.configure("gpg.program", program.to_str().expect("plain"));
    world.ok(&["init"]);
    world.ok_with(&["commit"], b"one");
    let verified = git_verifies(&world, &tip(&world));
    let said = world.ok(&["verify", "--all", "--signed"]);
    let forged = forge(&world, &raw(&world, &tip(&world)).replace("append user: one", "append user: two"));
    let found = rules(&world, &[&forged]);
    world.configure("user.signingKey", "nobody@example.com");
    let complaint = String::from_utf8_lossy(&feed(world.trace(&["commit"]), b"two").stderr).into_owned();
    let _ = world.command("gpgconf", world.root()).env("GNUPGHOME", &home).args(["--kill", "all"]).output();
    assert!(verified && said.contains("2 signed, 2 by somebody known"), "{said}");
    assert_eq!(found, ["signature"]);
    assert!(complaint.contains("cannot sign the commit"), "{complaint}");
}
