//! A model behind HTTP as a driver: Anthropic's Messages, OpenAI's chat completions and responses, and servers that
//! speak one of them.

mod anthropic;
mod chat;
mod exchange;
mod key;
mod responses;

use std::time::Duration;

use serde_json::Value;
use ureq::http::Uri;

use super::command::cost;
use super::{Answer, Driver, DriverError, Form, Prompts, Task, prompt, said};
use crate::model::Usage;
use key::Key;

/// Names what a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Anthropic's Messages API.
    Anthropic,
    /// OpenAI's chat completions, which most compatible servers speak.
    OpenaiChat,
    /// OpenAI's responses.
    OpenaiResponses,
}

impl Dialect {
    /// Returns the provider's own address.
    pub const fn url(self) -> &'static str {
        match self {
            Dialect::Anthropic => "https://api.anthropic.com/v1",
            Dialect::OpenaiChat | Dialect::OpenaiResponses => "https://api.openai.com/v1",
        }
    }

    /// Returns the variable of the environment in which the provider's key is expected.
    pub const fn key_variable(self) -> &'static str {
        match self {
            Dialect::Anthropic => "ANTHROPIC_API_KEY",
            Dialect::OpenaiChat | Dialect::OpenaiResponses => "OPENAI_API_KEY",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Dialect::Anthropic => "/messages",
            Dialect::OpenaiChat => "/chat/completions",
            Dialect::OpenaiResponses => "/responses",
        }
    }
}

/// Asks a model behind HTTP, once for each task.
///
/// * **The key** stands in one header, and nowhere else: not in errors, not in [`Debug`]. Redirects are not followed, so
///   that it goes to no other server; without TLS it goes to this machine only, and then past every proxy.
/// * **Time**: 10 seconds to connect, [`timeout`](Self::timeout) all in all, retries and waits included.
/// * **Retries**: after 429, 500, 502, 503, 529 and broken connections, up to four times, after 0.5, 1, 2 and 4 seconds,
///   less up to half by chance, or as long as `Retry-After` asks, if there is time for that.
/// * **Answers** that were cut off, refused, empty or of another form are errors. So is one of more than
///   [`max_output`](Self::max_output) bytes.
///
/// Certificates are checked by what the system trusts.
#[derive(Debug, Clone)]
pub struct Http {
    /// Its name in the configuration.
    pub name: String,
    /// What the server speaks.
    pub dialect: Dialect,
    /// The address before `/messages`, `/chat/completions` or `/responses`.
    pub url: String,
    /// The model to ask.
    pub model: String,
    /// How long it may take, all in all.
    pub timeout: Duration,
    /// How many bytes the server may answer.
    pub max_output: usize,
    /// The most tokens that the server may write; without it, it follows from the task where the server must be told.
    pub max_tokens: Option<u64>,
    /// How long the first wait before a retry is; each further one is twice as long.
    pub backoff: Duration,
    /// What the model is told.
    pub prompts: Prompts,
    key: Key,
}

/// Is what a server answered, in any dialect.
#[derive(Debug, PartialEq)]
struct Reply {
    text: String,
    model: Option<String>,
    usage: Option<Usage>,
}

impl Http {
    /// How long a task may take, if nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(300);
    /// How many bytes an answer may have, if nothing else is said.
    pub const MAX_OUTPUT: usize = 4 << 20;

    /// Makes a driver for the provider's own server, without a key.
    pub fn new(name: &str, dialect: Dialect, model: &str) -> Self {
        Http {
            name: name.to_owned(),
            dialect,
            url: dialect.url().to_owned(),
            model: model.to_owned(),
            timeout: Self::TIMEOUT,
            max_output: Self::MAX_OUTPUT,
            max_tokens: None,
            backoff: Duration::from_millis(500),
            prompts: Prompts::default(),
            key: Key::default(),
        }
    }

    /// Sets the key; one that cannot stand in a header is refused, in words that do not show it.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn set_key(&mut self, key: &str) -> Result<(), &'static str> {
        self.key = Key::new(key)?;
        Ok(())
    }

    /// Tells whether the server is on this machine.
    pub fn is_local(&self) -> bool {
        self.address().is_ok_and(|address| is_loopback(&address))
    }

    /// Looks whether the address can be used.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        self.address().map(drop)
    }

    /// Returns the whole address.
    fn address(&self) -> Result<Uri, String> {
        let base = self.url.trim_end_matches('/');
        let path = self.dialect.path();
        let whole = if base.ends_with(path) { base.to_owned() } else { format!("{base}{path}") };
        let address: Uri = whole.parse().map_err(|_| "not an address".to_owned())?;
        // What is before an `@` would be a second key, and would stand in errors.
        if address.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err("not an address of the form 'https://host/path'".to_owned());
        }
        match address.scheme_str() {
            Some("https") => Ok(address),
            Some("http") if is_loopback(&address) => Ok(address),
            Some("http") => Err("'http' would show the key on the way: only 'https' leaves this machine".to_owned()),
            _ => Err("not an address that begins with 'https://'".to_owned()),
        }
    }

    /// Returns the request's body.
    fn request(&self, task: &Task, prompt: &str) -> Value {
        let wanted = match task {
            Task::Summarise(task) if task.form == Form::Title => 256,
            Task::Summarise(task) => task.target_tokens,
            Task::Reconcile(task) => (task.ours.len() as u64).saturating_add(task.theirs.len() as u64) / 2,
        };
        // Other encodings have other tokens, and a text that is a little too long shall be seen whole.
        let limit = wanted.saturating_mul(2).saturating_add(1024).min(32_000);
        match self.dialect {
            Dialect::Anthropic => anthropic::request(&self.model, prompt, self.max_tokens.unwrap_or(limit)),
            Dialect::OpenaiChat => chat::request(&self.model, prompt, self.max_tokens),
            Dialect::OpenaiResponses => responses::request(&self.model, prompt, self.max_tokens),
        }
    }

    /// Reads an answer; an error may have any words of the server in it.
    fn reply(&self, body: &[u8]) -> Result<Reply, String> {
        let reply = match self.dialect {
            Dialect::Anthropic => anthropic::reply(body),
            Dialect::OpenaiChat => chat::reply(body),
            Dialect::OpenaiResponses => responses::reply(body),
        }?;
        if reply.text.trim().is_empty() { Err("the text is empty".to_owned()) } else { Ok(reply) }
    }
}

impl Driver for Http {
    fn name(&self) -> String {
        format!("http:{}", self.name)
    }

    /// # Errors
    /// When the server cannot be reached or refuses, when it takes too long, or when its answer is not one.
    fn carry_out(&self, task: &Task) -> Result<Answer, DriverError> {
        let prompt = self.prompts.render(task)?;
        let body = self.request(task, &prompt).to_string();
        let body = exchange::post(self, body.as_bytes())?;
        let reply = self.reply(&body).map_err(|reason| {
            // Cut behind the key: half a key is not found.
            let reason = said::beginning(&self.key.hidden_in(&reason));
            DriverError::Answer { driver: self.name(), reason }
        })?;
        // A server of one's own may give any model any name: what it costs is not known.
        let priced = if self.is_local() { None } else { reply.model.as_deref().or(Some(&self.model)) };
        Ok(Answer {
            cost: cost(reply.usage.as_ref(), priced),
            text: reply.text.trim().to_owned(),
            model: reply.model.or_else(|| Some(self.model.clone())),
            usage: reply.usage,
            prompt_hash: Some(prompt::hash(prompt.as_bytes())),
        })
    }
}

fn is_loopback(address: &Uri) -> bool {
    let host = address.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Says that an answer stopped at a limit.
fn cut_off(limit: &str) -> String {
    format!("it was cut off ({limit})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_only_where_they_are_safe() {
        let check = |url: &str| {
            let mut http = Http::new("x", Dialect::OpenaiChat, "m");
            http.url = url.to_owned();
            http.check().map(|()| http.is_local())
        };
        assert_eq!(check("https://api.example.com/v1/"), Ok(false));
        assert_eq!(check("https://api.example.com/v1/chat/completions"), Ok(false));
        for local in ["http://127.0.0.1:11434/v1", "http://localhost/v1", "http://[::1]:80/v1", "https://127.8.9.1"] {
            assert_eq!(check(local), Ok(true), "{local}");
        }
        for not in [
            "http://example.com/v1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "x",
            "ftp://127.0.0.1",
            "",
            "https://user:secret@example.com",
            "file:///etc/passwd",
            "https://",
            "http://2130706433/",
            "http://127.0.0.1@example.com/",
        ] {
            assert!(check(not).is_err_and(|reason| !reason.contains("secret")), "{not}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let mut http = Http::new("x", Dialect::Anthropic, "m");
        http.set_key("sk-secret").expect("a key");
        assert!(!format!("{http:?}").contains("secret"));
        assert_eq!(http.set_key("sk\nsecret"), Err("the key has characters that no key has"));
    }
}
