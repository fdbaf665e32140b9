//! Promises that a user would notice broken, checked on the real program and by real git.

mod group;
mod pages;
mod redact_ids;
mod redact_promises;
mod redact_vectors;
mod tokens_body;
mod tokens_oracle;
mod transcripts;
mod world;
