//! What became of a sequence while nobody looked: a crash, new commits on its branch, a HEAD that moved.

use super::state::{Action, Place, Sequence, SequenceVerb, Step};
use crate::model::{Branch, Commit, ObjectId};
use crate::ops::rebase::commits_to_do;
use crate::ops::{OpError, Workspace};
use crate::store::Head;

/// Brings a remembered sequence up to what the repository is now.
///
/// # Errors
/// When HEAD or the branch is where the sequence cannot go on.
pub(in crate::ops) fn caught_up(workspace: &Workspace, mut sequence: Sequence) -> Result<Sequence, OpError> {
    let repo = &workspace.repo;
    let target = sequence.target()?;
    let head = repo.head()?;
    let mut paused = sequence.onto.unwrap_or(sequence.start);
    if let Some(landing) = sequence.landing.take() {
        paused = landing.tip;
        if landing.pauses {
            // HEAD moves once what is to be remembered is written.
            let moved = Place::of(&head) != landing.head;
            match moved {
                true => finish_steps(&mut sequence, landing.done),
                false if sequence.left.as_ref() == Some(&landing.head) => sequence.left = None,
                false => {}
            }
        } else if has(workspace, &sequence.ref_name, landing.tip)? {
            return ended(workspace, sequence, &landing.head, &head);
        }
    }
    let now = repo.find_ref_id(&sequence.ref_name)?.ok_or_else(|| target.no_commits())?;
    if sequence.left.is_some() {
        let Head::Detached(id) = head else {
            return Err(OpError::HeadElsewhere { head: place_name(&Place::of(&head)), paused: paused.short(12) });
        };
        sequence.onto = Some(id);
        if sequence.branch.is_none() {
            sequence.start = id;
            return Ok(sequence);
        }
    }
    match sequence.verb {
        SequenceVerb::Rebase => rebase_goes_on(workspace, &mut sequence, now)?,
        // A crash between the move of the branch and the removal of the file: all is done.
        SequenceVerb::Merge if now != sequence.start => {
            if let Some(step) = sequence.steps.first()
                && step.action == Action::Merge
                && repo.merge_bases(now, step.commit)? == [step.commit]
            {
                sequence.steps.clear();
            }
        }
        _ => {}
    }
    sequence.start = now;
    Ok(sequence)
}

/// An agent may have gone on with the branch that is rebased, or with the one that is dropped.
fn rebase_goes_on(workspace: &Workspace, sequence: &mut Sequence, now: ObjectId) -> Result<(), OpError> {
    let repo = &workspace.repo;
    let (known, newest) = match &sequence.drop_branch {
        None => (sequence.start, now),
        Some((name, id)) => {
            if now != sequence.start && sequence.left.is_none() {
                sequence.onto = Some(now);
            }
            let branch = Branch::parse(name, Branch::default().agent())?;
            (*id, repo.find_ref_id(&repo.branch_ref(&branch))?.unwrap_or(*id))
        }
    };
    if newest == known {
        return Ok(());
    }
    if repo.merge_bases(newest, known)? != [known] {
        let branch =
            sequence.drop_branch.as_ref().map_or_else(|| sequence.branch.clone(), |(name, _)| Some(name.clone()));
        return Err(OpError::BranchMoved { branch: branch.unwrap_or_else(|| "HEAD".to_owned()) });
    }
    let new: Vec<Commit> = commits_to_do(workspace, newest, known, sequence.options.keep_merges)?;
    sequence.steps.extend(new.iter().map(|commit| Step::new(Action::Pick, commit.id)));
    if let Some((_, id)) = &mut sequence.drop_branch {
        *id = newest;
    }
    Ok(())
}

/// Takes out the steps that HEAD has.
fn finish_steps(sequence: &mut Sequence, done: usize) {
    sequence.steps.drain(..done.min(sequence.steps.len()));
    sequence.at = sequence.at.saturating_sub(done);
}

/// A crash came after the branch had moved: what is left is done now.
fn ended(workspace: &Workspace, mut sequence: Sequence, was: &Place, head: &Head) -> Result<Sequence, OpError> {
    let repo = &workspace.repo;
    let home = sequence.ends_on.as_ref().or(sequence.left.as_ref().filter(|_| sequence.branch.is_some()));
    if let Some(home) = home.filter(|_| Place::of(head) == *was) {
        repo.set_head(&home.head()?, &format!("{}: returning", sequence.verb.name()), &repo.committer()?)?;
    }
    if let Some(now) = repo.find_ref_id(&sequence.ref_name)? {
        sequence.start = now;
    }
    (sequence.onto, sequence.left, sequence.ends_on) = (None, None, None);
    sequence.steps.clear();
    sequence.drop_branch = match sequence.drop_branch {
        Some((name, id)) => {
            let branch = Branch::parse(&name, Branch::default().agent())?;
            let there = repo.find_ref_id(&repo.branch_ref(&branch))? == Some(id);
            there.then_some((name, id))
        }
        None => None,
    };
    Ok(sequence)
}

/// Tells whether a ref names a commit, or one that came after it.
fn has(workspace: &Workspace, ref_name: &str, commit: ObjectId) -> Result<bool, OpError> {
    let Some(now) = workspace.repo.find_ref_id(ref_name)? else { return Ok(false) };
    // Where nothing was stored before the crash there is no such commit.
    let stored = workspace.repo.read_commit(&commit).is_ok();
    Ok(stored && workspace.repo.merge_bases(now, commit)? == [commit])
}

fn place_name(place: &Place) -> String {
    match place {
        Place::Branch(name) => name.clone(),
        Place::Commit(id) => id.short(12),
    }
}
