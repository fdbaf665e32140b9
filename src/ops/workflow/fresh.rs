//! Marketplaces as they are now: each is fetched once in a command, and what went wrong then is told each time.

use std::collections::HashMap;

use super::WorkflowError;
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
        let mut refresh = |source: &Source| match source.revision.as_ref().and_then(|revision| revision.commit()) {
            Some(_) => Ok(()),
            None => self.refresh(reach, source).map_err(|error| error.to_string()),
        };
        refresh(source)?;
        let market = if *source == own.source || reach.mirror_place(source).is_none() {
            own.clone()
        } else {
            reach.open(source).map_err(|error| error.to_string())?
        };
        // What is wrong with it is told by whoever looks for the plugin.
        let Ok(catalog) = PluginCatalog::read(&market.files()) else { return Ok(()) };
        match catalog.named(&named.name).map(|entry| &entry.source) {
            Some(Ok(PluginSource::Git { source, .. })) => refresh(source),
            _ => Ok(()),
        }
    }
}
