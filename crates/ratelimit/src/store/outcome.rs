//! What a store answers: the status of each limit after a decision.

use std::time::Duration;

use crate::{
    bucket::{Level, Retry},
    policy::{Limit, MAX_LIMITS},
    store::Target,
};

/// The status of one limit after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitStatus {
    remaining: u32,
    /// In units of the limit's scale.
    consumed: u64,
    next_token: Option<Duration>,
    refuses: bool,
    retry: Option<Retry>,
}

/// The status of every limit of a charge after the decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChargeOutcome {
    by_position: [Option<LimitStatus>; MAX_LIMITS],
}

impl LimitStatus {
    /// The limit has room for the cost; `level` is that of the bucket after the decision, charged
    /// or not.
    #[must_use]
    pub fn with_room(level: &Level<'_>) -> Self {
        Self {
            remaining: level.remaining(),
            consumed: level.consumed(),
            next_token: level.next_token(),
            refuses: false,
            retry: None,
        }
    }

    /// The limit has no room for the cost.
    #[must_use]
    pub fn without_room(level: &Level<'_>, retry: Retry) -> Self {
        Self {
            refuses: true,
            retry: Some(retry),
            ..Self::with_room(level)
        }
    }

    /// The limit has room for a second charge, which others refuse, but would not have room for the
    /// whole request sent again: `retry` says when.
    #[must_use]
    pub fn with_room_for_the_rest(level: &Level<'_>, retry: Retry) -> Self {
        Self {
            retry: Some(retry),
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
    pub const fn next_token(&self) -> Option<Duration> {
        self.next_token
    }

    /// When the limit would have room, if it has none.
    #[must_use]
    pub const fn refusal(&self) -> Option<Retry> {
        if self.refuses { self.retry } else { None }
    }

    /// When the limit would have room for the whole request, sent again, if it has none now.
    #[must_use]
    pub const fn retry(&self) -> Option<Retry> {
        self.retry
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
        self.by_position[target.position()] = Some(status);
    }

    /// With the statuses of an earlier charge of the same request where this one has none.
    pub(crate) fn or(self, earlier: &Self) -> Self {
        let mut by_position = self.by_position;
        for (status, earlier) in by_position.iter_mut().zip(earlier.by_position) {
            *status = status.or(earlier);
        }
        Self { by_position }
    }

    /// The status of the limit at `position` of the policy, counted from 0; `None` where it did
    /// not apply.
    #[must_use]
    pub fn status(&self, position: usize) -> Option<&LimitStatus> {
        self.by_position.get(position)?.as_ref()
    }
}
