//! Names of variables, settings and headers, and what they promise about their values.

/// What a name promises about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// Chosen by a person: need not look random.
    Password,
    /// Made by a machine: looks random.
    Token,
    /// Perhaps a secret: must look very random.
    Perhaps,
}

/// What the name promises; `None` when it names no secret.
pub(super) fn promise(parts: &[String]) -> Option<Promise> {
    let has = |list: &[&str]| parts.iter().any(|p| list.contains(&p.as_str()));
    if has(&REFUSED) {
        return None;
    }
    let last = parts.last()?.trim_end_matches(|c: char| c.is_ascii_digit());
    let last = if last.is_empty() { parts.get(parts.len().checked_sub(2)?)?.as_str() } else { last };
    if parts.iter().any(|p| p.ends_with("password") || p.ends_with("passwd") || p.ends_with("passphrase") || p == "pwd")
        || last == "pass"
    {
        return (!has(&ABOUT)).then_some(Promise::Password);
    }
    let joined: String = parts.concat();
    let strong =
        ["apikey", "secretkey", "accesskey", "privatekey", "clientsecret", "accesstoken", "authtoken", "apitoken"];
    if has(&ABOUT) {
        return None;
    }
    if strong.iter().any(|s| joined.contains(s))
        || joined.ends_with("token")
        || has(&["secret", "secrets", "token", "credential", "credentials", "cred", "creds"])
        || last == "auth"
        || joined.ends_with("secret")
    {
        return Some(Promise::Token);
    }
    if last == "key" || joined.ends_with("key") {
        let known = parts.len() > 1 && parts[..parts.len() - 1].iter().any(|p| KEYS.contains(&p.as_str()));
        return Some(if known { Promise::Token } else { Promise::Perhaps });
    }
    None
}

/// Splits a name into lower-case parts at `_`, `-`, `.` and where lower case turns into upper case.
pub(super) fn parts(name: &[u8]) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = b'_';
    for (at, byte) in name.iter().enumerate() {
        let next_small = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let turns =
            byte.is_ascii_uppercase() && (before.is_ascii_lowercase() || (before.is_ascii_uppercase() && next_small));
        if !byte.is_ascii_alphanumeric() || turns {
            parts.push(String::new());
        }
        if byte.is_ascii_alphanumeric()
            && let Some(part) = parts.last_mut()
        {
            part.push(char::from(byte.to_ascii_lowercase()));
        }
        before = *byte;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Parts that say the value is about a secret rather than the secret itself.
const ABOUT: [&str; 76] = [
    "id",
    "ids",
    "name",
    "names",
    "type",
    "types",
    "length",
    "len",
    "size",
    "count",
    "limit",
    "budget",
    "max",
    "min",
    "file",
    "files",
    "filename",
    "path",
    "paths",
    "dir",
    "url",
    "uri",
    "endpoint",
    "host",
    "expires",
    "expiry",
    "ttl",
    "version",
    "public",
    "pub",
    "publishable",
    "csrf",
    "xsrf",
    "hash",
    "digest",
    "checksum",
    "fingerprint",
    "index",
    "store",
    "vault",
    "ref",
    "pair",
    "press",
    "pressed",
    "down",
    "up",
    "board",
    "usage",
    "algorithm",
    "format",
    "prefix",
    "suffix",
    "placeholder",
    "label",
    "field",
    "column",
    "author",
    "source",
    "results",
    "foreign",
    "primary",
    "sort",
    "partition",
    "cache",
    "arn",
    "issuer",
    "chars",
    "idempotency",
    "map",
    "regex",
    "pattern",
    "mapping",
    "tokenizer",
    "policy",
    "service",
    "method",
];

/// Parts by which a program names a value that must be refused: it opens nothing.
const REFUSED: [&str; 7] = ["invalid", "wrong", "bad", "bogus", "malformed", "nonexistent", "non"];

/// What stands before `key` in the names of secrets.
const KEYS: [&str; 24] = [
    "api",
    "access",
    "secret",
    "private",
    "signing",
    "encryption",
    "master",
    "app",
    "auth",
    "storage",
    "account",
    "session",
    "shared",
    "license",
    "deploy",
    "admin",
    "webhook",
    "hmac",
    "jwt",
    "aes",
    "subscription",
    "service",
    "crypto",
    "functions",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_they_change() {
        assert_eq!(parts(b"AWS_SecretAccessKeyID.x"), ["aws", "secret", "access", "key", "id", "x"]);
        assert_eq!(parts(b"HTTPToken2"), ["http", "token2"]);
    }
}
