//! Runs of the reference, played with a scripted agent on the real program, and told in the reference's words.

use serde_json::{Value, json};

use super::case::{Case, Sandbox};
use crate::turns::{Play, Script};
use crate::world::World;

/// Answers the steps that run a workflow.
pub fn answer(_: &Sandbox, case: &Case) -> Vec<Option<Value>> {
    case.steps.iter().map(|step| answer_step(case, step)).collect()
}

fn answer_step(case: &Case, step: &Value) -> Option<Value> {
    match step["op"].as_str().expect("each step has an operation") {
        "runner" => Some(played(case, step)),
        // Instructions stand in the prompt: no file is composed beside the workflow's own.
        "compose" => Some(json!({ "composed": false })),
        "exists" => Some(json!(false)),
        _ => None,
    }
}

/// Plays the turns of a step.
fn played(case: &Case, step: &Value) -> Value {
    let world = World::new("sha1");
    let session = step["adapterIds"][0].as_str();
    let mut script = Script::new(&world, if session.is_some() { "claude" } else { "agent" }, json!({}));
    let mut definition = step["workflow"].clone();
    if !definition.is_object() {
        // There is no run without a workflow.
        return json!({ "error": { "class": "Error" } });
    }
    if definition["workflowFile"] == "$ROOT/work/workflow.md" {
        definition["workflowFile"] = "workflow.md".into();
    } else {
        definition["workflowFile"] = "none.md".into();
    }
    script.workflow(definition);
    let turns = step["turns"].as_array().expect("turns");
    let tracker = case.file("work/.athena/S1/tracker.md");
    let is_resumed = step["initialContinuation"].is_object() && tracker.is_some();
    if is_resumed {
        // What an earlier run left is a run of its own here, which a person goes on with.
        script.play(Play { tracker: tracker.as_deref(), out: &told(session, &Value::Null), ..Play::default() });
    }
    for turn in turns {
        let error = turn["error"].as_str().unwrap_or_default();
        let exit = turn["exit"].as_i64().unwrap_or(i64::from(!error.is_empty()));
        let err = format!("{error}{}", turn["stderr"].as_str().unwrap_or_default());
        script.play(Play {
            tracker: turn["tracker"].as_str(),
            out: &told(session, &turn["tokens"]),
            err: &err,
            exit: exit.try_into().expect("a small number"),
            ..Play::default()
        });
    }
    let mut arguments = Vec::new();
    if case.file("work/.athena/S1/tracker.md/x").is_some() {
        std::fs::create_dir_all(world.repo().join("tracker.md")).expect("a folder");
        arguments.extend(["--tracker", "tracker.md"]);
    }
    let prompt = step["prompt"].as_str().expect("a text");
    arguments.extend(["--", if is_resumed { "earlier" } else { prompt }]);
    let (_, mut last, mut events) = script.run(&arguments);
    let before = usize::from(is_resumed);
    if is_resumed {
        let run = last["run"].as_str().expect("an id").to_owned();
        (_, last, events) = script.resume(&run, &["--", prompt]);
    }
    if last["status"].is_null() {
        return json!({ "error": { "class": "Error" } });
    }
    let begun: Vec<&Value> = events.iter().filter(|event| event["type"] == "turn.started").collect();
    let turns: Vec<Value> = (1..=begun.len())
        .map(|nth| {
            let resumes = script.arguments(nth + before).contains("--resume");
            let mut turn = json!({ "continuation": { "mode": if resumes { "resume" } else { "fresh" } } });
            let told = script.prompt(nth + before);
            // What further turns are told is in our own words.
            let is_first = matches!(begun[nth - 1]["data"]["opening"].as_str(), Some("first" | "retry"));
            if is_first {
                turn["prompt"] = told.rsplit("\n\n---\n\n").next().unwrap_or(&told).into();
            }
            turn
        })
        .collect();
    let status = match last["status"].as_str().expect("a status") {
        "suspended" => "awaiting_attention",
        status => status,
    };
    let mut result = json!({ "status": status, "iterations": last["iterations"] });
    if let Some(tokens) = last["tokens"].as_object() {
        let told = tokens.iter().filter(|(name, _)| !name.starts_with("context"));
        result["tokens"] = Value::Object(told.map(|(name, value)| (name.clone(), value.clone())).collect());
    }
    json!({ "result": result, "turns": turns })
}

/// Returns what an agent prints that tells its session and its usage.
fn told(session: Option<&str>, tokens: &Value) -> String {
    let mut event = json!({ "type": "result", "result": "ok", "session_id": session });
    if tokens.is_object() {
        event["usage"] = json!({
            "input_tokens": tokens["input"], "output_tokens": tokens["output"],
            "cache_read_input_tokens": tokens["cacheRead"], "cache_creation_input_tokens": tokens["cacheWrite"],
        });
    }
    format!("{event}\n")
}
