//! The `git trace` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    git_trace::commands::run(std::env::args_os()).into()
}
