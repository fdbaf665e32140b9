//! The redactor: nothing panics, and JSON stays JSON.
#![no_main]

use git_trace::redact::{Key, Options, Redactor};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::new(Key::new([7; 32]), Options::default());
    for once in [redactor.text(bytes), redactor.json(bytes)] {
        let once = once.into_inner();
        let _ = redactor.scan(&once);
    }
    if is_json(bytes) {
        assert!(is_json(redactor.json(bytes).as_inner()), "JSON stays JSON");
    }
});

fn is_json(bytes: &[u8]) -> bool {
    git_trace::ops::parse_messages(&[b"{\"role\":\"user\",\"content\":[".as_slice(), bytes, b"]}"].concat()).is_ok()
}
