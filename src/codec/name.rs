//! Names of entries in a tree: `0000032.assistant.96.7h3kp0c2vd.pin.json`.

use super::CodecError;
use crate::model::{BodyKind, Entry, EntryId, Flags, ObjectId, Position, Role};

/// The word that stands in the place of a role in the name of a metadata file.
const META: &str = "meta";

/// The longest role, flag or ending that is read; ours are shorter than 10.
const WORD_MAX: usize = 32;

/// Tells what a name in a context's tree stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// An entry; its metadata file, if any, is another row.
    Entry(Entry),
    /// The metadata file of the entry with this position and id.
    Meta {
        /// Where the entry stands.
        position: Position,
        /// The entry's id.
        id: EntryId,
    },
}

/// Appends the name of an entry to `out`.
pub fn encode_entry_name(entry: &Entry, out: &mut Vec<u8>) {
    use std::io::Write;
    let written = write!(out, "{}.{}.{}.{}", entry.position, entry.role.name(), entry.tokens, entry.id);
    written.expect("a vector takes every write");
    if entry.flags.pin {
        out.extend_from_slice(b".pin");
    }
    for flag in &entry.flags.other {
        out.push(b'.');
        out.extend_from_slice(flag.as_bytes());
    }
    out.push(b'.');
    out.extend_from_slice(entry.kind.ending().as_bytes());
}

/// Appends the name of an entry's metadata file to `out`.
pub fn encode_meta_name(entry: &Entry, out: &mut Vec<u8>) {
    use std::io::Write;
    write!(out, "{}.{META}.{}.json", entry.position, entry.id).expect("a vector takes every write");
}

/// Reads the name of an entry or of a metadata file; `blob` is the object that the row names.
///
/// # Errors
/// When the name breaks a rule; unknown roles, flags and endings are fine.
pub fn decode_name(name: &[u8], blob: ObjectId) -> Result<Named, CodecError> {
    let error = |reason| CodecError::Name { name: name.escape_ascii().to_string(), reason };
    let text = std::str::from_utf8(name).map_err(|_| error("not ASCII"))?;
    let mut parts = text.split('.');
    let mut next = |reason| parts.next().ok_or_else(|| error(reason));

    let position: Position = next("no position")?.parse().map_err(|_| error("the position is not a number"))?;
    let role = next("no role")?;
    if role == META {
        let id = next("no id")?.parse().map_err(|_| error("the id is not 10 base-32 characters"))?;
        return match (parts.next(), parts.next()) {
            (Some("json"), None) => Ok(Named::Meta { position, id }),
            _ => Err(error("metadata does not end in '.json'")),
        };
    }
    if !is_word(role) {
        return Err(error("the role is not a word"));
    }
    let tokens = parse_tokens(next("no token count")?).ok_or_else(|| error("the token count is not a number"))?;
    let id = next("no id")?.parse().map_err(|_| error("the id is not 10 base-32 characters"))?;
    let mut words: Vec<&str> = parts.collect();
    let ending = words.pop().ok_or_else(|| error("no ending"))?;
    if words.len() > 16 || !words.iter().all(|word| is_word(word)) || !is_word(ending) {
        return Err(error("a flag or the ending is not a word"));
    }
    let pin = words.first() == Some(&"pin");
    let other = words.iter().skip(usize::from(pin)).map(ToString::to_string).collect();
    Ok(Named::Entry(Entry {
        position,
        role: Role::from_name(role),
        tokens,
        id,
        flags: Flags { pin, other },
        kind: BodyKind::from_ending(ending),
        body: blob,
        meta: None,
    }))
}

/// Reads a count in its shortest decimal form, so that every entry has just one name.
fn parse_tokens(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 15;
    let shortest = text == "0" || !text.starts_with('0');
    (plain && shortest).then(|| text.parse().ok())?
}

fn is_word(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=WORD_MAX).contains(&text.len()) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HashKind;
    use proptest::prelude::*;

    fn null_id(kind: HashKind) -> ObjectId {
        match kind {
            HashKind::Sha1 => ObjectId::Sha1([0; 20]),
            HashKind::Sha256 => ObjectId::Sha256([0; 32]),
        }
    }

    fn decode(name: &str) -> Result<Named, CodecError> {
        decode_name(name.as_bytes(), null_id(HashKind::Sha1))
    }

    #[test]
    fn known_names_mean_what_the_format_says() {
        let Ok(Named::Entry(entry)) = decode("0000001.user.38.8w2mqe4t7z.pin.txt") else {
            panic!("an entry");
        };
        assert_eq!((entry.role, entry.tokens, entry.flags.pin), (Role::User, 38, true));
        assert_eq!(entry.kind, BodyKind::Text);
        assert!(matches!(decode("0000001~k.meta.8w2mqe4t7z.json"), Ok(Named::Meta { .. })));
    }

    #[test]
    fn what_a_newer_version_adds_is_kept() {
        let name = "0000001.critic.38.8w2mqe4t7z.hot.cold.xml";
        let Ok(Named::Entry(entry)) = decode(name) else {
            panic!("an entry");
        };
        let mut out = Vec::new();
        encode_entry_name(&entry, &mut out);
        assert_eq!(out, name.as_bytes());
    }

    #[test]
    fn names_that_are_not_ours_are_refused() {
        for name in [
            "",
            "0000001",
            "0000001.user.038.8w2mqe4t7z.txt",
            "0000001.user.38.8w2mqe4t7.txt",
            "0000001.user.38.8w2mqe4t7z",
            "0000001.USER.38.8w2mqe4t7z.txt",
            "0000001..38.8w2mqe4t7z.txt",
            "0000001.user.-1.8w2mqe4t7z.txt",
            "0000001.user.9999999999999999.8w2mqe4t7z.txt",
            "1.user.38.8w2mqe4t7z.txt",
            "0000001.meta.8w2mqe4t7z.txt",
            "0000001.user.38.8w2mqe4t7z..txt",
        ] {
            assert!(decode(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_what_is_read_is_written_alike(name in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(Named::Entry(entry)) = decode_name(&name, null_id(HashKind::Sha1)) {
                let mut out = Vec::new();
                encode_entry_name(&entry, &mut out);
                prop_assert_eq!(out, name);
            }
        }

        #[test]
        fn near_names_too(name in "[0-9]{7}(~[0-9a-z]{1,3})?\\.[a-z]{1,6}\\.[0-9]{1,5}\\.[0-9a-z]{10}(\\.[a-z]{1,4}){0,3}") {
            match decode(&name) {
                Ok(Named::Entry(entry)) => {
                    let mut out = Vec::new();
                    encode_entry_name(&entry, &mut out);
                    prop_assert_eq!(out, name.as_bytes());
                }
                Ok(Named::Meta { position, id }) => prop_assert_eq!(format!("{position}.meta.{id}.json"), name),
                Err(_) => {}
            }
        }
    }
}
