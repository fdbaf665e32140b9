//! Processes that end with their test, whatever they have started themselves.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The longest that a process of a test may live, in seconds, even if the test itself was killed.
const LIFETIME: &str = "1800";

/// Is a process with its whole family, killed when it is dropped.
pub struct Family {
    child: Child,
}

impl Family {
    /// Starts a program as the head of a process group; what it says goes to the file `log`.
    pub fn start(command: &Command, log: &Path) -> std::io::Result<Self> {
        use std::os::unix::process::CommandExt;
        let log = File::options().create(true).append(true).open(log)?;
        let mut bounded = Command::new("timeout");
        bounded.args(["--signal=KILL", LIFETIME]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => bounded.env(name, value),
                None => bounded.env_remove(name),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            bounded.current_dir(dir);
        }
        bounded.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        Ok(Family { child: bounded.spawn()? })
    }

    /// Tells whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Kills it and everything that it has started.
    pub fn kill(&mut self) {
        kill_family(self.child.id());
        let _ = self.child.wait();
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills the process group of a process, and its children and theirs in groups of their own.
pub fn kill_family(head: u32) {
    let family = descendants(head);
    let pid = |id: u32| i32::try_from(id).ok().and_then(Pid::from_raw);
    if let Some(group) = pid(head) {
        let _ = kill_process_group(group, Signal::KILL);
        let _ = kill_process(group, Signal::KILL);
    }
    for &id in &family {
        let _ = pid(id).map(|id| kill_process(id, Signal::KILL));
    }
    // They are killed, but may not be gone yet, and a port is free only then.
    wait_for(&family, Duration::from_secs(5));
}

/// Waits until processes are gone, for this long at most.
pub fn wait_for(processes: &[u32], limit: Duration) {
    let begun = Instant::now();
    while processes.iter().any(|id| is_there(*id)) && begun.elapsed() < limit {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Returns the processes that a process has started, and those that they have started.
pub fn descendants(head: u32) -> Vec<u32> {
    let Ok(folder) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = ids.filter_map(|id| Some((id, parent_of(id)?))).collect();
    let mut found = vec![head];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        next += 1;
    }
    found.split_off(1)
}

fn parent_of(id: u32) -> Option<u32> {
    state_of(id).map(|(_, parent)| parent)
}

/// Tells whether a process still holds anything.
fn is_there(id: u32) -> bool {
    let has_threads = || std::fs::read_dir(format!("/proc/{id}/task")).is_ok_and(|threads| threads.count() > 1);
    // Where the first thread has ended, others may hold what is open.
    state_of(id).is_some_and(|(state, _)| (state != "Z" && state != "X") || has_threads())
}

/// Returns the letter of a process' state, and its parent.
fn state_of(id: u32) -> Option<(String, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in parentheses and may hold any of them: the state follows the last one.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Finds a program, also where only the administrator's search path leads.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}
