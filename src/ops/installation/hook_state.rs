//! git's hooks in their folder: what each file is, and what has to become of it.

use std::fs::{self, Metadata};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::chain::plan_links;
use crate::install::{
    ASIDE_ENDINGS, CHAINED_ENDING, Change, FileEdit, GitHook, HookFolder, find_block, is_chaining, is_only_shebang,
    remove_block, takes_lines, without_chain,
};
use crate::ops::OpError;

/// The largest hook that is looked into, in bytes; a larger one is no script that somebody wrote.
const SCRIPT_MAX: u64 = 1 << 20;

/// Says what happens to one hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HookState {
    /// The hook.
    pub name: &'static str,
    /// One word for it: `made`, `added`, `chained`, `updated`, `unchanged`, `removed`, `restored`, `cleaned`, `refused`.
    pub state: &'static str,
    /// Why it was refused, or what is left to be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What has to be done to the hooks.
#[derive(Debug, Default)]
pub(in crate::ops) struct HookPlan {
    pub(in crate::ops) states: Vec<HookState>,
    pub(in crate::ops) changes: Vec<Change>,
    /// Hooks whose files are ours as a whole.
    pub(in crate::ops) made_names: Vec<String>,
}

/// What is at a hook's place.
struct Place {
    path: PathBuf,
    chained: PathBuf,
    found: Option<Metadata>,
    /// The bytes, if it is a script that may be looked into.
    bytes: Option<Vec<u8>>,
}

impl Place {
    fn look(folder: &Path, name: &str) -> Result<Self, OpError> {
        let path = folder.join(name);
        let chained = folder.join(format!("{name}{CHAINED_ENDING}"));
        let read = |source| OpError::Read { path: path.display().to_string(), source };
        let found = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            found => Some(found.map_err(read)?),
        };
        let small = found.as_ref().is_some_and(|found| found.is_file() && found.len() <= SCRIPT_MAX);
        let bytes = if small { Some(fs::read(&path).map_err(read)?) } else { None };
        Ok(Place { path, chained, found, bytes })
    }

    fn has_chained(&self) -> bool {
        fs::symlink_metadata(&self.chained).is_ok()
    }

    /// Tells whether git would run it.
    fn is_active(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    }

    fn edit(&self, after: Option<Vec<u8>>) -> Change {
        Change::Edit(FileEdit { path: self.path.clone(), before: self.bytes.clone(), after, mode: 0o777 })
    }
}

/// Plans to come into every hook; into the one for messages only if it is to do something (`with_messages`), since each
/// hook is one more process that a commit waits for.
pub(in crate::ops) fn plan_hooks(
    folder: &Path,
    known: Option<&HookFolder>,
    with_messages: bool,
) -> Result<HookPlan, OpError> {
    let mut plan = HookPlan::default();
    let mut moved: Vec<&'static str> = Vec::new();
    let had = |hook: &GitHook| known.is_some_and(|known| known.names.iter().any(|name| name == hook.name));
    for hook in GitHook::ALL.into_iter().filter(|hook| with_messages || !hook.is_for_messages() || had(hook)) {
        let place = Place::look(folder, hook.name)?;
        let was_made = known.is_some_and(|known| known.made_names.iter().any(|name| name == hook.name));
        let mut tell = |state, reason| plan.states.push(HookState { name: hook.name, state, reason });
        if place.found.as_ref().is_some_and(Metadata::is_dir) {
            tell("refused", Some(format!("'{}' is a folder", place.path.display())));
            continue;
        }
        let Some(_) = place.found else {
            plan.changes.push(place.edit(Some(hook.whole(place.has_chained()))));
            plan.made_names.push(hook.name.to_owned());
            tell("made", None);
            continue;
        };
        match &place.bytes {
            Some(bytes) if hook.is_current(bytes) => {
                if was_made {
                    plan.made_names.push(hook.name.to_owned());
                }
                tell("unchanged", None);
            }
            Some(bytes) if find_block(bytes).is_some() => {
                let chaining = is_chaining(bytes);
                let base = remove_block(bytes).unwrap_or_default();
                let whole = chaining || is_only_shebang(&base);
                let after = if whole { hook.whole(chaining) } else { hook.into_script(&base) };
                if was_made || chaining {
                    plan.made_names.push(hook.name.to_owned());
                }
                plan.changes.push(place.edit(Some(after)));
                tell("updated", None);
            }
            Some(bytes) if runs_aside(bytes, folder, hook)? => tell("unchanged", None),
            Some(bytes) if place.is_active() && is_writable(&place) && takes_lines(bytes) => {
                plan.changes.push(place.edit(Some(hook.into_script(bytes))));
                tell("added", None);
            }
            _ if place.has_chained() => {
                tell("refused", Some(format!("'{}' is in the way", place.chained.display())));
            }
            _ => {
                plan.changes.push(Change::Rename { from: place.path.clone(), to: place.chained.clone() });
                let new = Place { bytes: None, found: None, ..place };
                plan.changes.push(new.edit(Some(hook.whole(true))));
                plan.made_names.push(hook.name.to_owned());
                moved.push(hook.name);
                tell("chained", None);
            }
        }
    }
    let mut originals = Vec::new();
    for hook in GitHook::ALL {
        let place = Place::look(folder, hook.name)?;
        if moved.contains(&hook.name) {
            originals.push((hook, place.path));
        } else if place.has_chained() {
            originals.push((hook, place.chained));
        }
    }
    plan.changes.extend(plan_links(folder, &originals)?);
    Ok(plan)
}

/// Plans to leave every hook as it was before.
pub(in crate::ops) fn plan_hooks_away(folder: &Path, known: Option<&HookFolder>) -> Result<HookPlan, OpError> {
    let mut plan = HookPlan::default();
    // Those that stay where they are.
    let mut originals = Vec::new();
    for hook in GitHook::ALL {
        let made = known.is_none_or(|known| known.made_names.iter().any(|name| name == hook.name));
        let place = Place::look(folder, hook.name)?;
        let mut tell = |state, reason| plan.states.push(HookState { name: hook.name, state, reason });
        if let Some(bytes) = &place.bytes
            && let Some(rest) = remove_block(bytes)
        {
            let unchained = without_chain(&rest);
            if place.has_chained() && is_chaining(bytes) && is_only_shebang(&unchained) {
                plan.changes.push(place.edit(None));
                plan.changes.push(Change::Rename { from: place.chained.clone(), to: place.path.clone() });
                tell("restored", None);
            } else if made && is_only_shebang(&unchained) {
                plan.changes.push(place.edit(None));
                tell("removed", None);
            } else {
                // What somebody added to our file stays, and so does what it runs.
                plan.changes.push(place.edit(Some(rest)));
                tell(if made { "cleaned" } else { "restored" }, None);
            }
        } else if place.has_chained() {
            match place.found {
                None => {
                    plan.changes.push(Change::Rename { from: place.chained.clone(), to: place.path.clone() });
                    tell("restored", None);
                }
                Some(_) => {
                    let beside = place.chained.display();
                    tell("refused", Some(format!("another hook took its place; the one before is '{beside}'")));
                }
            }
        }
        for ending in ASIDE_ENDINGS {
            let aside = Place::look(folder, &format!("{}{ending}", hook.name))?;
            if let Some(rest) = aside.bytes.as_deref().and_then(remove_block) {
                let rest = Some(rest).filter(|rest| !is_only_shebang(rest));
                plan.changes.push(aside.edit(rest));
            }
        }
        let is_back = |change: &Change| matches!(change, Change::Rename { from, .. } if *from == place.chained);
        if place.has_chained() && !plan.changes.iter().any(is_back) {
            originals.push((hook, place.chained));
        }
    }
    plan.changes.extend(plan_links(folder, &originals)?);
    Ok(plan)
}

/// Lists the hooks that call us, as this version does it.
pub(in crate::ops) fn installed_names(folder: &Path) -> Result<Vec<&'static str>, OpError> {
    let mut names = Vec::new();
    for hook in GitHook::ALL {
        let place = Place::look(folder, hook.name)?;
        let own = place.bytes.as_deref().is_some_and(|bytes| hook.is_current(bytes)) && place.is_active();
        let aside = match &place.bytes {
            Some(bytes) if !own => runs_aside(bytes, folder, hook)?,
            _ => false,
        };
        if own || aside {
            names.push(hook.name);
        }
    }
    Ok(names)
}

/// Tells whether a hook of pre-commit's runs ours, which it moved aside.
fn runs_aside(bytes: &[u8], folder: &Path, hook: GitHook) -> Result<bool, OpError> {
    if memchr::memmem::find(bytes, b"File generated by pre-commit").is_none() {
        return Ok(false);
    }
    let aside = Place::look(folder, &format!("{}{}", hook.name, ASIDE_ENDINGS[0]))?;
    Ok(aside.is_active() && aside.bytes.is_some_and(|bytes| hook.is_current(&bytes)))
}

fn is_writable(place: &Place) -> bool {
    place.found.as_ref().is_some_and(|found| found.permissions().mode() & 0o200 != 0)
}
