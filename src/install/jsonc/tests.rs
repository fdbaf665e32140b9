//! What is put in comes out again, and nothing else changes.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes()).expect("a document")
}

/// Puts a property in, and checks the promise.
fn appended(text: &str, path: &[&str], key: &str, value: &Value) -> String {
    let mut one = document(text);
    one.append_property(path, key, value).expect("an object");
    let bytes = one.bytes();
    assert_eq!(without(&bytes, &one.inserted()).as_deref(), Some(text.as_bytes()), "{text:?}");
    let full: Vec<&str> = path.iter().copied().chain([key]).collect();
    let reread = Document::parse(&bytes).expect("still a document").get(&full);
    assert_eq!(reread, Ok(Some(value.clone())), "{text:?}");
    String::from_utf8(bytes).expect("text")
}

#[test]
fn items_are_put_in_where_a_person_would() {
    let value = json!(["x"]);
    assert_eq!(appended("", &[], "a", &value), "{\n  \"a\": [\n    \"x\"\n  ]\n}\n");
    assert_eq!(appended("{}", &[], "a", &value), "{\n  \"a\": [\n    \"x\"\n  ]\n}");
    assert_eq!(appended("{\n}\n", &[], "a", &value), "{\n  \"a\": [\n    \"x\"\n  ]\n}\n");
    assert_eq!(appended("{\"b\":1}", &[], "a", &value), "{\"b\":1, \"a\": [\"x\"]}");
    assert_eq!(appended("{\"b\":{}}", &["b"], "a", &value), "{\"b\":{\"a\": [\"x\"]}}");
    assert_eq!(
        appended("{\r\n\t\"b\": 1, // one\r\n}\r\n", &[], "a", &value),
        "{\r\n\t\"b\": 1, // one\r\n\t\"a\": [\r\n\t\t\"x\"\r\n\t],\r\n}\r\n"
    );
    assert_eq!(
        appended("// head\n{\n    \"b\": 1 // one\n    // end\n}\n", &[], "a", &value),
        "// head\n{\n    \"b\": 1, // one\n    // end\n    \"a\": [\n        \"x\"\n    ]\n}\n"
    );
    assert_eq!(appended("{ /* no, \"x\" */ }", &[], "a", &json!(1)), "{ /* no, \"x\" */\n  \"a\": 1\n }");
    let mut list = document("{\n  \"l\": [1]\n}");
    list.append_element(&["l"], &json!({"a": 1})).expect("a list");
    assert_eq!(list.bytes(), b"{\n  \"l\": [1, {\"a\":1}]\n}");
}

#[test]
fn a_byte_order_mark_stays() {
    let mut one = Document::parse("\u{feff}{}".as_bytes()).expect("a document");
    one.append_property(&[], "a", &json!(1)).expect("an object");
    assert!(one.bytes().starts_with("\u{feff}{\n".as_bytes()));
    assert_eq!(without(&one.bytes(), &one.inserted()), Some("\u{feff}{}".as_bytes().to_vec()));
}

#[test]
fn several_insertions_are_told_apart_from_what_was_there() {
    for text in
        ["{}", "{\"hooks\": {}}", "{\n  \"hooks\": {\n    \"A\": [ 1 ],\n  }, // x\n}", "{\"hooks\":{\"A\":[]}}"]
    {
        let mut one = document(text);
        if one.get(&["hooks"]) == Ok(None) {
            one.append_property(&[], "hooks", &json!({})).expect("an object");
        }
        for key in ["B", "C", "D"] {
            one.append_property(&["hooks"], key, &json!([{ "k": key }])).expect("an object");
            one.append_element(&["hooks", key], &json!("more")).expect("a list");
        }
        assert_eq!(without(&one.bytes(), &one.inserted()).as_deref(), Some(text.as_bytes()), "{text}");
        assert_eq!(one.get(&["hooks", "C"]), Ok(Some(json!([{ "k": "C" }, "more"]))), "{text}");
    }
}

#[test]
fn what_is_no_settings_file_is_refused() {
    let refused = |text: &[u8]| Document::parse(text).expect_err("no document").to_string();
    assert_eq!(refused(b"{\"a\": \xff}"), "it is not UTF-8");
    assert!(refused(b"{\"a\": 1").starts_with("it is not JSON: "), "{}", refused(b"{\"a\": 1"));
    assert!(refused(b"{\"a\": 1 \"b\": 2}").starts_with("it is not JSON: "));
    assert!(refused(b"{a: 1}").starts_with("it is not JSON: "));
    assert_eq!(refused(b"[1]"), "'the whole' is not an object");
    assert!(refused("[".repeat(100_000).as_bytes()).starts_with("it is not JSON: "));
    let twice = document("{\"a\": {}, \"a\": {}}").append_property(&["a"], "b", &json!(1));
    assert_eq!(twice, Err(JsoncError::Twice { key: "a".to_owned() }));
    let other = document("{\"a\": 1}").append_property(&["a"], "b", &json!(1)).map_err(|error| error.to_string());
    assert_eq!(other, Err("'a' is not an object".to_owned()));
}

#[test]
fn items_are_taken_out_with_their_commas() {
    let removed = |text: &str, path: &[Step]| {
        let mut one = document(text);
        one.remove(path).expect("it is there");
        document(&one.text);
        one.text
    };
    let key = |key: &str| Step::Key(key.to_owned());
    assert_eq!(removed("{\"a\": 1, \"b\": 2}", &[key("b")]), "{\"a\": 1}");
    assert_eq!(removed("{\"a\": 1, \"b\": 2}", &[key("a")]), "{ \"b\": 2}");
    assert_eq!(removed("{\n  \"a\": 1, // one\n  \"b\": 2\n}", &[key("b")]), "{\n  \"a\": 1 // one\n}");
    assert_eq!(removed("{\n  \"a\": 1,\n  \"b\": 2,\n}", &[key("b")]), "{\n  \"a\": 1,\n}");
    assert_eq!(removed("{\"l\": [1, [2], 3]}", &[key("l"), Step::Index(1)]), "{\"l\": [1, 3]}");
    assert_eq!(removed("{\"l\": [[2]]}", &[key("l"), Step::Index(0), Step::Index(0)]), "{\"l\": [[]]}");
    assert!(document("{}").remove(&[key("a")]).is_err());
}

/// Random documents in random dress.
fn text() -> impl Strategy<Value = String> {
    let blank = prop_oneof![
        Just(""),
        Just(" "),
        Just("\n"),
        Just("\r\n"),
        Just("\n\t"),
        Just(" /* , } */ "),
        Just(" // ,]\n"),
        Just("\n    ")
    ]
    .prop_map(str::to_owned)
    .boxed();
    let leaf = prop_oneof![Just("1"), Just("\"a,b]\""), Just("null"), Just("{}"), Just("[]"), Just("true")];
    let leaf = leaf.prop_map(str::to_owned).boxed();
    let value = leaf.prop_recursive(3, 24, 4, {
        let blank = blank.clone();
        move |inner| {
            let item = (blank.clone(), inner, blank.clone());
            let list = prop::collection::vec(item.clone(), 0..4);
            let tail = (blank.clone(), any::<bool>());
            prop_oneof![
                (list.clone(), tail.clone()).prop_map(|(items, tail)| wrap('[', ']', items, tail, false)),
                (list, tail).prop_map(|(items, tail)| wrap('{', '}', items, tail, true)),
            ]
        }
    });
    let item = (blank.clone(), value, blank.clone());
    (blank.clone(), prop::collection::vec(item, 0..4), (blank.clone(), any::<bool>()), blank)
        .prop_map(|(before, items, tail, after)| before + &wrap('{', '}', items, tail, true) + &after)
}

fn wrap(open: char, close: char, items: Vec<(String, String, String)>, tail: (String, bool), keyed: bool) -> String {
    let count = items.len();
    let mut text = String::from(open);
    for (at, (before, value, after)) in items.into_iter().enumerate() {
        let key = if keyed { format!("\"k{at}\":") } else { String::new() };
        let comma = if at + 1 < count || tail.1 { "," } else { "" };
        text += &format!("{before}{key}{value}{after}{comma}");
    }
    text + &tail.0 + &close.to_string()
}

proptest! {
    #[test]
    fn what_was_put_in_comes_out_again(text in text()) {
        let mut one = document(&text);
        let before = one.get(&[]).expect("no key twice");
        one.append_property(&[], "hooks", &json!({ "A": [1] })).expect("an object");
        one.append_property(&["hooks"], "B", &json!([{ "c": {} }])).expect("an object");
        one.append_element(&["hooks", "B"], &json!([])).expect("a list");
        for at in 0..4 {
            let key = format!("k{at}");
            let _ = one.append_property(&[&key], "n", &json!({ "x": [1, 2] }));
            let _ = one.append_element(&[&key], &json!({ "x": 1 }));
        }
        prop_assert_eq!(without(&one.bytes(), &one.inserted()), Some(text.as_bytes().to_vec()));
        let again = Document::parse(&one.bytes()).expect("still a document");
        prop_assert_eq!(again.get(&["hooks", "B"]), Ok(Some(json!([{ "c": {} }, []]))));
        // And by itself, without knowing what was put in.
        let mut only = document(&text);
        only.append_property(&[], "hooks", &json!({ "A": [1] })).expect("an object");
        only.remove(&[Step::Key("hooks".to_owned())]).expect("it is there");
        prop_assert_eq!(document(&only.text).get(&[]).expect("no key twice"), before);
    }
}
