use super::fingerprint::Fingerprint;
use super::table::{Place, Table};
use super::{MemoryStats, WhenFull};
use crate::bucket::{Bucket, Level, Retry};
use crate::policy::{MAX_LIMITS, Mode};
use crate::store::{Charge, Reading, Readings, Target};

/// The buckets of some partitions. Shadow limits have a table of their own, so that no bucket of
/// theirs can take the room of an enforced one.
pub(super) struct Shard {
    enforced: Table,
    shadow: Table,
}

/// One bucket of a charge: where it lies or would lie, and what the charge makes of it.
#[derive(Clone, Copy)]
struct Seat<'a> {
    target: Target<'a>,
    place: Place,
    level: Level<'a>,
    charged: Result<Bucket, Retry>,
}

// === impl Shard ===

impl Shard {
    pub(super) fn new(capacity: usize, when_full: WhenFull) -> Self {
        let capacity = capacity.max(MAX_LIMITS);
        Self {
            enforced: Table::new(capacity, when_full),
            shadow: Table::new(capacity, when_full),
        }
    }

    pub(super) fn charge<'a>(
        &mut self,
        charge: &Charge<'a>,
        key_of: impl Fn(&Target<'a>) -> Fingerprint,
    ) -> Readings {
        let mut batch = [None; MAX_LIMITS];
        for target in charge.targets() {
            batch[target.position()] = Some((target, key_of(&target)));
        }
        let in_batch = |key: &Fingerprint| batch.iter().flatten().any(|(_, own)| own == key);
        self.enforced.begin();
        self.shadow.begin();
        let seats = batch.map(|keyed| {
            let (target, key) = keyed?;
            let table = self.table(target.limit().mode());
            let (place, bucket) = table.find(key, target.limit(), charge.now(), in_batch);
            let level = bucket.at(target.limit().limit(), charge.now());
            let charged = level.charge(charge.cost());
            Some(Seat {
                target,
                place,
                level,
                charged,
            })
        });

        let refuses = |seat: &Seat<'_>| seat.target.limit().is_enforced() && seat.charged.is_err();
        let writes = charge.cost() > 0 && !seats.iter().flatten().any(refuses);
        let mut readings = Readings::default();
        for seat in seats.into_iter().flatten() {
            let Seat {
                target,
                place,
                level,
                charged,
            } = seat;
            let reading = match charged {
                Err(retry) => Reading::without_room(&level, retry),
                Ok(_) if !writes => Reading::with_room(&level),
                Ok(bucket) => {
                    let table = self.table(target.limit().mode());
                    table.put(place, bucket, charge.now(), in_batch);
                    Reading::with_room(&bucket.at(target.limit().limit(), charge.now()))
                }
            };
            readings.set(&target, reading);
        }
        readings
    }

    pub(super) fn stats(&self) -> MemoryStats {
        self.enforced.stats().plus(self.shadow.stats())
    }

    fn table(&mut self, mode: Mode) -> &mut Table {
        match mode {
            Mode::Enforced => &mut self.enforced,
            Mode::Shadow => &mut self.shadow,
        }
    }
}
