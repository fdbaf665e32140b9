//! What a tool does with a file, told by the names in its input.

use serde_json::{Map, Value};

use super::call::{Call, Input, first_text};
use super::{patch, shell};
use crate::model::{FileChange, FileWrite};

const PATHS: [&str; 15] = [
    "file_path",
    "filePath",
    "filepath",
    "path",
    "target_file",
    "targetFile",
    "TargetFile",
    "notebook_path",
    "notebookPath",
    "absolute_path",
    "absolutePath",
    "relative_workspace_path",
    "file_name",
    "filename",
    "file",
];

const OLD: [&str; 8] =
    ["old_string", "oldString", "old_str", "oldStr", "old_text", "oldText", "TargetContent", "search"];

const NEW: [&str; 9] = [
    "new_string",
    "newString",
    "new_str",
    "newStr",
    "new_text",
    "newText",
    "ReplacementContent",
    "replace",
    "replacement",
];

const CONTENT: [&str; 9] =
    ["content", "contents", "file_text", "fileText", "CodeContent", "new_source", "code_edit", "code", "text"];

const EDITS: [&str; 4] = ["edits", "replacements", "ReplacementChunks", "changes"];

const COMMANDS: [&str; 5] = ["command", "cmd", "script", "CommandLine", "commandLine"];

const FOLDERS: [&str; 6] = ["workdir", "cwd", "working_directory", "workingDirectory", "Cwd", "directory"];

const PATCHES: [&str; 6] = ["patch", "input", "patchText", "patch_text", "diff", "text"];

/// Most edits of one call.
const EDITS_MAX: usize = 256;

/// Longest path, in bytes.
const PATH_MAX: usize = 4096;

/// Tells what a call writes.
pub(super) fn writes(call: &Call<'_>, id: &str, found: &mut Vec<FileWrite>) {
    let name: String = call.name.chars().filter(|one| one.is_alphanumeric()).collect::<String>().to_ascii_lowercase();
    let mut sink = Sink { id, folder: None, found };
    let members = match &call.input {
        Input::Text(text) => {
            if patch::is_patch(text) {
                patch::read(text, &mut sink);
            } else if is_shell(&name) {
                shell::read(text, &mut sink);
            }
            return;
        }
        Input::Object(members) => members,
    };
    sink.folder = first_text(members, &FOLDERS).map(str::to_owned);
    if is_shell(&name) || members.get("command").is_some_and(Value::is_array) {
        if let Some(script) = script(members) {
            shell::read(&script, &mut sink);
        }
        return;
    }
    if let Some(text) = first_text(members, &PATCHES).filter(|text| patch::is_patch(text)) {
        return patch::read(text, &mut sink);
    }
    let path = first_text(members, &PATHS);
    if let Some(edits) = EDITS.iter().find_map(|key| members.get(*key)?.as_array()) {
        for edit in edits.iter().take(EDITS_MAX).filter_map(Value::as_object) {
            if let (Some(path), Some(change)) = (first_text(edit, &PATHS).or(path), replacement(edit)) {
                sink.put(path, change);
            }
        }
        return;
    }
    let Some(path) = path else { return };
    if let Some(change) = replacement(members).or_else(|| content(&name, members)) {
        sink.put(path, change);
    }
}

fn is_shell(name: &str) -> bool {
    const SHELLS: [&str; 8] =
        ["bash", "shell", "terminal", "execcommand", "executecommand", "runcommand", "localshell", "exec"];
    SHELLS.iter().any(|shell| name == *shell || (shell.len() > 4 && name.contains(shell))) || name.ends_with("bash")
}

/// Returns the script that a shell is given; a list of words is a command of its own.
fn script(members: &Map<String, Value>) -> Option<String> {
    let command = COMMANDS.iter().find_map(|key| members.get(*key))?;
    if let Some(text) = command.as_str() {
        return Some(text.to_owned());
    }
    let words: Vec<&str> = command.as_array()?.iter().filter_map(Value::as_str).collect();
    match words[..] {
        [.., "-c" | "-lc" | "-ic" | "-Command", script] => Some(script.to_owned()),
        [tool, patch] if tool.contains("patch") => Some(patch.to_owned()),
        _ => None,
    }
}

fn replacement(members: &Map<String, Value>) -> Option<FileChange> {
    let (before, after) = (first_text(members, &OLD)?, first_text(members, &NEW)?);
    if before.is_empty() {
        // The agents' editors make a file so, or fill an empty one.
        return Some(FileChange::Whole(after.to_owned()));
    }
    let flag =
        ["replace_all", "replaceAll", "AllowMultiple", "allow_multiple"].iter().find_map(|key| members.get(*key));
    let count = ["expected_replacements", "expectedReplacements"].iter().find_map(|key| members.get(*key)?.as_u64());
    let everywhere = flag.and_then(Value::as_bool).unwrap_or(false) || count.is_some_and(|count| count > 1);
    Some(FileChange::Replace { before: before.to_owned(), after: after.to_owned(), everywhere })
}

/// Reads a text without the one that it replaces: the tool's name, or its `command`, says what becomes of the file.
fn content(name: &str, members: &Map<String, Value>) -> Option<FileChange> {
    let command = members.get("command").and_then(Value::as_str).unwrap_or_default();
    let verb = |words: &[&str]| words.iter().any(|word| name.contains(word) || command == *word);
    if verb(&["insert", "append"]) {
        let text = first_text(members, &["insert_text", "new_str"]).or_else(|| first_text(members, &CONTENT))?;
        return Some(FileChange::Insert(text.to_owned()));
    }
    let text = first_text(members, &CONTENT)?.to_owned();
    if name.contains("notebook") || members.contains_key("new_source") {
        return Some(FileChange::Insert(text));
    }
    if verb(&["write", "create", "overwrite", "save", "newfile"]) {
        return Some(FileChange::Whole(text));
    }
    verb(&["edit", "update", "modify"]).then_some(FileChange::Insert(text))
}

/// Takes the writes of one call.
pub(super) struct Sink<'a> {
    id: &'a str,
    pub(super) folder: Option<String>,
    found: &'a mut Vec<FileWrite>,
}

impl Sink<'_> {
    pub(super) fn put(&mut self, path: &str, change: FileChange) {
        let path = path.trim();
        let path = path.strip_prefix("file://").unwrap_or(path);
        if path.is_empty()
            || path.len() > PATH_MAX
            || path.contains(['\0', '\n'])
            || self.found.len() >= super::WRITES_MAX
        {
            return;
        }
        let (call, folder) = (self.id.to_owned(), self.folder.clone());
        self.found.push(FileWrite { call, path: path.to_owned(), folder, change });
    }
}
