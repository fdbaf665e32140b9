//! What a text names that cannot be said in other words: paths, identifiers, numbers, addresses, error codes.

/// Says what kind of thing an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityKind {
    /// A file or a folder: `src/main.rs`, `Cargo.toml`, `~/notes`.
    Path,
    /// A name in code, a flag, a hash: `open_repo`, `EntryId`, `--dry-run`, `3fa9bc1`.
    Identifier,
    /// A number of two digits or more, a version, a date: `8080`, `1.13.3`, `2026-11-20`.
    Number,
    /// An address: `https://example.com/x`.
    Url,
    /// The name of a fault: `E0308`, `ENOENT`, `TypeError`.
    ErrorCode,
}

impl EntityKind {
    /// Every kind, in the order of reports.
    pub const ALL: [EntityKind; 5] =
        [EntityKind::Path, EntityKind::Identifier, EntityKind::Number, EntityKind::Url, EntityKind::ErrorCode];

    /// Returns the kind's name in reports: `path`, `identifier`, `number`, `url`, `error-code`.
    pub const fn name(self) -> &'static str {
        match self {
            EntityKind::Path => "path",
            EntityKind::Identifier => "identifier",
            EntityKind::Number => "number",
            EntityKind::Url => "url",
            EntityKind::ErrorCode => "error-code",
        }
    }
}

/// Holds one mention of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entity<'a> {
    /// What it is.
    pub kind: EntityKind,
    /// Its name, as it stands in the text.
    pub text: &'a str,
}

/// Finds the entities of a text, in their order, each as often as it is mentioned.
///
/// Line numbers that a tool puts before the lines of a file (`  12→`) are none. The time is linear in the text.
///
/// ```
/// use git_trace::drivers::{EntityKind, entities};
///
/// let found = entities("error[E0308] in src/main.rs:12: use open_repo on port 8080");
/// let names: Vec<&str> = found.iter().map(|entity| entity.text).collect();
/// assert_eq!(names, ["E0308", "src/main.rs", "12", "open_repo", "8080"]);
/// assert_eq!(found[1].kind, EntityKind::Path);
/// ```
pub fn entities(text: &str) -> Vec<Entity<'_>> {
    let mut found = Vec::new();
    for_each(text, &mut |entity| found.push(entity));
    found
}

/// Endings that make a bare name a file's.
const ENDINGS: [&str; 76] = [
    "adoc", "bak", "bash", "bat", "bin", "c", "cc", "cfg", "cjs", "conf", "cpp", "cs", "css", "csv", "dart", "db",
    "diff", "env", "erl", "ex", "exs", "fish", "go", "gradle", "graphql", "h", "hpp", "hs", "html", "ini", "ipynb",
    "java", "jpg", "js", "json", "jsonl", "jsx", "kt", "less", "lock", "log", "lua", "md", "mdx", "mjs", "mk", "ml",
    "patch", "pdf", "php", "pl", "png", "proto", "ps1", "py", "pyi", "rb", "rs", "rst", "sass", "scala", "scss", "sh",
    "sql", "svelte", "svg", "swift", "tex", "toml", "ts", "tsx", "txt", "vue", "xml", "yaml", "yml",
];

/// Numbers of the C library's `errno`, as programs print them.
const ERRNO: [&str; 28] = [
    "EACCES",
    "EADDRINUSE",
    "EAGAIN",
    "EBADF",
    "EBUSY",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EEXIST",
    "EHOSTUNREACH",
    "EINTR",
    "EINVAL",
    "EIO",
    "EISDIR",
    "ELOOP",
    "EMFILE",
    "ENOENT",
    "ENOMEM",
    "ENOSPC",
    "ENOSYS",
    "ENOTDIR",
    "ENOTEMPTY",
    "ENOTFOUND",
    "EPERM",
    "EPIPE",
    "EROFS",
    "ETIMEDOUT",
    "EXDEV",
];

/// Calls `found` for each mention, in order.
pub(super) fn for_each<'a>(text: &'a str, found: &mut impl FnMut(Entity<'a>)) {
    let mut at = 0;
    while let Some(start) = text[at..].find(is_inside).map(|skip| at + skip) {
        let rest = &text[start..];
        let end = start + rest.find(|character| !is_inside(character)).unwrap_or(rest.len());
        let chunk = &text[start..end];
        at = end;
        if let Some(scheme) = chunk.find("://").filter(|scheme| is_scheme(&chunk[..*scheme])) {
            let word =
                chunk[..scheme].rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
            let begin = start + scheme - word.len();
            let address = &text[begin..];
            let len = address.find(ends_address).unwrap_or(address.len());
            at = (begin + len).max(end);
            let address = address[..len].trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_']);
            found(Entity { kind: EntityKind::Url, text: address });
        } else if !is_line_number(chunk, &text[end..]) {
            classify(chunk, found);
        }
    }
}

/// Tells whether a character may be part of an entity.
fn is_inside(character: char) -> bool {
    match character {
        '_' | '-' | '.' | '/' | ':' | '~' | '\\' | '@' | '+' => true,
        _ if character.is_ascii() => character.is_ascii_alphanumeric(),
        _ => character.is_alphanumeric(),
    }
}

fn ends_address(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '<' | '>' | ')' | ']' | '}' | '|' | '\\')
}

fn is_scheme(before: &str) -> bool {
    let word = before.rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    (2..=12).contains(&word.len()) && word.starts_with(|letter: char| letter.is_ascii_alphabetic())
}

fn is_line_number(chunk: &str, after: &str) -> bool {
    after.starts_with(['→', '\t']) && chunk.bytes().all(|byte| byte.is_ascii_digit())
}

/// Names what one run of characters is; a run that is no path is looked at in its parts.
fn classify<'a>(chunk: &'a str, found: &mut impl FnMut(Entity<'a>)) {
    let chunk = chunk.trim_end_matches(['.', ':', '-', '+', '@', '\\']).trim_start_matches([':', '@', '+']);
    if chunk.len() < 2 {
        return;
    }
    let (name, place) = without_place(chunk);
    if is_path(name) {
        found(Entity { kind: EntityKind::Path, text: name });
        place.split(':').filter(|number| number.len() > 1).for_each(|text| {
            found(Entity { kind: EntityKind::Number, text });
        });
        return;
    }
    let splits = |character: char| matches!(character, '/' | '\\' | '@' | '+' | '~');
    for piece in chunk.split(splits) {
        // `::` belongs to a name, a single colon does not.
        if piece.contains("::") {
            name_of(piece, found);
        } else {
            piece.split(':').for_each(|piece| name_of(piece, found));
        }
    }
}

/// Splits `src/main.rs:12:5` behind the name of the file.
fn without_place(chunk: &str) -> (&str, &str) {
    match chunk.find(':') {
        Some(at) if chunk[at..].bytes().all(|byte| byte == b':' || byte.is_ascii_digit()) => {
            (&chunk[..at], &chunk[at + 1..])
        }
        _ => (chunk, ""),
    }
}

fn is_path(text: &str) -> bool {
    if text.contains("::") || !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let drive = text.as_bytes();
    if drive.len() > 3 && drive[0].is_ascii_alphabetic() && drive[1] == b':' && matches!(drive[2], b'\\' | b'/') {
        return true;
    }
    if text.contains([':', '\\']) {
        return false;
    }
    let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_file = last.rsplit_once('.').is_some_and(|(stem, ending)| {
        ENDINGS.binary_search(&ending).is_ok() && stem.bytes().any(|byte| byte.is_ascii_alphanumeric())
    });
    let slashes = text.bytes().filter(|byte| *byte == b'/').count();
    if slashes == 0 {
        return is_file && text.len() > 3;
    }
    // `and/or` and `read/write` are words; `src/ops`, `/tmp` and `a/b/c` are paths.
    let rooted = text.starts_with(['/', '~']) || text.starts_with("./") || text.starts_with("../");
    let words = !rooted && slashes == 1 && text.bytes().all(|byte| byte == b'/' || byte.is_ascii_lowercase());
    is_file || (rooted && text.len() > 3) || (!words && text.len() > 4 && !text.contains("//"))
}

/// Names what a word is, where it is more than a word.
fn name_of<'a>(piece: &'a str, found: &mut impl FnMut(Entity<'a>)) {
    let flag = piece.starts_with("--");
    let text = if flag { piece } else { piece.trim_start_matches(['-', '.', '_']) };
    let text = text.trim_end_matches(['-', '.', ':']);
    if text.len() >= 2
        && let Some(kind) = kind_of(text, flag)
    {
        found(Entity { kind, text });
    }
}

fn kind_of(text: &str, flag: bool) -> Option<EntityKind> {
    let bytes = text.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if flag {
        return (letters > 1).then_some(EntityKind::Identifier);
    }
    if is_error(text) {
        return Some(EntityKind::ErrorCode);
    }
    if bytes[0].is_ascii_digit() && digits >= 2 {
        let hash = letters > 0 && text.len() >= 7 && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
        let hexadecimal = text.starts_with("0x");
        if !hash && (letters <= 3 || hexadecimal) {
            return Some(EntityKind::Number);
        }
    }
    if letters == 0 || text.len() < 4 {
        return None;
    }
    let inner = |mark: u8| bytes[1..bytes.len() - 1].contains(&mark);
    let camel = bytes.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let dotted = inner(b'.') && text.split('.').all(|part| part.len() > 1 && !part.as_bytes()[0].is_ascii_digit());
    let named = inner(b'_') || camel || dotted || text.contains("::") || (digits > 0 && letters > 0);
    named.then_some(EntityKind::Identifier)
}

fn is_error(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !bytes[0].is_ascii_uppercase() {
        return false;
    }
    if text.len() > 6 && (text.ends_with("Error") || text.ends_with("Exception")) {
        return true;
    }
    if ERRNO.binary_search(&text).is_ok() || text.starts_with("ERR_") {
        return true;
    }
    if text.len() > 5 && text.starts_with("SIG") && bytes.iter().all(u8::is_ascii_uppercase) {
        return true;
    }
    // `E0308`, `TS2304`, `CVE-2024-1234`: capitals, then digits.
    let capitals = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let number = &bytes[capitals..];
    let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
    capitals <= 8
        && digits >= if capitals == 1 { 3 } else { 2 }
        && number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(text: &str) -> Vec<(&'static str, &str)> {
        entities(text).into_iter().map(|entity| (entity.kind.name(), entity.text)).collect()
    }

    #[test]
    fn tables_are_sorted_for_their_search() {
        assert!(ENDINGS.is_sorted() && ERRNO.is_sorted());
    }

    #[test]
    fn every_kind_is_found_and_words_are_not() {
        assert_eq!(
            named("See https://example.com/a?b=1&c=2, then open `src/store/mod.rs:41:7` and/or Cargo.toml."),
            [
                ("url", "https://example.com/a?b=1&c=2"),
                ("path", "src/store/mod.rs"),
                ("number", "41"),
                ("path", "Cargo.toml")
            ]
        );
        assert_eq!(
            named("TypeError and ENOENT at port=8080, version 1.13.3, on 2026-11-20, took 75ms"),
            [
                ("error-code", "TypeError"),
                ("error-code", "ENOENT"),
                ("number", "8080"),
                ("number", "1.13.3"),
                ("number", "2026-11-20"),
                ("number", "75ms")
            ]
        );
        assert_eq!(
            named("self.open_repo() Vec::new EntryId MAX_LEN --dry-run 3fa9bc1 os.path sha256"),
            [
                ("identifier", "self.open_repo"),
                ("identifier", "Vec::new"),
                ("identifier", "EntryId"),
                ("identifier", "MAX_LEN"),
                ("identifier", "--dry-run"),
                ("identifier", "3fa9bc1"),
                ("identifier", "os.path"),
                ("identifier", "sha256")
            ]
        );
        assert_eq!(named("a plain sentence, e.g. one with 3 words. Well-kept state-of-the-art. I/O -- ok?"), []);
        assert_eq!(named("    12→let port = 8080;\n13\tfn x"), [("number", "8080")]);
        assert_eq!(
            named(r"C:\Users\x and ~/notes and /tmp/x"),
            [("path", r"C:\Users\x"), ("path", "~/notes"), ("path", "/tmp/x")]
        );
    }

    proptest! {
        #[test]
        fn anything_can_be_read(text in r#"([a-zA-Z0-9_./:~\\@+ \n\t"'`<>()äß→-]|://|::|https|\PC){0,200}"#) {
            let mut end = text.as_ptr() as usize;
            for entity in entities(&text) {
                prop_assert!(!entity.text.is_empty());
                let start = entity.text.as_ptr() as usize;
                prop_assert!(start >= end, "in order, without overlap");
                end = start + entity.text.len();
            }
        }
    }

    #[test]
    fn long_runs_take_linear_time() {
        for text in ["a:/".repeat(1_000_000), "://".repeat(1_000_000), "http://".repeat(500_000), "1".repeat(3_000_000)]
        {
            let started = std::time::Instant::now();
            entities(&text);
            assert!(started.elapsed().as_secs() < 5, "{}", &text[..6]);
        }
    }
}
