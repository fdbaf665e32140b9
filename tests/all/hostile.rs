//! What others may have put into a repository: each gets a clear error, and nothing comes of it.

use git_trace::ops::{Unsound, Workspace, validate, validate_meta};

use crate::forge::{FILE, FOLDER, Forge, entry_name, message};
use crate::world::{World, feed};

/// Checks what a commit brought, as a fetch does.
fn check(world: &World, tip: &str, known: &[&str]) -> Option<Unsound> {
    let workspace = Workspace::discover(&world.repo(), None, None).expect("a repository");
    let known: Vec<_> = known.iter().map(|id| id.parse().expect("an id")).collect();
    validate(&workspace, tip.parse().expect("an id"), &known).expect("it can be told")
}

/// A tip, and words that the answer must hold.
type Case = (&'static str, String, &'static str);

/// Makes a commit of each kind that no context has.
fn cases(forge: &Forge<'_>) -> Vec<Case> {
    let (manifest, body) = (forge.manifest(), forge.blob(b"body"));
    let missing = "1".repeat(manifest.len());
    let none: [&str; 0] = [];
    // A commit of a context with one more row, sorted behind the manifest.
    let with = |mode: &str, name: &str, id: &str| {
        let mut rows = vec![(FILE, ".trace", manifest.as_str()), (mode, name, id)];
        rows.sort_by_key(|row| format!("{}{}", row.1, if row.0 == FOLDER { "/" } else { "" }));
        forge.context(&forge.tree(&rows), &none, 1)
    };
    let first = entry_name(0);
    let empty = forge.tree::<&str>(&[]);
    let folder = forge.tree(&[(FILE, first.as_str(), body.as_str())]);
    let one = forge.plain(&forge.rows(1));
    let newer = forge.blob(b"git-trace 2\n\xff\xfe\n");
    let deep = (0..200).fold(folder.clone(), |inner, _| forge.tree(&[(FOLDER, "a", inner.as_str())]));
    let mut cases: Vec<Case> = vec![
        ("a blob as tip", body.clone(), "a blob where a commit is expected"),
        ("a tree as tip", one.clone(), "a tree where a commit is expected"),
        (
            "a tag as tip",
            forge.object(
                "tag",
                format!("object {}\ntype commit\ntag x\ntagger a <b> 1 +0000\n\nx\n", forge.context(&one, &none, 1))
                    .as_bytes(),
            ),
            "a tag where a commit is expected",
        ),
        ("a missing tip", missing.clone(), "missing"),
        ("a missing tree", forge.context(&missing, &none, 1), "missing"),
        ("a missing parent", forge.context(&one, &[&missing], 1), "missing"),
        ("a missing body", with(FILE, &first, &missing), "missing"),
        ("a blob as tree", forge.context(&body, &none, 1), "a blob where a folder is expected"),
        ("a blob as parent", forge.context(&one, &[&body], 1), "blob"),
        ("a tree as body", with(FILE, &first, &one), "a tree where a file is expected"),
        ("a folder of git's", with(FOLDER, ".git", &folder), "no name of a context"),
        ("the same in capitals", with(FOLDER, ".GIT", &folder), "no name of a context"),
        ("submodules", with(FILE, ".gitmodules", &body), "no name of a context"),
        ("attributes", with(FILE, ".gitattributes", &body), "no name of a context"),
        ("the folder above", with(FOLDER, "..", &folder), "no name"),
        ("a path", with(FILE, "a/b", &body), "no name"),
        (
            "a name with a control character",
            with(FILE, "0000000.user.1.0000000000.txt\n", &body),
            "malformed entry name",
        ),
        ("a name of the file system's", with(FILE, ".\u{200c}git", &body), "no name of a context"),
        ("a link", with("120000", &first, &body), "neither a plain file nor a folder"),
        ("a submodule", with("160000", &first, &missing), "neither a plain file nor a folder"),
        ("a program", with("100755", &first, &body), "neither a plain file nor a folder"),
        ("a mode with a zero in front", with("040000", ".chunk", &folder), "neither a plain file nor a folder"),
        ("a folder among entries", with(FOLDER, &first, &folder), "a folder among entries"),
        ("no manifest", forge.context(&folder, &none, 1), "no '.trace'"),
        ("an empty tree", forge.context(&empty, &none, 0), "no '.trace'"),
        (
            "a newer version",
            forge.context(&forge.tree(&[(FILE, ".trace", newer.as_str())]), &none, 0),
            "format version 2",
        ),
        ("no version", forge.context(&forge.tree(&[(FILE, ".trace", body.as_str())]), &none, 0), "no format version"),
        (
            "rows out of order",
            forge.context(
                &forge.tree(&[(FILE, first.as_str(), body.as_str()), (FILE, ".trace", manifest.as_str())]),
                &none,
                1,
            ),
            "not sorted",
        ),
        (
            "a row twice",
            forge.context(
                &forge.tree(&[
                    (FILE, ".trace", manifest.as_str()),
                    (FILE, first.as_str(), body.as_str()),
                    (FILE, first.as_str(), body.as_str()),
                ]),
                &none,
                2,
            ),
            "not sorted",
        ),
        (
            "an id twice",
            forge.context(
                &forge.tree(&[
                    (FILE, ".trace", manifest.as_str()),
                    (FILE, first.as_str(), body.as_str()),
                    (FILE, first.replacen("0000000.", "0000001.", 1).as_str(), body.as_str()),
                ]),
                &none,
                2,
            ),
            "two entries have the id",
        ),
        (
            "a tree that is cut off",
            forge.context(&forge.object("tree", b"100644 .trace\0abc"), &none, 0),
            "malformed tree",
        ),
        ("a tree that is none", forge.context(&forge.object("tree", b"garbage"), &none, 0), "malformed tree"),
        ("folders below folders", with(FOLDER, ".later", &deep), "nested too deep"),
        ("chunks that are deeper", with(FOLDER, ".chunk", &deep), "not a folder of chunks"),
        ("an empty folder of chunks", with(FOLDER, ".chunk", &empty), "empty"),
        ("a wrong count", forge.context(&one, &none, 2), "Trace-Count is 2, counted 1"),
        ("a commit of the code", forge.commit(&one, &none, "fix: it\n"), "no Trace-Op"),
        ("a snapshot", forge.commit(&one, &none, &message(1).replace("append\n", "snapshot\n")), "never shared"),
        ("half a trailer", forge.commit(&one, &none, &message(1).replace("Count: 1", "Count: x")), "holds no number"),
        ("a touch of nothing", forge.commit(&one, &none, &(message(1) + "Trace-Entry: ?\n")), "Trace-Entry"),
        (
            "positions without end",
            forge.commit(&one, &none, &message(1).replace("Next: 1", "Next: 99999999")),
            "Trace-Next",
        ),
        ("a commit that is none", forge.object("commit", b"tree x\n\nhello"), "malformed commit"),
        ("a huge message", forge.commit(&one, &none, &("x".repeat(17 << 20) + "\n\n" + &message(1))), "the limit is"),
    ];
    // One chunk, many times over: a tree that stands for more than it holds.
    let chunk = forge.tree(&[(FILE, first.as_str(), body.as_str())]);
    let numbers: Vec<String> = (0..1000).map(|number| format!("{number:06}")).collect();
    let group: Vec<(&str, &str, &str)> =
        numbers.iter().map(|number| (FOLDER, number.as_str(), chunk.as_str())).collect();
    let group = forge.tree(&group);
    let groups: Vec<(&str, &str, &str)> = numbers.iter().map(|number| (FOLDER, &number[2..], group.as_str())).collect();
    let bomb = forge.tree(&groups);
    cases.push(("a tree of a million copies", with(FOLDER, ".chunk", &bomb), "positions do not ascend"));
    let chunks = forge.tree(&[(FOLDER, "0000", forge.tree(&[(FOLDER, "000000", chunk.as_str())]).as_str())]);
    let rows = [
        (FOLDER, ".chunk", chunks.as_str()),
        (FILE, ".trace", manifest.as_str()),
        (FILE, first.as_str(), body.as_str()),
    ];
    cases.push(("a chunk behind the tail", forge.context(&forge.tree(&rows), &none, 2), "positions do not ascend"));
    cases.push(("many entries", forge.context(&forge.plain(&forge.rows(100_000)), &none, 100_000), "the limit is"));
    cases.push((
        "more than one root holds",
        forge.context(&forge.plain(&forge.rows(5000)), &none, 5000),
        "too many rows",
    ));
    // What is wrong further down is found too.
    let bad = with(FOLDER, ".git", &folder);
    cases.push(("a fault in an older commit", forge.context(&one, &[&bad], 1), "no name of a context"));
    cases
}

#[test]
fn no_history_is_taken_in_that_no_git_trace_made() {
    for format in ["sha1", "sha256"] {
        let world = World::new(format);
        let repo = world.repo();
        let forge = Forge::new(&world, &repo);
        let good = forge.context(&forge.plain(&forge.rows(40)), &[], 40);
        assert_eq!(check(&world, &good, &[]), None);
        for (name, tip, words) in cases(&forge) {
            let unsound = check(&world, &tip, &[&good]).unwrap_or_else(|| panic!("{name} is taken in"));
            assert!(unsound.to_string().contains(words), "{name}: {unsound}");
        }
    }
}

#[test]
fn one_entry_on_a_long_context_reads_a_handful_of_trees() {
    let world = World::new("sha1");
    let repo = world.repo();
    world.ok(&["init"]);
    let messages: Vec<String> = (0..3000).map(|at| format!(r#"{{"role":"user","content":"message {at}"}}"#)).collect();
    world.ok_with(&["commit", "--messages"], format!("[{}]", messages.join(",")).as_bytes());
    let old = world.tip("refs/trace/heads/main/main").expect("a branch");
    world.ok_with(&["commit"], b"one more");
    let new = world.tip("refs/trace/heads/main/main").expect("a branch");
    assert_eq!(check(&world, &new, &[]), None);
    // Without any chunk, and without what was said in them: nothing of it is looked at.
    let pack = walkdir::WalkDir::new(world.repo().join(".git/objects/pack")).into_iter().filter_map(Result::ok);
    for file in pack.filter(|file| file.file_type().is_file()).map(|file| file.into_path()).collect::<Vec<_>>() {
        let aside = world.root().join(file.file_name().expect("a name"));
        std::fs::rename(&file, &aside).expect("moved");
        if aside.extension().is_some_and(|end| end == "pack") {
            let mut unpack = world.command("git", &repo);
            unpack.args(["unpack-objects", "-q"]);
            feed(unpack, &std::fs::read(&aside).expect("a pack"));
        }
    }
    let listed = world.git(&["ls-tree", "-r", "-t", &new], &repo);
    let mut gone = 0;
    for line in listed.lines().filter(|line| line.contains("\t.chunk/")) {
        let id = line.split(['\t', ' ']).nth(2).expect("an id");
        gone += usize::from(std::fs::remove_file(repo.join(".git/objects").join(&id[..2]).join(&id[2..])).is_ok());
    }
    assert!(gone > 3000, "{gone}");
    assert_eq!(check(&world, &new, &[&old]), None);
    assert!(check(&world, &new, &[]).is_some_and(|unsound| unsound.reason.contains("missing")));
}

#[test]
fn an_index_holds_files_named_in_digits() {
    let world = World::new("sha1");
    let repo = world.repo();
    let forge = Forge::new(&world, &repo);
    let check = |tip: &str| {
        let workspace = Workspace::discover(&world.repo(), None, None).expect("a repository");
        validate_meta(&workspace, tip.parse().expect("an id"), &[]).expect("it can be told")
    };
    let body = forge.blob(b"{}");
    let file = |name: &str| forge.tree(&[(FILE, name, body.as_str())]);
    let digits = "c".repeat(38);
    let inner = file(&digits);
    let of = |folder: &str, first: &str, inner: &str| {
        let middle = forge.tree(&[(FOLDER, first, inner)]);
        forge.commit(&forge.tree(&[(FOLDER, folder, middle.as_str())]), &[], "x\n")
    };
    assert_eq!(check(&of("code", "ab", &inner)), None);
    assert_eq!(check(&forge.commit(&forge.tree::<&str>(&[]), &[], "x\n")), None);
    for (name, tip) in [
        ("a file for a folder", forge.commit(&file("code"), &[], "x\n")),
        ("git's folder", of(".git", "ab", &inner)),
        ("the folder above", of("..", "ab", &inner)),
        ("no digits", of("code", "xy", &inner)),
        ("a path", of("code", "ab", &file("../../x"))),
        ("too deep", of("code", "ab", &forge.tree(&[(FOLDER, "cd", inner.as_str())]))),
        ("a link", of("code", "ab", &forge.tree(&[("120000", digits.as_str(), body.as_str())]))),
        ("missing", of("code", "ab", &forge.tree(&[(FILE, digits.as_str(), "1".repeat(40).as_str())]))),
    ] {
        assert!(check(&tip).is_some(), "{name} is taken in");
    }
}

/// Somebody's repository, and what it follows of a server.
struct Victim {
    world: World,
}

impl Victim {
    fn new(format: &str, server: &World) -> Self {
        let world = World::new(format);
        world.git(&["remote", "add", "origin", &format!("file://{}", server.repo().display())], &world.repo());
        world.ok(&["init"]);
        world.ok_with(&["commit"], b"mine");
        Victim { world }
    }

    /// Returns every ref, and every file outside of git's folder.
    fn state(&self) -> (String, Vec<String>) {
        let refs = self.world.git(&["for-each-ref", "--format=%(refname) %(objectname)"], &self.world.repo());
        let files = walkdir::WalkDir::new(self.world.root()).into_iter().filter_map(Result::ok);
        let files = files.map(|file| file.path().to_string_lossy().into_owned());
        (refs, files.filter(|path| !path.contains("/.git/")).collect())
    }

    /// Fetches, in at most this many kilobytes of memory a process.
    fn fetch(&self, verb: &str, kilobytes: u64) -> std::process::Output {
        let mut command = self.world.command("sh", &self.world.repo());
        let script = format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_git-trace"), verb, "origin"]);
        command.output().expect("sh starts")
    }

    /// Fetches what must be refused; nothing may have moved. Returns what was said.
    fn refuses(&self, name: &str) -> String {
        let before = self.state();
        let mut said = String::new();
        for verb in ["fetch", "pull"] {
            let output = self.fetch(verb, 1_000_000);
            said = [output.stdout.as_slice(), &output.stderr].concat().escape_ascii().to_string();
            let code = output.status.code();
            assert!(code.is_some_and(|code| code != 0 && code != 101 && code != 70), "{name}: {code:?}: {said}");
            assert!(!said.trim().is_empty(), "{name}: not a word");
        }
        assert_eq!(self.state(), before, "{name}: {said}");
        said
    }
}

#[test]
fn what_is_fetched_is_refused_and_nothing_moves() {
    let format = "sha1";
    let server = World::new(format);
    let repo = server.repo();
    let forge = Forge::new(&server, &repo);
    let cases = cases(&forge);
    let good = forge.context(&forge.plain(&forge.rows(40)), &[], 40);
    let victim = Victim::new(format, &server);
    let evil = repo.join(".git/refs/trace/heads/main/evil");
    std::fs::create_dir_all(evil.parent().expect("a folder")).expect("made");
    let mut known = 0;
    for (name, tip, words) in &cases {
        std::fs::write(&evil, format!("{tip}\n")).expect("written");
        // git's own checks come first, for what cannot even be an object; ours for the rest.
        let said = victim.refuses(name);
        known += usize::from(said.contains(words));
        let is_clear = ["refused (", "refused by git (", "fsck error", "not our ref", "cannot reach remote"];
        assert!(is_clear.iter().any(|words| said.contains(words)), "{name}: {said}");
    }
    assert!(known >= 20, "{known} of {}", cases.len());
    // The same server with a sound branch: what came before hinders nothing.
    std::fs::write(&evil, format!("{good}\n")).expect("written");
    let output = victim.fetch("fetch", 1_000_000);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tracked = victim.world.tip("refs/trace/remotes/origin/main/evil");
    assert_eq!(tracked.as_deref(), Some(good.as_str()));
    println!("{} kinds of history are refused, {known} of them with our own words", cases.len());
}

#[test]
fn refs_with_names_of_no_branch_are_not_followed() {
    let server = World::new("sha1");
    let repo = server.repo();
    let forge = Forge::new(&server, &repo);
    let good = forge.context(&forge.plain(&forge.rows(1)), &[], 1);
    let victim = Victim::new("sha1", &server);
    let before = victim.state();
    let names = [
        "refs/trace/heads/main",
        "refs/trace/heads/a/b/c",
        "refs/trace/heads/a/UPPER",
        "refs/trace/heads/a/.hidden",
        "refs/trace/heads/a/x.lock",
        "refs/trace/heads/a/../../../heads/main",
        "refs/trace/heads/-a/b",
        "refs/trace/heads/a/-b",
        "refs/trace/heads/a/b c",
        "refs/trace/heads/a/\u{1b}[31m",
        "refs/trace/heads/a/é",
        "refs/trace/tags/one",
        "refs/trace/meta/../../heads/x",
        "refs/trace/meta/writer",
        "refs/trace/forgotten/not-hex",
        "refs/trace/snapshots/claude",
        "refs/trace/aside/main/x",
        "refs/trace/HEAD",
    ];
    for name in names {
        let packed = format!("# pack-refs with: peeled fully-peeled sorted \n{good} {name}\n");
        std::fs::write(repo.join(".git/packed-refs"), packed).expect("written");
        for verb in ["fetch", "pull"] {
            let output = victim.fetch(verb, 1_000_000);
            let said = [output.stdout.as_slice(), &output.stderr].concat();
            assert!(!said.contains(&0x1b), "{name}: {}", said.escape_ascii());
            assert!(output.status.code().is_some_and(|code| code != 101 && code != 70), "{name}");
        }
        assert_eq!(victim.state(), before, "{name}");
    }
}

#[test]
fn a_giant_takes_no_memory() {
    let server = World::new("sha1");
    let repo = server.repo();
    let forge = Forge::new(&server, &repo);
    let size: u64 = if crate::world::is_soak() { 1 << 30 } else { 160 << 20 };
    let zeros = server.root().join("zeros");
    std::fs::File::create(&zeros).and_then(|file| file.set_len(size)).expect("a sparse file");
    let mut hash = server.command("git", &repo);
    hash.args(["-c", "core.bigFileThreshold=1m", "-c", "core.compression=1", "hash-object", "-w"]).arg(&zeros);
    let giant = String::from_utf8(hash.output().expect("git starts").stdout).expect("an id").trim().to_owned();
    let manifest = forge.manifest();
    let rows = [(FILE, ".trace", manifest.as_str()), (FILE, "0000000.user.1.0000000000.txt", giant.as_str())];
    let tip = forge.context(&forge.tree(&rows), &[], 1);
    server.git(&["update-ref", "refs/trace/heads/main/giant", &tip], &repo);
    let victim = Victim::new("sha1", &server);
    // git's own index-pack takes a small blob whole, and a large one in pieces.
    victim.world.configure("core.bigFileThreshold", "16m");
    let said = victim.refuses("a giant");
    assert!(said.contains("the limit is"), "{said}");
}
