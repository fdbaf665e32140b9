//! The driver that needs no model and no network: it picks what is said, and never rephrases it.
//!
//! *Tiered coverage*, measured against other ways in `tests/bench/mem_use.rs`:
//!
//! 1. Results that are said again and reads that a later read of the same file makes old become stubs that name the
//!    object with the original, `[= <object> <n> tokens]`.
//! 2. What people and the model said, newest first and word for word, up to 80 % of the tokens; one that is longer than
//!    10 % of them (or 400 tokens) is cut.
//! 3. The newest results of tools, up to a further 10 %.
//! 4. What is left goes to the lines and sentences, wherever they stand, that bring the most entities and words that
//!    are not in the text yet, for their tokens. Cutting picks lines in the same way.
//!
//! Below 4,000 tokens of input only the last step is taken. The same task gives the same text, everywhere.

mod concepts;
mod cover;
mod must_keep;
mod plan;
mod repeats;
mod selection;
mod units;

use super::{Answer, Driver, DriverError, Task, three_way};
use crate::tokens::Encoding;

/// The driver that is built in: extracts for [`Task::Summarise`], a three-way merge of lines for [`Task::Reconcile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// The encoding in which the limit of a summary is counted.
    pub encoding: Encoding,
}

impl Embedded {
    /// Makes a driver that counts in this encoding.
    pub const fn new(encoding: Encoding) -> Self {
        Embedded { encoding }
    }
}

impl Default for Embedded {
    /// Counts in `o200k_base`, as contexts do.
    fn default() -> Self {
        Embedded::new(Encoding::O200kBase)
    }
}

impl Driver for Embedded {
    fn name(&self) -> String {
        "embedded".to_owned()
    }

    /// Summaries keep to `target_tokens` whatever is asked; patterns are put in as far as they fit. Instructions are for
    /// drivers that read them.
    ///
    /// # Errors
    /// [`DriverError::Pattern`] for a pattern that is none; [`DriverError::Unable`] where two sides change the same
    /// lines.
    fn carry_out(&self, task: &Task) -> Result<Answer, DriverError> {
        let text = match task {
            Task::Summarise(task) => plan::summarise(self.encoding, task)?,
            Task::Reconcile(task) => three_way::reconcile(task)
                .ok_or_else(|| DriverError::Unable { driver: self.name(), task: "settle changes of the same lines" })?,
        };
        Ok(Answer { text, ..Answer::default() })
    }
}
