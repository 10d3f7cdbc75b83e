//! What a charge asks of one bucket, as the script takes it.

use crate::{
    bucket::Scale,
    store::{Charge, Target},
};

/// What a charge asks of one bucket. Those of many charges are the same: the limits of one policy, for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    scale: Scale,
    /// The most units that the bucket may hold, debt included.
    most: u64,
    /// The most units that may be consumed for the charge to have room; -1 if it never has.
    room: i64,
    cost: u64,
    correction: i64,
    is_enforced: bool,
}

impl Ask {
    pub(super) fn new(charge: &Charge<'_>, target: &Target<'_>) -> Self {
        let limit = target.limit().limit();
        let scale = limit.scale();
        let most = limit.most_volume();
        let per_token = scale.units_per_token().get();
        let volume_of = |tokens: u64| tokens.saturating_mul(per_token).min(most);
        let correction = volume_of(target.correction().unsigned_abs()).cast_signed();
        Self {
            scale,
            most,
            room: room(charge, target),
            cost: volume_of(charge.cost().into()),
            correction: correction * target.correction().signum(),
            is_enforced: target.limit().is_enforced(),
        }
    }

    /// As `charge.lua` unpacks it.
    pub(super) fn packed(&self) -> Vec<u8> {
        let (per_token, per_tick) = (self.scale.units_per_token(), self.scale.units_per_tick());
        let tick = self.scale.tick().micros();
        let mut packed = Vec::with_capacity(96);
        for number in [per_tick.get().into(), tick, self.most] {
            packed.extend(u64::to_be_bytes(number));
        }
        packed.extend(self.room.to_be_bytes());
        packed.extend(self.cost.to_be_bytes());
        packed.extend(self.correction.to_be_bytes());
        packed.push(self.is_enforced.into());
        packed.extend(format!("{per_token}/{per_tick}/{tick}").bytes());
        packed
    }
}

/// The most units that may be consumed for the charge to have room, as
/// [`Level::charge_more`](crate::bucket::Level::charge_more) has it; -1 if it never has.
fn room(charge: &Charge<'_>, target: &Target<'_>) -> i64 {
    let limit = target.limit().limit();
    let per_token = limit.scale().units_per_token().get();
    let (burst, most) = (limit.volume(), limit.most_volume());
    let before = u64::from(charge.before()).saturating_mul(per_token);
    let cost = u64::from(charge.cost()).saturating_mul(per_token);
    let whole = before.saturating_add(cost);
    // All of these are at most `most`, which is below 2^52.
    if cost == 0 {
        most.cast_signed()
    } else if whole > most {
        -1
    } else if whole > burst {
        before.cast_signed()
    } else {
        (burst - cost).cast_signed()
    }
}
