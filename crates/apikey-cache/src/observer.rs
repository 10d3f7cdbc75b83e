//! What a cache tells the application about itself.

use std::fmt::Debug;
use std::time::Duration;

use crate::kid::Kid;
use crate::pepper::PepperVersion;
use crate::verifier::RowFault;

/// Receives events, to count, measure and log them.
///
/// # Contract
///
/// Called inline on the request path: it must neither block nor panic.
pub trait Observer: Debug + Send + Sync {
    /// Something happened.
    fn observe(&self, event: &Event);
}

/// Something that happened. None carries a secret, a hash or a tenant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A request was answered from memory.
    Hit(Hit),
    /// A kid was not in memory.
    Miss,
    /// Revocations were not heard for too long, so that the store was asked and not the cache.
    DirectValidation,
    /// A kid that this service never issued was refused without asking the store.
    PrefilterReject,
    /// A key was refused; the caller is told no reason.
    Refused(Refusal),
    /// The store answered a load.
    Loaded {
        /// From the request for a place at the store to its answer.
        took: Duration,
    },
    /// The answer to a load was thrown away, since the key may have changed meanwhile.
    LoadDiscarded(Discard),
    /// A load in flight was cut off from later requests by an invalidation.
    Detached,
    /// A row is not served, since nothing vouches for it.
    RowRejected {
        /// The id of the row.
        kid: Kid,
        /// Why.
        fault: RowFault,
    },
    /// The store did not answer, or not in time.
    StoreFailed(StoreTask),
    /// The hash of a key was renewed under the primary pepper.
    Rehashed {
        /// The pepper it was hashed under before.
        from: PepperVersion,
    },
    /// The outbox was read.
    OutboxRead {
        /// How many changes had been appended since.
        changes: u64,
        /// Changes that are still to be read.
        behind: u64,
    },
    /// Changes may have been missed: everything cached is dropped.
    OutboxGap(OutboxGap),
}

/// What a request was answered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hit {
    /// A cached record.
    Positive,
    /// The memory of kids that have no good record.
    Negative,
}

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// It begins with what the keys of another service or environment begin with.
    ForeignFormat,
    /// Its kid was never issued under a pepper in hand: it is invented, or the pepper is missing or
    /// not the one it was.
    InventedKid,
    /// There is no record of it.
    Unknown,
    /// It was revoked.
    Revoked,
    /// Nothing vouches for its row.
    RowRejected,
    /// The secret is not that of the kid.
    WrongSecret,
    /// Its first day has not come.
    NotYetValid,
    /// Its last day has passed.
    Expired,
}

impl Refusal {
    /// A name for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ForeignFormat => "foreign_format",
            Self::InventedKid => "invented_kid",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::RowRejected => "row_rejected",
            Self::WrongSecret => "wrong_secret",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
        }
    }
}

/// Which part of the fence threw a load away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Discard {
    /// A key of the same stripe was invalidated meanwhile.
    Generation,
    /// Everything was invalidated meanwhile.
    Epoch,
    /// The store answered with an older version than the one it is known to have.
    Version,
}

/// What the store was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreTask {
    /// The record of a kid.
    Load,
    /// A new hash for a record.
    Rehash,
    /// The changes of the outbox.
    Follow,
    /// The dates of last use.
    Touch,
}

/// How changes of the outbox got lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutboxGap {
    /// Numbers are missing: they were dropped before they were read.
    Missing,
    /// The numbers went back: the store is not the one it was.
    Regressed,
}

/// For a cache without an observer.
#[derive(Debug)]
pub(crate) struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _event: &Event) {}
}
