//! What was written into `trace.md` is never set aside or taken in without a word.

use super::*;

#[test]
fn what_is_no_text_is_refused_with_its_line() {
    let world = World::new("sha1");
    start(&world);
    world.ok(&["step", "start", "one"]);
    let page_text = text(&world);
    for (odd, word) in [(0xe9_u8, "0xe9"), (0, "0x00")] {
        let mut bytes = page_text.replace("**Summary:**", "**Summary:** caf?, and much more").into_bytes();
        let at = bytes.iter().position(|byte| *byte == b'?').expect("it is there");
        bytes[at] = odd;
        std::fs::write(page(&world), &bytes).expect("a file");
        for verb in [&["step", "note", "x"][..], &["run", "sync"], &COMPLETE] {
            let said = world.fails(1, verb);
            assert!(said.contains(&format!("'trace.md', line 12: byte {word} is no text in UTF-8")), "{said}");
            assert_eq!(std::fs::read(page(&world)).expect("a file"), bytes, "it stays");
        }
        assert_eq!(status(&world)["file_state"], "refused");
    }
    world.ok(&["run", "sync", "--discard"]);
    assert_agrees(&world);
}

#[test]
fn every_copy_of_what_was_damaged_is_kept() {
    let world = World::new("sha1");
    start(&world);
    world.ok(&["step", "start", "one"]);
    let whole = text(&world);
    let damaged = [&whole[..40], &whole[..60], "mine, given up", "mine too, given up"];
    for broken in damaged {
        std::fs::write(page(&world), broken).expect("a file");
        world.ok(&["run", "sync", "--discard"]);
    }
    let kept = std::fs::read_dir(world.repo().join(".git/trace")).expect("our folder").filter_map(Result::ok);
    let kept = kept.filter(|file| file.file_name().to_string_lossy().starts_with("damaged-"));
    let kept: Vec<_> = kept.map(|file| std::fs::read_to_string(file.path()).expect("a copy")).collect();
    assert_eq!(kept.len(), damaged.len());
    assert!(damaged.iter().all(|one| kept.iter().any(|kept| kept == one)), "{kept:?}");
}

#[test]
fn a_refused_command_says_what_it_has_taken_in() {
    let world = World::new("sha1");
    start(&world);
    world.ok(&["step", "start", "one"]);
    let before = text(&world);
    let edit = |word: &str| {
        let text = before.replace("**Challenges:**", &format!("**Challenges:** {word}"));
        std::fs::write(page(&world), text).expect("a file");
    };
    edit("by hand");
    let said = world.fails(1, &["run", "finish"]);
    assert!(said.contains("warning: taken in from trace.md: step 1"), "{said}");
    let undo =
        said.split("to take it back: git trace ").nth(1).and_then(|rest| rest.lines().next()).expect("a command");
    assert!(text(&world).contains("by hand"));
    world.ok(&undo.split(' ').collect::<Vec<_>>());
    world.ok(&["run", "sync"]);
    assert_eq!(text(&world), before, "the way back leads back");
    edit("again");
    let output = world.trace(&["run", "finish", "--json"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let document = said.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()).expect("JSON");
    assert!(document.to_string().contains(r#""warnings":["taken in from trace.md: step 1"#), "{said}");
}
