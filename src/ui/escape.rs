//! Makes stored text safe to show: whatever it holds, it cannot drive the terminal nor hide from the reader.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns text with every character that would act on a terminal, or hide, made visible.
///
/// Line feeds and tabs stay. The forms are `^[` for the controls of ASCII, `⟨U+202E⟩` for other controls, for marks of
/// direction and for characters without a shape. Plain text comes back as it is, without allocation. What is escaped:
/// the general categories Cc, Cf, Zl and Zp of Unicode, plus the letters and marks that Unicode's
/// `Default_Ignorable_Code_Point` property hides. A variation selector for text or emoji (U+FE0E, U+FE0F) stays after
/// a character; in a row they could carry hidden words, so the further ones are shown.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_with(text, Breaks::Keep)
}

/// Returns text on one line: as [`escape`], with line feeds and tabs shown as `\n` and `\t`.
pub fn escape_line(text: &str) -> Cow<'_, str> {
    escape_with(text, Breaks::Show)
}

/// Returns bytes as text that is safe to show; bytes that are no UTF-8 become `\xff`.
pub fn escape_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return escape(text);
    }
    let mut shown = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        shown.push_str(&escape(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing to a string cannot go wrong.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    Cow::Owned(shown)
}

/// Tells whether a character acts on a terminal or leaves no trace there; line feed and tab do not count.
pub(super) fn is_hidden(character: char) -> bool {
    match character {
        ' '..='~' | '\n' | '\t' => false,
        '\0'..='\u{9f}' => true,
        '\u{a0}'..='\u{ac}' => false,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' => true,
        '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' => true,
        '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// What becomes of line feeds and tabs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Keep,
    Show,
}

fn escape_with(text: &str, breaks: Breaks) -> Cow<'_, str> {
    let Some(start) = first_shown(text, breaks) else { return Cow::Borrowed(text) };
    let mut shown = String::with_capacity(text.len() + 32);
    shown.push_str(&text[..start]);
    let mut before = text[..start].chars().next_back();
    for character in text[start..].chars() {
        if must_show(character, before, breaks) {
            show(character, &mut shown);
        } else {
            shown.push(character);
        }
        before = Some(character);
    }
    Cow::Owned(shown)
}

/// Finds where the first character stands that cannot go out as it is.
fn first_shown(text: &str, breaks: Breaks) -> Option<usize> {
    // Most text is plain ASCII, and bytes are faster to look at than characters.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') || (breaks == Breaks::Keep && matches!(byte, b'\n' | b'\t'));
    let start = text.bytes().position(|byte| !is_plain(byte))?;
    let mut before = text[..start].chars().next_back();
    for (at, character) in text[start..].char_indices() {
        if must_show(character, before, breaks) {
            return Some(start + at);
        }
        before = Some(character);
    }
    None
}

fn must_show(character: char, before: Option<char>, breaks: Breaks) -> bool {
    match character {
        '\n' | '\t' => breaks == Breaks::Show,
        '\u{fe0e}' | '\u{fe0f}' => before.is_none_or(|before| is_selector(before) || before.is_control()),
        _ => is_hidden(character),
    }
}

fn is_selector(character: char) -> bool {
    matches!(character, '\u{fe0e}' | '\u{fe0f}')
}

fn show(character: char, shown: &mut String) {
    let code = u32::from(character);
    match character {
        '\n' => shown.push_str("\\n"),
        '\t' => shown.push_str("\\t"),
        '\u{7f}' => shown.push_str("^?"),
        '\0'..='\u{1f}' => {
            shown.push('^');
            shown.push(char::from(b'@' + (code as u8)));
        }
        _ => {
            // Writing to a string cannot go wrong.
            let _ = write!(shown, "⟨U+{code:04X}⟩");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_general_category::{GeneralCategory, get_general_category};

    use super::*;

    #[test]
    fn marks_are_shown_by_name() {
        assert_eq!(escape("a\u{202e}b"), "a⟨U+202E⟩b");
        assert_eq!(escape("\u{1b}]0;title\u{7}"), "^[]0;title^G");
        assert_eq!(escape("x\u{7f}\u{9b}31m"), "x^?⟨U+009B⟩31m");
        assert_eq!(escape("tag\u{e0041}"), "tag⟨U+E0041⟩");
        assert_eq!(escape("a\r\n\tb"), "a^M\n\tb");
        assert_eq!(escape_line("a\n\tb"), "a\\n\\tb");
        assert_eq!(escape_bytes(b"ok \xff\xc3( \x1b"), "ok \\xff\\xc3( ^[");
    }

    #[test]
    fn plain_text_is_borrowed() {
        for text in ["", "plain\n\ttext ~", "Grüße, 世界, שלום, ❤\u{fe0f} 1\u{fe0f}\u{20e3}"] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text), "{text}");
            assert!(matches!(escape_bytes(text.as_bytes()), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn selectors_carry_no_hidden_words() {
        assert_eq!(escape("a\u{fe0f}\u{fe0f}\u{fe0e}"), "a\u{fe0f}⟨U+FE0F⟩⟨U+FE0E⟩");
        assert_eq!(escape("\u{fe0f}"), "⟨U+FE0F⟩");
    }

    #[test]
    fn every_control_and_format_character_of_unicode_is_shown() {
        use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
        for character in ('\0'..=char::MAX).filter(|character| !matches!(character, '\n' | '\t')) {
            let category = get_general_category(character);
            if matches!(category, Control | Format | LineSeparator | ParagraphSeparator) {
                assert!(is_hidden(character), "U+{:04X}", u32::from(character));
            }
        }
    }

    proptest! {
        #[test]
        fn escaped_text_holds_nothing_hidden_and_stays_as_it_is(bytes: Vec<u8>, text in "\\PC*|[\\x00-\\u{2100}]*") {
            for shown in [escape_bytes(&bytes), escape(&text), escape_line(&text)] {
                prop_assert!(!shown.chars().any(is_hidden), "{shown:?}");
                prop_assert_eq!(escape(&shown), shown.clone());
            }
            prop_assert!(!escape_line(&text).contains(['\n', '\t']));
        }
    }
}
