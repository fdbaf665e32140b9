//! `verify` on what the tool itself makes, on what was cut off or left out, and on links that lead nowhere.

use git_trace::ops::{Note, Verification, Verify, Workspace, verify};
use serde_json::Value;

use crate::world::{World, feed, shared_data};

const BRANCH: &str = "refs/trace/heads/main/main";

/// Checks everything in a repository; nothing may be wrong.
fn verify_all(world: &World) -> Verification {
    let workspace = Workspace::discover(&world.repo(), None, None).expect("a repository");
    let found = verify(&workspace, &Verify { all: true, ..Verify::default() }).expect("it can be told");
    for verified in &found.commits {
        assert_eq!(verified.findings, [], "{} {:?}", verified.id, verified.commit);
    }
    for (name, findings, _) in &found.indexes {
        assert_eq!(findings, &[], "{name}");
    }
    found
}

const CALL: &str = r#"[{"role":"user","content":"list the files"},
 {"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"toolu_1","name":"ls","input":{}}]},
 {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"LONG"}]},
 {"role":"assistant","content":"There is a.txt."}]"#;

/// A repository in which every verb was used.
fn lived(object_format: &str) -> World {
    let world = World::new(object_format);
    let repo = world.repo();
    std::fs::write(repo.join("code.txt"), "code").expect("a file");
    world.git(&["add", "code.txt"], &repo);
    world.git(&["commit", "-qm", "code"], &repo);
    world.ok(&["init"]);
    world.ok_with(&["commit", "--role", "system"], b"be kind");
    let words = "a.txt, and many more words than that. ".repeat(60);
    world.ok_with(&["commit", "--messages"], CALL.replace("LONG", &words).as_bytes());
    for text in ["one", "two", "three", "four", "five"] {
        world.ok_with(&["commit"], format!("{text}, and a few more words. ").repeat(20).as_bytes());
    }
    world.ok_with(&["edit", "#6"], "two, or more than two. ".repeat(20).as_bytes());
    world.ok(&["pin", "#5"]);
    world.ok(&["unpin", "#5"]);
    world.ok(&["pin", "#7"]);
    world.ok(&["drop", "#8"]);
    world.ok(&["tag", "before"]);
    world.ok(&["branch", "side"]);
    world.ok(&["branch", "other"]);
    world.ok_with(&["--branch", "side", "commit"], b"on the side");
    world.ok_with(&["--branch", "side", "commit", "--role", "assistant"], b"an answer on the side");
    world.ok_with(&["--branch", "other", "commit"], b"something else");
    world.ok_with(&["--branch", "other", "edit", "#5"], b"one, changed elsewhere");
    world.ok_with(&["commit"], b"on main meanwhile");
    world.ok(&["merge", "side"]);
    world.ok(&["cherry-pick", "other~1"]);
    world.ok(&["revert", "HEAD"]);
    world.ok(&["--branch", "other", "rebase", "main"]);
    world.ok(&["compress", "#1..#4", "--mode", "mask"]);
    world.ok(&["compress", "#5..#6", "--mode", "title"]);
    let line = world.ok(&["show", "#5"]);
    let summary = line.split_whitespace().nth(1).expect("an id").to_owned();
    world.ok(&["restore", &summary]);
    for nth in 0..70 {
        world.ok_with(&["commit"], format!("and on, {nth}. ").repeat(20).as_bytes());
    }
    world.ok(&["compress", "#10..#60", "--mode", "title"]);
    world.ok(&["reset", "--soft", "HEAD~2"]);
    world.ok_with(&["commit"], b"the end");
    world
}

#[test]
fn whatever_the_tool_makes_is_sound() {
    for format in ["sha1", "sha256"] {
        let world = lived(format);
        let found = verify_all(&world);
        assert!(found.checked.commits > 90 && found.checked.blobs > 80, "{:?}", found.checked);
        let said = world.ok(&["verify", "--all"]);
        assert!(said.ends_with("; none signed\n"), "{said}");
        let json: Value = serde_json::from_str(&world.ok(&["verify", "--all", "--json"])).expect("JSON");
        assert_eq!(json["unsound"], 0);
        assert!(world.ok(&["verify"]).contains(" sound append user: the end"));
        let range = world.ok(&["verify", "before..HEAD"]);
        assert!(range.lines().count() > 70 && !range.contains("not sound"), "{range}");
        world.ok(&["pack"]);
        assert_eq!(verify_all(&world).checked, found.checked);
    }
}

#[test]
fn whatever_was_imported_is_sound() {
    let Some(data) = shared_data() else { return };
    let mut imported = 0;
    for agent in ["claude", "codex"] {
        let files = walkdir::WalkDir::new(data.join("transcripts")).sort_by_file_name().into_iter();
        let world = World::new("sha1");
        for (nth, file) in files.filter_map(Result::ok).filter(|file| file.file_type().is_file()).enumerate() {
            let path = file.path().to_str().expect("plain");
            let name = format!("real-{nth}");
            let output = world.trace(&["import", agent, path, "--as", &name]).output().expect("it starts");
            imported += usize::from(output.status.success());
        }
        verify_all(&world);
    }
    assert!(imported > 0);
    println!("{imported} records were imported, and are sound");
}

#[test]
fn what_is_cut_off_or_left_out_is_said_and_no_fault() {
    let world = lived("sha1");
    world.git(&["config", "uploadpack.allowFilter", "true"], &world.repo());
    let address = format!("file://{}", world.repo().display());
    let clone = |arguments: &[&str]| {
        let there = World::new("sha1");
        there.git(&["remote", "add", "origin", &address], &there.repo());
        let fetch = [&["fetch", "-q"], arguments, &["origin", "refs/trace/heads/*:refs/trace/heads/*"]].concat();
        there.git(&fetch, &there.repo());
        there
    };
    let shallow = clone(&["--depth=3"]);
    let found = verify_all(&shallow);
    assert!(found.commits.iter().any(|verified| verified.notes.contains(&Note::Cut)), "{found:?}");
    shallow.git(&["config", "remote.origin.promisor", "true"], &shallow.repo());
    let partial = clone(&["--filter=blob:none"]);
    let found = verify_all(&partial);
    assert!(found.commits.iter().any(|verified| verified.notes.contains(&Note::LeftOut)), "{:?}", found.checked);
    let whole = clone(&[]);
    let found = verify_all(&whole);
    let notes = found.commits.iter().flat_map(|verified| &verified.notes);
    let notes: Vec<&Note> = notes.filter(|note| !matches!(note, Note::CodeNotHere { .. })).collect();
    assert!(notes.is_empty(), "{notes:?}");
    assert!(whole.ok(&["verify", "--all"]).contains("of the code is not here"));
}

#[test]
fn an_index_that_leads_elsewhere_is_found() {
    let world = lived("sha1");
    let repo = world.repo();
    let tip = world.tip(BRANCH).expect("a branch");
    let code = world.git(&["rev-parse", "HEAD"], &repo).trim().to_owned();
    let link = |trace: &str, entry: &str| {
        format!(
            r#"{{"version":1,"commit":"{code}","links":[{{"branch":"main/main","trace":"{trace}","entry":"{entry}","call":"x","path":"code.txt","lines":[[1,1]]}}]}}"#
        )
    };
    let index = |name: &str, content: &str| {
        let object = |kind: &str, bytes: &[u8]| {
            let mut command = world.command("git", &repo);
            command.args(["hash-object", "-w", "--literally", "-t", kind, "--stdin"]);
            String::from_utf8(feed(command, bytes).stdout).expect("an id").trim().to_owned()
        };
        let blob = object("blob", content.as_bytes());
        let mktree = |row: String| {
            let mut command = world.command("git", &repo);
            command.args(["mktree"]);
            String::from_utf8(feed(command, row.as_bytes()).stdout).expect("an id").trim().to_owned()
        };
        let file = mktree(format!("100644 blob {blob}\t{}\n", &name[2..]));
        let middle = mktree(format!("040000 tree {file}\t{}\n", &name[..2]));
        let root = mktree(format!("040000 tree {middle}\tcode\n"));
        let commit = world.git(&["commit-tree", &root, "-m", "x"], &repo);
        world.git(&["update-ref", "refs/trace/meta/test", commit.trim()], &repo);
        let output = world.trace(&["verify", "--all", "--json"]).output().expect("it starts");
        let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), found["refs"][0].clone())
    };
    let entry = {
        let line = world.git(&["log", "-1", "--format=%(trailers:key=Trace-Entry,valueonly)", BRANCH], &repo);
        line.split(' ').next().expect("an entry").trim().trim_start_matches('+').to_owned()
    };
    assert_eq!(index(&code, &link(&tip, &entry)).0, Some(0));
    let (exit, found) = index(&code, &link(&"1".repeat(40), &entry));
    assert_eq!((exit, &found["notes"][0]["kind"]), (Some(0), &Value::from("trace-not-here")));
    for (name, content) in [
        (code.clone(), link(&code, &entry)),
        (code.clone(), link(&tip, "zzzzzzzzzz")),
        ("1".repeat(40), link(&tip, &entry)),
        (code.clone(), "{}".to_owned()),
    ] {
        let (exit, found) = index(&name, &content);
        assert_eq!((exit, &found["sound"]), (Some(1), &Value::from(false)), "{content}: {found}");
    }
}

#[test]
fn what_stands_on_something_else_is_not_sound() {
    let world = World::new("sha1");
    let repo = world.repo();
    std::fs::write(repo.join("code.txt"), "code").expect("a file");
    world.git(&["add", "code.txt"], &repo);
    world.git(&["commit", "-qm", "code"], &repo);
    let code = world.git(&["rev-parse", "HEAD"], &repo).trim().to_owned();
    world.ok_with(&["commit"], b"one");
    world.ok_with(&["commit"], b"two");
    let tip = world.tip(BRANCH).expect("a branch");
    let parent = world.git(&["rev-parse", &format!("{tip}~1")], &repo).trim().to_owned();
    let whole = world.git(&["cat-file", "commit", &tip], &repo);
    let forged = |from: &str, to: &str| {
        let forged = whole.replacen(from, to, 1);
        assert_ne!(forged, whole, "{from}");
        let mut command = world.command("git", &repo);
        command.args(["hash-object", "-w", "--literally", "-t", "commit", "--stdin"]);
        String::from_utf8(feed(command, forged.as_bytes()).stdout).expect("an id").trim().to_owned()
    };
    world.ok(&["verify", &tip]);
    let own = format!("parent {parent}\n");
    let total = whole.lines().find(|line| line.starts_with("Trace-Total: ")).expect("a total").to_owned() + "\n";
    let missing = "1".repeat(40);
    for (what, id) in [
        ("a first parent of the code", forged(&own, &format!("parent {code}\n"))),
        ("a first parent that is missing", forged(&own, &format!("parent {missing}\n"))),
        ("a second parent of the code", forged(&own, &format!("{own}parent {code}\n"))),
        ("a second parent that is missing", forged(&own, &format!("{own}parent {missing}\n"))),
        ("a total that is there twice", forged(&total, &format!("Trace-Total: 4\n{total}"))),
    ] {
        let output = world.trace(&["verify", "--json", &id]).output().expect("it starts");
        let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((output.status.code(), &found["commits"][0]["sound"]), (Some(1), &Value::from(false)), "{what}");
    }
}
