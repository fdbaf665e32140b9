//! What a driver is asked, and what it answers.

use crate::model::{EntryId, NanoDollars, ObjectId, Role, Usage};

/// Asks a driver for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A shorter text that stands for some entries.
    Summarise(Summarise),
    /// One text in the place of two that differ.
    Reconcile(Reconcile),
}

/// Asks for a text that stands for these passages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summarise {
    /// What is to be replaced, in order.
    pub passages: Vec<Passage>,
    /// The most tokens that the text may have; it is a hard limit.
    pub target_tokens: u64,
    /// Patterns (regular expressions) whose matches must all be in the text.
    pub must_keep: Vec<String>,
    /// What the user wants of it, beyond the prompt.
    pub instructions: Option<String>,
    /// What kind of text it is to be.
    pub form: Form,
}

/// Says what kind of text stands for passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A text from which the work can go on.
    #[default]
    Summary,
    /// One line that says what it was about.
    Title,
}

/// Holds one entry as a driver sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The entry.
    pub id: EntryId,
    /// Who speaks.
    pub role: Role,
    /// What it says, as plain text: calls and results of tools spelled out as `export::plain_text` does it, by which
    /// the embedded driver knows reads of the same file.
    pub text: String,
    /// What it costs in the context's encoding.
    pub tokens: u64,
    /// The blob that holds its original.
    pub body: ObjectId,
    /// Whether it is only there to be understood, and stays in the context as it is.
    pub stays: bool,
}

/// Asks for one text in the place of two.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconcile {
    /// What both sides started from, where they did.
    pub base: Option<String>,
    /// What our side says; empty if it dropped the entry.
    pub ours: String,
    /// What their side says; empty if it dropped the entry.
    pub theirs: String,
    /// The kind of conflict, such as `both-edited`.
    pub conflict: String,
    /// What the user wants of it, beyond the prompt.
    pub instructions: Option<String>,
}

/// Holds what a driver answered. It is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// The model that wrote it.
    pub model: Option<String>,
    /// What its provider reported.
    pub usage: Option<Usage>,
    /// What it cost, where a price is known.
    pub cost: Option<NanoDollars>,
    /// SHA-256 of the whole prompt, in hexadecimal.
    pub prompt_hash: Option<String>,
}
