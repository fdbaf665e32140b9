//! Workflows: found in marketplaces, installed in the repository, prepared for runs.

mod back;
mod builtin;
mod error;
mod find;
mod fresh;
mod install;
mod installing;
mod list;
mod lock_file;
mod places;
mod plugins;
mod prepare;
mod record;
mod rehearse;
mod relock;
mod remove;
mod resolve;
mod search;
mod unused;
mod upgrade;
mod verify;

pub use back::{InstallBack, install_back as install_workflow_back};
pub use error::WorkflowError;
pub use install::{InstallWorkflows, Installation, InstalledPlugin, InstalledWorkflow, install as install_workflows};
pub use list::{ListedWorkflow, WorkflowList, list as list_workflows};
use lock_file::lock_path;
pub(in crate::ops) use prepare::{Prepared, prepare, used};
pub use prepare::{WorkflowFolders, unpack_workflow};
pub use record::Installable;
pub(in crate::ops) use rehearse::{Rehearsed, rehearse};
pub use remove::{RemoveWorkflows, RemovedWorkflow, RemovedWorkflows, remove as remove_workflows};
pub use resolve::{
    ResolveWorkflow, ResolvedWorkflow, ShownWorkflow, resolve as resolve_workflow, show as show_workflow,
};
pub use search::{OfferedWorkflow, SearchWorkflows, WorkflowSearch, search as search_workflows};
pub use upgrade::{FailedUpgrade, UpgradeWorkflows, UpgradedWorkflows, upgrade as upgrade_workflows};
pub use verify::{VerifiedWorkflow, VerifiedWorkflows, verify as verify_workflows};
