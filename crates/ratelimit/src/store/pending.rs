//! The decision on a charge, all or nothing, before it is written.

use super::{Charge, ChargeOutcome, LimitStatus, Target};
use crate::{
    bucket::{Bucket, Level, Retry},
    clock::Timestamp,
    policy::{Limit, MAX_LIMITS},
};

/// A charge that is decided and not yet written: the status of its limits, and the buckets to
/// write.
#[derive(Clone, Copy, Debug)]
pub struct PendingCharge<'a> {
    charge: &'a Charge<'a>,
    outcome: ChargeOutcome,
    updates: [Option<Counted>; MAX_LIMITS],
}

/// What a bucket counts, in the scale of its limit.
#[derive(Clone, Copy, Debug)]
struct Counted {
    consumed: u64,
    tick: u64,
}

/// One limit of the charge on its own.
#[derive(Clone, Copy)]
struct Tried {
    before: Counted,
    charged: Result<Counted, Retry>,
}

impl<'a> Charge<'a> {
    /// Decides over the buckets that a store has read: `bucket_of` gives the one of a target, or
    /// `None` if it was never charged and so is full.
    ///
    /// `now` is the store's time: [`Charge::now`], or that of a clock which several processes
    /// share. This is pure: the store reads the buckets before, writes
    /// [`updates`](PendingCharge::updates) afterwards, and lets no other charge of the partition
    /// come in between.
    #[must_use]
    #[inline]
    pub fn decide(
        &'a self,
        now: Timestamp,
        mut bucket_of: impl FnMut(&Target<'a>) -> Option<Bucket>,
    ) -> PendingCharge<'a> {
        let mut tried: [Option<Tried>; MAX_LIMITS] = [None; MAX_LIMITS];
        let mut writes = self.cost() > 0;
        for target in self.targets() {
            let limit = target.limit().limit();
            let bucket =
                bucket_of(&target).unwrap_or_else(|| Bucket::full(limit, Timestamp::default()));
            let level = bucket.at(limit, now);
            let charged = level.charge_more(self.before(), self.cost());
            writes &= charged.is_ok() || !target.limit().is_enforced();
            tried[target.position()] = Some(Tried {
                before: Counted::of_level(&level),
                charged: charged.map(|bucket| Counted::of_bucket(&bucket)),
            });
        }
        let mut pending = PendingCharge {
            charge: self,
            outcome: ChargeOutcome::default(),
            updates: [None; MAX_LIMITS],
        };
        for target in self.targets() {
            let Some(tried) = &tried[target.position()] else {
                continue;
            };
            let limit = target.limit().limit();
            let status = match tried.charged {
                Err(retry) => LimitStatus::without_room(&tried.before.level(limit, now), retry),
                Ok(_) if !writes => self.not_taken(&tried.before.level(limit, now)),
                Ok(charged) => {
                    pending.updates[target.position()] = Some(charged);
                    LimitStatus::with_room(&charged.level(limit, now))
                }
            };
            pending.outcome.set(&target, status);
        }
        pending
    }

    /// The status of a limit with room for what is not taken, because of another limit or because
    /// it is nothing.
    fn not_taken(&self, level: &Level<'_>) -> LimitStatus {
        let whole = self.before().saturating_add(self.cost());
        match level.check(whole) {
            Err(retry) if self.cost() > 0 => LimitStatus::with_room_for_the_rest(level, retry),
            _ => LimitStatus::with_room(level),
        }
    }
}

impl<'a> PendingCharge<'a> {
    /// The status of every limit, as it is once the updates are written.
    #[must_use]
    pub const fn outcome(&self) -> ChargeOutcome {
        self.outcome
    }

    /// The buckets to write: those of the enforced limits and of the shadow limits that have room;
    /// none for a refusal or a peek.
    pub fn updates(&self) -> impl Iterator<Item = (Target<'a>, Bucket)> {
        let targets = self.charge.targets();
        targets.filter_map(|target| {
            let counted = self.updates[target.position()]?;
            Some((target, counted.bucket(target.limit().limit())))
        })
    }
}

impl Counted {
    #[inline]
    const fn of_level(level: &Level<'_>) -> Self {
        Self {
            consumed: level.consumed(),
            tick: level.tick(),
        }
    }

    #[inline]
    const fn of_bucket(bucket: &Bucket) -> Self {
        Self {
            consumed: bucket.consumed(),
            tick: bucket.last_tick(),
        }
    }

    #[inline]
    const fn bucket(self, limit: &Limit) -> Bucket {
        Bucket::new(self.consumed, self.tick, limit.scale())
    }

    #[inline]
    fn level(self, limit: &Limit, now: Timestamp) -> Level<'_> {
        self.bucket(limit).at(limit, now)
    }
}
