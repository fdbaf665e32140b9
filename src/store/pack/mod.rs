//! Packs: many objects in one file, written with the deltas that the caller already knows.
//!
//! * [`PackWriter`] streams any number of objects into one pack and its index (bulk import, merging of small packs).
//! * [`write_small_pack`] stores a handful of objects durably with as few flushes as possible.
//!
//! **Guarantees**
//!
//! 1. Nothing is visible to git before `finish`: temporaries are named `tmp_pack_…` and `tmp_idx_…`, the names that
//!    `git prune` sweeps up, and a pack without its `.idx` is ignored by every reader.
//! 2. A writer that is dropped, or whose disk is full, removes its temporaries.
//! 3. After `finish(Durability::Durable)` returned, the objects survive a power cut.
//! 4. Equal input gives an equal pack: same bytes, same name. A pack of that name that is already there is kept.
//! 5. Memory is about 60 bytes per object (90 during `finish`), plus one object; no body is kept.
//!
//! Git reads deflated objects only, and zlib clears 128 KB for each of them: with it an import of short objects takes
//! three times as long at the same size. Therefore `block` deflates objects of up to 32 KB itself; its output is checked
//! against zlib and git.
//!
//! The formats are those of `gitformat-pack(5)`: pack version 2, index version 2, `OFS_DELTA` only.

mod deflate;
mod delta;
mod entry;
mod error;
mod index;
mod publish;
mod small;
mod table;
mod writer;

pub use delta::DeltaError;
pub use error::PackError;
pub use publish::{Durability, Finished, KEEP_NOTE};
pub use small::write_small_pack;
pub use writer::{Base, Options, PackWriter};

#[cfg(test)]
mod git_tests;
