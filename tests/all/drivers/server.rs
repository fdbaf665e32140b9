//! A real HTTP server on this machine, whose every answer a test decides, down to the bytes and the pauses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers one request on its connection, which is closed after it.
pub type Answer = Box<dyn Fn(&mut TcpStream) + Send>;

/// Holds what a client sent.
#[derive(Debug, Clone)]
pub struct Received {
    /// Such as `POST /v1/messages HTTP/1.1`.
    pub line: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Received {
    /// Returns a header, if it came.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }
}

/// Listens until the test ends.
pub struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Starts a server that gives these answers, one for each request; the last one again and again.
    pub fn new(answers: Vec<Answer>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its port");
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        std::thread::spawn(move || {
            let mut answers = answers.into_iter().peekable();
            let mut last = None;
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(request) = read(&stream) else { continue };
                log.lock().expect("no panic").push(request);
                if answers.peek().is_some() {
                    last = answers.next();
                }
                last.as_ref().expect("at least one answer")(&mut stream);
            }
        });
        Server { address, received }
    }

    /// Returns the address before `/messages` and the like.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Returns what clients sent so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }
}

fn read(stream: &TcpStream) -> Option<Received> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|len| *len > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Received { line: line.trim().to_owned(), headers, body: String::from_utf8(body).ok()? })
}

/// Answers with a status, further headers, a body.
pub fn answer(status: u16, headers: &str, body: &str) -> Answer {
    let text = format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    );
    Box::new(move |stream| drop(stream.write_all(text.as_bytes())))
}

/// Answers with JSON.
pub fn json(status: u16, body: &str) -> Answer {
    answer(status, "content-type: application/json; charset=utf-8\r\n", body)
}

/// Sends these bytes as they are, one piece each pause.
pub fn pieces(all: Vec<Vec<u8>>, pause: Duration) -> Answer {
    Box::new(move |stream| {
        for piece in &all {
            if stream.write_all(piece).is_err() {
                return;
            }
            std::thread::sleep(pause);
        }
    })
}
