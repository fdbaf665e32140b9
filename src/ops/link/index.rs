//! The index on disk: records by commit and by change.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::Write;

use crate::link::{LinkRecord, PatchId};
use crate::model::{EntryId, ObjectId};
use crate::ops::{OpError, Workspace};
use crate::store::{MetaEdits, MetaPath, Patience, StoreError};

/// Most files of an index that are listed.
const LISTED_MAX: usize = 200_000;

/// The calls that are behind a change, by entry and id.
pub(super) type Known = HashSet<(EntryId, String)>;

/// Returns the ref of this repository's own index, if it ever had one.
pub(in crate::ops) fn written_ref(workspace: &Workspace) -> Option<String> {
    let text = fs::read_to_string(workspace.repo.trace_dir().join("writer")).ok()?;
    let name = text.trim();
    let is_valid = name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_valid.then(|| workspace.repo.meta_ref(name))
}

/// Returns the ref of this repository's own index; its name is random, and lasts.
pub(in crate::ops) fn own_ref(workspace: &Workspace) -> Result<String, OpError> {
    let dir = workspace.repo.trace_dir();
    let path = dir.join("writer");
    if let Some(own) = written_ref(workspace) {
        return Ok(own);
    }
    let io = |source| StoreError::Io { action: "write", path: path.clone(), source };
    workspace.repo.check_quarantine()?;
    fs::create_dir_all(&dir).map_err(io)?;
    let name = format!("{:016x}", fastrand::u64(..));
    // Whole or not at all; the first one wins.
    let mut file = tempfile::NamedTempFile::new_in(&dir).map_err(io)?;
    writeln!(file, "{name}").map_err(io)?;
    Ok(match file.persist_noclobber(&path) {
        Ok(_) => workspace.repo.meta_ref(&name),
        Err(_) => written_ref(workspace).unwrap_or_else(|| workspace.repo.meta_ref(&name)),
    })
}

/// Reads what is known of a commit, from all indexes, the own one first; with each record comes whether it is our own.
pub(super) fn records(workspace: &Workspace, path: &MetaPath) -> Result<Vec<(bool, LinkRecord)>, OpError> {
    let own = written_ref(workspace);
    let mut found = Vec::new();
    for (name, index) in workspace.repo.meta_refs()? {
        // Others' indexes may be of any kind; what is no record of ours says nothing.
        let Ok(Some(bytes)) = workspace.repo.read_meta_file(&index, path) else { continue };
        found.extend(LinkRecord::decode(&bytes).ok().map(|record| (own.as_ref() == Some(&name), record)));
    }
    found.sort_by_key(|(is_own, _)| !is_own);
    Ok(found)
}

/// Collects the commits of the code that each session had a part in, by the own index and those of others; an index with
/// more than [`LISTED_MAX`] files is left out.
pub(in crate::ops) fn commits_by_session(
    workspace: &Workspace,
) -> Result<BTreeMap<String, BTreeSet<ObjectId>>, OpError> {
    let repo = &workspace.repo;
    let mut found: BTreeMap<String, BTreeSet<ObjectId>> = BTreeMap::new();
    for (name, _) in repo.meta_refs()? {
        let Ok(Some(files)) = repo.list_files(&name, LISTED_MAX) else { continue };
        for file in files.iter().filter(|file| file.path.starts_with("code/")) {
            let record = repo.read_blob(&file.blob).ok().and_then(|bytes| LinkRecord::decode(&bytes).ok());
            let Some(record) = record else { continue };
            for link in &record.links {
                let Some(session) = &link.session else { continue };
                found.entry(session.clone()).or_default().insert(record.commit);
            }
        }
    }
    Ok(found)
}

/// Tells which calls the own index has for a change or a commit.
pub(super) fn known(workspace: &Workspace, commit: Option<&ObjectId>, patch: Option<&PatchId>) -> Known {
    let paths =
        commit.map(MetaPath::of_commit).into_iter().chain(patch.map(|patch| MetaPath::of_patch(patch.as_str())));
    let read = || {
        let index = workspace.repo.find_ref_id(&own_ref(workspace).ok()?).ok()??;
        let mut known = Known::new();
        for path in paths {
            let Ok(Some(bytes)) = workspace.repo.read_meta_file(&index, &path) else { continue };
            let links = LinkRecord::decode(&bytes).map(|record| record.links).unwrap_or_default();
            known.extend(links.into_iter().map(|link| (link.entry, link.call)));
        }
        Some(known)
    };
    read().unwrap_or_default()
}

/// An own index without some of its links.
#[derive(Debug)]
pub(in crate::ops) struct Links {
    kept: MetaEdits,
    /// How many went.
    pub(in crate::ops) gone: u64,
}

/// Reads the own index without the links to some branches; `None` if it has none of them.
pub(in crate::ops) fn own_links(workspace: &Workspace, goes: &dyn Fn(&str) -> bool) -> Result<Option<Links>, OpError> {
    let mut gone = 0;
    let kept = rewritten(workspace, &mut |record| {
        let before = record.links.len();
        record.links.retain(|link| !goes(&link.branch));
        gone += (before - record.links.len()) as u64;
    })?;
    Ok((gone > 0).then_some(Links { kept, gone }))
}

/// Reads all files of the own index, and changes the records in them.
pub(in crate::ops) fn rewritten(
    workspace: &Workspace,
    change: &mut dyn FnMut(&mut LinkRecord),
) -> Result<MetaEdits, OpError> {
    let repo = &workspace.repo;
    let mut edits = MetaEdits::new();
    let Some(files) = written_ref(workspace).map(|name| repo.list_files(&name, usize::MAX)).transpose()?.flatten()
    else {
        return Ok(edits);
    };
    for file in files {
        let bytes = repo.read_blob(&file.blob)?;
        let Some(path) = MetaPath::of_file(&file.path) else { continue };
        let Ok(mut record) = LinkRecord::decode(&bytes) else { continue };
        change(&mut record);
        if !record.links.is_empty() {
            edits.insert(path, Some(record.encode()));
        }
    }
    Ok(edits)
}

impl Links {
    /// Stores it as all of the own index, which begins anew: its history would still hold what went.
    pub(in crate::ops) fn store(self, workspace: &Workspace) -> Result<(), OpError> {
        let repo = &workspace.repo;
        Ok(repo.begin_meta(&own_ref(workspace)?, self.kept, "begin anew", &repo.committer()?)?)
    }
}

/// Puts records into edits; those without a link go.
pub(super) fn edits(records: &[LinkRecord]) -> MetaEdits {
    let mut edits = MetaEdits::new();
    for record in records {
        let bytes = (!record.links.is_empty()).then(|| record.encode());
        if let Some(patch) = record.patch.as_ref().filter(|_| bytes.is_some()) {
            edits.insert(MetaPath::of_patch(patch.as_str()), bytes.clone());
        }
        edits.insert(MetaPath::of_commit(&record.commit), bytes);
    }
    edits
}

/// Stores records in the own index; `false` if others write for too long.
pub(super) fn store(
    workspace: &Workspace,
    records: &[LinkRecord],
    anew: bool,
    patience: Patience,
) -> Result<bool, OpError> {
    let edits = edits(records);
    if edits.is_empty() && !anew {
        return Ok(true);
    }
    let repo = &workspace.repo;
    let message = match records {
        [one] => format!("link {}", one.commit.short(10)),
        _ => format!("link {} commits", records.len()),
    };
    Ok(repo.edit_meta(&own_ref(workspace)?, edits, anew, &message, patience, &repo.committer()?)?)
}
