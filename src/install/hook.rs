//! git's hooks: which ones we take part in, and how we come into a hook that is there already.

use super::block;

/// Names a hook of git's in which we take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GitHook {
    /// Its name, which is its file's.
    pub name: &'static str,
    /// Whether git tells it something on standard input.
    reads_input: bool,
}

impl GitHook {
    /// All of them.
    pub const ALL: [GitHook; 6] = [
        GitHook { name: "post-commit", reads_input: false },
        GitHook { name: "post-rewrite", reads_input: true },
        GitHook { name: "post-checkout", reads_input: false },
        GitHook { name: "post-merge", reads_input: false },
        GitHook { name: "pre-push", reads_input: true },
        GitHook { name: "prepare-commit-msg", reads_input: false },
    ];

    /// Tells whether it is the hook that can add to a commit's message.
    pub fn is_for_messages(&self) -> bool {
        self.name == "prepare-commit-msg"
    }

    /// Returns the lines that call us.
    pub fn block(&self) -> String {
        let lines = if self.reads_input { WITH_INPUT } else { PLAIN };
        // What the user asked to be reminded of when pushing is said where they see it.
        let errors = if self.name == "pre-push" { ">/dev/null || :" } else { ">/dev/null 2>&1 || :" };
        lines.replace("HOOK", self.name).replace(">/dev/null 2>&1 || :", errors)
    }

    /// Returns a whole hook of ours; `chained` runs the one that was there before.
    pub fn whole(&self, chained: bool) -> Vec<u8> {
        let rest = if chained { CHAINED } else { "" };
        format!("{SHEBANG}{}{rest}", self.block()).into_bytes()
    }

    /// Tells whether a file has our lines as this version writes them.
    pub fn is_current(&self, bytes: &[u8]) -> bool {
        block::find(bytes).is_some_and(|range| bytes[range].trim_ascii() == self.block().as_bytes().trim_ascii())
    }

    /// Puts our lines behind the first line of a shell script.
    pub fn into_script(&self, script: &[u8]) -> Vec<u8> {
        let first = memchr::memchr(b'\n', script).map_or(script.len(), |newline| newline + 1);
        block::insert(script, first, self.block().as_bytes())
    }
}

const SHEBANG: &str = "#!/bin/sh\n";
const PLAIN: &str = include_str!("../../hooks/plain.sh");
const WITH_INPUT: &str = include_str!("../../hooks/with-input.sh");
const CHAINED: &str = include_str!("../../hooks/chained.sh");

/// What the name of a hook that was moved aside ends with.
pub const CHAINED_ENDING: &str = ".git-trace-chained";

/// The folder of links through which such hooks are run.
pub const CHAINED_FOLDER: &str = "git-trace-chained";

/// What other tools add to the name of a hook that they move aside: pre-commit (which runs it), and lefthook.
pub const ASIDE_ENDINGS: [&str; 2] = [".legacy", ".old"];

/// Shells whose scripts take our lines.
const SHELLS: [&str; 9] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "busybox"];

/// Tells whether our lines may go into a script: it is for a shell, and stays in that shell to its end.
pub fn takes_lines(script: &[u8]) -> bool {
    let first = script.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some(line) = first.strip_prefix(b"#!").and_then(|line| std::str::from_utf8(line).ok()) else { return false };
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut shell = words.next().map(base).unwrap_or_default();
    if shell == "env" {
        let word = words.find(|word| !word.starts_with('-') && !word.contains('='));
        shell = word.map(base).unwrap_or_default();
    }
    // A script that hands its own file to another interpreter is read by that one as well.
    let hands_over = |line: &[u8]| {
        let text = String::from_utf8_lossy(line);
        text.contains("exec") && (text.contains("$0") || text.contains("${0"))
    };
    SHELLS.contains(&shell.as_str()) && !script.contains(&0) && !script.split(|byte| *byte == b'\n').any(hands_over)
}

/// Tells whether a hook that has lost our lines was ours as a whole: nothing but the first line is left.
pub fn is_only_shebang(bytes: &[u8]) -> bool {
    bytes == SHEBANG.as_bytes()
}

/// Takes the lines that run the chained hook out, which stand outside of our block.
pub fn without_chain(bytes: &[u8]) -> Vec<u8> {
    match memchr::memmem::find(bytes, CHAINED.as_bytes()) {
        Some(at) => [&bytes[..at], &bytes[at + CHAINED.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

/// Tells whether a hook of ours runs a chained one.
pub fn is_chaining(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, CHAINED.as_bytes()).is_some() && block::find(bytes).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_scripts_take_our_lines_and_nothing_else_does() {
        for script in [
            "#!/bin/sh\nx",
            "#!/bin/sh",
            "#! /bin/bash -e\n",
            "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"",
            "#!/usr/bin/env -S bash -eu\n",
            "#!/usr/bin/env LC_ALL=C zsh\n",
            "#!/usr/bin/env bash\nexec \"$INSTALL_PYTHON\" -mpre_commit \"${ARGS[@]}\"\n",
        ] {
            assert!(takes_lines(script.as_bytes()), "{script}");
        }
        for script in [
            "",
            "echo no first line",
            "#!/usr/bin/env python3\n",
            "#!/bin/sh\r\nx\r\n",
            "#!/usr/bin/fish\n",
            "#!/bin/sh\n''''exec python3 \"$0\" \"$@\" # '''\nprint(1)\n",
            "#!/bin/sh\n# \\\nexec tclsh \"$0\" \"$@\"\n",
            "\u{feff}#!/bin/sh\n",
            "#!/bin/sh\nbinary\0",
            "\u{7f}ELF",
        ] {
            assert!(!takes_lines(script.as_bytes()), "{script}");
        }
    }

    #[test]
    fn our_lines_go_behind_the_first_one_and_out_again() {
        for hook in GitHook::ALL {
            for script in ["#!/bin/sh\nexit 3\n", "#!/bin/sh", "#!/bin/sh\nlast"] {
                let with = hook.into_script(script.as_bytes());
                assert!(with.starts_with(b"#!/bin/sh\n# >>> git-trace"));
                assert!(hook.is_current(&with), "{}", hook.name);
                assert_eq!(block::remove(&with).as_deref(), Some(script.as_bytes()));
            }
            let whole = hook.whole(false);
            assert!(hook.is_current(&whole) && !is_chaining(&whole));
            assert!(is_only_shebang(&block::remove(&whole).expect("a block")));
            let chaining = hook.whole(true);
            assert!(hook.is_current(&chaining) && is_chaining(&chaining));
            assert!(is_only_shebang(&without_chain(&block::remove(&chaining).expect("a block"))));
        }
    }
}
