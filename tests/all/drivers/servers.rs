//! Models behind HTTP, over a real connection: three dialects, and whatever can go wrong.

use std::time::{Duration, Instant};

use git_trace::drivers::{Dialect, Driver, DriverError, Http, Opening, Prompts, Reconcile, Task, open};
use git_trace::model::Usage;
use git_trace::tokens::Encoding;
use sha2::{Digest, Sha256};

use super::server::{Answer, Server, answer, json, pieces};
use super::task;
use crate::world::{World, feed_within};

const KEY: &str = "sk-very-secret";
const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929",
    "content":[{"type":"text","text":" Port 8080. "}],"stop_reason":"end_turn",
    "usage":{"input_tokens":10,"cache_read_input_tokens":4,"cache_creation_input_tokens":0,"output_tokens":5}}"#;
const COMPLETION: &str = r#"{"id":"c","object":"chat.completion","model":"gpt-5","choices":[{"index":0,
    "message":{"role":"assistant","content":"Port 8080."},"finish_reason":"stop"}],
    "usage":{"prompt_tokens":14,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}}"#;
const RESPONSE: &str = r#"{"id":"r","object":"response","status":"completed","model":"gpt-5","output":[
    {"type":"reasoning","summary":[]},
    {"type":"message","content":[{"type":"output_text","text":"Port 8080."}]}],
    "usage":{"input_tokens":14,"output_tokens":5,"input_tokens_details":{"cached_tokens":4},
    "output_tokens_details":{"reasoning_tokens":2}}}"#;

fn driver(server: &Server, dialect: Dialect) -> Http {
    let mut http = Http::new("local", dialect, "some-model");
    http.url = server.url();
    http.timeout = Duration::from_secs(10);
    http.backoff = Duration::from_millis(10);
    http.set_key(KEY).expect("a key");
    http
}

/// Asks a server that gives these answers; returns the error, and how often it was asked.
fn fails(answers: Vec<Answer>, change: impl FnOnce(&mut Http)) -> (DriverError, usize) {
    let server = Server::new(answers);
    let mut http = driver(&server, Dialect::Anthropic);
    change(&mut http);
    let error = http.carry_out(&task()).expect_err("no answer");
    let shown = format!("{error} {error:?} {:?}", error.hint());
    assert!(!shown.contains(KEY), "the key is shown: {shown}");
    (error, server.received().len())
}

#[test]
fn all_three_dialects_are_spoken() {
    let prompt = Prompts::default().render(&task()).expect("a prompt");
    let hash: String = Sha256::digest(&prompt).iter().map(|byte| format!("{byte:02x}")).collect();
    for (dialect, body, path, model, reasoning) in [
        (Dialect::Anthropic, MESSAGE, "/v1/messages", "claude-sonnet-4-5-20250929", None),
        (Dialect::OpenaiChat, COMPLETION, "/v1/chat/completions", "gpt-5", None),
        (Dialect::OpenaiResponses, RESPONSE, "/v1/responses", "gpt-5", Some(2)),
    ] {
        let server = Server::new(vec![json(200, body)]);
        let http = driver(&server, dialect);
        let answer = http.carry_out(&task()).expect("an answer");
        assert_eq!(answer.text, "Port 8080.");
        assert_eq!(answer.model.as_deref(), Some(model));
        let cache_write = (dialect == Dialect::Anthropic).then_some(0);
        let usage = Usage { input: Some(10), cache_read: Some(4), cache_write, output: Some(5), reasoning };
        assert_eq!(answer.usage, Some(usage));
        assert_eq!(answer.prompt_hash.as_ref(), Some(&hash));
        assert_eq!(answer.cost, None, "a server of one's own has no known price");
        let [request] = &server.received()[..] else { panic!("one request") };
        assert_eq!(request.line, format!("POST {path} HTTP/1.1"));
        let sent = request.json();
        assert_eq!(sent["model"], "some-model");
        match dialect {
            Dialect::Anthropic => {
                assert_eq!(request.header("x-api-key"), Some(KEY));
                assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
                assert_eq!(sent["messages"][0]["content"], prompt.as_str());
                assert_eq!(sent["max_tokens"], 2 * 40 + 1024);
            }
            Dialect::OpenaiChat => {
                assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
                assert_eq!(sent["messages"][0]["content"], prompt.as_str());
            }
            Dialect::OpenaiResponses => {
                assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
                assert_eq!((&sent["input"], &sent["store"]), (&prompt.as_str().into(), &false.into()));
            }
        }
    }
}

#[test]
fn two_sides_are_sent_as_well() {
    let server = Server::new(vec![json(200, COMPLETION)]);
    let sides = Reconcile { ours: "port 8080".to_owned(), theirs: "port 9090".to_owned(), ..Reconcile::default() };
    let answer = driver(&server, Dialect::OpenaiChat).carry_out(&Task::Reconcile(sides)).expect("an answer");
    assert_eq!(answer.text, "Port 8080.");
    let prompt = server.received()[0].json()["messages"][0]["content"].as_str().expect("a prompt").to_owned();
    assert!(prompt.contains("port 8080\n</passage-") && prompt.contains("port 9090\n</passage-"));
}

#[test]
fn what_passes_is_tried_again() {
    let busy = |status| json(status, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
    for status in [500, 502, 503, 529] {
        let server = Server::new(vec![busy(status), json(200, MESSAGE)]);
        let answer = driver(&server, Dialect::Anthropic).carry_out(&task()).expect("the second time");
        assert_eq!(answer.text, "Port 8080.");
        assert_eq!(server.received().len(), 2);
    }
    let (error, times) = fails(vec![busy(529)], |_| ());
    assert_eq!(error.to_string(), "the driver 'http:local' was refused with HTTP status 529: Overloaded");
    assert_eq!(times, 5, "the first and four more");
}

#[test]
fn a_server_that_asks_to_wait_is_waited_for() {
    let busy =
        answer(429, "content-type: application/json\r\nretry-after: 1\r\n", r#"{"error":{"message":"slow down"}}"#);
    let server = Server::new(vec![busy, json(200, MESSAGE)]);
    let started = Instant::now();
    driver(&server, Dialect::Anthropic).carry_out(&task()).expect("the second time");
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    // But not longer than there is time.
    let hour = answer(429, "retry-after: 3600\r\n", r#"{"error":{"message":"slow down"}}"#);
    let started = Instant::now();
    let (error, times) = fails(vec![hour], |_| ());
    assert!(started.elapsed() < Duration::from_secs(5) && times == 1);
    assert_eq!(error.to_string(), "the driver 'http:local' was refused with HTTP status 429: slow down");
}

#[test]
fn what_does_not_pass_is_told_at_once() {
    let denied = json(401, &format!(r#"{{"error":{{"message":"invalid x-api-key: {KEY}"}}}}"#));
    let (error, times) = fails(vec![denied], |_| ());
    assert_eq!(error.to_string(), "the driver 'http:local' was refused with HTTP status 401: invalid x-api-key: [key]");
    assert_eq!(times, 1);
    let (error, _) = fails(vec![answer(404, "content-type: text/html\r\n", "<h1>\x1b[31mNot\r\nhere</h1>")], |_| ());
    assert_eq!(error.to_string(), "the driver 'http:local' was refused with HTTP status 404: <h1> [31mNot here</h1>");
    let long = json(400, &format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(50_000)));
    assert!(fails(vec![long], |_| ()).0.to_string().len() < 500);
    let endless = answer(400, "", &"x".repeat(10_000_000));
    assert!(matches!(fails(vec![endless], |_| ()).0, DriverError::Status { status: 400, .. }));
}

#[test]
fn no_redirect_is_followed() {
    let other = Server::new(vec![json(200, MESSAGE)]);
    for status in [301, 302, 303, 307, 308] {
        let away = answer(status, &format!("location: {}/messages\r\n", other.url()), "");
        let (error, times) = fails(vec![away], |_| ());
        assert!(error.to_string().ends_with("it points to another server, to which the key does not go"), "{error}");
        assert_eq!(times, 1);
    }
    assert!(other.received().is_empty());
}

#[test]
fn answers_that_are_none_are_refused() {
    let with = |reason: &str| MESSAGE.replace("end_turn", reason);
    let html = answer(200, "content-type: text/html\r\n", "<html>log in first</html>");
    for (reply, reason) in [
        (json(200, &with("max_tokens")), "it was cut off (max_tokens)"),
        (json(200, &with("refusal")), "the model refused"),
        (json(200, &MESSAGE.replace(" Port 8080. ", " \\n")), "the text is empty"),
        (json(200, "{\"content\":["), "no message: EOF while parsing"),
        (json(200, "[]"), "no message: "),
        (json(200, ""), "no message: EOF"),
        (json(200, "\u{feff}{}"), "no message: "),
        (answer(200, "content-type: application/json\r\n", &"[".repeat(100_000)), "no message: "),
        (html, "it is not JSON but 'text/html'"),
        (answer(200, "", MESSAGE), "it is not JSON but 'no type'"),
    ] {
        let (error, times) = fails(vec![reply], |_| ());
        let error = error.to_string();
        assert!(
            error.starts_with("the driver 'http:local' gave no usable answer: ") && error.contains(reason),
            "{error}"
        );
        assert_eq!(times, 1);
    }
}

#[test]
fn no_half_of_a_key_is_shown() {
    for before in 360..400 {
        let words = format!("{}{KEY}", "x".repeat(before));
        let answers = [
            json(200, &format!(r#"{{"content":[],"stop_reason":"{words}"}}"#)),
            answer(200, &format!("content-type: text/{words}\r\n"), ""),
            json(400, &format!(r#"{{"error":"{words}"}}"#)),
        ];
        for answer in answers {
            let (error, _) = fails(vec![answer], |_| ());
            assert!(error.to_string().contains("xxx") && !error.to_string().contains("sk-"), "{before}: {error}");
        }
    }
}

#[test]
fn an_answer_that_is_too_large_is_not_read() {
    let large = MESSAGE.replace("Port 8080.", &"x".repeat(2_000_000));
    let (error, times) = fails(vec![json(200, &large)], |http| http.max_output = 100_000);
    assert_eq!(error.to_string(), "the driver 'http:local' answered more than 100000 bytes");
    assert_eq!(times, 1);
    // One that never ends, without a length.
    let head =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"content\":\"".to_vec();
    let endless: Vec<Vec<u8>> = std::iter::once(head).chain(vec![vec![b'x'; 65_536]; 2_000]).collect();
    let (error, _) = fails(vec![pieces(endless, Duration::ZERO)], |http| http.max_output = 100_000);
    assert!(matches!(error, DriverError::Large { .. }), "{error}");
}

#[test]
fn slow_and_dribbling_servers_are_given_up() {
    let limit = Duration::from_secs(1);
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n".to_vec();
    let silent = pieces(vec![Vec::new()], Duration::from_secs(30));
    let dribble = pieces(std::iter::once(head).chain(vec![b"x".to_vec(); 300]).collect(), Duration::from_millis(50));
    let half_head = pieces(vec![b"HTTP/1.1 200".to_vec()], Duration::from_secs(30));
    for answer in [silent, dribble, half_head] {
        let started = Instant::now();
        let (error, _) = fails(vec![answer], |http| http.timeout = limit);
        assert_eq!(error.to_string(), "the driver 'http:local' gave no answer within 1 second");
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    }
    // A slow one that is in time is fine.
    let body = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{MESSAGE}",
        MESSAGE.len()
    );
    let slowly = body.as_bytes().chunks(40).map(<[u8]>::to_vec).collect();
    let server = Server::new(vec![pieces(slowly, Duration::from_millis(10))]);
    assert_eq!(driver(&server, Dialect::Anthropic).carry_out(&task()).expect("an answer").text, "Port 8080.");
}

#[test]
fn broken_connections_are_tried_again() {
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", MESSAGE.len());
    let cut = || pieces(vec![format!("{head}{}", &MESSAGE[..60]).into_bytes()], Duration::ZERO);
    let closed = pieces(Vec::new(), Duration::ZERO);
    let server = Server::new(vec![cut(), closed, json(200, MESSAGE)]);
    assert_eq!(driver(&server, Dialect::Anthropic).carry_out(&task()).expect("the third time").text, "Port 8080.");
    assert_eq!(server.received().len(), 3);
    let (error, times) = fails(vec![cut()], |_| ());
    assert!(error.to_string().starts_with("the driver 'http:local' cannot reach its server: "), "{error}");
    assert_eq!(times, 5);
    let garbage = pieces(vec![b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()], Duration::ZERO);
    assert!(matches!(fails(vec![garbage], |_| ()).0, DriverError::Connection { .. }));
    // Nobody there.
    let (error, _) = fails(vec![json(200, "")], |http| http.url = "http://127.0.0.1:9/v1".to_owned());
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn tls_is_checked_against_what_the_system_trusts() {
    // A server that speaks no TLS: nothing is sent before the handshake, above all not the key.
    let server = Server::new(vec![json(200, MESSAGE)]);
    let mut http = driver(&server, Dialect::Anthropic);
    http.url = server.url().replace("http:", "https:");
    http.timeout = Duration::from_secs(3);
    let error = http.carry_out(&task()).expect_err("no TLS there");
    assert!(matches!(error, DriverError::Connection { .. } | DriverError::Slow { .. }), "{error}");
    assert!(server.received().iter().all(|request| !format!("{request:?}").contains(KEY)));
}

#[test]
fn the_configuration_makes_a_driver() {
    let server = Server::new(vec![json(200, COMPLETION)]);
    let url = server.url();
    let config = |key: &str| {
        Some(match key {
            "trace.driver.near.kind" | "trace.driver.far.kind" => "openai-chat".to_owned(),
            "trace.driver.near.url" => url.clone(),
            "trace.driver.far.url" => "http://example.com/v1".to_owned(),
            "trace.driver.near.model" | "trace.driver.far.model" | "trace.driver.keyless.model" => "m".to_owned(),
            "trace.driver.keyless.kind" => "anthropic".to_owned(),
            "trace.driver.keyless.keyEnv" => "GITTRACE_NO_SUCH_KEY".to_owned(),
            // A variable that is there, wherever the test runs.
            "trace.driver.near.keyEnv" => "PATH".to_owned(),
            _ => return None,
        })
    };
    let opening = Opening { encoding: Encoding::O200kBase, config: &config, key: None, prompts: Prompts::default() };
    let near = open(Some("near"), &opening).expect("a driver");
    assert_eq!(near.name(), "http:near");
    assert_eq!(near.carry_out(&task()).expect("an answer").text, "Port 8080.");
    let sent = server.received();
    assert_eq!(
        sent[0].header("authorization"),
        Some(format!("Bearer {}", std::env::var("PATH").expect("there")).as_str())
    );
    assert_eq!(sent[0].json()["model"], "m");
    let error = |name: &str| open(Some(name), &opening).err().expect("no driver");
    assert!(error("far").to_string().starts_with("cannot use 'trace.driver.far.url': 'http' would show the key"));
    let keyless = error("keyless");
    assert_eq!(
        keyless.to_string(),
        "no key for the driver 'http:keyless' in the environment variable 'GITTRACE_NO_SUCH_KEY'"
    );
    assert_eq!(keyless.hint().as_deref(), Some("export GITTRACE_NO_SUCH_KEY=<key>"));
    let asked = |url: &str| (url == "https://api.anthropic.com/v1").then(|| KEY.to_owned());
    let opening = Opening { key: Some(&asked), ..opening };
    assert_eq!(open(Some("keyless"), &opening).expect("a helper's key").name(), "http:keyless");
}

#[test]
fn a_key_comes_from_gits_credential_helper() {
    let world = World::new("sha1");
    world.ok_with(&["commit", "--role", "user"], b"Use port 8080.");
    world.ok_with(&["commit", "--role", "assistant"], b"Understood: the port is 8080.");
    world.ok_with(&["commit", "--role", "user"], b"Go on.");
    let server = Server::new(vec![json(200, COMPLETION)]);
    let asked = world.root().join("asked");
    let helper = world.root().join("helper");
    let script = format!(
        "#!/bin/sh\necho \"$1\" >> '{0}'; cat >> '{0}'\necho username=x; echo password={KEY}; echo spoken >&2\n",
        asked.display()
    );
    std::fs::write(&helper, script).expect("written");
    world.configure("credential.helper", &format!("!sh '{}'", helper.display()));
    world.configure("credential.useHttpPath", "true");
    for (name, value) in
        [("kind", "openai-chat"), ("url", &server.url()), ("model", "m"), ("keyEnv", "GITTRACE_TEST_KEY")]
    {
        world.configure(&format!("trace.driver.near.{name}"), value);
    }
    let arguments = ["compress", "#1..#2", "--mode", "driver", "--driver", "near"];
    let output = world.trace(&arguments).output().expect("the program starts");
    let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && !shown.contains(KEY) && !shown.contains("spoken"), "{shown}");
    assert_eq!(server.received()[0].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    let host = server.url().replace("http://", "").replace("/v1", "");
    let question = std::fs::read_to_string(&asked).expect("the helper was asked");
    let lines: Vec<&str> = question.lines().filter(|line| !line.contains("[]=")).collect();
    assert_eq!(lines, ["get", "protocol=http", &format!("host={host}"), "path=v1"]);

    // The environment comes first, and whoever has no key is never asked for one.
    std::fs::remove_file(&asked).expect("there");
    world.ok(&["restore", "#1"]);
    let mut command = world.trace(&arguments);
    assert!(command.env("GITTRACE_TEST_KEY", "another").status().expect("it starts").success());
    assert!(!asked.exists());
    world.configure("credential.helper", "");
    world.configure("core.askPass", &format!("sh '{}'", helper.display()));
    world.configure("trace.driver.near.url", "https://api.invalid/v1");
    world.ok(&["restore", "#1"]);
    let mut command = world.trace(&arguments);
    command.env("SSH_ASKPASS", &helper).env("GIT_ASKPASS", &helper);
    let output = feed_within(Duration::from_secs(20), command, b"");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no key for the driver 'http:near'"), "{output:?}");
    assert!(!asked.exists());
}
