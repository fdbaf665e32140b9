//! What kind of failure a turn of an agent ended with, by what was said about it.

use std::fmt;

/// Names a kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Too many requests: try again later.
    RateLimit,
    /// The provider has too much to do: try again later.
    Overloaded,
    /// The provider broke down: try again later.
    ServerError,
    /// The line was cut: try again later.
    Network,
    /// Who asks is not known, or may not.
    Auth,
    /// There is nothing left to pay with.
    Billing,
    /// The request is not one that the provider takes.
    InvalidRequest,
    /// There is no such model.
    ModelNotFound,
    /// Anything else.
    Unclassified,
}

/// Words by which failures are known; the first row with a match counts. Numbers match whole words only.
const SIGNS: [(Failure, &[&str]); 8] = [
    (Failure::RateLimit, &["429", "rate_limit", "rate limit", "ratelimit", "too many requests", "usage limit"]),
    (Failure::Overloaded, &["529", "overloaded"]),
    (Failure::ModelNotFound, &["model_not_found", "model not found", "unknown model", "no such model"]),
    (
        Failure::Billing,
        &["402", "billing", "credit balance", "insufficient_quota", "insufficient quota", "payment required"],
    ),
    (
        Failure::Auth,
        &[
            "401",
            "403",
            "unauthorized",
            "unauthenticated",
            "forbidden",
            "authentication",
            "invalid api key",
            "invalid_api_key",
            "permission_error",
            "not logged in",
            "please run /login",
        ],
    ),
    (Failure::InvalidRequest, &["400", "413", "invalid_request", "invalid request", "prompt is too long"]),
    (
        Failure::ServerError,
        &["500", "502", "503", "504", "internal server error", "api_error", "bad gateway", "service unavailable"],
    ),
    (
        Failure::Network,
        &[
            "econnreset",
            "econnrefused",
            "enotfound",
            "etimedout",
            "eai_again",
            "epipe",
            "fetch failed",
            "connection reset",
            "connection refused",
            "connection error",
            "network error",
            "socket hang up",
            "could not resolve host",
            "network is unreachable",
        ],
    ),
];

/// Bytes of what was said that are looked at.
const LOOKED_AT: usize = 16 << 10;

impl Failure {
    /// Finds out what kind of failure is meant by what was said about it.
    pub fn classify(said: &str) -> Self {
        let end = said.char_indices().map(|(at, _)| at).find(|at| *at >= LOOKED_AT).unwrap_or(said.len());
        let said = said[..end].to_lowercase();
        let words: Vec<&str> = said.split(|one: char| !one.is_alphanumeric()).collect();
        let shows = |sign: &&str| match sign.bytes().all(|byte| byte.is_ascii_digit()) {
            true => words.contains(sign),
            false => said.contains(*sign),
        };
        SIGNS.iter().find(|(_, signs)| signs.iter().any(shows)).map_or(Failure::Unclassified, |(kind, _)| *kind)
    }

    /// Tells whether the same may go well a little later.
    pub const fn is_transient(self) -> bool {
        matches!(self, Failure::RateLimit | Failure::Overloaded | Failure::ServerError | Failure::Network)
    }

    /// Returns the name as it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Failure::RateLimit => "rate_limit",
            Failure::Overloaded => "overloaded",
            Failure::ServerError => "server_error",
            Failure::Network => "network",
            Failure::Auth => "auth",
            Failure::Billing => "billing",
            Failure::InvalidRequest => "invalid_request",
            Failure::ModelNotFound => "model_not_found",
            Failure::Unclassified => "unclassified",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_known_by_their_words() {
        for (said, kind) in [
            ("API Error: 429", Failure::RateLimit),
            ("HTTP 503", Failure::ServerError),
            ("error 500 in model_not_found", Failure::ModelNotFound),
            ("line 4290", Failure::Unclassified),
            ("timeout", Failure::Unclassified),
            ("", Failure::Unclassified),
        ] {
            assert_eq!(Failure::classify(said), kind, "{said}");
        }
    }
}
