//! `doctor`: what it finds, what it mends, and what it leaves.

use super::*;

#[test]
fn doctor_finds_what_is_wrong_and_names_what_mends_it() {
    let world = World::new("sha1");
    let repo = world.repo();
    let findings = |world: &World| -> Vec<(String, String, String)> {
        let told = json(world, &["doctor"]);
        let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let found = told["outcome"]["findings"].as_array().expect("a list").iter();
        found.map(|one| (text(one, "severity"), text(one, "message"), text(one, "command"))).collect()
    };
    let found = findings(&world);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].2.as_str()), ("note", "git trace enable"));
    ok(&world, &["enable", "--agent", "claude"]);
    let said = ok(&world, &["doctor"]);
    assert!(said.ends_with("nothing needs mending\n"), "{said}");
    assert!(said.contains("agents   claude\n") && said.contains("post-commit, post-rewrite"), "{said}");

    // One thing after the other, each by itself.
    let trace_dir = repo.join(".git/trace");
    let expect = |what: &str, command: &str| {
        let output = trace_in(&world, &repo, &["doctor"]);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", String::from_utf8_lossy(&output.stdout));
        let found = findings(&world);
        assert!(found.iter().any(|one| one.1.contains(what) && one.2.contains(command)), "{what}: {found:?}");
    };
    let clean = |what: &str| {
        let output = trace_in(&world, &repo, &["doctor"]);
        assert_eq!(output.status.code(), Some(0), "{what}: {}", String::from_utf8_lossy(&output.stdout));
    };
    world.configure("alias.trace", "log");
    expect("the alias 'trace' is ignored", "git config --unset alias.trace");
    world.git(&["config", "--unset", "alias.trace"], &repo);
    world.git(&["config", "--global", "alias.trace", "log"], &repo);
    expect("the alias 'trace' is ignored", "git config --global --unset alias.trace");
    world.git(&["config", "--global", "--unset", "alias.trace"], &repo);

    fs::write(trace_dir.join("paused"), "").expect("a file");
    expect("capture is paused", "git trace unpause");
    fs::remove_file(trace_dir.join("paused")).expect("a file");

    let settings = repo.join(".claude/settings.local.json");
    let whole = fs::read(&settings).expect("a file");
    fs::write(&settings, "{}").expect("a file");
    expect("has lost entries", "git trace enable --agent claude");
    assert!(ok(&world, &["doctor", "--fix"]).contains("mended: '.claude/settings.local.json' has lost"));
    fs::remove_file(&settings).expect("a file");
    expect("is gone", "git trace enable --agent claude");
    ok(&world, &["doctor", "--fix"]);
    assert_eq!(fs::read(&settings).expect("a file"), whole);
    let off = String::from_utf8(whole.clone()).expect("text").replacen('{', "{ \"disableAllHooks\": true,", 1);
    fs::write(&settings, off).expect("a file");
    expect("switches all hooks of claude off", "take 'disableAllHooks' out of it");
    fs::write(&settings, "{").expect("a file");
    expect("it is not JSON", "mend it, then: git trace enable --agent claude");
    fs::write(&settings, &whole).expect("a file");

    let hook = repo.join(".git/hooks/post-commit");
    fs::remove_file(&hook).expect("a file");
    expect("hook post-commit has lost the lines", "git trace enable --no-agent-hooks");
    ok(&world, &["doctor", "--fix"]);
    fs::set_permissions(&hook, Permissions::from_mode(0o644)).expect("a mode");
    expect("hook post-commit has lost the lines", "git trace enable --no-agent-hooks");
    fs::set_permissions(&hook, Permissions::from_mode(0o755)).expect("a mode");
    clean("hooks");

    let lock = repo.join(".git/refs/trace/heads/main/main.lock");
    write(&lock, "", 0o644);
    clean("a lock that somebody may be holding");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(600);
    fs::File::options().write(true).open(&lock).and_then(|file| file.set_modified(old)).expect("a time");
    expect("a lock was left behind", "git trace doctor --fix");
    ok(&world, &["doctor", "--fix"]);
    assert!(!lock.exists());

    write(&trace_dir.join("watermarks/claude-1.json"), "{oops", 0o644);
    expect("claude-1.json' cannot be read", "git trace doctor --fix");
    ok(&world, &["doctor", "--fix"]);
    assert!(!trace_dir.join("watermarks/claude-1.json").exists());
    let aside = fs::read_to_string(trace_dir.join("watermarks/claude-1.json.broken")).expect("it is kept");
    assert_eq!(aside, "{oops");
    clean("what was set aside");

    // Sessions: one that is sound, one whose transcript is ahead of its branch, one whose transcript is gone.
    let transcript = world.root().join("a b.jsonl");
    fs::write(&transcript, "0123456789").expect("a file");
    let session = |name: &str, state: &str, transcript: &Path| {
        let record = serde_json::json!({
            "version": 1, "agent": "claude", "session": name, "branch": format!("claude-{name}/main"), "state": state,
            "started": "2026-11-21T09:00:00Z",
            "transcript": transcript, "last_event": { "name": "Stop", "at": "2026-11-21T10:00:00Z" }, "new": [1],
        });
        write(&trace_dir.join(format!("sessions/claude-{name}.json")), &record.to_string(), 0o644);
        let watermark = serde_json::json!({ "version": 1, "watermark": "{\"version\":1,\"bytes\":4}", "branches": {} });
        write(&trace_dir.join(format!("watermarks/claude-{name}.json")), &watermark.to_string(), 0o644);
    };
    session("one", "active", &transcript);
    clean("a session that goes on");
    let told = json(&world, &["doctor"]);
    assert_eq!(told["outcome"]["sessions"][0]["behind"], 6, "{told}");
    assert!(
        ok(&world, &["doctor"]).contains("session  claude one on claude-one/main: Stop 2026-11-21T10:00:00Z (active)")
    );
    session("one", "ended", &transcript);
    expect("6 bytes of claude one are on no branch", "git trace import claude '");
    session("one", "active", Path::new("/nowhere/x.jsonl"));
    clean("a transcript that is gone is a note");
    assert!(findings(&world)[0].1.contains("the transcript of claude one is gone"));
    fs::remove_dir_all(trace_dir.join("sessions")).expect("a folder");
    fs::remove_dir_all(trace_dir.join("watermarks")).expect("a folder");

    // Others' refs, loose objects, what a hook wrote down: good to know.
    world.git(&["commit", "-q", "--allow-empty", "-m", "x"], &repo);
    world.git(&["update-ref", "refs/trace/checkpoints/v1", "HEAD"], &repo);
    fs::write(trace_dir.join("hook.log"), "earlier\n2026 hook Stop: cannot read\n").expect("a file");
    world.configure("gc.auto", "100");
    for at in 0..2 {
        write(&repo.join(format!(".git/objects/17/{at:038}")), "", 0o444);
    }
    let found = findings(&world);
    for (what, command) in [
        ("1 refs of another tool are among ours: refs/trace/checkpoints/v1", "git config trace.refPrefix"),
        ("about 512 loose objects", "git trace pack && git gc"),
        ("a hook wrote down: 2026 hook Stop: cannot read", "tail "),
    ] {
        assert!(
            found.iter().any(|one| one.0 == "note" && one.1.contains(what) && one.2.contains(command)),
            "{found:?}"
        );
    }
    clean("notes");

    // Without our program on the search path no hook does anything; a context of a newer format cannot be read.
    let mut command = world.trace(&["doctor"]);
    let output = command.env("PATH", "/usr/bin:/bin").output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("error: 'git-trace' is not on the search path"), "{said}");
    let other = world.root().join("other");
    write(&other.join("git-trace"), "#!/bin/sh\necho git-trace 99.0.0\n", 0o755);
    let output =
        world.trace(&["doctor"]).env("PATH", format!("{}:/usr/bin:/bin", other.display())).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("hooks run git-trace 99.0.0"), "{said}");
    let mut without_git = world.trace(&["doctor"]);
    let output = without_git.env("PATH", "/nowhere").output().expect("it starts");
    assert!(String::from_utf8_lossy(&output.stdout).contains("put git on the search path"), "{output:?}");
}

#[test]
fn doctor_sets_aside_only_what_no_version_can_read() {
    let world = World::new("sha1");
    ok(&world, &["enable", "--agent", "claude"]);
    let trace_dir = world.repo().join(".git/trace");
    let watermarks = trace_dir.join("watermarks");
    let memory = |watermark: &str, version: u32, more: &str| {
        let branches = serde_json::json!({ "": more });
        serde_json::json!({ "version": version, "watermark": watermark, "branches": branches }).to_string()
    };
    // A long session's is larger than a mebibyte; a newer version may write anything.
    write(&watermarks.join("claude-long.json"), &memory("{\"bytes\":4}", 1, &"x".repeat(3 << 20)), 0o600);
    write(&watermarks.join("claude-newer.json"), "{\"version\":2,\"marks\":[]}", 0o600);
    write(&trace_dir.join("sessions/claude-newer.json"), "{\"version\":2,\"id\":\"x\"}", 0o600);
    let before = picture(&world.repo());
    let said = ok(&world, &["doctor", "--fix"]);
    assert!(said.contains("watermarks/claude-newer.json' was written by a newer git trace"), "{said}");
    assert!(said.contains("sessions/claude-newer.json' was written by a newer git trace"), "{said}");
    assert_same(&before, &picture(&world.repo()), "sound files");

    // What an import would not read either; said first, and then done.
    let half = memory("{}", 1, "").replace("\"watermark\"", "\"mark\"");
    write(&watermarks.join("claude-half.json"), &half, 0o600);
    write(&watermarks.join("claude-half.json.broken"), "an older one", 0o600);
    let before = picture(&world.repo());
    let said = ok_or_mended(&world, &["doctor", "--fix", "-n"]);
    assert!(said.contains("would mend: ") && said.contains("claude-half.json' cannot be read"), "{said}");
    assert_same(&before, &picture(&world.repo()), "a rehearsal");
    assert_eq!(trace_in(&world, &world.repo(), &["doctor", "-n"]).status.code(), Some(2), "nothing to rehearse");
    ok(&world, &["doctor", "--fix"]);
    assert_eq!(fs::read_to_string(watermarks.join("claude-half.json.broken-2")).expect("it is kept"), half);
    assert_eq!(fs::read_to_string(watermarks.join("claude-half.json.broken")).expect("kept"), "an older one");

    // How far a record was read stands in another place for the agents whose records are read whole.
    let transcript = world.root().join("record.json");
    fs::write(&transcript, "0123456789").expect("a file");
    let record = serde_json::json!({
        "version": 1, "agent": "gemini", "session": "g", "branch": "gemini-g/main", "state": "ended",
        "started": "2026-11-21T09:00:00Z", "transcript": transcript,
        "last_event": { "name": "SessionEnd", "at": "2026-11-21T10:00:00Z" },
    });
    write(&trace_dir.join("sessions/gemini-g.json"), &record.to_string(), 0o600);
    let ledger = "{\"version\":1,\"stamp\":{\"bytes\":3,\"written\":\"1\",\"fingerprint\":\"f\"}}";
    write(&watermarks.join("gemini-g.json"), &memory(ledger, 1, ""), 0o600);
    assert_eq!(json(&world, &["doctor"])["outcome"]["sessions"][0]["behind"], 7);
}
