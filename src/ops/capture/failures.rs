//! The log of hooks: a hook says nothing to anybody, so what went wrong is written down here.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use crate::model::Time;

/// The log is begun anew when it has more bytes than this.
const LOG_MAX: u64 = 256 << 10;
/// Longest line, in characters.
const LINE_MAX: usize = 1000;

/// Notes what went wrong in a hook, in `hook.log` of our folder in the git directory; if that cannot be done, so be it.
///
/// Where that folder is not there, git trace is not in use, and nothing is noted.
pub fn note_failure(trace_dir: &Path, hook: &str, what: &str) {
    let path = trace_dir.join("hook.log");
    if fs::metadata(&path).is_ok_and(|data| data.len() > LOG_MAX) {
        let _ = fs::rename(&path, path.with_extension("log.old"));
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs());
    let now = Time::from_seconds(i64::try_from(now).unwrap_or(0));
    let line = crate::codec::one_line(&format!("{now} {hook}: {what}"), LINE_MAX);
    // One write a line, so that lines of several hooks do not mix.
    let _ = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
}
