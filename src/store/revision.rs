//! Revisions in git's language: `HEAD~3`, `main@{1}`, `@{-1}`, `claude-1a2b/main`, tags, entry ids, object ids.

use std::collections::HashSet;

use gix::objs::Kind;

use super::head::{HEAD, Head, ORIG_HEAD};
use super::object::{from_gix, to_gix};
use super::suffix::{self, At, Suffix};
use super::{Repo, StoreError, is_remote_name, reftable};
use crate::model::{Branch, Commit, EntryId, ObjectId, TouchKind};

/// Longest revision that is looked at, in bytes.
const LENGTH_MAX: usize = 512;

/// Most ids that are named where one is ambiguous.
const CANDIDATES_MAX: usize = 5;

/// What a name stands for: the ref that says so, if it is one, and the commit.
type Named = (Option<String>, ObjectId);

impl Repo {
    /// Finds the commit that a revision names.
    ///
    /// A name is looked for in this order: `HEAD`, `@`, `ORIG_HEAD`; a full ref; a branch; a tag; a remote's branch; an
    /// object id, which may be cut short; an entry id (the commit that brought the entry into HEAD's history).
    /// `:/<text>` is the newest commit of any branch whose message holds the text. What follows a name (`~3`, `^2`,
    /// `^{commit}`, `^{/text}`, `@{1}`, `@{yesterday}`, `@{upstream}`) is git's, and so are `@{1}` and `@{-1}` alone.
    ///
    /// # Errors
    /// [`StoreError::UnknownRevision`] with the names that come close; [`StoreError::AmbiguousRevision`].
    pub fn resolve(&self, revision: &str) -> Result<ObjectId, StoreError> {
        self.resolve_at(revision, &self.head()?)
    }

    /// As [`Repo::resolve`], as if HEAD were here.
    ///
    /// # Errors
    /// As [`Repo::resolve`].
    pub fn resolve_at(&self, revision: &str, head: &Head) -> Result<ObjectId, StoreError> {
        let found = self.find_revision(revision, head)?;
        found.ok_or_else(|| StoreError::UnknownRevision { revision: revision.to_owned(), near: self.near(revision) })
    }

    fn find_revision(&self, revision: &str, head: &Head) -> Result<Option<ObjectId>, StoreError> {
        if revision.len() > LENGTH_MAX || revision.contains(['\0', '\n']) {
            return Ok(None);
        }
        if let Some(text) = revision.strip_prefix(":/") {
            let tips: Vec<ObjectId> = self.branches()?.into_iter().map(|(_, id)| id).collect();
            return self.find_said(&tips, text);
        }
        let Some((name, ats, suffixes)) = suffix::split(revision) else { return Ok(None) };
        let named = match (name, ats.as_slice()) {
            // As in git, only `@{…}` may leave the name out.
            ("", []) => None,
            ("", [At::Previous(nth), ..]) => self.find_previous(*nth)?,
            _ => self.find_name(name, head)?,
        };
        let Some((mut name, mut id)) = named else { return Ok(None) };
        // What HEAD was on before stood in the place of a name.
        let first = usize::from(matches!(ats.first(), Some(At::Previous(_))));
        for at in ats.into_iter().skip(first) {
            let Some(known) = name else { return Ok(None) };
            (name, id) = match at {
                At::Previous(_) => return Ok(None),
                At::Upstream => {
                    match self.branch_of(&known).map(|branch| self.upstream(&branch)).transpose()?.flatten() {
                        Some((upstream, Some(id))) => (Some(upstream), id),
                        _ => return Ok(None),
                    }
                }
                At::Nth(0) => (None, id),
                At::Nth(nth) => match self.logged(&known, nth)? {
                    Some(id) => (None, id),
                    None => return Ok(None),
                },
                // git knows what `yesterday` is.
                At::Date(date) => match reftable::resolve(self, &format!("{known}@{{{date}}}")) {
                    Some(id) => (None, id),
                    None => return Ok(None),
                },
            };
        }
        for suffix in suffixes {
            let found = match suffix {
                Suffix::Back(steps) => self.find_back(id, steps)?,
                Suffix::Parent(0) | Suffix::Commit => Some(id),
                Suffix::Parent(nth) => self.read_link(&id)?.parents.get(nth - 1).copied(),
                Suffix::Said(text) => self.find_said(&[id], text)?,
            };
            let Some(found) = found else { return Ok(None) };
            id = found;
        }
        Ok(Some(id))
    }

    fn find_back(&self, mut id: ObjectId, steps: usize) -> Result<Option<ObjectId>, StoreError> {
        for _ in 0..steps {
            match self.read_link(&id)?.parents.first() {
                Some(parent) => id = *parent,
                None => return Ok(None),
            }
        }
        Ok(Some(id))
    }

    /// Finds the newest commit whose message holds the text; behind `!-`, the newest whose message does not.
    fn find_said(&self, tips: &[ObjectId], text: &str) -> Result<Option<ObjectId>, StoreError> {
        let (text, wanted) = match text.strip_prefix('!') {
            None => (text, true),
            Some(rest) if rest.starts_with('!') => (rest, true),
            Some(rest) => match rest.strip_prefix('-') {
                Some(text) => (text, false),
                None => return Ok(None),
            },
        };
        for commit in self.history(tips, &[])? {
            let commit = commit?;
            if (commit.subject.contains(text) || commit.body.contains(text)) == wanted {
                return Ok(Some(commit.id));
            }
        }
        Ok(None)
    }

    fn find_previous(&self, nth: usize) -> Result<Option<Named>, StoreError> {
        match self.previous_head(nth)? {
            Some(Head::Branch(branch)) => {
                let name = self.branch_ref(&branch);
                Ok(self.find_ref_id(&name)?.map(|id| (Some(name), id)))
            }
            Some(Head::Detached(id)) => Ok(self.peel(id).map(|id| (None, id))),
            None => Ok(None),
        }
    }

    /// Finds what a plain name stands for.
    fn find_name(&self, name: &str, head: &Head) -> Result<Option<Named>, StoreError> {
        let mut candidates = match name {
            "" | "@" | "HEAD" => vec![head.branch().map_or_else(|| HEAD.to_owned(), |branch| self.branch_ref(branch))],
            "ORIG_HEAD" => vec![ORIG_HEAD.to_owned()],
            full if full.starts_with("refs/") => vec![full.to_owned()],
            _ => Vec::new(),
        };
        // As in git, a whole id is one, whatever else has that name.
        if let Ok(id) = name.parse::<ObjectId>() {
            return Ok(self.peel(id).map(|id| (None, id)));
        }
        if let Ok(branch) = Branch::parse(name, &head.agent()) {
            candidates.push(self.branch_ref(&branch));
            candidates.push(self.tag_ref(&branch));
        }
        let parts: Vec<&str> = name.split('/').collect();
        if let [remote, agent, branch] = parts[..]
            && Branch::new(agent, branch).is_ok()
            && is_remote_name(remote)
        {
            candidates.push(format!("{}/remotes/{name}", self.settings().ref_prefix));
        }
        for candidate in candidates {
            if gix::validate::reference::name(candidate.as_str().into()).is_ok()
                && let Some(id) = self.find_ref_id(&candidate)?
            {
                // A tag may be an object of its own.
                return Ok(self.peel(id).map(|id| (Some(candidate), id)));
            }
        }
        if let Some(id) = self.find_by_prefix(name)? {
            return Ok(Some((None, id)));
        }
        match name.parse::<EntryId>() {
            Ok(id) => Ok(self.origin_of(id, head)?.map(|commit| (None, commit))),
            Err(_) => Ok(None),
        }
    }

    /// Follows tag objects to the commit that they name, if it is one that they name.
    fn peel(&self, id: ObjectId) -> Option<ObjectId> {
        let mut id = id;
        for _ in 0..5 {
            match self.read_any(&id).ok()? {
                (Kind::Commit, _) => return Some(id),
                (Kind::Tag, bytes) => {
                    let tag = gix::objs::TagRef::from_bytes(&bytes, self.gix_kind()).ok()?;
                    id = from_gix(&tag.target());
                }
                _ => return None,
            }
        }
        None
    }

    /// Finds the one commit whose id begins so; other objects do not count, as in git where a commit is wanted.
    fn find_by_prefix(&self, name: &str) -> Result<Option<ObjectId>, StoreError> {
        let whole = self.hash_kind().id_len() * 2;
        if !(4..whole).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        // By itself, gix takes any beginning for that of a SHA-1.
        let padded = gix::ObjectId::from_hex(format!("{name:0<whole$}").as_bytes());
        let Some(prefix) = padded.ok().and_then(|id| gix::hash::Prefix::new(&id, name.len()).ok()) else {
            return Ok(None);
        };
        let mut found = HashSet::new();
        let look = |found: &mut HashSet<_>| self.git.objects.lookup_prefix(prefix, Some(found));
        // Housekeeping of others may move objects while they are read: the second time, gix looks at the packs anew.
        if look(&mut found).or_else(|_| look(&mut found)).is_err() {
            return Ok(None);
        }
        let commits: HashSet<ObjectId> = found.iter().filter_map(|id| self.peel(from_gix(id))).collect();
        let mut commits: Vec<ObjectId> = commits.into_iter().collect();
        commits.sort();
        match commits[..] {
            [] => Ok(None),
            [id] => Ok(Some(id)),
            _ => {
                let candidates = commits.iter().take(CANDIDATES_MAX).map(|id| self.shorten(id)).collect();
                Err(StoreError::AmbiguousRevision { revision: name.to_owned(), candidates })
            }
        }
    }

    /// Returns the shortest beginning of an id, of at least ten digits, that no other object has.
    fn shorten(&self, id: &ObjectId) -> String {
        let unique = |digits: usize| {
            let prefix = gix::hash::Prefix::new(&to_gix(id), digits).ok()?;
            self.git.objects.lookup_prefix(prefix, None).ok()??.ok()
        };
        let whole = self.hash_kind().id_len() * 2;
        id.short((10..whole).find(|digits| unique(*digits).is_some()).unwrap_or(whole))
    }

    /// Finds the commit in HEAD's history that brought an entry in.
    fn origin_of(&self, id: EntryId, head: &Head) -> Result<Option<ObjectId>, StoreError> {
        let tip = match head {
            Head::Branch(branch) => self.find_ref_id(&self.branch_ref(branch))?,
            Head::Detached(id) => Some(*id),
        };
        let Some(tip) = tip else { return Ok(None) };
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

    /// Names of branches and tags that one might have meant, at most three.
    fn near(&self, revision: &str) -> Vec<String> {
        let name = revision.split(['~', '^', '@']).next().unwrap_or_default();
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
