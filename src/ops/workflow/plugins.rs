//! The plugins that a workflow names: where each is, and at which version.

use std::path::Path;

use super::find::joined;
use super::places::{folder_of, is_of_this_machine};
use super::record::LIMITS;
use crate::model::ObjectId;
use crate::ops::marketplace::{Reach, Reached, settle};
use crate::workflow::{
    Files, Named, Node, PluginCatalog, PluginEntry, PluginSource, Source, TagVersion, Version, locate_plugin,
    near_names,
};

/// The largest `plugin.json` that is read, in bytes.
const MANIFEST_MAX: u64 = 1 << 20;
/// Where a plugin says what it is.
const MANIFESTS: [&str; 3] = [".claude-plugin/plugin.json", ".codex-plugin/plugin.json", "plugin.json"];
/// Most tags that are opened while a version is looked for.
const OPENED_MAX: usize = 16;

/// Is a plugin that was found.
pub(super) struct FoundPlugin {
    /// Its name in its marketplace.
    pub(super) name: String,
    /// How it was asked for.
    pub(super) reference: String,
    /// Which versions were asked for.
    pub(super) range: Option<String>,
    /// What holds its files.
    pub(super) reached: Reached,
    /// Its folder in there, from the root of the marketplace.
    pub(super) folder: String,
    /// The tree of that folder.
    pub(super) tree: ObjectId,
    /// Its version.
    pub(super) version: Option<String>,
}

impl FoundPlugin {
    /// Returns the path of its folder from the root of the commit.
    pub(super) fn path(&self) -> String {
        joined(&self.reached.source.folder, &self.folder)
    }
}

/// Finds a plugin. One that is named without a marketplace is in that of the workflow; so is one of a workflow of this
/// machine, whatever marketplace it names, if it is there: that is how plugins are worked on.
///
/// # Errors
/// The reason, as a text: one plugin that cannot be had hinders no other.
pub(super) fn find_plugin(reach: &Reach<'_>, named: &Named, own: &Reached) -> Result<FoundPlugin, String> {
    let is_here = || PluginCatalog::read(&own.files()).is_ok_and(|catalog| catalog.named(&named.name).is_some());
    let own_first = own.local.is_some() && is_here();
    let elsewhere = named.source.clone().filter(|_| !own_first);
    let source = match elsewhere {
        Some(source) if is_of_this_machine(&source) => {
            refuse_places(&own.source, &source)?;
            let own_folder = folder_of(own);
            settle(source, own_folder.as_deref().unwrap_or(Path::new("/")))
        }
        Some(source) => source,
        None => own.source.clone(),
    };
    let market = if source == own.source { Ok(own.clone()) } else { reach.open(&source) };
    let market = market.map_err(|error| error.to_string())?;
    let found = look(reach, named, &market);
    match (&named.requirement, found) {
        (None, found) => found,
        (Some(wanted), Ok(found))
            if found.version.as_deref().and_then(parsed).is_some_and(|it| wanted.accepts(&it)) =>
        {
            Ok(found)
        }
        (Some(_), Ok(found)) => at_tags(reach, named, &market, found.version),
        (Some(_), Err(reason)) => Err(reason),
    }
}

/// Refuses a folder of this machine that somebody names who is not of this machine: what lies there is none of theirs.
fn refuse_places(of: &Source, named: &Source) -> Result<(), String> {
    if is_of_this_machine(named) && !is_of_this_machine(of) {
        return Err(format!("'{of}' names a folder of this machine, '{named}', which is none of its own"));
    }
    Ok(())
}

/// Finds a plugin in a marketplace at the state that it is in.
fn look(reach: &Reach<'_>, named: &Named, market: &Reached) -> Result<FoundPlugin, String> {
    let label = market.source.to_string();
    let catalog = PluginCatalog::read(&market.files()).map_err(|error| format!("'{label}': {error}"))?;
    let entry = catalog.named(&named.name).ok_or_else(|| {
        let names = catalog.plugins.iter().map(|plugin| plugin.name.as_str());
        let near = near_names(named.name.as_str(), names);
        let near = if near.is_empty() { String::new() } else { format!(" (it has {})", near.join(", ")) };
        format!("'{label}' has no plugin '{}'{near}", named.name)
    })?;
    let (reached, folder) = match entry.source.as_ref().map_err(|error| format!("'{}' {error}", named.name))? {
        PluginSource::Inside { folder } => (market.clone(), folder.clone()),
        PluginSource::Git { source, .. } => {
            refuse_places(&market.source, source)?;
            (reach.open(source).map_err(|error| error.to_string())?, String::new())
        }
    };
    reach.complete(&reached, &folder, LIMITS.entries).map_err(|error| error.to_string())?;
    let files = reached.files();
    let tree = locate_plugin(&files, &folder).map_err(|error| format!("'{}': {error}", named.name))?;
    let version = version_of(entry, &files, &folder);
    Ok(FoundPlugin {
        name: entry.name.to_string(),
        reference: named.public(),
        range: named.requirement.as_ref().map(ToString::to_string),
        reached,
        folder,
        tree,
        version,
    })
}

/// Looks for a version that the marketplace has no longer, at the tags that name one.
fn at_tags(reach: &Reach<'_>, named: &Named, market: &Reached, here: Option<String>) -> Result<FoundPlugin, String> {
    let wanted = named.requirement.as_ref().expect("only who wants a version comes here");
    let tags = reach.tags(&market.source, market).map_err(|error| error.to_string())?;
    let mut tags: Vec<TagVersion> = tags.iter().filter_map(|tag| TagVersion::read(tag, &named.name)).collect();
    tags.retain(|tag| wanted.accepts(&tag.version));
    tags.sort_by(|one, other| other.own.cmp(&one.own).then_with(|| other.version.by_age(&one.version)));
    for tag in tags.iter().take(OPENED_MAX) {
        let Ok(older) = reach.open_tag(&market.source, &tag.tag) else { continue };
        let Ok(found) = look(reach, named, &older) else { continue };
        let version = if tag.own { Some(tag.version.to_string()) } else { found.version.clone() };
        if version.as_deref().and_then(parsed).is_some_and(|version| wanted.accepts(&version)) {
            return Ok(FoundPlugin { version, ..found });
        }
    }
    let has = here.map_or_else(|| "declares none".to_owned(), |version| format!("has {version}"));
    Err(format!("there is no version {wanted} of the plugin '{}': '{}' {has}", named.name, market.source))
}

fn parsed(version: &str) -> Option<Version> {
    Version::parse(version).ok()
}

/// Returns the version that the marketplace says, else the one that the plugin says.
fn version_of(entry: &PluginEntry, files: &dyn Files, folder: &str) -> Option<String> {
    if let Some(version) = &entry.version {
        return Some(version.to_string());
    }
    MANIFESTS.iter().find_map(|manifest| {
        let path = joined(folder, manifest);
        let Ok(Some(Node::File { .. })) = files.look(&path) else { return None };
        let value: serde_json::Value = serde_json::from_slice(&files.read(&path, MANIFEST_MAX).ok()?).ok()?;
        Some(Version::parse(value.get("version")?.as_str()?).ok()?.to_string())
    })
}
