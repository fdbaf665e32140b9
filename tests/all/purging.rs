//! What `--purge` promises: nothing of it is left here that could be dropped, and nothing else is lost.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::forgetting::files_with;
use crate::world::World;

fn say(world: &World, branch: &str, words: &str) -> String {
    let told = world.ok_with(&["--branch", branch, "commit", "--json", "--role", "user", "-F", "-"], words.as_bytes());
    let told: Value = serde_json::from_str(&told).expect("JSON");
    told["outcome"]["entries"][0].as_str().expect("an entry").to_owned()
}

fn git_dir(world: &World) -> PathBuf {
    world.repo().join(".git")
}

fn is_gone(world: &World, words: &str) {
    assert_eq!(files_with(world, &git_dir(world), words), Vec::<PathBuf>::new(), "{words}");
    world.fsck();
    world.ok(&["verify", "--all"]);
}

fn complaint(world: &World, arguments: &[&str]) -> String {
    let output = world.trace(arguments).output().expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Makes a second worktree beside the repository, and returns its folder.
fn linked(world: &World) -> String {
    fs::write(world.repo().join("file"), "x").expect("written");
    world.git(&["add", "."], &world.repo());
    world.git(&["commit", "-qm", "first"], &world.repo());
    world.git(&["worktree", "add", "-q", "../other"], &world.repo());
    world.root().join("other").to_str().expect("plain").to_owned()
}

#[test]
fn what_only_logs_hold_goes_too() {
    let world = World::new("sha1");
    say(&world, "main/main", "hello");
    say(&world, "main/main", "secret zebraword");
    world.ok(&["reset", "--hard", "HEAD~1"]);
    let told = world.fails(1, &["redact", "zebraword"]);
    assert!(told.contains("only logs hold it, in 1 commit, which goes with --purge"), "{told}");
    world.ok(&["redact", "zebraword", "--purge", "-n"]);
    world.ok(&["redact", "zebraword", "--purge"]);
    is_gone(&world, "zebraword");
    // It was taken out before, and its old objects are still here.
    say(&world, "main/main", "the quaggaword");
    say(&world, "main/main", "something else that a log alone holds");
    world.ok(&["redact", "quaggaword"]);
    world.ok(&["reset", "--hard", "HEAD~1"]);
    world.ok(&["redact", "quaggaword", "--purge"]);
    is_gone(&world, "quaggaword");
    assert!(
        !files_with(&world, &git_dir(&world), "something else that a log").is_empty(),
        "no more than the word goes"
    );
    // A branch that was deleted is in HEAD's log.
    world.ok(&["checkout", "-b", "tmp"]);
    say(&world, "main/tmp", "the okapiword");
    world.ok(&["switch", "main/main"]);
    world.ok(&["branch", "-D", "tmp"]);
    world.ok(&["redact", "okapiword", "--purge"]);
    is_gone(&world, "okapiword");
    assert!(world.fails(1, &["redact", "okapiword", "--purge"]).contains("nowhere in the history"));
}

#[test]
fn on_a_reftable_too() {
    let world = World::new("sha1");
    let repo = world.root().join("tables");
    world.git(&["init", "-q", "--ref-format=reftable", "tables"], world.root());
    let at = repo.to_str().expect("plain");
    let commit = |words: &str| world.ok_with(&["-C", at, "commit", "--role", "user", "-F", "-"], words.as_bytes());
    commit("the tableword");
    commit("two");
    world.ok(&["-C", at, "checkout", "-b", "side"]);
    let told: Value =
        serde_json::from_str(&world.ok(&["-C", at, "redact", "--json", "tableword", "--purge"])).expect("JSON");
    assert!(told["redacted"]["purged"]["dropped"].as_u64() > Some(3), "{told}");
    assert_eq!(files_with(&world, &repo.join(".git"), "tableword"), Vec::<PathBuf>::new());
    commit("the deskword");
    world.ok(&["-C", at, "reset", "--hard", "HEAD~1"]);
    world.ok(&["-C", at, "redact", "deskword", "--purge"]);
    assert_eq!(files_with(&world, &repo.join(".git"), "deskword"), Vec::<PathBuf>::new());
    world.git(&["fsck", "--strict"], &repo);
    commit("it goes on");
}

#[test]
fn what_was_forgotten_can_be_purged_later() {
    let world = World::new("sha1");
    say(&world, "main/main", "one");
    say(&world, "main/main", "a zebraword");
    world.ok(&["reset", "--hard", "HEAD~1"]);
    say(&world, "main/main", "a quaggaword");
    world.ok(&["redact", "quaggaword"]);
    say(&world, "x/main", "stays");
    world.ok(&["forget", "main/main"]);
    world.ok(&["forget", "main/main", "--purge"]);
    // For git's own check, HEAD has to be on a branch with a commit.
    world.ok(&["switch", "x/main"]);
    for word in ["zebraword", "quaggaword"] {
        is_gone(&world, word);
    }
    assert!(!git_dir(&world).join("trace/forgotten-commits").exists());
    // What was cut off and deleted is in HEAD's log alone.
    say(&world, "main/main", "another beginning");
    world.ok(&["switch", "main/main"]);
    world.ok(&["checkout", "-b", "tmp"]);
    say(&world, "main/tmp", "the okapiword");
    world.ok(&["switch", "main/main"]);
    world.ok(&["branch", "-D", "tmp"]);
    world.ok(&["forget", "main/main", "--purge"]);
    world.ok(&["switch", "x/main"]);
    is_gone(&world, "okapiword");
    assert!(world.ok(&["--branch", "x/main", "context", "--as", "text"]).contains("stays"));
}

#[test]
fn what_is_replaced_for_git_is_still_needed() {
    let world = World::new("sha1");
    let repo = world.repo();
    say(&world, "main/main", "the zebraword");
    let old = world.tip("refs/trace/heads/main/main").expect("a tip");
    world.git(&["update-ref", "refs/keep/mine", &old], &repo);
    let tree = world.git(&["hash-object", "-t", "tree", "-w", "/dev/null"], &repo);
    let other = world.git(&["commit-tree", tree.trim(), "-m", "other"], &repo);
    world.git(&["replace", &old, other.trim()], &repo);
    let said = complaint(&world, &["redact", "zebraword", "--purge"]);
    world.git(&["--no-replace-objects", "fsck", "--strict"], &repo);
    assert!(world.git(&["--no-replace-objects", "cat-file", "-p", &format!("{old}^{{tree}}")], &repo).contains("blob"));
    // And whoever holds it is named.
    assert!(said.contains("'refs/keep/mine' still holds it"), "{said}");
    assert!(said.contains("of the old commits stay"), "{said}");
}

#[test]
fn what_stopped_in_any_worktree_is_finished_first() {
    let world = World::new("sha1");
    let other = linked(&world);
    let entry = say(&world, "main/main", "base");
    world.ok(&["branch", "side"]);
    world.ok_with(&["--branch", "main/side", "edit", &entry, "-F", "-"], b"side words, zebraword");
    world.ok_with(&["edit", &entry, "-F", "-"], b"main words");
    world.ok(&["-C", &other, "checkout", "-b", "work", "main/main"]);
    let stopped = world.trace(&["-C", &other, "merge", "main/side"]).output().expect("it runs");
    assert_eq!(stopped.status.code(), Some(3), "{stopped:?}");
    let told = world.fails(1, &["redact", "zebraword", "--purge"]);
    assert!(told.contains("a merge is not finished in") && told.contains("/other' merge --abort"), "{told}");
    let told = world.fails(1, &["forget", "side", "main/main", "main/work", "--purge"]);
    assert!(told.contains("worktree") || told.contains("is not finished"), "{told}");
    // Another agent's branch has nothing to do with it; what the merge needs stays.
    say(&world, "x/main", "goes");
    world.ok(&["forget", "x/main", "--purge"]);
    world.git(&["update-ref", "-d", "refs/trace/heads/main/side"], &world.repo());
    say(&world, "y/main", "goes");
    world.ok(&["forget", "y/main", "--purge"]);
    world.ok(&["-C", &other, "merge", "--theirs"]);
    world.ok(&["-C", &other, "merge", "--continue"]);
    world.ok(&["redact", "zebraword", "--purge"]);
    is_gone(&world, "zebraword");
}

#[test]
fn a_stopped_merge_of_what_is_to_be_forgotten_is_named_and_so_are_heads() {
    let world = World::new("sha1");
    let other = linked(&world);
    let entry = say(&world, "main/main", "base");
    world.ok(&["branch", "side"]);
    world.ok_with(&["--branch", "main/side", "edit", &entry, "-F", "-"], b"side words");
    world.ok_with(&["edit", &entry, "-F", "-"], b"main words");
    let stopped = world.trace(&["merge", "side"]).output().expect("it runs");
    assert_eq!(stopped.status.code(), Some(3), "{stopped:?}");
    assert!(world.fails(1, &["forget", "side", "--purge"]).contains("a merge is not finished"));
    world.ok(&["merge", "--abort"]);
    world.ok(&["-C", &other, "checkout", "main/side"]);
    world.ok(&["-C", &other, "checkout", &world.tip("refs/trace/heads/main/side").expect("a tip")]);
    let said = complaint(&world, &["forget", "side", "--purge"]);
    assert!(said.contains("'worktrees/other/refs/worktree/trace/HEAD' still holds all of 'main/side'"), "{said}");
    world.fsck();
}

#[test]
fn a_masked_result_that_goes_as_a_whole_leaves_a_sound_history() {
    let world = World::new("sha1");
    let call = r#"[{"role":"user","content":"q"},
        {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"maskword aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn oooo pppp qqqq rrrr ssss tttt"}]}]"#;
    let told = world.ok_with(&["commit", "--json", "--messages", "-F", "-"], call.as_bytes());
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let entry = told["outcome"]["entries"][2].as_str().expect("an entry").to_owned();
    for nth in 0..3 {
        say(&world, "main/main", &format!("filler {nth}"));
    }
    world.ok(&["compress", "--mode", "mask", &entry]);
    world.ok(&["redact", &entry, "--purge"]);
    is_gone(&world, "maskword");
    let subjects = world.subjects("main/main");
    assert!(subjects.last().is_some_and(|subject| subject.starts_with("compress (mask): 1 entry, ")), "{subjects:?}");
    let shown = world.ok(&["show", "--json", &entry]);
    let (_, rest) = shown.split_once("tokens, object ").expect("the line that stands for it");
    let id: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    let original = world.git(&["cat-file", "blob", &id], &world.repo());
    assert!(original.contains("[[redacted:manual:") && original.contains("\"tool_use_id\":\"t1\""), "{original}");
    world.ok(&["restore", &entry]);
    world.ok(&["verify", "--all"]);
    // Sums in the subject are those of the trailers.
    let told = world.git(
        &["log", "--format=%s %(trailers:key=Trace-Compress,valueonly)", "refs/trace/heads/main/main"],
        &world.repo(),
    );
    let line = told.lines().find(|line| line.starts_with("compress (mask)")).expect("a compression");
    let sums = line.split_once("entry, ").expect("sums").1;
    let numbers: Vec<&str> = sums.split(|one: char| !one.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
    assert!(
        line.contains(&format!("before={}", numbers[0])) && line.contains(&format!("after={}", numbers[1])),
        "{line}"
    );
}

#[test]
fn summaries_of_an_entry_go_with_it() {
    let world = World::new("sha1");
    let one = say(
        &world,
        "main/main",
        &format!("alpha beta gamma delta privateword {}", "and more words that follow ".repeat(12)),
    );
    let two = say(&world, "main/main", &"a short answer that says nothing about it ".repeat(6));
    say(&world, "main/main", "after it");
    world.ok(&["compress", "--mode", "title", &one, &two]);
    assert!(world.ok(&["context"]).contains("privateword"));
    let told: Value = serde_json::from_str(&world.ok(&["redact", "--json", &one, "--purge"])).expect("JSON");
    assert_eq!(told["redacted"]["summaries"].as_array().map(Vec::len), Some(1), "{told}");
    is_gone(&world, "privateword");
}

#[test]
fn nothing_of_an_entry_is_left_that_is_its_own() {
    let world = World::new("sha1");
    let call = r#"[{"role":"user","content":"q"},
        {"role":"assistant","content":[{"type":"thinking","thinking":"secretplan","signature":"c2ln"},
            {"type":"tool_use","id":"t1","name":"Bash","input":{"secretname":4242,"customer_id":"secretbob"}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"c2VjcmV0aW1hZ2U="}}]}]}]"#;
    let told = world.ok_with(&["commit", "--json", "--messages", "-F", "-"], call.as_bytes());
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let id = |nth: usize| told["outcome"]["entries"][nth].as_str().expect("an entry").to_owned();
    world.ok(&["redact", &id(1), &id(2), "--purge"]);
    for word in ["secretplan", "secretname", "secretbob", "4242", "c2VjcmV0aW1hZ2U="] {
        assert_eq!(files_with(&world, &git_dir(&world).join("objects"), word), Vec::<PathBuf>::new(), "{word}");
    }
    is_gone(&world, "secret");
    let sent: Value = serde_json::from_str(&world.ok(&["context", "--as", "anthropic"])).expect("JSON");
    let text = sent.to_string();
    assert!(text.contains("\"name\":\"Bash\"") && text.contains("\"tool_use_id\":\"t1\""), "{text}");
    assert!(!text.contains("\"image\"") && !text.contains("\"thinking\""), "{text}");
}

#[test]
fn what_stays_is_named() {
    let world = World::new("sha1");
    let mut command = world.trace(&["commit", "--role", "user", "-F", "-"]);
    command.env("GIT_AUTHOR_NAME", "Zebraword");
    assert!(crate::world::feed(command, b"hello").status.success());
    let said = complaint(&world, &["redact", "Zebraword"]);
    assert!(said.contains("it stays in the name or address of who made"), "{said}");
    // A work tree of an agent is no context, and is kept as it is.
    let repo = world.repo();
    fs::write(repo.join("run.sh"), "echo okapiword\n").expect("written");
    fs::set_permissions(repo.join("run.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    world.git(&["add", "."], &repo);
    let tree = world.git(&["write-tree"], &repo);
    world.git(&["rm", "-q", "-f", "run.sh"], &repo);
    let message = "snapshot\n\nTrace-Op: snapshot\nTrace-Agent: main\n";
    let commit = world.git(&["commit-tree", tree.trim(), "-m", message], &repo);
    world.git(&["update-ref", "refs/trace/snapshots/main", commit.trim()], &repo);
    say(&world, "main/main", "the okapiword");
    let said = complaint(&world, &["redact", "okapiword"]);
    assert!(said.contains("'snapshots/main' still holds it"), "{said}");
    assert!(!Path::new(&repo.join("run.sh")).exists());
}
