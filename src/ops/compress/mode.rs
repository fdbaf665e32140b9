//! The ways of compressing.

use std::fmt;
use std::str::FromStr;

use super::super::OpError;

/// Says how entries are made smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Mode {
    /// What tools answered long ago becomes a line that names the original.
    #[default]
    Mask,
    /// What tools answered again later becomes a line that names the original.
    Dedupe,
    /// Entries leave the context.
    Drop,
    /// Each run of entries becomes one summary, their texts in order.
    Combine,
    /// Each run becomes one summary, made of its own lines by the driver that is built in.
    Extract,
    /// Each run becomes one line.
    Title,
    /// Each run becomes one summary, written by a driver.
    Driver,
}

impl Mode {
    /// Every mode, in the order of the help.
    pub const ALL: [Mode; 7] =
        [Mode::Mask, Mode::Dedupe, Mode::Drop, Mode::Combine, Mode::Extract, Mode::Title, Mode::Driver];

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Mask => "mask",
            Mode::Dedupe => "dedupe",
            Mode::Drop => "drop",
            Mode::Combine => "combine",
            Mode::Extract => "extract",
            Mode::Title => "title",
            Mode::Driver => "driver",
        }
    }

    /// Tells whether several entries become one.
    pub const fn summarises(self) -> bool {
        matches!(self, Mode::Combine | Mode::Extract | Mode::Title | Mode::Driver)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Mode {
    type Err = OpError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Mode::ALL.into_iter().find(|mode| mode.name() == text);
        found.ok_or_else(|| OpError::Request { reason: format!("unknown mode '{text}'") })
    }
}
