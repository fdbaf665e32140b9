//! A hermetic world for a test: its own home, its own repository, frozen clock, ids that repeat.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Holds a folder with a home and a repository in it; all goes when it is dropped.
pub struct World {
    root: TempDir,
}

impl World {
    /// Makes a repository with the hash function that git has by default (`sha1`), or the one that is named.
    pub fn new(object_format: &str) -> Self {
        let world = World { root: TempDir::new().expect("a folder for the test") };
        std::fs::create_dir_all(world.home()).expect("a home");
        world.git(
            &["init", "-q", "--initial-branch=main", &format!("--object-format={object_format}"), "repo"],
            world.root(),
        );
        world
    }

    /// Returns the folder around everything.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Returns the user's home.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// Returns the repository's work tree.
    pub fn repo(&self) -> PathBuf {
        self.root().join("repo")
    }

    /// Prepares a program in this world.
    pub fn command(&self, program: &str, dir: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["GIT", "GITTRACE", "XDG", "LC_", "COLOR", "CLICOLOR", "NO_COLOR", "PAGER", "LESS"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
            {
                command.env_remove(name);
            }
        }
        command
            .current_dir(dir)
            .env("HOME", self.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A U Thor")
            .env("GIT_AUTHOR_EMAIL", "author@example.com")
            .env("GIT_COMMITTER_NAME", "C O Mitter")
            .env("GIT_COMMITTER_EMAIL", "committer@example.com")
            .env("GIT_AUTHOR_DATE", "1780000000 +0000")
            .env("GIT_COMMITTER_DATE", "1780000000 +0000")
            .env("GITTRACE_ID_SEED", "test")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    /// Prepares `git trace` in the repository.
    pub fn trace(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_git-trace"), &self.repo());
        command.args(arguments);
        command
    }

    /// Runs `git trace`, which must end well, and returns what it answered.
    pub fn ok(&self, arguments: &[&str]) -> String {
        succeed(self.trace(arguments).output().expect("the program starts"), arguments)
    }

    /// Runs `git trace` with this standard input, which must end well, and returns what it answered.
    pub fn ok_with(&self, arguments: &[&str], input: &[u8]) -> String {
        succeed(feed(self.trace(arguments), input), arguments)
    }

    /// Runs `git trace`, which must fail with this exit code, and returns what it complained.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.trace(arguments).output().expect("the program starts");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "git trace {arguments:?}: {complaint}");
        complaint
    }

    /// Sets a variable of the repository's configuration.
    pub fn configure(&self, key: &str, value: &str) {
        self.git(&["config", key, value], &self.repo());
    }

    /// Returns the subjects of a branch's commits, from the first to the newest, as git sees them.
    pub fn subjects(&self, branch: &str) -> Vec<String> {
        let log = self.git(&["log", "--reverse", "--format=%s", &format!("refs/trace/heads/{branch}")], &self.repo());
        log.lines().map(str::to_owned).collect()
    }

    /// Returns the object that a ref names, if there is such a ref.
    pub fn tip(&self, ref_name: &str) -> Option<String> {
        let mut command = self.command("git", &self.repo());
        let output = command.args(["rev-parse", "--verify", "--quiet", ref_name]).output().expect("git starts");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs git, which must end well, and returns what it answered.
    pub fn git(&self, arguments: &[&str], dir: &Path) -> String {
        let output = self.command("git", dir).args(arguments).output().expect("git starts");
        succeed(output, arguments)
    }

    /// Asks git whether every object and ref of the repository is sound.
    pub fn fsck(&self) {
        let output = self
            .command("git", &self.repo())
            .args(["fsck", "--strict", "--full", "--no-dangling"])
            .output()
            .expect("git starts");
        let said = [output.stdout.as_slice(), &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let faults: Vec<&str> = said.lines().filter(|line| !line.starts_with("notice:")).collect();
        assert!(output.status.success() && faults.is_empty(), "git fsck: {said}");
    }
}

/// Runs a program with this standard input.
pub fn feed(mut command: Command, input: &[u8]) -> Output {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the program ends");
    // It may end before it has read all.
    let _ = writer.join().expect("no panic");
    output
}

/// Runs a program with this standard input; one that takes longer than `limit` is killed, and the test has failed.
pub fn feed_within(limit: Duration, mut command: Command, input: &[u8]) -> Output {
    use std::io::Write;
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Small enough for the pipe, so that this does not wait.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    while child.try_wait().expect("it is our child").is_none() {
        if started.elapsed() > limit {
            let _ = child.kill();
            panic!("{command:?} did not end within {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().expect("it has ended")
}

/// Returns how much of a test to run: the first number by itself, the second where `GITTRACE_SOAK` is set.
pub fn amount(quick: usize, soak: usize) -> usize {
    if is_soak() { soak } else { quick }
}

/// Tells whether the long runs were asked for.
pub fn is_soak() -> bool {
    std::env::var_os("GITTRACE_SOAK").is_some()
}

fn succeed(output: Output, arguments: &[&str]) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} ended with {}: {complaint}", output.status);
    String::from_utf8(output.stdout).expect("the answer is text")
}

/// Returns the folder of shared data, or says that what needs it is skipped.
pub fn shared_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("GITTRACE_SHARED").map_or(beside, PathBuf::from);
    let data = if shared.ends_with("data") { shared } else { shared.join("data") };
    let found = data.is_dir().then_some(data);
    if found.is_none() {
        eprintln!("skipped: the folder of shared data is not there");
    }
    found
}
