//! Marketplaces as they are now: each is fetched once in a command, and what went wrong then is told each time.

use std::collections::HashMap;

use super::WorkflowError;
use super::places::is_of_this_machine;
use crate::ops::OpError;
use crate::ops::marketplace::{Reach, Reached};
use crate::workflow::{Named, PluginCatalog, PluginSource, Source};

/// Remembers what was fetched.
#[derive(Default)]
pub(super) struct Fresh {
    /// For each marketplace what went wrong, with what can be done about it.
    told: HashMap<String, Option<(String, Vec<String>)>>,
}

impl Fresh {
    /// Fetches a marketplace, unless nothing is to be fetched, or it was.
    ///
    /// # Errors
    /// When it cannot be fetched, or could not be when it was tried.
    pub(super) fn refresh(&mut self, reach: &Reach<'_>, source: &Source) -> Result<(), OpError> {
        if reach.offline || reach.mirror_place(source).is_none() {
            return Ok(());
        }
        let told = self.told.entry(source.identity(&reach.host)).or_insert_with(|| {
            let error = OpError::from(reach.refresh(source).err()?);
            Some((error.to_string(), error.hints()))
        });
        match told.clone() {
            None => Ok(()),
            Some((reason, hints)) => Err(WorkflowError::NotFetched { reason, hints }.into()),
        }
    }

    /// Fetches the marketplace of a plugin, and its own repository. One that is asked for at a commit stays what it is.
    ///
    /// # Errors
    /// The reason, as a text, when one of them cannot be fetched.
    pub(super) fn refresh_plugin(&mut self, reach: &Reach<'_>, named: &Named, own: &Reached) -> Result<(), String> {
        let source = named.source.as_ref().unwrap_or(&own.source);
        let mut refresh = |source: &Source, of: &Source| {
            let is_fixed = source.revision.as_ref().is_some_and(|revision| revision.commit().is_some());
            if is_strange(source, of) || is_fixed {
                return Ok(());
            }
            self.refresh(reach, source).map_err(|error| error.to_string())
        };
        refresh(source, &own.source)?;
        if is_strange(source, &own.source) {
            return Ok(());
        }
        let market = if *source == own.source || reach.mirror_place(source).is_none() {
            own.clone()
        } else {
            reach.open(source).map_err(|error| error.to_string())?
        };
        // What is wrong with it is told by whoever looks for the plugin.
        let Ok(catalog) = PluginCatalog::read(&market.files()) else { return Ok(()) };
        match catalog.named(&named.name).map(|entry| &entry.source) {
            Some(Ok(PluginSource::Git { source, .. })) => refresh(source, &market.source),
            _ => Ok(()),
        }
    }
}

/// Tells whether somebody names a folder of this machine who is not of it: whoever looks for the plugin refuses that.
fn is_strange(named: &Source, of: &Source) -> bool {
    is_of_this_machine(named) && !is_of_this_machine(of)
}
