//! What a lease store counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a [`LeaseStore`](super::LeaseStore) holds and has done since it was made. Tokens are those of
/// a lease, which are taken from every limit of its key alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseStats {
    /// Leases held.
    pub leases: u64,
    /// Tokens of leases that can still be spent.
    pub outstanding: u64,
    /// Charges decided here, without asking the store.
    pub local: u64,
    /// Leases fetched, each by one round trip.
    pub fetches: u64,
    /// Charges that waited for a lease which another one fetched.
    pub waited: u64,
    /// Tokens taken for leases.
    pub fetched: u64,
    /// Tokens of leases that were spent.
    pub spent: u64,
    /// Tokens of leases that were given back.
    pub returned: u64,
    /// Tokens of leases that expired, or had drained before they could be given back.
    pub expired: u64,
}

/// The counters behind [`LeaseStats`].
#[derive(Default)]
pub(super) struct Counters {
    pub(super) local: AtomicU64,
    pub(super) fetches: AtomicU64,
    pub(super) waited: AtomicU64,
    pub(super) fetched: AtomicU64,
    pub(super) spent: AtomicU64,
    pub(super) returned: AtomicU64,
    pub(super) expired: AtomicU64,
}

impl Counters {
    pub(super) fn stats(&self) -> LeaseStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LeaseStats {
            local: read(&self.local),
            fetches: read(&self.fetches),
            waited: read(&self.waited),
            fetched: read(&self.fetched),
            spent: read(&self.spent),
            returned: read(&self.returned),
            expired: read(&self.expired),
            ..LeaseStats::default()
        }
    }
}

pub(super) fn count(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}
