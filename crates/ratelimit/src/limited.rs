//! The tenants that were refused most.

use std::{
    cmp::Reverse,
    collections::HashMap,
    fmt,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::clock::Timestamp;

/// After this long a refusal counts half.
const HALF_LIFE: Duration = Duration::from_secs(600);

/// A tenant that was refused lately, as [`RateLimiter::most_limited`](crate::RateLimiter::most_limited)
/// lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitedTenant {
    /// The tenant.
    pub tenant: String,
    /// Its refusals; those before the last ten-minute mark count half, those before the mark
    /// before a quarter, and so on.
    pub refusals: u64,
    /// How many of them may be another tenant's, because the table was full.
    pub overcount: u64,
    /// How long ago the last one was.
    pub last_refused: Duration,
}

/// The tenants refused most, by the Space-Saving algorithm (Metwally, Agrawal and El Abbadi,
/// 2005): a fixed number of counters, and any tenant with more than `1 / capacity` of all
/// refusals is among them.
pub(crate) struct LimitedTenants {
    capacity: NonZeroUsize,
    counters: Mutex<Counters>,
}

#[derive(Default)]
struct Counters {
    of_tenant: HashMap<Box<str>, Counter>,
    halved_at: Timestamp,
}

struct Counter {
    refusals: u64,
    overcount: u64,
    last: Timestamp,
}

impl LimitedTenants {
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            capacity,
            counters: Mutex::default(),
        }
    }

    pub(crate) fn count(&self, tenant: &str, now: Timestamp) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.fade(now);
        if let Some(counter) = counters.of_tenant.get_mut(tenant) {
            counter.refusals += 1;
            counter.last = now;
            return;
        }
        let is_full = counters.of_tenant.len() >= self.capacity.get();
        let inherited = if is_full { counters.remove_least() } else { 0 };
        let counter = Counter {
            refusals: inherited + 1,
            overcount: inherited,
            last: now,
        };
        counters.of_tenant.insert(tenant.into(), counter);
    }

    /// The tenants counted, the most refused first.
    pub(crate) fn most_refused(&self, now: Timestamp) -> Vec<LimitedTenant> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.fade(now);
        let mut tenants: Vec<_> = counters
            .of_tenant
            .iter()
            .map(|(tenant, counter)| LimitedTenant {
                tenant: tenant.to_string(),
                refusals: counter.refusals,
                overcount: counter.overcount,
                last_refused: now.since(counter.last),
            })
            .collect();
        drop(counters);
        tenants.sort_by(|a, b| {
            (Reverse(a.refusals), &a.tenant).cmp(&(Reverse(b.refusals), &b.tenant))
        });
        tenants
    }
}

impl fmt::Debug for LimitedTenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capacity = &self.capacity;
        f.debug_struct("LimitedTenants")
            .field("capacity", capacity)
            .finish_non_exhaustive()
    }
}

impl Counters {
    fn fade(&mut self, now: Timestamp) {
        let half_lives = now.since(self.halved_at).as_secs() / HALF_LIFE.as_secs();
        if half_lives == 0 {
            return;
        }
        self.halved_at = now;
        let half_lives = u32::try_from(half_lives).unwrap_or(u32::MAX);
        self.of_tenant.retain(|_, counter| {
            counter.refusals = counter.refusals.checked_shr(half_lives).unwrap_or(0);
            counter.overcount = counter.overcount.checked_shr(half_lives).unwrap_or(0);
            counter.refusals > 0
        });
    }

    /// Makes room and says how often the removed tenant was counted.
    fn remove_least(&mut self) -> u64 {
        let least = self
            .of_tenant
            .iter()
            .min_by_key(|(_, counter)| counter.refusals);
        let least = least.map(|(tenant, _)| tenant.clone());
        let removed = least.and_then(|tenant| self.of_tenant.remove(&tenant));
        removed.map_or(0, |counter| counter.refusals)
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroUsize, time::Duration};

    use super::LimitedTenants;
    use crate::clock::Timestamp;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn holding(capacity: usize) -> LimitedTenants {
        LimitedTenants::new(NonZeroUsize::new(capacity).unwrap())
    }

    #[test]
    fn the_most_refused_come_first_with_their_last_refusal() {
        let limited = holding(10);
        for (tenant, second) in [("a", 1), ("b", 2), ("b", 3), ("c", 4), ("b", 5), ("c", 6)] {
            limited.count(tenant, at(second));
        }
        let most = limited.most_refused(at(10));
        let counted: Vec<_> = most
            .iter()
            .map(|t| (t.tenant.as_str(), t.refusals))
            .collect();
        assert_eq!(counted, [("b", 3), ("c", 2), ("a", 1)]);
        assert_eq!(most[0].last_refused, Duration::from_secs(5));
        assert!(most.iter().all(|tenant| tenant.overcount == 0));
    }

    #[test]
    fn a_flood_of_tenants_neither_grows_the_table_nor_hides_a_frequent_one() {
        let limited = holding(10);
        let mut of_heavy = 0;
        for round in 0..1_000 {
            limited.count(&format!("rare-{round}"), at(1));
            if round > 500 && round % 5 == 0 {
                limited.count("heavy", at(1));
                of_heavy += 1;
            }
        }
        let most = limited.most_refused(at(1));
        assert_eq!(most.len(), 10);
        let heavy = most.iter().find(|tenant| tenant.tenant == "heavy").unwrap();
        assert!((heavy.refusals - heavy.overcount..=heavy.refusals).contains(&of_heavy));
    }

    #[test]
    fn after_ten_minutes_a_refusal_counts_half_and_then_fades_away() {
        let limited = holding(10);
        for _ in 0..8 {
            limited.count("a", at(1));
        }
        assert_eq!(limited.most_refused(at(599))[0].refusals, 8);
        assert_eq!(limited.most_refused(at(600))[0].refusals, 4);
        assert_eq!(limited.most_refused(at(1_800))[0].refusals, 1);
        assert_eq!(limited.most_refused(at(1_000_000)), []);
    }
}
