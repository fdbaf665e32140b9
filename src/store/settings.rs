//! The `trace.*` configuration.

use super::StoreError;
use super::pack::Durability;
use super::sign::SignPolicy;

/// Holds what the user configured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `trace.refPrefix`: where our refs are; `refs/trace` unless it says otherwise.
    pub ref_prefix: String,
    /// `trace.fsync`: `true` or `false` for every write; unset: durable for what exists nowhere else.
    pub fsync: Option<bool>,
    /// `trace.budget`: the most tokens that a context should have.
    pub budget: Option<u64>,
    /// `trace.redact`: whether secrets are replaced before anything is written.
    pub redact: bool,
    /// `trace.redactHome`: whether home paths are replaced by `~`.
    pub redact_home: bool,
    /// `trace.lockTimeout`: milliseconds to wait for other writers.
    pub lock_timeout: u64,
    /// `trace.autoPack`: loose objects of ours from which on they are packed; 0 is never.
    pub auto_pack: u64,
    /// `trace.author`: whether commits name the agent as their author.
    pub agent_is_author: bool,
    /// `trace.sign`: which commits are signed.
    pub sign: SignPolicy,
    /// `commit.gpgSign`: whether git signs commits.
    pub gpg_sign: bool,
}

impl Settings {
    pub(super) fn read(git: &gix::Repository) -> Result<Self, StoreError> {
        let config = git.config_snapshot();
        let text = |key: &str| config.string(key).map(|value| value.to_string());
        let bad = |key: &str| StoreError::Config { key: key.to_owned(), value: text(key).unwrap_or_default() };
        let flag = |key: &str| config.try_boolean(key).map_err(|_| bad(key));
        let number = |key: &str| number(&config, key);
        let ref_prefix = text("trace.refPrefix").unwrap_or_else(|| "refs/trace".to_owned());
        let ref_prefix = ref_prefix.trim_end_matches('/').to_owned();
        let sound = ref_prefix.starts_with("refs/")
            && !["refs/heads", "refs/tags", "refs/remotes", "refs/worktree", "refs/notes"]
                .iter()
                .any(|taken| ref_prefix.starts_with(taken))
            && gix::validate::reference::name(ref_prefix.as_str().into()).is_ok();
        if !sound {
            return Err(bad("trace.refPrefix"));
        }
        let author = text("trace.author");
        if author.as_deref().is_some_and(|author| author != "agent" && author != "user") {
            return Err(bad("trace.author"));
        }
        let sign = match text("trace.sign").as_deref() {
            None => SignPolicy::AsGit,
            Some("always") => SignPolicy::Always,
            Some("never") => SignPolicy::Never,
            Some(_) => return Err(bad("trace.sign")),
        };
        Ok(Settings {
            sign,
            gpg_sign: flag("commit.gpgSign")?.unwrap_or(false),
            ref_prefix,
            fsync: flag("trace.fsync")?,
            budget: number("trace.budget")?,
            redact: flag("trace.redact")?.unwrap_or(true),
            redact_home: flag("trace.redactHome")?.unwrap_or(false),
            lock_timeout: number("trace.lockTimeout")?.unwrap_or(30_000),
            auto_pack: number("trace.autoPack")?.unwrap_or(500),
            agent_is_author: author.as_deref() == Some("agent"),
        })
    }

    /// Decides how a write is synced: as configured, else by whether it exists nowhere else.
    pub fn durability(&self, replayable: bool) -> Durability {
        if self.fsync.unwrap_or(!replayable) { Durability::Durable } else { Durability::Lazy }
    }
}

/// Reads a number that is not negative, with git's units.
pub(super) fn number(config: &gix::config::Snapshot<'_>, key: &str) -> Result<Option<u64>, StoreError> {
    let text = || config.string(key).map(|value| value.to_string()).unwrap_or_default();
    let bad = || StoreError::Config { key: key.to_owned(), value: text() };
    match config.try_integer(key).map_err(|_| bad())? {
        Some(value) => u64::try_from(value).map(Some).map_err(|_| bad()),
        None => Ok(None),
    }
}
