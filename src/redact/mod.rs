//! Secrets and personal paths are taken out of text before it is written.
//!
//! [`Redactor`] is the only maker of [`Redacted`] values, and only those are written to a repository. A secret is
//! replaced by a marker such as `[[redacted:github-pat:1f0c9a3b]]`: equal secrets of a repository have equal markers, so
//! diffs stay readable, and nobody without the repository's [`Key`] can test a guess against a marker.
//!
//! ```
//! use git_trace::redact::{Key, Options, Redactor};
//!
//! let redactor = Redactor::new(Key::new([7; 32]), Options::default());
//! let body = br#"{"host": "db1", "password": "hunter2longvalue", "port": 5432}"#;
//! let redacted = redactor.json(&body[..]);
//! assert_eq!(redacted.findings()[0].rule, "generic-api-key");
//! let text = String::from_utf8_lossy(redacted.as_inner()).into_owned();
//! assert!(text.starts_with(r#"{"host": "db1", "password": "[[redacted:generic-api-key:"#));
//! assert!(text.ends_with(r#"]]", "port": 5432}"#));
//! ```
//!
//! **Architecture invariant:** nothing outside this room makes a [`Redacted`]. **Architecture invariant:** redacting what
//! was redacted changes nothing.

mod allow;
mod assignment;
mod boundary;
mod config;
mod credentials;
mod engine;
mod generic;
mod go_pattern;
mod home;
mod json;
mod kubernetes;
mod marker;
mod name;
mod pattern;
mod pem;
mod randomness;
mod redacted;
mod redactor;
mod rule;
mod rules;
mod samples;
mod shape;
mod span;
mod whole;
mod words;

pub use config::{Config, ConfigError, ConfigWarning};
pub use marker::Key;
pub use pattern::{Cutter, Pattern, PatternError};
pub use redacted::{Finding, Redacted};
pub use redactor::{Options, Redactor};
