//! Where words and tokens start and end in text that may be escaped, coloured or URL-encoded.

/// Reports whether a token may start at `at`: the byte before is no letter or digit, or it belongs to an escape
/// such as `\n`, `%3D` or a terminal colour.
pub(super) fn starts_token(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    match before {
        [] => true,
        [.., last] if !last.is_ascii_alphanumeric() => true,
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
        [.., b'\\', b'u', a, b, c, d] if [a, b, c, d].iter().all(|h| h.is_ascii_hexdigit()) => true,
        [.., b'm'] => ends_colour(before),
        _ => false,
    }
}

/// Reports whether `before` ends with a colour sequence such as `ESC [ 3 1 m`.
fn ends_colour(before: &[u8]) -> bool {
    let digits =
        before[..before.len() - 1].iter().rev().take(16).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    before[..before.len() - 1 - digits].ends_with(b"[")
}

/// Reports whether a token may end at `at`.
pub(super) fn ends_token(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|b| !b.is_ascii_alphanumeric())
}

/// Reports whether a name starts at `at`: as a token does, or where lower case turns into upper case.
pub(super) fn starts_name(text: &[u8], at: usize) -> bool {
    starts_token(text, at)
        || (at > 0 && text.get(at).is_some_and(u8::is_ascii_uppercase) && !text[at - 1].is_ascii_uppercase())
        || (at > 0 && text[at - 1].is_ascii_digit())
}

/// Reports whether `word` is written in one manner: `okta`, `OKTA`, `Okta`, or, for long words, anyhow.
pub(super) fn one_case(word: &[u8]) -> bool {
    let letters =
        |rest: &[u8], upper: bool| rest.iter().all(|b| !b.is_ascii_alphabetic() || b.is_ascii_uppercase() == upper);
    word.len() >= 8 || letters(word, true) || letters(word, false) || word.get(1..).is_some_and(|r| letters(r, false))
}

/// Finds the end of the run of token bytes that holds `at`: graphic ASCII without quotes, `\`, `<` and `>`.
pub(super) fn run_end(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|b| !in_run(*b)).map_or(text.len(), |n| at + n)
}

/// Reports whether a byte may stand within a token.
fn in_run(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'<' | b'>')
}
