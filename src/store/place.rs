//! Where a remote really is: what git makes of its address, and whether what is known of it was learnt there.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::git::{Connection, talk};
use super::remote::{Remote, check_url, without_password};
use super::tidy::write_whole;
use super::{Repo, StoreError};
use crate::model::Person;

/// How long git may think about its own configuration.
const LOOK: Connection = Connection { time: Duration::from_secs(30), may_ask: false, runs_hooks: false };

/// Holds the addresses of a remote, as git resolves them: `url.<base>.insteadOf` and its kind included.
#[derive(Clone)]
pub(super) struct Places {
    fetched: String,
    pushed: String,
}

impl Repo {
    /// Returns where contexts that are pushed to a remote go, without a password.
    ///
    /// # Errors
    /// [`StoreError::ManyPlaces`] when that is more than one place, [`StoreError::BadUrl`] when it could start a program.
    pub fn push_place(&self, remote: &Remote) -> Result<String, StoreError> {
        Ok(without_password(&self.places(remote)?.pushed))
    }

    /// Tells whether what is known of a remote was learnt at the place to which pushes go.
    ///
    /// # Errors
    /// As [`Repo::push_place`].
    pub fn is_known_place(&self, remote: &Remote) -> Result<bool, StoreError> {
        let noted = fs::read_to_string(self.place_path(remote)).ok();
        Ok(noted == Some(digest(&self.places(remote)?.pushed)))
    }

    /// Makes sure that what is known of a remote was learnt where it is now: what was learnt elsewhere is let go. git is
    /// asked anew where that is; what belongs to the same piece of work takes its answer from here.
    pub(super) fn settle_place(&self, remote: &Remote, who: &Person) -> Result<(), StoreError> {
        if remote.is_file() {
            return Ok(());
        }
        let now = digest(&self.ask_places(remote)?.fetched);
        let path = self.place_path(remote);
        let noted = fs::read_to_string(&path).ok();
        if noted.as_ref() == Some(&now) {
            return Ok(());
        }
        if noted.is_some() {
            self.forget_remote(remote, who)?;
        } else if self.knows_of(remote)? {
            // It came in another way, a bundle for example: nobody can tell what this remote has of it.
            return Ok(());
        }
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(StoreError::io("write", &path))?;
        write_whole(&path, now.as_bytes())
    }

    /// Forgets where a remote was.
    pub(super) fn forget_place(&self, remote: &Remote) {
        self.places.borrow_mut().remove(&remote.name);
        let _ = fs::remove_file(self.place_path(remote));
    }

    fn place_path(&self, remote: &Remote) -> PathBuf {
        self.trace_dir().join("remotes").join(&remote.name)
    }

    fn places(&self, remote: &Remote) -> Result<Places, StoreError> {
        let known = self.places.borrow().get(&remote.name).cloned();
        known.map_or_else(|| self.ask_places(remote), Ok)
    }

    /// Asks git where a remote is, and remembers it.
    fn ask_places(&self, remote: &Remote) -> Result<Places, StoreError> {
        self.places.borrow_mut().remove(&remote.name);
        let ask = |words: &[&str]| -> Result<Vec<String>, StoreError> {
            let mut arguments = vec!["get-url".to_owned()];
            arguments.extend(words.iter().map(|word| (*word).to_owned()));
            arguments.push(remote.name.clone());
            let answer = talk(self, "remote", &[], &arguments, &LOOK)?;
            if !answer.success {
                return Err(answer.unreachable(&remote.name));
            }
            Ok(answer.printed.lines().map(str::to_owned).collect())
        };
        let fetched = ask(&[])?.into_iter().next().unwrap_or_default();
        let pushed = ask(&["--push", "--all"])?;
        check_url(&fetched)?;
        pushed.iter().try_for_each(|url| check_url(url))?;
        match <[String; 1]>::try_from(pushed) {
            Ok([pushed]) => {
                let places = Places { fetched, pushed };
                self.places.borrow_mut().insert(remote.name.clone(), places.clone());
                Ok(places)
            }
            Err(_) => Err(StoreError::ManyPlaces { remote: remote.name.clone() }),
        }
    }
}

/// Returns what stands for an address: a password may be in it.
fn digest(url: &str) -> String {
    Sha256::digest(url.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
