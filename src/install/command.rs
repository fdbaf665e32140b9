//! The command that agents and git hooks run: what it looks like, and how ours is told from others.

/// What our program is called with, in front of the agent's name.
const CALL: &str = "git-trace hook ";

/// Returns the shell command for an agent's settings.
///
/// It is read by whichever shell the agent uses, so it keeps to what sh, bash, zsh, dash and fish have in common. It says
/// nothing and ends well where the program is not there, and starts no process but ours.
pub fn command(agent: &str, event: Option<&str>) -> String {
    let event = event.map(|event| format!(" {event}")).unwrap_or_default();
    format!("command -v git-trace >/dev/null 2>&1 && {CALL}{agent}{event} >/dev/null 2>&1 || true")
}

/// Tells whether a command is one that git trace installed, now or in an earlier version, and nothing else: a line into
/// which somebody put more is theirs.
pub fn is_ours(command: &str) -> bool {
    let mut rest = command.trim();
    if let Some((guard, behind)) = rest.split_once("&&") {
        let mut words = guard.split_whitespace();
        if words.next() != Some("command") || words.next() != Some("-v") {
            return false;
        }
        rest = behind.trim();
    }
    if let Some((before, last)) = rest.split_once("||") {
        if !matches!(last.trim(), "true" | ":") {
            return false;
        }
        rest = before.trim();
    }
    let mut words = rest.split_whitespace();
    let program = words.next().unwrap_or_default();
    let named = program.rsplit('/').next() == Some("git-trace");
    let words: Vec<&str> = words.collect();
    let redirect = |word: &&str| matches!(*word, ">/dev/null" | "2>&1" | "2>/dev/null" | "</dev/null");
    let plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let (called, after): (Vec<&str>, Vec<&str>) = {
        let end = words.iter().position(redirect).unwrap_or(words.len());
        (words[..end].to_vec(), words[end..].to_vec())
    };
    named
        && called.first() == Some(&"hook")
        && (2..=3).contains(&called.len())
        && called.iter().all(|word| plain(word))
        && after.iter().all(redirect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_commands_are_known() {
        for agent in ["claude", "swe-agent"] {
            assert!(is_ours(&command(agent, None)) && is_ours(&command(agent, Some("agentStop"))));
        }
        for other in
            ["git-trace hook claude", "/usr/local/bin/git-trace hook claude Stop", " git-trace hook codex || true "]
        {
            assert!(is_ours(other), "{other}");
        }
    }

    #[test]
    fn what_is_not_ours_or_more_than_ours_is_left_alone() {
        for other in [
            "",
            "git-trace",
            "git-trace hook",
            "git-trace log",
            "my-git-trace hook claude",
            "echo git-trace hook claude",
            "./notify.sh; git-trace hook claude",
            "git-trace hook claude; ./notify.sh",
            "git-trace hook claude > log",
            "git-trace hook claude || ./alarm",
            "test -x a && git-trace hook claude",
            "git-trace hook $(rm -rf /)",
            "git-trace hook claude && echo done",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
