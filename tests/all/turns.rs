//! Workflows run in turns by a scripted agent: every ending, every point at which it may be killed.

mod script;

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use self::script::{Play, Script};

use self::script::only_tracker;
use crate::world::{World, amount};

const DONE: &str = "all is done\n<!-- WORKFLOW_COMPLETE -->\n";

fn looping() -> Value {
    json!({ "enabled": true, "maxIterations": 5, "retryBackoffMs": 1 })
}

fn tracker(text: &str) -> Play<'_> {
    Play { tracker: Some(text), ..Play::default() }
}

/// Returns the values of a trailer on a run's commits, oldest first.
fn trailers(world: &World, run: &str, name: &str) -> Vec<String> {
    let format = format!("--format=%(trailers:key={name},valueonly,separator=%x20)");
    let log = world.git(&["log", "--reverse", &format, &format!("refs/trace/heads/run/{run}")], &world.repo());
    log.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn sound(world: &World) {
    world.fsck();
    world.ok(&["verify", "--all"]);
}

#[test]
fn a_run_is_done_when_the_tracker_says_so() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", looping());
    script.play(Play { out: "first words", ..tracker("one") });
    script.play(tracker("two"));
    script.play(Play { out: "last words", ..tracker(DONE) });
    let (code, last, events) = script.run(&["--", "cost", "$$5", "and", "$& {sessionId}"]);
    assert_eq!((code, &last["status"], &last["iterations"]), (0, &json!("completed"), &json!(3)), "{last}");
    assert_eq!(last["finalMessage"], "last words");
    let run = last["run"].as_str().expect("an id").to_owned();
    let path = format!(".gittrace/runs/{run}/tracker.md");

    let first = script.prompt(1);
    assert!(first.ends_with("\n\n---\n\nDo: cost $$5 and $& {sessionId}"), "{first}");
    assert!(first.contains(&format!("# Steps\nTracker {path}, run {run} {run}.")), "{first}");
    assert!(first.starts_with("# How this run works"), "{first}");
    assert!(script.prompt(2).contains(&format!("The tracker at {path} says what is done")), "{}", script.prompt(2));

    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    let turn = ["turn.started", "runtime.started", "iteration.complete", "runtime.decision"];
    let wanted = [&["exec.started", "run.started"], &turn[..], &turn, &turn, &["exec.completed"]].concat();
    assert_eq!(kinds, wanted);
    let seqs: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>());

    // Each turn is two commits: before the agent starts, and after it ended.
    let subjects = world.subjects(&format!("run/{run}"));
    assert_eq!(subjects.len(), 7, "{subjects:?}");
    assert!(subjects[1].starts_with("turn 1 begins: "), "{subjects:?}");
    assert_eq!(subjects[2], "turn 1 done: first words");
    // The tracker is one entry, whose history is that of a file.
    let diff =
        world.git(&["log", "-p", "--format=", &format!("refs/trace/heads/run/{run}"), "--", "*.note.*"], &world.repo());
    assert!(diff.contains("-two") && diff.contains("+all is done"), "{diff}");
    assert_eq!(world.git(&["status", "--porcelain", "--", ".gittrace"], &world.repo()), "");
    sound(&world);
}

#[test]
fn every_ending_has_its_own_exit_code() {
    for (name, plays, limits, code, status, reason) in [
        ("blocked", vec![tracker("x\n<!-- WORKFLOW_BLOCKED: need token -->")], json!({}), 8, "blocked", "need token"),
        (
            "exhausted",
            vec![tracker("a"), tracker("b"), tracker("c")],
            json!({ "maxIterations": 2 }),
            9,
            "exhausted",
            "2 turns, and no end",
        ),
        ("untouched", vec![Play::default()], json!({}), 1, "failed", "the agent left the tracker as it was made"),
        (
            "gone",
            vec![Play { run: Some("rm \"$GITTRACE_TRACKER\""), ..Play::default() }],
            json!({}),
            1,
            "failed",
            "the tracker is gone",
        ),
        (
            "hard",
            vec![Play { exit: 2, err: "boom", ..tracker("x") }],
            json!({}),
            10,
            "suspended",
            "exit status: 2: boom",
        ),
        (
            "once",
            vec![Play { exit: 3, err: "boom", ..Play::default() }],
            json!({ "enabled": false }),
            1,
            "failed",
            "exit status: 3: boom",
        ),
    ] {
        let world = World::new("sha1");
        let mut rules = looping();
        limits.as_object().expect("an object").iter().for_each(|(key, value)| rules[key] = value.clone());
        let mut script = Script::new(&world, "agent", rules);
        plays.into_iter().for_each(|play| script.play(play));
        let (ended, last, _) = script.run(&[]);
        assert_eq!(ended, code, "{name}: {last}");
        assert_eq!((&last["status"], &last["stopReason"]), (&json!(status), &json!(reason)), "{name}");
        assert_eq!(last["exitCode"], code, "{name}");
        let run = last["run"].as_str().expect("an id");
        let listed = world.ok(&["run", "status", "--run", run, "--json"]);
        assert!(listed.contains(status), "{name}: {listed}");
        sound(&world);
    }
}

#[test]
fn without_a_loop_one_turn_is_all() {
    let world = World::new("sha256");
    let mut script = Script::new(&world, "agent", json!({ "enabled": false }));
    script.play(Play { out: "answer", ..Play::default() });
    let (code, last, _) = script.run(&[]);
    assert_eq!((code, &last["status"], &last["tracker"]), (0, &json!("completed"), &Value::Null));
    assert!(!world.repo().join(".gittrace/runs").exists(), "no tracker");
    assert!(script.prompt(1).starts_with("# Steps"), "no protocol: {}", script.prompt(1));
    sound(&world);
}

#[test]
fn a_marker_above_other_text_ends_nothing() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", looping());
    script.play(tracker("<!-- WORKFLOW_COMPLETE -->\nsummary"));
    script.play(tracker("summary\n<!-- WORKFLOW_COMPLETE -->"));
    let (code, last, _) = script.run(&[]);
    assert_eq!((code, &last["iterations"]), (0, &json!(2)), "{last}");
}

#[test]
fn failures_that_pass_are_tried_again_and_do_not_count() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", looping());
    script.play(Play { exit: 1, err: "API Error: 429 rate limit", ..tracker("x") });
    script.play(Play { exit: 1, err: "529 overloaded", ..tracker("x") });
    script.play(tracker(DONE));
    let (code, last, events) = script.run(&[]);
    assert_eq!((code, &last["iterations"], &last["turns"]), (0, &json!(1), &json!(3)), "{last}");
    assert_eq!(events.iter().filter(|event| event["type"] == "run.retry").count(), 2);
    assert_eq!(script.prompt(3), script.prompt(1), "the same is asked again");

    let world = World::new("sha1");
    let script = Script::new(&world, "agent", json!({ "enabled": true, "retryCap": 1, "retryBackoffMs": 1 }));
    script.play_last(Play { exit: 1, err: "overloaded", ..tracker("x") });
    let (code, last, _) = script.run(&[]);
    assert_eq!((code, &last["turns"]), (10, &json!(2)), "{last}");
}

#[test]
fn an_agent_that_stops_without_a_word_is_nudged_in_its_session() {
    let world = World::new("sha1");
    let script = Script::new(&world, "claude", json!({ "enabled": true, "nudgeCap": 2, "maxIterations": 9 }));
    let told = r#"{"type":"system","subtype":"init","session_id":"5e55"}
{"type":"assistant","message":{"id":"m1","model":"c","usage":{"input_tokens":10,"output_tokens":2},"content":[{"type":"tool_use","name":"Bash"}]}}
{"type":"result","result":"I stopped","session_id":"5e55","total_cost_usd":0.25,"usage":{"input_tokens":10,"output_tokens":2}}
"#;
    script.play_last(Play { out: told, ..tracker("same") });
    let (code, last, events) = script.run(&[]);
    assert_eq!((code, &last["status"], &last["iterations"]), (10, &json!("suspended"), &json!(3)), "{last}");
    assert_eq!(script.arguments(1), "-p --output-format stream-json --verbose");
    assert_eq!(script.arguments(2), "-p --output-format stream-json --verbose --resume 5e55");
    assert!(script.prompt(2).starts_with("You stopped, and the tracker at"), "{}", script.prompt(2));
    assert!(!script.prompt(2).contains("{"), "all is filled in: {}", script.prompt(2));
    assert_eq!(
        last["tokens"],
        json!({
            "input": 30, "output": 6, "cacheRead": null, "cacheWrite": null, "total": 36, "contextSize": 10,
            "contextWindowSize": null,
        })
    );
    assert_eq!((&last["costUsd"], &last["finalMessage"]), (&json!(0.75), &json!("I stopped")));
    let tools: Vec<&str> = events.iter().filter_map(|event| event["data"]["toolName"].as_str()).collect();
    assert_eq!(tools, ["Bash", "Bash", "Bash"]);
    let run = last["run"].as_str().expect("an id");
    assert_eq!(trailers(&world, run, "Trace-Turn-Session"), ["claude:5e55"; 3]);
    assert_eq!(trailers(&world, run, "Trace-Cost"), ["0.2500 USD"; 3]);
    sound(&world);
}

#[test]
fn the_agents_own_session_is_linked() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "claude", looping());
    let repo = world.repo();
    let slug: String =
        repo.display().to_string().chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect();
    let id = "0b1c2d3e-1111-4222-8333-444455556666";
    let line = json!({
        "type": "user", "uuid": "u1", "parentUuid": null, "sessionId": id, "cwd": repo, "version": "2.0.0",
        "timestamp": "2026-11-20T10:00:00.000Z", "message": { "role": "user", "content": "hello" },
    });
    let home = world.home();
    let run =
        format!("mkdir -p '{0}'; echo '{line}' > '{0}/{id}.jsonl'", home.join(".claude/projects").join(slug).display());
    let told = json!({ "type": "result", "result": "ok", "session_id": id }).to_string();
    script.play(Play { out: &told, run: Some(&run), ..tracker(DONE) });
    let (code, last, _) = script.run(&[]);
    assert_eq!(code, 0, "{last}");
    let run = last["run"].as_str().expect("an id");
    let linked = trailers(&world, run, "Trace-Turn-Branch");
    assert_eq!(linked, ["claude-0b1c2d3e/main"]);
    assert!(world.tip("refs/trace/heads/claude-0b1c2d3e/main").is_some());
}

#[test]
fn a_person_answers_and_the_run_goes_on() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", looping());
    script.play(tracker("x\n<!-- WORKFLOW_BLOCKED: which db? -->\n"));
    script.play(Play::default());
    script.play(Play { run: Some("echo 'human said postgres' >> \"$GITTRACE_TRACKER\""), ..Play::default() });
    script.play(tracker(DONE));
    let (code, last, _) = script.run(&[]);
    assert_eq!(code, 8, "{last}");
    let run = last["run"].as_str().expect("an id").to_owned();
    let (code, last, _) = script.resume(&run, &["--", "use postgres"]);
    assert_eq!((code, &last["turns"]), (0, &json!(4)), "an untouched tracker does not block again: {last}");
    assert!(script.prompt(2).ends_with("A person says: use postgres"), "{}", script.prompt(2));
    let complaint = world.fails(1, &["workflow", "run", "--resume", &run]);
    assert!(complaint.contains("is completed"), "{complaint}");
    sound(&world);
}

#[test]
fn turns_that_are_used_up_are_given_again() {
    let world = World::new("sha1");
    let script = Script::new(&world, "agent", json!({ "enabled": true, "maxIterations": 2 }));
    script.play_last(tracker("x"));
    let (code, last, _) = script.run(&[]);
    assert_eq!((code, &last["turns"]), (9, &json!(2)));
    let run = last["run"].as_str().expect("an id").to_owned();
    let (code, last, _) = script.resume(&run, &["--max-turns", "3"]);
    assert_eq!((code, &last["turns"], &last["iterations"]), (9, &json!(5), &json!(5)), "{last}");
    let (code, last, _) = script.resume(&run, &[]);
    assert_eq!((code, &last["turns"]), (9, &json!(7)), "as many as at the beginning: {last}");
}

#[test]
fn an_earlier_tracker_is_kept_and_opened_again() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", looping());
    fs::write(world.repo().join("notes.md"), DONE).expect("a file");
    script.play(Play { run: Some("cat \"$GITTRACE_TRACKER\"; echo more >> \"$GITTRACE_TRACKER\""), ..Play::default() });
    script.play(tracker(DONE));
    let (code, last, events) = script.run(&["--tracker", "notes.md"]);
    assert_eq!((code, &last["turns"]), (0, &json!(2)), "a stale end ends nothing: {last}");
    assert!(events.iter().any(|event| event["type"] == "exec.warning"));
    let run = last["run"].as_str().expect("an id");
    let first = world.git(&["show", &format!("refs/trace/heads/run/{run}~4:")], &world.repo());
    let earlier = first.lines().filter(|line| line.contains(".note.")).count();
    assert_eq!(earlier, 2, "what was there, and what it became: {first}");
    sound(&world);
}

#[test]
fn trackers_stay_in_the_work_tree_and_workflows_set_no_environment() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", looping());
    for path in ["../out.md", "/tmp/out.md", ".git/x"] {
        let agent = script.command();
        let arguments = ["workflow", "run", "./flows/fix", "--agent", &agent, "--tracker", path, "--", "x"];
        let complaint = world.fails(1, &arguments);
        assert!(complaint.contains("as the tracker"), "{complaint}");
    }
    assert_eq!(world.git(&["for-each-ref", "refs/trace/heads/run"], &world.repo()), "", "nothing was begun");
    script.workflow(json!({
        "name": "fix", "plugins": [], "promptTemplate": "{input}", "workflowFile": "workflow.md",
        "loop": { "enabled": true }, "env": { "COLOUR": "blue", "LD_PRELOAD": "/x.so", "PATH": "/x", "GIT_DIR": "/x" },
    }));
    script.play(tracker(DONE));
    script.play(tracker(DONE));
    let (_, _, events) = script.run(&[]);
    assert!(!script.environment(1).contains("COLOUR=blue"));
    assert_eq!(events.iter().filter(|event| event["type"] == "exec.warning").count(), 4);
    let (_, _, events) = script.run(&["--allow-env", "COLOUR", "--allow-env", "LD_PRELOAD"]);
    assert!(script.environment(1).contains("COLOUR=blue"));
    for never in ["LD_PRELOAD=/x.so", "PATH=/x", "GIT_DIR=/x"] {
        assert!(!script.environment(1).lines().any(|line| line == never), "{never}");
    }
    assert_eq!(events.iter().filter(|event| event["type"] == "exec.warning").count(), 3);
}

#[test]
fn a_dry_run_starts_nothing() {
    let world = World::new("sha1");
    let script = Script::new(&world, "agent", looping());
    let agent = script.command();
    let answer = world.ok(&["workflow", "run", "./flows/fix", "-n", "--agent", &agent, "--", "fix it"]);
    assert!(answer.starts_with("would run fix") && answer.ends_with("Do: fix it\n"), "{answer}");
    assert_eq!(world.git(&["for-each-ref", "refs/trace/heads/run"], &world.repo()), "");
    assert!(!world.repo().join(".gittrace/runs").exists());
    let complaint = world.fails(1, &["workflow", "run", "./flows/fix", "--agent", "/none/such -p", "--", "x"]);
    assert!(complaint.contains("cannot start '/none/such'"), "{complaint}");
}

#[test]
fn ctrl_c_and_time_limits_cancel_a_run() {
    let world = World::new("sha1");
    let script = Script::new(&world, "agent", looping());
    script.play_last(Play { sleep: Some("20"), ..tracker(DONE) });
    let (code, last, _) = script.run(&["--timeout", "1"]);
    assert_eq!((code, &last["status"], &last["stopReason"]), (130, &json!("cancelled"), &json!("the time is up")));
    let (code, last, _) = script.run(&["--turn-timeout", "1"]);
    assert_eq!((code, &last["status"]), (10, &json!("suspended")), "{last}");

    let agent = script.command();
    let mut command = world.trace(&["workflow", "run", "./flows/fix", "--json", "--agent", &agent, "--", "x"]);
    let child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let started = Instant::now();
    while !world
        .git(&["for-each-ref", "--format=%(subject)", "refs/trace/heads/run"], &world.repo())
        .contains("turn 1 begins")
    {
        assert!(started.elapsed() < Duration::from_secs(30), "the turn begins");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill starts");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last: Value = serde_json::from_str(text.lines().last().expect("events")).expect("JSON");
    assert_eq!((&last["data"]["status"], &last["data"]["stopReason"]), (&json!("cancelled"), &json!("interrupted")));
    sound(&world);
}

#[test]
fn several_runs_at_once_do_not_meet() {
    let world = World::new("sha1");
    let script = Script::new(&world, "agent", looping());
    script.play_last(Play { sleep: Some("0.1"), ..tracker(DONE) });
    let agent = script.command();
    let runs: Vec<_> = (0..4)
        .map(|nth| {
            let task = format!("task {nth}");
            let mut command =
                world.trace(&["workflow", "run", "./flows/fix", "--json", "--agent", &agent, "--", &task]);
            command.env("GITTRACE_ID_SEED", format!("seed {nth}"));
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
        })
        .collect();
    for run in runs {
        let output = run.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let refs = world.git(&["for-each-ref", "refs/trace/heads/run"], &world.repo());
    assert_eq!(refs.lines().count(), 4, "{refs}");
    sound(&world);
}

/// Kills a run at a random moment, then goes on with it until it is done.
#[test]
fn a_run_that_is_killed_anywhere_goes_on() {
    let mut usual = Duration::from_millis(400);
    for round in 0..amount(6, 200) {
        let world = World::new("sha1");
        let mut script = Script::new(&world, "agent", looping());
        for turn in ["one", "two", "three"] {
            script.play(Play { sleep: Some("0.02"), ..tracker(turn) });
        }
        script.play_last(Play { sleep: Some("0.02"), ..tracker(DONE) });
        let agent = script.command();
        let started = Instant::now();
        let mut child = world
            .trace(&["workflow", "run", "./flows/fix", "--json", "--agent", &agent, "--", "x"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        std::thread::sleep(usual.mul_f64(fastrand::f64()));
        let _ = child.kill();
        let output = child.wait_with_output().expect("it has ended");
        if output.status.success() {
            usual = (usual + started.elapsed()) / 2;
        }
        let runs = world.git(&["for-each-ref", "--format=%(refname:lstrip=4)", "refs/trace/heads/run"], &world.repo());
        let Some(run) = runs.lines().next().map(str::to_owned) else { continue };
        // The agent of the killed run may still be at work: then nobody else may be.
        let mut ended = (1, Value::Null);
        while started.elapsed() < Duration::from_secs(30) {
            let output = world.trace(&["workflow", "run", "--json", "--resume", &run]).output().expect("it starts");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if said.contains("under way in another process") {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let last = text.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
            ended = (output.status.code().unwrap_or(-1), last.map(|last| last["data"].clone()).unwrap_or(Value::Null));
            if said.contains("is completed") {
                ended.0 = 0;
            }
            break;
        }
        assert_eq!(ended.0, 0, "round {round}: {}", ended.1);
        let status = world.ok(&["run", "status", "--run", &run, "--json"]);
        assert!(status.contains("\"completed\""), "round {round}: {status}");
        let numbers = trailers(&world, &run, "Trace-Turn");
        let mut distinct = numbers.clone();
        distinct.dedup();
        let wanted: Vec<String> = (1..=distinct.len()).map(|number| number.to_string()).collect();
        assert_eq!(distinct, wanted, "round {round}: turns follow each other");
        assert!(only_tracker(&world.repo()).exists());
        sound(&world);
    }
}

/// A branch that came from others says which command line its agent had; nothing of that is started here.
#[test]
fn a_fetched_run_starts_nothing_that_it_names() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", looping());
    script.play(tracker("x\n<!-- WORKFLOW_BLOCKED: which db? -->"));
    let (code, last, _) = script.run(&[]);
    assert_eq!(code, 8, "{last}");
    let run = last["run"].as_str().expect("an id").to_owned();
    // As in another clone: what was kept of it is not there.
    fs::remove_file(world.repo().join(format!(".git/trace/runs/{run}.json"))).expect("it was kept");
    fs::remove_dir_all(world.repo().join(".gittrace")).expect("the tracker");
    script.play_last(tracker(DONE));
    let complaint = world.fails(1, &["workflow", "run", "--resume", &run, "--", "use postgres"]);
    assert!(complaint.contains("was not begun in this clone") && complaint.contains("'claude -p'"), "{complaint}");
    assert!(complaint.contains("cannot start 'claude'"), "nothing else is tried: {complaint}");
    let agent = script.command();
    let (code, last, _) = script.resume(&run, &["--agent", &agent, "--", "use postgres"]);
    assert_eq!((code, &last["status"]), (0, &json!("completed")), "{last}");
    sound(&world);
}

#[test]
fn who_has_nothing_to_go_on_from_is_told_the_task_again() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", json!({ "enabled": false }));
    script.play(Play { exit: 3, err: "not logged in", ..Play::default() });
    script.play(Play { out: "done", ..Play::default() });
    let (code, last, _) = script.run(&[]);
    assert_eq!(code, 1, "{last}");
    let run = last["run"].as_str().expect("an id").to_owned();
    let (code, _, _) = script.resume(&run, &[]);
    assert_eq!(code, 0);
    assert_eq!(script.prompt(2), script.prompt(1));

    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", looping());
    script.play(Play { exit: 3, err: "not logged in", ..Play::default() });
    script.play(tracker(DONE));
    let (code, last, _) = script.run(&[]);
    assert_eq!(code, 10, "{last}");
    let run = last["run"].as_str().expect("an id").to_owned();
    let (code, _, _) = script.resume(&run, &["--", "now I am"]);
    assert_eq!(code, 0);
    assert_eq!(script.prompt(2), format!("{}\n\nA person says: now I am", script.prompt(1)));
}

#[test]
fn a_workflow_does_not_choose_a_file_of_the_user_as_its_tracker() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", json!({}));
    for (path, content) in [("main.c", "int main() {\n}\n"), (".env", "KEY=1\n"), ("notes.md", "mine\n")] {
        fs::write(world.repo().join(path), content).expect("a file");
        let looping = json!({ "enabled": true, "trackerPath": path, "completionMarker": "}" });
        script.workflow(json!({
            "name": "fix", "plugins": [], "promptTemplate": "{input}", "workflowFile": "workflow.md", "loop": looping,
        }));
        let agent = script.command();
        let complaint = world.fails(1, &["workflow", "run", "./flows/fix", "--agent", &agent, "--", "x"]);
        assert!(complaint.contains("as its tracker"), "{complaint}");
        assert_eq!(fs::read_to_string(world.repo().join(path)).expect("the file"), content, "it stays");
    }
    // What a run here has written may be written again.
    let looping = json!({ "enabled": true, "trackerPath": "docs/run.md" });
    script.workflow(json!({
        "name": "fix", "plugins": [], "promptTemplate": "{input}", "workflowFile": "workflow.md", "loop": looping,
    }));
    script.play(Play { sleep: Some("2"), ..tracker(DONE) });
    assert_eq!(script.run(&[]).0, 0);
    let agent = script.command();
    let mut first = world.trace(&["workflow", "run", "./flows/fix", "--agent", &agent, "--", "x"]);
    first.env("GITTRACE_ID_SEED", "first");
    let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let started = Instant::now();
    while !world.git(&["for-each-ref", "--format=%(subject)", "refs/trace/heads/run"], &world.repo()).contains("begins")
    {
        assert!(started.elapsed() < Duration::from_secs(20), "the turn begins");
        std::thread::sleep(Duration::from_millis(10));
    }
    let complaint = world.fails(1, &["workflow", "run", "./flows/fix", "--agent", &agent, "--", "y"]);
    assert!(complaint.contains("another run that is under way has its tracker at"), "{complaint}");
    let _ = first.wait();
}

#[test]
fn a_tracker_of_any_size_is_judged_by_its_end() {
    let world = World::new("sha1");
    let mut script = Script::new(&world, "agent", looping());
    let grow = "head -c 3000000 /dev/zero | tr '\\0' x > \"$GITTRACE_TRACKER\"; echo >> \"$GITTRACE_TRACKER\"";
    script.play(Play { out: "words", run: Some(grow), ..Play::default() });
    let end = format!("{grow}; echo '<!-- WORKFLOW_COMPLETE -->' >> \"$GITTRACE_TRACKER\"");
    script.play(Play { run: Some(&end), ..Play::default() });
    let (code, last, _) = script.run(&[]);
    assert_eq!((code, &last["turns"]), (0, &json!(2)), "{last}");
    sound(&world);
}

/// The agent itself kills the runner: before it has written its tracker, after that, and after it was done.
#[test]
fn a_runner_that_dies_under_its_agent_goes_on() {
    let kill = "kill -9 $PPID; sleep 0.1";
    for (name, before, after) in [
        ("before a word", Some(kill), None),
        ("after a word", None, Some("one")),
        ("after the last word", None, Some(DONE)),
    ] {
        let world = World::new("sha1");
        let mut script = Script::new(&world, "agent", looping());
        let run = before.or(Some(kill)).map(str::to_owned).expect("it kills");
        script.play(Play {
            tracker: after,
            run: Some(&run.replace("$PPID", "$(awk '/^PPid/{print $2}' /proc/$PPID/status)")),
            ..Play::default()
        });
        script.play(tracker(DONE));
        let agent = script.command();
        let output = world.trace(&["workflow", "run", "./flows/fix", "--agent", &agent, "--", "x"]).output();
        assert_eq!(output.expect("it starts").status.code(), None, "{name}: the runner was killed");
        let runs = world.git(&["for-each-ref", "--format=%(refname:lstrip=4)", "refs/trace/heads/run"], &world.repo());
        let run = runs.trim().to_owned();
        let started = Instant::now();
        let (code, last) = loop {
            let (code, last, events) = script.resume_or_wait(&run);
            if !events.is_empty() || started.elapsed() > Duration::from_secs(20) {
                break (code, last);
            }
        };
        assert_eq!((code, &last["status"]), (0, &json!("completed")), "{name}: {last}");
        let turns = if name == "after the last word" { 1 } else { 2 };
        assert_eq!(last["turns"], turns, "{name}: what the tracker tells is believed");
        if name == "before a word" {
            assert_eq!(script.prompt(2), script.prompt(1), "the task is told again");
        }
        sound(&world);
    }
}
