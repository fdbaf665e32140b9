//! Trees of a context: any bytes end in an answer, and what is read is written alike.
#![no_main]

use git_trace::codec::{CodecError, Snapshot, TreeStore, strict_chunk, strict_folder, strict_root};
use git_trace::model::{HashKind, ObjectId};

/// Every tree is the fuzzer's.
struct One<'a>(&'a [u8]);

impl TreeStore for One<'_> {
    type Error = CodecError;

    fn read_tree(&mut self, _: &ObjectId) -> Result<Vec<u8>, CodecError> {
        Ok(self.0.to_vec())
    }

    fn write_tree(&mut self, _: &[u8], _: Option<(&ObjectId, &[u8])>) -> Result<ObjectId, CodecError> {
        Ok(ObjectId::Sha1([1; 20]))
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for hash in [HashKind::Sha1, HashKind::Sha256] {
        let _ = strict_root(bytes, hash);
        let _ = strict_folder(bytes, hash, 4);
        let _ = strict_chunk(bytes, hash);
    }
    let mut store = One(bytes);
    if let Ok(mut snapshot) = Snapshot::read(&mut store, ObjectId::Sha1([0; 20])) {
        let _ = snapshot.entries(&mut store);
        let _ = snapshot.write(&mut store);
    }
});
