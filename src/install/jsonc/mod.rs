//! A settings file in JSON, with comments and trailing commas, that is changed by putting text in and nothing else.
//!
//! **Invariant: taking out what was put in gives the bytes that were there**, whatever their indentation, order, comments
//! and line ends. A test with random documents holds it.

mod items;
#[cfg(test)]
mod tests;

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, ParseResult};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use items::{comma_between, cut, items_of};

/// What some editors put in front of UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Says why a text cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsoncError {
    /// The bytes are not UTF-8.
    #[error("it is not UTF-8")]
    NotText,
    /// It is not JSON, not even with comments.
    #[error("it is not JSON: {reason}")]
    Malformed {
        /// What is wrong, and where.
        reason: String,
    },
    /// Something else stands where an object or a list must be.
    #[error("'{place}' is not {wanted}")]
    Other {
        /// The keys that lead there.
        place: String,
        /// `an object` or `a list`.
        wanted: &'static str,
    },
    /// A key stands in an object twice, so that readers differ about which one counts.
    #[error("'{key}' stands there twice")]
    Twice {
        /// The key.
        key: String,
    },
}

/// Holds a text, and which parts of it were put in.
#[derive(Debug, Clone)]
pub struct Document {
    text: String,
    /// Bytes in front of the text: of a byte order mark.
    skipped: usize,
    /// In order, and apart.
    inserted: Vec<Range<usize>>,
}

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The value of a key.
    Key(String),
    /// An element of a list.
    Index(usize),
}

impl Document {
    /// Reads a text; an empty one is a document too.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsoncError> {
        let text = std::str::from_utf8(bytes).map_err(|_| JsoncError::NotText)?;
        let (skipped, text) = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => (BYTE_ORDER_MARK.len(), rest),
            None => (0, text),
        };
        let document = Document { text: text.to_owned(), skipped, inserted: Vec::new() };
        match document.parsed()?.value {
            None | Some(ast::Value::Object(_)) => Ok(document),
            Some(_) => Err(JsoncError::Other { place: "the whole".to_owned(), wanted: "an object" }),
        }
    }

    /// Returns the bytes as they are now.
    pub fn bytes(&self) -> Vec<u8> {
        let mark = if self.skipped > 0 { BYTE_ORDER_MARK } else { "" };
        [mark.as_bytes(), self.text.as_bytes()].concat()
    }

    /// Returns which bytes were put in.
    pub fn inserted(&self) -> Vec<Range<usize>> {
        self.inserted.iter().map(|range| range.start + self.skipped..range.end + self.skipped).collect()
    }

    /// Returns what stands there, as plain JSON; `None` if nothing does.
    ///
    /// # Errors
    /// When a key on the way stands there twice.
    pub fn get(&self, path: &[&str]) -> Result<Option<Value>, JsoncError> {
        let parsed = self.parsed()?;
        let Some(mut value) = parsed.value.as_ref() else { return Ok(None) };
        for key in path {
            let ast::Value::Object(object) = value else { return Ok(None) };
            match property(object, key)? {
                Some(found) => value = &found.value,
                None => return Ok(None),
            }
        }
        Ok(Some(plain(value)))
    }

    /// Puts a property at the end of the object that the keys lead to.
    ///
    /// # Errors
    /// When there is no such object.
    pub fn append_property(&mut self, path: &[&str], key: &str, value: &Value) -> Result<(), JsoncError> {
        if path.is_empty() && self.parsed()?.value.is_none() {
            let mut object = serde_json::Map::new();
            object.insert(key.to_owned(), value.clone());
            let whole = self.render(&Value::Object(object), "", false);
            let (end, line) = (self.text.len(), self.line_end());
            let before = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { line };
            self.insert(end, &format!("{before}{whole}{line}"));
            return Ok(());
        }
        let key = serde_json::to_string(key).expect("a text");
        self.append(path, "an object", Some(&key), value)
    }

    /// Puts an element at the end of the list that the keys lead to.
    ///
    /// # Errors
    /// When there is no such list.
    pub fn append_element(&mut self, path: &[&str], value: &Value) -> Result<(), JsoncError> {
        self.append(path, "a list", None, value)
    }

    /// Takes out what the steps lead to, with its comma and the blanks before it.
    ///
    /// What was put in before is not told apart any more.
    ///
    /// # Errors
    /// When nothing stands there.
    pub fn remove(&mut self, path: &[Step]) -> Result<(), JsoncError> {
        let parsed = self.parsed()?;
        let missing = || JsoncError::Other { place: place(path), wanted: "there" };
        let mut value = parsed.value.as_ref().ok_or_else(missing)?;
        let mut found = None;
        for step in path {
            let (items, at, next) = match (step, value) {
                (Step::Key(key), ast::Value::Object(object)) => {
                    let at = object.properties.iter().position(|one| one.name.as_str() == key).ok_or_else(missing)?;
                    (items_of(value), at, &object.properties[at].value)
                }
                (Step::Index(at), ast::Value::Array(array)) => {
                    (items_of(value), *at, array.elements.get(*at).ok_or_else(missing)?)
                }
                _ => return Err(missing()),
            };
            found = items.map(|items| (items, at));
            value = next;
        }
        let (items, at) = found.ok_or_else(missing)?;
        let tokens = parsed.tokens.as_deref().unwrap_or_default();
        let (piece, comma) = cut(&self.text, tokens, &items, at);
        self.text.replace_range(piece, "");
        if let Some(comma) = comma {
            self.text.replace_range(comma, "");
        }
        self.inserted.clear();
        Ok(())
    }

    fn append(
        &mut self,
        path: &[&str],
        wanted: &'static str,
        key: Option<&str>,
        value: &Value,
    ) -> Result<(), JsoncError> {
        let parsed = self.parsed()?;
        let other = || JsoncError::Other { place: path.join("."), wanted };
        let mut found = parsed.value.as_ref().ok_or_else(other)?;
        for one in path {
            let ast::Value::Object(object) = found else { return Err(other()) };
            found = &property(object, one)?.ok_or_else(other)?.value;
        }
        let fits = if key.is_some() { found.as_object().is_some() } else { found.as_array().is_some() };
        let items = items_of(found).filter(|_| fits).ok_or_else(other)?;
        let tokens = parsed.tokens.as_deref().unwrap_or_default();

        let close = items.whole.end - 1;
        let inside = &self.text[items.whole.start + 1..close];
        // Behind the last item and the comments that follow it.
        let end = items.whole.start + 1 + inside.trim_end().len();
        let last = items.items.last().cloned();
        let trailing = last.as_ref().and_then(|last| comma_between(tokens, last.end, close));
        let compact = match &last {
            Some(_) => !inside.contains('\n'),
            None => !path.is_empty() && !self.text.trim().contains('\n'),
        };
        let outer = indent_at(&self.text, items.whole.start).to_owned();
        let indent = match &last {
            Some(last) if starts_line(&self.text, last.start) => indent_at(&self.text, last.start).to_owned(),
            _ => outer.clone() + &self.unit(),
        };
        let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
        let item = key + &self.render(value, &indent, compact);
        let line = self.line_end();
        let comma = if trailing.is_some() { "," } else { "" };
        let text = match (&last, compact) {
            (Some(_), true) => format!(" {item}{comma}"),
            (None, true) => item,
            (Some(_), false) => format!("{line}{indent}{item}{comma}"),
            // The closing bracket goes to a line of its own, where it is not there already.
            (None, false) if self.text[end..close].contains('\n') => format!("{line}{indent}{item}"),
            (None, false) => format!("{line}{indent}{item}{line}{outer}"),
        };
        drop(parsed);
        self.insert(end, &text);
        if let Some(last) = last.filter(|_| trailing.is_none()) {
            self.insert(last.end, ",");
        }
        Ok(())
    }

    /// Puts a text in, and remembers where.
    fn insert(&mut self, at: usize, text: &str) {
        self.text.insert_str(at, text);
        let length = text.len();
        let mut within = false;
        for range in &mut self.inserted {
            if range.start < at && at < range.end {
                range.end += length;
                within = true;
            } else if range.start >= at {
                *range = range.start + length..range.end + length;
            }
        }
        if !within {
            let place = self.inserted.partition_point(|range| range.start < at);
            self.inserted.insert(place, at..at + length);
        }
    }

    fn parsed(&self) -> Result<ParseResult<'_>, JsoncError> {
        let collect = CollectOptions { comments: CommentCollectionStrategy::Off, tokens: true };
        let options = ParseOptions {
            allow_comments: true,
            allow_loose_object_property_names: false,
            allow_trailing_commas: true,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let malformed =
            |error: jsonc_parser::errors::ParseError| JsoncError::Malformed { reason: lower(&error.to_string()) };
        jsonc_parser::parse_to_ast(&self.text, &collect, &options).map_err(malformed)
    }

    /// Returns how lines end.
    fn line_end(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// Returns what a line is indented by: as the first indented line is, else two spaces.
    fn unit(&self) -> String {
        let own = |line: &str| line[..line.len() - line.trim_start_matches([' ', '\t']).len()].to_owned();
        let indented = self.text.lines().filter(|line| line.trim_start().starts_with(['"', '{', '[']));
        indented.map(own).find(|indent| !indent.is_empty()).unwrap_or_else(|| "  ".to_owned())
    }

    fn render(&self, value: &Value, indent: &str, compact: bool) -> String {
        if compact {
            return value.to_string();
        }
        let unit = self.unit();
        let mut bytes = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(unit.as_bytes()));
        value.serialize(&mut serializer).expect("a value is JSON");
        let text = String::from_utf8(bytes).expect("JSON is text");
        text.replace('\n', &format!("{}{indent}", self.line_end()))
    }
}

/// Takes ranges out of bytes: what is left is what was there before they were put in.
pub fn without(bytes: &[u8], ranges: &[Range<usize>]) -> Option<Vec<u8>> {
    let mut left = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for range in ranges {
        left.extend_from_slice(bytes.get(at..range.start)?);
        at = range.end;
    }
    left.extend_from_slice(bytes.get(at..)?);
    Some(left)
}

fn property<'a, 'b>(object: &'b ast::Object<'a>, key: &str) -> Result<Option<&'b ast::ObjectProp<'a>>, JsoncError> {
    let mut found = object.properties.iter().filter(|one| one.name.as_str() == key);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(JsoncError::Twice { key: key.to_owned() }),
        (first, None) => Ok(first),
    }
}

/// Returns the blanks with which the line of a place begins.
fn indent_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn starts_line(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    start > 0 && text[start..at].trim().is_empty()
}

fn plain(value: &ast::Value<'_>) -> Value {
    match value {
        ast::Value::StringLit(one) => Value::String(one.value.to_string()),
        ast::Value::NumberLit(one) => serde_json::from_str(one.value).unwrap_or(Value::Null),
        ast::Value::BooleanLit(one) => Value::Bool(one.value),
        ast::Value::Object(object) => {
            let pairs = object.properties.iter().map(|one| (one.name.as_str().to_owned(), plain(&one.value)));
            Value::Object(pairs.collect())
        }
        ast::Value::Array(array) => Value::Array(array.elements.iter().map(plain).collect()),
        ast::Value::NullKeyword(_) => Value::Null,
    }
}

fn place(path: &[Step]) -> String {
    let name = |step: &Step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(at) => at.to_string(),
    };
    path.iter().map(name).collect::<Vec<_>>().join(".")
}

/// Returns a sentence of another library in the manner of ours.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    first + letters.as_str().trim_end_matches('.')
}
