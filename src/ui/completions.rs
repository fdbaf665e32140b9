//! Completion scripts, for `git-trace …` and for `git trace …` through git's own completion.

use std::str::FromStr;

use clap::Command;
use clap_complete::aot::{Bash, Fish, Generator, Zsh};

/// Names a shell that completions can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// Put it as `git-trace` into `~/.local/share/bash-completion/completions`, where git's completion finds it.
    Bash,
    /// Put it as `_git-trace` into a folder of `$fpath`.
    Zsh,
    /// Put it as `git-trace.fish` into `~/.config/fish/conf.d`, which is read at the start: fish looks for the
    /// completions of `git` in `git.fish` only.
    Fish,
}

/// Says that a shell is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no completions for shell '{name}': known are bash, zsh and fish")]
pub struct ShellError {
    /// The name as given.
    pub name: String,
}

impl FromStr for Shell {
    type Err = ShellError;

    fn from_str(name: &str) -> Result<Self, ShellError> {
        match name {
            "bash" => Ok(Shell::Bash),
            "zsh" => Ok(Shell::Zsh),
            "fish" => Ok(Shell::Fish),
            _ => Err(ShellError { name: name.to_owned() }),
        }
    }
}

impl Shell {
    /// Returns the name of the file in which the shell looks.
    pub const fn file_name(self) -> &'static str {
        match self {
            Shell::Bash => "git-trace",
            Shell::Zsh => "_git-trace",
            Shell::Fish => "git-trace.fish",
        }
    }
}

/// Writes the completion script of a command for a shell.
pub fn script(command: Command, shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(command) + BASH,
        Shell::Zsh => {
            let script = generated(command, Zsh, "git-trace");
            // The first line must stay `#compdef git-trace`.
            let (head, rest) = script.split_once('\n').unwrap_or((&script, ""));
            format!("{head}\n{ZSH}{rest}")
        }
        Shell::Fish => generated(command, Fish, "git-trace") + FISH,
    }
}

/// Git's completion calls `_git_trace` with its own variables (`words`, `cword`, `cur`, `prev`, `__git_cmd_idx`), and
/// registered `git` with `nospace`, so that the space after a finished word is ours to add.
const BASH: &str = r#"
_git_trace() {
    local at="${__git_cmd_idx:-1}"
    local -a COMP_WORDS=("git-trace" "${words[@]:at+1}")
    local COMP_CWORD=$((cword - at))
    local before="$prev"
    if ((COMP_CWORD == 1)); then before="git-trace"; fi
    _gittrace "git-trace" "$cur" "$before"
    local i
    for i in "${!COMPREPLY[@]}"; do
        case "${COMPREPLY[i]}" in
            *=|*/|*' ') ;;
            *) if [[ ! -d "${COMPREPLY[i]}" ]]; then COMPREPLY[i]+=" "; fi ;;
        esac
    done
}
"#;

const ZSH: &str = "#
# To have 'git <TAB>' offer it too, put this line into ~/.zshrc:
#   zstyle ':completion:*:*:git:*' user-commands trace:'version the contexts of agents'
";

/// What follows `git trace` is completed as what follows `git-trace`; the conditions are of fish's own `git.fish`.
const FISH: &str = r#"
function __fish_git_trace_delegated
    set -l words (commandline -opc)
    set -l at (contains -i -- trace $words)
    set -l rest (string escape -- $words[(math $at + 1)..-1])
    complete -C "git-trace $rest "(commandline -ct)
end
complete -c git -n __fish_git_needs_command -f -a trace -d 'Version the contexts of agents'
complete -c git -n '__fish_git_using_command trace' -f -a '(__fish_git_trace_delegated)'
"#;

/// Makes bash's script under a name without a hyphen: with one, clap_complete 4.6 gives a subcommand two different names
/// in the two halves of the script, and offers nothing after it.
fn bash(command: Command) -> String {
    let script = generated(command, Bash, "gittrace");
    let lines = script.lines().map(|line| match line.strip_suffix(" gittrace") {
        Some(head) if head.trim_start().starts_with("complete ") => format!("{head} git-trace\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

fn generated(mut command: Command, shell: impl Generator, name: &str) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    // The generators write text; the replacement never happens.
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command as Process;

    use super::*;
    use crate::ui::tests::command;

    /// Runs a script in a shell that knows of no user; `None` when the shell is not installed.
    fn run(shell: &str, arguments: &[&str], folder: &Path) -> Option<String> {
        let mut process = Process::new(shell);
        process.args(arguments).current_dir(folder).env("HOME", folder).env("XDG_CONFIG_HOME", folder.join("config"));
        process.env("XDG_DATA_HOME", folder.join("data")).env("TERM", "dumb");
        let Ok(output) = process.output() else {
            println!("skipped: {shell} is not installed");
            return None;
        };
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Some(text)
    }

    /// Asks bash, with Debian's git completion, what follows a line.
    fn bash_offers(line: &str) -> Option<Vec<String>> {
        const LOADER: &str = "/usr/share/bash-completion/bash_completion";
        if !Path::new(LOADER).exists() || !Path::new("/usr/share/bash-completion/completions/git").exists() {
            println!("skipped: bash-completion is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let completions = folder.path().join("data/bash-completion/completions");
        fs::create_dir_all(&completions).expect("a folder");
        fs::write(completions.join(Shell::Bash.file_name()), script(command(), Shell::Bash)).expect("a file");
        let ask = format!(
            r#". {LOADER}; _completion_loader git; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}
            read -ra COMP_WORDS <<< "$COMP_LINE"; [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
            COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            case $COMP_LINE in
                git-trace*) _completion_loader git-trace; "$(complete -p git-trace | grep -o "_[a-z_]*")" git-trace "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}" ;;
                *) __git_wrap__git_main ;;
            esac
            printf '%s|\n' "${{COMPREPLY[@]}}""#
        );
        let offered = run("bash", &["--norc", "--noprofile", "-c", &ask], folder.path())?;
        Some(offered.lines().map(str::to_owned).collect())
    }

    #[test]
    fn bash_completes_through_gits_own_completion() {
        let Some(offered) = bash_offers("git trace ") else { return };
        for name in ["log |", "workflow |"] {
            assert!(offered.iter().any(|line| line == name), "{offered:?}");
        }
        let offered = bash_offers("git trace log --").unwrap_or_default();
        assert!(offered.iter().any(|line| line == "--oneline |"), "{offered:?}");
        assert!(!offered.iter().any(|line| line.starts_with("workflow")), "{offered:?}");
        let offered = bash_offers("git -C . trace workflow li").unwrap_or_default();
        assert_eq!(offered, ["list |"]);
        let offered = bash_offers("git trace cherry-pick --con").unwrap_or_default();
        assert_eq!(offered, ["--continue |"]);
        let offered = bash_offers("git-trace log --one").unwrap_or_default();
        assert_eq!(offered, ["--oneline|"]);
    }

    #[test]
    fn fish_completes_after_git_trace() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(Shell::Fish.file_name());
        fs::write(&file, script(command(), Shell::Fish)).expect("a file");
        let ask = |line: &str| {
            let ask = format!("source {}; complete -C '{line}'", file.display());
            run("fish", &["-c", &ask], folder.path())
        };
        let Some(offered) = ask("git trace ") else { return };
        assert!(offered.lines().any(|line| line.starts_with("log\t")), "{offered}");
        let offered = ask("git trace log --").unwrap_or_default();
        assert!(offered.contains("--oneline"), "{offered}");
        let offered = ask("git tra").unwrap_or_default();
        assert!(offered.lines().any(|line| line.starts_with("trace\t")), "{offered}");
        let offered = ask("git-trace lo").unwrap_or_default();
        assert!(offered.starts_with("log\t"), "{offered}");
    }

    #[test]
    fn zsh_completes_through_gits_own_completion() {
        let folder = tempfile::tempdir().expect("a folder");
        let functions = folder.path().join("functions");
        fs::create_dir_all(&functions).expect("a folder");
        let text = script(command(), Shell::Zsh);
        assert!(text.starts_with("#compdef git-trace\n"), "zsh reads the first line");
        fs::write(functions.join(Shell::Zsh.file_name()), text).expect("a file");
        // A shell in a pseudo-terminal lists what it offers, as a user would see it.
        let ask = format!(
            r#"zmodload zsh/zpty; zpty inner zsh -f -i
            zpty -w inner "PS1=; stty columns 120; LISTMAX=0; fpath=({} \$fpath); autoload -U compinit; compinit -u -d {}/dump; bindkey '^I' list-choices; print 'IS''READY'"
            local text= line=; while zpty -r inner line; do text+=$line; [[ $text == *ISREADY* ]] && break; done
            zpty -n -w inner "$1"$'\t'; text=
            repeat 100 {{ while zpty -rt inner line; do text+=$line; done; [[ $text == *$2* ]] && break; sleep 0.1 }}
            print -r -- $text; zpty -d inner"#,
            functions.display(),
            folder.path().display()
        );
        for (line, promises) in
            [("git trace ", ["workflow", "cherry-pick"]), ("git trace log --", ["--oneline", "--help"])]
        {
            let Some(offered) = run("zsh", &["-f", "-c", &ask, "zsh", line, promises[0]], folder.path()) else {
                return;
            };
            for promise in promises {
                assert!(offered.contains(promise), "{line:?}: {offered}");
            }
        }
    }
}
