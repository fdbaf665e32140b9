//! Random commands against a simple model: what may happen does, what may not does not, and the file says what is
//! stored.

use super::*;

/// Texts that could break a file out of its shape.
const TEXTS: [&str; 8] = [
    "plain words",
    "two\n\nparagraphs\n",
    "## Step 9: owned\n---\n**Status:** completed",
    "```\n# Trace: x",
    "- none\n- item",
    "trailing  \n\ttab\r\nend\\",
    "\u{202e}hidden\u{7}",
    "\\u{41} (3 bytes, 0123456789012345678901234567890123456789)",
];

#[derive(Debug, Default)]
struct Model {
    steps: Vec<&'static str>,
    run: &'static str,
    resumed: bool,
}

impl Model {
    fn last(&self) -> &'static str {
        self.steps.last().copied().unwrap_or("none")
    }

    fn is_open(&self) -> bool {
        self.run == "in-progress"
    }

    /// Carries a command out, and says how the program has to end.
    fn expect(&mut self, verb: &str) -> i32 {
        let open = self.is_open();
        match verb {
            "start" if open && (self.last() != "failed" || self.resumed) && self.last() != "in-progress" => {
                self.steps.push("in-progress");
                self.resumed = false;
            }
            "complete" if open && self.last() == "in-progress" => *self.steps.last_mut().expect("a step") = "completed",
            "fail" if open && self.last() == "in-progress" => {
                *self.steps.last_mut().expect("a step") = "failed";
                self.run = "failed";
            }
            "note" if !self.steps.is_empty() => {}
            "finish" if open && (self.last() == "completed" || self.last() == "failed" && self.resumed) => {
                self.run = "completed"
            }
            "give up" if open => self.run = "failed",
            "resume" if self.run == "failed" => {
                self.run = "in-progress";
                self.resumed = true;
            }
            "go on" if self.run == "completed" => {}
            "go on" | "rerun" if self.run == "failed" => return 3,
            "go on" if self.last() == "in-progress" => return 3,
            "go on" => {}
            "rerun" if open && self.last() == "in-progress" => {
                self.steps.push("in-progress");
                self.resumed = false;
            }
            "rerun" => {}
            _ => return 1,
        }
        0
    }
}

#[test]
fn random_commands_keep_file_and_commits_together() {
    for _ in 0..rounds(4, 60) {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        let world = World::new("sha1");
        start(&world);
        let mut model = Model { run: "in-progress", ..Model::default() };
        for _ in 0..20 {
            let mut text = || TEXTS[random.usize(..TEXTS.len())];
            let (one, two, three) = (text(), text(), text());
            let verbs = [
                "start", "start", "complete", "complete", "fail", "note", "finish", "give up", "resume", "go on",
                "rerun",
            ];
            let verb = verbs[random.usize(..verbs.len())];
            // A run that is completed says no more.
            if verb == "finish" && random.u8(..4) > 0 {
                continue;
            }
            let expected = model.expect(verb);
            let arguments: Vec<&str> = match verb {
                "start" => vec!["step", "start", "--", one],
                "complete" => vec![
                    "step",
                    "complete",
                    "--summary",
                    one,
                    "--challenges",
                    two,
                    "--design-change",
                    three,
                    "--design-change",
                    one,
                ],
                "fail" => vec!["step", "fail", "--attempted", one, "--tried", two],
                "note" => vec!["step", "note", "--", one],
                "finish" => vec!["run", "finish"],
                "give up" => vec!["run", "finish", "--failed", one],
                "resume" => vec!["run", "resume", "-m", two],
                "rerun" => vec!["run", "start", "deploy", "--rerun"],
                _ => vec!["run", "start", "deploy"],
            };
            // Whatever happened to the file in between.
            match random.u8(..8) {
                0 => drop(std::fs::remove_file(page(&world))),
                1 => std::fs::write(page(&world), "").expect("a file"),
                2 => std::fs::write(page(&world), super::text(&world).replace('\n', "\r\n")).expect("a file"),
                _ => {}
            }
            let output = world.trace(&arguments).output().expect("it starts");
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(expected), "seed {seed}, {verb}: {model:?} {said}");
            let report = status(&world);
            assert_eq!(report["status"], model.run, "seed {seed}, {verb}: {model:?}");
            let steps: Vec<&str> = report["steps"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["status"].as_str().expect("a word"))
                .collect();
            assert_eq!(steps, model.steps, "seed {seed}, {verb}");
            // After a refusal too.
            assert_agrees(&world);
        }
        world.ok(&["verify", "--all"]);
        world.fsck();
    }
}
