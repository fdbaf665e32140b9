//! Numbers and moments for people.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::{Label, Line};
use crate::model::Time;

/// Writes a number with commas: `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Writes a change with its sign: `+318`, `-1,024`, `0`.
pub fn change(number: i64) -> String {
    let sign = match number {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", count(number.unsigned_abs()))
}

/// Writes a number in at most five characters: `999`, `12.3k`, `999k`, `1.5M`, rounded to nearest.
pub fn short(number: u64) -> String {
    scaled(number, 1000, ["", "k", "M", "G", "T", "P", "E"])
}

/// Writes a number that is an estimate: `~12.3k`, and `~412` below a thousand.
pub fn estimate(number: u64) -> String {
    format!("~{}", short(number))
}

/// Writes a size as git does: `412 bytes`, `1.2 KiB`, `3.4 MiB`.
pub fn bytes(number: u64) -> String {
    if number == 1 {
        return "1 byte".to_owned();
    }
    scaled(number, 1024, [" bytes", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"])
}

/// Writes a share in percent, rounded down so that 100% means all of it; nothing of nothing is 0.
pub fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    u64::try_from(u128::from(part) * 100 / u128::from(whole)).unwrap_or(u64::MAX)
}

/// Writes how long ago a moment was, in git's words and steps (`3 hours ago`, `1 year, 2 months ago`).
///
/// The steps are those of `git log --date=relative`.
pub fn relative(moment: Time, now: Time) -> String {
    let Ok(seconds) = u64::try_from(now.seconds().saturating_sub(moment.seconds())) else {
        return "in the future".to_owned();
    };
    // Each unit is rounded to nearest from the unit below it, as git does.
    let minutes = (seconds + 30) / 60;
    let hours = (minutes + 30) / 60;
    let days = (hours + 12) / 24;
    match (seconds, minutes, hours, days) {
        (0..90, ..) => ago(seconds, "second"),
        (_, 0..90, ..) => ago(minutes, "minute"),
        (_, _, 0..36, _) => ago(hours, "hour"),
        (.., 0..14) => ago(days, "day"),
        (.., 14..70) => ago((days + 3) / 7, "week"),
        (.., 70..365) => ago((days + 15) / 30, "month"),
        (.., 365..1825) => {
            let months = (days * 24 + 365) / 730;
            match (months / 12, months % 12) {
                (years, 0) => ago(years, "year"),
                (years, months) => format!("{}, {}", plural(years, "year"), ago(months, "month")),
            }
        }
        _ => ago((days + 183) / 365, "year"),
    }
}

/// Writes a moment like `git log --date=iso`: `2026-11-20 11:00:00 +0100`.
pub fn iso(moment: Time) -> String {
    let zone = Offset::from_seconds(i32::from(moment.offset_minutes) * 60).map(TimeZone::fixed);
    match (Timestamp::from_second(moment.seconds()), zone) {
        (Ok(stamp), Ok(zone)) => stamp.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %z").to_string(),
        _ => moment.to_string(),
    }
}

/// Draws how much of a limit is used: `[#####.....] 48,211 / 200,000 tokens (24%)`.
///
/// It is readable without colour; from 80% it is labelled a warning, over 100% an error.
pub fn bar(used: u64, limit: u64, unit: &str, cells: usize) -> Line {
    let share = percent(used, limit);
    let label = match share {
        _ if used > limit => Label::Error,
        80.. => Label::Warning,
        _ => Label::Good,
    };
    let filled =
        usize::try_from(u128::from(used.min(limit)) * cells as u128 / u128::from(limit.max(1))).unwrap_or(cells);
    // Something used shows as something.
    let filled = filled.clamp(usize::from(used > 0).min(cells), cells);
    Line::new()
        .plain("[")
        .push(label, "#".repeat(filled))
        .push(Label::Muted, ".".repeat(cells - filled))
        .plain("] ")
        .push(Label::Tokens, count(used))
        .plain(format!(" / {} {unit} (", count(limit)))
        .push(label, format!("{share}%"))
        .plain(")")
}

/// Scales to the largest unit below the number, with one decimal below a hundred.
fn scaled(number: u64, base: u64, units: [&str; 7]) -> String {
    let mut whole = u128::from(number);
    let mut scale = 1_u128;
    let base = u128::from(base);
    for (step, unit) in units.into_iter().enumerate() {
        if step == 0 && whole < base {
            return format!("{number}{unit}");
        }
        if step > 0 {
            scale *= base;
            let tenths = (u128::from(number) * 10 + scale / 2) / scale;
            whole = (u128::from(number) + scale / 2) / scale;
            if tenths < 1000 {
                return format!("{}.{}{unit}", tenths / 10, tenths % 10);
            }
            if whole < base {
                return format!("{whole}{unit}");
            }
        }
    }
    format!("{whole}{}", units[6])
}

fn ago(number: u64, unit: &str) -> String {
    format!("{} ago", plural(number, unit))
}

fn plural(number: u64, unit: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{ending}")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn numbers_read_easily() {
        assert_eq!([0, 999, 1000, 12_345, 1_234_567].map(count), ["0", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!([0, 318, -1024].map(change), ["0", "+318", "-1,024"]);
        assert_eq!(
            [999, 1000, 12_345, 99_949, 99_950, 999_499, 999_500, 1_500_000].map(short),
            ["999", "1.0k", "12.3k", "99.9k", "100k", "999k", "1.0M", "1.5M"]
        );
        assert_eq!(estimate(12_345), "~12.3k");
        assert_eq!([1, 412, 1229, 3_565_158].map(bytes), ["1 byte", "412 bytes", "1.2 KiB", "3.4 MiB"]);
    }

    #[test]
    fn a_bar_says_everything_without_colour() {
        let text = |used, limit| bar(used, limit, "tokens", 10).plain_text();
        assert_eq!(text(48_211, 200_000), "[##........] 48,211 / 200,000 tokens (24%)");
        assert_eq!(text(0, 200), "[..........] 0 / 200 tokens (0%)");
        assert_eq!(text(1, 200_000), "[#.........] 1 / 200,000 tokens (0%)");
        assert_eq!(text(300, 200), "[##########] 300 / 200 tokens (150%)");
        assert_eq!(text(199_999, 200_000), "[#########.] 199,999 / 200,000 tokens (99%)");
    }

    #[test]
    fn moments_keep_their_zone() {
        let time = Time { millis: 1_795_168_800_000, offset_minutes: 60 };
        assert_eq!(iso(time), "2026-11-20 11:00:00 +0100");
        assert_eq!(iso(Time { offset_minutes: -210, ..time }), "2026-11-20 06:30:00 -0330");
    }

    /// Makes a commit for each age and lets git tell them.
    fn gits_words(ages: &[i64]) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().expect("a folder");
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.current_dir(folder.path()).args(arguments).env("GIT_TEST_DATE_NOW", NOW.to_string());
            git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
            git
        };
        assert!(git(&["init", "-q", "."]).status().expect("git runs").success());
        let mut script = String::new();
        for age in ages {
            writeln!(script, "commit refs/heads/x\ncommitter a <a@b> {} +0130\ndata 0\n", NOW - age).expect("a string");
        }
        let mut import = git(&["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().expect("git runs");
        import.stdin.take().expect("piped").write_all(script.as_bytes()).expect("git reads");
        assert!(import.wait().expect("git ends").success());
        let log = git(&["log", "--topo-order", "--reverse", "--format=%cr|%ci", "x"]).output().expect("git runs");
        let log = String::from_utf8(log.stdout).expect("text");
        log.lines().filter_map(|line| line.split_once('|')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    }

    #[test]
    fn ages_and_dates_are_told_as_git_tells_them() {
        let mut ages = vec![-5, 0, 1, 89, 90, 5369, 5370, 5399, 5400, 127_799, 127_800, 129_600];
        ages.extend((0..3000).map(|step: i64| step * step * 191 % 1_000_000_007));
        ages.extend((0..900).map(|day| day * 86_400 * 5 / 2 + 43_199));
        let told = gits_words(&ages);
        assert_eq!(told.len(), ages.len());
        for (age, (words, date)) in ages.into_iter().zip(told) {
            let moment = Time { millis: (NOW - age) * 1000, offset_minutes: 90 };
            assert_eq!(relative(moment, Time::from_seconds(NOW)), words, "{age}");
            assert_eq!(iso(moment), date, "{age}");
        }
    }

    proptest! {
        #[test]
        fn any_number_and_moment_can_be_told(number: u64, limit: u64, signed: i64, millis: i64, offset_minutes: i16, cells in 0_usize..100) {
            prop_assert_eq!(count(number).replace(',', ""), number.to_string());
            prop_assert!(short(number).len() <= 5, "{}", short(number));
            let _ = (change(signed), bytes(number));
            let moment = Time { millis, offset_minutes };
            let _ = (iso(moment), relative(moment, Time::from_millis(signed)));
            let drawn = bar(number, limit, "tokens", cells).plain_text();
            prop_assert_eq!(drawn.bytes().filter(|byte| matches!(byte, b'#' | b'.')).count(), cells);
        }
    }
}
