//! A provider's key: it can be put into a header, and not be shown.

use std::fmt;

/// Holds a key, or none.
#[derive(Clone, Default)]
pub(super) struct Key(Option<String>);

impl Key {
    pub(super) fn new(key: &str) -> Result<Key, &'static str> {
        let key = key.trim();
        if key.is_empty() {
            return Err("the key is empty");
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the key has characters that no key has");
        }
        Ok(Key(Some(key.to_owned())))
    }

    /// Returns the key for a header.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Returns a text in which the key does not stand, should a server have repeated it.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        match &self.0 {
            Some(key) => text.replace(key.as_str(), "[key]"),
            None => text.to_owned(),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Key(hidden)" } else { "Key(none)" })
    }
}
