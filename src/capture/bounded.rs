//! A record's file, read within bounds.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use super::claude::lines::Lines;
use super::members::Members;
use super::{Agent, CaptureError};

/// A file that is read whole has no more bytes than this.
pub(super) const FILE_BYTES: u64 = 256 * 1024 * 1024;
/// A line has no more bytes than this.
const LINE_BYTES: usize = 64 * 1024 * 1024;

/// Opens a file; nothing but a file, so that no pipe or device makes us wait.
pub(super) fn open(path: &Path) -> Result<File, CaptureError> {
    // Asked before it is opened: opening a pipe waits for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file").into());
    }
    Ok(File::open(path)?)
}

/// Reads a file whole, as text without a byte order mark.
pub(super) fn read_text(agent: Agent, path: &Path) -> Result<String, CaptureError> {
    let mut bytes = Vec::new();
    open(path)?.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(CaptureError::TooLarge { max: FILE_BYTES });
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| CaptureError::Format { agent, reason: "it is no UTF-8 text".to_owned() })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Reads a text as an object that has a certain member.
pub(super) fn object_with<'a>(agent: Agent, text: &'a str, member: &str) -> Result<Members<'a>, CaptureError> {
    let object = Members::parse(text).filter(|object| object.get(member).is_some());
    object.ok_or_else(|| CaptureError::Format { agent, reason: format!("no object with '{member}'") })
}

/// Holds a line of a file; its text is `None` where it is too long or no text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Its place among the lines, blank ones included, from 0.
    pub(super) number: u64,
    /// What it says, without white space around it.
    pub(super) text: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// Returns what the line says, where that is an object, with its members.
    pub(super) fn object(&self) -> Option<(&'a str, Members<'a>)> {
        self.text.and_then(|text| Some((text, Members::parse(text)?)))
    }
}

/// Hands out the lines of a file that are not blank, until `take` breaks off.
pub(super) fn each_line(path: &Path, take: &mut dyn FnMut(Line<'_>) -> ControlFlow<()>) -> Result<(), CaptureError> {
    let mut lines = Lines::new(open(path)?, 0, LINE_BYTES);
    let mut number = 0;
    while let Some(span) = lines.next()? {
        let bytes = lines.bytes(&span);
        let bytes = if number == 0 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
        let text = if span.too_long { None } else { std::str::from_utf8(bytes).ok().map(str::trim_ascii) };
        if text != Some("") && take(Line { number, text }).is_break() {
            break;
        }
        number += 1;
    }
    Ok(())
}

/// Returns the name of a file without its ending: what a session is called where its record does not say.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_as_they_stand_and_blank_ones_passed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.jsonl");
        std::fs::write(&path, b"\xef\xbb\xbfone\r\n\n \nt\xffo\nlast").expect("written");
        let mut found = Vec::new();
        let mut take = |line: Line<'_>| {
            found.push((line.number, line.text.map(str::to_owned)));
            ControlFlow::Continue(())
        };
        each_line(&path, &mut take).expect("read");
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found, [(0, text("one")), (3, None), (4, text("last"))]);
        assert_eq!(stem(&path), "x");
    }

    #[test]
    fn only_files_of_text_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(read_text(Agent::Amp, folder.path()), Err(CaptureError::Read { .. })));
        let path = folder.path().join("x");
        std::fs::write(&path, b"\xff").expect("written");
        assert!(matches!(read_text(Agent::Amp, &path), Err(CaptureError::Format { .. })));
        std::fs::write(&path, "\u{feff}{}").expect("written");
        assert_eq!(read_text(Agent::Amp, &path).expect("text"), "{}");
        let large = File::create(&path).expect("a file");
        large.set_len(FILE_BYTES + 1).expect("sparse");
        assert!(matches!(read_text(Agent::Amp, &path), Err(CaptureError::TooLarge { .. })));
    }
}
