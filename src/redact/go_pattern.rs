//! Patterns in Go's syntax (RE2), as gitleaks configurations write them, put into the syntax of the `regex` crate.

use regex::bytes::{Regex, RegexBuilder};

/// Longest pattern taken, bytes.
const LONGEST: usize = 16 * 1024;

/// Greatest compiled size of a pattern, bytes.
const COMPILED: usize = 512 * 1024;

/// Checks a pattern and translates it; the error says what is wrong with it.
pub(super) fn translate(go: &str) -> Result<String, String> {
    if go.len() > LONGEST {
        return Err(format!("the pattern is longer than {LONGEST} bytes"));
    }
    let pattern = spell(go);
    let parsed = |unicode: bool| {
        regex_syntax::ParserBuilder::new()
            .utf8(false)
            .unicode(unicode)
            .nest_limit(64)
            .build()
            .parse(&pattern)
    };
    match parsed(false).or_else(|_| parsed(true)) {
        Ok(_) => Ok(pattern),
        Err(error) => Err(reason(&error)),
    }
}

/// Compiles a translated pattern: with ASCII classes, as Go has them, or with Unicode classes where it names one.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    let build = |unicode: bool| {
        RegexBuilder::new(pattern)
            .unicode(unicode)
            .size_limit(COMPILED)
            .dfa_size_limit(COMPILED)
            .nest_limit(64)
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
                        let (quoted, after) =
                            rest[2..].split_once("\\E").unwrap_or((&rest[2..], ""));
                        out.push_str(&regex_syntax::escape(quoted));
                        rest = after;
                        continue;
                    }
                    // In the crate these two are word boundaries.
                    Some(angle @ ('<' | '>')) => out.push(angle),
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
            '{' if !class && !is_count(&rest[1..]) => out.push_str("\\{"),
            '}' if !class && !closes_count(&out) => out.push_str("\\}"),
            other => out.push(other),
        }
        rest = &rest[length..];
    }
    out
}

/// Reports whether `3}`, `3,}` or `3,5}` follows an opening brace.
fn is_count(rest: &str) -> bool {
    rest.split_once('}').is_some_and(|(count, _)| {
        let (low, high) = count.split_once(',').unwrap_or((count, ""));
        !low.is_empty() && (low.to_owned() + high).bytes().all(|b| b.is_ascii_digit())
    })
}

/// Reports whether a count or a named class is open at the end of what was written.
fn closes_count(out: &str) -> bool {
    out.rfind('{').is_some_and(|open| {
        let inside = &out[open + 1..];
        !out[..open].ends_with('\\') && !inside.contains('}') && !inside.is_empty()
            || out[..open].ends_with("\\p")
            || out[..open].ends_with("\\P")
            || out[..open].ends_with("\\x")
    })
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
            (
                r"(?i)[\w.-]{0,50}?(?:key)(?:[ \t\w.-]{0,20})[\s'\x22]{0,3}=([a-z]{3,})",
                "my_key=abc",
            ),
            (r"\p{Greek}+\x{41}", "λA"),
            (r"[[:alpha:]_]{2}", "a_"),
        ] {
            let pattern = translate(go).expect(go);
            let regex = compile(&pattern).expect(go);
            assert!(regex.is_match(text.as_bytes()), "{go} -> {pattern}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        assert!(translate(r"(?=x)").is_err_and(|e| e.contains("look-around")));
        assert!(translate(r"(a").is_err());
        assert!(compile(&translate(r"((a{500}){500}){500}").expect("syntax is right")).is_none());
    }
}
