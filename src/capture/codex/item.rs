//! What an item of a rollout is.

use serde_json::value::RawValue;

use crate::capture::members::Members;
use crate::model::Role;

/// Ids longer than this are none.
const ID_BYTES: usize = 200;
/// What the program says in the user's name begins so.
const CONTEXTUAL: [&str; 10] = [
    "<environment_context>",
    "<user_instructions>",
    "<INSTRUCTIONS>",
    "# AGENTS.md instructions",
    "<permissions",
    "<skill",
    "<turn_aborted>",
    "<user_shell_command>",
    "<subagent_notification>",
    "<collaboration_mode>",
];

/// Says what an item counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// A message of a person: it begins a turn.
    Prompt,
    /// A message of the model.
    Reply,
    /// A tool call.
    Call,
    /// A tool's result.
    Result,
    /// Anything else.
    Other,
}

/// Holds what is known of an item beside its bytes.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) role: Role,
    pub(super) taken: Taken,
    /// What its entry's id is made of.
    pub(super) source: String,
    /// The tool call that it makes or answers.
    pub(super) call: Option<String>,
}

impl Item {
    /// Reads an item; `None` for what is no part of the context.
    pub(super) fn read(payload: &RawValue) -> Option<Self> {
        let members = Members::of(payload)?;
        let kind = members.text("type");
        let kind = kind.as_deref().unwrap_or("message");
        let call = members.name("call_id").filter(|id| id.len() <= ID_BYTES);
        let (role, taken) = match kind {
            "message" => match members.text("role")?.as_ref() {
                "assistant" => (Role::Assistant, Taken::Reply),
                "system" | "developer" => (Role::System, Taken::Other),
                "user" if is_contextual(&members) => (Role::User, Taken::Other),
                "user" => (Role::User, Taken::Prompt),
                _ => return None,
            },
            "reasoning" => (Role::Assistant, Taken::Other),
            kind if kind.ends_with("_call") => (Role::Assistant, Taken::Call),
            kind if kind.ends_with("_call_output") => (Role::Tool, Taken::Result),
            _ => return None,
        };
        let source = match &call {
            Some(call) => format!("{kind}:{call}"),
            None => hash_source(kind, payload.get()),
        };
        Some(Item { role, taken, source, call })
    }
}

/// Makes a source of what has no id of its own.
pub(super) fn hash_source(kind: &str, content: &str) -> String {
    format!("{kind}:{}", &blake3::hash(content.as_bytes()).to_hex()[..32])
}

/// Tells whether a type is an item's.
pub(super) fn is_item(kind: &str) -> bool {
    matches!(kind, "message" | "reasoning") || kind.ends_with("_call") || kind.ends_with("_call_output")
}

/// Tells whether an event says for the display what an item says too, or only that something began or ended.
pub(super) fn is_shown_only(kind: &str) -> bool {
    const SHOWN: [&str; 20] = [
        "user_message",
        "agent_message",
        "agent_reasoning",
        "agent_reasoning_raw_content",
        "agent_reasoning_section_break",
        "task_started",
        "task_complete",
        "turn_started",
        "turn_complete",
        "context_compacted",
        "exec_command_begin",
        "exec_command_end",
        "patch_apply_begin",
        "patch_apply_end",
        "mcp_tool_call_begin",
        "mcp_tool_call_end",
        "web_search_begin",
        "web_search_end",
        "view_image_tool_call",
        "thread_settings_applied",
    ];
    SHOWN.contains(&kind) || matches!(kind, "item_started" | "item_completed") || kind.ends_with("_delta")
}

fn is_contextual(message: &Members<'_>) -> bool {
    let begins = |words: &str| CONTEXTUAL.iter().any(|begin| words.trim_start().starts_with(begin));
    if let Some(words) = message.text("content") {
        return begins(&words);
    }
    let parts = message.list("content");
    let contextual = |part: &&RawValue| {
        Members::of(part).and_then(|part| part.text("text").map(|words| begins(&words))).unwrap_or(false)
    };
    !parts.is_empty() && parts.iter().all(contextual)
}
