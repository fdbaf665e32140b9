//! Bad input gets a clear error, and nothing is lost.

use std::path::Path;

use crate::world::{World, feed};

const BRANCH: &str = "refs/trace/heads/main/main";

/// A repository with three messages, and the id of the second.
fn talked() -> (World, String) {
    let world = World::new("sha1");
    world.ok(&["init"]);
    for text in ["one", "two", "three"] {
        world.ok_with(&["commit"], text.as_bytes());
    }
    let line = world.ok(&["show", "#1"]);
    let id = line.split_whitespace().nth(1).expect("an id").to_owned();
    (world, id)
}

/// Runs with this input; it must be refused with this code. Returns what it complained.
fn refuses(world: &World, code: i32, arguments: &[&str], input: &[u8]) -> String {
    let output = feed(world.trace(arguments), input);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {complaint}");
    complaint
}

#[test]
fn outside_of_a_repository() {
    let world = World::new("sha1");
    let outside = world.root().join("outside");
    std::fs::create_dir_all(&outside).expect("a folder");
    for verb in ["init", "status", "log", "context", "commit", "tag"] {
        let output = world.command(env!("CARGO_BIN_EXE_git-trace"), &outside).arg(verb).output().expect("it starts");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(128), "{verb}: {complaint}");
        assert!(complaint.starts_with("fatal: not a git repository"), "{verb}: {complaint}");
        assert!(complaint.contains("hint: make one with 'git init'"), "{complaint}");
    }
    assert!(world.fails(128, &["-C", "/nowhere/at/all", "status"]).contains("/nowhere/at/all"));
}

#[test]
fn before_the_first_commit() {
    let world = World::new("sha1");
    for arguments in [vec!["log"], vec!["show"], vec!["context"], vec!["diff"], vec!["reset", "HEAD"], vec!["tag", "x"]]
    {
        let complaint = world.fails(1, &arguments);
        assert!(complaint.contains("branch 'main/main' has no commits yet"), "{arguments:?}: {complaint}");
        assert!(complaint.contains("hint: store something first: git trace commit"), "{complaint}");
    }
    assert!(world.ok(&["status"]).contains("No commits yet"));
    // The first message needs no init.
    world.ok_with(&["commit"], b"hello");
}

#[test]
fn what_is_no_message() {
    let (world, _) = talked();
    let tip = world.git(&["rev-parse", BRANCH], &world.repo());
    for (arguments, input, words) in [
        (vec!["commit"], "", "the message is empty"),
        (vec!["commit"], " \n\t\n", "the message is empty"),
        (vec!["commit", "--messages"], "[]", "the message is empty"),
        (vec!["commit", "--messages"], "{\"role\":", "malformed message"),
        (
            vec!["commit", "--messages"],
            "[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"user\"}]",
            "malformed message 2: no content",
        ),
        (vec!["commit", "--messages"], "{\"role\":\"wizard\",\"content\":\"x\"}", "unknown role 'wizard'"),
        (vec!["commit", "-F", "no-such-file"], "", "cannot read 'no-such-file'"),
        (vec!["commit", "-F", "."], "", "cannot read '.'"),
    ] {
        let complaint = refuses(&world, 1, &arguments, input.as_bytes());
        assert!(complaint.starts_with("error: ") && complaint.contains(words), "{arguments:?} {input:?}: {complaint}");
    }
    // As deep as it likes: it is said, not crashed.
    let deep = "[".repeat(200_000);
    assert!(refuses(&world, 1, &["commit", "--messages"], deep.as_bytes()).contains("malformed message"));
    let deep = format!("{{\"role\":\"user\",\"content\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let output = feed(world.trace(&["commit", "--messages"]), deep.as_bytes());
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    world.ok(&["reset", "--hard", tip.trim()]);
    assert_eq!(world.git(&["rev-parse", BRANCH], &world.repo()), tip);
}

#[test]
fn names_that_name_nothing_have_near_ones() {
    let (world, id) = talked();
    world.ok(&["checkout", "-b", "metrics"]);
    let complaint = world.fails(1, &["log", "metrisc"]);
    assert!(complaint.contains("unknown revision 'metrisc'"), "{complaint}");
    assert!(complaint.contains("hint: did you mean 'metrics'"), "{complaint}");
    for name in
        ["HEAD~99", "HEAD@{99}", "main@{nonsense}", "0000000", "-x", "a b", "a:b:c", "refs/trace/heads/x/y", "^", "@{"]
    {
        let output = world.trace(&["reset", "--", name]).output().expect("it starts");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {complaint}");
        assert!(complaint.contains("unknown") && complaint.contains(name), "{name}: {complaint}");
    }

    let mut wrong = id.clone().into_bytes();
    wrong.swap(7, 8);
    let wrong = String::from_utf8(wrong).expect("ASCII");
    if wrong != id {
        for verb in ["pin", "drop", "show"] {
            let complaint = world.fails(1, &[verb, &wrong]);
            assert!(complaint.contains(&format!("unknown entry '{wrong}'")), "{verb}: {complaint}");
            assert!(complaint.contains(&format!("did you mean '{id}' (user: two)?")), "{verb}: {complaint}");
        }
    }
    for name in ["#99", "@99", "@0", "zz", "", "#", "@", "#-1", "99999999999999999999"] {
        let complaint = world.fails(1, &["pin", name]);
        assert!(complaint.contains(&format!("unknown entry '{name}'")), "{name}: {complaint}");
    }
    assert_eq!(world.ok(&["show", "--raw", &id[..6]]), "two", "the beginning of an id will do");
}

#[test]
fn a_name_for_two_entries_is_refused() {
    let world = World::new("sha1");
    world.ok(&["init"]);
    // Ids are derived from the seed: with this many, three characters are no longer enough for all.
    let messages: Vec<String> = (0..1500).map(|nth| format!("{{\"role\":\"user\",\"content\":\"{nth}\"}}")).collect();
    world.ok_with(&["commit", "--messages"], format!("[{}]", messages.join(",")).as_bytes());
    let context = world.ok(&["context", "--as", "jsonl"]);
    let mut heads: Vec<String> = context
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<serde_json::Value>(line).ok()?["id"].as_str().map(|id| id[..3].to_owned())
        })
        .collect();
    heads.sort();
    let twice = heads.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).expect("1,500 of 32,768");
    let complaint = world.fails(1, &["pin", &twice]);
    assert!(complaint.contains(&format!("entry '{twice}' is ambiguous")), "{complaint}");
    assert!(complaint.contains(&format!("hint: it could be {twice}")), "{complaint}");
}

#[test]
fn configuration_that_cannot_be_used_is_named() {
    for (key, value) in [
        ("trace.budget", "many"),
        ("trace.budget", "-5"),
        ("trace.refPrefix", "refs/heads"),
        ("trace.refPrefix", "nonsense"),
        ("trace.refPrefix", "refs/a..b"),
        ("trace.redact", "perhaps"),
        ("trace.fsync", "sometimes"),
        ("trace.author", "somebody"),
        ("trace.autoPack", "often"),
        ("trace.lockTimeout", "long"),
    ] {
        let world = World::new("sha1");
        world.git(&["config", key, value], &world.repo());
        for arguments in [vec!["init"], vec!["commit"], vec!["status"]] {
            let complaint = refuses(&world, 1, &arguments, b"hello");
            assert!(complaint.contains(&format!("bad config value '{value}' for '{key}'")), "{key}: {complaint}");
        }
        assert!(!world.repo().join(".git/trace").exists(), "{key}: nothing is written");
    }
    let world = World::new("sha1");
    world.git(&["config", "trace.main/main.budget", "many"], &world.repo());
    assert!(refuses(&world, 1, &["status"], b"").contains("bad config value 'many' for 'trace.main/main.budget'"));
    world.git(&["config", "trace.main/main.budget", "2k"], &world.repo());
    world.ok(&["init"]);
    assert!(world.ok(&["status"]).contains("2,048"), "numbers have git's units");
    std::fs::write(world.repo().join(".git/config"), "[core\n").expect("the configuration");
    assert!(refuses(&world, 128, &["status"], b"").contains("config"));
}

#[test]
fn nobody_is_nobody() {
    let world = World::new("sha1");
    let nameless = |arguments: &[&str]| {
        let mut command = world.trace(arguments);
        for name in ["NAME", "EMAIL", "DATE"] {
            command.env_remove(format!("GIT_AUTHOR_{name}")).env_remove(format!("GIT_COMMITTER_{name}"));
        }
        command.env_remove("EMAIL");
        command
    };
    for arguments in [["init"].as_slice(), &["commit"], &["checkout", "-b", "x"]] {
        let output = feed(nameless(arguments), b"hello");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        let refused = complaint.contains("no identity") || complaint.contains("no commits yet");
        assert!(output.status.code() == Some(1) && refused, "{arguments:?}: {complaint}");
    }
    let complaint = String::from_utf8_lossy(&feed(nameless(&["commit"]), b"hello").stderr).into_owned();
    let hint = complaint.lines().find_map(|line| line.strip_prefix("hint: tell it: ")).expect("a way out").to_owned();
    assert_eq!(world.git(&["for-each-ref"], &world.repo()), "");
    let hint = hint.replace("<name>", "A U Thor").replace("<address>", "a@example.com");
    assert!(world.command("sh", &world.repo()).args(["-c", &hint]).status().expect("it starts").success());
    let output = feed(nameless(&["commit"]), b"hello");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let who = world.git(&["log", "-1", "--format=%an <%ae> %cn", BRANCH], &world.repo());
    assert_eq!(who, "A U Thor <a@example.com> A U Thor\n");
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let (world, _) = talked();
    for (arguments, words) in [
        (vec!["comit"], "commit"),
        (vec!["commit", "--nonsense"], "unexpected argument '--nonsense'"),
        (vec!["commit", "--role", "wizard"], "assistant"),
        (vec!["context", "--as", "pdf"], "pdf"),
        (vec!["pin"], "required"),
        (vec!["init", "--budget", "many"], "many"),
        (vec!["log", "-n", "x"], "x"),
        (vec!["import", "parrot", "x"], "claude"),
    ] {
        let complaint = world.fails(2, &arguments);
        assert!(complaint.starts_with("error: ") && complaint.contains(words), "{arguments:?}: {complaint}");
        assert!(complaint.contains("Usage: git trace") || complaint.contains("try '-h'"), "{arguments:?}: {complaint}");
        assert!(!complaint.contains("'--help'"), "that is git's: it opens the manual page");
    }
    let output = world.trace(&[]).output().expect("it starts");
    let help = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(help.starts_with("Version the context") && help.contains("   commit "), "{help}");
}

#[test]
fn a_broken_transcript_loses_only_its_broken_lines() {
    let world = World::new("sha1");
    let session = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/demo/session.jsonl"));
    let session = String::from_utf8(session.expect("the bundled session")).expect("UTF-8");
    let lines: Vec<&str> = session.lines().collect();
    let whole = {
        let file = world.root().join("whole.jsonl");
        std::fs::write(&file, &session).expect("a file");
        world.ok(&["import", "claude", file.to_str().expect("UTF-8"), "--as", "whole"]);
        world.ok(&["context", "whole/main", "--as", "jsonl", "--all"]).lines().count()
    };
    let mut broken = vec!["this is no JSON", "{\"type\":\"user\"", "", "\u{0}\u{1}"];
    broken.extend(&lines);
    broken.insert(broken.len() - 1, "{\"half\": ");
    let file = world.root().join("broken.jsonl");
    // The last line is cut short, as when its writer is at it.
    let text = format!("{}\n{}", broken.join("\n"), &lines[0][..40]);
    std::fs::write(&file, text).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let output = world.trace(&["import", "claude", file, "--as", "broken"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    for line in [1, 2, 4, broken.len() - 1] {
        assert!(said.contains(&format!("{file}:{line}: ")), "line {line} is named: {said}");
    }
    assert!(said.contains("wait for the next import"), "{said}");
    let rest = world.ok(&["context", "broken/main", "--as", "jsonl", "--all"]).lines().count();
    assert_eq!(rest, whole, "the rest is there");
    assert!(world.fails(1, &["import", "claude", "no-such-file"]).contains("cannot read 'no-such-file'"));
    assert!(world.fails(1, &["import", "claude", file, "--as", "bad name"]).contains("not a branch name: 'bad name'"));
    world.fsck();
}

/// What must not reach a terminal as it is, and what stands for it in the source of this test.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}31m\u{202e}drow\rover\u{8}\u{8}";

#[test]
fn hostile_text_does_not_act_on_the_terminal() {
    let world = World::new("sha1");
    world.ok(&["init"]);
    world.ok_with(&["commit", "-m", &format!("subject {HOSTILE}")], format!("body {HOSTILE}\n").as_bytes());
    world.ok_with(&["edit", "@1"], format!("edited {HOSTILE}\n").as_bytes());
    let messages = serde_json::json!({ "role": "assistant", "model": HOSTILE, "content": [
        { "type": "tool_use", "id": format!("id{HOSTILE}"), "name": format!("name{HOSTILE}"), "input": {} },
    ] });
    world.ok_with(&["commit", "--messages"], messages.to_string().as_bytes());
    if world.command("python3", world.root()).arg("--version").output().is_err() {
        println!("skipped: no python3 to open a terminal with");
        return;
    }
    assert!(deeds(HOSTILE.as_bytes()).len() >= 4, "what is not escaped is noticed");
    let name = format!("no{HOSTILE}such");
    for arguments in [
        vec!["log"],
        vec!["log", "--oneline"],
        vec!["show"],
        vec!["show", "HEAD~1"],
        vec!["show", "@1"],
        vec!["show", "--raw", "#0"],
        vec!["diff", "HEAD~2"],
        vec!["status"],
        vec!["context"],
        vec!["context", "--as", "markdown"],
        vec!["context", "--as", "jsonl"],
        vec!["context", "--as", "anthropic", "--trim"],
        vec!["show", "--json"],
        vec!["show", &name],
        vec!["pin", &name],
        vec!["tag", &name],
        vec!["--nonsense", &name],
        vec![&name],
    ] {
        let shown = on_terminal(&world, &arguments);
        assert!(!shown.is_empty(), "{arguments:?}");
        let deeds = deeds(&shown);
        assert!(deeds.is_empty(), "{arguments:?}: {deeds:?} in {:?}", String::from_utf8_lossy(&shown));
        assert!(!String::from_utf8_lossy(&shown).contains('\u{202e}'), "{arguments:?}");
    }
    // A pipe gets the bytes as they are.
    assert_eq!(world.ok(&["show", "--raw", "#0"]), format!("edited {HOSTILE}\n"));
}

/// Runs on a terminal of its own and returns what the terminal got, messages included.
fn on_terminal(world: &World, arguments: &[&str]) -> Vec<u8> {
    const SCRIPT: &str = "import os, pty, sys\nstatus = pty.spawn(sys.argv[1:])\n";
    let mut command = world.command("python3", &world.repo());
    command.env("TERM", "xterm-256color").env("GIT_PAGER", "cat");
    command.args(["-c", SCRIPT, env!("CARGO_BIN_EXE_git-trace"), "--color=always"]).args(arguments);
    feed(command, b"").stdout
}

/// Counts what a terminal would do beyond printing, line ends, tabs and colours.
fn deeds(bytes: &[u8]) -> Vec<String> {
    #[derive(Default)]
    struct Deeds(Vec<String>);
    impl vte::Perform for Deeds {
        fn execute(&mut self, byte: u8) {
            // The terminal's driver itself makes CR LF of every LF; it echoes the end of input as ^D and two steps back.
            if !matches!(byte, b'\n' | b'\t' | b'\r' | 8) {
                self.0.push(format!("execute {byte}"));
            }
        }
        fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
            self.0.push(format!("DCS {action}"));
        }
        fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
            self.0.push("OSC".to_owned());
        }
        fn csi_dispatch(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
            // Colours; clearing to the end of the line is how a progress meter goes.
            if !matches!(action, 'm' | 'K') {
                self.0.push(format!("CSI {action}"));
            }
        }
        fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
            self.0.push(format!("ESC {byte}"));
        }
    }
    let mut deeds = Deeds::default();
    vte::Parser::new().advance(&mut deeds, bytes);
    deeds.0
}
