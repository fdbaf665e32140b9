//! Entire's checkpoints as context branches: a way over from there.
//!
//! Each checkpoint on `entire/checkpoints/v1` holds the whole transcript of its sessions as it was then. They are
//! imported in the order in which they were made, so that each adds what is new. What Entire says of a checkpoint
//! becomes an event at that place.

use std::io::Write;

use serde::Deserialize;

use super::{Import, Imported, import_with};
use crate::capture::Agent;
use crate::codec::derive_entry_id;
use crate::model::{BodyKind, Message, ObjectId, Role, Time};
use crate::ops::{OpError, Workspace};
use crate::store::{StoreError, TreeFile};

/// Entire's branch.
pub const ENTIRE_BRANCH: &str = "entire/checkpoints/v1";
/// More files than this are not listed.
const FILES: usize = 1_000_000;
/// A transcript of more bytes, all its pieces together, is passed over.
const TRANSCRIPT_BYTES: u64 = 1 << 30;

/// Asks for Entire's checkpoints to be imported.
#[derive(Debug, Clone, Default)]
pub struct ImportEntire {
    /// The branch, or the full name of a ref; `None`: [`ENTIRE_BRANCH`], here or else of `origin`.
    pub branch: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Holds what is known of a session in a checkpoint.
struct Found {
    /// Its folder.
    path: String,
    metadata: Option<(ObjectId, Vec<u8>)>,
    /// The pieces of the transcript, in their order.
    pieces: Vec<ObjectId>,
    said: Said,
}

/// What the metadata says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    checkpoint_id: Option<String>,
    session_id: Option<String>,
    agent: Option<String>,
    created_at: Option<String>,
}

/// Imports the transcripts of all checkpoints; `each` is told of every one, by its path on the branch.
///
/// Importing again adds what is new. A transcript that cannot be read is told of, and the others are imported.
///
/// # Errors
/// When there is no such branch, or it cannot be read.
pub fn import_entire(
    workspace: &Workspace,
    request: &ImportEntire,
    each: &mut dyn FnMut(&str, Result<Imported, OpError>),
) -> Result<(), OpError> {
    let mut last: Option<(String, Vec<ObjectId>)> = None;
    for found in checkpoints(workspace, request)? {
        // Checkpoints often repeat a session that did not go on.
        let same = (found.said.session_id.clone().unwrap_or_default(), found.pieces.clone());
        if last.as_ref() == Some(&same) {
            continue;
        }
        let outcome = one(workspace, request, &found);
        each(&found.path, outcome);
        last = Some(same);
    }
    Ok(())
}

/// Finds the sessions in all checkpoints, the oldest first.
fn checkpoints(workspace: &Workspace, request: &ImportEntire) -> Result<Vec<Found>, OpError> {
    let repo = &workspace.repo;
    let branch = request.branch.as_deref().unwrap_or(ENTIRE_BRANCH);
    let names = match branch.starts_with("refs/") {
        true => vec![branch.to_owned()],
        false => vec![format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}")],
    };
    let mut files = None;
    for name in &names {
        files = files.or(repo.list_files(name, FILES)?);
    }
    let unknown = || StoreError::UnknownRevision { revision: branch.to_owned(), near: Vec::new() };
    let files = files.ok_or_else(unknown)?;
    let mut found: Vec<Found> = Vec::new();
    for file in &files {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let is_piece = name == "full.log" || name == "full.jsonl" || is_numbered(name);
        if !is_piece {
            continue;
        }
        match found.last_mut() {
            Some(found) if found.path == folder => found.pieces.push(file.blob),
            _ => found.push(Found {
                path: folder.to_owned(),
                metadata: None,
                pieces: vec![file.blob],
                said: Said::default(),
            }),
        }
    }
    let blob = |path: &str| -> Option<&TreeFile> {
        files.binary_search_by(|file| file.path.as_str().cmp(path)).ok().map(|at| &files[at])
    };
    for found in &mut found {
        let Some(file) = blob(&format!("{}/metadata.json", found.path)) else { continue };
        let bytes = repo.read_blob(&file.blob)?;
        found.said = serde_json::from_slice(&bytes).unwrap_or_default();
        found.metadata = Some((file.blob, bytes));
    }
    let made = |found: &Found| found.said.created_at.as_ref().and_then(|time| time.parse::<Time>().ok());
    found.sort_by(|one, other| made(one).cmp(&made(other)).then_with(|| one.path.cmp(&other.path)));
    Ok(found)
}

/// Tells whether a name is that of a further piece: `full.jsonl.001`.
fn is_numbered(name: &str) -> bool {
    let number = name.strip_prefix("full.jsonl.");
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn one(workspace: &Workspace, request: &ImportEntire, found: &Found) -> Result<Imported, OpError> {
    let io = |source| OpError::Read { path: found.path.clone(), source };
    // The readers want a file: one in a folder that nobody else may look into.
    let folder = tempfile::tempdir().map_err(io)?;
    let name = found.said.session_id.as_deref().unwrap_or("session");
    let safe = |one: char| if one.is_ascii_alphanumeric() || one == '-' { one } else { '-' };
    let name: String = name.chars().map(safe).take(100).collect();
    let path = folder.path().join(format!("{name}.jsonl"));
    let mut file = std::fs::File::create(&path).map_err(io)?;
    let mut bytes = 0;
    for piece in &found.pieces {
        let piece = workspace.repo.read_blob(piece)?;
        bytes += piece.len() as u64;
        if bytes > TRANSCRIPT_BYTES {
            return Err(io(std::io::Error::other("the transcript is too large")));
        }
        file.write_all(&piece).map_err(io)?;
        if !piece.ends_with(b"\n") && found.pieces.len() > 1 {
            file.write_all(b"\n").map_err(io)?;
        }
    }
    drop(file);
    let import = Import { agent: found.said.agent(), dry_run: request.dry_run, ..Import::new(path) };
    let notes: Vec<Message> = found.metadata.iter().map(|(_, bytes)| note(found, bytes)).collect();
    import_with(workspace, &import, &notes, &mut |_| {}).map_err(|error| match error {
        OpError::Record { source, .. } => OpError::Record { path: found.path.clone(), source },
        OpError::Read { source, .. } => io(source),
        other => other,
    })
}

/// Makes the event that says which checkpoint ended here.
fn note(found: &Found, metadata: &[u8]) -> Message {
    let source = format!("entire:{}", found.path);
    let mut fields = vec![("source".to_owned(), source.clone())];
    fields.extend(found.said.checkpoint_id.clone().map(|id| ("checkpoint".to_owned(), id)));
    fields.retain(|(_, value)| value.len() <= 1000);
    Message {
        id: derive_entry_id(&source),
        role: Role::Event,
        kind: BodyKind::Json,
        body: metadata.to_vec(),
        time: found.said.created_at.as_ref().and_then(|time| time.parse().ok()),
        model: None,
        usage: None,
        fields,
        meta: None,
    }
}

impl Said {
    /// Names the agent as we do; `None` where the transcript is to tell.
    fn agent(&self) -> Option<Agent> {
        let name = self.agent.as_deref()?.to_ascii_lowercase();
        let first = name.split([' ', '-']).next().unwrap_or_default();
        match first {
            "factoryai" | "factory" => Some(Agent::Droid),
            "open" => Some(Agent::Opencode),
            first => first.parse().ok(),
        }
    }
}
