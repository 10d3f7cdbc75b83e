//! What this cache has to tell the others.

use std::{collections::VecDeque, time::Duration};

use crate::{
    bus::{Notice, Watermark},
    feed::{Change, FeedSeq},
};

/// Longest time from giving the bus a watermark until it is told: the bus has answered by then, or is given up.
/// A watermark is made older by as much.
pub(super) const TOLD_WITHIN: Duration = Duration::from_millis(250);
/// A watermark is told when none was heard for so long: a little less than from one reading to the next.
const WATERMARK_EVERY: Duration = Duration::from_millis(350);
/// Changes kept at most; of older ones those who listen learn from the feed.
const UNTOLD: usize = 1_024;
/// Changes told at once at most.
const BATCH: usize = 256;

/// Changes that nobody has told, and how far the feed went.
#[derive(Clone, Debug, Default)]
pub(super) struct Outgoing {
    is_used: bool,
    untold: VecDeque<Change>,
    /// The head, and when the feed was asked for it.
    watermark: Option<(FeedSeq, Duration)>,
    watermark_heard_at: Option<Duration>,
}

impl Outgoing {
    /// Keeps nothing if there is no bus.
    pub(super) fn new(has_bus: bool) -> Self {
        Self {
            is_used: has_bus,
            ..Self::default()
        }
    }

    /// Nobody has told this change, as far as is known here.
    pub(super) fn keep(&mut self, change: &Change) {
        if !self.is_used {
            return;
        }
        if self.untold.len() >= UNTOLD {
            self.untold.pop_front();
        }
        self.untold.push_back(change.clone());
    }

    pub(super) fn feed_was_read(&mut self, head: FeedSeq, asked_at: Duration, now: Duration) {
        let heard = self.watermark_heard_at;
        let is_due = heard.is_none_or(|at| now.saturating_sub(at) >= WATERMARK_EVERY);
        self.watermark = (self.is_used && is_due).then_some((head, asked_at));
    }

    pub(super) fn heard_watermark(&mut self, now: Duration) {
        self.watermark_heard_at = Some(now);
    }

    /// The feed is not the one that this is about.
    pub(super) fn forget(&mut self) {
        self.untold.clear();
        self.watermark = None;
    }

    pub(super) fn has_any(&self) -> bool {
        !self.untold.is_empty() || self.watermark.is_some()
    }

    /// Changes first, so that who hears the watermark has heard them.
    pub(super) fn take(&mut self, now: Duration) -> Vec<Notice> {
        let batch = self.untold.len().min(BATCH);
        let changes = self.untold.drain(..batch).map(Notice::Change);
        let mut notices: Vec<_> = changes.collect();
        if self.untold.is_empty()
            && let Some((head, asked_at)) = self.watermark.take()
        {
            let age = now.saturating_sub(asked_at) + TOLD_WITHIN;
            notices.push(Notice::Watermark(Watermark { head, age }));
        }
        notices
    }
}
