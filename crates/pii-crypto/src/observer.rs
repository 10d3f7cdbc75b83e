//! What a cipher tells the application about itself.

use std::{
    fmt::Debug,
    sync::LazyLock,
    time::{Duration, Instant},
};

use crate::{OpenError, SealError};

/// Receives what became of every value that was sealed or opened, to count and to measure.
///
/// # Contract
/// Called inline, after each value: it neither blocks nor panics.
pub trait Observer: Debug + Send + Sync {
    /// A value was sealed or opened, or was not.
    fn observe(&self, event: &Event<'_>);

    /// The time since a fixed moment, fine enough to tell how long a value took: some hundred
    /// nanoseconds. By default that of the operating system.
    fn now(&self) -> Duration {
        ORIGIN.elapsed()
    }
}

/// What became of one value. It tells nothing of the value, not even how long it is, nor where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What was to be done.
    pub operation: Operation,
    /// What the keys are for: the purpose of the value's kind. A label of a metric, from as many as there
    /// are kinds.
    pub purpose: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// From the call to its end.
    pub took: Duration,
}

/// What was to be done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// To seal it.
    Seal,
    /// To open it.
    Open,
}

/// How it ended, from a closed set: a label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It was done.
    Ok,
    /// [`SealError::NoKey`].
    NoKey,
    /// [`SealError::StaleKeys`].
    StaleKeys,
    /// [`SealError::InvalidContext`].
    InvalidContext,
    /// [`SealError::TooLong`].
    TooLong,
    /// [`SealError::Entropy`].
    NoEntropy,
    /// [`OpenError::NeedsKey`]: usual after a rotation.
    NeedsKey,
    /// [`OpenError::Rejected`]: somebody should know of it.
    Rejected,
    /// [`OpenError::KeyUnavailable`]: an alarm.
    KeyUnavailable,
    /// [`OpenError::KeyDestroyed`].
    KeyDestroyed,
    /// [`OpenError::KeyNotOpened`]: an alarm.
    KeyNotOpened,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 2] = [Self::Seal, Self::Open];

    /// The label: `seal`, `open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Open => "open",
        }
    }
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 11] = [
        Self::Ok,
        Self::NoKey,
        Self::StaleKeys,
        Self::InvalidContext,
        Self::TooLong,
        Self::NoEntropy,
        Self::NeedsKey,
        Self::Rejected,
        Self::KeyUnavailable,
        Self::KeyDestroyed,
        Self::KeyNotOpened,
    ];

    /// The label: the name in lower case, `key_destroyed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoKey => "no_key",
            Self::StaleKeys => "stale_keys",
            Self::InvalidContext => "invalid_context",
            Self::TooLong => "too_long",
            Self::NoEntropy => "no_entropy",
            Self::NeedsKey => "needs_key",
            Self::Rejected => "rejected",
            Self::KeyUnavailable => "key_unavailable",
            Self::KeyDestroyed => "key_destroyed",
            Self::KeyNotOpened => "key_not_opened",
        }
    }
}

impl From<SealError> for Outcome {
    fn from(error: SealError) -> Self {
        match error {
            SealError::NoKey => Self::NoKey,
            SealError::StaleKeys => Self::StaleKeys,
            SealError::InvalidContext => Self::InvalidContext,
            SealError::TooLong => Self::TooLong,
            SealError::Entropy(_) => Self::NoEntropy,
        }
    }
}

impl From<OpenError> for Outcome {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NeedsKey(_) => Self::NeedsKey,
            OpenError::Rejected => Self::Rejected,
            OpenError::KeyUnavailable => Self::KeyUnavailable,
            OpenError::KeyDestroyed => Self::KeyDestroyed,
            OpenError::KeyNotOpened => Self::KeyNotOpened,
        }
    }
}

/// Tells an observer what became of a value and how long it took; hands the answer on.
#[cold]
#[inline(never)]
pub(crate) fn observed<T, E: Copy + Into<Outcome>>(
    observer: &dyn Observer,
    operation: Operation,
    purpose: &str,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let began = observer.now();
    let answer = work();
    let took = observer.now().saturating_sub(began);
    observer.observe(&Event {
        operation,
        purpose,
        outcome: match &answer {
            Ok(_) => Outcome::Ok,
            Err(error) => (*error).into(),
        },
        took,
    });
    answer
}

static ORIGIN: LazyLock<Instant> = LazyLock::new(origin);

#[expect(
    clippy::disallowed_methods,
    reason = "the system implementation of the time of an observer"
)]
fn origin() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
