//! What can happen, and histories of it.

use std::time::Duration;

/// A node, and what it is about to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Pass(Duration),
    Revoke {
        told: bool,
    },
    Look,
    BeginReading(usize),
    ServeReading(usize),
    EndReading(usize),
    FailReading(usize),
    Read(usize),
    BeginNote(usize),
    ServeNote(usize),
    EndNote(usize),
    Note(usize),
    /// Asks what it takes to call the bus.
    PrepareTelling(usize),
    BeginTelling(usize),
    ServeTelling(usize),
    Relay(usize),
    BeginHearing(usize),
    EndHearing(usize, u64),
    Relisten(usize),
    /// The store goes back by so many changes, and what is told belongs to another feed.
    Restore(u64),
}

/// Numbers that look random, and are the same each time.
pub(super) struct Chance {
    pub(super) state: u64,
    pub(super) nodes: u64,
}

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    pub(super) fn step(&mut self) -> Step {
        let node = usize::from(self.below(self.nodes) == 1);
        let from = |chance: &mut Self, least: u64, most: u64| {
            let milliseconds = least + chance.below(most - least);
            Step::Pass(Duration::from_millis(milliseconds))
        };
        match self.below(55) {
            0..6 => from(self, 1, 600),
            6..8 => from(self, 600, 3_200),
            8 => from(self, 20_000, 130_000),
            9..12 => Step::Revoke {
                told: self.below(2) == 1,
            },
            12..16 => Step::Look,
            16..19 => Step::BeginReading(node),
            19..22 => Step::ServeReading(node),
            22..25 => Step::EndReading(node),
            25 => Step::FailReading(node),
            26..31 => Step::Read(node),
            31 | 32 => Step::BeginNote(node),
            33 | 34 => Step::ServeNote(node),
            35 | 36 => Step::EndNote(node),
            37..40 => Step::Note(node),
            40 | 41 => Step::BeginTelling(node),
            42 | 43 => Step::ServeTelling(node),
            44 | 45 => Step::Relay(node),
            46..48 => Step::BeginHearing(node),
            48..52 => Step::EndHearing(node, self.below(1 << 32)),
            52 => Step::Relisten(node),
            53 => Step::PrepareTelling(node),
            _ if self.below(4) == 0 => Step::Restore(1 + self.below(3)),
            _ => Step::Note(node),
        }
    }
}

/// A note that has lapsed, and is written again during a reading that began before a revocation.
pub(super) fn a_lapsed_note() -> Vec<Step> {
    vec![
        Step::Read(0),
        Step::Note(0),
        Step::Read(0),
        Step::Pass(Duration::from_secs(130)),
        Step::BeginReading(0),
        Step::ServeReading(0),
        Step::Revoke { told: false },
        Step::Look,
        Step::Note(0),
        Step::EndReading(0),
    ]
}

/// A note that is under way when the feed goes back, and a new one.
pub(super) fn a_feed_that_went_back() -> Vec<Step> {
    vec![
        Step::Read(0),
        Step::Note(0),
        Step::Revoke { told: false },
        Step::Read(0),
        Step::BeginNote(0),
        Step::Restore(1),
        Step::ServeNote(0),
        Step::Read(0),
        Step::EndNote(0),
        Step::Read(0),
        Step::Revoke { told: false },
        Step::Look,
        Step::Pass(Duration::from_millis(400)),
        Step::Read(0),
        Step::Note(0),
        Step::Read(0),
        Step::Revoke { told: false },
        Step::Look,
        Step::Read(0),
        Step::Note(0),
        Step::Look,
    ]
}

/// A note of before the feed went back, and new changes up to what it says.
pub(super) fn a_feed_that_went_far_back() -> Vec<Step> {
    vec![
        Step::Read(0),
        Step::Note(0),
        Step::Revoke { told: false },
        Step::Revoke { told: false },
        Step::Read(0),
        Step::Restore(2),
        Step::Note(0),
        Step::Read(0),
        Step::Note(0),
        Step::Read(0),
        Step::Revoke { told: false },
        Step::Look,
    ]
}

/// A watermark that waits until the bus can be called, and a revocation meanwhile.
pub(super) fn a_watermark_that_waits() -> Vec<Step> {
    let milliseconds = |time| Step::Pass(Duration::from_millis(time));
    vec![
        Step::Read(0),
        Step::Read(1),
        Step::Note(1),
        Step::Read(0),
        Step::PrepareTelling(0),
        milliseconds(10),
        Step::Revoke { told: false },
        milliseconds(500),
        Step::BeginHearing(1),
        Step::EndHearing(1, 2),
        Step::BeginHearing(1),
        Step::BeginTelling(0),
        Step::ServeTelling(0),
        Step::EndHearing(1, 2),
        milliseconds(2_590),
    ]
}

/// A watermark that is told late, and a revocation meanwhile.
pub(super) fn a_late_watermark() -> Vec<Step> {
    let milliseconds = |time| Step::Pass(Duration::from_millis(time));
    vec![
        Step::Read(0),
        Step::Read(1),
        Step::Note(1),
        Step::Read(0),
        Step::BeginTelling(0),
        milliseconds(10),
        Step::Revoke { told: false },
        milliseconds(10),
        Step::BeginHearing(1),
        Step::EndHearing(1, 2),
        Step::BeginHearing(1),
        milliseconds(200),
        Step::ServeTelling(0),
        Step::EndHearing(1, 2),
        milliseconds(2_795),
    ]
}
