//! Manifests of real marketplaces, in folders made after the lists of their files.

use git_trace::workflow::{Catalog, PluginCatalog, PluginEntry, PluginSource, Source, locate_plugin};

use super::market::Tree;
use crate::world::shared_data;

/// Says where the plugins of a marketplace come from.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    /// From the marketplace itself, and they are there.
    inside: usize,
    /// From a whole other repository.
    whole: usize,
    /// From a folder of another repository.
    folder: usize,
    /// Of those from other repositories, the ones at a commit.
    pinned: usize,
    /// Of those, the ones that name a branch or tag beside it.
    named: usize,
    /// At a branch or tag that may move.
    moving: usize,
    /// With a version in the manifest.
    versions: usize,
    /// Described by the manifest alone.
    lenient: usize,
}

/// Rebuilds a marketplace; `manifest` is the one that is read.
fn rebuild(name: &str, manifest: &str) -> Option<Tree> {
    let folder = shared_data()?.join("marketplaces").join(name);
    let list = std::fs::read_to_string(folder.join("TREE.txt")).expect("the list of files");
    let manifests = [".athena-workflow/", ".agents/plugins/marketplace", ".claude-plugin/marketplace"];
    let tree = list.lines().fold(Tree::default(), |tree, line| {
        let (mode, path) = line.split_once(' ').expect("a mode and a path");
        match mode {
            _ if manifests.iter().any(|start| path.starts_with(start)) => tree,
            "120000" => tree.with_link(path),
            "160000" => tree.with_submodule(path),
            _ => tree.with(path, ""),
        }
    });
    Some(tree.with(manifest, std::fs::read(folder.join(manifest)).expect("the manifest")))
}

fn count(name: &str, manifest: &str) -> Option<Count> {
    let tree = rebuild(name, manifest)?;
    let catalog = PluginCatalog::read(&tree).expect("a manifest");
    assert_eq!((catalog.manifest.as_str(), &catalog.faults), (manifest, &Vec::new()), "{name}");
    let mut count = Count::default();
    for PluginEntry { name, source, version, strict, .. } in &catalog.plugins {
        count.versions += usize::from(version.is_some());
        count.lenient += usize::from(!strict);
        match source.as_ref().unwrap_or_else(|error| panic!("{name}: {error}")) {
            PluginSource::Inside { folder } => {
                locate_plugin(&tree, folder).unwrap_or_else(|error| panic!("{name}: {error}"));
                count.inside += 1;
            }
            PluginSource::Git { source, branch } => {
                let pinned = source.revision.as_ref().is_some_and(|revision| revision.commit().is_some());
                *if source.folder.is_empty() { &mut count.whole } else { &mut count.folder } += 1;
                count.pinned += usize::from(pinned);
                count.named += usize::from(branch.is_some());
                count.moving += usize::from(!pinned && source.revision.is_some());
                let read = Source::parse(&source.to_string(), &|_| None);
                assert_eq!(read.as_ref(), Ok(source), "what is shown leads there again");
            }
        }
    }
    Some(count)
}

#[test]
fn all_plugins_of_real_marketplaces_lead_somewhere() {
    let Some(official) = count("anthropics__claude-plugins-official", ".claude-plugin/marketplace.json") else {
        return;
    };
    // 150 `url`, of which 4 with a path, and 83 `git-subdir`.
    let expected = Count {
        inside: 53,
        whole: 146,
        folder: 87,
        pinned: 233,
        named: official.named,
        moving: 0,
        versions: 14,
        lenient: 15,
    };
    assert_eq!(official, expected);
    assert!(official.named >= 82, "{official:?}");
    let claude = count("wshobson__agents", ".claude-plugin/marketplace.json");
    assert_eq!(claude, Some(Count { inside: 91, folder: 1, versions: 92, ..Count::default() }));
    let codex = count("wshobson__agents", ".agents/plugins/marketplace.json");
    assert_eq!(codex, Some(Count { inside: 91, ..Count::default() }));
    let powers = count("obra__superpowers-marketplace", ".claude-plugin/marketplace.json");
    assert_eq!(powers, Some(Count { whole: 10, moving: 1, versions: 10, ..Count::default() }));
}

#[test]
fn a_marketplace_of_plugins_has_no_workflows_and_no_faults() {
    let Some(tree) = rebuild("anthropics__claude-plugins-official", ".claude-plugin/marketplace.json") else { return };
    let catalog = Catalog::read(&tree).expect("a manifest");
    assert_eq!((catalog.workflows.len(), catalog.faults.len(), catalog.about.renames.len()), (0, 0, 9));
    assert_eq!(catalog.about.name.as_deref(), Some("claude-plugins-official"));
}
