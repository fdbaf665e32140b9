//! Where each agent keeps its hooks, and what they look like there.
//!
//! Sources, read in November 2026: code.claude.com/docs/en/hooks; developers.openai.com/codex/hooks and
//! `codex-rs/config/src/hook_config.rs`; geminicli.com/docs/hooks/reference; cursor.com/docs/hooks;
//! opencode.ai/docs/plugins and its `packages/opencode/src/config/plugin.ts`; docs.github.com/copilot, hooks reference;
//! docs.factory.ai/reference/hooks-reference; docs.windsurf.com/windsurf/cascade/hooks.

use crate::capture::Agent;

/// Says where an agent's hooks go and what they look like.
#[derive(Debug)]
pub struct AgentHooks {
    /// The agent.
    pub agent: Agent,
    /// The file for this user alone, below the work tree.
    pub local: &'static str,
    /// The file that a project shares; the same one where the agent knows no other.
    pub shared: &'static str,
    /// What goes into it.
    pub form: Form,
    /// Folders that tell that the agent is used: below the work tree.
    pub project_signs: &'static [&'static str],
    /// As `project_signs`, below the user's home.
    pub home_signs: &'static [&'static str],
    /// The agent's program.
    pub program: &'static str,
    /// What the user has to do besides.
    pub advice: Option<&'static str>,
}

/// Says what goes into an agent's file.
#[derive(Debug)]
pub enum Form {
    /// Entries for events, in JSON.
    Entries(Entries),
    /// A file that is ours as a whole.
    Whole(&'static str),
}

/// Says what entries for events look like.
#[derive(Debug)]
pub struct Entries {
    /// Whether handlers stand in a group, which may name tools: `{"hooks": [handler]}`.
    pub grouped: bool,
    /// Whether the file says `"version": 1`.
    pub version: bool,
    /// Whether a handler says `"type": "command"`.
    pub typed: bool,
    /// The key of the command.
    pub command: &'static str,
    /// The key of the time limit, and how many of its units are a second.
    pub limit: Option<(&'static str, u64)>,
    /// The events' names in the words of Claude Code, where they must be told on the command line because what is sent
    /// does not name them.
    pub told: &'static [(&'static str, &'static str)],
    /// Events, with their limits in seconds.
    pub events: &'static [(&'static str, u64)],
}

impl Entries {
    /// Returns what the command line tells of an event.
    pub fn told_as(&self, event: &str) -> Option<&'static str> {
        self.told.iter().find(|(name, _)| *name == event).map(|(_, told)| *told)
    }

    /// Entries as Claude Code has them, which others took over.
    const fn claude(events: &'static [(&'static str, u64)]) -> Self {
        Entries {
            grouped: true,
            version: false,
            typed: true,
            command: "command",
            limit: Some(("timeout", 1)),
            told: &[],
            events,
        }
    }
}

/// All agents whose hooks can be installed.
const ALL: [AgentHooks; 8] = [
    AgentHooks {
        agent: Agent::Claude,
        local: ".claude/settings.local.json",
        shared: ".claude/settings.json",
        // A tool call is in the transcript when its result is: PreToolUse would start a process for nothing.
        form: Form::Entries(Entries::claude(&[
            ("SessionStart", 5),
            ("UserPromptSubmit", 5),
            ("PostToolUse", 5),
            ("PostToolUseFailure", 5),
            ("SubagentStart", 5),
            ("SubagentStop", 5),
            ("PreCompact", 5),
            ("PostCompact", 5),
            ("Stop", 5),
            ("StopFailure", 5),
            ("SessionEnd", 1),
        ])),
        project_signs: &[".claude"],
        home_signs: &[".claude"],
        program: "claude",
        advice: None,
    },
    AgentHooks {
        agent: Agent::Codex,
        local: ".codex/hooks.json",
        shared: ".codex/hooks.json",
        // The root of the file has no other keys than 'description' and 'hooks'. SessionEnd is capped at 3 seconds.
        form: Form::Entries(Entries::claude(&[
            ("SessionStart", 5),
            ("UserPromptSubmit", 5),
            ("PostToolUse", 5),
            ("SubagentStart", 5),
            ("SubagentStop", 5),
            ("PreCompact", 5),
            ("PostCompact", 5),
            ("Stop", 5),
            ("SessionEnd", 3),
        ])),
        project_signs: &[".codex"],
        home_signs: &[".codex"],
        program: "codex",
        advice: Some("codex runs hooks only after you trusted them: start codex, and say '/hooks'"),
    },
    AgentHooks {
        agent: Agent::Gemini,
        local: ".gemini/settings.json",
        shared: ".gemini/settings.json",
        form: Form::Entries(Entries {
            limit: Some(("timeout", 1000)),
            ..Entries::claude(&[
                ("SessionStart", 5),
                ("BeforeAgent", 5),
                ("AfterTool", 5),
                ("PreCompress", 5),
                ("AfterAgent", 5),
                ("SessionEnd", 5),
            ])
        }),
        project_signs: &[".gemini"],
        home_signs: &[".gemini"],
        program: "gemini",
        advice: None,
    },
    AgentHooks {
        agent: Agent::Cursor,
        local: ".cursor/hooks.json",
        shared: ".cursor/hooks.json",
        form: Form::Entries(Entries {
            grouped: false,
            version: true,
            typed: false,
            command: "command",
            limit: Some(("timeout", 1)),
            told: &[],
            events: &[
                ("sessionStart", 5),
                ("beforeSubmitPrompt", 5),
                ("postToolUse", 5),
                ("subagentStart", 5),
                ("subagentStop", 5),
                ("preCompact", 5),
                ("stop", 5),
                ("sessionEnd", 5),
            ],
        }),
        project_signs: &[".cursor"],
        home_signs: &[".cursor"],
        program: "cursor-agent",
        advice: None,
    },
    AgentHooks {
        agent: Agent::Opencode,
        // Old and new versions look into the folder of this name; 'plugins' is known to the new ones only.
        local: ".opencode/plugin/git-trace.js",
        shared: ".opencode/plugin/git-trace.js",
        form: Form::Whole(include_str!("../../templates/opencode/git-trace.js")),
        project_signs: &[".opencode", "opencode.json", "opencode.jsonc"],
        home_signs: &[".config/opencode", ".local/share/opencode"],
        program: "opencode",
        advice: None,
    },
    AgentHooks {
        agent: Agent::Copilot,
        local: ".github/hooks/git-trace.json",
        shared: ".github/hooks/git-trace.json",
        form: Form::Entries(Entries {
            grouped: false,
            version: true,
            typed: true,
            command: "bash",
            limit: Some(("timeoutSec", 1)),
            told: &[
                ("sessionStart", "SessionStart"),
                ("userPromptSubmitted", "UserPromptSubmit"),
                ("postToolUse", "PostToolUse"),
                ("subagentStop", "SubagentStop"),
                ("preCompact", "PreCompact"),
                ("agentStop", "Stop"),
                ("sessionEnd", "SessionEnd"),
            ],
            events: &[
                ("sessionStart", 5),
                ("userPromptSubmitted", 5),
                ("postToolUse", 5),
                ("subagentStop", 5),
                ("preCompact", 5),
                ("agentStop", 5),
                ("sessionEnd", 5),
            ],
        }),
        project_signs: &[".github/hooks"],
        home_signs: &[".copilot"],
        program: "copilot",
        advice: None,
    },
    AgentHooks {
        agent: Agent::Droid,
        local: ".factory/settings.local.json",
        shared: ".factory/settings.json",
        form: Form::Entries(Entries::claude(&[
            ("SessionStart", 5),
            ("UserPromptSubmit", 5),
            ("PostToolUse", 5),
            ("SubagentStop", 5),
            ("PreCompact", 5),
            ("Stop", 5),
            ("SessionEnd", 5),
        ])),
        project_signs: &[".factory"],
        home_signs: &[".factory"],
        program: "droid",
        advice: None,
    },
    AgentHooks {
        agent: Agent::Windsurf,
        local: ".windsurf/hooks.json",
        shared: ".windsurf/hooks.json",
        form: Form::Entries(Entries {
            grouped: false,
            version: false,
            typed: false,
            command: "command",
            limit: None,
            told: &[("pre_user_prompt", "UserPromptSubmit"), ("post_cascade_response_with_transcript", "Stop")],
            events: &[("pre_user_prompt", 5), ("post_cascade_response_with_transcript", 5)],
        }),
        project_signs: &[".windsurf"],
        home_signs: &[".codeium/windsurf", ".windsurf"],
        program: "windsurf",
        advice: None,
    },
];

impl AgentHooks {
    /// Returns all of them.
    pub fn all() -> &'static [AgentHooks] {
        &ALL
    }

    /// Returns an agent's, if its hooks can be installed.
    pub fn of(agent: Agent) -> Option<&'static AgentHooks> {
        ALL.iter().find(|one| one.agent == agent)
    }

    /// Returns the file, below the work tree.
    pub fn file(&self, shared: bool) -> &'static str {
        if shared { self.shared } else { self.local }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_agents_share_a_file_or_name_an_event_twice() {
        let mut files = HashSet::new();
        for one in AgentHooks::all() {
            assert!(files.insert(one.local) && (one.local == one.shared || files.insert(one.shared)), "{}", one.agent);
            if let Form::Entries(entries) = &one.form {
                let names: HashSet<&str> = entries.events.iter().map(|(name, _)| *name).collect();
                assert_eq!(names.len(), entries.events.len(), "{}", one.agent);
                assert!(entries.events.iter().all(|(_, seconds)| (1..=5).contains(seconds)), "{}", one.agent);
                let told = entries.events.iter().filter(|(name, _)| entries.told_as(name).is_some()).count();
                assert!(told == entries.told.len() && (told == 0 || told == names.len()), "{}", one.agent);
            }
            for path in [one.local, one.shared] {
                assert!(!path.starts_with('/') && !path.contains(".."), "{path}");
            }
        }
    }
}
