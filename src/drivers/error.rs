//! Why a driver gave no answer.

use std::time::Duration;

/// Says why a task was not carried out; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The driver cannot do tasks of this kind.
    #[error("the driver '{driver}' cannot {task}")]
    Unable {
        /// The driver.
        driver: String,
        /// What was asked, such as `reconcile`.
        task: &'static str,
    },
    /// A pattern is no regular expression.
    #[error("malformed pattern '{pattern}': {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A prompt has no place for what it is about.
    #[error("the prompt '{name}' has no '{place}'")]
    Prompt {
        /// Which prompt.
        name: &'static str,
        /// What it must have.
        place: &'static str,
    },
    /// No driver has that name.
    #[error("unknown driver '{name}'")]
    Unknown {
        /// The name as given.
        name: String,
    },
    /// A setting cannot be used.
    #[error("cannot use '{key}': {reason}")]
    Setting {
        /// The variable of git's configuration.
        key: String,
        /// What is wrong with it; never a key of a provider.
        reason: String,
    },
    /// There is no key for the provider.
    #[error("no key for the driver '{driver}' in the environment variable '{variable}'")]
    NoKey {
        /// The driver.
        driver: String,
        /// Where it was looked for.
        variable: String,
    },
    /// The program cannot be started.
    #[error("cannot start '{program}' for the driver '{driver}': {source}")]
    Start {
        /// The driver.
        driver: String,
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The program ended with an error.
    #[error("the driver '{driver}' ended with {status}{}", after_colon(.said))]
    Ended {
        /// The driver.
        driver: String,
        /// Such as `exit status: 1`.
        status: String,
        /// The end of what it wrote to its standard error.
        said: String,
    },
    /// The answer took too long.
    #[error("the driver '{driver}' gave no answer within {}", seconds(.limit))]
    Slow {
        /// The driver.
        driver: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The user stopped it.
    #[error("the driver '{driver}' was interrupted")]
    Interrupted {
        /// The driver.
        driver: String,
    },
    /// The answer is too large.
    #[error("the driver '{driver}' answered more than {limit} bytes")]
    Large {
        /// The driver.
        driver: String,
        /// The limit.
        limit: usize,
    },
    /// The server cannot be reached, or the connection broke.
    #[error("the driver '{driver}' cannot reach its server: {reason}")]
    Connection {
        /// The driver.
        driver: String,
        /// What went wrong.
        reason: String,
    },
    /// The server refused.
    #[error("the driver '{driver}' was refused with HTTP status {status}{}", after_colon(.reason))]
    Status {
        /// The driver.
        driver: String,
        /// The status.
        status: u16,
        /// The server's own words.
        reason: String,
    },
    /// What came back is no answer to the task.
    #[error("the driver '{driver}' gave no usable answer: {reason}")]
    Answer {
        /// The driver.
        driver: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl DriverError {
    /// Tells what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            DriverError::Unknown { name } => {
                Some(format!("say what it is: git config trace.driver.{name}.kind command"))
            }
            DriverError::Setting { key, .. } => Some(format!("change it: git config {key} <value>")),
            DriverError::NoKey { variable, .. } => Some(format!("export {variable}=<key>")),
            DriverError::Slow { driver, .. } => {
                Some(format!("to wait longer: git config trace.driver.{}.timeout <seconds>", short(driver)))
            }
            DriverError::Large { driver, .. } => {
                Some(format!("to allow more: git config trace.driver.{}.maxOutput <bytes>", short(driver)))
            }
            _ => None,
        }
    }
}

/// Returns the name in the configuration: `command:claude` is configured as `claude`.
fn short(driver: &str) -> &str {
    driver.split_once(':').map_or(driver, |(_, name)| name)
}

fn after_colon(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

fn seconds(limit: &Duration) -> String {
    if limit.as_secs() == 1 { "1 second".to_owned() } else { format!("{} seconds", limit.as_secs_f64()) }
}
