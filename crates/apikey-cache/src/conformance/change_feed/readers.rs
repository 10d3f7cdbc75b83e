//! Who reads a feed, and how far they are.

use std::sync::Arc;

use super::{StoreAndFeed, assert_head};
use crate::{
    conformance::{Clause, records::insert},
    feed::{ChangeFeed, FeedSeq, Reader, ReaderId},
    store::UnixMillis,
};

fn reader(number: u8, applied: u64, at: i64) -> Reader {
    Reader {
        id: ReaderId::new([number; 16]),
        applied: FeedSeq::new(applied),
        at: UnixMillis::new(at),
    }
}

async fn note(clause: Clause, feed: &Arc<dyn ChangeFeed>, reader: Reader) {
    clause.done("note_reader", feed.note_reader(&reader).await);
}

async fn assert_readers(
    clause: Clause,
    feed: &Arc<dyn ChangeFeed>,
    since: i64,
    what: &str,
    expected: &[Reader],
) {
    let readers = feed.readers(UnixMillis::new(since)).await;
    let mut readers = clause.done("readers", readers);
    readers.sort_unstable_by_key(|reader| reader.id);
    clause.same(what, readers, expected);
}

pub(super) async fn of_each_reader_the_last_note_is_kept_and_what_it_applied_never_goes_back(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    assert_readers(clause, feed, i64::MIN, "before the first", &[]).await;
    note(clause, feed, reader(1, 5, 10)).await;
    note(clause, feed, reader(2, 6, 11)).await;
    note(clause, feed, reader(1, 7, 20)).await;
    let both = [reader(1, 7, 20), reader(2, 6, 11)];
    assert_readers(clause, feed, i64::MIN, "after three notes", &both).await;
    // A note that was under way when a later one was made.
    note(clause, feed, reader(1, 3, 30)).await;
    let both = [reader(1, 7, 30), reader(2, 6, 11)];
    assert_readers(clause, feed, i64::MIN, "after a late note", &both).await;
    // None of that is a change.
    assert_head(clause, feed, 0).await;
    insert(clause, &**store, 1).await;
    assert_head(clause, feed, 1).await;
}

pub(super) async fn readers_are_found_from_the_date_of_their_last_note_on(
    clause: Clause,
    (_, feed): &StoreAndFeed,
) {
    for (number, at) in [(1, 10), (2, 20), (3, 30)] {
        note(clause, feed, reader(number, 1, at)).await;
    }
    let later = [reader(2, 1, 20), reader(3, 1, 30)];
    assert_readers(clause, feed, 20, "since 20", &later).await;
    assert_readers(clause, feed, 31, "since 31", &[]).await;
}

pub(super) async fn a_forgotten_reader_is_not_found_until_it_is_noted_again(
    clause: Clause,
    (_, feed): &StoreAndFeed,
) {
    note(clause, feed, reader(1, 5, 10)).await;
    note(clause, feed, reader(2, 6, 10)).await;
    for _ in 0..2 {
        let forgotten = feed.forget_reader(&ReaderId::new([1; 16])).await;
        clause.done("forget_reader", forgotten);
        let other = [reader(2, 6, 10)];
        assert_readers(clause, feed, i64::MIN, "after one is forgotten", &other).await;
    }
    note(clause, feed, reader(1, 4, 20)).await;
    let both = [reader(1, 4, 20), reader(2, 6, 10)];
    assert_readers(clause, feed, i64::MIN, "after it is noted again", &both).await;
}

pub(super) async fn trimming_drops_readers_that_were_last_noted_before(
    clause: Clause,
    (_, feed): &StoreAndFeed,
) {
    for (number, at) in [(1, 9), (2, 10), (3, 5)] {
        note(clause, feed, reader(number, 1, at)).await;
    }
    note(clause, feed, reader(3, 1, 11)).await;
    clause.done("trim", feed.trim(UnixMillis::new(10)).await);
    let kept = [reader(2, 1, 10), reader(3, 1, 11)];
    assert_readers(clause, feed, i64::MIN, "after trimming to 10", &kept).await;
}
