//! One request and its answer: time, retries, sizes.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use ureq::http::{HeaderMap, Response};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, Error};

use super::{Dialect, Http, is_loopback};
use crate::drivers::{Driver, DriverError, said};

/// How long a server may take to answer the telephone.
const CONNECT: Duration = Duration::from_secs(10);
/// Statuses after which the same request may go well.
const PASSING: [u16; 5] = [429, 500, 502, 503, 529];
/// How often a request is sent again.
const RETRIES: u32 = 4;
/// The longest wait of ours, whatever the number of retries.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How much of an error is read.
const ERROR_BYTES: u64 = 64 * 1024;
/// The version of Anthropic's API.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// Says why an attempt brought no body.
struct Failure {
    error: DriverError,
    /// Whether another attempt may go better.
    passing: bool,
    /// How long the server asked to wait.
    wait: Option<Duration>,
}

/// Sends a body, again where that may help, and returns what came back with a status of success.
pub(super) fn post(http: &Http, body: &[u8]) -> Result<Vec<u8>, DriverError> {
    let deadline = Instant::now() + http.timeout;
    let agent = agent(http)?;
    let mut attempt = 0;
    loop {
        let failure = match once(http, &agent, body, deadline) {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let wait = failure.wait.unwrap_or_else(|| backoff(http.backoff, attempt));
        let left = deadline.saturating_duration_since(Instant::now());
        if !failure.passing || attempt == RETRIES || wait >= left {
            return Err(failure.error);
        }
        attempt += 1;
        std::thread::sleep(wait);
    }
}

/// Returns twice the time with each attempt, less up to half by chance: many who failed at once do not come back at once.
fn backoff(first: Duration, attempt: u32) -> Duration {
    first.saturating_mul(1 << attempt.min(16)).min(LONGEST_WAIT).mul_f64(1.0 - 0.5 * fastrand::f64())
}

fn agent(http: &Http) -> Result<Agent, DriverError> {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let address = http.address().map_err(|reason| connection(http, &reason))?;
    let config = Agent::config_builder()
        .tls_config(tls)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT))
        .user_agent(concat!("git-trace/", env!("CARGO_PKG_VERSION")));
    let config = if is_loopback(&address) { config.proxy(None) } else { config };
    Ok(config.build().new_agent())
}

fn once(http: &Http, agent: &Agent, body: &[u8], deadline: Instant) -> Result<Vec<u8>, Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(final_failure(slow(http)));
    }
    let address = http.address().map_err(|reason| final_failure(connection(http, &reason)))?;
    let mut request = agent.post(address).content_type("application/json").header("accept", "application/json");
    if http.dialect == Dialect::Anthropic {
        request = request.header("anthropic-version", ANTHROPIC_VERSION);
    }
    if let Some(key) = http.key.get() {
        request = match http.dialect {
            Dialect::Anthropic => request.header("x-api-key", key),
            _ => request.header("authorization", format!("Bearer {key}")),
        };
    }
    let mut response =
        request.config().timeout_global(Some(left)).build().send(body).map_err(|error| broken(http, error))?;
    let status = response.status().as_u16();
    if !(200..300).contains(&status) {
        return Err(refused(http, status, &mut response));
    }
    let json = response.body().mime_type().is_some_and(|kind| kind == "application/json" || kind.ends_with("+json"));
    if !json {
        let kind = response.body().mime_type().unwrap_or("no type").to_owned();
        let reason = format!("it is not JSON but '{}'", said::beginning(&http.key.hidden_in(&kind)));
        return Err(final_failure(DriverError::Answer { driver: http.name(), reason }));
    }
    response.body_mut().with_config().limit(http.max_output as u64).read_to_vec().map_err(|error| broken(http, error))
}

/// Names what went wrong on the way.
fn broken(http: &Http, error: Error) -> Failure {
    let passing = match &error {
        Error::Timeout(ureq::Timeout::Connect) | Error::ConnectionFailed => true,
        Error::Io(error) => error.kind() != std::io::ErrorKind::InvalidData,
        // The answer ended before it was whole.
        Error::Protocol(_) => true,
        _ => false,
    };
    let error = match error {
        Error::BodyExceedsLimit(_) => DriverError::Large { driver: http.name(), limit: http.max_output },
        Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            connection(http, "no connection within 10 seconds")
        }
        Error::Timeout(_) => slow(http),
        error => connection(http, &said::beginning(&http.key.hidden_in(&error.to_string()))),
    };
    Failure { error, passing, wait: None }
}

/// Reads what a server says about a status that is none of success.
fn refused(http: &Http, status: u16, response: &mut Response<Body>) -> Failure {
    let wait = retry_after(response.headers());
    let reason = if (300..400).contains(&status) {
        "it points to another server, to which the key does not go".to_owned()
    } else {
        // An error whose words cannot be read is still that error.
        let words = response.body_mut().with_config().limit(ERROR_BYTES).lossy_utf8(true).read_to_string();
        message(&words.unwrap_or_default())
    };
    let reason = said::beginning(&http.key.hidden_in(&reason));
    Failure {
        error: DriverError::Status { driver: http.name(), status, reason },
        passing: PASSING.contains(&status),
        wait,
    }
}

/// Returns the words in an error of any provider: `{"error":{"message":…}}`, `{"error":"…"}`, `{"message":…}`.
fn message(body: &str) -> String {
    let Ok(json) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    let error = &json["error"];
    let words = [&error["message"], error, &json["message"], &json["detail"]];
    words.into_iter().find_map(Value::as_str).unwrap_or(body).to_owned()
}

/// Reads how long a server asks to wait: milliseconds (OpenAI), seconds, or until a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let get = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let seconds = |number: &str, unit: f64| {
        let number: f64 = number.parse().ok()?;
        Duration::try_from_secs_f64(number * unit).ok()
    };
    if let Some(wait) = get("retry-after-ms").and_then(|number| seconds(number, 0.001)) {
        return Some(wait);
    }
    let wait = get("retry-after")?;
    seconds(wait, 1.0).or_else(|| {
        let date = jiff::fmt::rfc2822::parse(wait).ok()?;
        Some(SystemTime::from(date.timestamp()).duration_since(SystemTime::now()).unwrap_or_default())
    })
}

fn final_failure(error: DriverError) -> Failure {
    Failure { error, passing: false, wait: None }
}

fn slow(http: &Http) -> DriverError {
    DriverError::Slow { driver: http.name(), limit: http.timeout }
}

fn connection(http: &Http, reason: &str) -> DriverError {
    DriverError::Connection { driver: http.name(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_below_a_limit() {
        for attempt in 0..40 {
            let wait = backoff(Duration::from_millis(500), attempt);
            let most = Duration::from_millis(500 << attempt.min(16)).min(LONGEST_WAIT);
            assert!(wait <= most && wait >= most / 2, "{attempt}: {wait:?}");
        }
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        let read = |name: &'static str, value: &str| {
            retry_after(&HeaderMap::from_iter([(name.parse().expect("a name"), value.parse().expect("a value"))]))
        };
        assert_eq!(read("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(read("retry-after-ms", "20"), Some(Duration::from_millis(20)));
        assert_eq!(read("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(read("retry-after", "Wed, 21 Oct 2099 07:28:00 GMT").is_some_and(|wait| wait.as_secs() > 1_000_000));
        for not in ["soon", "-1", "nan", "1e300"] {
            assert_eq!(read("retry-after", not), None, "{not}");
        }
    }

    #[test]
    fn a_key_is_hidden_before_words_are_cut() {
        let mut http = Http::new("x", Dialect::Anthropic, "m");
        http.set_key("sk-secret").expect("a key");
        // The limit of what is shown falls into the key.
        for before in 385..405 {
            let words = format!("{}sk-secret", "x".repeat(before));
            let shown = broken(&http, Error::Io(std::io::Error::other(words))).error.to_string();
            assert!(shown.contains("xxx") && !shown.contains("sk-"), "{before}: {shown}");
        }
    }

    #[test]
    fn words_of_an_error_are_found() {
        assert_eq!(message(r#"{"type":"error","error":{"type":"x","message":"overloaded"}}"#), "overloaded");
        assert_eq!(message(r#"{"error":"model not found"}"#), "model not found");
        assert_eq!(message(r#"{"object":"error","message":"bad"}"#), "bad");
        assert_eq!(message("<html>nginx</html>"), "<html>nginx</html>");
    }
}
