//! Ids are no secrets: commits, UUIDs, ULIDs and the ids of providers survive, alone and in sentences.
use git_trace::redact::{Key, Options, Redactor};

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn of(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[(self.next() % alphabet.len() as u64) as usize])).collect()
    }
}

const HEX: &[u8] = b"0123456789abcdef";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[test]
fn a_hundred_thousand_ids_survive() {
    let redactor = Redactor::new(Key::new([1; 32]), Options::default());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut wrong = 0;
    let mut tried = 0;
    for round in 0..100_000u64 {
        let short = 7 + (round % 6) as usize;
        let uuid = [8, 4, 4, 4, 12].map(|n| random.of(HEX, n)).join("-");
        let kind = round % 8;
        let id = match kind {
            0 => random.of(HEX, 40),
            1 => random.of(HEX, 64),
            2 => random.of(HEX, short),
            3 => uuid,
            4 => format!("01{}", random.of(CROCKFORD, 24)),
            5 => format!("toolu_01{}", random.of(BASE62, 22)),
            6 => format!("msg_01{}", random.of(BASE62, 22)),
            _ => format!("req_011C{}", random.of(BASE62, 20)),
        };
        let texts = [
            id.clone(),
            format!("commit {id}\nAuthor: A <a@b.c>"),
            format!("{{\"uuid\":\"{id}\",\"parentUuid\":\"{id}\",\"sessionId\":\"{id}\"}}"),
            format!("tool_use_id: {id}, call_id={id}"),
            format!("HEAD is now at {id} fix the token parser; index {id}..{id} 100644"),
            format!("[main {id}] update auth\n https://example.org/o/r/commit/{id} sha256:{id} image@sha256:{id}"),
            format!("Trace-Entry: +{id} source=claude:{id} call={id}; cache_key={id} etag: \"{id}\""),
        ];
        for text in texts {
            tried += 1;
            for redacted in [redactor.text(text.as_bytes()), redactor.json(text.as_bytes())] {
                if !redacted.findings().is_empty() {
                    wrong += 1;
                    if wrong < 20 {
                        println!("{:?} {text}", redacted.findings());
                    }
                }
            }
        }
    }
    println!("{wrong} false of {tried} texts");
    assert_eq!(wrong, 0);
}
