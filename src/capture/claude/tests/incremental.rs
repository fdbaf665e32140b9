//! Reading a growing file in parts gives what reading it whole gives.

use std::io::Cursor;
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::fixtures::*;
use super::replay::{read_all, read_on, replay};
use crate::capture::Routed;
use crate::capture::claude::{ClaudeError, Watermark, read_unknown, resume};
use crate::model::Step;

/// Reads the file up to each cut in turn and checks the end.
pub(super) fn check_cuts(bytes: &[u8], cuts: &[usize], what: &str) {
    let (whole, expected) = read_all(bytes);
    let mut steps: Vec<Routed> = Vec::new();
    let mut watermark: Option<Watermark> = None;
    for &cut in cuts.iter().chain([&bytes.len()]) {
        let (more, outcome) = match &watermark {
            Some(watermark) => read_on(&bytes[..cut], watermark),
            None => read_all(&bytes[..cut]),
        };
        steps.extend(more);
        if cut == bytes.len() {
            assert_eq!(outcome.summary, expected.summary, "{what}: the counts, cut at {cuts:?}");
            assert_eq!(outcome.watermark.bytes(), expected.watermark.bytes(), "{what}: cut at {cuts:?}");
            assert_eq!(outcome.pending, expected.pending, "{what}: cut at {cuts:?}");
        }
        watermark = Some(outcome.watermark);
    }
    let right = replay(&whole);
    let left = replay(&steps);
    for (conversation, context) in &right {
        let found = left.get(conversation).unwrap_or_else(|| panic!("{what}: no {conversation:?}, cut at {cuts:?}"));
        assert_eq!(found.current, context.current, "{what}: cut at {cuts:?}");
        for (branch, entries) in &context.branches {
            let found = found.branches.get(branch).unwrap_or_else(|| panic!("{what}: no {branch}, cut at {cuts:?}"));
            let names = |entries: &[crate::model::Message]| -> Vec<String> {
                entries.iter().map(|entry| format!("{} {}", entry.role, String::from_utf8_lossy(&entry.body))).collect()
            };
            assert_eq!(names(found), names(entries), "{what}: {branch}, cut at {cuts:?}");
            assert_eq!(found, entries, "{what}: {branch}, cut at {cuts:?}");
        }
    }
    assert_eq!(left.len(), right.len(), "{what}: cut at {cuts:?}");
}

/// Cuts at every line end, and inside every line.
pub(super) fn check_every_line(bytes: &[u8], what: &str) {
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        for cut in [start + line.len() / 2, end - 1, end] {
            check_cuts(bytes, &[cut], what);
        }
        start = end;
    }
}

#[test]
fn a_file_cut_anywhere_ends_in_the_same_contexts() {
    check_every_line(everything().as_bytes(), "everything");
    let side = sidechains();
    check_every_line(side.as_bytes(), "sidechains");
}

fn sidechains() -> String {
    let side = |line: String, agent: &str| {
        let agent = if agent.is_empty() { String::new() } else { format!(r#","agentId":"{agent}""#) };
        line.replace(r#""isSidechain":false"#, &format!(r#""isSidechain":true{agent}"#))
    };
    [
        prompt("u1", "", "ask two"),
        calls("a1", "u1", "m1", "t1"),
        side(prompt("x1", "", "look"), ""),
        side(calls("x2", "x1", "n1", "y1"), ""),
        side(prompt("z1", "", "look there"), "z"),
        side(result("x3", "x2", "y1", "seen"), ""),
        side(says("z2", "z1", "n2", "from z"), "z"),
        calls("a2", "a1", "m1", "t2"),
        side(says("x4", "x3", "n3", "from x"), ""),
        result("r1", "a1", "t1", "from x"),
        result("r2", "a2", "t2", "from z"),
        says("a3", "r2", "m2", "both answered"),
        side(says("z3", "z2", "n4", "late"), "z"),
    ]
    .concat()
}

/// A message that starts two subagents, whose answers come while it goes on.
fn spawns() -> String {
    let task = |uuid: &str, parent: &str, call: &str| {
        let input = r#"{"subagent_type":"Explore","description":"look","prompt":"please look"}"#;
        let block = format!(r#"{{"type":"tool_use","id":"{call}","name":"Task","input":{input}}}"#);
        reply(uuid, parent, "m1", &block, 30, "null")
    };
    let answer = |uuid: &str, parent: &str, call: &str| {
        result(uuid, parent, call, "seen").replace(r#""agentId":7"#, &format!(r#""agentId":"of-{call}""#))
    };
    [
        prompt("u1", "", "look twice"),
        task("a1", "u1", "t1"),
        answer("r1", "a1", "t1"),
        task("a2", "a1", "t2"),
        answer("r2", "a2", "t2"),
        says("a3", "r2", "m2", "both looked"),
    ]
    .concat()
}

#[test]
fn a_subagent_leaves_an_entry_where_it_was_started_wherever_the_file_was_cut() {
    check_every_line(spawns().as_bytes(), "spawns");
    let (steps, _) = read_all(spawns().as_bytes());
    let said: Vec<String> = steps
        .iter()
        .filter_map(|routed| match &routed.step {
            Step::Append(message) => Some(format!("{} {}", message.role, String::from_utf8_lossy(&message.body))),
            _ => None,
        })
        .collect();
    let roles: Vec<&str> = said.iter().filter_map(|one| one.split(' ').next()).collect();
    assert_eq!(roles, ["user", "assistant", "spawn", "tool", "spawn", "tool", "assistant"]);
    assert_eq!(said[2], r#"spawn {"call":"t1","subagent_type":"Explore","description":"look"}"#);
}

#[test]
fn the_normal_hook_does_not_read_the_file_again() {
    let mut text = String::new();
    for turn in 0..200 {
        let (u, a, r, b) = (format!("u{turn}"), format!("a{turn}"), format!("r{turn}"), format!("b{turn}"));
        let before = if turn == 0 { String::new() } else { format!("b{}", turn - 1) };
        text += &prompt(&u, &before, "go");
        text += &calls(&a, &u, &format!("m{turn}"), &format!("t{turn}"));
        text += &result(&r, &a, &format!("t{turn}"), "found");
        text += &says(&b, &r, &format!("n{turn}"), "done");
    }
    let cut = text.len() - 500;
    let (_, outcome) = read_all(&text.as_bytes()[..cut]);
    let mut input = Counting { inner: Cursor::new(text.as_bytes()), read: 0 };
    resume(&mut input, &outcome.watermark, &mut |_| ControlFlow::Continue(())).expect("grown");
    // Both ends for the old fingerprint, both for the new one, and the new lines.
    assert!(input.read < 2 * (80 * 1024) + 8 * 1024, "{} of {} bytes read", input.read, text.len());
    assert!(text.len() > input.read);
}

struct Counting<R> {
    inner: R,
    read: usize,
}

impl<R: std::io::Read> std::io::Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

impl<R: std::io::Seek> std::io::Seek for Counting<R> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn a_rewritten_file_is_refused_and_read_by_id_instead() {
    let text = everything();
    let (steps, outcome) = read_all(text.as_bytes());
    let rewritten = text.replacen("read both files", "read both FILES", 1);
    for other in [rewritten.as_str(), &text[..text.len() / 2]] {
        let refused = resume(Cursor::new(other), &outcome.watermark, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(refused, Err(ClaudeError::Rewritten)));
    }
    let known: Vec<_> = steps
        .iter()
        .filter_map(|routed| match &routed.step {
            Step::Append(message) => Some(message.id),
            Step::Compress { summary, .. } => Some(summary.id),
            _ => None,
        })
        .collect();
    let mut new = Vec::new();
    let longer = rewritten + &prompt("u99", "a9", "new");
    read_unknown(Cursor::new(longer), &mut |_, id| known.contains(&id), &mut |routed| {
        if let Step::Append(message) = routed.step {
            new.push(message.body);
        }
        ControlFlow::Continue(())
    })
    .expect("read");
    assert_eq!(new, [b"new"]);
}

#[test]
fn a_watermark_of_another_version_is_named() {
    let text = read_all(b"").1.watermark.to_json();
    assert!(Watermark::from_json(&text).is_ok());
    let newer = text.replace("\"version\":1", "\"version\":2");
    assert!(matches!(Watermark::from_json(&newer), Err(ClaudeError::UnknownWatermark { version: 2 })));
    assert!(matches!(Watermark::from_json("{}"), Err(ClaudeError::MalformedWatermark { .. })));
}

#[test]
fn a_receiver_that_breaks_off_gets_no_more_steps() {
    let text = everything();
    let mut got = 0;
    let result = crate::capture::claude::read(Cursor::new(text), &mut |_| {
        got += 1;
        ControlFlow::Break(())
    });
    assert!(matches!(result, Err(ClaudeError::Stopped)));
    assert_eq!(got, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn many_cuts_are_as_good_as_none(cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..6)) {
        for text in [everything(), sidechains()] {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
            cuts.sort_unstable();
            check_cuts(text.as_bytes(), &cuts, "random cuts");
        }
    }

    #[test]
    fn any_order_of_lines_reads_the_same_in_parts(
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = everything() + &sidechains();
        // Lines that come again behind a compaction which stood before its own past are told apart only by reading all.
        let is_compaction = |line: &&str| line.contains("compact_boundary") || line.contains("isCompactSummary");
        let lines: Vec<&str> = text.split_inclusive('\n').filter(|line| !is_compaction(line)).collect();
        let shuffled: String = order.iter().map(|index| lines[index.index(lines.len())]).collect();
        check_cuts(shuffled.as_bytes(), &[cut.index(shuffled.len())], "shuffled");
    }
}
