//! Reads loose objects one after the other.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use gix::objs::Kind;
use gix::zlib::{Inflate, Status};

/// Objects that are looked for in packs first, after one was no loose file.
const PAUSE: u8 = 32;

/// The largest file, and the largest object in it, that is read here.
const ROOM: usize = 64 << 10;

/// Reads small loose objects with one buffer and one inflate state. gix looks for packs first, maps each file into
/// memory and inflates it twice, which takes twice as long.
#[derive(Default)]
pub(super) struct LooseReader {
    inflate: Inflate,
    file: Vec<u8>,
    content: Vec<u8>,
    /// Objects that are not to be looked for.
    pause: u8,
}

impl LooseReader {
    /// Reads an object where it is a small loose file. `None` says nothing about it: it may be packed, large, damaged,
    /// or not be looked for, because the one before was packed: what was written together lies together.
    pub(super) fn read(&mut self, objects_dir: &Path, id: &gix::oid) -> Option<(Kind, Vec<u8>)> {
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        let hex = id.to_hex().to_string();
        let Ok(file) = File::open(objects_dir.join(&hex[..2]).join(&hex[2..])) else {
            self.pause = PAUSE;
            return None;
        };
        self.file.resize(ROOM, 0);
        self.content.resize(ROOM, 0);
        let length = fill(&file, &mut self.file).ok().filter(|length| *length < ROOM)?;
        self.inflate.reset();
        let (status, _, written) = self.inflate.once(&self.file[..length], &mut self.content).ok()?;
        let content = &self.content[..written];
        let (kind, size, header) = gix::objs::decode::loose_header(content).ok()?;
        // The end of the stream was seen, and with it the checksum.
        let whole = status == Status::StreamEnd && (written - header) as u64 == size;
        whole.then(|| (kind, content[header..].to_vec()))
    }
}

/// Reads until the end of the file or of the buffer.
fn fill(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..])? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{loose, pack::Durability};

    #[test]
    fn what_was_written_is_read_or_left_to_gix() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut reader = LooseReader::default();
        let noise: Vec<u8> =
            (0..200_000_u32).flat_map(|number| number.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
        for size in [0, 1, 3400, 3600, 60_000, 70_000] {
            let bytes = &noise[..size];
            let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, bytes).expect("no attack");
            loose::write(dir.path(), &id, Kind::Blob, bytes, Durability::Lazy).expect("written");
            let found = reader.read(dir.path(), &id);
            assert_eq!(found, (size < 65_000).then(|| (Kind::Blob, bytes.to_vec())), "{size} bytes");
        }
        // A damaged file is nobody's object: gix says what is wrong with it.
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, b"content").expect("no attack");
        loose::write(dir.path(), &id, Kind::Blob, b"content", Durability::Lazy).expect("written");
        let hex = id.to_hex().to_string();
        let path = dir.path().join(&hex[..2]).join(&hex[2..]);
        let mut raw = std::fs::read(&path).expect("a file");
        raw[20] ^= 1;
        std::fs::remove_file(&path).expect("ours");
        std::fs::write(&path, raw).expect("written");
        assert_eq!(reader.read(dir.path(), &id), None);
    }

    #[test]
    fn a_store_of_packs_is_not_asked_for_files_each_time() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut reader = LooseReader::default();
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, b"content").expect("no attack");
        assert_eq!(reader.read(dir.path(), &id), None);
        loose::write(dir.path(), &id, Kind::Blob, b"content", Durability::Lazy).expect("written");
        let asked = (0..100).position(|_| reader.read(dir.path(), &id).is_some());
        assert_eq!(asked, Some(usize::from(PAUSE)));
    }
}
