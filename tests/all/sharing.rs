//! Contexts travel: what goes, what comes, what is refused, and that nothing else changes.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use crate::world::{World, feed};

/// A server and clones of it, in one folder.
struct Sharing {
    world: World,
}

impl Sharing {
    fn new() -> Self {
        Sharing::with_format("sha1")
    }

    fn with_format(format: &str) -> Self {
        let sharing = Sharing { world: World::new(format) };
        let init =
            ["init", "-q", "--bare", "--initial-branch=main", &format!("--object-format={format}"), "server.git"];
        sharing.world.git(&init, sharing.world.root());
        sharing
    }

    fn server(&self) -> PathBuf {
        self.world.root().join("server.git")
    }

    /// Makes a repository whose remote `origin` is the server.
    fn member(&self, name: &str) -> Member<'_> {
        let root = self.world.root();
        let format = self.world.git(&["rev-parse", "--show-object-format"], &self.server());
        self.world
            .git(&["init", "-q", "--initial-branch=main", &format!("--object-format={}", format.trim()), name], root);
        let member = Member { sharing: self, dir: root.join(name), seed: name.to_owned() };
        member.git(&["remote", "add", "origin", "../server.git"]);
        member
    }

    /// Returns what the server has, name by name.
    fn server_refs(&self) -> Vec<String> {
        let listed = self.world.git(&["for-each-ref", "--format=%(refname)"], &self.server());
        listed.lines().map(str::to_owned).collect()
    }

    /// Makes the server refuse refs by a hook, which gets each on a line as `<old> <new> <ref>`.
    fn pre_receive(&self, script: &str) {
        executable(&self.server().join("hooks/pre-receive"), script);
    }
}

fn executable(path: &Path, script: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("executable");
}

struct Member<'s> {
    sharing: &'s Sharing,
    dir: PathBuf,
    seed: String,
}

impl Member<'_> {
    fn trace(&self, arguments: &[&str]) -> Output {
        self.trace_with(arguments, b"", &[])
    }

    fn trace_with(&self, arguments: &[&str], input: &[u8], environment: &[(&str, &str)]) -> Output {
        let mut command = self.sharing.world.command(env!("CARGO_BIN_EXE_git-trace"), &self.dir);
        command.args(arguments).env("GITTRACE_ID_SEED", &self.seed).envs(environment.iter().copied());
        feed(command, input)
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.trace(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} in {}: {said}", self.dir.display());
        String::from_utf8(output.stdout).expect("text")
    }

    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.trace(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?} in {}: {said}", self.dir.display());
        said
    }

    fn say(&self, text: &str) {
        let output = self.trace_with(&["commit", "--role", "user"], text.as_bytes(), &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.sharing.world.git(arguments, &self.dir)
    }

    fn run_git(&self, arguments: &[&str]) -> Output {
        self.sharing.world.command("git", &self.dir).args(arguments).output().expect("git starts")
    }

    fn context(&self) -> String {
        self.ok(&["context", "--as", "jsonl"])
    }

    fn tip(&self, name: &str) -> String {
        self.git(&["rev-parse", "--verify", name]).trim().to_owned()
    }

    fn refs(&self) -> Vec<String> {
        let listed = self.git(&["for-each-ref", "--format=%(objectname) %(refname)"]);
        listed.lines().map(str::to_owned).collect()
    }

    fn fsck(&self) {
        let output = self.run_git(&["fsck", "--strict", "--full", "--no-dangling"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_is_pushed_is_what_others_get() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.say("hello");
    one.say("again");
    let told = one.ok(&["push"]);
    assert!(told.contains("main/main") && told.contains("new, 2 commits"), "{told}");
    other.ok(&["pull"]);
    assert_eq!(one.context(), other.context());
    assert_eq!(one.tip("refs/trace/heads/main/main"), other.tip("refs/trace/heads/main/main"));
    // Nothing is sent twice, and nothing is left behind.
    assert!(one.ok(&["push"]).contains("up to date"));
    assert!(other.ok(&["pull"]).contains("up to date"));
    assert!(other.refs().iter().all(|row| !row.contains("incoming")), "{:?}", other.refs());
    other.fsck();
}

#[test]
fn nothing_but_our_refs_and_what_was_asked_for_changes() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.git(&["commit", "-q", "--allow-empty", "-m", "code"]);
    one.git(&["tag", "v1"]);
    one.say("hello");
    let before = (one.git(&["config", "--list"]), one.git(&["status", "--porcelain"]));
    one.ok(&["push"]);
    assert_eq!((one.git(&["config", "--list"]), one.git(&["status", "--porcelain"])), before);
    assert_eq!(sharing.server_refs(), ["refs/trace/heads/main/main"]);
    other.ok(&["pull"]);
    assert!(!other.dir.join(".git/FETCH_HEAD").exists(), "git's own note of the last fetch is git's");
    assert!(other.refs().iter().all(|row| row.contains(" refs/trace/")), "{:?}", other.refs());
    // A plain fetch of the code brings no context.
    let third = sharing.member("third");
    third.git(&["fetch", "-q", "origin"]);
    assert_eq!(third.refs(), Vec::<String>::new());
}

#[test]
fn both_sides_make_the_same_of_what_both_wrote() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.say("the beginning");
    one.ok(&["push"]);
    other.ok(&["pull"]);
    one.say("from one");
    other.say("from the other");
    // Each sees the other's before either has sent a merge: over two servers.
    sharing.world.git(&["clone", "-q", "--bare", "server.git", "second.git"], sharing.world.root());
    one.ok(&["remote", "add", "second", "../second.git"]);
    other.ok(&["remote", "add", "second", "../second.git"]);
    one.git(&["push", "-q", "../second.git", "refs/trace/heads/*:refs/trace/heads/*"]);
    other.ok(&["push", "origin"]);
    one.ok(&["pull", "origin"]);
    other.ok(&["pull", "second"]);
    assert_eq!(one.context(), other.context());
    let tree = |member: &Member<'_>| member.tip("refs/trace/heads/main/main^{tree}");
    assert_eq!(tree(&one), tree(&other));
    // Two merges of the same are one in the end.
    one.ok(&["push", "origin"]);
    let told = other.ok(&["pull", "origin"]);
    let is_one = one.tip("refs/trace/heads/main/main") == other.tip("refs/trace/heads/main/main");
    assert!(is_one, "{told}");
    for text in ["the beginning", "from one", "from the other"] {
        assert_eq!(one.context().matches(text).count(), 1, "{text}");
    }
    one.fsck();
}

#[test]
fn a_branch_that_went_apart_is_not_overwritten() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.say("the beginning");
    one.ok(&["push"]);
    other.ok(&["pull"]);
    one.say("from one");
    one.ok(&["push"]);
    other.say("from the other");
    let said = other.fails(1, &["push"]);
    assert!(said.contains("git trace pull origin"), "{said}");
    let server_has = || sharing.world.git(&["rev-parse", "refs/trace/heads/main/main"], &sharing.server());
    assert_eq!(server_has().trim(), one.tip("refs/trace/heads/main/main"));
    assert_eq!(other.fails(1, &["pull", "--ff-only"]).matches("both sides went on").count(), 1);
    // Rehearsed, nothing moves.
    let before = other.tip("refs/trace/heads/main/main");
    other.ok(&["pull", "-n"]);
    assert_eq!(other.tip("refs/trace/heads/main/main"), before);
    other.ok(&["pull", "--rebase"]);
    let parents = other.git(&["log", "-1", "--format=%P", "refs/trace/heads/main/main"]);
    assert_eq!(parents.trim(), one.tip("refs/trace/heads/main/main"), "no merge was made");
    other.ok(&["push"]);
    assert!(other.context().contains("from one") && other.context().contains("from the other"));
}

#[test]
fn a_real_conflict_stops_and_goes_on() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.say("the port is 80");
    one.ok(&["push"]);
    other.ok(&["pull"]);
    let entry = |member: &Member<'_>| {
        let log = member.git(&["ls-tree", "--name-only", "refs/trace/heads/main/main"]);
        let name = log.lines().find(|name| name.contains(".user.")).expect("an entry").to_owned();
        name.split('.').nth(3).expect("its id").to_owned()
    };
    let id = entry(&one);
    let edit = |member: &Member<'_>, text: &str| {
        let output = member.trace_with(&["edit", &id], text.as_bytes(), &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    edit(&one, "the port is 81");
    edit(&other, "the port is 82");
    one.ok(&["push"]);
    let before = other.tip("refs/trace/heads/main/main");
    let said = other.fails(3, &["pull"]);
    assert!(said.contains("git trace merge --continue"), "{said}");
    assert_eq!(other.tip("refs/trace/heads/main/main"), before);
    other.ok(&["merge", "--theirs"]);
    other.ok(&["merge", "--continue"]);
    assert!(other.context().contains("81") && !other.context().contains("82"), "{}", other.context());
    other.ok(&["push"]);
    one.ok(&["pull"]);
    assert_eq!(one.context(), other.context());
}

#[test]
fn the_remote_is_never_guessed_where_there_are_several() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    sharing.world.git(&["init", "-q", "--bare", "fork.git"], sharing.world.root());
    one.git(&["remote", "add", "fork", "../fork.git"]);
    one.git(&["config", "remote.pushDefault", "fork"]);
    one.say("private");
    let said = one.fails(1, &["push"]);
    assert!(said.contains("which remote") && said.contains("git trace remote default"), "{said}");
    // The branch of the code follows one: that one is meant, wherever the code is pushed.
    one.git(&["config", "branch.main.remote", "origin"]);
    one.ok(&["push"]);
    let fork = sharing.world.git(&["for-each-ref"], &sharing.world.root().join("fork.git"));
    assert_eq!(fork, "");
    // What is configured for contexts comes first.
    one.ok(&["remote", "default", "fork"]);
    assert!(one.ok(&["remote"]).contains("* fork"));
    one.ok(&["push"]);
    assert!(
        sharing
            .world
            .git(&["for-each-ref"], &sharing.world.root().join("fork.git"))
            .contains("refs/trace/heads/main/main")
    );
    let said = one.fails(1, &["push", "nowhere"]);
    assert!(said.contains("'nowhere' not found") && said.contains("fork, origin"), "{said}");
}

#[test]
fn secrets_do_not_leave() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("fine");
    one.ok(&["push"]);
    let token = format!("{}_{}", "ghp", "k3J9x2Lq8Rt5Vw1Yz7Bn4Mc6Hd0Gf3Sa9Pe2");
    let stored = one.trace_with(
        &["commit", "--role", "user"],
        format!("the token is {token}").as_bytes(),
        &[("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "trace.redact"), ("GIT_CONFIG_VALUE_0", "false")],
    );
    assert!(stored.status.success());
    assert!(one.context().contains(&token), "the plan needs it stored");
    for arguments in [&["push"][..], &["push", "--all"], &["push", "-n"], &["push", "--json"]] {
        let said = one.fails(1, arguments);
        assert!(said.contains("secret") && said.contains("redact"), "{said}");
        assert!(!said.contains(&token), "{said}");
    }
    let mut all = sharing.world.command("git", &sharing.server());
    let all = all.args(["cat-file", "--batch-all-objects", "--batch"]).output().expect("git starts");
    let all = String::from_utf8_lossy(&all.stdout);
    assert!(!all.contains(&token) && all.contains("fine"));
}

#[test]
fn what_hosts_refuse_is_refused_before_it_goes() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say(&"long words ".repeat(200_000));
    let output = one.trace(&["push", "-n"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("hosts advise 1 MB"));
    one.git(&["config", "trace.maxObject", "1m"]);
    let said = one.fails(1, &["push"]);
    assert!(said.contains("bytes, and hosts refuse more than 1048576"), "{said}");
    assert_eq!(sharing.server_refs(), Vec::<String>::new());
}

#[test]
fn only_what_travels_travels() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    one.ok(&["tag", "here"]);
    one.ok(&["branch", "idea"]);
    let tip = one.tip("refs/trace/heads/main/main");
    for name in ["refs/trace/snapshots/main", "refs/trace/aside/main/old", "refs/trace/remotes/x/main/main"] {
        one.git(&["update-ref", name, &tip]);
    }
    one.ok(&["push", "--all"]);
    let wanted = ["refs/trace/heads/main/idea", "refs/trace/heads/main/main", "refs/trace/tags/main/here"];
    assert_eq!(sharing.server_refs(), wanted);
    let other = sharing.member("other");
    let told = other.ok(&["fetch", "--json"]);
    assert!(told.contains("main/here"), "{told}");
    assert_eq!(other.tip("refs/trace/tags/main/here"), tip);
    // A tag of ours stays ours.
    other.git(&["update-ref", "-d", "refs/trace/remote-tags/origin/main/here"]);
    other.ok(&["fetch"]);
    assert_eq!(other.refs().iter().filter(|row| row.contains("/heads/")).count(), 0);
}

#[test]
fn addresses_that_run_programs_are_refused() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    let canary = one.dir.join("canary");
    let touch = format!("touch {}", canary.display());
    for url in [
        format!("ext::sh -c {}", touch.replace(' ', "% ")),
        format!("--upload-pack={touch}"),
        format!("-u{touch}"),
        format!("ssh://-oProxyCommand={touch}/x"),
        "fd::7".to_owned(),
    ] {
        one.git(&["config", "remote.evil.url", &url]);
        for arguments in [&["push", "evil"][..], &["fetch", "evil"], &["pull", "evil"], &["ls-remote", "evil"]] {
            let said = one.fails(1, arguments);
            assert!(said.contains("refused address"), "{url}: {said}");
        }
        let folder = sharing.world.root().join("clone");
        let output = one.trace(&["clone", "--", &url, &folder.to_string_lossy()]);
        assert!(!output.status.success() && !folder.exists(), "{url}");
    }
    // Even where the configuration sends a good address there.
    one.git(&["config", &format!("url.ext::sh -c {} .insteadOf", touch.replace(' ', "% ")), "good:"]);
    one.git(&["config", "remote.evil.url", "good:x"]);
    one.fails(1, &["fetch", "evil"]);
    one.fails(1, &["push", "--", "-x"]);
    one.fails(1, &["fetch", "origin", "--", "-x"]);
    assert!(!canary.exists());
}

#[test]
fn hosts_that_take_only_branches_get_branches() {
    let sharing = Sharing::new();
    sharing.pre_receive("while read old new ref; do case $ref in refs/heads/*|refs/tags/*) ;; *) echo \"only branches, not $ref\" >&2; exit 1;; esac; done");
    let one = sharing.member("one");
    one.say("hello");
    let said = one.fails(1, &["push"]);
    assert!(said.contains("git trace remote mode origin branch"), "{said}");
    one.ok(&["remote", "mode", "origin", "branch"]);
    one.ok(&["push"]);
    assert_eq!(sharing.server_refs(), ["refs/heads/git-trace/heads/main/main"]);
    // Who clones finds it out.
    let server = sharing.server();
    one.ok(&["clone", &server.to_string_lossy(), "../cloned"]);
    let cloned = Member { sharing: &sharing, dir: sharing.world.root().join("cloned"), seed: "cloned".to_owned() };
    assert_eq!(cloned.context(), one.context());
    cloned.say("back");
    cloned.ok(&["push"]);
    one.ok(&["pull"]);
    assert_eq!(cloned.context(), one.context());
    let ls = one.ok(&["ls-remote"]);
    assert!(ls.contains("main/main"), "{ls}");
}

#[test]
fn hidden_refs_and_deaf_hosts_are_told() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    sharing.world.git(&["config", "transfer.hideRefs", "refs/trace"], &sharing.server());
    let said = one.fails(1, &["push"]);
    assert!(said.contains("did not take") && said.contains("mode origin branch"), "{said}");
    one.git(&["config", "remote.origin.url", "../nothing.git"]);
    let said = one.fails(1, &["fetch"]);
    assert!(said.contains("cannot reach remote 'origin'"), "{said}");
    // A server that accepts and never says a word.
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = deaf.local_addr().expect("an address").port();
    one.git(&["config", "remote.origin.url", &format!("git://127.0.0.1:{port}/x")]);
    one.git(&["config", "trace.timeout", "1"]);
    let started = Instant::now();
    let said = one.fails(1, &["fetch"]);
    assert!(said.contains("no end after 1 s") && started.elapsed() < Duration::from_secs(20), "{said}");
}

#[test]
fn what_is_no_context_is_not_followed() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    one.git(&["commit", "-q", "--allow-empty", "-m", "code"]);
    let blob = sharing.world.git(&["hash-object", "-w", "--stdin"], &one.dir);
    for (source, name) in [
        ("HEAD", "refs/trace/heads/main/code"),
        ("refs/trace/heads/main/main", "refs/trace/heads/main/good"),
        ("refs/trace/heads/main/main", "refs/trace/heads/one-part"),
        ("refs/trace/heads/main/main", "refs/trace/heads/a/b/c"),
        ("refs/trace/heads/main/main", "refs/trace/heads/Main/UPPER"),
        (blob.trim(), "refs/trace/heads/main/blob"),
        ("refs/trace/heads/main/main", "refs/trace/meta/notmine"),
    ] {
        one.git(&["push", "-q", "origin", &format!("{source}:{name}")]);
    }
    let other = sharing.member("other");
    let output = other.trace(&["fetch"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.matches("refused").count(), 6, "{told}");
    let refs: Vec<String> = other.refs().iter().filter_map(|row| Some(row.split_once(' ')?.1.to_owned())).collect();
    assert_eq!(refs, ["refs/trace/remotes/origin/main/good"]);
}

#[test]
fn branches_are_fetched_one_by_one_and_forgotten_when_they_are_gone() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    one.ok(&["branch", "idea"]);
    one.ok(&["push", "--all"]);
    let other = sharing.member("other");
    let tracked = || -> Vec<String> {
        let rows = other.refs().into_iter();
        rows.filter_map(|row| Some(row.split_once("remotes/origin/")?.1.to_owned())).collect()
    };
    other.ok(&["fetch", "origin", "idea"]);
    assert_eq!(tracked(), ["main/idea"]);
    other.ok(&["fetch", "origin", "main/m*"]);
    assert_eq!(tracked(), ["main/idea", "main/main"]);
    let said = other.fails(1, &["fetch", "origin", "nothing"]);
    assert!(said.contains("has no branch 'main/nothing'"), "{said}");
    sharing.world.git(&["update-ref", "-d", "refs/trace/heads/main/idea"], &sharing.server());
    assert!(other.ok(&["fetch"]).contains("gone there"));
    assert_eq!(tracked().len(), 2);
    other.ok(&["fetch", "--prune", "-n"]);
    assert_eq!(tracked().len(), 2);
    other.ok(&["fetch", "--prune"]);
    assert_eq!(tracked(), ["main/main"]);
}

#[test]
fn rewritten_branches_go_only_where_nobody_else_was() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.say("hello");
    one.say("a mistake");
    one.ok(&["push"]);
    one.ok(&["reset", "--hard", "HEAD~1"]);
    one.say("better");
    one.fails(1, &["push"]);
    one.ok(&["push", "--force-with-lease"]);
    other.ok(&["pull"]);
    other.say("more");
    other.ok(&["push"]);
    one.ok(&["reset", "--hard", "HEAD~1"]);
    let said = one.fails(1, &["push", "--force-with-lease"]);
    assert!(said.contains("somebody else moved it"), "{said}");
    let server_has = sharing.world.git(&["rev-parse", "refs/trace/heads/main/main"], &sharing.server());
    assert_eq!(server_has.trim(), other.tip("refs/trace/heads/main/main"));
}

#[test]
fn every_kind_of_repository_can_be_this_side() {
    for format in ["sha1", "sha256"] {
        let sharing = Sharing::with_format(format);
        let one = sharing.member("one");
        for number in 0..3 {
            std::fs::write(one.dir.join("file"), format!("{number}\n")).expect("written");
            one.git(&["add", "file"]);
            one.git(&["commit", "-q", "-m", "code"]);
        }
        one.git(&["push", "-q", "origin", "main"]);
        one.say("hello");
        one.ok(&["push"]);
        let url = format!("file://{}", sharing.server().display());
        sharing.world.git(&["config", "uploadpack.allowFilter", "true"], &sharing.server());
        let kinds: [(&str, &[&str]); 5] = [
            ("bare", &["--bare"]),
            ("shallow", &["--depth=1"]),
            ("partial", &["--filter=blob:none"]),
            ("alternates", &["--reference", "one"]),
            ("mirror", &["--mirror"]),
        ];
        for (name, options) in kinds {
            let mut arguments = vec!["clone", "-q"];
            arguments.extend(options);
            arguments.extend([url.as_str(), name]);
            sharing.world.git(&arguments, sharing.world.root());
            let member = Member { sharing: &sharing, dir: sharing.world.root().join(name), seed: name.to_owned() };
            member.ok(&["pull"]);
            assert!(member.context().contains("hello"), "{format} {name}");
            member.say(&format!("from {name}"));
            member.ok(&["push", "origin"]);
            one.ok(&["pull"]);
            assert_eq!(one.context(), member.context(), "{format} {name}");
            if name != "partial" {
                member.fsck();
            }
        }
    }
}

#[test]
fn the_users_hook_looks_at_our_push_too() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    executable(&one.dir.join(".git/hooks/pre-push"), "touch ran; exit 1");
    one.fails(1, &["push"]);
    assert!(one.dir.join("ran").exists());
    assert_eq!(sharing.server_refs(), Vec::<String>::new());
    one.git(&["config", "trace.runHooks", "false"]);
    one.ok(&["push"]);
}

#[test]
fn contexts_go_along_with_the_code_where_that_is_wanted() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    one.git(&["commit", "-q", "--allow-empty", "-m", "code"]);
    let program = env!("CARGO_BIN_EXE_git-trace");
    executable(&one.dir.join(".git/hooks/pre-push"), &format!("exec '{program}' hook git pre-push \"$@\""));
    one.git(&["push", "-q", "origin", "main"]);
    assert_eq!(sharing.server_refs(), ["refs/heads/main"]);
    one.git(&["config", "trace.push", "auto"]);
    one.git(&["push", "-q", "-n", "origin", "main"]);
    assert_eq!(sharing.server_refs(), ["refs/heads/main"], "nothing was to be pushed");
    one.git(&["commit", "-q", "--allow-empty", "-m", "more code"]);
    one.git(&["push", "-q", "origin", "main"]);
    assert_eq!(sharing.server_refs(), ["refs/heads/main", "refs/trace/heads/main/main"]);
    // That it cannot be done hinders no push of code.
    sharing.pre_receive("while read old new ref; do case $ref in refs/heads/*) ;; *) exit 1;; esac; done");
    one.say("more");
    one.git(&["commit", "-q", "--allow-empty", "-m", "still more"]);
    let output = one.run_git(&["push", "-q", "origin", "main"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("not taken by 'origin'"), "{said}");
}

#[test]
fn all_branches_follow_at_once() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.say("hello");
    one.ok(&["branch", "idea"]);
    one.ok(&["branch", "own"]);
    one.ok(&["push", "origin", "main", "idea"]);
    other.ok(&["pull"]);
    other.ok(&["branch", "idea", "origin/main/idea"]);
    for (member, branch, text) in [(&one, "idea", "an idea"), (&other, "idea", "a better idea"), (&one, "main", "on")] {
        let output = member.trace_with(&["--branch", branch, "commit", "--role", "user"], text.as_bytes(), &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    one.ok(&["push", "--all"]);
    let told = other.ok(&["pull", "--all"]);
    assert!(told.contains("moved forward") && told.contains("merged"), "{told}");
    let context = other.ok(&["--branch", "idea", "context", "--as", "jsonl"]);
    assert!(context.contains("an idea") && context.contains("a better idea"), "{context}");
    other.fsck();
}

#[test]
fn what_a_killed_fetch_left_is_cleared() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.say("hello");
    one.ok(&["push"]);
    other.ok(&["fetch"]);
    let tip = other.tip("refs/trace/remotes/origin/main/main");
    for name in ["origin/heads/main/main/in/the/way", "12345678/heads/old/one"] {
        other.git(&["update-ref", &format!("refs/trace/incoming/{name}"), &tip]);
    }
    // A git that was killed leaves its locks; and another git may have packed what it left.
    std::fs::write(other.dir.join(".git/refs/trace/incoming/12345678/heads/old/two.lock"), "").expect("written");
    other.git(&["pack-refs", "--all"]);
    other.git(&["update-ref", "refs/trace/incoming/origin/heads/main/main/in/the/way", &tip]);
    one.say("more");
    one.ok(&["push"]);
    other.ok(&["pull"]);
    assert_eq!(other.context(), one.context());
    assert!(other.refs().iter().all(|row| !row.contains("incoming")));
}

#[test]
fn remotes_for_contexts_alone_come_and_go() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    let before = one.git(&["config", "--list"]);
    sharing.world.git(&["init", "-q", "--bare", "private.git"], sharing.world.root());
    one.say("hello");
    one.ok(&["remote", "add", "private", "../private.git"]);
    one.ok(&["push", "private"]);
    assert_eq!(sharing.server_refs(), Vec::<String>::new());
    assert!(one.ok(&["remote"]).contains("private  ../private.git  mode refs, 1 branch known"));
    // A plain fetch of everything passes it by.
    one.git(&["fetch", "-q", "--all"]);
    assert!(one.fails(1, &["remote", "add", "private", "../x"]).contains("already exists"));
    assert!(one.fails(1, &["remote", "add", "a/b", "../x"]).contains("not a remote's name"));
    assert!(one.fails(1, &["remote", "remove", "origin"]).contains("git remote remove origin"));
    one.ok(&["remote", "remove", "private"]);
    assert_eq!(one.git(&["config", "--list"]), before);
    assert!(one.refs().iter().all(|row| !row.contains("private")));
}

#[test]
fn what_a_remote_has_is_known_of_its_place_not_of_its_name() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    let token = format!("{}_{}", "ghp", "k3J9x2Lq8Rt5Vw1Yz7Bn4Mc6Hd0Gf3Sa9Pe2");
    std::fs::write(one.dir.join(".gitleaks.toml"), "[allowlist]\nregexes = [\"ghp_\"]\n").expect("written");
    one.say(&format!("the token is {token}"));
    one.ok(&["push"]);
    std::fs::remove_file(one.dir.join(".gitleaks.toml")).expect("ours");
    one.say("more");
    for (nth, change) in [
        &["remote", "set-url", "origin"][..],
        &["remote", "set-url", "--push", "origin"],
        &["config", "remote.origin.pushurl"],
    ]
    .iter()
    .enumerate()
    {
        let place = format!("../place{nth}.git");
        sharing.world.git(&["init", "-q", "--bare", &place[3..]], sharing.world.root());
        one.git(&[*change, &[place.as_str()]].concat());
        assert!(one.fails(1, &["push"]).contains("secret"), "{change:?}");
        assert!(one.fails(1, &["push", "-n"]).contains("secret"), "{change:?}");
        assert_eq!(sharing.world.git(&["for-each-ref"], &sharing.world.root().join(&place[3..])), "");
    }
    one.git(&["config", "--add", "remote.origin.pushurl", "../server.git"]);
    assert!(one.fails(1, &["push"]).contains("several addresses"));
}

#[test]
fn names_and_authors_are_looked_at_too() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    one.ok(&["branch", "glpat-a8f3k2m9x7q1z5w4e6r8"]);
    let said = one.fails(1, &["push", "--all"]);
    assert!(said.contains("the name of a ref"), "{said}");
    one.ok(&["branch", "-D", "glpat-a8f3k2m9x7q1z5w4e6r8"]);
    let token = format!("{}_{}", "ghp", "k3J9x2Lq8Rt5Vw1Yz7Bn4Mc6Hd0Gf3Sa9Pe2");
    let output = one.trace_with(&["commit", "--role", "user"], b"more", &[("GIT_AUTHOR_NAME", &token)]);
    assert!(output.status.success());
    let output = one.trace(&["push", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("\"leaks\":[{") && !said.contains(&token), "{said}");
    assert_eq!(sharing.server_refs(), Vec::<String>::new());
}

#[test]
fn what_was_taken_out_there_does_not_come_back() {
    let sharing = Sharing::new();
    let (one, idle, busy) = (sharing.member("one"), sharing.member("idle"), sharing.member("busy"));
    one.say("hello");
    one.say("a mistake");
    one.ok(&["push"]);
    idle.ok(&["pull"]);
    busy.ok(&["pull"]);
    busy.say("my own");
    one.ok(&["reset", "--hard", "HEAD~1"]);
    one.say("better");
    let said = one.fails(1, &["push"]);
    assert!(said.contains("--force-with-lease"), "{said}");
    one.ok(&["push", "--force-with-lease"]);
    assert!(idle.ok(&["pull"]).contains("was rewritten there"));
    assert_eq!(idle.context(), one.context());
    busy.ok(&["pull"]);
    let context = busy.context();
    assert!(context.contains("better") && context.contains("my own") && !context.contains("a mistake"), "{context}");
}

#[test]
fn one_bad_branch_hinders_no_other() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.say("hello");
    one.ok(&["push"]);
    let raw = sharing.world.git(&["cat-file", "commit", "refs/trace/heads/main/main"], &one.dir);
    let raw = raw.replace("committer C O Mitter <committer@example.com>", "committer broken");
    let mut command = sharing.world.command("git", &one.dir);
    command.args(["hash-object", "-t", "commit", "-w", "--literally", "--stdin"]);
    let bad = String::from_utf8(feed(command, raw.as_bytes()).stdout).expect("an id");
    one.git(&["push", "-q", "origin", &format!("{}:refs/trace/heads/main/bad", bad.trim())]);
    let output = other.trace(&["fetch"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("refs/trace/heads/main/bad  refused by git"), "{told}");
    let refs: Vec<String> = other.refs().iter().filter_map(|row| Some(row.split_once(' ')?.1.to_owned())).collect();
    assert_eq!(refs, ["refs/trace/remotes/origin/main/main"]);
}

#[test]
fn contexts_that_began_apart_come_together_only_when_asked() {
    let sharing = Sharing::new();
    let (one, other) = (sharing.member("one"), sharing.member("other"));
    one.say("from one");
    one.ok(&["push"]);
    other.say("from the other");
    let said = other.fails(1, &["pull"]);
    assert!(said.contains("--allow-unrelated-histories"), "{said}");
    other.ok(&["pull", "--allow-unrelated-histories"]);
    other.ok(&["push"]);
    one.ok(&["pull"]);
    assert_eq!(one.context(), other.context());
    assert!(one.context().contains("from one") && one.context().contains("from the other"));
}

#[test]
fn addresses_are_counted_from_the_top_and_the_environment_leads_nowhere() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    let below = one.dir.join("sub/deeper");
    std::fs::create_dir_all(&below).expect("a folder");
    let mut command = sharing.world.command(env!("CARGO_BIN_EXE_git-trace"), &below);
    let output = command.args(["push", "--json"]).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sharing.server_refs(), ["refs/trace/heads/main/main"]);
    // A hook of git has GIT_DIR in its environment.
    let before = (one.refs(), one.git(&["config", "--list"]));
    let git_dir = one.dir.join(".git");
    let server = sharing.server();
    let output = one.trace_with(
        &["clone", &server.to_string_lossy(), "../cloned"],
        b"",
        &[("GIT_DIR", &git_dir.to_string_lossy())],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((one.refs(), one.git(&["config", "--list"])), before);
    let cloned = Member { sharing: &sharing, dir: sharing.world.root().join("cloned"), seed: "cloned".to_owned() };
    assert_eq!(cloned.context(), one.context());
}

#[test]
fn a_repository_of_another_hash_is_cloned_as_it_is() {
    let sharing = Sharing::with_format("sha256");
    let one = sharing.member("one");
    one.say("hello");
    one.ok(&["push"]);
    let server = sharing.server();
    one.ok(&["clone", &server.to_string_lossy(), "../cloned"]);
    let cloned = Member { sharing: &sharing, dir: sharing.world.root().join("cloned"), seed: "cloned".to_owned() };
    assert_eq!(cloned.context(), one.context());
}

#[test]
fn passwords_in_addresses_are_not_told() {
    let sharing = Sharing::new();
    let one = sharing.member("one");
    one.say("hello");
    let url = "http://me:sekrit@127.0.0.1:9/x.git";
    one.ok(&["remote", "add", "web", url]);
    one.git(&["config", "trace.timeout", "10"]);
    for arguments in [
        &["remote"][..],
        &["remote", "--json"],
        &["ls-remote", url],
        &["ls-remote", "--json", url],
        &["push", "web"],
        &["fetch", "web", "--json"],
        &["remote", "remove", "web"],
    ] {
        let output = one.trace(arguments);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!said.contains("sekrit"), "{arguments:?}: {said}");
    }
}
