//! `enable`, `disable` and `doctor` on real files, with real git, real shells, and hooks of the shape that hook managers
//! write. What the hooks call is a program that records it, says things that it should not, and fails.

mod doctor;
mod hooks;
mod managers;
mod places;
mod plugin;
mod settings;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::world::{World, feed};

/// What a folder holds: for each path its kind, mode and bytes.
type Picture = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// Takes a picture of the work tree, git's hooks, and what else is in the git directory beside objects and the index.
fn picture(root: &Path) -> Picture {
    let mut seen = Picture::new();
    let skipped =
        [".git/objects", ".git/index", ".git/logs", ".git/refs", ".git/HEAD", ".git/COMMIT_EDITMSG", ".git/ORIG_HEAD"];
    for file in walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok) {
        let below = file.path().strip_prefix(root).expect("below the root").to_owned();
        if skipped.iter().any(|skip| below.starts_with(skip)) || below == Path::new(".git") {
            continue;
        }
        let data = file.path().symlink_metadata().expect("it is there");
        let bytes = if data.is_symlink() {
            fs::read_link(file.path()).expect("a link").to_string_lossy().into_owned().into_bytes()
        } else if data.is_file() {
            fs::read(file.path()).expect("a file")
        } else {
            Vec::new()
        };
        seen.insert(below, (data.permissions().mode(), bytes));
    }
    seen
}

fn difference(before: &Picture, after: &Picture) -> Vec<String> {
    let names = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    let show = |one: Option<&(u32, Vec<u8>)>| {
        one.map(|(mode, bytes)| (format!("{mode:o}"), String::from_utf8_lossy(bytes).into_owned()))
    };
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    changed
        .map(|name| format!("{}: {:?} -> {:?}", name.display(), show(before.get(name)), show(after.get(name))))
        .collect()
}

fn assert_same(before: &Picture, after: &Picture, what: &str) {
    let changed = difference(before, after);
    assert!(changed.is_empty(), "{what}:\n{}", changed.join("\n"));
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
}

/// Makes a `git-trace` that records its arguments and input, prints, and fails; returns the search path with it in front.
fn recorder(world: &World) -> String {
    let bin = world.root().join("bin");
    write(
        &bin.join("git-trace"),
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$RECORD\"\ncat >> \"$RECORD.$3.input\"\necho noise\necho noise >&2\nexit 9\n",
        0o755,
    );
    format!("{}:{}", bin.display(), std::env::var("PATH").expect("a search path"))
}

/// Runs git in a folder, with the recorder on the search path.
fn git(world: &World, dir: &Path, arguments: &[&str]) -> Output {
    let mut command = world.command("git", dir);
    command
        .args(arguments)
        .env("PATH", recorder(world))
        .env("RECORD", record(world))
        .env("OUT", world.root().join("out"));
    command.output().expect("git starts")
}

fn git_ok(world: &World, dir: &Path, arguments: &[&str]) -> String {
    let output = git(world, dir, arguments);
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    // When pushing, the user may be reminded of something.
    assert!(!said.contains("noise") || arguments.contains(&"push"), "git {arguments:?}: {said}");
    said
}

fn record(world: &World) -> PathBuf {
    world.root().join("record")
}

/// Returns what the hooks called since the last look.
fn called(world: &World) -> Vec<String> {
    let text = fs::read_to_string(record(world)).unwrap_or_default();
    let _ = fs::remove_file(record(world));
    text.lines().map(str::to_owned).collect()
}

/// Returns what other hooks wrote since the last look.
fn out(world: &World) -> String {
    let path = world.root().join("out");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(path);
    text
}

/// Runs the real program in a folder, with nothing of the machine's own agents on the search path.
fn trace_in(world: &World, dir: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_git-trace");
    let mut command = world.command(program, dir);
    let bin = Path::new(program).parent().expect("a folder").display();
    command.args(arguments).env("PATH", format!("{bin}:/usr/bin:/bin"));
    // With everything that can be asked for.
    command.env("GIT_CONFIG_PARAMETERS", "'trace.trailer'='true'");
    command.output().expect("the program starts")
}

fn ok_in(world: &World, dir: &Path, arguments: &[&str]) -> String {
    let output = trace_in(world, dir, arguments);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git trace {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).expect("text")
}

fn ok(world: &World, arguments: &[&str]) -> String {
    ok_in(world, &world.repo(), arguments)
}

fn refused(world: &World, code: i32, arguments: &[&str]) -> String {
    let output = trace_in(world, &world.repo(), arguments);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "git trace {arguments:?}: {complaint}");
    complaint
}

fn json(world: &World, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let output = trace_in(world, &world.repo(), &arguments);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn status(world: &World) -> String {
    world.git(&["status", "--porcelain", "--untracked-files=all"], &world.repo())
}

const AGENTS: [(&str, &str, &str); 8] = [
    ("claude", ".claude/settings.local.json", ".claude/settings.json"),
    ("codex", ".codex/hooks.json", ".codex/hooks.json"),
    ("gemini", ".gemini/settings.json", ".gemini/settings.json"),
    ("cursor", ".cursor/hooks.json", ".cursor/hooks.json"),
    ("opencode", ".opencode/plugin/git-trace.js", ".opencode/plugin/git-trace.js"),
    ("copilot", ".github/hooks/git-trace.json", ".github/hooks/git-trace.json"),
    ("droid", ".factory/settings.local.json", ".factory/settings.json"),
    ("windsurf", ".windsurf/hooks.json", ".windsurf/hooks.json"),
];

/// Runs the program, which may find other things that need mending, and returns its answer.
fn ok_or_mended(world: &World, arguments: &[&str]) -> String {
    String::from_utf8(trace_in(world, &world.repo(), arguments).stdout).expect("text")
}

fn parsed(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
