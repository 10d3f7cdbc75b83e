//! Rows of the index that are missing or damaged.

use super::Upkeep;
use crate::{
    event::Leaf,
    store::file::{
        FileEvent, FileStoreError,
        bundles::{self, WIDE},
        index_row::IndexRow,
    },
};

/// How far the index was looked at since the start, or since a search met a row that is not sound.
#[derive(Debug, Default)]
pub(super) struct IndexCheck {
    checked: u64,
    rebuilt: u64,
}

/// Rows that are looked at in one go, and rows that are made: others may be waiting.
const ROWS: u64 = 1_024;
const MADE: u64 = 16;

impl IndexCheck {
    /// Whether every row of the bundles before this entry was looked at.
    pub(super) const fn is_done(&self, in_place: u64) -> bool {
        self.checked >= in_place / WIDE
    }

    /// Looks at all of them once more, if that is not being done.
    pub(super) const fn begin_again(&mut self, in_place: u64) {
        if self.is_done(in_place) {
            self.checked = 0;
        }
    }
}

impl Upkeep {
    /// Looks at some rows, and makes those again that are not sound.
    pub(super) fn check_index(&mut self) {
        let bundles = self.log.recent().in_place / WIDE;
        let before = self.index.rebuilt;
        if let Err(error) = self.check_rows(bundles) {
            // Without them, a search takes longer.
            self.index.checked = bundles;
            self.log.tell(&FileEvent::UpkeepFailed { error: &error });
        }
        let rebuilt = self.index.rebuilt;
        if self.index.checked >= bundles && (rebuilt > before || rebuilt > 0) {
            self.log.tell(&FileEvent::IndexRebuilt { rows: rebuilt });
            self.index.rebuilt = 0;
        }
    }

    fn check_rows(&mut self, bundles: u64) -> Result<(), FileStoreError> {
        let first = self.log.recent().first / WIDE;
        let from = self.index.checked.max(first);
        let to = bundles.min(from + ROWS);
        if from >= to {
            self.index.checked = bundles;
            return Ok(());
        }
        let rows = self.log.index.read(from..to)?;
        let mut made = 0;
        for bundle in from..to {
            if rows.row(bundle).is_none() {
                if made == MADE {
                    return Ok(());
                }
                self.make_row(bundle)?;
                made += 1;
            }
            self.index.checked = bundle + 1;
        }
        Ok(())
    }

    fn make_row(&mut self, bundle: u64) -> Result<(), FileStoreError> {
        let bytes = self.log.bundles.read(bundle)?;
        let mut row = IndexRow::new();
        for (_, entry) in bundles::entries(bundle, &bytes) {
            if let Ok(leaf) = Leaf::parse(entry) {
                row.add(&leaf);
            }
        }
        self.log.index.put(bundle, &row)?;
        self.index.rebuilt += 1;
        Ok(())
    }
}
