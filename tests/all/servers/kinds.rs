//! The kinds of servers: what each is started with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::find;

/// The name and the password of who may use a server that asks for them.
pub const ACCOUNT: (&str, &str) = ("agent", "s3cret-of-the-test");

/// Is a kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder, named by its path.
    Path,
    /// A folder, named by a `file://` url.
    File,
    /// `git daemon`.
    Daemon,
    /// `git http-backend` behind lighttpd, with a password.
    Http,
    /// OpenSSH.
    Ssh,
    /// dulwich over HTTP: git as written by others, in Python.
    Dulwich,
    /// The daemon of JGit, Gerrit's engine: git as written by others, in Java.
    Jgit,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 7] = [Kind::Path, Kind::File, Kind::Daemon, Kind::Http, Kind::Ssh, Kind::Dulwich, Kind::Jgit];
    /// Those that are reached through a port.
    pub const BY_PORT: [Kind; 5] = [Kind::Daemon, Kind::Http, Kind::Ssh, Kind::Dulwich, Kind::Jgit];

    /// Tells whether there is a process that listens.
    pub fn has_port(self) -> bool {
        !matches!(self, Kind::Path | Kind::File)
    }

    /// Returns the url of the repository `repo.git` in this folder, at this port.
    pub fn url(self, folder: &Path, port: u16) -> String {
        let repository = folder.join("repo.git");
        let path = repository.display();
        match self {
            Kind::Path => path.to_string(),
            Kind::File => format!("file://{path}"),
            Kind::Daemon | Kind::Jgit => format!("git://127.0.0.1:{port}/repo.git"),
            Kind::Http => format!("http://127.0.0.1:{port}/git/repo.git"),
            Kind::Ssh => format!("ssh://{}@127.0.0.1:{port}{path}", user()),
            Kind::Dulwich => format!("http://127.0.0.1:{port}/repo.git"),
        }
    }

    /// Writes what the server needs into the folder `place` and returns its command; the repository is in `served`.
    ///
    /// # Errors
    /// The name of what is not installed.
    pub fn prepare(self, place: &Path, served: &Path, port: u16) -> Result<Command, String> {
        let port_text = port.to_string();
        let mut command = match self {
            Kind::Path | Kind::File => unreachable!("there is nothing to start"),
            Kind::Daemon => {
                let mut command = Command::new(installed("git")?);
                command.args(["daemon", "--reuseaddr", "--listen=127.0.0.1", "--export-all"]);
                command.args(["--enable=receive-pack", &format!("--port={port}")]);
                command.arg(format!("--base-path={}", served.display())).arg(served);
                command
            }
            Kind::Http => {
                let lighttpd = installed("lighttpd")?;
                let mut command = Command::new(lighttpd);
                command.args(["-D", "-f"]).arg(lighttpd_settings(place, served, port)?);
                command
            }
            Kind::Ssh => {
                let sshd = installed("sshd")?;
                installed("ssh")?;
                let mut command = Command::new(sshd);
                command.args(["-D", "-e", "-f"]).arg(sshd_settings(place, port)?);
                command
            }
            Kind::Dulwich => {
                let mut command = Command::new(python_with("dulwich")?);
                let script = place.join("serve.py");
                fs::write(&script, DULWICH).expect("a script");
                command.arg(script).arg(&port_text).arg(served.join("repo.git"));
                command
            }
            Kind::Jgit => {
                let mut command = Command::new(installed("jgit")?);
                // Debian's own start script leaves libraries out.
                command.env("JGIT_CLASSPATH", java_archives());
                // It starts in half a second with these, and with one thread less for each processor.
                command.env("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m");
                command.args(["daemon", "--listen", "127.0.0.1", "--port", &port_text]);
                command.args(["--export-all", "--enable", "receive-pack"]).arg(served);
                command
            }
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT") {
                command.env_remove(name);
            }
        }
        command.env("HOME", place.join("home")).env("GIT_CONFIG_NOSYSTEM", "1").current_dir(place);
        Ok(command)
    }
}

/// Returns the name of who runs the tests.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id starts");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn installed(program: &str) -> Result<PathBuf, String> {
    find(program).ok_or_else(|| program.to_owned())
}

/// Finds the interpreter that has this package: in the folder that `GITTRACE_SERVER_TOOLS` names, or in `target`.
fn python_with(package: &str) -> Result<PathBuf, String> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/server-tools");
    let tools = std::env::var_os("GITTRACE_SERVER_TOOLS").map_or(beside, PathBuf::from);
    let python = tools.join("bin/python");
    let has = |python: &Path| {
        let output = Command::new(python).args(["-c", &format!("import {package}")]).output();
        output.is_ok_and(|output| output.status.success())
    };
    has(&python).then_some(python).ok_or_else(|| format!("{package} in '{}'", tools.display()))
}

fn java_archives() -> std::ffi::OsString {
    let names = ["org.eclipse.jgit", "args4j", "slf4j-api", "slf4j-nop", "jsch", "javaewah", "commons-", "http"];
    let is_needed = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.ends_with(".jar") && names.iter().any(|start| name.starts_with(start))
    };
    let folder = fs::read_dir("/usr/share/java").into_iter().flatten();
    let archives: Vec<PathBuf> = folder.filter_map(|file| Some(file.ok()?.path())).filter(is_needed).collect();
    std::env::join_paths(archives).expect("no colon in the name of a package")
}

fn lighttpd_settings(place: &Path, served: &Path, port: u16) -> Result<PathBuf, String> {
    let output = Command::new("git").arg("--exec-path").output().expect("git starts");
    let programs = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let backend = programs.join("git-http-backend");
    if !backend.is_file() {
        return Err("git-http-backend".to_owned());
    }
    let users = place.join("users");
    fs::write(&users, format!("{}:{}\n", ACCOUNT.0, ACCOUNT.1)).expect("a file of users");
    let path = std::env::var("PATH").unwrap_or_default();
    let settings = format!(
        r#"server.document-root = "{served}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{place}/error.log"
server.upload-dirs = ( "{place}" )
server.modules = ( "mod_alias", "mod_setenv", "mod_auth", "mod_authn_file", "mod_cgi", "mod_accesslog" )
accesslog.filename = "{place}/server.log"
accesslog.format = "%{{%T}}t %{{msec_frac}}t %p %{{remote}}p %u %r %>s %I %O %D"
alias.url = ( "/git" => "{backend}" )
cgi.assign = ( "" => "" )
setenv.set-environment = (
    "GIT_PROJECT_ROOT" => "{served}", "GIT_HTTP_EXPORT_ALL" => "1", "GIT_CONFIG_NOSYSTEM" => "1",
    "HOME" => "{place}/home", "PATH" => "{path}"
)
auth.backend = "plain"
auth.backend.plain.userfile = "{users}"
auth.require = ( "" => ( "method" => "basic", "realm" => "git", "require" => "valid-user" ) )
"#,
        served = served.display(),
        place = place.display(),
        backend = backend.display(),
        users = users.display(),
    );
    let file = place.join("lighttpd.conf");
    fs::write(&file, settings).expect("settings");
    Ok(file)
}

fn sshd_settings(place: &Path, port: u16) -> Result<PathBuf, String> {
    if !place.join("client_key").exists() {
        let generator = installed("ssh-keygen")?;
        for key in ["host_key", "client_key"] {
            let mut command = Command::new(&generator);
            command.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"]).arg(place.join(key));
            assert!(command.status().expect("ssh-keygen starts").success(), "no key");
        }
    }
    if user() == "root" {
        // Where it locks itself in, as root; the package's own start script makes it, which no container runs.
        let _ = fs::create_dir_all("/run/sshd");
    }
    // Nobody gets a shell: what is asked for is one of git's own commands.
    let gate = place.join("gate");
    let path = std::env::var("PATH").unwrap_or_default();
    let script = format!(
        "#!/bin/sh\nexport HOME='{}/home' PATH='{path}' GIT_CONFIG_NOSYSTEM=1\n\
         exec git shell -c \"$SSH_ORIGINAL_COMMAND\"\n",
        place.display()
    );
    fs::write(&gate, script).expect("a script");
    fs::set_permissions(&gate, fs::Permissions::from_mode(0o755)).expect("a script");
    // The user's shell starts the gate, and reads its own settings first: those of an empty home.
    let settings = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {0}/host_key\nAuthorizedKeysFile {0}/client_key.pub\n\
         PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nAllowTcpForwarding no\nAllowAgentForwarding no\nX11Forwarding no\n\
         PermitTTY no\nAcceptEnv GIT_PROTOCOL\nMaxStartups 100\nForceCommand {0}/gate\n\
         SetEnv HOME={0}/home\n",
        place.display()
    );
    let file = place.join("sshd.conf");
    fs::write(&file, settings).expect("settings");
    Ok(file)
}

const DULWICH: &str = r"
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    def server_bind(self):
        # Without the question for the name of this machine, which may take seconds.
        import socketserver
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = '127.0.0.1', self.server_address[1]
        self.setup_environ()

class Handler(WSGIRequestHandler):
    def log_message(self, *args):
        pass
    def address_string(self):
        return self.client_address[0]

app = make_wsgi_chain(DictBackend({'/repo.git': Repo(sys.argv[2])}))
make_server('127.0.0.1', int(sys.argv[1]), app, Server, Handler).serve_forever()
";
