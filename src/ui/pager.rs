//! The program through which a person reads a long answer.

use std::io::{self, BufWriter, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Environment;

/// Characters that make git hand a command to the shell instead of starting it itself.
pub(super) const SHELL_CHARACTERS: &[char] =
    &['|', '&', ';', '<', '>', '(', ')', '$', '`', '\\', '"', '\'', ' ', '\t', '\n', '*', '?', '[', '#', '~', '=', '%'];

/// Bytes that are kept until it is clear that the pager runs: more than a pipe holds (64 KiB on Linux), so that a
/// pager which never read anything has been found out by then.
const KEPT: usize = 256 * 1024;

/// Says how a pager ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PagerEnd {
    /// The person left, at the end or before it.
    Left,
    /// The command was not found or could not be run; these bytes were not shown.
    NeverRan(Vec<u8>),
}

/// Says why no more can be written to a pager.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PagerFault {
    /// It does not read any more.
    Closed,
    /// The user pressed Ctrl-C; the pager still runs, and decides for itself what that means.
    Interrupted,
}

/// Runs a pager and writes to it.
pub(super) struct Pager {
    child: Child,
    input: Option<BufWriter<ChildStdin>>,
    kept: Option<Vec<u8>>,
    interrupted: Arc<AtomicBool>,
}

impl Pager {
    /// Starts a pager.
    ///
    /// `LESS=FRX` and `LV=-c` are set unless the user sets them, and `GIT_PAGER_IN_USE`, as git does. From here on
    /// Ctrl-C does not end this process: it would leave the pager behind, fighting with the shell for the terminal.
    ///
    /// # Errors
    /// When the command, or the shell, cannot be started.
    pub(super) fn start(command: &str, environment: &Environment) -> io::Result<Self> {
        let mut process = if command.contains(SHELL_CHARACTERS) {
            let mut shell = Command::new("sh");
            shell.args(["-c", command]);
            shell
        } else {
            Command::new(command)
        };
        for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
            if environment.get(name).is_none() {
                process.env(name, value);
            }
        }
        process.env("GIT_PAGER_IN_USE", "true").stdin(Stdio::piped());
        let mut child = process.spawn()?;
        let interrupted = Arc::new(AtomicBool::new(false));
        // Without the handler Ctrl-C ends us at once, which is no reason not to page.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupted));
        let input = child.stdin.take().map(BufWriter::new);
        Ok(Pager { child, input, kept: Some(Vec::new()), interrupted })
    }

    /// Writes to the pager.
    ///
    /// # Errors
    /// When the pager does not read any more, or the user pressed Ctrl-C.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), PagerFault> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(PagerFault::Interrupted);
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        let written = match &mut self.input {
            Some(input) => input.write_all(bytes),
            None => return Err(PagerFault::Closed),
        };
        if written.is_ok() && self.kept.as_ref().is_some_and(|kept| kept.len() > KEPT) {
            self.kept = None;
        }
        written.map_err(|_| PagerFault::Closed)
    }

    /// Lets the pager see what was written so far.
    pub(super) fn flush(&mut self) {
        if let Some(input) = &mut self.input {
            // The next write tells.
            let _ = input.flush();
        }
    }

    /// Ends the input and waits until the person leaves.
    pub(super) fn end(mut self) -> PagerEnd {
        let status = self.close();
        // What a shell says of a command that it cannot find or run.
        let never_ran = matches!(status, Some(126 | 127));
        match self.kept.take() {
            Some(kept) if never_ran => PagerEnd::NeverRan(kept),
            _ => PagerEnd::Left,
        }
    }

    fn close(&mut self) -> Option<i32> {
        self.flush();
        drop(self.input.take());
        self.child.wait().ok().and_then(|status| status.code())
    }
}

/// Never leaves a pager behind.
impl Drop for Pager {
    fn drop(&mut self) {
        self.close();
    }
}
