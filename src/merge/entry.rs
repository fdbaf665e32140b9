//! What becomes of one entry.

use super::{Choice, ConflictKind};
use crate::model::{Entry, ObjectId};

/// Holds one entry as the three contexts have it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Three<'a> {
    pub(super) base: Option<&'a Entry>,
    pub(super) ours: Option<&'a Entry>,
    pub(super) theirs: Option<&'a Entry>,
    /// Whether our side put something shorter in its place.
    pub(super) ours_compressed: bool,
    /// Whether their side did.
    pub(super) theirs_compressed: bool,
}

/// Says what becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is, or is not, in the merged context.
    Clean(Option<Entry>),
    /// The sides disagree.
    Conflict(ConflictKind),
}

impl Three<'_> {
    /// Decides where the sides do not disagree.
    pub(super) fn fate(&self) -> Fate {
        match (self.base, self.ours, self.theirs) {
            (_, None, None) => Fate::Clean(None),
            (None, Some(only), None) | (None, None, Some(only)) => Fate::Clean(Some(only.clone())),
            (None, Some(ours), Some(theirs)) if same_words(ours, theirs) => {
                Fate::Clean(Some(pinned(ours, ours.flags.pin || theirs.flags.pin)))
            }
            (None, Some(_), Some(_)) => Fate::Conflict(ConflictKind::BothAdded),
            (Some(base), Some(left), None) => gone(base, left, self.theirs_compressed),
            (Some(base), None, Some(left)) => gone(base, left, self.ours_compressed),
            (Some(base), Some(ours), Some(theirs)) => self.both(base, ours, theirs),
        }
    }

    fn both(&self, base: &Entry, ours: &Entry, theirs: &Entry) -> Fate {
        let pin = if ours.flags.pin == base.flags.pin { theirs.flags.pin } else { ours.flags.pin };
        let newly_pinned = |side: &Entry| side.flags.pin && !base.flags.pin;
        let (ours_edited, theirs_edited) = (!same_words(base, ours), !same_words(base, theirs));
        match (ours_edited, theirs_edited) {
            (true, true) if !same_words(ours, theirs) => match (self.ours_compressed, self.theirs_compressed) {
                // Two short forms of the same words.
                (true, true) => Fate::Clean(Some(pinned(ours, pin))),
                (false, false) => Fate::Conflict(ConflictKind::BothEdited),
                _ => Fate::Conflict(ConflictKind::EditedCompressed),
            },
            (true, false) if newly_pinned(theirs) && !ours.flags.pin => Fate::Conflict(ConflictKind::PinnedEdited),
            (false, true) if newly_pinned(ours) && !theirs.flags.pin => Fate::Conflict(ConflictKind::PinnedEdited),
            (false, true) => Fate::Clean(Some(pinned(theirs, pin))),
            _ => Fate::Clean(Some(pinned(ours, pin))),
        }
    }

    /// Carries out a choice; the second entry comes right behind the first.
    pub(super) fn settled(&self, choice: &Choice) -> (Option<Entry>, Option<Entry>) {
        let pin = [self.ours, self.theirs].into_iter().flatten().any(|entry| entry.flags.pin);
        let other = self.ours.or(self.theirs);
        match choice {
            Choice::Ours => (self.ours.cloned(), None),
            Choice::Theirs => (self.theirs.cloned(), None),
            Choice::Both(id) => match (self.ours, self.theirs) {
                (Some(ours), Some(theirs)) if !same_words(ours, theirs) => {
                    (Some(pinned(ours, pin)), Some(Entry { id: *id, ..theirs.clone() }))
                }
                _ => (other.map(|entry| pinned(entry, pin)), None),
            },
            Choice::Words(words) => {
                let kept =
                    other.map(|entry| Entry { flags: pinned(entry, pin).flags, id: entry.id, ..(**words).clone() });
                (kept, None)
            }
        }
    }

    /// Returns an entry that is like neither side's, for the common ancestor of a criss-cross merge.
    pub(super) fn unlike_both(&self) -> Option<Entry> {
        let known = self.ours.or(self.theirs)?;
        let body = ObjectId::null(known.body.kind());
        Some(Entry { body, ..known.clone() })
    }
}

/// One side took the entry out.
fn gone(base: &Entry, left: &Entry, compressed: bool) -> Fate {
    if left.flags.pin && !base.flags.pin {
        return Fate::Conflict(ConflictKind::PinnedDropped);
    }
    match (same_words(base, left), compressed) {
        (true, _) => Fate::Clean(None),
        (false, true) => Fate::Conflict(ConflictKind::EditedCompressed),
        (false, false) => Fate::Conflict(ConflictKind::EditedDropped),
    }
}

/// Tells whether two entries say the same, wherever they stand and whether they are pinned or not.
pub(super) fn same_words(one: &Entry, other: &Entry) -> bool {
    one.body == other.body
        && one.kind == other.kind
        && one.role == other.role
        && one.meta == other.meta
        && one.flags.other == other.flags.other
}

fn pinned(entry: &Entry, pin: bool) -> Entry {
    let mut entry = entry.clone();
    entry.flags.pin = pin;
    entry
}
