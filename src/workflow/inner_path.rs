//! Paths within a repository, and the ones that lead out of it.

/// Most parts of a path.
const DEPTH_MAX: usize = 64;
/// Longest path, in bytes.
const LENGTH_MAX: usize = 1024;

/// Says why a path is no path within a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PathError {
    /// It begins at the root of the file system.
    #[error("is absolute")]
    Absolute,
    /// `..` leads out.
    #[error("leads out of it")]
    Outside,
    /// It has a backslash, a control character, a blank at the edge of a part, or a part that git keeps for itself.
    #[error("has a part that no repository has")]
    Odd,
    /// It is too long or too deep.
    #[error("is too long")]
    TooLong,
}

/// Joins `path` to the folder `base`, both with `/`, taking `.`, `..` and empty parts out; `""` is the root.
///
/// # Errors
/// When the result is not within the root, or can be in no repository.
pub(super) fn join(base: &str, path: &str) -> Result<String, PathError> {
    if path.starts_with('/') || base.starts_with('/') || is_drive(path) || is_drive(base) {
        return Err(PathError::Absolute);
    }
    if base.len() + path.len() > LENGTH_MAX {
        return Err(PathError::TooLong);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() => {}
            ".." => return Err(PathError::Outside),
            part if is_odd(part) => return Err(PathError::Odd),
            part => parts.push(part),
        }
    }
    if parts.len() > DEPTH_MAX { Err(PathError::TooLong) } else { Ok(parts.join("/")) }
}

/// Divides a path into its folder and its last part; the folder of what is in the root is `""`.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn is_odd(part: &str) -> bool {
    part != part.trim()
        || part.contains('\\')
        || part.chars().any(char::is_control)
        || part.eq_ignore_ascii_case(".git")
}

/// Tells whether a path begins with the letter of a drive (`C:/x`).
pub(super) fn is_drive(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && matches!(bytes[2], b'/' | b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_leads_out() {
        assert_eq!(join("", "./a//b/."), Ok("a/b".to_owned()));
        assert_eq!(join("workflows", "x/../deploy"), Ok("workflows/deploy".to_owned()));
        assert_eq!(join("a", "../b"), Ok("b".to_owned()));
        assert_eq!(join("./a/", ".."), Ok(String::new()));
        assert_eq!(join("", "..notes.md"), Ok("..notes.md".to_owned()));
        assert_eq!(join("a", "../../a"), Err(PathError::Outside));
        assert_eq!(join("", "/etc/passwd"), Err(PathError::Absolute));
        assert_eq!(join("", "C:\\x"), Err(PathError::Absolute));
        assert_eq!(join("", ".GIT/config"), Err(PathError::Odd));
        assert_eq!(join("", "a\\..\\b"), Err(PathError::Odd));
        assert_eq!(join("", "a /b"), Err(PathError::Odd));
        assert_eq!(join("", &"a/".repeat(100)), Err(PathError::TooLong));
    }

    proptest! {
        #[test]
        fn what_comes_out_is_a_path(base in "[a./]{0,8}", path in "\\PC{0,40}") {
            if let Ok(joined) = join(&base, &path) {
                prop_assert!(joined.is_empty() || joined.split('/').all(|part| !matches!(part, "" | "." | "..")));
                prop_assert_eq!(join("", &joined), Ok(joined.clone()));
            }
        }
    }
}
