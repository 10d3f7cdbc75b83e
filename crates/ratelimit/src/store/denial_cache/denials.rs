//! The buckets that a store refused charges for, as it told them.

use std::num::NonZeroUsize;

use super::DenialCache;
use crate::{
    bucket::Bucket,
    clock::Timestamp,
    policy::{Limit, MAX_LIMITS, Mode, PolicyLimit},
    store::{
        Answer, Charge, ChargeOutcome, Source, Target,
        entries::Entries,
        fingerprint::{Fingerprint, Fingerprints},
    },
};

/// The buckets of some partitions, behind one lock.
pub(super) struct Denials {
    entries: Entries<Denial>,
    len: usize,
    forgotten: u64,
}

/// The keys of the buckets of a charge, by position.
pub(super) struct Keys([Option<Fingerprint>; MAX_LIMITS]);

/// A bucket as the store told it. Since charges only fill it and time only drains it, the store's own
/// holds at least as much at any later time.
#[derive(Clone, Copy)]
pub(super) struct Denial {
    bucket: Bucket,
    /// The most that the limit let it hold. Under a limit that lets it hold less, the store clamps
    /// what was consumed before it drains, and `bucket` has drained already.
    most_volume: u64,
    mode: Mode,
    /// The store's time of the decision.
    at: Timestamp,
    /// The local time when it was asked, no later than that.
    sent: Timestamp,
}

impl Keys {
    pub(super) fn of(
        charge: &Charge<'_>,
        partition: Fingerprint,
        fingerprints: &Fingerprints,
    ) -> Self {
        let mut keys = [None; MAX_LIMITS];
        for target in charge.targets() {
            keys[target.position()] = Some(fingerprints.of_bucket(partition, &target));
        }
        Self(keys)
    }

    const fn at(&self, position: usize) -> Option<Fingerprint> {
        self.0[position]
    }
}

impl Denials {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            entries: Entries::new(capacity),
            len: 0,
            forgotten: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// What the store would answer, if what is remembered suffices to say that it refuses.
    pub(super) fn refusal(&self, charge: &Charge<'_>, keys: &Keys) -> Option<ChargeOutcome> {
        if self.len == 0 {
            return None;
        }
        let mut denials = [None; MAX_LIMITS];
        let mut latest = None;
        for target in charge.targets() {
            let denial = self.believed(&target, charge.now(), keys);
            let Some(denial) = denial else { continue };
            denials[target.position()] = Some(denial);
            // Each says how late it can be at most, and all of them are right.
            let at_most = denial.latest(charge.now());
            latest = Some(latest.map_or(at_most, |other: Timestamp| other.min(at_most)));
        }
        let now = latest?;
        let mut outcome = ChargeOutcome::new(charge, now).with_source(Source::DenialCache);
        let mut is_refused = false;
        for target in charge.targets() {
            let Some(denial) = denials[target.position()] else {
                continue;
            };
            let level = denial.bucket.at(target.limit().limit(), now);
            let has_room = level.charge_more(charge.before(), charge.cost()).is_ok();
            is_refused |= !has_room && target.limit().is_enforced();
            let answer = if has_room {
                Answer::NotTaken
            } else {
                Answer::Refuses
            };
            outcome.set(&target, answer, &level);
        }
        is_refused.then_some(outcome)
    }

    /// Remembers all buckets of a charge that was refused, and of another what is remembered already.
    pub(super) fn learn(&mut self, charge: &Charge<'_>, keys: &Keys, outcome: &ChargeOutcome) {
        let is_refused = charge.targets().any(|target| {
            target.limit().is_enforced() && outcome.answer(target.position()) == Answer::Refuses
        });
        if !is_refused && self.len == 0 {
            return;
        }
        let now = charge.now();
        for target in charge.targets() {
            let (Some(key), Some(bucket)) = (keys.at(target.position()), outcome.bucket(&target))
            else {
                continue;
            };
            let told = Denial::new(bucket, target.limit(), outcome.at(), now);
            match self.entries.find_mut(key) {
                Some(denial) => denial.follow(told, target.limit().limit()),
                None if is_refused => {
                    let replaced = self
                        .entries
                        .put(key, told, |held| Some((held.can_refuse(now), held.sent)));
                    match replaced {
                        Ok(Some(held)) => self.forgotten += u64::from(held.can_refuse(now)),
                        Ok(None) => self.len += 1,
                        Err(_) => {}
                    }
                }
                None => {}
            }
        }
    }

    /// Believes nothing of the buckets of `charge` any more.
    pub(super) fn forget(&mut self, charge: &Charge<'_>, keys: &Keys) {
        let keys = charge
            .targets()
            .filter_map(|target| keys.at(target.position()));
        for key in keys {
            self.len -= usize::from(self.entries.remove(key));
        }
    }

    fn believed(&self, target: &Target<'_>, now: Timestamp, keys: &Keys) -> Option<&Denial> {
        let denial = self.entries.find(keys.at(target.position())?)?;
        (denial.is_believed(now) && denial.is_of(target.limit())).then_some(denial)
    }
}

impl Denial {
    fn new(bucket: Bucket, limit: &PolicyLimit, at: Timestamp, sent: Timestamp) -> Self {
        Self {
            bucket,
            most_volume: limit.limit().most_volume(),
            mode: limit.mode(),
            at,
            sent,
        }
    }

    /// Takes what was told later, by the tick of the bucket, which never goes back in the store. Of an
    /// answer that has been overtaken, or one by a clock that stepped back, it takes what is more: both
    /// say what the bucket holds at least.
    fn follow(&mut self, told: Self, limit: &Limit) {
        let scale = self.bucket.scale();
        let is_older =
            told.bucket.scale() == scale && told.bucket.last_tick() < self.bucket.last_tick();
        let then = scale.tick().start_of(self.bucket.last_tick());
        if !is_older || told.bucket.at(limit, then).consumed() > self.bucket.consumed() {
            *self = told;
        }
    }

    /// Before it was told, by a clock that has stepped back or in a charge that came earlier, nothing
    /// says how much time has passed since.
    fn is_believed(&self, now: Timestamp) -> bool {
        now >= self.sent && now.since(self.sent) < DenialCache::BELIEVED_FOR
    }

    fn is_of(&self, limit: &PolicyLimit) -> bool {
        limit.mode() == self.mode
            && limit.limit().scale() == self.bucket.scale()
            && limit.limit().most_volume() >= self.most_volume
    }

    /// The store's time now, at most.
    fn latest(&self, now: Timestamp) -> Timestamp {
        self.at.plus(now.since(self.sent))
    }

    fn can_refuse(&self, now: Timestamp) -> bool {
        self.is_believed(now) && self.bucket.used_at(self.latest(now)) > 0
    }
}
