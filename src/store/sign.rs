//! Signs commits as git does: with the programs and keys that the user configured for git.
//!
//! What is signed is the whole commit without its signature; the signature goes to the end of the headers. Facts:
//! `gpg-interface.c` and `commit.c` of git 2.47, and `git help config` on `gpg.*`, `user.signingKey`, `commit.gpgSign`.

#![allow(clippy::disallowed_methods, reason = "this is the file that starts the programs that sign")]

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Repo, StoreError};
use crate::model::{HashKind, Person};

/// How long a program may take to sign where nobody is asked.
const QUIET_TIME: Duration = Duration::from_secs(5);

/// Most bytes of a signature.
const SIGNATURE_MAX: u64 = 1 << 20;

/// `trace.sign`: what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignPolicy {
    /// What a person's command makes, where `commit.gpgSign` says so.
    AsGit,
    /// Everything, what hooks and imports store included.
    Always,
    /// Nothing.
    Never,
}

/// Says for whom a commit is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    /// Nothing will come of it.
    No,
    /// A person, who may be asked for a pass phrase, and is told what went wrong.
    Person,
    /// Nobody who could be asked: it is stored without a signature rather than not at all.
    Quiet,
}

/// Ways to sign (`gpg.format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    OpenPgp,
    X509,
    Ssh,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Format::OpenPgp => "openpgp",
            Format::X509 => "x509",
            Format::Ssh => "ssh",
        }
    }

    const fn default_program(self) -> &'static str {
        match self {
            Format::OpenPgp => "gpg",
            Format::X509 => "gpgsm",
            Format::Ssh => "ssh-keygen",
        }
    }
}

impl Repo {
    /// Signs a commit where that is wanted: returns its bytes, with the signature among its headers.
    pub(super) fn sign(&self, commit: String, signing: Signing, who: &Person) -> Result<String, StoreError> {
        let settings = self.settings();
        let wanted = match (settings.sign, signing) {
            (_, Signing::No) | (SignPolicy::Never, _) | (SignPolicy::AsGit, Signing::Quiet) => false,
            (SignPolicy::AsGit, Signing::Person) => settings.gpg_sign,
            (SignPolicy::Always, _) => true,
        };
        if !wanted || (signing == Signing::Quiet && self.cannot_sign.get()) {
            return Ok(commit);
        }
        match self.signature_of(&commit, signing, who) {
            Ok(signature) => Ok(with_signature(&commit, &signature, self.kind)),
            Err(_) if signing == Signing::Quiet => {
                // Nor could the next ones be signed.
                self.cannot_sign.set(true);
                Ok(commit)
            }
            Err(error) => Err(error),
        }
    }

    fn signature_of(&self, commit: &str, signing: Signing, who: &Person) -> Result<String, StoreError> {
        let format = match self.config("gpg.format").as_deref() {
            None | Some("openpgp") => Format::OpenPgp,
            Some("x509") => Format::X509,
            Some("ssh") => Format::Ssh,
            Some(other) => {
                return Err(StoreError::Config { key: "gpg.format".to_owned(), value: other.to_owned() });
            }
        };
        let own = self.config(&format!("gpg.{}.program", format.name()));
        let general = || self.config("gpg.program").filter(|_| format == Format::OpenPgp);
        let program = own.or_else(general).unwrap_or_else(|| format.default_program().to_owned());
        let job = Job { program: expand_home(&program), is_quiet: signing == Signing::Quiet };
        let key = self.config("user.signingKey").filter(|key| !key.is_empty());
        match format {
            Format::Ssh => {
                let key = match key {
                    Some(key) => key,
                    None => self.default_ssh_key(job.is_quiet)?,
                };
                job.sign_with_ssh(&key, commit)
            }
            Format::OpenPgp | Format::X509 => {
                let key = key.unwrap_or_else(|| format!("{} <{}>", who.name, who.email));
                job.sign_with_gpg(format, &key, commit)
            }
        }
    }

    /// Asks `gpg.ssh.defaultKeyCommand` for a key, as git does: its first line that is one.
    fn default_ssh_key(&self, is_quiet: bool) -> Result<String, StoreError> {
        let none = |reason: &str| StoreError::Sign { program: "ssh-keygen".to_owned(), reason: reason.to_owned() };
        let unset = "neither 'user.signingKey' nor 'gpg.ssh.defaultKeyCommand' names a key";
        let line = self.config("gpg.ssh.defaultKeyCommand").ok_or_else(|| none(unset))?;
        let words = shlex::split(&line).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| none("'gpg.ssh.defaultKeyCommand' cannot be split into words"))?;
        let job = Job { program: expand_home(&words[0]), is_quiet };
        let arguments: Vec<OsString> = words[1..].iter().map(OsString::from).collect();
        let (printed, _) = job.run(&arguments, b"")?;
        let printed = String::from_utf8_lossy(&printed).into_owned();
        let key = printed.lines().next().filter(|line| is_literal_key(line));
        key.map(str::to_owned).ok_or_else(|| none("'gpg.ssh.defaultKeyCommand' named no key"))
    }
}

/// A program that signs.
struct Job {
    program: PathBuf,
    is_quiet: bool,
}

impl Job {
    fn sign_with_gpg(&self, format: Format, key: &str, commit: &str) -> Result<String, StoreError> {
        let mut arguments: Vec<OsString> = vec!["--status-fd=2".into()];
        if self.is_quiet {
            arguments.push("--batch".into());
            if format == Format::OpenPgp {
                arguments.extend(["--no-tty".into(), "--pinentry-mode=error".into()]);
            }
        }
        // The key is the operand of `-u`, and cannot be taken for an option.
        arguments.extend(["-bsau".into(), key.into()]);
        let (signature, said) = self.run(&arguments, commit.as_bytes())?;
        if !said.lines().any(|line| line.starts_with("[GNUPG:] SIG_CREATED ")) {
            return Err(self.error(words_of(&said)));
        }
        Ok(String::from_utf8_lossy(&signature).replace('\r', ""))
    }

    fn sign_with_ssh(&self, key: &str, commit: &str) -> Result<String, StoreError> {
        let io = |source: std::io::Error| self.error(source.to_string());
        let folder = tempfile::Builder::new().prefix("git-trace-sign").tempdir().map_err(io)?;
        let payload = folder.path().join("commit");
        std::fs::write(&payload, commit).map_err(io)?;
        let mut arguments: Vec<OsString> = ["-Y", "sign", "-n", "git", "-f"].map(OsString::from).to_vec();
        if is_literal_key(key) {
            // The agent has the other half of it.
            let file = folder.path().join("key");
            std::fs::write(&file, key.strip_prefix("key::").unwrap_or(key)).map_err(io)?;
            arguments.extend([file.into_os_string(), "-U".into()]);
        } else {
            arguments.push(expand_home(key).into_os_string());
        }
        arguments.push(payload.clone().into_os_string());
        self.run(&arguments, b"")?;
        let mut signature = String::new();
        let file = std::fs::File::open(payload.with_extension("sig")).map_err(io)?;
        file.take(SIGNATURE_MAX).read_to_string(&mut signature).map_err(io)?;
        Ok(signature.replace('\r', ""))
    }

    /// Runs the program; returns what it printed, and what it said.
    fn run(&self, arguments: &[OsString], input: &[u8]) -> Result<(Vec<u8>, String), StoreError> {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        if self.is_quiet {
            // Nobody is there to type a pass phrase, in a terminal or in a window.
            for name in ["GPG_TTY", "DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS"] {
                command.env_remove(name);
            }
            command.env("SSH_ASKPASS_REQUIRE", "never");
            // What it starts in turn ends with it.
            command.process_group(0);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| self.error(source.to_string()))?;
        let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (printed, said, ended) = std::thread::scope(|scope| {
            scope.spawn(move || {
                // It may end before it has read all; its own words say more then.
                let _ = stdin.as_mut().map(|pipe| pipe.write_all(input));
            });
            let printed = scope.spawn(move || read_all(stdout));
            let said = scope.spawn(move || read_all(stderr));
            let ended = self.wait(&mut child);
            (printed.join().unwrap_or_default(), said.join().unwrap_or_default(), ended)
        });
        let said = String::from_utf8_lossy(&said).into_owned();
        match ended {
            Ok(true) => Ok((printed, said)),
            Ok(false) => Err(self.error(words_of(&said))),
            Err(source) => Err(self.error(source.to_string())),
        }
    }

    /// Waits for the end, but not for ever where nobody knows that it is waited for.
    fn wait(&self, child: &mut Child) -> std::io::Result<bool> {
        if !self.is_quiet {
            return child.wait().map(|status| status.success());
        }
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status.success());
            }
            if started.elapsed() > QUIET_TIME {
                if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
                    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                }
                let _ = child.kill();
                let _ = child.wait();
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn error(&self, reason: String) -> StoreError {
        StoreError::Sign { program: self.program.display().to_string(), reason }
    }
}

fn read_all(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = pipe.map(|pipe| pipe.take(SIGNATURE_MAX).read_to_end(&mut bytes));
    bytes
}

/// Returns the last thing that a program said to people.
fn words_of(said: &str) -> String {
    let for_people = |line: &&str| !line.starts_with("[GNUPG:]") && !line.trim().is_empty();
    said.lines().rev().find(for_people).unwrap_or("it failed without a word").trim().to_owned()
}

fn is_literal_key(key: &str) -> bool {
    key.starts_with("key::") || key.starts_with("ssh-")
}

fn expand_home(path: &str) -> PathBuf {
    match path.strip_prefix("~/").zip(std::env::var_os("HOME")) {
        Some((rest, home)) => PathBuf::from(home).join(rest),
        None => PathBuf::from(path),
    }
}

/// Puts a signature behind the other headers; its further lines begin with a blank.
fn with_signature(commit: &str, signature: &str, kind: HashKind) -> String {
    let name = match kind {
        HashKind::Sha1 => "gpgsig",
        HashKind::Sha256 => "gpgsig-sha256",
    };
    let (headers, message) = commit.split_once("\n\n").unwrap_or((commit, ""));
    let folded = signature.trim_end_matches('\n').replace('\n', "\n ");
    format!("{headers}\n{name} {folded}\n\n{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_a_header_of_several_lines() {
        let commit = "tree x\ncommitter y\n\nsubject\n\nbody\n";
        let signed = with_signature(commit, "-----BEGIN\n\nabc\n-----END\n", HashKind::Sha1);
        assert_eq!(signed, "tree x\ncommitter y\ngpgsig -----BEGIN\n \n abc\n -----END\n\nsubject\n\nbody\n");
        assert!(with_signature(commit, "s", HashKind::Sha256).contains("\ngpgsig-sha256 s\n\nsubject"));
    }

    #[test]
    fn what_a_program_said_to_people_is_found() {
        assert_eq!(words_of("gpg: one\ngpg: no key\n[GNUPG:] FAILURE sign 17\n\n"), "gpg: no key");
        assert_eq!(words_of(""), "it failed without a word");
        assert!(is_literal_key("key::ssh-ed25519 AAAA") && is_literal_key("ssh-rsa x") && !is_literal_key("~/.ssh/id"));
    }
}
