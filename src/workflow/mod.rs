//! Workflows and plugins: how they are named, what marketplaces offer, what their manifests say, which one is meant.
//!
//! Everything here is pure. What a marketplace holds is seen through [`Files`]: git objects, never a checkout.

mod files;

pub use files::{Files, FilesError, Node};
