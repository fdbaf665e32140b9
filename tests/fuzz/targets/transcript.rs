//! Transcripts of Claude Code: any bytes end in an answer, and a reading in two parts ends as one in whole does.
#![no_main]

use std::io::Cursor;
use std::ops::ControlFlow;

use git_trace::capture::claude;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut sink = |_| ControlFlow::Continue(());
    let whole = claude::read(Cursor::new(bytes), &mut sink).expect("memory can be read");
    let half = claude::read(Cursor::new(&bytes[..bytes.len() / 2]), &mut sink).expect("memory can be read");
    let rest = claude::resume(Cursor::new(bytes), &half.watermark, &mut sink).expect("memory can be read");
    assert_eq!(whole.summary, rest.summary);
});
