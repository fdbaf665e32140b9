//! Tampering: every byte of every object, and changes that were made to look right.

use std::path::{Path, PathBuf};

use git_trace::ops::{OpError, Verify, Workspace, verify};
use serde_json::Value;

use crate::world::{World, amount, feed};

const BRANCH: &str = "refs/trace/heads/main/main";

/// A small repository with a bit of everything.
fn small() -> World {
    let world = World::new("sha1");
    let repo = world.repo();
    std::fs::write(repo.join("code.txt"), "code").expect("a file");
    world.git(&["add", "code.txt"], &repo);
    world.git(&["commit", "-qm", "code"], &repo);
    world.configure("trace.autoPack", "0");
    world.configure("trace.fsync", "false");
    world.ok(&["init"]);
    world.ok_with(
        &["commit", "--messages"],
        br#"[{"role":"user","content":"list the files"},
 {"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"ls","input":{}}]},
 {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"a.txt and so on, and so on"}]},
 {"role":"assistant","content":"There is a.txt."}]"#,
    );
    for text in ["one", "two", "three"] {
        world.ok_with(&["commit"], text.as_bytes());
    }
    world.ok(&["pin", "#4"]);
    world.ok_with(&["edit", "#5"], b"two, or more");
    world.ok(&["compress", "#0..#3", "--mode", "title"]);
    world.ok(&["branch", "side"]);
    world.ok_with(&["--branch", "side", "commit"], b"aside");
    world.ok_with(&["commit"], b"here");
    world.ok(&["merge", "side"]);
    world.ok(&["tag", "end"]);
    world
}

/// Tells whether `verify` finds anything, or stumbles over it.
fn is_found(world: &World) -> bool {
    let found: Result<bool, OpError> = Workspace::discover(&world.repo(), None, None)
        .and_then(|workspace| verify(&workspace, &Verify { all: true, ..Verify::default() }))
        .map(|found| found.unsound() > 0);
    found.unwrap_or(true)
}

fn fsck_finds(world: &World) -> bool {
    let run = |arguments: &[&str]| world.command("git", &world.repo()).args(arguments).output().expect("git starts");
    let fsck = run(&["fsck", "--strict", "--full", "--no-dangling"]);
    !fsck.status.success() || !fsck.stderr.is_empty()
}

fn object_files(world: &World) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(world.repo().join(".git/objects")).sort_by_file_name().into_iter();
    let files = files.filter_map(Result::ok).filter(|file| file.file_type().is_file()).map(|file| file.into_path());
    // What else git keeps there can be made again from these.
    files
        .filter(|path| {
            path.extension().is_none_or(|end| end == "pack" || end == "idx") && !path.ends_with("info/packs")
        })
        .collect()
}

/// Turns bytes of a file over, one at a time; returns how many `verify` found, and how many git had to find.
fn turn_over(world: &World, file: &Path, stride: usize, offset: usize) -> (usize, usize) {
    let good = std::fs::read(file).expect("a file");
    let mode = std::fs::metadata(file).expect("a file").permissions();
    std::fs::remove_file(file).expect("ours");
    let (mut ours, mut gits) = (0, 0);
    for at in (offset % stride..good.len()).step_by(stride) {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        std::fs::write(file, &bad).expect("written");
        if is_found(world) {
            ours += 1;
        } else {
            assert!(fsck_finds(world), "byte {at} of {} can be changed unnoticed", file.display());
            gits += 1;
        }
        std::fs::remove_file(file).expect("ours");
    }
    std::fs::write(file, &good).expect("written");
    std::fs::set_permissions(file, mode).expect("set");
    (ours, gits)
}

#[test]
fn no_byte_of_an_object_can_be_changed_unnoticed() {
    let world = small();
    assert!(!is_found(&world) && !fsck_finds(&world));
    let mut sums = Vec::new();
    for (shape, quick) in [("loose objects", 29), ("a pack", 13)] {
        let files = object_files(&world);
        let mut sum = (0, 0);
        for (nth, file) in files.iter().enumerate() {
            let (ours, gits) = turn_over(&world, file, amount(quick, 1), nth * 7);
            sum = (sum.0 + ours, sum.1 + gits);
        }
        assert!(!is_found(&world) && !fsck_finds(&world), "all is as it was");
        println!("{shape}: {} files, {} changes found by verify, {} by git fsck", files.len(), sum.0, sum.1);
        assert!(sum.0 > 50, "{sum:?}");
        sums.push(sum);
        world.git(&["repack", "-adq"], &world.repo());
        world.git(&["prune-packed"], &world.repo());
    }
    // What belongs to contexts is ours to find: git's are the code, checksums and the pack's index.
    assert!(sums[0].0 > 5 * sums[0].1, "{sums:?}");
}

/// A commit as it can be written anew.
struct Draft {
    tree: String,
    message: String,
}

/// Rewrites the commit that stands `back` commits before the tip, with all that come after it; returns the new tip.
fn rewritten(world: &World, back: usize, change: &dyn Fn(&mut Draft)) -> String {
    let repo = world.repo();
    let listed = world.git(&["rev-list", "--first-parent", "--reverse", &format!("-{}", back + 1), "side"], &repo);
    let commits: Vec<&str> = listed.lines().collect();
    let mut parent = world.git(&["rev-parse", &format!("{}~1", commits[0])], &repo).trim().to_owned();
    for (nth, commit) in commits.iter().enumerate() {
        let tree = world.git(&["ls-tree", "-r", commit], &repo);
        let message = world.git(&["log", "-1", "--format=%B", commit], &repo);
        let mut draft = Draft { tree, message: message.trim_end().to_owned() + "\n" };
        if nth == 0 {
            change(&mut draft);
        }
        let mut mktree = world.command("git", &repo);
        mktree.arg("mktree");
        let made = feed(mktree, draft.tree.as_bytes());
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let tree = String::from_utf8(made.stdout).expect("an id");
        let arguments = ["commit-tree", tree.trim(), "-p", &parent, "-m", &draft.message];
        parent = world.git(&arguments, &repo).trim().to_owned();
    }
    parent
}

#[test]
fn what_was_changed_and_hashed_anew_is_found() {
    let world = small();
    let repo = world.repo();
    // A branch of git's own, so that short names work in git too.
    world.git(&["update-ref", "refs/heads/side", &format!("{BRANCH}^2")], &repo);
    let mut store = world.command("git", &repo);
    store.args(["hash-object", "-w", "--stdin"]);
    let other = String::from_utf8(feed(store, b"other words, and more of them").stdout).expect("an id");
    let other = other.trim().to_owned();
    let row = |draft: &Draft, words: &str| {
        draft.tree.lines().find(|row| row.contains(words)).unwrap_or_else(|| panic!("no {words}")).to_owned()
    };
    let id_of = |row: &str| row.split([' ', '\t']).nth(2).expect("an id").to_owned();
    type Change<'a> = Box<dyn Fn(&mut Draft) + 'a>;
    let replace = |from: &'static str, to: &'static str| -> Change<'_> {
        Box::new(move |draft: &mut Draft| {
            assert!(draft.message.contains(from), "{from}: {}", draft.message);
            draft.message = draft.message.replacen(from, to, 1);
        })
    };
    let cases: Vec<(&str, Change<'_>)> = vec![
        ("a total", replace("Trace-Total: ", "Trace-Total: 1")),
        ("a count", replace("Trace-Count: ", "Trace-Count: 1")),
        ("a change of tokens", replace("Trace-Tokens: ", "Trace-Tokens: -1\nTrace-Colour: ")),
        ("the next position", replace("Trace-Next: ", "Trace-Next: 0\nTrace-Colour: ")),
        ("a touch less", replace("Trace-Entry: ", "Trace-Colour: ")),
        ("a touch more", replace("Trace-Tokens: ", "Trace-Entry: -zzzzzzzzzz\nTrace-Tokens: ")),
        ("a touch of another kind", replace("Trace-Entry: +", "Trace-Entry: ~")),
        ("a beginning in the middle", replace("Trace-Op: append", "Trace-Op: init")),
        (
            "the code",
            Box::new(|draft: &mut Draft| {
                let line = draft.message.lines().find(|line| line.starts_with("Trace-Code: ")).expect("one").to_owned();
                draft.message = draft.message.replace(&line, &format!("Trace-Code: {other}"));
            }),
        ),
        (
            "a pin",
            Box::new(|draft: &mut Draft| {
                let old = row(draft, ".pin.");
                draft.tree = draft.tree.replace(&old, &old.replace(".pin.", "."));
            }),
        ),
        (
            "an entry's words",
            Box::new(|draft: &mut Draft| {
                let old = row(draft, "0000005.user.");
                draft.tree = draft.tree.replace(&old, &old.replace(&id_of(&old), &other));
            }),
        ),
        (
            "an entry's words, said to be changed",
            Box::new(|draft: &mut Draft| {
                let old = row(draft, "0000005.user.");
                draft.tree = draft.tree.replace(&old, &old.replace(&id_of(&old), &other));
                let entry = old.split('.').nth(3).expect("an id").to_owned();
                draft.message =
                    draft.message.replace("Trace-Tokens: ", &format!("Trace-Entry: ~{entry}\nTrace-Tokens: "));
            }),
        ),
        (
            "the tokens in a name",
            Box::new(|draft: &mut Draft| {
                let old = row(draft, "0000005.user.");
                draft.tree = draft.tree.replace(&old, &old.replace(".user.", ".user.1"));
            }),
        ),
        (
            "a role",
            Box::new(|draft: &mut Draft| {
                let old = row(draft, "0000005.user.");
                draft.tree = draft.tree.replace(&old, &old.replace(".user.", ".system."));
            }),
        ),
        (
            "an entry",
            Box::new(|draft: &mut Draft| {
                let old = row(draft, "0000005.user.") + "\n";
                draft.tree = draft.tree.replace(&old, "");
            }),
        ),
        (
            "a place",
            Box::new(|draft: &mut Draft| {
                let old = row(draft, "0000005.user.");
                draft.tree = draft.tree.replace(&old, &old.replace("0000005.", "0000005~k."));
            }),
        ),
        (
            "an id that is there twice",
            Box::new(|draft: &mut Draft| {
                let old = row(draft, "0000005.user.");
                let twice = old.replace("0000005.", "0000005~k.");
                draft.tree = draft.tree.replace(&old, &format!("{old}\n{twice}"));
            }),
        ),
        (
            "what a summary stands for",
            Box::new(|draft: &mut Draft| {
                let old = row(draft, ".meta.") + "\n";
                draft.tree = draft.tree.replace(&old, "");
            }),
        ),
        (
            "the encoding",
            Box::new(|draft: &mut Draft| {
                let mut store = world.command("git", &repo);
                store.args(["hash-object", "-w", "--stdin"]);
                let made = feed(store, b"git-trace 1\ntokenizer cl100k_base\n");
                let old = row(draft, "\t.trace");
                let new = String::from_utf8(made.stdout).expect("an id");
                draft.tree = draft.tree.replace(&old, &old.replace(&id_of(&old), new.trim()));
            }),
        ),
    ];
    let number = cases.len();
    for (name, change) in &cases {
        for back in [0, 1] {
            // The commit before the last is the compression: not all of these can be done to it.
            if back == 1 && ["a touch of another kind", "a beginning in the middle"].contains(name) {
                continue;
            }
            let tip = rewritten(&world, back, change);
            world.git(&["update-ref", "refs/trace/heads/forged/main", &tip], &repo);
            let output = world.trace(&["verify", "--all", "--json"]).output().expect("it starts");
            let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!(output.status.code(), Some(1), "{name} ({back}): {found}");
        }
    }
    world.git(&["update-ref", "-d", "refs/trace/heads/forged/main"], &repo);
    assert!(!is_found(&world));
    println!("{number} changes that were hashed anew: all are found");
}
