//! What a store answers: the status of each limit after a decision.

mod wait;

use std::time::Duration;

use self::wait::Wait;
use crate::{
    bucket::{Level, Retry},
    policy::{Limit, MAX_LIMITS},
    store::Target,
};

/// The status of one limit after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitStatus {
    /// In units of the limit's scale.
    consumed: u64,
    /// Until then; none when the bucket is full.
    next_token: Wait,
    /// Until the limit has room for the whole request; none when it has.
    retry: Wait,
    remaining: u32,
    /// One of [`NOT_ASKED`], [`HAS_ROOM`] and [`REFUSES`]: a number for the reason that [`Wait`] is one.
    answer: u32,
}

const NOT_ASKED: u32 = 0;
const HAS_ROOM: u32 = 1;
const REFUSES: u32 = 2;

/// The status of every limit of a charge after the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargeOutcome {
    by_position: [LimitStatus; MAX_LIMITS],
}

/// Without the status of any limit.
impl Default for ChargeOutcome {
    fn default() -> Self {
        let by_position = [LimitStatus::NONE; MAX_LIMITS];
        Self { by_position }
    }
}

impl LimitStatus {
    /// Of a limit that does not apply.
    const NONE: Self = Self {
        consumed: 0,
        next_token: Wait::NONE,
        retry: Wait::NONE,
        remaining: 0,
        answer: NOT_ASKED,
    };

    /// The limit has room for the cost; `level` is that of the bucket after the decision, charged
    /// or not.
    #[must_use]
    #[inline]
    pub fn with_room(level: &Level<'_>) -> Self {
        Self {
            consumed: level.consumed(),
            next_token: level
                .micros_to_next_token()
                .map_or(Wait::NONE, Wait::micros),
            retry: Wait::NONE,
            remaining: level.remaining(),
            answer: HAS_ROOM,
        }
    }

    /// The limit has no room for the cost.
    #[must_use]
    pub fn without_room(level: &Level<'_>, retry: Retry) -> Self {
        Self {
            answer: REFUSES,
            ..Self::with_room_for_the_rest(level, retry)
        }
    }

    /// The limit has room for a second charge, which others refuse, but would not have room for the
    /// whole request sent again: `retry` says when.
    #[must_use]
    pub fn with_room_for_the_rest(level: &Level<'_>, retry: Retry) -> Self {
        Self {
            retry: Wait::from(retry),
            ..Self::with_room(level)
        }
    }

    /// The whole tokens left.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.remaining
    }

    /// How long until one more token is there; `None` when the bucket is full.
    #[must_use]
    pub fn next_token(&self) -> Option<Duration> {
        self.next_token.duration()
    }

    /// When the limit would have room, if it has none.
    #[must_use]
    #[inline]
    pub fn refusal(&self) -> Option<Retry> {
        if self.answer == REFUSES {
            self.retry()
        } else {
            None
        }
    }

    /// When the limit would have room for the whole request, sent again, if it has none now.
    #[must_use]
    #[inline]
    pub fn retry(&self) -> Option<Retry> {
        self.retry.retry()
    }

    /// The most tokens that `limit` would take beyond the `before` that a request has taken.
    pub(crate) fn affordable(&self, limit: &Limit, before: u32) -> u32 {
        if self.consumed <= limit.scale().volume_of(before) {
            limit.largest_cost().saturating_sub(before)
        } else {
            self.remaining
        }
    }

    /// Whether less than a tenth of the burst of `limit` is left.
    #[must_use]
    pub fn is_near(&self, limit: &Limit) -> bool {
        u64::from(self.remaining) * 10 < u64::from(limit.burst())
    }
}

impl ChargeOutcome {
    /// Sets the status of the limit of `target`.
    pub fn set(&mut self, target: &Target<'_>, status: LimitStatus) {
        self.by_position[target.position()] = status;
    }

    /// With the statuses of an earlier charge of the same request where this one has none.
    pub(crate) fn or(self, earlier: &Self) -> Self {
        let mut by_position = self.by_position;
        for (status, earlier) in by_position.iter_mut().zip(earlier.by_position) {
            if status.answer == NOT_ASKED {
                *status = earlier;
            }
        }
        Self { by_position }
    }

    /// The status of the limit at `position` of the policy, counted from 0; `None` where it did
    /// not apply.
    #[must_use]
    #[inline]
    pub fn status(&self, position: usize) -> Option<&LimitStatus> {
        let status = self.by_position.get(position)?;
        (status.answer != NOT_ASKED).then_some(status)
    }
}
