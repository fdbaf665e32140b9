//! Values read leniently out of JSON that is kept as it stands.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Returns a string's text; `None` for any other value and for text that is no Unicode (a lone surrogate).
pub(in crate::capture) fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let source = raw?.get();
    let inner = source.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(source).ok().map(Cow::Owned)
}

/// Tells whether a value is `true`.
pub(in crate::capture) fn is_true(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| raw.get() == "true")
}

/// Returns a whole number that is not negative.
pub(in crate::capture) fn count(raw: Option<&RawValue>) -> Option<u64> {
    raw?.get().parse().ok()
}

/// Reads an object into a struct of raw values; `None` for other values and for objects that name a field twice.
pub(in crate::capture) fn object<'a, T: Deserialize<'a>>(source: &'a str) -> Option<T> {
    // Without this check a struct could be read from an array, field by field.
    source.starts_with('{').then(|| serde_json::from_str(source).ok())?
}

/// Reads an array's elements.
pub(in crate::capture) fn elements(source: &str) -> Option<Vec<&RawValue>> {
    source.starts_with('[').then(|| serde_json::from_str(source).ok())?
}

/// Reads an array's strings, passing over other elements.
pub(in crate::capture) fn texts(raw: Option<&RawValue>) -> Vec<String> {
    let elements = raw.and_then(|raw| elements(raw.get())).unwrap_or_default();
    elements.into_iter().filter_map(|element| text(Some(element)).map(Cow::into_owned)).collect()
}
