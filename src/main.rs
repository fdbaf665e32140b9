//! The `git trace` command.

fn main() {}
