//! Many writers that each want their change on disk: all are stored, once, many of them with one sync.

use std::collections::HashSet;

use crate::world::{World, feed};

#[test]
fn writers_that_wait_are_stored_together_and_once() {
    let world = World::new("sha1");
    world.git(&["config", "trace.fsync", "true"], &world.repo());
    world.ok(&["init"]);
    std::thread::scope(|scope| {
        for writer in 0..12 {
            let world = &world;
            scope.spawn(move || {
                for nth in 0..8 {
                    let output =
                        feed(world.trace(&["commit", "-q"]), format!("writer {writer} message {nth}").as_bytes());
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                }
            });
        }
    });
    let context = world.ok(&["context", "--as", "jsonl"]);
    let said: Vec<&str> = context.lines().filter_map(|line| Some(&line[line.find("writer ")?..])).collect();
    assert_eq!((said.len(), said.iter().collect::<HashSet<_>>().len()), (96, 96), "each once");
    for writer in 0..12 {
        let own: Vec<&&str> = said.iter().filter(|text| text.starts_with(&format!("writer {writer} "))).collect();
        assert!(own.is_sorted(), "a writer's messages in its order");
    }
    assert_eq!(world.git(&["rev-list", "--count", "refs/trace/heads/main/main"], &world.repo()), "97\n");
    let queue = std::fs::read_dir(world.repo().join(".git/trace/queue"));
    assert_eq!(queue.map_or(0, Iterator::count), 0, "nothing is left in the queue");
    world.fsck();
}

#[test]
fn a_request_of_a_dead_process_is_not_carried_out() {
    let world = World::new("sha1");
    world.ok(&["init"]);
    let queue = world.repo().join(".git/trace/queue");
    std::fs::create_dir_all(&queue).expect("a folder");
    std::fs::write(queue.join("00000000000000000001-00000000.request"), b"{}\nrubbish").expect("a file");
    std::fs::write(queue.join("00000000000000000002-00000000.answer"), b"{}").expect("a file");
    let output = feed(world.trace(&["commit"]), b"alive");
    assert!(output.status.success());
    assert_eq!(world.git(&["rev-list", "--count", "refs/trace/heads/main/main"], &world.repo()), "2\n");
    assert_eq!(std::fs::read_dir(queue).expect("a folder").count(), 0);
}
