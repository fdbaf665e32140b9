//! Secrets that slipped in do not reach a server, whatever their kind and wherever they stand.

use std::path::Path;

use super::{Kind, Server};
use crate::world::{World, amount, feed};

/// Joins kinds of secrets from their parts, so that none stands in this source.
fn samples() -> Vec<(&'static str, String)> {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut random = |alphabet: &str, length: usize| -> String {
        std::iter::repeat_with(|| char::from(alphabet.as_bytes()[rng.usize(..alphabet.len())])).take(length).collect()
    };
    let (alnum, upper, hex) = (
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "0123456789abcdef",
    );
    let base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let key: Vec<String> = (0..24).map(|_| random(base64, 64)).collect();
    vec![
        ("github", ["gh", "p_", &random(alnum, 36)].concat()),
        ("github app", ["gh", "s_", &random(alnum, 36)].concat()),
        ("github fine", ["github", "_pat_", &random(alnum, 22), "_", &random(alnum, 59)].concat()),
        ("aws", ["AK", "IA", &random(upper, 16)].concat()),
        (
            "slack",
            ["xo", "xb-", &random("123456789", 12), "-", &random("123456789", 13), "-", &random(alnum, 24)].concat(),
        ),
        ("stripe", ["sk_", "live_", &random(alnum, 24)].concat()),
        ("gitlab", ["gl", "pat-", &random(alnum, 20)].concat()),
        ("npm", ["np", "m_", &random(alnum, 36)].concat()),
        ("google", ["AI", "za", &random(alnum, 35)].concat()),
        ("anthropic", ["sk-ant-", "api03-", &random(alnum, 93), "AA"].concat()),
        ("sendgrid", ["SG", ".", &random(alnum, 66)].concat()),
        ("digitalocean", ["dop", "_v1_", &random(hex, 64)].concat()),
        ("url", ["postgres://admin", ":", &random(alnum, 16), "@db.internal:5432/app"].concat()),
        ("assignment", ["pass", "word = \"", &random(alnum, 20), "\""].concat()),
        (
            "key",
            ["-----BEGIN RSA ", "PRIVATE KEY-----\n", &key.join("\n"), "\n-----END RSA ", "PRIVATE KEY-----"].concat(),
        ),
    ]
}

/// Makes a clone of a server that stores what it is given, as it is.
fn careless(server: &Server) -> World {
    let world = World::new("sha1");
    server.admit(&world);
    world.git(&["remote", "add", "origin", &server.url()], &world.repo());
    world.ok(&["init"]);
    world.ok(&["push"]);
    world.configure("trace.redact", "false");
    world
}

/// Returns all bytes of all objects of a repository, those that nothing names included.
fn all_of(world: &World, repository: &Path) -> String {
    let mut command = world.command("git", repository);
    command.args(["cat-file", "--batch-all-objects", "--unordered", "--batch"]);
    String::from_utf8_lossy(&command.output().expect("git starts").stdout).into_owned()
}

/// Returns the longest line: what of a secret is told from other text.
fn core(secret: &str) -> &str {
    secret.lines().max_by_key(|line| line.len()).expect("a line")
}

/// Refuses to push in every way there is, shows nothing, and leaves nothing at the server.
fn stays_here(world: &World, server: &Server, secret: &str, what: &str) {
    for arguments in [&["push"][..], &["push", "--all", "--json"]] {
        let output = world.trace(arguments).output().expect("the program starts");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(1), "{what} {arguments:?}: {said}");
        assert!(!said.contains(core(secret)), "{what} is shown: {said}");
    }
    assert!(!all_of(world, &server.repository()).contains(core(secret)), "{what} is at the server");
}

#[test]
fn no_kind_of_secret_reaches_a_server() {
    let server = Server::start(Kind::Path).expect("there is nothing to install");
    let one = careless(&server);
    let tip = one.tip("refs/trace/heads/main/main").expect("a tip");
    for (kind, secret) in samples() {
        for text in [format!("use this: {secret}"), format!("{secret}\n")] {
            let output = feed(one.trace(&["commit", "-q"]), text.as_bytes());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(all_of(&one, &one.repo()).contains(core(&secret)), "{kind}: it is stored, or this shows nothing");
            stays_here(&one, &server, &secret, kind);
            one.git(&["update-ref", "refs/trace/heads/main/main", &tip], &one.repo());
        }
    }
}

#[test]
fn no_place_of_a_secret_is_overlooked() {
    let server = Server::start(Kind::Path).expect("there is nothing to install");
    let one = careless(&server);
    let tip = one.tip("refs/trace/heads/main/main").expect("a tip");
    let (_, secret) = samples().swap_remove(0);
    let block = serde_json::json!([
        {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": "Bash",
            "input": {"command": format!("curl -H 'Authorization: token {secret}' http://host")}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "done"}]},
    ]);
    let blocks = block.to_string();
    for (what, arguments, input) in [
        ("a message of a commit", vec!["commit", "-q", "-m", &secret], "words"),
        ("an argument of a call", vec!["commit", "-q", "--messages"], blocks.as_str()),
        ("a model's name", vec!["commit", "-q", "--model", &secret], "words"),
    ] {
        let output = feed(one.trace(&arguments), input.as_bytes());
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        stays_here(&one, &server, &secret, what);
        // What only history has would go as well.
        let output = feed(one.trace(&["commit", "-q"]), b"harmless");
        assert!(output.status.success());
        stays_here(&one, &server, &secret, what);
        one.git(&["update-ref", "refs/trace/heads/main/main", &tip], &one.repo());
    }
}

#[test]
fn what_was_redacted_travels_and_can_be_used() {
    let server = Server::start(Kind::Path).expect("there is nothing to install");
    let one = careless(&server);
    for (_, secret) in samples() {
        let output = feed(one.trace(&["commit", "-q"]), format!("use this: {secret}").as_bytes());
        assert!(output.status.success());
    }
    let before = one.ok(&["log", "--json"]);
    one.fails(1, &["push"]);
    one.ok(&["redact", "--scan"]);
    one.ok(&["push", "--force-with-lease"]);
    assert_ne!(one.ok(&["log", "--json"]), before);
    let there = all_of(&one, &server.repository());
    for (kind, secret) in samples() {
        assert!(!there.contains(core(&secret)), "{kind} is at the server");
    }
    let other = World::new("sha1");
    server.admit(&other);
    other.git(&["remote", "add", "origin", &server.url()], &other.repo());
    other.ok(&["pull"]);
    for form in ["text", "markdown", "jsonl", "anthropic", "openai-chat", "openai-responses"] {
        assert_eq!(other.ok(&["context", "--as", form]), one.ok(&["context", "--as", form]), "{form}");
    }
    // It comes in again as it went out.
    let messages = other.ok(&["context", "--as", "anthropic"]);
    let value: serde_json::Value = serde_json::from_str(&messages).expect("JSON");
    let list = value.get("messages").unwrap_or(&value).to_string();
    let third = World::new("sha1");
    third.ok_with(&["commit", "-q", "--messages"], list.as_bytes());
    assert_eq!(third.ok(&["context", "--as", "anthropic"]), messages);
    server.fsck();
    other.fsck();
}

#[test]
fn shared_vectors_stay_here_too() {
    use std::io::Read;
    let Some(data) = crate::world::shared_data() else { return };
    let Ok(packed) = std::fs::read(data.join("secret_vectors.jsonl.gz")) else {
        eprintln!("skipped: no shared vectors");
        return;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("the vectors are gzip");
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a vector is JSON"));
    let mut found: Vec<String> =
        rows.filter(|row| row["kind"] == "tp").filter_map(|row| Some(row["text"].as_str()?.to_owned())).collect();
    // What is no finding when it is written is none when it is sent.
    let redactor = git_trace::redact::Redactor::new(git_trace::redact::Key::new([1; 32]), Default::default());
    found.retain(|text| !redactor.text(text.as_bytes()).findings().is_empty());
    let seed = fastrand::u64(..);
    fastrand::Rng::with_seed(seed).shuffle(&mut found);
    found.truncate(amount(40, usize::MAX));
    let server = Server::start(Kind::Path).expect("there is nothing to install");
    let one = careless(&server);
    let tip = one.tip("refs/trace/heads/main/main").expect("a tip");
    for text in &found {
        let output = feed(one.trace(&["commit", "-q"]), text.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let output = one.trace(&["push", "-q"]).output().expect("the program starts");
        assert_eq!(output.status.code(), Some(1), "seed {seed}: {text:?} was sent");
        one.git(&["update-ref", "refs/trace/heads/main/main", &tip], &one.repo());
    }
    assert_eq!(server.refs(), [format!("refs/trace/heads/main/main {tip}")]);
}
