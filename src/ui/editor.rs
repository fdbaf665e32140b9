//! The program in which a person edits a text.

use std::fs::File;
use std::io::{self, Read};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Environment;
use super::pager::SHELL_CHARACTERS;

/// The largest text that is taken back, in bytes.
const TEXT_MAX: u64 = 16 << 20;

/// Names the editor of a user, as git finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    command: String,
    /// Whether the user named it for plans: it may be a program that needs no terminal.
    pub is_for_plans: bool,
}

/// Says why a text could not be edited.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// The editor could not be started.
    #[error("cannot run '{command}': {source}")]
    Start {
        /// The command.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The editor ended with a fault, which is how a person says that nothing is to be done.
    #[error("the editor '{command}' ended with a fault")]
    Fault {
        /// The command.
        command: String,
    },
    /// The text could not be handed over or taken back.
    #[error("cannot read the edited text: {0}")]
    Text(#[from] io::Error),
}

impl Editor {
    /// Finds the editor for a plan: `GIT_SEQUENCE_EDITOR`, `sequence.editor`, `GIT_EDITOR`, `core.editor`, `VISUAL`,
    /// `EDITOR`, `vi`. On a dumb terminal only those that are named for it are left.
    pub fn for_plans(environment: &Environment, config: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let variable = |name: &str| environment.filled(name).map(str::to_owned);
        let config = |key: &str| config(key).filter(|value| !value.is_empty());
        let named = variable("GIT_SEQUENCE_EDITOR")
            .or_else(|| config("sequence.editor"))
            .or_else(|| variable("GIT_EDITOR"))
            .map(|command| Editor { command, is_for_plans: true });
        let dumb = environment.is_dumb();
        let usual = || {
            let visual = variable("VISUAL").filter(|_| !dumb);
            let last = (!dumb).then(|| "vi".to_owned());
            config("core.editor").or(visual).or_else(|| variable("EDITOR")).or(last)
        };
        named.or_else(|| usual().map(|command| Editor { command, is_for_plans: false }))
    }

    /// Lets the user edit a text; the file has this name, by which editors know how to show it.
    ///
    /// # Errors
    /// When the editor cannot be started or ends with a fault, or the text is too large or no UTF-8.
    pub fn edit(&self, name: &str, text: &str) -> Result<String, EditorError> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(name);
        std::fs::write(&path, text)?;
        // As git: `:` is the editor that changes nothing.
        if self.command != ":" {
            // Ctrl-C is the editor's.
            let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::new(AtomicBool::new(false)));
            let mut process = if self.command.contains(SHELL_CHARACTERS) {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("{} \"$@\"", self.command)).arg(&self.command).arg(&path);
                shell
            } else {
                let mut editor = Command::new(&self.command);
                editor.arg(&path);
                editor
            };
            let command = || self.command.clone();
            let status = process.status().map_err(|source| EditorError::Start { command: command(), source })?;
            if !status.success() {
                return Err(EditorError::Fault { command: command() });
            }
        }
        let mut edited = String::new();
        File::open(&path)?.take(TEXT_MAX + 1).read_to_string(&mut edited)?;
        if edited.len() as u64 > TEXT_MAX {
            return Err(io::Error::other(format!("it has more than {TEXT_MAX} bytes")).into());
        }
        Ok(edited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_editor_is_the_one_that_git_would_start() {
        let chain = ["GIT_SEQUENCE_EDITOR", "sequence.editor", "GIT_EDITOR", "core.editor", "VISUAL", "EDITOR"];
        for from in 0..chain.len() {
            let set = &chain[from..];
            let environment = set
                .iter()
                .filter(|name| !name.contains('.'))
                .fold(Environment::default().with("TERM", "xterm"), |environment, name| environment.with(name, name));
            let config = |key: &str| set.contains(&key).then(|| key.to_owned());
            let found = Editor::for_plans(&environment, config).expect("one is named");
            assert_eq!((found.command.as_str(), found.is_for_plans), (chain[from], from < 3));
        }
        let vi = Editor::for_plans(&Environment::default().with("TERM", "xterm"), |_| None).expect("the usual one");
        assert_eq!(vi.command, "vi");
        assert_eq!(Editor::for_plans(&Environment::default(), |_| None), None, "not on a dumb terminal");
    }

    #[test]
    fn a_text_is_edited_and_a_fault_is_told() {
        let editor = |command: &str| Editor { command: command.to_owned(), is_for_plans: true };
        assert_eq!(editor(":").edit("plan", "as it was\n").expect("unchanged"), "as it was\n");
        assert_eq!(editor("sed -i s/was/is/").edit("plan", "as it was\n").expect("changed"), "as it is\n");
        assert!(matches!(editor("false").edit("plan", ""), Err(EditorError::Fault { .. })));
        assert!(matches!(editor("/no/such/editor").edit("plan", ""), Err(EditorError::Start { .. })));
    }
}
