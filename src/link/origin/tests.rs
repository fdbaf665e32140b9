#![allow(clippy::single_range_in_vec_init, reason = "a list of one passage is meant")]

use proptest::prelude::*;

use super::*;

use similar::capture_diff_slices;

const COMMITTED: i64 = 1000;

const EFFORT: Effort = Effort { lines: 100_000, until: None };

/// Tells the origins of all lines of a file that is new, or whose lines all count as added when they are not in `old`.
fn told(old: &str, new: &str, writes: &[(i64, FileChange)]) -> String {
    let writes: Vec<Written<'_>> = writes.iter().map(|(millis, change)| written(*millis, change)).collect();
    let found = origins(old, new, &added(old, new), &writes, &EFFORT);
    found.iter().map(|origin| origin.map_or("-".to_owned(), |origin| origin.to_string())).collect()
}

fn written(millis: i64, change: &FileChange) -> Written<'_> {
    let is_newer = millis > COMMITTED;
    Written { change, is_newer, is_recent: is_newer, is_elsewhere: false, is_known: false }
}

fn added(old: &str, new: &str) -> Vec<Range<usize>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    let range = |op: &DiffOp| (!matches!(op, DiffOp::Equal { .. })).then(|| op.new_range());
    ops.iter().filter_map(range).filter(|range| !range.is_empty()).collect()
}

fn whole(text: &str) -> FileChange {
    FileChange::Whole(text.to_owned())
}

fn replace(before: &str, after: &str) -> FileChange {
    FileChange::Replace { before: before.to_owned(), after: after.to_owned(), everywhere: false }
}

#[test]
fn each_line_is_of_the_write_that_brought_it() {
    let first = "fn alpha() {\n    one();\n}\n";
    let second = "fn alpha() {\n    one();\n}\n\nfn beta() {\n    two();\n}\n";
    let new = "// by hand, a remark\nfn alpha() {\n    one();\n}\n\nfn beta() {\n    two();\n    by_hand();\n}\n";
    assert_eq!(told("", new, &[(2000, whole(first)), (2001, whole(second))]), "-000111-1");
}

#[test]
fn a_changed_part_of_a_line_is_found_in_its_line() {
    let old = "let port = 8080;\nlet host = local;\n";
    let writes = [(2000, replace("8080", "9090")), (3000, replace("9090", "9191"))];
    assert_eq!(told(old, "let port = 9191;\nlet host = local;\n", &writes), "1-");
    assert_eq!(told(old, "let port = 7070;\nlet host = local;\n", &writes), "--");
}

#[test]
fn what_is_only_moved_or_copied_has_no_new_origin() {
    let text = "fn alpha() {\n    let first = 1;\n    let second = 2;\n}\n\nfn omega() {\n    let last = 3;\n}\n";
    let moved = "fn omega() {\n    let last = 3;\n}\n\nfn alpha() {\n    let first = 1;\n    let second = 2;\n}\n";
    let before = [(1, whole(text))];
    assert!(!told(text, moved, &before).contains('0'));
    assert!(!told(text, &format!("{text}{text}"), &before).contains('0'));
    // The agent itself did it, after the commit before.
    assert!(told(text, moved, &[(1, whole(text)), (2000, whole(moved))]).contains('1'));
}

#[test]
fn an_earlier_state_and_another_branch_are_found_by_runs() {
    let early = "fn alpha() {\n    first_thing();\n    second_thing();\n}\n";
    let late = "fn alpha() {\n    other_things();\n}\n";
    assert_eq!(told("", early, &[(1, whole(early)), (2, whole(late))]), "0000");
    let reformatted = "fn alpha()  {\n\tfirst_thing( );\n\tsecond_thing( );\n}\n";
    assert_eq!(told("", reformatted, &[(1, whole(early))]), "0000");
}

#[test]
fn a_line_that_was_changed_since_is_known_by_its_neighbours() {
    let whole = whole("fn alpha() {\n    let first = prepare();\n    finish(first);\n}\n");
    let writes = [(1, whole), (2, replace("finish(first)", "finish_it(first)"))];
    let new = "// by hand, a remark\nfn alpha() {\n    let first = prepare();\n    finish(first);\n}\n";
    assert_eq!(told("// by hand, a remark\n", new, &writes), "-0000");
}

#[test]
fn lines_of_no_meaning_prove_nothing() {
    assert_eq!(told("", "}\n\n  else {\n", &[(1, whole("}\n\n  else {\n"))]), "---");
    assert_eq!(told("", "something of a person\n}\n", &[(1, whole("quite another thing\n}\n"))]), "--");
}

#[test]
fn what_stands_in_many_files_is_not_of_a_session_that_wrote_another_one() {
    let session = "import os\nimport sys\n\n\ndef first_thing():\n    return compute_first()\n\n\nif __name__ == '__main__':\n    main()\n";
    let person = "import os\nimport json\n\n\ndef quite_another():\n    return load(json)\n\n\nif __name__ == '__main__':\n    main()\n";
    for millis in [1, 2000] {
        assert!(!told("", person, &[(millis, whole(session))]).contains('0'), "{millis}");
    }
    // Most of what was written is there, though not in a row.
    let changed = "import os\n// mine\nimport sys\n// mine\ndef first_thing():\n// mine\n    return compute_first()\n";
    assert_eq!(told("", changed, &[(1, whole(session))]), "0-0-0-0");
}

#[test]
fn a_line_or_two_are_of_a_write_that_was_just_made_to_that_file() {
    let (old, new) = ("[package]\nversion = \"1.2.0\"\n", "[package]\nversion = \"1.3.0\"\n");
    let edit = replace("version = \"1.2.0\"", "version = \"1.3.0\"");
    assert_eq!(told(old, new, &[(2000, edit.clone())]), "-0");
    assert_eq!(told(old, new, &[(1, edit.clone())]), "--", "it is from long ago");
    let other = "[package]\nversion = \"1.1.0\"\n";
    assert_eq!(told(other, new, &[(2000, edit.clone())]), "--", "it was made to another file");
    for (is_elsewhere, is_known, expected) in [(true, false, None), (false, true, Some(0))] {
        let write = Written { is_elsewhere, is_known, ..written(2000, &edit) };
        assert_eq!(origins(old, new, &added(old, new), &[write], &EFFORT)[1], expected);
    }
    let lines: String = (0..4).map(|nth| line(nth) + "\n").collect();
    let text = whole(&lines);
    let write = Written { is_elsewhere: true, ..written(1, &text) };
    assert_eq!(origins("", &lines, &[0..4], &[write], &EFFORT), vec![Some(0); 4], "several lines say enough");
}

#[test]
fn a_comparison_ends_in_time() {
    let text = |from: u16| (0..8000).map(|nth| line(from.wrapping_add(nth * 7)) + "\n").collect::<String>();
    let change = whole(&text(0));
    let begun = Instant::now();
    let until = Some(begun + std::time::Duration::from_millis(20));
    origins(&text(1), &text(2), &[0..8000], &[written(2000, &change)], &Effort { lines: 10_000, until });
    assert!(begun.elapsed() < std::time::Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(
        origins("", &text(0), &[0..8000], &[written(2000, &change)], &Effort { lines: 5, until: None })[0].is_none()
    );
}

#[test]
fn a_file_that_was_moved_before_the_commit_is_known_by_most_of_its_lines() {
    let text = "first line here\nsecond line here\nthird line here\nfourth line here\n";
    assert!(is_moved_in(text, &whole(text)));
    assert!(is_moved_in(&format!("{text}one more\n"), &whole(text)));
    assert!(!is_moved_in("first line here\nand then\nsomething else\nentirely\n", &whole(text)));
}

/// A line of a program that nobody else writes, by its number.
fn line(number: u16) -> String {
    format!("    statement_{number}(argument);")
}

proptest! {
    /// Agents replace lines in turn, people change others afterwards: each line has the origin that it really has.
    #[test]
    fn every_line_is_traced_to_who_wrote_it(
        size in 3usize..30,
        edits in prop::collection::vec((0usize..30, any::<bool>()), 1..12),
        by_hand in prop::collection::vec(0usize..30, 0..5),
    ) {
        let old: Vec<String> = (0..size as u16).map(line).collect();
        let mut model: Vec<(String, Option<usize>)> = old.iter().map(|line| (line.clone(), None)).collect();
        let mut changes = Vec::new();
        let mut next = 1000;
        for (number, (at, is_insert)) in edits.into_iter().enumerate() {
            let at = at % model.len();
            next += 1;
            let fresh = line(next);
            let before = model[at].0.clone();
            if is_insert {
                changes.push((2000 + number as i64, replace(&before, &format!("{before}\n{fresh}"))));
                model.insert(at + 1, (fresh, Some(number)));
            } else {
                changes.push((2000 + number as i64, replace(&before, &fresh)));
                model[at] = (fresh, Some(number));
            }
        }
        for at in by_hand {
            let at = at % model.len();
            next += 1;
            model.insert(at, (line(next), None));
        }
        let text = |lines: &mut dyn Iterator<Item = &String>| lines.fold(String::new(), |text, line| text + line + "\n");
        let old = text(&mut old.iter());
        let new = text(&mut model.iter().map(|(line, _)| line));
        let expected: String =
            model.iter().map(|(_, origin)| origin.map_or("-".to_owned(), |origin| origin.to_string())).collect();
        prop_assert_eq!(told(&old, &new, &changes), expected);
    }

    /// Without a write that says the same there is no origin, whatever the texts are.
    #[test]
    fn what_was_not_written_is_not_traced(old in "[a-c{} \n]{0,80}", new in "[x-z{} \n]{0,80}", written in "[a-c{} \n]{0,80}") {
        let writes = [(2000, whole(&written)), (3000, replace(&old, &written)), (4000, FileChange::Insert(written.clone()))];
        prop_assert!(told(&old, &new, &writes).chars().all(|one| one == '-'));
    }
}
