//! Keys that git's credential helpers keep.

use super::{Repo, git};

impl Repo {
    /// Asks git's credential helpers for the password that belongs to an address, and never the user: `None` if no
    /// helper has one, or the address is not of the form `https://host/path` (or `http`).
    pub fn credential(&self, url: &str) -> Option<String> {
        // Nothing is told of an error: what helpers say may have a secret in it.
        let answer = git::fill_credential(self, question(url)?.as_bytes()).ok()?;
        password(&answer)
    }
}

/// Returns what git is asked: one `key=value` a line.
fn question(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    // A line break would begin another question.
    if !["http", "https"].contains(&scheme.as_str()) || url.chars().any(char::is_control) {
        return None;
    }
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.is_empty() || host.contains('@') {
        return None;
    }
    let path = path.trim_end_matches('/');
    let path = if path.is_empty() { String::new() } else { format!("path={path}\n") };
    Some(format!("protocol={scheme}\nhost={host}\n{path}\n"))
}

fn password(answer: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(answer).ok()?;
    let found = text.lines().find_map(|line| line.strip_prefix("password="))?;
    (!found.is_empty() && !found.contains('\0')).then(|| found.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_servers_are_asked_for() {
        let asked = |url: &str| question(url).unwrap_or_default();
        assert_eq!(asked("https://api.example.com/v1/"), "protocol=https\nhost=api.example.com\npath=v1\n\n");
        assert_eq!(asked("HTTP://[::1]:8080?x=/y"), "protocol=http\nhost=[::1]:8080\n\n");
        for bad in [
            "https://a\nhost=b/",
            "https://a/v1\r",
            "https://a/\0",
            "https://user@a/",
            "https:///v1",
            "ssh://a/b",
            "file:///a",
            "a",
            "",
        ] {
            assert_eq!(question(bad), None, "{bad:?}");
        }
        assert_eq!(password(b"username=u\npassword=a=b\n").as_deref(), Some("a=b"));
        for none in ["", "username=u\n", "password=\n", "password=a\0b\n"] {
            assert_eq!(password(none.as_bytes()), None, "{none:?}");
        }
    }
}
