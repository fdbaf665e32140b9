//! Hosts that do not take everything, as they are found in the world.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::server::Server;

/// Is what a host insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A push with anything but branches and tags is refused as a whole.
    OnlyHeadsAndTags,
    /// Each ref that is neither a branch nor a tag is refused by itself.
    EachRef,
    /// What is under `refs/trace` is neither shown nor taken.
    Hidden,
    /// No ref goes anywhere but forward.
    NoRewind,
    /// Nothing is deleted.
    NoDelete,
    /// Each object is looked at before it is taken.
    Fsck,
    /// No object is larger than this.
    LargestObject(u64),
    /// No push is larger than this.
    LargestPush(u64),
    /// The committer of each commit has this address.
    Committer(&'static str),
}

impl Server {
    /// Makes the host insist on this from now on.
    pub fn insist(&self, rule: Rule) {
        match rule {
            Rule::OnlyHeadsAndTags => self.hook(
                "pre-receive",
                "while read old new ref; do case $ref in refs/heads/*|refs/tags/*) ;;\n\
                 *) echo \"only branches and tags can be pushed here, not $ref\" >&2; exit 1;; esac; done",
            ),
            Rule::EachRef => self.hook(
                "update",
                "case $1 in refs/heads/*|refs/tags/*) ;;\n\
                 *) echo \"you are not allowed to write $1\" >&2; exit 1;; esac",
            ),
            Rule::Hidden => _ = self.git(&["config", "transfer.hideRefs", "refs/trace"]),
            Rule::NoRewind => _ = self.git(&["config", "receive.denyNonFastForwards", "true"]),
            Rule::NoDelete => _ = self.git(&["config", "receive.denyDeletes", "true"]),
            Rule::Fsck => _ = self.git(&["config", "receive.fsckObjects", "true"]),
            Rule::LargestPush(bytes) => _ = self.git(&["config", "receive.maxInputSize", &bytes.to_string()]),
            Rule::LargestObject(bytes) => self.hook(
                "pre-receive",
                &format!(
                    "while read old new ref; do case $new in *[!0]*) ;; *) continue;; esac\n\
                     git rev-list --objects \"$new\" --not --all | cut -d' ' -f1 |\n\
                     git cat-file --batch-check='%(objectsize) %(objectname)' | while read size name; do\n\
                     if [ \"$size\" -gt {bytes} ]; then echo \"$name is larger than {bytes} bytes\" >&2; exit 1; fi\n\
                     done || exit 1; done"
                ),
            ),
            Rule::Committer(address) => self.hook(
                "pre-receive",
                &format!(
                    "while read old new ref; do case $new in *[!0]*) ;; *) continue;; esac\n\
                     git log --format='%ce' \"$new\" --not --all | while read who; do\n\
                     if [ \"$who\" != '{address}' ]; then echo \"the committer $who is not you\" >&2; exit 1; fi\n\
                     done || exit 1; done"
                ),
            ),
        }
    }

    fn hook(&self, name: &str, script: &str) {
        let folder = self.repository().join("hooks");
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a hook");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a hook");
    }
}
