//! Histories of two caches, a store and a bus, over the rules as they are and over rules that lack one
//! part each.
//!
//! Every change revokes one key, which both caches have in memory until they apply the change. Calls of store
//! and bus take time: each has begun, was served or not, and has ended or failed. What is told may be lost,
//! repeated, reordered and late. The store may go back, and give numbers out again: what follows holds of each
//! cache from when it has found that out, and what was told before is not told any more.

mod node;
mod step;
mod world;

use std::iter;

use self::{
    node::Rules,
    step::{
        Chance, Step, a_feed_that_went_back, a_feed_that_went_far_back, a_lapsed_note,
        a_late_watermark, a_watermark_that_waits,
    },
    world::World,
};

/// Of each history.
const STEPS: usize = 120;

/// What has happened at all, lest the model shows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    accepted: bool,
    accepted_late: bool,
    confirmed_by_watermark: bool,
    acknowledged: bool,
    leases_expired: bool,
    gap: bool,
    dropped: bool,
    regressed: bool,
}

fn run(rules: Rules, steps: impl IntoIterator<Item = Step>) -> Result<Seen, String> {
    let mut world = World::new(rules);
    for step in steps {
        world.step(step);
        world.check()?;
    }
    Ok(world.seen)
}

/// Whether so many histories keep what must hold, and what was seen in them.
fn explore(rules: Rules, histories: u64) -> Result<Seen, String> {
    // Too rare to be met by chance.
    let mut seen = run(rules, a_late_watermark())?;
    for history in [
        a_lapsed_note(),
        a_watermark_that_waits(),
        a_feed_that_went_back(),
        a_feed_that_went_far_back(),
    ] {
        seen = seen.and(run(rules, history)?);
    }
    for number in 0..histories {
        // In every other history only one of them does anything.
        let mut chance = Chance {
            state: number,
            nodes: 1 + number % 2,
        };
        let steps = iter::repeat_with(|| chance.step()).take(STEPS);
        let history = run(rules, steps).map_err(|broken| format!("history {number}: {broken}"));
        seen = seen.and(history?);
    }
    Ok(seen)
}

impl Seen {
    fn and(self, other: Self) -> Self {
        Self {
            accepted: self.accepted | other.accepted,
            accepted_late: self.accepted_late | other.accepted_late,
            confirmed_by_watermark: self.confirmed_by_watermark | other.confirmed_by_watermark,
            acknowledged: self.acknowledged | other.acknowledged,
            leases_expired: self.leases_expired | other.leases_expired,
            gap: self.gap | other.gap,
            dropped: self.dropped | other.dropped,
            regressed: self.regressed | other.regressed,
        }
    }
}

#[test]
fn no_cache_accepts_a_key_for_longer_than_it_may_whatever_happens() {
    let everything = Seen {
        accepted: true,
        accepted_late: true,
        confirmed_by_watermark: true,
        acknowledged: true,
        leases_expired: true,
        gap: true,
        dropped: true,
        regressed: true,
    };
    assert_eq!(explore(Rules::All, 30_000), Ok(everything));
}

#[test]
fn each_rule_is_needed() {
    for rules in [
        Rules::BehindConfirms,
        Rules::SameCall,
        Rules::AgeIgnored,
        Rules::TransitIgnored,
        Rules::SilenceConfirms,
        Rules::NotesAhead,
        Rules::Unregistered,
        Rules::NotedEarly,
        Rules::LapseIgnored,
        Rules::NoteNeverEnds,
        Rules::GapCounts,
        Rules::GapForgotten,
        Rules::TakenEarly,
        Rules::SameReader,
        Rules::EarlierNoteCounts,
    ] {
        let kept = explore(rules, 30_000);
        assert!(kept.is_err(), "{rules:?} breaks nothing");
    }
}
