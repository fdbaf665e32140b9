//! Commit messages: facts that are read are written alike.
#![no_main]

use git_trace::codec::{decode_message, encode_message};

libfuzzer_sys::fuzz_target!(|message: &[u8]| {
    if let Ok((subject, body, facts)) = decode_message(message) {
        let again = encode_message(&subject, &body, &facts);
        let (_, _, read) = decode_message(again.as_bytes()).expect("written here");
        assert_eq!(read.entries, facts.entries);
        assert_eq!((read.total, read.count, read.next), (facts.total, facts.count, facts.next));
    }
});
