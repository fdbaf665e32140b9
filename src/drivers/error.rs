//! Why a driver gave no answer.

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
}
