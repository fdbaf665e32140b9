//! What both benches share: scratch repositories, medians, and the table that is printed.

#![allow(dead_code, reason = "each of the two uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use git_trace::codec::Manifest;
use git_trace::model::{BodyKind, Entry, EntryId, Flags, Operation, Person, Role, Time, Touch, TouchKind};
use git_trace::ops::Workspace;
use git_trace::redact::Redactor;
use git_trace::store::{CommitRequest, Durability, Repo, Size, Start};
use tempfile::TempDir;

/// The branch that everything is written to.
pub const BRANCH: &str = "refs/trace/heads/main/main";

/// Holds a repository that goes when it is dropped.
pub struct Scratch {
    root: TempDir,
}

impl Scratch {
    /// Makes a repository; `config` is what it says beside the user's name.
    pub fn new(config: &[(&str, &str)]) -> Self {
        let scratch = Scratch { root: TempDir::new().expect("a folder for the bench") };
        scratch.git(&["init", "-q", "--initial-branch=main"]);
        for (key, value) in [("user.name", "A U Thor"), ("user.email", "author@example.com")].iter().chain(config) {
            scratch.git(&["config", key, value]);
        }
        scratch
    }

    /// Makes a repository with a context of `count` entries of 500 bytes, one commit each, in one pack.
    pub fn with_entries(count: u64, config: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new(config);
        bulk(&Repo::discover(scratch.path()).expect("our own repository"), count);
        scratch
    }

    /// Returns its folder.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Opens the operations on it.
    pub fn workspace(&self) -> Workspace {
        Workspace::discover(self.path(), None, None).expect("our own repository")
    }

    /// Runs git in it, which must end well, and returns what it said.
    pub fn git(&self, arguments: &[&str]) -> String {
        run(Command::new("git").args(arguments).current_dir(self.path()))
    }

    /// Sums up the blocks of its object store, as `du` does, in bytes.
    pub fn disk(&self) -> u64 {
        let said = run(Command::new("du").arg("-sk").arg(self.path().join(".git/objects")));
        said.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).expect("a number") * 1024
    }
}

/// Runs a program, which must end well, and returns what it said.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Makes 500 bytes of text that are never the same.
pub fn body(number: u64) -> Vec<u8> {
    let words = ["port", "context", "branch", "returns", "the", "of", "cannot", "file", "line", "error", "let", "test"];
    let mut random = fastrand::Rng::with_seed(number);
    let mut text = format!("{number}:");
    while text.len() < 499 {
        text.push(' ');
        text += words[random.usize(..words.len())];
        if random.u8(..) < 40 {
            text += &format!("{:x}", random.u32(..));
        }
    }
    text.truncate(499);
    text.push('\n');
    text.into_bytes()
}

/// Makes a branch of `count` commits that bring an entry each, without counting tokens.
pub fn bulk(repo: &Repo, count: u64) {
    let redactor = Redactor::off();
    let who = Person {
        name: "A U Thor".to_owned(),
        email: "author@example.com".to_owned(),
        time: Time::from_seconds(1_780_000_000),
    };
    let mut batch = repo.begin(Size::Many).expect("a batch");
    let manifest = Manifest::new("o200k_base", None);
    let mut context = batch.start(BRANCH, Start::Empty(&manifest)).expect("a new branch");
    for number in 0..count {
        let body = context.put_body(&redactor.text(body(number))).expect("stored");
        let id = EntryId::from_bits(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let position = context.next_position().expect("a position");
        let (role, tokens, kind) = (if number % 2 == 0 { Role::User } else { Role::Assistant }, 120, BodyKind::Text);
        let entry = Entry { position, role, tokens, id, flags: Flags::default(), kind, body, meta: None };
        context.append(entry).expect("appended");
        let request = CommitRequest {
            operation: Operation::Append,
            subject: redactor.line(&format!("append user: message {number}")),
            body: redactor.line(""),
            entries: vec![Touch::new(TouchKind::Added, id)],
            author: who.clone(),
            committer: who.clone(),
            agent: None,
            code: None,
            model: None,
            usage: None,
            cost: None,
            session: None,
            other: Vec::new(),
            merged: Vec::new(),
        };
        context.commit(request).expect("committed");
    }
    batch.finish("trace bench", &who, Durability::Lazy).expect("the branch moves");
}

/// Times one call.
pub fn timed<T>(call: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = call();
    (start.elapsed(), value)
}

/// Returns the value below which `percent` of the others lie, in milliseconds.
pub fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * percent / 100).min(sorted.len() - 1);
    sorted[at].as_secs_f64() * 1000.0
}

/// Returns the median in milliseconds.
pub fn median(times: &[Duration]) -> f64 {
    percentile(times, 50)
}

/// Prints one line of the table: what was measured, and whether it meets its target.
pub fn report(what: &str, measured: f64, unit: &str, target: f64, more: &str) {
    let better_high = unit.ends_with("/s");
    let met = if better_high { measured >= target } else { measured <= target };
    let (sign, verdict) = (if better_high { "≥" } else { "≤" }, if met { "met   " } else { "MISSED" });
    println!("{verdict} {what:<64} {measured:>9.2} {unit:<5} {sign} {target:<7} {more}");
}

/// Reads the most memory that a process has had, in MB.
pub fn peak_memory(process: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? * 1024.0 / 1e6)
}

/// Tells whether a row is asked for: all are, unless the arguments name some.
pub fn wanted(row: &str) -> bool {
    let mut names = std::env::args().skip(1).filter(|name| !name.starts_with("--")).peekable();
    names.peek().is_none() || names.any(|name| row.contains(&name))
}

/// Returns the folder of real transcripts, if this machine has it.
pub fn transcripts() -> Option<PathBuf> {
    let given = std::env::var_os("GITTRACE_SHARED").map(PathBuf::from);
    let shared = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    Some(shared.join("data/transcripts")).filter(|dir| dir.is_dir())
}
