//! `marketplace list`: which marketplaces are known, and what is here of them.

use serde::Serialize;

use super::configured::configured;
use super::reach::Reach;
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::workflow::{Catalog, PluginCatalog};

/// Describes a marketplace that is known.
#[derive(Debug, Clone, Serialize)]
pub struct ListedMarketplace {
    /// The marketplace, without passwords.
    pub source: String,
    /// Whose configuration names it: `the repository's`, `the user's` and so on.
    pub scope: &'static str,
    /// Where its repository is.
    pub url: Option<String>,
    /// The commit that is here of it.
    pub commit: Option<ObjectId>,
    /// When it was fetched, in seconds since 1970.
    pub fetched: Option<i64>,
    /// Workflows that it offers.
    pub workflows: Option<usize>,
    /// Plugins that it offers.
    pub plugins: Option<usize>,
    /// Why it cannot be read.
    pub problem: Option<String>,
    /// What is odd in its manifests.
    pub warnings: Vec<String>,
}

/// Lists the marketplaces that are known; nothing is fetched.
///
/// # Errors
/// When the configuration cannot be read.
pub fn list_marketplaces(workspace: &Workspace) -> Result<Vec<ListedMarketplace>, OpError> {
    let reach = Reach::new(workspace, true)?;
    let known = configured(workspace)?.into_iter();
    Ok(known
        .map(|known| {
            let mut listed = ListedMarketplace {
                source: known.text.clone(),
                scope: known.scope.name(),
                url: None,
                commit: None,
                fetched: None,
                workflows: None,
                plugins: None,
                problem: None,
                warnings: Vec::new(),
            };
            match known.source {
                Ok(source) => {
                    listed.source = source.to_string();
                    listed.url = source.url(&reach.host).map(|url| url.public());
                    match reach.open(&source) {
                        Ok(reached) => {
                            (listed.commit, listed.fetched) = (reached.commit, reached.fetched);
                            count(&reached, &mut listed);
                        }
                        Err(error) => listed.problem = Some(error.to_string()),
                    }
                }
                // It may hold a password: it is not shown as it is.
                Err(error) => {
                    listed.source = super::configured::masked(&known.text);
                    listed.problem = Some(error.to_string());
                }
            }
            listed
        })
        .collect())
}

/// Counts what a marketplace offers.
pub(super) fn count(reached: &super::reach::Reached, listed: &mut ListedMarketplace) {
    let files = reached.files();
    let (workflows, plugins) = (Catalog::read(&files), PluginCatalog::read(&files));
    if let (Err(error), Err(_)) = (&workflows, &plugins) {
        listed.problem = Some(error.to_string());
    }
    if let Ok(catalog) = &workflows {
        listed.workflows = Some(catalog.workflows.len());
        listed.warnings.extend(catalog.faults.iter().map(|fault| format!("{}: {fault}", catalog.manifest)));
    }
    if let Ok(catalog) = &plugins {
        listed.plugins = Some(catalog.plugins.len());
    }
}
