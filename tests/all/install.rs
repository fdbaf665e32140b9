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
    let edited = edited.replacen(
        "\"Stop\": [",
        "\"Stop\": [\n      { \"hooks\": [{ \"type\": \"command\", \"command\": \"say done\" }] },",
        1,
    );
    fs::write(&path, &edited).expect("a file");
    // Enabling again changes nothing, because all is there.
    ok(&world, &["enable", "--agent", "claude"]);
    assert_eq!(fs::read_to_string(&path).expect("a file"), edited);
    let said = ok(&world, &["disable"]);
    assert!(said.contains("taken out of"), "{said}");
    let left = fs::read_to_string(&path).expect("the user's own entries are in it");
    assert!(left.contains("\"model\": \"opus\", // new") && left.contains("say done"), "{left}");
    assert!(!left.contains("git-trace"), "{left}");
    assert_eq!(
        fs::read(world.repo().join(".git/info/exclude"))
            .expect("a list")
            .windows(9)
            .filter(|part| part == b"git-trace")
            .count(),
        0
    );

    // A file that somebody removed is not missed.
    ok(&world, &["enable", "--agent", "codex"]);
    fs::remove_dir_all(world.repo().join(".codex")).expect("a folder");
    ok(&world, &["disable"]);
    assert!(!world.repo().join(".git/trace/installed.json").exists());
    // Without the record our entries are found all the same.
    ok(&world, &["enable", "--agent", "gemini"]);
    fs::remove_file(world.repo().join(".git/trace/installed.json")).expect("a record");
    ok(&world, &["disable"]);
    assert!(
        !fs::read_to_string(world.repo().join(".gemini/settings.json"))
            .expect("nobody knows who made it")
            .contains("git-trace")
    );
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
fn a_list_of_ignored_files_that_is_a_link_stays_one() {
    let world = World::new("sha1");
    let list = world.root().join("ignored");
    fs::write(&list, "*.o\n").expect("a file");
    fs::remove_file(world.repo().join(".git/info/exclude")).expect("git made it");
    symlink(&list, world.repo().join(".git/info/exclude")).expect("a link");
    let output = trace_in(&world, &world.repo(), &["enable", "--agent", "claude"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is a link, and stays as it is"), "{output:?}");
    assert_eq!(fs::read_to_string(&list).expect("a file"), "*.o\n");
    ok(&world, &["disable"]);
    assert!(world.repo().join(".git/info/exclude").is_symlink());
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
        let lists =
            file["hooks"].as_object().expect("events").values().flat_map(|list| list.as_array().expect("a list"));
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
        text(
            "sh",
            "#!/bin/sh\necho \"$0\" >/dev/null\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n",
            0o755,
            true,
        ),
        text("no line feed at its end", "#!/bin/sh\necho \"ran $*\" >> \"$OUT\"; cat >> \"$OUT\"; exit 3", 0o755, true),
        text("only its first line", "#!/bin/sh", 0o755, false),
        text("errors end it", "#!/bin/sh -eu\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o700, true),
        text(
            "bash",
            "#!/usr/bin/env bash\nset -euo pipefail\nmapfile -t all\necho \"ran $*\" >> \"$OUT\"\nfor one in \"${all[@]}\"; do echo \"$one\" >> \"$OUT\"; done\nexit 3\n",
            0o755,
            true,
        ),
        text("zsh", "#!/usr/bin/env zsh\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o755, true),
        text(
            "python",
            "#!/usr/bin/env python3\nimport os, sys\nout = open(os.environ['OUT'], 'a')\nout.write(' '.join(['ran'] + sys.argv[1:]) + '\\n' + sys.stdin.read())\nout.close()\nsys.exit(3)\n",
            0o755,
            true,
        ),
        text(
            "a script for two",
            "#!/bin/sh\n'''exec' python3 \"$0\" \"$@\" # '''\nimport os, sys\nout = open(os.environ['OUT'], 'a')\nout.write(' '.join(['ran'] + sys.argv[1:]) + '\\n' + sys.stdin.read())\nout.close()\nsys.exit(3)\n",
            0o755,
            true,
        ),
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
        Before {
            what: "a link to nothing",
            make: Box::new(|path: &Path| symlink("nowhere", path).expect("a link")),
            active: false,
        },
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
                let is_heard = hook == "pre-push";
                assert!(output.stdout.is_empty() && (is_heard || output.stderr.is_empty()), "{what}: {output:?}");
                let ran = if before.active { format!("ran first one 2\n{input}") } else { String::new() };
                assert_eq!(out(&world), ran, "{what}");
                let calls =
                    if with_input && input.is_empty() { vec![] } else { vec![format!("hook git {hook} first one 2")] };
                assert_eq!(called(&world), calls, "{what}");
                let told = fs::read_to_string(format!("{}.{hook}.input", record(&world).display())).unwrap_or_default();
                let _ = fs::remove_file(format!("{}.{hook}.input", record(&world).display()));
                assert_eq!(told, if with_input { input } else { "" }, "{what}");
            }
            // Without our program.
            let mut process = world.command(path.to_str().expect("UTF-8"), &repo);
            process.arg("alone").env("PATH", "/usr/bin:/bin").env("OUT", world.root().join("out"));
            let output = feed(process, b"x y\n");
            assert_eq!(output.status.code(), Some(if before.active { 3 } else { 0 }), "{what}");
            assert!(output.stderr.is_empty(), "{what}");
            let told = out(&world);
            assert_eq!(told, if before.active { "ran alone\nx y\n" } else { "" }, "{what}");

            ok(&world, &["disable"]);
            assert_same(&old, &picture(&repo), &what);
            let _ = fs::remove_file(&path);
        }
    }
}

/// A hook manager: how its files get into a repository, in which `post-commit` writes `managed` and a refused commit
/// message stops a commit.
struct Manager {
    name: &'static str,
    set_up: fn(&World),
    /// Whether the folder of its hooks is shared with others.
    shared: bool,
}

fn script(world: &World, path: &str, text: &str) {
    write(&world.repo().join(path), text, 0o755);
}

/// The hooks that every manager has to run here.
const POST_COMMIT: &str = "echo \"managed $*\" >> \"$OUT\"";
const COMMIT_MSG: &str = "if grep -q refuse \"$1\"; then exit 7; fi";

/// The files are of the shape that the tools write (husky 4.3.8, 8.0.3, 9.1.7; lefthook 2.2.2; pre-commit 4): what they run
/// behind that is emulated. With `GITTRACE_HOOK_MANAGERS` the tools themselves are run: see `real_hook_managers`.
const MANAGERS: [Manager; 5] = [
    Manager {
        name: "husky 9",
        shared: false,
        set_up: |world| {
            script(world, ".husky/_/.gitignore", "*");
            script(
                world,
                ".husky/_/h",
                "#!/usr/bin/env sh\nn=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n\n[ ! -f \"$s\" ] && exit 0\n\
                 export PATH=\"node_modules/.bin:$PATH\"\nsh -e \"$s\" \"$@\"\nc=$?\n\n[ $c != 0 ] && echo \"husky - $n failed\"\nexit $c\n",
            );
            for hook in [
                "post-commit",
                "commit-msg",
                "prepare-commit-msg",
                "post-rewrite",
                "post-checkout",
                "post-merge",
                "pre-push",
            ] {
                script(world, &format!(".husky/_/{hook}"), "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"");
            }
            write(&world.repo().join(".husky/post-commit"), POST_COMMIT, 0o644);
            write(&world.repo().join(".husky/commit-msg"), COMMIT_MSG, 0o644);
            world.configure("core.hooksPath", ".husky/_");
        },
    },
    Manager {
        name: "husky 8",
        shared: true,
        set_up: |world| {
            write(&world.repo().join(".husky/_/.gitignore"), "*", 0o644);
            let runner = "#!/usr/bin/env sh\nif [ -z \"$husky_skip_init\" ]; then\n  readonly hook_name=\"$(basename -- \"$0\")\"\n  \
                          readonly husky_skip_init=1\n  export husky_skip_init\n  sh -e \"$0\" \"$@\"\n  exitCode=\"$?\"\n  exit $exitCode\nfi\n";
            write(&world.repo().join(".husky/_/husky.sh"), runner, 0o644);
            let head = "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n\n";
            script(world, ".husky/post-commit", &format!("{head}{POST_COMMIT}\n"));
            script(world, ".husky/commit-msg", &format!("{head}{COMMIT_MSG}\n"));
            world.configure("core.hooksPath", ".husky");
        },
    },
    Manager {
        name: "husky 4",
        shared: false,
        set_up: |world| {
            let runner = "gitParams=\"$*\"\nhookName=\"$(basename \"$0\")\"\ncase $hookName in\n  \"pre-push\"|\"post-rewrite\")\n    \
                          export HUSKY_GIT_STDIN=\"$(cat)\";;\nesac\nif [ -f \".huskyrc.$hookName\" ]; then\n  sh \".huskyrc.$hookName\" $gitParams\n  exit $?\nfi\n";
            write(&world.repo().join(".git/hooks/husky.sh"), runner, 0o644);
            for hook in [
                "post-commit",
                "commit-msg",
                "prepare-commit-msg",
                "post-rewrite",
                "post-checkout",
                "post-merge",
                "pre-push",
            ] {
                let text = "#!/bin/sh\n# husky\n\n# Created by Husky v4.3.8 (https://github.com/typicode/husky#readme)\n\n. \"$(dirname \"$0\")/husky.sh\"\n";
                script(world, &format!(".git/hooks/{hook}"), text);
            }
            write(&world.repo().join(".huskyrc.post-commit"), POST_COMMIT, 0o644);
            write(&world.repo().join(".huskyrc.commit-msg"), COMMIT_MSG, 0o644);
        },
    },
    Manager {
        name: "lefthook",
        shared: false,
        set_up: |world| {
            for (hook, what) in [("post-commit", POST_COMMIT), ("commit-msg", COMMIT_MSG)] {
                script(world, &format!("bin/lefthook-{hook}"), &format!("#!/bin/sh\n{what}\n"));
                let text = format!(
                    "#!/bin/sh\n\nif [ \"$LEFTHOOK\" = \"0\" ]; then\n  exit 0\nfi\n\ncall_lefthook()\n{{\n  if test -n \"$LEFTHOOK_BIN\"\n  then\n    \
                     \"$LEFTHOOK_BIN\" \"$@\"\n  else\n    dir=\"$(git rev-parse --show-toplevel)\"\n    shift 2\n    \"$dir/bin/lefthook-{hook}\" \"$@\"\n  fi\n}}\n\n\
                     call_lefthook run \"{hook}\" \"$@\"\n"
                );
                script(world, &format!(".git/hooks/{hook}"), &text);
            }
        },
    },
    Manager {
        name: "pre-commit",
        shared: false,
        set_up: |world| {
            for (hook, what) in [("post-commit", POST_COMMIT), ("commit-msg", COMMIT_MSG)] {
                script(world, &format!("bin/pre-commit-{hook}"), &format!("#!/bin/sh\nshift 4\n{what}\n"));
                let text = format!(
                    "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n# ID: 138fd403232d2ddd5efb44317e38bf03\n\n# start templated\n\
                     INSTALL_PYTHON=bin/pre-commit-{hook}\nARGS=(hook-impl --config=.pre-commit-config.yaml)\n# end templated\n\nHERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\n\
                     ARGS+=(--hook-dir \"$HERE\" \"$@\")\n\nif [ -x \"$INSTALL_PYTHON\" ]; then\n    exec \"$INSTALL_PYTHON\" \"${{ARGS[@]}}\"\nelse\n    exit 1\nfi\n"
                );
                script(world, &format!(".git/hooks/{hook}"), &text);
            }
        },
    },
];

/// Commits with hooks on: the manager's and ours run, each as it should.
fn commits_run_hooks(world: &World, name: &str, managed: &str, ours: bool) {
    let commit = |message: &str| git(world, &world.repo(), &["commit", "-q", "--allow-empty", "-m", message]);
    let _ = (called(world), out(world));
    let output = commit("good");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(out(world), managed, "{name}");
    let calls = called(world);
    let count = |hook: &str| calls.iter().filter(|call| call.starts_with(&format!("hook git {hook}"))).count();
    let once = usize::from(ours);
    assert_eq!((count("post-commit"), count("prepare-commit-msg")), (once, once), "{name}: {calls:?}");
    let output = commit("refuse this");
    assert!(!output.status.success(), "{name}: the manager's hook stops it");
    assert_eq!(out(world), "", "{name}");
    assert_eq!(called(world).iter().filter(|call| call.contains("post-commit")).count(), 0, "{name}");
}

#[test]
fn hook_managers_run_as_before() {
    for manager in MANAGERS {
        let world = World::new("sha1");
        (manager.set_up)(&world);
        let before = picture(&world.repo());
        commits_run_hooks(&world, manager.name, "managed \n", false);
        if manager.shared {
            let told = json(&world, &["enable", "--no-agent-hooks"]);
            assert_eq!(told["outcome"]["hooks_left"], "'.husky' is shared with others", "{}", manager.name);
            assert!(told["outcome"]["hooks_line"].as_str().expect("a line").contains("git-trace hook git post-commit"));
            assert_same(&before, &picture(&world.repo()), manager.name);
            ok(&world, &["enable", "--no-agent-hooks", "--shared"]);
        } else {
            ok(&world, &["enable", "--no-agent-hooks"]);
        }
        commits_run_hooks(&world, manager.name, "managed \n", true);

        // The manager writes its hooks anew, as it does when packages are installed: doctor sees it and mends it.
        let own = picture(&world.repo());
        (manager.set_up)(&world);
        let hint = refused(&world, 1, &["doctor"]);
        assert!(hint.contains("git trace doctor --fix"), "{}: {hint}", manager.name);
        let said = ok_or_mended(&world, &["doctor", "--fix"]);
        assert!(said.contains("mended: hook"), "{}: {said}", manager.name);
        assert_same(&own, &picture(&world.repo()), manager.name);

        let shared: &[&str] = if manager.shared { &["disable", "--shared"] } else { &["disable"] };
        ok(&world, shared);
        assert_same(&before, &picture(&world.repo()), manager.name);
        commits_run_hooks(&world, manager.name, "managed \n", false);
    }
}

/// Runs the program, which may find other things that need mending, and returns its answer.
fn ok_or_mended(world: &World, arguments: &[&str]) -> String {
    String::from_utf8(trace_in(world, &world.repo(), arguments).stdout).expect("text")
}

/// The tools themselves, from a folder with `npm/node_modules/{husky,lefthook-linux-x64}`, `h8/node_modules/husky` and
/// `venv/bin/pre-commit`.
#[test]
fn real_hook_managers() {
    let Some(tools) = std::env::var_os("GITTRACE_HOOK_MANAGERS").map(PathBuf::from) else {
        eprintln!("skipped: GITTRACE_HOOK_MANAGERS names no folder with husky, lefthook and pre-commit");
        return;
    };
    let run = |world: &World, program: &Path, arguments: &[&str]| {
        let mut command = world.command(program.to_str().expect("UTF-8"), &world.repo());
        let output = command.args(arguments).output().expect("it starts");
        assert!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
    };
    let node = Path::new("node");
    let at = |path: &str| tools.join(path).display().to_string();
    let lefthook = tools.join("npm/node_modules/lefthook-linux-x64/bin/lefthook");
    type SetUp<'a> = Box<dyn Fn(&World) + 'a>;
    let managers: Vec<(&str, &[&str], SetUp<'_>)> = vec![
        (
            "husky 9",
            &[],
            Box::new(|world| {
                run(world, node, &[&at("npm/node_modules/husky/bin.js")]);
                write(&world.repo().join(".husky/post-commit"), POST_COMMIT, 0o644);
                write(&world.repo().join(".husky/commit-msg"), COMMIT_MSG, 0o644);
            }),
        ),
        (
            "husky 8",
            &["--shared"],
            Box::new(|world| {
                write(&world.repo().join("package.json"), "{}", 0o644);
                run(world, node, &[&at("h8/node_modules/husky/lib/bin.js"), "install"]);
                for (hook, what) in [("post-commit", POST_COMMIT), ("commit-msg", COMMIT_MSG)] {
                    run(
                        world,
                        node,
                        &[&at("h8/node_modules/husky/lib/bin.js"), "set", &format!(".husky/{hook}"), what],
                    );
                }
            }),
        ),
        (
            "lefthook",
            &[],
            Box::new(|world| {
                let text = "post-commit:\n  commands:\n    a:\n      run: echo 'managed ' >> \"$OUT\"\ncommit-msg:\n  commands:\n    b:\n      run: if grep -q refuse {1}; then exit 7; fi\n";
                write(&world.repo().join("lefthook.yml"), text, 0o644);
                run(world, &lefthook, &["install"]);
            }),
        ),
        (
            "pre-commit",
            &[],
            Box::new(|world| {
                let hook = |id: &str, stage: &str, entry: &str| {
                    format!(
                        "  - id: {id}\n    name: {id}\n    entry: bash -c '{entry}' --\n    language: system\n    stages: [{stage}]\n    always_run: true\n"
                    )
                };
                let text = format!(
                    "repos:\n- repo: local\n  hooks:\n{}{}",
                    hook("a", "post-commit", "echo \"managed \" >> \"$OUT\""),
                    hook("b", "commit-msg", "if grep -q refuse \"$1\"; then exit 7; fi")
                );
                write(&world.repo().join(".pre-commit-config.yaml"), &text, 0o644);
                run(world, &tools.join("venv/bin/pre-commit"), &["install", "-t", "post-commit", "-t", "commit-msg"]);
            }),
        ),
    ];
    for (name, options, set_up) in managers {
        let world = World::new("sha1");
        set_up(&world);
        let before = picture(&world.repo());
        ok(&world, &[&["enable", "--no-agent-hooks"], options].concat());
        commits_run_hooks(&world, name, "managed \n", true);
        // The tool is installed over it, and comes first on a machine where it was not there.
        set_up(&world);
        ok_or_mended(&world, &["doctor", "--fix"]);
        commits_run_hooks(&world, name, "managed \n", true);
        ok(&world, &[&["disable"], options].concat());
        assert_same(&before, &picture(&world.repo()), name);

        let world = World::new("sha1");
        ok(&world, &["enable", "--no-agent-hooks"]);
        set_up(&world);
        let again = [&["enable", "--no-agent-hooks"], options].concat();
        ok(&world, &again);
        commits_run_hooks(&world, name, "managed \n", true);
        ok(&world, &[&["disable"], options].concat());
        commits_run_hooks(&world, name, "managed \n", false);
        let left = picture(&world.repo());
        assert!(!left.values().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("git-trace hook")), "{name}");
    }
}

#[test]
fn a_hook_that_would_do_nothing_is_not_installed() {
    let world = World::new("sha1");
    world.ok(&["enable", "--agent", "claude"]);
    assert!(world.repo().join(".git/hooks/post-commit").exists());
    assert!(!world.repo().join(".git/hooks/prepare-commit-msg").exists(), "no trailer was asked for");
    world.configure("trace.trailer", "true");
    world.ok(&["enable", "--agent", "claude"]);
    assert!(world.repo().join(".git/hooks/prepare-commit-msg").exists());
    world.ok(&["disable"]);
    assert!(!world.repo().join(".git/hooks/prepare-commit-msg").exists());
}

#[test]
fn every_hook_is_called_by_git_itself() {
    let world = World::new("sha1");
    let repo = world.repo();
    ok(&world, &["enable", "--no-agent-hooks"]);
    let run = |arguments: &[&str]| git_ok(&world, &repo, arguments);
    let names = |world: &World| -> Vec<String> {
        called(world).iter().map(|call| call.trim_start_matches("hook git ").to_owned()).collect()
    };
    run(&["commit", "-q", "--allow-empty", "-m", "one"]);
    assert_eq!(names(&world), ["prepare-commit-msg .git/COMMIT_EDITMSG message", "post-commit"]);
    run(&["commit", "-q", "--allow-empty", "--amend", "-m", "two"]);
    assert_eq!(names(&world), ["prepare-commit-msg .git/COMMIT_EDITMSG message", "post-commit", "post-rewrite amend"]);
    let told = fs::read_to_string(format!("{}.post-rewrite.input", record(&world).display())).expect("what git says");
    assert_eq!(told.split_whitespace().count(), 2, "old and new: {told}");
    run(&["checkout", "-q", "-b", "side"]);
    assert!(names(&world)[0].starts_with("post-checkout "));
    run(&["commit", "-q", "--allow-empty", "-m", "three"]);
    run(&["checkout", "-q", "main"]);
    let _ = names(&world);
    run(&["merge", "-q", "side"]);
    assert_eq!(names(&world), ["post-merge 0"]);
    world.git(&["init", "-q", "--bare", "remote.git"], world.root());
    run(&["push", "-q", "../remote.git", "main"]);
    assert_eq!(names(&world), ["pre-push ../remote.git ../remote.git"]);
    let told = fs::read_to_string(format!("{}.pre-push.input", record(&world).display())).expect("what git says");
    assert!(told.starts_with("refs/heads/main ") && told.ends_with('\n'), "{told}");
    // A subfolder, and a linked worktree.
    fs::create_dir(repo.join("below")).expect("a folder");
    git_ok(&world, &repo.join("below"), &["commit", "-q", "--allow-empty", "-m", "four"]);
    assert_eq!(names(&world).len(), 2);
    run(&["worktree", "add", "-q", "../linked", "side"]);
    let _ = names(&world);
    git_ok(&world, &world.root().join("linked"), &["commit", "-q", "--allow-empty", "-m", "five"]);
    assert_eq!(names(&world).len(), 2);
    // And without the program nothing is said, and nothing fails.
    let mut bare = world.command("git", &repo);
    let output =
        bare.args(["commit", "--allow-empty", "-q", "-m", "six"]).env("PATH", "/usr/bin:/bin").output().expect("git");
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn a_folder_of_hooks_elsewhere_is_respected() {
    let left = |world: &World| json(world, &["enable", "--no-agent-hooks"])["outcome"]["hooks_left"].clone();
    let world = World::new("sha1");
    let before = picture(&world.repo());
    for (file, said) in [
        ("/dev/null", "'/dev/null' is not a folder"),
        ("nowhere", "core.hooksPath is 'nowhere', where there is no folder"),
        ("../outside", "is outside of this repository"),
    ] {
        fs::create_dir_all(world.root().join("outside")).expect("a folder");
        world.configure("core.hooksPath", file);
        let reason = left(&world);
        assert!(reason.as_str().expect("a reason").contains(said), "{reason}");
        world.git(&["config", "--unset", "core.hooksPath"], &world.repo());
        assert_same(&before, &picture(&world.repo()), file);
    }
    // For all repositories: never touched.
    let own = world.home().join("hooks");
    write(&own.join("post-commit"), "#!/bin/sh\necho mine >> \"$OUT\"\n", 0o755);
    world.git(&["config", "--global", "core.hooksPath", own.to_str().expect("UTF-8")], &world.repo());
    let hooks = picture(&own);
    assert!(left(&world).as_str().expect("a reason").contains("for all repositories"));
    assert_same(&hooks, &picture(&own), "the user's own hooks");
    assert_same(&before, &picture(&world.repo()), "global");
    ok(&world, &["enable", "--agent", "claude"]);
    let doctor = json(&world, &["doctor"]);
    assert!(doctor["outcome"]["findings"].to_string().contains("agents' hooks and 'why' do without them"), "{doctor}");
    ok(&world, &["disable"]);
    assert_same(&before, &picture(&world.repo()), "global");
    world.git(&["config", "--global", "--unset", "core.hooksPath"], &world.repo());

    // A folder of the work tree: shared, unless git ignores it.
    write(&world.repo().join(".githooks/post-commit"), "#!/bin/sh\necho mine >> \"$OUT\"\nexit 1\n", 0o755);
    world.git(&["add", ".githooks"], &world.repo());
    world.configure("core.hooksPath", ".githooks");
    let before = picture(&world.repo());
    assert_eq!(left(&world), "'.githooks' is shared with others");
    let said =
        String::from_utf8(trace_in(&world, &world.repo(), &["enable", "--no-agent-hooks"]).stderr).expect("text");
    assert!(said.contains("or add to '.githooks/post-commit'"), "{said}");
    assert_same(&before, &picture(&world.repo()), "shared");
    ok(&world, &["enable", "--no-agent-hooks", "--shared"]);
    git_ok(&world, &world.repo(), &["commit", "-q", "--allow-empty", "-m", "x"]);
    assert_eq!((out(&world).as_str(), called(&world).len()), ("mine\n", 2));
    let output = trace_in(&world, &world.repo(), &["disable"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("is shared with others"), "{output:?}");
    ok(&world, &["disable", "--shared"]);
    assert_same(&before, &picture(&world.repo()), "shared");
    // git's own folder may be a link to such a folder.
    world.git(&["config", "--unset", "core.hooksPath"], &world.repo());
    fs::remove_dir_all(world.repo().join(".git/hooks")).expect("a folder");
    symlink("../.githooks", world.repo().join(".git/hooks")).expect("a link");
    assert_eq!(left(&world), "'.githooks' is shared with others");
    fs::remove_file(world.repo().join(".git/hooks")).expect("a link");
    // No folder at all: one is made, and goes again.
    let before = picture(&world.repo());
    ok(&world, &["enable", "--no-agent-hooks"]);
    git_ok(&world, &world.repo(), &["commit", "-q", "--allow-empty", "-m", "y"]);
    assert_eq!(called(&world).len(), 2);
    // git looks elsewhere from now on.
    world.configure("core.hooksPath", ".git/other");
    fs::create_dir(world.repo().join(".git/other")).expect("a folder");
    assert!(refused(&world, 1, &["doctor"]).contains("--fix"));
    ok_or_mended(&world, &["doctor", "--fix"]);
    git_ok(&world, &world.repo(), &["commit", "-q", "--allow-empty", "-m", "z"]);
    assert_eq!(called(&world).len(), 2);
    ok(&world, &["disable"]);
    fs::remove_dir(world.repo().join(".git/other")).expect("it is empty");
    world.git(&["config", "--unset", "core.hooksPath"], &world.repo());
    assert_same(&before, &picture(&world.repo()), "made");
}

#[test]
fn every_kind_of_repository_is_served_or_refused_by_name() {
    let world = World::new("sha1");
    let repo = world.repo();
    world.git(&["commit", "-q", "--allow-empty", "-m", "one"], &repo);
    world.git(&["clone", "-q", "--bare", "repo", "bare.git"], world.root());
    let bare = world.root().join("bare.git");
    let before = picture(&bare);
    for verb in ["enable", "disable"] {
        let output = trace_in(&world, &bare, &[verb]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("this repository is bare") && said.contains("git worktree add"), "{said}");
    }
    assert!(String::from_utf8_lossy(&trace_in(&world, &bare, &["doctor"]).stdout).contains("this repository is bare"));
    assert_same(&before, &picture(&bare), "bare");
    assert_eq!(trace_in(&world, world.root(), &["enable"]).status.code(), Some(128));

    // Linked worktrees have settings of their own, and share git's hooks.
    let before = picture(&repo);
    world.git(&["worktree", "add", "-q", "../linked", "-b", "side"], &repo);
    let linked = world.root().join("linked");
    ok(&world, &["enable", "--agent", "claude"]);
    ok_in(&world, &linked, &["enable", "--agent", "claude"]);
    for dir in [&repo, &linked] {
        assert!(dir.join(".claude/settings.local.json").exists());
        assert_eq!(world.git(&["status", "--porcelain"], dir), "");
    }
    let said = ok(&world, &["disable"]);
    assert!(said.contains("the worktree at") && said.contains("uses them"), "{said}");
    assert!(!repo.join(".claude").exists() && repo.join(".git/hooks/post-commit").exists());
    assert_eq!(world.git(&["status", "--porcelain"], &linked), "", "its file is still hidden");
    ok_in(&world, &linked, &["disable"]);
    assert!(!linked.join(".claude").exists());
    world.git(&["worktree", "remove", "../linked"], &repo);
    world.git(&["branch", "-q", "-D", "side"], &repo);
    let _ = fs::remove_dir(repo.join(".git/worktrees"));
    assert_same(&before, &picture(&repo), "linked");
    // A worktree that is gone is no reason to keep anything.
    world.git(&["worktree", "add", "-q", "../gone"], &repo);
    ok_in(&world, &world.root().join("gone"), &["enable", "--agent", "claude"]);
    fs::remove_dir_all(world.root().join("gone")).expect("a folder");
    let output = trace_in(&world, &repo, &["doctor", "--fix"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("is gone, and its hooks are remembered"), "{output:?}");
    ok(&world, &["disable"]);
    world.git(&["worktree", "prune"], &repo);

    // A submodule's hooks are in its own git directory.
    world.git(&["init", "-q", "outer"], world.root());
    let outer = world.root().join("outer");
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../repo", "inner"], &outer);
    world.git(&["commit", "-q", "-m", "add"], &outer);
    let before = picture(&outer);
    ok_in(&world, &outer.join("inner"), &["enable", "--agent", "claude"]);
    assert!(outer.join(".git/modules/inner/hooks/post-commit").exists());
    assert!(!outer.join(".git/hooks/post-commit").exists());
    assert_eq!(world.git(&["status", "--porcelain"], &outer), "");
    let _ = called(&world);
    git_ok(&world, &outer.join("inner"), &["commit", "-q", "--allow-empty", "-m", "x"]);
    assert_eq!(called(&world).len(), 2);
    ok_in(&world, &outer.join("inner"), &["disable"]);
    let inner = |picture: &Picture| -> Picture {
        let kept = |path: &Path| {
            !path.starts_with(".git/modules/inner")
                || path.starts_with(".git/modules/inner/hooks")
                || path.starts_with(".git/modules/inner/info")
        };
        picture.iter().filter(|(path, _)| kept(path)).map(|(path, data)| (path.clone(), data.clone())).collect()
    };
    assert_same(&inner(&before), &inner(&picture(&outer)), "submodule");

    // GIT_DIR and its work tree, from elsewhere; and while a push is received nothing is written.
    let environment = |variables: &[(&str, &Path)], verb: &str| {
        let program = env!("CARGO_BIN_EXE_git-trace");
        let mut command = world.command(program, world.root());
        command.args([verb, "--agent", "claude"]).envs(variables.iter().copied());
        command.output().expect("it starts")
    };
    let git_dir = repo.join(".git");
    let before = picture(&repo);
    assert!(environment(&[("GIT_DIR", &git_dir), ("GIT_WORK_TREE", &repo)], "enable").status.success());
    assert!(repo.join(".claude/settings.local.json").exists() && repo.join(".git/hooks/pre-push").exists());
    ok(&world, &["disable"]);
    let quarantine =
        environment(&[("GIT_DIR", &git_dir), ("GIT_WORK_TREE", &repo), ("GIT_QUARANTINE_PATH", &git_dir)], "enable");
    assert_eq!(quarantine.status.code(), Some(1));
    assert_same(&before, &picture(&repo), "GIT_DIR");
}

#[test]
fn doctor_finds_what_is_wrong_and_names_what_mends_it() {
    let world = World::new("sha1");
    let repo = world.repo();
    let findings = |world: &World| -> Vec<(String, String, String)> {
        let told = json(world, &["doctor"]);
        let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let found = told["outcome"]["findings"].as_array().expect("a list").iter();
        found.map(|one| (text(one, "severity"), text(one, "message"), text(one, "command"))).collect()
    };
    let found = findings(&world);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].2.as_str()), ("note", "git trace enable"));
    ok(&world, &["enable", "--agent", "claude"]);
    let said = ok(&world, &["doctor"]);
    assert!(said.ends_with("nothing needs mending\n"), "{said}");
    assert!(said.contains("agents   claude\n") && said.contains("post-commit, post-rewrite"), "{said}");

    // One thing after the other, each by itself.
    let trace_dir = repo.join(".git/trace");
    let expect = |what: &str, command: &str| {
        let output = trace_in(&world, &repo, &["doctor"]);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", String::from_utf8_lossy(&output.stdout));
        let found = findings(&world);
        assert!(found.iter().any(|one| one.1.contains(what) && one.2.contains(command)), "{what}: {found:?}");
    };
    let clean = |what: &str| {
        let output = trace_in(&world, &repo, &["doctor"]);
        assert_eq!(output.status.code(), Some(0), "{what}: {}", String::from_utf8_lossy(&output.stdout));
    };
    world.configure("alias.trace", "log");
    expect("the alias 'trace' is ignored", "git config --unset alias.trace");
    world.git(&["config", "--unset", "alias.trace"], &repo);
    world.git(&["config", "--global", "alias.trace", "log"], &repo);
    expect("the alias 'trace' is ignored", "git config --global --unset alias.trace");
    world.git(&["config", "--global", "--unset", "alias.trace"], &repo);

    fs::write(trace_dir.join("paused"), "").expect("a file");
    expect("capture is paused", "git trace unpause");
    fs::remove_file(trace_dir.join("paused")).expect("a file");

    let settings = repo.join(".claude/settings.local.json");
    let whole = fs::read(&settings).expect("a file");
    fs::write(&settings, "{}").expect("a file");
    expect("has lost entries", "git trace enable --agent claude");
    assert!(ok(&world, &["doctor", "--fix"]).contains("mended: '.claude/settings.local.json' has lost"));
    fs::remove_file(&settings).expect("a file");
    expect("is gone", "git trace enable --agent claude");
    ok(&world, &["doctor", "--fix"]);
    assert_eq!(fs::read(&settings).expect("a file"), whole);
    let off = String::from_utf8(whole.clone()).expect("text").replacen('{', "{ \"disableAllHooks\": true,", 1);
    fs::write(&settings, off).expect("a file");
    expect("switches all hooks of claude off", "take 'disableAllHooks' out of it");
    fs::write(&settings, "{").expect("a file");
    expect("it is not JSON", "mend it, then: git trace enable --agent claude");
    fs::write(&settings, &whole).expect("a file");

    let hook = repo.join(".git/hooks/post-commit");
    fs::remove_file(&hook).expect("a file");
    expect("hook post-commit has lost the lines", "git trace enable --no-agent-hooks");
    ok(&world, &["doctor", "--fix"]);
    fs::set_permissions(&hook, Permissions::from_mode(0o644)).expect("a mode");
    expect("hook post-commit has lost the lines", "git trace enable --no-agent-hooks");
    fs::set_permissions(&hook, Permissions::from_mode(0o755)).expect("a mode");
    clean("hooks");

    let lock = repo.join(".git/refs/trace/heads/main/main.lock");
    write(&lock, "", 0o644);
    clean("a lock that somebody may be holding");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(600);
    fs::File::options().write(true).open(&lock).and_then(|file| file.set_modified(old)).expect("a time");
    expect("a lock was left behind", "git trace doctor --fix");
    ok(&world, &["doctor", "--fix"]);
    assert!(!lock.exists());

    write(&trace_dir.join("watermarks/claude-1.json"), "{oops", 0o644);
    expect("claude-1.json' cannot be read", "git trace doctor --fix");
    ok(&world, &["doctor", "--fix"]);
    assert!(!trace_dir.join("watermarks/claude-1.json").exists());

    // Sessions: one that is sound, one whose transcript is ahead of its branch, one whose transcript is gone.
    let transcript = world.root().join("a b.jsonl");
    fs::write(&transcript, "0123456789").expect("a file");
    let session = |name: &str, state: &str, transcript: &Path| {
        let record = serde_json::json!({
            "version": 1, "agent": "claude", "session": name, "branch": format!("claude-{name}/main"), "state": state,
            "transcript": transcript, "last_event": { "name": "Stop", "at": "2026-11-21T10:00:00Z" }, "new": [1],
        });
        write(&trace_dir.join(format!("sessions/claude-{name}.json")), &record.to_string(), 0o644);
        let watermark = serde_json::json!({ "version": 1, "watermark": "{\"version\":1,\"bytes\":4}", "branches": {} });
        write(&trace_dir.join(format!("watermarks/claude-{name}.json")), &watermark.to_string(), 0o644);
    };
    session("one", "active", &transcript);
    clean("a session that goes on");
    let told = json(&world, &["doctor"]);
    assert_eq!(told["outcome"]["sessions"][0]["behind"], 6, "{told}");
    assert!(
        ok(&world, &["doctor"]).contains("session  claude one on claude-one/main: Stop 2026-11-21T10:00:00Z (active)")
    );
    session("one", "ended", &transcript);
    expect("6 bytes of claude one are on no branch", "git trace import claude '");
    session("one", "active", Path::new("/nowhere/x.jsonl"));
    clean("a transcript that is gone is a note");
    assert!(findings(&world)[0].1.contains("the transcript of claude one is gone"));
    fs::remove_dir_all(trace_dir.join("sessions")).expect("a folder");
    fs::remove_dir_all(trace_dir.join("watermarks")).expect("a folder");

    // Others' refs, loose objects, what a hook wrote down: good to know.
    world.git(&["commit", "-q", "--allow-empty", "-m", "x"], &repo);
    world.git(&["update-ref", "refs/trace/checkpoints/v1", "HEAD"], &repo);
    fs::write(trace_dir.join("hook.log"), "earlier\n2026 hook Stop: cannot read\n").expect("a file");
    world.configure("gc.auto", "100");
    for at in 0..2 {
        write(&repo.join(format!(".git/objects/17/{at:038}")), "", 0o444);
    }
    let found = findings(&world);
    for (what, command) in [
        ("1 refs of another tool are among ours: refs/trace/checkpoints/v1", "git config trace.refPrefix"),
        ("about 512 loose objects", "git trace pack && git gc"),
        ("a hook wrote down: 2026 hook Stop: cannot read", "tail "),
    ] {
        assert!(
            found.iter().any(|one| one.0 == "note" && one.1.contains(what) && one.2.contains(command)),
            "{found:?}"
        );
    }
    clean("notes");

    // Without our program on the search path no hook does anything; a context of a newer format cannot be read.
    let mut command = world.trace(&["doctor"]);
    let output = command.env("PATH", "/usr/bin:/bin").output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("error: 'git-trace' is not on the search path"), "{said}");
    let other = world.root().join("other");
    write(&other.join("git-trace"), "#!/bin/sh\necho git-trace 99.0.0\n", 0o755);
    let output =
        world.trace(&["doctor"]).env("PATH", format!("{}:/usr/bin:/bin", other.display())).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("hooks run git-trace 99.0.0"), "{said}");
    let mut without_git = world.trace(&["doctor"]);
    let output = without_git.env("PATH", "/nowhere").output().expect("it starts");
    assert!(String::from_utf8_lossy(&output.stdout).contains("put git on the search path"), "{output:?}");
}

#[test]
fn the_plugin_for_opencode_tells_what_matters_once() {
    let world = World::new("sha1");
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no node");
        return;
    }
    ok(&world, &["enable", "--agent", "opencode", "--no-git-hooks"]);
    let plugin = world.root().join("plugin.mjs");
    fs::copy(world.repo().join(".opencode/plugin/git-trace.js"), plugin).expect("the plugin");
    let script = "import { GitTrace } from './plugin.mjs'
const plugin = await GitTrace({ directory: process.cwd() })
const told = (type, properties) => plugin.event({ event: { type, properties } })
await told('session.created', { info: { id: 's1' } })
await told('message.updated', { info: { id: 'm1', role: 'user', sessionID: 's1' } })
await told('message.updated', { info: { id: 'm1', role: 'user', sessionID: 's1' } })
await told('message.updated', { info: { id: 'm2', role: 'assistant', sessionID: 's1' } })
await plugin['tool.execute.after']({ tool: 'edit', sessionID: 's1', callID: 'c1' }, {})
await told('session.status', { sessionID: 's1', status: { type: 'busy' } })
await told('session.status', { sessionID: 's1', status: { type: 'idle' } })
await told('file.edited', { file: 'x' })
await told('session.compacted', { sessionID: 's1' })
await told('server.instance.disposed', {})
await plugin.event({})
await plugin['tool.execute.after']()
";
    fs::write(world.root().join("run.mjs"), script).expect("a script");
    let node = Command::new("sh").args(["-c", "command -v node"]).output().expect("a shell").stdout;
    let node = String::from_utf8(node).expect("text").trim().to_owned();
    for (path, calls) in [(recorder(&world), 6), ("/usr/bin:/bin".to_owned(), 0)] {
        let mut command = world.command(&node, world.root());
        let output = command.arg("run.mjs").env("PATH", path).env("RECORD", record(&world)).output().expect("node");
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        let told = called(&world);
        assert_eq!(told.len(), calls, "{told:?}");
        for (call, event) in
            told.iter().zip(["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "PostCompact", "SessionEnd"])
        {
            assert_eq!(call, &format!("hook opencode {event}"));
            let payload = parsed(Path::new(&format!("{}.{event}.input", record(&world).display())));
            assert_eq!(
                (payload["session_id"].as_str(), payload["hook_event_name"].as_str()),
                (Some("s1"), Some(event))
            );
        }
    }
}

/// The folder of the plugin for Claude Code.
fn plugin() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/claude-plugin")
}

fn parsed(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_plugin_for_claude_code_says_what_enable_installs() {
    let world = World::new("sha1");
    let manifest = parsed(&plugin().join(".claude-plugin/plugin.json"));
    assert_eq!(
        (manifest["name"].as_str(), manifest["version"].as_str()),
        (Some("git-trace"), Some(env!("CARGO_PKG_VERSION")))
    );
    let market = parsed(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".claude-plugin/marketplace.json"));
    let listed = &market["plugins"][0];
    assert_eq!(
        (listed["name"].as_str(), listed["source"].as_str()),
        (Some("git-trace"), Some("./templates/claude-plugin"))
    );
    assert_eq!(listed["version"], manifest["version"]);
    assert!(market["owner"]["name"].is_string());
    ok(&world, &["enable", "--agent", "claude", "--no-git-hooks"]);
    let installed = parsed(&world.repo().join(".claude/settings.local.json"));
    assert_eq!(parsed(&plugin().join("hooks/hooks.json"))["hooks"], installed["hooks"]);
}

#[test]
fn the_skill_names_commands_that_there_are() {
    let world = World::new("sha1");
    let skill = fs::read_to_string(plugin().join("skills/git-trace/SKILL.md")).expect("the skill");
    let head = skill.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).expect("a head").0;
    assert!(head.contains("name: git-trace\n") && head.contains("description: "), "{head}");
    assert!(head.len() < 1024 && skill.lines().count() < 120, "it is short");
    // Commands that other branches of work bring; the list is to be empty.
    let mut seen = 0;
    let calls =
        skill.split("git trace ").skip(1).map(|rest| rest.split(['`', '\n', '#', '|']).next().unwrap_or_default());
    for call in calls {
        let mut words = call.split_whitespace();
        let verb = words.next().expect("a verb");
        let known = crate::rooms::verbs().iter().any(|one| one == verb);
        assert!(known, "git trace {call}");
        if !known {
            continue;
        }
        let help = world.ok(&[verb, "-h"]);
        for option in words.filter(|word| word.starts_with('-') && word.len() > 1) {
            let option = option.split('=').next().unwrap_or(option);
            let there = help.split([' ', ',', '[', '=', '\n']).any(|word| word == option);
            assert!(there, "git trace {call}: {option} is not in\n{help}");
        }
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}
