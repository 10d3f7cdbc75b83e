//! Charges that one call of the script decides.

use redis::Cmd;

use super::{ask::Ask, key::append_key};
use crate::{
    bucket::Bucket,
    clock::Timestamp,
    policy::MAX_LIMITS,
    store::{Answer, Charge, ChargeOutcome, Source},
};

/// The most charges of a group, so that the script, which nothing else on the server runs beside, is short.
pub(super) const MOST_CHARGES: usize = 32;

/// The plan names what is asked by a byte, and 0 nothing.
const _: () = assert!(MOST_CHARGES * MAX_LIMITS <= u8::MAX as usize);

/// What the script answers: the time, and for each limit its answer and two numbers.
const TIME_BYTES: usize = 8;
const LIMIT_BYTES: usize = 17;

/// Charges that one call of the script decides, one after the other: its keys and arguments.
#[derive(Debug, Default)]
pub(super) struct Group {
    charges: usize,
    names: String,
    /// Where each name ends.
    ends: Vec<usize>,
    /// For each charge how many limits it has, and which of `asks` each of them is.
    plan: Vec<u8>,
    asks: Vec<Ask>,
}

/// Which part of the reply to a group is that to one of its charges.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupPosition {
    first_limit: usize,
}

/// Something under a key of the charge is not a bucket.
#[derive(Debug)]
pub(super) struct NotABucket;

impl Group {
    /// How many charges there are.
    pub(super) fn charges(&self) -> usize {
        self.charges
    }

    /// Adds a charge, whose keys begin with `prefix`.
    pub(super) fn add(&mut self, charge: &Charge<'_>, prefix: &str) -> GroupPosition {
        let position = GroupPosition {
            first_limit: self.ends.len(),
        };
        let count = self.plan.len();
        self.plan.push(0);
        for target in charge.targets() {
            append_key(&mut self.names, prefix, charge.partition(), &target);
            self.ends.push(self.names.len());
            let number = self.number_of(Ask::new(charge, &target));
            self.plan.push(number);
            self.plan[count] += 1;
        }
        self.charges += 1;
        position
    }

    /// Of those asked already, counted from 1, or a new one.
    fn number_of(&mut self, ask: Ask) -> u8 {
        let known = self.asks.iter().position(|known| *known == ask);
        let index = known.unwrap_or_else(|| {
            self.asks.push(ask);
            self.asks.len() - 1
        });
        u8::try_from(index + 1).expect("a group has no more limits than that")
    }

    /// `command` with the keys and arguments of the script.
    pub(super) fn complete(&self, mut command: Cmd) -> Cmd {
        command.arg(self.ends.len());
        let mut start = 0;
        for end in &self.ends {
            command.arg(&self.names[start..*end]);
            start = *end;
        }
        command.arg(&*self.plan);
        for ask in &self.asks {
            command.arg(ask.packed());
        }
        command
    }

    /// Whether the script replies so to this group.
    pub(super) fn is_answered_by(&self, reply: &[u8]) -> bool {
        reply.len() == TIME_BYTES + LIMIT_BYTES * self.ends.len()
    }
}

impl GroupPosition {
    /// What the server answered to the charge at this position; `None` if the script does not answer so.
    pub(super) fn outcome(
        self,
        charge: &Charge<'_>,
        reply: &[u8],
    ) -> Option<Result<ChargeOutcome, NotABucket>> {
        let (now, limits) = reply.split_first_chunk()?;
        let now = Timestamp::from_micros(u64::from_be_bytes(*now));
        let (limits, _) = limits.as_chunks::<LIMIT_BYTES>();
        let mut limits = limits.get(self.first_limit..)?.iter();
        let mut outcome = ChargeOutcome::new(charge, now);
        for target in charge.targets() {
            let (answer, numbers) = limits.next()?.split_first()?;
            let answer = match answer {
                1 => Answer::HasRoom,
                2 => Answer::NotTaken,
                3 => Answer::Refuses,
                4 => return Some(Err(NotABucket)),
                _ => return None,
            };
            let (consumed, tick) = numbers.split_first_chunk()?;
            let (consumed, tick) = (
                u64::from_be_bytes(*consumed),
                u64::from_be_bytes(tick.try_into().ok()?),
            );
            let limit = target.limit().limit();
            let bucket = Bucket::new(consumed, tick, limit.scale());
            outcome.set(&target, answer, &bucket.at(limit, now));
        }
        Some(Ok(outcome.with_source(Source::Redis)))
    }
}
