//! Why a line is there: the prompt, the reasoning and the tool call, as the context has them.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::capture::{ToolCall, tool_call};
use crate::codec::{Block, blocks, tool_ids};
use crate::export::plain_text;
use crate::link::Link;
use crate::model::{Entry, EntryId, ObjectId, Role, Time};
use crate::ops::{OpError, Workspace};

/// Says which tool call wrote something, and what led to it.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The context branch.
    pub branch: String,
    /// The agent's own session.
    pub session: Option<String>,
    /// The commit of the context that brought the call.
    pub trace: ObjectId,
    /// The entry that holds the call.
    pub entry: EntryId,
    /// The call's id.
    pub call: String,
    /// Who acted; `None` if the context is not here.
    pub agent: Option<String>,
    /// The model that made the call.
    pub model: Option<String>,
    /// When.
    pub time: Option<Time>,
    /// The tool and what it was given; `None` if the context is not here.
    pub tool: Option<ToolCall>,
    /// What was asked for.
    pub prompt: Option<Said>,
    /// What the model said, or thought, right before.
    pub reasoning: Option<Said>,
}

/// Holds what an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The entry.
    pub entry: EntryId,
    /// Its words.
    pub text: String,
}

/// Finds causes; a context is read once.
pub(super) struct Causes<'w> {
    workspace: &'w Workspace,
    contexts: HashMap<ObjectId, Option<(crate::model::Commit, Vec<Entry>)>>,
}

impl<'w> Causes<'w> {
    pub(super) fn new(workspace: &'w Workspace) -> Self {
        Causes { workspace, contexts: HashMap::new() }
    }

    /// Reads what is behind a link, as the context was when it was made: since then it may have been compressed. A link
    /// to a call that is not in the context is none; of somebody else's link, [`Evidence::bears_out`] asks for more.
    ///
    /// [`Evidence::bears_out`]: super::commit::Evidence::bears_out
    pub(super) fn find(&mut self, link: &Link) -> Result<Option<Cause>, OpError> {
        let repo = &self.workspace.repo;
        let known = self.contexts.entry(link.trace).or_insert_with(|| {
            let commit = repo.read_commit(&link.trace).ok()?;
            let entries = repo.read_entries(&commit).ok()?;
            Some((commit, entries))
        });
        let mut cause = Cause {
            branch: link.branch.clone(),
            session: link.session.clone(),
            trace: link.trace,
            entry: link.entry,
            call: link.call.clone(),
            agent: None,
            model: None,
            time: None,
            tool: None,
            prompt: None,
            reasoning: None,
        };
        // The context is gone, or was never here.
        let Some((commit, entries)) = known else { return Ok(Some(cause)) };
        let Some(at) = entries.iter().position(|entry| entry.id == link.entry) else { return Ok(None) };
        let body = repo.read_blob(&entries[at].body)?;
        let Some(tool) = tool_call(&body, &link.call) else { return Ok(None) };
        cause.tool = Some(tool);
        cause.agent = commit.facts.agent.clone();
        cause.model = commit.facts.model.clone();
        let told = commit.facts.entries.iter().find(|touch| touch.id == link.entry);
        cause.time = told.and_then(|touch| touch.field("at")?.parse().ok()).or(Some(commit.committer.time));
        let read = |entry: &Entry| repo.read_blob(&entry.body).ok().map(|body| plain_text(&entry.kind, &body));
        let prompts = entries[..at].iter().enumerate().rev().filter(|(_, entry)| entry.role == Role::User);
        let mut first = 0;
        for (nth, entry) in prompts {
            let text = read(entry).unwrap_or_default();
            let is_answer = repo.read_blob(&entry.body).is_ok_and(|body| !tool_ids(&body).results.is_empty());
            if !is_answer && !text.trim().is_empty() {
                cause.prompt = Some(Said { entry: entry.id, text });
                first = nth;
                break;
            }
        }
        let said = words_before(&body, Some(&link.call));
        cause.reasoning = said.map(|text| Said { entry: link.entry, text });
        if cause.reasoning.is_none() {
            let before = entries[first..at].iter().rev().find(|entry| entry.role == Role::Assistant);
            cause.reasoning = before.and_then(|entry| {
                let body = repo.read_blob(&entry.body).ok()?;
                let plain = || tool_ids(&body).calls.is_empty().then(|| plain_text(&entry.kind, &body));
                let text = words_before(&body, None).or_else(plain).filter(|text| !text.trim().is_empty())?;
                Some(Said { entry: entry.id, text })
            });
        }
        Ok(Some(cause))
    }
}

/// Returns the words and thoughts of a message, up to a call if one is named.
fn words_before(body: &[u8], call: Option<&str>) -> Option<String> {
    let text = |raw: Option<&RawValue>| raw.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let is_call = |block: &Block<'_>| {
        let id = text(block.call_id).or_else(|| text(block.id));
        call.is_some() && id.as_deref() == call
    };
    let mut words = Vec::new();
    for block in blocks(body).iter().take_while(|block| !is_call(block)) {
        let said = match () {
            () if block.is("thinking") => text(block.thinking),
            () if block.is("text") || block.is("output_text") => text(block.text),
            () if block.kind.is_none() => text(block.content),
            () => None,
        };
        words.extend(said.filter(|said| !said.trim().is_empty()));
    }
    (!words.is_empty()).then(|| words.join("\n\n"))
}
