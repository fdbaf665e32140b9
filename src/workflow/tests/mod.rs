//! Promises of the room that need a whole marketplace.

mod catalogs;
mod choices;
mod definitions;
mod hostile;
mod plugins;
mod tree;

use super::*;
use crate::model::ObjectId;
use tree::Tree;

/// Makes a marketplace of a manifest and of files; each workflow that it names lies in `workflows/<name>`.
fn market(workflows: &serde_json::Value) -> Tree {
    let manifest = serde_json::json!({"name": "m", "workflows": workflows});
    let mut tree = Tree::default().with(WORKFLOW_MANIFESTS[0], manifest.to_string());
    for entry in workflows.as_array().into_iter().flatten() {
        let name = entry["name"].as_str().unwrap_or("odd");
        let version = entry["version"].as_str().unwrap_or("0");
        tree = tree
            .with(&format!("workflows/{name}/workflow.json"), format!("{{\"name\":\"{name}\",\"v\":\"{version}\"}}"));
    }
    tree
}

/// Makes an entry of a manifest.
fn entry(name: &str, version: &str) -> serde_json::Value {
    serde_json::json!({"name": name, "version": version, "source": format!("./workflows/{name}/workflow.json")})
}
