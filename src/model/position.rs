//! Where an entry stands in its context.

use std::fmt;
use std::str::FromStr;

/// Digits of a fraction, in the order in which git sorts them.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Orders the entries of a context: a number of seven digits, and a fraction for what was put in between.
///
/// `0000123` stands before `0000123~k`, which stands before `0000124`: the order of the values is the byte order of
/// their texts, so that git sorts a tree as the context reads. Positions may have gaps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    number: u32,
    fraction: String,
}

impl Position {
    /// The largest number a position can have.
    pub const MAX: u64 = 9_999_999;

    /// Makes the position with this number and no fraction.
    ///
    /// # Errors
    /// When the number has more than seven digits.
    pub fn new(number: u64) -> Result<Self, PositionError> {
        if number > Self::MAX {
            return Err(PositionError::Full);
        }
        Ok(Position { number: number as u32, fraction: String::new() })
    }

    /// Returns the number without its fraction, 0 to 9,999,999.
    pub fn number(&self) -> u64 {
        u64::from(self.number)
    }

    /// Returns the number of digits in the fraction; 0 if there is none.
    pub fn fraction_len(&self) -> usize {
        self.fraction.len()
    }

    /// Returns a position strictly between `low` and `high` whose number is that of `low`.
    ///
    /// The fraction is about as short as the gap allows.
    ///
    /// # Errors
    /// When `low` is not before `high`.
    pub fn between(low: &Position, high: &Position) -> Result<Self, PositionError> {
        if low >= high {
            return Err(PositionError::NoGap { low: low.to_string(), high: high.to_string() });
        }
        let ceiling = (low.number == high.number).then_some(high.fraction.as_bytes());
        Ok(Position { number: low.number, fraction: fraction_between(low.fraction.as_bytes(), ceiling) })
    }
}

/// Finds a digit string after `low` and, where there is a ceiling, before it; it never ends in `0`, so that there is
/// always room below it.
fn fraction_between(low: &[u8], high: Option<&[u8]>) -> String {
    let value =
        |text: &[u8], place: usize| text.get(place).and_then(|digit| DIGITS.iter().position(|known| known == digit));
    let mut high = high;
    let mut fraction = String::new();
    for place in 0.. {
        let floor = value(low, place).unwrap_or(0);
        let ceiling = high.map_or(DIGITS.len(), |text| value(text, place).unwrap_or(0));
        if ceiling > floor + 1 {
            fraction.push(char::from(DIGITS[(floor + ceiling) / 2]));
            break;
        }
        fraction.push(char::from(DIGITS[floor]));
        if ceiling > floor {
            high = None;
        }
    }
    fraction
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:07}", self.number)?;
        if !self.fraction.is_empty() {
            write!(f, "~{}", self.fraction)?;
        }
        Ok(())
    }
}

/// Says why there is no such position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// All seven digits are used up.
    #[error("a context cannot hold more than 9999999 positions")]
    Full,
    /// The two neighbours leave nothing between them.
    #[error("no position between '{low}' and '{high}'")]
    NoGap {
        /// The position before.
        low: String,
        /// The position after.
        high: String,
    },
    /// The text is not of the form `0000123` or `0000123~k`.
    #[error("not a position: '{text}'")]
    Malformed {
        /// The text as given.
        text: String,
    },
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || PositionError::Malformed { text: text.to_owned() };
        let (number, fraction) = match text.split_once('~') {
            Some((_, "")) => return Err(malformed()),
            Some((number, fraction)) => (number, fraction),
            None => (text, ""),
        };
        let plain = number.len() == 7 && number.bytes().all(|byte| byte.is_ascii_digit());
        let fits = fraction.bytes().all(|byte| DIGITS.contains(&byte)) && fraction.len() <= 128;
        if !plain || !fits || fraction.ends_with('0') {
            return Err(malformed());
        }
        Ok(Position { number: number.parse().map_err(|_| malformed())?, fraction: fraction.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_sort_as_the_values_do() {
        let texts = ["0000123", "0000123~5", "0000123~k", "0000123~k1", "0000124"];
        let values: Vec<Position> = texts.iter().map(|text| text.parse().expect("well formed")).collect();
        assert!(values.is_sorted());
        assert!(values.iter().map(ToString::to_string).is_sorted());
        for bad in ["123", "0000123~", "0000123~K", "0000123~k0", "00001234", "-000001"] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn there_is_always_room_between_two(picks in prop::collection::vec(any::<prop::sample::Index>(), 1..200)) {
            let mut all = vec![Position::new(7).expect("small"), Position::new(8).expect("small")];
            for pick in picks {
                let at = pick.index(all.len() - 1);
                let middle = Position::between(&all[at], &all[at + 1]).expect("a gap");
                prop_assert!(all[at] < middle && middle < all[at + 1]);
                prop_assert_eq!(&middle.to_string().parse::<Position>().expect("reads back"), &middle);
                all.insert(at + 1, middle);
            }
            let names: Vec<String> = all.iter().map(|position| position.to_string() + ".user").collect();
            prop_assert!(names.is_sorted());
        }
    }
}
