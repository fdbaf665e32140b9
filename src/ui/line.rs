//! A line of labelled text that is safe to show.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::label::{Label, Palette};
use super::{escape, escape_line};

/// Holds a piece of text and what it is; the text is escaped when the piece is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    text: String,
    label: Label,
}

impl Span {
    /// Labels a text; whatever could act on a terminal, line feeds and tabs included, is made visible.
    pub fn new(label: Label, text: impl AsRef<str>) -> Self {
        Span { text: escape_line(text.as_ref()).into_owned(), label }
    }

    /// Returns the escaped text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns what the text is.
    pub fn label(&self) -> Label {
        self.label
    }

    /// Returns the columns that the text takes on a terminal.
    pub fn width(&self) -> usize {
        self.text.width()
    }
}

/// Says on which side of its column a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Figures.
    Right,
}

/// Holds one line of output as labelled pieces; it holds nothing that could act on a terminal.
///
/// ```
/// use git_trace::ui::{Align, Label, Line};
///
/// let line = Line::new().cell(Label::Entry, "x51q8z9mf4", 12, Align::Left).cell(Label::Tokens, "412", 6, Align::Right);
/// assert_eq!(line.plain_text(), "x51q8z9mf4     412");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    spans: Vec<Span>,
}

impl Line {
    /// Makes an empty line.
    pub fn new() -> Self {
        Line::default()
    }

    /// Adds a labelled text.
    #[must_use]
    pub fn push(mut self, label: Label, text: impl AsRef<str>) -> Self {
        self.spans.push(Span::new(label, text));
        self
    }

    /// Adds a text without a label.
    #[must_use]
    pub fn plain(self, text: impl AsRef<str>) -> Self {
        self.push(Label::Plain, text)
    }

    /// Adds a text in a column of the given width: cut with `…` when it is too wide, padded when it is narrower.
    #[must_use]
    pub fn cell(mut self, label: Label, text: impl AsRef<str>, width: usize, align: Align) -> Self {
        let mut span = Span::new(label, text);
        if let Cow::Owned(cut) = truncate(&span.text, width) {
            span.text = cut;
        }
        let padding = Span { text: " ".repeat(width.saturating_sub(span.width())), label: Label::Plain };
        match align {
            Align::Left => self.spans.extend([span, padding]),
            Align::Right => self.spans.extend([padding, span]),
        }
        self
    }

    /// Adds spaces up to a column; a line that is already there keeps its length.
    #[must_use]
    pub fn pad_to(mut self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.spans.push(Span { text: " ".repeat(missing), label: Label::Plain });
        self
    }

    /// Adds the pieces of another line.
    #[must_use]
    pub fn join(mut self, other: Line) -> Self {
        self.spans.extend(other.spans);
        self
    }

    /// Cuts the line with `…` when it takes more columns than given.
    #[must_use]
    pub fn truncated(mut self, width: usize) -> Self {
        if self.width() <= width {
            return self;
        }
        let mut left = width;
        let mut kept = Vec::new();
        for span in self.spans.drain(..) {
            let own = span.width();
            // The last piece that fits gives up a column for the mark.
            if own < left {
                left -= own;
                kept.push(span);
                continue;
            }
            kept.push(Span { text: cut(&span.text, left), label: span.label });
            break;
        }
        Line { spans: kept }
    }

    /// Returns the columns that the line takes on a terminal.
    pub fn width(&self) -> usize {
        self.spans.iter().map(Span::width).sum()
    }

    /// Returns the pieces.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Returns the text without colour and without spaces at the end.
    pub fn plain_text(&self) -> String {
        let mut text: String = self.spans.iter().map(Span::text).collect();
        let kept = text.trim_end_matches(' ').len();
        text.truncate(kept);
        text
    }

    /// Returns the text as it goes out, in colour when there is a palette.
    pub(super) fn painted(&self, palette: Option<&Palette>) -> String {
        let Some(palette) = palette else { return self.plain_text() };
        let mut painted = String::new();
        for span in &self.spans {
            paint_into(&mut painted, palette, span.label, &span.text);
        }
        let kept = painted.trim_end_matches(' ').len();
        painted.truncate(kept);
        painted
    }
}

/// Returns the columns that a text takes on a terminal once it is escaped.
pub fn display_width(text: &str) -> usize {
    escape_line(text).width()
}

/// Cuts a text to a number of columns; what was cut ends in `…`.
pub fn truncate(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    Cow::Owned(cut(text, width))
}

/// Returns text of many lines as it goes out; each line carries its own colour, because pagers forget it at the end of
/// a line.
pub(super) fn paint_text(text: &str, label: Label, palette: Option<&Palette>) -> String {
    let safe = escape(text);
    let Some(palette) = palette else { return safe.into_owned() };
    let mut painted = String::with_capacity(safe.len() + 16);
    for line in safe.split_inclusive('\n') {
        let body = line.strip_suffix('\n').unwrap_or(line);
        paint_into(&mut painted, palette, label, body);
        painted.push_str(&line[body.len()..]);
    }
    painted
}

fn paint_into(painted: &mut String, palette: &Palette, label: Label, text: &str) {
    let style = palette.style(label);
    if style.is_plain() || text.is_empty() {
        painted.push_str(text);
        return;
    }
    // `Display` of these two writes SGR sequences only.
    painted.push_str(&style.render().to_string());
    painted.push_str(text);
    painted.push_str(&style.render_reset().to_string());
}

/// Keeps as many columns as leave room for `…`.
fn cut(text: &str, width: usize) -> String {
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let mut used = 0;
    let mut kept = String::new();
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > room {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_line_up_whatever_stands_in_them() {
        for text in ["plain", "世界", "a\u{202e}b", "e\u{301}", "a\nb", "a long text that does not fit", ""] {
            for align in [Align::Left, Align::Right] {
                let line = Line::new().cell(Label::User, text, 9, align);
                assert_eq!(line.width(), 9, "{text:?}");
            }
        }
        assert_eq!(Line::new().plain("ab").pad_to(4).plain("c").plain_text(), "ab  c");
    }

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(truncate("世界世界", 5), "世界…");
        assert_eq!(truncate("世界世界", 4), "世…");
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("abc", 0), "");
        let line = Line::new().plain("abc").push(Label::Pin, "def").truncated(4);
        assert_eq!(line.plain_text(), "abc…");
        assert_eq!(Line::new().plain("abc").plain("def").truncated(3).plain_text(), "ab…");
    }

    #[test]
    fn each_line_of_a_text_carries_its_colour() {
        let (palette, _) = Palette::new(&[]);
        let painted = paint_text("a\n\nb", Label::Added, Some(&palette));
        assert_eq!(painted, "\u{1b}[32ma\u{1b}[0m\n\n\u{1b}[32mb\u{1b}[0m");
        assert_eq!(paint_text("a\u{1b}[31m", Label::Plain, None), "a^[[31m");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked(texts: Vec<String>, width in 0_usize..40) {
            let line = texts.iter().fold(Line::new(), |line, text| line.push(Label::User, text));
            prop_assert!(line.clone().truncated(width).width() <= width);
            let text = texts.concat();
            let safe = escape_line(&text);
            prop_assert!(truncate(&safe, width).width() <= width);
        }
    }
}
