//! Streams objects into a pack that becomes visible when it is finished.

use std::{
    borrow::Cow,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use gix::{ObjectId, hash, objs::Kind, oid};
use tempfile::NamedTempFile;

use super::{
    PackError,
    deflate::{Deflater, Inflater},
    delta::{self, Encoder},
    entry,
    index::{self, digest, finalize},
    publish::{Durability, Finished, create_keep, create_temporary, publish},
    table::{Row, Table},
};

/// Bytes that are gathered before the file is written; smaller packs are written in one go.
const GATHER: usize = 1 << 20;
/// The pack header: signature, version, number of objects.
const HEADER: usize = 12;

/// How a pack is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Deflate level, 0 (stored) to 9. It hardly matters below 1 KB; at 40 KB, level 6 takes three times as long as 3
    /// and makes 6 % less.
    pub level: u8,
    /// The most deltas that have to be applied to read one object; 0 for none. Git's own is 50.
    pub max_delta_depth: u8,
    /// Objects and deltas shorter than this many bytes are stored, since deflating them costs time and gains nothing.
    pub stored_below: usize,
    /// Whether a `.keep` file stands beside the pack before it can be seen, so that no `git repack` drops it as long as no
    /// ref names its objects. Who asks for it removes it: see [`Finished::keep`].
    pub keep: bool,
}

impl Default for Options {
    /// The measured compromise for imports.
    fn default() -> Self {
        Self { level: 3, max_delta_depth: 50, stored_below: 100, keep: false }
    }
}

/// An object that was written into the same pack before, together with its content.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// Its id.
    pub id: ObjectId,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Writes one pack: objects in, `pack-<checksum>.pack` and `.idx` out.
///
/// Dropping it unfinished removes what it wrote.
pub struct PackWriter {
    pack_dir: PathBuf,
    hash: hash::Kind,
    options: Options,
    table: Table,
    /// The end of the pack, always whole objects, not yet in the file.
    gathered: Vec<u8>,
    /// How many bytes of the pack are in the file.
    written: u64,
    /// Made when the gathered bytes are first too many.
    file: Option<NamedTempFile>,
    deflater: Deflater,
    inflater: Option<Inflater>,
    encoder: Encoder,
    delta: Vec<u8>,
    broken: bool,
}

impl PackWriter {
    /// Begins a pack in `<objects_dir>/pack`; no file is made before a megabyte is written or the pack is finished.
    pub fn create(objects_dir: &Path, hash: hash::Kind, options: Options) -> Self {
        let mut gathered = Vec::with_capacity(4096);
        // The number of objects is known, and filled in, at the end.
        gathered.extend_from_slice(b"PACK\0\0\0\x02\0\0\0\0");
        Self {
            pack_dir: objects_dir.join("pack"),
            hash,
            options,
            table: Table::new(hash),
            gathered,
            written: 0,
            file: None,
            deflater: Deflater::new(options.level, options.stored_below),
            inflater: None,
            encoder: Encoder::default(),
            delta: Vec::new(),
            broken: false,
        }
    }

    /// Writes a whole object and returns its id; one that this pack has already is not written again.
    ///
    /// # Errors
    /// If the disk refuses, the bytes are a known SHA-1 attack, the pack is full, or an earlier write failed.
    pub fn write(&mut self, kind: Kind, bytes: &[u8]) -> Result<ObjectId, PackError> {
        self.add(kind, bytes, None)
    }

    /// Writes an object as its difference from `base` where that is worth it, and whole otherwise.
    ///
    /// It is written whole if the base is not in this pack, is of another kind or already as deep as allowed, or if the
    /// difference is more than three quarters of the object.
    ///
    /// # Errors
    /// As [`PackWriter::write`]; also if `base.bytes` is not what was written as `base.id`.
    pub fn write_with_base(&mut self, kind: Kind, bytes: &[u8], base: Base<'_>) -> Result<ObjectId, PackError> {
        self.add(kind, bytes, Some(base))
    }

    /// Whether this pack has the object.
    pub fn contains(&self, id: &oid) -> bool {
        self.table.find(id).is_some()
    }

    /// The number of objects written so far.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length of the pack so far in bytes.
    pub fn bytes(&self) -> u64 {
        self.written + self.gathered.len() as u64
    }

    /// Reads an object of this unfinished pack back; nothing if it is not in it.
    ///
    /// # Errors
    /// If the file cannot be read, or no longer holds what was written.
    pub fn get(&mut self, id: &oid) -> Result<Option<(Kind, Vec<u8>)>, PackError> {
        self.check()?;
        let Some(mut at) = self.table.find(id) else {
            return Ok(None);
        };
        let unreadable = || PackError::ReadBack { id: id.to_owned() };
        let Row { kind, depth, content_crc, .. } = self.table.rows()[at];
        let mut deltas = Vec::with_capacity(usize::from(depth));
        let mut bytes = loop {
            let (inflated, base) = self.read_row(at)?.ok_or_else(unreadable)?;
            match base {
                None => break inflated,
                Some(base) if base < at => {
                    deltas.push(inflated);
                    at = base;
                }
                Some(_) => return Err(unreadable()),
            }
        };
        while let Some(delta) = deltas.pop() {
            bytes = delta::apply(&bytes, &delta, usize::MAX)?;
        }
        if crc32fast::hash(&bytes) == content_crc { Ok(Some((kind, bytes))) } else { Err(unreadable()) }
    }

    /// Makes the pack visible under its final name; nothing is left of an empty one.
    ///
    /// # Errors
    /// If the disk refuses: then nothing is visible, except when only the last flush of the directory failed. If the
    /// very last rename fails, a pack without its index stays behind: git ignores it, and another process that finishes
    /// the same pack may be just about to name its index, so that it must not be removed.
    pub fn finish(mut self, durability: Durability) -> Result<Option<Finished>, PackError> {
        self.check()?;
        if self.is_empty() {
            return Ok(None);
        }
        let count = u32::try_from(self.len()).map_err(|_| PackError::TooManyObjects)?;
        let trailer = if self.file.is_none() {
            self.gathered[8..HEADER].copy_from_slice(&count.to_be_bytes());
            digest(self.hash, &self.gathered)?
        } else {
            self.flush()?;
            self.seal_file(count)?
        };
        self.gathered.extend_from_slice(trailer.as_bytes());
        self.flush()?;
        let index = index::encode(&self.table, &trailer)?;
        let file = self.file.take().expect("flushing made the file");
        let keep = if self.options.keep { create_keep(&self.pack_dir, &trailer)? } else { None };
        let finished = publish(file, self.written, &index, &trailer, self.table.len(), durability);
        if let (Err(_), Some(keep)) = (&finished, &keep) {
            let _ = std::fs::remove_file(keep);
        }
        finished.map(|finished| Some(Finished { keep, ..finished }))
    }

    fn check(&self) -> Result<(), PackError> {
        if self.broken { Err(PackError::Broken) } else { Ok(()) }
    }

    fn add(&mut self, kind: Kind, bytes: &[u8], base: Option<Base<'_>>) -> Result<ObjectId, PackError> {
        self.check()?;
        let id = object_id(self.hash, kind, bytes)?;
        if self.contains(&id) {
            return Ok(id);
        }
        let start = self.gathered.len();
        let offset = self.written + start as u64;
        let base = self.make_delta(kind, bytes, base)?;
        let (number, body, depth) = match base {
            Some(base) => (entry::OFS_DELTA, self.delta.as_slice(), base.depth + 1),
            None => (entry::kind_number(kind), bytes, 0),
        };
        entry::push_header(&mut self.gathered, number, body.len() as u64);
        if let Some(base) = base {
            entry::push_distance(&mut self.gathered, offset - base.offset);
        }
        let deflated = self.deflater.append(body, &mut self.gathered);
        let row = Row {
            offset,
            crc: crc32fast::hash(&self.gathered[start..]),
            content_crc: crc32fast::hash(bytes),
            kind,
            depth,
        };
        if let Err(error) = deflated {
            self.gathered.truncate(start);
            return Err(error);
        }
        if !self.table.push(&id, row) {
            self.gathered.truncate(start);
            return Err(PackError::TooManyObjects);
        }
        if self.gathered.len() >= GATHER {
            self.flush()?;
        }
        Ok(id)
    }

    /// Leaves in `self.delta` what leads from the base to `bytes` and returns the base's row, if that is worth it.
    fn make_delta(&mut self, kind: Kind, bytes: &[u8], base: Option<Base<'_>>) -> Result<Option<Row>, PackError> {
        let Some((base, at)) = base.and_then(|base| Some((base, self.table.find(&base.id)?))) else {
            return Ok(None);
        };
        let row = self.table.rows()[at];
        if row.kind != kind || row.depth >= self.options.max_delta_depth {
            return Ok(None);
        }
        if crc32fast::hash(base.bytes) != row.content_crc {
            return Err(PackError::BaseMismatch { id: base.id });
        }
        let worth_it = self.encoder.encode(base.bytes, bytes, bytes.len() / 4 * 3, &mut self.delta);
        Ok(worth_it.then_some(row))
    }

    /// Moves the gathered bytes into the file. Whatever goes wrong leaves an unknown part of them there.
    fn flush(&mut self) -> Result<(), PackError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(create_temporary(&self.pack_dir, "tmp_pack_").inspect_err(|_| self.broken = true)?),
        };
        if let Err(error) = file.write_all(&self.gathered) {
            self.broken = true;
            return Err(PackError::io("write", file.path())(error));
        }
        self.written += self.gathered.len() as u64;
        self.gathered.clear();
        // One very large object must not hold its memory for the rest of the import.
        self.gathered.shrink_to(2 * GATHER);
        Ok(())
    }

    /// Fills in the number of objects and returns the checksum of the whole file, which therefore is read again: a hash
    /// cannot begin in the middle, and from the page cache all of `finish` is 4 % of an import.
    fn seal_file(&mut self, count: u32) -> Result<ObjectId, PackError> {
        let Some(file) = &mut self.file else {
            return Err(PackError::Broken);
        };
        let path = file.path().to_owned();
        let file = file.as_file_mut();
        file.seek(SeekFrom::Start(8)).map_err(PackError::io("seek in", &path))?;
        file.write_all(&count.to_be_bytes()).map_err(PackError::io("write", &path))?;
        file.rewind().map_err(PackError::io("seek in", &path))?;
        let mut hasher = hash::hasher(self.hash);
        let mut chunk = vec![0; 1 << 18];
        let mut left = self.written;
        while left > 0 {
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
            file.read_exact(&mut chunk[..len]).map_err(PackError::io("read", &path))?;
            hasher.update(&chunk[..len]);
            left -= len as u64;
        }
        finalize(hasher)
    }

    /// Inflates object number `at` and names the number of its base if it is a delta.
    fn read_row(&mut self, at: usize) -> Result<Option<Stored>, PackError> {
        let start = self.table.rows()[at].offset;
        let end = self.table.rows().get(at + 1).map_or(self.bytes(), |next| next.offset);
        let raw = self.read_raw(start, end)?.into_owned();
        let Some((number, size, rest)) = entry::take_header(&raw) else {
            return Ok(None);
        };
        let (base, deflated) = if number == entry::OFS_DELTA {
            let found = entry::take_distance(rest)
                .and_then(|(distance, rest)| Some((self.table.find_offset(start.checked_sub(distance)?)?, rest)));
            match found {
                Some((base, rest)) => (Some(base), rest),
                None => return Ok(None),
            }
        } else {
            (None, rest)
        };
        let inflater = self.inflater.get_or_insert_with(Inflater::new);
        let inflated = usize::try_from(size).ok().and_then(|size| inflater.inflate(deflated, size));
        Ok(inflated.map(|inflated| (inflated, base)))
    }

    /// The pack's bytes from `start` to `end`, wherever they are.
    fn read_raw(&mut self, start: u64, end: u64) -> Result<Cow<'_, [u8]>, PackError> {
        let len = usize::try_from(end - start).unwrap_or(usize::MAX);
        if let Some(start) = start.checked_sub(self.written) {
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            return Ok(Cow::Borrowed(&self.gathered[start..start + len]));
        }
        let Some(file) = &mut self.file else {
            return Err(PackError::Broken);
        };
        let path = file.path().to_owned();
        let file = file.as_file_mut();
        let mut raw = vec![0; len];
        let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut raw));
        // Writing goes on at the end; if that cannot be reached, it must not go on.
        if let Err(error) = file.seek(SeekFrom::Start(self.written)) {
            self.broken = true;
            return Err(PackError::io("seek in", path)(error));
        }
        read.map_err(PackError::io("read", path))?;
        Ok(Cow::Owned(raw))
    }
}

/// What an entry of the pack inflates to, and the number of its base if that is a delta.
type Stored = (Vec<u8>, Option<usize>);

/// The id that git gives to an object: the hash of its kind, its length and its content.
fn object_id(hash: hash::Kind, kind: Kind, bytes: &[u8]) -> Result<ObjectId, PackError> {
    gix::objs::compute_hash(hash, kind, bytes).map_err(|error| PackError::Collision { message: error.to_string() })
}
