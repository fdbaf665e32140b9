//! The frame of every operation that writes: one commit on the target, or nothing.

use serde::{Deserialize, Serialize};

use super::workspace::{Target, Workspace};
use super::{OpError, preview};
use crate::codec::{Manifest, Meta};
use crate::export::plain_text;
use crate::model::{
    BodyKind, Commit, Entry, EntryId, Flags, NanoDollars, ObjectId, Operation, Person, Role, Touch, Usage,
};
use crate::redact::Redacted;
use crate::store::{Batch, CommitRequest, Context, Size, Start, StoreError};
use crate::tokens::{self, Encoding};

/// Times that a change is made anew when git itself moved the branch in between.
pub(super) const ATTEMPTS: usize = 5;

/// Bytes of a text that are looked at for its first words.
const PREVIEWED: usize = 8 << 10;

/// Says what an operation did to a branch, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The branch, unless HEAD is detached.
    pub branch: Option<String>,
    /// The new commit; `None` on a dry run.
    pub commit: Option<ObjectId>,
    /// The commit before; `None` if this is the first.
    pub parent: Option<ObjectId>,
    /// First line of the commit message.
    #[serde(default)]
    pub subject: String,
    /// The entries that were touched.
    pub entries: Vec<EntryId>,
    /// Change of the context's size in tokens.
    pub tokens: i64,
    /// Tokens of the context now.
    pub total: u64,
    /// Entries of the context now.
    pub count: u64,
    /// The most tokens that the context should have.
    pub budget: Option<u64>,
    /// Rules whose secrets were replaced, one for each finding.
    pub redacted: Vec<String>,
    /// The command that takes it back.
    pub undo: Option<String>,
}

/// Changes a context and says what to record of it. It may be called again when somebody else was faster.
pub(super) type Edits<'a> = dyn FnMut(&mut Editing<'_>) -> Result<Record, OpError> + 'a;

/// Says who acts.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    pub(super) author: Person,
    pub(super) committer: Person,
    pub(super) agent: Option<String>,
    pub(super) code: Option<ObjectId>,
}

/// Holds a commit that was made and is not seen by others yet.
pub(super) struct Made {
    pub(super) changed: Changed,
    /// The line for the reflog.
    pub(super) reflog: String,
}

/// Says what a commit is to record, before it is redacted.
pub(super) struct Record {
    pub(super) operation: Operation,
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) entries: Vec<Touch>,
    pub(super) model: Option<String>,
    pub(super) usage: Option<Usage>,
    /// What a driver's call cost.
    pub(super) cost: Option<NanoDollars>,
    /// Further trailers, with full names.
    pub(super) other: Vec<(String, String)>,
    /// Parents beside the newest commit: what was merged.
    pub(super) merged: Vec<ObjectId>,
    /// The commit that is done again here: its author, agent, session and code commit stay.
    pub(super) again: Option<Box<Commit>>,
}

impl Record {
    pub(super) fn new(operation: Operation, subject: String, entries: Vec<Touch>) -> Self {
        Record {
            operation,
            subject,
            body: String::new(),
            entries,
            model: None,
            usage: None,
            cost: None,
            other: Vec::new(),
            merged: Vec::new(),
            again: None,
        }
    }
}

/// Holds what a change needs while it is made.
pub(super) struct Editing<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) encoding: Encoding,
    pub(super) context: Context<'a>,
    /// Rules whose secrets were replaced so far.
    pub(super) redacted: Vec<String>,
}

impl Editing<'_> {
    /// Redacts a body, counts it and stores it: the one way of bytes into the repository.
    pub(super) fn put(&mut self, role: &Role, kind: &BodyKind, body: &[u8]) -> Result<(ObjectId, u64), OpError> {
        let body = redact_body(self.workspace, kind, body)?;
        self.redacted.extend(body.findings().iter().map(|finding| finding.rule.to_string()));
        let tokens = count_entry(self.encoding, role, kind, body.as_inner());
        Ok((self.context.put_body(&body)?, tokens))
    }

    /// Puts a new entry at the end.
    pub(super) fn append(
        &mut self,
        id: EntryId,
        role: Role,
        kind: BodyKind,
        body: &[u8],
        meta: Option<&Meta>,
        pin: bool,
    ) -> Result<Entry, OpError> {
        let (blob, tokens) = self.put(&role, &kind, body)?;
        let meta = meta.map(|meta| self.context.put_meta(meta)).transpose()?;
        let position = self.context.next_position()?;
        let flags = Flags { pin, other: Vec::new() };
        let entry = Entry { position, role, tokens, id, flags, kind, body: blob, meta };
        self.context.append(entry.clone())?;
        Ok(entry)
    }
}

/// Replaces the secrets in a body by markers.
pub(super) fn redact_body(workspace: &Workspace, kind: &BodyKind, body: &[u8]) -> Result<Redacted<Vec<u8>>, OpError> {
    let redactor = workspace.redactor()?;
    Ok(if *kind == BodyKind::Json { redactor.json(body) } else { redactor.text(body) })
}

/// Counts what an entry costs the model: its body and the framing of a message; nothing if it is not sent.
pub(super) fn count_entry(encoding: Encoding, role: &Role, kind: &BodyKind, body: &[u8]) -> u64 {
    if !role.is_sent() {
        return 0;
    }
    let kind = if *kind == BodyKind::Json { tokens::Body::Json } else { tokens::Body::Text };
    tokens::count_body(encoding, kind, body) + tokens::MESSAGE_FRAMING
}

/// Returns the beginning of what an entry says, on one line.
pub(super) fn preview_body(kind: &BodyKind, body: &[u8]) -> String {
    // Enough for a line: a text may have megabytes.
    let enough = if *kind == BodyKind::Text { body.get(..PREVIEWED).unwrap_or(body) } else { body };
    preview(&plain_text(kind, enough))
}

impl Workspace {
    /// Makes one commit on the target: `edit` changes the context and says what to record.
    ///
    /// Everything is written before the branch moves; on a dry run nothing is.
    pub(super) fn change(&self, dry_run: bool, edit: &mut Edits<'_>) -> Result<Changed, OpError> {
        self.change_at(&self.target()?, dry_run, edit)
    }

    /// Makes one commit on a ref that need not be HEAD's, as [`Workspace::change`] does.
    pub(super) fn change_at(&self, target: &Target, dry_run: bool, edit: &mut Edits<'_>) -> Result<Changed, OpError> {
        let mut attempt = 1;
        loop {
            match self.try_change(target, dry_run, edit) {
                Err(OpError::Store(StoreError::RefMoved { .. })) if attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    fn try_change(&self, target: &Target, dry_run: bool, edit: &mut Edits<'_>) -> Result<Changed, OpError> {
        self.rehearse(dry_run);
        // Built before the lock is taken: others need not wait for it.
        self.redactor()?;
        let actor = self.actor(target)?;
        let mut batch = if dry_run { self.repo.rehearse() } else { self.repo.begin(Size::Few)? };
        let made = self.make(&mut batch, target, &actor, edit)?;
        if dry_run {
            return Ok(Changed { commit: None, undo: None, ..made.changed });
        }
        batch.finish(&made.reflog, &actor.committer, self.repo.durability(false))?;
        Ok(made.changed)
    }

    /// Says who acts on a target now.
    pub(super) fn actor(&self, target: &Target) -> Result<Actor, OpError> {
        let agent = target.branch.as_ref().map(|branch| branch.agent().to_owned()).filter(|agent| agent != "main");
        let author = self.author_for(self.repo.author()?, agent.as_deref());
        Ok(Actor { author, committer: self.repo.committer()?, agent, code: self.repo.code_commit() })
    }

    /// Names the agent as the author where the user wants that (`trace.author=agent`).
    pub(super) fn author_for(&self, user: Person, agent: Option<&str>) -> Person {
        match agent {
            Some(agent) if self.settings().agent_is_author => Person { name: agent.to_owned(), ..user },
            _ => user,
        }
    }

    /// Makes one commit inside a batch; nothing is seen by others before the batch is finished.
    pub(super) fn make(
        &self,
        batch: &mut Batch<'_>,
        target: &Target,
        actor: &Actor,
        edit: &mut Edits<'_>,
    ) -> Result<Made, OpError> {
        let redactor = self.redactor()?;
        let context = open_context(batch, &target.ref_name, &Manifest::new(Encoding::O200kBase.name(), None))?;
        let parent = context.tip();
        let before = context.total();
        let manifest = context.manifest().clone();
        let encoding = Workspace::encoding(&manifest);
        let mut editing = Editing { workspace: self, encoding, context, redacted: Vec::new() };
        let record = edit(&mut editing)?;

        let subject = redactor.line(&record.subject);
        let entries: Vec<EntryId> = record.entries.iter().map(|touch| touch.id).collect();
        let reflog = format!("trace {}: {}", record.operation, subject.as_inner());
        let told = subject.as_inner().clone();
        let Editing { mut context, redacted, .. } = editing;
        let Actor { mut author, committer, mut agent, mut code } = actor.clone();
        let mut session = None;
        if let Some(again) = record.again {
            author = again.author;
            agent = again.facts.agent.or(agent);
            code = again.facts.code;
            session = again.facts.session;
        }
        let commit = context.commit(CommitRequest {
            operation: record.operation,
            subject,
            body: redactor.line(&record.body),
            entries: record.entries,
            author,
            committer,
            agent,
            code,
            model: record.model,
            usage: record.usage,
            cost: record.cost,
            session,
            other: record.other,
            merged: record.merged,
        })?;
        let (total, count) = (context.total(), context.count());
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let changed = Changed {
            branch: target.branch.as_ref().map(ToString::to_string),
            commit: Some(commit),
            parent,
            subject: told,
            entries,
            tokens: signed(total) - signed(before),
            total,
            count,
            budget: self.budget(target, Some(&manifest))?,
            redacted,
            undo: parent.map(|parent| self.way_back(parent)),
        };
        Ok(Made { changed, reflog })
    }
}

/// Opens the context of a ref, or an empty one if the ref does not exist.
pub(super) fn open_context<'b>(
    batch: &'b mut Batch<'_>,
    ref_name: &str,
    manifest: &Manifest,
) -> Result<Context<'b>, OpError> {
    if batch.context(ref_name)?.is_none() {
        return Ok(batch.start(ref_name, Start::Empty(manifest))?);
    }
    Ok(batch.context(ref_name)?.expect("it was there a moment ago"))
}
