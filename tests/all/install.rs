//! `enable`, `disable` and `doctor` on real files, with real git, real shells, and hooks of the shape that hook managers
//! write. What the hooks call is a program that records it, says things that it should not, and fails.

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
    let skipped = [".git/objects", ".git/index", ".git/logs", ".git/refs", ".git/HEAD", ".git/COMMIT_EDITMSG", ".git/ORIG_HEAD"];
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
    let show = |one: Option<&(u32, Vec<u8>)>| one.map(|(mode, bytes)| (format!("{mode:o}"), String::from_utf8_lossy(bytes).into_owned()));
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    changed.map(|name| format!("{}: {:?} -> {:?}", name.display(), show(before.get(name)), show(after.get(name)))).collect()
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
    command.args(arguments).env("PATH", recorder(world)).env("RECORD", record(world)).env("OUT", world.root().join("out"));
    command.output().expect("git starts")
}

fn git_ok(world: &World, dir: &Path, arguments: &[&str]) -> String {
    let output = git(world, dir, arguments);
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    assert!(!said.contains("noise"), "git {arguments:?}: {said}");
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

#[test]
fn each_agents_settings_are_given_back_byte_for_byte() {
    let world = World::new("sha1");
    let files = [
        None,
        Some("{}"),
        Some(""),
        Some("{\n  \"theme\": \"dark\", // mine\n  \"hooks\": {}\n}\n"),
        Some("{\r\n\t\"zeta\": [1, 2],\r\n\t\"alpha\": { \"b\": null }\r\n}\r\n"),
        Some("\u{feff}{\"hooks\":{\"Stop\":[],\"stop\":[],\"AfterTool\":[{\"hooks\":[]}]},\"version\":1}"),
    ];
    for (agent, local, _) in AGENTS {
        for file in files.iter().filter(|file| agent != "opencode" || file.is_none()) {
            let path = world.repo().join(local);
            if let Some(text) = file {
                write(&path, text, 0o640);
            }
            let before = picture(&world.repo());
            let status_before = status(&world);
            ok(&world, &["enable", "--agent", agent, "--no-git-hooks", "-n"]);
            assert_same(&before, &picture(&world.repo()), "a rehearsal");

            let said = ok(&world, &["enable", "--agent", agent, "--no-git-hooks"]);
            assert!(said.starts_with(&format!("{agent}: ")) && said.contains(local), "{said}");
            assert_eq!(status(&world), status_before, "{agent}: {file:?}");
            let text = fs::read_to_string(&path).expect("a file");
            let calls = text.matches("git-trace hook ").count() + text.matches("spawn(\"git-trace\"").count();
            assert!(calls >= 1, "{text}");
            if file.is_some() {
                assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o640);
            }
            let enabled = picture(&world.repo());
            ok(&world, &["enable", "--agent", agent, "--no-git-hooks"]);
            assert_same(&enabled, &picture(&world.repo()), "twice is once");

            ok(&world, &["disable", "--agent", agent, "-n"]);
            assert_same(&enabled, &picture(&world.repo()), "a rehearsal");
            ok(&world, &["disable", "--agent", agent]);
            assert_same(&before, &picture(&world.repo()), &format!("{agent}: {file:?}"));
            ok(&world, &["disable"]);
            assert_same(&before, &picture(&world.repo()), "nothing is left to be taken out");
            let _ = fs::remove_file(&path);
            if let Some(folder) = path.parent().filter(|folder| **folder != world.repo()) {
                let _ = fs::remove_dir_all(folder);
            }
        }
    }
}

#[test]
fn all_agents_at_once_share_one_list_of_ignored_files() {
    let world = World::new("sha1");
    let before = picture(&world.repo());
    let told = json(&world, &["enable", "--agent", "all"]);
    assert_eq!(told["outcome"]["agents"].as_array().expect("a list").len(), AGENTS.len());
    assert_eq!(status(&world), "");
    let exclude = fs::read_to_string(world.repo().join(".git/info/exclude")).expect("a list");
    assert_eq!(exclude.matches("# >>> git-trace").count(), 1, "{exclude}");
    for (_, local, _) in AGENTS {
        assert!(exclude.contains(&format!("\n/{local}\n")), "{exclude}");
    }
    assert_eq!(json(&world, &["enable", "--agent", "all"])["outcome"]["changed"], false);
    // One goes, the others stay.
    ok(&world, &["disable", "--agent", "codex,gemini"]);
    let exclude = fs::read_to_string(world.repo().join(".git/info/exclude")).expect("a list");
    assert!(!exclude.contains("codex") && exclude.contains("claude"), "{exclude}");
    assert!(world.repo().join(".git/hooks/post-commit").exists(), "git's hooks stay");
    ok(&world, &["disable"]);
    assert_same(&before, &picture(&world.repo()), "disable");
    fs::remove_file(world.repo().join(".git/info/exclude")).expect("git made it");
    let before = picture(&world.repo());
    ok(&world, &["enable", "--agent", "claude"]);
    assert_eq!(status(&world), "");
    ok(&world, &["disable"]);
    assert_same(&before, &picture(&world.repo()), "without a list before");
}

#[test]
fn what_the_user_writes_meanwhile_stays() {
    let world = World::new("sha1");
    let path = world.repo().join(".claude/settings.local.json");
    ok(&world, &["enable", "--agent", "claude"]);
    let text = fs::read_to_string(&path).expect("a file");
    let edited = text.replacen("{\n", "{\n  \"model\": \"opus\", // new\n", 1);
    let edited = edited.replacen("\"Stop\": [", "\"Stop\": [\n      { \"hooks\": [{ \"type\": \"command\", \"command\": \"say done\" }] },", 1);
    fs::write(&path, &edited).expect("a file");
    // Enabling again changes nothing, because all is there.
    ok(&world, &["enable", "--agent", "claude"]);
    assert_eq!(fs::read_to_string(&path).expect("a file"), edited);
    let said = ok(&world, &["disable"]);
    assert!(said.contains("taken out of"), "{said}");
    let left = fs::read_to_string(&path).expect("the user's own entries are in it");
    assert!(left.contains("\"model\": \"opus\", // new") && left.contains("say done"), "{left}");
    assert!(!left.contains("git-trace"), "{left}");
    assert_eq!(fs::read(world.repo().join(".git/info/exclude")).expect("a list").windows(9).filter(|part| part == b"git-trace").count(), 0);

    // A file that somebody removed is not missed.
    ok(&world, &["enable", "--agent", "codex"]);
    fs::remove_dir_all(world.repo().join(".codex")).expect("a folder");
    ok(&world, &["disable"]);
    assert!(!world.repo().join(".git/trace/installed.json").exists());
    // Without the record our entries are found all the same.
    ok(&world, &["enable", "--agent", "gemini"]);
    fs::remove_file(world.repo().join(".git/trace/installed.json")).expect("a record");
    ok(&world, &["disable"]);
    assert!(!fs::read_to_string(world.repo().join(".gemini/settings.json")).expect("nobody knows who made it").contains("git-trace"));
}

#[test]
fn what_others_share_is_changed_only_when_asked_for() {
    let world = World::new("sha1");
    for (agent, local, shared) in AGENTS.iter().filter(|(agent, ..)| *agent != "opencode") {
        for file in [local, shared] {
            write(&world.repo().join(file), "{\n  \"version\": 1\n}\n", 0o644);
            world.git(&["add", "-f", file], &world.repo());
        }
        let before = picture(&world.repo());
        let said = refused(&world, 1, &["enable", "--agent", agent, "--no-git-hooks"]);
        assert!(said.contains(&format!("'{local}' is tracked by git")) && said.contains("--shared"), "{said}");
        assert_same(&before, &picture(&world.repo()), agent);
        ok(&world, &["enable", "--agent", agent, "--no-git-hooks", "--shared"]);
        assert!(fs::read_to_string(world.repo().join(shared)).expect("a file").contains("git-trace hook"));
        let said = refused(&world, 1, &["disable"]);
        assert!(said.contains("is tracked by git"), "{said}");
        assert!(fs::read_to_string(world.repo().join(shared)).expect("a file").contains("git-trace hook"));
        ok(&world, &["disable", "--shared"]);
        assert_same(&before, &picture(&world.repo()), agent);
    }
    // A shared file that nobody has yet is not hidden: it is there to be committed.
    ok(&world, &["enable", "--agent", "opencode", "--shared", "--no-git-hooks"]);
    assert!(status(&world).contains("?? .opencode/plugin/git-trace.js"), "{}", status(&world));
}

#[test]
fn files_that_cannot_be_changed_are_named_and_left() {
    let world = World::new("sha1");
    let path = world.repo().join(".claude/settings.local.json");
    let outside = world.root().join("outside.json");
    fs::write(&outside, "{}").expect("a file");
    type Make<'a> = Box<dyn Fn() + 'a>;
    let cases: Vec<(Make<'_>, &str)> = vec![
        (Box::new(|| write(&path, "{\"a\": 1", 0o644)), "it is not JSON"),
        (Box::new(|| write(&path, "[]", 0o644)), "is not an object"),
        (Box::new(|| write(&path, "{\"hooks\": 1}", 0o644)), "'hooks' is not an object"),
        (Box::new(|| write(&path, "{\"hooks\": {\"Stop\": \"x\"}}", 0o644)), "'hooks.Stop' is not a list"),
        (Box::new(|| write(&path, "{\"hooks\": {}, \"hooks\": {}}", 0o644)), "stands there twice"),
        (Box::new(|| fs::write(&path, b"{\"a\": \"\xff\"}").expect("a file")), "it is not UTF-8"),
        (Box::new(|| write(&path, "{}", 0o444)), "is read-only"),
        (Box::new(|| symlink(&outside, &path).expect("a link")), "leads out of"),
        (Box::new(|| symlink("nowhere", &path).expect("a link")), "leads out of"),
        (Box::new(|| fs::create_dir(&path).expect("a folder")), "is not a file"),
        (Box::new(|| fs::File::create(&path).and_then(|file| file.set_len(5 << 20)).expect("a file")), "the limit is"),
    ];
    for (make, complaint) in cases {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        make();
        let before = picture(&world.repo());
        let said = refused(&world, 1, &["enable", "--agent", "codex", "--agent", "claude"]);
        assert!(said.contains(complaint) && said.contains("settings.local.json"), "{said}");
        assert_same(&before, &picture(&world.repo()), complaint);
        // Where no agent was named, the others and git's hooks are installed.
        fs::create_dir_all(world.repo().join(".gemini")).expect("a folder");
        let said = refused(&world, 1, &["enable"]);
        assert!(said.contains(complaint) && said.contains("git trace doctor"), "{said}");
        assert!(world.repo().join(".gemini/settings.json").exists());
        ok(&world, &["disable", "--agent", "gemini"]);
        ok(&world, &["disable", "--no-agent-hooks"]);
        fs::remove_dir(world.repo().join(".gemini")).expect("it is empty");
        assert_same(&before, &picture(&world.repo()), complaint);
        let folder = path.parent().expect("a folder");
        fs::remove_dir_all(folder).expect("a folder");
    }
    assert_eq!(fs::read_to_string(&outside).expect("a file"), "{}");
    // The folder itself leads out.
    fs::create_dir(world.root().join("elsewhere")).expect("a folder");
    symlink(world.root().join("elsewhere"), world.repo().join(".claude")).expect("a link");
    assert!(refused(&world, 1, &["enable", "--agent", "claude"]).contains("leads out of"));
    assert_eq!(fs::read_dir(world.root().join("elsewhere")).expect("a folder").count(), 0);

    let said = refused(&world, 1, &["enable", "--agent", "amp"]);
    assert!(said.contains("hooks of 'amp' cannot be installed") && said.contains("git trace watch amp"), "{said}");
    assert!(refused(&world, 2, &["enable", "--agent", "hal"]).contains("unknown agent 'hal'"));
    write(&world.repo().join(".opencode/plugin/git-trace.js"), "// somebody's\n", 0o644);
    assert!(refused(&world, 1, &["enable", "--agent", "opencode"]).contains("exists and is not git trace's"));
}

#[test]
fn agents_that_are_used_here_are_found() {
    let world = World::new("sha1");
    let enabled = |world: &World| -> Vec<String> {
        let told = json(world, &["enable", "-n"]);
        let agents = told["outcome"]["agents"].as_array().expect("a list").clone();
        agents.iter().map(|one| one["agent"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(enabled(&world), ["claude"], "where none is seen");
    fs::create_dir_all(world.repo().join(".cursor")).expect("a folder");
    assert_eq!(enabled(&world), ["cursor"]);
    fs::create_dir_all(world.home().join(".codex")).expect("a folder");
    assert_eq!(enabled(&world), ["codex", "cursor"]);
    let doctor = json(&world, &["doctor"]);
    let notes = doctor["outcome"]["findings"].to_string();
    assert!(notes.contains("git trace enable --agent codex") && notes.contains("--agent cursor"), "{notes}");
}

#[test]
fn commands_of_agents_are_silent_and_harmless_in_every_shell() {
    let world = World::new("sha1");
    let path = recorder(&world);
    ok(&world, &["enable", "--agent", "all", "--no-git-hooks"]);
    let mut commands: Vec<String> = Vec::new();
    for (agent, local, _) in AGENTS.iter().filter(|(agent, ..)| *agent != "opencode") {
        let text = fs::read_to_string(world.repo().join(local)).expect("a file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let lists = file["hooks"].as_object().expect("events").values().flat_map(|list| list.as_array().expect("a list"));
        let handlers = lists.flat_map(|one| one["hooks"].as_array().cloned().unwrap_or_else(|| vec![one.clone()]));
        for handler in handlers {
            let limit = ["timeout", "timeoutSec"].iter().find_map(|key| handler[*key].as_u64());
            let unit = if *agent == "gemini" { 1000 } else { 1 };
            assert!(limit.is_none_or(|limit| (unit..=5 * unit).contains(&limit)), "{agent}: {handler}");
            let command = ["command", "bash"].iter().find_map(|key| handler[*key].as_str()).expect("a command");
            assert!(command.contains(&format!("git-trace hook {agent}")), "{command}");
            commands.push(command.to_owned());
        }
    }
    commands.sort();
    commands.dedup();
    for shell in ["sh", "bash", "dash", "zsh", "ksh", "fish"] {
        let found = Command::new(shell).args(["-c", "true"]).stdin(Stdio::null()).output();
        if !found.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: there is no {shell}");
            continue;
        }
        for command in &commands {
            for (search, calls) in [(path.as_str(), 1), ("/usr/bin:/bin", 0)] {
                let mut process = world.command(shell, &world.repo());
                process.args(["-c", command]).env("PATH", search).env("RECORD", record(&world));
                let output = feed(process, b"{\"session_id\":\"s\"}");
                assert!(output.status.success(), "{shell}: {command}: {}", output.status);
                assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{shell}: {command}");
                assert_eq!(called(&world).len(), calls, "{shell}: {command}");
            }
        }
    }
}

/// A hook that was there before: its file, and what has to be run for it to be seen.
struct Before<'a> {
    what: &'a str,
    make: Box<dyn Fn(&Path) + 'a>,
    /// Whether git runs it.
    active: bool,
}

fn hooks_of_all_kinds<'a>(world: &'a World) -> Vec<Before<'a>> {
    let text = |what: &'a str, text: &'static str, mode: u32, active: bool| Before {
        what,
        make: Box::new(move |path: &Path| write(path, text, mode)),
        active,
    };
    let outside = world.root().join("outside-hook");
    vec![
        Before { what: "none", make: Box::new(|_| {}), active: false },
        text("sh", "#!/bin/sh\necho \"$0\" >/dev/null\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o755, true),
        text("no line feed at its end", "#!/bin/sh\necho \"ran $*\" >> \"$OUT\"; cat >> \"$OUT\"; exit 3", 0o755, true),
        text("only its first line", "#!/bin/sh", 0o755, false),
        text("errors end it", "#!/bin/sh -eu\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o700, true),
        text("bash", "#!/usr/bin/env bash\nset -euo pipefail\nmapfile -t all\necho \"ran $*\" >> \"$OUT\"\nfor one in \"${all[@]}\"; do echo \"$one\" >> \"$OUT\"; done\nexit 3\n", 0o755, true),
        text("zsh", "#!/usr/bin/env zsh\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o755, true),
        text("python", "#!/usr/bin/env python3\nimport os, sys\nout = open(os.environ['OUT'], 'a')\nout.write(' '.join(['ran'] + sys.argv[1:]) + '\\n' + sys.stdin.read())\nout.close()\nsys.exit(3)\n", 0o755, true),
        text("a script for two", "#!/bin/sh\n'''exec' python3 \"$0\" \"$@\" # '''\nimport os, sys\nout = open(os.environ['OUT'], 'a')\nout.write(' '.join(['ran'] + sys.argv[1:]) + '\\n' + sys.stdin.read())\nout.close()\nsys.exit(3)\n", 0o755, true),
        text("read-only", "#!/bin/sh\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o555, true),
        text("no first line", "echo \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o755, true),
        text("not executable", "#!/bin/sh\necho never >> \"$OUT\"\nexit 3\n", 0o644, false),
        text("empty", "", 0o644, false),
        Before {
            what: "a link",
            make: Box::new(move |path: &Path| {
                write(&outside, "#!/bin/sh\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o755);
                symlink(&outside, path).expect("a link");
            }),
            active: true,
        },
        Before { what: "a link to nothing", make: Box::new(|path: &Path| symlink("nowhere", path).expect("a link")), active: false },
    ]
}

#[test]
fn a_hook_that_is_there_runs_as_before() {
    let world = World::new("sha1");
    let repo = world.repo();
    for hook in ["post-commit", "post-rewrite", "post-checkout", "post-merge", "pre-push", "prepare-commit-msg"] {
        let with_input = matches!(hook, "post-rewrite" | "pre-push");
        for before in hooks_of_all_kinds(&world) {
            let what = format!("{hook}: {}", before.what);
            let path = repo.join(".git/hooks").join(hook);
            (before.make)(&path);
            let old = picture(&repo);
            ok(&world, &["enable", "--no-agent-hooks"]);
            let enabled = picture(&repo);
            ok(&world, &["enable", "--no-agent-hooks"]);
            assert_same(&enabled, &picture(&repo), &what);

            // As git runs it; twice the input that fits into a pipe.
            let long = "refs/heads/x 0123456789abcdef refs/heads/y 0123456789abcdef\n".repeat(2500);
            for input in ["", "a b\n", "one $x `y` \\z\n\n  two  \n", &long] {
                if !with_input && !input.is_empty() {
                    continue;
                }
                let mut process = world.command(path.to_str().expect("UTF-8"), &repo);
                process.args(["first one", "2"]).env("PATH", recorder(&world)).env("RECORD", record(&world));
                process.env("OUT", world.root().join("out"));
                let output = feed(process, input.as_bytes());
                let code = if before.active { 3 } else { 0 };
                assert_eq!(output.status.code(), Some(code), "{what}: {}", String::from_utf8_lossy(&output.stderr));
                assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{what}: {output:?}");
                let ran = if before.active { format!("ran first one 2\n{input}") } else { String::new() };
                assert_eq!(out(&world), ran, "{what}");
                let calls = if with_input && input.is_empty() { vec![] } else { vec![format!("hook git {hook} first one 2")] };
                assert_eq!(called(&world), calls, "{what}");
                let told = fs::read_to_string(format!("{}.{hook}.input", record(&world).display())).unwrap_or_default();
                let _ = fs::remove_file(format!("{}.{hook}.input", record(&world).display()));
                assert_eq!(told, if with_input { input } else { "" }, "{what}");
            }
            // Without our program.
            let mut process = world.command(path.to_str().expect("UTF-8"), &repo);
            process.env("PATH", "/usr/bin:/bin").env("OUT", world.root().join("out"));
            let output = feed(process, b"x y\n");
            assert_eq!(output.status.code(), Some(if before.active { 3 } else { 0 }), "{what}");
            assert!(output.stderr.is_empty(), "{what}");
            let told = out(&world);
            assert_eq!(told, if before.active { "ran \nx y\n" } else { "" }, "{what}");

            ok(&world, &["disable"]);
            assert_same(&old, &picture(&repo), &what);
            let _ = fs::remove_file(&path);
        }
    }
}
