//! Rebase, cherry-pick and revert on the real program; git is the oracle for the shape of what they leave.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::world::{World, amount, feed};

/// One entry of a context: id, words, pin.
type Row = (String, String, bool);

fn say(world: &World, text: &str) {
    say_on(world, text, &[]);
}

/// Puts an entry at the end; its id follows from its words, so that two branches never make the same one.
fn say_on(world: &World, text: &str, more: &[&str]) {
    let mut command = world.trace(&["commit", "-m", text]);
    command.args(more).env("GITTRACE_ID_SEED", text);
    let output = feed(command, text.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn edit(world: &World, entry: &str, text: &str) {
    world.ok_with(&["edit", entry, "-m", &format!("edit: {text}")], text.as_bytes());
}

fn rows(world: &World, branch: &str) -> Vec<Row> {
    let text = world.ok(&["context", "--as", "jsonl", "--branch", branch]);
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
        (text("id"), text("content"), row["pin"] == true)
    };
    text.lines().map(row).collect()
}

fn words(world: &World, branch: &str) -> Vec<String> {
    rows(world, branch).into_iter().map(|(_, text, _)| text).collect()
}

/// Returns the id of the entry that says this.
fn id_of(world: &World, branch: &str, text: &str) -> String {
    let found = rows(world, branch).into_iter().find(|(_, words, _)| words == text);
    found.unwrap_or_else(|| panic!("nothing says '{text}'")).0
}

/// Returns the shape of a branch as git draws it, without the space at the ends of lines.
fn graph(world: &World, branch: &str) -> String {
    let name = format!("refs/trace/heads/main/{branch}");
    let drawn = world.git(&["log", "--graph", "--format=%s", &name], &world.repo());
    drawn.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn tip(world: &World, branch: &str) -> String {
    world.tip(&format!("refs/trace/heads/main/{branch}")).expect("a branch")
}

fn outcome(answer: &str) -> Value {
    let document: Value = serde_json::from_str(answer).expect("JSON");
    document["outcome"].clone()
}

fn state(world: &World) -> PathBuf {
    world.repo().join(".git/trace/sequence.json")
}

/// Writes a plan from words and the subjects of commits, as a person would.
fn plan(world: &World, upstream: &str, lines: &[(&str, &str)]) -> String {
    let printed = world.ok(&["rebase", "--print-plan", upstream]);
    let id = |subject: &str| {
        let line =
            printed.lines().find(|line| line.starts_with("pick ") && line.splitn(3, ' ').nth(2) == Some(subject));
        line.unwrap_or_else(|| panic!("no '{subject}' in {printed}")).split(' ').nth(1).expect("an id").to_owned()
    };
    lines
        .iter()
        .map(|(word, subject)| match subject.split_once('|') {
            Some((old, new)) => format!("{word} {} {new}\n", id(old)),
            None => format!("{word} {} {subject}\n", id(subject)),
        })
        .collect()
}

/// `main` with three entries; `f` forked behind the second with two of its own.
fn forked(format: &str) -> World {
    let world = World::new(format);
    say(&world, "m1");
    say(&world, "m2");
    world.ok(&["checkout", "-b", "f"]);
    say(&world, "f1");
    say(&world, "f2");
    world.ok(&["checkout", "main"]);
    say(&world, "m3");
    world.ok(&["checkout", "f"]);
    world
}

/// As [`forked`], and both sides changed `m2`.
fn at_odds() -> World {
    let world = forked("sha1");
    edit(&world, &id_of(&world, "main", "m2"), "m2 by f");
    say(&world, "f3");
    world.ok(&["checkout", "main"]);
    edit(&world, &id_of(&world, "main", "m2"), "m2 by main");
    world.ok(&["checkout", "f"]);
    world
}

#[test]
fn a_rebase_keeps_ids_pins_tags_and_what_edits_point_to() {
    for format in ["sha1", "sha256"] {
        let world = forked(format);
        let f1 = id_of(&world, "f", "f1");
        // The branch edits its own entry: a peer refuses to rebase that.
        edit(&world, &f1, "f1, better");
        world.ok(&["pin", &f1]);
        world.ok(&["tag", "seen"]);
        let old = tip(&world, "f");
        world.ok(&["checkout", "main"]);
        world.ok(&["pin", &id_of(&world, "main", "m1")]);
        world.ok(&["checkout", "f"]);
        let before = world.git(&["log", "-4", "--format=%an %at %s", &old], &world.repo());
        let answer = outcome(&world.ok(&["rebase", "main", "--json"]));
        assert_eq!((&answer["end"], answer["commits"].as_array().map(Vec::len)), (&Value::from("done"), Some(4)));
        assert_eq!(words(&world, "f"), ["m1", "m2", "m3", "f1, better", "f2"]);
        let pins: Vec<String> = rows(&world, "f").into_iter().filter(|row| row.2).map(|row| row.1).collect();
        assert_eq!(pins, ["m1", "f1, better"], "pins of both sides");
        assert_eq!(id_of(&world, "f", "f1, better"), f1);
        assert_eq!(world.tip("refs/trace/tags/main/seen"), Some(old), "a tag names the old commits, as in git");
        let after = world.git(&["log", "-4", "--format=%an %at %s", &tip(&world, "f")], &world.repo());
        assert_eq!(after, before, "author and author time");
        let base = world.git(&["merge-base", &tip(&world, "f"), &tip(&world, "main")], &world.repo());
        assert_eq!(base.trim(), tip(&world, "main"));
        // The id of an entry names the commit that brought it in, on this branch.
        let shown = world.ok(&["log", "-1", "--json", &f1]);
        assert!(shown.contains("\"subject\":\"f1\""), "{shown}");
        let again = outcome(&world.ok(&["rebase", "main", "--json"]));
        assert_eq!(again["end"], "up-to-date", "twice is once");
        assert!(world.ok(&["rebase", "main"]).contains("already up to date"));
        world.fsck();
    }
}

#[test]
fn facts_of_commits_are_kept() {
    let world = World::new("sha1");
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/demo/session.jsonl");
    world.ok(&["import", "claude", file.to_str().expect("UTF-8")]);
    let branch = world.git(&["for-each-ref", "--format=%(refname)", "refs/trace/heads"], &world.repo());
    let branch = branch.lines().next().expect("a branch").strip_prefix("refs/trace/heads/").expect("ours").to_owned();
    world.ok(&["checkout", &branch]);
    let trailers = |revision: &str| -> Vec<String> {
        let text = world.git(&["log", "--format=%an %at%n%B", &format!("{revision}~3..{revision}")], &world.repo());
        let kept =
            |line: &&str| !["Trace-Total", "Trace-Count", "Trace-Next"].iter().any(|name| line.starts_with(name));
        text.lines().filter(kept).map(str::to_owned).collect()
    };
    let name = format!("refs/trace/heads/{branch}");
    let (old, before) = (world.tip(&name).expect("a branch"), trailers(&name));
    assert!(before.iter().any(|line| line.contains(" at=")), "{before:?}");
    world.ok(&["checkout", "-b", "other", "HEAD~3"]);
    say(&world, "a remark");
    world.ok(&["rebase", "HEAD", &branch]);
    assert_ne!(world.tip(&name), Some(old));
    assert_eq!(trailers(&name), before, "at=, source=, model, usage, session");
    world.fsck();
}

#[test]
fn what_is_there_already_is_skipped_and_told() {
    let world = forked("sha1");
    world.ok(&["checkout", "main"]);
    let picked = world.ok(&["cherry-pick", "f~1"]);
    assert!(picked.contains("cherry-pick: 1 commit"), "{picked}");
    assert_eq!(words(&world, "main"), ["m1", "m2", "m3", "f1"]);
    let again = world.ok(&["cherry-pick", "f~1"]);
    assert!(again.contains("already up to date") && again.contains("it is there already"), "{again}");
    let answer = outcome(&world.ok(&["rebase", "main", "f", "--json"]));
    assert_eq!(answer["skipped"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(words(&world, "f"), ["m1", "m2", "m3", "f1", "f2"]);
    assert!(world.ok(&["status"]).contains("main/f"), "HEAD went along");
    world.fsck();
}

#[test]
fn a_rebase_goes_where_it_is_told() {
    let world = forked("sha1");
    world.ok(&["checkout", "-b", "g"]);
    say(&world, "g1");
    world.ok(&["rebase", "--onto", "main", "f"]);
    assert_eq!(words(&world, "g"), ["m1", "m2", "m3", "g1"]);
    let before = tip(&world, "g");
    let dry = world.ok(&["rebase", "-n", "f"]);
    assert!(dry.contains("(dry run)"), "{dry}");
    assert_eq!(tip(&world, "g"), before);
    // Without an upstream there is nothing to go by; a remote's ref of the same name is one.
    assert!(world.fails(1, &["rebase"]).contains("has no upstream"));
    world.git(&["update-ref", "refs/trace/remotes/origin/main/g", &tip(&world, "f")], &world.repo());
    world.ok(&["rebase"]);
    assert_eq!(words(&world, "g"), ["m1", "m2", "f1", "f2", "m3", "g1"]);
    // A detached HEAD is moved, and no branch.
    world.ok(&["checkout", "--detach", "main"]);
    say(&world, "loose");
    let main = tip(&world, "main");
    world.ok(&["rebase", "f"]);
    assert_eq!(words(&world, "f"), ["m1", "m2", "f1", "f2"]);
    let here: Vec<String> = world.ok(&["context", "--as", "text"]).lines().map(str::to_owned).collect();
    assert!(here.iter().any(|line| line == "loose") && here.iter().any(|line| line == "m3"), "{here:?}");
    assert_eq!(tip(&world, "main"), main);
    assert!(world.fails(1, &["rebase", "main", "nowhere"]).contains("nowhere"));
    world.fsck();
}

#[test]
fn merges_are_flattened_or_kept() {
    let build = || {
        let world = forked("sha1");
        world.ok(&["checkout", "-b", "side"]);
        say(&world, "s1");
        world.ok(&["checkout", "-b", "inner"]);
        say(&world, "i1");
        world.ok(&["checkout", "side"]);
        say(&world, "s2");
        world.ok(&["merge", "--no-ff", "inner", "-m", "inner into side"]);
        world.ok(&["checkout", "f"]);
        say(&world, "f3");
        world.ok(&["merge", "side", "-m", "side into f"]);
        say(&world, "f4");
        world
    };
    // f2 is merged into f1, f1 into main: a peer loses what f2 had.
    let all = ["m1", "m2", "m3", "f1", "f2", "f3", "s1", "s2", "i1", "f4"];
    let sorted = |mut words: Vec<String>| {
        words.sort();
        words
    };
    let wanted = sorted(all.map(str::to_owned).to_vec());
    let flat = build();
    flat.ok(&["rebase", "main"]);
    assert!(!graph(&flat, "f").contains("into"), "{}", graph(&flat, "f"));
    assert_eq!(sorted(words(&flat, "f")), wanted);
    flat.fsck();

    let kept = build();
    let before = graph(&kept, "f");
    let order = words(&kept, "f");
    kept.ok(&["rebase", "--rebase-merges", "main"]);
    assert_eq!(graph(&kept, "f"), before.replacen("* m2\n", "* m3\n* m2\n", 1), "the same shape, on top of main");
    let now: Vec<String> = words(&kept, "f").into_iter().filter(|word| word != "m3").collect();
    assert_eq!(now, order);
    assert_eq!(sorted(words(&kept, "f")), wanted);
    let again = kept.ok(&["rebase", "--rebase-merges", "main"]);
    assert!(again.contains("already up to date"), "{again}");
    kept.fsck();
    // What others merged with main's help stays a merge; merging main itself is not needed any more.
    kept.ok(&["checkout", "main"]);
    say(&kept, "m4");
    kept.ok(&["checkout", "f"]);
    kept.ok(&["merge", "main", "-m", "main into f"]);
    say(&kept, "f5");
    kept.ok(&["rebase", "--rebase-merges", "main"]);
    assert!(!graph(&kept, "f").contains("main into f"), "{}", graph(&kept, "f"));
    assert_eq!(words(&kept, "f").len(), wanted.len() + 2);
    kept.fsck();
}

#[test]
fn octopus_and_evil_merges_keep_what_they_have() {
    let world = forked("sha1");
    for side in ["one", "two"] {
        world.ok(&["checkout", "-b", side, "f"]);
        say(&world, side);
    }
    world.ok(&["checkout", "f"]);
    world.ok(&["merge", "--no-ff", "one", "-m", "one into f"]);
    world.ok(&["merge", "two", "-m", "two into f"]);
    // git makes one merge of three parents out of it, with words that no side had.
    edit(&world, "@1", "two, evil");
    let octopus = world.git(&["cat-file", "commit", &tip(&world, "f")], &world.repo());
    let (head, message) = octopus.split_once("\n\n").expect("a commit");
    let tree = head.lines().next().expect("a tree");
    let parent = |name: &str| format!("parent {}\n", world.git(&["rev-parse", name], &world.repo()).trim());
    let forks = parent("refs/trace/heads/main/f~3")
        + &parent("refs/trace/heads/main/one")
        + &parent("refs/trace/heads/main/two");
    let people: String = head
        .lines()
        .filter(|line| line.starts_with("author") || line.starts_with("committer"))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut hash = world.command("git", &world.repo());
    hash.args(["hash-object", "-t", "commit", "-w", "--stdin"]);
    let made = feed(hash, format!("{tree}\n{forks}{people}\n{message}").as_bytes());
    let made = String::from_utf8(made.stdout).expect("an id").trim().to_owned();
    world.git(&["update-ref", "refs/trace/heads/main/f", &made], &world.repo());
    world.ok(&["rebase", "--rebase-merges", "main"]);
    let parents = world.git(&["log", "-1", "--format=%P", "refs/trace/heads/main/f"], &world.repo());
    assert_eq!(parents.split_whitespace().count(), 3, "{}", graph(&world, "f"));
    assert_eq!(words(&world, "f"), ["m1", "m2", "m3", "f1", "f2", "one", "two, evil"]);
    world.fsck();
}

#[test]
fn conflicts_stop_it_and_nothing_has_moved() {
    let world = at_odds();
    let before = tip(&world, "f");
    let said = world.fails(3, &["rebase", "main"]);
    assert!(said.contains("1 to settle; nothing has changed"), "{said}");
    assert_eq!(tip(&world, "f"), before);
    assert!(world.fails(1, &["rebase", "main"]).contains("a rebase is not finished"));
    assert!(world.fails(1, &["merge", "--continue"]).contains("a rebase is not finished"));
    let shown = world.ok(&["rebase", "--show"]);
    assert!(shown.contains("m2 by f") && shown.contains("m2 by main"), "{shown}");
    world.fails(3, &["rebase", "--continue"]);
    // An agent goes on with the branch meanwhile.
    say(&world, "f4");
    let m2 = id_of(&world, "main", "m2 by main");
    assert!(world.fails(1, &["rebase", "--ours", "zzz"]).contains("not in conflict"));
    world.ok_with(&["rebase", "--text", &m2], b"m2 by both");
    let done = outcome(&world.ok(&["rebase", "--continue", "--json"]));
    assert_eq!(done["end"], "done");
    assert_eq!(words(&world, "f"), ["m1", "m2 by both", "m3", "f1", "f2", "f3", "f4"]);
    assert!(!state(&world).exists());
    assert_eq!(world.tip("refs/worktree/trace/REBASE_HEAD"), None);
    world.fsck();

    let world = at_odds();
    world.fails(3, &["rebase", "main"]);
    world.ok(&["rebase", "--skip"]);
    assert_eq!(words(&world, "f"), ["m1", "m2 by main", "m3", "f1", "f2", "f3"]);
    let world = at_odds();
    let before = tip(&world, "f");
    world.fails(3, &["rebase", "main"]);
    world.ok(&["rebase", "--abort"]);
    assert_eq!((tip(&world, "f"), state(&world).exists()), (before, false));
    assert!(world.fails(1, &["rebase", "--abort"]).contains("no rebase is waiting"));
    world.ok(&["rebase", "-X", "theirs", "main"]);
    assert_eq!(words(&world, "f")[1], "m2 by f");
    world.fsck();
}

#[test]
fn several_conflicts_at_several_steps() {
    let world = forked("sha1");
    let (m1, m2) = (id_of(&world, "main", "m1"), id_of(&world, "main", "m2"));
    edit(&world, &m1, "m1 by f");
    edit(&world, &m2, "m2 by f");
    world.ok(&["checkout", "main"]);
    edit(&world, &m1, "m1 by main");
    world.ok(&["drop", &m2]);
    world.fails(3, &["rebase", "main", "f"]);
    assert!(world.ok(&["status"]).contains("main/main"), "HEAD moves when it has succeeded");
    world.ok(&["rebase", "--theirs"]);
    world.fails(3, &["rebase", "--continue"]);
    let shown = world.ok(&["rebase", "--show"]);
    assert!(shown.contains(&m2) && !shown.contains(&m1), "{shown}");
    world.ok(&["rebase", "--ours"]);
    world.ok(&["rebase", "--continue"]);
    assert_eq!(words(&world, "f"), ["m1 by f", "m3", "f1", "f2"]);
    assert!(world.ok(&["status"]).contains("main/f"));
    world.fsck();
}

#[test]
fn a_broken_state_has_a_way_out() {
    for broken in ["", "{", "[]", "{\"version\":99}", "\u{0}\u{1}", "{\"version\":1,\"verb\":\"rebase\"}"] {
        let world = at_odds();
        world.fails(3, &["rebase", "main"]);
        let before = tip(&world, "f");
        fs::write(state(&world), broken).expect("a state");
        for arguments in [&["rebase", "--continue"][..], &["rebase", "--show"], &["rebase", "main"], &["merge", "main"]]
        {
            let said = world.fails(1, arguments);
            assert!(said.contains("cannot read 'sequence.json'") && said.contains("--abort"), "{broken}: {said}");
        }
        world.ok(&["rebase", "--abort"]);
        assert_eq!((tip(&world, "f"), state(&world).exists()), (before, false), "{broken}");
    }
    // A state that wants to move what is no context.
    let world = at_odds();
    world.fails(3, &["rebase", "main"]);
    let text = fs::read_to_string(state(&world)).expect("a state");
    fs::write(state(&world), text.replace("refs/trace/heads/main/f", "refs/heads/main")).expect("a state");
    assert!(world.fails(1, &["rebase", "--continue"]).contains("is no ref of a context"));
    // One whose numbers point nowhere.
    let mut hostile: Value = serde_json::from_str(&text).expect("JSON");
    hostile["at"] = Value::from(999_999);
    fs::write(state(&world), hostile.to_string()).expect("a state");
    world.fails(3, &["rebase", "--skip"]);
    world.ok(&["rebase", "--abort"]);
    world.fsck();
}

#[test]
fn a_dropped_branch_goes_as_the_other_moves() {
    let world = forked("sha1");
    let f = tip(&world, "f");
    let said = world.trace(&["rebase", "main", "f", "--drop-branch"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(said.contains("main/f is gone") && said.contains(&f[..12]), "{said}");
    assert_eq!(words(&world, "main"), ["m1", "m2", "m3", "f1", "f2"]);
    assert_eq!(world.tip("refs/trace/heads/main/f"), None);
    assert!(world.ok(&["status"]).contains("main/main"), "HEAD was on it");
    world.fsck();
    // What stops keeps the branch; a branch that goes on meanwhile is taken with all it has.
    let world = at_odds();
    world.ok(&["checkout", "main"]);
    world.fails(3, &["rebase", "main", "f", "--drop-branch"]);
    assert!(world.tip("refs/trace/heads/main/f").is_some());
    say_on(&world, "f4", &["--branch", "f"]);
    say(&world, "m4");
    world.ok(&["rebase", "--theirs"]);
    world.ok(&["rebase", "--continue"]);
    assert_eq!(words(&world, "main"), ["m1", "m2 by f", "m3", "m4", "f1", "f2", "f3", "f4"]);
    assert_eq!(world.tip("refs/trace/heads/main/f"), None);
    assert!(world.fails(1, &["rebase", "main", "main", "--drop-branch"]).contains("cannot be dropped into itself"));
    assert!(world.fails(1, &["rebase", "HEAD~1", "--drop-branch"]).contains("a branch is expected"));
    world.fsck();
}

#[test]
fn a_plan_is_carried_out_word_by_word() {
    let world = forked("sha1");
    say(&world, "f3");
    say(&world, "f4");
    let printed = world.ok(&["rebase", "-i", "-n", "main"]);
    assert_eq!(printed.lines().filter(|line| line.starts_with("pick ")).count(), 4, "{printed}");
    assert_eq!(printed, world.ok(&["rebase", "--print-plan", "main"]));
    let untouched = world.ok_with(&["rebase", "--plan", "-", "main"], printed.as_bytes());
    assert!(untouched.contains("4 commits"), "{untouched}");
    world.ok(&["reset", "--hard", "f@{1}"]);
    let steps = plan(&world, "main", &[("p", "f2"), ("s", "f1"), ("r", "f3|in other words"), ("fixup", "f4")]);
    world.ok_with(&["rebase", "--plan", "-", "main"], steps.as_bytes());
    assert_eq!(words(&world, "f"), ["m1", "m2", "m3", "f2", "f1", "f3", "f4"]);
    assert_eq!(world.subjects("main/f")[3..], ["f2", "in other words"]);
    let message = world.git(&["log", "-1", "--format=%b", "refs/trace/heads/main/f~1"], &world.repo());
    assert!(message.starts_with("f1\n"), "a squash keeps both messages: {message}");
    world.fsck();
    // Left out with a word, and without.
    let steps = plan(&world, "main", &[("drop", "f2")]);
    let output = feed(world.trace(&["rebase", "--plan", "-", "main"]), steps.as_bytes());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("has no line for"), "{told}");
    assert_eq!(tip(&world, "f"), tip(&world, "main"));
    world.ok(&["reset", "--hard", "f@{1}"]);
    world.configure("rebase.missingCommitsCheck", "error");
    let output = feed(world.trace(&["rebase", "--plan", "-", "main"]), steps.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    world.fsck();
}

#[test]
fn a_plan_compresses_what_lines_in_a_row_brought() {
    let world = forked("sha1");
    say(&world, "f3");
    world.ok(&["pin", &id_of(&world, "f", "f2")]);
    say(&world, "f4");
    say(&world, "f5");
    let pin = world.subjects("main/f").into_iter().find(|subject| subject.starts_with("pin")).expect("a pin");
    let lines = ["f1", "f2", "f3", pin.as_str(), "f4", "f5"].map(|subject| ("compress", subject));
    let steps = plan(&world, "main", &lines);
    world.ok_with(&["rebase", "--plan", "-", "main"], steps.as_bytes());
    // What is pinned stays, and what stands alone beside it.
    assert_eq!(words(&world, "f"), ["m1", "m2", "m3", "f1", "f2", "user: f3\n\nuser: f4\n\nuser: f5\n"]);
    assert!(
        world.git(&["log", "--format=%B", "refs/trace/heads/main/f"], &world.repo()).contains("Trace-Op: compress")
    );
    world.fsck();
}

#[test]
fn a_plan_compresses_no_result_of_a_tool() {
    let world = forked("sha1");
    say(&world, "f3");
    say_on(&world, "a result that names no call", &["--role", "tool"]);
    say(&world, "f4");
    say(&world, "f5");
    let lines = world.subjects("main/f");
    let lines: Vec<(&str, &str)> = lines[2..].iter().map(|subject| ("compress", subject.as_str())).collect();
    world.ok_with(&["rebase", "--plan", "-", "main"], plan(&world, "main", &lines).as_bytes());
    let (before, after) = ("user: f1\n\nuser: f2\n\nuser: f3\n", "user: f4\n\nuser: f5\n");
    assert_eq!(words(&world, "f"), ["m1", "m2", "m3", before, "a result that names no call", after]);
    world.fsck();
}

#[test]
fn hostile_plans_are_refused_with_their_line() {
    let world = forked("sha1");
    let before = tip(&world, "f");
    let good = plan(&world, "main", &[("pick", "f1"), ("pick", "f2")]);
    let (first, second) = good.split_once('\n').expect("two lines");
    let other = tip(&world, "main");
    let refused = [
        (format!("# a remark\n\n{first}\nexec rm -rf /\n"), "plan, line 4: unknown word 'exec'"),
        (format!("{first}\n{first}\n{second}"), "plan, line 2: '"),
        (format!("pick {other}\n"), "is none of the commits to rebase"),
        ("pick\n".to_owned(), "is no commit id"),
        ("pick HEAD\n".to_owned(), "is no commit id"),
        (first.replace("pick", "squash"), "has no commit before it"),
        (first.replace("pick", "reword").replace(" f1", ""), "needs the new subject"),
        (format!("{}\n{}", first.replace("pick", "edit"), second.replace("pick", "fixup")), "has no commit before it"),
        ("\u{1b}[31mpick x\n".to_owned(), "unknown word"),
        ("# nothing\n".to_owned(), "the plan has no lines"),
        ("x".repeat(17 << 20), "the plan is no text, or too large"),
        (format!("{} {}", "p".repeat(100_000), "f".repeat(100_000)), "unknown word"),
    ];
    for (text, wanted) in refused {
        let output = feed(world.trace(&["rebase", "--plan", "-", "main"]), text.as_bytes());
        let said = String::from_utf8_lossy(&output.stderr);
        let shown: String = text.chars().take(60).collect();
        assert_eq!(output.status.code(), Some(1), "{shown}: {said}");
        assert!(said.contains(wanted) && said.len() < 2000 && !said.contains('\u{1b}'), "{shown}: {said}");
    }
    let output = feed(world.trace(&["rebase", "--plan", "-", "main"]), b"pick \xff\xfe\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((tip(&world, "f"), state(&world).exists()), (before, false));
}

#[test]
fn the_plan_is_edited_in_the_users_editor() {
    let world = forked("sha1");
    assert!(world.fails(1, &["rebase", "-i", "main"]).contains("no terminal"), "an agent is told what to do instead");
    let with = |editor: &str| {
        let mut command = world.trace(&["rebase", "-i", "main"]);
        command.env("GIT_SEQUENCE_EDITOR", editor);
        command.output().expect("it starts")
    };
    let output = with("false");
    assert_eq!(output.status.code(), Some(1), "who leaves the editor with a fault wants nothing done");
    assert_eq!(words(&world, "f"), ["m1", "m2", "f1", "f2"]);
    let output = with("sed -i -e '/f1$/s/^pick/drop/'");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(words(&world, "f"), ["m1", "m2", "m3", "f2"]);
    world.configure("sequence.editor", "sed -i d");
    say(&world, "f3");
    assert!(world.fails(1, &["rebase", "-i", "main"]).contains("the plan has no lines"));
    world.fsck();
}

#[test]
fn edit_pauses_and_goes_on_from_where_head_is() {
    let world = forked("sha1");
    say(&world, "f3");
    let before = tip(&world, "f");
    let steps = plan(&world, "main", &[("edit", "f1"), ("pick", "f2"), ("e", "f3")]);
    let begin = || {
        let answer = outcome(&world.ok_with(&["rebase", "--json", "--plan", "-", "main"], steps.as_bytes()));
        assert_eq!(answer["end"], "paused");
    };
    begin();
    assert!(world.ok(&["status"]).contains("detached"), "HEAD has what is done so far");
    assert_eq!(tip(&world, "f"), before, "the branch has not");
    say(&world, "on the way");
    world.ok(&["rebase", "--abort"]);
    assert!(world.ok(&["status"]).contains("main/f"));
    assert_eq!((tip(&world, "f"), state(&world).exists()), (before.clone(), false));
    begin();
    edit(&world, "@1", "f1, after a look");
    say(&world, "and more");
    let answer = outcome(&world.ok(&["rebase", "--continue", "--json"]));
    assert_eq!((&answer["end"], tip(&world, "f")), (&Value::from("paused"), before));
    // HEAD elsewhere is no place to go on from.
    world.ok(&["checkout", "main"]);
    let said = world.fails(1, &["rebase", "--continue"]);
    assert!(said.contains("not where the rebase paused"), "{said}");
    let back = said.lines().find_map(|line| line.split("git trace checkout ").nth(1)).expect("a way back").to_owned();
    world.ok(&["checkout", &back]);
    // Somebody goes on with the branch itself.
    say_on(&world, "f4", &["--branch", "f"]);
    world.ok(&["rebase", "--continue"]);
    assert!(world.ok(&["status"]).contains("main/f"), "HEAD is on the branch again");
    assert_eq!(words(&world, "f"), ["m1", "m2", "m3", "f1, after a look", "and more", "f2", "f3", "f4"]);
    assert_eq!(world.subjects("main/f")[3..], ["f1", "edit: f1, after a look", "and more", "f2", "f3", "f4"]);
    assert!(!state(&world).exists());
    world.fsck();
    let steps = plan(&world, "main", &[("edit", "f1")]);
    let mut elsewhere = world.trace(&["rebase", "--plan", "-", "main", "--branch", "f"]);
    elsewhere.env("GITTRACE_BRANCH", "main");
    world.ok(&["checkout", "main"]);
    let output = feed(elsewhere, steps.as_bytes());
    assert!(String::from_utf8_lossy(&output.stderr).contains("works on HEAD's own branch only"));
}

#[test]
fn a_conflict_behind_a_pause_keeps_what_was_changed() {
    let world = at_odds();
    let steps = plan(&world, "main", &[("edit", "f1"), ("pick", "f2"), ("pick", "edit: m2 by f"), ("pick", "f3")]);
    world.ok_with(&["rebase", "--plan", "-", "main"], steps.as_bytes());
    say(&world, "on the way");
    world.fails(3, &["rebase", "--continue"]);
    world.ok(&["rebase", "--both"]);
    world.ok(&["rebase", "--continue"]);
    assert_eq!(words(&world, "f"), ["m1", "m2 by main", "m2 by f", "m3", "f1", "on the way", "f2", "f3"]);
    assert!(world.ok(&["status"]).contains("main/f"));
    world.fsck();
}

#[test]
fn each_worktree_has_its_own() {
    let world = at_odds();
    world.git(&["commit", "-q", "--allow-empty", "-m", "code"], &world.repo());
    let other = world.root().join("other");
    world.git(&["worktree", "add", "-q", other.to_str().expect("UTF-8")], &world.repo());
    let there = |arguments: &[&str]| {
        let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), &other);
        command.args(arguments).output().expect("it starts").status.code()
    };
    world.fails(3, &["rebase", "main"]);
    assert_eq!(there(&["checkout", "-b", "g", "main"]), Some(0));
    assert_eq!(there(&["rebase", "--continue"]), Some(1), "nothing waits there");
    assert_eq!(there(&["cherry-pick", "f~1"]), Some(3));
    assert_eq!(there(&["cherry-pick", "--ours"]), Some(0));
    assert!(world.fails(1, &["cherry-pick", "--continue"]).contains("a rebase is not finished"));
    assert_eq!(there(&["cherry-pick", "--abort"]), Some(0));
    world.ok(&["rebase", "--theirs"]);
    world.ok(&["rebase", "--continue"]);
    world.fsck();
}

#[test]
fn picks_come_in_ranges_and_say_where_from() {
    let world = forked("sha1");
    say(&world, "f3");
    world.ok(&["checkout", "main"]);
    world.ok(&["cherry-pick", "-x", "main..f"]);
    assert_eq!(words(&world, "main"), ["m1", "m2", "m3", "f1", "f2", "f3"]);
    let body = world.git(&["log", "-1", "--format=%b", "refs/trace/heads/main/main"], &world.repo());
    assert!(body.contains(&format!("(cherry picked from commit {})", tip(&world, "f"))), "{body}");
    world.ok(&["reset", "--hard", "HEAD~3"]);
    world.ok(&["cherry-pick", "f", "f~2", "--message", "not for two"]);
    assert_eq!(words(&world, "main"), ["m1", "m2", "m3", "f3", "f1"]);
    world.ok(&["checkout", "-b", "m", "HEAD~2"]);
    world.ok(&["merge", "--no-ff", "f"]);
    world.ok(&["checkout", "main"]);
    assert!(world.fails(1, &["cherry-pick", "m"]).contains("is a merge"));
    assert!(world.fails(1, &["cherry-pick", "-m", "3", "m"]).contains("has no parent 3"));
    world.ok(&["cherry-pick", "-m", "1", "m"]);
    assert_eq!(words(&world, "main").len(), 6);
    world.fsck();
}

#[test]
fn calls_and_results_are_not_parted() {
    let world = World::new("sha1");
    say(&world, "m1");
    world.ok(&["checkout", "-b", "f"]);
    let call = br#"{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"ls","input":{}}]}"#;
    let result = br#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"a b"}]}"#;
    world.ok_with(&["commit", "--messages", "-m", "call"], call);
    world.ok_with(&["commit", "--messages", "-m", "result"], result);
    world.ok(&["checkout", "main"]);
    say(&world, "m2");
    let before = tip(&world, "main");
    for one in ["f", "f~1"] {
        let said = world.fails(1, &["cherry-pick", one]);
        assert!(said.contains("without its other half") && said.contains("--force"), "{said}");
    }
    // There is no such parent.
    world.fails(1, &["revert", "HEAD", "--message", "x", "-m", "7"]);
    assert_eq!(tip(&world, "main"), before);
    world.ok(&["cherry-pick", "HEAD..f"]);
    assert!(world.ok(&["context", "--as", "anthropic"]).contains("tool_result"), "valid for a provider");
    for one in ["HEAD", "HEAD~1"] {
        assert!(world.fails(1, &["revert", one]).contains("without its other half"));
    }
    world.ok(&["revert", "HEAD", "HEAD~1"]);
    assert_eq!(words(&world, "main"), ["m1", "m2"]);
    world.ok(&["cherry-pick", "f", "--force"]);
    // A plan may not part them either; a branch that waits for a result may be rebased.
    world.ok(&["checkout", "f"]);
    let steps = plan(&world, "main~5", &[("drop", "call"), ("pick", "result")]);
    let output = feed(world.trace(&["rebase", "--plan", "-", "main~5"]), steps.as_bytes());
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let steps = plan(&world, "main~5", &[("pick", "result"), ("pick", "call")]);
    let output = feed(world.trace(&["rebase", "--plan", "-", "main~5"]), steps.as_bytes());
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    world.ok(&["checkout", "-b", "waiting", "f~1"]);
    world.ok(&["rebase", "main~5"]);
    world.fsck();
}

#[test]
fn everything_can_be_taken_back() {
    let world = World::new("sha256");
    for text in ["m1", "m2", "m3"] {
        say(&world, text);
    }
    let m2 = id_of(&world, "main", "m2");
    let all = rows(&world, "main");
    let takes_back = |change: &dyn Fn()| {
        change();
        assert_ne!(rows(&world, "main"), all);
        say(&world, "later");
        world.ok(&["revert", "HEAD~1"]);
        let mut now = rows(&world, "main");
        assert_eq!(now.pop().map(|row| row.1).as_deref(), Some("later"));
        assert_eq!(now, all);
        world.ok(&["reset", "--hard", "HEAD~3"]);
    };
    takes_back(&|| edit(&world, &m2, "other words"));
    takes_back(&|| drop(world.ok(&["drop", &m2])));
    takes_back(&|| drop(world.ok(&["pin", &m2])));
    takes_back(&|| say(&world, "m4"));
    // What a plan compressed comes back under its old ids.
    takes_back(&|| {
        let start = world.git(&["rev-parse", "refs/trace/heads/main/main~2"], &world.repo()).trim().to_owned();
        let steps = plan(&world, &start, &[("c", "m2"), ("c", "m3")]);
        world.ok_with(&["rebase", "--plan", "-", &start], steps.as_bytes());
    });
    // A merge, and the taking back itself.
    world.ok(&["checkout", "-b", "f", "HEAD~1"]);
    say(&world, "f1");
    world.ok(&["checkout", "main"]);
    takes_back(&|| {
        world.ok(&["merge", "f"]);
        world.ok(&["revert", "-m", "1", "HEAD"]);
        world.ok(&["revert", "HEAD"]);
        let subjects = world.subjects("main/main");
        assert!(subjects.last().is_some_and(|subject| subject.starts_with("reapply: ")), "{subjects:?}");
    });
    // Changed since: somebody has to say.
    edit(&world, &m2, "one");
    edit(&world, &m2, "two");
    world.fails(3, &["revert", "HEAD~1"]);
    world.ok(&["revert", "--theirs"]);
    world.ok(&["revert", "--continue"]);
    assert_eq!(words(&world, "main")[1], "m2");
    assert!(world.fails(1, &["revert", "HEAD~9"]).contains("unknown revision"));
    world.fsck();
}

/// Kills the program at a random time, then sees to it that what was asked comes to its end.
fn survive(world: &World, arguments: &[&str], input: Option<&str>, usual: Duration) -> bool {
    let mut command = world.trace(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    if let Some(input) = input {
        use std::io::Write;
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    }
    std::thread::sleep(usual.mul_f64(fastrand::f64() * 1.3));
    let _ = child.kill();
    child.wait().expect("it has ended").success()
}

#[test]
fn killed_at_any_time_it_is_done_or_not() {
    let fresh = |world: &World| {
        let copy = World::new("sha1");
        fs::remove_dir_all(copy.repo()).expect("a folder");
        let from = world.repo();
        world.git(&["version"], world.root());
        let status = world.command("cp", world.root()).arg("-a").arg(from).arg(copy.repo()).status();
        assert!(status.expect("cp starts").success());
        copy
    };
    // A rebase that goes on, drops its branch and moves HEAD.
    let settled = at_odds();
    settled.fails(3, &["rebase", "main", "f", "--drop-branch"]);
    settled.ok(&["rebase", "--theirs"]);
    let wanted = {
        let done = fresh(&settled);
        done.ok(&["rebase", "--continue"]);
        words(&done, "main")
    };
    // A rebase that pauses.
    let pausing = forked("sha1");
    let steps = plan(&pausing, "main", &[("pick", "f1"), ("edit", "f2")]);
    let mut killed = 0;
    for _ in 0..amount(12, 150) {
        let world = fresh(&settled);
        killed += usize::from(!survive(&world, &["rebase", "--continue"], None, Duration::from_millis(40)));
        if state(&world).exists() {
            world.ok(&["rebase", "--continue"]);
        }
        assert_eq!(words(&world, "main"), wanted);
        assert_eq!(world.tip("refs/trace/heads/main/f"), None);
        assert!(world.ok(&["status"]).contains("main/main") && !state(&world).exists());
        world.fsck();

        let world = fresh(&pausing);
        let arguments = ["rebase", "--plan", "-", "main"];
        killed += usize::from(!survive(&world, &arguments, Some(&steps), Duration::from_millis(40)));
        let detached = world.ok(&["status"]).contains("detached");
        assert!(!detached || state(&world).exists(), "a HEAD that moved knows why");
        assert_eq!(tip(&world, "f"), tip(&pausing, "f"));
        if state(&world).exists() {
            while state(&world).exists() {
                world.ok(&["rebase", "--continue"]);
            }
            assert_eq!(words(&world, "f"), ["m1", "m2", "m3", "f1", "f2"]);
        }
        assert!(world.ok(&["status"]).contains("main/f"));
        world.fsck();
    }
    eprintln!("{killed} killed");
}

#[test]
fn a_crash_behind_the_move_of_the_branch_is_recognised() {
    let world = at_odds();
    world.fails(3, &["rebase", "main"]);
    world.ok(&["rebase", "--theirs"]);
    let text = fs::read_to_string(state(&world)).expect("a state");
    world.ok(&["rebase", "--continue"]);
    let done = tip(&world, "f");
    let mut remembered: Value = serde_json::from_str(&text).expect("JSON");
    remembered["landing"] =
        serde_json::json!({ "head": { "branch": "main/f" }, "tip": done, "done": 4, "pauses": false });
    fs::write(state(&world), remembered.to_string()).expect("a state");
    // An agent went on in the meantime, too.
    say(&world, "f4");
    let now = tip(&world, "f");
    world.ok(&["rebase", "--continue"]);
    assert_eq!((tip(&world, "f"), state(&world).exists()), (now, false));
    // The same file from before the move, when nothing of it is stored: it is carried out.
    let world = at_odds();
    world.fails(3, &["rebase", "main"]);
    world.ok(&["rebase", "--theirs"]);
    remembered["landing"]["tip"] = Value::from("0123456789012345678901234567890123456789");
    fs::write(state(&world), remembered.to_string()).expect("a state");
    world.ok(&["rebase", "--continue"]);
    assert_eq!(words(&world, "f"), ["m1", "m2 by f", "m3", "f1", "f2", "f3"]);
    world.fsck();
}

#[test]
fn random_histories_lose_nothing_and_double_nothing() {
    for round in 0..amount(5, 60) {
        let mut random = fastrand::Rng::with_seed(round as u64);
        let world = World::new(if round % 2 == 0 { "sha1" } else { "sha256" });
        for number in 0..8 {
            say(&world, &format!("base {number}"));
        }
        let base = rows(&world, "main");
        world.ok(&["checkout", "-b", "f"]);
        let mut changed: Vec<Option<Row>> = base.iter().cloned().map(Some).collect();
        let mut added: [Vec<Row>; 2] = [Vec::new(), Vec::new()];
        for (side, branch) in ["main", "f"].into_iter().enumerate() {
            world.ok(&["checkout", branch]);
            for step in 0..8 {
                // Each side changes every second entry of the beginning, and whatever it added.
                let own = added[side].len();
                match random.u8(..6) {
                    0..=1 => {
                        let text = format!("{branch} {step}");
                        say(&world, &text);
                        added[side].push((id_of(&world, branch, &text), text, false));
                    }
                    choice => {
                        let at = random.usize(..4 + own);
                        let slot = if at < 4 { changed[at * 2 + side].as_mut() } else { added[side].get_mut(at - 4) };
                        let Some(row) = slot else { continue };
                        match choice {
                            2..=3 if !row.2 => {
                                row.1 = format!("{branch} {step} edited");
                                edit(&world, &row.0.clone(), &row.1.clone());
                            }
                            4 if !row.2 => {
                                world.ok(&["pin", &row.0]);
                                row.2 = true;
                            }
                            5 if !row.2 => {
                                world.ok(&["drop", &row.0]);
                                match at {
                                    0..4 => changed[at * 2 + side] = None,
                                    _ => drop(added[side].remove(at - 4)),
                                }
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
        let model: Vec<Row> = changed.into_iter().flatten().chain(added.into_iter().flatten()).collect();
        world.ok(&["rebase", "main", "f"]);
        assert_eq!(rows(&world, "f"), model, "round {round}");
        assert!(world.ok(&["rebase", "main"]).contains("already up to date"), "round {round}");
        // Picking the same commits one by one comes to the same.
        let (main, f) = (tip(&world, "main"), tip(&world, "f"));
        world.ok(&["checkout", "main"]);
        if main != f {
            world.ok(&["cherry-pick", "main..f"]);
        }
        assert_eq!(rows(&world, "main"), model, "round {round}");
        world.fsck();
    }
}

#[test]
fn a_commit_that_is_left_out_takes_nothing_else_along() {
    for merges in [&[][..], &["--rebase-merges"]] {
        let world = World::new("sha1");
        say(&world, "m1");
        let shared = id_of(&world, "main", "m1");
        world.ok(&["checkout", "-b", "f"]);
        say(&world, "a");
        world.ok_with(&["edit", &shared], b"theirs");
        say(&world, "c");
        world.ok(&["checkout", "main"]);
        world.ok_with(&["edit", &shared], b"ours");
        world.ok(&["checkout", "f"]);
        world.fails(3, &[&["rebase", "main"], merges].concat());
        world.ok(&["rebase", "--skip"]);
        assert_eq!(words(&world, "f"), ["ours", "a", "c"], "{merges:?}");
        world.fsck();
    }
}

#[test]
fn each_commit_of_a_step_is_settled_on_its_own() {
    let world = World::new("sha1");
    say(&world, "m1");
    let shared = id_of(&world, "main", "m1");
    world.ok(&["checkout", "-b", "f"]);
    world.ok_with(&["edit", &shared, "-m", "one"], b"first of f");
    world.ok_with(&["edit", &shared, "-m", "two"], b"second of f");
    world.ok(&["checkout", "main"]);
    world.ok_with(&["edit", &shared], b"of main");
    world.ok(&["checkout", "f"]);
    let steps = plan(&world, "main", &[("pick", "one"), ("fixup", "two")]);
    let output = feed(world.trace(&["rebase", "--plan", "-", "main"]), steps.as_bytes());
    assert_eq!(output.status.code(), Some(3));
    // The words of the first are settled by hand; the second is asked for, with these words as ours.
    world.ok_with(&["rebase", "--text"], b"by hand");
    let shown: serde_json::Value = serde_json::from_str(&world.ok(&["rebase", "--show", "--json"])).expect("JSON");
    let conflict = &shown["outcome"]["conflicts"][0];
    assert_eq!([&conflict["ours"]["text"], &conflict["theirs"]["text"]], ["by hand", "second of f"]);
    world.ok(&["rebase", "--both"]);
    world.ok(&["rebase", "--continue"]);
    assert_eq!(words(&world, "f"), ["by hand", "second of f"]);
    let message = world.git(&["log", "-1", "--format=%B", "refs/trace/heads/main/f"], &world.repo());
    assert!(message.starts_with("one") && !message.contains("two"), "a fixup keeps no message: {message}");
    world.fsck();
}
