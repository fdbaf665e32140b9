//! Older versions of a workflow, which the tags of its marketplace lead to.

use super::choose::Offer;
use super::{Catalog, Name, Requirement, Searched, SourceFault, TagVersion, Version, WorkflowEntry};

/// Most tags that are opened in one marketplace while a version is looked for.
const OPENED_MAX: usize = 32;

/// Says what the tags of a marketplace have.
#[derive(Default)]
pub(super) struct Tagged {
    /// The newest that will do; which marketplace it is of is not known here.
    pub(super) best: Option<Offer>,
    /// Why some or all could not be looked at.
    pub(super) fault: Option<SourceFault>,
}

/// Finds the newest version that tags name, newer than `here`. Tags of the workflow's own count as they are; at tags of
/// the whole marketplace the entry there says which version it is.
pub(super) fn at_tags(
    one: &Searched<'_>,
    name: &Name,
    requirement: &Requirement,
    here: Option<&Version>,
    versions: &mut Vec<Version>,
) -> Tagged {
    let mut tagged = Tagged::default();
    let mut tags: Vec<TagVersion> = match one.market.tags() {
        Ok(tags) => tags.iter().filter_map(|tag| TagVersion::read(tag, name)).collect(),
        Err(fault) => return Tagged { fault: Some(fault), ..tagged },
    };
    versions.extend(tags.iter().filter(|tag| tag.own).map(|tag| tag.version.clone()));
    let own = tags.iter().any(|tag| tag.own);
    tags.retain(|tag| if own { tag.own && requirement.accepts(&tag.version) } else { true });
    // Those that promise the version first, the newest of them before the others.
    let rank = |tag: &TagVersion| !requirement.accepts(&tag.version);
    tags.sort_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| other.version.by_age(&one.version)));
    for tag in tags.iter().take(OPENED_MAX) {
        let known = tagged.best.as_ref().and_then(|best| best.version.as_ref()).or(here);
        let promises = requirement.accepts(&tag.version);
        let newer = |version: &Version| known.is_none_or(|known| version.by_age(known).is_gt());
        if if promises { !newer(&tag.version) } else { known.is_some() } {
            continue;
        }
        let files = match one.market.at_tag(&tag.tag) {
            Ok(files) => files,
            Err(fault) => {
                tagged.fault = Some(fault);
                continue;
            }
        };
        let Ok(catalog) = Catalog::read(&*files) else { continue };
        let mut newest: Option<(Version, &WorkflowEntry)> = None;
        for entry in catalog.named(name) {
            let version = match &entry.version {
                Some(declared) if !tag.own => declared.clone(),
                _ => tag.version.clone(),
            };
            let better = newest.as_ref().is_none_or(|(best, _)| version.by_age(best).is_gt());
            if requirement.accepts(&version) && newer(&version) && better {
                newest = Some((version.clone(), entry));
            }
            versions.push(version);
        }
        if let Some((version, entry)) = newest {
            let (entry, manifest) = (entry.clone(), catalog.manifest.clone());
            let tag = Some(tag.tag.clone());
            tagged.best = Some(Offer { market: 0, tag, entry, version: Some(version), manifest });
        }
    }
    tagged
}
