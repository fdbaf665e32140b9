//! The source of a JSON value with other white space.
//!
//! Only white space between tokens changes: numbers, escapes and the order of members stay as they were written. The
//! input must be JSON; nothing here recurses.

use std::io::{self, Write};

/// Deeper than this, values stay on one line, so that the result cannot grow with the square of its source.
const INDENTED_DEPTH: usize = 24;

/// Writes a JSON value on one line.
pub(super) fn write_minified(source: &str, out: &mut dyn Write) -> io::Result<()> {
    tokens(source).try_for_each(|token| out.write_all(token.as_bytes()))
}

/// Returns a JSON value in lines, with two blanks for each level.
pub(super) fn pretty(source: &str) -> String {
    let mut out = String::with_capacity(source.len() * 2);
    let mut depth: usize = 0;
    let mut after_opening = false;
    for token in tokens(source) {
        let closes = matches!(token, "}" | "]");
        let shown = if closes { depth.saturating_sub(1) } else { depth };
        // An opening bracket is followed by a line break only when something other than its closing one follows.
        if after_opening && !closes || closes && !after_opening {
            break_line(&mut out, shown, depth);
        }
        after_opening = false;
        match token {
            "{" | "[" => {
                depth += 1;
                after_opening = true;
                out.push_str(token);
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                out.push_str(token);
            }
            "," => {
                out.push(',');
                break_line(&mut out, depth, depth);
            }
            ":" => out.push_str(": "),
            other => out.push_str(other),
        }
    }
    out
}

/// Breaks a line inside a value of this depth, unless it is too deep.
fn break_line(out: &mut String, indent: usize, depth: usize) {
    if depth <= INDENTED_DEPTH {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", indent));
    } else if out.ends_with(',') {
        out.push(' ');
    }
}

/// Cuts a JSON value into its tokens.
fn tokens(source: &str) -> impl Iterator<Item = &str> {
    let bytes = source.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while bytes.get(at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
            at += 1;
        }
        let start = at;
        match bytes.get(at)? {
            b'"' => {
                at += 1;
                while let Some(byte) = bytes.get(at) {
                    at += if *byte == b'\\' { 2 } else { 1 };
                    if *byte == b'"' {
                        break;
                    }
                }
                at = at.min(bytes.len());
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' => at += 1,
            _ => {
                while bytes.get(at).is_some_and(|byte| !b" \t\r\n{}[],:\"".contains(byte)) {
                    at += 1;
                }
            }
        }
        source.get(start..at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn minified(source: &str) -> String {
        let mut out = Vec::new();
        write_minified(source, &mut out).expect("a vector takes all");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn tokens_stay_as_they_were_written() {
        let source = "{ \"b\" : 3e303,\r\n\t\"a\": [ 1.0 , \"x \\\" \\u00e9 }\" , { } , [ ] ] }";
        assert_eq!(minified(source), r#"{"b":3e303,"a":[1.0,"x \" \u00e9 }",{},[]]}"#);
        assert_eq!(
            pretty(source),
            "{\n  \"b\": 3e303,\n  \"a\": [\n    1.0,\n    \"x \\\" \\u00e9 }\",\n    {},\n    []\n  ]\n}"
        );
    }

    #[test]
    fn depth_costs_nothing() {
        let source = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(minified(&source), source);
        assert!(pretty(&source).len() < 210_000);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ];
        leaf.prop_recursive(6, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn white_space_goes_and_comes_without_a_change(value in value()) {
            let compact = value.to_string();
            let lines = serde_json::to_string_pretty(&value).expect("a value");
            prop_assert_eq!(&minified(&lines), &compact);
            prop_assert_eq!(&pretty(&compact), &lines);
            prop_assert_eq!(&minified(&pretty(&lines)), &compact);
        }
    }
}
