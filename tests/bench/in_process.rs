//! The library's own speed: `cargo bench --bench in_process [row…]`.
//!
//! Rows: append durable follow merge plan rebase bulk import writers. Each is printed with its target; nothing fails, since a
//! machine may be busy.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "benches start programs and print")]

mod measure;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use git_trace::model::{BodyKind, Role};
use git_trace::ops::{
    Checkout, CommitMessages, Compress, CompressMode, EntryChange, Merge, NewMessage, Rebase, Reset, ResetMode,
    Workspace, checkout, commit, compression_plan, diff, merge, rebase, reset,
};
use git_trace::store::Repo;
use measure::{BRANCH, Scratch, body, bulk, median, peak_memory, percentile, report, timed, wanted};

/// Tells a copy of this program to be one of many writers: folder, number of appends, number of the writer.
const WRITER: &str = "--writer";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == WRITER) {
        return write_many(&arguments[at + 1..]);
    }
    let rows: [(&str, fn()); 9] = [
        ("append", append),
        ("durable", durable),
        ("follow", follow),
        ("rebase", rebase_many),
        ("bulk", bulk_import),
        ("import", import),
        ("writers", writers),
        ("merge", merge_ten),
        ("plan", plan),
    ];
    rows.iter().filter(|(name, _)| wanted(name)).for_each(|(_, row)| row());
}

fn message(number: u64) -> CommitMessages {
    CommitMessages { messages: vec![NewMessage::text(Role::User, body(number))], ..CommitMessages::default() }
}

/// Appends one entry and returns how long it took.
fn append_one(workspace: &Workspace, number: u64) -> Duration {
    let message = message(number);
    timed(|| commit(workspace, &message).expect("appended")).0
}

/// One entry, lazily synced, on contexts of three sizes in turn.
fn append() {
    let sizes = [100, 10_000, 100_000];
    let scratches = sizes.map(|size| Scratch::with_entries(size, &[("trace.fsync", "false")]));
    let workspaces = scratches.each_ref().map(Scratch::workspace);
    let probe = Scratch::new(&[]);
    let mut times = [const { Vec::new() }; 3];
    let mut bare = Vec::new();
    for number in 0..800 {
        for (workspace, times) in workspaces.iter().zip(&mut times) {
            times.push(append_one(workspace, 1_000_000 + number));
        }
        bare.push(timed(|| files(probe.path(), number)).0);
    }
    for (size, times) in sizes.iter().zip(&times) {
        let more = format!("p99 {:.2} ms", percentile(times, 99));
        report(&format!("append 500 bytes, lazily synced, {size} entries, p50"), median(times), "ms", 0.4, &more);
    }
    report("  the same, 100,000 entries against 100", median(&times[2]) / median(&times[0]), "×", 1.5, "");
    // What the file system asks for this differs by a factor of 30 between an idle tmpfs and a busy ext4.
    let more = format!("{:.2} ms for the same files, bare", median(&bare));
    report(
        "  the same, 10,000 entries, against its bare file operations",
        median(&times[1]) / median(&bare),
        "×",
        2.0,
        &more,
    );
}

/// Does what a lazily synced append does to the file system: three objects, lock and ref, two lists.
fn files(dir: &Path, number: u64) {
    let put = |name: &Path, size: usize| {
        let mut file = File::create(name).expect("a file");
        file.write_all(&vec![b'x'; size]).expect("written");
    };
    for (nth, size) in [600, 1500, 400].into_iter().enumerate() {
        let folder = dir.join(format!("{:02x}", (number as usize * 3 + nth) * 7 % 256));
        std::fs::create_dir_all(&folder).expect("a folder");
        put(&folder.join("new"), size);
        std::fs::rename(folder.join("new"), folder.join(number.to_string())).expect("renamed");
    }
    put(&dir.join("ref.lock"), 41);
    std::fs::rename(dir.join("ref.lock"), dir.join("ref")).expect("renamed");
    for list in ["log", "loose"] {
        let file = File::options().append(true).create(true).open(dir.join(list));
        file.expect("a file").write_all(&[b'x'; 150]).expect("written");
    }
}

/// One entry, durable, beside the bare flushes of files of the same sizes in turn.
fn durable() {
    let scratch = Scratch::with_entries(10_000, &[("trace.fsync", "true")]);
    let workspace = scratch.workspace();
    let probe = scratch.path().join("probe");
    std::fs::create_dir(&probe).expect("a folder");
    // In the first minute of a branch the folders above it are synced too.
    std::thread::sleep(Duration::from_secs(61));
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for number in 0..200 {
        ours.push(append_one(&workspace, 2_000_000 + number));
        bare.push(flushes(&probe, number));
    }
    let more = format!("{:.2} ms against {:.2} ms of 5 fsync calls", median(&ours), median(&bare));
    report("append 500 bytes, durable, against its fsync calls, p50", median(&ours) / median(&bare), "×", 2.0, &more);
}

/// Does what a durable append does to the disk, and returns the time of its fsync calls alone: pack, index, their
/// folder, ref, its folder.
fn flushes(dir: &Path, number: u64) -> Duration {
    let mut spent = Duration::ZERO;
    let mut sync = |file: &File| spent += timed(|| file.sync_all().expect("synced")).0;
    for (name, size) in [("pack", 1500), ("idx", 1200)] {
        let mut file = File::create(dir.join(format!("{number}.{name}"))).expect("a file");
        file.write_all(&vec![b'x'; size]).expect("written");
        sync(&file);
    }
    sync(&File::open(dir).expect("a folder"));
    let lock = dir.join("ref.lock");
    let mut file = File::create(&lock).expect("a file");
    file.write_all(&[b'x'; 41]).expect("written");
    sync(&file);
    std::fs::rename(&lock, dir.join("ref")).expect("renamed");
    sync(&File::open(dir).expect("a folder"));
    spent
}

/// A loop as an agent's: append a message, then read what is new in the context.
fn follow() {
    let scratch = Scratch::new(&[("trace.fsync", "false")]);
    let workspace = scratch.workspace();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut halves = [Duration::ZERO; 2];
    let mut before: Option<String> = None;
    for number in 0..10_000 {
        let start = Instant::now();
        let made = commit(&workspace, &message(number)).expect("appended").commit.expect("no dry run").to_string();
        if let Some(before) = &before {
            let found = diff(&workspace, before, Some(&made)).expect("both are there");
            for change in found.changes {
                match change {
                    EntryChange::Added(item) => seen.push(item.body),
                    other => panic!("only appended: {other:?}"),
                }
            }
        }
        before = Some(made);
        halves[usize::from(number >= 5000)] += start.elapsed();
    }
    assert_eq!((seen.len(), seen.last()), (9999, Some(&body(9999))));
    let [first, second] = halves.map(|half| half.as_secs_f64());
    report("commit and read what is new, 10,000 times, all", first + second, "s", 10.0, "");
    report("  the same, second half against first", second / first, "×", 1.3, "");
    let megabytes = scratch.disk() as f64 / 1e6;
    report("disk after 10,000 appends, own packing only", megabytes, "MB", 9.0, "");
}

/// 100 commits of a branch, onto 10 new ones, where the context has 10,000 entries.
fn rebase_many() {
    let scratch = Scratch::with_entries(10_000, &[("trace.fsync", "false")]);
    let workspace = scratch.workspace();
    let go = |revision: &str| Checkout { revision: Some(revision.to_owned()), ..Checkout::default() };
    let make = Checkout { create: Some("f".to_owned()), ..Checkout::default() };
    checkout(&workspace, &make).expect("a new branch");
    for number in 0..100 {
        append_one(&workspace, 3_000_000 + number);
    }
    checkout(&workspace, &go("main")).expect("it is there");
    for number in 0..10 {
        append_one(&workspace, 4_000_000 + number);
    }
    checkout(&workspace, &go("f")).expect("it is there");
    let tip = scratch.git(&["rev-parse", "refs/trace/heads/main/f"]);
    let mut times = Vec::new();
    for _ in 0..5 {
        scratch.git(&["update-ref", "refs/trace/heads/main/f", tip.trim()]);
        // As a process of its own would: nothing is known from before.
        let workspace = scratch.workspace();
        let request = Rebase { upstream: Some("main".to_owned()), ..Rebase::default() };
        let (time, done) = timed(|| rebase(&workspace, &request).expect("no conflicts"));
        assert_eq!((done.commits.len(), done.count), (100, 10_110));
        times.push(time);
    }
    report("rebase 100 commits onto 10, 10,000 entries, p50", median(&times), "ms", 200.0, "");
    scratch.git(&["fsck", "--strict", "--no-dangling"]);
}

/// 100,000 commits in one batch.
fn bulk_import() {
    let scratch = Scratch::new(&[]);
    let repo = Repo::discover(scratch.path()).expect("our own repository");
    let (time, ()) = timed(|| bulk(&repo, 100_000));
    report("bulk, 100,000 entries as 100,000 commits", time.as_secs_f64(), "s", 10.0, "");
    report("  its size on disk", scratch.disk() as f64 / 1e6, "MB", 90.0, "");
    report("  peak memory of this process", peak_memory("self").unwrap_or(f64::NAN), "MB", 200.0, "");
    scratch.git(&["fsck", "--strict", "--no-dangling"]);
    println!("met    `git fsck --strict` is clean");
}

/// Real transcripts, multiplied to 100 MB, through the program itself.
fn import() {
    let Some(dir) = measure::transcripts() else { return println!("skipped: no transcripts here") };
    let scratch = Scratch::new(&[]);
    let file = scratch.path().join("long.jsonl");
    let size = multiply(&dir, &file, 100_000_000);
    let mut command = Command::new(env!("CARGO_BIN_EXE_git-trace"));
    command.args(["import", "claude"]).arg(&file).current_dir(scratch.path()).stdout(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let mut peak = 0.0_f64;
    let status = loop {
        peak = peak.max(peak_memory(&child.id().to_string()).unwrap_or(0.0));
        if let Some(status) = child.try_wait().expect("a child of ours") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let time = start.elapsed();
    assert!(status.success(), "the import ended with {status}");
    let commits = scratch.git(&["rev-list", "--all", "--count"]);
    let more =
        format!("{:.0} MB, {} commits, {:.0} MB stored", size / 1e6, commits.trim(), scratch.disk() as f64 / 1e6);
    report("import of real transcripts, tokens counted", size / 1e6 / time.as_secs_f64(), "MB/s", 50.0, &more);
    report("  peak memory", peak, "MB", 200.0, "");
}

/// Strings the transcripts of a folder together into one session of at least `size` bytes: every copy has ids of its
/// own and goes on where the one before ended. Returns the size in bytes.
fn multiply(dir: &Path, file: &Path, size: u64) -> f64 {
    let ids = regex::bytes::Regex::new(
        r"\b([0-9a-f]{8})(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b|\b((?:msg|req|toolu)_[0-9A-Za-z]{8,})\b",
    );
    let ids = ids.expect("well formed");
    let mut sources: Vec<Vec<u8>> = walkdir::WalkDir::new(dir.join("entire-cli/claude"))
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "jsonl"))
        .filter_map(|entry| std::fs::read(entry.path()).ok())
        .collect();
    sources.retain(|source| source.len() > 100_000);
    let session = r#""sessionId":"00000000-1111-4222-8333-444444444444""#;
    let of_session = regex::bytes::Regex::new(r#""sessionId":"[^"]*""#).expect("well formed");
    let of_line = regex::bytes::Regex::new(r#""uuid":"([^"]*)""#).expect("well formed");
    let mut out = std::io::BufWriter::new(File::create(file).expect("a file"));
    let (mut written, mut copy, mut last) = (0, 0_u32, String::new());
    while written < size {
        for source in &sources {
            copy += 1;
            for line in source.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line =
                    ids.replace_all(line, |found: &regex::bytes::Captures<'_>| match (found.get(1), found.get(3)) {
                        (Some(head), _) => {
                            let head = u32::from_str_radix(&String::from_utf8_lossy(head.as_bytes()), 16).unwrap_or(0);
                            let head = format!("{:08x}", head ^ copy.wrapping_mul(0x9e37_79b9));
                            [head.as_bytes(), found.get(2).map_or(&[][..], |rest| rest.as_bytes())].concat()
                        }
                        (_, Some(id)) => [id.as_bytes(), format!("c{copy}").as_bytes()].concat(),
                        _ => found.get(0).map_or(Vec::new(), |all| all.as_bytes().to_vec()),
                    });
                let line = of_session.replace_all(&line, session.as_bytes());
                let text = String::from_utf8_lossy(&line);
                let joined = match last.as_str() {
                    "" => text.into_owned(),
                    last => text.replacen(r#""parentUuid":null"#, &format!(r#""parentUuid":"{last}""#), 1),
                };
                if let Some(uuid) = of_line.captures(joined.as_bytes()).and_then(|found| found.get(1)) {
                    last = String::from_utf8_lossy(uuid.as_bytes()).into_owned();
                }
                out.write_all(joined.as_bytes()).and_then(|()| out.write_all(b"\n")).expect("written");
                written += joined.len() as u64 + 1;
            }
        }
    }
    out.flush().expect("written");
    written as f64
}

/// Eight processes that append to one branch, in a loop each; then one process for each append.
fn writers() {
    let (processes, appends) = (8, 200);
    let scratch = Scratch::with_entries(1000, &[("trace.fsync", "false")]);
    let program = std::env::current_exe().expect("a program");
    let start = Instant::now();
    let children: Vec<_> = (0..processes)
        .map(|writer: u64| {
            let mut command = Command::new(&program);
            command.arg(WRITER).arg(scratch.path()).arg(appends.to_string()).arg(writer.to_string());
            command.stdout(Stdio::piped()).spawn().expect("a copy of this program")
        })
        .collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().expect("it ends")).collect();
    let time = start.elapsed();
    let times: Vec<Duration> = outputs
        .iter()
        .flat_map(|output| String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>())
        .map(|line| Duration::from_nanos(line.parse().expect("nanoseconds")))
        .collect();
    let all = processes * appends;
    let commits: u64 = scratch.git(&["rev-list", "--count", BRANCH]).trim().parse().expect("a number");
    let lost = 1000 + all - commits;
    let rate = all as f64 / time.as_secs_f64();
    report("8 processes × 200 appends to one branch, lazily synced", rate, "1/s", 1500.0, &format!("{lost} lost"));
    report("  one append, p99", percentile(&times, 99), "ms", 30.0, &format!("max {:.1} ms", percentile(&times, 100)));
    assert_eq!((times.len() as u64, lost), (all, 0));

    let start = Instant::now();
    std::thread::scope(|scope| {
        for writer in 0..processes {
            let scratch = &scratch;
            scope.spawn(move || {
                for number in 0..25 {
                    let mut command = Command::new(env!("CARGO_BIN_EXE_git-trace"));
                    command.args(["commit", "-q"]).current_dir(scratch.path());
                    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
                    let mut input = child.stdin.take().expect("a pipe");
                    input.write_all(&body(writer * 1000 + number)).expect("written");
                    drop(input);
                    assert!(child.wait().expect("it ends").success());
                }
            });
        }
    });
    let rate = 200.0 / start.elapsed().as_secs_f64();
    report("  one process for each append", rate, "1/s", 400.0, "(no target; the prototype: 580)");
}

fn write_many(arguments: &[String]) {
    let [dir, appends, writer] = arguments else { panic!("folder, number of appends, number of the writer") };
    let appends: u64 = appends.parse().expect("a number");
    let writer: u64 = writer.parse().expect("a number");
    let workspace = Workspace::discover(Path::new(dir), None, None).expect("our own repository");
    let times: Vec<Duration> =
        (0..appends).map(|number| append_one(&workspace, (writer + 10) * 1_000_000 + number)).collect();
    let text: String = times.iter().map(|time| format!("{}\n", time.as_nanos())).collect();
    print!("{text}");
}

/// Ten commits on each side of a context of 10,000 entries.
fn merge_ten() {
    for (fsync, name) in [("false", "lazily synced"), ("true", "durable")] {
        let scratch = Scratch::with_entries(10_000, &[("trace.fsync", fsync)]);
        let workspace = scratch.workspace();
        let go = |revision: &str, create: bool| {
            let create = create.then(|| revision.to_owned());
            let revision = if create.is_some() { None } else { Some(revision.to_owned()) };
            checkout(&workspace, &Checkout { revision, create, detach: false, dry_run: false }).expect("moved");
        };
        go("f", true);
        for number in 0..10 {
            append_one(&workspace, 2_000_000 + number);
        }
        go("main", false);
        for number in 0..10 {
            append_one(&workspace, 3_000_000 + number);
        }
        let mut times = Vec::new();
        for _ in 0..30 {
            let merged = timed(|| merge(&scratch.workspace(), &Merge { revision: "f".to_owned(), ..Merge::default() }));
            times.push(merged.0);
            assert_eq!(merged.1.expect("merged").count, 10_020);
            let back = Reset { revision: "HEAD^1".to_owned(), mode: ResetMode::Hard, dry_run: false };
            reset(&workspace, &back).expect("back");
        }
        report(
            &format!("merge 10 + 10 commits, 10,000 entries, {name}, repository opened, p50"),
            median(&times),
            "ms",
            50.0,
            "",
        );
    }
}

/// A plan over 10,000 entries, half of them calls of tools and their results.
fn plan() {
    let scratch = Scratch::with_entries(5_000, &[("trace.fsync", "false")]);
    let workspace = scratch.workspace();
    let json = |role, body: String| NewMessage { kind: BodyKind::Json, ..NewMessage::text(role, body) };
    let mut messages = Vec::new();
    for number in 0..2_500 {
        let words = String::from_utf8_lossy(&body(number)).replace(['"', '\\', '\n'], " ");
        let call =
            format!(r#"[{{"type":"tool_use","id":"c{number}","name":"Read","input":{{"file_path":"/a/{number}"}}}}]"#);
        let result = format!(r#"[{{"type":"tool_result","tool_use_id":"c{number}","content":"{words}"}}]"#);
        messages.extend([json(Role::Assistant, call), json(Role::User, result)]);
    }
    commit(&workspace, &CommitMessages { messages, ..CommitMessages::default() }).expect("appended");
    for mode in [CompressMode::Mask, CompressMode::Dedupe, CompressMode::Title, CompressMode::Extract] {
        let mut times = Vec::new();
        for _ in 0..10 {
            let request = Compress { mode, ..Compress::default() };
            times.push(timed(|| compression_plan(&scratch.workspace(), &request).expect("a plan")).0);
        }
        report(&format!("plan to compress 10,000 entries, {mode}, p50"), median(&times), "ms", 300.0, "");
    }
}
