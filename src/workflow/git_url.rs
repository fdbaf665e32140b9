//! Addresses of repositories that git can fetch from, and nothing that it would take for anything else.

use std::fmt;
use std::str::FromStr;

use super::inner_path::is_drive;

/// The ways of transport; what else git would start (`ext::`, other helpers) is refused.
const SCHEMES: [&str; 5] = ["https", "http", "ssh", "git", "file"];
/// Hosts to which the case of a path does not matter.
const CASELESS: [&str; 4] = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"];

/// Is an address of a repository: a URL (`https`, `http`, `ssh`, `git`, `file`) or `[user@]host:path`.
///
/// It is shown without what may be a password; [`GitUrl::as_git`] is for git alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GitUrl {
    /// As it was given.
    text: String,
    scheme: String,
    user: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
    /// Whether it is `host:path`.
    short: bool,
}

/// Says why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitUrlError {
    /// It is no address.
    #[error("not the address of a repository: '{text}'")]
    Malformed {
        /// What was given, as far as it can be shown.
        text: String,
    },
    /// It names a way of transport that is not used.
    #[error("addresses that begin with '{scheme}' are not supported")]
    Scheme {
        /// What stands before the colon.
        scheme: String,
    },
}

impl GitUrl {
    /// Longest address, in bytes.
    pub const MAX: usize = 2048;

    /// Returns the address as it was given, with passwords: for git alone.
    pub fn as_git(&self) -> &str {
        &self.text
    }

    /// Returns the way of transport: `https`, `http`, `ssh`, `git` or `file`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Returns the path on this machine, if the address is one of this machine.
    pub fn local_path(&self) -> Option<&str> {
        (self.scheme == "file").then_some(self.path.as_str())
    }

    /// Tells whether the address holds what may be a password.
    pub fn has_secret(&self) -> bool {
        self.public() != self.text
    }

    /// Returns the address without passwords, as it may be written into a file of the repository.
    pub fn public(&self) -> String {
        self.written(None)
    }

    /// Returns a text that is the same for every way of writing the address of one repository: `.git` and the port that is
    /// usual do not matter. Whoever asks over SSH, and whether the path is one of that user's home, matters wherever it
    /// is not known to be a forge. What comes without proof of who sent it (`http`, `git`) stands for nothing else.
    pub fn identity(&self) -> String {
        if let Some(path) = self.local_path() {
            return format!("file://{}", path.trim_end_matches('/'));
        }
        let host = self.host.to_ascii_lowercase();
        let usual = matches!(
            (self.scheme.as_str(), self.port),
            (_, None) | ("https", Some(443)) | ("http", Some(80)) | ("ssh", Some(22)) | ("git", Some(9418))
        );
        let port = self.port.filter(|_| !usual).map(|port| format!(":{port}")).unwrap_or_default();
        let forge = CASELESS.contains(&host.as_str());
        let (mut start, mut way) = (String::new(), "/");
        match self.scheme.as_str() {
            "ssh" if !forge => {
                let name = self.user.as_deref().and_then(|user| user.split(':').next());
                start = name.map_or_else(|| "ssh://".to_owned(), |name| format!("ssh://{name}@"));
                let in_home = self.path.starts_with("/~/") || !self.path.starts_with('/');
                way = if in_home { "/~/" } else { "/" };
            }
            "http" | "git" => start = format!("{}://", self.scheme),
            _ => {}
        }
        let path = if way == "/~/" { self.path.trim_start_matches('/').trim_start_matches("~/") } else { &self.path };
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
        let path = if forge { path.to_ascii_lowercase() } else { path.to_owned() };
        format!("{start}{host}{port}{way}{path}")
    }

    /// Writes the address without passwords; `mask` stands for each of them.
    fn written(&self, mask: Option<&str>) -> String {
        // A user of HTTP is often a token; of others it is a name.
        let web = matches!(self.scheme.as_str(), "https" | "http");
        let name = self.user.as_deref().map(|user| user.split(':').next().unwrap_or_default());
        let user = match (&self.user, name) {
            (Some(_), _) if web => mask.map(str::to_owned),
            (Some(user), Some(name)) if user != name => {
                Some(mask.map_or(name.to_owned(), |mask| format!("{name}:{mask}")))
            }
            (user, _) => user.clone(),
        };
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        if self.short {
            return format!("{user}{}:{}", self.host, self.path);
        }
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let path = match (self.path.split_once('?'), mask) {
            (Some((path, _)), Some(mask)) if web => format!("{path}?{mask}"),
            (Some((path, _)), None) if web => path.to_owned(),
            _ => self.path.clone(),
        };
        format!("{}://{user}{}{port}{path}", self.scheme, self.host)
    }
}

impl FromStr for GitUrl {
    type Err = GitUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || GitUrlError::Malformed { text: shown(text) };
        if text.is_empty() || text.len() > GitUrl::MAX || text.starts_with('-') || text.contains(is_odd) {
            return Err(malformed());
        }
        let before = text.split([':', '/']).next().unwrap_or_default();
        if text[before.len()..].starts_with("::") {
            return Err(GitUrlError::Scheme { scheme: format!("{before}::") });
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let known = SCHEMES.iter().find(|known| scheme.eq_ignore_ascii_case(known));
            let Some(scheme) = known else {
                let named =
                    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
                let error = || GitUrlError::Scheme { scheme: format!("{scheme}://") };
                return Err(if named { error() } else { malformed() });
            };
            return long(text, scheme, rest).ok_or_else(malformed);
        }
        short(text).ok_or_else(malformed)
    }
}

/// Reads what follows `scheme://`.
fn long(text: &str, scheme: &str, rest: &str) -> Option<GitUrl> {
    let (authority, path) = rest.split_at(rest.find('/')?);
    let (user, place) = authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
    let (host, port) = match place.rfind(':').filter(|at| !place[*at..].contains(']')) {
        Some(at) => (&place[..at], Some(place[at + 1..].parse().ok()?)),
        None => (place, None),
    };
    let local = scheme == "file";
    let sound = if local { user.is_none() && port.is_none() && host.is_empty() } else { is_host(host) };
    let empty = path.trim_matches('/').is_empty() || path.starts_with("/?");
    if !sound || user.is_some_and(|user| !is_user(user)) || empty {
        return None;
    }
    Some(GitUrl {
        // git itself knows schemes in small letters only.
        text: format!("{scheme}://{rest}"),
        scheme: scheme.to_owned(),
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
        path: path.to_owned(),
        short: false,
    })
    .filter(|url| text.len() == url.text.len())
}

/// Reads `[user@]host:path`.
fn short(text: &str) -> Option<GitUrl> {
    let (place, path) = text.split_once(':')?;
    let (user, host) = place.rsplit_once('@').map_or((None, place), |(user, host)| (Some(user), host));
    let sound = is_host(host) && user.is_none_or(is_user) && !path.starts_with(['-', ':']) && !is_drive(text);
    if !sound || path.trim_matches('/').is_empty() {
        return None;
    }
    Some(GitUrl {
        text: text.to_owned(),
        scheme: "ssh".to_owned(),
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port: None,
        path: path.to_owned(),
        short: true,
    })
}

fn is_odd(one: char) -> bool {
    one.is_control() || one.is_whitespace() || matches!(one, '#' | '\\' | '"' | '\'' | '<' | '>' | '`')
}

fn is_host(host: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let address = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => !host.is_empty() && host.bytes().all(address),
        None => !host.is_empty() && !host.starts_with(['-', '.']) && host.bytes().all(inner),
    }
}

fn is_user(user: &str) -> bool {
    !user.is_empty() && !user.starts_with('-') && !user.contains(['/', '@'])
}

/// Returns a malformed address as far as it can be shown: what is before an `@` may be a password.
fn shown(text: &str) -> String {
    let text: String = text.chars().take(200).collect();
    match (text.split_once("://"), text.rfind('@')) {
        (Some((scheme, _)), Some(at)) => format!("{scheme}://***{}", &text[at..]),
        _ => text,
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written(Some("***")))
    }
}

impl fmt::Debug for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> GitUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn one_repository_has_one_identity() {
        let spellings = [
            "https://github.com/acme/flows",
            "https://github.com/acme/flows.git",
            "HTTPS://token@GitHub.com:443/Acme/Flows.git/",
            "git@github.com:acme/flows.git",
            "ssh://git@github.com:22/acme/flows",
        ];
        for spelling in spellings {
            assert_eq!(url(spelling).identity(), "github.com/acme/flows", "{spelling}");
        }
        for (one, other) in [
            ("h:flows", "h:~/flows.git"),
            ("h:flows", "ssh://h:22/~/flows"),
            ("git@h:/srv/flows", "ssh://git@H/srv/flows.git/"),
            ("http://h/a", "http://u:p@h:80/a.git"),
        ] {
            assert_eq!(url(one).identity(), url(other).identity(), "{one} {other}");
        }
        for (one, other) in [
            ("alice@h:flows", "bob@h:flows"),
            ("alice@h:flows", "h:flows"),
            ("host:flows", "host:/flows"),
            ("h:flows", "ssh://h/flows"),
            ("host:/flows", "https://host/flows"),
            ("http://github.com/acme/flows", "https://github.com/acme/flows"),
            ("git://github.com/acme/flows", "https://github.com/acme/flows"),
            ("git://h/flows", "http://h/flows"),
            ("https://example.com/a/b", "https://example.com:8443/a/b"),
            ("https://example.com/a/b", "https://example.com/A/b"),
            ("https://example.com/a/b", "https://example.com/a/b/c"),
            ("file:///a/b", "file:///a/b.git"),
        ] {
            assert_ne!(url(one).identity(), url(other).identity(), "{one} {other}");
        }
    }

    #[test]
    fn what_git_could_take_for_something_else_is_refused() {
        for bad in [
            "",
            "-x",
            "--upload-pack=touch x",
            "ext::sh -c date",
            "ext::sh",
            "fd::7",
            "a::b",
            "https:///o/r",
            "https://h",
            "https://h/",
            "https://-h/o/r",
            "ssh://-oProxyCommand=x/o/r",
            "ssh://git@-h/o/r",
            "ssh://-l@h/o/r",
            "-h:o/r",
            "git@-h:o/r",
            "h:-x",
            "h:",
            "h:/",
            "javascript://h/o",
            "ftp://h/o/r",
            "https://h/o\nr",
            "https://h/o r",
            "https://h/o#r",
            "https://h:x/o",
            "https://h:99999/o",
            "file://host/x",
            "file:///",
            "C:\\x",
            "C:/x",
            "o/r",
            "x",
        ] {
            assert!(bad.parse::<GitUrl>().is_err(), "{bad}");
        }
        assert_eq!("ext::sh".parse::<GitUrl>(), Err(GitUrlError::Scheme { scheme: "ext::".to_owned() }));
        assert_eq!("ftp://h/x".parse::<GitUrl>(), Err(GitUrlError::Scheme { scheme: "ftp://".to_owned() }));
    }

    #[test]
    fn passwords_are_not_shown() {
        for (text, shown, public) in [
            ("https://ghp_abc@h/o/r", "https://***@h/o/r", "https://h/o/r"),
            ("https://u:p@h:8443/o/r", "https://***@h:8443/o/r", "https://h:8443/o/r"),
            ("https://h/o/r?token=abc", "https://h/o/r?***", "https://h/o/r"),
            ("ssh://git:pw@h/o/r", "ssh://git:***@h/o/r", "ssh://git@h/o/r"),
            ("git@h:o/r", "git@h:o/r", "git@h:o/r"),
            ("https://[::1]:8443/o/r", "https://[::1]:8443/o/r", "https://[::1]:8443/o/r"),
        ] {
            let url = url(text);
            assert_eq!((url.to_string().as_str(), url.public().as_str()), (shown, public));
            assert_eq!(url.as_git(), text);
            assert_eq!(url.has_secret(), text != public);
            assert!(!format!("{url:?}").contains("ghp_abc") && !format!("{url:?}").contains(":p@"));
        }
        let told = "https://u:geheim@ho st/x".parse::<GitUrl>().expect_err("a blank").to_string();
        assert!(!told.contains("geheim"), "{told}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            text in prop_oneof!["\\PC{0,60}", "(https|ssh|file|git|ext)(://|::)[a-z@:/.#?-]{0,30}", "[a-z@:/.-]{0,20}"],
        ) {
            if let Ok(url) = text.parse::<GitUrl>() {
                let given = url.as_git();
                prop_assert!(!given.starts_with('-') && given.find(':') != given.find("::"), "{}", given);
                prop_assert_eq!(url.as_git().parse::<GitUrl>(), Ok(url.clone()));
                let public: GitUrl = url.public().parse().expect("an address without a password is an address");
                prop_assert!(!public.has_secret());
                prop_assert_eq!(public.public(), url.public());
            }
        }
    }
}
