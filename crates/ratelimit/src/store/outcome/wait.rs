//! A time to wait in one word.

use std::time::Duration;

use crate::bucket::Retry;

/// Microseconds to wait, or that there is nothing to wait for, or never.
///
/// One plain word, because outcomes are moved several times on their way through a check: whole
/// words are moved at once, and enums with their tags between them are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait(u64);

impl Wait {
    pub(super) const NONE: Self = Self(u64::MAX);
    const NEVER: Self = Self(u64::MAX - 1);

    /// At most half a million years.
    pub(super) const fn micros(micros: u64) -> Self {
        Self(if micros < Self::NEVER.0 {
            micros
        } else {
            Self::NEVER.0 - 1
        })
    }

    pub(super) fn duration(self) -> Option<Duration> {
        match self {
            Self::NONE | Self::NEVER => None,
            Self(micros) => Some(Duration::from_micros(micros)),
        }
    }

    #[inline]
    pub(super) fn retry(self) -> Option<Retry> {
        match self {
            Self::NONE => None,
            Self::NEVER => Some(Retry::NeverSatisfiable),
            Self(micros) => Some(Retry::After(Duration::from_micros(micros))),
        }
    }
}

impl From<Retry> for Wait {
    fn from(retry: Retry) -> Self {
        match retry {
            Retry::After(wait) => Self::micros(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX)),
            Retry::NeverSatisfiable => Self::NEVER,
        }
    }
}
