//! opencode: a folder of JSON files (`~/.local/share/opencode/storage`), or in newer versions a SQLite database
//! (`opencode.db`). Both hold many sessions, one of which is read as `<folder or database>/<id>`; in the folder,
//! `message/<id>` and `session/<project>/<id>.json` name one too.
//!
//! A message consists of parts, each stored by itself. A message of the model's is all it did until it was done: it is
//! taken apart where a new call of the model began (`step-start`, or text after a tool), so that results follow their
//! calls and each call has its own usage. A summary that the model wrote of the session takes the place of all before
//! it. Sessions of subagents, which name their parent, come with it.

mod folder;
mod message;
#[cfg(feature = "sqlite")]
mod tables;

use std::collections::HashSet;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use super::bounded::open;
use super::members::Members;
use super::outlet::Outlet;
use super::selected::Selected;
use super::sniff::Sniff;
use super::{Agent, CaptureError, Conversation, Routed, SessionFacts, database};

/// Sessions in sessions go no deeper than this, and are no more.
const SUBAGENTS: usize = 10_000;

/// A message or part as it is stored: its id, and its JSON.
#[derive(Debug)]
struct Stored {
    id: String,
    json: String,
}

/// A session as it is stored.
#[derive(Debug, Default)]
struct Session {
    title: Option<String>,
    folder: Option<String>,
    parent: Option<String>,
    /// Messages in their order, each with its parts in theirs.
    messages: Vec<(Stored, Vec<Stored>)>,
    broken: u64,
}

/// Where sessions are stored.
trait Store {
    /// Lists all sessions, oldest first, each with its parent.
    fn list(&self) -> Result<Vec<(String, Option<String>)>, CaptureError>;
    /// Reads one of them.
    fn session(&self, id: &str) -> Result<Session, CaptureError>;
}

/// Tells whether a path is a storage folder or a session in it, or the first bytes of a file are those of a database.
pub fn is_record(path: &Path, head: &[u8]) -> bool {
    let is_info = |sniff: &Sniff<'_>| sniff.has("id") && sniff.has("projectID") && sniff.has("directory");
    folder::root_of(path).is_some_and(|_| path.is_dir() || is_info(&Sniff::of(head)))
        || database::has_tables(head, &["message", "part"]) && memchr::memmem::find(head, b"session_id").is_some()
}

/// Lists the ids of the sessions that are no subagents', oldest first; one is read as `<path>/<id>`.
///
/// # Errors
/// When they cannot be read.
pub fn sessions(path: &Path) -> Result<Vec<String>, CaptureError> {
    Ok(roots(store(path)?.list()?))
}

/// Leaves out the sessions whose parent is there.
fn roots(all: Vec<(String, Option<String>)>) -> Vec<String> {
    let ids: HashSet<String> = all.iter().map(|(id, _)| id.clone()).collect();
    let is_root = |parent: &Option<String>| parent.as_ref().is_none_or(|parent| !ids.contains(parent));
    all.into_iter().filter(|(_, parent)| is_root(parent)).map(|(id, _)| id).collect()
}

/// Reads a session, and those of its subagents.
///
/// # Errors
/// When it cannot be read or is none, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let selected = match folder::root_of(path) {
        Some((root, session)) => Selected { path: root, session },
        None => Selected::of(path),
    };
    let store = store(&selected.path)?;
    let all = store.list()?;
    let ids: Vec<String> = match &selected.session {
        Some(_) => all.iter().map(|(id, _)| id.clone()).collect(),
        None => roots(all.clone()),
    };
    let id = selected.pick(Agent::Opencode, &ids)?;
    let mut outlet = Outlet::new(Agent::Opencode, id.clone().unwrap_or_default(), sink);
    let mut seen = HashSet::new();
    let mut left: Vec<String> = id.into_iter().collect();
    while let Some(id) = left.pop() {
        if outlet.is_stopped() || seen.len() >= SUBAGENTS || !seen.insert(id.clone()) {
            continue;
        }
        if seen.len() > 1 {
            outlet.to = Conversation::Subagent(id.clone());
        }
        say(&mut outlet, store.session(&id)?);
        let children = all.iter().rev().filter(|(_, parent)| parent.as_deref() == Some(&id));
        left.extend(children.map(|(child, _)| child.clone()));
    }
    outlet.finish()
}

fn say(outlet: &mut Outlet<'_>, session: Session) {
    if outlet.to == Conversation::Main {
        outlet.facts.title = session.title;
        outlet.facts.cwd = session.folder;
        outlet.facts.parent = session.parent;
    }
    outlet.facts.broken += session.broken;
    for (stored, parts) in &session.messages {
        if outlet.is_stopped() {
            return;
        }
        match Members::parse(&stored.json) {
            Some(info) => message::say(outlet, stored, &info, parts),
            None => outlet.broken(),
        }
    }
}

fn store(path: &Path) -> Result<Box<dyn Store>, CaptureError> {
    if path.is_dir() {
        return match folder::root_of(path) {
            Some((root, _)) => Ok(Box::new(folder::Folder { root })),
            None => {
                let reason = "a folder without 'message' and 'part'".to_owned();
                Err(CaptureError::Format { agent: Agent::Opencode, reason })
            }
        };
    }
    let mut head = Vec::new();
    open(path)?.take(16).read_to_end(&mut head)?;
    if !database::is_database(&head) {
        let reason = "neither a storage folder nor a database".to_owned();
        return Err(CaptureError::Format { agent: Agent::Opencode, reason });
    }
    #[cfg(feature = "sqlite")]
    return Ok(Box::new(tables::Tables { path: path.to_owned() }));
    #[cfg(not(feature = "sqlite"))]
    Err(database::not_built_in(Agent::Opencode))
}
