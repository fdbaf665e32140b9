//! Promises that a user would notice broken, checked on the real program and by real git.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "tests start programs and say what they skip")]

mod branches;
mod capture;
mod compress;
mod convergence;
mod cut;
mod drivers;
mod errors;
mod fake_agent;
mod forge;
mod forgetting;
mod freshen;
mod full;
mod group;
mod help;
mod hostile;
mod housekeeping;
mod importers;
mod install;
mod kills;
mod link;
mod merging;
mod model;
mod more_importers;
mod pages;
mod power;
mod probes;
mod rebasing;
mod redact_ids;
mod redact_promises;
mod redact_vectors;
mod redacting;

mod repositories;
mod rooms;
mod servers;
mod sharing;
mod syscalls;
mod tokens_body;
mod tokens_oracle;
mod transcripts;
mod verbs;
mod wire;
mod world;
mod writers;
