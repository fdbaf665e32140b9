#![doc = include_str!("ARCHITECTURE.md")]

pub mod capture;
pub mod codec;
pub mod commands;
pub mod export;
pub mod model;
pub mod ops;
pub mod redact;
pub mod store;
pub mod tokens;
pub mod ui;
