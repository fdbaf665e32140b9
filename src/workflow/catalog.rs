//! What a marketplace offers at one state.

use super::fault::bounded;
use super::manifest::{About, Manifest, ManifestError, PLUGIN_MANIFESTS, WORKFLOW_MANIFESTS};
use super::{Fault, Files, Name, PluginEntry, WorkflowEntry};

/// Holds the workflows of a marketplace, and what is wrong with those that are not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The manifest's path.
    pub manifest: String,
    /// What the manifest says of the marketplace.
    pub about: About,
    /// The workflows, in the order of the manifest.
    pub workflows: Vec<WorkflowEntry>,
    /// What is wrong in the manifest.
    pub faults: Vec<Fault>,
}

/// Holds the plugins of a marketplace, and what is wrong with those that are not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginCatalog {
    /// The manifest's path.
    pub manifest: String,
    /// What the manifest says of the marketplace.
    pub about: About,
    /// The plugins, in the order of the manifest.
    pub plugins: Vec<PluginEntry>,
    /// What is wrong in the manifest.
    pub faults: Vec<Fault>,
}

impl Catalog {
    /// Reads the manifest of workflows. What is wrong with one entry hides no other.
    ///
    /// # Errors
    /// When there is no manifest, or it cannot be read as one.
    pub fn read(files: &dyn Files) -> Result<Self, ManifestError> {
        let mut manifest = Manifest::find(files, WORKFLOW_MANIFESTS)?;
        let entries = manifest.take_entries("workflows")?;
        let (about, root) = (manifest.about(), manifest.root_folder("workflowRoot"));
        let Manifest { path, mut faults, .. } = manifest;
        let mut workflows = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            let pointer = format!("/workflows/{at}");
            workflows.extend(WorkflowEntry::read(entry, &pointer, root.as_deref(), &mut faults));
        }
        Ok(Catalog { manifest: path, about, workflows, faults: bounded(faults) })
    }

    /// Returns the workflows of a name, or of the name that it has by now.
    pub fn named<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a WorkflowEntry> {
        let known = self.workflows.iter().any(|entry| entry.name == *name);
        let name = if known { name } else { self.about.renamed(name).flatten().unwrap_or(name) };
        self.workflows.iter().filter(move |entry| entry.name == *name)
    }
}

impl PluginCatalog {
    /// Reads the manifest of plugins. What is wrong with one entry hides no other.
    ///
    /// # Errors
    /// When there is no manifest, or it cannot be read as one.
    pub fn read(files: &dyn Files) -> Result<Self, ManifestError> {
        let mut manifest = Manifest::find(files, PLUGIN_MANIFESTS)?;
        let entries = manifest.take_entries("plugins")?;
        let (about, root) = (manifest.about(), manifest.root_folder("pluginRoot"));
        let Manifest { path, mut faults, .. } = manifest;
        let mut plugins = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            let pointer = format!("/plugins/{at}");
            plugins.extend(PluginEntry::read(entry, &pointer, root.as_deref(), &mut faults));
        }
        Ok(PluginCatalog { manifest: path, about, plugins, faults: bounded(faults) })
    }

    /// Returns the first plugin of a name, or of the name that it has by now.
    pub fn named(&self, name: &Name) -> Option<&PluginEntry> {
        let find = |name: &Name| self.plugins.iter().find(|entry| entry.name == *name);
        find(name).or_else(|| find(self.about.renamed(name)??))
    }
}
