//! Our entries in an agent's settings: put in, found, taken out again.

use serde_json::{Map, Value, json};

use super::agent::Entries;
use super::command::{command, is_ours};
use super::jsonc::{Document, JsoncError, Step};
use crate::capture::Agent;

/// The key under which all agents keep their hooks.
const HOOKS: &str = "hooks";

/// Says how our entries stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// There are none.
    None,
    /// All of them are there, as this version writes them.
    Whole,
    /// Some are missing, or are of another version.
    Partial,
}

/// Tells how our entries stand in a file.
///
/// # Errors
/// When the file has no place for them.
pub fn presence(document: &Document, agent: Agent, entries: &Entries) -> Result<Presence, JsoncError> {
    let found: Vec<(String, String)> = ours(document)?.into_iter().map(|found| (found.event, found.command)).collect();
    let wanted = wanted(agent, entries);
    Ok(match found.len() {
        0 => Presence::None,
        count if count == wanted.len() && wanted.iter().all(|one| found.contains(one)) => Presence::Whole,
        _ => Presence::Partial,
    })
}

/// Puts our entries into a file that has none.
///
/// # Errors
/// When something else stands where they belong.
pub fn add(document: &mut Document, agent: Agent, entries: &Entries) -> Result<(), JsoncError> {
    if entries.version && document.get(&["version"])?.is_none() {
        document.append_property(&[], "version", &json!(1))?;
    }
    let events = entries.events.iter().map(|(event, seconds)| (*event, element(agent, entries, event, *seconds)));
    match document.get(&[HOOKS])? {
        None => {
            let all: Map<String, Value> = events.map(|(event, element)| (event.to_owned(), json!([element]))).collect();
            document.append_property(&[], HOOKS, &Value::Object(all))
        }
        Some(Value::Object(_)) => {
            for (event, element) in events {
                match document.get(&[HOOKS, event])? {
                    Some(_) => document.append_element(&[HOOKS, event], &element)?,
                    None => document.append_property(&[HOOKS], event, &json!([element]))?,
                }
            }
            Ok(())
        }
        Some(_) => Err(JsoncError::Other { place: HOOKS.to_owned(), wanted: "an object" }),
    }
}

/// Takes our entries out, and what is empty without them; what was empty before stays.
///
/// `kept` names what was empty before: `hooks`, or an event.
///
/// # Errors
/// When the file cannot be read.
pub fn remove(document: &mut Document, kept: &[String]) -> Result<(), JsoncError> {
    let key = |key: &str| Step::Key(key.to_owned());
    // Each round takes one entry out and reads again, so that positions are right.
    while let Some(found) = ours(document)?.into_iter().next() {
        let mut path = vec![key(HOOKS), key(&found.event), Step::Index(found.element)];
        if let Some(handler) = found.handler {
            path.extend([key(HOOKS), Step::Index(handler)]);
        }
        document.remove(&path)?;
        let empty = matches!(document.get(&[HOOKS, &found.event])?, Some(Value::Array(left)) if left.is_empty());
        if empty && !kept.contains(&found.event) {
            document.remove(&[key(HOOKS), key(&found.event)])?;
        }
        let empty = matches!(document.get(&[HOOKS])?, Some(Value::Object(left)) if left.is_empty());
        if empty && !kept.iter().any(|one| one == HOOKS) {
            document.remove(&[key(HOOKS)])?;
        }
    }
    Ok(())
}

/// Puts back what looked like an entry of ours and was the user's: what of it stands in `original` and is not in the file
/// any more.
///
/// # Errors
/// When something else stands where they belong.
pub fn put_back(document: &mut Document, original: &Document) -> Result<(), JsoncError> {
    for found in ours(original)? {
        if ours(document)?.iter().any(|now| (&now.event, &now.command) == (&found.event, &found.command)) {
            continue;
        }
        let Some(mut element) = original.get(&[HOOKS, &found.event])?.and_then(|list| list.get(found.element).cloned())
        else {
            continue;
        };
        // The others of its group are there still.
        if let (Some(at), Some(handlers)) = (found.handler, element.get_mut(HOOKS).and_then(Value::as_array_mut)) {
            *handlers = vec![handlers[at].clone()];
        }
        if document.get(&[HOOKS])?.is_none() {
            document.append_property(&[], HOOKS, &json!({}))?;
        }
        match document.get(&[HOOKS, &found.event])? {
            Some(_) => document.append_element(&[HOOKS, &found.event], &element)?,
            None => document.append_property(&[HOOKS], &found.event, &json!([element]))?,
        }
    }
    Ok(())
}

/// Names what is there and empty, so that it stays when our entries go.
///
/// # Errors
/// When the file cannot be read.
pub fn empty_places(document: &Document) -> Result<Vec<String>, JsoncError> {
    let Some(Value::Object(events)) = document.get(&[HOOKS])? else { return Ok(Vec::new()) };
    let mut kept: Vec<String> = Vec::new();
    if events.is_empty() {
        kept.push(HOOKS.to_owned());
    }
    let empty = events.iter().filter(|(_, value)| value.as_array().is_some_and(Vec::is_empty));
    kept.extend(empty.map(|(event, _)| event.clone()));
    Ok(kept)
}

/// Tells whether a file holds nothing but what we would write into an empty one beside our entries.
///
/// # Errors
/// When the file cannot be read.
pub fn is_bare(document: &Document) -> Result<bool, JsoncError> {
    Ok(match document.get(&[])? {
        None => true,
        Some(Value::Object(all)) => all.iter().all(|(key, value)| key == "version" && *value == json!(1)),
        Some(_) => false,
    })
}

/// One entry of ours.
struct Found {
    event: String,
    command: String,
    /// Its place in the event's list.
    element: usize,
    /// Its place in the group's list, if others are in the group too.
    handler: Option<usize>,
}

fn ours(document: &Document) -> Result<Vec<Found>, JsoncError> {
    let Some(Value::Object(events)) = document.get(&[HOOKS])? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (event, elements) in &events {
        for (at, element) in elements.as_array().into_iter().flatten().enumerate() {
            let mut add = |command: &str, handler| {
                found.push(Found { event: event.clone(), command: command.to_owned(), element: at, handler });
            };
            if let Some(command) = own_command(element) {
                add(command, None);
            }
            let handlers = element.get(HOOKS).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for (place, handler) in handlers.iter().enumerate() {
                if let Some(command) = own_command(handler) {
                    add(command, (handlers.len() > 1).then_some(place));
                }
            }
        }
    }
    Ok(found)
}

fn own_command(handler: &Value) -> Option<&str> {
    let command = ["command", "bash"].iter().find_map(|key| handler.get(key)?.as_str());
    command.filter(|command| is_ours(command))
}

fn wanted(agent: Agent, entries: &Entries) -> Vec<(String, String)> {
    let own = |event: &str| command(agent.name(), entries.told_as(event));
    entries.events.iter().map(|(event, _)| ((*event).to_owned(), own(event))).collect()
}

fn element(agent: Agent, entries: &Entries, event: &str, seconds: u64) -> Value {
    let mut handler = Map::new();
    if entries.typed {
        handler.insert("type".to_owned(), json!("command"));
    }
    let command = command(agent.name(), entries.told_as(event));
    handler.insert(entries.command.to_owned(), json!(command));
    if let Some((key, units)) = entries.limit {
        handler.insert(key.to_owned(), json!(seconds * units));
    }
    if entries.grouped { json!({ HOOKS: [handler] }) } else { Value::Object(handler) }
}

#[cfg(test)]
mod tests {
    use super::super::agent::{AgentHooks, Form};
    use super::super::jsonc::without;
    use super::*;

    fn all() -> impl Iterator<Item = (Agent, &'static Entries)> {
        AgentHooks::all().iter().filter_map(|one| match &one.form {
            Form::Entries(entries) => Some((one.agent, entries)),
            Form::Whole(_) => None,
        })
    }

    const FILES: [&str; 8] = [
        "",
        "{}\n",
        "{\"hooks\": {}}",
        "{\n  \"permissions\": {\"allow\": [\"Bash(ls:*)\"]}, // mine\n  \"zeta\": 1\n}\n",
        "{\"hooks\":{\"Stop\":[{\"matcher\":\"\",\"hooks\":[{\"type\":\"command\",\"command\":\"afplay x\"}]}]}}",
        "\u{feff}{\r\n\t\"hooks\": {\r\n\t\t\"SessionStart\": [],\r\n\t},\r\n}\r\n",
        "{\n    \"version\": 1,\n    \"hooks\": {\n        \"stop\": [\n            { \"command\": \"./a.sh\" }\n        ]\n    }\n}",
        "{ \"model\": \"x\", \"hooks\": { \"AfterTool\": [ ] } }",
    ];

    #[test]
    fn entries_come_and_go_without_a_byte_of_the_rest() {
        for (agent, entries) in all() {
            for text in FILES {
                let mut document = Document::parse(text.as_bytes()).expect("a document");
                let kept = empty_places(&document).expect("readable");
                assert_eq!(presence(&document, agent, entries), Ok(Presence::None));
                add(&mut document, agent, entries).expect("there is a place");
                assert_eq!(presence(&document, agent, entries), Ok(Presence::Whole), "{agent}: {text}");
                let bytes = document.bytes();
                assert_eq!(without(&bytes, &document.inserted()).as_deref(), Some(text.as_bytes()), "{agent}: {text}");

                // Without knowing what was put in: the meaning of the rest is as it was.
                let before = Document::parse(text.as_bytes()).expect("a document").get(&[]).expect("no key twice");
                remove(&mut document, &kept).expect("readable");
                let mut after = document.get(&[]).expect("no key twice");
                if let Some(Value::Object(all)) = &mut after
                    && before.as_ref().is_none_or(|before| before.get("version").is_none())
                {
                    all.remove("version");
                }
                assert_eq!(after.unwrap_or_else(|| json!({})), before.unwrap_or_else(|| json!({})), "{agent}: {text}");
                assert_eq!(presence(&document, agent, entries), Ok(Presence::None));
            }
        }
    }

    #[test]
    fn a_file_that_was_edited_meanwhile_loses_our_entries_only() {
        let (agent, entries) = all().next().expect("claude");
        let mut document = Document::parse(b"{\n  \"a\": 1\n}\n").expect("a document");
        add(&mut document, agent, entries).expect("there is a place");
        let text = String::from_utf8(document.bytes()).expect("text");
        // The user put an own handler into our group, a matcher into another one, and a new key at the end.
        let stop = text.find("\"Stop\"").expect("the event");
        let handler = text[stop..].find("{\n            \"type\"").expect("our handler") + stop;
        let mut edited = text.clone();
        edited.insert_str(handler, "{ \"type\": \"command\", \"command\": \"mine\" },\n          ");
        let edited = edited.replacen(
            "\"PostToolUse\": [\n      {",
            "\"PostToolUse\": [\n      {\n        \"matcher\": \"Edit\",",
            1,
        );
        let edited = edited.replacen("\n}\n", ",\n  \"z\": [2]\n}\n", 1);
        let mut document = Document::parse(edited.as_bytes()).expect("a document");
        assert_eq!(presence(&document, agent, entries), Ok(Presence::Whole));
        remove(&mut document, &[]).expect("readable");
        let left = document.get(&[]).expect("no key twice").expect("an object");
        let mine = json!({ "Stop": [{ "hooks": [{ "type": "command", "command": "mine" }] }] });
        assert_eq!(left, json!({ "a": 1, "hooks": mine, "z": [2] }));
    }

    #[test]
    fn a_part_of_our_entries_is_seen() {
        let (agent, entries) = all().next().expect("claude");
        let text =
            "{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"git-trace hook claude\"}]}]}}";
        let mut document = Document::parse(text.as_bytes()).expect("a document");
        assert_eq!(presence(&document, agent, entries), Ok(Presence::Partial));
        remove(&mut document, &[]).expect("readable");
        assert_eq!(document.bytes(), b"{}");
    }

    proptest::proptest! {
        #[test]
        fn odd_files_are_refused_or_given_back(text in "[\\[\\]{}:,\"/* a\\n0-9]{0,40}|\\{\"hooks\": ?[\\[\\]{}:,\"aStop\\n ]{0,30}\\}") {
            let (agent, entries) = all().next().expect("claude");
            if let Ok(mut document) = Document::parse(text.as_bytes())
                && add(&mut document, agent, entries).is_ok()
            {
                proptest::prop_assert_eq!(presence(&document, agent, entries), Ok(Presence::Whole));
                let without = without(&document.bytes(), &document.inserted());
                proptest::prop_assert_eq!(without.as_deref(), Some(text.as_bytes()));
                remove(&mut document, &[]).expect("readable");
                proptest::prop_assert_eq!(presence(&document, agent, entries), Ok(Presence::None));
            }
        }
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let (agent, entries) = all().next().expect("claude");
        for (text, complaint) in [
            ("{\"hooks\": []}", "'hooks' is not an object"),
            ("{\"hooks\": {\"Stop\": {}}}", "'hooks.Stop' is not a list"),
            ("{\"hooks\": {}, \"hooks\": {}}", "'hooks' stands there twice"),
        ] {
            let mut document = Document::parse(text.as_bytes()).expect("a document");
            let error = add(&mut document, agent, entries).expect_err("no place");
            assert_eq!(error.to_string(), complaint);
        }
    }
}
