//! An agent's program, run for one turn: its arguments, its output, its end.

mod hearing;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use hearing::Heard;
use hearing::Hearing;

use super::DriverError;
use super::process::{self, End, Environment, Program};
use super::said;
use crate::model::{NanoDollars, Usage};

/// How long an agent may take to end when it is asked to, before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Names agents whose arguments and output are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentKind {
    /// Claude Code: `claude -p`.
    Claude,
    /// Codex: `codex exec`.
    Codex,
    /// Any other program: it reads the prompt, and what it prints is its answer.
    Other,
}

impl AgentKind {
    /// Returns the name with which sessions of the agent begin; `None` for programs that we do not know.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            AgentKind::Claude => Some("claude"),
            AgentKind::Codex => Some("codex"),
            AgentKind::Other => None,
        }
    }
}

/// Starts an agent for each turn of a run.
///
/// The prompt goes to its standard input. It has our whole environment, as if the user had started it: that is where its
/// keys are. Claude Code and Codex are asked for their stream of events, from which session, usage and cost are read;
/// any other program may print such events, or plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentProgram {
    argv: Vec<String>,
    kind: AgentKind,
}

/// Asks an agent for one turn.
#[derive(Debug, Clone, Default)]
pub struct AgentTurn<'a> {
    /// What it is told.
    pub prompt: String,
    /// The session of its own that it goes on with.
    pub resume: Option<&'a str>,
    /// The model that it is to use, where its own arguments do not say so.
    pub model: Option<&'a str>,
    /// Folders of plugins.
    pub plugins: &'a [PathBuf],
    /// Further variables of the environment.
    pub environment: &'a [(String, String)],
    /// Where it works; where we do, if `None`.
    pub folder: Option<&'a Path>,
    /// How long it may take.
    pub time: Duration,
}

/// Says what stopped an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The time was up.
    Slow,
    /// The user stopped it.
    Interrupted,
}

/// Holds what a turn gave.
#[derive(Debug, Clone, Default)]
pub struct TurnEnd {
    /// What stopped it, if it did not end by itself.
    pub stopped: Option<Stopped>,
    /// The number that the process ended with; `None` if a signal ended it.
    pub exit: Option<i32>,
    /// What went wrong, if anything did.
    pub failure: Option<String>,
    /// Its last words.
    pub text: String,
    /// Its own session.
    pub session: Option<String>,
    /// The model that spoke.
    pub model: Option<String>,
    /// What the provider reported, over all calls of the turn.
    pub usage: Option<Usage>,
    /// Tokens of the context at the last call of the agent itself.
    pub context: Option<u64>,
    /// What it cost, as the agent says.
    pub cost: Option<NanoDollars>,
}

impl AgentProgram {
    /// Reads a command line: words as a shell splits them; no shell runs.
    ///
    /// # Errors
    /// When there is no word, or a quotation mark is not closed.
    pub fn parse(words: &str) -> Result<Self, DriverError> {
        let argv = shlex::split(words).filter(|argv| argv.first().is_some_and(|program| !program.is_empty()));
        let wrong = || DriverError::Setting {
            key: "agent".to_owned(),
            reason: "not a list of words: it is empty, or a quotation mark is not closed".to_owned(),
        };
        let argv = argv.ok_or_else(wrong)?;
        let program = Path::new(&argv[0]).file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let kind = match program {
            "claude" => AgentKind::Claude,
            "codex" if argv.get(1).is_some_and(|word| word == "exec" || word == "e") => AgentKind::Codex,
            _ => AgentKind::Other,
        };
        Ok(AgentProgram { argv, kind })
    }

    /// Returns which agent it is.
    pub fn kind(&self) -> AgentKind {
        self.kind
    }

    /// Tells whether it can go on with a session of its own.
    pub fn resumes(&self) -> bool {
        self.kind != AgentKind::Other
    }

    /// Returns the command line, for people.
    pub fn line(&self) -> String {
        shlex::try_join(self.argv.iter().map(String::as_str)).unwrap_or_else(|_| self.argv.join(" "))
    }

    /// Runs the agent for one turn; `watch` hears what it says meanwhile.
    ///
    /// # Errors
    /// When it cannot be started. That it fails, or is stopped, is an answer.
    pub fn turn(&self, turn: &AgentTurn<'_>, watch: &mut dyn FnMut(Heard)) -> Result<TurnEnd, DriverError> {
        let argv = self.arguments(turn);
        let program = Program {
            driver: self.argv[0].clone(),
            argv: &argv,
            environment: Environment::Whole(turn.environment),
            folder: turn.folder,
            timeout: turn.time,
            patience: PATIENCE,
        };
        let mut hearing = Hearing::default();
        let finished = process::run(&program, turn.prompt.clone().into_bytes(), &mut |piece| {
            hearing.take(piece, watch);
            Ok(())
        })?;
        let (mut end, complaint) = hearing.finish(watch);
        match finished.end {
            End::Slow => end.stopped = Some(Stopped::Slow),
            End::Interrupted => end.stopped = Some(Stopped::Interrupted),
            End::Itself(status) => {
                end.exit = status.code();
                if !status.success() {
                    let told = end.failure.take().or(complaint).unwrap_or_default();
                    let said = said::ending(&finished.said);
                    let words: Vec<String> = [status.to_string(), told, said].into();
                    end.failure =
                        Some(words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(": "));
                }
            }
        }
        Ok(end)
    }

    /// Returns the arguments for a turn: the user's own, and what is missing among them.
    fn arguments(&self, turn: &AgentTurn<'_>) -> Vec<String> {
        let mut argv = self.argv.clone();
        let has = |argv: &[String], names: &[&str]| {
            argv.iter().any(|word| names.iter().any(|name| word == name || word.starts_with(&format!("{name}="))))
        };
        let model = turn.model.filter(|model| !model.starts_with('-'));
        let session = turn.resume.filter(|session| hearing::is_session(session));
        let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
        match self.kind {
            AgentKind::Claude => {
                if !has(&self.argv, &["-p", "--print"]) {
                    add(&["-p"]);
                }
                if !has(&self.argv, &["--output-format"]) {
                    add(&["--output-format", "stream-json"]);
                    if !has(&self.argv, &["--verbose"]) {
                        add(&["--verbose"]);
                    }
                }
                if let Some(model) = model.filter(|_| !has(&self.argv, &["--model"])) {
                    add(&["--model", model]);
                }
                for folder in turn.plugins.iter().filter_map(|folder| folder.to_str()) {
                    add(&["--plugin-dir", folder]);
                }
                if let Some(session) = session {
                    add(&["--resume", session]);
                }
            }
            AgentKind::Codex => {
                if !has(&self.argv, &["--json", "--experimental-json"]) {
                    add(&["--json"]);
                }
                if let Some(model) = model.filter(|_| !has(&self.argv, &["-m", "--model"])) {
                    add(&["--model", model]);
                }
                if let Some(session) = session {
                    add(&["resume", session]);
                }
                add(&["-"]);
            }
            AgentKind::Other => {}
        }
        argv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &str, turn: &AgentTurn<'_>) -> String {
        AgentProgram::parse(words).expect("words").arguments(turn).join(" ")
    }

    #[test]
    fn what_is_missing_is_added() {
        let plain = AgentTurn { model: Some("m"), ..AgentTurn::default() };
        let again = AgentTurn { resume: Some("s1"), ..AgentTurn::default() };
        assert_eq!(arguments("claude -p", &plain), "claude -p --output-format stream-json --verbose --model m");
        assert_eq!(
            arguments("/bin/claude --model=x --output-format text", &again),
            "/bin/claude --model=x --output-format text -p --resume s1"
        );
        let hostile = AgentTurn { resume: Some("--dangerously-skip-permissions"), ..AgentTurn::default() };
        assert!(!arguments("claude -p", &hostile).contains("dangerously"));
        assert_eq!(arguments("codex exec --full-auto", &again), "codex exec --full-auto --json resume s1 -");
        assert_eq!(arguments("sh -c 'cat >x'", &plain), "sh -c cat >x");
        assert!(AgentProgram::parse("a 'b").is_err() && AgentProgram::parse("").is_err());
    }

    #[test]
    fn the_answer_of_any_program_is_what_it_prints() {
        let agent = AgentProgram::parse("sh -c 'cat; echo bad >&2; exit 3'").expect("words");
        let turn = AgentTurn { prompt: "hello".to_owned(), time: Duration::from_secs(20), ..AgentTurn::default() };
        let end = agent.turn(&turn, &mut |_| {}).expect("it starts");
        assert_eq!((end.text.as_str(), end.exit), ("hello", Some(3)));
        assert_eq!(end.failure.as_deref(), Some("exit status: 3: bad"));
    }

    #[test]
    fn an_agent_is_asked_to_end_before_it_is_killed() {
        let agent = AgentProgram::parse("sh -c 'trap \"echo bye; exit 0\" TERM; sleep 20 & wait'").expect("words");
        let turn = AgentTurn { time: Duration::from_millis(300), ..AgentTurn::default() };
        let end = agent.turn(&turn, &mut |_| {}).expect("it starts");
        assert_eq!((end.stopped, end.text.as_str()), (Some(Stopped::Slow), "bye"));
    }
}
