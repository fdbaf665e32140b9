//! What the user sees of our own faults.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic::{PanicHookInfo, set_hook};

use super::{ExitCode, escape, escape_line};

/// Makes a panic end the process with one line on standard error and exit code 70.
///
/// With `RUST_BACKTRACE=1` the backtrace follows.
pub fn report_panics() {
    set_hook(Box::new(|info| {
        let mut report = report(info);
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            report.push_str(&escape(&backtrace.to_string()));
        }
        // There is nowhere left to complain.
        let _ = std::io::stderr().write_all(report.as_bytes());
        std::process::exit(i32::from(ExitCode::Internal.code()));
    }));
}

fn report(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown fault");
    let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    format!("error: internal: {}{}; please report\n", escape_line(message), escape_line(&place))
}
