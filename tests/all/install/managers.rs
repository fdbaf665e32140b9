//! Hook managers: files of the shape that they write, and the tools themselves.

use super::*;

/// A hook manager: how its files get into a repository, in which `post-commit` writes `managed` and a refused commit
/// message stops a commit.
struct Manager {
    name: &'static str,
    set_up: fn(&World),
    /// Whether the folder of its hooks is shared with others.
    shared: bool,
}

fn script(world: &World, path: &str, text: &str) {
    write(&world.repo().join(path), text, 0o755);
}

/// The hooks that every manager has to run here.
const POST_COMMIT: &str = "echo \"managed $*\" >> \"$OUT\"";
const COMMIT_MSG: &str = "if grep -q refuse \"$1\"; then exit 7; fi";

/// The files are of the shape that the tools write (husky 4.3.8, 8.0.3, 9.1.7; lefthook 2.2.2; pre-commit 4): what they run
/// behind that is emulated. With `GITTRACE_HOOK_MANAGERS` the tools themselves are run: see `real_hook_managers`.
const MANAGERS: [Manager; 5] = [
    Manager {
        name: "husky 9",
        shared: false,
        set_up: |world| {
            script(world, ".husky/_/.gitignore", "*");
            script(
                world,
                ".husky/_/h",
                "#!/usr/bin/env sh\nn=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n\n[ ! -f \"$s\" ] && exit 0\n\
                 export PATH=\"node_modules/.bin:$PATH\"\nsh -e \"$s\" \"$@\"\nc=$?\n\n[ $c != 0 ] && echo \"husky - $n failed\"\nexit $c\n",
            );
            for hook in [
                "post-commit",
                "commit-msg",
                "prepare-commit-msg",
                "post-rewrite",
                "post-checkout",
                "post-merge",
                "pre-push",
            ] {
                script(world, &format!(".husky/_/{hook}"), "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"");
            }
            write(&world.repo().join(".husky/post-commit"), POST_COMMIT, 0o644);
            write(&world.repo().join(".husky/commit-msg"), COMMIT_MSG, 0o644);
            world.configure("core.hooksPath", ".husky/_");
        },
    },
    Manager {
        name: "husky 8",
        shared: true,
        set_up: |world| {
            write(&world.repo().join(".husky/_/.gitignore"), "*", 0o644);
            let runner = "#!/usr/bin/env sh\nif [ -z \"$husky_skip_init\" ]; then\n  readonly hook_name=\"$(basename -- \"$0\")\"\n  \
                          readonly husky_skip_init=1\n  export husky_skip_init\n  sh -e \"$0\" \"$@\"\n  exitCode=\"$?\"\n  exit $exitCode\nfi\n";
            write(&world.repo().join(".husky/_/husky.sh"), runner, 0o644);
            let head = "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n\n";
            script(world, ".husky/post-commit", &format!("{head}{POST_COMMIT}\n"));
            script(world, ".husky/commit-msg", &format!("{head}{COMMIT_MSG}\n"));
            world.configure("core.hooksPath", ".husky");
        },
    },
    Manager {
        name: "husky 4",
        shared: false,
        set_up: |world| {
            let runner = "gitParams=\"$*\"\nhookName=\"$(basename \"$0\")\"\ncase $hookName in\n  \"pre-push\"|\"post-rewrite\")\n    \
                          export HUSKY_GIT_STDIN=\"$(cat)\";;\nesac\nif [ -f \".huskyrc.$hookName\" ]; then\n  sh \".huskyrc.$hookName\" $gitParams\n  exit $?\nfi\n";
            write(&world.repo().join(".git/hooks/husky.sh"), runner, 0o644);
            for hook in [
                "post-commit",
                "commit-msg",
                "prepare-commit-msg",
                "post-rewrite",
                "post-checkout",
                "post-merge",
                "pre-push",
            ] {
                let text = "#!/bin/sh\n# husky\n\n# Created by Husky v4.3.8 (https://github.com/typicode/husky#readme)\n\n. \"$(dirname \"$0\")/husky.sh\"\n";
                script(world, &format!(".git/hooks/{hook}"), text);
            }
            write(&world.repo().join(".huskyrc.post-commit"), POST_COMMIT, 0o644);
            write(&world.repo().join(".huskyrc.commit-msg"), COMMIT_MSG, 0o644);
        },
    },
    Manager {
        name: "lefthook",
        shared: false,
        set_up: |world| {
            for (hook, what) in [("post-commit", POST_COMMIT), ("commit-msg", COMMIT_MSG)] {
                script(world, &format!("bin/lefthook-{hook}"), &format!("#!/bin/sh\n{what}\n"));
                let text = format!(
                    "#!/bin/sh\n\nif [ \"$LEFTHOOK\" = \"0\" ]; then\n  exit 0\nfi\n\ncall_lefthook()\n{{\n  if test -n \"$LEFTHOOK_BIN\"\n  then\n    \
                     \"$LEFTHOOK_BIN\" \"$@\"\n  else\n    dir=\"$(git rev-parse --show-toplevel)\"\n    shift 2\n    \"$dir/bin/lefthook-{hook}\" \"$@\"\n  fi\n}}\n\n\
                     call_lefthook run \"{hook}\" \"$@\"\n"
                );
                script(world, &format!(".git/hooks/{hook}"), &text);
            }
        },
    },
    Manager {
        name: "pre-commit",
        shared: false,
        set_up: |world| {
            for (hook, what) in [("post-commit", POST_COMMIT), ("commit-msg", COMMIT_MSG)] {
                script(world, &format!("bin/pre-commit-{hook}"), &format!("#!/bin/sh\nshift 4\n{what}\n"));
                let text = format!(
                    "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n# ID: 138fd403232d2ddd5efb44317e38bf03\n\n# start templated\n\
                     INSTALL_PYTHON=bin/pre-commit-{hook}\nARGS=(hook-impl --config=.pre-commit-config.yaml)\n# end templated\n\nHERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\n\
                     ARGS+=(--hook-dir \"$HERE\" \"$@\")\n\nif [ -x \"$INSTALL_PYTHON\" ]; then\n    exec \"$INSTALL_PYTHON\" \"${{ARGS[@]}}\"\nelse\n    exit 1\nfi\n"
                );
                script(world, &format!(".git/hooks/{hook}"), &text);
            }
        },
    },
];

/// Commits with hooks on: the manager's and ours run, each as it should.
fn commits_run_hooks(world: &World, name: &str, managed: &str, ours: bool) {
    let commit = |message: &str| git(world, &world.repo(), &["commit", "-q", "--allow-empty", "-m", message]);
    let _ = (called(world), out(world));
    let output = commit("good");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(out(world), managed, "{name}");
    let calls = called(world);
    let count = |hook: &str| calls.iter().filter(|call| call.starts_with(&format!("hook git {hook}"))).count();
    let once = usize::from(ours);
    assert_eq!((count("post-commit"), count("prepare-commit-msg")), (once, once), "{name}: {calls:?}");
    let output = commit("refuse this");
    assert!(!output.status.success(), "{name}: the manager's hook stops it");
    assert_eq!(out(world), "", "{name}");
    assert_eq!(called(world).iter().filter(|call| call.contains("post-commit")).count(), 0, "{name}");
}

#[test]
fn hook_managers_run_as_before() {
    for manager in MANAGERS {
        let world = World::new("sha1");
        (manager.set_up)(&world);
        let before = picture(&world.repo());
        commits_run_hooks(&world, manager.name, "managed \n", false);
        if manager.shared {
            let told = json(&world, &["enable", "--no-agent-hooks"]);
            assert_eq!(told["outcome"]["hooks_left"], "'.husky' is shared with others", "{}", manager.name);
            assert!(told["outcome"]["hooks_line"].as_str().expect("a line").contains("git-trace hook git post-commit"));
            assert_same(&before, &picture(&world.repo()), manager.name);
            ok(&world, &["enable", "--no-agent-hooks", "--shared"]);
        } else {
            ok(&world, &["enable", "--no-agent-hooks"]);
        }
        commits_run_hooks(&world, manager.name, "managed \n", true);

        // The manager writes its hooks anew, as it does when packages are installed: doctor sees it and mends it.
        let own = picture(&world.repo());
        (manager.set_up)(&world);
        let hint = refused(&world, 1, &["doctor"]);
        assert!(hint.contains("git trace doctor --fix"), "{}: {hint}", manager.name);
        let said = ok_or_mended(&world, &["doctor", "--fix"]);
        assert!(said.contains("mended: hook"), "{}: {said}", manager.name);
        assert_same(&own, &picture(&world.repo()), manager.name);

        let shared: &[&str] = if manager.shared { &["disable", "--shared"] } else { &["disable"] };
        ok(&world, shared);
        assert_same(&before, &picture(&world.repo()), manager.name);
        commits_run_hooks(&world, manager.name, "managed \n", false);
    }
}

/// The tools themselves, from a folder with `npm/node_modules/{husky,lefthook-linux-x64}`, `h8/node_modules/husky` and
/// `venv/bin/pre-commit`.
#[test]
fn real_hook_managers() {
    let Some(tools) = std::env::var_os("GITTRACE_HOOK_MANAGERS").map(PathBuf::from) else {
        eprintln!("skipped: GITTRACE_HOOK_MANAGERS names no folder with husky, lefthook and pre-commit");
        return;
    };
    let run = |world: &World, program: &Path, arguments: &[&str]| {
        let mut command = world.command(program.to_str().expect("UTF-8"), &world.repo());
        let output = command.args(arguments).output().expect("it starts");
        assert!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
    };
    let node = Path::new("node");
    let at = |path: &str| tools.join(path).display().to_string();
    let lefthook = tools.join("npm/node_modules/lefthook-linux-x64/bin/lefthook");
    type SetUp<'a> = Box<dyn Fn(&World) + 'a>;
    let managers: Vec<(&str, &[&str], SetUp<'_>)> = vec![
        (
            "husky 9",
            &[],
            Box::new(|world| {
                run(world, node, &[&at("npm/node_modules/husky/bin.js")]);
                write(&world.repo().join(".husky/post-commit"), POST_COMMIT, 0o644);
                write(&world.repo().join(".husky/commit-msg"), COMMIT_MSG, 0o644);
            }),
        ),
        (
            "husky 8",
            &["--shared"],
            Box::new(|world| {
                write(&world.repo().join("package.json"), "{}", 0o644);
                run(world, node, &[&at("h8/node_modules/husky/lib/bin.js"), "install"]);
                for (hook, what) in [("post-commit", POST_COMMIT), ("commit-msg", COMMIT_MSG)] {
                    run(
                        world,
                        node,
                        &[&at("h8/node_modules/husky/lib/bin.js"), "set", &format!(".husky/{hook}"), what],
                    );
                }
            }),
        ),
        (
            "lefthook",
            &[],
            Box::new(|world| {
                let text = "post-commit:\n  commands:\n    a:\n      run: echo 'managed ' >> \"$OUT\"\ncommit-msg:\n  commands:\n    b:\n      run: if grep -q refuse {1}; then exit 7; fi\n";
                write(&world.repo().join("lefthook.yml"), text, 0o644);
                run(world, &lefthook, &["install"]);
            }),
        ),
        (
            "pre-commit",
            &[],
            Box::new(|world| {
                let hook = |id: &str, stage: &str, entry: &str| {
                    format!(
                        "  - id: {id}\n    name: {id}\n    entry: bash -c '{entry}' --\n    language: system\n    stages: [{stage}]\n    always_run: true\n"
                    )
                };
                let text = format!(
                    "repos:\n- repo: local\n  hooks:\n{}{}",
                    hook("a", "post-commit", "echo \"managed \" >> \"$OUT\""),
                    hook("b", "commit-msg", "if grep -q refuse \"$1\"; then exit 7; fi")
                );
                write(&world.repo().join(".pre-commit-config.yaml"), &text, 0o644);
                run(world, &tools.join("venv/bin/pre-commit"), &["install", "-t", "post-commit", "-t", "commit-msg"]);
            }),
        ),
    ];
    for (name, options, set_up) in managers {
        let world = World::new("sha1");
        set_up(&world);
        let before = picture(&world.repo());
        ok(&world, &[&["enable", "--no-agent-hooks"], options].concat());
        commits_run_hooks(&world, name, "managed \n", true);
        // The tool is installed over it, and comes first on a machine where it was not there.
        set_up(&world);
        ok_or_mended(&world, &["doctor", "--fix"]);
        commits_run_hooks(&world, name, "managed \n", true);
        ok(&world, &[&["disable"], options].concat());
        assert_same(&before, &picture(&world.repo()), name);

        let world = World::new("sha1");
        ok(&world, &["enable", "--no-agent-hooks"]);
        set_up(&world);
        let again = [&["enable", "--no-agent-hooks"], options].concat();
        ok(&world, &again);
        commits_run_hooks(&world, name, "managed \n", true);
        ok(&world, &[&["disable"], options].concat());
        commits_run_hooks(&world, name, "managed \n", false);
        let left = picture(&world.repo());
        assert!(!left.values().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("git-trace hook")), "{name}");
    }
}
