//! Versions the context of AI agents as git objects.

pub mod codec;
pub mod model;
pub mod ops;
pub mod redact;
pub mod store;
pub mod ui;
