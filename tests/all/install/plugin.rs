//! The plugins: for opencode, and for Claude Code with its skill.

use super::*;

#[test]
fn the_plugin_for_opencode_tells_what_matters_once() {
    let world = World::new("sha1");
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no node");
        return;
    }
    ok(&world, &["enable", "--agent", "opencode", "--no-git-hooks"]);
    let plugin = world.root().join("plugin.mjs");
    fs::copy(world.repo().join(".opencode/plugin/git-trace.js"), plugin).expect("the plugin");
    let script = "import { GitTrace } from './plugin.mjs'
const plugin = await GitTrace({ directory: process.cwd() })
const told = (type, properties) => plugin.event({ event: { type, properties } })
await told('session.created', { info: { id: 's1' } })
await told('message.updated', { info: { id: 'm1', role: 'user', sessionID: 's1' } })
await told('message.updated', { info: { id: 'm1', role: 'user', sessionID: 's1' } })
await told('message.updated', { info: { id: 'm2', role: 'assistant', sessionID: 's1' } })
await plugin['tool.execute.after']({ tool: 'edit', sessionID: 's1', callID: 'c1' }, {})
await told('session.status', { sessionID: 's1', status: { type: 'busy' } })
await told('session.status', { sessionID: 's1', status: { type: 'idle' } })
await told('file.edited', { file: 'x' })
await told('session.compacted', { sessionID: 's1' })
await told('server.instance.disposed', {})
await plugin.event({})
await plugin['tool.execute.after']()
";
    fs::write(world.root().join("run.mjs"), script).expect("a script");
    let node = Command::new("sh").args(["-c", "command -v node"]).output().expect("a shell").stdout;
    let node = String::from_utf8(node).expect("text").trim().to_owned();
    for (path, calls) in [(recorder(&world), 6), ("/usr/bin:/bin".to_owned(), 0)] {
        let mut command = world.command(&node, world.root());
        let output = command.arg("run.mjs").env("PATH", path).env("RECORD", record(&world)).output().expect("node");
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        let told = called(&world);
        assert_eq!(told.len(), calls, "{told:?}");
        for (call, event) in
            told.iter().zip(["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "PostCompact", "SessionEnd"])
        {
            assert_eq!(call, &format!("hook opencode {event}"));
            let payload = parsed(Path::new(&format!("{}.{event}.input", record(&world).display())));
            assert_eq!(
                (payload["session_id"].as_str(), payload["hook_event_name"].as_str()),
                (Some("s1"), Some(event))
            );
        }
    }
}

/// The folder of the plugin for Claude Code.
fn plugin() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/claude-plugin")
}

#[test]
fn the_plugin_for_claude_code_says_what_enable_installs() {
    let world = World::new("sha1");
    let manifest = parsed(&plugin().join(".claude-plugin/plugin.json"));
    assert_eq!(
        (manifest["name"].as_str(), manifest["version"].as_str()),
        (Some("git-trace"), Some(env!("CARGO_PKG_VERSION")))
    );
    let market = parsed(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".claude-plugin/marketplace.json"));
    let listed = &market["plugins"][0];
    assert_eq!(
        (listed["name"].as_str(), listed["source"].as_str()),
        (Some("git-trace"), Some("./templates/claude-plugin"))
    );
    assert_eq!(listed["version"], manifest["version"]);
    assert!(market["owner"]["name"].is_string());
    ok(&world, &["enable", "--agent", "claude", "--no-git-hooks"]);
    let installed = parsed(&world.repo().join(".claude/settings.local.json"));
    assert_eq!(parsed(&plugin().join("hooks/hooks.json"))["hooks"], installed["hooks"]);
}

#[test]
fn the_skill_names_commands_that_there_are() {
    let world = World::new("sha1");
    let skill = fs::read_to_string(plugin().join("skills/git-trace/SKILL.md")).expect("the skill");
    let head = skill.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).expect("a head").0;
    assert!(head.contains("name: git-trace\n") && head.contains("description: "), "{head}");
    assert!(head.len() < 1024 && skill.lines().count() < 120, "it is short");
    let mut seen = 0;
    let calls =
        skill.split("git trace ").skip(1).map(|rest| rest.split(['`', '\n', '#', '|']).next().unwrap_or_default());
    for call in calls {
        let mut words = call.split_whitespace();
        let verb = words.next().expect("a verb");
        let known = crate::rooms::verbs().iter().any(|one| one == verb);
        assert!(known, "git trace {call}");
        let help = world.ok(&[verb, "-h"]);
        for option in words.filter(|word| word.starts_with('-') && word.len() > 1) {
            let option = option.split('=').next().unwrap_or(option);
            let there = help.split([' ', ',', '[', '=', '\n']).any(|word| word == option);
            assert!(there, "git trace {call}: {option} is not in\n{help}");
        }
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}
