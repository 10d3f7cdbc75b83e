//! Which of the numbers that servers count is believed.

use std::{collections::VecDeque, num::NonZeroU32};

use super::BEATS;

/// A process that is there has beaten within so many beats of another, with one to spare.
const STEADY: usize = BEATS as usize + 1;

/// The latest counts that were answered in a row, by servers that knew this process: the others had the time
/// to be known to them too.
#[derive(Debug, Default)]
pub(super) struct Counts {
    latest: VecDeque<NonZeroU32>,
}

impl Counts {
    /// How many processes there are believed to be after a beat was answered; `before` is how many there were.
    /// Never fewer than before until that has held for several beats.
    pub(super) fn answered(
        &mut self,
        count: NonZeroU32,
        was_known: bool,
        before: NonZeroU32,
    ) -> NonZeroU32 {
        if !was_known {
            self.latest.clear();
            return before.max(count);
        }
        if self.latest.len() == STEADY {
            self.latest.pop_front();
        }
        self.latest.push_back(count);
        let largest = self.latest.iter().copied().max().unwrap_or(count);
        if self.latest.len() == STEADY {
            largest
        } else {
            before.max(count)
        }
    }

    /// What was counted before says nothing of the time to come.
    pub(super) fn not_answered(&mut self) {
        self.latest.clear();
    }
}

#[cfg(test)]
mod tests;
