//! What the room `workflow` answers about plugins, in the reference's words.

use git_trace::workflow::{Named, PluginCatalog, PluginSource, Source, locate_plugin};
use serde_json::{Value, json};

use super::answer::{error, stall};
use super::case::{Case, Sandbox};
use super::market::Stall;

/// Answers the steps about plugins.
pub fn answer(sandbox: &Sandbox, case: &Case) -> Vec<Option<Value>> {
    case.steps.iter().map(|step| Some(sandbox.recorded(answer_step(sandbox, step)?))).collect()
}

fn answer_step(sandbox: &Sandbox, step: &Value) -> Option<Value> {
    let reference = sandbox.input(step, "ref");
    match step["op"].as_str().expect("each step has an operation") {
        "pluginFromRepo" => Some(match stall(sandbox, &sandbox.input(step, "repo")) {
            Ok(stall) => found(&reference, &stall),
            Err(error) => error,
        }),
        "pluginTarget" => {
            let named = Named::parse(&reference).expect("a reference");
            let source: Source = named.source.expect("a marketplace");
            Some(found(&reference, &Stall::find(sandbox, source)))
        }
        "plugins" => Some(needed(sandbox, &sandbox.input(step, "name"))),
        _ => None,
    }
}

fn found(reference: &str, stall: &Stall) -> Value {
    let named = Named::parse(reference).expect("a reference");
    let Ok(files) = &stall.files else { return error() };
    let Ok(catalog) = PluginCatalog::read(files) else { return error() };
    let Some(entry) = catalog.named(&named.name) else { return error() };
    let Ok(PluginSource::Inside { folder }) = &entry.source else { return error() };
    if locate_plugin(files, folder).is_err() {
        return error();
    }
    json!({
        "ref": reference,
        "pluginName": entry.name,
        "marketplacePath": format!("{}/{}", stall.home, catalog.manifest),
        "pluginDir": format!("{}/{folder}", stall.home),
    })
}

/// Finds the plugins of a workflow that is installed where the reference has it.
fn needed(sandbox: &Sandbox, workflow: &str) -> Value {
    let path = sandbox.real(&format!("$HOME/.config/athena/workflows/{workflow}/workflow.json"));
    let text = std::fs::read(path).expect("it is installed");
    let Ok(definition) = git_trace::workflow::Definition::read(&text) else { return error() };
    let plugin =
        |named: &Named| found(&named.to_string(), &Stall::find(sandbox, named.source.clone().expect("a marketplace")));
    let plugins: Vec<Value> = definition.plugins.iter().map(plugin).collect();
    plugins.iter().find(|plugin| plugin.get("error").is_some()).cloned().unwrap_or_else(|| plugins.into())
}
