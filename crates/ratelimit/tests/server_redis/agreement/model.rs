//! A token bucket in exact fractions of a token, written without the crate's arithmetic: no units, no ticks of
//! volume, no doubles. What the crate rounds, it rounds where the crate's documentation says so.

use std::cmp::Ordering;

use portcullis_ratelimit::policy::Limit;

/// An exact fraction above or equal to zero, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    top: u128,
    bottom: u128,
}

/// What one key has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModelBucket {
    /// Tokens, as of `seen`.
    pub(crate) used: Fraction,
    /// The latest time that was seen, in microseconds, a whole millisecond where the limit counts in those.
    seen: u128,
    limit: Limit,
}

/// What is asked of a bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) before: u32,
    pub(crate) cost: u32,
    pub(crate) correction: i64,
}

impl Fraction {
    pub(crate) fn new(top: u128, bottom: u128) -> Self {
        let divisor = common_divisor(top, bottom);
        Self {
            top: top / divisor,
            bottom: bottom / divisor,
        }
    }

    fn whole(number: u128) -> Self {
        Self::new(number, 1)
    }

    fn plus(self, other: Self) -> Self {
        let top = self.top * other.bottom + other.top * self.bottom;
        Self::new(top, self.bottom * other.bottom)
    }

    /// Never below zero.
    fn minus(self, other: Self) -> Self {
        let (ours, theirs) = (self.top * other.bottom, other.top * self.bottom);
        Self::new(ours.saturating_sub(theirs), self.bottom * other.bottom)
    }

    fn at_most(self, other: Self) -> Self {
        if self.is_above(other) { other } else { self }
    }

    fn is_above(self, other: Self) -> bool {
        (self.top * other.bottom).cmp(&(other.top * self.bottom)) == Ordering::Greater
    }

    /// The next multiple of `1 / parts`.
    fn up_to_a_part(self, parts: u128) -> Self {
        Self::new((self.top * parts).div_ceil(self.bottom), parts)
    }
}

impl ModelBucket {
    pub(crate) fn full(limit: Limit) -> Self {
        Self {
            used: Fraction::whole(0),
            seen: 0,
            limit,
        }
    }

    /// The bucket at `now` under `limit`, corrected, and whether there is room for what is asked.
    pub(crate) fn asked(self, limit: Limit, now: u64, asked: Asked) -> (Self, bool) {
        let burst = Fraction::whole(limit.burst().into());
        let most = Fraction::whole(u128::from(limit.burst()) + u128::from(limit.debt()));
        let mut bucket = self.under(limit);
        let now = u128::from(now) / tick(&limit) * tick(&limit);
        bucket.used = bucket.used.at_most(most);
        if now > bucket.seen {
            bucket.used = bucket.used.minus(drained(&limit, now - bucket.seen));
            bucket.seen = now;
        }
        let tokens = Fraction::whole(asked.correction.unsigned_abs().into());
        bucket.used = if asked.correction < 0 {
            bucket.used.minus(tokens)
        } else {
            bucket.used.plus(tokens).at_most(most)
        };
        let (before, cost) = (u128::from(asked.before), u128::from(asked.cost));
        let whole = Fraction::whole(before + cost);
        let has_room = if cost == 0 {
            true
        } else if whole.is_above(most) {
            false
        } else if whole.is_above(burst) {
            !bucket.used.is_above(Fraction::whole(before))
        } else {
            !bucket.used.plus(Fraction::whole(cost)).is_above(burst)
        };
        (bucket, has_room)
    }

    pub(crate) fn charged(self, tokens: u32) -> Self {
        let used = self.used.plus(Fraction::whole(tokens.into()));
        Self { used, ..self }
    }

    /// Counted under another limit: in its parts of a token and its ticks, both rounded up.
    fn under(self, limit: Limit) -> Self {
        if self.limit == limit || self.used == Fraction::whole(0) && self.seen == 0 {
            return Self { limit, ..self };
        }
        Self {
            used: self.used.up_to_a_part(parts_of_a_token(&limit)),
            seen: self.seen.div_ceil(tick(&limit)) * tick(&limit),
            limit,
        }
    }
}

/// What drains in so many microseconds.
fn drained(limit: &Limit, micros: u128) -> Fraction {
    let rate = limit.rate();
    Fraction::new(
        micros * u128::from(rate.tokens()),
        rate.period().as_micros(),
    )
}

fn tick(limit: &Limit) -> u128 {
    limit.scale().tick().micros().into()
}

/// The finest part of a token that drains in a whole number of ticks.
fn parts_of_a_token(limit: &Limit) -> u128 {
    let (period, tokens) = (limit.rate().period().as_micros(), limit.rate().tokens());
    let ticks = period / tick(limit);
    ticks / common_divisor(ticks, tokens.into())
}

fn common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
