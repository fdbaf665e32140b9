//! The `.idx` file: ids in order, each with its checksum and its place in the pack.
//!
//! Source: `gitformat-pack(5)`, "Version 2 pack-*.idx files".

use gix::{ObjectId, hash};

use super::{PackError, table::Table};

/// Offsets from here on are in a table of their own; the bit marks them.
const FAR: u32 = 1 << 31;

/// Returns the index of a pack whose trailing checksum is `trailer`.
pub(super) fn encode(table: &Table, trailer: &ObjectId) -> Result<Vec<u8>, PackError> {
    let count = u32::try_from(table.len()).map_err(|_| PackError::TooManyObjects)?;
    let mut order: Vec<u32> = (0..count).collect();
    order.sort_unstable_by(|&left, &right| table.id(left as usize).cmp(table.id(right as usize)));
    let rows = || order.iter().map(|&at| &table.rows()[at as usize]);

    let id_len = trailer.kind().len_in_bytes();
    let mut out = Vec::with_capacity(8 + 1024 + table.len() * (id_len + 8) + 2 * id_len);
    out.extend_from_slice(&[0xff, b't', b'O', b'c', 0, 0, 0, 2]);

    let mut fan = [0u32; 256];
    for at in 0..table.len() {
        fan[usize::from(table.id(at)[0])] += 1;
    }
    let mut below = 0;
    for count in fan {
        below += count;
        out.extend_from_slice(&below.to_be_bytes());
    }
    for &at in &order {
        out.extend_from_slice(table.id(at as usize));
    }
    for row in rows() {
        out.extend_from_slice(&row.crc.to_be_bytes());
    }
    let mut far: Vec<u64> = Vec::new();
    for row in rows() {
        let near = match u32::try_from(row.offset).ok().filter(|&offset| offset < FAR) {
            Some(offset) => offset,
            None => {
                far.push(row.offset);
                FAR | u32::try_from(far.len() - 1).map_err(|_| PackError::TooManyObjects)?
            }
        };
        out.extend_from_slice(&near.to_be_bytes());
    }
    for offset in far {
        out.extend_from_slice(&offset.to_be_bytes());
    }
    out.extend_from_slice(trailer.as_bytes());
    let checksum = digest(trailer.kind(), &out)?;
    out.extend_from_slice(checksum.as_bytes());
    Ok(out)
}

/// Hashes one run of bytes.
pub(super) fn digest(kind: hash::Kind, bytes: &[u8]) -> Result<ObjectId, PackError> {
    let mut hasher = hash::hasher(kind);
    hasher.update(bytes);
    finalize(hasher)
}

/// Ends a hash, refusing what is part of a known collision attack.
pub(super) fn finalize(hasher: hash::Hasher) -> Result<ObjectId, PackError> {
    hasher.try_finalize().map_err(|error| PackError::Collision { message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::super::table::Row;
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    /// Has git list an index, so that packs beyond 2 GiB need not be written.
    fn show_index(hash: hash::Kind, index: &[u8]) -> String {
        let mut git = Command::new("git")
            .args(["show-index", &format!("--object-format={hash}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("git is in the path");
        git.stdin.take().expect("piped").write_all(index).expect("git reads all");
        let out = git.wait_with_output().expect("git ends");
        assert!(out.status.success());
        String::from_utf8(out.stdout).expect("plain text")
    }

    #[test]
    fn git_reads_offsets_beyond_two_and_four_gibibytes() {
        for hash in [hash::Kind::Sha1, hash::Kind::Sha256] {
            let offsets = [12, 5000, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40];
            let mut table = Table::new(hash);
            let mut expected = Vec::new();
            for (number, offset) in (0u32..).zip(offsets) {
                let id = digest(hash, &number.to_le_bytes()).expect("no attack");
                let row = Row { offset, crc: 0xabc0 + number, content_crc: 0, kind: gix::objs::Kind::Blob, depth: 0 };
                assert!(table.push(&id, row));
                expected.push(format!("{offset} {id} ({:08x})", 0xabc0 + number));
            }
            let index = encode(&table, &digest(hash, b"trailer").expect("no attack")).expect("few objects");
            let mut listed: Vec<String> = show_index(hash, &index).lines().map(str::to_owned).collect();
            assert!(listed.is_sorted_by_key(|line| line.split(' ').nth(1).map(str::to_owned)));
            listed.sort();
            expected.sort();
            assert_eq!(listed, expected);
        }
    }
}
