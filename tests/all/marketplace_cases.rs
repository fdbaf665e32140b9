//! The recorded cases of the reference program: each gets its answer here too, or stands in the table of deviations.
//!
//! A part of the program answers the cases of a topic by a row in [`ANSWERERS`]: a function that gets a case in its
//! sandbox and returns, for each step, what we answer in the reference's words, or `None` for a step that is another
//! part's. What it returns is compared member by member, and may leave out only those in [`LEFT_OUT`].

mod answer;
mod case;
mod deviations;
mod market;
mod plugin;
mod program;
mod real;
mod runner;
mod tracker;

use serde_json::Value;

use case::{Case, Sandbox};
use deviations::{DEVIATIONS, Deviation};

/// Answers the steps of a case.
type Answerer = fn(&Sandbox, &Case) -> Vec<Option<Value>>;

/// Who answers the cases of which topic; where a topic has several rows, the first that answers a step counts.
const ANSWERERS: &[(&str, Answerer)] = &[
    ("ambiguity", answer::answer),
    ("canonical", answer::answer),
    ("commands", program::answer),
    ("filesystem", answer::answer),
    ("filesystem", program::answer),
    ("gather", answer::answer),
    ("grammar", answer::answer),
    ("install", program::answer),
    ("manifest", answer::answer),
    ("path", answer::answer),
    ("plugins", plugin::answer),
    ("remote", program::answer),
    ("resolve", answer::answer),
    ("runner", runner::answer),
    ("runner", tracker::answer),
    ("schema", answer::answer),
    ("schema", program::answer),
    ("symlink", answer::answer),
    ("symlink", program::answer),
    ("tokens", tracker::answer),
    ("tracker", tracker::answer),
    ("upgrade", program::answer),
    ("version", answer::answer),
];

/// Members of recorded answers that ours may leave out; all others have to be there, and be the same.
const LEFT_OUT: &[&str] = &[
    // Words, and classes that only the reference's language has.
    "message",
    "ctor",
    "code",
    "out",
    "err",
    "stopReason",
    // Where the reference has a clone that is checked out, and files that say where a workflow is from.
    "manifestPath",
    "workflowPath",
    "workflowFile",
    "__source",
    "source.json",
    "codexPluginDir",
    // Texts of its own, that are put into prompts, and what is kept of a run: ours is a branch.
    "append",
    "prompt",
    "skeleton",
    "persisted",
    "finalTracker",
    "loop",
    "systemPromptFile",
    // What its agent says of itself; ours tells tokens only where the agent does.
    "handle",
    "tokens",
    "contextSize",
    "contextWindowSize",
    // What was given to be judged, said again.
    "content",
    "iteration",
];

/// The topics that nobody answers yet; a topic leaves this list when it gets a row above.
const OPEN: &[&str] = &[];

/// Says how our answers to the steps of a case stand to the recorded ones.
#[derive(Debug, Default)]
struct Verdict {
    /// The steps that we answer otherwise, by their numbers from 0.
    unlike: Vec<usize>,
    /// What was recorded for these, and what we say.
    told: String,
    /// The steps that nobody answers.
    open: Vec<usize>,
}

#[test]
fn every_case_is_answered_alike_or_the_deviation_has_a_reason() {
    let Some(cases) = case::load() else { return };
    let (mut wrong, mut open, mut alike) = (Vec::new(), Vec::new(), 0);
    for case in &cases {
        let verdict = judge(case);
        let reviewed = DEVIATIONS.iter().find(|deviation| deviation.id == case.id).map_or(&[][..], |one| one.steps);
        if verdict.unlike != reviewed {
            let (ours, told) = (&verdict.unlike, &verdict.told);
            wrong.push(format!("{}: steps {ours:?} deviate, and {reviewed:?} have a reason\n{told}", case.id));
        }
        if !verdict.open.is_empty() {
            open.push(case.id.as_str());
        } else if verdict.unlike.is_empty() {
            alike += 1;
        }
    }
    for Deviation { id, steps, why } in DEVIATIONS {
        assert!(cases.iter().any(|case| case.id == *id), "no case '{id}'");
        assert!(!steps.is_empty() && why.len() > 20, "'{id}' needs a step and a reason");
        let rows = DEVIATIONS.iter().filter(|deviation| deviation.id == *id).count();
        assert_eq!(rows, 1, "'{id}' stands twice in the table");
    }
    eprintln!("{alike} alike, {} deviate, {} open: {}", DEVIATIONS.len(), open.len(), open.join(" "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(!OPEN.is_empty() || open.is_empty(), "nobody answers all steps of these: {}", open.join(" "));
}

#[test]
fn every_topic_has_somebody_who_answers_it_or_is_said_to_be_open() {
    let Some(cases) = case::load() else { return };
    for case in &cases {
        let answered = ANSWERERS.iter().any(|(topic, _)| *topic == case.topic);
        let open = OPEN.contains(&case.topic.as_str());
        assert!(answered != open, "the topic '{}' is in one of the two lists", case.topic);
    }
}

fn judge(case: &Case) -> Verdict {
    let mut answers: Vec<Option<Value>> = vec![None; case.steps.len()];
    for (_, answer) in ANSWERERS.iter().filter(|(topic, _)| *topic == case.topic) {
        let given = answer(&Sandbox::new(case), case);
        assert_eq!(given.len(), answers.len(), "{}: an answer for each step", case.id);
        for (known, given) in answers.iter_mut().zip(given) {
            *known = known.take().or(given);
        }
    }
    let open = (0..answers.len()).filter(|at| answers[*at].is_none()).collect();
    // The versions of the reference differ; being like one of them will do.
    let verdicts = case.expected.values().map(|recorded| {
        let mut verdict = Verdict::default();
        for (at, ours) in answers.iter().enumerate() {
            let Some(ours) = ours.as_ref().filter(|ours| !is_alike(&recorded[at], ours)) else { continue };
            verdict.unlike.push(at);
            let (step, recorded) = (&case.steps[at], &recorded[at]);
            verdict.told += &format!("  {step}\n    recorded {recorded}\n    ours     {ours}\n");
        }
        verdict
    });
    let nearest = verdicts.min_by_key(|verdict| verdict.unlike.len()).expect("something was recorded");
    Verdict { open, ..nearest }
}

/// Compares what was recorded with ours, member by member; both are errors, or neither is.
fn is_alike(recorded: &Value, ours: &Value) -> bool {
    match (recorded, ours) {
        (Value::Object(recorded), Value::Object(ours)) => {
            let class =
                |name: &str, value: &Value| if name == "class" { Value::from(class_of(value)) } else { value.clone() };
            recorded.contains_key("error") == ours.contains_key("error")
                && recorded.keys().all(|name| ours.contains_key(name) || may_be_left_out(name))
                && ours.iter().all(|(name, ours)| {
                    recorded.get(name).is_some_and(|recorded| is_alike(&class(name, recorded), &class(name, ours)))
                })
        }
        (Value::Array(recorded), Value::Array(ours)) => {
            recorded.len() == ours.len() && recorded.iter().zip(ours).all(|(recorded, ours)| is_alike(recorded, ours))
        }
        (recorded, ours) => recorded == ours,
    }
}

fn may_be_left_out(name: &str) -> bool {
    LEFT_OUT.contains(&name.rsplit('/').next().unwrap_or(name))
}

/// Returns the class of an error; those of the language are one class.
fn class_of(class: &Value) -> &str {
    let class = class.as_str().unwrap_or_default();
    if class.starts_with("Workflow") || class.starts_with("Marketplace") { class } else { "Error" }
}
