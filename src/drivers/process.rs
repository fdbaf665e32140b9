//! The process itself: its environment, its three pipes, its end.

#![allow(clippy::disallowed_methods, reason = "this is the file that starts drivers and agents")]

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{DriverError, said};

/// Variables that every program gets; those with `*` are beginnings.
const ENVIRONMENT: [&str; 19] = [
    "PATH",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TERM",
    "TMPDIR",
    "XDG_*",
    "USER",
    "LOGNAME",
    "SHELL",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
];
/// How much of the standard error is kept: its end.
const SAID: usize = 4096;
/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);
/// How long a program that has ended may have its output held open by others, before they are killed.
const GRACE: Duration = Duration::from_millis(500);

/// Is a piece of what came out of the program.
enum Piece {
    Printed(Vec<u8>),
    PrintedAll,
    Said(Vec<u8>),
    SaidAll,
}

/// Says what is started, and how long it may take.
pub(super) struct Program<'a> {
    /// Its name in errors.
    pub(super) driver: String,
    /// The program and its arguments.
    pub(super) argv: &'a [String],
    /// What it has of the environment.
    pub(super) environment: Environment<'a>,
    /// Where it works; where we do, if `None`.
    pub(super) folder: Option<&'a Path>,
    /// How long it may take.
    pub(super) timeout: Duration,
    /// How long it may take to end when it is asked to, before it is killed.
    pub(super) patience: Duration,
}

/// Says what a program has of our environment.
pub(super) enum Environment<'a> {
    /// A short list, and the variables with these names; those with `*` are beginnings.
    Short(&'a [String]),
    /// All of it, and these variables.
    Whole(&'a [(String, String)]),
}

/// Says how a program ended.
pub(super) enum End {
    /// By itself.
    Itself(ExitStatus),
    /// The time was up.
    Slow,
    /// The user stopped it.
    Interrupted,
}

/// Holds how a program ended, and the end of what it wrote to its standard error.
pub(super) struct Finished {
    pub(super) end: End,
    pub(super) said: Vec<u8>,
}

impl Program<'_> {
    /// Says that it did not end as it should.
    pub(super) fn ended(&self, status: ExitStatus, said: &[u8]) -> DriverError {
        DriverError::Ended { driver: self.driver.clone(), status: status.to_string(), said: said::ending(said) }
    }

    fn start_error(&self, source: std::io::Error) -> DriverError {
        let program = self.argv.first().cloned().unwrap_or_default();
        DriverError::Start { driver: self.driver.clone(), program, source }
    }
}

/// Takes what a program prints, piece by piece.
pub(super) type Take<'a> = dyn FnMut(&[u8]) -> Result<(), DriverError> + 'a;

/// Runs a program to its end; `take` gets what it prints, and ends it by an error.
pub(super) fn run(program: &Program<'_>, input: Vec<u8>, take: &mut Take<'_>) -> Result<Finished, DriverError> {
    let deadline = Instant::now().checked_add(program.timeout);
    let interrupt = Interrupt::listen();
    let mut running = Running::start(program)?;
    let pieces = running.connect(input);
    let mut said = Vec::new();
    let stopped = listen(&mut running, &pieces, deadline, Some(&interrupt), &mut said, take);
    if matches!(stopped, Ok(Some(_))) && !program.patience.is_zero() {
        running.ask_to_end();
        let until = Some(Instant::now() + program.patience);
        // What it still says on its way out is heard.
        let _ = listen(&mut running, &pieces, until, None, &mut said, take);
    }
    // Whoever is left of the group goes, before its number can be anybody else's.
    running.kill();
    let status = running.child.wait();
    let end = match stopped? {
        Some(end) => end,
        None => End::Itself(status.map_err(|source| program.start_error(source))?),
    };
    Ok(Finished { end, said })
}

/// Collects what comes out until the program has ended and its pipes are closed: `None`; or until it has to be stopped.
fn listen(
    running: &mut Running,
    pieces: &Receiver<Piece>,
    deadline: Option<Instant>,
    interrupt: Option<&Interrupt>,
    said: &mut Vec<u8>,
    take: &mut Take<'_>,
) -> Result<Option<End>, DriverError> {
    let mut open = 2;
    // When it had ended, or was heard last.
    let mut ended: Option<Instant> = None;
    loop {
        let next = pieces.recv_timeout(LOOK);
        if next.is_ok() && ended.is_some() {
            // Whoever takes the pieces may be slow: what is still in the pipe is waited for.
            ended = Some(Instant::now());
        }
        match next {
            Ok(Piece::Printed(piece)) => take(&piece)?,
            Ok(Piece::Said(piece)) => {
                said.extend(piece);
                said.drain(..said.len().saturating_sub(SAID));
            }
            Ok(Piece::PrintedAll | Piece::SaidAll) => open -= 1,
            // Both readers are gone: wait for the end only.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        if interrupt.is_some_and(Interrupt::happened) {
            return Ok(Some(End::Interrupted));
        }
        if ended.is_none() && running.has_ended() {
            ended = Some(now);
        }
        match ended {
            Some(_) if open == 0 => return Ok(None),
            // A process that it left behind holds the pipe: all that the program itself wrote has been read.
            Some(since) if now > since + GRACE => return Ok(None),
            _ if deadline.is_some_and(|deadline| now >= deadline) => return Ok(Some(End::Slow)),
            _ => {}
        }
    }
}

/// Is a program with its process group.
struct Running {
    child: Child,
}

impl Running {
    fn start(program: &Program<'_>) -> Result<Running, DriverError> {
        let Some((name, arguments)) = program.argv.split_first() else {
            return Err(program.start_error(ErrorKind::InvalidInput.into()));
        };
        let mut process = std::process::Command::new(name);
        process.args(arguments);
        match program.environment {
            Environment::Short(further) => {
                process.env_clear().envs(std::env::vars_os().filter(|(name, _)| {
                    let name = name.to_string_lossy();
                    let passes = |allowed: &str| match allowed.strip_suffix('*') {
                        Some(beginning) => name.starts_with(beginning),
                        None => name == allowed,
                    };
                    ENVIRONMENT.iter().any(|allowed| passes(allowed)) || further.iter().any(|allowed| passes(allowed))
                }));
            }
            Environment::Whole(further) => {
                process.envs(further.iter().map(|(name, value)| (name, value)));
            }
        }
        if let Some(folder) = program.folder {
            process.current_dir(folder);
        }
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut process, 0);
        process.spawn().map(|child| Running { child }).map_err(|source| program.start_error(source))
    }

    /// Feeds the input and reads both outputs, each on a thread of its own: none waits for another. A thread ends with
    /// its pipe, or when nobody listens any more.
    fn connect(&mut self, input: Vec<u8>) -> Receiver<Piece> {
        let (sender, receiver) = sync_channel(16);
        if let Some(mut pipe) = self.child.stdin.take() {
            // A program may answer without reading all.
            std::thread::spawn(move || drop(pipe.write_all(&input)));
        }
        if let Some(pipe) = self.child.stdout.take() {
            let sender = sender.clone();
            std::thread::spawn(move || read(pipe, &sender, Piece::Printed, Piece::PrintedAll));
        }
        if let Some(pipe) = self.child.stderr.take() {
            std::thread::spawn(move || read(pipe, &sender, Piece::Said, Piece::SaidAll));
        }
        receiver
    }

    /// Tells whether the program has ended; it is not waited for yet, so that its number stays taken.
    #[cfg(unix)]
    fn has_ended(&mut self) -> bool {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        self.pid().is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
    }

    #[cfg(not(unix))]
    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks the program and what it started to end.
    fn ask_to_end(&self) {
        #[cfg(unix)]
        if let Some(pid) = self.pid() {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::TERM);
        }
    }

    /// Kills the program and what it started, as far as that is still in its group.
    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = self.pid() {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
    }

    #[cfg(unix)]
    fn pid(&self) -> Option<rustix::process::Pid> {
        rustix::process::Pid::from_raw(i32::try_from(self.child.id()).ok()?)
    }
}

fn read(mut pipe: impl Read, sender: &SyncSender<Piece>, piece: fn(Vec<u8>) -> Piece, all: Piece) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => {
                if sender.send(piece(buffer[..len].to_vec())).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = sender.send(all);
}

/// Notices Ctrl-C, being asked to end, and a terminal that goes, as long as it is there: a program in a group of its own does
/// not get the terminal's signals.
pub struct Interrupt(&'static Signals);

/// Is what hears signals, once for the process: a listener that is taken back would leave its signal ignored for good.
struct Signals {
    /// Whether nobody listens; then signals do what they do by default.
    idle: Arc<AtomicBool>,
    /// Whether one came since the first of those that listen now began to.
    happened: Arc<AtomicBool>,
    /// How many listen.
    running: Mutex<usize>,
}

static SIGNALS: LazyLock<Signals> = LazyLock::new(|| {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag::{register, register_conditional_default};
    let signals =
        Signals { idle: Arc::new(AtomicBool::new(true)), happened: Arc::default(), running: Mutex::default() };
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // The default first: without it nothing may be heard at all.
        if register_conditional_default(signal, Arc::clone(&signals.idle)).is_ok() {
            let _ = register(signal, Arc::clone(&signals.happened));
        }
    }
    signals
});

impl Interrupt {
    /// Listens from now on; signals have their default again when nobody does any more.
    pub fn listen() -> Interrupt {
        let signals: &'static Signals = &SIGNALS;
        let mut running = signals.running.lock().unwrap_or_else(PoisonError::into_inner);
        if *running == 0 {
            signals.happened.store(false, Ordering::SeqCst);
            signals.idle.store(false, Ordering::SeqCst);
        }
        *running += 1;
        Interrupt(signals)
    }

    /// Tells whether a signal came.
    pub fn happened(&self) -> bool {
        self.0.happened.load(Ordering::SeqCst)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running -= 1;
        if *running == 0 {
            self.0.idle.store(true, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_their_default_while_no_program_runs() {
        let (first, second) = (Interrupt::listen(), Interrupt::listen());
        assert!(!first.0.idle.load(Ordering::SeqCst));
        drop(first);
        assert!(!second.0.idle.load(Ordering::SeqCst));
        drop(second);
        // Other tests may listen meanwhile.
        let until = Instant::now() + Duration::from_secs(60);
        while !SIGNALS.idle.load(Ordering::SeqCst) {
            assert!(Instant::now() < until, "signals stay caught");
            std::thread::sleep(LOOK);
        }
    }
}
