//! The library's API: one verb a file, from a request to an outcome.

mod blame;
mod branch;
mod branches;
mod brought;
mod bundle;
mod capture;
mod change;
mod checkout;
mod cherry_pick;
mod commit;
mod compress;
mod context;
mod cost;
mod credits;
mod diff;
mod disable;
mod doctor;
mod driver;
mod drop;
mod edit;
mod enable;
mod error;
mod expand;
mod find;
mod finding;
mod forget;
mod group;
mod import;
mod init;
mod installation;
mod link;
mod log;
mod marketplace;
mod merge;
mod message;
mod pack;
mod pin;
mod range;
mod rebase;
mod rebase_plan;
mod redact;
mod reorder;
mod replay;
mod reset;
mod restore;
mod resume;
mod rewind;
mod run;
mod scan;
mod sealed;
mod sequence;
mod share;
mod show;
mod snapshot;
mod status;
mod switch;
mod tag;
mod touches;
mod turns;
mod validate;
mod verify;
mod watch;
mod withhold;
mod workflow;
mod workspace;

pub use blame::{Blame, Blamed, Happening, blame};
pub use branch::{BranchChange, ChangedBranch, branch};
pub use branches::{BranchOrder, Branches, ListBranches, ListedBranch, Scope, Upstream, branches};
pub use brought::{Brought, Contradiction, OpenConflict, Outcome};
pub use bundle::{
    BUNDLE_NAME, Bundle, BundleImported, CreateBundle, ImportBundle, create_bundle, import_bundle, list_bundle,
    verify_bundle,
};
pub use capture::{
    Hook, Hooked, LastEvent, ListSessions, ListedSession, Paused, SessionRecord, SessionState, Sessions, Unheard, hook,
    note_failure, pause, sessions, unpause,
};
pub use change::Changed;
pub use checkout::{Checkout, checkout};
pub use cherry_pick::{Pick as PickCommits, cherry_pick, revert};
pub use commit::{Commit as CommitMessages, commit};
pub use compress::{
    Compress, Compressed, Mode as CompressMode, PlanLine, Report, Retention, compress, compression_plan,
};
pub use context::{Materialized, context};
pub use cost::{Cost, cost};
pub use diff::{Difference, EntryChange, diff};
pub use disable::{Disable, disable};
pub use doctor::{Diagnosis, Doctor, Severity, doctor};
pub use drop::{Drop as DropEntries, drop};
pub use edit::{Edit, edit};
pub use enable::{Enable, Installed, InstalledAgent, WhichAgents, enable};
pub use error::OpError;
pub use expand::{Expand, Expanded, expand};
pub use finding::Finding;
pub use forget::{
    Forget, Forgotten, ForgottenBranch, ForgottenRef, Holder, Lifted, MovedAside, OnlyThere, PurgeOutcome,
    RemoteForgotten, forget, lift,
};
pub use import::{
    ENTIRE_BRANCH, Import, ImportEntire, Imported, ImportedBranch, import, import_entire, records_in, subagent_files,
};
pub use init::{Init, Initialized, create_repository, init};
pub use installation::{HookState, InstallError, Surroundings};
pub use link::{
    Cause, CodeBrief, Explained, GitHook, GitHooked, HOOK_INPUT_MAX, Relink, Relinked, Said, Why, WhyLines, git_hook,
    link_arrived, relink, why,
};
pub use log::{Log, log};
pub use marketplace::{
    AddMarketplace, ChangedMarketplace, ListedMarketplace, MarketError, RefreshMarketplaces, RefreshedMarketplace,
    RemoveMarketplace, Why as WhyUnreachable, add_marketplace, list_marketplaces, refresh_marketplaces,
    remove_marketplace,
};
pub use merge::{FastForward, Merge, merge};
pub use message::{NewMessage, parse_messages};
pub use pack::pack;
pub use pin::{Pin, pin};
pub use range::{RevisionRange, Span};
pub use rebase::{Rebase, rebase};
pub use rebase_plan::{PLAN_MAX, RebasePlan, rebase_plan};
pub use redact::{AUTHOR, Left, Redact, RedactOutcome, RewrittenRef, redact};
pub use reorder::{Beside, Order, Reorder, reorder};
pub use reset::{Reset, ResetMode, WasReset, reset};
pub use restore::{Restore, restore};
pub use resume::{Resolution, Resume, Settle, conflicts, resume, settle};
pub use rewind::{CodeRewound, Rewind, Rewound, rewind};
pub use run::{
    Answer, Began, DesignChange, Drift, DriftRequest, FileState, FinishRun, ListRuns, ListedRun, Next, ReportedStep,
    ResumeRun, RunChanged, RunError, RunReport, StartRun, StartedRun, StepEvent, StepRequest, SyncRun, WhichRun,
    finish_run, list_runs, resume_run, run_drift, run_status, start_run, step, sync_run,
};
pub use scan::Leak;
pub use sequence::{Preference, SequenceVerb, WholeSide};
pub use share::{
    BadRef, ChangeRemote, ChangedRemote, CloneTraces, Cloned, Fetch, Fetched, FetchedRef, ListedRef, ListedRemote,
    LsRemote, Movement, Pull, PullHow, Pulled, PulledBranch, PulledHow, Push, Pushed, PushedRef, RemoteRefs,
    ShareError, TooLarge, change_remote, clone, fetch, ls_remote, pull, push, remotes,
};
pub use show::{Shown, show};
pub use snapshot::{Moment, SnapshotTaken, take_snapshot};
pub use status::{Budget, Status, Stopped, status};
pub use switch::{Destination, Switch, Switched, switch};
pub use tag::{Tag, TagOutcome, tag};
pub use turns::{
    ResumeTurns, RunEvent, RunLimits, RunOutcome, RunWatch, RunWorkflow, TurnsError, resume_turns, run_workflow,
};
pub use validate::{Unsound, validate, validate_meta};
pub use verify::{Checked, Note, Verification, Verified, Verify, verify};
pub use watch::{AgentFolders, Event as WatchEvent, Watch, watch};
pub use workflow::{
    FailedUpgrade, InstallBack, InstallWorkflows, Installable, Installation, InstalledPlugin, InstalledWorkflow,
    ListedWorkflow, OfferedWorkflow, RemoveWorkflows, RemovedWorkflow, RemovedWorkflows, ResolveWorkflow,
    ResolvedWorkflow, SearchWorkflows, ShownWorkflow, UpgradeWorkflows, UpgradedWorkflows, VerifiedWorkflow,
    VerifiedWorkflows, WorkflowError, WorkflowFolders, WorkflowList, WorkflowSearch, install_workflow_back,
    install_workflows, list_workflows, remove_workflows, resolve_workflow, search_workflows, show_workflow,
    unpack_workflow, upgrade_workflows, verify_workflows,
};
pub use workspace::{Target, Workspace};

pub use crate::capture::{Agent, SessionFacts, ToolCall};
pub use crate::link::Link;
pub use crate::store::{BODY_MAX, PUSHING, RemoteMode};

use crate::codec::one_line;

/// Longest preview of an entry in a subject line or list, in characters.
const PREVIEW_MAX: usize = 60;

/// Returns the beginning of a text on one line.
fn preview(text: &str) -> String {
    // Enough to find the first words, however much follows.
    let end = text.char_indices().map(|(at, _)| at).nth(2000).unwrap_or(text.len());
    one_line(&text[..end], PREVIEW_MAX)
}
