//! What a cache tells the application about itself.

use std::{fmt::Debug, time::Duration};

use crate::{
    cache::EffectiveBy,
    feed::{ChangeKind, Invalidation},
    kid::Kid,
    pepper::PepperVersion,
};

pub use crate::verifier::RowFault;

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
    /// The change feed was not read for too long, or there is no cache, so that the store was asked.
    DirectValidation,
    /// A kid that this service never issued was refused without asking the store.
    PrefilterReject,
    /// A key was denied; the caller is told no reason.
    Denied(DenialReason),
    /// A good key lacks a scope that the layer demands.
    ScopesMissing,
    /// The store answered a load.
    Loaded {
        /// From asking for a permit to the answer of the store.
        took: Duration,
    },
    /// The answer to a load was thrown away, since the key may have changed meanwhile.
    LoadDiscarded(Discard),
    /// A load in flight was cut off from later requests by an invalidation.
    Detached,
    /// A record was loaded again before its time was over.
    Refreshed(Refresh),
    /// What was in use lately was loaded before the first requests.
    Warmed {
        /// Records that are in memory.
        loaded: u64,
        /// Records that could not be loaded.
        failed: u64,
    },
    /// A row is not served, since it is not as this crate wrote it.
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
    /// The change feed was read.
    FeedRead {
        /// How many changes this page had.
        changes: u64,
        /// Changes that are still to be read.
        behind: u64,
    },
    /// A change that was not known here was applied: what it is about is read again.
    Applied {
        /// What told of it first.
        origin: Origin,
        /// What happened.
        kind: ChangeName,
    },
    /// Changes may have been missed: everything cached is dropped.
    FeedGap(FeedGap),
    /// Everything up to a moment ago has been applied: the cache may answer from memory for longer.
    Confirmed {
        /// For how long it could have done so yet; zero if it asked the store for every request.
        margin: Duration,
    },
    /// The bus does not do what it is asked; told once until it does again, or is heard again for 2 s.
    BusFailed(BusTask),
    /// Changes were heard on the bus, and applied.
    BusHeard {
        /// How many that were not known.
        changes: u64,
    },
    /// Changes were told on the bus: those of this process, and those of others that nobody had told.
    BusTold {
        /// How many.
        changes: u64,
    },
    /// A change was not heard on the bus, so that the feed is read at once.
    BusGap,
    /// A revocation is in effect everywhere, and somebody has waited for it.
    Effective {
        /// How long that took, from its commit.
        took: Duration,
        /// How it is known.
        how: EffectiveBy,
    },
}

/// What a request was answered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hit {
    /// A cached record.
    Positive,
    /// The memory of kids that have no good record.
    Negative,
    /// A cached record of which nobody could tell whether it is still good, in the grace for its scopes.
    Unconfirmed,
}

/// How loading a record again ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refresh {
    /// It is good, and used from now on.
    Renewed,
    /// It is not good any more: what was cached is dropped.
    Withdrawn,
    /// The store could not be asked: what is cached is used for the rest of its time.
    Failed,
}

/// Why a key was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenialReason {
    /// It begins with what the keys of another service or environment begin with.
    ForeignFormat,
    /// Its kid was not issued under any configured pepper: it is invented, or that pepper is
    /// missing or replaced.
    InventedKid,
    /// There is no record of it.
    Unknown,
    /// It was revoked.
    Revoked,
    /// Its row is not as this crate wrote it.
    RowRejected,
    /// The secret is not that of the kid.
    WrongSecret,
    /// Its first day has not come.
    NotYetValid,
    /// Its last day has passed.
    Expired,
}

impl DenialReason {
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

/// What told a cache of a change first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// This process made it.
    Own,
    /// It was read in the change feed.
    Feed,
    /// It was heard on the bus.
    Bus,
}

/// What happened, without what it happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeName {
    /// A record was added, or what its key is allowed has changed.
    Record,
    /// One key is to be read again.
    Key,
    /// The keys of one tenant are to be read again.
    Tenant,
    /// All keys are to be read again.
    All,
}

impl Origin {
    /// A name for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Feed => "feed",
            Self::Bus => "bus",
        }
    }
}

impl ChangeName {
    pub(crate) fn of(kind: &ChangeKind) -> Self {
        match kind {
            ChangeKind::Record { .. } => Self::Record,
            ChangeKind::Invalidation(Invalidation::Key(_)) => Self::Key,
            ChangeKind::Invalidation(Invalidation::Tenant(_)) => Self::Tenant,
            ChangeKind::Invalidation(Invalidation::All) => Self::All,
        }
    }

    /// A name for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Key => "key",
            Self::Tenant => "tenant",
            Self::All => "all",
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

/// What the store or the feed was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreTask {
    /// The record of a kid.
    Load,
    /// A new hash for a record.
    Rehash,
    /// The changes of the feed.
    Follow,
    /// To store the dates of last use.
    UpdateLastUsed,
    /// To drop old changes from the feed.
    Trim,
    /// Which feed it is.
    Identify,
    /// To note that this cache reads the feed, and how far it is.
    NoteReader,
    /// To forget that this cache reads the feed.
    ForgetReader,
    /// How far the other readers of the feed are.
    Readers,
    /// Which keys were used lately.
    RecentlyUsed,
}

/// How changes of the feed got lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeedGap {
    /// Numbers are missing: they were dropped before they were read.
    Missing,
    /// The numbers went back: the store is not the one it was.
    Regressed,
    /// The bus told of a later change, and the feed cannot be read.
    Unread,
}

/// What the bus was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BusTask {
    /// To tell others.
    Tell,
    /// What others tell.
    Listen,
}

/// For a cache without an observer.
#[derive(Debug)]
pub(crate) struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _event: &Event) {}
}
