//! The house keeps its walls: who may use whom, who may name gix, start processes, print.

use std::path::{Path, PathBuf};

/// Which rooms a room may use; any other arrow is a fault. Written down in `src/ARCHITECTURE.md` too.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("codec", &["model"]),
    ("tokens", &["model"]),
    ("redact", &[]),
    ("store", &["codec", "model", "redact"]),
    ("capture", &["codec", "model"]),
    ("export", &["codec", "model"]),
    ("drivers", &["model", "tokens"]),
    ("merge", &["codec", "model"]),
    ("install", &["capture"]),
    ("link", &["model"]),
    ("workflow", &["model"]),
    ("run", &["model"]),
    (
        "ops",
        &[
            "capture", "codec", "drivers", "export", "install", "link", "merge", "model", "redact", "run", "store",
            "tokens", "workflow",
        ],
    ),
    ("ui", &["model"]),
    ("commands", &["export", "model", "ops", "run", "tokens", "ui", "workflow"]),
];

/// The files that may start a process: git for what gix cannot do, programs that sign, programs that are drivers, the
/// editor and the pager.
const STARTERS: [&str; 6] =
    ["drivers/process.rs", "store/git.rs", "store/git/network.rs", "store/sign.rs", "ui/editor.rs", "ui/pager.rs"];

#[test]
fn rooms_use_only_what_they_may() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(room) = source.room() else { continue };
        let (_, allowed) =
            ARROWS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("no row for '{room}'"));
        for (line, used) in source.arrows() {
            if used != room && !allowed.contains(&used.as_str()) && is_room(&used) {
                wrong.push(format!("src/{}:{line}: {room} -> {used}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that are not allowed:\n{}", wrong.join("\n"));
}

#[test]
fn arrows_are_seen_however_they_are_written() {
    let text = "use crate::{\n    codec::Meta,\n    store::{HEAD, Repo},\n};\n// crate::capture\nfn f() { crate::tokens::x(); \
                super::super::redact::y() }\n#[cfg(test)]\nmod tests {\n    use crate::ui::Ui;\n}\n";
    let source = Source { name: "ops/find.rs".to_owned(), code: code_of(text) };
    let found: Vec<String> = source.arrows().into_iter().map(|(_, used)| used).collect();
    assert_eq!(found, ["codec", "store", "tokens", "redact"]);
}

#[test]
fn the_table_is_the_one_that_people_read() {
    let text = std::fs::read_to_string(root().join("src/ARCHITECTURE.md")).expect("the front page");
    for (room, allowed) in ARROWS {
        let row = text.lines().find(|line| line.starts_with(&format!("| [`{room}`] |"))).expect("a row for each room");
        let uses = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let told: Vec<&str> = uses.split('`').skip(1).step_by(2).collect();
        if uses.trim() != "all above" {
            let mut told = told;
            told.sort_unstable();
            assert_eq!(&told, allowed, "the row of '{room}'");
        }
    }
}

#[test]
fn only_the_store_names_gix() {
    assert_nowhere("gix", |source| source.name.starts_with("store/"), |line| has_word(line, "gix"));
}

#[test]
fn only_few_files_start_processes() {
    let allowed = |source: &Source| STARTERS.contains(&source.name.as_str());
    let starts = |line: &str| line.contains("process::") && has_word(line, "Command");
    assert_nowhere("std::process::Command", allowed, starts);
    for starter in STARTERS {
        assert!(
            sources().iter().any(|source| source.name == starter && source.code.contains("process::")),
            "{starter}"
        );
    }
}

#[test]
fn only_the_terminal_prints() {
    let prints = |line: &str| {
        ["println!", "eprintln!", "print!", "eprint!", "dbg!"].iter().any(|name| line.contains(name))
            || line.contains("io::stdout")
            || line.contains("io::stderr")
    };
    assert_nowhere("printing", |source| source.name.starts_with("ui/"), prints);
}

#[test]
fn every_subcommand_has_a_help_snapshot() {
    let verbs = verbs();
    assert!(verbs.len() > 10, "{verbs:?}");
    let snapshots = root().join("tests/snapshots/help");
    let missing: Vec<&String> = verbs.iter().filter(|verb| !snapshots.join(format!("{verb}.txt")).is_file()).collect();
    assert!(missing.is_empty(), "no help snapshot of {missing:?}: run SNAPSHOTS=overwrite cargo test --test all help");
}

/// Returns the names of the subcommands, in the order of their table.
pub fn verbs() -> Vec<String> {
    let table = std::fs::read_to_string(root().join("src/commands/mod.rs")).expect("the table of subcommands");
    let rows = table.split("Verb { name: \"").skip(1);
    rows.filter_map(|row| Some(row.split_once('"')?.0.to_owned())).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn is_room(name: &str) -> bool {
    ARROWS.iter().any(|(room, _)| *room == name)
}

fn assert_nowhere(what: &str, allowed: impl Fn(&Source) -> bool, is: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !allowed(source)) {
        for (at, line) in source.code.lines().enumerate().filter(|(_, line)| is(line)) {
            wrong.push(format!("src/{}:{}: {}", source.name, at + 1, line.trim()));
        }
    }
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

fn has_word(line: &str, word: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(inside)
            && !line[at + word.len()..].chars().next().is_some_and(inside)
    })
}

/// Holds a source file without its comments and tests.
struct Source {
    /// Path below `src`, with `/`.
    name: String,
    code: String,
}

impl Source {
    /// Returns the room that the file belongs to; `main.rs` and `lib.rs` belong to none.
    fn room(&self) -> Option<&str> {
        self.name.split_once('/').map(|(room, _)| room)
    }

    /// Returns the modules at the root of the crate that the file names, with their lines.
    fn arrows(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let depth = self.name.split('/').count() - usize::from(self.name.ends_with("/mod.rs"));
        for root in ["crate::".to_owned(), "super::".repeat(depth)] {
            for (at, _) in self.code.match_indices(&root) {
                let line = self.code[..at].matches('\n').count() + 1;
                found.extend(first_names(&self.code[at + root.len()..]).into_iter().map(|name| (line, name)));
            }
        }
        found
    }
}

/// Returns the first names of a path, or of the paths in a group.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        let end = text.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(text.len());
        text[..end].to_owned()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = Vec::new();
    let (mut depth, mut begins) = (0, true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            character if begins && !character.is_whitespace() => {
                names.push(name(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut found = Vec::new();
    for file in walkdir::WalkDir::new(&src).sort_by_file_name().into_iter().filter_map(Result::ok) {
        let Ok(below) = file.path().strip_prefix(&src) else { continue };
        let name = below.to_string_lossy().replace('\\', "/");
        if name.ends_with(".rs") && !is_apart(&name) {
            let text = std::fs::read_to_string(file.path()).expect("a source file");
            found.push(Source { code: code_of(&text), name });
        }
    }
    assert!(found.len() > 100, "the sources are there");
    found
}

/// Tells whether a file is a test, or part of the build script.
fn is_apart(name: &str) -> bool {
    let file = Path::new(name).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folders = name.split('/').any(|part| part == "tests");
    folders || file == "tests.rs" || file.ends_with("_tests.rs") || name.starts_with("tokens/build/")
}

/// Tells whether an attribute stands before the tests of a file.
fn begins_tests(text: &str) -> bool {
    text.lines().find(|line| !line.starts_with("#[")).is_some_and(|line| line.ends_with("mod tests {"))
}

/// Blanks out comments, and the tests at the end of a file; lines keep their numbers.
fn code_of(text: &str) -> String {
    let is_test = |at: &usize| text[*at..].lines().next().is_some_and(|line| line.contains("test"));
    let mut ends = text.match_indices("#[cfg(").map(|(at, _)| at).filter(is_test);
    let end = ends.find(|at| begins_tests(&text[*at..])).unwrap_or(text.len());
    let code = |line: &str| {
        let line = if line.trim_start().starts_with("//") { "" } else { line };
        line.split_once(" // ").map_or(line, |(code, _)| code).to_owned()
    };
    text[..end].lines().map(code).collect::<Vec<_>>().join("\n")
}
