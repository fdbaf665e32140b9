//! Whole processes, from start to exit, beside git in the same run: `cargo bench --bench whole_process [row…]`.
//!
//! Rows: commit context log diff branch workflow.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "benches start programs and print")]

mod measure;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use measure::{BRANCH, Scratch, body, median, report, timed, wanted};

/// Commits of the contexts that are read.
const COMMITS: u64 = 10_000;

fn main() {
    let rows: [(&str, fn()); 5] = [
        ("commit", commit),
        ("context", context),
        ("log status diff", look),
        ("branch switch", branch),
        ("workflow", workflow),
    ];
    rows.iter().filter(|(name, _)| wanted(name)).for_each(|(_, row)| row());
}

fn trace(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_git-trace"));
    command.args(arguments).current_dir(dir);
    command
}

fn git(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(dir);
    command
}

/// Times a process whose answer goes to a file.
fn once(command: &mut Command) -> Duration {
    let out = tempfile::tempfile().expect("a file");
    command.stdin(Stdio::null()).stdout(out).stderr(Stdio::null());
    let (time, status) = timed(|| command.status().expect("it starts"));
    assert!(status.success(), "{command:?} ended with {status}");
    time
}

/// Times two processes in turn, after a few that do not count.
fn in_turn(runs: usize, mut one: impl FnMut() -> Duration, mut other: impl FnMut() -> Duration) -> (f64, f64) {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        one();
        other();
    }
    for _ in 0..runs {
        ones.push(one());
        others.push(other());
    }
    (median(&ones), median(&others))
}

/// `git trace commit` beside `git add` and `git commit` of one file.
fn commit() {
    for (what, fsync, core, target) in [
        ("commit, lazily synced, against git add + git commit", "false", None, 0.35),
        ("commit, durable, against git -c core.fsync=all", "true", Some("core.fsync=all"), 0.7),
    ] {
        let scratch = Scratch::with_entries(1000, &[("trace.fsync", fsync)]);
        let theirs = Scratch::new(&[]);
        let mut number = 0;
        let ours = || {
            number += 1;
            let file = scratch.path().join("message");
            std::fs::write(&file, body(number)).expect("written");
            once(&mut trace(scratch.path(), &["commit", "-F", "message"]))
        };
        let mut count = 0;
        let rival = || {
            count += 1;
            let mut file = File::create(theirs.path().join("file")).expect("a file");
            file.write_all(&body(count)).expect("written");
            let config: Vec<&str> = core.into_iter().flat_map(|core| ["-c", core]).collect();
            let add = [&config[..], &["add", "file"]].concat();
            let commit = [&config[..], &["commit", "-q", "-m", "message"]].concat();
            once(&mut git(theirs.path(), &add)) + once(&mut git(theirs.path(), &commit))
        };
        let (ours, rival) = in_turn(60, ours, rival);
        report(what, ours / rival, "×", target, &format!("{ours:.2} ms against {rival:.2} ms"));
    }
}

/// A cold process that writes out 10,000 entries.
fn context() {
    let packed = Scratch::with_entries(COMMITS, &[]);
    let loose = Scratch::with_entries(COMMITS, &[]);
    let packs = loose.path().join(".git/objects/pack");
    let aside = loose.path().join("aside");
    std::fs::rename(&packs, &aside).expect("moved");
    std::fs::create_dir(&packs).expect("a folder");
    for pack in std::fs::read_dir(&aside).expect("a folder").filter_map(Result::ok) {
        if pack.path().extension().is_some_and(|ending| ending == "pack") {
            let file = File::open(pack.path()).expect("a pack");
            let unpacked = git(loose.path(), &["unpack-objects", "-q"]).stdin(file).status().expect("it starts");
            assert!(unpacked.success());
        }
    }
    for format in ["text", "anthropic"] {
        let run = |scratch: &Scratch| once(&mut trace(scratch.path(), &["context", "--as", format]));
        let (packed, loose) = in_turn(20, || run(&packed), || run(&loose));
        report(&format!("context of 10,000 entries as {format}, packed"), packed, "ms", 70.0, "");
        report(&format!("context of 10,000 entries as {format}, loose"), loose, "ms", 180.0, "");
    }
}

/// Commands that look at 10,000 commits.
fn look() {
    let scratch = Scratch::with_entries(COMMITS, &[]);
    let dir = scratch.path();
    for (what, ours, theirs) in [
        ("log -20", &["log", "-20"][..], &["log", "-20", BRANCH][..]),
        ("status", &["status"], &["status"]),
        ("diff HEAD~10 HEAD", &["diff", "HEAD~10", "HEAD"], &["diff", &format!("{BRANCH}~10"), BRANCH]),
    ] {
        let (ours, rival) = in_turn(40, || once(&mut trace(dir, ours)), || once(&mut git(dir, theirs)));
        report(&format!("{what} at 10,000 commits"), ours, "ms", 8.0, &format!("git: {rival:.2} ms"));
    }
    let format = "--format=%H %an %ad %s %(trailers:only)";
    let rival = || once(&mut git(dir, &["log", format, BRANCH]));
    for (what, arguments) in [("log", &["log"][..]), ("log --oneline", &["log", "--oneline"])] {
        let (ours, rival) = in_turn(15, || once(&mut trace(dir, arguments)), rival);
        let more = format!("{ours:.0} ms against {rival:.0} ms");
        report(&format!("{what} of 10,000 commits, against git log with trailers"), ours / rival, "×", 0.8, &more);
    }
}

/// Branching off a context of 10,000 entries, beside a start that does nothing.
fn branch() {
    for (fsync, name) in [("false", "lazily synced"), ("true", "durable")] {
        let scratch = Scratch::with_entries(COMMITS, &[("trace.fsync", fsync)]);
        let dir = scratch.path();
        let start = || once(&mut trace(dir, &["--version"]));
        let mut number = 0;
        let branch = || {
            number += 1;
            once(&mut trace(dir, &["branch", &format!("b{number}")]))
        };
        let (branched, started) = in_turn(40, branch, start);
        let mut to = ["b1", "main"].into_iter().cycle();
        let switch = || once(&mut trace(dir, &["switch", to.next().expect("it goes round")]));
        let (switched, _) = in_turn(40, switch, start);
        for (what, time) in [("branch", branched), ("switch", switched)] {
            let more = format!("{time:.2} ms in all");
            report(&format!("{what} at 10,000 entries, {name}, beyond start-up"), time - started, "ms", 5.0, &more);
        }
    }
}

/// Finding a workflow in a marketplace that was fetched before, among few and among many.
fn workflow() {
    for (count, target) in [(10, 10.0), (1000, 50.0)] {
        let scratch = Scratch::new(&[]);
        let (dir, shop) = (scratch.path(), scratch.path().join("shop"));
        let mut entries = Vec::new();
        for number in 0..count {
            let folder = shop.join(format!("workflows/w{number}"));
            std::fs::create_dir_all(&folder).expect("a folder");
            let definition = format!(
                r#"{{"name": "w{number}", "plugins": [], "promptTemplate": "{{input}}", "workflowFile": "workflow.md"}}"#
            );
            std::fs::write(folder.join("workflow.json"), definition).expect("a file");
            std::fs::write(folder.join("workflow.md"), format!("# {number}\n")).expect("a file");
            entries.push(format!(r#"{{"name": "w{number}", "version": "1.0.0", "source": "./workflows/w{number}"}}"#));
        }
        std::fs::create_dir_all(shop.join(".athena-workflow")).expect("a folder");
        let manifest = format!(r#"{{"name": "shop", "workflows": [{}]}}"#, entries.join(","));
        std::fs::write(shop.join(".athena-workflow/marketplace.json"), manifest).expect("a file");
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
        for arguments in [
            &["init", "-q"][..],
            &["add", "."],
            &["commit", "-q", "-m", "x"],
            &["config", "uploadpack.allowFilter", "true"],
        ] {
            let all: Vec<&str> = identity.iter().chain(arguments).copied().collect();
            assert!(git(&shop, &all).status().expect("it starts").success());
        }
        let source = format!("file://{}", shop.display());
        once(&mut git(dir, &["config", "trace.cacheDir", &dir.join("cache").display().to_string()]));
        once(&mut trace(dir, &["marketplace", "add", &source]));
        let name = format!("w{}", count / 2);
        once(&mut trace(dir, &["workflow", "install", "w0"]));
        let start = || once(&mut trace(dir, &["--version"]));
        for (what, arguments) in [
            ("resolve", vec!["workflow", "resolve", &name]),
            ("search", vec!["workflow", "search", "w"]),
            ("path of what is installed", vec!["workflow", "path", "w0"]),
        ] {
            let (time, started) = in_turn(40, || once(&mut trace(dir, &arguments)), start);
            let more = format!("start-up {started:.2} ms");
            report(&format!("workflow {what}, {count} in a warm marketplace"), time, "ms", target, &more);
        }
    }
}
