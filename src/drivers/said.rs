//! Words of others in an error of ours: short, on one line, without control characters.

/// The most characters that are shown.
const SHOWN: usize = 400;

/// Returns the first words of a message.
pub(super) fn beginning(text: &str) -> String {
    line(text.chars())
}

/// Returns the last lines of what a program wrote, where its error stands.
pub(super) fn ending(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let start = text.char_indices().rev().nth(SHOWN - 1).map_or(0, |(at, _)| at);
    line(text[start..].chars())
}

fn line(text: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    for character in text.take(SHOWN) {
        if character.is_whitespace() || character.is_control() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(character);
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_short_and_tame() {
        assert_eq!(beginning("a\n\x1b[31m b\t\tc "), "a [31m b c");
        assert_eq!(ending(&[b"x".repeat(1000), b" the end\n".to_vec()].concat()).len(), SHOWN);
        assert!(ending(&[b"\xff".repeat(1000), b" the end\n".to_vec()].concat()).ends_with("the end"));
    }
}
