//! The list of ignored files that belongs to a repository alone: `info/exclude`.

use super::block;

/// Returns the list with these lines in a block at its end, and without an older block; `None` if that is nothing.
pub fn with_lines(list: Option<&[u8]>, lines: &[&str]) -> Option<Vec<u8>> {
    let list = list.map(|list| block::remove(list).unwrap_or_else(|| list.to_vec()));
    if lines.is_empty() {
        return list;
    }
    let list = list.unwrap_or_default();
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let text = format!("# >>> git-trace: 'git trace disable' removes these lines\n{lines}# <<< git-trace\n");
    Some(block::insert(&list, list.len(), text.as_bytes()))
}

/// Returns a path as a line of the list: from the top of the work tree, and nothing in it means anything else.
pub fn line(path: &str) -> String {
    let mut line = String::from("/");
    for one in path.chars() {
        if matches!(one, '*' | '?' | '[' | '\\' | ' ') {
            line.push('\\');
        }
        line.push(one);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_given_back_as_it_was() {
        for list in [&b""[..], b"# git's own\n", b"*.o", b"*.o\n\n"] {
            let one = with_lines(Some(list), &["/a"]).expect("a list");
            let two = with_lines(Some(&one), &["/a", "/b"]).expect("a list");
            assert!(two.windows(6).any(|part| part == b"/a\n/b\n"), "{two:?}");
            assert_eq!(with_lines(Some(&two), &["/a"]), Some(one));
            assert_eq!(with_lines(Some(&two), &[]).as_deref(), Some(list));
        }
        assert_eq!(with_lines(None, &[]), None);
        assert_eq!(line(".claude/settings.local.json"), "/.claude/settings.local.json");
        assert_eq!(line("a b/[c]*"), "/a\\ b/\\[c]\\*");
    }
}
