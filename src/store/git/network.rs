//! git talking to a server: with the user's credentials and transport, and within a time.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::store::{Repo, StoreError};

/// What of git's own environment holds for a talk: how to reach a server, what to configure, what to log. All else that
/// begins with `GIT_` could point git at another repository.
const PASSED_ON: [&str; 14] = [
    "GIT_ALLOW_PROTOCOL",
    "GIT_ASKPASS",
    "GIT_CONFIG*",
    "GIT_CURL_VERBOSE",
    "GIT_EXEC_PATH",
    "GIT_HTTP_*",
    "GIT_PROTOCOL_FROM_USER",
    "GIT_PROXY_*",
    "GIT_REDACT_COOKIES",
    "GIT_SSH",
    "GIT_SSH_*",
    "GIT_SSL_*",
    "GIT_TERMINAL_PROMPT",
    "GIT_TRACE*",
];

/// Settings under which nothing of a server's starts a program, and nothing is done that was not asked for.
const SAFETY: [&str; 14] = [
    "core.fsmonitor=false",
    "core.alternateRefsCommand=",
    "core.logAllRefUpdates=false",
    "fetch.fsckObjects=true",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.ext.allow=never",
    "push.followTags=false",
    "push.recurseSubmodules=no",
    "push.useForceIfIncludes=false",
    "submodule.recurse=false",
    "transfer.bundleURI=false",
];

/// Options under which a fetch brings what its refspecs say, and touches nothing else.
pub(in crate::store) const FETCH_ONLY: [&str; 7] = [
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-show-forced-updates",
    "--no-prune",
    "--refmap=",
];

/// How lines begin that give no reason for anything.
const SAYS_NOTHING: [&str; 7] = [
    "hint:",
    "From ",
    "To ",
    "Please make sure",
    "and the repository exists",
    "warning: no common commits",
    // Older servers behind HTTP; what is offered to them is more than we name, and no harm.
    "warning: Ignoring --negotiation-tip",
];

/// Lines of what git or a server says that are passed on.
const SAID_MAX: usize = 12;

/// Most bytes that are kept of each of git's two streams.
const ANSWER_MAX: usize = 64 << 20;

/// How long a helper that git left behind may hold its pipes open.
const GRACE: Duration = Duration::from_millis(500);

/// The variable that tells our own hook that it is we who push.
pub const PUSHING: &str = "GITTRACE_PUSHING";

/// Says how git may reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// How long all of it may take.
    pub time: Duration,
    /// Whether the user may be asked for a password.
    pub may_ask: bool,
    /// Whether the user's own hooks of git run, as they do for git.
    pub runs_hooks: bool,
}

/// Holds what came out of git.
pub(in crate::store) struct Answer {
    pub(in crate::store) success: bool,
    /// What it ended with; `None` if it was killed.
    code: Option<i32>,
    pub(in crate::store) printed: String,
    pub(in crate::store) said: String,
}

/// Takes what could point git at another repository out of its environment.
pub(super) fn take_out_others(process: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let passes = |allowed: &&str| match allowed.strip_suffix('*') {
            Some(beginning) => text.starts_with(beginning),
            None => text == **allowed,
        };
        if text.starts_with("GIT_") && !PASSED_ON.iter().any(passes) {
            process.env_remove(name);
        }
    }
}

impl Answer {
    /// Returns what the server itself said, on one line.
    pub(in crate::store) fn words_of_server(&self) -> String {
        let lines = self.said.lines().filter_map(|line| line.strip_prefix("remote:")).map(str::trim);
        lines.filter(|line| !line.is_empty()).take(SAID_MAX).collect::<Vec<_>>().join(" · ")
    }

    /// Returns what git complained of, on one line.
    pub(in crate::store) fn complaint(&self) -> String {
        let told = |lines: Vec<&str>| -> String {
            let plain = |line: &&str| {
                let start = ["fatal: ", "error: ", "warning: "].iter().find_map(|start| line.strip_prefix(start));
                start.unwrap_or(line).trim().to_owned()
            };
            lines.iter().map(plain).take(SAID_MAX).collect::<Vec<_>>().join(" · ")
        };
        let (uneasy, grave): (Vec<&str>, Vec<&str>) = self.lines().partition(|line| line.starts_with("warning: "));
        // What git is only uneasy about hides no reason.
        if !grave.is_empty() {
            return told(grave);
        }
        let ended = match self.code {
            Some(code) => format!("git ended with {code} and gave no reason"),
            None => "git was killed".to_owned(),
        };
        if uneasy.is_empty() { ended } else { format!("{ended}, but a warning: {}", told(uneasy)) }
    }

    /// Tells whether git broke off and did not say why.
    pub(in crate::store) fn is_without_reason(&self) -> bool {
        !self.success && self.lines().all(|line| line.starts_with("warning: "))
    }

    /// Returns the lines that say anything about how it went.
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.said
            .lines()
            .filter(|line| !line.trim().is_empty() && !SAYS_NOTHING.iter().any(|start| line.starts_with(start)))
    }

    /// Tells whether git did not take what came, rather than that nothing came.
    pub(in crate::store) fn is_about_objects(&self) -> bool {
        [
            "fsck",
            "index-pack failed",
            "unpack-objects failed",
            "unpack-objects error",
            "bad pack",
            "index-pack abnormal",
        ]
        .iter()
        .any(|words| self.said.contains(words))
    }

    /// Says that a remote was not reached.
    pub(in crate::store) fn unreachable(&self, remote: &str) -> StoreError {
        StoreError::Unreachable { remote: remote.to_owned(), reason: self.complaint() }
    }
}

/// Runs a git subcommand that talks to a server. That git says no is no error here: what it printed may say more.
///
/// Arguments that come from outside must stand behind `--` or `--end-of-options`, or be full ref names and ids.
pub(in crate::store) fn talk(
    repo: &Repo,
    command: &'static str,
    settings: &[String],
    arguments: &[String],
    connection: &Connection,
) -> Result<Answer, StoreError> {
    let error = |reason: String| StoreError::Git { command: command.to_owned(), reason };
    let mut process = Command::new("git");
    take_out_others(&mut process);
    process.env("LC_ALL", "C").env("GIT_NO_LAZY_FETCH", "1").env("GIT_NO_REPLACE_OBJECTS", "1").env(PUSHING, "1");
    process.args(SAFETY.iter().flat_map(|setting| ["-c", setting]));
    // A server that falls silent is given up; whoever has set how silent knows better.
    for (key, value) in [("http.lowSpeedLimit", "1000"), ("http.lowSpeedTime", "10")] {
        if repo.config(key).is_none() {
            process.args(["-c", &format!("{key}={value}")]);
        }
    }
    if !connection.runs_hooks {
        process.args(["-c", "core.hooksPath=/dev/null"]);
    }
    if !connection.may_ask {
        // An empty program stands in the way of all others that could ask.
        process.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "").env("SSH_ASKPASS", "");
        process.env("SSH_ASKPASS_REQUIRE", "never").env("GCM_INTERACTIVE", "never");
        process.args(["-c", "core.askPass=", "-c", "credential.interactive=false"]);
    }
    if let Some(ssh) = ssh_command(repo, connection.may_ask) {
        process.env("GIT_SSH_COMMAND", ssh);
    }
    process.args(settings.iter().flat_map(|setting| ["-c", setting]));
    // An address may be a path, which git counts from the top of the work tree.
    process.current_dir(repo.work_dir().unwrap_or(&repo.private_dir));
    process.arg("--no-pager").arg("--git-dir").arg(&repo.private_dir).arg(command).args(arguments);
    process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Whoever may ask needs the terminal, wherever standard input is, and only the group in the foreground has it.
    let has_group = !connection.may_ask;
    #[cfg(unix)]
    if has_group {
        std::os::unix::process::CommandExt::process_group(&mut process, 0);
    }
    let child = process.spawn().map_err(|source| error(source.to_string()))?;
    let mut running = Running { child, has_group };
    let (status, printed, said) = running.listen(connection.time).map_err(|source| error(source.to_string()))?;
    let Some(status) = status else {
        return Err(StoreError::Slow { command: command.to_owned(), seconds: connection.time.as_secs() });
    };
    // A part of a list must not be taken for the whole.
    if printed.len() >= ANSWER_MAX {
        return Err(error(format!("its answer has more than {} MB", ANSWER_MAX >> 20)));
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer { success: status.success(), code: status.code(), printed: text(printed), said: text(said) })
}

/// Returns the command for ssh that gives up a silent server, and asks nobody where nobody is to be asked; `None` where
/// the user has named a program for git that may be no OpenSSH.
fn ssh_command(repo: &Repo, may_ask: bool) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let program = || variable("GIT_SSH").and_then(|path| Some(shlex::try_quote(&path).ok()?.into_owned()));
    let batch = if may_ask { "" } else { " -o BatchMode=yes" };
    match variable("GIT_SSH_COMMAND").or_else(|| repo.config("core.sshCommand")).or_else(program) {
        None => Some(format!("ssh -o ConnectTimeout=20 -o ServerAliveInterval=10 -o ServerAliveCountMax=3{batch}")),
        Some(command) => is_openssh(&command).then(|| command + batch),
    }
}

fn is_openssh(command: &str) -> bool {
    let words = shlex::split(command).unwrap_or_default();
    words.first().is_some_and(|program| program == "ssh" || program.ends_with("/ssh"))
}

/// Is a git that talks.
struct Running {
    child: Child,
    /// Whether it and its helpers have a process group of their own.
    has_group: bool,
}

/// Is what came out of git: on standard output, or on standard error.
enum Piece {
    Printed(Vec<u8>),
    Said(Vec<u8>),
}

impl Running {
    /// Waits for the end, and returns what came out; no status if the time was up.
    fn listen(&mut self, time: Duration) -> std::io::Result<(Option<ExitStatus>, Vec<u8>, Vec<u8>)> {
        let deadline = Instant::now() + time;
        let (sender, receiver) = channel();
        if let Some(pipe) = self.child.stdout.take() {
            let sender = sender.clone();
            std::thread::spawn(move || read(pipe, |piece| sender.send(Piece::Printed(piece)).is_ok()));
        }
        if let Some(pipe) = self.child.stderr.take() {
            std::thread::spawn(move || read(pipe, |piece| sender.send(Piece::Said(piece)).is_ok()));
        }
        let (mut printed, mut said) = (Vec::new(), Vec::new());
        let mut ended: Option<(ExitStatus, Instant)> = None;
        loop {
            let mut is_closed = false;
            match receiver.recv_timeout(Duration::from_millis(5)) {
                Ok(Piece::Printed(piece)) => keep(&mut printed, &piece),
                Ok(Piece::Said(piece)) => keep(&mut said, &piece),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    is_closed = true;
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            if ended.is_none() {
                ended = self.child.try_wait()?.map(|status| (status, Instant::now()));
            }
            match ended {
                // A helper that it left behind holds a pipe: all that git itself wrote has been read.
                Some((status, since)) if is_closed || since.elapsed() > GRACE => {
                    return Ok((Some(status), printed, said));
                }
                None if Instant::now() >= deadline => return Ok((None, printed, said)),
                _ => {}
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // Its helpers must go with it: one that lived on would send the rest when the line comes back.
        #[cfg(unix)]
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            use rustix::process::{Signal, kill_process, kill_process_group};
            if self.has_group {
                let _ = kill_process_group(pid, Signal::KILL);
            } else {
                // git takes its helpers along when it is asked to end.
                let _ = kill_process(pid, Signal::TERM);
                let until = Instant::now() + GRACE;
                while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(whole: &mut Vec<u8>, piece: &[u8]) {
    let room = ANSWER_MAX.saturating_sub(whole.len());
    whole.extend_from_slice(&piece[..piece.len().min(room)]);
}

fn read(mut pipe: impl Read, send: impl Fn(Vec<u8>) -> bool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = pipe.read(&mut buffer) {
        if !send(buffer[..length].to_vec()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: Option<i32>, said: &str) -> Answer {
        Answer { success: code == Some(0), code, printed: String::new(), said: said.to_owned() }
    }

    #[test]
    fn a_reason_is_told_and_what_is_none_is_not_taken_for_one() {
        let ignored = "warning: Ignoring --negotiation-tip because the protocol does not support it.\n";
        let broken = answer(Some(128), &format!("{ignored}fatal: the remote end hung up unexpectedly\n"));
        assert_eq!(broken.complaint(), "the remote end hung up unexpectedly");
        assert!(!broken.is_without_reason());
        let silent = answer(Some(128), ignored);
        assert_eq!(silent.complaint(), "git ended with 128 and gave no reason");
        assert!(silent.is_without_reason());
        let uneasy = answer(Some(1), &format!("{ignored}warning: redirecting to http://b/\n"));
        assert_eq!(uneasy.complaint(), "git ended with 1 and gave no reason, but a warning: redirecting to http://b/");
        assert!(uneasy.is_without_reason());
        assert_eq!(answer(None, "").complaint(), "git was killed");
        assert!(!answer(Some(0), ignored).is_without_reason());
    }
}
