//! Branches, HEAD, revisions and ranges mean what they mean in git, on each of its storages; races lose nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::world::{World, amount, feed};

const HEADS: &str = "refs/trace/heads";
const HEAD: &str = "refs/worktree/trace/HEAD";

/// A repository of one kind, and a folder in it.
struct Ground {
    world: World,
    dir: PathBuf,
    kind: &'static str,
}

impl Ground {
    /// Makes one repository of each kind, with three messages on `main/main`.
    fn all() -> Vec<Ground> {
        let kinds = ["sha1", "sha256", "reftable sha1", "reftable sha256", "bare sha1"];
        kinds.into_iter().map(Ground::new).collect()
    }

    fn new(kind: &'static str) -> Ground {
        let hash = kind.rsplit(' ').next().expect("a hash");
        let world = World::new(hash);
        let mut arguments = vec!["init".to_owned(), "-q".to_owned(), format!("--object-format={hash}")];
        match kind.split_once(' ') {
            Some(("bare", _)) => arguments.push("--bare".to_owned()),
            Some((format, _)) => arguments.push(format!("--ref-format={format}")),
            None => {}
        }
        arguments.push("ground".to_owned());
        world.git(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), world.root());
        let ground = Ground { dir: world.root().join("ground"), world, kind };
        for word in ["one", "two", "three"] {
            ground.say(word);
        }
        ground.ok(&["checkout", "main"]);
        ground
    }

    fn trace_in(&self, dir: &Path, arguments: &[&str]) -> std::process::Output {
        let mut command = self.world.command(env!("CARGO_BIN_EXE_git-trace"), dir);
        command.args(arguments);
        feed(command, b"")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.trace_in(&self.dir, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {arguments:?}: {said}", self.kind);
        String::from_utf8(output.stdout).expect("text")
    }

    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.trace_in(&self.dir, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{}: {arguments:?}: {said}", self.kind);
        said
    }

    fn say(&self, word: &str) {
        let mut command = self.world.command(env!("CARGO_BIN_EXE_git-trace"), &self.dir);
        // Two messages on the same commit are not the same entry.
        command.args(["commit", "-m", word]).env("GITTRACE_ID_SEED", word);
        assert!(feed(command, word.as_bytes()).status.success(), "{}: {word}", self.kind);
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.world.git(arguments, &self.dir).trim().to_owned()
    }

    fn tip(&self, name: &str) -> Option<String> {
        let mut command = self.world.command("git", &self.dir);
        let output = command.args(["rev-parse", "--verify", "--quiet", name]).output().expect("git starts");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Resolves a revision with git trace.
    fn resolve(&self, revision: &str) -> String {
        let line = self.ok(&["log", "-n1", "--json", revision]);
        let document: Value = serde_json::from_str(line.lines().next().unwrap_or_default()).expect("a commit");
        document["commit"].as_str().expect("an id").to_owned()
    }

    fn head(&self) -> String {
        self.git(&["symbolic-ref", HEAD])
    }

    fn reflog(&self, name: &str) -> Vec<String> {
        let log = self.git(&["log", "--walk-reflogs", "--format=%H %gs", name]);
        log.lines().map(str::to_owned).collect()
    }

    fn fsck(&self) {
        let output =
            self.world.command("git", &self.dir).args(["fsck", "--strict", "--full", "--no-dangling"]).output();
        let output = output.expect("git starts");
        let said = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
        let fault = said.lines().find(|line| !line.starts_with("notice:"));
        assert!(output.status.success() && fault.is_none(), "{}: git fsck: {said}", self.kind);
    }

    /// Runs what a hint tells to run.
    fn follow(&self, hint: &str, said: &str) {
        let command =
            said.lines().find_map(|line| line.strip_prefix(hint)).unwrap_or_else(|| panic!("no way back: {said}"));
        for command in command.split(" && ") {
            let words: Vec<&str> = command.strip_prefix("git trace ").expect("a command").split(' ').collect();
            self.ok(&words);
        }
    }

    /// Runs git trace and returns what it said beside its answer.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.trace_in(&self.dir, arguments);
        assert!(output.status.success(), "{}: {arguments:?}", self.kind);
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

fn branch(name: &str) -> String {
    format!("{HEADS}/main/{name}")
}

#[test]
fn branches_are_made_moved_renamed_and_deleted() {
    for ground in Ground::all() {
        let tip = ground.tip(&branch("main")).expect("a tip");
        let said = ground.said(&["branch", "idea", "HEAD~1"]);
        assert_eq!(ground.tip(&branch("idea")), ground.tip(&format!("{tip}~1")), "{}", ground.kind);
        assert_eq!(ground.ok(&["branch", "--show-current"]), "main/main\n");
        ground.follow("hint: to take it back: ", &said);
        assert_eq!(ground.tip(&branch("idea")), None);

        ground.ok(&["branch", "idea", "HEAD~1"]);
        assert!(ground.fails(1, &["branch", "idea"]).contains("branch 'main/idea' already exists"));
        let said = ground.said(&["branch", "-f", "idea"]);
        assert_eq!(ground.tip(&branch("idea")), Some(tip.clone()));
        ground.follow("hint: to take it back: ", &said);
        assert_eq!(ground.tip(&branch("idea")), ground.tip(&format!("{tip}~1")));
        assert!(ground.fails(1, &["branch", "-f", "main", "HEAD~1"]).contains("is used by the worktree"));

        // A dry run says the same and does nothing.
        let before = ground.git(&["for-each-ref"]);
        for arguments in [
            ["branch", "-n", "other"].as_slice(),
            &["branch", "-n", "-f", "idea"],
            &["branch", "-n", "-m", "idea", "other"],
            &["branch", "-n", "-d", "idea"],
            &["switch", "-n", "idea"],
            &["switch", "-n", "-c", "other"],
        ] {
            assert!(ground.ok(arguments).contains("ould "), "{arguments:?}");
            assert!(ground.git(&["for-each-ref"]) == before && ground.head() == branch("main"), "{arguments:?}");
        }

        // The reflog goes along with a new name, and so does HEAD.
        ground.ok(&["switch", "idea"]);
        ground.say("aside");
        ground.say("aside again");
        let (log, idea) = (ground.reflog(&branch("idea")), ground.tip(&branch("idea")).expect("a tip"));
        let said = ground.said(&["branch", "-m", "better"]);
        assert_eq!(ground.tip(&branch("idea")), None, "{}", ground.kind);
        assert_eq!(ground.tip(&branch("better")), Some(idea.clone()));
        assert_eq!(ground.head(), branch("better"));
        let renamed = ground.reflog(&branch("better"));
        let line = format!("{idea} trace branch: renamed main/idea to main/better");
        // git writes no line on a reftable where nothing moves.
        let told = usize::from(!ground.kind.starts_with("reftable"));
        assert!(told == 0 || renamed[0] == line, "{}: {renamed:?}", ground.kind);
        assert_eq!(renamed[told..], log, "{}", ground.kind);
        ground.follow("hint: to take it back: ", &said);
        assert_eq!((ground.head(), ground.tip(&branch("idea"))), (branch("idea"), Some(idea.clone())));
        assert!(ground.fails(1, &["branch", "-m", "main"]).contains("already exists"));
        assert!(ground.fails(1, &["branch", "-M", "idea", "main/idea"]).contains("nothing to do"));
        ground.ok(&["branch", "old", "main"]);
        ground.ok(&["branch", "-M", "idea", "old"]);
        assert_eq!((ground.head(), ground.tip(&branch("old"))), (branch("old"), Some(idea.clone())));
        assert!(ground.fails(1, &["branch", "-M", "main", "old"]).contains("is used by the worktree"));
        ground.ok(&["branch", "-m", "old", "idea"]);

        // What is not merged is not lost by accident.
        assert!(ground.fails(1, &["branch", "-d", "idea"]).contains("is used by the worktree"));
        assert!(ground.fails(1, &["branch", "-D", "idea"]).contains("is used by the worktree"));
        ground.ok(&["switch", "main"]);
        ground.ok(&["branch", "merged", "HEAD~2"]);
        let refused = ground.fails(1, &["branch", "-d", "merged", "idea"]);
        assert!(refused.contains("'main/idea' is not merged: 2 commits would be on no branch"), "{refused}");
        assert!(ground.tip(&branch("merged")).is_some(), "all or none");
        assert!(ground.fails(1, &["branch", "-D", "merged", "none"]).contains("branch 'main/none' not found"));
        let said = ground.said(&["branch", "-D", "idea", "merged"]);
        assert_eq!(said.matches("hint: to take it back: git trace branch main/").count(), 2, "{said}");
        assert_eq!(ground.tip(&branch("merged")), None);
        ground.follow("hint: to take it back: ", &said);
        assert_eq!(ground.tip(&branch("idea")), Some(idea.clone()), "{}", ground.kind);

        // An upstream that has it all is as good as HEAD.
        ground.git(&["update-ref", "refs/trace/remotes/origin/main/idea", &idea]);
        ground.ok(&["branch", "-d", "idea"]);
        ground.fsck();
    }
}

#[test]
fn head_switches_and_goes_back() {
    for ground in Ground::all() {
        ground.ok(&["switch", "-c", "idea", "HEAD~1"]);
        ground.ok(&["switch", "-"]);
        assert_eq!(ground.head(), branch("main"), "{}", ground.kind);
        ground.ok(&["checkout", "-"]);
        assert_eq!(ground.head(), branch("idea"));
        let refused = ground.fails(1, &["switch", "HEAD~1"]);
        assert!(refused.contains("a branch is expected") && refused.contains("git trace switch --detach HEAD~1"));
        assert!(ground.fails(1, &["switch", "none"]).contains("unknown revision 'none'"));
        let said = ground.said(&["switch", "--detach", "main~2"]);
        assert!(said.contains("to keep it: git trace switch -c <branch>"), "{said}");
        let one = ground.tip(&format!("{}~2", branch("main"))).expect("a commit");
        assert_eq!(ground.tip(HEAD), Some(one.clone()));
        assert!(ground.ok(&["branch"]).starts_with(&format!("* (HEAD detached at {})\n", &one[..10])));
        assert!(ground.ok(&["status"]).starts_with("HEAD detached"), "{}", ground.kind);
        assert_eq!(ground.ok(&["branch", "--show-current"]), "");
        assert!(ground.fails(1, &["branch", "-m", "new"]).contains("HEAD is detached"));
        ground.say("on no branch");
        let said = ground.said(&["switch", "idea"]);
        assert!(said.contains("1 commit of the detached HEAD are on no branch"), "{said}");
        ground.ok(&["switch", "-"]);
        assert_eq!(ground.tip(&format!("{HEAD}~1")), Some(one), "{}: back at the commit", ground.kind);
        ground.ok(&["switch", "-c", "kept"]);
        assert_eq!(ground.resolve("@{-2}"), ground.resolve("idea"));

        // -C moves; the way back is told.
        let kept = ground.tip(&branch("kept"));
        ground.ok(&["switch", "main"]);
        let said = ground.said(&["switch", "-C", "kept"]);
        assert_eq!(ground.tip(&branch("kept")), ground.tip(&branch("main")));
        ground.follow("hint: to go back: ", &said);
        assert_eq!((ground.head(), ground.tip(&branch("kept"))), (branch("main"), kept), "{}", ground.kind);
        assert!(ground.fails(1, &["switch", "-c", "kept"]).contains("already exists"));

        ground.ok(&["switch", "--orphan", "claude/fresh"]);
        assert_eq!(ground.head(), format!("{HEADS}/claude/fresh"));
        assert!(ground.fails(1, &["log"]).contains("has no commits yet"));
        ground.ok(&["branch", "-m", "claude/empty"]);
        ground.say("the first");
        assert_eq!(ground.git(&["rev-list", "--count", &format!("{HEADS}/claude/empty")]), "1");
        assert!(ground.fails(1, &["switch", "--orphan", "claude/empty"]).contains("already exists"));
        // Short names are the current agent's.
        ground.ok(&["branch", "side"]);
        assert!(ground.tip(&format!("{HEADS}/claude/side")).is_some());
        ground.fsck();
    }
}

#[test]
fn making_a_branch_copies_no_object() {
    let world = World::new("sha1");
    let messages: Vec<String> =
        (0..1000).map(|nth| format!("{{\"role\":\"user\",\"content\":\"message {nth}\"}}")).collect();
    let messages = format!("[{}]", messages.join(","));
    world.ok_with(&["commit", "--messages"], messages.as_bytes());
    world.ok_with(&["commit"], b"one more");
    let objects = || world.git(&["cat-file", "--batch-all-objects", "--batch-check", "--unordered"], &world.repo());
    let before = objects();
    assert!(before.lines().count() > 1000);
    for nth in 0..10 {
        world.ok(&["branch", &format!("b{nth}"), "main~1"]);
        world.ok(&["switch", "-c", &format!("c{nth}"), "main"]);
        world.ok(&["switch", &format!("b{nth}")]);
    }
    world.ok(&["branch", "-m", "c0", "d0"]);
    assert_eq!(objects(), before);
}

#[test]
fn revisions_are_those_of_git() {
    for ground in Ground::all() {
        ground.git(&["config", "user.name", "T"]);
        ground.git(&["config", "user.email", "t@example.com"]);
        ground.ok(&["tag", "begun", "HEAD~2"]);
        ground.ok(&["switch", "-c", "side", "HEAD~1"]);
        ground.say("aside");
        ground.ok(&["switch", "main"]);
        let (main, side) = (branch("main"), branch("side"));
        // A merge, an annotated tag and a remote's branch, made by git itself.
        let (ours, theirs) = (ground.git(&["rev-parse", &main]), ground.git(&["rev-parse", &side]));
        let message = ground.git(&["log", "-1", "--format=%B", &main]);
        let tree = format!("{ours}^{{tree}}");
        let merge = ground.git(&["commit-tree", &tree, "-p", &ours, "-p", &theirs, "-m", &message]);
        ground.git(&["update-ref", "--create-reflog", "-m", "merge", &main, &merge]);
        ground.git(&["tag", "-a", "-m", "annotated", "x", &theirs]);
        ground.git(&["update-ref", "refs/trace/tags/main/noted", &ground.git(&["rev-parse", "refs/tags/x"])]);
        ground.git(&["update-ref", "--create-reflog", "-m", "a", "refs/trace/remotes/origin/main/main", &ours]);
        ground.git(&["update-ref", "--create-reflog", "-m", "b", "refs/trace/remotes/origin/main/main", &theirs]);
        ground.git(&["config", "trace.main/side.upstream", "origin/main/main"]);
        ground.say("newest");
        let upstream = "refs/trace/remotes/origin/main/main";
        let id = ground.git(&["rev-parse", &format!("{main}~1")]);
        for (revision, full) in [
            ("HEAD", main.clone()),
            ("@", main.clone()),
            ("main", main.clone()),
            ("main/main", main.clone()),
            (main.as_str(), main.clone()),
            ("HEAD~3", format!("{main}~3")),
            ("HEAD^", format!("{main}^")),
            ("HEAD~^2", format!("{main}~^2")),
            ("HEAD~1^2~1", format!("{main}~1^2~1")),
            ("@^^2^0", format!("{main}^^2^0")),
            ("HEAD^{commit}", format!("{main}^{{commit}}")),
            ("HEAD~2^{}", format!("{main}~2^{{}}")),
            ("main^{/two}", format!("{main}^{{/two}}")),
            ("main^{/!-newest}", format!("{main}^{{/!-newest}}")),
            ("@{0}", format!("{main}@{{0}}")),
            ("@{1}", format!("{main}@{{1}}")),
            ("HEAD@{2}", format!("{main}@{{2}}")),
            ("main@{1}~1", format!("{main}@{{1}}~1")),
            ("main@{1}^2", format!("{main}@{{1}}^2")),
            ("main/side@{1}", format!("{side}@{{1}}")),
            ("main@{yesterday}", format!("{main}@{{yesterday}}")),
            ("main@{2 days ago}", format!("{main}@{{2 days ago}}")),
            ("side@{2026-05-28 20:26:40 +0000}", format!("{side}@{{2026-05-28 20:26:40 +0000}}")),
            ("@{-1}", side.clone()),
            ("@{-1}~1", format!("{side}~1")),
            ("@{-1}@{1}", format!("{side}@{{1}}")),
            ("@{-2}", main.clone()),
            ("@{u}", upstream.to_owned()),
            ("HEAD@{Upstream}~1", format!("{upstream}~1")),
            ("side@{upstream}@{1}", format!("{upstream}@{{1}}")),
            ("origin/main/main", upstream.to_owned()),
            ("begun", "refs/trace/tags/main/begun".to_owned()),
            ("main/begun", "refs/trace/tags/main/begun".to_owned()),
            ("noted", "refs/trace/tags/main/noted^{commit}".to_owned()),
            ("noted~1", "refs/trace/tags/main/noted~1".to_owned()),
            (&id, format!("{id}^{{commit}}")),
            (&id[..10], format!("{}^{{commit}}", &id[..10])),
            (&format!("{}~1", &id[..7]), format!("{}~1", &id[..7])),
            (":/aside", side.clone()),
        ] {
            let expected = ground.git(&["rev-parse", "--verify", "--end-of-options", &full]);
            assert_eq!(ground.resolve(revision), expected, "{}: {revision}", ground.kind);
        }
        // What git refuses is refused.
        for revision in [
            "HEAD~99",
            "HEAD^3",
            "main@{99}",
            "none@{1}",
            "@{-9}",
            "main@{-1}",
            "HEAD@{",
            "side@{u}@{9}",
            "HEAD^{tree}",
            "begun@{u}",
            "main~1@{1}",
            "~1",
            "^{commit}^",
            "main:",
            "main@{}",
            "HEAD~-1",
            "..",
            ":/nobody said this",
            "HEAD~99999999999999999999",
            &"0".repeat(id.len()),
            "refs/trace/heads/../x",
            "main\u{7}",
        ] {
            let output = ground.trace_in(&ground.dir, &["log", "--", revision]);
            assert_eq!(output.status.code(), Some(1), "{}: {revision}", ground.kind);
            assert!(!output.stderr.contains(&7), "escaped");
        }
        // The commit that brought an entry in.
        let entry: Value = serde_json::from_str(&ground.ok(&["show", "--json", "@3"])).expect("a document");
        let entry = entry.pointer("/entry/id").or(entry.pointer("/id")).and_then(Value::as_str).map(str::to_owned);
        let entry = entry.unwrap_or_else(|| panic!("{}", ground.ok(&["show", "--json", "@3"])));
        let brought = ground.git(&["log", "--format=%H", &format!("--grep=Trace-Entry: +{entry}"), &main]);
        assert_eq!(ground.resolve(&entry), brought.lines().next_back().expect("a commit"), "{}", ground.kind);

        // --branch stands in HEAD's place.
        let aside = |revision: &str| {
            let line = ground.ok(&["--branch", "main/side", "log", "-n1", "--json", revision]);
            serde_json::from_str::<Value>(&line).expect("a commit")["commit"].as_str().expect("an id").to_owned()
        };
        assert_eq!(aside("@{1}"), ground.git(&["rev-parse", &format!("{side}@{{1}}")]), "{}", ground.kind);
        assert_eq!(aside("HEAD~1"), ground.git(&["rev-parse", &format!("{side}~1")]));
    }
}

#[test]
fn short_ids_that_fit_two_commits_are_not_guessed() {
    let ground = Ground::new("sha1");
    let many: String = random_history(&ground, 700, 3).join(" ");
    let ids = ground.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"]);
    let mut ids: Vec<&str> = ids.lines().filter_map(|line| line.strip_prefix("commit ")).collect();
    ids.sort_unstable();
    assert!(ids.len() > 700 && !many.is_empty());
    let mut ambiguous = 0;
    for pair in ids.windows(2) {
        let prefix = &pair[0][..4];
        if pair[1].starts_with(prefix) {
            ambiguous += 1;
            let said = ground.fails(1, &["log", "-n1", prefix]);
            assert!(said.contains(&format!("revision '{prefix}' is ambiguous")), "{said}");
            assert!(said.contains(&pair[0][..10]) && said.contains(&pair[1][..10]), "{said}");
        }
    }
    assert!(ambiguous > 0, "700 ids and no two begin alike");
}

/// Writes random commits that are sound contexts, with merges and clocks that go wrong; returns their branches.
fn random_history(ground: &Ground, commits: usize, seed: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let tree = ground.git(&["rev-parse", &format!("{}^{{tree}}", branch("main"))]);
    let message = ground.git(&["log", "-1", "--format=%B", &branch("main")]);
    let mut script = String::new();
    let skew = [1, 20, 4 * commits as i64][random.usize(..3)];
    for nth in 1..=commits {
        let time = 1_700_000_000 + nth as i64 * 3 + random.i64(-skew * 3..=skew * 3);
        let text = format!("commit {nth}\n\n{message}");
        writeln!(
            script,
            "commit refs/scratch/x\nmark :{nth}\ncommitter a <a@b> {time} +0000\ndata {}\n{text}",
            text.len()
        )
        .expect("a string");
        let mut parents: Vec<usize> = Vec::new();
        for _ in 0..if nth == 1 || random.u8(..20) == 0 { 0 } else { 1 + usize::from(random.u8(..4) == 0) } {
            let parent = nth - 1 - random.usize(..(nth - 1).min(6));
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        match parents.as_slice() {
            [] => {}
            [first, rest @ ..] => {
                writeln!(script, "from :{first}").expect("a string");
                rest.iter().for_each(|parent| writeln!(script, "merge :{parent}").expect("a string"));
            }
        }
        writeln!(script, "M 040000 {tree} \n").expect("a string");
        if parents.is_empty() {
            // Without `from`, fast-import would go on from the branch.
            let at = script.rfind("commit refs/scratch/x").expect("it was written");
            script.insert_str(at, "reset refs/scratch/x\n\n");
        }
    }
    let mut names = Vec::new();
    for nth in 0..12.min(commits) {
        let mark = commits - random.usize(..commits.min(30));
        let name = branch(&format!("r{nth}"));
        writeln!(script, "reset {name}\nfrom :{mark}\n").expect("a string");
        names.push(name);
    }
    let mut import = ground.world.command("git", &ground.dir);
    import.args(["fast-import", "--quiet", "--force"]);
    let output = feed(import, script.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    names
}

#[test]
fn ranges_are_those_of_git() {
    for (nth, kind) in ["sha1", "sha256", "reftable sha1", "sha1", "sha1"].into_iter().enumerate() {
        let ground = Ground::new(kind);
        for round in 0..amount(2, 40) as u64 {
            let names = random_history(&ground, 60, nth as u64 * 1000 + round);
            if round % 2 == 1 {
                ground.ok(&["pack"]);
            }
            let mut random = fastrand::Rng::with_seed(round);
            let all = |names: &[&str]| {
                let arguments = [&["rev-list"], names].concat();
                ground.git(&arguments).lines().map(str::to_owned).collect::<Vec<String>>()
            };
            let ours = |arguments: &[&str]| {
                let lines = ground.ok(&[&["log", "--json"], arguments].concat());
                let commit = |line: &str| serde_json::from_str::<Value>(line).expect("a document")["commit"].clone();
                lines.lines().map(|line| commit(line).as_str().expect("an id").to_owned()).collect::<Vec<String>>()
            };
            for _ in 0..4 {
                let [a, b, c] = [0; 3].map(|_| names[random.usize(..names.len())].as_str());
                // git gives up on hidden commits after five with clocks that went wrong; taken by themselves, its lists
                // are whole: what is in one and not in the other is what a range is.
                let without = |shown: &[&str], hidden: &[&str]| {
                    let gone = all(hidden);
                    let mut left = all(shown);
                    left.retain(|id| !gone.contains(id));
                    left
                };
                let short = |name: &str| name.rsplit('/').next().expect("a name").to_owned();
                let (sa, sb, sc) = (short(a), short(b), short(c));
                let sorted = |mut ids: Vec<String>| {
                    ids.sort();
                    ids
                };
                assert_eq!(ours(&[&sa]), all(&[a]), "{kind} {round}: {a}, in git's order");
                assert_eq!(ours(&["--first-parent", &sa]), all(&["--first-parent", a]));
                assert_eq!(ours(&["--merges", &sa, &sb]), all(&["--merges", a, b]));
                assert_eq!(ours(&["--no-merges", &sa]), all(&["--no-merges", a]));
                let range = format!("{sa}..{sb}");
                assert_eq!(sorted(ours(&[&range])), sorted(without(&[b], &[a])), "{kind} {round}: {range}");
                assert_eq!(sorted(ours(&[&sb, &format!("^{sa}"), &format!("^{sc}")])), sorted(without(&[b], &[a, c])));
                let bases = ground.world.command("git", &ground.dir).args(["merge-base", "--all", a, b]).output();
                let bases = String::from_utf8(bases.expect("git starts").stdout).expect("text");
                let bases: Vec<&str> = bases.lines().collect();
                let apart = if bases.is_empty() { all(&[a, b]) } else { without(&[a, b], &bases) };
                assert_eq!(sorted(ours(&[&format!("{sa}...{sb}")])), sorted(apart), "{kind} {round}: {sa}...{sb}");
                assert_eq!(ours(&[&format!("{sa}^!")]), all(&["-n1", a]));
                let listed = |option: &str| {
                    let list = ground.ok(&["branch", option, &sa, "--json"]);
                    let list: Value = serde_json::from_str(&list).expect("a document");
                    let rows = list["branches"].as_array().expect("a list").clone();
                    rows.iter().map(|row| row["ref"].as_str().expect("a ref").to_owned()).collect::<Vec<_>>()
                };
                for option in ["--merged", "--no-merged", "--contains"] {
                    let git = ground.git(&["for-each-ref", "--format=%(refname)", &format!("{option}={a}"), HEADS]);
                    assert_eq!(listed(option), git.lines().collect::<Vec<_>>(), "{kind} {round}: {option} {a}");
                }
            }
        }
        ground.ok(&["switch", "main"]);
        ground.say("four");
        for (ours, gits) in [("HEAD~2..", "~2.."), ("..HEAD~2", ".."), ("HEAD~1...", "~1...")] {
            let count = ground.ok(&["log", "--oneline", ours]).lines().count();
            let main = branch("main");
            let full = match gits {
                ".." => format!("{main}..{main}~2"),
                sides => format!("{main}{sides}{main}"),
            };
            assert_eq!(count.to_string(), ground.git(&["rev-list", "--count", &full]), "{ours}");
        }
        ground.fsck();
    }
}

#[test]
fn a_difference_may_start_where_two_branches_parted() {
    let ground = Ground::new("sha1");
    ground.ok(&["switch", "-c", "idea", "HEAD~1"]);
    ground.say("another three");
    let told = ground.ok(&["diff", "--stat", "main..idea"]);
    assert!(told.contains("1 added, 1 removed"), "{told}");
    let told = ground.ok(&["diff", "--stat", "main...idea"]);
    assert!(told.contains("1 added, 0 removed"), "{told}");
    let told = ground.ok(&["diff", "--stat", "main..."]);
    assert!(told.contains("1 added, 0 removed"), "{told}");
    ground.ok(&["switch", "--orphan", "x/alone"]);
    ground.say("nothing in common");
    assert!(ground.fails(1, &["diff", "main/main...x/alone"]).contains("have no commit in common"));
}

#[test]
fn a_list_reads_one_commit_of_each_branch() {
    let ground = Ground::new("sha1");
    let tip = ground.tip(&branch("main")).expect("a tip");
    let updates: String = (0..1000).map(|nth| format!("create {HEADS}/agent-{}/b{nth} {tip}\n", nth % 7)).collect();
    let mut update = ground.world.command("git", &ground.dir);
    update.args(["update-ref", "--stdin"]);
    assert!(feed(update, updates.as_bytes()).status.success());
    let objects = ground.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    // All that is left is the one commit: nothing else can have been read.
    let objects_dir = ground.dir.join(".git/objects");
    let packs: Vec<PathBuf> = std::fs::read_dir(objects_dir.join("pack"))
        .expect("packs")
        .filter_map(|file| Some(file.ok()?.path()).filter(|path| path.extension().is_some_and(|end| end == "pack")))
        .collect();
    let commit =
        ground.world.command("git", &ground.dir).args(["cat-file", "commit", &tip]).output().expect("git").stdout;
    for path in packs {
        for end in ["pack", "idx", "rev", "keep"] {
            let _ = std::fs::remove_file(path.with_extension(end));
        }
    }
    for id in objects.lines() {
        let _ = std::fs::remove_file(objects_dir.join(&id[..2]).join(&id[2..]));
    }
    let mut write = ground.world.command("git", &ground.dir);
    write.args(["hash-object", "-t", "commit", "-w", "--stdin", "--literally"]);
    let written = feed(write, &commit);
    assert_eq!(String::from_utf8_lossy(&written.stdout).trim(), tip);
    let listed = ground.ok(&["branch", "--sort", "tokens"]);
    assert_eq!(listed.lines().count(), 1001);
    assert!(
        listed
            .lines()
            .all(|line| line.contains("3 entries") && line.contains("append user: three") || line.contains("three"))
    );
    let one = ground.ok(&["branch", "--agent", "agent-3"]);
    assert_eq!(one.lines().count(), 1000 / 7 + 1);
    assert_eq!(ground.ok(&["branch", "--list", "b99*"]).lines().count(), 11);
    assert_eq!(ground.ok(&["branch", "-l", "agent-1/b1?", "agent-2/b1?"]).lines().count(), 2);
}

#[test]
fn the_list_says_how_branches_stand_to_their_upstream() {
    for ground in Ground::all() {
        ground.ok(&["branch", "theirs", "HEAD~1"]);
        ground.say("ours");
        ground.git(&["update-ref", "refs/trace/remotes/origin/main/main", &branch("theirs")]);
        ground.git(&["update-ref", "refs/trace/remotes/hub/main/x", &branch("main")]);
        ground.git(&["config", "trace.main/theirs.upstream", "refs/trace/remotes/hub/main/x"]);
        let list: Value = serde_json::from_str(&ground.ok(&["branch", "-a", "--json"])).expect("a document");
        let rows = list["branches"].as_array().expect("a list");
        let named =
            |name: &str| rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {list}"));
        let main = &named("main/main")["upstream"];
        let counts = format!("refs/trace/remotes/origin/main/main...{}", branch("main"));
        let counts = ground.git(&["rev-list", "--left-right", "--count", &counts]);
        assert_eq!(counts, format!("{}\t{}", main["behind"], main["ahead"]));
        assert_eq!(named("main/theirs")["upstream"]["behind"], 2);
        assert_eq!(named("origin/main/main")["remote"], true);
        assert_eq!(named("main/main")["tokens"].as_u64(), named("hub/main/x")["tokens"].as_u64());
        let told = ground.ok(&["branch"]);
        assert!(told.contains("[origin/main/main: ahead 2]") && told.contains("[hub/main/x: behind 2]"), "{told}");
        assert_eq!(ground.ok(&["branch", "-r"]).lines().count(), 2);
        ground.git(&["update-ref", "-d", "refs/trace/remotes/hub/main/x"]);
        assert!(ground.ok(&["branch"]).contains("[hub/main/x: gone]"));
        ground.git(&["config", "trace.main/theirs.upstream", "../../x y"]);
        assert_eq!(ground.ok(&["branch"]).lines().count(), 2, "a bad line of the configuration hides no branch");
    }
}

#[test]
fn worktrees_are_seen_and_follow() {
    for kind in ["sha1", "sha256", "reftable sha1"] {
        let ground = Ground::new(kind);
        std::fs::write(ground.dir.join("code.txt"), "code").expect("a file");
        ground.git(&["add", "."]);
        ground.git(&["commit", "-qm", "code"]);
        ground.git(&["worktree", "add", "-q", "../linked"]);
        ground.git(&["worktree", "add", "-q", "../third"]);
        let (linked, third) = (ground.world.root().join("linked"), ground.world.root().join("third"));
        let ok = |dir: &Path, arguments: &[&str]| {
            let output = ground.trace_in(dir, arguments);
            assert!(output.status.success(), "{kind}: {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("text")
        };
        let head = |dir: &Path| ground.world.git(&["symbolic-ref", HEAD], dir).trim().to_owned();
        ok(&linked, &["switch", "-c", "idea"]);
        ok(&third, &["switch", "idea"]);
        for option in ["-d", "-D"] {
            let refused = ground.fails(1, &["branch", option, "idea"]);
            assert!(refused.contains("branch 'main/idea' is used by the worktree at"), "{kind}: {refused}");
            assert!(refused.contains("linked"), "{kind}: {refused}");
        }
        assert!(ground.fails(1, &["branch", "-f", "idea", "HEAD~1"]).contains("is used by the worktree"));
        assert!(ground.fails(1, &["switch", "-C", "idea", "HEAD~1"]).contains("is used by the worktree"));
        let told = ground.ok(&["branch"]);
        assert!(told.contains("+ main/idea") && told.contains("* main/main"), "{kind}: {told}");
        assert!(ok(&linked, &["branch"]).contains("* main/idea"));

        // From one worktree, and from the main one, to all of them.
        ground.ok(&["branch", "-m", "idea", "better"]);
        assert_eq!((head(&linked), head(&third)), (branch("better"), branch("better")), "{kind}");
        ok(&linked, &["branch", "-m", "main", "trunk"]);
        assert_eq!(head(&ground.dir), branch("trunk"), "{kind}");
        assert!(ground.trace_in(&linked, &["branch", "-D", "trunk"]).status.code() == Some(1));
        ok(&linked, &["switch", "trunk"]);
        ok(&linked, &["switch", "-"]);
        assert_eq!(head(&linked), branch("better"), "{kind}");
        ok(&third, &["switch", "--detach", "better"]);
        ok(&linked, &["switch", "trunk"]);
        ground.ok(&["branch", "-d", "better"]);
        ground.fsck();
    }
}

#[test]
fn hostile_names_are_refused() {
    for kind in ["sha1", "reftable sha1"] {
        let ground = Ground::new(kind);
        let before = ground.git(&["for-each-ref"]);
        let long = "x".repeat(300);
        for name in [
            "-x",
            "--delete",
            "..",
            "a..b",
            "../x",
            "refs/heads/main",
            "refs/trace/heads/main/x",
            "a/b/c",
            "a/",
            "/a",
            "",
            "x.lock",
            "HEAD",
            "@",
            "@{-1}",
            "x\u{1b}[31m",
            "x\ny",
            "x y",
            "x~1",
            "x^",
            "x:y",
            "é",
            ".x",
            "x.",
            &long,
        ] {
            for arguments in
                [vec!["branch", "--", name], vec!["branch", "-m", "--", name], vec!["branch", "-d", "--", name]]
            {
                let output = ground.trace_in(&ground.dir, &arguments);
                assert_eq!(output.status.code(), Some(1), "{kind}: {arguments:?}");
                assert!(!output.stderr.contains(&0x1b), "escaped");
            }
            let create = format!("--create={name}");
            let refused = ground.trace_in(&ground.dir, &["switch", &create]);
            assert!(matches!(refused.status.code(), Some(1 | 2)), "{kind}: {name}");
            for switch in [vec!["switch", "--", name], vec!["checkout", "--", name]] {
                // `HEAD` and `@` are revisions, and `switch` says so.
                let fine = (matches!(name, "HEAD" | "@") && switch[0] == "checkout") || name == "@{-1}";
                let status = ground.trace_in(&ground.dir, &switch).status;
                assert!(fine || matches!(status.code(), Some(1 | 2)), "{kind}: {switch:?}: {status}");
                if fine {
                    ground.ok(&["switch", "main"]);
                }
            }
        }
        assert_eq!(ground.git(&["for-each-ref"]), before, "{kind}");
        assert_eq!(ground.head(), branch("main"));
        for usage in [
            vec!["branch", "-d"],
            vec!["branch", "-m"],
            vec!["branch", "a", "b", "c"],
            vec!["switch"],
            vec!["branch", "-d", "-m", "x"],
        ] {
            ground.fails(2, &usage);
        }
        ground.fails(1, &["branch", "new", "nowhere"]);
        ground.fails(1, &["branch", "-l", "--merged", "nowhere"]);
    }
}

#[test]
fn races_of_switches_and_deletions_lose_nothing() {
    for kind in ["sha1", "reftable sha1"] {
        let ground = Ground::new(kind);
        let tip = ground.tip(&branch("main")).expect("a tip");
        let rounds = amount(6, 60);
        std::thread::scope(|scope| {
            for process in 0..8_usize {
                let (ground, tip) = (&ground, &tip);
                scope.spawn(move || {
                    for round in 0..rounds {
                        let name = format!("b{}", (process + round) % 3);
                        let arguments: [&[&str]; 4] = [
                            &["branch", &name, tip],
                            &["switch", &name],
                            &["branch", "-D", &name],
                            &["branch", "-m", &name, "moved"],
                        ];
                        let output = ground.trace_in(&ground.dir, arguments[(process + round) % 4]);
                        let said = String::from_utf8_lossy(&output.stderr);
                        assert!(matches!(output.status.code(), Some(0 | 1)), "{kind}: {said}");
                        if output.status.code() == Some(1) {
                            let expected =
                                ["already exists", "not found", "is used by", "unknown revision", "moved in"];
                            assert!(expected.iter().any(|words| said.contains(words)), "{kind}: {said}");
                        }
                        // HEAD is never on a branch that is gone.
                        let status = ground.trace_in(&ground.dir, &["switch", "main"]);
                        assert!(status.status.success(), "{kind}: {}", String::from_utf8_lossy(&status.stderr));
                    }
                });
            }
        });
        assert_eq!(ground.tip(&branch("main")), Some(tip.clone()));
        for name in ["b0", "b1", "b2", "moved"] {
            assert!(ground.tip(&branch(name)).is_none_or(|id| id == tip), "{kind}: {name}");
        }
        // Each move of HEAD begins where the one before ended.
        let log = ground.git(&["log", "--walk-reflogs", "--format=%gs", HEAD]);
        let mut before: Option<String> = None;
        let mut moves = 0;
        for line in log.lines().collect::<Vec<_>>().into_iter().rev() {
            if let Some((from, to)) =
                line.strip_prefix("checkout: moving from ").and_then(|rest| rest.split_once(" to "))
            {
                assert!(before.as_deref().is_none_or(|before| before == from), "{kind}: {line} after {before:?}");
                before = Some(to.to_owned());
                moves += 1;
            } else if let Some((old, new)) =
                line.strip_prefix("trace branch: renamed ").and_then(|rest| rest.split_once(" to "))
            {
                assert!(before.as_deref().is_none_or(|before| before == old), "{kind}: {line} after {before:?}");
                before = Some(new.to_owned());
            }
        }
        assert!(moves >= rounds * 8, "{kind}: {moves}");
        ground.fsck();
    }
}
