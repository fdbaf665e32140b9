//! A server for one test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::kinds::{ACCOUNT, Kind, user};
use super::process::Family;
use super::proxy::Proxy;
use crate::world::World;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);

/// Is a server with one bare repository; all of it goes when it is dropped.
pub struct Server {
    kind: Kind,
    port: u16,
    // Before the folder: what runs in it ends first.
    process: Option<Family>,
    place: TempDir,
}

impl Server {
    /// Starts a server, or says that it is skipped because something is not installed.
    pub fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, "sha1")
    }

    /// As [`Server::start`], with a repository of this hash function.
    pub fn start_with(kind: Kind, object_format: &str) -> Option<Self> {
        let place = TempDir::new().expect("a folder for the server");
        let mut server = Server { kind, port: 0, process: None, place };
        for folder in ["home", "served"] {
            fs::create_dir_all(server.place.path().join(folder)).expect("a folder");
        }
        let mut command = server.command("git");
        command.args(["init", "-q", "--bare", "--initial-branch=main", &format!("--object-format={object_format}")]);
        assert!(command.arg(server.repository()).status().expect("git starts").success());
        for (key, value) in [
            ("http.receivepack", "true"),
            // What runs on behind a push would outlive the test.
            ("receive.autogc", "false"),
            ("gc.auto", "0"),
            ("maintenance.auto", "false"),
        ] {
            server.git(&["config", key, value]);
        }
        server.begin().then_some(server)
    }

    /// Returns what kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the port that it listens at.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the folder of its repository.
    pub fn repository(&self) -> PathBuf {
        self.place.path().join("served/repo.git")
    }

    /// Returns the url of its repository.
    pub fn url(&self) -> String {
        self.kind.url(&self.place.path().join("served"), self.port)
    }

    /// Returns the url of its repository over a line.
    pub fn url_over(&self, line: &Proxy) -> String {
        self.kind.url(&self.place.path().join("served"), line.port())
    }

    /// Gives a user what the server asks for: the password in git's store of credentials, the key and the host's name.
    pub fn admit(&self, world: &World) {
        self.admit_over(world, self.port);
    }

    /// As [`Server::admit`], for a line that ends at the server.
    pub fn admit_over(&self, world: &World, port: u16) {
        let (name, password) = ACCOUNT;
        self.admit_as(world, port, name, password);
    }

    /// As [`Server::admit_over`], with this name and password.
    pub fn admit_as(&self, world: &World, port: u16, name: &str, password: &str) {
        use std::io::Write;
        use std::os::unix::fs::PermissionsExt;
        match self.kind {
            Kind::Http => {
                world.git(&["config", "--global", "credential.helper", "store"], world.root());
                let store = world.home().join(".git-credentials");
                let mut store = fs::File::options().create(true).append(true).open(store).expect("a store");
                writeln!(store, "http://{name}:{password}@127.0.0.1%3a{port}").expect("a store");
            }
            Kind::Ssh => {
                let folder = world.home().join("ssh");
                fs::create_dir_all(&folder).expect("a folder");
                let (key, hosts) = (folder.join("key"), folder.join("known_hosts"));
                fs::copy(self.place.path().join("client_key"), &key).expect("a key");
                fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a key");
                let host = fs::read_to_string(self.place.path().join("host_key.pub")).expect("the host's key");
                fs::write(&hosts, format!("test-server {host}")).expect("known hosts");
                // The host's key goes by a name of its own: over a line the port is another.
                let command = format!(
                    "ssh -F none -i {} -o IdentitiesOnly=yes -o UserKnownHostsFile={} -o HostKeyAlias=test-server \
                     -o StrictHostKeyChecking=yes -o BatchMode=yes",
                    key.display(),
                    hosts.display()
                );
                world.git(&["config", "--global", "core.sshCommand", &command], world.root());
            }
            _ => {}
        }
    }

    /// Runs git in the server's repository, which must end well, and returns what it answered.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = self.command("git").arg("-C").arg(self.repository()).args(arguments).output().expect("git starts");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?} on the server: {complaint}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Returns all refs with what they name.
    pub fn refs(&self) -> Vec<String> {
        self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]).lines().map(str::to_owned).collect()
    }

    /// Asks git whether every object and ref of the repository is sound.
    pub fn fsck(&self) {
        let mut command = self.command("git");
        command.arg("-C").arg(self.repository()).args(["fsck", "--strict", "--full", "--no-dangling"]);
        let output = command.output().expect("git starts");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let faults: Vec<&str> = said.lines().filter(|line| !line.starts_with("notice:")).collect();
        assert!(output.status.success() && faults.is_empty(), "git fsck on the server: {said}");
    }

    /// Kills the server and everything that it does at the moment.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again, at the same port if that is free.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.begin(), "it was there before");
    }

    /// Returns what the server said for its operator.
    pub fn log(&self) -> String {
        fs::read_to_string(self.place.path().join("server.log")).unwrap_or_default()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT") {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.place.path().join("home")).env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C.UTF-8");
        command.current_dir(self.place.path());
        command
    }

    /// Starts the process at a free port and waits until it listens; `false` if it is not installed.
    fn begin(&mut self) -> bool {
        if !self.kind.has_port() {
            return true;
        }
        let mut port = if self.port == 0 { free_port() } else { self.port };
        for _ in 0..10 {
            let place = self.place.path();
            let command = match self.kind.prepare(place, &place.join("served"), port) {
                Ok(command) => command,
                Err(missing) => {
                    eprintln!("skipped: {missing} is not there ({:?})", self.kind);
                    return false;
                }
            };
            let mut process = match Family::start(&command, &place.join("server.log")) {
                Ok(process) => process,
                Err(error) => {
                    eprintln!("skipped: timeout is not there ({:?}): {error}", self.kind);
                    return false;
                }
            };
            let begun = Instant::now();
            while process.is_running() && begun.elapsed() < START {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() && self.is_alive(&mut process) {
                    (self.port, self.process) = (port, Some(process));
                    return true;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            // Somebody else may have taken the port meanwhile.
            port = free_port();
        }
        panic!("the server {:?} does not start as {}: {}", self.kind, user(), self.log());
    }

    /// Makes sure that it was this process that answered: one that finds its port taken ends soon.
    fn is_alive(&self, process: &mut Family) -> bool {
        std::thread::sleep(Duration::from_millis(10));
        process.is_running()
    }
}

/// Returns a port that nobody listens at, below those that the kernel gives to clients.
fn free_port() -> u16 {
    (0..1000)
        .map(|_| fastrand::u16(20_000..32_000))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
