//! What the agent of a session is called.

use std::path::Path;

use super::super::replay::part;
use crate::capture::Agent;

/// Longest part of a name that is made of a session's id, in characters.
const PART: usize = 24;

/// Names the agent of a session: `<agent>-<part of the id>`.
pub(super) fn agent_name(agent: Agent, session: &str) -> String {
    let id = match agent {
        // Names that users have in their repositories stay as they are.
        Agent::Claude => session.split('-').next().unwrap_or(session).to_owned(),
        _ => id_part(session),
    };
    part(&format!("{agent}-{id}"))
}

/// Returns the id of the subagent whose own file this is.
pub(super) fn subagent_of(agent: Agent, path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let id = stem.strip_prefix("agent-").filter(|_| agent == Agent::Claude)?;
    Some(id.to_owned())
}

/// Makes a name another one, by a hash of the session's id.
pub(super) fn with_hash(name: &str, session: &str) -> String {
    let hash = blake3::hash(session.as_bytes()).to_hex();
    part(&format!("{}-{}", &name[..name.len().min(53)], &hash[..6]))
}

/// Takes what tells a session from others: a part of a UUID, the start of any other id.
///
/// The first part of a UUID of version 7 is the time, which sessions of one minute share; its last part is random.
fn id_part(id: &str) -> String {
    let parts: Vec<&str> = id.split('-').collect();
    let is_hex = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if parts.iter().all(is_hex) && lengths == [8, 4, 4, 4, 12] {
        let is_timed = parts[2].starts_with('7');
        return if is_timed { parts[4] } else { parts[0] }.to_ascii_lowercase();
    }
    // Names of files begin with what they have in common.
    let slug = part(id);
    if slug.len() <= PART {
        return slug;
    }
    let hash = blake3::hash(id.as_bytes()).to_hex();
    format!("{}-{}", slug[..PART - 7].trim_end_matches('-'), &hash[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_tell_sessions_apart() {
        let name = |agent, id| agent_name(agent, id);
        assert_eq!(name(Agent::Claude, "5d2c7a10-1111-4222-8333-444455556666"), "claude-5d2c7a10");
        assert_eq!(name(Agent::Codex, "019c4b43-1451-7af3-be4c-5576369bf1ba"), "codex-5576369bf1ba");
        assert_eq!(name(Agent::Gemini, "faff42ab-6ea5-4f78-b8c4-f7dd6272af08"), "gemini-faff42ab");
        assert_eq!(name(Agent::Amp, "T-1"), "amp-t-1");
        let (one, other) = (name(Agent::Hermes, &"x".repeat(50)), name(Agent::Hermes, &format!("{}y", "x".repeat(49))));
        assert!(one.len() <= 7 + PART && one != other, "{one} {other}");
        assert_eq!(subagent_of(Agent::Claude, Path::new("/x/agent-a1.jsonl")).as_deref(), Some("a1"));
        assert_eq!(subagent_of(Agent::Codex, Path::new("/x/agent-a1.jsonl")), None);
        assert!(with_hash("claude-5d2c7a10", "s").starts_with("claude-5d2c7a10-"));
    }
}
