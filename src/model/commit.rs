//! One step of a context's history.

use super::{Facts, ObjectId, Time};

/// Says who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name, as git has it.
    pub name: String,
    /// The mail address, as git has it.
    pub email: String,
    /// When, to the second.
    pub time: Time,
}

/// Holds a commit of a context: who changed what, when, why, and at what cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The commit's object id.
    pub id: ObjectId,
    /// The context at this commit.
    pub tree: ObjectId,
    /// The commits before; more than one for a merge.
    pub parents: Vec<ObjectId>,
    /// Who is behind the change.
    pub author: Person,
    /// Who stored it.
    pub committer: Person,
    /// First line of the message.
    pub subject: String,
    /// The rest of the message, trailers excluded.
    pub body: String,
    /// What the trailers say.
    pub facts: Facts,
}
