//! Entry ids from the ids that a source gave.

use crate::model::EntryId;

/// Separates these hashes from all other uses of the hash function.
const CONTEXT: &str = "git-trace 2026-11 entry id";

/// Derives the id of an entry from its source's own id, for example `claude:msg_01…`.
///
/// The same source gives the same id everywhere, so that an import that runs twice changes nothing. The id is the
/// first 50 bits of BLAKE3 in key-derivation mode.
pub fn derive_entry_id(source: &str) -> EntryId {
    let hash = blake3::derive_key(CONTEXT, source.as_bytes());
    let head: [u8; 8] = hash[..8].try_into().expect("a hash has 32 bytes");
    EntryId::from_bits(u64::from_be_bytes(head) >> 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derivation_never_changes() {
        assert_eq!(derive_entry_id("claude:msg_01").as_str(), "c68we2gqhf");
    }
}
