//! Replays the steps of a recorded session as commits on the branches of its agent.

mod timeline;

use std::collections::HashMap;

use self::timeline::Timeline;
use super::change::{count_entry, open_context, preview_body, redact_body};
use super::link::{Note, Noting};
use super::{OpError, Workspace, preview};
use crate::capture::claude::mask_tool_results;
use crate::codec::{Collapse, Manifest, Meta, Replaces};
use crate::model::{
    Branch, Entry, EntryId, Flags, Message, ObjectId, Operation, Person, Role, Step, Time, Touch, TouchKind,
};
use crate::store::{Batch, CommitRequest, Context, Start};
use crate::tokens::Encoding;

/// The branch on which a conversation begins.
pub(super) const FIRST_BRANCH: &str = "main";

/// Counts what a replay stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) commits: u64,
    pub(super) entries: u64,
    /// Rules whose secrets were replaced, with the number of their findings.
    pub(super) redacted: HashMap<String, u64>,
}

/// Holds one conversation while it is replayed.
pub(super) struct Replay<'w> {
    workspace: &'w Workspace,
    agent: String,
    session: String,
    /// The commit of the code that the work tree is at.
    code: Option<ObjectId>,
    /// The branch of the agent that started this one.
    parent: Option<String>,
    /// Whether an earlier import may have stored what is replayed now, and was killed before it could remember that.
    repeats: bool,
    who: Person,
    /// The branch that steps go to now.
    pub(super) branch: String,
    /// When the last message was said, for those that do not tell.
    clock: Time,
    timeline: Timeline,
    pub(super) tally: Tally,
    /// What the messages wrote to files.
    pub(super) noting: Noting,
}

impl<'w> Replay<'w> {
    /// Prepares to replay a conversation of this agent, going on on `branch`, at this commit of the code.
    pub(super) fn new(
        workspace: &'w Workspace,
        agent: String,
        session: String,
        code: Option<ObjectId>,
        branch: String,
    ) -> Result<Self, OpError> {
        let who = workspace.repo.committer()?;
        Ok(Replay {
            workspace,
            agent,
            session,
            code,
            parent: None,
            repeats: false,
            clock: who.time,
            who,
            branch,
            timeline: Timeline::default(),
            tally: Tally::default(),
            noting: Noting::new(),
        })
    }

    /// Says which agent's branch started this one, for its first commit.
    pub(super) fn started_by(self, parent: Option<String>) -> Self {
        Replay { parent, ..self }
    }

    /// Says whether an earlier import may have stored what is replayed now.
    pub(super) fn repeating(self, repeats: bool) -> Self {
        Replay { repeats, ..self }
    }

    /// Carries out one step.
    ///
    /// # Errors
    /// When the repository cannot be read, or what is new cannot be stored.
    pub(super) fn step(&mut self, batch: &mut Batch<'_>, step: Step) -> Result<(), OpError> {
        match step {
            Step::Append(message) => self.append(batch, message),
            Step::Extend(message) => self.extend(batch, message),
            Step::Compress { summary, kept, facts } => self.compress(batch, summary, &kept, facts),
            Step::Mask { entries, calls, facts } => self.mask(batch, &entries, &calls, facts),
            Step::Fork { branch, after } => self.fork(batch, branch, after),
            Step::Switch { branch } => {
                self.branch = branch;
                Ok(())
            }
        }
    }

    fn ref_name(&self, branch: &str) -> Result<String, OpError> {
        Ok(self.workspace.repo.branch_ref(&Branch::new(&self.agent, branch)?))
    }

    /// Opens the current branch, empty if it is new.
    fn context<'b>(&self, batch: &'b mut Batch<'_>) -> Result<Context<'b>, OpError> {
        let manifest = Manifest::new(Encoding::O200kBase.name(), None);
        open_context(batch, &self.ref_name(&self.branch)?, &manifest)
    }

    fn append(&mut self, batch: &mut Batch<'_>, message: Message) -> Result<(), OpError> {
        let mut context = self.context(batch)?;
        self.timeline.note(&self.branch, message.id, context.tip());
        let (body, tokens) = self.put(&mut context, &message)?;
        let mut meta = message.meta.as_deref().map(Meta::decode).transpose()?;
        let mut operation = if message.role == Role::Spawn { Operation::Spawn } else { Operation::Append };
        if let Some(child) = self.answering(&message) {
            meta.get_or_insert_default().collapse = Some(Collapse { branch: child, ..Collapse::default() });
            operation = Operation::Collapse;
        }
        let meta = meta.map(|meta| context.put_meta(&meta)).transpose()?;
        let position = context.next_position()?;
        let Message { id, role, kind, .. } = message.clone();
        context.append(Entry { position, role, tokens, id, flags: Flags::default(), kind, body, meta })?;
        let subject = subject(operation.name(), &message);
        self.tally.entries += 1;
        let touches = vec![Touch::new(TouchKind::Added, id)];
        self.commit(&mut context, operation, subject, touches, Some(&message), &[])
    }

    /// Returns the branch of the subagent whose answer a message is.
    fn answering(&self, message: &Message) -> Option<String> {
        let (_, child) = message.fields.iter().find(|(name, _)| message.role == Role::Tool && name == "agent")?;
        Some(Branch::new(&subagent_name(&self.agent, child), FIRST_BRANCH).ok()?.to_string())
    }

    fn extend(&mut self, batch: &mut Batch<'_>, message: Message) -> Result<(), OpError> {
        let mut context = self.context(batch)?;
        // What was compressed away in the meantime stays so.
        let Some(old) = context.find(message.id)? else { return Ok(()) };
        let (body, tokens) = self.put(&mut context, &message)?;
        if body == old.body && self.repeats {
            return Ok(());
        }
        context.replace(Entry { body, tokens, kind: message.kind.clone(), ..old })?;
        let subject = subject("edit", &message);
        let touches = vec![Touch::new(TouchKind::Changed, message.id)];
        self.commit(&mut context, Operation::Edit, subject, touches, Some(&message), &[])
    }

    fn compress(
        &mut self,
        batch: &mut Batch<'_>,
        summary: Message,
        kept: &[EntryId],
        facts: Vec<(String, String)>,
    ) -> Result<(), OpError> {
        let mut context = self.context(batch)?;
        self.timeline.note(&self.branch, summary.id, context.tip());
        let (body, tokens) = self.put(&mut context, &summary)?;
        let goes = |entry: &Entry| entry.role.is_sent() && !entry.flags.pin && !kept.contains(&entry.id);
        let gone: Vec<Entry> = context.entries()?.into_iter().filter(goes).collect();
        let replaced = Replaces {
            entries: gone.len() as u64,
            tokens: gone.iter().map(|entry| entry.tokens).sum(),
            ..Replaces::default()
        };
        let meta = context.put_meta(&Meta { replaces: Some(replaced), ..Meta::default() })?;
        for entry in &gone {
            context.remove(entry.id)?;
        }
        let position = gone.first().map(|first| first.position.clone());
        let Message { id, role, kind, .. } = summary.clone();
        let entry =
            |position| Entry { position, role, tokens, id, flags: Flags::default(), kind, body, meta: Some(meta) };
        match position {
            Some(position) => context.insert(entry(position))?,
            None => {
                let position = context.next_position()?;
                context.append(entry(position))?;
            }
        }
        let mut touches = vec![Touch::new(TouchKind::Added, id)];
        touches.extend(gone.iter().map(|entry| Touch::new(TouchKind::Removed, entry.id)));
        self.tally.entries += 1;
        self.commit(&mut context, Operation::Compress, subject("compress", &summary), touches, Some(&summary), &facts)
    }

    fn mask(
        &mut self,
        batch: &mut Batch<'_>,
        entries: &[EntryId],
        calls: &[String],
        facts: Vec<(String, String)>,
    ) -> Result<(), OpError> {
        let mut context = self.context(batch)?;
        let encoding = Workspace::encoding(context.manifest());
        let mut touches = Vec::new();
        for id in entries {
            let Some(old) = context.find(*id)?.filter(|old| !old.flags.pin) else { continue };
            let masked = mask_tool_results(&context.read_body(&old.body)?, calls);
            let masked = redact_body(self.workspace, &old.kind, &masked)?;
            let tokens = count_entry(encoding, &old.role, &old.kind, masked.as_inner());
            let body = context.put_body(&masked)?;
            if body != old.body {
                context.replace(Entry { body, tokens, ..old })?;
                touches.push(Touch::new(TouchKind::Changed, *id));
            }
        }
        if touches.is_empty() {
            return Ok(());
        }
        let subject = format!("compress: {} old tool results emptied", touches.len());
        self.commit(&mut context, Operation::Compress, subject, touches, None, &facts)
    }

    fn fork(&mut self, batch: &mut Batch<'_>, branch: String, after: Option<EntryId>) -> Result<(), OpError> {
        let name = self.ref_name(&branch)?;
        // A record that is read once more names the branches that it made before.
        if batch.context(&name)?.is_some() {
            self.branch = branch;
            return Ok(());
        }
        let start = match after {
            None => None,
            Some(after) => self.state_after(batch, after)?,
        };
        if let Some(start) = start {
            batch.start(&name, Start::Commit(start))?;
        }
        // With no commit to start at, the first step makes the branch.
        self.branch = branch;
        Ok(())
    }

    /// Finds the newest commit before the step that came after the one that brought an entry.
    fn state_after(&mut self, batch: &mut Batch<'_>, after: EntryId) -> Result<Option<ObjectId>, OpError> {
        if !self.timeline.brought.contains_key(&after) && !self.timeline.has_past {
            self.timeline.read_past(self.workspace, &self.agent)?;
        }
        let Some((branch, nth)) = self.timeline.brought.get(&after).cloned() else { return Ok(None) };
        match self.timeline.before.get(&branch).and_then(|before| before.get(nth + 1)) {
            Some(next) => Ok(*next),
            None => Ok(batch.context(&self.ref_name(&branch)?)?.and_then(|context| context.tip())),
        }
    }

    /// Redacts a message, counts it and stores its body.
    fn put(&mut self, context: &mut Context<'_>, message: &Message) -> Result<(ObjectId, u64), OpError> {
        let body = redact_body(self.workspace, &message.kind, &message.body)?;
        for finding in body.findings() {
            *self.tally.redacted.entry(finding.rule.to_string()).or_default() += 1;
        }
        let encoding = Workspace::encoding(context.manifest());
        let tokens = count_entry(encoding, &message.role, &message.kind, body.as_inner());
        let id = context.put_body(&body)?;
        self.noting.look(id, body.as_inner(), message.role == Role::Assistant);
        Ok((id, tokens))
    }

    fn commit(
        &mut self,
        context: &mut Context<'_>,
        operation: Operation,
        subject: String,
        mut entries: Vec<Touch>,
        message: Option<&Message>,
        facts: &[(String, String)],
    ) -> Result<(), OpError> {
        let redactor = self.workspace.redactor()?;
        let line = |text: &str| redactor.line(text).into_inner();
        self.clock = message.and_then(|message| message.time).unwrap_or(self.clock);
        if let (Some(touch), Some(message)) = (entries.first_mut(), message) {
            if let Some(time) = message.time {
                touch.fields.push(("at".to_owned(), time.to_string()));
            }
            touch.fields.extend(message.fields.iter().map(|(name, value)| (name.clone(), line(value))));
        }
        let person = Person { time: self.clock, ..self.who.clone() };
        let parent = self.parent.clone().filter(|_| context.tip().is_none());
        let facts = facts.iter().map(|(name, value)| (format!("Trace-{name}"), line(value)));
        let other = facts.chain(parent.map(|parent| ("Trace-Parent".to_owned(), parent))).collect();
        let folder = message.and_then(|message| message.fields.iter().find(|(name, _)| name == "cwd"));
        folder.iter().for_each(|(_, folder)| self.noting.set_folder(folder));
        let entry = entries.first().map(|touch| touch.id);
        let trace = context.commit(CommitRequest {
            operation,
            subject: redactor.line(&subject),
            body: redactor.line(""),
            entries,
            author: self.workspace.author_for(person.clone(), Some(&self.agent)),
            committer: person,
            agent: Some(self.agent.clone()),
            code: self.code,
            model: message.and_then(|message| message.model.clone()),
            usage: message.and_then(|message| message.usage),
            cost: None,
            session: Some(self.session.clone()),
            merged: Vec::new(),
            other,
        })?;
        if let Some(entry) = entry {
            let branch = format!("{}/{}", self.agent, self.branch);
            let (millis, session) = (self.clock.millis, &self.session);
            self.noting.stored(self.workspace, || Note {
                millis,
                is_dated: message.is_some_and(|message| message.time.is_some()),
                branch: branch.clone(),
                session: Some(session.clone()),
                entry,
                trace,
                body: trace,
                call: String::new(),
                path: String::new(),
            });
        }
        self.tally.commits += 1;
        Ok(())
    }
}

/// Names the agent of a subagent, as its own record names it.
pub(super) fn subagent_name(agent: &str, child: &str) -> String {
    part(&format!("{agent}-{}", child.strip_prefix("agent-").unwrap_or(child)))
}

/// Makes a text a part of a branch name.
pub(super) fn part(text: &str) -> String {
    let safe = |one: char| {
        if one.is_ascii_alphanumeric() || one == '-' || one == '_' { one.to_ascii_lowercase() } else { '-' }
    };
    let text: String = text.chars().map(safe).take(60).collect();
    text.trim_matches('-').to_owned()
}

fn subject(verb: &str, message: &Message) -> String {
    let what = if matches!(message.role, Role::Summary | Role::Spawn) { "" } else { message.role.name() };
    let gap = if what.is_empty() { "" } else { " " };
    let told = match message.role {
        Role::Spawn => task(&message.body),
        _ => preview_body(&message.kind, &message.body),
    };
    format!("{verb}{gap}{what}: {told}")
}

/// Says in a few words what a subagent is started for.
fn task(body: &[u8]) -> String {
    let told: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let words = ["subagent_type", "description"].map(|name| told[name].as_str().unwrap_or_default());
    preview(&words.join(" "))
}
