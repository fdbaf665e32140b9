//! Passages that need not be said: what is said again later, and reads that a later read makes old.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::{HashMap, HashSet};
use regex::Regex;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::units::Source;
use crate::model::Role;

/// Shorter passages are not worth a stub.
const WORTH: u64 = 48;

/// A call in the words of `export::plain_text`, and the JSON behind it.
static CALL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^\[call (\S+) (\S+)\]\n").expect("a constant that the tests compile"));

/// Tools that show a file and change nothing, in lower case.
const READERS: [&str; 12] = [
    "cat",
    "glob",
    "grep",
    "list_dir",
    "ls",
    "notebookread",
    "open",
    "open_file",
    "read",
    "read_file",
    "view",
    "view_file",
];

/// What a call of a reader names, under the names that agents use.
#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow, alias = "path", alias = "filename", alias = "notebook_path", alias = "target_file")]
    file_path: Option<Cow<'a, str>>,
    offset: Option<serde::de::IgnoredAny>,
    limit: Option<serde::de::IgnoredAny>,
    view_range: Option<serde::de::IgnoredAny>,
    pattern: Option<serde::de::IgnoredAny>,
}

/// Says what a call reads.
struct Read {
    file: String,
    /// The call itself, where it reads a part or searches.
    part: Option<String>,
}

/// Tells for each passage whether its stub is enough. Of passages that say the same, the one that stays in the context
/// is said, or else the newest. A read of a whole file makes all older reads of it old; one of a part only the same.
pub(super) fn find(sources: &[Source<'_>]) -> Vec<bool> {
    let reads = reads(sources);
    let mut stubs = vec![false; sources.len()];
    let mut said: HashSet<&str> = HashSet::new();
    let mut seen: HashSet<&str> = HashSet::new();
    said.extend(sources.iter().filter(|source| source.passage.stays).map(|source| source.text.trim()));
    for (at, source) in sources.iter().enumerate().rev() {
        if !source.passage.stays && source.cost >= WORTH {
            let again = |name: &str| seen.contains(name);
            let old =
                reads[at].as_ref().is_some_and(|read| again(&read.file) || read.part.as_deref().is_some_and(again));
            stubs[at] = old || said.contains(source.text.trim());
        }
        said.insert(source.text.trim());
        // A result that says that the file cannot be read makes no other one old.
        if let Some(read) = reads[at].as_ref().filter(|_| !is_error(&source.passage.text)) {
            seen.insert(read.part.as_deref().unwrap_or(&read.file));
        }
    }
    stubs
}

/// Returns what each passage is the reading of.
fn reads(sources: &[Source<'_>]) -> Vec<Option<Read>> {
    let mut calls: HashMap<&str, (&str, String)> = HashMap::new();
    let mut found = Vec::with_capacity(sources.len());
    for source in sources {
        let said = &source.passage.text;
        if source.is_tool() {
            found.push(result_of(said).and_then(|id| calls.get(id)).and_then(|(name, input)| read_by(name, input)));
            continue;
        }
        found.push(None);
        for call in CALL.captures_iter(said).filter(|_| *source.role == Role::Assistant) {
            let (Some(whole), Some(name), Some(id)) = (call.get(0), call.get(1), call.get(2)) else { continue };
            let rest = serde_json::Deserializer::from_str(&said[whole.end()..]);
            if let Some(Ok(input)) = rest.into_iter::<Box<RawValue>>().next() {
                calls.insert(id.as_str(), (name.as_str(), input.get().to_owned()));
            }
        }
    }
    found
}

/// Returns the call that a passage answers, if it is one.
fn result_of(text: &str) -> Option<&str> {
    let id = text.strip_prefix("[result of ")?;
    let id = &id[..id.find([',', ']'])?];
    let more = text[1..].contains("\n[result of ");
    (!more).then_some(id)
}

fn is_error(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.ends_with(", an error]"))
}

fn read_by(name: &str, input: &str) -> Option<Read> {
    let tool = name.to_ascii_lowercase();
    READERS.binary_search(&tool.as_str()).ok()?;
    let read: Input<'_> = serde_json::from_str(input).ok()?;
    let file = read.file_path?.into_owned();
    let partly = read.offset.is_some() || read.limit.is_some() || read.view_range.is_some() || read.pattern.is_some();
    Some(Read { file, part: partly.then(|| format!("{tool} {input}")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::Passage;
    use crate::drivers::embedded::units::clean;
    use crate::model::{EntryId, ObjectId};
    use crate::tokens::Encoding;

    fn passage(role: Role, text: String) -> Passage {
        let body = ObjectId::Sha1([7; 20]);
        Passage { id: EntryId::from_bits(1), role, text, tokens: 99, body, stays: false }
    }

    fn stubs(passages: &[Passage]) -> Vec<bool> {
        let mut units = Vec::new();
        let sources: Vec<Source<'_>> = passages
            .iter()
            .enumerate()
            .map(|(at, passage)| Source::read(Encoding::O200kBase, passage, clean(&passage.text), at, &mut units))
            .collect();
        find(&sources)
    }

    fn read(id: &str, input: &str, says: &str) -> [Passage; 2] {
        let says = format!("[result of {id}]\n{}", says.repeat(30));
        [passage(Role::Assistant, format!("[call Read {id}]\n{input}")), passage(Role::Tool, says)]
    }

    #[test]
    fn only_what_is_read_again_as_a_whole_is_old() {
        let whole = r#"{"file_path": "/a.rs"}"#;
        let part = r#"{"file_path": "/a.rs", "offset": 5}"#;
        let other = r#"{"file_path": "/b.rs"}"#;
        let of = |reads: &[(&str, &str)]| {
            let mut passages = Vec::new();
            for (at, (input, says)) in reads.iter().enumerate() {
                passages.extend(read(&format!("t{at}"), input, says));
            }
            stubs(&passages).into_iter().skip(1).step_by(2).collect::<Vec<bool>>()
        };
        assert_eq!(of(&[(whole, "old words "), (whole, "new words ")]), [true, false]);
        assert_eq!(of(&[(part, "old words "), (whole, "new words ")]), [true, false]);
        assert_eq!(of(&[(part, "old words "), (part, "new words ")]), [true, false]);
        assert_eq!(of(&[(whole, "old words "), (part, "new words ")]), [false, false]);
        assert_eq!(of(&[(whole, "old words "), (other, "new words ")]), [false, false]);
        assert_eq!(of(&[(whole, "same words "), (other, "same words ")]), [true, false], "a repeat");
    }

    #[test]
    fn a_repeat_of_what_stays_is_the_one_that_goes() {
        let text = "the same words again and again ".repeat(20);
        let mut passages = vec![passage(Role::User, text.clone()), passage(Role::Tool, text)];
        passages[0].stays = true;
        assert_eq!(stubs(&passages), [false, true]);
        passages.reverse();
        assert_eq!(stubs(&passages), [true, false]);
    }
}
