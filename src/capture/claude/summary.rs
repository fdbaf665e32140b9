//! What a transcript held, in numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::line::Line;
use crate::model::Usage;

/// Sessions, versions and kinds beyond this many are counted, not named: a hostile file shall not fill the memory.
const NAMED: usize = 64;

/// Adds up the usage of API messages, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UsageTotals {
    /// Input tokens that came from no cache.
    pub input: u64,
    /// Input tokens read from the cache.
    pub cache_read: u64,
    /// Input tokens written to the cache.
    pub cache_write: u64,
    /// Output tokens, as reported: too few where `Summary::placeholders` is not 0.
    pub output: u64,
}

/// Describes one compaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Compaction {
    /// What set it off: `auto` or `manual`.
    pub trigger: Option<String>,
    /// Size of the context before it, in tokens, as the agent reported it.
    pub tokens: Option<u64>,
}

/// Counts what a transcript held, from its first byte on, subagents' inline conversations included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Session ids, in the order of their appearance; 64 at most.
    pub sessions: Vec<String>,
    /// Versions of the agent, likewise.
    pub versions: Vec<String>,
    /// The title that a person, or else the agent, gave the session.
    pub title: Option<String>,
    /// Whether a person gave it.
    pub is_title_chosen: bool,
    /// Lines that are JSON.
    pub lines: u64,
    /// Lines by type, or `type:subtype`; `untyped` without type, `other` beyond 64 kinds.
    pub kinds: BTreeMap<String, u64>,
    /// Lines of progress and file history, which are no part of the record.
    pub dropped: u64,
    /// Lines whose uuid was there before.
    pub duplicates: u64,
    /// Lines that are no JSON, no UTF-8 or too long.
    pub broken: u64,
    /// Lines that say they are a subagent's.
    pub sidechain_lines: u64,
    /// Distinct parents that lines name and the file does not hold before them.
    pub dangling: u64,
    /// User messages that answer no tool and that a person, or a command of theirs, wrote.
    pub prompts: u64,
    /// Messages of the model with distinct API ids.
    pub api_messages: u64,
    /// Messages of the model without an API id: one per line.
    pub unnamed_messages: u64,
    /// Messages whose API id had been closed before; their usage is not counted again.
    pub reopened_messages: u64,
    /// Assistant lines that the client made itself.
    pub client_made: u64,
    /// Messages of which a line told why they ended.
    pub finished_messages: u64,
    /// Messages whose reported output is a streaming placeholder.
    pub placeholders: u64,
    /// Tool calls.
    pub tool_uses: u64,
    /// Tool results.
    pub tool_results: u64,
    /// Tool results that report a fault.
    pub tool_errors: u64,
    /// Thinking blocks.
    pub thinking: u64,
    /// Images.
    pub images: u64,
    /// Compactions, the first 1,000.
    pub compactions: Vec<Compaction>,
    /// Micro-compactions.
    pub micro_compactions: u64,
    /// Rewinds, each of which started a branch.
    pub rewinds: u64,
    /// The reported usage.
    pub usage: UsageTotals,
}

impl Summary {
    pub(super) fn add_line(&mut self, line: &Line<'_>) {
        self.lines += 1;
        let kind = match (line.kind(), line.subkind()) {
            (Some(kind), Some(sub)) if matches!(&*kind, "system" | "progress") => format!("{kind}:{sub}"),
            (Some(kind), _) => kind.into_owned(),
            (None, _) => "untyped".to_owned(),
        };
        let is_named = self.kinds.len() < NAMED && kind.len() <= 100 || self.kinds.contains_key(&kind);
        let kind = if is_named { kind } else { "other".to_owned() };
        *self.kinds.entry(kind).or_default() += 1;
        name(&mut self.sessions, line.session().as_deref());
        name(&mut self.versions, line.version().as_deref());
        self.sidechain_lines += u64::from(line.is_sidechain());
        if let Some((title, is_chosen)) = line.title()
            && (is_chosen || !self.is_title_chosen)
            && title.len() <= 1000
        {
            self.title = Some(title.into_owned());
            self.is_title_chosen = is_chosen;
        }
    }

    pub(super) fn add_content(&mut self, content: &Content) {
        self.tool_uses += content.tool_uses;
        self.tool_results += content.tool_results;
        self.tool_errors += content.errors;
        self.thinking += content.thinking;
        self.images += content.images;
    }

    pub(super) fn add_usage(&mut self, usage: Usage) {
        let total = &mut self.usage;
        for (sum, value) in [
            (&mut total.input, usage.input),
            (&mut total.cache_read, usage.cache_read),
            (&mut total.cache_write, usage.cache_write),
            (&mut total.output, usage.output),
        ] {
            *sum = sum.saturating_add(value.unwrap_or(0));
        }
    }

    pub(super) fn add_compaction(&mut self, compaction: Compaction) {
        if self.compactions.len() < 1000 {
            self.compactions.push(compaction);
        }
    }
}

fn name(known: &mut Vec<String>, value: Option<&str>) {
    if let Some(value) = value
        && known.len() < NAMED
        && value.len() <= 200
        && !known.iter().any(|name| name == value)
    {
        known.push(value.to_owned());
    }
}
