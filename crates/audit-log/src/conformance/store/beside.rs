//! What lies beside the log.

use super::{append, no_part};
use crate::{
    conformance::{Clause, records::id},
    store::{Store, cursor_in_log},
};

fn part(number: u64) -> Option<Vec<u8>> {
    (number % 3 != 1).then(|| format!("sealed part {number:06}").into_bytes())
}

pub(super) async fn personal_parts_lie_beside_the_log(clause: Clause, store: &dyn Store) {
    for group in [0..1, 1..300, 300..600] {
        clause.done("commit", append(store, group, part).await);
    }
    for n in 0..600 {
        let seen = clause.done("personal", store.personal(n).await);
        clause.same("personal part", seen, part(n));
    }
}

pub(super) async fn an_erased_part_is_gone_and_no_other(clause: Clause, store: &dyn Store) {
    clause.done("commit", append(store, 0..300, part).await);
    clause.done("commit", append(store, 300..310, part).await);
    // One in the middle, one without a part, the newest one with a part, one that is not there.
    let erased = clause.done("erase", store.erase(&[6, 7, 309, 4_000]).await);
    clause.same("erased", erased, 2);
    let again = clause.done("erase", store.erase(&[6, 309]).await);
    clause.same("erased again", again, 0);
    for n in 0..310 {
        let seen = clause.done("personal", store.personal(n).await);
        let expected = if n == 6 || n == 309 { None } else { part(n) };
        clause.same("personal part", seen, expected);
    }
    // The log goes on.
    clause.done("commit", append(store, 310..320, part).await);
    let seen = clause.done("personal", store.personal(311).await);
    clause.same("personal part", seen, part(311));
}

pub(super) async fn a_cursor_is_kept_by_its_name(clause: Clause, store: &dyn Store) {
    clause.done("commit", append(store, 0..3, no_part).await);
    let (one, other) = (id("sink", 1), id("sink", 2));
    let none = clause.done("cursor", store.cursor(&one).await);
    clause.same("cursor", none, None);
    for (next, of_other) in [(0, None), (3, None), (2, Some(3))] {
        clause.done("move", store.move_cursor(&one, next).await);
        if let Some(next) = of_other {
            clause.done("move", store.move_cursor(&other, next).await);
        }
        let seen = clause.done("cursor", store.cursor(&one).await);
        clause.same("cursor", seen, Some(next));
        let seen = clause.done("cursor", store.cursor(&other).await);
        clause.same("cursor of another", seen, of_other);
    }
    // Nobody can have come so far, and what it is held against is read after it.
    clause.done("move", store.move_cursor(&one, 99).await);
    let seen = clause.done("cursor", cursor_in_log(store, &one).await);
    let beyond = seen.1.map(|beyond| (beyond.next, beyond.size));
    clause.same(
        "cursor behind the end",
        (seen.0, beyond),
        (None, Some((99, 3))),
    );
    let seen = clause.done("cursor", cursor_in_log(store, &other).await);
    clause.same("cursor at the end", seen, (Some(3), None));
}
