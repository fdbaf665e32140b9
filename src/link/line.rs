//! A line as evidence sees it: without white space.

/// Letters and digits from which on a line says something.
const TELLING: usize = 4;

/// Lines that are in every file, in lower case and without punctuation.
const COMMON: [&str; 24] = [
    "else",
    "break",
    "continue",
    "return",
    "returntrue",
    "returnfalse",
    "returnnull",
    "returnnone",
    "endif",
    "done",
    "then",
    "pass",
    "finally",
    "default",
    "begin",
    "null",
    "none",
    "true",
    "false",
    "defaults",
    "void",
    "super",
    "usestrict",
    "elsebegin",
];

/// Returns a line without its white space: what a formatter changes most is no difference.
pub fn normal(line: &str) -> String {
    line.chars().filter(|one| !one.is_whitespace() && *one != '\u{feff}').collect()
}

/// Splits a text into lines without white space.
pub(super) fn normal_lines(text: &str) -> Vec<String> {
    text.lines().map(normal).collect()
}

/// Tells whether a line, without its white space, says so little that it proves nothing by itself.
pub(super) fn is_trivial(normal: &str) -> bool {
    let mut telling = String::new();
    for one in normal.chars().filter(|one| one.is_alphanumeric()).take(16) {
        telling.extend(one.to_lowercase());
    }
    telling.chars().count() < TELLING || COMMON.contains(&telling.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_every_file_proves_nothing() {
        for line in ["", " }", "});", "    else {", "return;", "end", "fi", "*/", "<br>", "i++;", "  return None"] {
            assert!(is_trivial(&normal(line)), "{line}");
        }
        for line in ["port = 8080", "fn run() {", "日本語の行", "return total;", "x = foo(1)", "import os"] {
            assert!(!is_trivial(&normal(line)), "{line}");
        }
        assert_eq!(normal("\u{feff}\tlet  x = 1;\r"), "letx=1;");
    }
}
