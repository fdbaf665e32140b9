//! Runs of workflows are recorded step by step, in commits and in `trace.md` alike; neither is ever silently wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use git_trace::run::trace_md::{Part, parse};
use serde_json::Value;

use crate::world::{World, amount, feed_within};

mod edits;
mod elsewhere;
mod history;
mod kills;
mod model;
mod turned;
mod written;

/// Runs `git trace … --json` and returns the document.
fn json(world: &World, arguments: &[&str]) -> Value {
    let said = world.ok(&[arguments, &["--json"]].concat());
    serde_json::from_str(&said).expect("JSON")
}

fn page(world: &World) -> PathBuf {
    world.repo().join("trace.md")
}

fn text(world: &World) -> String {
    std::fs::read_to_string(page(world)).expect("a trace.md")
}

fn status(world: &World) -> Value {
    json(world, &["run", "status"])["run"].clone()
}

fn start(world: &World) -> String {
    let said = json(world, &["run", "start", "deploy", "--task", "ship it"]);
    said["outcome"]["report"]["run"].as_str().expect("an id").to_owned()
}

const COMPLETE: [&str; 8] =
    ["step", "complete", "--summary", "did it", "--challenges", "a few", "--design-change", "none"];
const FAIL: [&str; 6] = ["step", "fail", "--attempted", "all of it", "--tried", "twice"];

/// Checks that the file says what the commits say.
fn assert_agrees(world: &World) {
    let report = status(world);
    assert_eq!(report["file_state"], "current", "{report}");
    let text = text(world);
    let parsed = parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let steps: Vec<_> = parsed
        .page
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Step(step) => Some(step),
            Part::Resume(_) => None,
        })
        .collect();
    assert_eq!(parsed.page.parts.len() - steps.len(), report["resumed"].as_u64().expect("a number") as usize);
    assert_eq!(parsed.page.task, report["task"].as_str().expect("a text"));
    let stored = report["steps"].as_array().expect("a list");
    assert_eq!(steps.len(), stored.len());
    for (shown, stored) in steps.into_iter().zip(stored) {
        let said = |name: &str| stored[name].as_str().map(str::to_owned);
        assert_eq!(Some(u64::from(shown.number)), stored["number"].as_u64());
        assert_eq!(Some(&shown.action), said("action").as_ref());
        assert_eq!(stored["status"], shown.status.name());
        assert_eq!(shown.summary, said("summary"));
        assert_eq!(shown.challenges, said("challenges"));
        assert_eq!((&shown.attempted, &shown.tried), (&said("attempted"), &said("tried")));
        let list = |name: &str| serde_json::from_value::<Option<Vec<String>>>(stored[name].clone()).expect("texts");
        assert_eq!(shown.design_changes, list("design_changes"));
        assert_eq!(shown.notes, list("notes").unwrap_or_default());
    }
}

#[test]
fn a_run_is_told_by_its_commits_and_its_file() {
    let world = World::new("sha1");
    let run = start(&world);
    assert!(run.starts_with("deploy-"), "{run}");
    world.ok(&["step", "start", "look", "around"]);
    let begun = text(&world);
    assert!(begun.starts_with("# Trace: deploy\n\n**Task:** ship it\n**Started:** "), "{begun}");
    let step = "\n---\n\n## Step 1: look around\n\n**Status:** in-progress\n**Summary:**\n**Challenges:**\n\
                **Design changes:**\n";
    assert!(begun.ends_with(&format!("**Status:** in-progress\n{step}")), "{begun}");
    world.ok(&["step", "note", "the", "door", "is", "open"]);
    std::fs::write(world.repo().join("made.txt"), "made").expect("a file");
    world.ok(&[&COMPLETE[..], &["--artifact", "made.txt"]].concat());
    world.ok(&["step", "start", "act"]);
    world.ok(&[
        "step",
        "complete",
        "--summary",
        "did",
        "--challenges",
        "none",
        "--design-change",
        "a queue",
        "--design-change",
        "two\nlines",
    ]);
    world.ok(&["run", "finish"]);
    assert_agrees(&world);
    let blob = world.git(&["hash-object", "made.txt"], &world.repo());
    let done = text(&world);
    assert!(done.contains(&format!("**Artifacts:**\n- made.txt (4 bytes, {})\n", blob.trim())), "{done}");
    assert!(done.contains("**Design changes:**\n- a queue\n- two\n      lines\n"), "{done}");

    let branch = format!("refs/trace/heads/run/{run}");
    let trailer = |name: &str| format!("%(trailers:key={name},valueonly,separator=)");
    let format = format!("--format=%s|{}|{}", trailer("Trace-Step"), trailer("Trace-Status"));
    let told = world.git(&["log", "--reverse", &format, &branch], &world.repo());
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "run deploy: ship it||in-progress",
            "step 1: look around|1 in-progress|in-progress",
            "note on step 1: the door is open|1 in-progress|in-progress",
            "step 1 completed: did it|1 completed|in-progress",
            "step 2: act|2 in-progress|in-progress",
            "step 2 completed: did|2 completed|in-progress",
            "completed||completed",
        ]
    );
    // What the file was is found again by git itself.
    let page =
        world.git(&["log", "-1", "--format=%(trailers:key=Trace-Page,valueonly,separator=)", &branch], &world.repo());
    assert_eq!(page.trim(), world.git(&["hash-object", "--no-filters", "trace.md"], &world.repo()).trim());

    let branch = format!("run/{run}");
    for arguments in [&["log"][..], &["show"], &["context"], &["verify", "--all"]] {
        world.ok(&[&["--branch", &branch], arguments].concat());
    }
    world.fsck();
    let listed = json(&world, &["run", "list"])["runs"][0].clone();
    assert_eq!((listed["run"].as_str(), listed["status"].as_str()), (Some(run.as_str()), Some("completed")));
    assert_eq!((listed["workflow"].as_str(), listed["folder"].as_str()), (Some("deploy"), Some(".")));
    let files = world.git(&["status", "--porcelain"], &world.repo());
    assert_eq!(files.lines().collect::<Vec<_>>(), ["?? made.txt", "?? trace.md"], "nothing else is touched");
}

#[test]
fn what_may_not_follow_is_refused() {
    let world = World::new("sha1");
    let refused = |code: i32, arguments: &[&str], word: &str| {
        let said = world.fails(code, arguments);
        assert!(said.contains(word), "{arguments:?}: {said}");
        assert!(said.contains("hint: ") || code == 2, "{said}");
    };
    refused(1, &["step", "start", "x"], "no run has its trace");
    refused(1, &["run", "start", "deploy"], "a new run needs a task");
    start(&world);
    refused(1, &COMPLETE, "no step yet");
    refused(1, &["run", "finish"], "no step yet");
    refused(1, &["run", "resume"], "nothing has failed");
    world.ok(&["step", "start", "one"]);
    refused(1, &["step", "start", "two"], "step 1 is in progress: one");
    refused(1, &["run", "finish"], "step 1 is in progress");
    refused(2, &["step", "complete", "--summary", "s", "--challenges", "c"], "--design-change");
    let said = world.fails(1, &["step", "complete", "--summary", " ", "--challenges", "c", "--design-change", "none"]);
    assert!(said.contains("step 1 has no summary"), "{said}");
    refused(2, &["step", "fail", "--attempted", "a"], "--tried");
    refused(1, &[&COMPLETE[..], &["--artifact", "/etc/hostname"]].concat(), "cannot be an artifact");
    world.ok(&COMPLETE);
    refused(1, &COMPLETE, "step 1 is completed");
    refused(1, &["run", "status", "--run", "nothing"], "no run 'nothing'");
    world.ok(&["step", "start", "two"]);
    world.ok(&FAIL);
    refused(1, &["step", "start", "three"], "step 2 has failed, and no person has resumed");
    refused(1, &["run", "finish"], "the run is failed");
    world.ok(&["run", "resume", "-m", "the key was wrong"]);
    world.ok(&["step", "start", "three"]);
    world.ok(&COMPLETE);
    world.ok(&["run", "finish"]);
    refused(1, &["step", "start", "four"], "the run is completed");
    assert_agrees(&world);
    assert!(text(&world).contains("## Resume\n\n**At:** "), "{}", text(&world));
}

#[test]
fn a_run_that_was_left_is_never_gone_on_with_silently() {
    let world = World::new("sha1");
    let again = |more: &[&str]| {
        let said = json(&world, &[&["run", "start", "deploy"], more].concat());
        (said["outcome"]["began"].as_str().expect("a word").to_owned(), said["outcome"]["report"].clone())
    };
    start(&world);
    assert_eq!(again(&[]).0, "continue");
    world.ok(&["step", "start", "one"]);
    std::fs::write(world.repo().join("a"), "1").expect("a file");
    std::fs::write(world.repo().join("b"), "1").expect("a file");
    world.ok(&["step", "note", "x", "--artifact", "a", "--artifact", "b"]);
    let said = world.fails(3, &["run", "start", "deploy"]);
    assert!(
        said.contains("was left within step 1: one") && said.contains("--rerun") && said.contains("--investigate"),
        "{said}"
    );
    std::fs::remove_file(world.repo().join("a")).expect("it was there");
    std::fs::write(world.repo().join("b"), "2").expect("a file");
    let (began, report) = again(&["--investigate"]);
    assert_eq!((began.as_str(), report["next"]["what"].as_str()), ("investigate", Some("end")));
    assert_eq!((report["missing"][0].as_str(), report["changed"][0].as_str()), (Some("a"), Some("b")));
    assert_eq!(report["last_resume"]["missing"][0], "a");
    let (began, report) = again(&["--rerun"]);
    assert_eq!((began.as_str(), report["steps"].as_array().expect("steps").len()), ("rerun", 2));
    assert_eq!((&report["steps"][0]["interrupted"], &report["steps"][1]["interrupted"]), (&true.into(), &false.into()));
    assert_eq!(report["steps"][1]["action"], "one");
    world.ok(&COMPLETE);
    let (began, report) = again(&[]);
    assert_eq!((began.as_str(), &report["next"]["step"]), ("continue", &3.into()));
    world.ok(&["step", "start", "two"]);
    world.ok(&FAIL);
    let said = world.fails(3, &["run", "start", "deploy", "--rerun"]);
    assert!(said.contains("is failed: step 3, two") && said.contains("run resume"), "{said}");
    world.ok(&["run", "resume"]);
    assert_eq!(again(&[]).0, "continue");
    world.ok(&["step", "start", "three"]);
    world.ok(&COMPLETE);
    world.ok(&["run", "finish"]);
    let before = world.tip(&format!("refs/trace/heads/run/{}", report["run"].as_str().expect("an id")));
    assert_eq!(again(&["--task", "ship it"]).0, "done");
    assert_eq!(before, world.tip(&format!("refs/trace/heads/run/{}", report["run"].as_str().expect("an id"))));
    let said = world.fails(3, &["run", "start", "deploy", "--task", "something else"]);
    assert!(said.contains("has another task: ship it"), "{said}");
    let said = world.fails(1, &["run", "start", "other", "--task", "x"]);
    assert!(said.contains("of workflow 'deploy'"), "{said}");
    assert_agrees(&world);
    world.fsck();
}

#[test]
fn another_run_in_the_folder_keeps_the_earlier_trace() {
    let world = World::new("sha1");
    let first = start(&world);
    world.ok(&["step", "start", "one"]);
    let old = text(&world);
    let said = world.ok(&["run", "start", "deploy", "--task", "again", "--new", "-n"]);
    assert!(said.contains("(dry run)") && text(&world) == old, "{said}");
    let said = json(&world, &["run", "start", "deploy", "--task", "again", "--new"]);
    let kept = format!("trace.{first}.md");
    assert_eq!(said["outcome"]["kept"], kept.as_str());
    assert_eq!(std::fs::read_to_string(world.repo().join(&kept)).expect("it is kept"), old);
    assert!(text(&world).contains("**Task:** again\n"));
    assert_agrees(&world);
    // There is a way back, and a way there again.
    for command in said["outcome"]["change"]["undo"].as_str().expect("commands").split(" && ") {
        world.ok(&command.split(' ').skip(2).collect::<Vec<_>>());
    }
    assert_eq!(text(&world), old);
    assert_agrees(&world);
    json(&world, &["run", "start", "deploy", "--task", "again", "--new"]);
    assert_agrees(&world);
    // Each is brought up to date in its own file.
    world.ok(&[&COMPLETE[..], &["--run", &first]].concat());
    assert!(std::fs::read_to_string(world.repo().join(&kept)).expect("it is kept").contains("**Summary:** did it"));
    assert_eq!(json(&world, &["run", "list"])["runs"].as_array().expect("a list").len(), 2);
    world.ok(&["step", "start", "first of the second"]);
    assert!(text(&world).contains("## Step 1: first of the second"));
    // And in a folder of its own without any of that.
    world.ok(&["run", "start", "other", "--task", "aside", "--dir", "tasks/a b"]);
    world.ok(&["step", "start", "there", "--dir", "tasks/a b"]);
    let there = std::fs::read_to_string(world.repo().join("tasks/a b/trace.md")).expect("a file");
    assert!(there.contains("# Trace: other") && there.contains("## Step 1: there"));
    std::fs::create_dir(world.repo().join("tasks/a b/deep")).expect("a folder");
    let inner = world.ok(&["-C", "tasks/a b/deep", "run", "status"]);
    assert!(inner.contains("workflow other"), "the nearest folder with a run: {inner}");
    for (dir, word) in [("..", "outside"), (".git", "git directory"), ("trace.md", "no folder")] {
        let said = world.fails(1, &["run", "start", "x", "--task", "t", "--dir", dir]);
        assert!(said.contains(word), "{said}");
    }
    world.fsck();
}

#[test]
fn somebody_elses_file_is_never_overwritten() {
    let world = World::new("sha1");
    for theirs in ["# My notes\n", "# Trace: deploy\n\n**Task:** t\n**Started:** s\n**Status:** failed\n"] {
        std::fs::write(page(&world), theirs).expect("a file");
        let said = world.fails(1, &["run", "start", "deploy", "--task", "t"]);
        assert!(said.contains("'trace.md' is in the way") && said.contains("--dir"), "{said}");
        assert_eq!(text(&world), theirs);
    }
    std::fs::remove_file(page(&world)).expect("it was there");
    std::fs::write(world.root().join("outside"), "precious").expect("a file");
    std::os::unix::fs::symlink(world.root().join("outside"), page(&world)).expect("a link");
    let said = world.fails(1, &["run", "start", "deploy", "--task", "t"]);
    assert!(said.contains("no plain file"), "{said}");
    assert_eq!(std::fs::read_to_string(world.root().join("outside")).expect("it is there"), "precious");
    assert_eq!(json(&world, &["run", "list"])["runs"].as_array().expect("a list").len(), 0, "nothing was recorded");
}

#[test]
fn a_rehearsal_changes_nothing() {
    let world = World::new("sha1");
    world.ok(&["run", "start", "deploy", "--task", "t", "-n"]);
    assert!(!page(&world).exists() && world.git(&["count-objects"], &world.repo()).starts_with("0 objects"));
    start(&world);
    let state =
        || (text(&world), world.git(&["for-each-ref"], &world.repo()), world.git(&["count-objects"], &world.repo()));
    let before = state();
    let said = json(&world, &["step", "start", "one", "-n"]);
    assert_eq!((&said["outcome"]["step"], &said["outcome"]["commit"]), (&1.into(), &Value::Null));
    assert_eq!(state(), before);
    world.ok(&["step", "start", "one"]);
    std::fs::write(page(&world), text(&world).replace("ship it", "ship it all")).expect("a file");
    let before = state();
    for verb in [&COMPLETE[..], &FAIL, &["step", "note", "x"], &["run", "sync"], &["run", "sync", "--discard"]] {
        world.ok(&[verb, &["-n"]].concat());
        assert_eq!(state(), before, "{verb:?}");
    }
    world.fails(1, &["run", "finish", "-n"]);
    assert_eq!(state(), before);
}

#[test]
fn secrets_are_replaced_in_commits_and_file_alike() {
    let world = World::new("sha1");
    let key = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    world.ok(&["run", "start", "deploy", "--task", &format!("use {key}")]);
    world.ok(&["step", "start", &format!("try {key}")]);
    let summary = format!("it is {key}\n---\n{key}");
    let arguments = ["step", "complete", "--summary", &summary, "--challenges", key, "--design-change", key];
    let output = world.trace(&arguments).output().expect("it starts");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("secrets were replaced"));
    std::fs::write(page(&world), text(&world).replace("**Challenges:** ", &format!("**Challenges:** {key} ")))
        .expect("a file");
    world.ok(&["step", "note", key]);
    // The task as it was given is that of the run still.
    world.ok(&["run", "start", "deploy", "--task", &format!("use {key}")]);
    assert!(!text(&world).contains(key), "{}", text(&world));
    assert_agrees(&world);
    let mut all = world.command("git", &world.repo());
    let objects = all.args(["cat-file", "--batch-all-objects", "--batch"]).output().expect("git starts").stdout;
    assert!(objects.len() > 1000 && !String::from_utf8_lossy(&objects).contains(key));
    world.ok(&["verify", "--all"]);
    world.fsck();
}

#[test]
fn design_changes_are_found_over_all_runs() {
    let world = World::new("sha1");
    for (workflow, date, changes) in [
        ("deploy", "1780000000", ["a queue, not a table", "none"]),
        ("review", "1790000000", ["fewer tests", "no queue"]),
    ] {
        let run = |arguments: &[&str]| {
            let mut command = world.trace(arguments);
            command.env("GIT_COMMITTER_DATE", format!("{date} +0000"));
            assert!(command.output().expect("it starts").status.success(), "{arguments:?}");
        };
        run(&["run", "start", workflow, "--task", "t", "--dir", workflow]);
        for change in changes {
            run(&["step", "start", "work", "--dir", workflow]);
            run(&[
                "step",
                "complete",
                "--summary",
                "s",
                "--challenges",
                "c",
                "--design-change",
                change,
                "--dir",
                workflow,
            ]);
        }
    }
    let found = |more: &[&str]| {
        let said = json(&world, &[&["run", "drift"], more].concat());
        let changes = said["changes"].as_array().expect("a list").clone();
        changes.iter().map(|one| one["change"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]), ["fewer tests", "no queue", "a queue, not a table"]);
    assert_eq!(found(&["--workflow", "deploy"]), ["a queue, not a table"]);
    assert_eq!(found(&["--grep", "QUEUE"]), ["no queue", "a queue, not a table"]);
    assert_eq!(found(&["--since", "2026-09-01"]), ["fewer tests", "no queue"]);
    assert_eq!(found(&["--since", "2026-09-01", "--grep", "tests", "--workflow", "review"]), ["fewer tests"]);
    world.fails(1, &["run", "drift", "--since", "whenever"]);
    assert!(world.ok(&["run", "drift", "--grep", "table"]).contains("    a queue, not a table\n"));
}

#[test]
fn a_bare_repository_and_other_hashes_have_runs_too() {
    let world = World::new("sha256");
    let bare = world.root().join("bare.git");
    world.git(&["init", "-q", "--bare", "--object-format=sha256", "bare.git"], world.root());
    let trace = |arguments: &[&str]| {
        let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), &bare);
        let output = command.args(arguments).output().expect("it starts");
        (output.status.code(), [output.stdout, output.stderr].concat())
    };
    let ok = |arguments: &[&str]| {
        let (code, said) = trace(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&said));
        String::from_utf8_lossy(&said).into_owned()
    };
    ok(&["run", "start", "deploy", "--task", "t"]);
    ok(&["step", "start", "one"]);
    assert_eq!(trace(&["run", "start", "deploy"]).0, Some(3));
    ok(&COMPLETE);
    assert!(ok(&["run", "start", "deploy"]).contains("step 2 comes next"));
    ok(&["step", "start", "two"]);
    ok(&COMPLETE);
    ok(&["run", "finish"]);
    ok(&["verify", "--all"]);
    assert!(!bare.join("trace.md").exists());
    start(&world);
    world.ok(&["step", "start", "one"]);
    assert_agrees(&world);
    world.fsck();
}

#[test]
fn two_worktrees_have_their_own_runs_in_the_same_folder() {
    let world = World::new("sha1");
    world.git(&["commit", "-q", "--allow-empty", "-m", "first"], &world.repo());
    world.git(&["worktree", "add", "-q", "../other"], &world.repo());
    let other = world.root().join("other");
    let there = |arguments: &[&str]| {
        let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), &other);
        let output = command.args(arguments).output().expect("it starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let run = start(&world);
    there(&["run", "start", "review", "--task", "look"]);
    world.ok(&["step", "start", "here"]);
    there(&["step", "start", "there"]);
    assert!(text(&world).contains("# Trace: deploy") && text(&world).contains("## Step 1: here"));
    let text_there = || std::fs::read_to_string(other.join("trace.md")).expect("a file");
    assert!(text_there().contains("# Trace: review") && text_there().contains("## Step 1: there"));
    // From elsewhere it is recorded, and the file follows.
    let before = text_there();
    let said = there(&["step", "note", "from elsewhere", "--run", &run]);
    assert!(said.contains("in another worktree") && text_there() == before, "{said}");
    assert_eq!(status(&world)["file_state"], "outdated");
    world.ok(&["run", "sync"]);
    assert_agrees(&world);
    assert!(text(&world).contains("- from elsewhere\n"));
}

#[test]
fn many_at_once_record_everything_once() {
    let world = World::new("sha1");
    start(&world);
    let children: Vec<_> = (0..6).map(|nth| begun(world.trace(&["step", "start", &format!("by {nth}")]))).collect();
    let won = children.into_iter().map(done).filter(|won| *won).count();
    assert_eq!(won, 1, "one of them has begun the step");
    let children: Vec<_> = (0..6).map(|nth| begun(world.trace(&["step", "note", &format!("note {nth}")]))).collect();
    assert!(children.into_iter().all(done));
    let notes = status(&world)["steps"][0]["notes"].clone();
    let mut notes: Vec<String> = serde_json::from_value(notes).expect("texts");
    notes.sort();
    assert_eq!(notes, (0..6).map(|nth| format!("note {nth}")).collect::<Vec<_>>());
    assert_agrees(&world);
    world.fsck();
}

fn begun(mut command: Command) -> std::process::Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

fn done(mut child: std::process::Child) -> bool {
    child.wait().expect("it ends").success()
}

/// Changes an entry of a run's branch to something that no command writes, as a hostile server could send it.
fn tamper(world: &World, run: &str, at: usize, body: &str) {
    let branch = format!("run/{run}");
    let entry = format!("@{at}");
    world.ok_with(&["--branch", &branch, "edit", &entry, "-F", "-"], body.as_bytes());
}

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// Longer than any command takes that finds what a killed one left.
const PATIENCE: Duration = Duration::from_secs(15);

fn within(world: &World, arguments: &[&str]) -> std::process::Output {
    feed_within(PATIENCE, world.trace(arguments), b"")
}

fn rounds(quick: usize, soak: usize) -> usize {
    amount(quick, soak)
}
