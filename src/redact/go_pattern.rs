//! Patterns in Go's syntax (RE2), as gitleaks configurations write them, put into the syntax of the `regex` crate.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Longest pattern taken, bytes.
const LONGEST: usize = 16 * 1024;

/// Deepest nesting of groups.
const NESTED: u32 = 64;

/// Greatest compiled size of a pattern, bytes.
const COMPILED: usize = 512 * 1024;

/// Weight from which a pattern is large: it might be refused, or need Unicode classes, which are large by themselves.
/// A lighter one compiles to less than half of [`COMPILED`].
const LARGE: usize = 4096;

/// Checks a pattern and translates it; returns it with whether it is large. The error says what is wrong with it.
pub(super) fn translate(go: &str) -> Result<(String, bool), String> {
    if go.len() > LONGEST {
        return Err(format!("the pattern is longer than {LONGEST} bytes"));
    }
    let pattern = spell(go);
    let parser =
        |unicode: bool| regex_syntax::ParserBuilder::new().utf8(false).unicode(unicode).nest_limit(NESTED).build();
    let is_large = match parser(false).parse(&pattern) {
        Ok(parsed) => weight(&parsed) >= LARGE,
        Err(_) => {
            let parsed = parser(true).parse(&pattern);
            parsed.map(|_| true).map_err(|error| reason(&error))?
        }
    };
    Ok((pattern, is_large))
}

/// Estimates how many states a pattern compiles to. Its depth is that of the pattern, at most [`NESTED`] groups.
fn weight(pattern: &Hir) -> usize {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(class) => match class {
            Class::Bytes(class) => class.ranges().len(),
            Class::Unicode(class) => class.ranges().len().saturating_mul(4),
        },
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or_else(|| repetition.min.saturating_add(1));
            weight(&repetition.sub).saturating_add(2).saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
        HirKind::Capture(capture) => weight(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(1, |sum, part| sum.saturating_add(weight(part)))
        }
    }
}

/// Compiles a translated pattern: with ASCII classes, as Go has them, or with Unicode classes where it names one.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    let build = |unicode: bool| {
        RegexBuilder::new(pattern)
            .unicode(unicode)
            .size_limit(COMPILED)
            .dfa_size_limit(COMPILED)
            .nest_limit(NESTED)
            .build()
    };
    build(false).or_else(|_| build(true)).ok()
}

/// The one line of a syntax error that says what is wrong.
fn reason(error: &regex_syntax::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// Rewrites what the two syntaxes spell differently.
fn spell(go: &str) -> String {
    let mut out = String::with_capacity(go.len() + 16);
    let mut rest = go;
    let mut class = false;
    let mut first = false;
    while let Some(c) = rest.chars().next() {
        let length = c.len_utf8();
        let was_first = std::mem::take(&mut first);
        match c {
            '\\' => {
                let next = rest[1..].chars().next();
                match next {
                    Some('Q') => {
                        let (quoted, after) = rest[2..].split_once("\\E").unwrap_or((&rest[2..], ""));
                        out.push_str(&regex_syntax::escape(quoted));
                        rest = after;
                        continue;
                    }
                    // In the crate these two are word boundaries.
                    Some(angle @ ('<' | '>')) => out.push(angle),
                    // `\p{Greek}`, `\x{41}`
                    Some('p' | 'P' | 'x') if rest[2..].starts_with('{') => {
                        let end = rest.find('}').map_or(rest.len(), |at| at + 1);
                        out.push_str(&rest[..end]);
                        rest = &rest[end..];
                        continue;
                    }
                    Some(other) => {
                        out.push('\\');
                        out.push(other);
                    }
                    None => out.push('\\'),
                }
                rest = &rest[1 + next.map_or(0, char::len_utf8)..];
                continue;
            }
            '[' if !class => {
                class = true;
                first = true;
                out.push('[');
                if rest[1..].starts_with('^') {
                    out.push('^');
                    rest = &rest[1..];
                }
            }
            '[' if rest.starts_with("[:") && rest[2..].contains(":]") => {
                let end = rest.find(":]").map_or(rest.len(), |at| at + 2);
                out.push_str(&rest[..end]);
                rest = &rest[end..];
                continue;
            }
            // Nested classes and set operations are the crate's own.
            '[' => out.push_str("\\["),
            '&' | '~' if class => {
                out.push('\\');
                out.push(c);
            }
            ']' if class && !was_first => {
                class = false;
                out.push(']');
            }
            ']' if class => out.push_str("\\]"),
            '{' if !class => match count(rest) {
                Some(length) => {
                    out.push_str(&rest[..length]);
                    rest = &rest[length..];
                    continue;
                }
                None => out.push_str("\\{"),
            },
            '}' if !class => out.push_str("\\}"),
            other => out.push(other),
        }
        rest = &rest[length..];
    }
    out
}

/// Length of a count such as `{3}`, `{3,}` or `{3,5}` at the start; `None` when the brace stands for itself.
fn count(rest: &str) -> Option<usize> {
    let end = rest.find('}')?;
    let (low, high) = rest[1..end].split_once(',').unwrap_or((&rest[1..end], ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (!low.is_empty() && digits(low) && digits(high)).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_gitleaks_are_understood() {
        for (go, text) in [
            (r"\Qa.b\E[0-9]{3}", "a.b123"),
            (r"a{b}", "a{b}"),
            (r"[[]x", "[x"),
            (r"[]a]+", "]a"),
            (r"[a&&b]+$", "&&ab"),
            (r"\<key\>", "<key>"),
            (r"(?i)[\w.-]{0,50}?(?:key)(?:[ \t\w.-]{0,20})[\s'\x22]{0,3}=([a-z]{3,})", "my_key=abc"),
            (r"\p{Greek}+\x{41}", "λA"),
            (r"[[:alpha:]_]{2}", "a_"),
        ] {
            let (pattern, _) = translate(go).expect(go);
            let regex = compile(&pattern).expect(go);
            assert!(regex.is_match(text.as_bytes()), "{go} -> {pattern}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        assert!(translate(r"(?=x)").is_err_and(|e| e.contains("look-around")));
        assert!(translate(r"(a").is_err());
    }

    #[test]
    fn a_pattern_that_grows_too_large_is_large() {
        let mut refused = 0;
        for unit in [r"[\w.-]x", r"(?i)[^\x22]*", r"(a|\bb|c)?", r"x", r"[0-9a-f]+?", r"(?:)"] {
            for times in [10, 300, 1000, 3000, 9000, 30_000] {
                for go in [
                    format!("(?:{unit}){{{times}}}"),
                    format!("(?:{unit}){{0,{times}}}"),
                    format!("(?:(?:{unit}){{10}}){{{}}}", times / 10),
                    format!("^(?:{unit}|ab){{{times},}}"),
                ] {
                    let (pattern, is_large) = translate(&go).expect("the syntax is right");
                    if compile(&pattern).is_none() {
                        assert!(is_large, "{go}");
                        refused += 1;
                    }
                }
            }
        }
        assert!(refused > 10);
        assert!(translate(r"((a{500}){500}){500}").is_ok_and(|(_, is_large)| is_large));
        assert!(translate(r"(?i)acme[\w.-]{0,50}=([a-z0-9]{40})").is_ok_and(|(_, large)| !large));
    }
}
