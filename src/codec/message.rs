//! Commit messages: a subject for people, and facts as trailers that git itself reads.

use std::borrow::Cow;
use std::fmt::Write;

use super::CodecError;
use crate::model::{Facts, NanoDollars, ObjectId, Operation, Touch, TouchKind, Usage};

/// Longest subject in characters; longer ones are cut, the whole text is in the entry.
const SUBJECT_MAX: usize = 72;

/// Puts a commit message together: subject, empty line, body if any, empty line, trailers.
///
/// The trailers are the last paragraph, so that nothing in subject or body is ever taken for one of them.
pub fn encode_message(subject: &str, body: &str, facts: &Facts) -> String {
    let mut text = one_line(subject, SUBJECT_MAX);
    if text.is_empty() {
        text += facts.operation.name();
    }
    text += "\n\n";
    let body = body.trim_end();
    if !body.is_empty() {
        text.extend(body.chars().map(|one| if one == '\0' { char::REPLACEMENT_CHARACTER } else { one }));
        text += "\n\n";
    }
    write_facts(facts, &mut text).expect("a string takes every write");
    text
}

/// Takes a commit message apart into subject, body and facts.
///
/// # Errors
/// When its last paragraph has no `Trace-Op`: git trace did not make it.
pub fn decode_message(message: &[u8]) -> Result<(String, String, Facts), CodecError> {
    let text = String::from_utf8_lossy(message);
    let text = text.trim_end();
    let (before, trailers) = text.rsplit_once("\n\n").ok_or(NO_OPERATION)?;
    let facts = read_facts(trailers)?;
    let (subject, body) = before.split_once('\n').unwrap_or((before, ""));
    Ok((subject.to_owned(), body.trim().to_owned(), facts))
}

/// Makes one line of at most `max` characters out of any text: white space and control characters become single
/// blanks, what is too long ends in `…`.
pub fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let is_gap = |one: char| one.is_whitespace() || one.is_control();
    for word in text.split(is_gap).filter(|word| !word.is_empty()) {
        let gap = usize::from(!line.is_empty());
        for one in std::iter::repeat_n(' ', gap).chain(word.chars()) {
            if length == max {
                line.pop();
                line.push('…');
                return line;
            }
            line.push(one);
            length += 1;
        }
    }
    line
}

const NO_OPERATION: CodecError = CodecError::Commit { reason: "it has no Trace-Op trailer" };

fn write_facts(facts: &Facts, out: &mut String) -> std::fmt::Result {
    writeln!(out, "Trace-Op: {}", facts.operation)?;
    if let Some(agent) = &facts.agent {
        writeln!(out, "Trace-Agent: {}", one_line(agent, 200))?;
    }
    if let Some(code) = &facts.code {
        writeln!(out, "Trace-Code: {code}")?;
    }
    for touch in &facts.entries {
        let sign = match touch.kind {
            TouchKind::Added => '+',
            TouchKind::Changed => '~',
            TouchKind::Removed => '-',
            TouchKind::Marked => '^',
        };
        write!(out, "Trace-Entry: {sign}{}", touch.id)?;
        for (name, value) in &touch.fields {
            write!(out, " {name}={}", escape_field(value))?;
        }
        out.push('\n');
    }
    writeln!(out, "Trace-Tokens: {:+}", facts.tokens)?;
    writeln!(out, "Trace-Total: {}", facts.total)?;
    writeln!(out, "Trace-Count: {}", facts.count)?;
    writeln!(out, "Trace-Next: {}", facts.next)?;
    if let Some(model) = &facts.model {
        writeln!(out, "Trace-Model: {}", one_line(model, 200))?;
    }
    if let Some(usage) = &facts.usage {
        out.push_str("Trace-Usage:");
        for (name, value) in usage_fields(usage) {
            if let Some(value) = value {
                write!(out, " {name}={value}")?;
            }
        }
        out.push('\n');
    }
    if let Some(cost) = &facts.cost {
        writeln!(out, "Trace-Cost: {cost}")?;
    }
    if let Some(session) = &facts.session {
        writeln!(out, "Trace-Session: {}", one_line(session, 200))?;
    }
    for (name, value) in &facts.other {
        writeln!(out, "{name}: {}", one_line(value, 2000))?;
    }
    Ok(())
}

fn read_facts(trailers: &str) -> Result<Facts, CodecError> {
    let mut operation = None;
    let mut facts = Facts::new(Operation::Append);
    for line in trailers.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name {
            "Trace-Op" => operation = Some(Operation::from_name(value)),
            "Trace-Agent" => facts.agent = Some(value.to_owned()),
            "Trace-Code" => facts.code = value.parse::<ObjectId>().ok(),
            "Trace-Entry" => facts.entries.push(read_touch(value)?),
            "Trace-Tokens" => facts.tokens = number(value.strip_prefix('+').unwrap_or(value))?,
            "Trace-Total" => facts.total = number(value)?,
            "Trace-Count" => facts.count = number(value)?,
            "Trace-Next" => facts.next = number(value)?,
            "Trace-Model" => facts.model = Some(value.to_owned()),
            "Trace-Usage" => facts.usage = Some(read_usage(value)),
            "Trace-Cost" => facts.cost = read_cost(value),
            "Trace-Session" => facts.session = Some(value.to_owned()),
            _ => facts.other.push((name.to_owned(), value.to_owned())),
        }
    }
    facts.operation = operation.ok_or(NO_OPERATION)?;
    Ok(facts)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, CodecError> {
    text.parse().map_err(|_| CodecError::Commit { reason: "a trailer that counts holds no number" })
}

fn read_touch(value: &str) -> Result<Touch, CodecError> {
    let error = || CodecError::Commit { reason: "a Trace-Entry trailer is malformed" };
    let mut words = value.split(' ').filter(|word| !word.is_empty());
    let mut head = words.next().ok_or_else(error)?.chars();
    let kind = match head.next() {
        Some('+') => TouchKind::Added,
        Some('~') => TouchKind::Changed,
        Some('-') => TouchKind::Removed,
        Some('^') => TouchKind::Marked,
        _ => return Err(error()),
    };
    let id = head.as_str().parse().map_err(|_| error())?;
    let fields = words
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), unescape_field(value).into_owned()))
        .collect();
    Ok(Touch { kind, id, fields })
}

/// Names and values of a usage; the names are stored and never change.
fn usage_fields(usage: &Usage) -> [(&'static str, Option<u64>); 5] {
    [
        ("input", usage.input),
        ("cached", usage.cache_read),
        ("cache-write", usage.cache_write),
        ("output", usage.output),
        ("reasoning", usage.reasoning),
    ]
}

fn read_usage(value: &str) -> Usage {
    let field = |name: &str| {
        let found = value.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        found.and_then(|digits| digits.parse().ok())
    };
    Usage {
        input: field("input"),
        cache_read: field("cached"),
        cache_write: field("cache-write"),
        output: field("output"),
        reasoning: field("reasoning"),
    }
}

fn read_cost(value: &str) -> Option<NanoDollars> {
    let (sign, amount) = match value.strip_suffix(" USD")?.strip_prefix('-') {
        Some(amount) => (-1, amount),
        None => (1, value.strip_suffix(" USD")?),
    };
    let (whole, decimals) = amount.split_once('.')?;
    let nanos: i64 = format!("{decimals:0<9}").get(..9)?.parse().ok()?;
    let whole: i64 = whole.parse().ok()?;
    Some(NanoDollars(sign * whole.checked_mul(1_000_000_000)?.checked_add(nanos)?))
}

/// Percent-encodes what would end a field: blanks, control characters and `%` itself.
pub fn escape_field(value: &str) -> Cow<'_, str> {
    let breaks = |one: char| one == '%' || one.is_whitespace() || one.is_control();
    if !value.contains(breaks) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 8);
    for one in value.chars() {
        if breaks(one) {
            let mut bytes = [0; 4];
            for byte in one.encode_utf8(&mut bytes).bytes() {
                write!(out, "%{byte:02X}").expect("a string takes every write");
            }
        } else {
            out.push(one);
        }
    }
    Cow::Owned(out)
}

/// Decodes what [`escape_field`] encoded.
pub fn unescape_field(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let pair = (byte == b'%').then(|| after.get(..2)).flatten();
        let decoded = pair.and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EntryId;
    use proptest::prelude::*;

    fn facts() -> Facts {
        let mut touch = Touch::new(TouchKind::Added, EntryId::from_bits(77));
        touch.fields.push(("at".into(), "2026-11-20T10:00:00.123Z".into()));
        touch.fields.push(("source".into(), "claude:a b%20\n".into()));
        Facts {
            operation: Operation::Append,
            entries: vec![touch, Touch::new(TouchKind::Marked, EntryId::from_bits(78))],
            tokens: 318,
            total: 48211,
            count: 97,
            next: 98,
            agent: Some("claude".into()),
            code: Some(ObjectId::Sha1([0x5a; 20])),
            model: Some("claude-opus-4-5".into()),
            usage: Some(Usage {
                input: Some(3),
                cache_read: None,
                cache_write: Some(0),
                output: Some(9),
                reasoning: None,
            }),
            cost: Some(NanoDollars(12_300_000)),
            session: Some("claude:1234".into()),
            other: vec![("Trace-Colour".into(), "blue".into())],
        }
    }

    #[test]
    fn version_1_never_changes() {
        let text = encode_message("append user: use port 8080", "why not", &facts());
        let golden = "append user: use port 8080\n\nwhy not\n\nTrace-Op: append\nTrace-Agent: claude\n\
            Trace-Code: 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\n\
            Trace-Entry: +000000002d at=2026-11-20T10:00:00.123Z source=claude:a%20b%2520%0A\n\
            Trace-Entry: ^000000002e\nTrace-Tokens: +318\nTrace-Total: 48211\nTrace-Count: 97\nTrace-Next: 98\n\
            Trace-Model: claude-opus-4-5\nTrace-Usage: input=3 cache-write=0 output=9\nTrace-Cost: 0.0123 USD\n\
            Trace-Session: claude:1234\nTrace-Colour: blue\n";
        assert_eq!(text, golden);
        let (subject, body, read) = decode_message(golden.as_bytes()).expect("golden");
        assert_eq!((subject.as_str(), body.as_str()), ("append user: use port 8080", "why not"));
        assert_eq!(read, facts());
    }

    #[test]
    fn a_message_cannot_forge_trailers() {
        let text = encode_message("x\n\nTrace-Total: 1", "Trace-Op: drop\nTrace-Total: 2", &facts());
        let (subject, _, read) = decode_message(text.as_bytes()).expect("ours");
        assert_eq!(subject, "x Trace-Total: 1");
        assert_eq!(read, facts());
        assert!(decode_message(b"fix: a commit of code\n\nSigned-off-by: me\n").is_err());
    }

    #[test]
    fn subjects_are_one_short_line() {
        assert_eq!(one_line(" a\r\n\tb\0c ", 80), "a b c");
        assert_eq!(one_line("abcdef", 3), "ab…");
        assert_eq!(one_line("", 3), "");
    }

    proptest! {
        #[test]
        fn whatever_is_said_the_facts_read_back(subject in ".{0,200}", body in "(?s).{0,200}", value in "(?s).{0,40}") {
            let mut facts = facts();
            facts.entries[0].fields.push(("x".into(), value));
            let text = encode_message(&subject, &body, &facts);
            prop_assert!(!text.contains('\0'));
            prop_assert_eq!(decode_message(text.as_bytes()).expect("ours").2, facts);
        }

        #[test]
        fn arbitrary_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode_message(&bytes);
            let _ = decode_message(&[b"x\n\nTrace-Op: append\nTrace-Entry: ", bytes.as_slice()].concat());
        }
    }
}
