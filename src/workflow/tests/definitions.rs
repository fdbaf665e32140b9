//! What a workflow says of itself.

use serde_json::{Value, json};

use super::*;

fn least(extra: Value) -> Value {
    let mut value = json!({"name": "w", "plugins": [], "promptTemplate": "{input}", "workflowFile": "workflow.md"});
    value.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
    value
}

fn read(value: &Value) -> Result<Definition, DefinitionError> {
    Definition::read(value.to_string().as_bytes())
}

/// Returns the pointers of all faults, `!` before those that count.
fn faults(value: &Value) -> Vec<String> {
    let faults = match read(value) {
        Ok(definition) => definition.warnings,
        Err(DefinitionError::Invalid(faults)) => faults,
        Err(error) => panic!("{error}"),
    };
    let sign = |fault: &Fault| if fault.severity == Severity::Error { "!" } else { "" };
    faults.iter().map(|fault| format!("{}{}", sign(fault), fault.pointer)).collect()
}

#[test]
fn every_field_is_read() {
    let definition = read(&json!({
        "$schema": "https://example.com/workflow.json",
        "name": "deploy", "description": "ships", "marketplaceDescription": "ships things", "version": "1.2.0",
        "plugins": ["fmt@acme/flows", {"ref": " lint@acme/flows ", "version": "^1.2"}, "local@git@h:o/r#v1"],
        "promptTemplate": "Do {input}", "workflowFile": "./docs/workflow.md", "examplePrompts": ["ship it"],
        "loop": {
            "enabled": true, "maxIterations": 5, "completionMarker": " <!-- DONE --> ", "blockedMarker": "<!-- STUCK",
            "trackerPath": "notes/{sessionId}.md", "continuePrompt": "go on", "nudgeCap": 0, "retryCap": 1, "retryBackoffMs": 50,
            "maxTurnTokenCount": 130000,
        },
        "isolation": "minimal", "model": "opus", "effort": "xhigh", "env": {"A_B": "c"},
    }))
    .expect("a definition");
    let plugins: Vec<String> = definition.plugins.iter().map(Named::to_string).collect();
    assert_eq!(plugins, ["fmt@acme/flows", "lint@acme/flows@^1.2", "local@git@h:o/r#v1"]);
    assert_eq!(definition.workflow_file, "docs/workflow.md");
    assert_eq!(definition.name.as_ref().map(Name::as_str), Some("deploy"));
    assert_eq!(definition.version.as_ref().map(Version::as_str), Some("1.2.0"));
    assert_eq!((definition.isolation, definition.effort), (Some(Isolation::Minimal), Some(Effort::Xhigh)));
    assert_eq!((definition.model.as_deref(), definition.env["A_B"].as_str()), (Some("opus"), "c"));
    assert_eq!(definition.example_prompts, ["ship it"]);
    assert_eq!(definition.marketplace_description.as_deref(), Some("ships things"));
    assert_eq!(definition.warnings, []);
    let expected = Loop {
        enabled: true,
        max_iterations: 5,
        completion_marker: "<!-- DONE -->".to_owned(),
        blocked_marker: "<!-- STUCK".to_owned(),
        tracker_path: "notes/{sessionId}.md".to_owned(),
        continue_prompt: Some("go on".to_owned()),
        nudge_cap: 0,
        retry_cap: 1,
        retry_backoff_ms: 50,
        max_turn_token_count: Some(130_000),
    };
    assert_eq!(definition.looping, expected);
}

#[test]
fn what_is_not_said_has_a_default() {
    assert_eq!(read(&least(json!({}))).expect("a definition").looping, Loop::default());
    let looping = read(&least(json!({"loop": {"enabled": true}}))).expect("a definition").looping;
    assert_eq!(looping, Loop { enabled: true, ..Loop::default() });
    assert_eq!((looping.max_iterations, looping.nudge_cap, looping.retry_cap), (20, 3, 3));
    assert_eq!((looping.completion_marker.as_str(), looping.retry_backoff_ms), ("<!-- WORKFLOW_COMPLETE -->", 10_000));
}

#[test]
fn older_generations_are_taken_with_a_warning() {
    let old = json!({
        "name": "e2e", "promptTemplate": "{input}", "systemPromptFile": "system_prompt.md", "plugins": [],
        "loop": {
            "enabled": true, "completionMarkers": ["E2E_COMPLETE", "E2E_BLOCKED"], "trackerFile": "t.md", "maxIterations": "15",
        },
    });
    let definition = read(&old).expect("a definition");
    assert_eq!(definition.workflow_file, "system_prompt.md");
    let looping = &definition.looping;
    assert_eq!((looping.completion_marker.as_str(), looping.blocked_marker.as_str()), ("E2E_COMPLETE", "E2E_BLOCKED"));
    assert_eq!((looping.tracker_path.as_str(), looping.max_iterations), ("t.md", 15));
    assert_eq!(
        faults(&old),
        ["/systemPromptFile", "/loop/maxIterations", "/loop/completionMarkers", "/loop/trackerFile"]
    );
    let both =
        least(json!({"systemPromptFile": "nope.md", "loop": {"completionMarkers": ["X"], "completionMarker": "Y"}}));
    let definition = read(&both).expect("a definition");
    assert_eq!(
        (definition.workflow_file.as_str(), definition.looping.completion_marker.as_str()),
        ("workflow.md", "Y")
    );
    assert_eq!(faults(&both), ["/systemPromptFile", "/loop/completionMarkers"]);
}

#[test]
fn each_fault_says_where_it_is() {
    for (extra, expected) in [
        (json!({"name": "../../evil"}), vec!["!/name"]),
        (json!({"promptTemplate": " "}), vec!["!/promptTemplate"]),
        (json!({"promptTemplate": 5, "workflowFile": null}), vec!["!/promptTemplate", "!/workflowFile"]),
        (json!({"workflowFile": "/etc/passwd"}), vec!["!/workflowFile"]),
        (json!({"workflowFile": "../x.md"}), vec!["!/workflowFile"]),
        (json!({"workflowFile": "a/../x.md"}), vec!["!/workflowFile"]),
        (json!({"workflowFile": "./"}), vec!["!/workflowFile"]),
        (json!({"workflowFile": ".git/config"}), vec!["!/workflowFile"]),
        (json!({"plugins": "x"}), vec!["!/plugins"]),
        (
            json!({"plugins": ["-x", "a@o/r", {"ref": "a@o/r"}, 5, {"ref": "a@o/r@1", "version": "2"}, "./a"]}),
            vec!["!/plugins/0", "!/plugins/2", "!/plugins/3", "!/plugins/4", "!/plugins/5"],
        ),
        (json!({"examplePrompts": ["a", 5]}), vec!["!/examplePrompts/1"]),
        (json!({"loop": []}), vec!["!/loop"]),
        (
            json!({"loop": {"enabled": "yes", "maxIterations": -1, "nudgeCap": 1.5, "surprise": 1}}),
            vec!["!/loop/enabled", "!/loop/maxIterations", "!/loop/nudgeCap", "/loop/surprise"],
        ),
        (json!({"loop": {"maxIterations": 0}}), vec!["/loop/maxIterations"]),
        (
            json!({"loop": {"maxIterations": 1e9, "retryBackoffMs": 1e300}}),
            vec!["/loop/maxIterations", "/loop/retryBackoffMs"],
        ),
        (
            json!({"loop": {"completionMarker": "", "blockedMarker": "a\nb"}}),
            vec!["!/loop/completionMarker", "!/loop/blockedMarker"],
        ),
        (json!({"loop": {"trackerPath": "../x"}}), vec!["!/loop/trackerPath"]),
        (json!({"loop": {"trackerPath": "/tmp/x"}}), vec!["!/loop/trackerPath"]),
        (json!({"loop": {"trackerPath": ".git/hooks/pre-commit"}}), vec!["!/loop/trackerPath"]),
        (json!({"isolation": "none", "effort": 5, "model": []}), vec!["/isolation", "!/model", "/effort"]),
        (json!({"env": {"A": 1, "B-C": "x", "": "x", "1A": "x"}}), vec!["!/env/A", "!/env/B-C", "!/env/", "!/env/1A"]),
        (json!({"env": {"LD_PRELOAD": "./x.so", "GIT_DIR": "x"}}), vec!["/env/LD_PRELOAD", "/env/GIT_DIR"]),
        (json!({"surprise": 1, "version": " 1"}), vec!["/version", "/surprise"]),
    ] {
        assert_eq!(faults(&least(extra.clone())), expected, "{extra}");
    }
    assert_eq!(Definition::read(b"[]").expect_err("no object").to_string(), "has to be an object, and is an array");
    assert!(matches!(Definition::read(b"{bad"), Err(DefinitionError::Json(_))));
    let twice =
        Definition::read(br#"{"promptTemplate":"a","promptTemplate":"b","workflowFile":"w"}"#).expect("a definition");
    assert_eq!((twice.prompt_template.as_str(), twice.warnings[0].pointer.as_str()), ("b", "/promptTemplate"));
}

#[test]
fn members_that_are_not_known_are_kept() {
    let definition = read(&least(json!({"x-ours": {"a": 1}}))).expect("a definition");
    assert_eq!(definition.other["x-ours"], json!({"a": 1}));
}

#[test]
fn instructions_are_a_file_of_the_workflow() {
    let tree = Tree::default()
        .with("w/workflow.json", "{}")
        .with("w/docs/a.md", "do")
        .with_link("w/link.md")
        .with("w/dir/x", "");
    let place = locate(&tree, "w").expect("a place");
    let at = |file: &str| {
        let definition = read(&least(json!({"workflowFile": file}))).expect("a definition");
        definition.instructions(&tree, &place).map(|(path, _)| path).map_err(|error| error.to_string())
    };
    assert_eq!(at("docs/a.md").as_deref(), Ok("w/docs/a.md"));
    assert_eq!(at("gone.md"), Err("there is no 'w/gone.md'".to_owned()));
    assert_eq!(at("dir"), Err("there is no 'w/dir'".to_owned()));
    assert_eq!(at("link.md"), Err("'w/link.md' is a symbolic link, which is not followed".to_owned()));
}
