//! How much of what was said by name is still said.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::OpError;
use crate::drivers::{EntityKind, entities};

/// Tells how many of the things that the old texts name are named by the new context.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retention {
    /// Kind, such as `path` or `number`; how many are kept; how many there were. Each name counts once.
    pub kinds: Vec<(&'static str, u64, u64)>,
}

impl Retention {
    /// Returns how many are kept, of all kinds.
    pub fn kept(&self) -> u64 {
        self.kinds.iter().map(|(_, kept, _)| kept).sum()
    }

    /// Returns how many there were, of all kinds.
    pub fn total(&self) -> u64 {
        self.kinds.iter().map(|(_, _, total)| total).sum()
    }

    /// Looks for the names of the old texts in the new ones, and reads no more of these than needed.
    pub(super) fn measure<'t>(
        old: &[String],
        new: &mut dyn Iterator<Item = Result<Cow<'t, str>, OpError>>,
    ) -> Result<Self, OpError> {
        let mut missing: HashMap<&str, &'static str> = HashMap::new();
        for text in old {
            missing.extend(entities(text).into_iter().map(|entity| (entity.text, entity.kind.name())));
        }
        let mut kinds: Vec<(&'static str, u64, u64)> = EntityKind::ALL.iter().map(|kind| (kind.name(), 0, 0)).collect();
        for kind in missing.values() {
            kinds.iter_mut().filter(|(name, ..)| name == kind).for_each(|(_, _, total)| *total += 1);
        }
        while !missing.is_empty()
            && let Some(text) = new.next()
        {
            let text = text?;
            for entity in entities(&text) {
                let Some(kind) = missing.remove(entity.text) else { continue };
                kinds.iter_mut().filter(|(name, ..)| *name == kind).for_each(|(_, kept, _)| *kept += 1);
            }
        }
        kinds.retain(|(_, _, total)| *total > 0);
        Ok(Retention { kinds })
    }
}
