//! The pages under `examples/` and the README say what the program really says.
//!
//! Every `console` block is run, in a repository of its own for each page: a line that begins with `$ ` is a command
//! (a line that begins with `> ` goes on with it), what follows is its whole answer. `GITTRACE_BLESS=1 cargo test pages`
//! writes the answers into the pages.

use std::path::{Path, PathBuf};

use crate::world::World;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn pages_tell_the_truth() {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(Path::new(PACKAGE).join("examples"))
        .expect("the folder of pages")
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.push(Path::new(PACKAGE).join("README.md"));
    let bless = std::env::var_os("GITTRACE_BLESS").is_some();
    let mut wrong = Vec::new();
    for page in &pages {
        let text = std::fs::read_to_string(page).expect("a page");
        let real = run_page(&text);
        assert!(!real.contains("error: internal"), "{}: a fault of ours is nothing to show: {real}", page.display());
        if real != text {
            if bless {
                std::fs::write(page, &real).expect("a page");
            } else {
                wrong.push(
                    similar::TextDiff::from_lines(&text, &real)
                        .unified_diff()
                        .header(&page.display().to_string(), "real")
                        .to_string(),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "pages that do not tell the truth:\n{}", wrong.join("\n"));
}

#[test]
fn every_subcommand_has_a_page() {
    let world = World::new("sha1");
    let help = world.ok(&["-h"]);
    let names =
        help.lines().filter_map(|line| line.strip_prefix("   ")).filter_map(|line| line.split_whitespace().next());
    let missing: Vec<&str> = names
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !name.starts_with('-'))
        .filter(|name| {
            let about = |page: PathBuf| {
                std::fs::read_to_string(page).is_ok_and(|text| text.contains(&format!("git trace {name}")))
            };
            !std::fs::read_dir(Path::new(PACKAGE).join("examples"))
                .expect("pages")
                .any(|page| page.is_ok_and(|page| about(page.path())))
        })
        .collect();
    assert!(missing.is_empty(), "no page shows {missing:?}");
}

/// Returns the page with the real answers in the place of those that it tells.
fn run_page(text: &str) -> String {
    let world = World::new("sha1");
    std::fs::copy(Path::new(PACKAGE).join("templates/demo/session.jsonl"), world.repo().join("session.jsonl"))
        .expect("the session");
    // The key of the markers is the repository's own secret; here it is the same each time.
    std::fs::create_dir_all(world.repo().join(".git/trace")).expect("our folder");
    std::fs::write(world.repo().join(".git/trace/redaction-key"), [7; 32]).expect("a key");
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    let mut inside = false;
    while let Some(line) = lines.next() {
        out += line;
        out.push('\n');
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ => {}
        }
        let Some(mut command) = line.strip_prefix("$ ").filter(|_| inside).map(str::to_owned) else { continue };
        while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
            out += more;
            out.push('\n');
            command += &format!("\n{}", &more[2..]);
        }
        while lines.next_if(|line| !line.starts_with("$ ") && *line != "```").is_some() {}
        out += &answer(&world, &command);
    }
    out
}

fn answer(world: &World, command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_git-trace")).parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&path))).expect("a search path");
    let output =
        world.command("bash", &world.repo()).env("PATH", path).args(["-c", &format!("exec 2>&1\n{command}")]).output();
    let output = output.expect("bash starts");
    let mut text = String::from_utf8_lossy(&output.stdout).replace(&world.root().display().to_string(), "");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
