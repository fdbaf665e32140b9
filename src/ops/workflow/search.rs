//! `workflow search`: what the marketplaces that are known offer.

use serde::Serialize;

use super::find::known;
use crate::ops::marketplace::{MarketError, Reach};
use crate::ops::{OpError, Workspace};
use crate::workflow::{Catalog, Named, Source, WorkflowEntry};

/// Asks what marketplaces offer.
#[derive(Debug, Clone, Default)]
pub struct SearchWorkflows {
    /// Words that have to be in the name or the description, all of them.
    pub words: Vec<String>,
    /// Whether nothing is fetched.
    pub offline: bool,
}

/// Says what marketplaces offer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WorkflowSearch {
    /// What was found, in the order of the marketplaces and of their manifests.
    pub workflows: Vec<OfferedWorkflow>,
    /// What could not be read.
    pub warnings: Vec<String>,
    /// How many marketplaces were looked through.
    pub searched: usize,
}

/// Describes a workflow that a marketplace offers.
#[derive(Debug, Clone, Serialize)]
pub struct OfferedWorkflow {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The marketplace.
    pub source: String,
    /// The reference that means this one and no other.
    pub reference: String,
    /// Why it cannot be used.
    pub problem: Option<String>,
    /// When the marketplace was fetched, in seconds since 1970.
    pub fetched: Option<i64>,
}

/// Looks through all marketplaces; one that cannot be read hides no other.
///
/// # Errors
/// When no marketplace is known, or the configuration cannot be read.
pub fn search(workspace: &Workspace, request: &SearchWorkflows) -> Result<WorkflowSearch, OpError> {
    let reach = Reach::new(workspace, request.offline)?;
    let (sources, unread) = known(workspace)?;
    if sources.is_empty() && unread.is_empty() {
        return Err(MarketError::NoneKnown.into());
    }
    let mut found = WorkflowSearch { searched: sources.len(), ..WorkflowSearch::default() };
    found.warnings = unread.iter().map(|failed| format!("'{}' was not read: {}", failed.label, failed.fault)).collect();
    for source in &sources {
        if let Err(reason) = look_through(&reach, source, &request.words, &mut found) {
            found.warnings.push(format!("'{source}' was not read: {reason}"));
            found.searched -= 1;
        }
    }
    Ok(found)
}

fn look_through(
    reach: &Reach<'_>,
    source: &Source,
    words: &[String],
    found: &mut WorkflowSearch,
) -> Result<(), String> {
    let reached = reach.open(source).map_err(|error| error.to_string())?;
    let files = reached.files();
    let catalog = Catalog::read(&files).map_err(|error| error.to_string())?;
    found.warnings.extend(catalog.faults.iter().map(|fault| format!("'{source}': {}: {fault}", catalog.manifest)));
    for entry in catalog.workflows.iter().filter(|entry| matches(entry, words)) {
        let named = Named { name: entry.name.clone(), requirement: None, source: Some(source.clone()) };
        found.workflows.push(OfferedWorkflow {
            name: entry.name.to_string(),
            version: entry.version.as_ref().map(ToString::to_string),
            description: entry.description.clone(),
            source: source.to_string(),
            reference: named.to_string(),
            problem: entry.locate(&files).err().map(|error| error.to_string()),
            fetched: reached.fetched,
        });
    }
    Ok(())
}

fn matches(entry: &WorkflowEntry, words: &[String]) -> bool {
    let name = entry.name.to_string().to_lowercase();
    let text = entry.description.as_deref().unwrap_or_default().to_lowercase();
    words.iter().map(|word| word.to_lowercase()).all(|word| name.contains(&word) || text.contains(&word))
}
