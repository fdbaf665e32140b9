//! Names of entries: what is read is written alike.
#![no_main]

use git_trace::codec::{Named, decode_name, encode_entry_name};
use git_trace::model::ObjectId;

libfuzzer_sys::fuzz_target!(|name: &[u8]| {
    if let Ok(Named::Entry(entry)) = decode_name(name, ObjectId::Sha1([0; 20])) {
        let mut out = Vec::new();
        encode_entry_name(&entry, &mut out);
        assert_eq!(out, name);
    }
});
