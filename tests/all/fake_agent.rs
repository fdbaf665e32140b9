//! An agent that says always the same: it writes a transcript as Claude Code does, line by line, and calls its hooks.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::World;

/// Plays one session in a work tree.
pub struct FakeAgent<'w> {
    world: &'w World,
    /// The session's id.
    pub session: String,
    /// Where it works.
    pub dir: PathBuf,
    /// Its transcript.
    pub transcript: PathBuf,
    /// Whether lines reach the file only after the next event's hook has run.
    pub is_late: bool,
    /// Whether hooks are called at all.
    pub is_hooked: bool,
    /// After how many microseconds each hook is killed.
    pub kill_after: Option<Box<dyn FnMut() -> u64 + 'w>>,
    /// How long each hook took.
    pub times: Vec<Duration>,
    subagent: Option<String>,
    waiting: Vec<String>,
    last: Option<String>,
    count: usize,
}

impl<'w> FakeAgent<'w> {
    /// Prepares a session; nothing is written yet.
    pub fn new(world: &'w World, session: &str, dir: &Path) -> Self {
        let folder = world.root().join("projects");
        fs::create_dir_all(&folder).expect("a folder");
        FakeAgent {
            world,
            session: session.to_owned(),
            dir: dir.to_owned(),
            transcript: folder.join(format!("{session}.jsonl")),
            is_late: false,
            is_hooked: true,
            kill_after: None,
            times: Vec::new(),
            subagent: None,
            waiting: Vec::new(),
            last: None,
            count: 0,
        }
    }

    /// Starts the session.
    pub fn start(&mut self, source: &str) {
        self.event("SessionStart", &json!({ "source": source, "model": "claude-opus-4-5" }));
    }

    /// A person says something; returns the line's uuid.
    pub fn prompt(&mut self, words: &str) -> String {
        self.event("UserPromptSubmit", &json!({ "prompt": words }));
        self.line("user", json!({ "message": { "role": "user", "content": words } }))
    }

    /// The model says something.
    pub fn say(&mut self, words: &str) -> String {
        let id = self.next_id("msg");
        self.reply(&id, json!([{ "type": "text", "text": words }]), 20)
    }

    /// The model thinks and calls tools, all in one message on several lines; the tools run; their hooks run.
    pub fn call(&mut self, calls: &[(&str, Value)]) -> Vec<String> {
        let message = self.next_id("msg");
        self.reply(&message, json!([{ "type": "thinking", "thinking": "how best?", "signature": "c2ln" }]), 5);
        let mut ids = Vec::new();
        for (nth, (name, input)) in calls.iter().enumerate() {
            let id = self.next_id("toolu");
            let block = json!([{ "type": "tool_use", "id": id, "name": name, "input": input }]);
            self.reply(&message, block, 30 + nth as u64);
            ids.push(id);
        }
        for ((name, input), id) in calls.iter().zip(&ids) {
            self.event("PreToolUse", &json!({ "tool_name": name, "tool_input": input, "tool_use_id": id }));
            let said = self.carry_out(name, input);
            self.result(id, &said, Value::Null);
            let told = json!({ "tool_name": name, "tool_input": input, "tool_use_id": id, "tool_response": said });
            self.event("PostToolUse", &told);
        }
        ids
    }

    /// Writes a file with the tool `Write`.
    pub fn write(&mut self, path: &str, text: &str) -> String {
        let path = self.dir.join(path);
        self.call(&[("Write", json!({ "file_path": path, "content": text }))]).remove(0)
    }

    /// Runs a command with the tool `Bash`.
    pub fn run(&mut self, command: &str) -> String {
        self.call(&[("Bash", json!({ "command": command }))]).remove(0)
    }

    /// The agent has done what it was asked for.
    pub fn stop(&mut self) {
        self.event("Stop", &json!({ "stop_hook_active": false }));
    }

    /// The session ends.
    pub fn end(&mut self) {
        self.flush();
        self.event("SessionEnd", &json!({ "reason": "prompt_input_exit" }));
    }

    /// The context is compacted.
    pub fn compact(&mut self, summary: &str) {
        self.event("PreCompact", &json!({ "trigger": "auto", "custom_instructions": "" }));
        let before = self.last.take();
        self.line(
            "system",
            json!({ "subtype": "compact_boundary", "content": "Conversation compacted", "logicalParentUuid": before,
                    "compactMetadata": { "trigger": "auto", "preTokens": 1000 } }),
        );
        let message = json!({ "role": "user", "content": summary });
        self.line("user", json!({ "isCompactSummary": true, "isVisibleInTranscriptOnly": true, "message": message }));
        self.event("PostCompact", &json!({}));
    }

    /// The person goes back to an earlier line: what they say next follows it.
    pub fn rewind(&mut self, uuid: &str) {
        self.last = Some(uuid.to_owned());
    }

    /// Subagents work at the same time, each on its own record, and answer one after the other.
    pub fn delegate(&mut self, tasks: &[&str]) -> Vec<String> {
        let message = self.next_id("msg");
        let calls: Vec<String> = tasks.iter().map(|_| self.next_id("toolu")).collect();
        for (task, call) in tasks.iter().zip(&calls) {
            let input = json!({ "description": task, "prompt": format!("please: {task}"), "subagent_type": "Explore" });
            self.reply(&message, json!([{ "type": "tool_use", "id": call, "name": "Task", "input": input }]), 40);
        }
        let ids: Vec<String> = tasks.iter().map(|_| self.next_id("a").replace('_', "")).collect();
        let folder = self.transcript.with_extension("").join("subagents");
        fs::create_dir_all(&folder).expect("a folder");
        let mut children: Vec<FakeAgent<'w>> = ids
            .iter()
            .map(|id| {
                let mut child = FakeAgent::new(self.world, &self.session, &self.dir);
                child.transcript = folder.join(format!("agent-{id}.jsonl"));
                child.subagent = Some(id.clone());
                child.is_hooked = false;
                child
            })
            .collect();
        for (child, task) in children.iter_mut().zip(tasks) {
            let id = child.subagent.clone().expect("it is one");
            self.event("SubagentStart", &json!({ "agent_id": id, "agent_type": "Explore" }));
            child.line("user", json!({ "message": { "role": "user", "content": format!("please: {task}") } }));
        }
        // They take turns.
        for turn in 0..2 {
            for child in &mut children {
                child.call(&[("Bash", json!({ "command": format!("echo {turn}") }))]);
            }
        }
        for (at, child) in children.iter_mut().enumerate() {
            let answer = format!("done: {}", tasks[at]);
            child.say(&answer);
            child.flush();
            let (id, path) = (child.subagent.clone(), child.transcript.clone());
            let told = json!({ "agent_id": id, "agent_type": "Explore", "agent_transcript_path": path });
            self.event("SubagentStop", &told);
            self.result(&calls[at], &answer, json!({ "agentId": id, "status": "completed" }));
        }
        ids
    }

    /// Writes down what was said and has not reached the file.
    pub fn flush(&mut self) {
        let text: String = self.waiting.drain(..).map(|line| line + "\n").collect();
        let mut file = OpenOptions::new().create(true).append(true).open(&self.transcript).expect("the transcript");
        file.write_all(text.as_bytes()).expect("written");
    }

    /// Goes on in another transcript that begins with a copy of this one's lines, as a fork does.
    pub fn fork(&mut self, session: &str) -> FakeAgent<'w> {
        self.flush();
        let mut fork = FakeAgent::new(self.world, session, &self.dir);
        let text = fs::read_to_string(&self.transcript).expect("the transcript");
        let own = |session: &str| format!("\"sessionId\":\"{session}\"");
        fs::write(&fork.transcript, text.replace(&own(&self.session), &own(session))).expect("written");
        fork.last.clone_from(&self.last);
        fork.count = self.count + 1000;
        fork
    }

    /// Calls a hook with this event; it must say nothing and end with 0.
    pub fn event(&mut self, name: &str, more: &Value) {
        if !self.is_hooked {
            return self.flush();
        }
        if !self.is_late {
            self.flush();
        }
        let mut told = json!({
            "session_id": self.session, "transcript_path": self.transcript, "cwd": self.dir,
            "hook_event_name": name, "permission_mode": "default",
        });
        let more = more.as_object().expect("an object").clone();
        told.as_object_mut().expect("an object").extend(more);
        let begun = Instant::now();
        let mut child = self.hook().spawn().expect("the hook starts");
        // Whatever becomes of it, the hook may be gone before it has read all.
        let _ = child.stdin.take().expect("a pipe").write_all(told.to_string().as_bytes());
        if let Some(after) = &mut self.kill_after {
            std::thread::sleep(Duration::from_micros(after()));
            let _ = child.kill();
            child.wait().expect("it ended");
        } else {
            let output = child.wait_with_output().expect("it ended");
            self.times.push(begun.elapsed());
            assert_eq!(output.status.code(), Some(0), "{name}");
            assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{name}: {output:?}");
        }
        self.flush();
    }

    fn hook(&self) -> Command {
        let mut command = self.world.command(env!("CARGO_BIN_EXE_git-trace"), &self.dir);
        command.args(["hook", "claude"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn carry_out(&mut self, name: &str, input: &Value) -> String {
        let text = |key: &str| input[key].as_str().expect("a text").to_owned();
        match name {
            "Write" => {
                let path = PathBuf::from(text("file_path"));
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(&path, text("content")).expect("written");
                "written".to_owned()
            }
            "Edit" => {
                let path = text("file_path");
                let before = fs::read_to_string(&path).expect("a file");
                fs::write(&path, before.replacen(&text("old_string"), &text("new_string"), 1)).expect("written");
                "edited".to_owned()
            }
            "Bash" => {
                let output = self.world.command("sh", &self.dir).args(["-c", &text("command")]).output();
                String::from_utf8_lossy(&output.expect("a shell").stdout).into_owned()
            }
            _ => "ok".to_owned(),
        }
    }

    fn reply(&mut self, message: &str, content: Value, output: u64) -> String {
        let usage = json!({ "input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": output });
        let message = json!({ "id": message, "type": "message", "role": "assistant", "model": "claude-opus-4-5",
                              "content": content, "stop_reason": "tool_use", "usage": usage });
        self.line("assistant", json!({ "message": message }))
    }

    fn result(&mut self, call: &str, said: &str, told: Value) {
        let block = json!([{ "type": "tool_result", "tool_use_id": call, "content": said }]);
        self.line("user", json!({ "message": { "role": "user", "content": block }, "toolUseResult": told }));
    }

    /// Writes a line behind the last one and returns its uuid.
    fn line(&mut self, kind: &str, more: Value) -> String {
        let uuid = self.next_id("uuid");
        let seconds = self.count;
        let mut line = json!({
            "parentUuid": self.last, "isSidechain": self.subagent.is_some(), "userType": "external", "cwd": self.dir,
            "sessionId": self.session, "version": "2.1.78", "gitBranch": "main", "type": kind, "uuid": uuid,
            "timestamp": format!("2026-11-21T10:{:02}:{:02}.000Z", seconds / 60 % 60, seconds % 60),
        });
        let members = line.as_object_mut().expect("an object");
        members.extend(self.subagent.iter().map(|id| ("agentId".to_owned(), json!(id))));
        members.extend(more.as_object().expect("an object").clone());
        self.waiting.push(line.to_string());
        self.last = Some(uuid.clone());
        uuid
    }

    fn next_id(&mut self, kind: &str) -> String {
        self.count += 1;
        let of = self.subagent.as_deref().unwrap_or(&self.session);
        format!("{kind}_{of}_{:04}", self.count)
    }
}
