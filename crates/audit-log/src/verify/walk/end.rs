//! Where a walk ends.

use super::{Absent, Walk};
use crate::{
    checkpoint::Checkpoint,
    tile::WIDTH,
    verify::{Finding, kept},
};

impl Walk<'_, '_> {
    /// Holds what was read against the root of the checkpoint: whether it is the one that was signed.
    pub(in crate::verify) fn finish(&mut self, now: &Checkpoint, is_stopped: bool) -> bool {
        if let Some(absent) = self.absent.take() {
            let finding = self.missing(&absent, now.size());
            self.find(finding);
        }
        if is_stopped {
            return false;
        }
        let found = Checkpoint::new(now.origin().clone(), self.tree.size(), self.tree.root());
        if found.size() != now.size() {
            return match kept::grown(&found, now, self.files) {
                Ok(true) => true,
                Ok(false) => {
                    self.find(Finding::Root { size: now.size() });
                    false
                }
                Err(error) => {
                    self.find(error.into());
                    false
                }
            };
        }
        let rows: Vec<_> = self.tree.upper_rows().collect();
        let is_compared = self.compare(rows).is_continue();
        if found.root() != now.root() {
            self.find(Finding::Root { size: now.size() });
            return false;
        }
        is_compared
    }

    /// Whether the log has on record what is missing at its beginning.
    pub(in crate::verify) fn explain_beginning(&mut self) {
        let (first, recorded) = (self.report.pruned, self.left);
        if first > recorded {
            self.find(Finding::Unexplained { first, recorded });
        }
    }

    /// Bundles that are missing, and nothing that was read after them: whether the end of the log is among them.
    fn missing(&self, absent: &Absent, size: u64) -> Finding {
        let last = size.saturating_sub(1) / u64::from(WIDTH);
        let is_read = absent.first.index() + absent.bundles > last;
        if is_read || matches!(self.files.bundle(last), Ok(None)) {
            return Finding::FewerEntries {
                expected: size,
                found: absent.first.index() * u64::from(WIDTH),
            };
        }
        absent.finding()
    }
}
