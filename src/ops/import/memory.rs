//! What is remembered of an import, and who may import a session now.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::super::replay::FIRST_BRANCH;
use super::super::withhold::Withheld;
use super::super::{OpError, Workspace};
use super::name::with_hash;
use crate::model::Branch;
use crate::store::{StoreError, wait_for_lock};

const VERSION: u32 = 1;
/// A larger file is none of ours.
const FILE_MAX: u64 = 16 << 20;

/// Holds what is remembered, under the git directory. Losing it costs time, nothing else.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) version: u32,
    /// Whose record it is: `<agent>:<session id>`, and a subagent's id behind a `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
    /// The reader's own watermark.
    pub(super) watermark: String,
    /// The branch that each conversation's next step goes to.
    pub(super) branches: BTreeMap<String, String>,
    /// The newest commits of all branches of the agents.
    #[serde(default)]
    pub(super) tips: Vec<String>,
    /// What was left out, for what is still to come.
    #[serde(default, skip_serializing_if = "Withheld::is_empty")]
    pub(super) withheld: Withheld,
    /// The entry up to which the record was passed over as known, if nothing has followed it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_known: Option<String>,
    /// The agent whose session this one goes on from, on a branch of that agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) home: Option<String>,
    /// Whether the branches hold entries that the record read last has not, so that a longer one may bring them again.
    #[serde(default)]
    pub(super) is_mixed: bool,
}

/// Holds a name for a session's branches, and the right to import to them until it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    /// The name of the agent on whose branches the session goes.
    pub(super) agent: String,
    /// What an earlier import left.
    pub(super) memory: Option<Memory>,
    session: String,
    path: PathBuf,
    _lock: Option<File>,
}

impl Claim {
    /// Claims a name for a session, waiting for others who import to it; `None` if they take longer than `wait`.
    ///
    /// A name that belongs to another session gets a hash of this one's id behind it, unless the user chose it.
    pub(super) fn new(workspace: &Workspace, wanted: Wanted<'_>, wait: Duration) -> Result<Option<Self>, OpError> {
        let until = Instant::now() + wait;
        let Wanted { name, session, is_chosen, dry_run } = wanted;
        let mut agent = name.to_owned();
        loop {
            let folder = workspace.repo.trace_dir().join("watermarks");
            let path = folder.join(format!("{agent}.json"));
            let lock =
                if dry_run { None } else { Some(lock(workspace, &folder.join(format!("{agent}.lock")), until)?) };
            if matches!(lock, Some(None)) {
                return Ok(None);
            }
            let memory = read(&path);
            let owner = if is_chosen || agent != name { None } else { owner(workspace, &agent, memory.as_ref())? };
            if owner.is_none_or(|owner| session == owner || session.strip_prefix(&owner).is_some_and(is_part)) {
                let session = session.to_owned();
                return Ok(Some(Claim { agent, memory, session, path, _lock: lock.flatten() }));
            }
            agent = with_hash(name, session);
        }
    }

    /// Remembers where the next import goes on.
    pub(super) fn remember(&self, what: Memory) -> Result<(), OpError> {
        let memory = Memory { version: VERSION, session: Some(self.session.clone()), ..what };
        let text = serde_json::to_vec(&memory).expect("text and maps are JSON");
        let temporary = self.path.with_extension(format!("{:08x}", fastrand::u32(..)));
        let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, &self.path));
        written.map_err(|source| StoreError::Io { action: "write", path: self.path.clone(), source }.into())
    }
}

/// Says which name is wanted for which session.
pub(super) struct Wanted<'a> {
    /// The name of the agent.
    pub(super) name: &'a str,
    /// The session, with what tells it from others of the same name.
    pub(super) session: &'a str,
    /// Whether the user chose the name.
    pub(super) is_chosen: bool,
    /// Whether nothing is to be written.
    pub(super) dry_run: bool,
}

/// Tells whether what follows a session's id names a part of it.
fn is_part(rest: &str) -> bool {
    rest.starts_with('/')
}

/// Returns the agent on whose branches a session is: `name`, unless that belongs to another session or this one goes on
/// from a copy of another one's.
pub(super) fn agent_of_session(workspace: &Workspace, name: &str, session: &str) -> String {
    let folder = workspace.repo.trace_dir().join("watermarks");
    let named = [name.to_owned(), with_hash(name, session)];
    let found = named.iter().find_map(|name| {
        let memory = read(&folder.join(format!("{name}.json")))?;
        let is_its = memory.session.as_deref() == Some(session);
        is_its.then(|| memory.home.unwrap_or_else(|| name.clone()))
    });
    found.unwrap_or_else(|| name.to_owned())
}

/// Lists the files that remember imports to an agent's branches.
pub(in crate::ops) fn files_of_agent(workspace: &Workspace, agent: &str) -> Vec<PathBuf> {
    let folder = workspace.repo.trace_dir().join("watermarks");
    let own = ["json", "lock"].map(|ending| folder.join(format!("{agent}.{ending}")));
    let mut found: Vec<PathBuf> = own.into_iter().filter(|path| path.exists()).collect();
    found.extend(super::seen::files_of_agent(workspace, agent));
    found
}

/// Finds the session that a name belongs to; `None` if it is nobody's, or it cannot be told.
fn owner(workspace: &Workspace, agent: &str, memory: Option<&Memory>) -> Result<Option<String>, OpError> {
    if let Some(memory) = memory {
        return Ok(memory.session.clone());
    }
    // The file may be lost; the branch says whose it is, if not which subagent's.
    let repo = &workspace.repo;
    let Some(tip) = repo.find_ref_id(&repo.branch_ref(&Branch::new(agent, FIRST_BRANCH)?))? else { return Ok(None) };
    Ok(repo.read_commit(&tip)?.facts.session)
}

/// Says why what is remembered cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) enum Unread {
    /// A newer version wrote it.
    Newer,
    /// It makes no sense.
    Broken,
}

/// Returns how many bytes of a record were taken in, as a file of a memory says, which is read as an import would.
pub(in crate::ops) fn bytes_read(path: &Path) -> Result<Option<u64>, Unread> {
    if let Some(memory) = read(path) {
        return Ok(crate::capture::bytes_read(&memory.watermark));
    }
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let small = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= FILE_MAX);
    let found: Option<Version> = small.then(|| serde_json::from_slice(&fs::read(path).ok()?).ok()).flatten();
    Err(if found.is_some_and(|found| found.version > VERSION) { Unread::Newer } else { Unread::Broken })
}

fn read(path: &Path) -> Option<Memory> {
    let small = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= FILE_MAX);
    let memory: Memory = serde_json::from_slice(&small.then(|| fs::read(path).ok())??).ok()?;
    (memory.version == VERSION).then_some(memory)
}

/// Takes the lock of a session, which dies with its holder; `None` if somebody else has it until then.
fn lock(workspace: &Workspace, path: &Path, until: Instant) -> Result<Option<File>, OpError> {
    workspace.repo.check_quarantine()?;
    let io = |action, path: &Path, source| OpError::from(StoreError::Io { action, path: path.to_owned(), source });
    let open = || OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = match open() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().expect("it is in our folder");
            fs::create_dir_all(folder).map_err(|source| io("create", folder, source))?;
            open()
        }
        opened => opened,
    };
    let file = file.map_err(|source| io("open", path, source))?;
    let has = wait_for_lock(&file, until).map_err(|source| io("lock", path, source))?;
    Ok(has.then_some(file))
}
