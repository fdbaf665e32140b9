//! `marketplace add` and `marketplace remove`: which marketplaces are known.

use std::path::PathBuf;

use serde::Serialize;

use super::MarketError;
use super::configured::{KEY, base, configured, parse, settle};
use super::reach::Reach;
use crate::ops::{OpError, Workspace};
use crate::store::ConfigScope;
use crate::workflow::{Catalog, Location, ManifestError, PluginCatalog, Source};

/// Asks for a marketplace to be known.
#[derive(Debug, Clone, Default)]
pub struct AddMarketplace {
    /// The marketplace: `owner/repo`, an address, or a path.
    pub source: String,
    /// Where a path is counted from.
    pub from: PathBuf,
    /// Whether it is known to all repositories of the user.
    pub for_user: bool,
    /// Whether nothing is fetched; then nobody looks whether it is one.
    pub offline: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Says what became of a marketplace.
#[derive(Debug, Clone, Serialize)]
pub struct ChangedMarketplace {
    /// The marketplace, without passwords.
    pub source: String,
    /// Workflows that it offers, if somebody looked.
    pub workflows: Option<usize>,
    /// Plugins that it offers, if somebody looked.
    pub plugins: Option<usize>,
    /// What is odd in its manifests.
    pub warnings: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The command that takes it back.
    pub undo: String,
}

/// Makes a marketplace known, after having read it.
///
/// # Errors
/// When it is none, cannot be reached, or is known already.
pub fn add_marketplace(workspace: &Workspace, request: &AddMarketplace) -> Result<ChangedMarketplace, OpError> {
    let AddMarketplace { source: text, from, for_user, offline, dry_run } = request;
    let source = settle(parse(text, from)?, from);
    let reach = Reach::new(workspace, *offline)?;
    let scope = if *for_user { ConfigScope::User } else { ConfigScope::Repository };
    let identity = source.identity(&reach.host);
    let known = configured(workspace)?.into_iter().find(|known| {
        known.scope == scope && known.source.as_ref().is_ok_and(|other| other.identity(&reach.host) == identity)
    });
    if known.is_some() {
        return Err(MarketError::AlreadyKnown { text: source.to_string(), scope: scope.name() }.into());
    }
    let mut changed = ChangedMarketplace {
        source: source.to_string(),
        workflows: None,
        plugins: None,
        warnings: Vec::new(),
        dry_run: *dry_run,
        undo: undo("remove", &source, *for_user),
    };
    if !offline || matches!(source.location, Location::Local(_)) {
        let reached = reach.refresh(&source)?.0;
        let files = reached.files();
        let (workflows, plugins) = (Catalog::read(&files), PluginCatalog::read(&files));
        let refuse =
            |error: &ManifestError| MarketError::Manifest { source_name: source.to_string(), error: error.clone() };
        match (&workflows, &plugins) {
            (Err(error @ ManifestError::Missing { .. }), Err(ManifestError::Missing { .. })) => {
                return Err(refuse(error).into());
            }
            // One that is there and cannot be read is told before one that is not there.
            (Err(error), _) if !matches!(error, ManifestError::Missing { .. }) => return Err(refuse(error).into()),
            (_, Err(error)) if !matches!(error, ManifestError::Missing { .. }) => return Err(refuse(error).into()),
            _ => {}
        }
        changed.workflows = Some(workflows.as_ref().map_or(0, |catalog| catalog.workflows.len()));
        changed.plugins = Some(plugins.as_ref().map_or(0, |catalog| catalog.plugins.len()));
        let faults = workflows.iter().flat_map(|catalog| &catalog.faults);
        changed.warnings.extend(faults.map(|fault| format!("'{source}': {fault}")));
    }
    if !dry_run {
        workspace.repo.add_config(*for_user, KEY, &source.exact())?;
    }
    Ok(changed)
}

/// Asks for a marketplace to be known no longer.
#[derive(Debug, Clone, Default)]
pub struct RemoveMarketplace {
    /// The marketplace, as it is listed or was given.
    pub source: String,
    /// Where a path is counted from.
    pub from: PathBuf,
    /// Whether what was fetched of it goes too; what is installed stays.
    pub purge: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Makes a marketplace unknown, wherever the configuration of the repository or of the user names it.
///
/// # Errors
/// When it is not known, or only to the system or a command line.
pub fn remove_marketplace(workspace: &Workspace, request: &RemoveMarketplace) -> Result<ChangedMarketplace, OpError> {
    let RemoveMarketplace { source: text, from, purge, dry_run } = request;
    let reach = Reach::new(workspace, true)?;
    let read = |from: &std::path::Path| parse(text, from).map(|source| settle(source, from).identity(&reach.host)).ok();
    let wanted = [read(from), read(&base(workspace))];
    let (host, not_known) = (&reach.host, || MarketError::NotConfigured { text: text.clone() });
    let values = workspace.repo.config_values("trace", "marketplace").into_iter();
    let values = values.filter(|(scope, _)| matches!(scope, ConfigScope::Repository | ConfigScope::User));
    let is_meant = |value: &String| {
        let base = base(workspace);
        let identity = parse(value, &base).map(|source| settle(source, &base).identity(host)).ok();
        value == text || (identity.is_some() && wanted.contains(&identity))
    };
    let meant: Vec<(ConfigScope, String)> = values.filter(|(_, value)| is_meant(value)).collect();
    let (scope, value) = meant.first().ok_or_else(not_known)?;
    let source = parse(value, &base(workspace)).map(|source| settle(source, &base(workspace))).ok();
    if !dry_run {
        for (scope, value) in &meant {
            workspace.repo.remove_config(*scope == ConfigScope::User, KEY, value)?;
        }
        if let (true, Some(place)) = (purge, source.as_ref().and_then(|source| reach.mirror_place(source))) {
            place.remove()?;
        }
    }
    let shown = source.as_ref().map_or_else(|| value.clone(), ToString::to_string);
    let undo = match &source {
        Some(source) => undo("add", source, *scope == ConfigScope::User),
        None => format!("git config --add {KEY} <address>"),
    };
    let (workflows, plugins, warnings) = (None, None, Vec::new());
    Ok(ChangedMarketplace { source: shown, workflows, plugins, warnings, dry_run: *dry_run, undo })
}

fn undo(verb: &str, source: &Source, for_user: bool) -> String {
    let place = if for_user && verb == "add" { " --global" } else { "" };
    let text = source.to_string();
    let quoted = shlex::try_quote(&text).map(|quoted| quoted.into_owned()).unwrap_or(text.clone());
    format!("git trace marketplace {verb}{place} {quoted}")
}
