//! The agents and formats whose records are read.

use std::fmt;
use std::str::FromStr;

/// Names an agent, or a format of records that no single agent owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agent {
    /// Amp.
    Amp,
    /// Agent Trajectory Interchange Format.
    Atif,
    /// ChatGPT's export of conversations.
    Chatgpt,
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
    /// Continue's CLI.
    Continue,
    /// GitHub Copilot: its CLI and its chat in editors.
    Copilot,
    /// Cursor.
    Cursor,
    /// Factory's Droid.
    Droid,
    /// Gemini CLI.
    Gemini,
    /// Hermes.
    Hermes,
    /// Lines that are messages as Anthropic's or OpenAI's API takes them.
    Jsonl,
    /// opencode.
    Opencode,
    /// Pi.
    Pi,
    /// SWE-agent's trajectories.
    SweAgent,
    /// Windsurf.
    Windsurf,
}

impl Agent {
    /// All of them, by name.
    pub const ALL: [Agent; 16] = [
        Agent::Amp,
        Agent::Atif,
        Agent::Chatgpt,
        Agent::Claude,
        Agent::Codex,
        Agent::Continue,
        Agent::Copilot,
        Agent::Cursor,
        Agent::Droid,
        Agent::Gemini,
        Agent::Hermes,
        Agent::Jsonl,
        Agent::Opencode,
        Agent::Pi,
        Agent::SweAgent,
        Agent::Windsurf,
    ];

    /// Returns the name as it stands on the command line and before the `:` of a session's name.
    pub const fn name(self) -> &'static str {
        match self {
            Agent::Amp => "amp",
            Agent::Atif => "atif",
            Agent::Chatgpt => "chatgpt",
            Agent::Claude => "claude",
            Agent::Codex => "codex",
            Agent::Continue => "continue",
            Agent::Copilot => "copilot",
            Agent::Cursor => "cursor",
            Agent::Droid => "droid",
            Agent::Gemini => "gemini",
            Agent::Hermes => "hermes",
            Agent::Jsonl => "jsonl",
            Agent::Opencode => "opencode",
            Agent::Pi => "pi",
            Agent::SweAgent => "swe-agent",
            Agent::Windsurf => "windsurf",
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Says that a name is no agent's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown agent '{name}'")]
pub struct UnknownAgent {
    /// The name as given.
    pub name: String,
}

impl FromStr for Agent {
    type Err = UnknownAgent;

    fn from_str(name: &str) -> Result<Self, UnknownAgent> {
        let found = Agent::ALL.into_iter().find(|agent| agent.name() == name);
        found.ok_or_else(|| UnknownAgent { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for agent in Agent::ALL {
            assert_eq!(agent.name().parse(), Ok(agent));
        }
        assert!("Claude".parse::<Agent>().is_err());
    }
}
