//! A moment, as git and transcripts tell it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// Holds a moment in milliseconds since 1970-01-01 UTC, with the offset of the clock that told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Milliseconds since the epoch; may be negative.
    pub millis: i64,
    /// Offset from UTC in minutes, east positive, as git writes it (`+0100` is 60).
    pub offset_minutes: i16,
}

impl Time {
    /// Makes a moment told in UTC from milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Time { millis, offset_minutes: 0 }
    }

    /// Makes a moment told in UTC from seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Time::from_millis(seconds.saturating_mul(1000))
    }

    /// Returns whole seconds since the epoch, rounded down, as git stores them.
    pub const fn seconds(&self) -> i64 {
        self.millis.div_euclid(1000)
    }
}

/// Writes RFC 3339 in UTC with milliseconds: `2026-11-20T10:00:00.123Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.millis) {
            Ok(moment) => write!(f, "{moment:.3}"),
            Err(_) => write!(f, "@{}", self.millis),
        }
    }
}

/// Says that a text is no RFC 3339 moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time: '{text}'")]
pub struct ParseTimeError {
    /// The text as given.
    pub text: String,
}

impl FromStr for Time {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Timestamp>()
            .map(|moment| Time::from_millis(moment.as_millisecond()))
            .map_err(|_| ParseTimeError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_back_to_the_millisecond() {
        let text = "2026-11-20T10:00:00.123Z";
        let time: Time = text.parse().expect("RFC 3339");
        assert_eq!(time.to_string(), text);
        assert_eq!("2026-11-20T11:00:00.123+01:00".parse(), Ok(time));
        assert_eq!(Time::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Time::from_millis(-1).seconds(), -1);
        assert!("yesterday".parse::<Time>().is_err());
    }
}
