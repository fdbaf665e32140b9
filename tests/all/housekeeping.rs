//! Housekeeping goes on under the hands of those who read and write.

use git_trace::model::Role;
use git_trace::ops::{CommitMessages, NewMessage, Workspace, commit, diff};

use crate::world::World;

#[test]
fn what_was_just_written_is_found_however_often_packs_are_merged() {
    let world = World::new("sha1");
    for (key, value) in
        [("user.name", "A"), ("user.email", "a@example.com"), ("trace.autoPack", "9"), ("trace.fsync", "false")]
    {
        world.git(&["config", key, value], &world.repo());
    }
    let workspace = Workspace::discover(&world.repo(), None, None).expect("a repository");
    let mut before: Option<String> = None;
    for number in 0..400 {
        let messages = vec![NewMessage::text(Role::User, format!("message {number}"))];
        let request = CommitMessages { messages, ..CommitMessages::default() };
        let made = commit(&workspace, &request).expect("appended").commit.expect("no dry run").to_string();
        if let Some(before) = &before {
            let found = diff(&workspace, before, Some(&made)).expect("both are there");
            assert_eq!(found.changes.len(), 1, "at message {number}");
        }
        before = Some(made);
    }
    world.git(&["fsck", "--strict"], &world.repo());
    let packs = std::fs::read_dir(world.repo().join(".git/objects/pack")).expect("a folder").count();
    assert!(packs < 50, "{packs} files in the folder of packs");
}
