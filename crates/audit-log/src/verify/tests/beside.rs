//! What lies beside the log.

use super::{
    small_log::{entries, personal, policy, signed, told},
    *,
};
use crate::{
    event::{Leaf, Personal},
    source::SourceError,
};

/// Personal parts of which one is another and one is gone, and an index in which one row is another.
#[derive(Debug, Default)]
struct Shelf {
    other: Option<u64>,
    gone: Option<u64>,
    row: Option<u64>,
    unreadable: Option<u64>,
    asked: u64,
}

impl Companions for Shelf {
    fn personal(&mut self, leaf: &Leaf<'_>) -> Result<Option<Personal>, SourceError> {
        let n = leaf.numbers().in_tree;
        if self.unreadable == Some(n) {
            return Err(SourceError::unreadable("personal/7")("sealed"));
        }
        let of = if self.other == Some(n) { n + 1 } else { n };
        Ok((self.gone != Some(n)).then(|| personal(of)))
    }

    fn agrees(&mut self, leaf: &Leaf<'_>) -> Result<bool, SourceError> {
        self.asked += 1;
        Ok(self.row != Some(leaf.numbers().in_tree))
    }
}

fn run(shelf: &mut Shelf) -> Report {
    let files = signed(&entries(300));
    Verification::new(&files, &policy()).companions(shelf).run()
}

#[test]
fn personal_parts_are_held_against_their_commitments() {
    let mut shelf = Shelf::default();
    let report = run(&mut shelf);
    assert_eq!(told(&report), [""; 0]);
    assert_eq!((report.personal, report.personal_absent), (100, 0));
    assert_eq!(shelf.asked, 300);

    let other = Some(258);
    let report = run(&mut Shelf {
        other,
        ..Shelf::default()
    });
    let expected = "tile/entries/001.p/44: entry 258 commits to another personal part";
    assert_eq!(told(&report), [expected]);
    assert_eq!(report.outcome(), Outcome::Tampered);
}

#[test]
fn a_personal_part_that_was_erased_is_counted() {
    let gone = Some(3);
    let report = run(&mut Shelf {
        gone,
        ..Shelf::default()
    });
    assert_eq!(report.outcome(), Outcome::Sound);
    assert_eq!((report.personal, report.personal_absent), (99, 1));
}

#[test]
fn a_row_that_was_changed_is_found() {
    let row = Some(7);
    let report = run(&mut Shelf {
        row,
        ..Shelf::default()
    });
    let expected = "tile/entries/000: entry 7 is not what the index says";
    assert_eq!(told(&report), [expected]);
    assert_eq!(report.outcome(), Outcome::Tampered);
}

#[test]
fn a_companion_that_cannot_be_read_proves_nothing() {
    let unreadable = Some(9);
    let report = run(&mut Shelf {
        unreadable,
        ..Shelf::default()
    });
    assert_eq!(report.outcome(), Outcome::Unusable);
}
