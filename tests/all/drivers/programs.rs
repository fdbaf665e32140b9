//! Programs as drivers: scripts of a real shell.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use git_trace::drivers::{Command, Driver, DriverError, Input, Opening, Output, Prompts, Summarise, Task, open};
use git_trace::model::{Role, Usage};
use git_trace::tokens::Encoding;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{passage, task};

/// Holds a script in a folder of its own.
struct Script {
    dir: TempDir,
}

impl Script {
    fn new(text: &str) -> Script {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("driver");
        // Written under another name first: a file that a forked process of another test holds open for writing cannot
        // be run.
        std::fs::write(dir.path().join("text"), format!("#!/bin/sh\n{text}\n")).expect("written");
        let copied = std::process::Command::new("cp").arg(dir.path().join("text")).arg(&path).status();
        assert!(copied.expect("cp starts").success());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("may run");
        Script { dir }
    }

    fn command(&self) -> Command {
        let path = self.dir.path().join("driver").to_str().expect("a plain path").to_owned();
        let folder = self.dir.path().to_str().expect("a plain path").to_owned();
        Command { timeout: Duration::from_secs(20), ..Command::new("script", vec![path, folder]) }
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).expect("the script wrote it")
    }
}

fn text_of(command: &Command) -> Result<String, DriverError> {
    command.carry_out(&task()).map(|answer| answer.text)
}

#[test]
fn a_program_reads_the_task_and_answers_with_usage() {
    let script = Script::new(
        r#"cat > "$1/in"
printf '{"version":1,"text":" Port 8080. ","model":"claude-sonnet-4-5","usage":{"input":100,"output":20},"more":[1]}'"#,
    );
    let answer = script.command().carry_out(&task()).expect("an answer");
    assert_eq!(answer.text, "Port 8080.");
    assert_eq!(answer.model.as_deref(), Some("claude-sonnet-4-5"));
    assert_eq!(answer.usage, Some(Usage { input: Some(100), output: Some(20), ..Usage::default() }));
    // 3 dollars a million in, 15 out.
    assert_eq!(answer.cost.map(|cost| cost.0), Some(100 * 3_000 + 20 * 15_000));
    let input = script.file("in");
    let hash: String = Sha256::digest(&input).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(answer.prompt_hash, Some(hash));
    let request: serde_json::Value = serde_json::from_str(&input).expect("one document");
    assert_eq!(
        (&request["version"], &request["task"], &request["form"]),
        (&1.into(), &"summarise".into(), &"summary".into())
    );
    assert_eq!(request["target_tokens"], 40);
    assert_eq!(request["passages"][0]["text"], "Use port 8080 in src/main.rs.");
    assert_eq!(request["passages"][1]["role"], "assistant");
    assert!(request["prompt"].as_str().expect("a prompt").contains("At most 40 tokens"));
}

#[test]
fn a_print_mode_reads_the_prompt_and_writes_text() {
    let script = Script::new(r#"cat > "$1/in"; echo; echo "Port 8080."; echo "a warning" >&2"#);
    let command =
        Command { input: Input::Prompt, output: Output::Text, model: Some("m".to_owned()), ..script.command() };
    let answer = command.carry_out(&task()).expect("an answer");
    assert_eq!((answer.text.as_str(), answer.model.as_deref(), answer.usage), ("Port 8080.", Some("m"), None));
    assert_eq!(script.file("in"), Prompts::default().render(&task()).expect("a prompt"));
    assert_eq!(command.name(), "command:script");
}

#[test]
fn nothing_waits_for_ever() {
    let holds = Script::new("sleep 300 & echo $! > \"$1/pid\"; sleep 300");
    let started = Instant::now();
    let error = text_of(&Command { timeout: Duration::from_secs(1), ..holds.command() }).expect_err("too slow");
    assert_eq!(error.to_string(), "the driver 'command:script' gave no answer within 1 second");
    assert_eq!(error.hint().as_deref(), Some("to wait longer: git config trace.driver.script.timeout <seconds>"));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_gone(&holds.file("pid"));
}

#[test]
fn a_grandchild_that_holds_the_output_delays_no_answer() {
    let script = Script::new("sleep 300 & echo $! > \"$1/pid\"; echo '{\"text\":\"done\"}'");
    let started = Instant::now();
    assert_eq!(text_of(&script.command()).expect("an answer"), "done");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_gone(&script.file("pid"));
}

#[test]
fn a_grandchild_in_a_session_of_its_own_delays_no_answer_either() {
    let script = Script::new("setsid sleep 7 & echo '{\"text\":\"done\"}'");
    let started = Instant::now();
    assert_eq!(text_of(&script.command()).expect("an answer"), "done");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// Waits until a process is no more, or only what its parent has not buried.
fn assert_gone(pid: &str) {
    let stat = format!("/proc/{}/stat", pid.trim());
    for _ in 0..100 {
        match std::fs::read_to_string(&stat) {
            Ok(text) if !text.contains(") Z ") => std::thread::sleep(Duration::from_millis(20)),
            _ => return,
        }
    }
    panic!("process {pid} is still there");
}

#[test]
fn failures_are_told_in_the_programs_words() {
    let script =
        Script::new("yes 'a long story' | head -n 100000 >&2; printf 'no credit\\n\\033[31mleft\\n' >&2; exit 3");
    let error = text_of(&script.command()).expect_err("it failed").to_string();
    assert!(error.starts_with("the driver 'command:script' ended with exit status: 3: "), "{error}");
    assert!(error.ends_with("no credit [31mleft") && error.len() < 600, "{error}");
    let killed = Script::new("kill -9 $$");
    let error = text_of(&killed.command()).expect_err("it was killed").to_string();
    assert!(error.contains("signal: 9"), "{error}");
    let missing = Command::new("none", vec!["/no/such/program".to_owned()]);
    let error = text_of(&missing).expect_err("it is not there").to_string();
    assert!(
        error.starts_with("cannot start '/no/such/program' for the driver 'command:none': No such file"),
        "{error}"
    );
    assert!(matches!(text_of(&Command::new("none", Vec::new())), Err(DriverError::Start { .. })));
}

#[test]
fn answers_that_are_none_are_refused() {
    for (prints, reason) in [
        ("", "it printed nothing"),
        ("echo 'Sure! Here it is'", "no JSON answer: "),
        ("echo '{\"text\":\"\"}'", "the text is empty"),
        ("echo '{\"text\":null}'", "the text is empty"),
        ("echo '{\"text\":\"cut", "no JSON answer: "),
        ("echo '{\"error\":\"no credit\"}'", "no credit"),
        ("echo '{\"version\":2,\"text\":\"x\"}'", "unknown version '2'"),
        ("echo '{\"text\":\"x\",\"usage\":{\"input\":-1}}'", "no JSON answer: "),
        ("printf '\\377\\376'", "no JSON answer: "),
    ] {
        let prints = if prints.ends_with("cut") { "printf '{\"text\":\"cut'" } else { prints };
        let script = Script::new(prints);
        let error = text_of(&script.command()).expect_err(prints).to_string();
        assert!(error.starts_with("the driver 'command:script' gave no usable answer: "), "{error}");
        assert!(error.contains(reason), "{error}");
    }
    let text = Command { output: Output::Text, ..Script::new("printf ' \\n '").command() };
    // The script's folder is gone: what cannot be started is no answer either.
    assert!(text_of(&text).is_err());
    for prints in ["printf ' \\n '", "printf '\\377\\376'"] {
        let script = Script::new(prints);
        let error = text_of(&Command { output: Output::Text, ..script.command() }).expect_err(prints);
        assert!(matches!(error, DriverError::Answer { .. }), "{error}");
    }
}

#[test]
fn endless_output_is_stopped() {
    let script = Script::new("yes x");
    let started = Instant::now();
    let error = text_of(&Command { max_output: 1 << 20, ..script.command() }).expect_err("too much");
    assert_eq!(error.to_string(), "the driver 'command:script' answered more than 1048576 bytes");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn large_input_and_output_cross_each_other() {
    // `cat` writes while it reads: whoever writes everything before reading anything hangs here.
    let script = Script::new("cat");
    let large = "0123456789 abcdef\n".repeat(300_000);
    let task = Task::Summarise(Summarise {
        passages: vec![passage(1, Role::User, &large)],
        target_tokens: 10,
        ..Summarise::default()
    });
    let command = Command { input: Input::Prompt, output: Output::Text, max_output: 1 << 26, ..script.command() };
    let answer = command.carry_out(&task).expect("an answer");
    assert!(answer.text.len() > large.len());
    // And one that reads nothing of it.
    let deaf = Script::new("echo '{\"text\":\"deaf\"}'");
    assert_eq!(deaf.command().carry_out(&task).expect("an answer").text, "deaf");
}

#[test]
fn the_environment_is_a_short_list() {
    let script = Script::new("env > \"$1/env\"; echo '{\"text\":\"x\"}'");
    // Cargo sets these for tests.
    let command =
        Command { env: vec!["CARGO_PKG_NAME".to_owned(), "CARGO_PKG_VERSION_*".to_owned()], ..script.command() };
    text_of(&command).expect("an answer");
    let environment = script.file("env");
    let names: Vec<&str> = environment.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert!(names.contains(&"PATH") && names.contains(&"CARGO_PKG_NAME"), "{names:?}");
    assert!(names.contains(&"CARGO_PKG_VERSION_MAJOR"), "{names:?}");
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && !names.contains(&"CARGO_MANIFEST_DIR"), "{names:?}");
}

#[test]
fn the_configuration_makes_a_driver() {
    let script = Script::new("cat > /dev/null; echo \"text: $2 $3\"");
    let path = script.dir.path().join("driver");
    let words = format!("'{}' x 'two words' '$(rm -rf /)'", path.display());
    let config = |key: &str| {
        Some(match key {
            "trace.driver" => "mine".to_owned(),
            "trace.driver.mine.kind" => "command".to_owned(),
            "trace.driver.mine.command" => words.clone(),
            "trace.driver.mine.input" => "prompt".to_owned(),
            "trace.driver.mine.output" => "text".to_owned(),
            "trace.driver.mine.timeout" => "20".to_owned(),
            "trace.driver.broken.kind" => "command".to_owned(),
            "trace.driver.broken.command" => "'open".to_owned(),
            "trace.driver.odd.kind" => "magic".to_owned(),
            _ => return None,
        })
    };
    let opening = Opening { encoding: Encoding::O200kBase, config: &config, key: None, prompts: Prompts::default() };
    let driver = open(None, &opening).expect("a driver");
    assert_eq!(driver.name(), "command:mine");
    assert_eq!(driver.carry_out(&task()).expect("an answer").text, "text: two words $(rm -rf /)");
    let error = |name: &str| open(Some(name), &opening).err().expect("no driver").to_string();
    assert!(error("broken").starts_with("cannot use 'trace.driver.broken.command': "));
    assert_eq!(error("odd"), "cannot use 'trace.driver.odd.kind': unknown kind 'magic'");
    assert_eq!(error("none"), "unknown driver 'none'");
    assert_eq!(error("command"), "cannot use 'trace.driver.command.command': it is not set");
    assert_eq!(open(Some("embedded"), &opening).expect("built in").name(), "embedded");
    let nothing = Opening { config: &|_| None, ..opening };
    assert_eq!(open(None, &nothing).expect("the default").name(), "embedded");
}

/// Runs itself once more, as a process that calls a driver and then waits: a signal must end it.
#[test]
fn a_signal_ends_the_process_once_no_program_runs() {
    const CHILD: &str = "GITTRACE_TEST_WAITS_FOR_A_SIGNAL";
    if std::env::var_os(CHILD).is_some() {
        let script = Script::new("cat > /dev/null; echo done");
        let answer = text_of(&Command { output: Output::Text, ..script.command() }).expect("an answer");
        println!("\nsaid {answer}");
        std::thread::sleep(Duration::from_secs(20));
        return;
    }
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this very program"))
            .args(["--exact", "drivers::programs::a_signal_ends_the_process_once_no_program_runs", "--nocapture"])
            .env(CHILD, "1")
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        assert!(lines.any(|line| line.is_ok_and(|line| line == "said done")), "the driver answered");
        let since = Instant::now();
        let sent = std::process::Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
        assert!(sent.expect("kill starts").success());
        let status = child.wait().expect("it ends");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(number), "{status}");
        assert!(since.elapsed() < Duration::from_secs(10));
    }
}
