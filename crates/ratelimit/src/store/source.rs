//! Which store a decision came from.

use std::fmt;

/// Which kind of store decided, for metrics and answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Source {
    /// The memory of this process.
    #[default]
    Memory,
    /// A Redis server, asked for this decision.
    Redis,
    /// Tokens that were taken from a shared store before, and spent here.
    Lease,
    /// A refusal of a shared store that still holds.
    DenialCache,
    /// The memory of this process in place of a shared store that does not answer.
    Fallback,
    /// A store of the user's own.
    Other,
}

impl Source {
    /// Every one of them.
    pub const ALL: [Self; 6] = [
        Self::Memory,
        Self::Redis,
        Self::Lease,
        Self::DenialCache,
        Self::Fallback,
        Self::Other,
    ];

    /// The one that `as u8` makes this number of.
    pub(super) const fn numbered(number: u8) -> Self {
        Self::ALL[number as usize]
    }

    /// `memory`, `redis`, `lease`, `deny_cache`, `fallback` or `other`: fit for a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::Lease => "lease",
            Self::DenialCache => "deny_cache",
            Self::Fallback => "fallback",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
