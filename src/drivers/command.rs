//! A program as a driver: any that reads the protocol, or an agent's print mode.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::process::{self, End, Environment, Program};
use super::protocol::{self, Reply};
use super::{Answer, Driver, DriverError, Prompts, Task, prompt};
use crate::model::{NanoDollars, Usage};
use crate::tokens;

/// Says what a program reads on its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Input {
    /// The task as one JSON document, with the prompt in it.
    #[default]
    Json,
    /// The prompt alone, as an agent's print mode takes it.
    Prompt,
}

/// Says what a program writes to its standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Output {
    /// One JSON document.
    #[default]
    Json,
    /// The text alone.
    Text,
}

/// Runs a program for each task.
///
/// The JSON documents are these, each on one line:
///
/// ```json
/// {"task":"summarise","version":1,"form":"summary","target_tokens":400,"must_keep":["port = \\d+"],
///  "instructions":null,"prompt":"You shorten …",
///  "passages":[{"id":"x51q8z9mf4","role":"user","text":"…","tokens":38,"body":"<object id>","stays":false}]}
/// {"task":"reconcile","version":1,"conflict":"both-edited","base":"…","ours":"…","theirs":"…",
///  "instructions":null,"prompt":"Two branches …"}
/// ```
///
/// and what it answers, with exit code 0; only `text` or `error` has to be there, and other members are passed over:
///
/// ```json
/// {"text":"…","model":"some-model","usage":{"input":1200,"cache_read":0,"cache_write":0,"output":80,"reasoning":0}}
/// {"error":"why there is no text"}
/// ```
///
/// No shell is between us and the program. It has a process group of its own, which is killed when the time is over,
/// when it prints too much, and when it ends and leaves others behind. Of the environment it has `PATH`, `HOME`, `LANG`,
/// `LC_*`, `TERM`, `TMPDIR`, `XDG_*`, `USER`, `LOGNAME`, `SHELL` and those of proxies, and what [`env`](Self::env) names.
///
/// ```no_run
/// use git_trace::drivers::{Command, Input, Output};
///
/// let claude = Command {
///     input: Input::Prompt,
///     output: Output::Text,
///     ..Command::new("claude", vec!["claude".to_owned(), "-p".to_owned()])
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its name in the configuration.
    pub name: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// What it reads.
    pub input: Input,
    /// What it writes.
    pub output: Output,
    /// How long it may take, all in all.
    pub timeout: Duration,
    /// How many bytes it may answer.
    pub max_output: usize,
    /// Further variables of the environment that it gets.
    pub env: Vec<String>,
    /// The model that it asks, where it does not say so itself.
    pub model: Option<String>,
    /// What the model is told.
    pub prompts: Prompts,
}

impl Command {
    /// How long a program may take, if nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(300);
    /// How many bytes it may answer, if nothing else is said.
    pub const MAX_OUTPUT: usize = 4 << 20;

    /// Makes a driver that speaks the JSON protocol.
    pub fn new(name: &str, argv: Vec<String>) -> Self {
        Command {
            name: name.to_owned(),
            argv,
            input: Input::default(),
            output: Output::default(),
            timeout: Self::TIMEOUT,
            max_output: Self::MAX_OUTPUT,
            env: Vec::new(),
            model: None,
            prompts: Prompts::default(),
        }
    }
}

impl Command {
    /// Runs the program and returns what it printed.
    fn run(&self, input: Vec<u8>) -> Result<Vec<u8>, DriverError> {
        let program = Program {
            driver: self.name(),
            argv: &self.argv,
            environment: Environment::Short(&self.env),
            folder: None,
            timeout: self.timeout,
            patience: Duration::ZERO,
        };
        let mut printed = Vec::new();
        let finished = process::run(&program, input, &mut |piece| {
            if printed.len() + piece.len() > self.max_output {
                return Err(DriverError::Large { driver: self.name(), limit: self.max_output });
            }
            printed.extend_from_slice(piece);
            Ok(())
        })?;
        match finished.end {
            End::Itself(status) if status.success() => Ok(printed),
            End::Itself(status) => Err(program.ended(status, &finished.said)),
            End::Slow => Err(DriverError::Slow { driver: self.name(), limit: self.timeout }),
            End::Interrupted => Err(DriverError::Interrupted { driver: self.name() }),
        }
    }
}

impl Driver for Command {
    fn name(&self) -> String {
        format!("command:{}", self.name)
    }

    /// # Errors
    /// When the program cannot be started, takes too long, prints too much, ends with an error, or prints no answer.
    fn carry_out(&self, task: &Task) -> Result<Answer, DriverError> {
        let prompt = self.prompts.render(task)?;
        let input = match self.input {
            Input::Json => protocol::request(task, &prompt),
            Input::Prompt => prompt.into_bytes(),
        };
        let prompt_hash = Some(prompt::hash(&input));
        let printed = self.run(input)?;
        let wrong = |reason: String| DriverError::Answer { driver: self.name(), reason };
        match self.output {
            Output::Text => {
                let text = String::from_utf8(printed).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
                let text = text.trim();
                if text.is_empty() {
                    return Err(wrong("it printed nothing".to_owned()));
                }
                Ok(Answer { text: text.to_owned(), model: self.model.clone(), prompt_hash, ..Answer::default() })
            }
            Output::Json => {
                let reply = Reply::read(&printed).map_err(wrong)?;
                let text = reply.text().map_err(|reason| wrong(super::said::beginning(&reason)))?;
                let usage = reply.usage();
                let model = reply.model.clone().or_else(|| self.model.clone());
                let cost = cost(usage.as_ref(), model.as_deref());
                Ok(Answer { text, model, usage, cost, prompt_hash })
            }
        }
    }
}

/// Prices usage now, where there is a price.
pub(super) fn cost(usage: Option<&Usage>, model: Option<&str>) -> Option<NanoDollars> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    tokens::cost(usage?, model?, None, i64::try_from(now.as_secs()).ok()?).ok()
}
