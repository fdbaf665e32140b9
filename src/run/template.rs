//! Templates: texts with variables in braces.

/// Puts values in the place of `{name}`, in one pass: what a value holds is never looked at again.
///
/// `<session_id>` means what `{sessionId}` means. Unknown names stay as they are, and so does `{name}` behind a
/// backslash, which goes.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '<', '\\']) {
        let (before, from) = rest.split_at(at);
        out += before;
        let escaped = from.strip_prefix('\\').and_then(|after| variable(after, values));
        match (variable(from, values), escaped) {
            (Some((value, length)), _) => {
                out += value;
                rest = &from[length..];
            }
            (None, Some((_, length))) => {
                out += &from[1..=length];
                rest = &from[1 + length..];
            }
            (None, None) => {
                out += &from[..1];
                rest = &from[1..];
            }
        }
    }
    out + rest
}

/// Returns the value of the variable with which a text begins, and the length of its name with the braces.
fn variable<'v>(text: &str, values: &[(&str, &'v str)]) -> Option<(&'v str, usize)> {
    let (name, length) = match text.strip_prefix('{') {
        Some(inner) => {
            let name = &inner[..inner.find('}')?];
            (name, name.len() + 2)
        }
        None => ("sessionId", text.starts_with("<session_id>").then_some("<session_id>".len())?),
    };
    values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALUES: [(&str, &str); 3] = [("input", "I"), ("sessionId", "S"), ("trackerPath", "T")];

    #[test]
    fn names_become_values_once() {
        let text = "{input}|{sessionId}|<session_id>|{trackerPath}|{unknown}|{{input}}|\\{input}|\\x|a\\";
        assert_eq!(fill(text, &VALUES), "I|S|S|T|{unknown}|{I}|{input}|\\x|a\\");
        assert_eq!(fill("{input}", &[("input", "{sessionId} $& $$"), ("sessionId", "S")]), "{sessionId} $& $$");
        assert_eq!(fill("{input} {", &[]), "{input} {");
        assert_eq!(fill("é{input}é", &VALUES), "éIé");
    }

    proptest! {
        #[test]
        fn any_text_is_filled(text in "[{}<>a-z\\\\_é]{0,60}", value in "(?s).{0,10}") {
            let filled = fill(&text, &[("input", &value)]);
            if !text.contains("{input}") {
                prop_assert_eq!(filled, text);
            }
        }
    }
}
