//! Runs of workflows: what is recorded of them, and `trace.md`, in which they are read and written.

mod act;
mod artifact;
mod drift;
mod error;
mod finish;
mod here;
mod list;
mod page;
mod place;
mod record;
mod start;
mod status;
mod step;
mod trailers;
mod which;

/// The longest task of a run, in bytes.
pub(in crate::ops) const TASK_MAX: usize = 64 << 10;

pub use act::RunChanged;
pub use drift::{DesignChange, Drift, DriftRequest, run_drift};
pub use error::RunError;
pub use finish::{FinishRun, ResumeRun, SyncRun, finish_run, resume_run, sync_run};
pub use list::{ListRuns, ListedRun, list_runs};
pub use page::FileState;
pub(in crate::ops) use record::{NewEntry, RunChange, RunState};
pub use start::{Answer, Began, StartRun, StartedRun, start_run};
pub use status::{Next, ReportedStep, RunReport, run_status};
pub use step::{StepEvent, StepRequest, step};
pub use which::WhichRun;
