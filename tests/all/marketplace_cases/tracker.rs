//! What trackers, templates, failures and streams of events are taken for, in the reference's words.

use std::time::Duration;

use git_trace::drivers::{AgentProgram, AgentTurn};
use git_trace::run::{Ended, Failure, Limits, Progress, Status, Verdict, fill};
use serde_json::{Value, json};

use super::case::{Case, Sandbox};

/// Trackers that we take for something else, and why ours is better.
const OTHERWISE: &[(&str, &str)] = &[
    ("<!-- WORKFLOW_COMPLETE -->\nmore prose", MISPLACED),
    ("<!-- WORKFLOW_BLOCKED -->\nthen prose", MISPLACED),
    (
        "note: I removed `<!-- TRACKER_SKELETON -->`\n<!-- WORKFLOW_COMPLETE -->",
        "a note about the skeleton is no skeleton",
    ),
    (
        "<!-- TRACKER_SKELETON -->\nx\n<!-- WORKFLOW_COMPLETE -->",
        "a tracker that was written, and says that all is done, is no skeleton for its first line",
    ),
    ("```\n<!-- WORKFLOW_COMPLETE -->\n```", "what stands in a fenced block is a quotation"),
];
const MISPLACED: &str = "a line that does not end the run is told to the agent; the run need not fail for it";

/// Answers the steps that are about texts.
pub fn answer(_: &Sandbox, case: &Case) -> Vec<Option<Value>> {
    case.steps.iter().enumerate().map(|(at, step)| answer_step(case, at, step)).collect()
}

fn answer_step(case: &Case, at: usize, step: &Value) -> Option<Value> {
    let texts = |name: &str| step[name].as_array().expect("a list").iter().map(|text| text.as_str().expect("a text"));
    match step["op"].as_str().expect("each step has an operation") {
        "tracker" => {
            let recorded = &case.expected["head"][at];
            let cases = step["cases"].as_array().expect("trackers").iter().enumerate();
            Some(cases.map(|(nth, one)| judged(one, &recorded[nth])).collect())
        }
        "subst" => {
            let context = step["ctx"].as_object().expect("an object").iter();
            let values: Vec<(&str, &str)> =
                context.map(|(name, value)| (name.as_str(), value.as_str().expect("a text"))).collect();
            Some(fill(step["text"].as_str().expect("a text"), &values).into())
        }
        "classifyTurn" => {
            let class = |said: &str| {
                let failure = Failure::classify(said);
                json!([said, { "kind": if failure.is_transient() { "transient" } else { "hard" }, "code": failure.name() }])
            };
            Some(texts("strings").map(class).collect())
        }
        "tokens" => Some(tokens(texts("chunks").collect::<String>())),
        _ => None,
    }
}

/// Judges a tracker; where ours is better on purpose, it must differ, and is not compared.
fn judged(one: &Value, recorded: &Value) -> Value {
    let marker = |name: &str| one["markers"][name].as_str().map(str::to_owned);
    let mut limits = Limits::default();
    limits.max_iterations = one["max"].as_u64().unwrap_or(10).try_into().expect("a small number");
    limits.markers.complete = marker("completionMarker").unwrap_or(limits.markers.complete);
    limits.markers.blocked = marker("blockedMarker").unwrap_or(limits.markers.blocked);
    let tracker = one["content"].as_str().map(str::to_owned);
    let iteration = one["iteration"].as_u64().unwrap_or(1).try_into().expect("a small number");
    let ended = Ended { failure: None, resumed: false, resumable: false, changed: false, tracker: tracker.clone() };
    let ours = match limits.decide(&mut Progress { iteration, ..Progress::default() }, &ended) {
        Verdict::End(Status::Blocked, reason) => {
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            // The reference takes the end of the comment for a reason.
            match recorded["stopReason"].as_str() {
                Some(told) if told.ends_with(": -->") => json!({ "kind": "suspend" }),
                _ => json!({ "kind": "suspend", "stopReason": format!("agent declared WORKFLOW_BLOCKED{reason}") }),
            }
        }
        Verdict::End(Status::Exhausted, _) => json!({ "kind": "suspend", "status": "awaiting_attention" }),
        Verdict::End(status, _) => json!({ "kind": "stop", "status": status.name() }),
        _ => json!({ "kind": "continue" }),
    };
    let known = OTHERWISE.iter().any(|(content, _)| Some(*content) == tracker.as_deref());
    if known {
        assert!(!super::is_alike(recorded, &ours), "no deviation any more: {tracker:?}");
        return json!({});
    }
    ours
}

/// Adds up what a stream of events reports.
fn tokens(stream: String) -> Value {
    let agent = AgentProgram::parse("cat").expect("words");
    let turn = AgentTurn { prompt: stream, time: Duration::from_secs(60), ..AgentTurn::default() };
    let end = agent.turn(&turn, &mut |_| {}).expect("it starts");
    let usage = end.usage.unwrap_or_default();
    let parts = [usage.input, usage.cache_read, usage.cache_write, usage.output];
    json!({
        "input": usage.input, "output": usage.output, "cacheRead": usage.cache_read, "cacheWrite": usage.cache_write,
        "total": parts.into_iter().flatten().reduce(|one, other| one + other), "contextSize": end.context,
    })
}
