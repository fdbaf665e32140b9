//! What an agent's hook is told on its standard input.
//!
//! The members are those of Claude Code's hooks, which Codex took over; Gemini CLI, Cursor, Copilot and Windsurf have names
//! of their own for some of them. Members and events that are not known here are passed over.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Longest id of a session that is taken for one, in bytes.
const ID_MAX: usize = 200;
/// Longest path that is taken for one, in bytes.
const PATH_MAX: usize = 4096;

/// Says what happened in an agent's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A session began, or goes on.
    SessionStart,
    /// A person said something, and the agent has not begun to work on it.
    Prompt,
    /// A tool is about to run.
    BeforeTool,
    /// A tool ran.
    AfterTool,
    /// A subagent began.
    SubagentStart,
    /// A subagent ended.
    SubagentStop,
    /// The context is about to be compacted.
    BeforeCompact,
    /// The context was compacted.
    AfterCompact,
    /// The agent has done what it was asked for, or gave up.
    Stop,
    /// The session ended.
    SessionEnd,
    /// Something else.
    Other,
}

/// Holds what a hook is told, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The agent's own name for it, such as `PostToolUse`.
    pub name: String,
    /// The session's id.
    pub session: String,
    /// The session's record.
    pub transcript: Option<PathBuf>,
    /// Where the agent works.
    pub cwd: Option<PathBuf>,
    /// Why a session began or ended: `startup`, `resume`, `clear`, `compact`, `fork`, `logout`…
    pub reason: Option<String>,
    /// The model that speaks.
    pub model: Option<String>,
    /// The tool that runs.
    pub tool: Option<String>,
    /// The call of the tool.
    pub call: Option<String>,
    /// The subagent that this is about.
    pub subagent: Option<String>,
    /// The subagent's own record.
    pub subagent_transcript: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload<'a> {
    #[serde(borrow)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "sessionId")]
    session_camel: Option<&'a RawValue>,
    #[serde(borrow)]
    conversation_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "thread-id")]
    thread_id: Option<&'a RawValue>,
    #[serde(borrow)]
    trajectory_id: Option<&'a RawValue>,
    #[serde(borrow)]
    hook_event_name: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    transcript_path: Option<&'a RawValue>,
    #[serde(borrow, rename = "transcriptPath")]
    transcript_camel: Option<&'a RawValue>,
    #[serde(borrow)]
    cwd: Option<&'a RawValue>,
    #[serde(borrow)]
    workspace_roots: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    reason: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_name: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use_id: Option<&'a RawValue>,
    #[serde(borrow)]
    agent_id: Option<&'a RawValue>,
    #[serde(borrow)]
    agent_transcript_path: Option<&'a RawValue>,
}

impl Event {
    /// Reads what a hook was told; `name` is the event where the payload does not name it. `None` if it belongs to no
    /// session that can be told, so that nothing could be done with it.
    ///
    /// ```
    /// use git_trace::capture::{Event, EventKind};
    /// let told = br#"{"session_id":"s1","hook_event_name":"PostToolUse","cwd":"/w","tool_name":"Edit","new":[1]}"#;
    /// let event = Event::read(told, None).expect("it names its session");
    /// assert_eq!((event.kind, event.tool.as_deref()), (EventKind::AfterTool, Some("Edit")));
    /// assert_eq!(Event::read(b"{}", Some("Stop")), None);
    /// ```
    pub fn read(payload: &[u8], name: Option<&str>) -> Option<Self> {
        let source = std::str::from_utf8(payload).ok()?.trim_start_matches('\u{feff}').trim();
        // Without this check it could be read from an array, member by member.
        let told: Payload<'_> = source.starts_with('{').then(|| serde_json::from_str(source).ok())??;
        let ids = [told.session_id, told.session_camel, told.conversation_id, told.thread_id, told.trajectory_id];
        let session = ids.into_iter().find_map(|raw| word(raw).filter(|id| is_id(id)))?;
        let name = word(told.hook_event_name).or_else(|| name.map(str::to_owned)).or_else(|| word(told.kind))?;
        let kind = EventKind::of(&name);
        let cwd = path(told.cwd).or_else(|| {
            let roots: Vec<&RawValue> = serde_json::from_str(told.workspace_roots?.get()).ok()?;
            path(roots.first().copied())
        });
        Some(Event {
            kind,
            name,
            session,
            transcript: path(told.transcript_path.or(told.transcript_camel)),
            cwd,
            reason: word(told.source).or_else(|| word(told.reason)),
            model: word(told.model),
            tool: word(told.tool_name),
            call: word(told.tool_use_id),
            subagent: word(told.agent_id).filter(|id| is_id(id)),
            subagent_transcript: path(told.agent_transcript_path),
        })
    }
}

impl EventKind {
    /// Reads an agent's own name of an event; any name is an event.
    pub fn of(name: &str) -> Self {
        match name {
            "SessionStart" | "sessionStart" | "session.created" => EventKind::SessionStart,
            "UserPromptSubmit" | "BeforeAgent" | "beforeSubmitPrompt" | "userPromptSubmitted" => EventKind::Prompt,
            "PreToolUse" | "BeforeTool" | "preToolUse" | "beforeShellExecution" | "beforeMCPExecution" => {
                EventKind::BeforeTool
            }
            "PostToolUse"
            | "PostToolUseFailure"
            | "AfterTool"
            | "postToolUse"
            | "afterFileEdit"
            | "afterShellExecution"
            | "afterMCPExecution"
            | "tool.execute.after" => EventKind::AfterTool,
            "SubagentStart" | "subagentStart" => EventKind::SubagentStart,
            "SubagentStop" | "subagentStop" => EventKind::SubagentStop,
            "PreCompact" | "PreCompress" | "preCompact" => EventKind::BeforeCompact,
            "PostCompact" | "session.compacted" => EventKind::AfterCompact,
            "Stop" | "StopFailure" | "AfterAgent" | "stop" | "session.idle" | "agent-turn-complete" => EventKind::Stop,
            "SessionEnd" | "sessionEnd" | "session.deleted" => EventKind::SessionEnd,
            _ => EventKind::Other,
        }
    }
}

/// Reads a string that is not empty.
fn word(raw: Option<&RawValue>) -> Option<String> {
    let text: Cow<'_, str> = serde_json::from_str(raw?.get()).ok()?;
    (!text.is_empty() && text.len() <= PATH_MAX).then(|| text.into_owned())
}

/// Reads an absolute path: what it would be relative to is not known.
fn path(raw: Option<&RawValue>) -> Option<PathBuf> {
    word(raw).filter(|text| !text.contains('\0')).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn is_id(id: &str) -> bool {
    id.len() <= ID_MAX && !id.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_agents_words_are_understood() {
        let read = |text: &str, name: Option<&str>| Event::read(text.as_bytes(), name);
        let claude = read(
            r#"{"session_id":"s","transcript_path":"/t/s.jsonl","cwd":"/w","hook_event_name":"SubagentStop",
               "agent_id":"a1","agent_transcript_path":"/t/s/subagents/agent-a1.jsonl","permission_mode":"plan"}"#,
            None,
        )
        .expect("of a session");
        assert_eq!(claude.kind, EventKind::SubagentStop);
        assert_eq!(claude.subagent.as_deref(), Some("a1"));
        assert_eq!(claude.subagent_transcript, Some(PathBuf::from("/t/s/subagents/agent-a1.jsonl")));
        let cursor = r#"{"conversation_id":"c","hook_event_name":"beforeSubmitPrompt","workspace_roots":["/w","/x"]}"#;
        let cursor = read(cursor, None).expect("of a session");
        assert_eq!((cursor.kind, cursor.cwd), (EventKind::Prompt, Some(PathBuf::from("/w"))));
        let notify = r#"{"type":"agent-turn-complete","thread-id":"t","cwd":"/w"}"#;
        assert_eq!(read(notify, None).expect("of a session").kind, EventKind::Stop);
        let named = read(r#"{"sessionId":"g","transcript_path":null}"#, Some("AfterAgent")).expect("of a session");
        assert_eq!((named.kind, named.transcript), (EventKind::Stop, None));
        assert_eq!(read(r#"{"session_id":"s"}"#, Some("TeammateIdle")).expect("of one").kind, EventKind::Other);
    }

    #[test]
    fn what_belongs_to_no_session_is_dropped() {
        let long = format!(r#"{{"session_id":"{}"}}"#, "x".repeat(ID_MAX + 1));
        for told in ["", "[]", "{}", "null", r#"{"session_id":""}"#, r#"{"session_id":7}"#, "{\"session_id\":\"a\\n\"}"]
            .into_iter()
            .chain([long.as_str()])
        {
            assert_eq!(Event::read(told.as_bytes(), Some("Stop")), None, "{told}");
        }
        assert_eq!(Event::read(b"\xff", Some("Stop")), None);
        let relative = Event::read(br#"{"session_id":"s","cwd":"../up","transcript_path":"t"}"#, Some("Stop"));
        let relative = relative.expect("of a session");
        assert_eq!((relative.cwd, relative.transcript), (None, None));
    }

    #[test]
    fn no_cut_of_a_payload_breaks_the_reader() {
        let whole = br#"{"session_id":"s","hook_event_name":"Stop","cwd":"/w","tool_input":{"a":["\u00e9"]}}"#;
        for end in 0..whole.len() {
            assert_eq!(Event::read(&whole[..end], Some("Stop")), None);
        }
        assert!(Event::read(whole, None).is_some());
    }
}
