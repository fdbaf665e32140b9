//! What the room `workflow` answers, in the reference's words.

use git_trace::workflow::{
    Catalog, Definition, Look, ManifestError, Named, Place, Precedence, Reference, ReferenceError, ResolveError,
    Source, WorkflowEntry, choose,
};
use serde_json::{Value, json};

use super::case::{Case, Sandbox};
use super::market::Stall;

/// Answers the steps that need no store.
pub fn answer(sandbox: &Sandbox, case: &Case) -> Vec<Option<Value>> {
    case.steps.iter().map(|step| Some(sandbox.recorded(answer_step(sandbox, step)?))).collect()
}

fn answer_step(sandbox: &Sandbox, step: &Value) -> Option<Value> {
    let source = || sandbox.input(step, "source");
    match step["op"].as_str().expect("each step has an operation") {
        "parseRef" => Some(step["strings"].as_array().expect("references").iter().map(parsed).collect()),
        "resolveInstall" => {
            let sources = step["sources"].as_array().into_iter().flatten();
            let sources: Vec<String> = sources.map(|source| sandbox.real(source.as_str().expect("a text"))).collect();
            Some(resolved(sandbox, &sandbox.input(step, "ref"), &sources))
        }
        "gather" => Some(gathered(sandbox, &source())),
        "marketSource" => Some(match stall(sandbox, &source()) {
            Ok(stall) if stall.files.is_ok() => json!({"kind": "local", "path": stall.home, "repoDir": stall.home}),
            _ => error(),
        }),
        "findRepo" => Some(stall(sandbox, &sandbox.input(step, "path")).map_or(Value::Null, |stall| stall.home.into())),
        "manifestPath" => Some(manifest_path(sandbox, &sandbox.input(step, "repo"))),
        "resolveWorkflow" => defined(sandbox, &sandbox.input(step, "name")),
        _ => None,
    }
}

/// Returns an error that has no class of its own.
pub fn error() -> Value {
    json!({"error": {"class": "Error"}})
}

/// Finds a marketplace as a person in the sandbox names it.
pub fn stall(sandbox: &Sandbox, text: &str) -> Result<Stall, Value> {
    let look: Look<'_> = &|path| sandbox.look(path);
    Source::parse(text, look).map(|source| Stall::find(sandbox, source)).map_err(|_| error())
}

fn parsed(text: &Value) -> Value {
    let Ok(Named { name, source, .. }) = Named::parse(text.as_str().expect("a text")) else {
        return json!([text, "refused"]);
    };
    let source = source.map(|source| source.to_string()).unwrap_or_default();
    let (owner, repo) = source.split_once('/').unwrap_or_default();
    json!([text, {"pluginName": name, "owner": owner, "repo": repo}])
}

fn resolved(sandbox: &Sandbox, text: &str, sources: &[String]) -> Value {
    let look: Look<'_> = &|path| sandbox.look(path);
    let named = match Reference::parse(text, look) {
        Ok(Reference::Named(named)) => *named,
        Ok(Reference::File(path)) => {
            let real = sandbox.path(&path).canonicalize().expect("it was there a moment ago");
            return json!({"kind": "filesystem", "workflowPath": real});
        }
        Ok(Reference::Folder(path)) => return json!({"kind": "folder", "workflowPath": path}),
        Err(ReferenceError::Malformed { text }) => return json!({"error": {"class": "Malformed", "ref": text}}),
        Err(_) => return error(),
    };
    let stalls = match &named.source {
        Some(source) => Ok(vec![Stall::find(sandbox, source.clone())]),
        None => sources.iter().map(|source| stall(sandbox, source)).collect(),
    };
    let stalls: Vec<Stall> = match stalls {
        Ok(stalls) => stalls,
        Err(error) => return error,
    };
    let searched: Vec<_> = stalls.iter().map(Stall::searched).collect();
    match choose(&named, &searched, Precedence::Ask) {
        Ok(choice) => found(&stalls[choice.market], &choice.entry, &choice.place, &choice.manifest),
        Err(error) => refused(&error, &stalls),
    }
}

/// Tells what was found.
fn found(stall: &Stall, entry: &WorkflowEntry, place: &Place, manifest: &str) -> Value {
    let mut answer = json!({
        "workflowName": entry.name,
        "version": entry.version.as_ref().map(ToString::to_string),
        "manifestPath": format!("{}/{manifest}", stall.home),
        "workflowPath": format!("{}/{}", stall.home, place.path()),
    });
    let (owner, repo) = stall.slug.as_deref().and_then(|slug| slug.split_once('/')).unwrap_or_default();
    let more = match &stall.slug {
        None => json!({"kind": "marketplace-local", "repoDir": stall.home}),
        Some(slug) => json!({
            "kind": "marketplace-remote", "slug": slug, "owner": owner, "repo": repo, "ref": format!("{}@{slug}", entry.name),
        }),
    };
    answer.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    answer
}

fn refused(refused: &ResolveError, stalls: &[Stall]) -> Value {
    let label = |told: &str| {
        let stall = stalls.iter().find(|stall| stall.source.to_string() == told);
        stall.map_or_else(|| told.to_owned(), Stall::label)
    };
    match refused {
        ResolveError::NotFound(lost) if stalls.iter().all(|stall| stall.slug.is_none()) => {
            let failed = lost.failed.iter().map(|failed| &failed.label);
            let searched: Vec<&String> = lost.searched.iter().chain(failed).collect();
            json!({"error": {"class": "WorkflowNotFoundError", "workflowName": lost.name, "searchedSources": searched}})
        }
        ResolveError::Ambiguous { name, candidates } => {
            let told = |one: &git_trace::workflow::Candidate| json!({"sourceLabel": label(&one.label), "disambiguator": one.reference});
            let candidates: Vec<Value> = candidates.iter().map(told).collect();
            json!({"error": {"class": "WorkflowAmbiguityError", "workflowName": name, "candidates": candidates}})
        }
        ResolveError::VersionNotFound { name, wanted, found, .. } => {
            let mut told = json!({
                "class": "WorkflowVersionNotFoundError", "workflowName": name, "requestedVersion": wanted,
                "sourceLabel": label(&found[0].label),
            });
            if let Some(version) = found[0].versions.first() {
                told["availableVersion"] = version.as_str().into();
            }
            json!({"error": told})
        }
        _ => error(),
    }
}

/// Lists a marketplace; it is an error only if there is nothing to list and something is wrong.
fn gathered(sandbox: &Sandbox, text: &str) -> Value {
    let stall = match stall(sandbox, text) {
        Ok(stall) => stall,
        Err(error) => return error,
    };
    let Ok(files) = &stall.files else {
        let fetched = matches!(stall.source.location, git_trace::workflow::Location::Url(_)) || stall.slug.is_some();
        return if fetched { json!({"source": stall.source.to_string()}) } else { error() };
    };
    let Ok(catalog) = Catalog::read(files) else { return error() };
    let places: Vec<_> = catalog.workflows.iter().map(|entry| (entry, entry.locate(files))).collect();
    let sound = |(entry, place): &(&WorkflowEntry, Result<Place, _>)| {
        Some(found(&stall, entry, place.as_ref().ok()?, &catalog.manifest))
    };
    let listed: Vec<Value> = places.iter().filter_map(sound).collect();
    if listed.is_empty() && !places.is_empty() { error() } else { listed.into() }
}

fn manifest_path(sandbox: &Sandbox, text: &str) -> Value {
    let files = sandbox.files();
    let below = sandbox.below_root(text).expect("it is in the sandbox");
    let rooted = git_trace::workflow::Rooted::new(&files, below.as_str());
    match Catalog::read(&rooted) {
        Ok(Catalog { manifest: path, .. }) | Err(ManifestError::Missing { path }) => {
            format!("{}/{path}", sandbox.absolute(&below)).into()
        }
        Err(_) => error(),
    }
}

/// Reads the definition of a workflow that is installed where the reference has it; of others nothing is said here.
fn defined(sandbox: &Sandbox, name: &str) -> Option<Value> {
    let folder = sandbox.real(&format!("$HOME/.config/athena/workflows/{name}"));
    let text = std::fs::read(format!("{folder}/workflow.json")).ok()?;
    let Ok(definition) = Definition::read(&text) else { return Some(error()) };
    let instructions = format!("{folder}/{}", definition.workflow_file);
    if std::fs::metadata(&instructions).is_err() {
        return Some(error());
    }
    let (version, description) = (definition.version.as_ref().map(ToString::to_string), &definition.description);
    let told = json!({
        "name": definition.name, "version": version, "description": description, "promptTemplate": definition.prompt_template, "workflowFile": instructions,
        "plugins": definition.plugins.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    // What is not said is not there.
    Some(
        told.as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}
