//! Manifests and metadata files: what is read is read again.
#![no_main]

use git_trace::codec::{Manifest, Meta};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::decode(bytes) {
        assert_eq!(Manifest::decode(&manifest.encode()).as_ref(), Ok(&manifest));
    }
    if let Ok(meta) = Meta::decode(bytes) {
        let _ = Meta::decode(&meta.encode()).expect("written here");
    }
});
