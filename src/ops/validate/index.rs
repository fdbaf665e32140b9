//! New commits of an index of links: files two folders deep, named in hexadecimal digits.

use std::collections::HashSet;

use super::{Fault, Work, commit_header};
use crate::codec::{Row, RowKind, strict_rows};
use crate::model::ObjectId;
use crate::store::{META_FILE_MAX, Repo};

/// Longest name of a folder that is no digits.
const FOLDER_MAX: usize = 32;

/// Checks a commit of an index against its first parent.
pub(super) fn commit(repo: &Repo, work: &mut Work, id: ObjectId) -> Result<(), Fault> {
    let mut check = || {
        commit_header(repo, &id)?;
        let commit = repo.read_code_commit(&id)?;
        let base = match commit.parents.first().filter(|_| !commit.is_cut) {
            Some(parent) => {
                commit_header(repo, parent)?;
                Some(repo.read_code_commit(parent)?.tree)
            }
            None => None,
        };
        folder(repo, work, &commit.tree, base, 0)
    };
    check().map_err(|fault| fault.below(&format!("commit {}", id.short(12))))
}

/// Checks what a folder has that the one before had not.
fn folder(repo: &Repo, work: &mut Work, id: &ObjectId, base: Option<ObjectId>, depth: usize) -> Result<(), Fault> {
    if base == Some(*id) {
        return Ok(());
    }
    let own = work.tree(repo, id)?;
    let own = strict_rows(&own, id.kind()).map_err(|error| Fault::codec(*id, &error))?;
    let old = base.map(|base| work.tree(repo, &base)).transpose()?.unwrap_or_default();
    let old = strict_rows(&old, id.kind()).unwrap_or_default();
    let known: HashSet<(&[u8], ObjectId)> = old.iter().map(|row| (row.name, row.id)).collect();
    for row in own.iter().filter(|row| !known.contains(&(row.name, row.id))) {
        let name = row.name.escape_ascii().to_string();
        if !is_name(row, depth) {
            return Err(Fault::new(*id, format!("no name of an index: '{name}'")));
        }
        let before = old.iter().find(|other| other.name == row.name && other.kind == row.kind).map(|other| other.id);
        let checked = match row.kind {
            RowKind::Tree => folder(repo, work, &row.id, before, depth + 1),
            RowKind::Blob => work.blob(repo, &row.id, META_FILE_MAX).map(|_| ()),
        };
        checked.map_err(|fault| fault.below(&name))?;
    }
    Ok(())
}

/// Tells whether a row may stand at this depth.
fn is_name(row: &Row<'_>, depth: usize) -> bool {
    let is_hex = row.name.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_word = row.name.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-');
    match depth {
        0 => row.kind == RowKind::Tree && is_word && row.name.len() <= FOLDER_MAX,
        1 => row.kind == RowKind::Tree && is_hex && row.name.len() == 2,
        2 => row.kind == RowKind::Blob && is_hex && row.name.len() <= 62,
        _ => false,
    }
}
