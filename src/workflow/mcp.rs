//! What a plugin's `.mcp.json` lets the user choose.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Fault;
use super::fault::{below, bounded, not_a};
use super::json::{JsonError, read};

/// Where a plugin names the servers of tools that it brings.
pub const MCP_FILE: &str = ".mcp.json";
/// Most servers of a plugin.
const SERVERS_MAX: usize = 100;
/// Most choices of a server.
const OPTIONS_MAX: usize = 50;

/// Holds the servers of tools that a plugin brings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct McpServers {
    /// The servers by name, as the agent gets them: without what only we read.
    pub servers: Map<String, Value>,
    /// What the user can choose for a server, by its name.
    pub options: BTreeMap<String, Vec<McpOption>>,
    /// What is odd in the file.
    pub faults: Vec<Fault>,
}

/// Is one way in which a server can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpOption {
    /// What it is called.
    pub label: String,
    /// The variables of the environment that it adds.
    pub env: BTreeMap<String, String>,
}

/// Says that two plugins bring servers of one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plugins '{first}' and '{second}' both bring a server '{server}'")]
pub struct McpCollision {
    /// The server's name.
    pub server: String,
    /// The plugin that brings it first.
    pub first: String,
    /// The other.
    pub second: String,
}

impl McpServers {
    /// Reads a plugin's file. What is wrong with one server hides no other.
    ///
    /// # Errors
    /// When it is no JSON, or too large.
    pub fn read(bytes: &[u8]) -> Result<Self, JsonError> {
        let (value, faults) = read(bytes)?;
        let mut all = McpServers { faults, ..McpServers::default() };
        match value {
            Value::Object(mut root) => match root.remove("mcpServers") {
                Some(Value::Object(servers)) => all.take(servers),
                None | Some(Value::Null) => {}
                Some(other) => all.faults.push(Fault::error("/mcpServers", not_a("an object", &other))),
            },
            other => all.faults.push(Fault::error("", not_a("an object", &other))),
        }
        all.faults = bounded(all.faults);
        Ok(all)
    }

    fn take(&mut self, servers: Map<String, Value>) {
        if servers.len() > SERVERS_MAX {
            self.faults.push(Fault::error("/mcpServers", format!("has more than {SERVERS_MAX} servers")));
            return;
        }
        for (name, server) in servers {
            let pointer = below("/mcpServers", &name);
            let Value::Object(mut server) = server else {
                self.faults.push(Fault::error(pointer, not_a("an object", &server)));
                continue;
            };
            let options = match server.shift_remove("options") {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(options)) => self.choices(options, &below(&pointer, "options")),
                Some(other) => {
                    self.faults.push(Fault::error(below(&pointer, "options"), not_a("an array", &other)));
                    Vec::new()
                }
            };
            if !options.is_empty() {
                self.options.insert(name.clone(), options);
            }
            self.servers.insert(name, Value::Object(server));
        }
    }

    fn choices(&mut self, options: Vec<Value>, pointer: &str) -> Vec<McpOption> {
        let mut choices = Vec::new();
        for (at, option) in options.iter().take(OPTIONS_MAX).enumerate() {
            match choice(option) {
                Ok(choice) => choices.push(choice),
                Err(reason) => self.faults.push(Fault::error(below(pointer, at), reason)),
            }
        }
        choices
    }

    /// Returns a server with the variables of a choice added; `None` if there is no such server or choice.
    pub fn chosen(&self, server: &str, label: &str) -> Option<Value> {
        let option = self.options.get(server)?.iter().find(|option| option.label == label)?;
        let mut chosen = self.servers.get(server)?.as_object()?.clone();
        let env = chosen.entry("env").or_insert_with(|| Value::Object(Map::new()));
        if !env.is_object() {
            *env = Value::Object(Map::new());
        }
        let env = env.as_object_mut()?;
        env.extend(option.env.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))));
        Some(Value::Object(chosen))
    }

    /// Joins the servers of several plugins, each with its plugin's name.
    ///
    /// # Errors
    /// When two plugins bring servers of one name.
    pub fn join<'a>(plugins: impl IntoIterator<Item = (&'a str, McpServers)>) -> Result<Self, McpCollision> {
        let mut all = McpServers::default();
        let mut from: BTreeMap<String, &str> = BTreeMap::new();
        for (plugin, McpServers { servers, options, faults }) in plugins {
            let names: BTreeSet<&String> = servers.keys().collect();
            if let Some((server, first)) = from.iter().find(|(server, _)| names.contains(server)) {
                let (first, second) = ((*first).to_owned(), plugin.to_owned());
                return Err(McpCollision { server: server.clone(), first, second });
            }
            from.extend(names.into_iter().map(|name| (name.clone(), plugin)));
            all.servers.extend(servers);
            all.options.extend(options);
            all.faults.extend(faults);
        }
        Ok(all)
    }
}

/// Reads `{"label": …, "env": {…}}`.
fn choice(option: &Value) -> Result<McpOption, String> {
    let Value::Object(option) = option else { return Err(not_a("an object", option)) };
    let Some(Value::String(label)) = option.get("label") else { return Err("has no 'label'".to_owned()) };
    let empty = Map::new();
    let variables = match option.get("env") {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(env)) => env,
        Some(other) => return Err(format!("has an 'env' that {}", not_a("an object", other))),
    };
    let mut env = BTreeMap::new();
    for (name, value) in variables {
        let Value::String(value) = value else {
            return Err(format!("has a variable that {}", not_a("a string", value)));
        };
        env.insert(name.clone(), value.clone());
    }
    Ok(McpOption { label: label.clone(), env })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn servers(value: &Value) -> McpServers {
        McpServers::read(value.to_string().as_bytes()).expect("JSON")
    }

    #[test]
    fn what_the_user_can_choose_is_taken_out() {
        let all = servers(&json!({"mcpServers": {
            "browser": {"command": "npx", "env": {"A": "1"}, "options": [
                {"label": "local", "env": {"MODE": "local"}}, {"label": "cloud", "env": {"MODE": "cloud", "A": "2"}}, {"label": 5},
                {"label": "odd", "env": {"X": 1}},
            ]},
            "plain": {"command": "x", "options": []},
            "broken": 5,
        }}));
        assert_eq!(all.servers["browser"], json!({"command": "npx", "env": {"A": "1"}}));
        assert_eq!(all.options.keys().collect::<Vec<_>>(), ["browser"], "who has nothing to choose from is not asked");
        assert_eq!(all.chosen("browser", "cloud"), Some(json!({"command": "npx", "env": {"A": "2", "MODE": "cloud"}})));
        assert_eq!((all.chosen("browser", "none"), all.chosen("plain", "x")), (None, None));
        let pointers: Vec<&str> = all.faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/mcpServers/browser/options/2", "/mcpServers/browser/options/3", "/mcpServers/broken"]);
    }

    #[test]
    fn two_servers_of_one_name_collide() {
        let one = servers(&json!({"mcpServers": {"a": {}, "b": {"options": [{"label": "x"}]}}}));
        let other = servers(&json!({"mcpServers": {"c": {}}}));
        let all = McpServers::join([("fmt", one.clone()), ("lint", other.clone())]).expect("they differ");
        assert_eq!((all.servers.len(), all.options.len()), (3, 1));
        let told = McpServers::join([("fmt", one.clone()), ("lint", other), ("again", one)]).expect_err("they collide");
        assert_eq!(told.to_string(), "the plugins 'fmt' and 'again' both bring a server 'a'");
    }

    #[test]
    fn what_is_no_file_of_servers_says_so() {
        assert!(McpServers::read(b"{").is_err());
        for (value, pointer) in [(json!([]), ""), (json!({"mcpServers": []}), "/mcpServers")] {
            assert_eq!(servers(&value).faults[0].pointer, pointer);
        }
        assert_eq!(servers(&json!({})), McpServers::default());
    }
}
