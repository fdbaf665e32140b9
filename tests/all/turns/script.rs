//! An agent that does what a script says: a real program, turn by turn.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world::World;

/// What the program does: it keeps what it was told, then plays the turn with its number.
const PROGRAM: &str = r#"#!/bin/bash
script="$(dirname "$0")/script"
printf '%s\n' "$@" > "$script/arguments-$GITTRACE_TURN"
cat > "$script/prompt-$GITTRACE_TURN"
env > "$script/environment-$GITTRACE_TURN"
turn="$script/$GITTRACE_TURN"
[ -d "$turn" ] || turn="$script/last"
[ ! -e "$turn/sleep" ] || sleep "$(cat "$turn/sleep")"
[ ! -e "$turn/tracker" ] || cp "$turn/tracker" "$GITTRACE_TRACKER"
[ ! -e "$turn/run" ] || bash "$turn/run"
[ ! -e "$turn/out" ] || cat "$turn/out"
[ ! -e "$turn/err" ] || cat "$turn/err" >&2
[ ! -e "$turn/exit" ] || exit "$(cat "$turn/exit")"
"#;

/// Is a scripted agent with the workflow that it works on.
pub struct Script<'w> {
    world: &'w World,
    folder: PathBuf,
    name: &'static str,
    turns: usize,
}

/// What the agent does in a turn.
#[derive(Default)]
pub struct Play<'a> {
    /// What it writes into the tracker.
    pub tracker: Option<&'a str>,
    /// What it prints.
    pub out: &'a str,
    /// What it complains.
    pub err: &'a str,
    /// The number that it ends with.
    pub exit: i32,
    /// How long it takes, for `sleep`.
    pub sleep: Option<&'a str>,
    /// Commands of a shell that it runs.
    pub run: Option<&'a str>,
}

impl<'w> Script<'w> {
    /// Makes an agent under a name, and a workflow whose loop is this.
    pub fn new(world: &'w World, name: &'static str, looping: Value) -> Self {
        let folder = world.root().join("agent");
        fs::create_dir_all(folder.join("script")).expect("a folder");
        let program = folder.join(name);
        fs::write(&program, PROGRAM).expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
        let script = Script { world, folder, name, turns: 0 };
        script.workflow(json!({
            "name": "fix", "version": "1.0.0", "plugins": [], "promptTemplate": "Do: {input}",
            "workflowFile": "workflow.md", "loop": looping,
        }));
        script
    }

    /// Writes another workflow.
    pub fn workflow(&self, definition: Value) {
        let folder = self.world.repo().join("flows/fix");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("workflow.json"), definition.to_string()).expect("a file");
        fs::write(folder.join("workflow.md"), "# Steps\nTracker {trackerPath}, run {sessionId} <session_id>.\n")
            .expect("a file");
    }

    /// Adds a turn.
    pub fn play(&mut self, play: Play<'_>) {
        self.turns += 1;
        self.put(&self.turns.to_string(), &play);
    }

    /// Says what is done in every turn that has no script of its own.
    pub fn play_last(&self, play: Play<'_>) {
        self.put("last", &play);
    }

    fn put(&self, name: &str, play: &Play<'_>) {
        let folder = self.folder.join("script").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let put = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
        if let Some(tracker) = play.tracker {
            put("tracker", tracker);
        }
        put("out", play.out);
        put("err", play.err);
        put("exit", &play.exit.to_string());
        if let Some(sleep) = play.sleep {
            put("sleep", sleep);
        }
        if let Some(run) = play.run {
            put("run", run);
        }
    }

    /// Returns the command line of the agent.
    pub fn command(&self) -> String {
        let extra = if self.name == "claude" { " -p" } else { "" };
        format!("{}{extra}", self.program().display())
    }

    fn program(&self) -> PathBuf {
        self.folder.join(self.name)
    }

    /// Returns what the agent was told in a turn.
    pub fn prompt(&self, turn: usize) -> String {
        self.kept("prompt", turn)
    }

    /// Returns the agent's arguments in a turn, by blanks.
    pub fn arguments(&self, turn: usize) -> String {
        self.kept("arguments", turn).lines().collect::<Vec<_>>().join(" ")
    }

    /// Returns the agent's environment in a turn.
    pub fn environment(&self, turn: usize) -> String {
        self.kept("environment", turn)
    }

    fn kept(&self, what: &str, turn: usize) -> String {
        let path = self.folder.join("script").join(format!("{what}-{turn}"));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Runs the workflow, and returns exit code, the last event's data and all events.
    pub fn run(&self, arguments: &[&str]) -> (i32, Value, Vec<Value>) {
        let command = self.command();
        let mut all = vec!["workflow", "run", "./flows/fix", "--json", "--agent", &command];
        all.extend(arguments);
        if !arguments.contains(&"--") {
            all.extend(["--", "fix the bug"]);
        }
        ended(self.world, &all)
    }

    /// Goes on with a run.
    pub fn resume(&self, run: &str, arguments: &[&str]) -> (i32, Value, Vec<Value>) {
        let mut all = vec!["workflow", "run", "--json", "--resume", run];
        all.extend(arguments);
        ended(self.world, &all)
    }
}

impl Script<'_> {
    /// Goes on with a run; nothing is told as long as its agent is still at work.
    pub fn resume_or_wait(&self, run: &str) -> (i32, Value, Vec<Value>) {
        let output = self.world.trace(&["workflow", "run", "--json", "--resume", run]).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("under way in another process") {
            std::thread::sleep(std::time::Duration::from_millis(20));
            return (1, Value::Null, Vec::new());
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a document")).collect();
        let last = events.last().map_or_else(|| Value::from(said), |last| last["data"].clone());
        (output.status.code().unwrap_or(-1), last, events)
    }
}

/// Runs the program and reads its events.
fn ended(world: &World, arguments: &[&str]) -> (i32, Value, Vec<Value>) {
    let output = world.trace(arguments).output().expect("the program starts");
    let events: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("every line is a document"))
        .collect();
    let said = String::from_utf8_lossy(&output.stderr);
    let last = events.last().unwrap_or_else(|| panic!("nothing was told: {said}"))["data"].clone();
    (output.status.code().unwrap_or(-1), last, events)
}

/// Returns the tracker of the only run in a work tree.
pub fn only_tracker(repo: &Path) -> PathBuf {
    let runs = fs::read_dir(repo.join(".gittrace/runs")).expect("a folder of runs");
    let mut found =
        runs.filter_map(Result::ok).map(|entry| entry.path().join("tracker.md")).filter(|path| path.exists());
    let tracker = found.next().expect("a tracker");
    assert!(found.next().is_none(), "there is one run");
    tracker
}
