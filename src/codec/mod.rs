//! The stored bytes: names, trees, trailers, manifests. Versioned; every decoder takes hostile input.

mod arrange;
mod blocks;
mod chunk;
mod error;
mod identity;
mod manifest;
mod mask;
mod message;
mod meta;
mod name;
mod snapshot;
mod strict;
mod tombstone;
mod tools;
mod tree;

pub use arrange::{arrange, longest_ascending};
pub use blocks::{Block, blocks};
pub use error::CodecError;
pub use identity::derive_entry_id;
pub use manifest::{FORMAT_VERSION, MANIFEST_NAME, Manifest};
pub use mask::{STUB, ToolResult, mask_tool_results, tool_results};
pub use message::{decode_message, encode_message, escape_field, one_line, unescape_field};
pub use meta::{Collapse, META_MAX, Meta, Replaces};
pub use name::{Named, decode_name, encode_entry_name, encode_meta_name};
pub use snapshot::{Place, Snapshot, TreeStore};
pub use strict::{Root, strict_chunk, strict_folder, strict_root, strict_rows};
pub use tombstone::Tombstone;
pub use tools::{ToolIds, tool_ids};
pub use tree::{Row, RowKind, Rows, rows, write_row};
