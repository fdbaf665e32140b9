//! What goes wrong during a transfer, and how often it did.

use std::time::Duration;

use crate::servers::{Cut, How, Way};

/// Is what goes wrong during a transfer.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    None,
    Line(Cut),
    KillClient { after: Duration, alone: bool },
    KillServer { after: Duration },
}

/// Counts what was done, for whoever wants to know how much a simulation shows.
#[derive(Debug, Default)]
pub struct Tally {
    pushes: usize,
    fetches: usize,
    cut: usize,
    clients_killed: usize,
    servers_killed: usize,
    /// Of those, how many ended well all the same.
    not_noticed: usize,
}

impl Trouble {
    /// Chooses one, mostly none; a line has to be there to fail.
    pub fn choose(rng: &mut fastrand::Rng, has_line: bool, can_restart: bool) -> Self {
        let moment = |rng: &mut fastrand::Rng| Duration::from_micros(rng.u64(..60_000));
        match rng.u8(..100) {
            0..18 if has_line => {
                let way = if rng.bool() { Way::Up } else { Way::Down };
                let how = [How::Close, How::Reset][rng.usize(..2)];
                Trouble::Line(Cut { way, after: rng.u64(..4000), how })
            }
            18..30 => Trouble::KillClient { after: moment(rng), alone: rng.bool() },
            30..33 if has_line && can_restart => Trouble::KillServer { after: moment(rng) },
            _ => Trouble::None,
        }
    }
}

impl Tally {
    /// Notes a transfer.
    pub fn note(&mut self, is_push: bool, trouble: Trouble, is_ok: bool) {
        *(if is_push { &mut self.pushes } else { &mut self.fetches }) += 1;
        match trouble {
            Trouble::None => return,
            Trouble::Line(_) => self.cut += 1,
            Trouble::KillClient { .. } => self.clients_killed += 1,
            Trouble::KillServer { .. } => self.servers_killed += 1,
        }
        self.not_noticed += usize::from(is_ok);
    }
}
