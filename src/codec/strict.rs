//! Trees of a context as strictly as git itself reads them: for what others wrote.
//!
//! The readers of [`super::Snapshot`] bear with what does no harm; here every name, the order and the number of rows have to
//! be what the format says.

use std::collections::HashSet;

use super::chunk::{decode_entries, name_number};
use super::{CodecError, MANIFEST_NAME, Row, RowKind, rows};
use crate::model::{Entry, HashKind, ObjectId};

/// Most rows of one tree; ours have at most 192 that are entries.
const ROWS_MAX: usize = 4096;

/// The longest name that begins with a dot and that this version does not know.
const EXTRA_MAX: usize = 32;

/// Holds the root of a context's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The blob that holds the manifest.
    pub manifest: ObjectId,
    /// The folder of sealed chunks, if there are any.
    pub chunks: Option<ObjectId>,
    /// What a newer version has beside them.
    pub extra: Vec<(RowKind, String, ObjectId)>,
    /// The newest entries.
    pub tail: Vec<Entry>,
}

/// Reads the root of a context's tree.
///
/// # Errors
/// When it breaks a rule of git's or of the format.
pub fn strict_root(bytes: &[u8], hash: HashKind) -> Result<Root, CodecError> {
    let (mut manifest, mut chunks, mut extra, mut entries) = (None, None, Vec::new(), Vec::new());
    for row in strict_rows(bytes, hash)? {
        match (row.kind, row.name) {
            (RowKind::Blob, MANIFEST_NAME) => manifest = Some(row.id),
            (RowKind::Tree, b".chunk") => chunks = Some(row.id),
            (kind, [b'.', word @ ..]) => {
                let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
                let is_plain = (1..EXTRA_MAX).contains(&word.len()) && word.iter().all(inner);
                if !is_plain || word.starts_with(b"git") {
                    let name = row.name.escape_ascii().to_string();
                    return Err(CodecError::Name { name, reason: "no name of a context" });
                }
                extra.push((kind, String::from_utf8_lossy(row.name).into_owned(), row.id));
            }
            _ => entries.push(row),
        }
    }
    let manifest = manifest.ok_or(CodecError::NotAContext { reason: "no '.trace' in its tree" })?;
    Ok(Root { manifest, chunks, extra, tail: decode_entries(entries.into_iter())? })
}

/// Reads a folder of groups (4 digits) or of chunks (6 digits).
///
/// # Errors
/// As [`strict_root`], and when it is empty.
pub fn strict_folder(bytes: &[u8], hash: HashKind, digits: usize) -> Result<Vec<(u32, ObjectId)>, CodecError> {
    let mut found: Vec<(u32, ObjectId)> = Vec::new();
    for row in strict_rows(bytes, hash)? {
        found.push((name_number(&row, digits, found.last().map(|last| last.0))?, row.id));
    }
    if found.is_empty() { Err(CodecError::Tree { reason: "a folder of chunks is empty" }) } else { Ok(found) }
}

/// Reads a chunk of entries.
///
/// # Errors
/// As [`strict_root`], and when it is empty.
pub fn strict_chunk(bytes: &[u8], hash: HashKind) -> Result<Vec<Entry>, CodecError> {
    let entries = decode_entries(strict_rows(bytes, hash)?.into_iter())?;
    if entries.is_empty() { Err(CodecError::Tree { reason: "a chunk is empty" }) } else { Ok(entries) }
}

/// Reads the rows of a tree: few enough, in git's order, and no name twice.
///
/// # Errors
/// As the name says.
pub fn strict_rows(bytes: &[u8], hash: HashKind) -> Result<Vec<Row<'_>>, CodecError> {
    let error = |reason| CodecError::Tree { reason };
    let mut found: Vec<Row<'_>> = Vec::new();
    for row in rows(bytes, hash) {
        let row = row?;
        if matches!(row.name, b"" | b"." | b"..") || row.name.contains(&b'/') {
            return Err(error("a name that is no name"));
        }
        if found.last().is_some_and(|last| sort_key(last).cmp(sort_key(&row)).is_ge()) {
            return Err(error("rows are not sorted, or one is there twice"));
        }
        if found.len() == ROWS_MAX {
            return Err(error("too many rows"));
        }
        found.push(row);
    }
    // A file and a folder of one name need not stand side by side.
    let folders: HashSet<&[u8]> = found.iter().filter(|row| row.kind == RowKind::Tree).map(|row| row.name).collect();
    match found.iter().any(|row| row.kind == RowKind::Blob && folders.contains(row.name)) {
        true => Err(error("rows are not sorted, or one is there twice")),
        false => Ok(found),
    }
}

/// Returns what git sorts by: a folder's name as if it ended in a slash.
fn sort_key<'a>(row: &Row<'a>) -> impl Iterator<Item = &'a u8> {
    let slash: &[u8] = if row.kind == RowKind::Tree { b"/" } else { b"" };
    row.name.iter().chain(slash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::write_row;
    use proptest::prelude::*;

    const ID: ObjectId = ObjectId::Sha1([7; 20]);

    fn tree(names: &[(RowKind, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        names.iter().for_each(|(kind, name)| write_row(*kind, name.as_bytes(), &ID, &mut bytes));
        bytes
    }

    #[test]
    fn a_context_is_read_and_what_is_none_is_refused() {
        use RowKind::{Blob, Tree};
        let good = [
            (Tree, ".chunk"),
            (Blob, ".later"),
            (Blob, ".trace"),
            (Blob, "0000001.meta.8w2mqe4t7z.json"),
            (Blob, "0000001.user.3.8w2mqe4t7z.txt"),
        ];
        let root = strict_root(&tree(&good), HashKind::Sha1).expect("a context");
        assert_eq!((root.chunks, root.tail.len(), root.tail[0].meta), (Some(ID), 1, Some(ID)));
        assert_eq!(root.extra, [(Blob, ".later".to_owned(), ID)]);
        for bad in [
            &[(Blob, "0000001.user.3.8w2mqe4t7z.txt")][..],
            &[(Tree, ".git"), (Blob, ".trace")],
            &[(Blob, ".gitmodules"), (Blob, ".trace")],
            &[(Blob, ".GIT"), (Blob, ".trace")],
            &[(Tree, ".."), (Blob, ".trace")],
            &[(Blob, ".trace"), (Blob, ".trace")],
            &[(Blob, ".trace"), (Tree, ".trace")],
            &[(Blob, ".trace"), (Blob, "0000001.user.3.8w2mqe4t7z.txt"), (Blob, "0000000.user.3.8w2mqe4t7y.txt")],
            &[(Blob, ".trace"), (Blob, "0000001.meta.8w2mqe4t7z.json")],
            &[(Blob, ".trace"), (Tree, "0000001.user.3.8w2mqe4t7z.txt")],
            &[(Blob, ".trace"), (Blob, "a/b")],
            &[(Blob, ".trace"), (Blob, "x\u{200c}")],
        ] {
            assert!(strict_root(&tree(bad), HashKind::Sha1).is_err(), "{bad:?}");
        }
        for mode in ["120000", "160000", "100755", "040000", "100664", "0"] {
            let bytes = [mode.as_bytes(), b" .trace\0", ID.as_bytes()].concat();
            assert!(strict_root(&bytes, HashKind::Sha1).is_err(), "{mode}");
        }
    }

    #[test]
    fn folders_hold_numbers_in_order() {
        use RowKind::{Blob, Tree};
        let good = tree(&[(Tree, "0000"), (Tree, "0002")]);
        assert_eq!(strict_folder(&good, HashKind::Sha1, 4), Ok(vec![(0, ID), (2, ID)]));
        for bad in [&[][..], &[(Blob, "0000")], &[(Tree, "000")], &[(Tree, "0001"), (Tree, "0000")], &[(Tree, "000a")]]
        {
            assert!(strict_folder(&tree(bad), HashKind::Sha1, 4).is_err(), "{bad:?}");
        }
        assert!(strict_chunk(b"", HashKind::Sha1).is_err());
        let names: Vec<String> = (0..=ROWS_MAX).map(|number| format!("{number:06}")).collect();
        let rows: Vec<(RowKind, &str)> = names.iter().map(|name| (Tree, name.as_str())).collect();
        assert!(strict_folder(&tree(&rows), HashKind::Sha1, 6).is_err());
        assert!(strict_folder(&tree(&rows[1..]), HashKind::Sha1, 6).is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = strict_root(&bytes, HashKind::Sha1);
            let _ = strict_folder(&bytes, HashKind::Sha256, 4);
            let _ = strict_chunk(&[b"100644 ", bytes.as_slice()].concat(), HashKind::Sha1);
        }
    }
}
