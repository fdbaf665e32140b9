//! git's hooks: the ones that are there run as before, and ours beside them.

use super::*;

/// A hook that was there before: its file, and what has to be run for it to be seen.
struct Before<'a> {
    what: &'a str,
    make: Box<dyn Fn(&Path) + 'a>,
    /// Whether git runs it.
    active: bool,
}

fn hooks_of_all_kinds<'a>(world: &'a World) -> Vec<Before<'a>> {
    let text = |what: &'a str, text: &'static str, mode: u32, active: bool| Before {
        what,
        make: Box::new(move |path: &Path| write(path, text, mode)),
        active,
    };
    let outside = world.root().join("outside-hook");
    vec![
        Before { what: "none", make: Box::new(|_| {}), active: false },
        text(
            "sh",
            "#!/bin/sh\necho \"$0\" >/dev/null\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n",
            0o755,
            true,
        ),
        text("no line feed at its end", "#!/bin/sh\necho \"ran $*\" >> \"$OUT\"; cat >> \"$OUT\"; exit 3", 0o755, true),
        text("only its first line", "#!/bin/sh", 0o755, false),
        text("errors end it", "#!/bin/sh -eu\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o700, true),
        text(
            "bash",
            "#!/usr/bin/env bash\nset -euo pipefail\nmapfile -t all\necho \"ran $*\" >> \"$OUT\"\nfor one in \"${all[@]}\"; do echo \"$one\" >> \"$OUT\"; done\nexit 3\n",
            0o755,
            true,
        ),
        text("zsh", "#!/usr/bin/env zsh\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o755, true),
        text(
            "python",
            "#!/usr/bin/env python3\nimport os, sys\nout = open(os.environ['OUT'], 'a')\nout.write(' '.join(['ran'] + sys.argv[1:]) + '\\n' + sys.stdin.read())\nout.close()\nsys.exit(3)\n",
            0o755,
            true,
        ),
        text(
            "a script for two",
            "#!/bin/sh\n'''exec' python3 \"$0\" \"$@\" # '''\nimport os, sys\nout = open(os.environ['OUT'], 'a')\nout.write(' '.join(['ran'] + sys.argv[1:]) + '\\n' + sys.stdin.read())\nout.close()\nsys.exit(3)\n",
            0o755,
            true,
        ),
        text("read-only", "#!/bin/sh\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o555, true),
        text("no first line", "echo \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o755, true),
        text("not executable", "#!/bin/sh\necho never >> \"$OUT\"\nexit 3\n", 0o644, false),
        text("empty", "", 0o644, false),
        Before {
            what: "a link",
            make: Box::new(move |path: &Path| {
                write(&outside, "#!/bin/sh\necho \"ran $*\" >> \"$OUT\"\ncat >> \"$OUT\"\nexit 3\n", 0o755);
                symlink(&outside, path).expect("a link");
            }),
            active: true,
        },
        Before {
            what: "a link to nothing",
            make: Box::new(|path: &Path| symlink("nowhere", path).expect("a link")),
            active: false,
        },
    ]
}

#[test]
fn a_hook_that_is_there_runs_as_before() {
    let world = World::new("sha1");
    let repo = world.repo();
    for hook in ["post-commit", "post-rewrite", "post-checkout", "post-merge", "pre-push", "prepare-commit-msg"] {
        let with_input = matches!(hook, "post-rewrite" | "pre-push");
        for before in hooks_of_all_kinds(&world) {
            let what = format!("{hook}: {}", before.what);
            let path = repo.join(".git/hooks").join(hook);
            (before.make)(&path);
            let old = picture(&repo);
            ok(&world, &["enable", "--no-agent-hooks"]);
            let enabled = picture(&repo);
            ok(&world, &["enable", "--no-agent-hooks"]);
            assert_same(&enabled, &picture(&repo), &what);

            // As git runs it; twice the input that fits into a pipe.
            let long = "refs/heads/x 0123456789abcdef refs/heads/y 0123456789abcdef\n".repeat(2500);
            for input in ["", "a b\n", "one $x `y` \\z\n\n  two  \n", &long] {
                if !with_input && !input.is_empty() {
                    continue;
                }
                let mut process = world.command(path.to_str().expect("UTF-8"), &repo);
                process.args(["first one", "2"]).env("PATH", recorder(&world)).env("RECORD", record(&world));
                process.env("OUT", world.root().join("out"));
                let output = feed(process, input.as_bytes());
                let code = if before.active { 3 } else { 0 };
                assert_eq!(output.status.code(), Some(code), "{what}: {}", String::from_utf8_lossy(&output.stderr));
                let is_heard = hook == "pre-push";
                assert!(output.stdout.is_empty() && (is_heard || output.stderr.is_empty()), "{what}: {output:?}");
                let ran = if before.active { format!("ran first one 2\n{input}") } else { String::new() };
                assert_eq!(out(&world), ran, "{what}");
                let calls =
                    if with_input && input.is_empty() { vec![] } else { vec![format!("hook git {hook} first one 2")] };
                assert_eq!(called(&world), calls, "{what}");
                let told = fs::read_to_string(format!("{}.{hook}.input", record(&world).display())).unwrap_or_default();
                let _ = fs::remove_file(format!("{}.{hook}.input", record(&world).display()));
                assert_eq!(told, if with_input { input } else { "" }, "{what}");
            }
            // Without our program.
            let mut process = world.command(path.to_str().expect("UTF-8"), &repo);
            process.arg("alone").env("PATH", "/usr/bin:/bin").env("OUT", world.root().join("out"));
            let output = feed(process, b"x y\n");
            assert_eq!(output.status.code(), Some(if before.active { 3 } else { 0 }), "{what}");
            assert!(output.stderr.is_empty(), "{what}");
            let told = out(&world);
            assert_eq!(told, if before.active { "ran alone\nx y\n" } else { "" }, "{what}");

            ok(&world, &["disable"]);
            assert_same(&old, &picture(&repo), &what);
            let _ = fs::remove_file(&path);
        }
    }
}

#[test]
fn a_chained_hook_keeps_its_name_and_its_neighbours() {
    let world = World::new("sha1");
    let hooks = world.repo().join(".git/hooks");
    // One dispatcher for all hooks, in the folder itself and in the work tree: it asks how it was called, looks beside
    // itself, and at where it really is.
    let dispatcher = "#!/usr/bin/env python3
import os, sys
name = os.path.basename(sys.argv[0])
if name not in ('post-commit', 'post-checkout', 'post-merge', 'pre-push'):
    sys.exit(f'dispatch: unknown hook {name!r}')
beside = sorted(os.listdir(sys.argv[0] + '.d')) if os.path.isdir(sys.argv[0] + '.d') else []
words = open(os.path.join(os.path.dirname(sys.argv[0]), 'words')).read().strip()
import neighbour
with open(os.environ['OUT'], 'a') as out:
    folder = os.path.basename(os.path.dirname(os.path.realpath(sys.argv[0])))
    print(name, beside, words, neighbour.WORD, folder, file=out)
";
    write(&hooks.join("dispatcher"), dispatcher, 0o755);
    write(&hooks.join("neighbour.py"), "WORD = 'imported'\n", 0o644);
    write(&hooks.join("words"), "said\n", 0o644);
    write(&hooks.join("post-commit.d/10-one"), "", 0o644);
    symlink("dispatcher", hooks.join("post-commit")).expect("a link");
    write(&world.repo().join("tools/dispatch.py"), dispatcher, 0o755);
    write(&world.repo().join("tools/neighbour.py"), "WORD = 'theirs'\n", 0o644);
    symlink("../../tools/dispatch.py", hooks.join("post-checkout")).expect("a link");
    symlink(hooks.join("dispatcher"), hooks.join("post-merge")).expect("a link");
    write(&hooks.join("pre-push"), dispatcher, 0o755);
    let plain = "#!/usr/bin/env python3\nimport os\nprint('rewritten', file=open(os.environ['OUT'], 'a'))\n";
    write(&hooks.join("post-rewrite"), plain, 0o755);
    let run = |hook: &str| {
        let mut process = world.command(hooks.join(hook).to_str().expect("UTF-8"), &world.repo());
        process.env("PATH", recorder(&world)).env("RECORD", record(&world)).env("OUT", world.root().join("out"));
        process.env("PYTHONDONTWRITEBYTECODE", "1").arg("x");
        let output = feed(process, b"");
        assert!(output.status.success(), "{hook}: {}", String::from_utf8_lossy(&output.stderr));
        out(&world)
    };
    let all = || ["post-commit", "post-checkout", "post-merge", "pre-push"].map(run);
    let before = (picture(&world.repo()), all());
    assert_eq!(before.1[0], "post-commit ['10-one'] said imported hooks\n");
    assert_eq!(before.1[1], "post-checkout [] said theirs tools\n");
    ok(&world, &["enable", "--no-agent-hooks"]);
    assert_eq!(all(), before.1);
    let enabled = picture(&world.repo());
    ok(&world, &["enable", "--no-agent-hooks"]);
    assert_same(&enabled, &picture(&world.repo()), "twice is once");
    // A neighbour that comes later is found from the next time on.
    write(&hooks.join("pre-push.d/20-two"), "", 0o644);
    ok(&world, &["enable", "--no-agent-hooks"]);
    assert_eq!(run("pre-push"), "pre-push ['20-two'] said imported hooks\n");
    fs::remove_dir_all(hooks.join("pre-push.d")).expect("a folder");
    ok(&world, &["enable", "--no-agent-hooks"]);
    assert_same(&enabled, &picture(&world.repo()), "without it");
    // Somebody cleans up what they do not know: the hook runs all the same.
    fs::remove_dir_all(hooks.join("git-trace-chained")).expect("links");
    assert_eq!(run("post-rewrite"), "rewritten\n");
    ok(&world, &["disable"]);
    assert_same(&before.0, &picture(&world.repo()), "disable");
}

#[test]
fn several_at_once_lose_no_hook_of_the_users() {
    let world = World::new("sha1");
    let hooks = world.repo().join(".git/hooks");
    for hook in ["post-commit", "post-rewrite", "post-checkout", "post-merge", "pre-push", "prepare-commit-msg"] {
        write(&hooks.join(hook), &format!("#!/usr/bin/env python3\nprint('{hook}')\n"), 0o755);
    }
    let before = picture(&world.repo());
    for round in 0..4 {
        let verbs: &[&[&str]] = match round {
            0..=1 => &[&["enable", "--no-agent-hooks"]],
            2 => &[&["enable", "--no-agent-hooks"], &["disable"]],
            _ => &[&["disable"]],
        };
        let world = &world;
        std::thread::scope(|scope| {
            let started: Vec<_> = (0..8).map(|at| scope.spawn(move || ok(world, verbs[at % verbs.len()]))).collect();
            for one in started {
                one.join().expect("each of them succeeds");
            }
        });
        if round < 2 {
            let told = json(world, &["doctor"]);
            assert_eq!(told["outcome"]["hooks"].as_array().expect("a list").len(), 6, "{told}");
            for hook in ["post-commit", "pre-push"] {
                let chained = fs::read_to_string(hooks.join(format!("{hook}.git-trace-chained"))).expect("the user's");
                assert!(chained.starts_with("#!/usr/bin/env python3"), "{chained}");
            }
        }
    }
    assert_same(&before, &picture(&world.repo()), "after all of them");
}

#[test]
fn a_hook_that_would_do_nothing_is_not_installed() {
    let world = World::new("sha1");
    world.ok(&["enable", "--agent", "claude"]);
    assert!(world.repo().join(".git/hooks/post-commit").exists());
    assert!(!world.repo().join(".git/hooks/prepare-commit-msg").exists(), "no trailer was asked for");
    world.configure("trace.trailer", "true");
    world.ok(&["enable", "--agent", "claude"]);
    assert!(world.repo().join(".git/hooks/prepare-commit-msg").exists());
    world.ok(&["disable"]);
    assert!(!world.repo().join(".git/hooks/prepare-commit-msg").exists());
}

#[test]
fn every_hook_is_called_by_git_itself() {
    let world = World::new("sha1");
    let repo = world.repo();
    ok(&world, &["enable", "--no-agent-hooks"]);
    let run = |arguments: &[&str]| git_ok(&world, &repo, arguments);
    let names = |world: &World| -> Vec<String> {
        called(world).iter().map(|call| call.trim_start_matches("hook git ").to_owned()).collect()
    };
    run(&["commit", "-q", "--allow-empty", "-m", "one"]);
    assert_eq!(names(&world), ["prepare-commit-msg .git/COMMIT_EDITMSG message", "post-commit"]);
    run(&["commit", "-q", "--allow-empty", "--amend", "-m", "two"]);
    assert_eq!(names(&world), ["prepare-commit-msg .git/COMMIT_EDITMSG message", "post-commit", "post-rewrite amend"]);
    let told = fs::read_to_string(format!("{}.post-rewrite.input", record(&world).display())).expect("what git says");
    assert_eq!(told.split_whitespace().count(), 2, "old and new: {told}");
    run(&["checkout", "-q", "-b", "side"]);
    assert!(names(&world)[0].starts_with("post-checkout "));
    run(&["commit", "-q", "--allow-empty", "-m", "three"]);
    run(&["checkout", "-q", "main"]);
    let _ = names(&world);
    run(&["merge", "-q", "side"]);
    assert_eq!(names(&world), ["post-merge 0"]);
    world.git(&["init", "-q", "--bare", "remote.git"], world.root());
    run(&["push", "-q", "../remote.git", "main"]);
    assert_eq!(names(&world), ["pre-push ../remote.git ../remote.git"]);
    let told = fs::read_to_string(format!("{}.pre-push.input", record(&world).display())).expect("what git says");
    assert!(told.starts_with("refs/heads/main ") && told.ends_with('\n'), "{told}");
    // A subfolder, and a linked worktree.
    fs::create_dir(repo.join("below")).expect("a folder");
    git_ok(&world, &repo.join("below"), &["commit", "-q", "--allow-empty", "-m", "four"]);
    assert_eq!(names(&world).len(), 2);
    run(&["worktree", "add", "-q", "../linked", "side"]);
    let _ = names(&world);
    git_ok(&world, &world.root().join("linked"), &["commit", "-q", "--allow-empty", "-m", "five"]);
    assert_eq!(names(&world).len(), 2);
    // And without the program nothing is said, and nothing fails.
    let mut bare = world.command("git", &repo);
    let output =
        bare.args(["commit", "--allow-empty", "-q", "-m", "six"]).env("PATH", "/usr/bin:/bin").output().expect("git");
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn git_does_not_wait_for_a_hook_of_ours_that_hangs() {
    let world = World::new("sha1");
    fs::create_dir_all(world.repo().join(".git/trace")).expect("a folder");
    let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), &world.repo());
    command.args(["hook", "git", "post-rewrite", "amend"]);
    // Its input never ends.
    let started = std::time::Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let input = child.stdin.take();
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(20), "it waits for ever");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    drop(input);
    assert!(status.success(), "{status}");
    let log = fs::read_to_string(world.repo().join(".git/trace/hook.log")).expect("it is noted");
    assert!(log.contains("git post-rewrite: ended: it took too long"), "{log}");
}
