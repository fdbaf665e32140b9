//! Any valid conversation, and any damage to it.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::export::validate;
use proptest::test_runner::TestRunner;

/// Says what an entry of a generated conversation carries.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    role: &'static str,
    body: String,
    /// Sources of the Anthropic blocks in it that must come out as they went in.
    blocks: Vec<String>,
    paired: bool,
}

#[derive(Debug, Clone)]
struct Turn {
    before: Vec<(u8, String)>,
    thinks: bool,
    says: Option<String>,
    calls: Vec<(String, u8)>,
    /// How results are put into entries, and in which order.
    order: Vec<Index>,
    joined: bool,
    shape: u8,
    after: Vec<(u8, String)>,
}

fn words() -> impl Strategy<Value = String> {
    "[a-z<\"\\\\\n\u{1}é😀` ]{0,12}[a-z]"
}

fn turn() -> impl Strategy<Value = Turn> {
    let others = || prop::collection::vec((0..5_u8, words()), 0..3);
    let calls = prop::collection::vec((words(), 0..4_u8), 0..4);
    let order = prop::collection::vec(any::<Index>(), 4);
    let says = prop::option::of(words());
    (others(), any::<bool>(), says, calls, order, any::<bool>(), 0..3_u8, others()).prop_map(
        |(before, thinks, says, calls, order, joined, shape, after)| Turn {
            before,
            thinks,
            says,
            calls,
            order,
            joined,
            shape,
            after,
        },
    )
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn other(kind: u8, text: &str) -> Made {
    let (role, body) = match kind {
        0 => ("user", text.to_owned()),
        1 => ("user", json(text)),
        2 => ("summary", text.to_owned()),
        3 => ("system", text.to_owned()),
        _ => ("event", text.to_owned()),
    };
    Made { role, body, blocks: Vec::new(), paired: false }
}

/// Builds the entries of a conversation; every block has a number, so that no two are the same.
fn build(first: &str, turns: &[Turn]) -> Vec<Made> {
    let mut made = vec![other(3, "instructions"), other(0, first)];
    for (number, turn) in turns.iter().enumerate() {
        made.extend(turn.before.iter().map(|(kind, text)| other(*kind, text)));
        let text = turn.says.clone().unwrap_or_else(|| "ok".to_owned());
        let ids: Vec<String> =
            turn.calls.iter().enumerate().map(|(place, _)| format!("call_{number}_{place}")).collect();
        let input = |size: u8| {
            ["{}", "{ \"n\" : 3e303 }", "{\"b\":[1.0,{}],\"a\":\"\\u00e9\"}", "{\"x\":null}"][usize::from(size)]
        };
        let mut results: Vec<(String, String)> =
            ids.iter().zip(&turn.calls).map(|(id, (text, _))| (id.clone(), text.clone())).collect();
        for (place, index) in turn.order.iter().enumerate().take(results.len()) {
            results.swap(place, index.index(turn.calls.len()));
        }
        let (mut blocks, body) = match turn.shape {
            0 => {
                let mut blocks = Vec::new();
                if turn.thinks {
                    blocks.push(format!(r#"{{"type":"thinking","thinking":"{number}","signature":"s/+{number}="}}"#));
                }
                blocks.push(format!(r#"{{"text":{},"type":"text","n":{number}}}"#, json(&text)));
                for (id, (name, size)) in ids.iter().zip(&turn.calls) {
                    let input = input(*size);
                    blocks.push(format!(r#"{{"type":"tool_use","id":"{id}","name":{},"input":{input}}}"#, json(name)));
                }
                let body = format!("[{}]", blocks.join(" ,\n"));
                (blocks, body)
            }
            1 => {
                let call = |(id, (name, size)): (&String, &(String, u8))| {
                    format!(
                        r#"{{"id":"{id}","type":"function","function":{{"name":{},"arguments":{}}}}}"#,
                        json(name),
                        json(input(*size))
                    )
                };
                let calls: Vec<String> = ids.iter().zip(&turn.calls).map(call).collect();
                let calls =
                    if calls.is_empty() { String::new() } else { format!(r#","tool_calls":[{}]"#, calls.join(",")) };
                (Vec::new(), format!(r#"{{"role":"assistant","content":{}{calls}}}"#, json(&text)))
            }
            _ => {
                let mut items = vec![format!(
                    r#"{{"type":"message","role":"assistant","content":[{{"type":"output_text","text":{}}}]}}"#,
                    json(&text)
                )];
                for (id, (name, size)) in ids.iter().zip(&turn.calls) {
                    items.push(format!(
                        r#"{{"type":"function_call","call_id":"{id}","name":{},"arguments":{}}}"#,
                        json(name),
                        json(input(*size))
                    ));
                }
                (Vec::new(), format!("[{}]", items.join(",")))
            }
        };
        made.push(Made { role: "assistant", body, blocks: std::mem::take(&mut blocks), paired: !ids.is_empty() });
        let mut answers = Vec::new();
        let mut after = turn.after.iter();
        for (id, text) in &results {
            let (source, is_block) = match turn.shape {
                0 => (format!(r#"{{"tool_use_id":"{id}","type":"tool_result","content":{}}}"#, json(text)), true),
                1 => (format!(r#"{{"role":"tool","tool_call_id":"{id}","content":{}}}"#, json(text)), false),
                _ => (format!(r#"{{"type":"function_call_output","call_id":"{id}","output":{}}}"#, json(text)), false),
            };
            let blocks = if is_block { vec![source.clone()] } else { Vec::new() };
            if turn.joined {
                answers.push((source, blocks));
            } else {
                made.push(Made { role: "tool", body: source, blocks, paired: true });
                made.extend(after.next().map(|(kind, text)| other(*kind, text)));
            }
        }
        if !answers.is_empty() {
            let (sources, blocks): (Vec<String>, Vec<Vec<String>>) = answers.into_iter().unzip();
            made.push(Made {
                role: "tool",
                body: format!("[{}]", sources.join(",")),
                blocks: blocks.concat(),
                paired: true,
            });
        }
        made.extend(after.map(|(kind, text)| other(*kind, text)));
    }
    made
}

fn items(made: &[Made]) -> Vec<Item> {
    let entries: Vec<(&str, &str)> = made.iter().map(|made| (made.role, made.body.as_str())).collect();
    let mut items = context(&entries);
    // Generated text may begin like JSON; only what is built as JSON is.
    for (item, made) in items.iter_mut().zip(made) {
        let is_json = serde_json::from_str::<serde_json::Value>(&made.body).is_ok();
        item.entry.kind =
            if is_json && made.body.starts_with(['[', '{', '"']) { BodyKind::Json } else { BodyKind::Text };
    }
    items
}

const PROVIDERS: [Format; 3] = [Format::Anthropic, Format::OpenaiChat, Format::OpenaiResponses];

/// Returns what every call was given and every result said, as the output has it, in an order of its own.
fn substance(format: Format, document: &str) -> Vec<(String, serde_json::Value)> {
    use serde_json::Value;
    let document: Value = serde_json::from_str(document).expect("JSON");
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parsed = |value: &Value| serde_json::from_str::<Value>(value.as_str().unwrap_or_default()).expect("arguments");
    let mut found = Vec::new();
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    match format {
        Format::Anthropic => {
            for block in list(&document["messages"]).iter().flat_map(|message| list(&message["content"])) {
                match block["type"].as_str() {
                    Some("tool_use") => found.push((format!("call {}", name(&block["id"])), block["input"].clone())),
                    Some("tool_result") => {
                        found.push((format!("result {}", name(&block["tool_use_id"])), block["content"].clone()))
                    }
                    _ => {}
                }
            }
        }
        Format::OpenaiChat => {
            for message in list(&document["messages"]) {
                for call in list(&message["tool_calls"]) {
                    found.push((format!("call {}", name(&call["id"])), parsed(&call["function"]["arguments"])));
                }
                if message["role"] == "tool" {
                    found.push((format!("result {}", name(&message["tool_call_id"])), message["content"].clone()));
                }
            }
        }
        _ => {
            for item in list(&document["input"]) {
                match item["type"].as_str() {
                    Some("function_call") => {
                        found.push((format!("call {}", name(&item["call_id"])), parsed(&item["arguments"])))
                    }
                    Some("function_call_output") => {
                        found.push((format!("result {}", name(&item["call_id"])), item["output"].clone()))
                    }
                    _ => {}
                }
            }
        }
    }
    found.sort_by(|left, right| left.0.cmp(&right.0));
    found
}

proptest! {
    #[test]
    fn a_valid_conversation_renders_in_every_form(first in words(), turns in prop::collection::vec(turn(), 0..6)) {
        let made = build(&first, &turns);
        let items = items(&made);
        prop_assert_eq!(validate(&items), vec![]);
        let mut substances = Vec::new();
        for format in PROVIDERS {
            let (document, _) = rendered(&items, format);
            checker::check(format, &document).map_err(TestCaseError::fail)?;
            if format == Format::Anthropic {
                for block in made.iter().flat_map(|made| &made.blocks) {
                    prop_assert_eq!(document.matches(block.as_str()).count(), 1, "{}", block);
                }
            }
            substances.push(substance(format, &document));
        }
        let calls: usize = turns.iter().map(|turn| turn.calls.len()).sum();
        prop_assert_eq!(substances[0].len(), 2 * calls);
        prop_assert_eq!(&substances[0], &substances[1]);
        prop_assert_eq!(&substances[0], &substances[2]);
        let all = Options { all: true, ..Options::new(Format::Jsonl) };
        let (lines, _) = try_render(&items, all).expect("lines");
        prop_assert_eq!(lines.lines().count(), items.len());
        for (line, item) in lines.lines().zip(&items) {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let body = match item.entry.kind {
                BodyKind::Json => serde_json::from_slice(&item.body).expect("JSON"),
                _ => serde_json::Value::from(String::from_utf8_lossy(&item.body)),
            };
            prop_assert_eq!(&line["content"], &body);
        }
        rendered(&items, Format::Markdown);
    }

    #[test]
    fn damage_is_found_or_does_no_harm(
        turns in prop::collection::vec(turn(), 1..5), drop in any::<bool>(), one in any::<Index>(), two in any::<Index>()
    ) {
        let made = build("x", &turns);
        let mut items = items(&made);
        let mut must_fail = false;
        if drop {
            let gone = one.index(items.len());
            must_fail = made[gone].paired;
            items.remove(gone);
        } else {
            items.swap(one.index(made.len()), two.index(made.len()));
        }
        let problems = validate(&items);
        prop_assert!(!must_fail || !problems.is_empty());
        for format in PROVIDERS {
            let found = problems.iter().any(|problem| problem.concerns(format));
            match try_render(&items, Options::new(format)) {
                Ok((document, _)) => {
                    prop_assert!(!found);
                    checker::check(format, &document).map_err(TestCaseError::fail)?;
                }
                Err(_) => prop_assert!(found),
            }
        }
    }

    #[test]
    fn trimming_the_end_of_an_interrupted_session_makes_it_valid(
        turns in prop::collection::vec(turn(), 1..5), cut in any::<Index>()
    ) {
        let made = build("x", &turns);
        let items = items(&made);
        let kept = 2 + cut.index(items.len() - 1);
        for format in PROVIDERS {
            let options = Options { trim: true, ..Options::new(format) };
            let (document, rendered) = try_render(&items[..kept.min(items.len())], options).expect("trimmed");
            checker::check(format, &document).map_err(TestCaseError::fail)?;
            prop_assert!(rendered.trimmed.len() <= 5);
        }
    }

    #[test]
    fn no_body_makes_trouble(body in prop::collection::vec(any::<u8>(), 0..60), shape in "[\\[\\]{}\",:a-z0-9 ]{0,40}") {
        for body in [&body[..], shape.as_bytes()] {
            for (role, kind) in [("user", BodyKind::Json), ("tool", BodyKind::Json), ("assistant", BodyKind::Text)] {
                let items = [item(0, "user", BodyKind::Text, b"x"), item(1, role, kind, body)];
                for format in Format::ALL {
                    let mut out = Vec::new();
                    let done = render(&items, &Options::new(format), &mut out);
                    if format.is_for_a_provider() && done.is_ok() {
                        let document = String::from_utf8(out).expect("UTF-8");
                        checker::check(format, &document).map_err(TestCaseError::fail)?;
                    }
                }
            }
        }
    }
}

#[test]
#[ignore = "writes the files that tests/providers/check_types.py reads, into GITTRACE_TYPE_CHECK_DIR"]
fn documents_for_the_type_check() {
    use proptest::strategy::ValueTree;

    let folder = std::env::var("GITTRACE_TYPE_CHECK_DIR").expect("the variable names a folder");
    let mut runner = TestRunner::deterministic();
    let mut contexts = vec![session()];
    for _ in 0..100 {
        let turns = prop::collection::vec(turn(), 0..6).new_tree(&mut runner).expect("a value").current();
        contexts.push(items(&build("x", &turns)));
    }
    for (number, items) in contexts.iter().enumerate() {
        for format in PROVIDERS {
            let (document, _) = rendered(items, format);
            std::fs::write(format!("{folder}/{number}.{format}.json"), document).expect("a writable folder");
        }
    }
}
