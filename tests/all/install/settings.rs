//! Agents' settings: what goes in comes out again, byte for byte, and nothing else is touched.

use super::*;

#[test]
fn each_agents_settings_are_given_back_byte_for_byte() {
    let world = World::new("sha1");
    let files = [
        None,
        Some("{}"),
        Some(""),
        Some("{\n  \"theme\": \"dark\", // mine\n  \"hooks\": {}\n}\n"),
        Some("{\r\n\t\"zeta\": [1, 2],\r\n\t\"alpha\": { \"b\": null }\r\n}\r\n"),
        Some("\u{feff}{\"hooks\":{\"Stop\":[],\"stop\":[],\"AfterTool\":[{\"hooks\":[]}]},\"version\":1}"),
    ];
    for (agent, local, _) in AGENTS {
        for file in files.iter().filter(|file| agent != "opencode" || file.is_none()) {
            let path = world.repo().join(local);
            if let Some(text) = file {
                write(&path, text, 0o640);
            }
            let before = picture(&world.repo());
            let status_before = status(&world);
            ok(&world, &["enable", "--agent", agent, "--no-git-hooks", "-n"]);
            assert_same(&before, &picture(&world.repo()), "a rehearsal");

            let said = ok(&world, &["enable", "--agent", agent, "--no-git-hooks"]);
            assert!(said.starts_with(&format!("{agent}: ")) && said.contains(local), "{said}");
            assert_eq!(status(&world), status_before, "{agent}: {file:?}");
            let text = fs::read_to_string(&path).expect("a file");
            let calls = text.matches("git-trace hook ").count() + text.matches("spawn(\"git-trace\"").count();
            assert!(calls >= 1, "{text}");
            if file.is_some() {
                assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o640);
            }
            let enabled = picture(&world.repo());
            ok(&world, &["enable", "--agent", agent, "--no-git-hooks"]);
            assert_same(&enabled, &picture(&world.repo()), "twice is once");

            ok(&world, &["disable", "--agent", agent, "-n"]);
            assert_same(&enabled, &picture(&world.repo()), "a rehearsal");
            ok(&world, &["disable", "--agent", agent]);
            assert_same(&before, &picture(&world.repo()), &format!("{agent}: {file:?}"));
            ok(&world, &["disable"]);
            assert_same(&before, &picture(&world.repo()), "nothing is left to be taken out");
            let _ = fs::remove_file(&path);
            if let Some(folder) = path.parent().filter(|folder| **folder != world.repo()) {
                let _ = fs::remove_dir_all(folder);
            }
        }
    }
}

#[test]
fn all_agents_at_once_share_one_list_of_ignored_files() {
    let world = World::new("sha1");
    let before = picture(&world.repo());
    let told = json(&world, &["enable", "--agent", "all"]);
    assert_eq!(told["outcome"]["agents"].as_array().expect("a list").len(), AGENTS.len());
    assert_eq!(status(&world), "");
    let exclude = fs::read_to_string(world.repo().join(".git/info/exclude")).expect("a list");
    assert_eq!(exclude.matches("# >>> git-trace").count(), 1, "{exclude}");
    for (_, local, _) in AGENTS {
        assert!(exclude.contains(&format!("\n/{local}\n")), "{exclude}");
    }
    assert_eq!(json(&world, &["enable", "--agent", "all"])["outcome"]["changed"], false);
    // One goes, the others stay.
    ok(&world, &["disable", "--agent", "codex,gemini"]);
    let exclude = fs::read_to_string(world.repo().join(".git/info/exclude")).expect("a list");
    assert!(!exclude.contains("codex") && exclude.contains("claude"), "{exclude}");
    assert!(world.repo().join(".git/hooks/post-commit").exists(), "git's hooks stay");
    ok(&world, &["disable"]);
    assert_same(&before, &picture(&world.repo()), "disable");
    fs::remove_file(world.repo().join(".git/info/exclude")).expect("git made it");
    let before = picture(&world.repo());
    ok(&world, &["enable", "--agent", "claude"]);
    assert_eq!(status(&world), "");
    ok(&world, &["disable"]);
    assert_same(&before, &picture(&world.repo()), "without a list before");
    fs::remove_dir(world.repo().join(".git/info")).expect("it is empty");
    let before = picture(&world.repo());
    ok(&world, &["enable", "--agent", "claude"]);
    ok(&world, &["enable", "--agent", "gemini"]);
    assert_eq!(status(&world), "");
    ok(&world, &["disable"]);
    assert_same(&before, &picture(&world.repo()), "without its folder before");
}

#[test]
fn what_the_user_writes_meanwhile_stays() {
    let world = World::new("sha1");
    let path = world.repo().join(".claude/settings.local.json");
    ok(&world, &["enable", "--agent", "claude"]);
    let text = fs::read_to_string(&path).expect("a file");
    let edited = text.replacen("{\n", "{\n  \"model\": \"opus\", // new\n", 1);
    let edited = edited.replacen(
        "\"Stop\": [",
        "\"Stop\": [\n      { \"hooks\": [{ \"type\": \"command\", \"command\": \"say done\" }] },",
        1,
    );
    fs::write(&path, &edited).expect("a file");
    // Enabling again changes nothing, because all is there.
    ok(&world, &["enable", "--agent", "claude"]);
    assert_eq!(fs::read_to_string(&path).expect("a file"), edited);
    let said = ok(&world, &["disable"]);
    assert!(said.contains("taken out of"), "{said}");
    let left = fs::read_to_string(&path).expect("the user's own entries are in it");
    assert!(left.contains("\"model\": \"opus\", // new") && left.contains("say done"), "{left}");
    assert!(!left.contains("git-trace"), "{left}");
    assert_eq!(
        fs::read(world.repo().join(".git/info/exclude"))
            .expect("a list")
            .windows(9)
            .filter(|part| part == b"git-trace")
            .count(),
        0
    );

    // A file that somebody removed is not missed.
    ok(&world, &["enable", "--agent", "codex"]);
    fs::remove_dir_all(world.repo().join(".codex")).expect("a folder");
    ok(&world, &["disable"]);
    assert!(!world.repo().join(".git/trace/installed.json").exists());
    // Without the record our entries are found all the same.
    ok(&world, &["enable", "--agent", "gemini"]);
    fs::remove_file(world.repo().join(".git/trace/installed.json")).expect("a record");
    ok(&world, &["disable"]);
    assert!(
        !fs::read_to_string(world.repo().join(".gemini/settings.json"))
            .expect("nobody knows who made it")
            .contains("git-trace")
    );
}

#[test]
fn an_entry_that_the_user_wrote_comes_back() {
    let world = World::new("sha1");
    let path = world.repo().join(".claude/settings.local.json");
    let own = "{ \"hooks\": { \"Stop\": [ { \"matcher\": \"\", \"hooks\": [\n  { \"type\": \"command\", \"command\": \"git-trace hook claude\" },\n  { \"type\": \"command\", \"command\": \"say done\" } ] } ] } }\n";
    write(&path, own, 0o644);
    let before = picture(&world.repo());
    ok(&world, &["enable", "--agent", "claude"]);
    let text = fs::read_to_string(&path).expect("a file");
    let stop = parsed(&path)["hooks"]["Stop"].to_string();
    assert_eq!(stop.matches("git-trace hook claude").count(), 1, "it is told once: {stop}");
    ok(&world, &["disable"]);
    assert_same(&before, &picture(&world.repo()), "disable");

    // Somebody wrote to the file meanwhile: it comes back beside that.
    ok(&world, &["enable", "--agent", "claude"]);
    assert_eq!(fs::read_to_string(&path).expect("a file"), text);
    fs::write(&path, text.replacen('{', "{ \"model\": \"opus\",", 1)).expect("a file");
    ok(&world, &["disable"]);
    let left = parsed(&path);
    assert_eq!(left["model"], "opus");
    assert_eq!(left["hooks"].as_object().expect("events").len(), 1, "{left}");
    let stop = left["hooks"]["Stop"].to_string();
    assert_eq!(stop.matches("\"git-trace hook claude\"").count(), 1, "{stop}");
    assert_eq!(stop.matches("say done").count(), 1, "{stop}");
    assert!(!world.repo().join(".git/trace").exists());
}

#[test]
fn where_nothing_was_installed_there_is_nothing_to_take_out() {
    let world = World::new("sha1");
    fs::create_dir(world.root().join("elsewhere")).expect("a folder");
    write(&world.root().join("elsewhere/settings.json"), "{\"hooks\":{}}", 0o644);
    symlink(world.root().join("elsewhere"), world.repo().join(".factory")).expect("a link");
    write(&world.repo().join(".gemini/settings.json"), "{ not JSON", 0o644);
    write(&world.repo().join(".claude/settings.json"), "{}", 0o444);
    fs::create_dir_all(world.repo().join(".codex/hooks.json")).expect("a folder");
    let before = picture(&world.repo());
    assert!(ok(&world, &["disable"]).contains("nothing is installed here"));
    ok(&world, &["disable", "--agent", "droid"]);
    assert_same(&before, &picture(&world.repo()), "disable");
    // What was installed, and cannot be taken out, is told.
    ok(&world, &["enable", "--agent", "cursor"]);
    fs::write(world.repo().join(".cursor/hooks.json"), "{ not JSON").expect("a file");
    assert!(refused(&world, 1, &["disable"]).contains("'.cursor/hooks.json': it is not JSON"));
}

#[test]
fn what_others_share_is_changed_only_when_asked_for() {
    let world = World::new("sha1");
    for (agent, local, shared) in AGENTS.iter().filter(|(agent, ..)| *agent != "opencode") {
        for file in [local, shared] {
            write(&world.repo().join(file), "{\n  \"version\": 1\n}\n", 0o644);
            world.git(&["add", "-f", file], &world.repo());
        }
        let before = picture(&world.repo());
        let said = refused(&world, 1, &["enable", "--agent", agent, "--no-git-hooks"]);
        assert!(said.contains(&format!("'{local}' is tracked by git")) && said.contains("--shared"), "{said}");
        assert_same(&before, &picture(&world.repo()), agent);
        ok(&world, &["enable", "--agent", agent, "--no-git-hooks", "--shared"]);
        assert!(fs::read_to_string(world.repo().join(shared)).expect("a file").contains("git-trace hook"));
        let said = refused(&world, 1, &["disable"]);
        assert!(said.contains("is tracked by git"), "{said}");
        assert!(fs::read_to_string(world.repo().join(shared)).expect("a file").contains("git-trace hook"));
        ok(&world, &["disable", "--shared"]);
        assert_same(&before, &picture(&world.repo()), agent);
    }
    // A shared file that nobody has yet is not hidden: it is there to be committed.
    ok(&world, &["enable", "--agent", "opencode", "--shared", "--no-git-hooks"]);
    assert!(status(&world).contains("?? .opencode/plugin/git-trace.js"), "{}", status(&world));
}

#[test]
fn files_that_cannot_be_changed_are_named_and_left() {
    let world = World::new("sha1");
    let path = world.repo().join(".claude/settings.local.json");
    let outside = world.root().join("outside.json");
    fs::write(&outside, "{}").expect("a file");
    type Make<'a> = Box<dyn Fn() + 'a>;
    let cases: Vec<(Make<'_>, &str)> = vec![
        (Box::new(|| write(&path, "{\"a\": 1", 0o644)), "it is not JSON"),
        (Box::new(|| write(&path, "[]", 0o644)), "is not an object"),
        (Box::new(|| write(&path, "{\"hooks\": 1}", 0o644)), "'hooks' is not an object"),
        (Box::new(|| write(&path, "{\"hooks\": {\"Stop\": \"x\"}}", 0o644)), "'hooks.Stop' is not a list"),
        (Box::new(|| write(&path, "{\"hooks\": {}, \"hooks\": {}}", 0o644)), "stands there twice"),
        (Box::new(|| fs::write(&path, b"{\"a\": \"\xff\"}").expect("a file")), "it is not UTF-8"),
        (Box::new(|| write(&path, "{}", 0o444)), "is read-only"),
        (Box::new(|| symlink(&outside, &path).expect("a link")), "leads out of"),
        (Box::new(|| symlink("nowhere", &path).expect("a link")), "leads out of"),
        (Box::new(|| fs::create_dir(&path).expect("a folder")), "is not a file"),
        (Box::new(|| fs::File::create(&path).and_then(|file| file.set_len(5 << 20)).expect("a file")), "the limit is"),
    ];
    for (make, complaint) in cases {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        make();
        let before = picture(&world.repo());
        let said = refused(&world, 1, &["enable", "--agent", "codex", "--agent", "claude"]);
        assert!(said.contains(complaint) && said.contains("settings.local.json"), "{said}");
        assert_same(&before, &picture(&world.repo()), complaint);
        // Where no agent was named, the others and git's hooks are installed.
        fs::create_dir_all(world.repo().join(".gemini")).expect("a folder");
        let said = refused(&world, 1, &["enable"]);
        assert!(said.contains(complaint) && said.contains("git trace doctor"), "{said}");
        assert!(world.repo().join(".gemini/settings.json").exists());
        ok(&world, &["disable", "--agent", "gemini"]);
        ok(&world, &["disable", "--no-agent-hooks"]);
        fs::remove_dir(world.repo().join(".gemini")).expect("it is empty");
        assert_same(&before, &picture(&world.repo()), complaint);
        let folder = path.parent().expect("a folder");
        fs::remove_dir_all(folder).expect("a folder");
    }
    assert_eq!(fs::read_to_string(&outside).expect("a file"), "{}");
    // The folder itself leads out.
    fs::create_dir(world.root().join("elsewhere")).expect("a folder");
    symlink(world.root().join("elsewhere"), world.repo().join(".claude")).expect("a link");
    assert!(refused(&world, 1, &["enable", "--agent", "claude"]).contains("leads out of"));
    assert_eq!(fs::read_dir(world.root().join("elsewhere")).expect("a folder").count(), 0);

    let said = refused(&world, 1, &["enable", "--agent", "amp"]);
    assert!(said.contains("hooks of 'amp' cannot be installed") && said.contains("git trace watch amp"), "{said}");
    assert!(refused(&world, 2, &["enable", "--agent", "hal"]).contains("unknown agent 'hal'"));
    write(&world.repo().join(".opencode/plugin/git-trace.js"), "// somebody's\n", 0o644);
    assert!(refused(&world, 1, &["enable", "--agent", "opencode"]).contains("exists and is not git trace's"));
}

#[test]
fn a_list_of_ignored_files_that_is_a_link_stays_one() {
    let world = World::new("sha1");
    let list = world.root().join("ignored");
    fs::write(&list, "*.o\n").expect("a file");
    fs::remove_file(world.repo().join(".git/info/exclude")).expect("git made it");
    symlink(&list, world.repo().join(".git/info/exclude")).expect("a link");
    let output = trace_in(&world, &world.repo(), &["enable", "--agent", "claude"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is a link, and stays as it is"), "{output:?}");
    assert_eq!(fs::read_to_string(&list).expect("a file"), "*.o\n");
    ok(&world, &["disable"]);
    assert!(world.repo().join(".git/info/exclude").is_symlink());
}

#[test]
fn agents_that_are_used_here_are_found() {
    let world = World::new("sha1");
    let enabled = |world: &World| -> Vec<String> {
        let told = json(world, &["enable", "-n"]);
        let agents = told["outcome"]["agents"].as_array().expect("a list").clone();
        agents.iter().map(|one| one["agent"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(enabled(&world), ["claude"], "where none is seen");
    fs::create_dir_all(world.repo().join(".cursor")).expect("a folder");
    assert_eq!(enabled(&world), ["cursor"]);
    fs::create_dir_all(world.home().join(".codex")).expect("a folder");
    assert_eq!(enabled(&world), ["codex", "cursor"]);
    let doctor = json(&world, &["doctor"]);
    let notes = doctor["outcome"]["findings"].to_string();
    assert!(notes.contains("git trace enable --agent codex") && notes.contains("--agent cursor"), "{notes}");
}

#[test]
fn commands_of_agents_are_silent_and_harmless_in_every_shell() {
    let world = World::new("sha1");
    let path = recorder(&world);
    ok(&world, &["enable", "--agent", "all", "--no-git-hooks"]);
    let mut commands: Vec<String> = Vec::new();
    for (agent, local, _) in AGENTS.iter().filter(|(agent, ..)| *agent != "opencode") {
        let text = fs::read_to_string(world.repo().join(local)).expect("a file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let lists =
            file["hooks"].as_object().expect("events").values().flat_map(|list| list.as_array().expect("a list"));
        let handlers = lists.flat_map(|one| one["hooks"].as_array().cloned().unwrap_or_else(|| vec![one.clone()]));
        for handler in handlers {
            let limit = ["timeout", "timeoutSec"].iter().find_map(|key| handler[*key].as_u64());
            let unit = if *agent == "gemini" { 1000 } else { 1 };
            assert!(limit.is_none_or(|limit| (unit..=5 * unit).contains(&limit)), "{agent}: {handler}");
            let command = ["command", "bash"].iter().find_map(|key| handler[*key].as_str()).expect("a command");
            assert!(command.contains(&format!("git-trace hook {agent}")), "{command}");
            commands.push(command.to_owned());
        }
    }
    commands.sort();
    commands.dedup();
    for shell in ["sh", "bash", "dash", "zsh", "ksh", "fish"] {
        let found = Command::new(shell).args(["-c", "true"]).stdin(Stdio::null()).output();
        if !found.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: there is no {shell}");
            continue;
        }
        for command in &commands {
            for (search, calls) in [(path.as_str(), 1), ("/usr/bin:/bin", 0)] {
                let mut process = world.command(shell, &world.repo());
                process.args(["-c", command]).env("PATH", search).env("RECORD", record(&world));
                let output = feed(process, b"{\"session_id\":\"s\"}");
                assert!(output.status.success(), "{shell}: {command}: {}", output.status);
                assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{shell}: {command}");
                assert_eq!(called(&world).len(), calls, "{shell}: {command}");
            }
        }
    }
}
