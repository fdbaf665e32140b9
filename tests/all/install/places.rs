//! Where hooks are looked for, and what kinds of repositories there are.

use super::*;

#[test]
fn a_folder_of_hooks_elsewhere_is_respected() {
    let left = |world: &World| json(world, &["enable", "--no-agent-hooks"])["outcome"]["hooks_left"].clone();
    let world = World::new("sha1");
    let before = picture(&world.repo());
    for (file, said) in [
        ("/dev/null", "'/dev/null' is not a folder"),
        ("", "core.hooksPath is empty in the repository's configuration: git runs no hooks"),
        ("nowhere", "core.hooksPath is 'nowhere', where there is no folder"),
        ("../outside", "is outside of this repository"),
    ] {
        fs::create_dir_all(world.root().join("outside")).expect("a folder");
        world.configure("core.hooksPath", file);
        let reason = left(&world);
        assert!(reason.as_str().expect("a reason").contains(said), "{reason}");
        world.git(&["config", "--unset", "core.hooksPath"], &world.repo());
        assert_same(&before, &picture(&world.repo()), file);
    }
    // For all repositories: never touched.
    let own = world.home().join("hooks");
    write(&own.join("post-commit"), "#!/bin/sh\necho mine >> \"$OUT\"\n", 0o755);
    world.git(&["config", "--global", "core.hooksPath", own.to_str().expect("UTF-8")], &world.repo());
    let hooks = picture(&own);
    assert!(left(&world).as_str().expect("a reason").contains("for all repositories"));
    assert_same(&hooks, &picture(&own), "the user's own hooks");
    assert_same(&before, &picture(&world.repo()), "global");
    ok(&world, &["enable", "--agent", "claude"]);
    let doctor = json(&world, &["doctor"]);
    assert!(doctor["outcome"]["findings"].to_string().contains("agents' hooks and 'why' do without them"), "{doctor}");
    ok(&world, &["disable"]);
    assert_same(&before, &picture(&world.repo()), "global");
    world.git(&["config", "--global", "--unset", "core.hooksPath"], &world.repo());

    // A folder of the work tree: shared, unless git ignores it.
    write(&world.repo().join(".githooks/post-commit"), "#!/bin/sh\necho mine >> \"$OUT\"\nexit 1\n", 0o755);
    world.git(&["add", ".githooks"], &world.repo());
    world.configure("core.hooksPath", ".githooks");
    let before = picture(&world.repo());
    assert_eq!(left(&world), "'.githooks' is shared with others");
    let said =
        String::from_utf8(trace_in(&world, &world.repo(), &["enable", "--no-agent-hooks"]).stderr).expect("text");
    assert!(said.contains("or add to '.githooks/post-commit'"), "{said}");
    assert_same(&before, &picture(&world.repo()), "shared");
    ok(&world, &["enable", "--no-agent-hooks", "--shared"]);
    git_ok(&world, &world.repo(), &["commit", "-q", "--allow-empty", "-m", "x"]);
    assert_eq!((out(&world).as_str(), called(&world).len()), ("mine\n", 2));
    let output = trace_in(&world, &world.repo(), &["disable"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("is shared with others"), "{output:?}");
    ok(&world, &["disable", "--shared"]);
    assert_same(&before, &picture(&world.repo()), "shared");
    // git's own folder may be a link to such a folder.
    world.git(&["config", "--unset", "core.hooksPath"], &world.repo());
    fs::remove_dir_all(world.repo().join(".git/hooks")).expect("a folder");
    symlink("../.githooks", world.repo().join(".git/hooks")).expect("a link");
    assert_eq!(left(&world), "'.githooks' is shared with others");
    fs::remove_file(world.repo().join(".git/hooks")).expect("a link");
    // No folder at all: one is made, and goes again.
    let before = picture(&world.repo());
    ok(&world, &["enable", "--no-agent-hooks"]);
    git_ok(&world, &world.repo(), &["commit", "-q", "--allow-empty", "-m", "y"]);
    assert_eq!(called(&world).len(), 2);
    // git looks elsewhere from now on.
    world.configure("core.hooksPath", ".git/other");
    fs::create_dir(world.repo().join(".git/other")).expect("a folder");
    assert!(refused(&world, 1, &["doctor"]).contains("--fix"));
    ok_or_mended(&world, &["doctor", "--fix"]);
    git_ok(&world, &world.repo(), &["commit", "-q", "--allow-empty", "-m", "z"]);
    assert_eq!(called(&world).len(), 2);
    ok(&world, &["disable"]);
    fs::remove_dir(world.repo().join(".git/other")).expect("it is empty");
    world.git(&["config", "--unset", "core.hooksPath"], &world.repo());
    assert_same(&before, &picture(&world.repo()), "made");
}

#[test]
fn every_kind_of_repository_is_served_or_refused_by_name() {
    let world = World::new("sha1");
    let repo = world.repo();
    world.git(&["commit", "-q", "--allow-empty", "-m", "one"], &repo);
    world.git(&["clone", "-q", "--bare", "repo", "bare.git"], world.root());
    let bare = world.root().join("bare.git");
    let before = picture(&bare);
    for verb in ["enable", "disable"] {
        let output = trace_in(&world, &bare, &[verb]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("this repository is bare") && said.contains("git worktree add"), "{said}");
    }
    assert!(String::from_utf8_lossy(&trace_in(&world, &bare, &["doctor"]).stdout).contains("this repository is bare"));
    assert_same(&before, &picture(&bare), "bare");
    assert_eq!(trace_in(&world, world.root(), &["enable"]).status.code(), Some(128));

    // Linked worktrees have settings of their own, and share git's hooks.
    let before = picture(&repo);
    world.git(&["worktree", "add", "-q", "../linked", "-b", "side"], &repo);
    let linked = world.root().join("linked");
    ok(&world, &["enable", "--agent", "claude"]);
    ok_in(&world, &linked, &["enable", "--agent", "claude"]);
    for dir in [&repo, &linked] {
        assert!(dir.join(".claude/settings.local.json").exists());
        assert_eq!(world.git(&["status", "--porcelain"], dir), "");
    }
    let said = ok(&world, &["disable"]);
    assert!(said.contains("the worktree at") && said.contains("uses them"), "{said}");
    assert!(!repo.join(".claude").exists() && repo.join(".git/hooks/post-commit").exists());
    assert_eq!(world.git(&["status", "--porcelain"], &linked), "", "its file is still hidden");
    ok_in(&world, &linked, &["disable"]);
    assert!(!linked.join(".claude").exists());
    world.git(&["worktree", "remove", "../linked"], &repo);
    world.git(&["branch", "-q", "-D", "side"], &repo);
    let _ = fs::remove_dir(repo.join(".git/worktrees"));
    assert_same(&before, &picture(&repo), "linked");
    // A worktree that is gone is no reason to keep anything.
    world.git(&["worktree", "add", "-q", "../gone"], &repo);
    ok_in(&world, &world.root().join("gone"), &["enable", "--agent", "claude"]);
    fs::remove_dir_all(world.root().join("gone")).expect("a folder");
    let output = trace_in(&world, &repo, &["doctor", "--fix"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("is gone, and its hooks are remembered"), "{output:?}");
    ok(&world, &["disable"]);
    world.git(&["worktree", "prune"], &repo);

    // A submodule's hooks are in its own git directory.
    world.git(&["init", "-q", "outer"], world.root());
    let outer = world.root().join("outer");
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../repo", "inner"], &outer);
    world.git(&["commit", "-q", "-m", "add"], &outer);
    let before = picture(&outer);
    ok_in(&world, &outer.join("inner"), &["enable", "--agent", "claude"]);
    assert!(outer.join(".git/modules/inner/hooks/post-commit").exists());
    assert!(!outer.join(".git/hooks/post-commit").exists());
    assert_eq!(world.git(&["status", "--porcelain"], &outer), "");
    let _ = called(&world);
    git_ok(&world, &outer.join("inner"), &["commit", "-q", "--allow-empty", "-m", "x"]);
    assert_eq!(called(&world).len(), 2);
    ok_in(&world, &outer.join("inner"), &["disable"]);
    let inner = |picture: &Picture| -> Picture {
        let kept = |path: &Path| {
            !path.starts_with(".git/modules/inner")
                || path.starts_with(".git/modules/inner/hooks")
                || path.starts_with(".git/modules/inner/info")
        };
        picture.iter().filter(|(path, _)| kept(path)).map(|(path, data)| (path.clone(), data.clone())).collect()
    };
    assert_same(&inner(&before), &inner(&picture(&outer)), "submodule");

    // GIT_DIR and its work tree, from elsewhere; and while a push is received nothing is written.
    let environment = |variables: &[(&str, &Path)], verb: &str| {
        let program = env!("CARGO_BIN_EXE_git-trace");
        let mut command = world.command(program, world.root());
        command.args([verb, "--agent", "claude"]).envs(variables.iter().copied());
        command.output().expect("it starts")
    };
    let git_dir = repo.join(".git");
    let before = picture(&repo);
    assert!(environment(&[("GIT_DIR", &git_dir), ("GIT_WORK_TREE", &repo)], "enable").status.success());
    assert!(repo.join(".claude/settings.local.json").exists() && repo.join(".git/hooks/pre-push").exists());
    ok(&world, &["disable"]);
    let quarantine =
        environment(&[("GIT_DIR", &git_dir), ("GIT_WORK_TREE", &repo), ("GIT_QUARANTINE_PATH", &git_dir)], "enable");
    assert_eq!(quarantine.status.code(), Some(1));
    assert_same(&before, &picture(&repo), "GIT_DIR");
}
