//! What a model is told to do.

use std::borrow::Cow;
use std::fmt::Write as _;

use hashbrown::HashSet;
use sha2::{Digest, Sha256};

use super::{DriverError, Form, Reconcile, Summarise, Task, patterns};

/// Matches of must-keep patterns that a prompt lists at most.
const MATCHES: usize = 500;

/// The prompts that are built in.
const SUMMARISE: &str = include_str!("../../templates/prompts/summarise.md");
const TITLE: &str = include_str!("../../templates/prompts/title.md");
const RECONCILE: &str = include_str!("../../templates/prompts/reconcile.md");

/// Holds prompts that take the place of those that are built in (`templates/prompts/*.md`).
///
/// They are text with names in braces: `{passages}`, `{limit}`, `{must_keep}`, `{instructions}`, `{tag}` for summaries
/// and titles; `{sides}`, `{conflict}`, `{instructions}`, `{tag}` for two sides. Each is replaced once, in one pass, so
/// that what is put in is never read for names again; other braces stay. A prompt is never run and names no file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompts {
    /// For summaries; it must have `{passages}`.
    pub summarise: Option<String>,
    /// For titles; it must have `{passages}`.
    pub title: Option<String>,
    /// For two sides; it must have `{sides}`.
    pub reconcile: Option<String>,
}

impl Prompts {
    /// Returns what a model is told for a task.
    ///
    /// # Errors
    /// [`DriverError::Prompt`] for a prompt that has no place for what it is about; [`DriverError::Pattern`] for a
    /// must-keep pattern that is none.
    pub fn render(&self, task: &Task) -> Result<String, DriverError> {
        match task {
            Task::Summarise(task) => {
                let (name, own, built_in) = match task.form {
                    Form::Summary => ("summarise", &self.summarise, SUMMARISE),
                    Form::Title => ("title", &self.title, TITLE),
                };
                let template = checked(name, own.as_deref().unwrap_or(built_in), "{passages}")?;
                summarise(template, task)
            }
            Task::Reconcile(task) => {
                let template = checked("reconcile", self.reconcile.as_deref().unwrap_or(RECONCILE), "{sides}")?;
                Ok(reconcile(template, task))
            }
        }
    }
}

/// Returns the SHA-256 of a prompt, in hexadecimal.
pub(super) fn hash(prompt: &[u8]) -> String {
    hex(&Sha256::digest(prompt))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn checked<'a>(name: &'static str, template: &'a str, place: &'static str) -> Result<&'a str, DriverError> {
    if template.contains(place) { Ok(template) } else { Err(DriverError::Prompt { name, place }) }
}

fn summarise(template: &str, task: &Summarise) -> Result<String, DriverError> {
    let instructions = task.instructions.as_deref().unwrap_or_default();
    let texts = || task.passages.iter().map(|passage| passage.text.as_str()).chain([instructions]);
    let tag = tag(texts);
    let mut passages = String::new();
    for (nth, passage) in task.passages.iter().enumerate() {
        let stays = if passage.stays { " stays" } else { "" };
        let _ =
            writeln!(passages, "<{tag} {} {}{stays}>\n{}\n</{tag}>", nth + 1, role(passage.role.name()), passage.text);
    }
    let mut kept = String::new();
    let matches = matches(task)?;
    if !matches.is_empty() {
        let _ = writeln!(kept, "Each of these must stand in your text, exactly as it is here:\n<{tag} must keep>");
        matches.iter().for_each(|found| {
            let _ = writeln!(kept, "{found}");
        });
        let _ = writeln!(kept, "</{tag}>\n");
    }
    let limit = task.target_tokens.to_string();
    let wish = wish(instructions);
    Ok(substitute(
        template,
        &[
            ("limit", &limit),
            ("must_keep", &kept),
            ("instructions", &wish),
            ("passages", passages.trim_end()),
            ("tag", &tag),
        ],
    ))
}

fn reconcile(template: &str, task: &Reconcile) -> String {
    let instructions = task.instructions.as_deref().unwrap_or_default();
    let base = task.base.as_deref();
    let tag = tag(|| [base.unwrap_or_default(), &task.ours, &task.theirs, instructions].into_iter());
    let mut sides = String::new();
    for (name, text) in [("base", base), ("ours", Some(task.ours.as_str())), ("theirs", Some(&task.theirs))] {
        if let Some(text) = text {
            let _ = writeln!(sides, "<{tag} {name}>\n{text}\n</{tag}>");
        }
    }
    let wish = wish(instructions);
    let conflict = role(&task.conflict);
    substitute(
        template,
        &[("conflict", &conflict), ("instructions", &wish), ("sides", sides.trim_end()), ("tag", &tag)],
    )
}

fn wish(instructions: &str) -> String {
    if instructions.trim().is_empty() {
        return String::new();
    }
    format!("The user asks in addition: {}\n\n", instructions.trim())
}

/// Returns a name, as far as it can stand in a marker.
fn role(name: &str) -> Cow<'_, str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_ /".contains(letter);
    if name.chars().all(fits) { Cow::Borrowed(name) } else { Cow::Owned(name.replace(|letter| !fits(letter), "")) }
}

/// Makes a name for the markers that stands in none of the texts, so that none of them can end its own passage.
///
/// It is made from the texts, so that the same task has the same prompt: who wrote a text cannot have known the hash of
/// all of them. It is looked for all the same.
fn tag<'a, T: Iterator<Item = &'a str>>(texts: impl Fn() -> T) -> String {
    let mut state = Sha256::new();
    for text in texts() {
        state.update((text.len() as u64).to_le_bytes());
        state.update(text);
    }
    unused(state.finalize().into(), &texts)
}

/// Returns the first name made from a hash, or its hash and so on, that is in none of the texts.
fn unused<'a, T: Iterator<Item = &'a str>>(mut digest: [u8; 32], texts: &impl Fn() -> T) -> String {
    loop {
        let name = format!("passage-{}", &hex(&digest)[..12]);
        if !texts().any(|text| text.contains(&name)) {
            return name;
        }
        digest = Sha256::digest(digest).into();
    }
}

/// Returns what must-keep patterns match in the passages that go.
fn matches(task: &Summarise) -> Result<Vec<&str>, DriverError> {
    let mut known = HashSet::new();
    let mut found = Vec::new();
    for pattern in patterns(&task.must_keep)? {
        for passage in task.passages.iter().filter(|passage| !passage.stays) {
            for place in pattern.find_iter(&passage.text).filter(|place| !place.as_str().trim().is_empty()) {
                if found.len() < MATCHES && known.insert(place.as_str()) {
                    found.push(place.as_str());
                }
            }
        }
    }
    Ok(found)
}

/// Replaces `{name}` in one pass; names that are not known stay.
fn substitute(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + values.iter().map(|(_, value)| value.len()).sum::<usize>());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = values.iter().find_map(|(name, value)| {
            let after = rest[1..].strip_prefix(name)?.strip_prefix('}')?;
            Some((*value, after))
        });
        match known {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::Passage;
    use crate::model::{EntryId, ObjectId, Role};

    fn task(texts: &[&str]) -> Summarise {
        let passage = |(nth, text): (usize, &&str)| Passage {
            id: EntryId::from_bits(nth as u64),
            role: if nth == 0 { Role::User } else { Role::Other("x>\nevil".to_owned()) },
            text: (*text).to_owned(),
            tokens: 5,
            body: ObjectId::Sha1([0; 20]),
            stays: nth == 0,
        };
        Summarise {
            passages: texts.iter().enumerate().map(passage).collect(),
            target_tokens: 77,
            ..Summarise::default()
        }
    }

    #[test]
    fn every_name_is_replaced_and_nothing_twice() {
        for form in [Form::Summary, Form::Title] {
            let task = Summarise {
                must_keep: vec![r"port = \d+".to_owned()],
                instructions: Some("mind {limit}".to_owned()),
                form,
                ..task(&["hello {passages} {limit}", "port = 80, port = 80, port = 81 {tag}"])
            };
            let text = Prompts::default().render(&Task::Summarise(task.clone())).expect("a prompt");
            assert!(text.contains("77 tokens") && text.contains("mind {limit}"), "{text}");
            assert!(text.contains("hello {passages} {limit}") && text.contains("81 {tag}\n</passage-"), "{text}");
            assert_eq!(text.matches("port = 80\nport = 81\n").count(), 1, "{text}");
            assert!(text.contains(" 1 user stays>\n") && text.contains(" 2 xevil>\n"), "{text}");
            assert_eq!(text.matches("</passage-").count(), 4, "two passages, the matches, the rule");
            assert_eq!(text, Prompts::default().render(&Task::Summarise(task)).expect("a prompt"), "the same again");
        }
    }

    #[test]
    fn sides_are_marked_and_a_missing_base_is_left_out() {
        let task = Reconcile {
            ours: "left".to_owned(),
            theirs: "right".to_owned(),
            conflict: "both-edited".to_owned(),
            ..Reconcile::default()
        };
        let text = Prompts::default().render(&Task::Reconcile(task)).expect("a prompt");
        assert!(
            text.contains("(both-edited)") && text.contains(" ours>\nleft\n</") && !text.contains(" base>"),
            "{text}"
        );
        assert!(!text.contains('{'), "{text}");
    }

    #[test]
    fn a_text_that_names_its_own_marker_gets_another() {
        let first = unused([7; 32], &|| ["x"].into_iter());
        let other = unused([7; 32], &|| ["x", first.as_str()].into_iter());
        assert_ne!(first, other);
        assert_eq!(tag(|| ["x"].into_iter()), tag(|| ["x"].into_iter()));
    }

    #[test]
    fn own_prompts_are_text_and_must_have_a_place() {
        let prompts = Prompts { summarise: Some("Short, {limit}: {passages} {x} {".to_owned()), ..Prompts::default() };
        let text = prompts.render(&Task::Summarise(task(&["a"]))).expect("a prompt");
        assert!(text.starts_with("Short, 77: <passage-") && text.ends_with(" {x} {"), "{text}");
        let prompts = Prompts { summarise: Some("Nothing".to_owned()), ..Prompts::default() };
        let error = prompts.render(&Task::Summarise(task(&["a"]))).expect_err("no place");
        assert_eq!(error.to_string(), "the prompt 'summarise' has no '{passages}'");
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
