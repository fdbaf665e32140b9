//! The configuration that `git -c` hands to the programs it starts, which gix does not read.

/// Returns what stands in `GIT_CONFIG_PARAMETERS`, as `key=value`.
pub(super) fn config() -> Vec<String> {
    std::env::var("GIT_CONFIG_PARAMETERS").map(|text| parse(&text)).unwrap_or_default()
}

/// Reads words in git's single quotes: `'key'='value'`, `'key'=` without a value, and `'key=value'` of git before 2.31
/// (`git_config_parse_parameter` in git's config.c). What follows a malformed word is left out.
fn parse(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((key, after)) = unquote(rest) {
        match after.strip_prefix('=') {
            Some(after) if after.starts_with('\'') => {
                let Some((value, after)) = unquote(after) else { break };
                found.push(format!("{key}={value}"));
                rest = after;
            }
            Some(after) => {
                found.push(format!("{key}=true"));
                rest = after;
            }
            None => {
                found.push(if key.contains('=') { key } else { format!("{key}=true") });
                rest = after;
            }
        }
        rest = rest.trim_start();
    }
    found
}

/// Reads one quoted word and returns what follows it; `'` and `!` inside are written `'\''` and `'\!'`.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut word = String::new();
    loop {
        let (part, after) = rest.split_once('\'')?;
        word += part;
        let escaped = after.strip_prefix('\\').filter(|after| after.starts_with(['\'', '!']));
        match escaped.and_then(|after| Some((&after[..1], after[1..].strip_prefix('\'')?))) {
            Some((escaped, after)) => {
                word += escaped;
                rest = after;
            }
            None => return Some((word, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_hands_on_is_read() {
        assert_eq!(
            parse(r"'trace.budget'='10' 'user.name'='it'\''s = me'\!'' 'core.bare'= 'a.b'='' "),
            ["trace.budget=10", "user.name=it's = me!", "core.bare=true", "a.b="]
        );
        assert_eq!(parse("'trace.budget=10' 'a.b'"), ["trace.budget=10", "a.b=true"]);
        for broken in ["", "x", "'a", "'a'='b", "'a'\\''"] {
            assert!(parse(broken).len() <= 1, "{broken}");
        }
    }
}
