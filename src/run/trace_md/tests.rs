use proptest::prelude::*;

use super::*;
use crate::model::EntryId;
use crate::run::{Artifact, Header, Resume, Run, RunId, Step, WorkflowUsed};

/// Texts that could be taken for something else.
fn hostile() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("## Step 9: owned"),
        Just("# Trace: other"),
        Just("## Resume"),
        Just("[Step 2] x"),
        Just("---"),
        Just("**Status:** completed"),
        Just("**Summary:**"),
        Just("```"),
        Just("~~~sh"),
        Just("- item"),
        Just("- none"),
        Just("none"),
        Just("None."),
        Just(""),
        Just("  "),
        Just("\t"),
        Just(" text with blanks  "),
        Just("text\r"),
        Just("\\u{41}\\u{}\\u{zz}\\"),
        Just("\u{1b}[31m\u{202e}\u{feff}\0"),
        Just("a (3 bytes, 0123456789012345678901234567890123456789)"),
        Just("`quoted`"),
        Just("    deep"),
    ];
    let lines = prop::collection::vec(prop_oneof![4 => line.prop_map(str::to_owned), 1 => any::<String>()], 0..5);
    lines.prop_map(|lines| lines.join("\n"))
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(hostile(), 0..4)
}

fn status() -> impl Strategy<Value = StepStatus> {
    prop_oneof![Just(StepStatus::InProgress), Just(StepStatus::Completed), Just(StepStatus::Failed)]
}

prop_compose! {
    fn artifact()(path in hostile(), recorded in prop::option::of(("[0-9a-f]{40}", any::<u64>()))) -> Artifact {
        let (blob, size) = recorded.unzip();
        Artifact { path, blob, size }
    }
}

prop_compose! {
    fn step()(
        action in hostile(),
        status in status(),
        said in (prop::option::of(hostile()), prop::option::of(hostile()), prop::option::of(texts())),
        failed in (prop::option::of(hostile()), prop::option::of(hostile())),
        notes in texts(),
        artifacts in prop::collection::vec(artifact(), 0..3),
    ) -> StepPart {
        let (summary, challenges, design_changes) = said;
        let (attempted, tried) = failed;
        StepPart { number: 0, action, status, summary, challenges, design_changes, attempted, tried, notes, artifacts }
    }
}

prop_compose! {
    fn resume()(at in prop::option::of(hostile()), step in prop::option::of(any::<u32>()), which in 0_usize..5,
        note in prop::option::of(hostile()), missing in texts(), changed in texts()) -> ResumePart {
        let decisions = [Decision::Continue, Decision::Rerun, Decision::Investigate, Decision::Human];
        ResumePart { at, step, decision: decisions.get(which).copied(), note, missing, changed }
    }
}

prop_compose! {
    fn page()(workflow in hostile(), task in hostile(), started in hostile(), status in status(),
        reason in prop::option::of(hostile()),
        parts in prop::collection::vec(prop_oneof![step().prop_map(Part::Step), resume().prop_map(Part::Resume)], 0..6),
    ) -> Page {
        let mut number = 0;
        let parts = parts.into_iter().map(|part| match part {
            Part::Step(step) => {
                number += 1;
                Part::Step(StepPart { number, ..step })
            }
            other => other,
        });
        Page { workflow, task, started, status, reason, parts: parts.collect() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_page_comes_back_as_it_was(page in page()) {
        let text = render(&page);
        let read = parse(&text);
        prop_assert_eq!(read.as_ref().map(|parsed| &parsed.page), Ok(&page), "{}", text);
        prop_assert!(!text.chars().any(|one| one.is_control() && one != '\n' && one != '\t'));
        // An editor takes blanks at the ends of lines away, and another system ends lines with CRLF.
        let trimmed: Vec<&str> = text.lines().map(|line| line.trim_end()).collect();
        let read = parse(&trimmed.join("\r\n"));
        prop_assert_eq!(read.map(|parsed| parsed.page), Ok(page));
    }

    #[test]
    fn any_text_is_read_or_refused(lines in prop::collection::vec(hostile(), 0..12), other in any::<String>()) {
        let head = "# Trace: x\n**Task:** t\n**Started:** s\n**Status:** failed\n";
        let step = "## Step 1: a\n**Status:** done\n**Notes:**\n";
        let lines = lines.join("\n");
        for text in [lines.clone(), other.clone(), format!("{head}{lines}\n{other}"), format!("{head}{step}{lines}")] {
            if let Ok(parsed) = parse(&text) {
                prop_assert_eq!(parse(&render(&parsed.page)).map(|again| again.page), Ok(parsed.page));
            }
        }
    }
}

fn header() -> Header {
    Header {
        version: 1,
        run: RunId::parse("deploy-1").expect("an id"),
        workflow: WorkflowUsed { name: "deploy".to_owned(), ..WorkflowUsed::default() },
        task: "ship it".to_owned(),
        started: "2026-11-21T10:00:00.000Z".to_owned(),
        ended: None,
        status: Status::InProgress,
        reason: None,
        folder: Some(".".to_owned()),
        other: serde_json::Map::new(),
    }
}

fn run(steps: &[StepStatus]) -> Run {
    let mut run = Run::new(header());
    for (at, status) in (1..).zip(steps) {
        let step = Step {
            status: *status,
            summary: Some("did it".to_owned()),
            challenges: Some("a few".to_owned()),
            design_changes: Some(Vec::new()),
            attempted: Some("all".to_owned()),
            tried: Some("more".to_owned()),
            ..Step::new(at, "work", "then".to_owned())
        };
        run.items.push((Some(EntryId::from_bits(at.into())), Item::Step(step)));
    }
    run
}

fn edited(run: &Run, edit: impl Fn(String) -> String) -> Result<Edits, PageError> {
    take_in(run, &parse(&edit(render(&Page::of(run))))?, "now")
}

#[test]
fn the_shape_is_the_one_of_the_protocol() {
    let mut run = run(&[StepStatus::Completed]);
    let step = run.begin("next  one\n", "then".to_owned()).expect("all is done before");
    run.items.push((None, Item::Step(step)));
    let Item::Step(first) = &mut run.items[0].1 else { panic!("a step") };
    (first.attempted, first.tried) = (None, None);
    first.summary = Some("did it\n\n## Step 7: no\n".to_owned());
    first.design_changes = Some(vec!["a queue".to_owned(), "no\ntable".to_owned()]);
    let expected = "# Trace: deploy\n\n**Task:** ship it\n**Started:** 2026-11-21T10:00:00.000Z\n\
        **Status:** in-progress\n\n---\n\n## Step 1: work\n\n**Status:** completed\n**Summary:** did it\n\n    ## Step 7: no\n    \\u{}\n\
        **Challenges:** a few\n**Design changes:**\n- a queue\n- no\n      table\n\
        \n---\n\n## Step 2: next one\n\n**Status:** in-progress\n**Summary:**\n**Challenges:**\n**Design changes:**\n";
    assert_eq!(render(&Page::of(&run)), expected);
}

#[test]
fn what_people_write_is_understood() {
    let text = "\u{feff}# Trace: deploy\r\n**Status:** In progress\r\n**Task**: ship\nit\n**Started:** now\n\
        [Step 1] - look around\n**Design changes:** none.\n**Challenges:** few\n\
        **Summary:**\n\nFound:\n### Files\n- a\n\
        ```\n# Trace: not this\n---\n**Status:** failed\n```\n\
        **Status:** done\n## [Step 2] act\n**status:** in progress\n\
        **Design changes:**\n* one\n  - more of it\n* **Two:** bold\n\
        **Artifacts:**\n- `dist/app.js`\n## Resume\nwent home\n\
        and came back\n";
    let page = parse(text).expect("it is understood").page;
    assert_eq!((page.task.as_str(), page.status), ("ship\nit", StepStatus::InProgress));
    let [Part::Step(one), Part::Step(two), Part::Resume(resume)] = page.parts.as_slice() else { panic!("{page:?}") };
    assert_eq!((one.number, one.action.as_str(), one.status), (1, "look around", StepStatus::Completed));
    let summary = "Found:\n### Files\n- a\n```\n# Trace: not this\n---\n**Status:** failed\n```";
    assert_eq!((one.summary.as_deref(), one.design_changes.as_deref()), (Some(summary), Some(&[][..])));
    assert_eq!((two.number, two.action.as_str()), (2, "act"));
    assert_eq!(two.design_changes.as_deref().expect("a list"), ["one\n- more of it", "**Two:** bold"]);
    assert_eq!(two.artifacts, [Artifact { path: "dist/app.js".to_owned(), blob: None, size: None }]);
    assert_eq!(resume.note.as_deref(), Some("went home\nand came back"));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line() {
    let head = "# Trace: x\n**Task:** t\n**Started:** s\n**Status:** failed\n";
    for (text, line, word) in [
        ("", 1, "title"),
        ("hello", 1, "title"),
        ("\n\n# Notes\n", 3, "heading"),
        ("# Trace: x\n**Task:** t\n**Status:** failed\n", 1, "Started"),
        (&format!("{head}## Appendix\n"), 5, "heading"),
        (&format!("{head}# Trace: y\n"), 5, "second"),
        (&format!("{head}## Step 1: a\n**Sumary:** b\n"), 6, "unknown field 'Sumary'"),
        (&format!("{head}## Step 1: a\n**Status:** maybe\n"), 6, "status"),
        (&format!("{head}## Step 1: a\n**Status:** failed\nand more\n"), 7, "no field"),
        (&format!("{head}## Step 1: a\n**Status:** failed\n\n**Status:** failed\n"), 8, "line 6 already"),
        (&format!("{head}## Step 1: a\n**Summary:** b\n"), 5, "Status"),
        (&format!("{head}## Step 1: a\n**Summary:**\n```\n"), 7, "fence"),
        (&format!("{head}## Resume\n**Step:** x\n"), 6, "number"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.line == line && error.reason.contains(word), "{text:?}: {error}");
    }
}

#[test]
fn an_untouched_page_has_no_edits() {
    let mut run = run(&[StepStatus::Completed, StepStatus::InProgress, StepStatus::Failed]);
    run.items.push((Some(EntryId::from_bits(9)), Item::Resume(Resume::new("a".into(), 3, Decision::Human))));
    let edits = edited(&run, |text| text).expect("it is its own page");
    assert!(edits.is_empty() && edits.told.is_empty(), "{edits:?}");
}

#[test]
fn edits_are_taken_in() {
    use StepStatus::{Completed, InProgress};
    let edits = edited(&run(&[Completed, InProgress]), |text| {
        let text = text.replace("ship it", "ship it today");
        let text = text.replace("in-progress\n**Summary:** did it", "done\n**Summary:** all");
        text + "\n## Step 3: more\n**Status:** failed\n**Summary:** a\n**Challenges:** b\n\
            ## Resume\ngo on\n## Step 4: last\n**Status:** in-progress\n"
    })
    .expect("by the rules");
    let header = edits.header.expect("the task changed");
    assert_eq!((header.task.as_str(), header.status), ("ship it today", Status::InProgress));
    let [(_, Item::Step(second))] = edits.changed.as_slice() else { panic!("{:?}", edits.changed) };
    assert_eq!(
        (second.status, second.summary.as_deref(), second.ended.as_deref()),
        (Completed, Some("all"), Some("now"))
    );
    let [Item::Step(third), Item::Resume(resume), Item::Step(fourth)] = edits.new.as_slice() else { panic!() };
    assert_eq!((third.attempted.as_deref(), third.tried.as_deref()), (Some("a"), Some("b")));
    assert_eq!((resume.decision, resume.step, fourth.number), (Decision::Human, 3, 4));
}

#[test]
fn edits_against_the_rules_are_refused_with_their_line() {
    use StepStatus::{Completed, Failed, InProgress};
    let page = |text: String, from: &str, to: &str| text.replacen(from, to, 1);
    let add = "\n## Step 3: more\n**Status:** in-progress\n";
    type Case<'a> = (&'a [StepStatus], &'a dyn Fn(String) -> String, usize, &'a str);
    let cases: [Case<'_>; 9] = [
        (&[Completed], &|text| page(text, "**Status:** completed", "**Status:** in-progress"), 9, "stays so"),
        (&[Completed], &|text| page(text, "**Summary:** did it", "**Summary:**"), 9, "no summary"),
        (&[InProgress], &|text| page(text, "in-progress\n\n---", "completed\n\n---"), 5, "in progress"),
        (
            &[Completed, Completed],
            &|text| text[..text.find("\n---\n\n## Step 2").expect("there")].to_owned(),
            16,
            "step 2 is missing",
        ),
        (&[Completed, Completed], &|text| page(text, "## Step 2", "## Step 3"), 20, "step 2 belongs here"),
        (&[Completed, Failed], &|text| text + add, 29, "no person has resumed"),
        (&[Completed], &|text| text + add, 18, "step 2 belongs here"),
        (&[Completed], &|text| page(text, "# Trace: deploy", "# Trace: other"), 1, "of workflow 'deploy'"),
        (&[Completed], &|text| page(text, "2026-11-21", "2026-11-22"), 4, "began at"),
    ];
    for (steps, edit, line, word) in cases {
        let error = edited(&run(steps), edit).expect_err(word);
        assert!(error.line == line && error.reason.contains(word), "{word}: {error}");
    }
}
