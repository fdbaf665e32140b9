//! `git trace workflow run`

use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::super::session::{Session, failure};
use super::super::watch::folders;
use crate::model::{Time, Usage};
use crate::ops::{ResumeTurns, RunEvent, RunLimits, RunOutcome, RunWorkflow, Workspace, resume_turns, run_workflow};
use crate::run::{Opening, RunId, Status};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, Ui, figures};

/// The longest input that is read from a file, in bytes.
const INPUT_MAX: u64 = 512 << 10;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Set an agent to work on a workflow, turn after turn, and record each turn")
        .long_about(
            "Set an agent to work on a workflow, turn after turn. Each turn begins without memory: a tracker file says what \
             is done, and its last line ends the run. Each turn is a commit of the branch 'run/<id>', with what the agent was \
             told, what it answered, the tracker, tokens and cost.\n\n\
             How it ends is told by the exit code: 0 done, 1 failed, 8 blocked (the agent needs somebody), 9 exhausted (no \
             turns left), 10 suspended (it needs a look), 130 cancelled. All but the first can be gone on with: --resume.",
        )
        .arg(
            Arg::new("reference")
                .value_name("workflow")
                .required_unless_present("resume")
                .conflicts_with("resume")
                .help("The workflow, by any reference"),
        )
        .arg(
            Arg::new("input")
                .value_name("input")
                .num_args(0..)
                .last(true)
                .help("What is to be achieved; with --resume, what to tell the agent"),
        )
        .arg(
            Arg::new("file")
                .short('F')
                .long("file")
                .value_name("file")
                .conflicts_with("input")
                .value_parser(value_parser!(PathBuf))
                .help("Read that from a file, or from standard input with '-'"),
        )
        .arg(
            Arg::new("resume")
                .long("resume")
                .value_name("run")
                .value_parser(|text: &str| RunId::parse(text).map_err(|error| error.to_string()))
                .help("Go on with a run that was killed, or that did not end well"),
        )
        .arg(
            Arg::new("agent")
                .long("agent")
                .value_name("command")
                .help("The agent: any command that reads its prompt (default: trace.agent, else 'claude -p')"),
        )
        .arg(
            Arg::new("model")
                .long("model")
                .value_name("model")
                .conflicts_with("resume")
                .help("The model, instead of the workflow's"),
        )
        .arg(
            Arg::new("max-turns")
                .long("max-turns")
                .value_name("number")
                .value_parser(value_parser!(u32).range(1..=100_000))
                .help("Most turns, instead of the workflow's; with --resume, how many more"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("seconds")
                .value_parser(value_parser!(u64).range(1..))
                .help("How long all of it may take"),
        )
        .arg(
            Arg::new("turn-timeout")
                .long("turn-timeout")
                .value_name("seconds")
                .value_parser(value_parser!(u64).range(1..))
                .help("How long one turn may take (default: 7200)"),
        )
        .arg(
            Arg::new("tracker")
                .long("tracker")
                .value_name("path")
                .conflicts_with("resume")
                .help("The tracker in the work tree, instead of the workflow's"),
        )
        .arg(
            Arg::new("allow-env")
                .long("allow-env")
                .value_name("name")
                .action(ArgAction::Append)
                .conflicts_with("resume")
                .help("Let the workflow set this variable of the agent's environment"),
        )
        .arg(
            Arg::new("offline")
                .long("offline")
                .action(ArgAction::SetTrue)
                .conflicts_with("resume")
                .help("Fetch nothing"),
        )
        .arg(
            Arg::new("dry-run")
                .short('n')
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .conflicts_with("resume")
                .help("Show what would be run, and start nothing"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let input = input(session, matches)?;
    let seconds = |name: &str| matches.get_one::<u64>(name).copied().map(Duration::from_secs);
    let limits = RunLimits {
        time: seconds("timeout"),
        turn_time: seconds("turn-timeout").unwrap_or(RunLimits::TURN_TIME),
        folders: folders(),
    };
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let max_iterations = matches.get_one::<u32>("max-turns").copied();
    let mut teller = Teller { ui: &session.ui, workspace, begun: Instant::now(), seq: 0, run: None };
    let ran = match matches.get_one::<RunId>("resume") {
        Some(run) => {
            let request = ResumeTurns { run: run.clone(), reply: input, agent: text("agent"), max_iterations, limits };
            resume_turns(workspace, &request, &mut |event| teller.tell(&event))
        }
        None => {
            let request = RunWorkflow {
                reference: text("reference").expect("clap asks for it"),
                from: session.path(std::path::Path::new("")),
                input: input.unwrap_or_default(),
                agent: text("agent"),
                model: text("model"),
                max_iterations,
                tracker: text("tracker"),
                allow_environment: matches.get_many::<String>("allow-env").into_iter().flatten().cloned().collect(),
                offline: matches.get_flag("offline"),
                limits,
                dry_run: matches.get_flag("dry-run"),
            };
            run_workflow(workspace, &request, &mut |event| teller.tell(&event))
        }
    };
    session.pass_on_warnings();
    let outcome = match ran {
        Ok(outcome) => outcome,
        Err(error) => {
            let failure = failure(error);
            teller.event("exec.error", json!({ "kind": "run", "message": failure.message }));
            return Err(failure);
        }
    };
    if outcome.commit.is_none() {
        return show_plan(session, &outcome);
    }
    if let Some(undo) = &outcome.undo {
        session.ui.hint(format!("to take its record back: {undo}"));
    }
    teller.complete(&outcome)?;
    ended(&outcome)
}

/// Reads what is to be achieved.
fn input(session: &Session, matches: &ArgMatches) -> Result<Option<String>, Failure> {
    let words: Vec<&str> = matches.get_many::<String>("input").into_iter().flatten().map(String::as_str).collect();
    let Some(path) = matches.get_one::<PathBuf>("file") else {
        return Ok((!words.is_empty()).then(|| words.join(" ")));
    };
    let mut bytes = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(INPUT_MAX + 1).read_to_end(&mut bytes),
        false => {
            std::fs::File::open(session.path(path)).and_then(|file| file.take(INPUT_MAX + 1).read_to_end(&mut bytes))
        }
    };
    let shown = path.display();
    read.map_err(|error| Failure::refused(format!("cannot read '{shown}': {error}")))?;
    if bytes.len() as u64 > INPUT_MAX {
        return Err(Failure::refused(format!("'{shown}' has more than {} bytes", INPUT_MAX)));
    }
    let text = String::from_utf8(bytes).map_err(|_| Failure::refused(format!("'{shown}' is no UTF-8")))?;
    Ok(Some(text.trim_end().to_owned()))
}

/// Tells what happens: one JSON document a line, or words on standard error.
struct Teller<'a> {
    ui: &'a Ui,
    workspace: &'a Workspace,
    begun: Instant,
    seq: u64,
    run: Option<RunId>,
}

impl Teller<'_> {
    fn tell(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Started { run, workflow, repeats, tracker, resumed } => {
                self.run = Some(run.clone());
                self.event("exec.started", json!({ "run": run, "resumed": resumed }));
                let data = json!({ "workflow": workflow, "loopEnabled": repeats, "run": run, "tracker": tracker });
                self.event("run.started", data);
                self.ui.status(format!("run {run} {}", if *resumed { "goes on" } else { "begins" }));
            }
            RunEvent::TurnStarted { turn, iteration, opening } => {
                let data = json!({ "turn": turn, "iteration": iteration, "opening": opening });
                self.event("turn.started", data);
                self.event("runtime.started", json!({ "turn": turn }));
                let how = match opening {
                    Opening::First | Opening::Continue => String::new(),
                    other => format!(" ({})", other.name()),
                };
                self.ui.status(format!("turn {iteration}{how} …"));
            }
            RunEvent::Heard { turn, heard } => {
                let data = json!({
                    "id": self.seq + 1, "turn": turn, "kind": heard.kind, "hookName": null, "toolName": heard.tool,
                    "sessionId": heard.session, "data": {},
                });
                self.event("runtime.event", data);
            }
            RunEvent::TurnEnded { turn, iteration, status, run_status } => {
                let data = json!({
                    "turn": turn, "iteration": iteration, "turnStatus": status, "status": run_status,
                });
                self.event("iteration.complete", data);
                let decision = if *run_status == Status::InProgress { "continue" } else { run_status.name() };
                self.event("runtime.decision", json!({ "eventId": self.seq, "decision": decision }));
                self.ui.status(format!("turn {iteration} {}", status.name()));
            }
            RunEvent::Retrying { pause } => {
                let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                self.event("run.retry", json!({ "pauseMs": millis }));
                self.ui.status(format!("again in {} seconds", pause.as_secs_f64()));
            }
            RunEvent::Warning { text } => {
                self.event("exec.warning", json!({ "message": text }));
                self.ui.warning(text);
            }
        }
    }

    /// Tells how the run ended.
    fn complete(&mut self, outcome: &RunOutcome) -> Result<(), Failure> {
        let code = exit_code(outcome.status).code();
        if outcome.status != Status::Completed && outcome.status != Status::Failed {
            let data = json!({ "run": outcome.run, "status": outcome.status, "reason": outcome.reason });
            self.event("run.suspended", data);
        }
        if self.ui.wants_json() {
            let data = json!({
                "success": outcome.status == Status::Completed,
                "exitCode": code,
                "run": outcome.run,
                "branch": outcome.run.branch().to_string(),
                "commit": outcome.commit,
                "status": outcome.status,
                "stopReason": outcome.reason,
                "iterations": outcome.iterations,
                "turns": outcome.turns,
                "tracker": outcome.tracker,
                "athenaSessionId": outcome.run,
                "adapterSessionId": outcome.session.as_deref().and_then(|session| session.split_once(':')).map(|(_, id)| id),
                "finalMessage": outcome.answer,
                "tokens": tokens(outcome.usage, outcome.context),
                "costUsd": outcome.cost.map(|cost| cost.0 as f64 / 1e9),
                "durationMs": u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
                "harnessExitCode": outcome.exit,
            });
            self.event("exec.completed", data);
            return Ok(());
        }
        let label = if outcome.status == Status::Completed { Label::Added } else { Label::Removed };
        let head = Line::new().plain("run ").push(Label::Branch, outcome.run.as_str()).plain(" ");
        let reason = outcome.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        self.ui.print(&head.push(label, outcome.status.name()).plain(reason))?;
        let turns = if outcome.turns == 1 { "turn" } else { "turns" };
        let mut facts = vec![format!("{} {turns}", outcome.turns)];
        if let Some(usage) = outcome.usage {
            let total = usage.context().unwrap_or(0).saturating_add(usage.output.unwrap_or(0));
            facts.push(format!("{} tokens", figures::count(total)));
        }
        facts.extend(outcome.cost.map(|cost| cost.to_string()));
        facts.extend(outcome.session.clone());
        self.ui.print(&Line::new().push(Label::Muted, facts.join(" · ")))?;
        if let Some(answer) = outcome.answer.as_deref().filter(|answer| !answer.is_empty()) {
            self.ui.text(Label::Plain, &format!("{answer}\n"))?;
        }
        Ok(())
    }

    fn event(&mut self, kind: &str, data: Value) {
        if !self.ui.wants_json() {
            return;
        }
        self.seq += 1;
        let ts = self.workspace.now().unwrap_or(Time::from_millis(0)).millis;
        let body = json!({ "type": kind, "ts": ts, "seq": self.seq, "run": self.run, "data": data });
        // A reader who went away does not end the run.
        let _ = self.ui.json_line(&JsonDocument::new("workflow-run", 1, body)).and_then(|()| self.ui.flush());
    }
}

fn tokens(usage: Option<Usage>, context: Option<u64>) -> Value {
    let Some(usage) = usage else { return Value::Null };
    let parts = [usage.input, usage.cache_read, usage.cache_write, usage.output];
    let total = parts.iter().flatten().copied().reduce(u64::saturating_add);
    json!({
        "input": usage.input, "output": usage.output, "cacheRead": usage.cache_read, "cacheWrite": usage.cache_write,
        "total": total, "contextSize": context, "contextWindowSize": null,
    })
}

/// Shows what would be run.
fn show_plan(session: &Session, outcome: &RunOutcome) -> Result<(), Failure> {
    let ui = &session.ui;
    let used = &outcome.workflow;
    if ui.wants_json() {
        let body = json!({
            "workflow": used, "agent": outcome.agent, "tracker": outcome.tracker, "prompt": outcome.prompt,
            "withheldEnvironment": outcome.withheld,
        });
        return Ok(ui.json(&JsonDocument::new("workflow-run-plan", 1, body))?);
    }
    let version = used.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    ui.print(&Line::new().plain("would run ").push(Label::Branch, &used.name).plain(version))?;
    for (name, value) in [("from", &used.source), ("tree", &used.tree), ("tracker", &outcome.tracker)] {
        if let Some(value) = value {
            ui.print(&Line::new().push(Label::Muted, format!("{name}: ")).plain(value))?;
        }
    }
    ui.print(&Line::new().push(Label::Muted, "agent: ").plain(&outcome.agent))?;
    for name in &outcome.withheld {
        ui.print(&Line::new().push(Label::Muted, "not set: ").plain(name))?;
    }
    ui.print(&Line::new())?;
    Ok(ui.text(Label::Plain, &format!("{}\n", outcome.prompt.as_deref().unwrap_or_default()))?)
}

/// Ends the process as the run ended.
fn ended(outcome: &RunOutcome) -> Result<(), Failure> {
    let run = &outcome.run;
    let what = outcome.reason.clone().map(|reason| format!(": {reason}")).unwrap_or_default();
    let failure = Failure::new(exit_code(outcome.status), format!("run '{run}' is {}{what}", outcome.status));
    match outcome.status {
        Status::Completed => Ok(()),
        Status::Blocked => Err(failure.hint(format!("to answer: git trace workflow run --resume {run} -- <answer>"))),
        _ => Err(failure.hint(format!("to go on: git trace workflow run --resume {run}"))),
    }
}

fn exit_code(status: Status) -> ExitCode {
    match status {
        Status::Completed => ExitCode::Done,
        Status::Failed | Status::InProgress => ExitCode::Refused,
        Status::Blocked => ExitCode::Blocked,
        Status::Exhausted => ExitCode::Exhausted,
        Status::Suspended => ExitCode::Suspended,
        Status::Cancelled => ExitCode::Interrupted,
    }
}
