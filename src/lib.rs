#![doc = include_str!("ARCHITECTURE.md")]
// Tests print, and start git to ask what it thinks.
#![cfg_attr(test, allow(clippy::disallowed_macros, clippy::disallowed_methods))]

pub mod capture;
pub mod codec;
pub mod commands;
pub mod drivers;
pub mod export;
pub mod install;
pub mod link;
pub mod merge;
pub mod model;
pub mod ops;
pub mod redact;
pub mod run;
pub mod store;
pub mod tokens;
pub mod ui;
pub mod workflow;
