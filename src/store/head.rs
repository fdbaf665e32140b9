//! Where this worktree is: on a branch, or at a commit.

use std::fmt;

use super::pack::Durability;
use super::refs::{Expected, RefEdit, RefValue};
use super::{Repo, StoreError, clock};
use crate::model::{Branch, ObjectId, Person, Time};

/// The symbolic ref that says where this worktree is; git keeps it apart for every worktree.
pub const HEAD: &str = "refs/worktree/trace/HEAD";

/// The commit that HEAD's branch was at before the last command that moved it back.
pub const ORIG_HEAD: &str = "refs/worktree/trace/ORIG_HEAD";

/// Says where this worktree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// On a branch, which need not have a commit yet.
    Branch(Branch),
    /// At a commit, on no branch.
    Detached(ObjectId),
}

impl Head {
    /// Returns the branch, unless HEAD is detached.
    pub fn branch(&self) -> Option<&Branch> {
        match self {
            Head::Branch(branch) => Some(branch),
            Head::Detached(_) => None,
        }
    }

    /// Returns the agent whose branches have short names here.
    pub fn agent(&self) -> String {
        self.branch().map_or_else(|| Branch::default().agent().to_owned(), |branch| branch.agent().to_owned())
    }
}

/// Writes the branch's name, or the commit's whole id.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Head::Branch(branch) => branch.fmt(f),
            Head::Detached(id) => id.fmt(f),
        }
    }
}

impl Repo {
    /// Returns the ref of a branch.
    pub fn branch_ref(&self, branch: &Branch) -> String {
        format!("{}/heads/{branch}", self.settings.ref_prefix)
    }

    /// Returns the ref of a tag of this agent.
    pub fn tag_ref(&self, tag: &Branch) -> String {
        format!("{}/tags/{tag}", self.settings.ref_prefix)
    }

    /// Reads where this worktree is; before anything was said, that is the default branch.
    ///
    /// # Errors
    /// When HEAD names something that is no branch.
    pub fn head(&self) -> Result<Head, StoreError> {
        self.head_at(HEAD)
    }

    /// Reads where the worktree is whose HEAD has this name.
    pub(super) fn head_at(&self, name: &str) -> Result<Head, StoreError> {
        match self.find_ref(name)? {
            None => Ok(Head::Branch(Branch::default())),
            Some(RefValue::Id(id)) => Ok(Head::Detached(id)),
            Some(RefValue::Symbolic(target)) => {
                let branch = self.branch_of(&target);
                let reason = || format!("it points to '{target}', which is no context branch");
                branch.map(Head::Branch).ok_or_else(|| StoreError::Ref { name: name.to_owned(), reason: reason() })
            }
        }
    }

    /// Moves this worktree to a branch or commit.
    ///
    /// # Errors
    /// When HEAD cannot be written.
    pub fn set_head(&self, head: &Head, message: &str, who: &Person) -> Result<(), StoreError> {
        let new = match head {
            Head::Branch(branch) => RefValue::Symbolic(self.branch_ref(branch)),
            Head::Detached(id) => RefValue::Id(*id),
        };
        self.set_ref(HEAD, Expected::Any, Some(new), message, who)
    }

    /// Creates a ref, or moves it from the object that it must hold (`None`: it must not exist).
    ///
    /// # Errors
    /// [`StoreError::RefMoved`] when it holds something else.
    pub fn move_ref(
        &self,
        name: &str,
        old: Option<ObjectId>,
        new: ObjectId,
        message: &str,
        who: &Person,
    ) -> Result<(), StoreError> {
        self.set_ref(name, old.map_or(Expected::Absent, Expected::Id), Some(RefValue::Id(new)), message, who)
    }

    /// Sets a ref whatever it holds.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn overwrite_ref(&self, name: &str, new: ObjectId, message: &str, who: &Person) -> Result<(), StoreError> {
        self.set_ref(name, Expected::Any, Some(RefValue::Id(new)), message, who)
    }

    /// Deletes a ref that holds this object.
    ///
    /// # Errors
    /// [`StoreError::RefMoved`] when it holds something else.
    pub fn delete_ref(&self, name: &str, old: ObjectId, who: &Person) -> Result<(), StoreError> {
        self.set_ref(name, Expected::Id(old), None, "trace: delete", who)
    }

    fn set_ref(
        &self,
        name: &str,
        expected: Expected,
        new: Option<RefValue>,
        message: &str,
        who: &Person,
    ) -> Result<(), StoreError> {
        let guard = self.lock()?;
        let edit = RefEdit { name: name.to_owned(), expected, new, message: message.to_owned() };
        self.edit_refs(&guard, &[edit], who, self.settings.durability(false))
    }

    /// Lists all branches with their newest commits.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn branches(&self) -> Result<Vec<(Branch, ObjectId)>, StoreError> {
        self.named("heads")
    }

    /// Lists the branches of one agent, with their newest commits; the work does not depend on how many others there are.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn branches_of(&self, agent: &str) -> Result<Vec<(Branch, ObjectId)>, StoreError> {
        let prefix = format!("{}/heads/{agent}/", self.settings.ref_prefix);
        let refs = self.list_refs(&prefix)?.into_iter();
        let parse = |name: &str| Branch::new(agent, name.strip_prefix(&prefix)?).ok();
        Ok(refs.filter_map(|(name, id)| Some((parse(&name)?, id))).collect())
    }

    /// Lists the branches of remotes as `<remote>/<agent>/<branch>`, with their newest commits.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn remote_branches(&self) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let prefix = format!("{}/remotes/", self.settings.ref_prefix);
        let refs = self.list_refs(&prefix)?.into_iter();
        Ok(refs.filter_map(|(name, id)| Some((name.strip_prefix(&prefix)?.to_owned(), id))).collect())
    }

    /// Returns the ref that a branch follows, whether or not it is there: `trace.<branch>.upstream`, else the branch of
    /// the same name of `trace.remote` (or `origin`), which counts only if it exists.
    ///
    /// # Errors
    /// When a ref cannot be read, or the configuration names no ref.
    pub fn upstream(&self, branch: &Branch) -> Result<Option<(String, Option<ObjectId>)>, StoreError> {
        let key = format!("trace.{branch}.upstream");
        let remotes = format!("{}/remotes", self.settings.ref_prefix);
        let configured = self.config(&key);
        let name = match &configured {
            Some(full) if full.starts_with("refs/") => full.clone(),
            Some(short) => format!("{remotes}/{short}"),
            None => format!("{remotes}/{}/{branch}", self.config("trace.remote").as_deref().unwrap_or("origin")),
        };
        match (gix::validate::reference::name(name.as_str().into()).is_ok(), configured) {
            (true, configured) => {
                let id = self.find_ref_id(&name)?;
                Ok((id.is_some() || configured.is_some()).then_some((name, id)))
            }
            (false, Some(value)) => Err(StoreError::Config { key, value }),
            (false, None) => Ok(None),
        }
    }

    /// Lists all tags with their commits.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn tags(&self) -> Result<Vec<(Branch, ObjectId)>, StoreError> {
        self.named("tags")
    }

    fn named(&self, kind: &str) -> Result<Vec<(Branch, ObjectId)>, StoreError> {
        let prefix = format!("{}/{kind}/", self.settings.ref_prefix);
        let refs = self.list_refs(&prefix)?.into_iter();
        let parse = |name: &str| {
            let (agent, name) = name.strip_prefix(&prefix)?.split_once('/')?;
            Branch::new(agent, name).ok()
        };
        Ok(refs.filter_map(|(name, id)| Some((parse(&name)?, id))).collect())
    }

    /// Lists refs below our prefix that git trace did not make.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn foreign_refs(&self) -> Result<Vec<String>, StoreError> {
        let prefix = format!("{}/", self.settings.ref_prefix);
        let ours = |name: &str| {
            let rest: Vec<&str> = name.strip_prefix(&prefix).unwrap_or(name).split('/').collect();
            matches!(
                rest.as_slice(),
                ["heads" | "tags" | "aside", _, _]
                    | ["remotes" | "remote-tags", _, _, _]
                    | ["meta" | "incoming", ..]
                    | ["snapshots" | "forgotten" | "workflows" | "plugins", _]
                    | ["remote-meta" | "remote-forgotten", _, _]
            )
        };
        Ok(self.list_refs(&prefix)?.into_iter().map(|(name, _)| name).filter(|name| !ours(name)).collect())
    }

    pub(super) fn branch_of(&self, ref_name: &str) -> Option<Branch> {
        let rest = ref_name.strip_prefix(&self.settings.ref_prefix)?.strip_prefix("/heads/")?;
        let (agent, name) = rest.split_once('/')?;
        Branch::new(agent, name).ok()
    }

    /// Returns the user as git knows them, now.
    ///
    /// # Errors
    /// [`StoreError::NoIdentity`] when git knows no name or address.
    pub fn committer(&self) -> Result<Person, StoreError> {
        self.person("committer", "GIT_COMMITTER_DATE")
    }

    /// Returns the time that a commit would get now.
    ///
    /// # Errors
    /// When `GIT_COMMITTER_DATE` holds no date.
    pub fn now(&self) -> Result<Time, StoreError> {
        clock::moment("GIT_COMMITTER_DATE")
    }

    /// Returns who is to be named as author, now.
    ///
    /// # Errors
    /// [`StoreError::NoIdentity`] when git knows no name or address.
    pub fn author(&self) -> Result<Person, StoreError> {
        self.person("author", "GIT_AUTHOR_DATE")
    }

    /// Reads a person from the configuration, into which gix puts `GIT_COMMITTER_NAME` and its like. gix's own answer is
    /// not used: it has the time at which the repository was opened.
    fn person(&self, who: &str, date: &str) -> Result<Person, StoreError> {
        let config = self.git.config_snapshot();
        let find = |keys: [&str; 2]| {
            let found = keys.iter().find_map(|key| config.string(*key));
            found.map(|value| value.to_string()).ok_or(StoreError::NoIdentity)
        };
        let name = find([&format!("{who}.name"), "user.name"])?;
        let email = find([&format!("{who}.email"), "user.email"]).or_else(|_| {
            config.string("gitoxide.user.emailFallback").map(|value| value.to_string()).ok_or(StoreError::NoIdentity)
        })?;
        Ok(Person { name, email, time: clock::moment(date)? })
    }

    /// Decides how a write is synced.
    pub fn durability(&self, replayable: bool) -> Durability {
        self.settings.durability(replayable)
    }
}
