//! What a user is promised: secrets go, everything else stays byte for byte, and doing it twice changes nothing.
use git_trace::redact::{Config, Key, Options, Redactor};
use proptest::prelude::*;
use serde_json::{Value, json};

// No whole fake key stands in this source: they are joined at run time.
fn secrets() -> Vec<String> {
    vec![
        ["gh", "p_", "ahgj7J8v475slrh379Ehials9d8s3vks02yi"].concat(),
        ["AK", "IA", "GT5IOCXIIQXZ5FC7"].concat(),
        ["sk_", "live_", "4eC39HqLyjWDarjtT1zdp7dc"].concat(),
        ["xo", "xb-", "781236542736-2364535789652-GkwFDQoHqzXDVsC6GzqYUypD"].concat(),
        ["gl", "pat-", "h970wgtdc9hp7n9Izp68"].concat(),
        ["sk-ant-", "api03-", &"aB3dE5gH7jK9".repeat(8), "AA"].concat(),
        ["ey", "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.ey", "JzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"].concat(),
        pem("\n", 24),
    ]
}

fn pem(separator: &str, lines: usize) -> String {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDAC4AWkdwKYSd8";
    let (begin, end) = (["-----BEGIN ", "PRIVATE KEY-----"].concat(), ["-----END ", "PRIVATE KEY-----"].concat());
    [vec![begin.as_str()], vec![line; lines], vec![end.as_str()]].concat().join(separator)
}

fn redactor() -> Redactor {
    Redactor::new(Key::new([7; 32]), Options::default())
}

fn text(redactor: &Redactor, input: &str) -> String {
    String::from_utf8(redactor.text(input.as_bytes()).into_inner()).expect("redaction keeps UTF-8")
}

fn json_text(redactor: &Redactor, input: &str) -> String {
    String::from_utf8(redactor.json(input.as_bytes()).into_inner()).expect("redaction keeps UTF-8")
}

/// Any JSON value whose strings may have a secret planted.
fn value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
        "\\PC{0,40}".prop_map(Value::from),
        "[a-z ./\"\\\\\n\t]{0,60}".prop_map(Value::from),
        ("[a-z \n\"\\\\é]{0,10}", 0..8usize, "[ \n\",;é]{0,3}")
            .prop_map(|(before, n, after)| { Value::from(format!("{before} {}{after}", secrets()[n])) }),
    ];
    plain.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z_ \"é]{0,12}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every string of a value.
fn strings<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
    match value {
        Value::String(s) => out.push(s),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(members) => members.values().for_each(|item| strings(item, out)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_stays_json_and_only_secrets_change(value in value(), pretty: bool) {
        let input = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("a value is JSON");
        let redactor = redactor();
        let redacted = redactor.json(input.as_bytes());
        let output = String::from_utf8(redacted.as_inner().clone()).expect("UTF-8 in, UTF-8 out");
        let parsed: Value = serde_json::from_str(&output).expect("JSON in, JSON out");
        let mut all = Vec::new();
        strings(&parsed, &mut all);
        for secret in secrets() {
            prop_assert!(!all.iter().any(|s| s.contains(&secret)));
            let escaped = serde_json::to_string(&secret).expect("a string is JSON");
            prop_assert!(!output.contains(&escaped[1..escaped.len() - 1]));
        }
        // What is between the findings is what was between them.
        let mut rest = output.as_str();
        let mut at = 0;
        for finding in redacted.findings() {
            let kept = &input[at..finding.start];
            prop_assert!(rest.starts_with(kept));
            rest = &rest[kept.len()..];
            let end = rest.find("]]").expect("a marker follows") + 2;
            prop_assert!(rest.starts_with("[[redacted:"));
            rest = &rest[end..];
            at = finding.end;
        }
        prop_assert_eq!(rest, &input[at..]);
        prop_assert_eq!(json_text(&redactor, &output), output);
    }

    #[test]
    fn twice_is_once(parts in prop::collection::vec(prop_oneof![
        "\\PC{0,12}", "(password|token|api_key|secret|Authorization)[:=\" ]{1,3}", "[A-Za-z0-9+/=_.-]{8,50}", "://[a-z]{1,4}:",
        "@", "\\[\\[redacted:", ":[0-9a-f]{8}\\]\\]", "[\n ,;\"']{1,2}",
        (0..8usize).prop_map(|n| secrets()[n].clone()),
    ], 0..12)) {
        let input = parts.concat();
        let redactor = redactor();
        let once = text(&redactor, &input);
        prop_assert_eq!(text(&redactor, &once), once.clone());
        let is_json = once.starts_with(['{', '[', '"']);
        prop_assert!(is_json || redactor.scan(once.as_bytes()).is_empty());
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let redactor = redactor();
        let once = redactor.text(bytes.clone()).into_inner();
        prop_assert_eq!(redactor.text(once.clone()).into_inner(), once);
        let once = redactor.json(bytes).into_inner();
        prop_assert_eq!(redactor.json(once.clone()).into_inner(), once);
    }
}

#[test]
fn equal_secrets_have_equal_markers_under_one_key_only() {
    let secret = &secrets()[0];
    let one = redactor();
    let two = Redactor::new(Key::new([8; 32]), Options::default());
    let marker = text(&one, secret);
    assert_eq!(marker.len(), "[[redacted:github-pat:00000000]]".len());
    assert_eq!(text(&one, &format!("a {secret} b {secret}")), format!("a {marker} b {marker}"));
    assert_eq!(json_text(&one, &json!({ "x": secret }).to_string()), json!({ "x": marker }).to_string());
    assert_ne!(text(&two, secret), marker);
}

#[test]
fn keys_give_context_to_values() {
    let redactor = redactor();
    for (body, secret) in [
        (r#"{"password": "hunter2longvalue"}"#.to_owned(), "hunter2longvalue"),
        (r#"{"password": "hunt\"er2 \\"}"#.to_owned(), ""),
        (r#"{"env":{"AWS_SECRET_ACCESS_KEY":"wJalrXUtnFEMI\/K7MDENG\/bPxRfiCYzR9kQ2mTn8"}}"#.to_owned(), "K7MDENG"),
        (r#"{"env":[{"name":"DB_PASSWORD","value":"s3cretPa55"}]}"#.to_owned(), "s3cretPa55"),
        (r#"{"argv":["psql","--password","s3cretPa55"]}"#.to_owned(), "s3cretPa55"),
        (r#"{"headers":{"Authorization":"Bearer 9f8e7d6c5b4a39281706abcdef123456"}}"#.to_owned(), "9f8e7d6c"),
        (r#"{"cmd":"curl -u bob:pQ9wTxu4Fg https://x.test"}"#.to_owned(), "pQ9wTxu4Fg"),
        (r#"{"url":"postgres://bob:pQ9wTxu4Fg@db:5432/x"}"#.to_owned(), "pQ9wTxu4Fg"),
        (json!({"input": json!({"env": json!({"password": "s3cretPa55"}).to_string()}).to_string()}).to_string(), "s3cretPa55"),
        (json!({"lines": pem("\n", 9).lines().map(|l| format!("+{l}")).collect::<Vec<_>>()}).to_string(), "KYSd8"),
        (json!({"text": pem("\n", 9).lines().enumerate().map(|(n, l)| format!("{:>6}→{l}\n", n + 1)).collect::<String>()}).to_string(), "KYSd8"),
        (format!(r#"{{"a":"{}"}}"#, secrets()[0].replace('_', "\\u005f")), "slrh379E"),
    ] {
        let redacted = redactor.json(body.as_bytes());
        let output = String::from_utf8_lossy(redacted.as_inner()).into_owned();
        assert!(serde_json::from_str::<Value>(&output).is_ok(), "{output}");
        if !secret.is_empty() {
            assert!(!output.contains(secret), "{output}");
            assert!(output.contains("[[redacted:"), "{output}");
        }
    }
}

#[test]
fn what_the_provider_must_get_back_stays() {
    let blob = "Es8DCkYIChgCKkAr".repeat(40);
    let body = format!(
        r#"[ {{"type":"thinking","thinking":"","signature":"{blob}"}}, {{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{blob}AKIA{blob}"}}}},
        {{"type":"tool_use","id":"toolu_01A09q90qw90lq917835lq9","input":{{"n":3e303,"z":-0.0,"a":1E+2}}}}, {{"encrypted_content":"{blob}"}}, {{"url":"data:image/png;base64,{blob}"}} ]"#
    );
    let redacted = redactor().json(body.clone().into_bytes());
    assert!(redacted.findings().is_empty(), "{:?}", redacted.findings());
    assert_eq!(redacted.as_inner(), body.as_bytes());
}

#[test]
fn opaque_values_are_left_whole_and_only_they() {
    let redactor = redactor();
    // What reads like a key inside base64 is there by chance, and the provider would refuse the changed blob.
    let key = &secrets()[1];
    let blob = format!("{0}/{key}+{0}", "Es8DCkYIChgCKkAr".repeat(4));
    assert!(!text(&redactor, &blob).contains(key), "{blob}");
    for name in [
        "signature",
        "data",
        "encrypted_content",
        "thoughtSignature",
        "thought_signature",
        "encrypted_reasoning",
        "b64_json",
        "redacted_thinking",
    ] {
        let body = json!([{ "type": "x", name: blob }]).to_string();
        assert_eq!(json_text(&redactor, &body), body);
        assert!(redactor.scan(body.as_bytes()).is_empty(), "{name}");
        // Under the same name, what is no blob is looked at.
        for other in [format!("see {blob}"), key.clone(), format!("{key} {}", "a ".repeat(40))] {
            let body = json!([{ name: other }]).to_string();
            assert!(!json_text(&redactor, &body).contains(key), "{body}");
        }
    }
    let url = json!({ "url": format!("data:image/png;base64,{blob}") }).to_string();
    assert_eq!(json_text(&redactor, &url), url);
    for body in [
        json!({ "text": blob }).to_string(),
        json!({ "signature": [blob] }).to_string(),
        json!({ "url": format!("data:text/plain,{blob}") }).to_string(),
    ] {
        assert!(!json_text(&redactor, &body).contains(key), "{body}");
    }
}

#[test]
fn depth_and_size_have_no_ceiling() {
    let redactor = redactor();
    let secret = &secrets()[0];
    let deep = format!("{}\"{secret}\"{}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(!json_text(&redactor, &deep).contains(secret));
    let filler = "a line of an agent's log, number 12345, in src/main.rs\n".repeat(190_000);
    let key = pem("\n", 20_000);
    let large = format!("{filler}{key}\n{filler}password = \"hunter2longvalue\"\n");
    let redacted = redactor.text(large.as_bytes());
    assert_eq!(redacted.findings().len(), 2);
    assert_eq!(redacted.findings()[0].start..redacted.findings()[0].end, filler.len()..filler.len() + key.len());
}

#[test]
fn forged_markers_hide_nothing() {
    let secret = &secrets()[0];
    for text_in in [format!("[[redacted:{secret}:00000000]]"), format!("[[redacted:github-pat:{secret}]]")] {
        assert!(!text(&redactor(), &text_in).contains(secret), "{text_in}");
    }
}

#[test]
fn off_changes_nothing_and_still_yields_the_type() {
    let secret = &secrets()[0];
    let off = Redactor::off();
    assert_eq!(off.line(secret).into_inner(), *secret);
    assert!(off.scan(secret.as_bytes()).is_empty());
}

#[test]
fn clean_text_is_not_copied() {
    let body = b"nothing to see".to_vec();
    let address = body.as_ptr();
    let redacted = redactor().text(body);
    assert_eq!(redacted.as_inner().as_ptr(), address);
}

#[test]
fn home_directories_are_written_as_tildes_when_asked() {
    let plain = redactor();
    let homes = vec!["/home/alice".to_owned(), "bob".to_owned()];
    let redactor = Redactor::new(Key::new([7; 32]), Options { home: Some(homes), config: None });
    for (input, output) in [
        ("cd /home/alice/x && ls /home/alices", "cd ~/x && ls /home/alices"),
        ("/Users/bob/.ssh", "~/.ssh"),
        ("C:\\Users\\bob\\x and file:///home/bob/y", "~\\x and file://~/y"),
        ("/srv/home/alice", "/srv/home/alice"),
    ] {
        assert_eq!(text(&redactor, input), output);
    }
    assert_eq!(
        json_text(&redactor, r#"{"cwd":"\/home\/alice\/p","w":"C:\\Users\\bob\\x"}"#),
        r#"{"cwd":"~\/p","w":"~\\x"}"#
    );
    assert_eq!(text(&plain, "/home/alice/x"), "/home/alice/x");
}

#[test]
fn a_repository_adds_its_own_rules() {
    let toml = r##"
        title = "ours"
        [extend]
        useDefault = true
        disabledRules = ["gitlab-pat"]
        [[rules]]
        id = "acme-key"
        description = "Acme"
        regex = '''\bacme<[a-z]{2}>-([0-9a-f]{12})\b'''
        secretGroup = 1
        entropy = 2
        keywords = ["ACME"]
        [[rules.allowlists]]
        stopwords = ["0000"]
        [[rules]]
        id = "look"
        regex = '''(?=x)y'''
        [[rules]]
        id = "in-env"
        regex = '''FLAG=(\w+)'''
        path = '''\.env$'''
        [[rules]]
        id = "github-pat"
        [rules.allowlist]
        regexTarget = "line"
        regexes = ['''fixture''']
        [allowlist]
        paths = ['''vendor/''']
        [[allowlists]]
        condition = "AND"
        stopwords = ["never"]
        regexes = ['''ever''']
    "##;
    let config = Config::from_gitleaks_toml(toml).expect("the format is right");
    assert_eq!(config.warnings().len(), 1);
    assert!(config.warnings()[0].to_string().starts_with("unusable regex in rule 'look': look-around"));
    let redactor = Redactor::new(Key::new([7; 32]), Options { home: None, config: Some(config) });
    let own = text(&redactor, "x acme<eu>-12ab34cd56ef y");
    assert!(own.starts_with("x acme<eu>-[[redacted:acme-key:") && own.ends_with("]] y"), "{own}");
    assert_eq!(text(&redactor, &own), own);
    for kept in ["acme<eu>-00001234abcd", "FLAG=abcdef", &secrets()[4], &format!("{} # fixture", secrets()[0])] {
        assert_eq!(text(&redactor, kept), *kept);
    }
    assert_eq!(redactor.file("a/.env", &b"FLAG=abcdef"[..]).findings()[0].rule, "in-env");
    assert!(redactor.file("vendor/x", secrets()[0].as_bytes()).findings().is_empty());
    assert!(!text(&redactor, &secrets()[0]).contains(&secrets()[0]));
    assert!(Config::from_gitleaks_toml("[[rules").is_err());
    assert!(Config::from_gitleaks_toml(&"#".repeat(2 << 20)).is_err());
}

#[test]
fn the_allow_comment_counts_in_files_only() {
    let redactor = redactor();
    let (one, other) = (&secrets()[0], &secrets()[1]);
    let body = format!("a = {one} // gitleaks:allow\nb = {other}\n");
    let file = redactor.file("src/x.rs", body.as_bytes()).into_inner();
    let file = String::from_utf8(file).expect("redaction keeps UTF-8");
    assert!(file.contains(one) && !file.contains(other), "{file}");
    // A stranger whose page a tool fetched could write the comment.
    let told = text(&redactor, &body);
    assert!(!told.contains(one) && !told.contains(other), "{told}");
    let line = format!("{one} gitleaks:allow");
    assert!(!redactor.line(&line).into_inner().contains(one));
    assert!(!json_text(&redactor, &json!({ "x": line }).to_string()).contains(one));
    assert!(!json_text(&redactor, &line).contains(one));
    assert_eq!(redactor.scan(line.as_bytes()).len(), 1);
}

#[test]
fn markers_are_left_alone_whatever_a_rule_matches() {
    let own = with_rules(
        r#"
        [[rules]]
        id = "ticket"
        regex = '''ticket: (\S+)'''
    "#,
    );
    let once = text(&own, "ticket: abcdef");
    assert!(once.starts_with("ticket: [[redacted:ticket:"), "{once}");
    // It is not marked again at every write.
    assert_eq!(text(&own, &once), once);
    assert!(own.scan(once.as_bytes()).is_empty());
    // What stands beside a marker goes; the marker, which names another secret, stays.
    let marker = "[[redacted:github-pat:1f0c9a3b]]";
    let alone = format!("ticket: {marker}");
    assert_eq!(text(&own, &alone), alone);
    for body in [format!("ticket: left{marker}right"), json!({ "x": format!("ticket: left{marker}right") }).to_string()]
    {
        for redact in [text, json_text] {
            let once = redact(&own, &body);
            assert!(!once.contains("left") && !once.contains("right"), "{once}");
            assert!(once.contains(marker), "{once}");
            assert_eq!(redact(&own, &once), once);
        }
    }
}

/// A redactor with rules of the repository.
fn with_rules(toml: &str) -> Redactor {
    let config = Config::from_gitleaks_toml(toml).expect("the format is right");
    let options = Options { home: None, config: Some(config) };
    Redactor::new(Key::new([7; 32]), options)
}

#[test]
fn patterns_that_cannot_be_used_are_named_at_once() {
    let toml = r#"
        [[rules]]
        id = "huge"
        regex = '''(([a-z0-9]{500}){500}){500}'''
        [[rules]]
        id = "huge-path"
        regex = '''x'''
        path = '''(?:a{900}){900}'''
        [[rules]]
        id = "good"
        regex = '''good-[a-z0-9]{10}'''
        [[rules.allowlists]]
        condition = "AND"
        regexes = ['''(b{900}){900}''']
        stopwords = ["zz"]
    "#;
    let config = Config::from_gitleaks_toml(toml).expect("the format is right");
    let warnings: Vec<String> = config.warnings().iter().map(|w| w.to_string()).collect();
    assert_eq!(
        warnings,
        [
            "unusable regex in rule 'huge': the pattern grows too large",
            "unusable path in rule 'huge-path': the pattern grows too large",
            "unusable allowlist regex in rule 'good': the pattern grows too large",
        ]
    );
    // An allow list that asks for two things is not content with one because the other cannot be used.
    assert!(!text(&with_rules(toml), "good-zz34567890").contains("zz34567890"));
    // A hostile configuration cannot make thousands of large patterns be compiled.
    let one = "[[rules]]\nid = \"x\"\nregex = '(([a-z0-9]{500}){500}){500}'\n";
    let config = Config::from_gitleaks_toml(&one.repeat(5000)).expect("the format is right");
    assert_eq!(config.warnings().len(), 5000);
    let last = config.warnings().last().map(|w| w.reason.as_str());
    assert_eq!(last, Some("too many large patterns came before"));
}
