//! Promises that a user would notice broken, checked on the real program and by real git.

mod freshen;
mod full;
mod group;
mod kills;
mod pages;
mod power;
mod redact_ids;
mod redact_promises;
mod redact_vectors;
mod syscalls;
mod tokens_body;
mod tokens_oracle;
mod transcripts;
mod world;
mod writers;
