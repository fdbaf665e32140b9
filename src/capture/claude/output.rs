//! The way out: steps that were handed out before are recognised.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::watermark::Handed;
use crate::capture::digest::digest;
use crate::capture::{Conversation, Routed};
use crate::model::{EntryId, Step};

/// Hands steps to the caller.
pub(super) struct Output<'s> {
    sink: &'s mut dyn FnMut(Routed) -> ControlFlow<()>,
    /// Nothing goes out before the line at this offset: what is read only rebuilds the state.
    pub muted_until: Option<u64>,
    /// The caller wants no more.
    pub is_stopped: bool,
    before: HashMap<EntryId, u64>,
    log: Vec<(u64, Handed)>,
}

impl<'s> Output<'s> {
    /// Starts with what was handed out after the place that reading starts at.
    pub(super) fn new(before: &[Handed], sink: &'s mut dyn FnMut(Routed) -> ControlFlow<()>) -> Self {
        let before = before.iter().map(|handed| (handed.id, handed.digest)).collect();
        Output { sink, muted_until: None, is_stopped: false, before, log: Vec::new() }
    }

    /// Hands a step out; a message that was handed out before goes out only if it is another one now, as `Extend`.
    ///
    /// `logged_at` is the offset read so far while a message is open, so that a later reading knows what it repeats.
    pub(super) fn emit(&mut self, conversation: &Conversation, step: Step, logged_at: Option<u64>) {
        let is_muted = self.muted_until.is_some();
        let step = match (step, logged_at) {
            (Step::Append(message), at) if at.is_some() || !(is_muted || self.before.is_empty()) => {
                let handed = Handed { id: message.id, digest: digest(&message) };
                if let Some(at) = at {
                    self.log.push((at, handed));
                }
                match self.before.get(&handed.id).filter(|_| !is_muted) {
                    Some(before) if *before == handed.digest => return,
                    Some(_) => Step::Extend(message),
                    None => Step::Append(message),
                }
            }
            (step, _) => step,
        };
        if !is_muted && !self.is_stopped {
            let routed = Routed { conversation: conversation.clone(), step };
            self.is_stopped = (self.sink)(routed).is_break();
        }
    }

    /// Lets steps out from this offset on, if they are to go out from there.
    pub(super) fn unmute_at(&mut self, offset: u64) {
        self.muted_until = self.muted_until.filter(|until| offset < *until);
    }

    /// Forgets what was handed out so far: nothing is open any more.
    pub(super) fn settle(&mut self) {
        self.log.clear();
    }

    /// Returns what was handed out from this offset on while something was open.
    pub(super) fn handed(&self, from: u64) -> Vec<Handed> {
        self.log.iter().filter(|(at, _)| *at >= from).map(|(_, handed)| *handed).collect()
    }
}
