//! Scripts on the server, and what the one that decides a charge takes and answers.

use std::fmt;

use redis::Cmd;

use super::key::key;
use crate::{
    bucket::Bucket,
    clock::Timestamp,
    store::{Answer, Charge, ChargeOutcome, Source, Target},
};

/// What the script answers for one limit.
const NUMBERS_PER_LIMIT: usize = 3;

/// A script, and the hash by which a server that has it knows it.
pub(super) struct Script {
    source: String,
    hash: String,
}

/// The script that decides, for keys of one prefix.
#[derive(Debug)]
pub(super) struct ChargeScript {
    script: Script,
    key_prefix: String,
}

/// What a [`ChargeScript`] runs.
pub(super) const CHARGE: &str = include_str!("charge.lua");

impl Script {
    pub(super) fn new(source: impl Into<String>) -> Self {
        let source = source.into();
        let hash = redis::Script::new(&source).get_hash().to_owned();
        Self { source, hash }
    }

    /// The command for a server that has the script, without its keys and arguments.
    pub(super) fn by_hash(&self) -> Cmd {
        redis::cmd("EVALSHA").arg(&self.hash).to_owned()
    }

    /// The command for a server that does not have the script, and has it from then on.
    pub(super) fn whole(&self) -> Cmd {
        redis::cmd("EVAL").arg(&self.source).to_owned()
    }
}

impl ChargeScript {
    pub(super) fn new(source: impl Into<String>, key_prefix: String) -> Self {
        Self {
            script: Script::new(source),
            key_prefix,
        }
    }

    /// The command for a server that has the script.
    pub(super) fn by_hash(&self, charge: &Charge<'_>) -> Cmd {
        self.complete(self.script.by_hash(), charge)
    }

    /// The command for a server that does not have the script, and has it from then on.
    pub(super) fn whole(&self, charge: &Charge<'_>) -> Cmd {
        self.complete(self.script.whole(), charge)
    }

    fn complete(&self, mut command: Cmd, charge: &Charge<'_>) -> Cmd {
        command.arg(charge.targets().count());
        for target in charge.targets() {
            command.arg(key(&self.key_prefix, charge.partition(), &target));
        }
        for target in charge.targets() {
            append_limit(&mut command, charge, &target);
        }
        command
    }

    /// What the server answered, as an outcome; `None` if the script does not answer so.
    pub(super) fn outcome(&self, charge: &Charge<'_>, reply: &[u64]) -> Option<ChargeOutcome> {
        let (now, limits) = reply.split_first()?;
        let now = Timestamp::from_micros(*now);
        let (limits, rest) = limits.as_chunks::<NUMBERS_PER_LIMIT>();
        if !rest.is_empty() || limits.len() != charge.targets().count() {
            return None;
        }
        let mut outcome = ChargeOutcome::new(charge, now);
        for (target, [answer, consumed, tick]) in charge.targets().zip(limits) {
            let answer = match answer {
                1 => Answer::HasRoom,
                2 => Answer::NotTaken,
                3 => Answer::Refuses,
                _ => return None,
            };
            let limit = target.limit().limit();
            let bucket = Bucket::new(*consumed, *tick, limit.scale());
            outcome.set(&target, answer, &bucket.at(limit, now));
        }
        Some(outcome.with_source(Source::Redis))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

/// The arguments that `charge.lua` takes for one limit.
fn append_limit(command: &mut Cmd, charge: &Charge<'_>, target: &Target<'_>) {
    let limit = target.limit().limit();
    let scale = limit.scale();
    let (per_token, per_tick) = (scale.units_per_token(), scale.units_per_tick());
    let tick = scale.tick().micros();
    let most = limit.most_volume();
    let volume_of = |tokens: u64| tokens.saturating_mul(per_token.get()).min(most);
    let correction = i64::try_from(volume_of(target.correction().unsigned_abs()));
    let correction = correction.unwrap_or(i64::MAX) * target.correction().signum();
    command
        .arg(format!("{per_token}/{per_tick}/{tick}"))
        .arg(per_tick)
        .arg(tick)
        .arg(most)
        .arg(most_consumed(charge, target))
        .arg(volume_of(charge.cost().into()))
        .arg(correction)
        .arg(u8::from(target.limit().is_enforced()));
}

/// The most units that may be consumed for the charge to have room, as
/// [`Level::charge_more`](crate::bucket::Level::charge_more) has it; -1 if it never has.
fn most_consumed(charge: &Charge<'_>, target: &Target<'_>) -> i128 {
    let limit = target.limit().limit();
    let per_token = i128::from(limit.scale().units_per_token().get());
    let (burst, most) = (i128::from(limit.volume()), i128::from(limit.most_volume()));
    let before = i128::from(charge.before()) * per_token;
    let cost = i128::from(charge.cost()) * per_token;
    if cost == 0 {
        most
    } else if before + cost > most {
        -1
    } else if before + cost > burst {
        before
    } else {
        burst - cost
    }
}
