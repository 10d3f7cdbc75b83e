//! How much a lease may hold, and what of it can be given back.

use std::time::Duration;

use super::hot::{Lease, Told};
use crate::{
    clock::Timestamp,
    policy::Rate,
    store::{Charge, Corrections},
};

/// Fewer are not worth a lease.
const LEAST: u32 = 2;

/// What is given back with a question, for each limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refund {
    pub(super) corrections: Corrections,
    /// The most that any limit gets back.
    pub(super) tokens: u32,
}

/// Whether `charge` is decided as one of its cost alone, with no debt and no regard to what was taken
/// before: then tokens that were taken already may pay for it.
pub(super) fn is_plain(charge: &Charge<'_>) -> bool {
    let whole = charge.before().saturating_add(charge.cost());
    charge
        .targets()
        .all(|target| whole <= target.limit().limit().burst())
}

/// The tokens to take beyond the cost of `charge`, for which there is `demand`; zero where that is not
/// worth it.
pub(super) fn extra(
    charge: &Charge<'_>,
    told: &Told,
    demand: u32,
    now: Timestamp,
    lifetime: Duration,
) -> u32 {
    // What was told before that says too little about the present.
    if now.since(told.sent) > lifetime.saturating_mul(2) {
        return 0;
    }
    let at = told.store_time(now);
    let most = charge.targets().map(|target| {
        let limit = target.limit().limit();
        let free = told.outcome.bucket(&target);
        let free = free.map_or(0, |bucket| bucket.at(limit, at).remaining());
        let above_half = free
            .saturating_sub(limit.burst().div_ceil(2))
            .saturating_sub(charge.cost());
        (above_half / 2).min(come_in(limit.rate(), lifetime))
    });
    let extra = most.fold(demand, u32::min);
    if extra < LEAST { 0 } else { extra }
}

/// What of `lease` can be given back: what has not drained since it was taken, for that would have come
/// back to the bucket anyway, or had no place there. It takes a quarter of a lifetime at most to arrive.
pub(super) fn refund(
    charge: &Charge<'_>,
    lease: Lease,
    now: Timestamp,
    lifetime: Duration,
) -> Option<Refund> {
    let age = now.since(lease.sent) + lifetime / 4;
    if age >= lifetime {
        return None;
    }
    let (mut corrections, mut tokens) = (Corrections::none(), 0);
    for target in charge.targets() {
        let drained = come_in(target.limit().limit().rate(), age).saturating_add(1);
        let back = lease.left.saturating_sub(drained);
        corrections = corrections.with(target.position(), -i64::from(back));
        tokens = tokens.max(back);
    }
    (tokens > 0).then_some(Refund {
        corrections,
        tokens,
    })
}

/// The whole tokens that come in at `rate` in so much time.
fn come_in(rate: Rate, time: Duration) -> u32 {
    let tokens = time.as_micros() * u128::from(rate.tokens()) / rate.period().as_micros();
    u32::try_from(tokens).unwrap_or(u32::MAX)
}
