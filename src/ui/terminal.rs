//! The one place that talks to standard output and standard error.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::error::ErrorKind;
use serde::Serialize;

use super::answer::Answer;
use super::json::AnswerSink;
use super::label::Palette;
use super::line::{display_width, paint_text, truncate};
use super::{ExitCode, Failure, JsonDocument, JsonStyle, Label, Line, OutputError, Progress, RawOut, Settings, escape};

/// Speaks to the user: the answer on standard output, everything else on standard error.
///
/// * Stored text reaches standard output as a [`Line`] or by [`text`](Ui::text), always escaped; only
///   [`raw_out`](Ui::raw_out) gives it out as it is, and not even that where a person reads.
/// * A message is one write, so that the lines of two processes do not mix.
/// * Nothing is started or asked for before it is needed.
///
/// ```
/// use git_trace::ui::{ExitCode, Label, Line, Settings, Ui};
///
/// let (ui, captured) = Ui::captured(Settings::default());
/// ui.print(&Line::new().push(Label::Entry, "x51q8z9mf4").plain(" user"))?;
/// ui.warning("tokens are an estimate");
/// assert_eq!(ui.end(Ok(())), ExitCode::Done);
/// assert_eq!(captured.answer(), "x51q8z9mf4 user\n");
/// assert_eq!(captured.messages(), "warning: tokens are an estimate\n");
/// # Ok::<(), git_trace::ui::OutputError>(())
/// ```
pub struct Ui {
    settings: Settings,
    answer_palette: Option<Palette>,
    message_palette: Option<Palette>,
    channels: Mutex<Channels>,
}

/// The two streams, and how wide the meter on the second is.
struct Channels {
    answer: Answer,
    messages: Box<dyn Write + Send>,
    meter: usize,
}

impl Ui {
    /// Opens the process's own standard output and standard error.
    pub fn new(settings: Settings) -> Self {
        let at_once = settings.environment.stdout_is_terminal;
        Ui::with_sinks(settings, Box::new(io::stdout()), Box::new(io::stderr()), at_once)
    }

    /// Opens a pair of buffers instead, for tests; the settings say what to take them for.
    pub fn captured(settings: Settings) -> (Self, Captured) {
        let captured = Captured::default();
        let (answer, messages) = (captured.answer.clone(), captured.messages.clone());
        (Ui::with_sinks(settings, Box::new(answer), Box::new(messages), true), captured)
    }

    fn with_sinks(
        settings: Settings,
        answer: Box<dyn Write + Send>,
        messages: Box<dyn Write + Send>,
        at_once: bool,
    ) -> Self {
        let (answer_colored, messages_colored) = (settings.colors_answer(), settings.colors_messages());
        let (palette, errors) = match answer_colored || messages_colored {
            true => Palette::new(&settings.colors),
            false => Default::default(),
        };
        let ui = Ui {
            answer_palette: answer_colored.then(|| palette.clone()),
            message_palette: messages_colored.then_some(palette),
            channels: Mutex::new(Channels { answer: Answer::new(answer, at_once), messages, meter: 0 }),
            settings,
        };
        errors.iter().for_each(|error| ui.warning(error));
        ui
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Asks for a pager, for an answer that may be longer than a screen; the first write starts it.
    ///
    /// Does nothing where the user wants none, standard output is no terminal, or the answer is JSON.
    pub fn request_pager(&self) {
        if let Some(command) = self.settings.pager() {
            self.channels().answer.request(command);
        }
    }

    /// Tells whether a person reads the answer, at once or through a pager.
    pub fn is_watched(&self) -> bool {
        self.settings.answer_is_watched()
    }

    /// Tells whether the answer is wanted as JSON.
    pub fn wants_json(&self) -> bool {
        self.settings.json.is_some()
    }

    /// Returns the columns that the answer has, or `None` where no person reads it and nothing should be cut.
    pub fn width(&self) -> Option<usize> {
        self.is_watched().then(|| self.columns())
    }

    /// Prints a line of the answer.
    ///
    /// # Errors
    /// When nobody reads it, or it cannot be written.
    pub fn print(&self, line: &Line) -> Result<(), OutputError> {
        let mut text = line.painted(self.answer_palette.as_ref());
        text.push('\n');
        self.write_answer(text.as_bytes())
    }

    /// Prints a text of the answer that may have many lines, escaped; no line feed is added.
    ///
    /// # Errors
    /// When nobody reads it, or it cannot be written.
    pub fn text(&self, label: Label, text: &str) -> Result<(), OutputError> {
        let text = paint_text(text, label, self.answer_palette.as_ref());
        self.write_answer(text.as_bytes())
    }

    /// Opens the way for stored bytes as they are: only for commands whose point it is (`context`, `show --raw`).
    pub fn raw_out(&self) -> RawOut<'_> {
        RawOut::new(self)
    }

    /// Prints the answer as one document, laid out as `--json` asks, with a line feed.
    ///
    /// # Errors
    /// When nobody reads it, it cannot be written, or the body is neither struct nor map.
    pub fn json<T: Serialize>(&self, document: &JsonDocument<T>) -> Result<(), OutputError> {
        document.write(&mut AnswerSink(self), self.settings.json.unwrap_or_default())?;
        self.write_answer(b"\n")
    }

    /// Prints one of many documents, on one line (JSON lines).
    ///
    /// # Errors
    /// As [`json`](Ui::json).
    pub fn json_line<T: Serialize>(&self, document: &JsonDocument<T>) -> Result<(), OutputError> {
        document.write(&mut AnswerSink(self), JsonStyle::Compact)?;
        self.write_answer(b"\n")
    }

    /// Sends out what is buffered of the answer, for a reader that waits for it.
    ///
    /// # Errors
    /// When nobody reads it, or it cannot be written.
    pub fn flush(&self) -> Result<(), OutputError> {
        self.channels().answer.flush()
    }

    /// Tells what was done.
    pub fn status(&self, text: impl Display) {
        if !self.settings.quiet {
            self.say(None, &text.to_string());
        }
    }

    /// Warns.
    pub fn warning(&self, text: impl Display) {
        self.say(Some(("warning", Label::Warning)), &text.to_string());
    }

    /// Tells what the user may do next; it names a command.
    pub fn hint(&self, text: impl Display) {
        if !self.settings.quiet && !self.settings.no_hints {
            self.say(Some(("hint", Label::Hint)), &text.to_string());
        }
    }

    /// Opens a meter; with a total it tells percent.
    pub fn progress(&self, what: &str, total: Option<u64>) -> Progress<'_> {
        Progress::new(self, what, total)
    }

    /// Prints what clap has to say: help and version are an answer, the rest is an error.
    pub fn usage(&self, error: &clap::Error) -> ExitCode {
        if error.use_stderr() {
            let text = error.to_string();
            if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !self.wants_json() {
                self.say(None, &text);
                return ExitCode::Usage;
            }
            // `git trace --help` is git's: it opens the manual page, which may not be installed.
            let text = text.replace("try '--help'", "try '-h'");
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            let (message, advice) = text.split_once('\n').unwrap_or((text, ""));
            let code = self.end(Err(Failure::new(ExitCode::Usage, message)));
            if !self.wants_json() && !advice.is_empty() {
                self.say(None, advice);
            }
            return code;
        }
        let help = error.render();
        let text = if self.answer_palette.is_some() { help.ansi().to_string() } else { help.to_string() };
        self.request_pager();
        let written = self.write_answer(text.as_bytes());
        self.end(written.map_err(Failure::from))
    }

    /// Ends: sends out the answer, waits for the pager, tells a failure, and returns how the process ends.
    pub fn end(&self, result: Result<(), Failure>) -> ExitCode {
        let finished = self.channels().answer.finish();
        self.pass_on_complaint();
        let result = result.and_then(|()| finished.map_err(Failure::from));
        let Err(failure) = result else { return ExitCode::Done };
        if failure.message.is_empty() {
            return failure.code;
        }
        match JsonDocument::new("failure", 1, failure.document()).to_text() {
            Ok(document) if self.wants_json() => self.write_message(&format!("{document}\n")),
            _ => {
                self.say(Some((failure.word(), Label::Error)), &failure.message);
                let hints = if self.settings.no_hints { &[] } else { failure.hints.as_slice() };
                hints.iter().for_each(|hint| self.say(Some(("hint", Label::Hint)), hint));
            }
        }
        failure.code
    }

    /// Writes a part of the answer as it is.
    pub(super) fn write_answer(&self, bytes: &[u8]) -> Result<(), OutputError> {
        let written = self.channels().answer.write(bytes, &self.settings.environment);
        self.pass_on_complaint();
        written
    }

    pub(super) fn shows_progress(&self) -> bool {
        let environment = &self.settings.environment;
        environment.stderr_is_terminal && !environment.is_dumb() && !self.settings.quiet
    }

    /// Puts a text, which must be safe and of one line, in the place of the meter.
    pub(super) fn draw_progress(&self, text: &str) {
        let room = self.columns().saturating_sub(1);
        let text = truncate(text, room);
        let mut channels = self.channels();
        if channels.answer.is_paged() {
            return;
        }
        let width = display_width(&text);
        let drawn = if width == 0 {
            channels.wipe()
        } else {
            let padding = channels.meter.saturating_sub(width);
            format!("\r{text}{}", " ".repeat(padding))
        };
        channels.meter = width;
        // A meter that cannot be seen is no loss.
        let _ = channels.messages.write_all(drawn.as_bytes());
    }

    /// Says a message; each of its lines carries the word, so that no text can pass for another message.
    fn say(&self, word: Option<(&str, Label)>, text: &str) {
        let text = escape(text);
        let mut message = String::with_capacity(text.len() + 16);
        for line in text.trim_end_matches('\n').split('\n') {
            if let Some((word, label)) = word {
                let mark = Line::new().push(label, format!("{word}:"));
                message.push_str(&mark.painted(self.message_palette.as_ref()));
                message.push_str(if line.is_empty() { "" } else { " " });
            }
            message.push_str(line);
            message.push('\n');
        }
        self.write_message(&message);
    }

    fn write_message(&self, message: &str) {
        let mut channels = self.channels();
        // As git: while a pager has the screen, messages on the same screen go through it.
        if channels.answer.is_paged() && self.settings.environment.stderr_is_terminal {
            let _ = channels.answer.write(message.as_bytes(), &self.settings.environment);
            return;
        }
        let wiped = channels.wipe();
        channels.meter = 0;
        if self.settings.environment.stdout_is_terminal {
            // What was said first is read first; a fault is told by the next write.
            let _ = channels.answer.flush();
        }
        // There is nowhere left to complain.
        let _ = channels.messages.write_all(format!("{wiped}{message}").as_bytes());
    }

    fn pass_on_complaint(&self) {
        let complaint = self.channels().answer.complaint();
        if let Some(complaint) = complaint {
            self.warning(complaint);
        }
    }

    /// Returns the columns of the terminal: `COLUMNS`, what the terminal says, or 80.
    fn columns(&self) -> usize {
        let environment = &self.settings.environment;
        let told = environment.get("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
        told.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))).unwrap_or(80)
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        // A panic elsewhere does not make the streams wrong.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channels {
    /// Returns what wipes the meter out.
    fn wipe(&self) -> String {
        if self.meter == 0 { String::new() } else { format!("\r{}\r", " ".repeat(self.meter)) }
    }
}

/// Holds what a captured [`Ui`] wrote.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    answer: Buffer,
    messages: Buffer,
}

impl Captured {
    /// Returns what went to standard output.
    pub fn answer_bytes(&self) -> Vec<u8> {
        self.answer.content().clone()
    }

    /// Returns what went to standard output as text.
    pub fn answer(&self) -> String {
        String::from_utf8_lossy(&self.answer.content()).into_owned()
    }

    /// Returns what went to standard error as text.
    pub fn messages(&self) -> String {
        String::from_utf8_lossy(&self.messages.content()).into_owned()
    }
}

#[derive(Debug, Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn content(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.content().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
