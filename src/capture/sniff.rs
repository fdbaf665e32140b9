//! The first object of a record, as far as its first bytes show it.

/// More members than this say nothing new about whose record it is.
const MEMBERS: usize = 200;

/// Holds the members of the first object in a text that may be cut off anywhere.
#[derive(Debug, Default)]
pub(super) struct Sniff<'a> {
    /// Whether the object is an element of a list.
    pub(super) is_listed: bool,
    members: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Sniff<'a> {
    /// Looks at the first bytes of a record.
    pub(super) fn of(head: &'a [u8]) -> Self {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let (is_listed, rest) = match head.strip_prefix(b"[") {
            Some(rest) => (true, rest.trim_ascii_start()),
            None => (false, head),
        };
        let Some(mut rest) = rest.strip_prefix(b"{") else { return Sniff::default() };
        let mut members = Vec::new();
        while members.len() < MEMBERS {
            rest = rest.trim_ascii_start();
            let Some(end) = rest.strip_prefix(b"\"").and_then(string_end) else { break };
            let name = &rest[1..=end];
            rest = rest[end + 2..].trim_ascii_start();
            let Some(value) = rest.strip_prefix(b":") else { break };
            let value = value.trim_ascii_start();
            let length = value_length(value);
            members.push((name, &value[..length]));
            rest = value[length..].trim_ascii_start();
            let Some(next) = rest.strip_prefix(b",") else { break };
            rest = next;
        }
        Sniff { is_listed, members }
    }

    /// Returns the bytes of a member, as far as they are there.
    pub(super) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.members.iter().find(|(one, _)| *one == name.as_bytes()).map(|(_, value)| *value)
    }

    /// Tells whether there is a member whose bytes begin so.
    pub(super) fn begins(&self, name: &str, with: &str) -> bool {
        self.get(name).is_some_and(|value| value.starts_with(with.as_bytes()))
    }

    /// Tells whether a member is this text.
    pub(super) fn is(&self, name: &str, text: &str) -> bool {
        let inner = self.get(name).and_then(|value| value.strip_prefix(b"\"")?.strip_suffix(b"\""));
        inner == Some(text.as_bytes())
    }

    /// Tells whether there is a member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// Finds the end of a string whose opening quote is passed.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Returns the length of a value, up to the end of the text where it is cut off.
fn value_length(value: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0usize);
    while let Some(byte) = value.get(at) {
        match byte {
            b'"' => match string_end(&value[at + 1..]) {
                Some(end) => at += end + 1,
                None => return value.len(),
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => return value[..at].trim_ascii_end().len(),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#" {"a" : "x,\"}", "o":{"k":[1,"]"]} ,"n":12, "cut":{"z":1"#;

    #[test]
    fn members_are_found_in_a_cut_text() {
        let sniff = Sniff::of(TEXT.as_bytes());
        assert!(sniff.is("a", r#"x,\"}"#) && sniff.begins("o", "{") && sniff.has("n") && !sniff.is_listed);
        assert_eq!(sniff.get("n"), Some(&b"12"[..]));
        assert_eq!(sniff.get("cut"), Some(&br#"{"z":1"#[..]));
        assert!(!sniff.has("k") && !sniff.has("z"));
        assert!(Sniff::of(b"[ {\"a\":1}]").is_listed);
    }

    #[test]
    fn every_cut_is_answered() {
        for end in 0..=TEXT.len() {
            let _ = Sniff::of(&TEXT.as_bytes()[..end]);
        }
        for text in ["", "[", "{", "{\"", "{\"a\\", "{\"a\"", "{\"a\":", "{\"a\":]", "x", "{\"a\":1}}", "{\"a\":\"\\"] {
            let _ = Sniff::of(text.as_bytes());
        }
    }
}
