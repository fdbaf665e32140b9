//! The log of hooks: a hook says nothing to anybody, so what went wrong is written down here.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// The log is begun anew when it has more bytes than this.
const LOG_MAX: u64 = 256 << 10;
/// Longest line, in characters.
const LINE_MAX: usize = 1000;

/// Notes what went wrong in a hook, in `hook.log` of our folder in the git directory; if that cannot be done, so be it.
pub fn note_failure(trace_dir: &Path, now: &str, hook: &str, what: &str) {
    if !trace_dir.is_dir() {
        return;
    }
    let path = trace_dir.join("hook.log");
    if fs::metadata(&path).is_ok_and(|data| data.len() > LOG_MAX) {
        let _ = fs::rename(&path, path.with_extension("log.old"));
    }
    let line = crate::codec::one_line(&format!("{now} {hook}: {what}"), LINE_MAX);
    // One write a line, so that lines of several hooks do not mix.
    let _ = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
}
