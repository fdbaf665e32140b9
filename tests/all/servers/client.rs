//! What a client runs: bounded in time, and killed with everything that it has started.

use std::io::{Read, Seek};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use super::process::{descendants, kill_family, wait_for};

/// Is a command of a client under way, or what it has come to.
pub struct Run {
    child: Child,
    started: Instant,
    stdout: std::fs::File,
    stderr: std::fs::File,
}

/// Is what a command answered.
pub struct Answer {
    /// How it ended; `None` if it had to be killed because its time was up.
    pub status: Option<ExitStatus>,
    /// Its answer.
    pub stdout: String,
    /// Its complaints.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Answer {
    /// Tells whether it ended well.
    pub fn is_ok(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// Returns its exit code, if it ended by itself.
    pub fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }
}

impl Run {
    /// Starts a command as the head of a process group; its answer goes to files, so that no pipe can hold it up.
    pub fn start(mut command: Command) -> Self {
        use std::os::unix::process::CommandExt;
        let file = || tempfile::tempfile().expect("a file");
        let (stdout, stderr) = (file(), file());
        let other = |file: &std::fs::File| file.try_clone().expect("another handle");
        let child =
            command.process_group(0).stdout(other(&stdout)).stderr(other(&stderr)).spawn().expect("the program starts");
        Run { child, started: Instant::now(), stdout, stderr }
    }

    /// Kills the process itself, and lets what it has started come to its end.
    pub fn kill_alone(&mut self) {
        let orphans = descendants(self.child.id());
        let _ = self.child.kill();
        wait_for(&orphans, Duration::from_secs(10));
    }

    /// Kills the process and what it has started.
    pub fn kill_all(&mut self) {
        kill_family(self.child.id());
    }

    /// Waits for its end, for this long at most; then it is killed.
    pub fn within(mut self, limit: Duration) -> Answer {
        let mut pause = Duration::from_micros(200);
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break Some(status);
            }
            if self.started.elapsed() > limit {
                self.kill_all();
                let _ = self.child.wait();
                break None;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(4));
        };
        let took = self.started.elapsed();
        let read = |mut file: std::fs::File| {
            let mut bytes = Vec::new();
            file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("a file of ours");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Answer { status, stdout: read(self.stdout), stderr: read(self.stderr), took }
    }
}
