//! What people and agents write in `trace.md` is taken in, or refused with its line; what is no edit is made anew.

use super::*;

fn write(world: &World, text: &str) {
    std::fs::write(page(world), text).expect("a file");
}

fn tip(world: &World, run: &str) -> Option<String> {
    world.tip(&format!("refs/trace/heads/run/{run}"))
}

#[test]
fn what_is_written_by_hand_is_taken_in_first() {
    let world = World::new("sha1");
    let run = start(&world);
    world.ok(&["step", "start", "one"]);
    let edited = text(&world).replace(
        "in-progress\n**Summary:**\n**Challenges:**\n**Design changes:**\n",
        "completed\n**Summary:** by hand\nand more\n",
    ) + "**Challenges:** none\n**Design changes:** a list\n[Step 2] by hand too\n**Status:** in progress\n";
    write(&world, &edited);
    assert_eq!(status(&world)["file_state"], "edited");
    let said = world.ok(&["step", "note", "after"]);
    assert!(said.contains("was taken in from trace.md: step 1 completed, step 2 (new)"), "{said}");
    assert_agrees(&world);
    let report = status(&world);
    assert_eq!(
        (&report["steps"][0]["summary"], &report["steps"][1]["notes"][0]),
        (&"by hand\nand more".into(), &"after".into())
    );
    assert!(
        text(&world).contains("**Summary:** by hand\n    and more\n")
            && text(&world).contains("## Step 2: by hand too")
    );
    let subjects = world.subjects(&format!("run/{run}"));
    assert_eq!(subjects[2..], ["written into trace.md: step 1 completed, step 2 (new)", "note on step 2: after"]);

    // A resumption by hand lets a failed run go on, as a person's command does.
    world.ok(&FAIL);
    std::fs::write(world.repo().join("out.txt"), "x").expect("a file");
    write(
        &world,
        &(text(&world)
            + "\n## Resume\nI looked, go on\n\n## Step 3: again\n**Status:** in-progress\n\
               **Artifacts:**\n- `out.txt`\n"),
    );
    world.ok(&COMPLETE);
    let report = status(&world);
    assert_eq!((&report["status"], &report["last_resume"]["note"]), (&"in-progress".into(), &"I looked, go on".into()));
    assert_eq!(report["steps"][2]["artifacts"][0]["size"], 1);
    world.ok(&["run", "finish"]);
    assert_agrees(&world);
    world.ok(&["verify", "--all"]);
    world.fsck();
}

#[test]
fn layout_alone_is_no_edit() {
    let world = World::new("sha1");
    let run = start(&world);
    world.ok(&["step", "start", "one"]);
    let before = (tip(&world, &run), text(&world));
    let page = before.1.clone();
    for layout in [
        page.replace('\n', "\r\n"),
        page.replace("\n---\n", ""),
        page.replace("\n\n", "\n"),
        format!("\n{page}\n\n---\n"),
    ] {
        write(&world, &layout);
        world.ok(&["run", "sync"]);
        assert_eq!((tip(&world, &run), text(&world)), before);
    }
}

#[test]
fn what_cannot_be_taken_in_is_refused_with_its_line() {
    let world = World::new("sha1");
    let run = start(&world);
    world.ok(&["step", "start", "one"]);
    world.ok(&COMPLETE);
    let (page, before) = (text(&world), tip(&world, &run));
    for (edited, word) in [
        (page.replace("**Summary:** did it", "**Sumary:** did it"), "'trace.md', line 12: unknown field 'Sumary'"),
        (page.replace("completed", "in-progress"), "line 9: step 1 is completed, and stays so"),
        (page.replace("# Trace: deploy", "# Trace: other"), "line 1: the run is of workflow 'deploy'"),
        (page.replace("# Trace: deploy", "Notes"), "line 1: the title"),
        (format!("{page}\n## Step 3: x\n**Status:** failed\n"), "line 16: step 2 belongs here"),
        (format!("{page}\n## Step 2: x\n**Status:** failed\n"), "line 16: step 2 has no word on what was attempted"),
        (
            page.replace("in-progress\n", "failed\n").replace("## Step 1", "## Step one"),
            "line 9: '## Step one: one' is no heading",
        ),
    ] {
        write(&world, &edited);
        let said = world.fails(1, &["step", "start", "two"]);
        assert!(said.contains(word) && said.contains("run sync --discard"), "{word}: {said}");
        assert_eq!((text(&world), tip(&world, &run)), (edited, before.clone()), "nothing is lost");
        let report = status(&world);
        assert_eq!(report["file_state"], "refused");
    }
    world.ok(&["run", "sync", "--discard"]);
    assert_eq!(text(&world), page);
    assert_agrees(&world);
}

#[test]
fn what_is_gone_or_broken_is_made_anew() {
    let world = World::new("sha1");
    start(&world);
    world.ok(&["step", "start", "one"]);
    let older = text(&world);
    world.ok(&COMPLETE);
    let page = text(&world);
    let half = &page[..page.len() / 2];
    for (broken, state) in [
        (None, "missing"),
        (Some(""), "damaged"),
        (Some("\0\0\0"), "damaged"),
        (Some(half), "damaged"),
        (Some(&older[..]), "outdated"),
    ] {
        match broken {
            None => std::fs::remove_file(super::page(&world)).expect("it was there"),
            Some(broken) => write(&world, broken),
        }
        assert_eq!(status(&world)["file_state"], state);
        world.ok(&["run", "sync"]);
        assert_eq!(text(&world), page, "{state}");
    }
    let kept = std::fs::read_dir(world.repo().join(".git/trace")).expect("our folder");
    let kept = kept.filter_map(Result::ok).filter(|file| file.file_name().to_string_lossy().starts_with("damaged-"));
    let mut kept: Vec<_> = kept.map(|file| std::fs::read(file.path()).expect("a copy")).collect();
    kept.sort();
    assert_eq!(kept, [b"\0\0\0", half.as_bytes()], "all that was there is kept");
    // The folder may go with it.
    world.ok(&["run", "start", "x", "--task", "t", "--dir", "deep/down"]);
    std::fs::remove_dir_all(world.repo().join("deep")).expect("it was there");
    let run = json(&world, &["run", "list", "--workflow", "x"])["runs"][0]["run"].as_str().expect("an id").to_owned();
    world.ok(&["step", "start", "y", "--run", &run]);
    assert!(exists(&world.repo().join("deep/down/trace.md")));
}

#[test]
fn the_way_back_is_no_edit() {
    let world = World::new("sha1");
    start(&world);
    world.ok(&["step", "start", "one"]);
    let before = text(&world);
    let changed = json(&world, &COMPLETE);
    let undo = changed["outcome"]["undo"].as_str().expect("a command").to_owned();
    let words: Vec<&str> = undo.split(' ').skip(2).collect();
    world.ok(&words);
    assert_eq!(status(&world)["file_state"], "outdated");
    world.ok(&["run", "sync"]);
    assert_eq!(text(&world), before);
    world.ok(&FAIL);
    assert_agrees(&world);
    // The code's own history may bring an older file back.
    world.git(&["add", "trace.md"], &world.repo());
    world.git(&["commit", "-qm", "trace"], &world.repo());
    world.ok(&["run", "resume"]);
    world.git(&["checkout", "-q", "trace.md"], &world.repo());
    assert_eq!(status(&world)["file_state"], "outdated");
    world.ok(&["step", "start", "two"]);
    assert_agrees(&world);
}
