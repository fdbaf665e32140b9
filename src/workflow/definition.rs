//! What a workflow says of itself: `workflow.json`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::entry::found;
use super::fault::{below, not_a};
use super::inner_path::join;
use super::json::{JsonError, read};
use super::members::Members;
use super::{EntryError, Fault, Files, Loop, Name, Named, Node, Place, Severity, Version};
use crate::model::ObjectId;

/// Most plugins of a workflow.
const PLUGINS_MAX: usize = 200;
/// Most variables of the environment.
const VARIABLES_MAX: usize = 200;
/// Most prompts that are given as examples.
const EXAMPLES_MAX: usize = 100;

/// Holds a workflow's definition, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// What it calls itself; the marketplace may call it otherwise.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<String>,
    /// What it is for, in the words of a marketplace's listing.
    pub marketplace_description: Option<String>,
    /// Its version, as it says itself; which one is chosen follows the marketplace's manifest.
    pub version: Option<Version>,
    /// The plugins that it needs.
    pub plugins: Vec<Named>,
    /// What the agent is told first; `{input}` is what the user says.
    pub prompt_template: String,
    /// The file of instructions, relative to the workflow's folder.
    pub workflow_file: String,
    /// What users may say, as examples.
    pub example_prompts: Vec<String>,
    /// How often the agent is asked again.
    pub looping: Loop,
    /// How far the agent has to be kept apart, if the workflow says so.
    pub isolation: Option<Isolation>,
    /// The model that it would like.
    pub model: Option<String>,
    /// How hard the model should think.
    pub effort: Option<Effort>,
    /// Variables of the environment that the agent gets.
    pub env: BTreeMap<String, String>,
    /// Members that are not known, in their order.
    pub other: Map<String, Value>,
    /// What is odd in it; nothing of it makes it unusable.
    pub warnings: Vec<Fault>,
}

/// Says how far an agent is kept apart; the first keeps most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isolation {
    /// As far as possible.
    Strict,
    /// As far as is usual.
    Minimal,
    /// Hardly.
    Permissive,
}

/// Says how hard a model should think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    /// Little.
    Low,
    /// Somewhat.
    Medium,
    /// Much.
    High,
    /// Very much.
    Xhigh,
    /// As much as it can.
    Max,
}

impl Isolation {
    /// Returns the name as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Isolation::Strict => "strict",
            Isolation::Minimal => "minimal",
            Isolation::Permissive => "permissive",
        }
    }
}

impl Effort {
    /// Returns the name as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Xhigh => "xhigh",
            Effort::Max => "max",
        }
    }
}

/// Says why a definition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionError {
    /// It is no JSON, or too large.
    Json(JsonError),
    /// It breaks the rules; there is at least one fault, and warnings may be among them.
    Invalid(Vec<Fault>),
}

impl std::error::Error for DefinitionError {}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DefinitionError::Json(error) => error.fmt(f),
            DefinitionError::Invalid(faults) => {
                let mut errors = faults.iter().filter(|fault| fault.severity == Severity::Error);
                errors.next().map_or(Ok(()), |first| first.fmt(f))?;
                match errors.count() {
                    0 => Ok(()),
                    more => write!(f, " (and {more} more)"),
                }
            }
        }
    }
}

impl Definition {
    /// Reads a definition. Names that members had once are read too, with a warning; members that are not known are
    /// kept, with a warning.
    ///
    /// # Errors
    /// When it is no JSON, or breaks the rules; each fault is told.
    pub fn read(bytes: &[u8]) -> Result<Self, DefinitionError> {
        let (value, mut faults) = read(bytes).map_err(DefinitionError::Json)?;
        let definition = match value {
            Value::Object(object) => Definition::of(&mut Members::new(object, "", &mut faults)),
            other => {
                faults.push(Fault::error("", not_a("an object", &other)));
                None
            }
        };
        match definition {
            Some(definition) if faults.iter().all(|fault| fault.severity == Severity::Warning) => {
                Ok(Definition { warnings: faults, ..definition })
            }
            _ => Err(DefinitionError::Invalid(faults)),
        }
    }

    fn of(members: &mut Members<'_>) -> Option<Self> {
        let name = members.checked("name", |text| text.parse().map_err(|_| "cannot be a name".to_owned()));
        let version = members
            .text("version")
            .and_then(|text| Version::parse(&text).map_err(|_| members.warn("version", "cannot be a version")).ok());
        let (description, marketplace_description) =
            (members.text("description"), members.text("marketplaceDescription"));
        let plugins = plugins(members);
        let prompt_template = members.needed("promptTemplate");
        let workflow_file = workflow_file(members);
        let example_prompts = members.texts("examplePrompts", EXAMPLES_MAX);
        let looping = members
            .object("loop")
            .map(|(object, pointer)| Loop::read(&mut Members::new(object, &pointer, members.faults())));
        let isolation = members.one_of(
            "isolation",
            [Isolation::Strict, Isolation::Minimal, Isolation::Permissive],
            Isolation::name,
        );
        let efforts = [Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh, Effort::Max];
        let (model, effort) = (members.text("model"), members.one_of("effort", efforts, Effort::name));
        let env = environment(members);
        Some(Definition {
            name,
            description,
            marketplace_description,
            version,
            plugins,
            prompt_template: prompt_template?,
            workflow_file: workflow_file?,
            example_prompts,
            looping: looping.unwrap_or_default(),
            isolation,
            model,
            effort,
            env,
            other: members.rest(),
            warnings: Vec::new(),
        })
    }

    /// Finds the file of instructions: its path within the marketplace, and its blob.
    ///
    /// # Errors
    /// When it is not there, is no file, or lies behind a link or in a submodule.
    pub fn instructions(&self, files: &dyn Files, place: &Place) -> Result<(String, ObjectId), EntryError> {
        let outside = |reason| EntryError::Outside { path: self.workflow_file.clone(), reason };
        let path = join(&place.folder, &self.workflow_file).map_err(outside)?;
        match found(files, &path)? {
            Node::File { id, .. } => Ok((path, id)),
            _ => Err(EntryError::Missing { path }),
        }
    }
}

/// Reads the path of the instructions, which are within the workflow's folder.
fn workflow_file(members: &mut Members<'_>) -> Option<String> {
    let old = members.text("systemPromptFile");
    let (name, path) = match (members.text("workflowFile"), old) {
        (Some(path), None) => ("workflowFile", path),
        (Some(path), Some(_)) => {
            members.warn("systemPromptFile", "is passed over, since there is 'workflowFile'");
            ("workflowFile", path)
        }
        (None, Some(path)) => {
            members.warn("systemPromptFile", "is called 'workflowFile' by now");
            ("systemPromptFile", path)
        }
        (None, None) => {
            members.fault("workflowFile", "is missing: the path of the file of instructions");
            return None;
        }
    };
    match join("", &path) {
        Ok(path) if path.is_empty() => {
            members.fault(name, "is empty: the path of the file of instructions");
            None
        }
        // What leads out of the folder and back again is no path within it either.
        Ok(_) if path.split('/').any(|part| part == "..") => {
            members.fault(name, "leads out of the workflow's folder");
            None
        }
        Ok(path) => Some(path),
        Err(reason) => {
            members.fault(name, &format!("has to be a path within the workflow's folder, and {reason}"));
            None
        }
    }
}

fn plugins(members: &mut Members<'_>) -> Vec<Named> {
    let mut plugins = Vec::new();
    for (pointer, value) in members.array("plugins", PLUGINS_MAX) {
        match plugin(&value) {
            Ok(plugin) => plugins.push(plugin),
            Err(reason) => members.faults().push(Fault::error(pointer, reason)),
        }
    }
    plugins
}

/// Reads `"name@owner/repo"` or `{"ref": "name@owner/repo", "version": "1.2.0"}`.
fn plugin(value: &Value) -> Result<Named, String> {
    let (reference, version) = match value {
        Value::String(reference) => (reference, None),
        Value::Object(object) => match (object.get("ref"), object.get("version")) {
            (Some(Value::String(reference)), Some(Value::String(version))) => (reference, Some(version)),
            _ => return Err("has to have a 'ref' and a 'version', both strings".to_owned()),
        },
        other => return Err(not_a("a string or an object", other)),
    };
    let mut named = Named::parse(reference.trim()).map_err(|error| error.to_string())?;
    if let Some(version) = version {
        if named.requirement.is_some() {
            return Err("names a version twice".to_owned());
        }
        named.requirement = Some(version.parse().map_err(|error: super::RequirementError| error.to_string())?);
    }
    Ok(named)
}

fn environment(members: &mut Members<'_>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let Some((object, pointer)) = members.object("env") else { return variables };
    if object.len() > VARIABLES_MAX {
        members.fault("env", &format!("has more than {VARIABLES_MAX} variables"));
        return variables;
    }
    for (name, value) in object {
        let at = below(&pointer, &name);
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let sound = name.bytes().all(inner) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        match value {
            _ if !sound => members.faults().push(Fault::error(at, "cannot be the name of a variable")),
            Value::String(value) if value.contains('\0') => {
                members.faults().push(Fault::error(at, "holds a character that no variable can hold"));
            }
            Value::String(value) => {
                if is_telling(&name) {
                    members.faults().push(Fault::warning(at, "decides which programs and libraries are run"));
                }
                variables.insert(name, value);
            }
            other => members.faults().push(Fault::error(at, not_a("a string", &other))),
        }
    }
    variables
}

/// Tells whether a variable decides what programs do rather than what they are told.
fn is_telling(name: &str) -> bool {
    let starts = ["LD_", "DYLD_", "GIT_", "GITTRACE_"].iter().any(|start| name.starts_with(start));
    starts
        || matches!(
            name,
            "PATH" | "HOME" | "SHELL" | "ENV" | "BASH_ENV" | "NODE_OPTIONS" | "PYTHONPATH" | "PYTHONSTARTUP"
        )
}
