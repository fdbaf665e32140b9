//! Tells two versions of a message apart.

use crate::model::Message;

/// Hashes what a message says and what is known about it: role, body, facts and usage.
pub(super) fn digest(message: &Message) -> u64 {
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    add(message.role.name().as_bytes());
    add(message.kind.ending().as_bytes());
    add(&message.body);
    for (name, value) in &message.fields {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    if let Some(usage) = message.usage {
        for value in [usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning] {
            add(&value
                .map_or([0; 9], |value| [&[1], value.to_le_bytes().as_slice()].concat().try_into().expect("9 bytes")));
        }
    }
    let hash = *hasher.finalize().as_bytes();
    u64::from_le_bytes(hash[..8].try_into().expect("a hash has 32 bytes"))
}
