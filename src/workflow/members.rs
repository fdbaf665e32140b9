//! The members of a JSON object, taken out one by one.

use serde_json::{Map, Value};

use super::Fault;
use super::fault::{below, not_a};

/// Holds an object from which each known member is taken; what is left is not known.
pub(super) struct Members<'a> {
    object: Map<String, Value>,
    pointer: String,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Members<'a> {
    pub(super) fn new(object: Map<String, Value>, pointer: &str, faults: &'a mut Vec<Fault>) -> Self {
        Members { object, pointer: pointer.to_owned(), faults }
    }

    pub(super) fn faults(&mut self) -> &mut Vec<Fault> {
        self.faults
    }

    /// Notes what is odd about a member.
    pub(super) fn warn(&mut self, name: &str, text: &str) {
        self.faults.push(Fault::warning(below(&self.pointer, name), text));
    }

    /// Notes what makes a member unusable.
    pub(super) fn fault(&mut self, name: &str, text: &str) {
        self.faults.push(Fault::error(below(&self.pointer, name), text));
    }

    /// Takes a member out; `null` is as good as none.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.object.shift_remove(name).filter(|value| !value.is_null())
    }

    /// Takes a text out.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            other => {
                self.fault(name, &not_a("a string", &other));
                None
            }
        }
    }

    /// Takes a text out that has to be there and to say something.
    pub(super) fn needed(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => return Some(text),
            Some(Value::String(_)) => self.fault(name, "is empty"),
            Some(other) => self.fault(name, &not_a("a string", &other)),
            None => self.fault(name, "is missing"),
        }
        None
    }

    /// Takes a text out that has to keep a rule.
    pub(super) fn checked<T>(&mut self, name: &str, check: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(name)?;
        check(&text).map_err(|reason| self.fault(name, &reason)).ok()
    }

    /// Takes out one of a few words; any other is passed over.
    pub(super) fn one_of<T: Copy, const N: usize>(
        &mut self,
        name: &str,
        all: [T; N],
        word: fn(T) -> &'static str,
    ) -> Option<T> {
        let value = self.take(name)?;
        let known = all.into_iter().find(|one| value.as_str() == Some(word(*one)));
        if known.is_none() {
            let words = all.map(word).join(", ");
            self.warn(name, &format!("is passed over: it has to be one of {words}"));
        }
        known
    }

    /// Takes a list of texts out.
    pub(super) fn texts(&mut self, name: &str, max: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for (pointer, value) in self.array(name, max) {
            match value {
                Value::String(text) => texts.push(text),
                other => self.faults.push(Fault::error(pointer, not_a("a string", &other))),
            }
        }
        texts
    }

    /// Takes a list out, each element with its pointer.
    pub(super) fn array(&mut self, name: &str, max: usize) -> Vec<(String, Value)> {
        let pointer = below(&self.pointer, name);
        match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(array)) if array.len() > max => {
                self.fault(name, &format!("has {} elements, more than {max}", array.len()));
                Vec::new()
            }
            Some(Value::Array(array)) => {
                array.into_iter().enumerate().map(|(at, value)| (below(&pointer, at), value)).collect()
            }
            Some(other) => {
                self.fault(name, &not_a("an array", &other));
                Vec::new()
            }
        }
    }

    /// Takes an object out, with its pointer.
    pub(super) fn object(&mut self, name: &str) -> Option<(Map<String, Value>, String)> {
        match self.take(name)? {
            Value::Object(object) => Some((object, below(&self.pointer, name))),
            other => {
                self.fault(name, &not_a("an object", &other));
                None
            }
        }
    }

    /// Takes a whole number out that lies within bounds. A text that is a number is taken for it, and what is beyond a
    /// bound for the bound, each with a warning.
    pub(super) fn number(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let value = self.take(name)?;
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse::<u64>().ok().map(|number| {
                self.warn(name, "is a number, written as a string");
                number as f64
            }),
            _ => None,
        };
        match number {
            Some(number) if number >= 0.0 && number.fract() == 0.0 => {
                let bounded = number.clamp(least as f64, most as f64);
                if bounded != number {
                    self.warn(name, &format!("is {bounded} instead, since it has to be from {least} to {most}"));
                }
                Some(bounded as u64)
            }
            Some(_) => {
                self.fault(name, "has to be a whole number");
                None
            }
            None => {
                self.fault(name, &not_a("a whole number", &value));
                None
            }
        }
    }

    /// Takes what is true or false out.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            other => {
                self.fault(name, &not_a("true or false", &other));
                None
            }
        }
    }

    /// Takes all that is left, and warns of each.
    pub(super) fn rest(&mut self) -> Map<String, Value> {
        let rest = std::mem::take(&mut self.object);
        for name in rest.keys().filter(|name| *name != "$schema") {
            self.faults.push(Fault::warning(below(&self.pointer, name), "is not known"));
        }
        rest
    }
}
