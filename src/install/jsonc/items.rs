//! Where the items of an object or a list are, and what goes with one of them.

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::{Token, TokenAndRange};

/// Where the items of an object or a list are.
pub(super) struct Items {
    /// From bracket to bracket.
    pub(super) whole: Range<usize>,
    pub(super) items: Vec<Range<usize>>,
}

/// Returns the items of a value; `None` if it has none by its kind.
pub(super) fn items_of(value: &ast::Value<'_>) -> Option<Items> {
    let range = |range: jsonc_parser::common::Range| range.start..range.end;
    match value {
        ast::Value::Object(object) => Some(Items {
            whole: range(object.range),
            items: object.properties.iter().map(|one| range(one.range)).collect(),
        }),
        ast::Value::Array(array) => Some(Items {
            whole: range(array.range),
            items: array.elements.iter().map(|one| range(one.range())).collect(),
        }),
        _ => None,
    }
}

/// Returns what goes when an item does, so that the list is whole without it: the item with the blanks before it and its
/// comma, and the comma before it, if that stands apart.
pub(super) fn cut(
    text: &str,
    tokens: &[TokenAndRange<'_>],
    items: &Items,
    at: usize,
) -> (Range<usize>, Option<Range<usize>>) {
    let item = &items.items[at];
    let before = text[..item.start].trim_end().len();
    let next = items.items.get(at + 1).map_or(items.whole.end - 1, |next| next.start);
    if let Some(comma) = comma_between(tokens, item.end, next) {
        return (before..comma + 1, None);
    }
    let previous = at.checked_sub(1).and_then(|previous| items.items.get(previous));
    match previous.and_then(|previous| comma_between(tokens, previous.end, item.start)) {
        // Nothing but blanks between the comma and the item: one piece.
        Some(comma) if comma + 1 >= before => (comma..item.end, None),
        Some(comma) => (before..item.end, Some(comma..comma + 1)),
        None => (before..item.end, None),
    }
}

/// Finds the comma between two places.
pub(super) fn comma_between(tokens: &[TokenAndRange<'_>], from: usize, to: usize) -> Option<usize> {
    let first = tokens.partition_point(|token| token.range.start < from);
    let inside = tokens[first..].iter().take_while(|token| token.range.start < to);
    inside.into_iter().find(|token| token.token == Token::Comma).map(|token| token.range.start)
}
