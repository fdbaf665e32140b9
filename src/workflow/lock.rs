//! The lock file: what is installed, as exactly as it is known.
//!
//! It is YAML, sorted, one field a line, so that two people's installs merge as texts do. What it names is looked up
//! again and compared; it is believed in nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::ObjectId;

/// Most entries of a kind.
const ENTRIES_MAX: usize = 10_000;
/// Longest text of a field, in bytes.
const FIELD_MAX: usize = 4096;
/// The first line of the file.
const HEAD: &str =
    "# What 'git trace workflow' has installed. Merge it as any text, then: git trace workflow install\n";

/// Holds a lock file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// Workflows, by name.
    pub workflows: BTreeMap<String, Locked>,
    /// Plugins of workflows, by the name under which each is kept.
    pub plugins: BTreeMap<String, Locked>,
}

/// Says what one workflow or plugin is, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The reference by which it was asked for.
    pub reference: String,
    /// The marketplace, as it was named: `owner/repo`, an address or a path, with its branch and folder.
    pub source: String,
    /// Where its repository is, without passwords: an address, or a path.
    pub url: String,
    /// The commit; a plain folder has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<ObjectId>,
    /// The folder in that commit; the root is empty.
    pub path: String,
    /// A workflow's file in that folder, if it is not called `workflow.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The tree of that folder, as it is in this repository.
    pub tree: ObjectId,
    /// Its version, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Which versions will do when it is upgraded; any, if none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// The names under which its plugins are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<String>,
}

/// Says why a lock file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It is larger than such a file can be.
    #[error("it has {size} bytes, more than {}", Lock::MAX)]
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// A newer program wrote it.
    #[error("it has version {version}, newer than this program")]
    Newer {
        /// Its version.
        version: u64,
    },
    /// It holds marks of a merge that is not finished.
    #[error("it holds a conflict, from line {line} on")]
    Conflict {
        /// The line, from 1.
        line: usize,
    },
    /// It is no lock file.
    #[error("{reason}")]
    Malformed {
        /// What is wrong, and where.
        reason: String,
    },
}

/// The file as it stands in YAML.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    workflows: BTreeMap<String, Locked>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    plugins: BTreeMap<String, Locked>,
}

/// What every version of the file has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Lock {
    /// The largest file that is read, in bytes.
    pub const MAX: u64 = 4 << 20;
    /// The version of the file that this program writes.
    pub const VERSION: u64 = 1;

    /// Reads a lock file; an empty one locks nothing.
    ///
    /// # Errors
    /// When it is too large, of a newer version, or malformed.
    pub fn read(bytes: &[u8]) -> Result<Self, LockError> {
        let malformed = |reason: String| LockError::Malformed { reason };
        if bytes.len() as u64 > Lock::MAX {
            return Err(LockError::TooLarge { size: bytes.len() as u64 });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
        if text.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) {
            return Ok(Lock::default());
        }
        let is_mark = |line: &str| ["<<<<<<< ", ">>>>>>> "].iter().any(|mark| line.starts_with(mark));
        if let Some(line) = text.lines().position(is_mark) {
            return Err(LockError::Conflict { line: line + 1 });
        }
        refuse_odd_yaml(text)?;
        // Its version comes first: what a newer one looks like, nobody knows.
        let versioned: Versioned = serde_yaml::from_str(text).map_err(|error| malformed(error.to_string()))?;
        match versioned.version {
            Lock::VERSION => {}
            0 => return Err(malformed("version: has to be 1".to_owned())),
            version => return Err(LockError::Newer { version }),
        }
        let document: Document = serde_yaml::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let Document { workflows, plugins, .. } = document;
        let lock = Lock { workflows, plugins };
        lock.check().map_err(malformed)?;
        Ok(lock)
    }

    /// Writes the file: the same lock gives the same bytes.
    pub fn write(&self) -> String {
        let document =
            Document { version: Lock::VERSION, workflows: self.workflows.clone(), plugins: self.plugins.clone() };
        let yaml = serde_yaml::to_string(&document).expect("it is made of texts and maps of texts");
        format!("{HEAD}{yaml}")
    }

    /// Removes plugins that no workflow names any more, and returns their names.
    pub fn drop_unused_plugins(&mut self) -> Vec<String> {
        let is_used = |name: &String| self.workflows.values().any(|one| one.plugins.contains(name));
        let unused: Vec<String> = self.plugins.keys().filter(|name| !is_used(name)).cloned().collect();
        unused.iter().for_each(|name| drop(self.plugins.remove(name)));
        unused
    }

    /// Returns the key under which a plugin is to be kept: its name, or, where that is used for another tree by a workflow that
    /// `counts`, with a part of its tree's id behind it.
    pub fn plugin_key(&self, name: &str, tree: &ObjectId, counts: &dyn Fn(&str) -> bool) -> String {
        let is_free = |key: &String| {
            self.plugins.get(key).is_none_or(|other| other.tree == *tree || !self.is_plugin_used(key, counts))
        };
        let longer = |digits: usize| {
            let kept: String = name.chars().take(super::Name::MAX - digits - 1).collect();
            format!("{kept}-{}", tree.short(digits))
        };
        let mut keys = std::iter::once(name.to_owned()).chain([8, 16, 40].map(longer));
        keys.find(is_free).unwrap_or_else(|| longer(64))
    }

    /// Tells whether a workflow that `counts` names a plugin.
    pub fn is_plugin_used(&self, key: &str, counts: &dyn Fn(&str) -> bool) -> bool {
        self.workflows.iter().any(|(name, one)| counts(name) && one.plugins.iter().any(|plugin| plugin == key))
    }

    /// Looks for what no program of ours writes.
    fn check(&self) -> Result<(), String> {
        for (kind, entries) in [("workflows", &self.workflows), ("plugins", &self.plugins)] {
            if entries.len() > ENTRIES_MAX {
                return Err(format!("{kind}: has more than {ENTRIES_MAX} entries"));
            }
            for (name, one) in entries {
                if name.parse::<super::Name>().is_err() {
                    return Err(format!("{kind}: '{}' is not a name", name.escape_debug()));
                }
                let fields = [&one.reference, &one.source, &one.url, &one.path];
                let further = one.file.iter().chain(&one.version).chain(&one.range).chain(&one.plugins);
                for field in fields.into_iter().chain(further) {
                    if field.len() > FIELD_MAX || field.chars().any(char::is_control) {
                        return Err(format!("{kind}/{name}: a field is too long, or has control characters"));
                    }
                }
                let leads_out = one.path.starts_with('/') || one.path.split('/').any(|part| part == "..");
                if leads_out || one.file.as_ref().is_some_and(|file| file.contains('/') || file == "..") {
                    return Err(format!("{kind}/{name}/path: leads out of the repository"));
                }
                if let Some(missing) = one.plugins.iter().find(|plugin| !self.plugins.contains_key(*plugin)) {
                    return Err(format!("{kind}/{name}/plugins: '{missing}' is not among the plugins"));
                }
            }
        }
        Ok(())
    }
}

/// Refuses what no lock file has: an alias could stand for more than any memory holds, a tag for anything.
fn refuse_odd_yaml(text: &str) -> Result<(), LockError> {
    for (at, line) in text.lines().enumerate() {
        let value = line.trim_start();
        let value = value.split_once(": ").map_or(value, |(_, value)| value).trim_start_matches("- ");
        if value.starts_with(['&', '*', '!']) {
            return Err(LockError::Malformed { reason: format!("line {}: aliases and tags are not used", at + 1) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn locked(plugins: &[&str]) -> Locked {
        Locked {
            reference: "deploy@acme/flows@^1.2".to_owned(),
            source: "acme/flows#v1".to_owned(),
            url: "https://github.com/acme/flows.git".to_owned(),
            commit: Some(ObjectId::Sha1([0xab; 20])),
            path: "workflows/deploy".to_owned(),
            file: None,
            tree: ObjectId::Sha1([0x12; 20]),
            version: Some("1.10".to_owned()),
            range: Some("^1.2".to_owned()),
            plugins: plugins.iter().map(|&plugin| plugin.to_owned()).collect(),
        }
    }

    fn golden() -> Lock {
        let plugin = Locked { commit: None, version: None, range: None, path: String::new(), ..locked(&[]) };
        Lock {
            workflows: [("deploy".to_owned(), locked(&["lint"]))].into(),
            plugins: [("lint".to_owned(), plugin)].into(),
        }
    }

    const GOLDEN: &str = "\
# What 'git trace workflow' has installed. Merge it as any text, then: git trace workflow install
version: 1
workflows:
  deploy:
    reference: deploy@acme/flows@^1.2
    source: acme/flows#v1
    url: https://github.com/acme/flows.git
    commit: abababababababababababababababababababab
    path: workflows/deploy
    tree: '1212121212121212121212121212121212121212'
    version: '1.10'
    range: ^1.2
    plugins:
    - lint
plugins:
  lint:
    reference: deploy@acme/flows@^1.2
    source: acme/flows#v1
    url: https://github.com/acme/flows.git
    path: ''
    tree: '1212121212121212121212121212121212121212'
";

    #[test]
    fn the_bytes_are_these_and_stay_these() {
        assert_eq!(golden().write(), GOLDEN);
        assert_eq!(Lock::read(GOLDEN.as_bytes()), Ok(golden()));
        assert_eq!(Lock::read(b""), Ok(Lock::default()));
        assert_eq!(Lock::read(Lock::default().write().as_bytes()), Ok(Lock::default()));
    }

    #[test]
    fn what_is_no_lock_file_is_refused_by_name() {
        let read = |text: &str| Lock::read(text.as_bytes()).expect_err(text).to_string();
        assert_eq!(read("version: 2\nshape: other\n"), "it has version 2, newer than this program");
        assert_eq!(read("version: 1\n<<<<<<< HEAD\n"), "it holds a conflict, from line 2 on");
        assert!(read("version: 1\nworkflows:\n  ../x: {}\n").contains("missing field"));
        assert!(read(&GOLDEN.replace("  deploy:", "  ../x:")).contains("'../x' is not a name"));
        assert!(read(&GOLDEN.replace("path: workflows", "path: ../..")).contains("leads out"));
        assert!(read(&GOLDEN.replace("- lint", "- lind")).contains("'lind' is not among the plugins"));
        assert!(read(&GOLDEN.replace("deploy@acme", "&a deploy@acme")).contains("aliases"));
        assert!(read("- 1").contains("invalid type") || read("- 1").contains("version"));
        let large = vec![b' '; Lock::MAX as usize + 1];
        assert!(matches!(Lock::read(&large), Err(LockError::TooLarge { .. })));
    }

    #[test]
    fn plugins_go_with_the_last_workflow_that_names_them() {
        let mut lock = golden();
        assert!(lock.drop_unused_plugins().is_empty());
        lock.workflows.clear();
        assert_eq!(lock.drop_unused_plugins(), ["lint"]);
        assert_eq!(lock, Lock::default());
    }

    #[test]
    fn a_plugin_that_another_workflow_has_pinned_is_not_overwritten() {
        let lock = golden();
        let (same, other) = (locked(&[]).tree, ObjectId::Sha1([0x34; 20]));
        let (all, none) = (|_: &str| true, |_: &str| false);
        assert_eq!(lock.plugin_key("lint", &same, &all), "lint");
        assert_eq!(lock.plugin_key("lint", &other, &all), "lint-34343434");
        assert_eq!(lock.plugin_key("lint", &other, &none), "lint", "nobody else needs it");
        let long = "x".repeat(crate::workflow::Name::MAX);
        let mut lock = lock;
        lock.plugins.insert(long.clone(), locked(&[]));
        lock.workflows.insert("long".to_owned(), locked(&[&long]));
        let key = lock.plugin_key(&long, &other, &all);
        lock.plugins.insert(key.clone(), locked(&[]));
        lock.workflows.insert("other".to_owned(), locked(&[&key]));
        let next = lock.plugin_key(&long, &other, &all);
        assert!(next.ends_with(&format!("-{}", "34".repeat(8))), "{next}");
        lock.plugins.insert(next, locked(&[]));
        assert_eq!(Lock::read(lock.write().as_bytes()), Ok(lock), "every key is a name");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            reference in "[ -~é]{1,40}", url in "[ -~]{1,40}", version in proptest::option::of("[ -~]{1,12}"),
            commit in proptest::option::of(any::<[u8; 20]>()), tree in any::<[u8; 32]>(),
        ) {
            let mut lock = golden();
            let one = Locked {
                reference, url, version, commit: commit.map(ObjectId::Sha1), tree: ObjectId::Sha256(tree), ..locked(&[])
            };
            lock.workflows.insert("other".to_owned(), one);
            prop_assert_eq!(Lock::read(lock.write().as_bytes()), Ok(lock));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "(version: 1\n)?[ -~\n]{0,200}") {
            let _ = Lock::read(&bytes);
            let _ = Lock::read(text.as_bytes());
        }
    }
}
