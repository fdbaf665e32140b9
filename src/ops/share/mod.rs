//! Sharing: what goes to other repositories and what comes from them, always because the user asked for it.

mod along;
mod arrive;
mod clone;
mod error;
mod fetch;
mod leave;
mod ls_remote;
mod pull;
mod push;
mod remote;
mod rewritten;

use std::time::Duration;

pub(in crate::ops) use along::push_along;
pub use clone::{Clone as CloneTraces, Cloned, clone};
pub use error::ShareError;
pub(super) use fetch::receive;
pub use fetch::{BadRef, Fetch, Fetched, FetchedRef, Movement, fetch};
pub use leave::TooLarge;
pub use ls_remote::{ListedRef, LsRemote, RemoteRefs, ls_remote};
pub use pull::{Pull, PullHow, Pulled, PulledBranch, PulledHow, pull};
pub use push::{Push, Pushed, PushedRef, push};
pub(crate) use remote::default_remote;
pub use remote::{ChangeRemote, ChangedRemote, ListedRemote, change_remote, remotes};

use super::Workspace;
use crate::store::{Connection, StoreError};

/// How long git may talk with a server, in seconds, unless `trace.timeout` says otherwise.
const TIME: u64 = 600;

/// Returns how a server may be reached.
pub(in crate::ops) fn connection(
    workspace: &Workspace,
    may_ask: bool,
    most: Option<Duration>,
) -> Result<Connection, StoreError> {
    let configured = Duration::from_secs(workspace.repo.config_number("trace.timeout")?.unwrap_or(TIME).max(1));
    let time = most.map_or(configured, |most| most.min(configured));
    let runs_hooks = workspace.flag("trace.runHooks").unwrap_or(true);
    Ok(Connection { time, may_ask, runs_hooks })
}
