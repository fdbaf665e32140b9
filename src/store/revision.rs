//! Revisions in git's language: `HEAD~3`, `main@{1}`, `claude-1a2b/main`, tags, entry ids, object ids.

use super::head::{HEAD, Head, ORIG_HEAD};
use super::object::from_gix;
use super::refs::Backend;
use super::{Repo, StoreError, reftable};
use crate::model::{Branch, Commit, EntryId, ObjectId, TouchKind};

impl Repo {
    /// Finds the commit that a revision names.
    ///
    /// A name is looked for in this order: `HEAD`, `@`, `ORIG_HEAD`; a full ref; a branch; a tag; a remote's branch; an
    /// entry id (the commit that brought the entry into HEAD's history); an object id, which may be cut short. What
    /// follows the name (`~3`, `^2`, `@{1}`, `@{yesterday}`) is git's.
    ///
    /// # Errors
    /// [`StoreError::UnknownRevision`] with the names that come close.
    pub fn resolve(&self, revision: &str) -> Result<ObjectId, StoreError> {
        let unknown = || StoreError::UnknownRevision { revision: revision.to_owned(), near: self.near(revision) };
        let sound = !revision.is_empty()
            && revision.len() <= 512
            && !revision.starts_with('-')
            && !revision.contains(['\0', '\n', ':', ' ']);
        if !sound && !revision.contains("@{") {
            return Err(unknown());
        }
        let cut = suffix_start(revision);
        let (name, suffix) = revision.split_at(cut);
        // As in git, only `@{1}` may leave the name out.
        if name.is_empty() && !suffix.starts_with("@{") {
            return Err(unknown());
        }
        let Some((base, reference)) = self.resolve_name(name)? else { return Err(unknown()) };
        if suffix.is_empty() {
            return Ok(base);
        }
        // The reflog belongs to the branch: `@{1}` is where HEAD's branch was, as in git.
        let base = match (suffix.starts_with("@{"), reference) {
            (true, Some(reference)) => reference,
            (true, None) => return Err(unknown()),
            (false, _) => base.to_string(),
        };
        let whole = format!("{base}{suffix}");
        if self.refs == Backend::Reftable {
            return reftable::resolve(self, &whole).ok_or_else(unknown);
        }
        let find = || self.git.rev_parse_single(whole.as_str());
        // Housekeeping of others may move objects while they are read: the second time, gix looks at the packs anew.
        let found = find().or_else(|_| find()).map_err(|_| unknown())?;
        let commit = found.object().and_then(|object| object.peel_to_kind(gix::objs::Kind::Commit));
        Ok(from_gix(&commit.map_err(|_| unknown())?.id))
    }

    /// Finds what a plain name stands for, and the ref that says so.
    fn resolve_name(&self, name: &str) -> Result<Option<(ObjectId, Option<String>)>, StoreError> {
        let head = self.head()?;
        let current = match &head {
            Head::Branch(branch) => self.branch_ref(branch),
            Head::Detached(_) => HEAD.to_owned(),
        };
        let agent = match &head {
            Head::Branch(branch) => branch.agent().to_owned(),
            Head::Detached(_) => Branch::default().agent().to_owned(),
        };
        let mut candidates = match name {
            "" | "@" | "HEAD" => vec![current],
            "ORIG_HEAD" => vec![ORIG_HEAD.to_owned()],
            full if full.starts_with("refs/") => vec![full.to_owned()],
            _ => Vec::new(),
        };
        if let Ok(branch) = Branch::parse(name, &agent) {
            candidates.push(self.branch_ref(&branch));
            candidates.push(self.tag_ref(&branch));
        }
        let parts: Vec<&str> = name.split('/').collect();
        if let [remote, agent, branch] = parts[..]
            && Branch::new(agent, branch).is_ok()
            && Branch::new(remote, branch).is_ok()
        {
            candidates.push(format!("{}/remotes/{name}", self.settings().ref_prefix));
        }
        for candidate in candidates {
            if gix::validate::reference::name(candidate.as_str().into()).is_ok()
                && let Some(id) = self.find_ref_id(&candidate)?
            {
                return Ok(Some((id, Some(candidate))));
            }
        }
        if let Ok(id) = name.parse::<EntryId>()
            && let Some(commit) = self.origin_of(id)?
        {
            return Ok(Some((commit, None)));
        }
        let hex = (4..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex {
            return Ok(None);
        }
        let found = self
            .git
            .rev_parse_single(name)
            .ok()
            .and_then(|id| id.object().ok()?.peel_to_kind(gix::objs::Kind::Commit).ok());
        Ok(found.map(|object| (from_gix(&object.id), None)))
    }

    /// Finds the commit in HEAD's history that brought an entry in.
    fn origin_of(&self, id: EntryId) -> Result<Option<ObjectId>, StoreError> {
        let Some(tip) = self.head_commit()? else { return Ok(None) };
        let brought =
            |commit: &Commit| commit.facts.entries.iter().any(|touch| touch.id == id && touch.kind == TouchKind::Added);
        for commit in self.history(&[tip], &[])? {
            let commit = commit?;
            if brought(&commit) {
                return Ok(Some(commit.id));
            }
        }
        Ok(None)
    }

    /// Returns the commit that HEAD is at, if there is one yet.
    ///
    /// # Errors
    /// When HEAD cannot be read.
    pub fn head_commit(&self) -> Result<Option<ObjectId>, StoreError> {
        match self.head()? {
            Head::Branch(branch) => self.find_ref_id(&self.branch_ref(&branch)),
            Head::Detached(id) => Ok(Some(id)),
        }
    }

    /// Names of branches and tags that one might have meant, at most three.
    fn near(&self, revision: &str) -> Vec<String> {
        let name = &revision[..suffix_start(revision)];
        let mut names: Vec<(String, f32)> = Vec::new();
        let all = self.branches().unwrap_or_default().into_iter().chain(self.tags().unwrap_or_default());
        for (branch, _) in all.take(2000) {
            for candidate in [branch.to_string(), branch.name().to_owned()] {
                let ratio = similar::TextDiff::from_chars(name, candidate.as_str()).ratio();
                if ratio > 0.6 && !names.iter().any(|(known, _)| *known == candidate) {
                    names.push((candidate, ratio));
                }
            }
        }
        names.sort_by(|one, other| other.1.total_cmp(&one.1));
        names.into_iter().take(3).map(|(name, _)| name).collect()
    }
}

/// Returns where git's suffixes begin: at the first `~`, `^` or `@{`.
fn suffix_start(revision: &str) -> usize {
    let tilde = revision.find(['~', '^']).unwrap_or(revision.len());
    tilde.min(revision.find("@{").unwrap_or(revision.len()))
}
