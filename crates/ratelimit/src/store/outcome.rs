//! What a store answers: the status of each limit after a decision.

use std::{num::NonZeroU32, time::Duration};

use crate::{
    bucket::{Bucket, Level, Retry},
    clock::Timestamp,
    policy::{MAX_LIMITS, Policy, PolicyLimit},
    store::{Charge, Source, Target},
};

/// What every limit of a charge holds after the decision, in as few words as it can be told from.
///
/// Nearly every decision is asked whether it admits, and nothing else. What more there is to say,
/// a [`LimitStatus`] works out of the limit when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChargeOutcome {
    by_position: [Kept; MAX_LIMITS],
    /// When it was decided.
    at: Timestamp,
    /// What the request takes by all its charges.
    whole: u32,
    /// What each token counts in the buckets beyond one; more than fits is told as what does.
    extra_weight: u16,
    answers: Answers,
    /// A [`Source`], as a number: plain words are moved at once, and enums are not.
    source: u8,
}

/// It is handed on at every check, in words of 16 bytes.
const _: () = assert!(size_of::<ChargeOutcome>() == 80);

/// An [`Answer`] for each limit, in two bits of a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Answers(u8);

/// A bucket after the decision, in the scale of its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kept {
    consumed: u64,
    tick: u64,
}

/// What a limit says to a charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: stores give one of these answers"
)]
pub enum Answer {
    /// It was not asked: it does not apply.
    #[default]
    NotAsked,
    /// It has room. The cost was taken, or there is none.
    HasRoom,
    /// It has room for the cost, which was not taken because another limit has none.
    NotTaken,
    /// It has no room for the cost.
    Refuses,
}

/// The status of one limit after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitStatus<'a> {
    level: Level<'a>,
    answer: Answer,
    /// In tokens of the bucket.
    whole: u32,
    /// The tokens of the bucket that each token of a request takes.
    weight: NonZeroU32,
}

impl ChargeOutcome {
    /// Of `charge`, decided at `now`, which is the store's time; without the status of any limit.
    #[must_use]
    #[inline]
    pub fn new(charge: &Charge<'_>, now: Timestamp) -> Self {
        Self {
            whole: charge.before().saturating_add(charge.cost()),
            at: now,
            ..Self::default()
        }
    }

    /// Sets what the limit of `target` answers; `level` is that of its bucket after the decision,
    /// charged or not.
    #[inline]
    pub fn set(&mut self, target: &Target<'_>, answer: Answer, level: &Level<'_>) {
        self.keep(target, answer, level.consumed(), level.tick());
    }

    /// Sets that the limit of `target` had room, and `bucket` is what it was charged to.
    #[inline]
    pub(super) fn set_charged(&mut self, target: &Target<'_>, bucket: &Bucket) {
        let (consumed, tick) = (bucket.consumed(), bucket.last_tick());
        self.keep(target, Answer::HasRoom, consumed, tick);
    }

    #[inline]
    fn keep(&mut self, target: &Target<'_>, answer: Answer, consumed: u64, tick: u64) {
        self.by_position[target.position()] = Kept { consumed, tick };
        self.answers.set(target.position(), answer);
    }

    /// The same, said to come from `source`; default: [`Source::Memory`].
    #[must_use]
    pub const fn with_source(self, source: Source) -> Self {
        Self {
            source: source as u8,
            ..self
        }
    }

    /// The same, of buckets in which each token of a request was counted as `weight` of theirs: statuses
    /// tell of the request's.
    #[must_use]
    pub(super) fn with_weight(self, weight: NonZeroU32) -> Self {
        Self {
            extra_weight: u16::try_from(weight.get() - 1).unwrap_or(u16::MAX),
            ..self
        }
    }

    /// Which kind of store decided.
    #[must_use]
    pub const fn source(&self) -> Source {
        Source::numbered(self.source)
    }

    /// When it was decided, by the time of the store that did.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The bucket of `target` after the decision; `None` where it was not asked.
    #[must_use]
    pub fn bucket(&self, target: &Target<'_>) -> Option<Bucket> {
        let was_asked = self.answer(target.position()) != Answer::NotAsked;
        was_asked.then(|| self.kept_bucket(target))
    }

    /// The bucket of `target`, if its limit has room.
    #[inline]
    pub(super) fn charged(&self, target: &Target<'_>) -> Option<Bucket> {
        let has_room = self.answer(target.position()) == Answer::HasRoom;
        has_room.then(|| self.kept_bucket(target))
    }

    #[inline]
    fn kept_bucket(&self, target: &Target<'_>) -> Bucket {
        let Kept { consumed, tick } = self.by_position[target.position()];
        Bucket::new(consumed, tick, target.limit().limit().scale())
    }

    /// With the statuses of an earlier charge of the same request where this one has none.
    pub(crate) fn or(mut self, earlier: &Self) -> Self {
        for position in 0..MAX_LIMITS {
            if self.answer(position) == Answer::NotAsked {
                self.by_position[position] = earlier.by_position[position];
                self.answers.set(position, earlier.answer(position));
            }
        }
        self
    }

    /// What the limit at `position` of the policy, counted from 0, answers.
    #[must_use]
    #[inline]
    pub fn answer(&self, position: usize) -> Answer {
        self.answers.get(position)
    }

    /// Whether a limit that `policy`, which the charge was made under, enforces has no room.
    #[inline]
    pub(crate) fn is_refused_by(&self, policy: &Policy) -> bool {
        let mut limits = policy.limits().iter().enumerate();
        limits.any(|(position, limit)| {
            self.answer(position) == Answer::Refuses && limit.is_enforced()
        })
    }

    /// The limits of `policy`, which the charge was made under, that applied, each with its status.
    pub(crate) fn statuses<'a>(
        &'a self,
        policy: &'a Policy,
    ) -> impl Iterator<Item = (&'a PolicyLimit, LimitStatus<'a>)> {
        let limits = policy.limits().iter().enumerate();
        limits.filter_map(|(position, limit)| Some((limit, self.status(policy, position)?)))
    }

    /// The status of the limit at `position` of `policy`, which the charge was made under, counted
    /// from 0; `None` where it did not apply.
    #[must_use]
    pub fn status<'a>(&self, policy: &'a Policy, position: usize) -> Option<LimitStatus<'a>> {
        let answer = self.answer(position);
        if answer == Answer::NotAsked {
            return None;
        }
        let limit = policy.limits().get(position)?.limit();
        let Kept { consumed, tick } = self.by_position[position];
        Some(LimitStatus {
            level: Bucket::new(consumed, tick, limit.scale()).at(limit, self.at),
            answer,
            whole: self.whole,
            weight: NonZeroU32::MIN.saturating_add(u32::from(self.extra_weight)),
        })
    }
}

impl Answers {
    #[inline]
    const fn get(self, position: usize) -> Answer {
        if position >= MAX_LIMITS {
            return Answer::NotAsked;
        }
        match self.0 >> (2 * position) & 0b11 {
            0 => Answer::NotAsked,
            1 => Answer::HasRoom,
            2 => Answer::NotTaken,
            _ => Answer::Refuses,
        }
    }

    #[inline]
    const fn set(&mut self, position: usize, answer: Answer) {
        let others = self.0 & !(0b11 << (2 * position));
        self.0 = others | (answer as u8) << (2 * position);
    }
}

impl LimitStatus<'_> {
    /// The whole tokens left.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.level.remaining() / self.weight
    }

    /// How long until one more token is there; `None` when the bucket is full.
    #[must_use]
    pub fn next_token(&self) -> Option<Duration> {
        self.level.next_tokens(self.weight)
    }

    /// When the limit would have room, if it has none.
    #[must_use]
    pub fn refusal(&self) -> Option<Retry> {
        self.retry().filter(|_| self.is_refusal())
    }

    /// Whether the limit has no room.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.answer == Answer::Refuses
    }

    /// When the limit would have room for the whole request, sent again, if it has none now. One
    /// with room for a second charge, which another limit refuses, may have none for the whole.
    #[must_use]
    pub fn retry(&self) -> Option<Retry> {
        let wait = || self.level.check(self.whole).err();
        match self.answer {
            // A refusal stands, even if the store's level says that there is room by now.
            Answer::Refuses => wait().or(Some(Retry::After(Duration::ZERO))),
            Answer::NotTaken => wait(),
            Answer::NotAsked | Answer::HasRoom => None,
        }
    }

    /// The most tokens that the limit would take beyond the `before` that a request has taken.
    pub(crate) fn affordable(&self, before: u32) -> u32 {
        let before = before.saturating_mul(self.weight.get());
        self.level.affordable(before) / self.weight
    }

    /// Whether less than a tenth of the burst is left.
    #[must_use]
    pub fn is_near(&self) -> bool {
        if self.weight == NonZeroU32::MIN {
            return self.level.is_near();
        }
        let burst = self.level.limit().burst() / self.weight;
        self.remaining() < burst.div_ceil(10)
    }
}
