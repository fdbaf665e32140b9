//! What the git hooks add to a `git commit`, and how long an agent waits for its hooks, by the number of stored sessions:
//! `cargo bench --profile measure --bench hooks [row…]`.
//!
//! Rows: commit checkout agent. `GITTRACE_SESSIONS` limits the largest number of sessions.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "benches start programs and print")]

mod measure;

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use git_trace::ops::{Import, import};
use measure::{Scratch, median, report, timed, wanted};

/// Sessions that are stored as they are; the others are further branches on theirs. The lists that a hook reads are as
/// long as they get after that many.
const REAL: usize = 300;

/// Files that every session writes to.
const FILES: usize = 10;

fn main() {
    let rows: [(&str, fn()); 3] = [("commit", commit), ("checkout", checkout), ("agent", agent)];
    rows.iter().filter(|(name, _)| wanted(name)).for_each(|(_, row)| row());
}

fn sizes() -> Vec<usize> {
    let most = std::env::var("GITTRACE_SESSIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    [1, 100, 10_000].into_iter().filter(|size| *size <= most).collect()
}

/// Makes a repository with so many sessions, each of which wrote all files, and our hooks.
fn stored(sessions: usize) -> Scratch {
    let scratch = Scratch::new(&[("trace.fsync", "false"), ("gc.auto", "0")]);
    let dir = scratch.path();
    let workspace = scratch.workspace();
    for session in 0..sessions.min(REAL) {
        let path = dir.join(".git/session.jsonl");
        std::fs::write(&path, transcript(dir, session)).expect("a transcript");
        let request = Import { name: Some(format!("s{session}")), ..Import::new(path) };
        import(&workspace, &request, &mut |_| ()).expect("imported");
    }
    let tip = scratch.git(&["rev-parse", "refs/trace/heads/s0/main"]);
    let mut script = String::new();
    for session in REAL..sessions {
        writeln!(script, "create refs/trace/heads/s{session}/main {}", tip.trim()).expect("a string");
    }
    let mut update = Command::new("git");
    let mut child = update.args(["update-ref", "--stdin"]).current_dir(dir).stdin(Stdio::piped()).spawn().expect("git");
    child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("written");
    assert!(child.wait().expect("git").success());
    scratch.git(&["pack-refs", "--all"]);
    for hook in ["post-commit", "post-checkout"] {
        let path = dir.join(".git/hooks").join(hook);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let script = format!("#!/bin/sh\nexec '{}' hook git {hook} \"$@\"\n", env!("CARGO_BIN_EXE_git-trace"));
        std::fs::write(&path, script).expect("a hook");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a hook");
    }
    (0..FILES).for_each(|file| std::fs::write(dir.join(name(file)), text(file, 0)).expect("a file"));
    scratch.git(&["add", "-A"]);
    scratch.git(&["commit", "-q", "-m", "begin"]);
    scratch
}

fn name(file: usize) -> String {
    format!("file{file}.rs")
}

/// What a session leaves in a file.
fn text(file: usize, session: usize) -> String {
    let line = |nth: usize| if nth == 5 { session } else { 0 };
    (0..60).map(|nth| format!("    statement_{file}_{nth}(argument_{});\n", line(nth))).collect()
}

fn transcript(dir: &Path, session: usize) -> String {
    let mut lines = String::new();
    let mut parent = "null".to_owned();
    let mut add = |kind: &str, message: String, nth: usize| {
        let time = format!("2026-01-01T10:00:{:02}.{session:03}Z", nth % 60);
        let line = format!(
            r#"{{"parentUuid":{parent},"isSidechain":false,"cwd":"{}","sessionId":"s{session}","type":"{kind}","message":{message},"uuid":"u{session}-{nth}","timestamp":"{time}"}}"#,
            dir.display()
        );
        writeln!(lines, "{line}").expect("a string");
        parent = format!("\"u{session}-{nth}\"");
    };
    add("user", r#"{"role":"user","content":"write the files"}"#.to_owned(), 0);
    for file in 0..FILES {
        let path = dir.join(name(file)).display().to_string();
        let input = serde_json::json!({ "file_path": path, "content": text(file, session) });
        let content = format!(r#"[{{"type":"tool_use","id":"t{session}-{file}","name":"Write","input":{input}}}]"#);
        add(
            "assistant",
            format!(r#"{{"id":"m{session}-{file}","role":"assistant","model":"x","content":{content}}}"#),
            2 * file + 1,
        );
        let result = format!(r#"[{{"tool_use_id":"t{session}-{file}","type":"tool_result","content":"done"}}]"#);
        add("user", format!(r#"{{"role":"user","content":{result}}}"#), 2 * file + 2);
    }
    lines
}

fn once(command: &mut Command) -> Duration {
    let (time, status) = timed(|| command.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("it starts"));
    assert!(status.success(), "{command:?} ended with {status}");
    time
}

fn start(dir: &Path) -> Duration {
    once(Command::new(env!("CARGO_BIN_EXE_git-trace")).arg("--version").current_dir(dir))
}

/// `git commit` of all files with and without our hooks, in turn.
fn commit() {
    for sessions in sizes() {
        let scratch = stored(sessions);
        let dir = scratch.path();
        let mut number = 0;
        let mut run = |hooks: &str| {
            number += 1;
            // Another session's state each time, so that there is something to link.
            (0..FILES).for_each(|file| std::fs::write(dir.join(name(file)), text(file, number)).expect("a file"));
            scratch.git(&["add", "-A"]);
            once(Command::new("git").args(["-c", hooks, "commit", "-q", "-m", "message"]).current_dir(dir))
        };
        let (mut with, mut without, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        for nth in 0..43 {
            let (one, other, begun) = (run("core.editor=true"), run("core.hooksPath=/dev/null"), start(dir));
            if nth >= 3 {
                with.push(one);
                without.push(other);
                starts.push(begun);
            }
        }
        let (with, without, begun) = (median(&with), median(&without), median(&starts));
        let more = format!("{with:.1} ms against {without:.1} ms, a start takes {begun:.1} ms");
        report(
            &format!("git commit with {sessions} stored sessions, over a start"),
            with - without - begun,
            "ms",
            10.0,
            &more,
        );
    }
}

/// `git checkout` to another branch and back, with and without our hooks.
fn checkout() {
    for sessions in sizes() {
        let scratch = stored(sessions);
        let dir = scratch.path();
        scratch.git(&["branch", "other"]);
        let mut to = ["other", "main"].into_iter().cycle();
        let mut run = |hooks: &str| {
            let to = to.next().expect("it goes round");
            once(Command::new("git").args(["-c", hooks, "checkout", "-q", to]).current_dir(dir))
        };
        let (mut with, mut without, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..41 {
            with.push(run("core.editor=true"));
            without.push(run("core.hooksPath=/dev/null"));
            starts.push(start(dir));
        }
        let (with, without, begun) = (median(&with), median(&without), median(&starts));
        let more = format!("{with:.1} ms against {without:.1} ms, a start takes {begun:.1} ms");
        report(
            &format!("git checkout with {sessions} stored sessions, over a start"),
            with - without - begun,
            "ms",
            10.0,
            &more,
        );
    }
}

/// An agent's hook after a tool call, in a session of 1,000 messages: with new lines in the transcript, and at the end.
fn agent() {
    for sessions in sizes() {
        let scratch = stored(sessions);
        let dir = scratch.path();
        scratch.git(&["config", "trace.capture", "true"]);
        let id = "5e55a0aa-0000-4000-8000-000000000000";
        let transcript = dir.join(format!(".git/{id}.jsonl"));
        let mut text = String::new();
        let mut turn = 0;
        let mut say = |text: &mut String| {
            turn += 1;
            let parent = if turn == 1 { "null".to_owned() } else { format!("\"r{}\"", turn - 1) };
            let call = format!(r#"[{{"type":"tool_use","id":"t{turn}","name":"Read","input":{{"file_path":"x"}}}}]"#);
            let reply = format!(r#"{{"id":"m{turn}","role":"assistant","model":"x","content":{call}}}"#);
            let result = format!(
                r#"{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t{turn}","content":"{}"}}]}}"#,
                "found something ".repeat(100)
            );
            let start = r#""isSidechain":false,"sessionId":""#;
            writeln!(
                text,
                r#"{{"parentUuid":{parent},{start}{id}","type":"assistant","message":{reply},"uuid":"a{turn}"}}"#
            )
            .expect("a string");
            writeln!(
                text,
                r#"{{"parentUuid":"a{turn}",{start}{id}","type":"user","message":{result},"uuid":"r{turn}"}}"#
            )
            .expect("a string");
        };
        (0..500).for_each(|_| say(&mut text));
        std::fs::write(&transcript, &text).expect("a transcript");
        for (event, more, target) in [
            ("PostToolUse", r#","tool_name":"Read""#, 10.0),
            ("PostToolUse", r#","tool_name":"Bash""#, 50.0),
            ("SessionEnd", "", 20.0),
        ] {
            let told = format!(
                r#"{{"session_id":"{id}","transcript_path":"{}","cwd":"{}","hook_event_name":"{event}"{more}}}"#,
                transcript.display(),
                dir.display()
            );
            let (mut times, mut starts) = (Vec::new(), Vec::new());
            for nth in 0..33 {
                say(&mut text);
                std::fs::write(&transcript, &text).expect("a transcript");
                std::fs::write(dir.join("new.txt"), format!("{event} {nth}")).expect("a file");
                let (time, ()) = timed(|| {
                    let mut command = Command::new(env!("CARGO_BIN_EXE_git-trace"));
                    let mut child = command
                        .args(["hook", "claude"])
                        .current_dir(dir)
                        .stdin(Stdio::piped())
                        .spawn()
                        .expect("it starts");
                    child.stdin.take().expect("a pipe").write_all(told.as_bytes()).expect("written");
                    assert!(child.wait().expect("it ends").success());
                });
                if nth >= 3 {
                    times.push(time);
                    starts.push(start(dir));
                }
            }
            let (time, begun) = (median(&times), median(&starts));
            let label = format!("hook {event}{}, {sessions} stored sessions", name_of(more));
            let more = format!("a start takes {begun:.1} ms");
            report(&label, time, "ms", target, &more);
        }
    }
}

fn name_of(more: &str) -> &str {
    match more {
        "" => "",
        more if more.contains("Bash") => " with a snapshot",
        _ => " without a snapshot",
    }
}
