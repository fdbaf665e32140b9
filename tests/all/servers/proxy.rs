//! A line between client and server that counts what goes over it, and fails when it is told to.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How often a thread looks whether the line still stands.
const LOOK: Duration = Duration::from_millis(20);

/// Is the way that bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// Is how a line fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Both ends see an orderly end.
    Close,
    /// Both ends see a connection that was reset.
    Reset,
    /// Nobody hears anything any more.
    Stall,
}

/// Says when a line fails, and how: after so many bytes that go this way.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// The way of the bytes that are counted.
    pub way: Way,
    /// How many still arrive.
    pub after: u64,
    /// What happens then.
    pub how: How,
}

/// Is a line to a server; it ends when it is dropped.
pub struct Proxy {
    port: u16,
    line: Arc<Mutex<Line>>,
}

#[derive(Default)]
struct Line {
    target: u16,
    up: u64,
    down: u64,
    cut: Option<Cut>,
    failed: bool,
    /// Connections of an earlier time are closed.
    time: u64,
    closed: bool,
}

/// Is what a thread does with the bytes that it has read.
enum Turn {
    /// These many go on.
    Forward(usize),
    /// These many go on, and then the line fails.
    Last(usize, How),
    /// The line has failed.
    Failed(How),
    /// The connection is one of an earlier time.
    Over,
}

impl Proxy {
    /// Opens a line to a port of this machine.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        listener.set_nonblocking(true).expect("a listener");
        let line = Arc::new(Mutex::new(Line { target, ..Line::default() }));
        let shared = Arc::clone(&line);
        std::thread::spawn(move || accept(&listener, &shared));
        Proxy { port, line }
    }

    /// Returns the port that clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says that the line will fail; bytes are counted from here.
    pub fn arm(&self, cut: Cut) {
        let mut line = self.line();
        (line.up, line.down, line.cut, line.failed) = (0, 0, Some(cut), false);
    }

    /// Tells whether the line has failed.
    pub fn has_failed(&self) -> bool {
        self.line().failed
    }

    /// Makes the line stand again, for new connections, to the server at this port; bytes are counted from here.
    pub fn mend(&self, target: u16) {
        let mut line = self.line();
        let time = line.time + 1;
        *line = Line { target, time, ..Line::default() };
    }

    /// Returns how many bytes went to the server and to the client since the last time that it was asked.
    pub fn take_count(&self) -> (u64, u64) {
        let mut line = self.line();
        (std::mem::take(&mut line.up), std::mem::take(&mut line.down))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().expect("no thread panics with it")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line().closed = true;
    }
}

fn accept(listener: &TcpListener, line: &Arc<Mutex<Line>>) {
    loop {
        if line.lock().expect("no thread panics with it").closed {
            return;
        }
        match listener.accept() {
            Ok((client, _)) => {
                let (target, time) = {
                    let line = line.lock().expect("no thread panics with it");
                    (line.target, line.time)
                };
                // Who is not there is seen as a connection that ends at once.
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                for stream in [&client, &server] {
                    stream.set_nonblocking(false).expect("a connection");
                    stream.set_nodelay(true).expect("a connection");
                    stream.set_read_timeout(Some(LOOK)).expect("a connection");
                }
                let (client, server) = (Arc::new(client), Arc::new(server));
                for (from, to, way) in [(&client, &server, Way::Up), (&server, &client, Way::Down)] {
                    let (from, to, line) = (Arc::clone(from), Arc::clone(to), Arc::clone(line));
                    std::thread::spawn(move || forward(&from, &to, way, &line, time));
                }
            }
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Carries bytes one way until an end is reached or the line fails.
fn forward(mut from: &TcpStream, mut to: &TcpStream, way: Way, line: &Mutex<Line>, time: u64) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut bytes) {
            Ok(0) => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(_) => {
                let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                return;
            }
        };
        let turn = line.lock().expect("no thread panics with it").take(way, read, time);
        match turn {
            Turn::Forward(count) => {
                if count > 0 && to.write_all(&bytes[..count]).is_err() {
                    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                    return;
                }
            }
            Turn::Last(count, how) => {
                let _ = to.write_all(&bytes[..count]);
                // What was written is to arrive before the line is gone: a reset throws away what is still on its way.
                std::thread::sleep(Duration::from_millis(2));
                line.lock().expect("no thread panics with it").failed = true;
                fail(from, to, how);
            }
            Turn::Failed(How::Stall) => std::thread::sleep(LOOK),
            Turn::Failed(how) => {
                fail(from, to, how);
                return;
            }
            Turn::Over => {
                fail(from, to, How::Close);
                return;
            }
        }
    }
}

impl Line {
    fn take(&mut self, way: Way, read: usize, time: u64) -> Turn {
        if self.closed || self.time != time {
            return Turn::Over;
        }
        if let Some(cut) = self.cut.filter(|_| self.failed) {
            return Turn::Failed(cut.how);
        }
        let count = match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        };
        if let Some(cut) = self.cut.filter(|cut| cut.way == way && *count + read as u64 >= cut.after) {
            let left = usize::try_from(cut.after.saturating_sub(*count)).expect("no more than was read");
            *count += left as u64;
            return Turn::Last(left, cut.how);
        }
        *count += read as u64;
        Turn::Forward(read)
    }
}

fn fail(one: &TcpStream, other: &TcpStream, how: How) {
    for stream in [one, other] {
        match how {
            How::Stall => {}
            How::Close => _ = stream.shutdown(Shutdown::Both),
            // The kernel resets a connection that is closed with no time to linger; the other thread's handle goes soon.
            How::Reset => _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)),
        }
    }
}
