//! Group commit: whoever has the lock stores the messages of all that wait, with one sync.

use serde::{Deserialize, Serialize};

use super::change::{ATTEMPTS, Actor, Changed};
use super::commit::Appending;
use super::message::NewMessage;
use super::workspace::Target;
use super::{OpError, Workspace};
use crate::model::{BodyKind, Commit, EntryId, ObjectId, Person, Role, Time};
use crate::store::{Batch, Durability, Pending, REQUESTS_MAX, Size, StoreError, Ticket};

/// What a process that waits asks for. It lives for milliseconds, between programs of one version.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    ref_name: String,
    author: Who,
    committer: Who,
    agent: Option<String>,
    code: Option<ObjectId>,
    message: Option<String>,
    redacted: Vec<String>,
    entries: Vec<Asked>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Who {
    name: String,
    email: String,
    millis: i64,
    offset_minutes: i16,
}

/// A message without its body; the bodies follow the request, one behind the other.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    id: EntryId,
    role: String,
    kind: String,
    length: usize,
    model: Option<String>,
    pin: bool,
    decision: Option<String>,
}

/// Appends messages durably, alone or together with others.
pub(super) fn commit(workspace: &Workspace, mut own: Appending) -> Result<Changed, OpError> {
    let repo = &workspace.repo;
    let target = workspace.target()?;
    let actor = workspace.actor(&target)?;
    if let Some(batch) = repo.try_begin(Size::Few)? {
        let parent = repo.find_ref_id(&target.ref_name)?;
        own.ids = (0..own.messages.len()).map(|nth| workspace.new_entry_id(parent, nth)).collect();
        return lead(workspace, batch, &target, &actor, &own, None);
    }
    // Nobody knows yet what they will stand on: these ids follow from nothing.
    own.ids = own.messages.iter().map(|_| EntryId::from_bits(fastrand::u64(..))).collect();
    let ticket = repo.enqueue(&encode(&target, &actor, &own))?;
    let batch = repo.begin(Size::Few)?;
    if let Some(Ok(changed)) = ticket.answer().map(|answer| serde_json::from_slice(&answer)) {
        return Ok(changed);
    }
    ticket.withdraw();
    lead(workspace, batch, &target, &actor, &own, Some(&ticket))
}

/// Stores our messages, and those of all that wait for the same branch.
fn lead(
    workspace: &Workspace,
    batch: Batch<'_>,
    target: &Target,
    actor: &Actor,
    own: &Appending,
    ticket: Option<&Ticket>,
) -> Result<Changed, OpError> {
    let mut batch = Some(batch);
    let mut company = true;
    let mut attempt = 1;
    loop {
        let batch = match batch.take() {
            Some(batch) => batch,
            None => workspace.repo.begin(Size::Few)?,
        };
        match store(workspace, batch, target, actor, own, ticket, company) {
            Err(OpError::Store(StoreError::RefMoved { .. })) if attempt < ATTEMPTS => attempt += 1,
            // Whatever is wrong with another's request shall not be our fault.
            Ok(None) => company = false,
            Ok(Some(changed)) => return Ok(changed),
            Err(error) => return Err(error),
        }
    }
}

/// Makes and stores all commits at once; `None` if another's request could not be carried out, and nothing was stored.
fn store(
    workspace: &Workspace,
    mut batch: Batch<'_>,
    target: &Target,
    actor: &Actor,
    own: &Appending,
    ticket: Option<&Ticket>,
    company: bool,
) -> Result<Option<Changed>, OpError> {
    let pending = if company { batch.pending(ticket)? } else { Vec::new() };
    let pending: Vec<(Pending, Request, Appending, Actor)> =
        pending.into_iter().filter_map(decode).filter(|(_, request, ..)| request.ref_name == target.ref_name).collect();
    // A leader that died between moving the branch and answering has left its commits at the tip.
    let tip = workspace.repo.find_ref_id(&target.ref_name)?.filter(|_| ticket.is_some() || !pending.is_empty());
    let newest: Vec<Commit> = match tip {
        Some(tip) => workspace.repo.history(&[tip], &[])?.take(REQUESTS_MAX + 1).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let find_done = |ids: &[EntryId]| {
        let brought =
            |commit: &&Commit| ids.first().is_some_and(|id| commit.facts.entries.iter().any(|touch| touch.id == *id));
        newest.iter().find(brought)
    };
    if let Some(commit) = find_done(&own.ids).filter(|_| ticket.is_some()) {
        return Ok(Some(Changed::of_commit(workspace, target, commit, own)));
    }

    let made = workspace.make(&mut batch, target, actor, &mut |editing| own.carry_out(editing))?;
    let mut answers: Vec<(Pending, Changed)> = Vec::new();
    for (waiting, _, appending, actor) in pending {
        if let Some(commit) = find_done(&appending.ids) {
            answers.push((waiting, Changed::of_commit(workspace, target, commit, &appending)));
            continue;
        }
        let Ok(made) = workspace.make(&mut batch, target, &actor, &mut |editing| appending.carry_out(editing)) else {
            return Ok(None);
        };
        answers.push((waiting, made.changed));
    }
    let reflog = match answers.len() {
        0 => made.reflog,
        count => format!("{} (+{count} of others)", made.reflog),
    };
    batch.finish_and(&reflog, &actor.committer, Durability::Durable, || {
        for (waiting, changed) in answers {
            // Who hears nothing looks for its commit by itself.
            let _ = waiting.answer(&serde_json::to_vec(&changed).unwrap_or_default());
        }
    })?;
    Ok(Some(made.changed))
}

impl Changed {
    /// Tells of messages that are stored already.
    fn of_commit(workspace: &Workspace, target: &Target, commit: &Commit, appending: &Appending) -> Self {
        let parent = commit.parents.first().copied();
        Changed {
            branch: target.branch.as_ref().map(ToString::to_string),
            commit: Some(commit.id),
            parent,
            subject: commit.subject.clone(),
            entries: appending.ids.clone(),
            tokens: commit.facts.tokens,
            total: commit.facts.total,
            count: commit.facts.count,
            budget: None,
            redacted: appending.redacted.clone(),
            undo: parent.map(|parent| workspace.way_back(parent)),
        }
    }
}

fn encode(target: &Target, actor: &Actor, own: &Appending) -> Vec<u8> {
    let who = |person: &Person| Who {
        name: person.name.clone(),
        email: person.email.clone(),
        millis: person.time.millis,
        offset_minutes: person.time.offset_minutes,
    };
    let asked = |(message, id): (&NewMessage, &EntryId)| Asked {
        id: *id,
        role: message.role.name().to_owned(),
        kind: message.kind.ending().to_owned(),
        length: message.body.len(),
        model: message.model.clone(),
        pin: message.pin,
        decision: message.decision.clone(),
    };
    let request = Request {
        ref_name: target.ref_name.clone(),
        author: who(&actor.author),
        committer: who(&actor.committer),
        agent: actor.agent.clone(),
        code: actor.code,
        message: own.message.clone(),
        redacted: own.redacted.clone(),
        entries: own.messages.iter().zip(&own.ids).map(asked).collect(),
    };
    let mut bytes = serde_json::to_vec(&request).expect("text and numbers are JSON");
    bytes.push(b'\n');
    own.messages.iter().for_each(|message| bytes.extend_from_slice(&message.body));
    bytes
}

/// Reads a request; what is malformed is left to its process.
fn decode(pending: Pending) -> Option<(Pending, Request, Appending, Actor)> {
    let end = memchr::memchr(b'\n', &pending.request)?;
    let (header, mut bodies) = pending.request.split_at(end);
    bodies = &bodies[1..];
    let request: Request = serde_json::from_slice(header).ok()?;
    let mut messages = Vec::with_capacity(request.entries.len());
    for asked in &request.entries {
        let (body, rest) = bodies.split_at_checked(asked.length)?;
        bodies = rest;
        messages.push(NewMessage {
            role: Role::from_name(&asked.role),
            kind: BodyKind::from_ending(&asked.kind),
            body: body.to_vec(),
            model: asked.model.clone(),
            pin: asked.pin,
            decision: asked.decision.clone(),
        });
    }
    let ids: Vec<EntryId> = request.entries.iter().map(|asked| asked.id).collect();
    let person = |who: &Who| Person {
        name: who.name.clone(),
        email: who.email.clone(),
        time: Time { millis: who.millis, offset_minutes: who.offset_minutes },
    };
    let actor = Actor {
        author: person(&request.author),
        committer: person(&request.committer),
        agent: request.agent.clone(),
        code: request.code,
    };
    let appending = Appending { messages, ids, message: request.message.clone(), redacted: request.redacted.clone() };
    (!appending.messages.is_empty()).then_some((pending, request, appending, actor))
}
