//! Rows of a git tree, of the two kinds that a context has: files and folders.

use super::CodecError;
use crate::model::{HashKind, ObjectId};

/// Says what a row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A file (`100644`).
    Blob,
    /// A folder (`40000`).
    Tree,
}

/// Holds one row of a git tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// What it names.
    pub kind: RowKind,
    /// Its name, without slashes.
    pub name: &'a [u8],
    /// The object it names.
    pub id: ObjectId,
}

/// Appends a row in git's form: mode, space, name, NUL, raw id.
pub fn write_row(kind: RowKind, name: &[u8], id: &ObjectId, out: &mut Vec<u8>) {
    out.extend_from_slice(match kind {
        RowKind::Blob => b"100644 ",
        RowKind::Tree => b"40000 ",
    });
    out.extend_from_slice(name);
    out.push(0);
    out.extend_from_slice(id.as_bytes());
}

/// Reads the rows of a git tree one after the other.
///
/// Each element is an error, and the last one, when the bytes are no tree, or when a row is a link, a submodule or an
/// executable: a context has none of these.
pub fn rows(bytes: &[u8], hash: HashKind) -> Rows<'_> {
    Rows { rest: bytes, hash }
}

/// Iterates over the rows of a tree; see [`rows`].
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    rest: &'a [u8],
    hash: HashKind,
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, CodecError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let row = split_row(self.rest, self.hash);
        self.rest = row.as_ref().map_or(&[], |(_, rest)| *rest);
        Some(row.map(|(row, _)| row))
    }
}

fn split_row(bytes: &[u8], hash: HashKind) -> Result<(Row<'_>, &[u8]), CodecError> {
    let error = |reason| CodecError::Tree { reason };
    let (kind, rest) = if let Some(rest) = bytes.strip_prefix(b"100644 ") {
        (RowKind::Blob, rest)
    } else if let Some(rest) = bytes.strip_prefix(b"40000 ") {
        (RowKind::Tree, rest)
    } else {
        return Err(error("a row is neither a plain file nor a folder"));
    };
    let end = rest.iter().position(|byte| *byte == 0).ok_or_else(|| error("a name does not end"))?;
    let (name, rest) = (&rest[..end], &rest[end + 1..]);
    if rest.len() < hash.id_len() {
        return Err(error("an object id is cut off"));
    }
    let (raw, rest) = rest.split_at(hash.id_len());
    let id = ObjectId::from_bytes(raw).ok_or_else(|| error("an object id is cut off"))?;
    Ok((Row { kind, name, id }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_read_back(names in prop::collection::vec("[a-z0-9.~]{1,40}", 0..40), wide in any::<bool>()) {
            let id = if wide { ObjectId::Sha256([7; 32]) } else { ObjectId::Sha1([7; 20]) };
            let mut bytes = Vec::new();
            for (place, name) in names.iter().enumerate() {
                let kind = if place % 3 == 0 { RowKind::Tree } else { RowKind::Blob };
                write_row(kind, name.as_bytes(), &id, &mut bytes);
            }
            let read: Result<Vec<_>, _> = rows(&bytes, id.kind()).collect();
            let read: Vec<String> = read.expect("written here").iter()
                .map(|row| String::from_utf8_lossy(row.name).into_owned()).collect();
            prop_assert_eq!(read, names);
        }

        #[test]
        fn arbitrary_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(rows(&bytes, HashKind::Sha1).count() <= 1 + bytes.len() / 28);
        }
    }
}
