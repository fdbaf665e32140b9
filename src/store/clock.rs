//! The time of a commit: what git's own variables say, else now, on the local clock.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::StoreError;
use crate::model::Time;

/// Returns the moment that `GIT_COMMITTER_DATE` or `GIT_AUTHOR_DATE` names, or else this one.
///
/// # Errors
/// When the variable holds no date; git refuses that too.
pub(super) fn moment(variable: &str) -> Result<Time, StoreError> {
    let Some(text) = std::env::var(variable).ok().filter(|text| !text.is_empty()) else { return Ok(now()) };
    let Ok(time) = gix::date::parse(&text, None) else {
        return Err(StoreError::Config { key: variable.to_owned(), value: text });
    };
    Ok(Time { offset_minutes: minutes(time.offset), ..Time::from_seconds(time.seconds) })
}

/// Reads a date as people and git write it: `2026-11-20`, `2 weeks ago`, RFC 3339.
pub fn parse_date(text: &str, now: Time) -> Option<Time> {
    let now = Timestamp::from_millisecond(now.millis).ok()?.to_zoned(local_zone().clone());
    let time = gix::date::parse(text, Some(now)).ok()?;
    Some(Time { offset_minutes: minutes(time.offset), ..Time::from_seconds(time.seconds) })
}

fn now() -> Time {
    let now = Timestamp::now();
    Time { offset_minutes: minutes(local_zone().to_offset(now).seconds()), ..Time::from_seconds(now.as_second()) }
}

fn minutes(seconds: i32) -> i16 {
    i16::try_from(seconds / 60).unwrap_or(0)
}

/// Returns the zone of the local clock.
///
/// Asked for it, jiff lists all zones of the world to find out the name of this one, which takes a millisecond; only the
/// offset matters here, so that the file is read that holds it. `TZ` may have any of several forms: they are jiff's.
fn local_zone() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    ZONE.get_or_init(|| match std::env::var("TZ").as_deref() {
        Ok("" | "UTC" | "UTC0") => TimeZone::UTC,
        Ok(_) => TimeZone::system(),
        Err(_) => {
            let zone = std::fs::read("/etc/localtime").ok().and_then(|data| TimeZone::tzif("local", &data).ok());
            zone.unwrap_or(TimeZone::UTC)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_now_on_the_clock_that_git_reads() {
        let here = TimeZone::system().to_offset(Timestamp::now()).seconds();
        let time = moment("GITTRACE_TEST_NO_SUCH_VARIABLE").expect("no variable, no error");
        assert_eq!(i32::from(time.offset_minutes), here / 60);
        assert!((Timestamp::now().as_second() - time.seconds()).abs() <= 1);
    }
}
