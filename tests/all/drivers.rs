//! Drivers as they are used: real programs, a real server on this machine, hostile input.

mod embedded;
mod programs;
#[cfg(feature = "http")]
mod server;
#[cfg(feature = "http")]
mod servers;

use git_trace::drivers::{Passage, Summarise, Task};
use git_trace::model::{EntryId, ObjectId, Role};

/// Makes a passage of a conversation.
fn passage(number: u64, role: Role, text: &str) -> Passage {
    Passage {
        id: EntryId::from_bits(number),
        role,
        text: text.to_owned(),
        tokens: text.len() as u64 / 4,
        body: ObjectId::Sha1([number as u8; 20]),
        stays: false,
    }
}

/// Makes a small task.
fn task() -> Task {
    let passages = vec![
        passage(1, Role::User, "Use port 8080 in src/main.rs."),
        passage(2, Role::Assistant, "Understood: the port is 8080."),
    ];
    Task::Summarise(Summarise { passages, target_tokens: 40, ..Summarise::default() })
}
