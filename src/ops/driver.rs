//! The drivers that the user configured.

use std::fs;

use serde::{Deserialize, Serialize};

use super::{OpError, Workspace};
use crate::drivers::{self, Answer, Driver, Opening, Prompts};
use crate::model::NanoDollars;
use crate::tokens::Encoding;

/// Folder of the work tree with prompts in the place of those that are built in.
const PROMPTS: &str = ".gittrace/prompts";

/// The largest prompt that is read, in bytes.
const PROMPT_MAX: u64 = 64 << 10;

impl Workspace {
    /// Makes a driver by its name; `None` is the one that `trace.driver` names, or else the embedded one.
    ///
    /// # Errors
    /// When it is not configured, or wrongly.
    pub(super) fn driver(&self, name: Option<&str>, encoding: Encoding) -> Result<Box<dyn Driver>, OpError> {
        let prompts = Prompts {
            summarise: self.prompt("summarise.md"),
            title: self.prompt("title.md"),
            reconcile: self.prompt("reconcile.md"),
        };
        let opening = Opening { encoding, config: &|key| self.config(key), key: None, prompts };
        Ok(drivers::open(name, &opening)?)
    }

    /// Reads a prompt that the repository brings. It is text: it can name no program and no server.
    fn prompt(&self, name: &str) -> Option<String> {
        let path = self.repo.work_dir()?.join(PROMPTS).join(name);
        let small = fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() <= PROMPT_MAX);
        small.then(|| fs::read_to_string(&path).ok()).flatten()
    }
}

/// The longest answer of a driver that is taken, in bytes.
pub(super) const ANSWER_MAX: usize = 1 << 20;

/// Longest name that is recorded of what a driver says of itself, in characters.
const WORD_MAX: usize = 100;

/// Most calls that a commit names one by one.
const NAMED_MAX: usize = 16;

/// Gathers what drivers' calls are to be remembered for: who answered, to which prompt, and at what cost. It is not the
/// agent's own usage, and stands in trailers of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Credits {
    /// One line a call, for `Trace-Driver`.
    pub(super) calls: Vec<String>,
    /// In billionths of a US dollar.
    pub(super) cost: Option<i64>,
}

impl Credits {
    pub(super) fn add(&mut self, driver: &str, answer: &Answer) {
        let usage = answer.usage.unwrap_or_default();
        let count = |count: Option<u64>| count.map(|count| count.to_string());
        let facts = [
            ("model", answer.model.as_deref().map(word)),
            ("prompt", answer.prompt_hash.as_deref().map(word)),
            ("input", count(usage.input)),
            ("cached", count(usage.cache_read)),
            ("cache-write", count(usage.cache_write)),
            ("output", count(usage.output)),
        ];
        if self.calls.len() < NAMED_MAX {
            let known = facts.into_iter().filter_map(|(name, value)| Some(format!(" {name}={}", value?)));
            self.calls.push(word(driver) + &known.collect::<String>());
        }
        if let Some(NanoDollars(cost)) = answer.cost {
            self.cost = Some(self.cost.unwrap_or(0).saturating_add(cost));
        }
    }

    /// Takes in what others are remembered for.
    pub(super) fn join(&mut self, other: &Credits) {
        self.calls.extend(other.calls.iter().cloned());
        self.cost = match (self.cost, other.cost) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
    }

    /// Returns the calls as trailers.
    pub(super) fn trailers(&self) -> impl Iterator<Item = (String, String)> {
        self.calls.iter().map(|call| ("Trace-Driver".to_owned(), call.clone()))
    }
}

/// Makes one word of what a driver says of itself, which could be anything.
pub(super) fn word(text: &str) -> String {
    let plain = |one: char| if one.is_ascii_graphic() && one != '=' { one } else { '_' };
    text.chars().take(WORD_MAX).map(plain).collect()
}
