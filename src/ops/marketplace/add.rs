//! `marketplace add` and `marketplace remove`: which marketplaces are known.

use std::path::PathBuf;

use serde::Serialize;

use super::MarketError;
use super::configured::{KEY, base, configured, masked, parse, parse_written, settle};
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
    /// Whether only the user's own configuration is changed; else it is the nearest that names it.
    pub for_user: bool,
    /// Whether what was fetched of it goes too, even if nobody names it any more; what is installed stays.
    pub purge: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Makes a marketplace unknown: to this repository, or else to the user.
///
/// # Errors
/// When it is not known, or only to the system or a command line.
pub fn remove_marketplace(workspace: &Workspace, request: &RemoveMarketplace) -> Result<ChangedMarketplace, OpError> {
    let RemoveMarketplace { source: text, from, for_user, purge, dry_run } = request;
    let reach = Reach::new(workspace, true)?;
    let base = base(workspace);
    let typed = parse(text, from).ok().map(|source| settle(source, from));
    let written = |value: &str| parse_written(value).ok().map(|source| settle(source, &base));
    let wanted = [typed.clone(), written(text)].map(|source| source.map(|source| source.identity(&reach.host)));
    let is_meant = |value: &String| {
        let identity = written(value).map(|source| source.identity(&reach.host));
        value == text || (identity.is_some() && wanted.contains(&identity))
    };
    let mut meant = workspace.repo.config_values("trace", "marketplace");
    meant.retain(|(scope, value)| {
        let may = *scope == ConfigScope::User || (*scope == ConfigScope::Repository && !for_user);
        may && is_meant(value)
    });
    let nearest = meant.iter().map(|(scope, _)| *scope).find(|scope| *scope == ConfigScope::Repository);
    let nearest = nearest.unwrap_or(ConfigScope::User);
    meant.retain(|(scope, _)| *scope == nearest);
    let value = meant.first().map(|(_, value)| value.clone());
    let source = value.as_deref().map_or(typed, written);
    // First, so that who is stopped here does it once more, and is not told that it is not known.
    let mut purged = false;
    if let (true, Some(place)) = (purge, source.as_ref().and_then(|source| reach.mirror_place(source))) {
        purged = if *dry_run { place.folder().exists() } else { place.remove()? };
    }
    if value.is_none() && !purged {
        return Err(MarketError::NotConfigured { text: masked(text) }.into());
    }
    let for_user = nearest == ConfigScope::User;
    if !dry_run {
        for (_, value) in &meant {
            workspace.repo.remove_config(for_user, KEY, value)?;
        }
    }
    let shown = source.as_ref().map_or_else(|| masked(value.as_ref().unwrap_or(text)), ToString::to_string);
    let undo = match &source {
        Some(source) if value.is_none() => undo("refresh", source, false),
        Some(source) => undo("add", source, for_user),
        None => format!("git config {}--add {KEY} <address>", if for_user { "--global " } else { "" }),
    };
    let hides = source.as_ref().is_some_and(|source| source.to_string() != source.exact());
    let warning = "its address had a password or a key, which is not shown: it has to be given again to add it";
    let warnings = if hides { vec![warning.to_owned()] } else { Vec::new() };
    let (workflows, plugins) = (None, None);
    Ok(ChangedMarketplace { source: shown, workflows, plugins, warnings, dry_run: *dry_run, undo })
}

fn undo(verb: &str, source: &Source, for_user: bool) -> String {
    let place = if for_user { " --global" } else { "" };
    let text = source.to_string();
    let quoted = shlex::try_quote(&text).map(|quoted| quoted.into_owned()).unwrap_or(text.clone());
    format!("git trace marketplace {verb}{place} {quoted}")
}
