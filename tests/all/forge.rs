//! Objects that no git trace would make, written as they are, in a repository of their own.

use std::path::Path;

use crate::world::{World, feed};

/// A word that stands for an id in a mode's place: none of git's modes.
pub const FILE: &str = "100644";
/// The mode of a folder.
pub const FOLDER: &str = "40000";

/// Writes objects into a repository.
pub struct Forge<'w> {
    world: &'w World,
    dir: &'w Path,
}

impl<'w> Forge<'w> {
    /// Writes into this repository.
    pub fn new(world: &'w World, dir: &'w Path) -> Self {
        Forge { world, dir }
    }

    /// Stores an object, whatever git thinks of it.
    pub fn object(&self, kind: &str, bytes: &[u8]) -> String {
        let mut command = self.world.command("git", self.dir);
        command.args(["hash-object", "-w", "--literally", "--stdin", "-t", kind]);
        let output = feed(command, bytes);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Stores a blob.
    pub fn blob(&self, bytes: &[u8]) -> String {
        self.object("blob", bytes)
    }

    /// Stores a tree of these rows, in this order.
    pub fn tree<N: AsRef<[u8]>>(&self, rows: &[(&str, N, &str)]) -> String {
        let mut bytes = Vec::new();
        for (mode, name, id) in rows {
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(name.as_ref());
            bytes.push(0);
            bytes.extend((0..id.len() / 2).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).expect("digits")));
        }
        self.object("tree", &bytes)
    }

    /// Stores a commit with this message.
    pub fn commit(&self, tree: &str, parents: &[&str], message: &str) -> String {
        let mut text = format!("tree {tree}\n");
        parents.iter().for_each(|parent| text += &format!("parent {parent}\n"));
        let who = "M Allory <mallory@example.com> 1780000000 +0000";
        text += &format!("author {who}\ncommitter {who}\n\n{message}");
        self.object("commit", text.as_bytes())
    }

    /// Stores a commit whose trailers count entries.
    pub fn context(&self, tree: &str, parents: &[&str], count: usize) -> String {
        self.commit(tree, parents, &message(count))
    }

    /// Stores the manifest of a context.
    pub fn manifest(&self) -> String {
        self.blob(b"git-trace 1\ntokenizer o200k_base\n")
    }

    /// Returns rows for a context of this many entries of one token each, the manifest first.
    pub fn rows(&self, entries: usize) -> Vec<(&'static str, String, String)> {
        let (manifest, body) = (self.manifest(), self.blob(b"body"));
        let entry = |at: usize| (FILE, entry_name(at), body.clone());
        [(FILE, ".trace".to_owned(), manifest)].into_iter().chain((0..entries).map(entry)).collect()
    }

    /// Stores a tree of rows as [`Forge::rows`] gives them.
    pub fn plain(&self, rows: &[(&str, String, String)]) -> String {
        let rows: Vec<(&str, &str, &str)> =
            rows.iter().map(|(mode, name, id)| (*mode, name.as_str(), id.as_str())).collect();
        self.tree(&rows)
    }
}

/// Returns the name of an entry at this position, with an id of its own.
pub fn entry_name(at: usize) -> String {
    format!("{at:07}.user.1.00{at:08}.txt")
}

/// Returns a commit message that counts entries.
pub fn message(count: usize) -> String {
    format!(
        "append user: x\n\nTrace-Op: append\nTrace-Tokens: +{count}\nTrace-Total: {count}\nTrace-Count: {count}\nTrace-Next: {count}\n"
    )
}
