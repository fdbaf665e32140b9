//! What follows a name in a revision: git's `@{…}`, `~`, `^`.

/// Says which value of a ref is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At<'a> {
    /// `@{-2}`: the branch or commit that HEAD was at before its last 2 switches.
    Previous(usize),
    /// `@{3}`: what it held 3 changes ago.
    Nth(usize),
    /// `@{yesterday}`: what it held then.
    Date(&'a str),
    /// `@{upstream}`: the branch that it follows.
    Upstream,
}

/// Says which commit below another is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suffix<'a> {
    /// `~3`: 3 steps back along first parents.
    Back(usize),
    /// `^2`: its second parent; `^0` is itself.
    Parent(usize),
    /// `^{commit}`: itself.
    Commit,
    /// `^{/text}`: the newest below it whose message holds the text.
    Said(&'a str),
}

/// Takes a revision apart; `None` if it is malformed.
pub(super) fn split(revision: &str) -> Option<(&str, Vec<At<'_>>, Vec<Suffix<'_>>)> {
    let start = revision.find(['~', '^']).unwrap_or(revision.len());
    let start = start.min(revision.find("@{").unwrap_or(revision.len()));
    let (name, mut rest) = revision.split_at(start);
    if name.starts_with('-') || name.contains([':', ' ']) {
        return None;
    }
    let mut ats = Vec::new();
    while let Some(after) = rest.strip_prefix("@{") {
        let (inner, after) = after.split_once('}')?;
        // Only the first can go back in HEAD's own log, and only where no name stands before it.
        let first = ats.is_empty() && name.is_empty();
        ats.push(at(inner).filter(|at| first || !matches!(at, At::Previous(_)))?);
        rest = after;
    }
    let mut suffixes = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("^{") {
            let (inner, after) = after.split_once('}')?;
            suffixes.push(match (inner, inner.strip_prefix('/')) {
                ("" | "commit" | "object", _) => Suffix::Commit,
                (_, Some(text)) => Suffix::Said(text),
                _ => return None,
            });
            rest = after;
        } else if let Some(after) = rest.strip_prefix('~') {
            let (count, after) = number(after)?;
            suffixes.push(Suffix::Back(count.unwrap_or(1)));
            rest = after;
        } else {
            let (count, after) = number(rest.strip_prefix('^')?)?;
            suffixes.push(Suffix::Parent(count.unwrap_or(1)));
            rest = after;
        }
    }
    Some((name, ats, suffixes))
}

fn at(inner: &str) -> Option<At<'_>> {
    let digits =
        |text: &str| (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse());
    if inner.eq_ignore_ascii_case("u") || inner.eq_ignore_ascii_case("upstream") {
        return Some(At::Upstream);
    }
    if let Some(Ok(nth)) = inner.strip_prefix('-').and_then(digits) {
        return Some(At::Previous(nth)).filter(|_| nth > 0);
    }
    match digits(inner) {
        // git takes larger ones for seconds since 1970 (`get_oid_basic` in its object-name.c).
        Some(Ok(nth)) if nth <= 100_000_000 => Some(At::Nth(nth)),
        _ if inner.is_empty() || inner.starts_with('-') || inner.contains(['{', '}']) => None,
        _ => Some(At::Date(inner)),
    }
}

/// Reads the digits at the beginning, if there are any; `None` if the number is out of all bounds.
fn number(text: &str) -> Option<(Option<usize>, &str)> {
    let end = text.find(|one: char| !one.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    match digits {
        "" => Some((None, rest)),
        _ => Some((Some(digits.parse().ok().filter(|number| *number <= i32::MAX as usize)?), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_fall_into_parts() {
        let back = Suffix::Back;
        assert_eq!(split("main"), Some(("main", vec![], vec![])));
        assert_eq!(split("main~~3"), Some(("main", vec![], vec![back(1), back(3)])));
        assert_eq!(
            split("x@{u}@{1}^2^{}"),
            Some(("x", vec![At::Upstream, At::Nth(1)], vec![Suffix::Parent(2), Suffix::Commit]))
        );
        assert_eq!(split("@{-2}~1"), Some(("", vec![At::Previous(2)], vec![back(1)])));
        assert_eq!(split("x@{2 days ago}"), Some(("x", vec![At::Date("2 days ago")], vec![])));
        assert_eq!(split("x^{/fix ~^}"), Some(("x", vec![], vec![Suffix::Said("fix ~^")])));
        for malformed in
            ["x@{1", "x@{}", "x@{-0}", "x@{-1}", "x~a", "x^{tree}", "x~1@{1}", "-x", "a:b", "a b", "x~99999999999"]
        {
            assert_eq!(split(malformed), None, "{malformed}");
        }
    }
}
