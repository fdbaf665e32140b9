//! Versions the context of AI agents as git objects.

pub mod model;
