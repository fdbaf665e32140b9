//! The process itself: its environment, its three pipes, its end.

#![allow(clippy::disallowed_methods, reason = "this is the file that starts drivers")]

use std::io::{ErrorKind, Read, Write};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Command;
use crate::drivers::{Driver, DriverError, said};

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

/// Runs the program and returns what it printed.
pub(super) fn run(command: &Command, input: Vec<u8>) -> Result<Vec<u8>, DriverError> {
    let deadline = Instant::now() + command.timeout;
    let interrupt = Interrupt::listen();
    let mut running = Running::start(command)?;
    let pieces = running.connect(input);
    let outcome = listen(command, &mut running, &pieces, deadline, &interrupt);
    // Whoever is left of the group goes, before its number can be anybody else's.
    running.kill();
    let status = running.child.wait();
    let (printed, said) = outcome?;
    let status = status.map_err(|source| start_error(command, source))?;
    if status.success() { Ok(printed) } else { Err(ended(command, status, &said)) }
}

/// Collects what comes out until the program has ended and its pipes are closed.
fn listen(
    command: &Command,
    running: &mut Running,
    pieces: &Receiver<Piece>,
    deadline: Instant,
    interrupt: &Interrupt,
) -> Result<(Vec<u8>, Vec<u8>), DriverError> {
    let driver = || command.name();
    let (mut printed, mut said) = (Vec::new(), Vec::new());
    let mut open = 2;
    let mut ended: Option<Instant> = None;
    loop {
        match pieces.recv_timeout(LOOK) {
            Ok(Piece::Printed(piece)) if printed.len() + piece.len() > command.max_output => {
                return Err(DriverError::Large { driver: driver(), limit: command.max_output });
            }
            Ok(Piece::Printed(piece)) => printed.extend(piece),
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
        if interrupt.happened() {
            return Err(DriverError::Interrupted { driver: driver() });
        }
        if ended.is_none() && running.has_ended() {
            ended = Some(now);
        }
        match ended {
            Some(_) if open == 0 => return Ok((printed, said)),
            // A process that it left behind holds the pipe: all that the program itself wrote has been read.
            Some(since) if now > since + GRACE => return Ok((printed, said)),
            _ if now >= deadline => return Err(DriverError::Slow { driver: driver(), limit: command.timeout }),
            _ => {}
        }
    }
}

/// Is a program with its process group.
struct Running {
    child: Child,
}

impl Running {
    fn start(command: &Command) -> Result<Running, DriverError> {
        let Some((program, arguments)) = command.argv.split_first() else {
            return Err(start_error(command, ErrorKind::InvalidInput.into()));
        };
        let mut process = std::process::Command::new(program);
        process.args(arguments).env_clear().envs(std::env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            let passes = |allowed: &str| match allowed.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == allowed,
            };
            ENVIRONMENT.iter().any(|allowed| passes(allowed)) || command.env.iter().any(|allowed| passes(allowed))
        }));
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut process, 0);
        process.spawn().map(|child| Running { child }).map_err(|source| start_error(command, source))
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

fn start_error(command: &Command, source: std::io::Error) -> DriverError {
    let program = command.argv.first().cloned().unwrap_or_default();
    DriverError::Start { driver: command.name(), program, source }
}

fn ended(command: &Command, status: ExitStatus, said: &[u8]) -> DriverError {
    DriverError::Ended { driver: command.name(), status: status.to_string(), said: said::ending(said) }
}

/// Notices Ctrl-C while a program runs: in a group of its own it does not get the terminal's signal.
struct Interrupt(&'static Signals);

/// Is what hears signals, once for the process: a listener that is taken back would leave its signal ignored for good.
struct Signals {
    /// Whether no program runs; then signals do what they do by default.
    idle: Arc<AtomicBool>,
    /// Whether one came since the first of the programs that run now was started.
    happened: Arc<AtomicBool>,
    /// How many programs run.
    running: Mutex<usize>,
}

static SIGNALS: LazyLock<Signals> = LazyLock::new(|| {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag::{register, register_conditional_default};
    let signals =
        Signals { idle: Arc::new(AtomicBool::new(true)), happened: Arc::default(), running: Mutex::default() };
    for signal in [SIGINT, SIGTERM] {
        // The default first: without it nothing may be heard at all.
        if register_conditional_default(signal, Arc::clone(&signals.idle)).is_ok() {
            let _ = register(signal, Arc::clone(&signals.happened));
        }
    }
    signals
});

impl Interrupt {
    fn listen() -> Interrupt {
        let signals: &'static Signals = &SIGNALS;
        let mut running = signals.running.lock().unwrap_or_else(PoisonError::into_inner);
        if *running == 0 {
            signals.happened.store(false, Ordering::SeqCst);
            signals.idle.store(false, Ordering::SeqCst);
        }
        *running += 1;
        Interrupt(signals)
    }

    fn happened(&self) -> bool {
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
        assert!(!second.0.idle.load(Ordering::SeqCst) && !second.happened());
        drop(second);
        assert!(SIGNALS.idle.load(Ordering::SeqCst));
    }
}
