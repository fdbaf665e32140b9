//! What the program says of itself. `SNAPSHOTS=overwrite cargo test --test all help` takes new texts over.

use std::path::Path;

use snapbox::{Assert, Data};

use crate::rooms::verbs;
use crate::world::World;

fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    Assert::new()
        .action_env("SNAPSHOTS")
        .eq(text.to_owned(), Data::read_from(&path, Some(snapbox::data::DataFormat::Text)));
}

#[test]
fn help_is_as_it_was_read_and_found_good() {
    let world = World::new("sha1");
    let help = |arguments: &[&str]| {
        let mut command = world.trace(arguments);
        command.env("COLUMNS", "100");
        String::from_utf8(command.output().expect("it starts").stdout).expect("text")
    };
    assert_snapshot("help/git-trace.txt", &help(&["-h"]));
    for verb in verbs() {
        assert_snapshot(&format!("help/{verb}.txt"), &help(&[&verb, "-h"]));
    }
    assert_eq!(help(&["help"]), help(&["--help"]));
    assert_eq!(help(&["help", "log"]), help(&["log", "--help"]));
}

#[test]
fn help_needs_no_repository_and_fits_a_terminal() {
    let world = World::new("sha1");
    for verb in [vec!["-h"]].into_iter().chain(verbs().iter().map(|verb| vec![verb.as_str(), "-h"])) {
        let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), Path::new("/"));
        let output = command.args(&verb).env("COLUMNS", "80").output().expect("it starts");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && output.stderr.is_empty(), "{verb:?}");
        let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(long.is_empty(), "{verb:?}: {long:?}");
        assert!(text.contains("Usage: git trace"), "{verb:?}: {text}");
    }
    let output = world.trace(&["--version"]).output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), concat!("git-trace ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn every_subcommand_has_a_manual_page_and_is_completed() {
    let world = World::new("sha1");
    let folder = world.root().join("man1");
    world.ok(&["install-man", folder.to_str().expect("UTF-8")]);
    for verb in verbs() {
        let page = std::fs::read_to_string(folder.join(format!("git-trace-{verb}.1"))).expect("a page for each");
        assert!(page.contains(".SH SYNOPSIS") && page.contains(".SH OPTIONS"), "{verb}");
    }
    let top = std::fs::read_to_string(folder.join("git-trace.1")).expect("the page of the program");
    for shell in ["bash", "zsh", "fish"] {
        let script = world.ok(&["completions", shell]);
        for verb in verbs() {
            assert!(script.contains(verb.as_str()), "{shell}: {verb}");
            assert!(top.contains(&verb.replace('-', "\\-")), "{verb}");
        }
        assert!(script.contains("--oneline") || script.contains("oneline"), "{shell} knows options");
    }
}
