//! The stored bytes: names, trees, trailers, manifests. Versioned; every decoder takes hostile input.

mod identity;

pub use identity::derive_entry_id;
