//! Suspicious access, found in the leaves of a log as they follow one another.
//!
//! The rules are fixed, and few: each says what it counts, and from how many on. They take the time from the leaves, so
//! that the same leaves give the same findings. What they remember of an actor is bounded, and so is the number of
//! actors.
//!
//! | rule | finds |
//! |---|---|
//! | `bulk` | 100 different resources read in 10 minutes, or an event that read 50 at once |
//! | `fields` | more than 5 fields read in one event |
//! | `automated` | access with the reason code of a program |
//! | `hour` | an hour of the day (UTC) that, with the one before and after it, has less than 1 % of at least 200 events in 28 days |
//! | `failures` | 10 events that were denied or failed in 5 minutes |
//! | `place` | a network that the actor was not seen in for 28 days, once it is known for 7 |
//! | `break_glass` | rights that somebody took in an emergency, always |
//!
//! **A system** ([`ActorType::System`](crate::event::ActorType::System): the service itself, a command, an operator with
//! the token that all operators share) is held against `break_glass` alone. It reads in bulk, at any hour and from
//! wherever it is started, and its id stands for all who start it; so there is nothing usual that it could depart from.
//!
//! **Who is anonymous** is told apart by the network that the caller of [`Rules::observe`] gives, and held against
//! neither `hour` nor `place`. Networks are hashes under a key of the process; a finding names none, but refers to
//! the events. They have at most half of the room for actors while others need it.

mod actor;
mod bulk;
mod failures;
mod finding;
mod hours;
mod network;
mod places;
mod rules;
mod settings;

use std::fmt;

use crate::event::Code;

pub use self::{
    finding::{FINDING_CLOSED, Finding, MAX_REFS, SUSPICIOUS},
    network::{NetworkHash, NetworkHasher},
    rules::Rules,
    settings::RuleSettings,
};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a service has a metric and an alert for each"
)]
pub enum Rule {
    /// Many resources in a short time.
    Bulk,
    /// Many fields at once.
    Fields,
    /// A reason that a program gave.
    Automated,
    /// An unusual hour.
    Hour,
    /// Many refusals in a short time.
    Failures,
    /// A new network.
    NewNetwork,
    /// Rights taken in an emergency.
    BreakGlass,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Bulk,
        Self::Fields,
        Self::Automated,
        Self::Hour,
        Self::Failures,
        Self::NewNetwork,
        Self::BreakGlass,
    ];

    /// The code that a finding has as its reason.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Bulk => Code::new("bulk"),
            Self::Fields => Code::new("fields"),
            Self::Automated => Code::new("automated"),
            Self::Hour => Code::new("hour"),
            Self::Failures => Code::new("failures"),
            Self::NewNetwork => Code::new("place"),
            Self::BreakGlass => Code::new("break_glass"),
        }
    }

    /// Whether somebody should look at once, and not the next day.
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Bulk | Self::BreakGlass)
    }

    const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(f)
    }
}

const MINUTE: u64 = 60 * 1_000_000;
const DAY: u64 = 24 * 60 * MINUTE;

#[cfg(test)]
mod tests;
