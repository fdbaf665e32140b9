//! Which driver to take, from git's configuration.

use std::time::Duration;

use super::{Command, Driver, DriverError, Embedded, Input, Output, Prompts};
#[cfg(feature = "http")]
use super::{Dialect, Http};
use crate::tokens::Encoding;

/// Times above this are no limit: a day.
const LONGEST: u64 = 86_400;

/// Looks up a variable, such as one of git's configuration.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Holds what a driver is made from.
pub struct Opening<'a> {
    /// The encoding in which summaries are counted.
    pub encoding: Encoding,
    /// Looks up a variable of git's configuration.
    pub config: Lookup<'a>,
    /// Looks up a key for a server's address, for example with git's credential helper; after the environment.
    pub key: Option<Lookup<'a>>,
    /// Prompts in the place of those that are built in.
    pub prompts: Prompts,
}

/// Makes the driver with this name; without one `trace.driver` says which, and else it is the embedded one.
///
/// What is read, with `<name>` in the middle of `trace.driver.<name>.`:
///
/// | variable | means | without it |
/// |---|---|---|
/// | `kind` | `embedded`, `command`, `anthropic`, `openai-chat`, `openai-responses` | the name itself |
/// | `command` | program and arguments, split as a shell splits words; no shell runs | must be there |
/// | `input` | `json` (the task) or `prompt` | `json` |
/// | `output` | `json` or `text` | `json` |
/// | `env` | further variables of the environment for the program, by spaces or commas; `X_*` for all that begin so | none |
/// | `model` | the model to ask, or that the program asks | must be there for servers |
/// | `url` | address of a compatible server | the provider's own |
/// | `keyEnv` | variable of the environment with the key | `ANTHROPIC_API_KEY`, `OPENAI_API_KEY` |
/// | `maxTokens` | limit of the answer for the server | from the task (Anthropic), none (OpenAI) |
/// | `timeout` | seconds, all in all | 300 |
/// | `maxOutput` | bytes of an answer | 4 MiB |
///
/// The configuration of a repository is trusted as git itself trusts it, which runs `core.fsmonitor`, `core.pager` and
/// other programs from there; git refuses repositories of other owners, and so do we. Prompts from the work tree are
/// text: they can name no program and no server.
///
/// # Errors
/// [`DriverError::Unknown`], [`DriverError::Setting`] for a variable that is missing or makes no sense.
pub fn open(name: Option<&str>, opening: &Opening<'_>) -> Result<Box<dyn Driver>, DriverError> {
    let chosen = (opening.config)("trace.driver");
    let name = name.or(chosen.as_deref()).unwrap_or("embedded");
    let settings = Settings { name, config: opening.config };
    let kind = settings.get("kind").unwrap_or_else(|| name.to_owned());
    match kind.as_str() {
        "embedded" => Ok(Box::new(Embedded::new(opening.encoding))),
        "command" => Ok(Box::new(command(&settings, opening)?)),
        "anthropic" | "openai-chat" | "openai-responses" => server(&kind, &settings, opening),
        _ if settings.get("kind").is_some() => Err(settings.wrong("kind", &format!("unknown kind '{kind}'"))),
        _ => Err(DriverError::Unknown { name: name.to_owned() }),
    }
}

fn command(settings: &Settings<'_>, opening: &Opening<'_>) -> Result<Command, DriverError> {
    let words = settings.required("command")?;
    let argv = shlex::split(&words).filter(|argv| argv.first().is_some_and(|program| !program.is_empty()));
    let argv = argv.ok_or_else(|| settings.wrong("command", "not a list of words: a quotation mark is not closed"))?;
    let input = match settings.get("input").as_deref() {
        None | Some("json") => Input::Json,
        Some("prompt") => Input::Prompt,
        Some(_) => return Err(settings.wrong("input", "not 'json' or 'prompt'")),
    };
    let output = match settings.get("output").as_deref() {
        None | Some("json") => Output::Json,
        Some("text") => Output::Text,
        Some(_) => return Err(settings.wrong("output", "not 'json' or 'text'")),
    };
    let env = settings.get("env").unwrap_or_default();
    let env: Vec<String> =
        env.split([' ', ',', '\t', '\n']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if env.iter().any(|name| name == "*" || name.contains('=')) {
        return Err(settings.wrong("env", "not a list of names"));
    }
    Ok(Command {
        input,
        output,
        env,
        timeout: settings.timeout(Command::TIMEOUT)?,
        max_output: settings.number("maxOutput")?.unwrap_or(Command::MAX_OUTPUT),
        model: settings.get("model"),
        prompts: opening.prompts.clone(),
        ..Command::new(settings.name, argv)
    })
}

#[cfg(feature = "http")]
fn server(kind: &str, settings: &Settings<'_>, opening: &Opening<'_>) -> Result<Box<dyn Driver>, DriverError> {
    let dialect = match kind {
        "anthropic" => Dialect::Anthropic,
        "openai-chat" => Dialect::OpenaiChat,
        _ => Dialect::OpenaiResponses,
    };
    let mut http = Http::new(settings.name, dialect, &settings.required("model")?);
    if let Some(url) = settings.get("url") {
        http.url = url;
    }
    http.check().map_err(|reason| settings.wrong("url", &reason))?;
    let variable = settings.get("keyEnv").unwrap_or_else(|| dialect.key_variable().to_owned());
    let key = std::env::var(&variable).ok().filter(|key| !key.trim().is_empty());
    let key = key.or_else(|| opening.key.and_then(|ask| ask(&http.url)));
    match key {
        Some(key) => http.set_key(&key).map_err(|reason| settings.wrong("keyEnv", reason))?,
        // A server on this machine may need none.
        None if http.is_local() => {}
        None => return Err(DriverError::NoKey { driver: http.name(), variable }),
    }
    http.timeout = settings.timeout(Http::TIMEOUT)?;
    http.max_output = settings.number("maxOutput")?.unwrap_or(Http::MAX_OUTPUT);
    http.max_tokens = settings.number("maxTokens")?.map(|limit: usize| limit as u64);
    http.prompts = opening.prompts.clone();
    Ok(Box::new(http))
}

#[cfg(not(feature = "http"))]
fn server(kind: &str, settings: &Settings<'_>, _: &Opening<'_>) -> Result<Box<dyn Driver>, DriverError> {
    Err(settings.wrong("kind", &format!("'{kind}' is not built in (cargo feature 'http')")))
}

/// Holds the settings of one driver.
struct Settings<'a> {
    name: &'a str,
    config: Lookup<'a>,
}

impl Settings<'_> {
    fn get(&self, variable: &str) -> Option<String> {
        (self.config)(&self.key(variable)).filter(|value| !value.trim().is_empty())
    }

    fn key(&self, variable: &str) -> String {
        format!("trace.driver.{}.{variable}", self.name)
    }

    fn wrong(&self, variable: &str, reason: &str) -> DriverError {
        DriverError::Setting { key: self.key(variable), reason: reason.to_owned() }
    }

    fn required(&self, variable: &str) -> Result<String, DriverError> {
        self.get(variable).ok_or_else(|| self.wrong(variable, "it is not set"))
    }

    fn number(&self, variable: &str) -> Result<Option<usize>, DriverError> {
        let Some(value) = self.get(variable) else { return Ok(None) };
        match value.trim().parse() {
            Ok(0) | Err(_) => Err(self.wrong(variable, "not a positive number")),
            Ok(number) => Ok(Some(number)),
        }
    }

    fn timeout(&self, default: Duration) -> Result<Duration, DriverError> {
        let Some(value) = self.get("timeout") else { return Ok(default) };
        match value.trim().parse::<u64>() {
            Ok(seconds @ 1..=LONGEST) => Ok(Duration::from_secs(seconds)),
            _ => Err(self.wrong("timeout", "not a number of seconds, up to a day")),
        }
    }
}
