//! The drivers that the user configured.

use std::fs;

use super::{OpError, Workspace};
use crate::drivers::{self, Driver, Opening, Prompts};
use crate::tokens::Encoding;

/// Folder of the work tree with prompts in the place of those that are built in.
const PROMPTS: &str = ".gittrace/prompts";

/// The largest prompt that is read, in bytes.
const PROMPT_MAX: u64 = 64 << 10;

/// The longest answer of a driver that is taken, in bytes.
pub(super) const ANSWER_MAX: usize = 1 << 20;

impl Workspace {
    /// Makes a driver by its name; `None` is the one that `trace.driver` names, or else the embedded one.
    ///
    /// # Errors
    /// When it is not configured, or wrongly.
    pub(super) fn driver(&self, name: Option<&str>, encoding: Encoding) -> Result<Box<dyn Driver>, OpError> {
        let prompts = Prompts {
            summarise: self.prompt("summarise.md"),
            title: self.prompt("title.md"),
            reconcile: self.prompt("reconcile.md"),
        };
        let opening =
            Opening { encoding, config: &|key| self.config(key), key: Some(&|url| self.repo.credential(url)), prompts };
        Ok(drivers::open(name, &opening)?)
    }

    /// Reads a prompt that the repository brings. It is text: it can name no program and no server.
    fn prompt(&self, name: &str) -> Option<String> {
        let path = self.repo.work_dir()?.join(PROMPTS).join(name);
        let small = fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() <= PROMPT_MAX);
        small.then(|| fs::read_to_string(&path).ok()).flatten()
    }
}
