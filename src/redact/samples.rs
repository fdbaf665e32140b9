//! Tokens that only examples have.

/// Runs of characters that a random token does not have.
const RUNS: [&[u8]; 3] = [b"abcdefghijklm", b"ABCDEFGHIJKLM", b"EXAMPLE"];

/// Longest token that a run makes an example; longer ones may have a run by accident or for a label.
const LONGEST: usize = 64;

/// Reports whether a token was made up for an example.
pub(super) fn is_sample(token: &[u8]) -> bool {
    token.len() < LONGEST && RUNS.iter().any(|run| memchr::memmem::find(token, run).is_some())
}
