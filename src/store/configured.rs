//! Variables of git's configuration that have several values, each from somewhere.

use super::work_tree::{Scope, scope_of};
use super::{Repo, StoreError, git};

impl Repo {
    /// Reads all values of a variable `<section>.<name>`, and whose configuration each is in, in the order of git's files.
    pub fn config_values(&self, section: &str, name: &str) -> Vec<(Scope, String)> {
        let config = self.git.config_snapshot();
        let sections = config.plumbing().sections_by_name(section).into_iter().flatten();
        let plain = sections.filter(|one| one.header().subsection_name().is_none());
        let values = plain.flat_map(|one| {
            let scope = scope_of(one.meta());
            one.body().values(name).into_iter().map(move |value| (scope, value.to_string())).collect::<Vec<_>>()
        });
        values.collect()
    }

    /// Adds a value to a variable, in the repository's own configuration or in the user's.
    ///
    /// # Errors
    /// When git cannot.
    pub fn add_config(&self, for_user: bool, key: &str, value: &str) -> Result<(), StoreError> {
        let place = if for_user { "--global" } else { "--local" };
        git::run_with_keys(self, "config", &[place, "--add", key, value], None).map(drop)
    }

    /// Takes a value of a variable out of the repository's own configuration or the user's; others stay.
    ///
    /// # Errors
    /// When git cannot.
    pub fn remove_config(&self, for_user: bool, key: &str, value: &str) -> Result<(), StoreError> {
        let place = if for_user { "--global" } else { "--local" };
        git::run_with_keys(self, "config", &[place, "--fixed-value", "--unset-all", key, value], None).map(drop)
    }
}
