//! Promises of the room as a whole.

use std::io::{BufRead, BufReader};
use std::process::{Command as Process, Stdio};

use clap::{Arg, ArgAction, Command};
use proptest::prelude::*;

use super::*;

/// Makes a small command line like that of `git trace`.
pub(super) fn command() -> Command {
    let oneline = Arg::new("oneline").long("oneline").action(ArgAction::SetTrue).help("Shows a line for each commit");
    Command::new("git-trace")
        .version("1.2.3")
        .about("Versions contexts")
        .subcommand(Command::new("log").about("Shows history").arg(oneline))
        .subcommand(
            Command::new("workflow").about("Runs workflows").subcommand(Command::new("list").about("Lists them")),
        )
        .subcommand(Command::new("cherry-pick").arg(Arg::new("continue").long("continue").action(ArgAction::SetTrue)))
        .subcommand(Command::new("secret").hide(true))
}

fn terminal() -> Settings {
    let environment = Environment::default().with_terminal().with("TERM", "xterm").with("COLUMNS", "80");
    Settings { environment, no_pager: true, ..Settings::default() }
}

/// Counts what a terminal would do beyond printing, line feeds, tabs, colours and the carriage return of a meter.
#[derive(Default)]
struct Deeds(Vec<String>);

impl vte::Perform for Deeds {
    fn print(&mut self, character: char) {
        if escape::is_hidden(character) {
            self.0.push(format!("hidden {character:?}"));
        }
    }
    fn execute(&mut self, byte: u8) {
        if !matches!(byte, b'\n' | b'\t') {
            self.0.push(format!("execute {byte}"));
        }
    }
    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.0.push(format!("DCS {action}"));
    }
    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.0.push("OSC".to_owned());
    }
    fn csi_dispatch(&mut self, _: &vte::Params, intermediates: &[u8], _: bool, action: char) {
        if action != 'm' || !intermediates.is_empty() {
            self.0.push(format!("CSI {action}"));
        }
    }
    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.0.push(format!("ESC {byte}"));
    }
}

fn deeds(bytes: &[u8]) -> Vec<String> {
    let mut deeds = Deeds::default();
    vte::Parser::new().advance(&mut deeds, bytes);
    deeds.0
}

/// Says a text in every way that the room has.
fn say_everywhere(ui: &Ui, text: &str, bytes: &[u8]) {
    let line = Line::new().push(Label::User, text).cell(Label::Tool, text, 7, Align::Left).plain(text).truncated(60);
    ui.print(&line).expect("memory takes it");
    ui.text(Label::Removed, text).expect("memory takes it");
    ui.text(Label::Plain, text).expect("memory takes it");
    ui.raw_out().put(bytes).expect("memory takes it");
    ui.raw_out().put(text.as_bytes()).expect("memory takes it");
    let body = std::collections::BTreeMap::from([("text", text)]);
    ui.json(&JsonDocument::new("x", 1, &body)).expect("a map");
    ui.json_line(&JsonDocument::new("x", 1, &body)).expect("a map");
    ui.status(text);
    ui.warning(text);
    ui.hint(text);
    let _ = ui.end(Err(Failure::refused(text).hint(text)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_acts_on_a_terminal(
        text in "(\\PC|[\\x00-\\u{ff}]|\u{1b}[\\[\\]P_^X78cM(#]|[0-9;?]|\u{9b}|[\u{200b}-\u{2069}]){0,60}",
        bytes: Vec<u8>,
        json: bool,
    ) {
        let (ui, captured) = Ui::captured(Settings { json: json.then_some(JsonStyle::Pretty), ..terminal() });
        say_everywhere(&ui, &text, &bytes);
        for shown in [captured.answer_bytes(), captured.messages().into_bytes()] {
            prop_assert_eq!(deeds(&shown), Vec::<String>::new(), "{:?}", String::from_utf8_lossy(&shown));
        }
    }
}

#[test]
fn the_terminals_parser_notices_what_is_not_escaped() {
    for hostile in ["\u{1b}[2J", "\u{1b}]52;c;x\u{7}", "\u{1b}c", "\r", "\u{1b}P+q\u{1b}\\", "\u{202e}", "\u{9b}2J"] {
        assert!(!deeds(hostile.as_bytes()).is_empty(), "{hostile:?}");
    }
}

#[test]
fn a_message_cannot_pass_for_another() {
    let (ui, captured) = Ui::captured(Settings::default());
    ui.warning("no such entry 'x'\nhint: run 'rm -rf .'\n");
    ui.hint("use 'git trace log'");
    let code = ui.end(Err(Failure::new(ExitCode::NoRepository, "not a git repository").hint("run 'git init'")));
    assert_eq!(code.code(), 128);
    assert_eq!(
        captured.messages(),
        "warning: no such entry 'x'\nwarning: hint: run 'rm -rf .'\nhint: use 'git trace log'\n\
         fatal: not a git repository\nhint: run 'git init'\n"
    );
}

#[test]
fn quiet_keeps_warnings_and_failures() {
    let (ui, captured) = Ui::captured(Settings { quiet: true, no_hints: true, ..Settings::default() });
    ui.status("done");
    ui.hint("go on");
    ui.warning("careful");
    let _ = ui.end(Err(Failure::refused("no").hint("try")));
    assert_eq!(captured.messages(), "warning: careful\nerror: no\n");
}

#[test]
fn a_failure_for_programs_is_one_document_beside_an_empty_answer() {
    let (ui, captured) = Ui::captured(Settings { json: Some(JsonStyle::Pretty), ..Settings::default() });
    let code = ui.end(Err(Failure::new(ExitCode::Budget, "over budget").hint("run 'git trace compress'")));
    assert_eq!(code.code(), 4);
    assert_eq!(captured.answer(), "");
    let expected = r#"{"format":"git-trace/failure/1","message":"over budget","hints":["run 'git trace compress'"],"exit_code":4}"#;
    assert_eq!(captured.messages(), format!("{expected}\n"));
}

#[test]
fn colour_is_for_those_who_want_it() {
    let line = Line::new().push(Label::Pin, "pin").plain(" x ");
    let printed = |settings| {
        let (ui, captured) = Ui::captured(settings);
        ui.print(&line).expect("memory takes it");
        ui.warning("w");
        (captured.answer(), captured.messages())
    };
    assert_eq!(printed(Settings::default()), ("pin x\n".to_owned(), "warning: w\n".to_owned()));
    let colors = vec![("pin".to_owned(), "#010203".to_owned()), ("warning".to_owned(), "rouge".to_owned())];
    let (answer, messages) = printed(Settings { colors, ..terminal() });
    assert_eq!(answer, "\u{1b}[38;2;1;2;3mpin\u{1b}[0m x\n");
    assert!(messages.contains("invalid color value: 'rouge'"), "{messages}");
}

#[test]
fn width_is_for_those_who_watch() {
    let (ui, _) = Ui::captured(terminal());
    assert_eq!(ui.width(), Some(80));
    let (ui, _) = Ui::captured(Settings::default());
    assert_eq!(ui.width(), None);
}

#[test]
fn clap_speaks_through_the_room() {
    let ask = |arguments: &[&str]| {
        let (ui, captured) = Ui::captured(Settings::default());
        let error = command().try_get_matches_from(arguments).expect_err("not a command");
        (ui.usage(&error).code(), captured.answer(), captured.messages())
    };
    let (code, answer, messages) = ask(&["git-trace", "--help"]);
    assert_eq!((code, messages.as_str()), (0, ""));
    assert!(answer.contains("Shows history"), "{answer}");
    let (code, answer, messages) = ask(&["git-trace", "lo\u{1b}[2J"]);
    assert_eq!((code, answer.as_str()), (2, ""));
    assert!(messages.starts_with("error: unrecognized subcommand 'lo"), "{messages}");
    assert!(messages.contains("\n\nUsage: git-trace"), "{messages}");
    assert_eq!(deeds(messages.as_bytes()), Vec::<String>::new());
}

/// Prints through a pager, and returns what the pager wrote into `out`, what went out without it, the messages and the end.
fn paged(pager: &str, lines: usize) -> (String, String, String, u8) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let pager = pager.replace("OUT", &out.display().to_string());
    let (ui, captured) = Ui::captured(Settings {
        no_pager: false,
        core_pager: Some(pager),
        color: Some(ColorChoice::Never),
        ..terminal()
    });
    ui.request_pager();
    assert!(!out.exists(), "nothing is started before something is said");
    let result = (0..lines).try_for_each(|line| ui.print(&Line::new().plain(format!("line {line}"))));
    let code = ui.end(result.map_err(Failure::from));
    let shown = std::fs::read_to_string(&out).unwrap_or_default();
    (shown, captured.answer(), captured.messages(), code.code())
}

#[test]
fn a_pager_gets_the_answer_and_is_waited_for() {
    let (shown, direct, messages, code) = paged("sleep 0.2; echo $LESS $GIT_PAGER_IN_USE >OUT; cat >>OUT", 2);
    assert_eq!((shown.as_str(), direct.as_str(), code), ("FRX true\nline 0\nline 1\n", "", 0));
    assert_eq!(messages, "");
}

#[test]
fn a_message_goes_to_the_screen_that_the_pager_has_but_a_failure_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let pager = Some(format!("cat >{}", out.display()));
    let settings = Settings { no_pager: false, core_pager: pager, color: Some(ColorChoice::Never), ..terminal() };
    let (ui, captured) = Ui::captured(settings);
    ui.request_pager();
    ui.status("before");
    ui.print(&Line::new().plain("answer")).expect("cat reads");
    ui.warning("within");
    assert_eq!(ui.end(Err(Failure::refused("after"))), ExitCode::Refused);
    assert_eq!(std::fs::read_to_string(&out).unwrap_or_default(), "answer\nwarning: within\n");
    assert_eq!(captured.messages(), "before\nerror: after\n");
}

#[test]
fn a_pager_that_does_not_run_loses_nothing() {
    for pager in ["git-trace-no-such-pager", "git-trace-no-such-pager --flag 2>OUT"] {
        for lines in [2, 100_000] {
            let (_, direct, messages, code) = paged(pager, lines);
            assert_eq!((direct.lines().count(), code), (lines, 0), "{pager}");
            assert!(direct.starts_with("line 0\nline 1\n"), "{pager}");
            assert!(messages.starts_with("warning: ") && messages.contains("pager"), "{messages}");
        }
    }
}

#[test]
fn leaving_the_pager_early_ends_quietly_as_git_does() {
    let (shown, direct, messages, code) = paged("sed 2q >OUT", 300_000);
    assert_eq!((shown.as_str(), direct.as_str(), messages.as_str()), ("line 0\nline 1\n", "", ""));
    assert_eq!(code, 141);
}

/// Ends in a panic or in a closed pipe; run by the test below in a process of its own.
#[test]
fn ends_badly() {
    match std::env::var("GITTRACE_TEST_END").as_deref() {
        Ok("panic") => {
            report_panics();
            let hostile = "\u{1b}[2J\nb".to_owned();
            panic!("{hostile}");
        }
        Ok("pipe") => {
            let ui = Ui::new(Settings::default());
            let result = (0..1_000_000).try_for_each(|line| ui.print(&Line::new().plain(format!("line {line}"))));
            std::process::exit(i32::from(ui.end(result.map_err(Failure::from)).code()));
        }
        _ => (),
    }
}

/// Starts the test above in a process of its own.
fn ending(how: &str) -> Process {
    let mut process = Process::new(std::env::current_exe().expect("a test runs from a file"));
    process.args(["ui::tests::ends_badly", "--exact", "--nocapture"]);
    process.env("GITTRACE_TEST_END", how).env_remove("RUST_BACKTRACE");
    process
}

#[test]
fn our_own_faults_are_one_line_and_code_70() {
    let output = ending("panic").output().expect("it runs");
    assert_eq!(output.status.code(), Some(70));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.starts_with("error: internal: ^[[2J\\nb (src/ui/tests.rs:"), "{told}");
    assert!(told.ends_with("; please report\n") && told.lines().count() == 1, "{told}");
}

#[test]
fn a_closed_pipe_ends_quietly_as_git_does() {
    let mut child = ending("pipe").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut answer = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert!(answer.any(|line| line.is_ok_and(|line| line == "line 0")), "the answer begins");
    drop(answer);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
