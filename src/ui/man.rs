//! Manual pages, so that `git trace --help` opens one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Command;

/// Levels of subcommands that are followed; the command line has three.
const DEPTH: usize = 8;

/// Holds one manual page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The file's name: `git-trace.1`, `git-trace-log.1`, `git-trace-workflow-list.1`.
    pub file_name: String,
    /// The page in the language of man(7).
    pub text: Vec<u8>,
}

/// Says that a manual page could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write '{}'", path.display())]
pub struct ManError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// Renders the page of a command and of each of its subcommands that are not hidden, the command itself first.
pub fn pages(command: Command) -> Vec<Page> {
    let mut top = command.disable_help_subcommand(true).bin_name("git trace").display_name("git-trace");
    top.build();
    let source = format!("git-trace {}", top.get_version().unwrap_or_default());
    let mut pages = Vec::new();
    render(top, &source, DEPTH, &mut pages);
    pages
}

/// Writes the pages into a folder, which is made when it is missing; pages that are there are replaced.
///
/// # Errors
/// When the folder or a page cannot be written.
pub fn install(command: Command, folder: &Path) -> Result<Vec<PathBuf>, ManError> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        |source| ManError { path, source }
    };
    fs::create_dir_all(folder).map_err(fault(folder))?;
    let mut written = Vec::new();
    for page in pages(command) {
        let path = folder.join(page.file_name);
        fs::write(&path, page.text).map_err(fault(&path))?;
        written.push(path);
    }
    Ok(written)
}

/// Returns the folder in which man(1) looks for the pages of a binary: `<prefix>/share/man/man1` for
/// `<prefix>/bin/git-trace`.
///
/// That is the rule of man-db (manpath(5)) and of BSD's man for a `bin` in `PATH`. `None` when the binary is in no
/// folder named `bin`, or in that of the system's package manager (`/bin`, `/usr/bin`).
pub fn folder_for(binary: &Path) -> Option<PathBuf> {
    let bin = binary.parent()?;
    let is_systems = [Path::new("/bin"), Path::new("/usr/bin")].contains(&bin);
    if is_systems || bin.file_name()? != "bin" {
        return None;
    }
    Some(bin.parent()?.join("share/man/man1"))
}

fn render(command: Command, source: &str, depth: usize, pages: &mut Vec<Page>) {
    let man = clap_mangen::Man::new(command.clone()).source(source).manual("Git Trace Manual");
    let mut text = Vec::new();
    man.render(&mut text).expect("a vector takes whatever is written");
    pages.push(Page { file_name: man.get_filename(), text });
    let Some(depth) = depth.checked_sub(1) else { return };
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        render(subcommand.clone(), source, depth, pages);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process;

    use super::*;
    use crate::ui::tests::command;

    #[test]
    fn every_subcommand_has_a_page() {
        let names: Vec<String> = pages(command()).into_iter().map(|page| page.file_name).collect();
        assert_eq!(
            names,
            [
                "git-trace.1",
                "git-trace-log.1",
                "git-trace-workflow.1",
                "git-trace-workflow-list.1",
                "git-trace-cherry-pick.1"
            ],
            "and hidden ones have none"
        );
    }

    #[test]
    fn pages_go_beside_the_binary_but_not_into_the_systems_folders() {
        let folder = |binary: &str| folder_for(Path::new(binary));
        assert_eq!(folder("/home/a/.cargo/bin/git-trace"), Some("/home/a/.cargo/share/man/man1".into()));
        assert_eq!(folder("/usr/local/bin/git-trace"), Some("/usr/local/share/man/man1".into()));
        assert_eq!(folder("/usr/bin/git-trace"), None);
        assert_eq!(folder("/src/target/debug/git-trace"), None);
    }

    #[test]
    fn git_opens_the_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let bin = folder.path().join("bin");
        let binary = bin.join("git-trace");
        fs::create_dir_all(&bin).expect("a folder");
        fs::write(&binary, "#!/bin/sh\nexit 9\n").expect("a file");
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).expect("ours");
        install(command(), &folder_for(&binary).expect("a bin")).expect("it can be written");

        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let run = |program: &str, arguments: &[&str]| {
            let mut run = process::Command::new(program);
            run.args(arguments).env("PATH", &path).env_remove("MANPATH").env("MANPAGER", "cat").env("MANWIDTH", "100");
            run.env("GIT_CONFIG_GLOBAL", "/dev/null").env("HOME", folder.path()).env("LC_ALL", "C").output()
        };
        let is_there = run("man", &["--version"]).is_ok_and(|output| output.status.success());
        if !is_there {
            println!("skipped: man-db is not installed");
            return;
        }
        for (arguments, promise) in [
            (&["trace", "--help"][..], "git-trace - Versions contexts"),
            (&["help", "trace"], "git-trace - Versions contexts"),
            (&["help", "git-trace-log"], "git trace log [--oneline]"),
        ] {
            let output = run("git", arguments).expect("git runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text.contains(promise), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
