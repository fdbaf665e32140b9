//! Names of context branches.

use std::fmt;

/// Names a context branch: the agent whose context it is, and the branch.
///
/// Each part is 1 to 64 characters of `a-z 0-9 . _ -`, starts with a letter or digit, and does not end in `.` or
/// `.lock`, nor hold `..`: names that every file system and git host takes as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Branch {
    agent: String,
    name: String,
}

impl Branch {
    /// Makes a name from its two parts.
    ///
    /// # Errors
    /// When a part breaks the rule.
    pub fn new(agent: &str, name: &str) -> Result<Self, BranchError> {
        for part in [agent, name] {
            if !is_part(part) {
                return Err(BranchError { name: part.to_owned() });
            }
        }
        Ok(Branch { agent: agent.to_owned(), name: name.to_owned() })
    }

    /// Reads `<agent>/<branch>`, or `<branch>` of the given agent.
    ///
    /// # Errors
    /// When the name breaks the rule.
    pub fn parse(text: &str, agent: &str) -> Result<Self, BranchError> {
        match text.split_once('/') {
            Some((agent, name)) => Branch::new(agent, name),
            None => Branch::new(agent, text),
        }
    }

    /// Returns the agent.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Returns the branch within its agent.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The user's own agent, on its default branch.
impl Default for Branch {
    fn default() -> Self {
        Branch { agent: "main".to_owned(), name: "main".to_owned() }
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.agent, self.name)
    }
}

/// Says that a name cannot be a branch's or an agent's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a branch name: '{name}'")]
pub struct BranchError {
    /// The name as given.
    pub name: String,
}

fn is_part(part: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let first = part.bytes().next();
    (1..=64).contains(&part.len())
        && part.bytes().all(inner)
        && first.is_some_and(|byte| byte.is_ascii_alphanumeric())
        && !part.ends_with('.')
        && !part.ends_with(".lock")
        && !part.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_hurt_are_refused() {
        for good in ["main", "claude-1a2b", "0.9_x"] {
            assert!(Branch::new(good, "main").is_ok(), "{good}");
        }
        for bad in ["", "-x", "a..b", "a.", "x.lock", "A", "a b", "a/b", ".x", "é", "a\n"] {
            assert!(Branch::new(bad, "main").is_err(), "{bad}");
        }
        assert!(Branch::parse("a/b/c", "main").is_err());
        assert_eq!(Branch::parse("x", "main").expect("fine").to_string(), "main/x");
    }
}
