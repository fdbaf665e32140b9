//! What is redacted from history is in no object that anybody reaches, and all else is as it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git_trace::model::Role;
use git_trace::ops::{
    BranchChange, CommitMessages, DropEntries, Edit, Merge, NewMessage, PickCommits, Pin, Redact, Tag, Workspace,
    branch, cherry_pick, commit, drop as drop_entries, edit, merge, pin, redact, revert, tag,
};
use git_trace::tokens::{self, Encoding};
use proptest::prelude::*;
use serde_json::Value;

use crate::forgetting::files_with;
use crate::world::{World, amount};

const WORD: &str = "heliotrope-9";

fn say(world: &World, branch: &str, words: &str) -> String {
    let told = world.ok_with(&["--branch", branch, "commit", "--json", "--role", "user", "-F", "-"], words.as_bytes());
    let told: Value = serde_json::from_str(&told).expect("JSON");
    told["outcome"]["entries"][0].as_str().expect("an entry").to_owned()
}

/// Returns all that our refs reach, as git prints it.
fn reached(world: &World) -> String {
    let listed = world.git(&["rev-list", "--objects", "--no-object-names", "--glob=refs/trace/*"], &world.repo());
    let output = crate::world::feed(
        {
            let mut command = world.command("git", &world.repo());
            command.args(["cat-file", "--batch"]);
            command
        },
        listed.as_bytes(),
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns what a context holds: each entry's place, role, id and flags, and its words.
fn context(world: &World, revision: &str) -> Vec<(String, String)> {
    let listed = world.git(&["ls-tree", "-r", revision], &world.repo());
    let mut found = Vec::new();
    for row in listed.lines() {
        let (head, path) = row.split_once('\t').expect("a row");
        let name = path.rsplit('/').next().expect("a name");
        if name == ".trace" {
            continue;
        }
        let mut parts: Vec<&str> = name.split('.').collect();
        if parts[1] != "meta" {
            parts[2] = "-";
        }
        let blob = head.split(' ').nth(2).expect("an id");
        found.push((parts.join("."), world.git(&["cat-file", "blob", blob], &world.repo())));
    }
    found
}

/// Checks that the sums of a commit are those of its entries, counted anew.
fn check_sums(world: &World, revision: &str) {
    let listed = world.git(&["ls-tree", "-r", revision], &world.repo());
    let mut total = 0;
    for row in listed.lines() {
        let (head, path) = row.split_once('\t').expect("a row");
        let parts: Vec<&str> = path.rsplit('/').next().expect("a name").split('.').collect();
        if parts[0].is_empty() || parts[1] == "meta" || parts[1] == "note" {
            continue;
        }
        let said: u64 = parts[2].parse().expect("a number");
        let body = world.git(&["cat-file", "blob", head.split(' ').nth(2).expect("an id")], &world.repo());
        let kind = if parts.last() == Some(&"json") { tokens::Body::Json } else { tokens::Body::Text };
        let counted = tokens::count_body(Encoding::O200kBase, kind, body.as_bytes()) + tokens::MESSAGE_FRAMING;
        assert_eq!(said, counted, "{path} of {revision}");
        total += said;
    }
    let told = world.git(&["log", "-1", "--format=%(trailers:key=Trace-Total,valueonly)", revision], &world.repo());
    assert_eq!(told.trim().parse(), Ok(total), "{revision}");
}

fn branches(world: &World) -> Vec<String> {
    let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/trace/heads"], &world.repo());
    refs.lines().map(str::to_owned).collect()
}

/// Makes a history with the word in all kinds of places.
fn planted(world: &World) {
    say(world, "main/main", "a beginning without it");
    let first = say(world, "main/main", &format!("my plan is {WORD}, tell nobody"));
    let call = format!(
        r#"[{{"role":"assistant","content":[{{"type":"text","text":"so {WORD}"}},{{"type":"tool_use","id":"toolu_{WORD}","name":"Bash","input":{{"command":"echo \"{WORD}\"","{WORD}":1}}}}]}},
        {{"role":"user","content":[{{"type":"tool_result","tool_use_id":"toolu_{WORD}","content":"{WORD}\n{WORD}"}}]}},
        {{"role":"assistant","content":null,"tool_calls":[{{"id":"c1","type":"function","function":{{"name":"f","arguments":"{{\"q\":\"{WORD}\"}}"}}}}]}},
        {{"role":"tool","tool_call_id":"c1","content":"done"}}]"#
    );
    world.ok_with(&["commit", "--messages", "-F", "-"], call.as_bytes());
    world.ok_with(&["edit", &first, "-F", "-"], format!("my plan was {WORD}").as_bytes());
    world.ok(&["pin", &first]);
    world.ok(&["tag", "v1"]);
    world.ok(&["branch", "side"]);
    say(world, "main/side", &format!("{}{WORD} at the end of a preview that is cut", "x ".repeat(24)));
    say(world, "main/side", "nothing");
    for nth in 0..40 {
        say(world, "main/main", &format!("filler {nth}"));
    }
    world.ok_with(&["commit", "-m", &format!("subject about {WORD}"), "-F", "-"], b"no word here");
    world.ok(&["merge", "side"]);
    world.ok(&["branch", "picked", "main~20"]);
    world.ok(&["--branch", "main/picked", "cherry-pick", "-x", "side~1"]);
    world.ok(&["--branch", "main/picked", "revert", "HEAD"]);
}

#[test]
fn words_go_from_all_history_and_nothing_else_changes() {
    let pattern = regex::Regex::new(r"\[\[redacted:manual:[0-9a-f]{8}\]\]|redacted-manual-[0-9a-f]{8}").expect("one");
    for format in ["sha1", "sha256"] {
        let world = World::new(format);
        planted(&world);
        let marker_of = |text: &str| text.replace(WORD, "*");
        let unmarked = |text: &str| pattern.replace_all(text, "*").into_owned();
        let before: BTreeMap<String, Vec<(String, String)>> = branches(&world)
            .into_iter()
            .map(|name| {
                let held = context(&world, &name);
                (name, held.into_iter().map(|(entry, body)| (entry, marker_of(&body))).collect())
            })
            .collect();
        let old: BTreeMap<String, Option<String>> =
            branches(&world).into_iter().map(|name| (name.clone(), world.tip(&name))).collect();
        let root = world.git(&["rev-list", "--max-parents=0", "refs/trace/heads/main/main"], &world.repo());
        assert!(reached(&world).contains(WORD));
        let objects = world.git(&["count-objects", "-v"], &world.repo());
        let told = world.ok(&["redact", "-n", WORD]);
        assert!(told.contains("would change"), "{told}");
        assert_eq!(world.git(&["count-objects", "-v"], &world.repo()), objects);

        let told: Value = serde_json::from_str(&world.ok(&["redact", "--json", WORD])).expect("JSON");
        let told = &told["redacted"];
        assert_eq!(told["left"], serde_json::json!([]), "{told}");
        assert!(told["refs"].as_array().is_some_and(|refs| refs.len() >= 4), "{told}");
        let now = reached(&world);
        assert!(!now.contains(WORD) && !now.contains("heliotr"), "{}", &now[now.find("heliotr").unwrap_or(0)..][..80]);
        let after: BTreeMap<String, Vec<(String, String)>> = branches(&world)
            .into_iter()
            .map(|name| {
                let held = context(&world, &name);
                (name, held.into_iter().map(|(entry, body)| (entry, unmarked(&body))).collect())
            })
            .collect();
        for (name, held) in &before {
            let now = &after[name];
            assert_eq!(held.len(), now.len(), "{name}");
            for (one, other) in held.iter().zip(now) {
                assert!(one == other || one.0.contains(".meta."), "{name}: {one:?} {other:?}");
            }
        }
        // What came before the word is what it was.
        assert_eq!(world.git(&["rev-list", "--max-parents=0", "refs/trace/heads/main/main"], &world.repo()), root);
        world.fsck();
        for name in branches(&world) {
            check_sums(&world, &name);
            let commits = world.git(&["rev-list", &name], &world.repo());
            let ids: Vec<&str> = commits.lines().collect();
            world.ok(&[["verify"].as_slice(), &ids].concat());
        }
        // What names a commit names the new one.
        let picked = world.git(&["log", "--format=%B", "refs/trace/heads/main/picked"], &world.repo());
        for words in ["cherry picked from commit ", "This takes back commit "] {
            let id: String =
                picked.split_once(words).expect("named").1.chars().take_while(char::is_ascii_hexdigit).collect();
            assert!(world.git(&["rev-list", "--glob=refs/trace/heads/*"], &world.repo()).contains(&id), "{words}{id}");
        }
        // It can be taken back, and done again with nothing left behind.
        for (name, tip) in &old {
            let (name, tip) = (name.strip_prefix("refs/trace/heads/").expect("a branch"), tip.as_ref().expect("a tip"));
            world.ok(&["--branch", name, "reset", "--hard", tip]);
        }
        assert!(reached(&world).contains(WORD));
        world.ok(&["redact", "--purge", WORD]);
        assert_eq!(files_with(&world, &world.repo().join(".git"), WORD), Vec::<PathBuf>::new());
        world.fsck();
        say(&world, "main/main", "it goes on");
        assert!(world.fails(1, &["redact", WORD]).contains("nothing to do: it is nowhere in the history"));
    }
}

#[test]
fn an_entry_goes_as_a_whole() {
    let world = World::new("sha1");
    let id = say(&world, "main/main", "the secret plan of the garden");
    say(&world, "main/main", "another entry of the garden");
    let told: Value = serde_json::from_str(&world.ok(&["redact", "--json", "--purge", &id])).expect("JSON");
    assert_eq!(told["redacted"]["bodies"], 1, "{told}");
    assert_eq!(files_with(&world, &world.repo().join(".git"), "secret plan"), Vec::<PathBuf>::new());
    let held = context(&world, "refs/trace/heads/main/main");
    assert!(held[0].0.contains(&id) && held[0].1.starts_with("[[redacted:manual:"), "{held:?}");
    assert_eq!(held[1].1, "another entry of the garden");
    assert!(world.subjects("main/main")[0].starts_with("append user: [[redacted:manual:"));
    check_sums(&world, "refs/trace/heads/main/main");
    world.fsck();
}

#[test]
fn patterns_and_todays_rules_find_what_slipped_in() {
    let world = World::new("sha1");
    world.configure("trace.redact", "off");
    let token = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    say(&world, "main/main", &format!("token is {token}"));
    say(&world, "main/main", "orders 17 and 4711");
    world.configure("trace.redact", "on");
    let told = world.ok(&["redact", "--scan", "-n"]);
    assert!(told.contains("github-pat 1"), "{told}");
    world.ok(&["redact", "--scan"]);
    let now = reached(&world);
    assert!(!now.contains(&token) && now.contains("[[redacted:github-pat:"));
    assert!(world.ok(&["redact", "--scan"]).contains("only logs hold it"));
    assert!(world.fails(1, &["redact", "-E", "a*"]).contains("matches where there is nothing"));
    assert!(world.fails(1, &["redact", "-E", "("]).contains("malformed pattern"));
    assert!(world.fails(1, &["redact", "ab"]).contains("too short"));
    world.ok(&["redact", "-E", "[0-9]{4}"]);
    let held = context(&world, "refs/trace/heads/main/main");
    assert!(held[1].1.starts_with("orders 17 and [[redacted:manual:"), "{held:?}");
    world.fsck();
}

#[test]
fn one_branch_alone_can_be_made_anew_and_others_are_told_of() {
    let world = World::new("sha1");
    say(&world, "main/main", &format!("it is {WORD}"));
    world.ok(&["branch", "side"]);
    say(&world, "main/side", "more");
    let side = world.tip("refs/trace/heads/main/side");
    let told: Value =
        serde_json::from_str(&world.ok(&["--branch", "main/main", "redact", "--json", WORD])).expect("JSON");
    assert_eq!(told["redacted"]["held_by"], serde_json::json!(["heads/main/side"]));
    assert_eq!(world.tip("refs/trace/heads/main/side"), side);
    assert!(context(&world, "refs/trace/heads/main/main")[0].1.contains("[[redacted:manual:"));
    world.fsck();
}

/// Something that happens to a random history.
#[derive(Debug, Clone)]
enum Event {
    Say(usize, u8, bool),
    Edit(usize, prop::sample::Index, bool),
    Pin(usize, prop::sample::Index),
    Drop(usize, prop::sample::Index),
    Branch(usize, usize),
    Merge(usize, usize),
    Pick(usize, usize, bool),
    Tag(usize, u8),
}

fn event() -> impl Strategy<Value = Event> {
    let on = 0..3usize;
    let at = any::<prop::sample::Index>;
    prop_oneof![
        6 => (on.clone(), 0..4u8, prop::bool::weighted(0.3)).prop_map(|(on, kind, has)| Event::Say(on, kind, has)),
        2 => (on.clone(), at(), any::<bool>()).prop_map(|(on, at, has)| Event::Edit(on, at, has)),
        1 => (on.clone(), at()).prop_map(|(on, at)| Event::Pin(on, at)),
        1 => (on.clone(), at()).prop_map(|(on, at)| Event::Drop(on, at)),
        2 => (on.clone(), on.clone()).prop_map(|(from, to)| Event::Branch(from, to)),
        2 => (on.clone(), on.clone()).prop_map(|(into, from)| Event::Merge(into, from)),
        2 => (on.clone(), on.clone(), any::<bool>()).prop_map(|(into, from, back)| Event::Pick(into, from, back)),
        1 => (on, 0..3u8).prop_map(|(on, nth)| Event::Tag(on, nth)),
    ]
}

fn name_of(nth: usize) -> String {
    format!("main/b{nth}")
}

fn message(kind: u8, has: bool, serial: usize) -> NewMessage {
    let word = if has { WORD } else { "nothing" };
    let body = format!("{serial} {}{word} and more", "pad ".repeat(usize::from(kind) * 4));
    match kind {
        3 => NewMessage {
            kind: git_trace::model::BodyKind::Json,
            body: format!(r#"[{{"type":"text","text":"{body}"}}]"#).into_bytes(),
            ..NewMessage::text(Role::Assistant, "")
        },
        _ => NewMessage::text(Role::User, body),
    }
}

/// Lets it happen; what is not possible there does not happen.
fn happen(dir: &Path, event: &Event, serial: usize) {
    let on = |nth: usize| Workspace::discover(dir, Some(&name_of(nth)), None).expect("a repository");
    let entry = |nth: usize, at: &prop::sample::Index| {
        let output = std::process::Command::new("git")
            .args(["ls-tree", "-r", "--name-only", &format!("refs/trace/heads/{}", name_of(nth))])
            .current_dir(dir)
            .output()
            .expect("git starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let names: Vec<&str> =
            text.lines().filter(|name| !name.ends_with(".trace") && !name.contains(".meta.")).collect();
        (!names.is_empty()).then(|| names[at.index(names.len())].split('.').nth_back(1).map(str::to_owned)).flatten()
    };
    match event {
        Event::Say(nth, kind, has) => {
            let request = CommitMessages { messages: vec![message(*kind, *has, serial)], ..CommitMessages::default() };
            commit(&on(*nth), &request).expect("a commit");
        }
        Event::Edit(nth, at, has) => {
            let Some(entry) = entry(*nth, at) else { return };
            let body = format!("edited {serial} {}", if *has { WORD } else { "plain" }).into_bytes();
            let request = Edit {
                entry,
                body,
                kind: Some(git_trace::model::BodyKind::Text),
                role: None,
                message: None,
                force: true,
                dry_run: false,
            };
            let _ = edit(&on(*nth), &request);
        }
        Event::Pin(nth, at) => {
            let Some(entry) = entry(*nth, at) else { return };
            let _ = pin(&on(*nth), &Pin { entries: vec![entry], pin: true, message: None, dry_run: false });
        }
        Event::Drop(nth, at) => {
            let Some(entry) = entry(*nth, at) else { return };
            let _ = drop_entries(
                &on(*nth),
                &DropEntries { entries: vec![entry], message: None, force: false, dry_run: false },
            );
        }
        Event::Branch(from, to) => {
            let change = BranchChange::Create { name: name_of(*to), start: Some(name_of(*from)), force: false };
            let _ = branch(&on(*from), &change, false);
        }
        Event::Merge(into, from) => {
            let _ = merge(&on(*into), &Merge { revision: name_of(*from), ..Merge::default() });
        }
        Event::Pick(into, from, back) => {
            let revision = if *back { name_of(*into) } else { name_of(*from) };
            let request = PickCommits { revisions: vec![revision], note_source: true, ..PickCommits::default() };
            let _ = if *back { revert(&on(*into), &request) } else { cherry_pick(&on(*into), &request) };
        }
        Event::Tag(nth, name) => {
            let _ = tag(&on(*nth), &Tag::Create { name: format!("t{name}"), revision: None, force: true });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: u32::try_from(amount(12, 200)).expect("few"), max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_history_the_word_goes_and_the_rest_stays(events in prop::collection::vec(event(), 5..40)) {
        let world = World::new("sha1");
        let dir = world.repo();
        world.configure("user.name", "A U Thor");
        world.configure("user.email", "author@example.com");
        for (serial, event) in events.iter().enumerate() {
            happen(&dir, event, serial);
            // What stopped is given up.
            for name in ["MERGE", "CHERRY_PICK", "REVERT"] {
                let _ = world.git(&["update-ref", "-d", &format!("refs/worktree/trace/{name}_HEAD")], &dir);
            }
            let _ = std::fs::remove_file(dir.join(".git/trace/sequence"));
            let _ = std::fs::remove_file(dir.join(".git/trace/sequence.json"));
        }
        let names = branches(&world);
        let before: Vec<Vec<(String, String)>> = names.iter().map(|name| context(&world, name)).collect();
        let had = reached(&world).contains(WORD);
        let workspace = Workspace::discover(&dir, None, None).expect("a repository");
        let outcome = redact(&workspace, &Redact { what: vec![WORD.to_owned()], ..Redact::default() }, &mut |_| {});
        if !had {
            prop_assert!(outcome.is_err());
            return Ok(());
        }
        let outcome = outcome.expect("redacted");
        prop_assert!(outcome.left.is_empty());
        let now = reached(&world);
        prop_assert!(!now.contains(WORD) && !now.contains("heliotr"), "{now}");
        prop_assert_eq!(&branches(&world), &names);
        let marker = regex::Regex::new(r"\[\[redacted:manual:[0-9a-f]{8}\]\]").expect("a pattern");
        for (name, before) in names.iter().zip(before) {
            let after: Vec<(String, String)> =
                context(&world, name).into_iter().map(|(entry, body)| (entry, marker.replace_all(&body, WORD).into_owned())).collect();
            prop_assert_eq!(after, before);
            check_sums(&world, name);
        }
        world.fsck();
        let again = redact(&workspace, &Redact { what: vec![WORD.to_owned()], ..Redact::default() }, &mut |_| {});
        prop_assert!(again.is_err(), "what was taken out is taken out once");
    }
}
