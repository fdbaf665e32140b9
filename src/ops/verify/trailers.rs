//! What a commit says of itself, it says once: readers differ in which of two they believe.

use crate::ops::Finding;

/// What a commit says of itself once, if at all.
const ONCE: [&str; 12] = [
    "Trace-Op",
    "Trace-Agent",
    "Trace-Code",
    "Trace-Tokens",
    "Trace-Total",
    "Trace-Count",
    "Trace-Next",
    "Trace-Model",
    "Trace-Usage",
    "Trace-Cost",
    "Trace-Session",
    "Trace-Parent",
];

/// Finds what the bytes of a commit say more than once; git takes names of trailers in any case, and with blanks behind.
pub(super) fn repeated(commit: &[u8]) -> Vec<Finding> {
    let text = String::from_utf8_lossy(commit);
    let Some((_, message)) = text.split_once("\n\n") else { return Vec::new() };
    let (_, trailers) = message.trim_end().rsplit_once("\n\n").unwrap_or(("", message));
    let names: Vec<&str> = trailers.lines().filter_map(|line| Some(line.split_once(':')?.0.trim())).collect();
    let times = |once: &str| names.iter().filter(|name| name.eq_ignore_ascii_case(once)).count();
    let twice = |what: &'static str| Finding::Claim { what, reason: format!("it is there {} times", times(what)) };
    ONCE.into_iter().filter(|once| times(once) > 1).map(twice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_twice_is_found_however_it_is_written() {
        let commit = |trailers: &str| format!("tree x\nauthor y\n\nsubject\n\nTrace-Total: 1\n\n{trailers}");
        let sound = commit("Trace-Op: append\nTrace-Entry: +a\nTrace-Entry: +b\nTrace-Total: 4\n");
        assert_eq!(repeated(sound.as_bytes()), []);
        for more in ["Trace-Total: 5", "trace-total: 4", "Trace-Total : 4"] {
            let found = repeated(commit(&format!("{more}\nTrace-Op: append\nTrace-Total: 4\n")).as_bytes());
            let reason = "it is there 2 times".to_owned();
            assert_eq!(found, [Finding::Claim { what: "Trace-Total", reason }], "{more}");
        }
        assert_eq!(repeated(b"tree x"), []);
    }
}
