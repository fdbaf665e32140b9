//! An object's members, read leniently and kept in their own bytes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::claude::json;
use crate::model::{Time, Usage};

/// Numbers below this are seconds since the epoch, from it on milliseconds: it is the year 5138, or 1973.
const MILLIS: f64 = 1e11;

/// Holds the members of one object; nested values stay raw, so that no depth of nesting does harm.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads an object; `None` for any other text.
    pub(super) fn parse(source: &'a str) -> Option<Self> {
        json::object(source.trim_ascii())
    }

    /// Reads a value that may be an object.
    pub(super) fn of(raw: &'a RawValue) -> Option<Self> {
        json::object(raw.get())
    }

    /// Returns the members in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// Returns a member's value; of several with one name the last, as every parser in use does. `null` is none.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rev().find(|(one, _)| one == name);
        found.map(|(_, value)| *value).filter(|value| value.get() != "null")
    }

    /// Returns a member that is text.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        json::text(self.get(name))
    }

    /// Returns a member that is text, unless that is empty or longer than any id or name.
    pub(super) fn name(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty() && text.len() <= 1000).map(Cow::into_owned)
    }

    /// Returns a member that is text, in its own bytes.
    pub(super) fn quoted(&self, name: &str) -> Option<&'a RawValue> {
        self.get(name).filter(|value| value.get().starts_with('"'))
    }

    /// Returns a member that is a whole number and not negative.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        json::count(self.get(name))
    }

    /// Tells whether a member is `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        json::is_true(self.get(name))
    }

    /// Returns the members of a member; none for any other value.
    pub(super) fn object(&self, name: &str) -> Members<'a> {
        self.get(name).and_then(Members::of).unwrap_or_default()
    }

    /// Returns the elements of a member; none for any other value.
    pub(super) fn list(&self, name: &str) -> Vec<&'a RawValue> {
        self.get(name).and_then(|value| json::elements(value.get())).unwrap_or_default()
    }

    /// Reads a row of usage, given the names of its counts: input that came from no cache, read from it, written to it,
    /// output, reasoning. `None` where it has none of them.
    pub(super) fn usage(&self, names: [&str; 5]) -> Option<Usage> {
        let [input, cache_read, cache_write, output, reasoning] = names.map(|name| self.count(name));
        Some(Usage { input, cache_read, cache_write, output, reasoning }).filter(|usage| *usage != Usage::default())
    }

    /// Returns a member that is a moment: RFC 3339, or seconds or milliseconds since the epoch.
    pub(super) fn time(&self, name: &str) -> Option<Time> {
        let value = self.get(name)?;
        if let Some(text) = json::text(Some(value)) {
            return text.parse().ok();
        }
        let number: f64 = value.get().parse().ok()?;
        let millis = if number.abs() < MILLIS { number * 1000.0 } else { number };
        Some(Time::from_millis(millis.round() as i64))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Gather).map(Members)
    }
}

struct Gather;

impl<'de> Visitor<'de> for Gather {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            members.push((name, map.next_value()?));
        }
        Ok(members)
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TakeName).map(Name)
    }
}

struct TakeName;

impl<'de> Visitor<'de> for TakeName {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_they_stand() {
        let source = r#" {"a":"x\n","n":1.50,"a\u0062":"y","o":{"t":true},"l":[1, 2],"z":null,"n":7}"#;
        let members = Members::parse(source).expect("an object");
        assert_eq!(members.text("a").as_deref(), Some("x\n"));
        assert_eq!(members.text("ab").as_deref(), Some("y"));
        assert_eq!(members.count("n"), Some(7), "the last of two holds");
        assert!(members.object("o").is_true("t") && members.get("z").is_none());
        assert_eq!(members.list("l").iter().map(|one| one.get()).collect::<Vec<_>>(), ["1", "2"]);
        assert!(Members::parse("[1]").is_none() && Members::parse("{\"a\":").is_none() && Members::parse("").is_none());
    }

    #[test]
    fn moments_come_in_three_shapes() {
        let source = r#"{"a":"2026-11-20T10:00:00.5Z","b":1772241201792,"c":1784164544.946,"d":"soon","e":{}}"#;
        let members = Members::parse(source).expect("an object");
        let millis = |name| members.time(name).map(|time| time.millis);
        assert_eq!(millis("a"), Some(1_795_168_800_500));
        assert_eq!(millis("b"), Some(1_772_241_201_792));
        assert_eq!(millis("c"), Some(1_784_164_544_946));
        assert_eq!((millis("d"), millis("e"), millis("f")), (None, None, None));
    }

    #[test]
    fn depth_does_no_harm() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(Members::parse(&deep).expect("an object").get("a").map(|value| value.get().len()), Some(400_000));
    }
}
