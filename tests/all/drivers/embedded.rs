//! The driver that is built in: its limit is hard, its time bounded, its choice the same every time.

use std::time::{Duration, Instant};

use git_trace::drivers::{Driver, DriverError, Embedded, Form, Passage, Reconcile, Summarise, Task, entities};
use git_trace::model::Role;
use git_trace::tokens::Encoding;
use proptest::prelude::*;

use super::passage;

fn summarise(task: Summarise) -> String {
    Embedded::default().carry_out(&Task::Summarise(task)).expect("an extract").text
}

/// Any text that a tool may print or a person paste.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        r"[a-zA-Z0-9_./: \n]{0,400}",
        r"\PC{0,200}",
        r"[ \n\t\r]{0,80}",
        proptest::collection::vec(any::<u8>(), 0..600).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        (r"\PC{1,40}", 1usize..200).prop_map(|(text, times)| text.repeat(times)),
        (r"[a-z]{1,8}\.(rs|py)|[A-Z]{2}[0-9]{3}|error: [a-z]{1,9}", 1usize..60)
            .prop_map(|(text, times)| format!("{text}\n").repeat(times)),
        Just("[call Read t1]\n{\"file_path\": \"/a\"}".to_owned()),
        r"\[result of t1\]\n[a-z0-9 \n]{0,300}",
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,3}",
        Just(r"\d+".to_owned()),
        Just(".*".to_owned()),
        Just("(?s).{5,300}".to_owned()),
        Just("t[0-9]".to_owned()),
        Just("".to_owned())
    ]
}

fn passages() -> impl Strategy<Value = Vec<Passage>> {
    let role = prop_oneof![
        Just(Role::User),
        Just(Role::Assistant),
        Just(Role::Tool),
        Just(Role::Summary),
        Just(Role::Other("x".to_owned()))
    ];
    proptest::collection::vec((role, hostile(), any::<u8>()), 0..24).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(nth, (role, text, bits))| Passage {
                tokens: u64::from(bits) << (bits % 60),
                stays: bits % 11 == 0,
                ..passage(nth as u64, role, &text)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::world::amount(300, 20_000) as u32))]
    #[test]
    fn the_limit_is_never_passed(passages in passages(), target_tokens in prop_oneof![0u64..50, 50u64..3000, Just(u64::MAX)],
                                 must_keep in proptest::collection::vec(pattern(), 0..3),
                                 title in any::<bool>()) {
        let form = if title { Form::Title } else { Form::Summary };
        for encoding in [Encoding::O200kBase, Encoding::Cl100kBase] {
            let task = Summarise { passages: passages.clone(), target_tokens, must_keep: must_keep.clone(), form,
                                   ..Summarise::default() };
            let answer = Embedded::new(encoding).carry_out(&Task::Summarise(task.clone())).expect("an extract");
            let counted = encoding.count(&answer.text);
            prop_assert!(counted <= target_tokens, "{counted} of {target_tokens}: {:?}", answer.text);
            let again = Embedded::new(encoding).carry_out(&Task::Summarise(task)).expect("an extract");
            prop_assert_eq!(answer, again, "the same task, another text");
        }
    }

    #[test]
    fn nothing_is_made_up(passages in passages(), target_tokens in 20u64..2000) {
        let text = summarise(Summarise { passages: passages.clone(), target_tokens, ..Summarise::default() });
        // Every line is a piece of a passage, a label before it, or a stub.
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let said = |line: &str| passages.iter().any(|passage| !passage.stays && passage.text.contains(line));
            let roles = ["user", "assistant", "tool", "summary", "x"];
            let bare = roles.iter().find_map(|role| {
                let rest = line.strip_prefix(role)?;
                rest.strip_prefix(": ").or_else(|| rest.strip_prefix(" (part): "))
            });
            let stub = |line: &str| line.starts_with("[= ") && line.ends_with(" tokens]");
            // A call without its id is the one line that is not the source's own.
            prop_assert!(said(line) || bare.is_some_and(|bare| said(bare) || stub(bare)) || line.contains("[call Read]"),
                         "{line:?}");
        }
    }

    #[test]
    fn what_must_be_kept_is_kept_if_it_fits(passages in passages(), number in 1000u32..9999) {
        let mut passages = passages;
        let needle = format!("needle-{number}");
        let at = number as usize % (passages.len() + 1);
        passages.insert(at, passage(99, Role::Tool, &format!("{}\n{} {needle}!\n", "noise ".repeat(2000), "x".repeat(number as usize))));
        let must_keep = vec![r"needle-\d+".to_owned()];
        let text = summarise(Summarise { passages, target_tokens: 40, must_keep, ..Summarise::default() });
        prop_assert!(text.contains(&needle), "{text:?}");
    }
}

#[test]
fn patterns_that_are_none_are_named() {
    let task = Summarise { must_keep: vec!["(".to_owned()], ..Summarise::default() };
    let error = Embedded::default().carry_out(&Task::Summarise(task)).expect_err("no pattern");
    assert!(error.to_string().starts_with("malformed pattern '(': "), "{error}");
}

#[test]
fn hostile_sizes_take_linear_time() {
    let base64 = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w".repeat(8_000);
    let names: String = (0..60_000).map(|number| format!("name_{number}\n")).collect();
    let shared: String =
        (0..60_000).map(|number| format!("a_{} b_{} c_{}\n", number % 300, number % 301, number)).collect();
    let cases = [
        ("identical lines", "error: the same line again\n".repeat(200_000)),
        ("one line", base64),
        ("white space", " \n".repeat(500_000)),
        ("names", names),
        ("overlapping lines", shared),
        ("calls", "[call Read t1]\n".repeat(30_000)),
        ("brackets", "[call Read t1]\n[[[[[".repeat(30_000)),
        ("sentences", "A. b! C? ".repeat(40_000)),
        ("numbers", "1. 2. 3. ".repeat(40_000)),
    ];
    // A debug build is about four times as slow as a release.
    let limit = Duration::from_secs(20);
    for (name, text) in cases {
        for role in [Role::Tool, Role::Assistant] {
            let started = Instant::now();
            let passages = vec![passage(1, role, &text), passage(2, Role::User, "and now?")];
            let text = summarise(Summarise { passages, target_tokens: 5_000, ..Summarise::default() });
            assert!(Encoding::O200kBase.count(&text) <= 5_000);
            println!("{name}: {:?}", started.elapsed());
            assert!(started.elapsed() < limit, "{name}");
        }
    }
    let started = Instant::now();
    let many = (0..20_000).map(|number| passage(number, Role::User, &format!("line {number}"))).collect();
    let text = summarise(Summarise { passages: many, target_tokens: 500, ..Summarise::default() });
    assert!(text.ends_with("user: line 19999"), "the newest is kept");
    assert!(started.elapsed() < limit, "many passages: {:?}", started.elapsed());
}

#[test]
fn what_fits_is_kept_whole_and_in_order() {
    let passages =
        vec![passage(1, Role::User, "Use port 8080.\n\nNo other."), passage(2, Role::Tool, "[result of t1]\nok")];
    let text = summarise(Summarise { passages, target_tokens: 100, ..Summarise::default() });
    assert_eq!(text, "user: Use port 8080.\n\nNo other.\ntool: ok");
}

#[test]
fn what_stays_is_not_said_again_and_repeats_are_named() {
    let file = (0..400).map(|line| format!("let value_{line} = {};\n", line * 37)).collect::<String>();
    let mut passages = vec![passage(1, Role::User, "Fix the parser in src/parse.rs, keep the limit of 4096.")];
    passages[0].stays = true;
    for turn in 0u64..6 {
        passages.push(passage(
            10 * turn + 2,
            Role::Assistant,
            &format!("Step {turn}: I look again.\n\n[call Read t{turn}]\n{{\n  \"file_path\": \"/src/parse.rs\"\n}}"),
        ));
        passages.push(passage(10 * turn + 3, Role::Tool, &format!("[result of t{turn}]\n{file}// {turn}")));
    }
    let text = summarise(Summarise { passages: passages.clone(), target_tokens: 4_000, ..Summarise::default() });
    assert!(!text.contains("Fix the parser"), "{text}");
    let stubs = passages[1..].iter().filter(|passage| passage.role == Role::Tool).take(5);
    for stub in stubs {
        let stub = format!("tool: [= {} {} tokens]", stub.body.short(12), stub.tokens);
        assert_eq!(text.matches(&stub).count(), 1, "{stub} in {text}");
    }
    assert!(text.contains("Step 5: I look again.\n\n[call Read]\n{\n  \"file_path\": \"/src/parse.rs\"\n}"), "{text}");
    assert!(text.contains("value_399") && text.contains("(part): "), "the newest reading is there: {text}");
}

#[test]
fn names_of_things_outlast_chatter() {
    let mut lines: Vec<String> =
        (0..300).map(|_| "we go on and do some more of the same thing as before".to_owned()).collect();
    lines[40] = "decision: the server listens on 127.0.0.1:9443, see config/server.toml".to_owned();
    lines[200] = "error[E0502]: cannot borrow `self.pool` as mutable in src/pool.rs:88".to_owned();
    let passages = vec![passage(1, Role::Tool, &lines.join("\n"))];
    let text = summarise(Summarise { passages, target_tokens: 80, ..Summarise::default() });
    for name in ["config/server.toml", "9443", "E0502", "src/pool.rs", "self.pool"] {
        assert!(entities(&text).iter().any(|entity| entity.text == name), "{name} in {text}");
    }
}

#[test]
fn a_title_is_one_line_without_a_label() {
    let passages = vec![
        passage(1, Role::Tool, &"noise_1 noise_2\n".repeat(50)),
        passage(2, Role::User, "Please.\nMove the retry limit from 3 to 5 in src/http/retry.rs.\nThanks."),
    ];
    let title = summarise(Summarise { passages, target_tokens: 30, form: Form::Title, ..Summarise::default() });
    assert_eq!(title, "Move the retry limit from 3 to 5 in src/http/retry.rs");
}

#[test]
fn sides_are_put_together_where_they_do_not_touch() {
    let reconcile = |base: &str, ours: &str, theirs: &str| {
        let sides = Reconcile {
            base: Some(base.to_owned()),
            ours: ours.to_owned(),
            theirs: theirs.to_owned(),
            conflict: "both-edited".to_owned(),
            ..Reconcile::default()
        };
        Embedded::default().carry_out(&Task::Reconcile(sides)).map(|answer| answer.text)
    };
    assert_eq!(reconcile("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n").expect("apart"), "A\nb\nC\n");
    let error = reconcile("port 80", "port 8080", "port 9090").expect_err("the same line");
    assert!(matches!(error, DriverError::Unable { .. }));
    assert_eq!(error.to_string(), "the driver 'embedded' cannot settle changes of the same lines");
}
