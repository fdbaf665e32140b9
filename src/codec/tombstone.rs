//! Tombstones: the message of a commit that says which branch was forgotten, so that no other clone brings it back.

use sha2::{Digest, Sha256};

use super::{CodecError, one_line};
use crate::model::{Branch, ObjectId};

/// The newest version that this program knows, and the one that it writes.
const VERSION: u32 = 1;

/// The largest message that is read, in bytes.
const MESSAGE_MAX: usize = 256 << 10;

/// Most roots, tags and sessions that one tombstone names, each.
const NAMED_MAX: usize = 512;

/// Longest name of a session, in characters, as in a commit.
const SESSION_MAX: usize = 200;

/// Names a branch that was forgotten, by what makes it that branch: its name and where its history begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The branch.
    pub branch: Branch,
    /// The commits without a parent in its history, sorted; at least one.
    pub roots: Vec<ObjectId>,
    /// Its newest commit at the time.
    pub tip: ObjectId,
    /// Tags that went with it.
    pub tags: Vec<Branch>,
    /// The sessions of agents that nobody is to bring back, as `<agent>:<id>`.
    pub sessions: Vec<String>,
}

impl Tombstone {
    /// Names a branch by its history; what is too much for a tombstone is left out.
    pub fn new(branch: Branch, mut roots: Vec<ObjectId>, tip: ObjectId) -> Self {
        roots.sort_unstable();
        roots.dedup();
        roots.truncate(NAMED_MAX);
        Tombstone { branch, roots, tip, tags: Vec::new(), sessions: Vec::new() }
    }

    /// Returns the name that it has everywhere: the first 16 hexadecimal digits of the SHA-256 of branch and roots.
    pub fn key(&self) -> String {
        let mut named = format!("git-trace forget {VERSION}\n{}\n", self.branch);
        self.roots.iter().for_each(|root| named += &format!("{root}\n"));
        Sha256::digest(named.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the message of its commit.
    pub fn encode(&self) -> String {
        let mut text = format!("forget {}\n\nClones that have this branch move it aside.\n\n", self.branch);
        text += &format!("Trace-Op: forget\nTrace-Forget: {VERSION}\nTrace-Branch: {}\n", self.branch);
        self.roots.iter().for_each(|root| text += &format!("Trace-Root: {root}\n"));
        text += &format!("Trace-Tip: {}\n", self.tip);
        self.tags.iter().take(NAMED_MAX).for_each(|tag| text += &format!("Trace-Tag: {tag}\n"));
        for session in self.sessions.iter().take(NAMED_MAX) {
            text += &format!("Trace-Session: {}\n", one_line(session, SESSION_MAX));
        }
        text
    }

    /// Reads the message of a tombstone's commit; the version is looked at first.
    ///
    /// # Errors
    /// [`CodecError::NewerTombstone`], or [`CodecError::Tombstone`] for what is none.
    pub fn decode(message: &[u8]) -> Result<Self, CodecError> {
        let error = |reason| CodecError::Tombstone { reason };
        if message.len() > MESSAGE_MAX {
            return Err(error("it is too large"));
        }
        let text = std::str::from_utf8(message).map_err(|_| error("it is not UTF-8"))?;
        let (_, trailers) = text.trim_end().rsplit_once("\n\n").ok_or(error("it has no trailers"))?;
        let fields: Vec<(&str, &str)> = trailers.lines().filter_map(|line| line.split_once(": ")).collect();
        let all =
            |wanted: &'static str| fields.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| *value);
        let version = all("Trace-Forget").next().ok_or(error("it has no version"))?;
        let version: u32 = version.parse().map_err(|_| error("its version is no number"))?;
        if version > VERSION {
            return Err(CodecError::NewerTombstone { version });
        }
        let names = |wanted| all(wanted).map(|name| Branch::parse(name, "")).collect::<Result<Vec<_>, _>>();
        let mut branches = names("Trace-Branch").map_err(|_| error("it names no branch"))?.into_iter();
        let (Some(branch), None) = (branches.next(), branches.next()) else {
            return Err(error("it does not name one branch"));
        };
        let ids = |wanted| all(wanted).map(str::parse).collect::<Result<Vec<ObjectId>, _>>();
        let roots = ids("Trace-Root").map_err(|_| error("a root is no object id"))?;
        let tip = ids("Trace-Tip").ok().and_then(|tips| tips.first().copied()).ok_or(error("it names no tip"))?;
        if roots.is_empty() || roots.len() > NAMED_MAX || !roots.is_sorted_by(|one, other| one < other) {
            return Err(error("its roots are not in order"));
        }
        let tags = names("Trace-Tag").map_err(|_| error("a tag has no tag's name"))?;
        let sessions: Vec<String> = all("Trace-Session").map(str::to_owned).collect();
        if tags.len().max(sessions.len()) > NAMED_MAX {
            return Err(error("it names too much"));
        }
        Ok(Tombstone { branch, roots, tip, tags, sessions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tombstone() -> Tombstone {
        let branch = Branch::new("claude-1a2b", "main").expect("a name");
        let roots = vec![ObjectId::Sha1([9; 20]), ObjectId::Sha1([1; 20]), ObjectId::Sha1([9; 20])];
        let tags = vec![Branch::new("main", "v1").expect("a name")];
        Tombstone {
            tags,
            sessions: vec!["claude:1a2b".to_owned()],
            ..Tombstone::new(branch, roots, ObjectId::Sha1([3; 20]))
        }
    }

    #[test]
    fn version_1_never_changes() {
        let golden = "forget claude-1a2b/main\n\nClones that have this branch move it aside.\n\nTrace-Op: forget\n\
            Trace-Forget: 1\nTrace-Branch: claude-1a2b/main\nTrace-Root: 0101010101010101010101010101010101010101\n\
            Trace-Root: 0909090909090909090909090909090909090909\nTrace-Tip: 0303030303030303030303030303030303030303\n\
            Trace-Tag: main/v1\nTrace-Session: claude:1a2b\n";
        assert_eq!(tombstone().encode(), golden);
        assert_eq!(Tombstone::decode(golden.as_bytes()), Ok(tombstone()));
        assert_eq!(tombstone().key(), "1ce0a384b0996752");
        // What it is called depends on nothing but branch and roots.
        let other = Tombstone { tip: ObjectId::Sha1([4; 20]), tags: vec![], sessions: vec![], ..tombstone() };
        assert_eq!(other.key(), tombstone().key());
    }

    #[test]
    fn what_is_no_tombstone_is_refused() {
        let good = tombstone().encode();
        let newer = good.replace("Forget: 1", "Forget: 2").replace("Trace-Branch: claude-1a2b/main", "Trace-X: y");
        assert_eq!(Tombstone::decode(newer.as_bytes()), Err(CodecError::NewerTombstone { version: 2 }));
        for (part, other) in [
            ("Trace-Branch: claude-1a2b/main", "Trace-Branch: ../x"),
            ("Trace-Branch: claude-1a2b/main\n", ""),
            ("Trace-Branch: claude-1a2b/main", "Trace-Branch: a/b\nTrace-Branch: a/c"),
            ("Trace-Root: 01", "Trace-Root: xx"),
            ("Trace-Root: 01", "Trace-Root: ff"),
            ("Trace-Tip: 03", "Trace-Tip: "),
            ("Trace-Tag: main/v1", "Trace-Tag: a/b/c"),
            ("Trace-Forget: 1", "Trace-Forget: one"),
        ] {
            let bad = good.replace(part, other);
            assert!(bad != good && Tombstone::decode(bad.as_bytes()).is_err(), "{other}");
        }
        assert!(Tombstone::decode("append user: x\n\nTrace-Op: append\n".as_bytes()).is_err());
        assert!(Tombstone::decode(&vec![b'x'; MESSAGE_MAX + 1]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Tombstone::decode(&bytes);
            let _ = Tombstone::decode(&[b"x\n\nTrace-Forget: 1\nTrace-Branch: ", bytes.as_slice()].concat());
        }
    }
}
