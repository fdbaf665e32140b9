//! What a refusal means for the user: how grave it is, and what to do about it.

use super::OpError;
use crate::store::StoreError;

impl OpError {
    /// Tells whether it is about the repository as a whole: there is none, or none that may be used.
    pub fn is_no_repository(&self) -> bool {
        use StoreError::{NoRepository, Open, Unsupported, Untrusted};
        matches!(self, OpError::Store(NoRepository { .. } | Untrusted { .. } | Open { .. } | Unsupported { .. }))
    }

    /// Tells what the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            OpError::Store(error) => error.hint().into_iter().collect(),
            OpError::UnknownEntry { near, .. } => near.iter().map(|entry| format!("did you mean {entry}?")).collect(),
            OpError::AmbiguousEntry { candidates, .. } => vec![format!("it could be {}", candidates.join(", "))],
            OpError::Pinned { id } => vec![format!("to let it go first: git trace unpin {id}")],
            OpError::UnknownCode { .. } => vec!["a line is named so: git trace why <file>:<line>".to_owned()],
            OpError::NoCommits { .. } => {
                vec!["store something first: git trace commit --role user -F <file>".to_owned()]
            }
            OpError::StillPaused { .. } => vec!["try again in a moment: git trace unpause".to_owned()],
            OpError::NotInHistory { .. } => {
                vec![
                    "go to the branch that has it first: git trace switch <branch>, or name it: --branch <branch>"
                        .to_owned(),
                ]
            }
            OpError::NoSnapshot { .. } => {
                vec!["put back the context alone: leave out --code; see which there are: git trace log refs/trace/snapshots/<agent>".to_owned()]
            }
            OpError::ToolPair { other, id } => {
                vec![format!("take both: git trace drop {id} {other} (--force goes on anyway)")]
            }
            OpError::Ongoing { verb } => vec![
                format!("to go on: git trace {verb} --continue"),
                format!("to give it up: git trace {verb} --abort"),
            ],
            OpError::OngoingIn { verb, path } => {
                let there = path.display();
                vec![
                    format!("to go on: git trace -C '{there}' {verb} --continue"),
                    format!("to give it up: git trace -C '{there}' {verb} --abort"),
                ]
            }
            OpError::HalfPair { .. } => {
                vec!["take the commit with the other half too, or go on anyway with --force".to_owned()]
            }
            OpError::MissingCommits { .. } => vec!["write 'drop' in front of what is to go".to_owned()],
            OpError::NoUpstream { .. } => vec!["name one: git trace rebase <upstream>".to_owned()],
            OpError::PauseElsewhere => vec!["go there first: git trace checkout <branch>".to_owned()],
            OpError::HeadElsewhere { paused, .. } => vec![
                format!("to go back there: git trace checkout {paused}"),
                "to give it up: git trace rebase --abort".to_owned(),
            ],
            OpError::BranchMoved { .. } => vec!["to see what is there now: git trace log".to_owned()],
            OpError::BrokenState { .. } => {
                vec!["to forget what stopped (no branch has moved): git trace rebase --abort".to_owned()]
            }
            OpError::IsMerge { .. } => vec!["say which parent it is compared with: -m 1".to_owned()],
            OpError::OddOrder { .. } => vec!["if it is meant: --force".to_owned()],
            OpError::InvalidOrder { .. } => vec!["move a call and its result together".to_owned()],
            OpError::Unrelated => vec!["to merge them anyway: --allow-unrelated-histories".to_owned()],
            OpError::NotForward { revision, .. } => vec![format!("to merge: git trace merge {revision}")],
            OpError::NotMerged { all, .. } => vec![format!("to delete anyway: git trace branch -D {}", all.join(" "))],
            OpError::NotABranch { revision, .. } => vec![
                format!("to look at it, on no branch: git trace switch --detach {revision}"),
                format!("to go on from it: git trace switch -c <branch> {revision}"),
            ],
            OpError::Record { .. } => vec!["say whose it is: git trace import <agent> <path>".to_owned()],
            OpError::UnseenCommits { remote, .. } => vec![format!("get them first: git trace fetch {remote}")],
            OpError::NotForgotten { name } => vec![
                "see what was: git for-each-ref --format='%(refname) %(subject)' refs/trace/forgotten".to_owned(),
                format!("if only a server has it: git trace forget --lift {name} --remote"),
            ],
            OpError::Detached => vec!["name it: git trace branch -m <old> <new>".to_owned()],
            OpError::NoDriver => {
                vec!["name one: git config trace.driver <name>, or --driver <name>".to_owned()]
            }
            OpError::Target { reachable, .. } => {
                let other = "try '--mode extract', fewer turns with '--keep-turns', or";
                vec![format!("{other} 'git trace compress --target-tokens {reachable}'")]
            }
            OpError::Unsound { findings } => {
                findings.iter().skip(1).take(20).map(|finding| format!("also: {finding}")).collect()
            }
            OpError::NoOriginals { .. } => {
                vec!["look for the branch that has them: git trace log --all".to_owned()]
            }
            OpError::Share(error) => error.hints(),
            OpError::Market(error) => error.hints(),
            OpError::Workflow(error) => error.hints(),
            OpError::Run(error) => error.hints(),
            OpError::Turns(error) => error.hints(),
            OpError::Install(error) => error.hint().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Tells whether a person has to decide, or the result is not sound: nothing was refused, and nothing done.
    pub fn needs_decision(&self) -> bool {
        use OpError::{Answer, Conflicts, OddOrder, Target, Unsound};
        match self {
            Conflicts { .. } | OddOrder { .. } | Unsound { .. } | Target { .. } | Answer { .. } => true,
            OpError::Run(error) => error.needs_decision(),
            _ => false,
        }
    }
}
