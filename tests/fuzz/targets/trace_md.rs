//! A `trace.md` that anybody may have written: it is read or refused, and what was read comes back from what is rendered.
#![no_main]

use git_trace::run::trace_md::{parse, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(parsed) = parse(text) {
        let again = parse(&render(&parsed.page)).expect("what is rendered is read");
        assert_eq!(again.page, parsed.page);
    }
});
