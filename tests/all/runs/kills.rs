//! Commands are killed at random moments: the branch is old or new, and the same command finishes.

use super::*;

#[test]
fn whoever_is_killed_is_caught_up_with() {
    let world = World::new("sha1");
    let mut usual = Duration::from_millis(30);
    let (mut killed, mut stale) = (0, 0);
    let kill = |arguments: &[&str], usual: Duration| {
        let mut child = begun(world.trace(arguments));
        std::thread::sleep(usual.mul_f64(0.3 + fastrand::f64()));
        let _ = child.kill();
        child.wait().expect("it has ended").success()
    };
    // Begun twice at most: the one that was killed may have begun it, and is gone on with then.
    for _ in 0..3 {
        killed += usize::from(!kill(&["run", "start", "deploy", "--task", "t"], usual));
    }
    assert!(within(&world, &["run", "start", "deploy", "--task", "t"]).status.success());
    assert_eq!(json(&world, &["run", "list"])["runs"].as_array().expect("a list").len(), 1);
    for round in 0..rounds(6, 100) {
        let action = format!("round {round}");
        for verb in [&["step", "start", &action][..], &COMPLETE, &["run", "start", "deploy"]] {
            let done = kill(verb, usual);
            killed += usize::from(!done);
            let state = status(&world)["file_state"].as_str().expect("a word").to_owned();
            assert!(["current", "outdated", "missing"].contains(&state.as_str()), "{verb:?}: {state}");
            stale += usize::from(state != "current");
            let began = std::time::Instant::now();
            let output = within(&world, verb);
            usual = (usual * 7 + began.elapsed().min(usual * 2)) / 8;
            let said = String::from_utf8_lossy(&output.stderr);
            let was_done = said.contains("is in progress") || said.contains("is completed");
            assert!(output.status.success() || was_done, "{verb:?}: {said}");
            assert_agrees(&world);
        }
    }
    let steps = status(&world)["steps"].as_array().expect("a list").len();
    assert_eq!(steps, rounds(6, 100), "each step is there once");
    let left: Vec<_> = std::fs::read_dir(world.repo()).expect("a folder").filter_map(Result::ok).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    world.ok(&["verify", "--all"]);
    world.fsck();
    eprintln!("{killed} killed, {stale} times the file was behind");
}
