//! What this process counted and has not certainly written yet, by slot.

use std::{collections::BTreeMap, sync::Arc};

use super::counts::ByObjective;
use crate::{
    pipeline::objectives::Slo,
    store::{OwnSlots, SloBucket, Slot},
};

/// Slots that are kept in memory and in the database: 35 days, so that 30 are whole.
pub(super) const KEPT: u32 = 35 * 288;

/// The counts of the present slot, and of those before it that are not written.
///
/// What is written is never added to: a slot has all that this process counted in it, under a name that no other process
/// has, so that a write that may have happened is done again. Where the clock goes back to a slot that may be
/// written and forgotten here, the name changes.
///
/// # Bounds
/// [`KEPT`] slots, some 1.5 MB, after as many days without the database; the oldest goes then.
#[derive(Debug)]
pub(super) struct Buckets {
    node: Arc<str>,
    /// How often the clock went back.
    turn: u32,
    present: Option<Key>,
    kept: BTreeMap<Key, Bucket>,
    room: usize,
}

/// In which turn, and which slot.
type Key = (u32, Slot);

#[derive(Debug, Default)]
struct Bucket {
    counts: ByObjective,
    /// What is certainly in the database.
    written: Option<ByObjective>,
}

/// What is to be written, or was.
#[derive(Debug)]
pub(super) struct Unwritten(Vec<(Key, Arc<str>, ByObjective)>);

/// Slots that are written at once: four rows each.
const AT_ONCE: usize = 128;

impl Buckets {
    /// Nobody else has that name.
    pub(super) fn new(node: Arc<str>) -> Self {
        Self {
            node,
            turn: 0,
            present: None,
            kept: BTreeMap::new(),
            room: KEPT as usize,
        }
    }

    /// So much more was counted in a slot, which is the present one from now on.
    pub(super) fn add(&mut self, slot: Slot, more: ByObjective) {
        if self.present.is_some_and(|(_, present)| slot < present) {
            self.turn += 1;
        }
        let present = (self.turn, slot);
        self.present = Some(present);
        let bucket = self.kept.entry(present).or_default();
        for (counts, more) in bucket.counts.iter_mut().zip(more) {
            *counts += more;
        }
        if self.kept.len() > self.room {
            self.kept.pop_first();
        }
        self.forget_written();
    }

    /// The oldest of what may not be in the database; none once all is.
    pub(super) fn unwritten(&self) -> Option<Unwritten> {
        let unwritten = self.kept.iter();
        let unwritten = unwritten.filter(|(_, bucket)| bucket.written != Some(bucket.counts));
        let unwritten: Vec<_> = unwritten
            .take(AT_ONCE)
            .map(|(key, bucket)| (*key, self.name(key.0), bucket.counts))
            .collect();
        (!unwritten.is_empty()).then_some(Unwritten(unwritten))
    }

    /// That is in the database now.
    pub(super) fn written(&mut self, written: &Unwritten) {
        for (key, _, counts) in &written.0 {
            if let Some(bucket) = self.kept.get_mut(key) {
                bucket.written = Some(*counts);
            }
        }
        self.forget_written();
    }

    /// Which slots of the database are here too, with all that is in them.
    pub(super) fn own_slots(&self) -> Vec<OwnSlots> {
        let mut own: Vec<OwnSlots> = Vec::new();
        let mut last = None;
        // In order, so that the first of each turn is its oldest.
        for (turn, slot) in self.kept.keys() {
            if last != Some(turn) {
                let (node, from) = (self.name(*turn), *slot);
                own.push(OwnSlots { node, from });
                last = Some(turn);
            }
        }
        own
    }

    /// All that is here.
    pub(super) fn counts(&self) -> Vec<(Slot, ByObjective)> {
        let kept = self.kept.iter();
        kept.map(|((_, slot), bucket)| (*slot, bucket.counts))
            .collect()
    }

    /// From the oldest on, so that what stays is all there is from some slot on.
    fn forget_written(&mut self) {
        while let Some(oldest) = self.kept.first_entry() {
            let bucket = oldest.get();
            let is_written = bucket.written == Some(bucket.counts);
            if !is_written || Some(*oldest.key()) == self.present {
                return;
            }
            oldest.remove();
        }
    }

    fn name(&self, turn: u32) -> Arc<str> {
        match turn {
            0 => Arc::clone(&self.node),
            turn => format!("{}.{turn}", self.node).into(),
        }
    }
}

impl Unwritten {
    pub(super) fn buckets(&self) -> Vec<SloBucket> {
        let of_slot = |((_, slot), node, counts): &(Key, Arc<str>, ByObjective)| {
            let (slot, node) = (*slot, Arc::clone(node));
            let pairs = Slo::ALL.into_iter().zip(*counts);
            pairs.map(move |(slo, counts)| SloBucket {
                slo: slo.as_str(),
                slot,
                node: Arc::clone(&node),
                good: counts.good,
                bad: counts.bad,
            })
        };
        self.0.iter().flat_map(of_slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slo::Counts;

    fn good(good: u64) -> ByObjective {
        [Counts { good, bad: 0 }; 4]
    }

    fn add(buckets: &mut Buckets, slot: i64, more: u64) {
        buckets.add(Slot::new(slot), good(more));
    }

    /// The slots, names and numbers that would be written.
    fn unwritten(buckets: &Buckets) -> Vec<(i64, String, u64)> {
        let unwritten = buckets.unwritten();
        let rows = unwritten.map_or_else(Vec::new, |unwritten| unwritten.buckets());
        let rows = rows.iter().filter(|row| row.slo == "durable");
        rows.map(|row| (row.slot.number(), row.node.to_string(), row.good))
            .collect()
    }

    fn own(buckets: &Buckets) -> Vec<(String, i64)> {
        let own = buckets.own_slots().into_iter();
        own.map(|own| (own.node.to_string(), own.from.number()))
            .collect()
    }

    #[test]
    fn what_is_written_is_all_of_a_slot_and_is_forgotten_when_the_slot_is_over() {
        let mut buckets = Buckets::new("a".into());
        add(&mut buckets, 1, 2);
        let first = buckets.unwritten().unwrap();
        add(&mut buckets, 1, 3);
        buckets.written(&first);
        assert_eq!(unwritten(&buckets), [(1, "a".to_owned(), 5)]);
        add(&mut buckets, 2, 1);
        assert_eq!(own(&buckets), [("a".to_owned(), 1)]);
        let both = buckets.unwritten().unwrap();
        buckets.written(&both);
        assert_eq!(unwritten(&buckets), []);
        assert_eq!(own(&buckets), [("a".to_owned(), 2)]);
    }

    #[test]
    fn a_slot_in_which_nothing_happened_is_written_once() {
        let mut buckets = Buckets::new("a".into());
        add(&mut buckets, 1, 0);
        let nothing = buckets.unwritten().unwrap();
        assert_eq!(nothing.buckets().len(), 4);
        buckets.written(&nothing);
        add(&mut buckets, 1, 0);
        assert!(buckets.unwritten().is_none());
    }

    #[test]
    fn a_clock_that_goes_back_changes_the_name_and_no_count() {
        let mut buckets = Buckets::new("a".into());
        add(&mut buckets, 7, 1);
        add(&mut buckets, 9, 2);
        add(&mut buckets, 7, 4);
        add(&mut buckets, 8, 8);
        let row = |slot, node: &str, good| (slot, node.to_owned(), good);
        let expected = [
            row(7, "a", 1),
            row(9, "a", 2),
            row(7, "a.1", 4),
            row(8, "a.1", 8),
        ];
        assert_eq!(unwritten(&buckets), expected);
        assert_eq!(own(&buckets), [("a".to_owned(), 7), ("a.1".to_owned(), 7)]);
        let all: u64 = buckets.counts().iter().map(|(_, all)| all[0].good).sum();
        assert_eq!(all, 15);
    }

    #[test]
    fn the_oldest_goes_where_there_is_no_room() {
        let mut buckets = Buckets::new("a".into());
        buckets.room = 3;
        for slot in 0..5 {
            add(&mut buckets, slot, 1);
        }
        assert_eq!(own(&buckets), [("a".to_owned(), 2)]);
        assert_eq!(buckets.counts().len(), 3);
    }

    #[test]
    fn much_is_written_in_parts_the_oldest_first() {
        let mut buckets = Buckets::new("a".into());
        for slot in 0..300 {
            add(&mut buckets, slot, 1);
        }
        let mut parts = Vec::new();
        while let Some(part) = buckets.unwritten() {
            parts.push(part.buckets().len());
            buckets.written(&part);
        }
        assert_eq!(parts, [512, 512, 176]);
    }
}
