//! What `enable` puts into files of others, and `disable` takes out again: agents' settings, git's hooks.
//!
//! Nothing here knows a repository or starts a process: paths are handed in.
//!
//! **Invariant: only what is ours is ever taken out.** Entries are known by their command, lines by their marks, files by
//! their content; where nobody else wrote meanwhile, every byte is as it was before.

mod agent;
mod block;
mod command;
pub mod entries;
pub mod exclude;
mod file;
mod hook;
mod jsonc;
mod record;

pub use agent::{AgentHooks, Entries, Form};
pub use block::{find as find_block, remove as remove_block};
pub use command::{command, is_ours};
pub use file::{Change, FileEdit, FileError, apply, read};
pub use hook::{
    ASIDE_ENDINGS, CHAINED_ENDING, CHAINED_FOLDER, GitHook, is_chaining, is_only_shebang, takes_lines, without_chain,
};
pub use jsonc::{Document, JsoncError, without};
pub use record::{AgentFile, HookFolder, Record, hash};
