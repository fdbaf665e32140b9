//! Promises of this room.

mod anthropic;
mod checker;
mod faults;
mod openai;
mod people;
mod random;
mod recorded;

use super::{Dropped, Format, Lost, Options, RenderError, Rendered, render};
use crate::model::{BodyKind, Entry, EntryId, Flags, HashKind, Item, ObjectId, Position, Role};

/// Makes an entry; its id is its place.
fn item(place: usize, role: &str, kind: BodyKind, body: &[u8]) -> Item {
    Item {
        entry: Entry {
            position: Position::new(place as u64).expect("small"),
            role: Role::from_name(role),
            tokens: body.len() as u64,
            id: EntryId::from_bits(place as u64),
            flags: Flags::default(),
            kind,
            body: ObjectId::from_bytes(&[0; HashKind::Sha1.id_len()]).expect("20 bytes"),
            meta: None,
        },
        body: body.to_vec(),
    }
}

/// Makes a context of roles and bodies: a body that starts with `[`, `{` or `"` is JSON.
fn context(entries: &[(&str, &str)]) -> Vec<Item> {
    let one = |(place, (role, body)): (usize, &(&str, &str))| {
        let kind = if body.starts_with(['[', '{', '"']) { BodyKind::Json } else { BodyKind::Text };
        item(place, role, kind, body.as_bytes())
    };
    entries.iter().enumerate().map(one).collect()
}

fn try_render(items: &[Item], options: Options) -> Result<(String, Rendered), RenderError> {
    let mut out = Vec::new();
    let rendered = render(items, &options, &mut out)?;
    Ok((String::from_utf8(out).expect("UTF-8"), rendered))
}

/// Renders what must be valid.
fn rendered(items: &[Item], format: Format) -> (String, Rendered) {
    try_render(items, Options::new(format)).expect("a valid context")
}

/// Returns what was lost, with the places of the entries.
fn lost(rendered: &Rendered) -> Vec<(usize, Lost)> {
    let place = |dropped: &Dropped| (0..).find(|place| EntryId::from_bits(*place) == dropped.entry);
    rendered.dropped.iter().map(|dropped| (place(dropped).expect("an id") as usize, dropped.what.clone())).collect()
}

/// A session with everything that is common: instructions, thinking, parallel calls, a picture, a summary.
fn session() -> Vec<Item> {
    context(&[
        ("system", "You are a careful engineer."),
        ("user", "Why does \"make\" fail?"),
        (
            "assistant",
            r#"[{"type":"thinking","thinking":"Look first.","signature":"c2ln"},
 {"type":"text","text":"I will look.\n"},
 {"type":"tool_use","id":"toolu_1","name":"Bash","input":{"timeout": 3e303, "command":"make \u00e9"}},
 {"type":"tool_use","id":"toolu_2","name":"Read","input":{}}]"#,
        ),
        (
            "tool",
            r#"[{"tool_use_id":"toolu_2","type":"tool_result","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}}]}]"#,
        ),
        ("event", "disk is full"),
        (
            "tool",
            r#"[{"tool_use_id":"toolu_1","type":"tool_result","content":"No rule to make target","is_error":true},{"type":"text","text":"(hook) slow"}]"#,
        ),
        ("system", "The user opened Makefile."),
        ("assistant", r#""A rule is missing.""#),
        ("summary", "Rule was added."),
        (
            "user",
            r#"[{"type":"text","text":"Thanks"},{"type":"image","source":{"type":"url","url":"https://example.org/a.png"}}]"#,
        ),
    ])
}
