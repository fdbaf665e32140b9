//! Compression on real repositories: what stays, what goes, what comes back, and what is found out.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use git_trace::drivers::{Answer, Driver, DriverError, Task};
use git_trace::export::{Format, Options, ProblemKind, render, validate};
use git_trace::model::{BodyKind, Entry, Item, NanoDollars, Role, Usage};
use git_trace::ops::{
    self, CommitMessages, Compress, CompressMode, Expand, NewMessage, OpError, Pin, Restore, Verify, Workspace, commit,
    compress, compression_plan, expand, parse_messages, pin, restore, verify,
};
use serde_json::{Value, json};

use crate::world::{World, feed, shared_data};

const BRANCH: &str = "refs/trace/heads/main/main";

/// Random numbers that repeat.
struct Dice(fastrand::Rng);

impl Dice {
    fn new(seed: u64) -> Self {
        Dice(fastrand::Rng::with_seed(seed))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end.max(1))
    }

    fn words(&mut self, count: usize) -> String {
        const WORDS: [&str; 12] = [
            "port",
            "the",
            "src/main.rs",
            "build",
            "8080",
            "fails",
            "open_repo",
            "because",
            "E0308",
            "tests",
            "of",
            "http://x.io/a",
        ];
        let words: Vec<&str> = (0..count).map(|_| WORDS[self.below(WORDS.len())]).collect();
        words.join(" ")
    }
}

/// A repository whose user is known to operations in this very process.
fn begun() -> World {
    let world = World::new("sha1");
    for (key, value) in [("user.name", "A U Thor"), ("user.email", "a@example.com"), ("trace.fsync", "false")] {
        world.configure(key, value);
    }
    world.ok(&["init"]);
    world
}

fn open(world: &World) -> Workspace {
    Workspace::discover(&world.repo(), None, None).expect("our own repository")
}

fn say(workspace: &Workspace, role: Role, text: &str) -> String {
    store(workspace, vec![NewMessage::text(role, text)]).remove(0)
}

fn store(workspace: &Workspace, messages: Vec<NewMessage>) -> Vec<String> {
    let request = CommitMessages { messages, ..CommitMessages::default() };
    let done = commit(workspace, &request).expect("stored");
    done.entries.iter().map(ToString::to_string).collect()
}

/// A way of writing tool calls.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Anthropic,
    Chat,
    Responses,
}

const SHAPES: [Shape; 3] = [Shape::Anthropic, Shape::Chat, Shape::Responses];

/// Stores a call of a tool and its result; returns the ids of both entries.
fn call(workspace: &Workspace, shape: Shape, id: &str, name: &str, input: &Value, result: &str) -> Vec<String> {
    let arguments = input.to_string();
    let messages = match shape {
        Shape::Anthropic => json!([
            { "role": "assistant", "content": [
                { "type": "text", "text": format!("I call {name}.") },
                { "type": "tool_use", "id": id, "name": name, "input": input }] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": result }] },
        ]),
        Shape::Chat => json!([
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": id, "type": "function", "function": { "name": name, "arguments": arguments } }] },
            { "role": "tool", "tool_call_id": id, "content": result },
        ]),
        Shape::Responses => json!([
            { "type": "function_call", "call_id": id, "name": name, "arguments": arguments },
            { "type": "function_call_output", "call_id": id, "output": result },
        ]),
    };
    store(workspace, parse_messages(messages.to_string().as_bytes()).expect("our own messages"))
}

/// A file as a tool shows it.
fn listing(name: &str, lines: usize) -> String {
    (1..=lines).map(|line| format!("{line:>6}→{name} says {} on line {line}\n", line * 17)).collect()
}

/// A session with reads that repeat, a long answer, a pinned decision: ids of what is pinned.
fn session(workspace: &Workspace, shape: Shape) -> String {
    say(workspace, Role::System, "You are careful.");
    say(workspace, Role::User, "Find out why the shop is slow, and keep port 8080.");
    let read = |file: &str| json!({ "file_path": file });
    call(workspace, shape, "c1", "Read", &read("src/a.rs"), &listing("a", 60));
    let pinned = say(workspace, Role::User, "IMPORTANT: the port is 8080, see ticket SHOP-4711.");
    pin(workspace, &Pin { entries: vec![pinned.clone()], pin: true, message: None, dry_run: false }).expect("pinned");
    call(workspace, shape, "c2", "Read", &read("src/b.rs"), &listing("b", 40));
    call(workspace, shape, "c3", "Read", &read("src/a.rs"), &listing("a changed", 60));
    call(workspace, shape, "c4", "Bash", &json!({ "command": "make" }), &listing("b", 40));
    say(workspace, Role::Assistant, &format!("It is the index. {}", "The reason is long to tell. ".repeat(30)));
    say(workspace, Role::User, "Go on.");
    call(workspace, shape, "c5", "Bash", &json!({ "command": "ls" }), "a b c");
    say(workspace, Role::Assistant, "Done.");
    pinned
}

fn items(workspace: &Workspace) -> Vec<Item> {
    ops::context(workspace, None).expect("a context").items
}

fn entries(workspace: &Workspace) -> Vec<Entry> {
    items(workspace).into_iter().map(|item| item.entry).collect()
}

fn pins(workspace: &Workspace) -> Vec<(String, String)> {
    let pinned = entries(workspace).into_iter().filter(|entry| entry.flags.pin);
    pinned.map(|entry| (entry.id.to_string(), entry.body.to_string())).collect()
}

fn total(workspace: &Workspace) -> u64 {
    workspace.tip().expect("a commit").facts.total
}

fn tree(workspace: &Workspace) -> String {
    workspace.tip().expect("a commit").tree.to_string()
}

fn assert_valid(workspace: &Workspace) {
    let items = items(workspace);
    for format in [Format::Anthropic, Format::OpenaiChat, Format::OpenaiResponses] {
        if let Err(error) = render(&items, &Options::new(format), &mut std::io::sink()) {
            panic!("{error}");
        }
    }
}

fn assert_sound(workspace: &Workspace, revision: &str) {
    let request = Verify { revisions: vec![revision.to_owned()], ..Verify::default() };
    for verified in verify(workspace, &request).expect("verified").commits {
        assert_eq!(verified.findings, [], "{} {:?}", verified.id, verified.commit);
    }
}

fn by_mode(mode: CompressMode) -> Compress<'static> {
    Compress { mode, keep_turns: Some(1), ..Compress::default() }
}

#[test]
fn every_mode_keeps_pins_pairs_and_the_rest_and_comes_back_whole() {
    for shape in SHAPES {
        for mode in CompressMode::ALL {
            let world = begun();
            let workspace = open(&world);
            session(&workspace, shape);
            let (before, tree_before, size) = (items(&workspace), tree(&workspace), total(&workspace));
            let pinned = pins(&workspace);
            let driver: Option<Rc<dyn Driver>> = Some(Rc::new(Says::new("They looked into files; port 8080.")));
            let done = compress(&workspace, &Compress { driver, ..by_mode(mode) });
            let done = done.unwrap_or_else(|error| panic!("{mode}: {error}"));
            let changed = done.changed.expect("it was made");
            assert!(total(&workspace) < size && changed.total == total(&workspace), "{mode}");
            assert_eq!((done.report.before, done.report.after), (size, total(&workspace)), "{mode}");
            assert_eq!(pins(&workspace), pinned, "{mode}");
            assert_valid(&workspace);
            assert_sound(&workspace, "HEAD");

            let after = items(&workspace);
            let stood: Vec<&Item> = after.iter().filter(|item| before.contains(item)).collect();
            let untouched: Vec<&Item> = before.iter().filter(|item| after.contains(item)).collect();
            assert_eq!(stood, untouched, "{mode}: the rest is as it was, in its order");
            assert_eq!(after[0], before[0], "{mode}: the instructions stay");
            if mode == CompressMode::Drop {
                continue;
            }
            let compressed: Vec<String> =
                after.iter().filter(|item| !before.contains(item)).map(|item| item.entry.id.to_string()).collect();
            let mut originals: Vec<Item> = Vec::new();
            for entry in &compressed {
                let request = Expand { entry: entry.clone(), depth: 1 };
                originals.extend(expand(&workspace, &request).expect("kept").leaves().into_iter().cloned());
            }
            let gone: Vec<Item> = before.iter().filter(|item| !after.contains(item)).cloned().collect();
            assert_eq!(originals, gone, "{mode}: byte for byte");
            restore(&workspace, &Restore { entries: compressed, ..Restore::default() }).expect("restored");
            assert_eq!(items(&workspace), before, "{mode}");
            assert_eq!(tree(&workspace), tree_before, "{mode}: nothing else changed, so the tree is the same");
            assert_sound(&workspace, "HEAD");
            world.fsck();
        }
    }
}

#[test]
fn dedupe_keeps_the_latest_of_what_is_said_again() {
    for shape in SHAPES {
        let world = begun();
        let workspace = open(&world);
        session(&workspace, shape);
        let done = compress(&workspace, &by_mode(CompressMode::Dedupe)).expect("compressed");
        assert_eq!(done.report.masked, 2, "the first read of a.rs, and b's text that a command said again");
        let bodies: Vec<String> =
            items(&workspace).iter().map(|item| String::from_utf8_lossy(&item.body).into_owned()).collect();
        let says = |text: &str| bodies.iter().filter(|body| body.contains(text)).count();
        assert_eq!((says("a says 17"), says("a changed says 17"), says("b says 17")), (0, 1, 1));
    }
}

#[test]
fn a_later_read_of_fewer_lines_makes_nothing_old() {
    let world = begun();
    let workspace = open(&world);
    say(&workspace, Role::User, "read");
    let part = |from: u64, to: u64| json!({ "file_path": "a.rs", "offset": from, "limit": to + 1 - from });
    let read = |id: &str, input: &Value, said: &str| call(&workspace, Shape::Anthropic, id, "Read", input, said);
    read("c1", &part(1, 50), &listing("one", 50));
    read("c2", &part(1, 40), &listing("two", 40));
    read("c3", &part(5, 45), &listing("three", 40));
    read("c4", &part(41, 90), &listing("four", 40));
    let request = Compress { keep_turns: Some(0), mode: CompressMode::Dedupe, ..Compress::default() };
    assert!(matches!(compress(&workspace, &request), Err(OpError::Nothing { .. })));
    read("c5", &part(1, 45), &listing("five", 45));
    let done = compress(&workspace, &request).expect("compressed");
    let stubs: Vec<String> = done.plan.iter().map(|line| line.preview.clone()).collect();
    assert_eq!(stubs.len(), 2, "{stubs:?}");
    assert!(stubs[0].contains("two") && stubs[1].contains("three"), "{stubs:?}");
}

#[test]
fn masking_cuts_the_words_of_results_and_no_other_byte() {
    let world = begun();
    let result = listing("x", 50).replace('\n', "\\n");
    let body = format!(
        "[ {{\"cache_control\": {{}},\"content\" :  [ {{\"type\":\"text\",\"text\":\"{result}\"}} ] , \
         \"tool_use_id\":\"c1\",\"type\":\"tool_result\",\"n\":1.50e3}},{{\"type\":\"text\",\"text\":\"\\u0041nd?\"}}]"
    );
    let messages = format!(
        r#"[{{"role":"user","content":"go"}},{{"role":"assistant","content":[{{"type":"tool_use","id":"c1","name":"x","input":{{}}}}]}},{{"role":"user","content":{body}}}]"#
    );
    world.ok_with(&["commit", "--messages"], messages.as_bytes());
    world.ok(&["compress", "--keep-turns", "0"]);
    let masked = world.ok(&["show", "--raw", "#2"]);
    let (head, rest) = masked.split_once("\"[old tool result cleared: ").expect("a stub");
    let (stub, tail) = rest.split_once("]\"").expect("its end");
    let (body_head, body_tail) = body.split_once("[ {\"type\":\"text\"").expect("the content");
    let body_tail = body_tail.split_once("} ]").expect("its end").1;
    assert_eq!((head, tail), (body_head, body_tail));
    let object = stub.rsplit_once("object ").expect("an object").1;
    assert_eq!(world.git(&["cat-file", "blob", object], &world.repo()), body, "the stub names the original");
    assert_eq!(world.ok(&["expand", "#2", "--raw"]), body);
    let expanded: Value = serde_json::from_str(&world.ok(&["expand", "#2", "--json"])).expect("JSON");
    assert_eq!(expanded["originals"][0]["entry"]["text"], body.as_str());
    world.ok(&["verify"]);
    assert!(world.fails(1, &["compress", "--keep-turns", "0"]).contains("nothing becomes smaller"));
    assert!(world.fails(1, &["expand", "#0"]).contains("is not compressed"));
}

/// Probes 3 and 7: a pin, or a tag, is lost when compressing.
#[test]
fn pins_and_tags_outlive_compressing_twice() {
    let world = begun();
    let workspace = open(&world);
    let pinned = session(&workspace, Shape::Anthropic);
    world.ok(&["tag", "before"]);
    let (kept, tip) = (pins(&workspace), world.tip("refs/trace/tags/main/before"));
    for mode in ["title", "title", "combine", "extract"] {
        let _ = world.trace(&["compress", "--mode", mode, "--keep-turns", "0"]).output().expect("it starts");
        assert_eq!(pins(&workspace), kept);
        assert!(world.ok(&["show", "--raw", &pinned]).contains("IMPORTANT: the port is 8080"));
    }
    assert_eq!(world.tip("refs/trace/tags/main/before"), tip);
    assert_sound(&workspace, "before..HEAD");
    world.configure("trace.pins", "strict");
    let complaint = world.fails(1, &["compress", "--mode", "drop", "--ignore-pins"]);
    assert!(complaint.contains("'trace.pins' is 'strict'"), "{complaint}");
    world.configure("trace.pins", "default");
    world.ok(&["compress", &pinned, "--mode", "drop", "--ignore-pins"]);
    assert_eq!(pins(&workspace), []);
    assert_sound(&workspace, "HEAD");
}

/// Probe 4: after an edit, the old words of a pinned entry come back.
#[test]
fn an_edited_pin_stays_as_it_was_edited() {
    let world = begun();
    let workspace = open(&world);
    let pinned = session(&workspace, Shape::Chat);
    world.ok_with(&["edit", &pinned, "--force"], b"the port is 9090");
    world.ok(&["compress", "--mode", "title", "--keep-turns", "0"]);
    let context = world.ok(&["context"]);
    assert!(context.contains("the port is 9090") && !context.contains("IMPORTANT"), "{context}");
}

/// Probe 5: compressing the middle makes the end vanish.
#[test]
fn compressing_the_middle_leaves_both_ends() {
    let world = begun();
    let workspace = open(&world);
    let ids: Vec<String> =
        (0..6).map(|number| say(&workspace, Role::User, &format!("m{number} {}", "words ".repeat(40)))).collect();
    let before = items(&workspace);
    world.ok(&["compress", &format!("{}..#3", ids[1]), "--mode", "title"]);
    let after = items(&workspace);
    assert_eq!(after.len(), 4);
    assert_eq!((&after[0], &after[2..]), (&before[0], &before[4..]));
    assert_eq!((&after[1].entry.role, &after[1].entry.position), (&Role::Summary, &before[1].entry.position));
}

/// Probe 6: what must be kept is not looked for.
#[test]
fn losing_what_must_be_kept_is_refused_with_3_and_nothing_moves() {
    let world = begun();
    let workspace = open(&world);
    say(&workspace, Role::User, "start");
    let told = format!("IMPORTANT: use key K-77 {} and ORDER-12", "bla ".repeat(50));
    let id = say(&workspace, Role::User, &told);
    say(&workspace, Role::User, "As said: ORDER-12.");
    let tip = world.tip(BRANCH);
    world.configure("trace.mustKeep", "IMPORTANT: .{10}");
    world.git(&["config", "--add", "trace.mustKeep", "ORDER-[0-9]+"], &world.repo());
    for arguments in [vec!["compress", &id, "--mode", "drop"], vec!["compress", &id, "--mode", "drop", "-n"]] {
        let complaint = world.fails(3, &arguments);
        assert!(complaint.contains("'IMPORTANT: use key K-' is lost"), "{complaint}");
        assert!(!complaint.contains("ORDER"), "it is said again: {complaint}");
    }
    let complaint = world.fails(3, &["compress", &id, "--mode", "drop", "--must-keep", "K-[0-9]+"]);
    assert!(complaint.contains("(and 1 more)") && complaint.contains("also: 'K-77' is lost"), "{complaint}");
    assert_eq!(world.tip(BRANCH), tip, "nothing moved");
    assert!(world.fails(1, &["compress", &id, "--must-keep", "("]).contains("bad pattern '('"));
    world.ok(&["compress", &id, "--mode", "extract", "--target-tokens", "40"]);
    assert!(world.ok(&["context"]).contains("IMPORTANT: use key K-"));
}

/// Probe 18: a pinned tool call is left without its result.
#[test]
fn a_pinned_half_protects_its_other_half() {
    for (shape, half) in SHAPES.into_iter().flat_map(|shape| [(shape, 0), (shape, 1)]) {
        let world = begun();
        let workspace = open(&world);
        say(&workspace, Role::User, "start");
        call(&workspace, shape, "c0", "Bash", &json!({}), &listing("z", 30));
        let both = call(&workspace, shape, "c1", "Bash", &json!({}), &listing("x", 30));
        say(&workspace, Role::Assistant, &"long ".repeat(60));
        say(&workspace, Role::User, "end");
        world.ok(&["pin", &both[half]]);
        for mode in ["combine", "title", "drop"] {
            world.ok(&["compress", "--mode", mode, "--keep-turns", "0"]);
            assert_valid(&workspace);
            let left: Vec<String> = entries(&workspace).iter().map(|entry| entry.id.to_string()).collect();
            assert!(both.iter().all(|id| left.contains(id)), "{mode}");
            world.ok(&["verify"]);
            world.ok(&["reset", "--hard", "HEAD~1"]);
        }
        let complaint = world.fails(1, &["compress", &both[0], &both[1], "--mode", "drop"]);
        assert!(complaint.contains("is tied to a tool call or result that stays"), "{complaint}");
        // A range that cuts the pair leaves both.
        world.ok(&["unpin", &both[half]]);
        let complaint = world.fails(1, &["compress", &both[half], "--mode", "drop"]);
        assert!(complaint.contains("is tied to"), "{complaint}");
        let plan = format!("drop {}\n", both[half]);
        let output = feed(world.trace(&["compress", "--plan", "-"]), plan.as_bytes());
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{complaint}");
        assert!(complaint.contains("the other half of call 'c1'"), "{complaint}");
    }
}

#[test]
fn a_result_that_names_no_call_goes_with_the_call_before_it() {
    let world = begun();
    let workspace = open(&world);
    say(&workspace, Role::User, "start");
    let made =
        json!([{ "role": "assistant", "content": [{ "type": "tool_use", "id": "c1", "name": "x", "input": {} }] }]);
    store(&workspace, parse_messages(made.to_string().as_bytes()).expect("ours"));
    let result = say(&workspace, Role::Tool, &listing("x", 30));
    say(&workspace, Role::Assistant, &"long ".repeat(60));
    world.ok(&["pin", &result]);
    for mode in ["drop", "title"] {
        world.ok(&["compress", "--mode", mode, "--keep-turns", "0"]);
        assert_valid(&workspace);
        world.ok(&["verify"]);
        world.ok(&["reset", "--hard", "HEAD~1"]);
    }
    world.ok(&["unpin", &result]);
    world.ok(&["compress", "--keep-turns", "0"]);
    assert_valid(&workspace);
    assert!(world.ok(&["show", "--raw", &result]).starts_with("[old tool result cleared: "));
    world.ok(&["restore", &result]);
    assert_eq!(world.ok(&["show", "--raw", &result]), listing("x", 30));
}

#[test]
fn a_hundred_random_rounds_keep_every_pin_and_a_valid_context() {
    let world = begun();
    let workspace = open(&world);
    let mut dice = Dice::new(7);
    say(&workspace, Role::System, "rules");
    say(&workspace, Role::User, "begin");
    let mut calls = 0;
    let mut talk = |dice: &mut Dice, count: usize| {
        for _ in 0..count {
            calls += 1;
            let id = format!("c{calls}");
            let words = 5 + dice.below(120);
            match dice.below(5) {
                0 => say(&workspace, Role::User, &dice.words(words)),
                1 => say(&workspace, Role::Assistant, &dice.words(words)),
                _ => {
                    let path = json!({ "file_path": format!("f{}.rs", dice.below(4)) });
                    call(&workspace, SHAPES[dice.below(3)], &id, "Read", &path, &dice.words(words)).remove(1)
                }
            };
            if dice.below(12) == 0 {
                let all = entries(&workspace);
                let one = all[dice.below(all.len())].id.to_string();
                let _ = pin(&workspace, &Pin { entries: vec![one], pin: true, message: None, dry_run: false });
            }
        }
    };
    talk(&mut dice, 30);
    let mut made = 0;
    for round in 0..100 {
        let (pinned, size, tip) = (pins(&workspace), total(&workspace), world_tip(&workspace));
        let count = entries(&workspace).len();
        let range = (dice.below(2) == 0).then(|| {
            let (one, other) = (1 + dice.below(count), 1 + dice.below(count));
            format!("@{}..@{}", one.max(other), one.min(other))
        });
        let target = (dice.below(3) == 0).then(|| size * (20 + dice.below(75) as u64) / 100);
        let request = Compress {
            mode: CompressMode::ALL[dice.below(6)],
            target_tokens: target.filter(|_| range.is_none()),
            ranges: range.into_iter().collect(),
            keep_turns: Some(dice.below(4) as u64),
            dry_run: dice.below(10) == 0,
            ..Compress::default()
        };
        match compress(&workspace, &request) {
            Ok(done) => {
                made += 1;
                assert!(total(&workspace) <= size);
                assert!(request.target_tokens.is_none_or(|target| done.report.after <= target), "round {round}");
                assert_eq!(world_tip(&workspace) == tip, request.dry_run);
            }
            Err(OpError::Nothing { .. } | OpError::Target { .. }) => assert_eq!(world_tip(&workspace), tip),
            // An explicit range may end what the user said before the model.
            Err(OpError::Unsound { findings }) => {
                assert!(findings.iter().all(|finding| finding.rule() == "assistant-first"), "{findings:?}");
                assert_eq!(world_tip(&workspace), tip);
            }
            Err(error) => panic!("round {round}: {error}"),
        }
        assert_eq!(pins(&workspace), pinned, "round {round}");
        assert_valid(&workspace);
        if round % 10 == 9 {
            assert_sound(&workspace, "HEAD~3..HEAD");
            let stubs: Vec<String> = ids_with_originals(&workspace);
            if let Some(id) = stubs.get(dice.below(stubs.len())) {
                expand(&workspace, &Expand { entry: id.clone(), depth: 9 }).expect("kept");
                restore(&workspace, &Restore { entries: vec![id.clone()], ..Restore::default() }).expect("restored");
                assert_eq!(pins_without_order(&pinned), pins_without_order(&pins(&workspace)));
                assert_valid(&workspace);
                assert_sound(&workspace, "HEAD");
            }
        }
        if round % 4 == 3 {
            talk(&mut dice, 8);
        }
    }
    assert!(made > 40, "only {made} rounds did something");
    world.fsck();
}

fn pins_without_order(pins: &[(String, String)]) -> Vec<(String, String)> {
    let mut pins = pins.to_vec();
    pins.sort();
    pins
}

fn world_tip(workspace: &Workspace) -> String {
    workspace.tip().expect("a commit").id.to_string()
}

fn ids_with_originals(workspace: &Workspace) -> Vec<String> {
    let with = entries(workspace).into_iter().filter(|entry| entry.meta.is_some() && !entry.flags.pin);
    with.map(|entry| entry.id.to_string()).collect()
}

#[test]
fn a_target_is_never_overshot_or_is_refused_with_3() {
    let world = begun();
    let workspace = open(&world);
    session(&workspace, Shape::Responses);
    let mut dice = Dice::new(3);
    let size = total(&workspace);
    let start = world_tip(&workspace);
    let (mut reached, mut refused) = (0, 0);
    for _ in 0..60 {
        let target = dice.below(size as usize) as u64;
        let mode = CompressMode::ALL[dice.below(7)];
        let driver: Option<Rc<dyn Driver>> = Some(Rc::new(Says::new(&dice.words(40))));
        let request = Compress { target_tokens: Some(target), driver, ..by_mode(mode) };
        match compress(&workspace, &request) {
            Ok(_) => {
                reached += 1;
                assert!(total(&workspace) <= target, "{mode} {target}");
                assert_valid(&workspace);
                world.ok(&["reset", "--hard", &start]);
            }
            Err(OpError::Target { reachable, .. }) => {
                refused += 1;
                assert!(reachable > target);
                assert_eq!(world_tip(&workspace), start);
            }
            Err(error) => panic!("{mode} {target}: {error}"),
        }
    }
    assert!(reached > 10 && refused > 10, "{reached} {refused}");
    let complaint = world.fails(3, &["compress", "--target-tokens", "5"]);
    assert!(complaint.contains("5 tokens cannot be reached with 'mask', only"), "{complaint}");
    // What is left over is used: no smaller than need be.
    world.ok(&["compress", "--target-tokens", &(size - 10).to_string(), "--keep-turns", "0"]);
    assert_eq!(entries(&workspace).iter().filter(|entry| entry.meta.is_some()).count(), 1, "one stub is enough");
}

#[test]
fn a_range_with_a_target_limits_what_takes_its_place() {
    let world = begun();
    let workspace = open(&world);
    session(&workspace, Shape::Anthropic);
    let before = entries(&workspace);
    for target in [40, 100, 300] {
        world.ok(&["compress", "#2..#10", "--mode", "extract", "--target-tokens", &target.to_string()]);
        let new: Vec<Entry> = entries(&workspace).into_iter().filter(|entry| entry.role == Role::Summary).collect();
        let size: u64 = new.iter().map(|entry| entry.tokens).sum();
        assert!(size <= target && (target == 40 || size > target / 3), "{size} of {target}");
        assert_eq!(new.len(), 2, "one on each side of the pin");
        world.ok(&["reset", "--hard", "HEAD~1"]);
    }
    assert_eq!(entries(&workspace), before);
}

#[test]
fn plans_are_written_changed_and_carried_out() {
    let world = begun();
    let workspace = open(&world);
    let pinned = session(&workspace, Shape::Anthropic);
    let plan = world.ok(&["compress", "--keep-turns", "0", "--plan"]);
    let lines: Vec<&str> = plan.lines().filter(|line| !line.starts_with('#')).collect();
    let all = entries(&workspace);
    assert_eq!(lines.len(), all.len());
    assert!(lines.iter().zip(&all).all(|(line, entry)| line.contains(&format!(" {} # ", entry.id))), "{plan}");
    assert!(lines.iter().any(|line| line.starts_with("mask ")) && plan.contains("pinned"), "{plan}");
    // As it is, it does what would have been done without.
    let dry = |arguments: &[&str], input: &str| {
        let output = feed(world.trace(arguments), input.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")["report"].clone()
    };
    let direct = dry(&["compress", "--keep-turns", "0", "-n", "--json"], "");
    assert_eq!(dry(&["compress", "--plan", "-", "-n", "--json"], &plan), direct);

    let id = |at: usize| all[at].id.to_string();
    assert_eq!(id(4), pinned);
    let given = format!(
        "# mine\nkeep {}\npin {}\n\ncombine {}\nc {}\n| They read a.rs.\n| Nothing in it.\n\nkeep {}\ntitle {}\ntitle {}\n\ntitle {}\nt {} # more\nmask {}\n",
        id(0),
        id(1),
        id(2),
        id(3),
        id(4),
        id(5),
        id(6),
        id(7),
        id(8),
        id(10)
    );
    let file = world.root().join("plan");
    std::fs::write(&file, given).expect("a file");
    world.ok(&["compress", "--plan", file.to_str().expect("UTF-8")]);
    let after = items(&workspace);
    let roles: Vec<&str> = after.iter().map(|item| item.entry.role.name()).take(6).collect();
    assert_eq!(roles, ["system", "user", "summary", "user", "summary", "summary"], "an empty line makes two");
    assert_eq!(after[2].body, b"They read a.rs.\nNothing in it.");
    assert!(after[1].entry.flags.pin, "and it is pinned");
    assert!(String::from_utf8_lossy(&after[7].body).contains("[old tool result cleared: "));
    assert_sound(&workspace, "HEAD");
    let trailer = world.git(&["log", "-1", "--format=%(trailers:key=Trace-Compress,valueonly)", BRANCH], &world.repo());
    assert!(trailer.starts_with("mode=combine+mask+title level=1 before="), "{trailer}");
    let json: Value =
        serde_json::from_str(&world.ok(&["compress", "--keep-turns", "0", "--plan", "--json"])).expect("JSON");
    assert!(json["plan"].as_str().expect("text").starts_with("# Plan to compress main/main at "));
}

#[test]
fn hostile_plans_change_nothing() {
    let world = begun();
    let workspace = open(&world);
    let pinned = session(&workspace, Shape::Anthropic);
    let all = entries(&workspace);
    let tip = world.tip(BRANCH);
    let id = |at: usize| all[at].id.to_string();
    let long = "x".repeat(2 << 20);
    for (code, plan, words) in [
        (1, format!("explode {}", id(2)), "line 1: unknown verb 'explode'"),
        (1, "drop".to_owned(), "line 1: no entry"),
        (1, "drop # all".to_owned(), "line 1: no entry"),
        (1, "drop zzzzzzzzzz".to_owned(), "line 1: unknown entry 'zzzzzzzzzz'"),
        (1, format!("keep {}\ndrop {}", id(3), id(3)), "line 2"),
        (1, format!("drop {}\n\ndrop {}", id(5), id(2)), "line 3: entry"),
        (1, format!("drop {pinned}"), "is pinned"),
        (1, format!("combine {pinned}"), "is pinned"),
        (1, "| text for nobody".to_owned(), "line 1: a text without entries"),
        (1, format!("keep {}\n| text for one that stays", id(2)), "line 2: a text without entries"),
        (1, format!("title {}\n| {long}", id(2)), "line 2: the text is too long"),
        (1, format!("drop \u{1b}[2J{}", id(2)), "unknown entry"),
        (1, String::new(), "nothing to do"),
        (1, format!("keep {}", id(2)), "nothing to do"),
        (3, format!("drop {}", id(2)), "the other half of call 'c1'"),
        (3, format!("title {}\n| {}", id(1), "grow ".repeat(500)), "tokens, and"),
    ] {
        let output = feed(world.trace(&["compress", "--plan", "-"]), plan.as_bytes());
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{plan:.100}: {complaint}");
        assert!(complaint.contains(words), "{plan:.100}: {complaint}");
    }
    for plan in [b"drop \xff\xfe".to_vec(), vec![b'#'; 17 << 20]] {
        let output = feed(world.trace(&["compress", "--plan", "-"]), &plan);
        assert_eq!(output.status.code(), Some(1));
    }
    // Whatever bytes: an answer, and pins that stay.
    let mut dice = Dice::new(9);
    let pieces =
        ["drop ", "combine ", "pin ", "\n", "\n\n", "| ", "# ", "keep ", " ", "title ", "\u{202e}", "@1", "#2"];
    for _ in 0..300 {
        let plan: String = (0..dice.below(12))
            .map(|_| {
                if dice.below(2) == 0 { pieces[dice.below(pieces.len())].to_owned() } else { id(dice.below(all.len())) }
            })
            .collect();
        let request = Compress { plan: Some(plan.as_bytes()), dry_run: true, ..Compress::default() };
        let _ = compress(&workspace, &request);
    }
    assert_eq!(world.tip(BRANCH), tip);
}

#[test]
fn what_is_compressed_again_is_found_at_every_depth() {
    let world = begun();
    let workspace = open(&world);
    session(&workspace, Shape::Chat);
    let first = items(&workspace);
    world.ok(&["compress", "#2..#3", "--mode", "mask"]);
    world.ok(&["compress", "#2..#3", "--mode", "combine"]);
    let second = items(&workspace);
    world.ok(&["compress", "#1..#2", "--mode", "title"]);
    let level = |workspace: &Workspace| workspace.tip().expect("a commit").facts.other[0].1.clone();
    assert!(level(&workspace).contains("level=3"), "{}", level(&workspace));
    let id = entries(&workspace)[1].id.to_string();
    let bodies = |depth: usize| {
        let found = expand(&workspace, &Expand { entry: id.clone(), depth }).expect("kept");
        found.leaves().into_iter().cloned().collect::<Vec<Item>>()
    };
    assert_eq!(bodies(1), second[1..3]);
    assert_eq!(bodies(2).len(), 3);
    assert!(String::from_utf8_lossy(&bodies(2)[2].body).contains("[old tool result cleared: "));
    assert_eq!(bodies(3), first[1..4]);
    assert_eq!(bodies(64), first[1..4]);

    // Back, step by step, with something new behind.
    say(&workspace, Role::User, "new");
    world.ok(&["restore", &id]);
    assert_eq!(&items(&workspace)[..second.len()], &second[..]);
    let inner = entries(&workspace)[2].id.to_string();
    world.ok(&["restore", &inner]);
    world.ok(&["restore", "#3"]);
    assert_eq!(&items(&workspace)[..first.len()], &first[..]);
    assert_eq!(items(&workspace).len(), first.len() + 1);
    assert!(world.fails(1, &["restore", "#3"]).contains("is not compressed"));
    world.ok(&["compress", "#3", "--mode", "mask"]);
    world.ok(&["pin", "#3"]);
    assert!(world.fails(1, &["restore", "#3"]).contains("is pinned"));
    assert_sound(&workspace, "HEAD~7..HEAD");
    world.fsck();
}

#[test]
fn what_came_between_parts_no_call_from_its_result() {
    for shape in SHAPES {
        let world = begun();
        let workspace = open(&world);
        say(&workspace, Role::User, "Look at a.");
        let read = json!({ "file_path": "a" });
        let both = call(&workspace, shape, "c1", "Read", &read, &listing("a", 20));
        say(&workspace, Role::User, "Thanks.");
        let later = say(&workspace, Role::User, "And now?");
        world.ok(&["compress", "#1..#2", "--mode", "title"]);
        world.ok(&["reorder", "--move", &later, "--after", "#1"]);
        world.ok(&["restore", "#1"]);
        let order: Vec<String> = entries(&workspace).iter().map(|entry| entry.id.to_string()).collect();
        assert_eq!((order.len(), &order[1..3], &order[3]), (5, &both[..], &later));
        assert_valid(&workspace);
        assert_sound(&workspace, "HEAD~2..HEAD");
    }
}

#[test]
fn originals_that_cannot_come_back_are_told() {
    let world = begun();
    let workspace = open(&world);
    session(&workspace, Shape::Anthropic);
    world.ok(&["compress", "#2..#3", "--mode", "title"]);
    world.ok(&["compress", "#6", "--mode", "mask"]);
    world.ok_with(
        &["edit", "#6", "--force"],
        b"[{\"type\":\"tool_result\",\"tool_use_id\":\"c2\",\"content\":\"mine\"}]",
    );
    assert!(world.fails(1, &["restore", "#6"]).contains("it was edited since"));
    // History that somebody made into one commit: the entry is there, where it came from is not.
    let tree = world.git(&["rev-parse", &format!("{BRANCH}^{{tree}}")], &world.repo());
    let message = world.git(&["log", "-1", "--format=%B", BRANCH], &world.repo());
    let lone = world.git(&["commit-tree", tree.trim(), "-m", &message], &world.repo());
    world.git(&["update-ref", "refs/trace/heads/main/lone", lone.trim()], &world.repo());
    for verb in ["expand", "restore"] {
        let complaint = world.fails(1, &["--branch", "lone", verb, "#2"]);
        assert!(complaint.contains("the originals of '") && complaint.contains("git trace log --all"), "{complaint}");
    }
    let id = entries(&workspace)[2].id.to_string();
    let expanded = expand(&workspace, &Expand { entry: id, depth: 1 }).expect("kept");
    let back = String::from_utf8(expanded.originals[0].item.body.clone()).expect("text");
    world.ok_with(&["commit", "--messages"], format!("{{\"role\":\"assistant\",\"content\":{back}}}").as_bytes());
    world.ok(&["restore", "#2"]);
}

#[test]
fn verify_finds_what_was_tampered_with() {
    let world = begun();
    let workspace = open(&world);
    let pinned = session(&workspace, Shape::Anthropic);
    world.ok(&["compress", "#5..#10", "--mode", "title"]);
    assert!(world.ok(&["verify"]).contains(" sound compress (title)"));
    assert!(world.ok(&["verify", "HEAD~1"]).contains(" sound append"));
    let parent = world.git(&["rev-parse", &format!("{BRANCH}~1")], &world.repo());
    let message = world.git(&["log", "-1", "--format=%B", BRANCH], &world.repo());
    let listing = world.git(&["ls-tree", BRANCH], &world.repo());
    let other = String::from_utf8(feed(git(&world, &["hash-object", "-w", "--stdin"]), b"other words").stdout);
    let other = other.expect("an id").trim().to_owned();
    let row = |needle: &str| listing.lines().find(|row| row.contains(needle)).expect("a row").to_owned();
    let swapped = |row: &str| row.replace(row.split([' ', '\t']).nth(2).expect("an id"), &other);
    let summary = row(".summary.");
    let user = row("0000001.user");
    let pin = row(&pinned);
    let last = listing.lines().last().expect("a row").to_owned();
    let cases: Vec<(&str, String, String)> = vec![
        ("pin", listing.replace(&pin, &swapped(&pin)), message.clone()),
        ("pin", listing.replace(&format!("{pin}\n"), ""), message.clone()),
        ("pin", listing.replace(&pin, &pin.replace(".pin", "")), message.clone()),
        ("rest", listing.replace(&user, &swapped(&user)), message.clone()),
        ("rest", listing.replace(&format!("{last}\n"), ""), message.clone()),
        ("number", listing.replace(&summary, &swapped(&summary)), message.clone()),
        ("number", listing.clone(), message.replace("Trace-Total: ", "Trace-Total: 1")),
        ("number", listing.clone(), message.replace("Trace-Count: ", "Trace-Count: 9")),
        ("number", listing.clone(), message.replace(" before=", " before=1")),
        ("touch", listing.clone(), message.replace("Trace-Tokens", "Trace-Entry: -zzzzzzzzzz\nTrace-Tokens")),
        ("rest", listing.clone(), remove_line(&message, "Trace-Entry: -")),
        ("pair", with_half(&world, &listing, &message).0, with_half(&world, &listing, &message).1),
    ];
    for (rule, listing, message) in cases {
        let tree = feed(git(&world, &["mktree"]), listing.as_bytes());
        assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
        let tree = String::from_utf8(tree.stdout).expect("an id");
        let bad = world.git(&["commit-tree", tree.trim(), "-p", parent.trim(), "-m", &message], &world.repo());
        let output = world.trace(&["verify", bad.trim(), "--json"]).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{rule}: {}", String::from_utf8_lossy(&output.stdout));
        let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let rules: Vec<&str> = found["commits"][0]["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .filter_map(|finding| finding["rule"].as_str())
            .collect();
        assert!(rules.contains(&rule), "{rule}: {rules:?}");
    }
}

fn git(world: &World, arguments: &[&str]) -> std::process::Command {
    let mut command = world.command("git", &world.repo());
    command.args(arguments);
    command
}

/// Takes the first line with this beginning out.
fn remove_line(text: &str, beginning: &str) -> String {
    let at = text.lines().position(|line| line.starts_with(beginning)).expect("such a line");
    text.lines().enumerate().filter(|(number, _)| *number != at).map(|(_, line)| format!("{line}\n")).collect()
}

/// Puts one half of a call back that the commit took out, and makes its message agree.
fn with_half(world: &World, listing: &str, message: &str) -> (String, String) {
    let before = world.git(&["ls-tree", &format!("{BRANCH}~1")], &world.repo());
    let half = before.lines().find(|row| row.contains("0000006.")).expect("a result");
    let id = half.rsplit('.').nth(1).expect("an id");
    (format!("{listing}{half}\n"), remove_line(message, &format!("Trace-Entry: -{id}")))
}

/// A driver that says what it was made with.
struct Says {
    text: String,
    asked: Cell<usize>,
}

impl Says {
    fn new(text: &str) -> Self {
        Says { text: text.to_owned(), asked: Cell::new(0) }
    }
}

impl Driver for Says {
    fn name(&self) -> String {
        "command:says hello\nTrace-Op: drop".to_owned()
    }

    fn carry_out(&self, task: &Task) -> Result<Answer, DriverError> {
        self.asked.set(self.asked.get() + 1);
        let Task::Summarise(task) = task else { panic!("nothing else is asked") };
        assert!(task.passages.iter().any(|passage| !passage.stays) && task.target_tokens > 0);
        Ok(Answer {
            text: self.text.clone(),
            model: Some("m-1 level=9\nTrace-Total: 0".to_owned()),
            usage: Some(Usage { input: Some(100), output: Some(7), ..Usage::default() }),
            cost: Some(NanoDollars(1_000_000)),
            prompt_hash: Some("abcdef".to_owned()),
        })
    }
}

/// A driver that has no answer.
struct Fails;

impl Driver for Fails {
    fn name(&self) -> String {
        "fails".to_owned()
    }

    fn carry_out(&self, _: &Task) -> Result<Answer, DriverError> {
        Err(DriverError::Unable { driver: "fails".to_owned(), task: "summarise" })
    }
}

#[test]
fn a_driver_is_not_trusted_and_what_it_cost_is_recorded() {
    let world = begun();
    let workspace = open(&world);
    session(&workspace, Shape::Anthropic);
    let start = world_tip(&workspace);
    let with = |driver: Rc<dyn Driver>| Compress { driver: Some(driver), ..by_mode(CompressMode::Driver) };
    assert!(matches!(compress(&workspace, &with(Rc::new(Fails))), Err(OpError::Driver(_))));
    for bad in ["", " \n\t", &"x".repeat(2 << 20)] {
        let answer = compress(&workspace, &with(Rc::new(Says::new(bad))));
        assert!(matches!(answer, Err(OpError::Answer { .. })), "{answer:?}");
    }
    let must_keep = vec!["SHOP-[0-9]+".to_owned(), "a says 17".to_owned()];
    let request = Compress { must_keep, ..with(Rc::new(Says::new("short"))) };
    assert!(matches!(compress(&workspace, &request), Err(OpError::Unsound { findings }) if findings.len() == 1));
    let long = Rc::new(Says::new(&"many words ".repeat(400)));
    let request = Compress { target_tokens: Some(600), ..with(long) };
    assert!(matches!(compress(&workspace, &request), Err(OpError::Target { .. })));
    assert_eq!(world_tip(&workspace), start, "nothing moved");

    let says = Rc::new(Says::new("ok \u{1b}[2J url postgres://shop:tulip-Harbor-4711@db:5432/shop"));
    let rehearsed = compress(&workspace, &Compress { dry_run: true, ..with(says.clone()) }).expect("an estimate");
    assert!(rehearsed.changed.is_none() && rehearsed.report.is_estimate);
    assert_eq!(says.asked.get(), 0, "to ask may cost something");
    compress(&workspace, &with(says.clone())).expect("compressed");
    assert_eq!(says.asked.get(), 2, "once a run");
    let tip = workspace.tip().expect("a commit");
    assert_eq!(tip.facts.operation.name(), "compress");
    assert_eq!(tip.facts.usage, None, "that is the agent's own");
    assert_eq!(tip.facts.cost, Some(NanoDollars(2_000_000)));
    let drivers: Vec<&str> =
        tip.facts.other.iter().filter(|(name, _)| name == "Trace-Driver").map(|(_, value)| value.as_str()).collect();
    assert_eq!(
        drivers,
        ["command:says_hello_Trace-Op:_drop model=m-1_level_9_Trace-Total:_0 prompt=abcdef input=100 output=7"; 2]
    );
    let stored = items(&workspace).into_iter().find(|item| item.entry.role == Role::Summary).expect("a summary").body;
    let stored = String::from_utf8(stored).expect("text");
    assert!(stored.contains("\u{1b}[2J") && !stored.contains("tulip-Harbor"), "{stored}");
    assert_sound(&workspace, "HEAD");
    assert!(world.fails(1, &["compress", "--mode", "driver", "--keep-turns", "0"]).contains("no driver is named"));
    assert!(world.fails(1, &["compress", "--driver", "nobody", "--keep-turns", "0"]).contains("'nobody'"));
}

#[test]
fn entries_and_commits_are_named_in_every_way() {
    let world = begun();
    let workspace = open(&world);
    let ids: Vec<String> =
        (0..8).map(|number| say(&workspace, Role::User, &format!("m{number} {}", "words ".repeat(40)))).collect();
    let verbs = |range: &[&str]| {
        let arguments = [&["compress", "--mode", "title", "-n", "--json"], range].concat();
        let answer: Value = serde_json::from_str(&world.ok(&arguments)).expect("JSON");
        let lines = answer["plan"].as_array().expect("lines").clone();
        let place = |line: &Value| ids.iter().position(|id| line["id"] == id.as_str()).expect("one of ours");
        lines.iter().map(place).collect::<Vec<usize>>()
    };
    assert_eq!(verbs(&["#2..#4"]), [2, 3, 4]);
    assert_eq!(verbs(&[&format!("{}..{}", &ids[2][..6], ids[3])]), [2, 3]);
    assert_eq!(verbs(&["@3..@2"]), [5, 6]);
    assert_eq!(verbs(&["..#1"]), [0, 1]);
    assert_eq!(verbs(&["#6.."]), [6, 7]);
    assert_eq!(verbs(&["#6", "#1"]), [1, 6]);
    assert_eq!(verbs(&["HEAD~2..HEAD"]), [6, 7]);
    assert_eq!(verbs(&["HEAD~3"]), [4]);
    assert_eq!(verbs(&["HEAD~2..", "--keep-turns", "0"]), [6, 7]);
    for (range, words) in [
        ("#4..#2", "ends before it begins"),
        ("#99", "unknown entry '#99'"),
        ("#1..#99", "unknown entry '#99'"),
        ("HEAD~99..HEAD", "HEAD~99"),
        ("..", "no entry is meant"),
    ] {
        let complaint = world.fails(1, &["compress", range, "--mode", "title"]);
        assert!(complaint.contains(words), "{range}: {complaint}");
    }
}

#[test]
fn a_long_context_is_planned_soon_and_compressed_across_chunks() {
    let world = begun();
    // Durable: thousands of objects go to one pack.
    world.configure("trace.fsync", "true");
    let workspace = open(&world);
    let mut messages = vec![NewMessage::text(Role::User, "start")];
    let mut dice = Dice::new(5);
    for number in 0..5_000 {
        let id = format!("c{number}");
        let pair = json!([
            { "role": "assistant", "content": [{ "type": "tool_use", "id": id, "name": "Read", "input": { "file_path": format!("f{}", number % 700) } }] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": dice.words(70) }] },
        ]);
        messages.extend(parse_messages(pair.to_string().as_bytes()).expect("ours"));
    }
    store(&workspace, messages);
    let before = entries(&workspace);
    for mode in [CompressMode::Mask, CompressMode::Dedupe, CompressMode::Title] {
        let workspace = open(&world);
        let started = std::time::Instant::now();
        let plan = compression_plan(&workspace, &Compress { mode, ..Compress::default() }).expect("a plan");
        let took = started.elapsed();
        println!("plan of 10,001 entries, {mode}: {took:?} (unoptimised)");
        assert!(plan.lines().count() > 10_000 && took.as_secs() < 10, "{mode}: {took:?}");
    }
    let started = std::time::Instant::now();
    compress(&workspace, &Compress { mode: CompressMode::Title, ..Compress::default() }).expect("compressed");
    println!("title of 10,001 entries: {:?}", started.elapsed());
    assert_valid(&workspace);
    assert_sound(&workspace, "HEAD");
    let id = entries(&workspace)[1].id.to_string();
    restore(&workspace, &Restore { entries: vec![id], ..Restore::default() }).expect("restored");
    assert_eq!(entries(&workspace), before);
    let started = std::time::Instant::now();
    compress(&workspace, &Compress::default()).expect("masked");
    println!("mask of 10,001 entries: {:?}", started.elapsed());
    assert_sound(&workspace, "HEAD");
    let started = std::time::Instant::now();
    let few = Compress { ranges: vec!["#4001..#4040".to_owned()], mode: CompressMode::Title, ..Compress::default() };
    compress(&open(&world), &few).expect("compressed");
    println!("title of 40 entries of 10,001: {:?}", started.elapsed());
    world.fsck();
}

#[test]
fn real_sessions_are_compressed_soundly() {
    let Some(data) = shared_data() else { return };
    let mut files: Vec<_> = walkdir::WalkDir::new(data.join("transcripts"))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort_by_key(|file| std::cmp::Reverse((file.metadata().map_or(0, |data| data.len()), file.path().to_owned())));
    let mut done = 0;
    for file in files.iter().take(6) {
        let world = begun();
        if !import(&world, file.path()) {
            continue;
        }
        let workspace = Workspace::discover(&world.repo(), Some("real/main"), None).expect("our own repository");
        let faults = |workspace: &Workspace| {
            let problems = validate(&items(workspace));
            problems.iter().filter(|problem| !matches!(problem.kind, ProblemKind::AssistantFirst)).count()
        };
        let (start, wrong, size) = (workspace.tip().expect("a commit"), faults(&workspace), total(&workspace));
        for mode in CompressMode::ALL.into_iter().filter(|mode| *mode != CompressMode::Driver) {
            let target = (mode == CompressMode::Extract).then_some(size / 3);
            let request = Compress { mode, target_tokens: target, keep_turns: Some(3), ..Compress::default() };
            match compress(&workspace, &request) {
                Ok(_) => done += 1,
                Err(OpError::Nothing { .. } | OpError::Target { .. }) => continue,
                Err(error) => panic!("{}: {mode}: {error}", file.path().display()),
            }
            assert!(faults(&workspace) <= wrong, "{}: {mode}", file.path().display());
            assert!(total(&workspace) < size && target.is_none_or(|target| total(&workspace) <= target));
            assert_sound(&workspace, "HEAD");
            world.ok(&["--branch", "real/main", "reset", "--hard", &start.id.to_string()]);
        }
        // What the agent compressed by itself is as sound.
        assert_sound(&workspace, &start.id.to_string());
    }
    assert!(done > 6, "{done}");
}

fn import(world: &World, path: &Path) -> bool {
    let path = path.to_str().expect("a plain path");
    let imported = world.trace(&["import", "claude", path, "--as", "real", "--no-subagents"]).output();
    let there = world.tip("refs/trace/heads/real/main").is_some();
    imported.expect("it starts").status.success() && there
}

#[test]
fn bodies_of_kinds_that_nobody_knows_are_left_alone() {
    let world = begun();
    let workspace = open(&world);
    say(&workspace, Role::User, "start");
    let odd = NewMessage { kind: BodyKind::Other("bin".to_owned()), ..NewMessage::text(Role::Tool, vec![0xff; 900]) };
    store(&workspace, vec![odd]);
    say(&workspace, Role::Tool, &"\u{0}".repeat(900));
    let request = Compress { keep_turns: Some(0), ..Compress::default() };
    assert_eq!(compress(&workspace, &request).expect("compressed").report.masked, 1);
    assert_sound(&workspace, "HEAD");
}
