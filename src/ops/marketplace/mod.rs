//! Marketplaces: which are known, and what they hold.

mod blobs;
mod configured;
mod error;
mod local;
mod market;
mod reach;
mod tree_files;

pub use error::{MarketError, Why};
