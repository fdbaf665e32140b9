//! Each line of code is traced to the tool call that wrote it, through whatever git does to commits; and to none where no
//! tool call wrote it.

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::world::{World, feed};

/// A repository with our git hooks, and a clock that goes on with everything that happens.
struct Story {
    world: World,
    dir: PathBuf,
    clock: Cell<i64>,
}

impl Story {
    fn new() -> Self {
        Story::of(&["--object-format=sha1"])
    }

    fn of(format: &[&str]) -> Self {
        let world = World::new("sha1");
        let mut arguments = vec!["init", "-q", "--initial-branch=main"];
        arguments.extend(format);
        arguments.push("code");
        world.git(&arguments, world.root());
        let dir = world.root().join("code");
        let story = Story { world, dir, clock: Cell::new(1_780_000_000) };
        story.install_hooks();
        story.put("README.md", "A project of ours, by hand.\n");
        story.commit("begin");
        story
    }

    fn install_hooks(&self) {
        use std::os::unix::fs::PermissionsExt;
        for name in ["post-commit", "post-rewrite", "post-checkout", "post-merge", "prepare-commit-msg", "pre-push"] {
            let path = self.dir.join(".git/hooks").join(name);
            let script = format!("#!/bin/sh\n'{}' hook git {name} \"$@\"\nexit 0\n", env!("CARGO_BIN_EXE_git-trace"));
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, script).expect("a hook");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a hook");
        }
    }

    fn remove_hooks(&self) {
        std::fs::remove_dir_all(self.dir.join(".git/hooks")).expect("the hooks");
    }

    fn tick(&self) -> i64 {
        self.clock.set(self.clock.get() + 10);
        self.clock.get()
    }

    fn run_git(&self, dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let now = format!("{} +0000", self.tick());
        let mut command = self.world.command("git", dir);
        command.args(arguments).env("GIT_AUTHOR_DATE", &now).env("GIT_COMMITTER_DATE", &now);
        command.envs(environment.iter().copied()).env("GIT_EDITOR", "true");
        command.output().expect("git starts")
    }

    fn git_in(&self, dir: &Path, arguments: &[&str]) -> String {
        let output = self.run_git(dir, arguments, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.dir, arguments)
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.dir.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.dir.join(path)).expect("a file")
    }

    fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn trace_in(&self, dir: &Path, arguments: &[&str]) -> Output {
        let now = format!("{} +0000", self.clock.get());
        let mut command = self.world.command(env!("CARGO_BIN_EXE_git-trace"), dir);
        command.args(arguments).env("GIT_AUTHOR_DATE", &now).env("GIT_COMMITTER_DATE", &now);
        feed(command, b"")
    }

    fn trace(&self, arguments: &[&str]) -> String {
        let output = self.trace_in(&self.dir, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git trace {arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Asks why; nothing where there is no trace.
    fn why(&self, arguments: &[&str]) -> Option<Value> {
        let arguments = [&["why", "--json"], arguments].concat();
        let output = self.trace_in(&self.dir, &arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => Some(serde_json::from_slice(&output.stdout).expect("a document")),
            Some(1) => {
                assert!(said.contains("no trace for this"), "{arguments:?}: {said}");
                None
            }
            other => panic!("{arguments:?} ended with {other:?}: {said}"),
        }
    }

    /// Tells for each line of a file which session wrote it, with a `-` for none.
    fn authors(&self, arguments: &[&str]) -> String {
        let Some(told) = self.why(arguments) else { return "-".to_owned() };
        let mut authors = String::new();
        for lines in told["lines"].as_array().expect("lines") {
            let branch = lines["cause"]["branch"].as_str().unwrap_or("-");
            let count = lines["last"].as_u64().expect("a line") - lines["first"].as_u64().expect("a line") + 1;
            let author = branch.split('/').next().expect("an agent");
            (0..count).for_each(|_| authors.push_str(author));
        }
        authors
    }

    /// Checks the author of every line of the work tree's file, all together and one by one.
    fn assert_authors(&self, path: &str, expected: &str) {
        assert_eq!(self.authors(&[path]), expected, "{path}:\n{}", self.text(path));
        for (nth, author) in expected.chars().enumerate() {
            let one = self.authors(&[&format!("{path}:{}", nth + 1)]);
            assert_eq!(one, author.to_string(), "{path}:{}", nth + 1);
        }
    }

    fn forget_journal(&self) {
        std::fs::remove_dir_all(self.dir.join(".git/trace/writes")).expect("a journal");
    }

    fn index_ref(&self) -> String {
        let refs = self.git(&["for-each-ref", "--format=%(refname)", "refs/trace/meta/"]);
        assert_eq!(refs.lines().count(), 1, "{refs}");
        refs
    }

    fn indexed(&self) -> Vec<String> {
        let listed = self.git(&["ls-tree", "-r", "--name-only", &self.index_ref()]);
        listed.lines().filter_map(|path| Some(path.strip_prefix("code/")?.replace('/', ""))).collect()
    }
}

/// A session of an agent, as its transcript has it. What it writes is in the files at once.
struct Session<'s> {
    story: &'s Story,
    name: &'static str,
    root: PathBuf,
    lines: String,
    parent: Option<String>,
    count: u32,
    /// Whether the user says no to what it calls.
    is_refused: bool,
}

impl<'s> Session<'s> {
    fn new(story: &'s Story, name: &'static str, prompt: &str) -> Self {
        let root = story.dir.clone();
        let mut session =
            Session { story, name, root, lines: String::new(), parent: None, count: 0, is_refused: false };
        session.prompt(prompt);
        session
    }

    fn line(&mut self, kind: &str, message: &Value) {
        self.count += 1;
        let id = format!("{}-{}", self.name, self.count);
        let time = jiff::Timestamp::from_second(self.story.tick()).expect("a moment").to_string();
        let line = json!({
            "parentUuid": self.parent,
            "isSidechain": false,
            "cwd": self.root,
            "sessionId": format!("session-{}", self.name),
            "version": "2.1.0",
            "type": kind,
            "message": message,
            "uuid": id,
            "timestamp": time,
        });
        writeln!(self.lines, "{line}").expect("a string");
        self.parent = Some(id);
    }

    fn prompt(&mut self, text: &str) {
        self.line("user", &json!({ "role": "user", "content": text }));
    }

    fn call(&mut self, tool: &str, input: &Value) {
        let (number, name) = (self.count, self.name);
        let call = format!("toolu_{name}_{number}");
        let because = format!("I use {tool} now.");
        self.line(
            "assistant",
            &json!({
                "id": format!("msg_{name}_{number}"),
                "type": "message",
                "role": "assistant",
                "model": "claude-x",
                "content": [{ "type": "text", "text": because },
                    { "type": "tool_use", "id": call, "name": tool, "input": input }],
                "stop_reason": "tool_use",
                "usage": { "input_tokens": 3, "output_tokens": 5 },
            }),
        );
        let (content, is_error) = if self.is_refused { ("the user said no", true) } else { ("done", false) };
        if self.is_refused {
            // The answer comes later than what is imported by then.
            self.import();
        }
        let result = json!([{ "tool_use_id": call, "type": "tool_result", "content": content, "is_error": is_error }]);
        self.line("user", &json!({ "role": "user", "content": result }));
    }

    fn write(&mut self, path: &str, text: &str) -> &mut Self {
        let full = self.root.join(path);
        std::fs::create_dir_all(full.parent().expect("a folder")).expect("a folder");
        std::fs::write(&full, text).expect("a file");
        self.call("Write", &json!({ "file_path": full, "content": text }));
        self
    }

    fn edit(&mut self, path: &str, old: &str, new: &str) -> &mut Self {
        let full = self.root.join(path);
        let text = std::fs::read_to_string(&full).expect("a file");
        assert_eq!(text.matches(old).count(), 1, "'{old}' stands once in {path}");
        std::fs::write(&full, text.replace(old, new)).expect("a file");
        self.call("Edit", &json!({ "file_path": full, "old_string": old, "new_string": new }));
        self
    }

    /// Brings what is new to the repository.
    fn import(&mut self) -> &mut Self {
        let path = self.story.world.root().join(format!("session-{}.jsonl", self.name));
        std::fs::write(&path, &self.lines).expect("a transcript");
        let path = path.to_str().expect("a plain path");
        self.story.trace(&["import", "claude", path, "--as", self.name, "--no-subagents"]);
        self
    }
}

/// A function of some lines that says something of its own.
fn function(name: &str) -> String {
    format!("fn {name}() {{\n    let {name}_first = prepare();\n    finish({name}_first);\n}}\n")
}

#[test]
fn a_line_leads_to_its_prompt_reasoning_and_call() {
    for format in
        [&["--object-format=sha1"][..], &["--object-format=sha256"], &["--object-format=sha1", "--ref-format=reftable"]]
    {
        let story = Story::of(format);
        let mut session = Session::new(&story, "a", "please write \u{1b}[31malpha");
        session.write("src/a b.rs", &function("alpha")).import();
        let commit = story.commit("add alpha");
        assert_eq!(story.indexed().join(" "), commit, "{format:?}");
        story.assert_authors("src/a b.rs", "aaaa");
        let check = |told: Value| {
            let lines = &told["lines"][0];
            assert_eq!((&lines["first"], &lines["last"]), (&json!(2), &json!(3)));
            assert_eq!(lines["commit"]["id"], json!(commit));
            let cause = &lines["cause"];
            assert_eq!(cause["branch"], "a/main");
            assert_eq!(cause["prompt"]["text"], "please write \u{1b}[31malpha");
            assert_eq!(cause["reasoning"]["text"], "I use Write now.");
            assert_eq!((&cause["tool"], &cause["call"]), (&json!("Write"), &json!("toolu_a_1")));
            assert_eq!(cause["model"], "claude-x");
        };
        check(story.why(&["src/a b.rs:2,3"]).expect("a trace"));
        // From a folder, and of a commit.
        let below = story.trace_in(&story.dir.join("src"), &["why", "a b.rs:2,3", "--json"]);
        check(serde_json::from_slice(&below.stdout).expect("a document"));
        check(story.why(&["src/a b.rs:2,3", "--rev", "HEAD"]).expect("a trace"));
        let told = story.why(&[&commit[..12]]).expect("a trace");
        assert_eq!(told["causes"][0]["lines"], json!([[1, 4]]));
        // For people, nothing acts on the terminal.
        let shown = story.trace(&["why", "src/a b.rs:2"]);
        assert!(shown.contains("please write") && !shown.contains('\u{1b}'), "{shown}");
        // What the context became since does not matter.
        story.trace(&["--branch", "a/main", "drop", "@2", "@1", "--force"]);
        check(story.why(&["src/a b.rs:2,3"]).expect("a trace"));
        // Index and journal stand in for each other, and relink for both.
        story.forget_journal();
        check(story.why(&["src/a b.rs:2,3"]).expect("a trace"));
        story.git(&["update-ref", "-d", &story.index_ref()]);
        assert!(story.why(&["src/a b.rs:2,3"]).is_none());
        let rehearsed = story.trace(&["relink", "-n", "--json"]);
        assert!(story.why(&["src/a b.rs:2,3"]).is_none());
        let told: Value = serde_json::from_str(&story.trace(&["relink", "--json"])).expect("a document");
        assert_eq!((&told["linked"], &told["links"], &told["code_commits"]), (&json!(1), &json!(1), &json!(2)));
        let rehearsed: Value = serde_json::from_str(&rehearsed).expect("a document");
        assert_eq!((&rehearsed["linked"], &rehearsed["links"]), (&told["linked"], &told["links"]));
        check(story.why(&["src/a b.rs:2,3"]).expect("a trace"));
        story.git(&["update-ref", "-d", &story.index_ref()]);
        check(story.why(&["src/a b.rs:2,3"]).expect("a trace"));
        story.git(&["fsck", "--strict"]);
    }
}

#[test]
fn each_line_of_a_shared_file_is_its_authors_own() {
    let story = Story::new();
    let mut a = Session::new(&story, "a", "write alpha");
    a.write("lib.rs", &function("alpha")).import();
    story.commit("alpha");
    let mut b = Session::new(&story, "b", "write beta, and a port");
    // It writes the whole file again, with its own part behind.
    b.write("lib.rs", &format!("{}\n{}const PORT: u16 = 8080;\n", function("alpha"), function("beta"))).import();
    story.assert_authors("lib.rs", "aaaabbbbbb");
    story.commit("beta");
    story.assert_authors("lib.rs", "aaaabbbbbb");
    // A person writes between them; one changes a part of a line, one takes a line out.
    let text = story.text("lib.rs").replace("\nfn beta", "\n// written by a person\nfn beta");
    story.put("lib.rs", &text);
    story.commit("a remark");
    story.assert_authors("lib.rs", "aaaab-bbbbb");
    a.prompt("change the port");
    a.edit("lib.rs", "8080", "9090").edit("lib.rs", "    finish(beta_first);\n", "").import();
    story.assert_authors("lib.rs", "aaaab-bbba");
    let commit = story.commit("port");
    story.assert_authors("lib.rs", "aaaab-bbba");
    let told = story.why(&[&commit]).expect("a trace");
    let causes = told["causes"].as_array().expect("causes");
    let calls: Vec<(&str, usize)> = causes
        .iter()
        .map(|cause| (cause["call"].as_str().expect("a call"), cause["lines"].as_array().expect("lines").len()))
        .collect();
    assert_eq!(calls, [("toolu_a_4", 1), ("toolu_a_6", 0)]);
    // The same again, from nothing.
    story.trace(&["relink", "--all"]);
    story.assert_authors("lib.rs", "aaaab-bbba");
    assert_eq!(story.indexed().len(), 3);
}

#[test]
fn links_survive_what_is_done_to_commits() {
    let story = Story::new();
    let mut a = Session::new(&story, "a", "three parts");
    a.write("one.rs", &function("one")).import();
    story.commit("one");
    story.git(&["commit", "-q", "--amend", "-m", "one, better said"]);
    story.assert_authors("one.rs", "aaaa");
    a.write("two.rs", &function("two")).import();
    story.git(&["add", "-A"]);
    story.git(&["commit", "-q", "--amend", "--no-edit"]);
    story.assert_authors("two.rs", "aaaa");
    a.write("three.rs", &function("three")).edit("one.rs", "prepare()", "prepare_well()").import();
    story.commit("three");
    a.write("four.rs", &function("four")).import();
    story.commit("four");
    let all = |story: &Story| {
        for path in ["one.rs", "two.rs", "three.rs", "four.rs"] {
            story.assert_authors(path, "aaaa");
        }
        // What is at HEAD is in the index: it needs no evidence any more.
        let aside = story.dir.join(".git/trace/aside");
        std::fs::rename(story.dir.join(".git/trace/writes"), &aside).expect("moved");
        for path in ["one.rs", "two.rs", "three.rs", "four.rs"] {
            assert_eq!(story.authors(&[path]), "aaaa", "{path}, by the index");
        }
        std::fs::rename(&aside, story.dir.join(".git/trace/writes")).expect("moved");
    };
    all(&story);
    // Reordered, squashed, stopped at for an edit.
    let rebase = |script: &str| {
        let editor = format!("{script} \"$1\" && :");
        let path = story.world.root().join("sequence.sh");
        std::fs::write(&path, format!("#!/bin/sh\n{editor}\n")).expect("a script");
        let editor = format!("sh '{}'", path.display());
        let output = story.run_git(&story.dir, &["rebase", "-i", "HEAD~2"], &[("GIT_SEQUENCE_EDITOR", &editor)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    rebase("sed -i -e '1{h;d}' -e '2{G}'");
    assert_eq!(story.git(&["log", "-2", "--format=%s"]), "three\nfour");
    all(&story);
    rebase("sed -i -e '2s/^pick/edit/'");
    story.put("by-hand.rs", "a line that is written by a person\n");
    story.git(&["add", "-A"]);
    story.git(&["commit", "-q", "--amend", "--no-edit"]);
    story.git(&["rebase", "--continue"]);
    all(&story);
    assert!(story.why(&["by-hand.rs:1"]).is_none());
    rebase("sed -i -e '2s/^pick/squash/'");
    assert_eq!(story.git(&["rev-list", "--count", "HEAD"]), "3");
    all(&story);
    // All of it undone, and committed again as one.
    story.git(&["reset", "-q", "--soft", "HEAD~2"]);
    story.commit("all of it");
    all(&story);
    assert!(story.why(&["by-hand.rs:1"]).is_none());
    story.git(&["fsck", "--strict"]);
}

#[test]
fn links_follow_to_other_branches() {
    let story = Story::new();
    story.git(&["switch", "-q", "-c", "work"]);
    let mut a = Session::new(&story, "a", "two parts");
    a.write("one.rs", &function("one")).import();
    story.commit("one");
    a.edit("one.rs", "finish(one_first);", "finish_it(one_first);").write("two.rs", &function("two")).import();
    let second = story.commit("two");
    story.git(&["switch", "-q", "main"]);
    story.put("one.rs", "// a file that a person began\n");
    story.commit("other work");
    // Picked, with a conflict that a person settles.
    let picked = story.run_git(&story.dir, &["cherry-pick", "work~1"], &[]);
    assert!(!picked.status.success());
    story.put("one.rs", &format!("// a file that a person began\n{}", function("one")));
    story.git(&["add", "-A"]);
    story.git(&["cherry-pick", "--continue"]);
    story.assert_authors("one.rs", "-aaaa");
    story.git(&["cherry-pick", &second]);
    story.assert_authors("one.rs", "-aaaa");
    story.assert_authors("two.rs", "aaaa");
    // Merged as one commit, here.
    story.git(&["switch", "-q", "-c", "other", "main~3"]);
    story.git(&["merge", "--squash", "work"]);
    story.commit("squashed");
    story.assert_authors("one.rs", "aaaa");
    story.assert_authors("two.rs", "aaaa");
    assert!(story.indexed().contains(&story.git(&["rev-parse", "HEAD"])));
    // Merged for real: the merge itself adds nothing.
    story.git(&["switch", "-q", "-c", "third", "main~3"]);
    story.put("three.txt", "something that is on this branch alone\n");
    story.commit("third");
    story.git(&["merge", "-q", "--no-ff", "-m", "merged", "work"]);
    story.assert_authors("two.rs", "aaaa");
    assert!(story.why(&["HEAD"]).is_none(), "the merge wrote nothing itself");
}

#[test]
fn a_squash_on_a_server_is_traced_without_any_hook() {
    let story = Story::new();
    story.remove_hooks();
    let root = story.world.root().to_owned();
    story.git_in(&root, &["clone", "-q", "--bare", "code", "server.git"]);
    story.git(&["remote", "add", "origin", "../server.git"]);
    story.git(&["switch", "-q", "-c", "work"]);
    let mut a = Session::new(&story, "a", "two parts");
    a.write("one.rs", &function("one")).import();
    story.commit("one");
    a.edit("one.rs", "prepare()", "prepare_all()").write("src/two.rs", &function("two")).import();
    story.commit("two");
    story.git(&["push", "-q", "origin", "work"]);
    story.git_in(&root, &["clone", "-q", "server.git", "colleague"]);
    let colleague = root.join("colleague");
    story.git_in(&colleague, &["merge", "-q", "--squash", "origin/work"]);
    story.git_in(&colleague, &["commit", "-q", "-m", "work (#1)"]);
    story.git_in(&colleague, &["push", "-q", "origin", "HEAD:main"]);
    story.git(&["switch", "-q", "main"]);
    story.git(&["branch", "-q", "-D", "work"]);
    story.git(&["fetch", "-q", "origin"]);
    assert_eq!(story.authors(&["one.rs", "--rev", "origin/main"]), "aaaa");
    story.git(&["merge", "-q", "--ff-only", "origin/main"]);
    story.assert_authors("one.rs", "aaaa");
    story.assert_authors("src/two.rs", "aaaa");
    // The contexts can be elsewhere too: whoever fetched them can ask.
    let branches = "refs/trace/heads/*:refs/trace/remotes/them/*";
    story.git_in(&colleague, &["fetch", "-q", "../code", branches]);
    story.git_in(&colleague, &["pull", "-q"]);
    let relinked = story.trace_in(&colleague, &["relink"]);
    assert!(relinked.status.success(), "{}", String::from_utf8_lossy(&relinked.stderr));
    let told = story.trace_in(&colleague, &["why", "src/two.rs:2", "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).expect("a trace");
    assert_eq!(told["lines"][0]["cause"]["branch"], "a/main");
    // And with the hooks in place, a pull links what came.
    story.install_hooks();
    story.git(&["reset", "-q", "--hard", "HEAD~1"]);
    story.git(&["pull", "-q", "--ff-only", "origin", "main"]);
    assert_eq!(story.indexed(), [story.git(&["rev-parse", "HEAD"])]);
}

#[test]
fn parts_formats_and_names_may_change() {
    let story = Story::new();
    let filler: String = (0..12).map(|nth| format!("an old line of the file, number {nth}\n")).collect();
    story.put("part.rs", &filler);
    story.commit("old");
    let mut a = Session::new(&story, "a", "two places");
    a.edit("part.rs", "number 1\n", "number 1\nfirst_new_statement();\n");
    a.edit("part.rs", "number 10\n", "number 10\nsecond_new_statement();\n").import();
    // One of two hunks is staged, as with `git add -p`.
    let patch = story.git(&["diff", "-U1"]);
    let second = patch.rfind("\n@@").expect("two hunks");
    std::fs::write(story.world.root().join("half.patch"), &patch[..=second]).expect("a patch");
    story.git(&["apply", "--cached", "../half.patch"]);
    story.git(&["commit", "-q", "-m", "half"]);
    let expected = "--a---------a-".to_owned();
    story.assert_authors("part.rs", &expected);
    story.commit("the other half");
    story.assert_authors("part.rs", &expected);
    assert_eq!(story.indexed().len(), 2);
    // A formatter runs before the commit, and another time after it.
    a.write("fmt.rs", &function("formatted")).import();
    story.put("fmt.rs", &story.text("fmt.rs").replace("    ", "\t").replace("() {", "( )  {"));
    story.commit("formatted");
    story.assert_authors("fmt.rs", "aaaa");
    story.put("fmt.rs", &story.text("fmt.rs").replace('\t', "  "));
    story.commit("formatted again");
    assert_eq!(story.authors(&["fmt.rs:2,3"]), "aa");
    // Renamed, changed while renamed, and renamed before it was ever committed.
    story.git(&["mv", "fmt.rs", "renamed.rs"]);
    story.commit("renamed");
    assert_eq!(story.authors(&["renamed.rs:2,3"]), "aa");
    a.edit("renamed.rs", "formatted_first = prepare", "formatted_first = prepare_more").import();
    story.git(&["mv", "renamed.rs", "again.rs"]);
    story.commit("renamed again");
    assert_eq!(story.authors(&["again.rs:2,3"]), "aa");
    let long: String = (0..6).map(|nth| format!("a statement of the draft, number {nth}\n")).collect();
    a.write("draft.txt", &long).import();
    std::fs::rename(story.dir.join("draft.txt"), story.dir.join("final.txt")).expect("moved");
    story.commit("final");
    story.assert_authors("final.txt", "aaaaaa");
}

#[test]
fn agents_in_linked_work_trees_are_traced_after_the_work_tree_is_gone() {
    let story = Story::new();
    story.git(&["worktree", "add", "-q", ".worktrees/side", "-b", "side"]);
    let side = story.dir.join(".worktrees/side");
    let mut a = Session::new(&story, "a", "work aside");
    a.root = side.clone();
    a.write("src/side.rs", &function("side")).import();
    story.git_in(&side, &["add", "-A"]);
    story.git_in(&side, &["commit", "-q", "-m", "side"]);
    assert_eq!(story.indexed().len(), 1);
    story.git(&["merge", "-q", "side"]);
    story.assert_authors("src/side.rs", "aaaa");
    story.git(&["worktree", "remove", "--force", ".worktrees/side"]);
    story.git(&["update-ref", "-d", &story.index_ref()]);
    story.trace(&["relink", "--all"]);
    story.assert_authors("src/side.rs", "aaaa");
}

#[test]
fn commits_that_no_session_made_have_no_link() {
    let story = Story::new();
    let license: String = (0..3).map(|nth| format!("// Licensed to you under terms, part {nth}\n")).collect();
    let names = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"];
    story.put("Cargo.toml", "[dependencies]\nserde = \"1.0.0\"\nother-crate = \"2.0.0\"\n");
    for nth in 0..10 {
        story.put(&format!("hand{nth}.rs"), &format!("{}{}", function(&format!("hand{nth}")), function("common")));
    }
    story.commit("by hand");
    let mut made = Vec::new();
    let mut others = 0;
    for (nth, name) in names.into_iter().enumerate() {
        let mut session = Session::new(&story, name, "a module, please");
        let path = format!("src/module{nth}.rs");
        let own = format!("{}{}", if nth == 0 { license.as_str() } else { "" }, function(&format!("module{nth}")));
        session.write(&path, &own);
        if nth == 3 {
            session.edit("Cargo.toml", "other-crate = \"2.0.0\"\n", "other-crate = \"2.0.0\"\nlibrary = \"0.1.0\"\n");
        }
        session.import();
        made.push(story.commit(&format!("module {nth}")));
        // In between, by persons and robots: a bump, a header, code that moves, a new function, a formatter.
        let bump = story.text("Cargo.toml").replace(&format!("1.0.{nth}"), &format!("1.0.{}", nth + 1));
        story.put("Cargo.toml", &bump);
        story.commit("bump serde");
        let hand = format!("hand{nth}.rs");
        story.put(&hand, &format!("{license}{}", story.text(&hand)));
        story.commit("license header");
        let text = story.text(&path);
        let (moved, kept) = text.split_at(text.rfind("fn ").expect("a function"));
        story.put(&path, moved);
        story.put(&format!("moved/place{nth}.rs"), &format!("use super::thing{nth};\n{kept}"));
        story.commit("move code");
        story.put(&hand, &story.text(&hand).replace("    let hand", "        let hand"));
        story.commit("format");
        story.put(&hand, &format!("{}{}", story.text(&hand), function(&format!("later{nth}"))));
        story.commit("more by hand");
        others += 5;
    }
    assert_eq!(others, 50);
    let mut indexed = story.indexed();
    let check = |indexed: &mut Vec<String>| {
        indexed.sort();
        let mut expected = made.clone();
        expected.sort();
        assert_eq!(*indexed, expected, "only what the sessions wrote is linked");
    };
    check(&mut indexed);
    story.trace(&["relink", "--all"]);
    check(&mut story.indexed());
    for id in story.git(&["rev-list", "HEAD"]).lines() {
        assert_eq!(story.why(&[id]).is_some(), made.iter().any(|made| made == id), "{id}");
    }
}

#[test]
fn what_is_written_later_or_elsewhere_is_no_evidence() {
    let story = Story::new();
    let text = function("early");
    story.put("early.rs", &text);
    story.commit("by hand, first");
    story.tick();
    let mut a = Session::new(&story, "a", "write it again");
    a.write("early.rs", &text).write("other/early.rs", &text).import();
    assert_eq!(story.authors(&["early.rs"]), "-");
    story.commit("the copy");
    story.assert_authors("other/early.rs", "aaaa");
    story.trace(&["relink", "--all"]);
    assert_eq!(story.authors(&["early.rs"]), "-");
    // What is not committed yet is told too.
    a.edit("early.rs", "    finish(early_first);\n", "    finish(early_first);\n    and_more_of_it();\n").import();
    story.assert_authors("early.rs", "---a-");
    story.put("early.rs", &format!("// by a person, not committed\n{}", story.text("early.rs")));
    story.assert_authors("early.rs", "----a-");
    // A link that the context does not bear out, from somebody else's index, is none: to an entry that is not there, or to
    // a call that wrote something else.
    let first = story.git(&["rev-list", "--max-parents=0", "HEAD"]);
    let head = story.git(&["rev-parse", "HEAD"]);
    let real = story.git(&["show", &format!("{}:code/{}/{}", story.index_ref(), &head[..2], &head[2..])]);
    let mut real: Value = serde_json::from_str(&real).expect("a record");
    real["commit"] = json!(first);
    real["links"][0]["path"] = json!("README.md");
    real["links"][0]["lines"] = json!([[1, 1]]);
    let mut forged = real.clone();
    forged["links"][0]["entry"] = json!("0000000000");
    for forged in [forged, real] {
        forge(&story, &first, &forged);
        assert!(story.why(&["README.md:1"]).is_none());
        assert!(story.why(&[&first]).is_none());
    }
}

/// Puts a record into somebody else's index.
fn forge(story: &Story, first: &str, record: &Value) {
    std::fs::write(story.world.root().join("forged"), record.to_string()).expect("a file");
    let blob = story.git(&["hash-object", "-w", "../forged"]);
    let tree = |rows: &str| {
        let mut command = story.world.command("git", &story.dir);
        command.args(["mktree"]);
        String::from_utf8_lossy(&feed(command, rows.as_bytes()).stdout).trim().to_owned()
    };
    let inner = tree(&format!("100644 blob {blob}\t{}\n", &first[2..]));
    let outer = tree(&format!("040000 tree {inner}\t{}\n", &first[..2]));
    let root = tree(&format!("040000 tree {outer}\tcode\n"));
    let commit = story.git(&["commit-tree", "-m", "forged", &root]);
    story.git(&["update-ref", "refs/trace/remote-meta/evil/x", &commit]);
}

#[test]
fn a_call_that_was_refused_wrote_nothing() {
    let story = Story::new();
    let mut a = Session::new(&story, "a", "write alpha");
    a.is_refused = true;
    a.write("a.rs", &function("alpha")).import();
    let commit = story.commit("the same, by a person");
    assert!(story.why(&[&commit]).is_none());
    assert_eq!(story.authors(&["a.rs"]), "-");
    let rehearsed: Value = serde_json::from_str(&story.trace(&["relink", "-n", "--json"])).expect("a document");
    assert_eq!(rehearsed["linked"], json!(0));
    story.trace(&["relink", "--all"]);
    assert_eq!(story.authors(&["a.rs"]), "-");
    // The next try is let through.
    a.is_refused = false;
    a.write("b.rs", &function("beta")).import();
    story.commit("beta");
    story.assert_authors("b.rs", "aaaa");
}

#[test]
fn a_line_that_comes_again_long_after_is_not_the_sessions() {
    let story = Story::new();
    story.put("Cargo.toml", "[package]\nname = \"a-package\"\nversion = \"1.2.0\"\n");
    story.put("tool.py", "print('a tool of ours')\n");
    story.commit("by hand");
    let mut a = Session::new(&story, "a", "a release");
    a.edit("Cargo.toml", "version = \"1.2.0\"", "version = \"1.3.0\"");
    a.edit("tool.py", "print('a", "import os\nprint('a").import();
    story.commit("1.3.0");
    story.assert_authors("Cargo.toml", "--a");
    story.assert_authors("tool.py", "a-");
    let ours = story.indexed();
    for (path, text) in [("Cargo.toml", "1.2.0"), ("tool.py", "")] {
        story.put(path, &story.text(path).replace("1.3.0", text).replace("import os\n", ""));
    }
    story.commit("undone by hand");
    story.clock.set(story.clock.get() + 5_000_000);
    story.put("Cargo.toml", &story.text("Cargo.toml").replace("1.2.0", "1.3.0"));
    story.put("tool.py", &format!("import os\n{}", story.text("tool.py")));
    story.put("CHANGES", "what changed in this release\n");
    story.commit("bump, by a bot");
    assert_eq!(story.authors(&["Cargo.toml"]), "-");
    assert_eq!(story.authors(&["tool.py"]), "-");
    assert_eq!(story.indexed(), ours);
    story.trace(&["relink", "--all"]);
    assert_eq!(story.indexed(), ours);
}

#[test]
fn a_session_elsewhere_has_no_part_in_files_of_the_same_name() {
    let story = Story::new();
    let mut a = Session::new(&story, "a", "another project");
    a.root = story.world.root().join("another");
    let text = format!("{}{}", function("alpha"), function("beta"));
    a.write("main.py", &text).write("app/cli.py", "import another_module\n").import();
    story.put("main.py", &text);
    story.put("tools/main.py", &text);
    story.put("app/cli.py", "import another_module\nand_something_else()\n");
    story.commit("by hand");
    for path in ["main.py", "tools/main.py", "app/cli.py"] {
        assert_eq!(story.authors(&[path]), "-", "{path}");
    }
    story.trace(&["relink", "--all"]);
    assert!(story.indexed().is_empty());
}

#[test]
fn what_is_written_two_seconds_after_a_commit_is_no_evidence() {
    let story = Story::new();
    story.put("a.rs", &function("alpha"));
    story.commit("by hand");
    // The commit was made ten seconds ago; the call comes twenty seconds after this.
    story.clock.set(story.clock.get() - 28);
    let mut a = Session::new(&story, "a", "the same");
    a.write("a.rs", &function("alpha")).import();
    assert_eq!(story.authors(&["a.rs"]), "-");
}

#[test]
fn an_old_version_that_is_not_looked_at_is_not_an_empty_one() {
    let story = Story::new();
    let mut a = Session::new(&story, "a", "begin");
    a.write("big.rs", &function("alpha")).import();
    let first = story.commit("alpha");
    let much: String = (0..20_000).map(|nth| format!("a line of a long list, number {nth}\n")).collect();
    story.put("big.rs", &format!("{}{much}", function("alpha")));
    story.commit("a long list by hand");
    story.put("big.rs", &format!("{}// and a remark\n", function("alpha")));
    story.commit("short again");
    assert_eq!(story.indexed(), std::slice::from_ref(&first));
    story.assert_authors("big.rs", "aaaa-");
    story.trace(&["relink"]);
    assert_eq!(story.indexed(), [first]);
}

#[test]
fn what_a_hook_leaves_is_linked_later() {
    let story = Story::new();
    let mut a = Session::new(&story, "a", "write");
    // More files than git is kept waiting for.
    for nth in 0..600 {
        story.put(&format!("a{nth}.txt"), &format!("a text by hand, number {nth}\n"));
    }
    a.write("z.rs", &function("alpha")).import();
    let many = story.commit("many");
    let list = story.dir.join(".git/trace/unlinked");
    let waiting = || std::fs::read_to_string(&list).unwrap_or_default();
    assert_eq!(waiting().trim(), many);
    // An id that names nothing is in nobody's way.
    std::fs::write(&list, format!("{}\nno id\n{many}\n", "1".repeat(40))).expect("a list");
    a.write("b.rs", &function("beta")).import();
    let next = story.commit("beta");
    assert_eq!(story.indexed(), std::slice::from_ref(&next));
    assert_eq!(waiting().trim(), many);
    story.trace(&["relink"]);
    assert_eq!(waiting(), "");
    let mut expected = [many, next];
    expected.sort();
    let mut indexed = story.indexed();
    indexed.sort();
    assert_eq!(indexed, expected);
    story.assert_authors("z.rs", "aaaa");
}

#[test]
fn a_git_hook_never_speaks_and_never_fails() {
    let story = Story::new();
    let silent = |dir: &Path, arguments: &[&str], input: &str| {
        let mut command = story.world.command(env!("CARGO_BIN_EXE_git-trace"), dir);
        command.args(["hook", "git"]).args(arguments);
        let output = feed(command, input.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    };
    let zero = "0".repeat(40);
    let all = |story: &Story| {
        for hook in
            ["post-commit", "post-rewrite", "post-checkout", "post-merge", "prepare-commit-msg", "pre-push", "x"]
        {
            silent(&story.dir, &[hook], "garbage\n1 2 3\n\0");
            silent(&story.dir, &[hook, "-x", "--json", "1"], &format!("{zero} {zero}\n"));
            silent(&story.dir, &[hook, &zero, &zero, "1"], "");
        }
    };
    all(&story);
    silent(story.world.root(), &["post-commit"], "");
    assert!(!story.dir.join(".git/trace/writes").exists(), "a repository without contexts stays as it is");
    let mut a = Session::new(&story, "a", "write");
    a.write("a.rs", &function("alpha")).import();
    all(&story);
    // A journal that is broken, an index that is none, a lock that somebody has.
    let journal = story.dir.join(".git/trace/writes");
    for list in std::fs::read_dir(&journal).expect("a journal").filter_map(Result::ok) {
        let mut bytes = std::fs::read(list.path()).expect("a list");
        bytes.splice(0..0, b"\0\xff\n1\tx\t\n1\t1\t2\t3\t4\t5\t6\t7\t8\n".iter().copied());
        std::fs::write(list.path(), bytes).expect("a list");
    }
    story.commit("alpha");
    story.assert_authors("a.rs", "aaaa");
    let name = story.index_ref();
    let good = story.git(&["rev-parse", &name]);
    story.git(&["update-ref", &name, "HEAD^{tree}"]);
    all(&story);
    a.write("b.rs", &function("beta")).import();
    story.commit("beta");
    assert!(story.dir.join(".git/trace/hook.log").exists(), "what went wrong is noted");
    story.git(&["update-ref", &name, &good]);
    a.write("c.rs", &function("gamma")).import();
    let lock = std::fs::File::open(story.dir.join(".git/trace/lock")).expect("the lock");
    lock.lock().expect("locked");
    story.commit("gamma");
    drop(lock);
    story.commit_empty("later");
    // Those that could not be linked were linked by a later hook.
    assert!(story.indexed().len() >= 3, "{:?}", story.indexed());
    story.assert_authors("b.rs", "aaaa");
    story.assert_authors("c.rs", "aaaa");
}

impl Story {
    fn commit_empty(&self, message: &str) {
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }
}

#[test]
fn trailers_and_reminders_come_only_where_they_are_asked_for() {
    let story = Story::new();
    let mut a = Session::new(&story, "a", "write");
    a.write("a.rs", &function("alpha")).import();
    story.commit("plain");
    let trailers = |story: &Story| story.git(&["log", "-1", "--format=%(trailers:key=Git-Trace,valueonly)"]);
    assert_eq!(trailers(&story), "");
    story.git(&["config", "trace.trailer", "true"]);
    a.write("b.rs", &function("beta")).import();
    story.commit("with a trailer\n\nSigned-off-by: A <a@example.com>");
    let trace = trailers(&story);
    let (branch, commit) = trace.trim().split_once('@').expect("a branch and a commit");
    assert_eq!(branch, "a/main");
    let subject = story.git(&["log", "-1", "--format=%s", commit]);
    assert!(subject.starts_with("append assistant"), "{subject}");
    assert_eq!(story.git(&["log", "-1", "--format=%(trailers:keyonly)"]).lines().count(), 2);
    story.git(&["commit", "-q", "--amend", "--no-edit"]);
    assert_eq!(trailers(&story), trace);
    story.put("hand.rs", "a statement of a person, by hand\n");
    story.commit("by hand");
    assert_eq!(trailers(&story), "");
    // Without a message, git gives up as ever.
    a.write("e.rs", &function("epsilon")).import();
    story.git(&["add", "-A"]);
    assert!(!story.run_git(&story.dir, &["commit", "-q"], &[]).status.success());
    story.git(&["commit", "-q", "-m", "with one"]);
    // A part of the index, given by its path.
    a.write("c.rs", &function("gamma")).import();
    story.put("d.rs", "another statement by a person\n");
    story.git(&["add", "-A"]);
    story.git(&["commit", "-q", "-m", "one file", "d.rs"]);
    assert_eq!(trailers(&story), "");
    story.git(&["commit", "-q", "-m", "the other"]);
    assert_ne!(trailers(&story), "");
    let root = story.world.root().to_owned();
    story.git_in(&root, &["init", "-q", "--bare", "server.git"]);
    let push = || {
        String::from_utf8_lossy(
            &story.run_git(&story.dir, &["push", "-q", "../server.git", "main", "--force"], &[]).stderr,
        )
        .into_owned()
    };
    assert_eq!(push(), "");
    story.git(&["config", "trace.push", "remind"]);
    story.commit_empty("more");
    assert!(push().contains("contexts are not pushed"), "{}", push());
}
