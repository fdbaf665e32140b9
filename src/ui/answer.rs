//! Standard output: buffered, perhaps through a pager, and quiet when nobody listens.

use std::io::{self, BufWriter, Write};

use super::Environment;
use super::pager::{Pager, PagerEnd, PagerFault};

/// Says why an answer could not be given.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Nobody reads it any more.
    #[error("standard output is closed")]
    Closed,
    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
    /// It could not be written.
    #[error("cannot write to standard output")]
    Write {
        /// What the system says.
        source: io::Error,
    },
    /// A document could not be made of it.
    #[error("cannot make a document '{format}'")]
    Document {
        /// The format of the document.
        format: String,
        /// What the serialiser says.
        source: serde_json::Error,
    },
}

impl OutputError {
    /// Reads the error of an [`io::Write`] of this room, such as a [`RawOut`](super::RawOut).
    pub fn of_io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(OutputError::Interrupted) => OutputError::Interrupted,
                _ => OutputError::Closed,
            },
            _ => OutputError::Write { source: error },
        }
    }
}

/// The way back, for writers that must speak in [`io::Error`].
impl From<OutputError> for io::Error {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Closed => io::ErrorKind::BrokenPipe.into(),
            // Not `Interrupted`, which would make `write_all` try again for ever.
            OutputError::Interrupted => io::Error::new(io::ErrorKind::BrokenPipe, OutputError::Interrupted),
            OutputError::Write { source } => source,
            OutputError::Document { source, .. } => source.into(),
        }
    }
}

/// Whether more can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    Interrupted,
}

/// Writes the answer.
pub(super) struct Answer {
    direct: BufWriter<Box<dyn Write + Send>>,
    /// Whether each write goes out at once, because a person watches.
    at_once: bool,
    wanted: Option<String>,
    pager: Option<(String, Pager)>,
    state: State,
    /// What to warn of.
    complaint: Option<String>,
}

impl Answer {
    pub(super) fn new(sink: Box<dyn Write + Send>, at_once: bool) -> Self {
        let direct = BufWriter::with_capacity(32 * 1024, sink);
        Answer { direct, at_once, wanted: None, pager: None, state: State::Open, complaint: None }
    }

    /// Asks for a pager, to be started by the first write.
    pub(super) fn request(&mut self, command: &str) {
        if self.pager.is_none() {
            self.wanted = Some(command.to_owned());
        }
    }

    pub(super) fn is_paged(&self) -> bool {
        self.pager.is_some()
    }

    /// Returns what went wrong with the pager, once.
    pub(super) fn complaint(&mut self) -> Option<String> {
        self.complaint.take()
    }

    /// Writes a part of the answer.
    ///
    /// # Errors
    /// When nobody reads it, the user interrupted, or it cannot be written.
    pub(super) fn write(&mut self, bytes: &[u8], environment: &Environment) -> Result<(), OutputError> {
        match self.state {
            State::Open => (),
            State::Closed => return Err(OutputError::Closed),
            State::Interrupted => return Err(OutputError::Interrupted),
        }
        if let Some(command) = self.wanted.take() {
            match Pager::start(&command, environment) {
                Ok(pager) => self.pager = Some((command, pager)),
                Err(error) => self.complaint = Some(format!("cannot start pager '{command}': {error}")),
            }
        }
        let Some((_, pager)) = &mut self.pager else { return self.write_directly(bytes) };
        match pager.write(bytes) {
            Ok(()) => Ok(()),
            Err(PagerFault::Closed) => match self.end_pager() {
                // It never ran: what it was given, these bytes included, has gone out directly.
                Some(shown) => shown,
                None => Err(OutputError::Closed),
            },
            Err(PagerFault::Interrupted) => {
                self.end_pager();
                self.state = State::Interrupted;
                Err(OutputError::Interrupted)
            }
        }
    }

    /// Sends out what is buffered.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(super) fn flush(&mut self) -> Result<(), OutputError> {
        match &mut self.pager {
            Some((_, pager)) => pager.flush(),
            None if self.state == State::Open => return self.direct.flush().map_err(|error| self.fault(error)),
            None => (),
        }
        Ok(())
    }

    /// Sends out what is buffered and waits for the pager.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(super) fn finish(&mut self) -> Result<(), OutputError> {
        if self.pager.is_some() {
            // Leaving the pager at the end of the answer is how a person is done with it.
            return self.end_pager().unwrap_or(Ok(()));
        }
        self.flush()
    }

    /// Waits for the pager; when it never ran, writes directly what it should have shown.
    fn end_pager(&mut self) -> Option<Result<(), OutputError>> {
        let (command, pager) = self.pager.take()?;
        let unshown = match pager.end() {
            PagerEnd::Left => {
                self.state = State::Closed;
                return None;
            }
            PagerEnd::NeverRan(unshown) => unshown,
        };
        self.complaint = Some(format!("cannot run pager '{command}'"));
        Some(self.write_directly(&unshown).and_then(|()| self.flush()))
    }

    fn write_directly(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let written = self.direct.write_all(bytes);
        let written = if self.at_once { written.and_then(|()| self.direct.flush()) } else { written };
        written.map_err(|error| self.fault(error))
    }

    fn fault(&mut self, error: io::Error) -> OutputError {
        self.state = State::Closed;
        OutputError::of_io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_survive_the_way_through_io() {
        let back = |error: OutputError| OutputError::of_io(error.into());
        assert!(matches!(back(OutputError::Closed), OutputError::Closed));
        assert!(matches!(back(OutputError::Interrupted), OutputError::Interrupted));
        let full = OutputError::Write { source: io::ErrorKind::StorageFull.into() };
        assert!(matches!(back(full), OutputError::Write { .. }));
    }
}
