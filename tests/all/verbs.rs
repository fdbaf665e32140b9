//! Every subcommand on a real repository, with git as the oracle.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::world::{World, feed};

const BRANCH: &str = "refs/trace/heads/main/main";

/// A call and its answer, in the shape of Anthropic: the answer stands in a message of the user.
const ANTHROPIC_CALL: &str = r#"[{"role":"user","content":"list the files"},
 {"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"toolu_1","name":"ls","input":{}}]},
 {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"a.txt"}]},
 {"role":"assistant","content":"There is a.txt."}]"#;

/// The same in the shape of OpenAI's chat.
const OPENAI_CALL: &str = r#"[{"role":"user","content":"list the files"},
 {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"ls","arguments":"{}"}}]},
 {"role":"tool","tool_call_id":"call_1","content":"a.txt"},
 {"role":"assistant","content":"There is a.txt."}]"#;

/// A repository with an empty context.
fn begun(object_format: &str) -> World {
    let world = World::new(object_format);
    world.ok(&["init"]);
    world
}

/// Commits a message and returns the id of its entry.
fn say(world: &World, role: &str, text: &str) -> String {
    let answer = world.ok_with(&["commit", "--json", "--role", role], text.as_bytes());
    let answer: Value = serde_json::from_str(&answer).expect("a document");
    answer["outcome"]["entries"][0].as_str().expect("an id").to_owned()
}

fn json(world: &World, arguments: &[&str]) -> Value {
    let answer = world.ok(arguments);
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {answer}"))
}

/// Returns the ids of the entries of a revision, in the order of the context.
fn ids(world: &World, revision: &str) -> Vec<String> {
    let lines = world.ok(&["context", revision, "--as", "jsonl", "--all"]);
    let id = |line: &str| serde_json::from_str::<Value>(line).ok()?["id"].as_str().map(str::to_owned);
    lines.lines().filter_map(id).collect()
}

fn rev(world: &World, revision: &str) -> String {
    world.git(&["rev-parse", "--verify", revision], &world.repo()).trim().to_owned()
}

/// Returns every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for file in walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        let name = file.path().strip_prefix(folder).expect("below").to_string_lossy().into_owned();
        let bytes = if file.file_type().is_file() { std::fs::read(file.path()).expect("a file") } else { Vec::new() };
        found.insert(name, bytes);
    }
    found
}

/// Returns the bytes of one entry.
fn raw(world: &World, name: &str) -> Vec<u8> {
    let output = world.trace(&["show", "--raw", name]).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn nothing_but_its_own_is_written() {
    for object_format in ["sha1", "sha256"] {
        let world = World::new(object_format);
        std::fs::write(world.repo().join("code.txt"), "code").expect("a file");
        world.git(&["add", "code.txt"], &world.repo());
        world.git(&["commit", "-qm", "code"], &world.repo());
        let before = files(&world.repo());

        assert!(world.ok(&["init"]).starts_with("Began an empty context on main/main"));
        assert!(world.ok(&["init"]).starts_with("There is a context already on main/main"));
        assert_eq!(world.git(&["rev-list", "--count", BRANCH], &world.repo()), "1\n");
        let first = say(&world, "user", "one");
        let second = say(&world, "assistant", "two");
        world.ok(&["pin", &first]);
        world.ok(&["drop", &second]);
        world.ok(&["tag", "v1"]);
        world.ok(&["tag", "-d", "v1"]);
        world.ok(&["reset", "HEAD~1"]);
        world.ok(&["checkout", "-b", "other"]);
        world.ok(&["pack"]);

        assert_eq!(world.git(&["status", "--porcelain"], &world.repo()), "");
        let after = files(&world.repo());
        let ours = [
            ".git/refs/trace",
            ".git/refs/worktree",
            ".git/logs/refs/trace",
            ".git/logs/refs/worktree",
            ".git/trace",
            ".git/objects",
        ];
        for (name, bytes) in &after {
            if before.get(name) != Some(bytes) && !ours.iter().any(|folder| name.starts_with(folder)) {
                // git itself refreshes its index when it is asked for the status.
                assert_eq!(name, ".git/index", "written outside of what is ours");
            }
        }
        let gone: Vec<&String> = before.keys().filter(|name| !after.contains_key(*name)).collect();
        assert!(gone.is_empty(), "{gone:?}");
        world.fsck();
    }
}

#[test]
fn messages_come_from_every_source() {
    let world = begun("sha1");
    let file = world.root().join("message.txt");
    std::fs::write(&file, "from a file\n").expect("a file");
    world.ok_with(&["commit", "--role", "system"], b"from standard input");
    world.ok(&["commit", "-F", file.to_str().expect("UTF-8"), "-m", "subject", "-m", "body"]);
    world.ok_with(&["commit", "-F", "-", "--role", "assistant", "--model", "m-1", "--pin"], b"dash");
    world.ok_with(&["commit", "--messages"], br#"{"role":"user","content":"one alone"}"#);
    assert_eq!(raw(&world, "#0"), b"from standard input");
    assert_eq!(raw(&world, "#1"), b"from a file\n");
    assert_eq!(raw(&world, "#2"), b"dash");
    assert_eq!(raw(&world, "@1"), b"one alone");
    let log = world.git(&["log", "--format=%s|%b", "-1", &format!("{BRANCH}~2")], &world.repo());
    assert!(log.starts_with("subject|body\n"), "{log}");
    let pinned = json(&world, &["show", "#2", "--json"]);
    assert_eq!((&pinned["entry"]["pin"], &pinned["entry"]["role"]), (&true.into(), &"assistant".into()));
    assert_eq!(json(&world, &["show", "HEAD~1", "--json"])["commit"]["model"], "m-1");

    for shape in [ANTHROPIC_CALL, OPENAI_CALL] {
        let before = ids(&world, "HEAD").len();
        let answer: Value = serde_json::from_str(&world.ok_with(&["commit", "--messages", "--json"], shape.as_bytes()))
            .expect("a document");
        assert_eq!(answer["outcome"]["entries"].as_array().map(Vec::len), Some(4), "one commit, four entries");
        assert_eq!(ids(&world, "HEAD").len(), before + 4);
    }
    for (format, call) in [("anthropic", "toolu_1"), ("openai-chat", "call_1"), ("openai-responses", "call_1")] {
        let messages = world.ok(&["context", "--as", format]);
        assert!(messages.contains(call), "{format}: {messages}");
        serde_json::from_str::<Value>(&messages).expect("JSON");
    }
    world.fsck();
}

#[test]
fn an_edit_keeps_id_and_place_and_history_keeps_the_words() {
    let world = begun("sha1");
    let first = say(&world, "user", "first");
    let second = say(&world, "user", "second");
    let third = say(&world, "user", "third");
    let before = rev(&world, BRANCH);
    world.ok_with(&["edit", &second, "-m", "better"], b"2nd");
    assert_eq!(ids(&world, "HEAD"), [first.as_str(), &second, &third]);
    assert_eq!(raw(&world, &second), b"2nd");
    assert_eq!(raw(&world, &format!("{before}:{second}")), b"second");
    assert!(world.fails(1, &["edit", &second, "-F", "/dev/null/no"]).contains("cannot read"));
    world.ok(&["pin", &first]);
    let output = feed(world.trace(&["edit", &first]), b"x");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("is pinned") && complaint.contains("git trace unpin"), "{complaint}");
    world.ok_with(&["edit", &first, "--force"], b"1st");
    let output = feed(world.trace(&["edit", &second]), b"2nd");
    assert_eq!(output.status.code(), Some(1), "nothing would change");
    let output = feed(world.trace(&["edit", &second, "--kind", "json"]), b"{\"type\":");
    assert!(String::from_utf8_lossy(&output.stderr).contains("malformed message"));
    world.fsck();
}

#[test]
fn a_pin_touches_no_byte() {
    let world = begun("sha1");
    let id = say(&world, "user", "keep me");
    let blob = |revision: &str| {
        let tree = world.git(&["ls-tree", "-r", revision], &world.repo());
        let line = tree.lines().find(|line| line.contains(&id)).expect("the entry").to_owned();
        (line.split_whitespace().nth(2).expect("an id").to_owned(), line.contains(".pin."))
    };
    let (before, _) = blob(BRANCH);
    world.ok(&["pin", &id]);
    assert_eq!(blob(BRANCH), (before.clone(), true));
    assert!(world.fails(1, &["pin", &id]).contains("already pinned"));
    assert!(world.fails(1, &["drop", &id]).contains("is pinned"));
    world.ok(&["unpin", &id]);
    assert_eq!(blob(BRANCH), (before, false));
    assert!(world.fails(1, &["unpin", &id]).contains("already unpinned"));
}

#[test]
fn a_tool_call_is_never_parted_from_its_result() {
    for shape in [ANTHROPIC_CALL, OPENAI_CALL] {
        let world = begun("sha1");
        world.ok_with(&["commit", "--messages"], shape.as_bytes());
        let ids = ids(&world, "HEAD");
        let tip = rev(&world, BRANCH);
        for (half, other) in [(&ids[1], &ids[2]), (&ids[2], &ids[1])] {
            let complaint = world.fails(1, &["drop", half]);
            assert!(complaint.contains(&format!("'{other}'")), "{complaint}");
            let output = feed(world.trace(&["edit", half, "--kind", "text"]), b"words alone");
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{complaint}");
            assert!(complaint.contains(&format!("'{other}'")), "{complaint}");
        }
        assert_eq!(rev(&world, BRANCH), tip, "nothing changed");
        world.ok(&["context", "--as", "anthropic"]);
        world.ok(&["drop", &ids[1], &ids[2]]);
        world.ok(&["reset", "--hard", &tip]);
        world.ok(&["drop", "--force", &ids[2]]);
        let complaint = world.fails(1, &["context", "--as", "anthropic"]);
        assert!(
            complaint.contains("hint: "),
            "a sequence that a provider refuses is refused, with a way out: {complaint}"
        );
    }
}

#[test]
fn tags_name_commits() {
    let world = begun("sha1");
    say(&world, "user", "one");
    let one = rev(&world, BRANCH);
    world.ok(&["tag", "first"]);
    say(&world, "user", "two");
    assert_eq!(rev(&world, "refs/trace/tags/main/first"), one);
    assert!(world.fails(1, &["tag", "first"]).contains("tag 'main/first' already exists"));
    world.ok(&["tag", "-f", "first"]);
    world.ok(&["tag", "first", "-f", "HEAD~1"]);
    assert_eq!(rev(&world, "refs/trace/tags/main/first"), one);
    assert_eq!(world.ok(&["tag"]), format!("main/first {}\n", &one[..10]));
    assert_eq!(json(&world, &["tag", "--json"])["tags"][0]["name"], "main/first");
    assert_eq!(world.ok(&["log", "--oneline", "first"]).lines().count(), 2);
    world.ok(&["tag", "-d", "first"]);
    assert!(world.fails(1, &["tag", "-d", "first"]).contains("tag 'main/first' not found"));
    assert_eq!(world.ok(&["tag"]), "");
    assert!(world.fails(1, &["tag", "bad name"]).contains("not a branch name"));
}

#[test]
fn there_is_a_way_back_from_every_reset() {
    let world = begun("sha1");
    for text in ["one", "two", "three"] {
        say(&world, "user", text);
    }
    let tip = rev(&world, BRANCH);
    world.ok(&["reset", "--soft", "HEAD~2"]);
    assert_eq!(rev(&world, BRANCH), rev(&world, &format!("{tip}~2")));
    assert_eq!(rev(&world, "refs/worktree/trace/ORIG_HEAD"), tip);
    world.ok(&["reset", "ORIG_HEAD"]);
    assert_eq!(rev(&world, BRANCH), tip);

    let output = world.trace(&["reset", "--hard", "HEAD~1"]).output().expect("it starts");
    let hint = String::from_utf8_lossy(&output.stderr).into_owned();
    let undo = hint.split("git trace ").nth(1).expect("a way back").trim().to_owned();
    assert_ne!(rev(&world, BRANCH), tip);
    world.ok(&undo.split(' ').collect::<Vec<_>>());
    assert_eq!(rev(&world, BRANCH), tip);

    world.ok(&["reset", "--hard", "HEAD~1"]);
    world.ok(&["reset", "--hard", "HEAD@{1}"]);
    assert_eq!(rev(&world, BRANCH), tip, "the reflog knows too");
    let reflog = world.git(&["reflog", "show", BRANCH], &world.repo());
    assert!(reflog.contains("reset: moving to HEAD~1"), "{reflog}");
    assert!(world.fails(1, &["reset", "nowhere"]).contains("unknown revision 'nowhere'"));
    assert!(world.fails(2, &["reset", "--soft", "--hard", "HEAD"]).contains("cannot be used with"));
    assert!(world.ok(&["reset", "-n", "HEAD~1"]).contains("would be at"));
    assert_eq!(rev(&world, BRANCH), tip);
}

#[test]
fn head_moves_as_in_git() {
    let world = begun("sha1");
    let first = say(&world, "user", "one");
    say(&world, "user", "two");
    let tip = rev(&world, BRANCH);

    world.ok(&["checkout", "-b", "idea", "HEAD~1"]);
    let head = || world.git(&["symbolic-ref", "refs/worktree/trace/HEAD"], &world.repo());
    assert_eq!(head(), "refs/trace/heads/main/idea\n");
    assert_eq!(ids(&world, "HEAD"), [first.as_str()]);
    say(&world, "user", "another two");
    assert_eq!(rev(&world, BRANCH), tip, "the other branch stays");
    assert!(world.fails(1, &["checkout", "-b", "idea"]).contains("branch 'main/idea' already exists"));

    world.ok(&["checkout", "main"]);
    assert_eq!(head(), "refs/trace/heads/main/main\n");
    world.ok(&["checkout", "HEAD~1"]);
    assert_eq!(rev(&world, "refs/worktree/trace/HEAD"), rev(&world, &format!("{tip}~1")));
    assert_eq!(world.ok(&["status"]).lines().next(), Some("HEAD detached"));
    say(&world, "user", "on no branch");
    assert_eq!(rev(&world, BRANCH), tip);
    world.ok(&["checkout", "-b", "kept"]);
    assert_eq!(raw(&world, "@1"), b"on no branch");
    world.ok(&["checkout", "--detach", "main"]);
    assert_eq!(json(&world, &["status", "--json"])["branch"], Value::Null);
    world.ok(&["checkout", "main/main"]);

    // Parallel sessions name their branch instead of moving HEAD.
    world.ok_with(&["commit", "--branch", "idea"], b"from aside");
    assert_eq!(raw(&world, "idea:@1"), b"from aside");
    let mut command = world.trace(&["log", "--oneline", "-1"]);
    command.env("GITTRACE_BRANCH", "main/idea");
    assert!(String::from_utf8_lossy(&command.output().expect("it starts").stdout).contains("from aside"));
    assert_eq!(rev(&world, BRANCH), tip);
    assert!(world.fails(1, &["checkout", "nowhere"]).contains("unknown revision 'nowhere'"));
    world.fsck();
}

#[test]
fn a_budget_is_kept_in_sight() {
    let world = begun("sha1");
    say(&world, "user", &"word ".repeat(90));
    let used = json(&world, &["status", "--json"])["tokens"]["value"].as_u64().expect("a number");
    let status = |budget: u64| {
        world.git(&["config", "trace.budget", &budget.to_string()], &world.repo());
        let output = world.trace(&["status", "--check"]).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(status(used * 2), (Some(0), String::new()));
    let (code, said) = status(used * 100 / 80);
    assert_eq!(code, Some(0));
    assert!(said.contains("near its budget"), "warned from 80 % on: {said}");
    assert_eq!(status(used).0, Some(0), "full is not over");
    let (code, said) = status(used - 1);
    assert_eq!(code, Some(4));
    assert!(said.contains("over its budget"), "{said}");
    assert_eq!(world.trace(&["status"]).output().expect("it starts").status.code(), Some(0), "only --check fails");
    world.git(&["config", "trace.main/main.budget", "1000000"], &world.repo());
    assert_eq!(world.trace(&["status", "--check"]).output().expect("it starts").status.code(), Some(0));
    let other = World::new("sha1");
    other.ok(&["init", "--budget", "7"]);
    assert_eq!(json(&other, &["status", "--json"])["budget"]["limit"], 7);
}

#[test]
fn history_is_listed_as_git_lists_it() {
    let world = begun("sha1");
    for nth in 0..25 {
        say(&world, "user", &format!("message {nth}"));
    }
    world.ok(&["checkout", "-b", "side", "HEAD~5"]);
    say(&world, "user", "aside");
    let listed = |arguments: &[&str]| {
        let lines = world.ok(&[&["log", "--json"], arguments].concat());
        let commit = |line: &str| {
            let document: Value = serde_json::from_str(line).expect("a document a line");
            assert_eq!(document["format"], "git-trace/log/1");
            document["commit"].as_str().expect("an id").to_owned()
        };
        lines.lines().map(commit).collect::<Vec<_>>()
    };
    let expected = |arguments: &[&str]| {
        let lines = world.git(&[&["rev-list"], arguments].concat(), &world.repo());
        lines.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (main, side) = (BRANCH, "refs/trace/heads/main/side");
    for (ours, git) in [
        (vec!["main"], vec![main]),
        (vec!["-20", "main"], vec!["-20", main]),
        (vec!["-n", "3", "main"], vec!["-3", main]),
        (vec!["main~4..main"], vec![&*format!("{main}~4..{main}")]),
        (vec!["main..side"], vec![&*format!("{main}..{side}")]),
        (vec!["main...side"], vec![&*format!("{main}...{side}")]),
        (vec!["^side", "main"], vec![&*format!("^{side}"), main]),
        (vec!["main..HEAD"], vec![&*format!("{main}..{side}")]),
        (vec!["..main"], vec![&*format!("{side}..{main}")]),
        (vec!["side^"], vec![&*format!("{side}^")]),
    ]
    .map(|(ours, git)| (ours, git.into_iter().map(str::to_owned).collect::<Vec<_>>()))
    {
        let git: Vec<&str> = git.iter().map(String::as_str).collect();
        assert_eq!(listed(&ours), expected(&git), "{ours:?}");
    }
    let mut all = listed(&["--all"]);
    let mut every = expected(&[main, side]);
    all.sort();
    every.sort();
    assert_eq!(all, every);
    let lines = world.ok(&["log", "--oneline", "-20", "main"]);
    assert_eq!(lines.lines().count(), 20);
    assert!(lines.starts_with(&format!("{} append user: message 24", &rev(&world, main)[..10])), "{lines}");
    assert!(world.ok(&["log", "-1"]).contains("Author: A U Thor <author@example.com>"));
}

#[test]
fn every_command_that_reads_speaks_json() {
    let world = begun("sha1");
    world.ok_with(&["commit", "--messages"], ANTHROPIC_CALL.as_bytes());
    let id = say(&world, "user", "more");
    world.ok(&["tag", "v1"]);
    for (arguments, format) in [
        (vec!["status"], "git-trace/status/1"),
        (vec!["log", "-1"], "git-trace/log/1"),
        (vec!["show"], "git-trace/show/1"),
        (vec!["show", &id], "git-trace/show/1"),
        (vec!["diff", "HEAD~2"], "git-trace/diff/1"),
        (vec!["tag"], "git-trace/tag/1"),
        (vec!["checkout", "main"], "git-trace/checkout/1"),
        (vec!["init"], "git-trace/init/1"),
        (vec!["pin", &id], "git-trace/pin/1"),
        (vec!["reset", "HEAD"], "git-trace/reset/1"),
        (vec!["pack"], "git-trace/pack/1"),
    ] {
        let document = json(&world, &[arguments.as_slice(), &["--json"]].concat());
        assert_eq!(document["format"], format, "{arguments:?}");
    }
    assert!(world.ok(&["status", "--json=pretty"]).contains("\n  \"format\": \"git-trace/status/1\""));
    let lines = world.ok(&["context", "--json"]);
    let documents: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(documents.len() >= 5, "{lines}");
    let output = world.trace(&["show", "nowhere", "--json"]).output().expect("it starts");
    assert!(output.stdout.is_empty(), "an answer or nothing");
    let failure: Value = serde_json::from_slice(&output.stderr).expect("a failure is a document too");
    assert_eq!((&failure["format"], &failure["exit_code"]), (&"git-trace/failure/1".into(), &1.into()));
    let output = world.trace(&["log", "--nonsense", "--json"]).output().expect("it starts");
    let failure: Value = serde_json::from_slice(&output.stderr).expect("a failure is a document too");
    assert_eq!(failure["exit_code"], 2);
}

#[test]
fn a_commit_gives_the_same_bytes_for_ever() {
    const FORMATS: [&str; 6] = ["text", "markdown", "jsonl", "anthropic", "openai-chat", "openai-responses"];
    for object_format in ["sha1", "sha256"] {
        let world = begun(object_format);
        for nth in 0..20 {
            say(&world, "user", &format!("question {nth}"));
            say(&world, "assistant", &format!("answer {nth}"));
        }
        world.ok_with(&["commit", "--messages"], ANTHROPIC_CALL.as_bytes());
        let old = rev(&world, BRANCH);
        let all = || FORMATS.map(|format| world.ok(&["context", "--as", format]));
        let before = all();
        assert!(before.iter().all(|text| text.contains("question 19")));

        world.ok(&["pin", "#3", "#4"]);
        world.ok_with(&["edit", "#5"], b"something else");
        world.ok(&["drop", "#10", "#11", "@1"]);
        for nth in 0..40 {
            say(&world, "user", &format!("later {nth}"));
        }
        assert_ne!(all(), before);
        world.git(&["gc", "-q", "--prune=now"], &world.repo());
        world.ok(&["checkout", &old[..12]]);
        assert_eq!(all(), before);
        world.ok(&["checkout", "main"]);
        for (format, text) in FORMATS.iter().zip(&before) {
            assert_eq!(&world.ok(&["context", &old, "--as", format]), text, "{format}");
        }
        world.fsck();
    }
}

#[test]
fn any_bytes_come_back_as_they_were() {
    let world = begun("sha1");
    let large: Vec<u8> =
        (0..10_000_000u32).map(|at| b"The quick brown fox \n"[(at as usize * 7 + at as usize / 1000) % 21]).collect();
    let bodies: Vec<&[u8]> = vec![
        b"<|endoftext|><|im_start|>system",
        b"---\ntitle: x\n---\n",
        b"a\r\nb\r\n",
        b"nul\0inside\0",
        b"\xff\xfe\x80 not UTF-8 \xc3",
        b"3e303",
        b"no newline at the end",
        b"\n\nblank lines\n\n",
        "e\u{301} \u{202e}bidi\u{feff}".as_bytes(),
        b"Trace-Op: drop\nTrace-Total: 999999\n",
        &large,
    ];
    for body in &bodies {
        world.ok_with(&["commit"], body);
        assert!(raw(&world, "@1") == *body, "{:?}", String::from_utf8_lossy(&body[..body.len().min(40)]));
    }
    // Structured bodies are the bytes of their source, down to blanks and number formats.
    for content in [r#"[ {"type":"text","text":"\ud800", "n":3e303} ]"#, r#"[{"type":"text","text":"x","d":1.10}]"#] {
        let message = format!(r#"{{"role":"user","content":{content}}}"#);
        world.ok_with(&["commit", "--messages"], message.as_bytes());
        assert_eq!(String::from_utf8_lossy(&raw(&world, "@1")), content);
    }
    let output = feed(world.trace(&["commit"]), b"");
    assert_eq!(output.status.code(), Some(1));
    world.ok_with(&["commit", "--allow-empty"], b"");
    assert_eq!(raw(&world, "@1"), b"");
    for revision in ["HEAD", "HEAD~3"] {
        for format in ["text", "markdown", "jsonl", "anthropic"] {
            // Bytes that are no UTF-8 have no form in JSON: whatever is said, it is not a crash.
            let output = world.trace(&["context", revision, "--as", format]).output().expect("it starts");
            assert!(
                matches!(output.status.code(), Some(0 | 1)),
                "{format}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    world.fsck();
}

#[test]
fn a_dry_run_writes_nothing() {
    let world = World::new("sha1");
    let session = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/demo/session.jsonl");
    let session = session.to_str().expect("UTF-8");
    let git_dir = world.repo().join(".git");
    let untouched = files(&git_dir);
    assert!(world.ok_with(&["commit", "-n"], b"AKIAIOSFODNN7EXAMPLE").contains("(dry run)"));
    world.ok(&["import", "claude", session, "-n"]);
    assert_eq!(files(&git_dir), untouched, "not even a folder in a repository without a context");

    world.ok(&["init"]);
    let id = say(&world, "user", "one");
    let before = files(&git_dir);
    world.ok_with(&["commit", "-n"], b"two");
    world.ok_with(&["edit", "-n", &id], b"other");
    world.ok(&["pin", "-n", &id]);
    world.ok(&["drop", "-n", &id]);
    world.ok(&["reset", "-n", "HEAD~1"]);
    world.ok(&["import", "claude", session, "-n"]);
    let after = files(&git_dir);
    let changed: Vec<&String> = after.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    assert_eq!((changed, after.len()), (Vec::new(), before.len()));
}

#[test]
fn plain_git_reads_all_of_it() {
    for object_format in ["sha1", "sha256"] {
        let world = begun(object_format);
        for nth in 0..40 {
            say(&world, "user", &format!("message {nth} about port 80{nth:02}"));
        }
        world.ok(&["drop", "#3"]);
        world.ok_with(&["edit", "#7"], b"seven about another port");
        let repo = world.repo();

        // The order of the tree is the order of the context.
        let names = world.git(&["ls-tree", "-r", "--name-only", BRANCH], &repo);
        let id = |name: &str| name.rsplit('/').next()?.split('.').nth(3).map(str::to_owned);
        let in_tree: Vec<String> = names.lines().filter(|name| *name != ".trace").filter_map(id).collect();
        assert_eq!(in_tree, ids(&world, "HEAD"));
        assert_eq!(in_tree.len(), 39);

        // The facts of a commit are trailers.
        let status = json(&world, &["status", "--json"]);
        let trailer = |name: &str| {
            let format = format!("--format=%(trailers:key={name},valueonly)");
            world.git(&["log", "-1", &format, BRANCH], &repo).trim().to_owned()
        };
        assert_eq!(trailer("Trace-Total"), status["tokens"]["base"].to_string());
        assert_eq!(trailer("Trace-Count"), status["count"].to_string());
        assert_eq!(trailer("Trace-Op"), "edit");
        let message = world.git(&["log", "-1", "--format=%B", BRANCH], &repo);
        let parsed = feed(
            {
                let mut command = world.command("git", &repo);
                command.args(["interpret-trailers", "--parse"]);
                command
            },
            message.as_bytes(),
        );
        let parsed = String::from_utf8_lossy(&parsed.stdout).into_owned();
        for name in ["Trace-Op:", "Trace-Entry:", "Trace-Tokens:", "Trace-Total:", "Trace-Count:"] {
            assert!(parsed.lines().any(|line| line.starts_with(name)), "{name} in {parsed}");
        }

        let found = world.git(&["grep", "-h", "port 8012", BRANCH], &repo);
        assert_eq!(found.trim(), "message 12 about port 8012");
        assert_eq!(world.git(&["log", "--oneline", "-S", "port 8012", BRANCH], &repo).lines().count(), 1);
        assert_eq!(
            world.git(&["rev-list", "--count", "--first-parent", BRANCH], &repo).trim(),
            world.ok(&["log", "--oneline"]).lines().count().to_string()
        );
        world.fsck();
    }
}

#[test]
fn git_hands_its_options_on() {
    let world = begun("sha1");
    say(&world, "user", &"word ".repeat(50));
    let program = Path::new(env!("CARGO_BIN_EXE_git-trace")).parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&path))).expect("a search path");
    let git = |arguments: &[&str], dir: &Path| {
        let output = world.command("git", dir).env("PATH", &path).args(arguments).output().expect("git starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(git(&["-c", "trace.budget=10", "trace", "status", "--check"], &world.repo()).0, Some(4));
    assert_eq!(git(&["-c", "trace.main/main.budget=10", "trace", "status", "--check"], &world.repo()).0, Some(4));
    let (code, answer) =
        git(&["-c", "color.ui=always", "-c", "user.name=it's = me", "trace", "log", "-1"], &world.repo());
    assert_eq!(code, Some(0));
    assert!(answer.contains("\u{1b}["), "{answer:?}");
    let repo = world.repo();
    let repo = repo.to_str().expect("UTF-8");
    assert_eq!(git(&["-C", repo, "trace", "status"], world.root()).0, Some(0));
    assert_eq!(git(&["--git-dir", &format!("{repo}/.git"), "trace", "status"], world.root()).0, Some(0));
    assert_eq!(git(&["trace", "-C", repo, "status"], world.root()).0, Some(0));
    assert_eq!(git(&["trace", "status"], world.root()).0, Some(128));
}
