//! What must hold, whatever happens.

use std::time::Duration;

use super::World;
use crate::{cache::CONFIRMED_FOR, feed::FeedSeq};

impl World {
    /// What must hold at every moment.
    pub(in super::super) fn check(&mut self) -> Result<(), String> {
        for node in &self.nodes {
            if self.now >= node.confirmed_until || node.history != self.history {
                continue;
            }
            for (before, committed) in self.commits.iter().enumerate() {
                let seq = FeedSeq::new(before as u64 + 1);
                if node.in_effect.contains(&seq) {
                    continue;
                }
                self.seen.accepted = true;
                let late = self.now - *committed;
                self.seen.accepted_late |= late > Duration::from_secs(2);
                if late >= CONFIRMED_FOR {
                    return Err(format!("{seq} is accepted after {late:?}"));
                }
                if self.effective.contains(&seq) {
                    return Err(format!("{seq} is accepted, though found to be in effect"));
                }
                if seq <= node.warned_of {
                    return Err(format!(
                        "{seq} is accepted after a gap and a failed reading"
                    ));
                }
            }
        }
        Ok(())
    }
}
