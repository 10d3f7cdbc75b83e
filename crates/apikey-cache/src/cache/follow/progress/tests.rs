//! Each step of it.

use super::*;
use crate::{
    bus::Notice,
    cache::{
        CONFIRMED_FOR,
        follow::{outgoing::TOLD_WITHIN, registration::TRUSTED_FOR},
    },
};

const SECOND: Duration = Duration::from_secs(1);
const NOW: Duration = Duration::from_secs(1_000);

fn seq(number: u64) -> FeedSeq {
    FeedSeq::new(number)
}

fn change(number: u64, version: u64) -> Change {
    Change {
        seq: seq(number),
        kind: ChangeKind::Record {
            kid: "0000000000000000000000".parse().unwrap(),
            version: RecordVersion::new(version),
        },
    }
}

fn page(head: u64, changes: impl IntoIterator<Item = u64>) -> FeedPage {
    FeedPage {
        head: seq(head),
        changes: changes
            .into_iter()
            .map(|number| change(number, 2))
            .collect(),
    }
}

fn watermark(head: u64) -> Watermark {
    Watermark {
        head: seq(head),
        age: Duration::ZERO,
    }
}

/// A reader that was noted, and has applied ten changes.
fn at_ten() -> Progress {
    let mut progress = Progress::new(Outgoing::new(true));
    let reading = progress.begin_reading(NOW);
    let first = progress.read(&reading, &page(10, []), NOW);
    assert_eq!(first.drops, Drops::Unread);
    assert_eq!(first.confirmed_until, None, "it was not noted yet");
    note(&mut progress, NOW);
    progress
}

const READER: ReaderId = ReaderId::new([1; 16]);

/// Notes a reader at this moment.
fn note(progress: &mut Progress, at: Duration) {
    let (reader, applied) = progress.begin_note(|| Some(READER)).unwrap();
    let registration = &mut progress.registration;
    registration.was_noted(reader, at, at, applied);
}

fn told(progress: &mut Progress, now: Duration) -> Vec<u64> {
    let notices = progress.outgoing.take(now);
    let number = |notice: &Notice| match notice {
        Notice::Change(change) => Some(change.seq.value()),
        Notice::Watermark(_) => None,
    };
    notices.iter().filter_map(number).collect()
}

#[test]
fn numbers_heard_in_any_order_count_once_nothing_is_missing() {
    let mut progress = at_ten();
    assert_eq!(progress.heard(&change(13, 2)), Heard::Gap);
    assert_eq!(
        progress.heard(&change(12, 2)),
        Heard::Known,
        "one gap is found once"
    );
    assert_eq!(progress.applied(), Some(seq(10)));
    assert_eq!(progress.heard(&change(11, 2)), Heard::Applied);
    assert_eq!(progress.applied(), Some(seq(13)));
    assert_eq!(progress.heard(&change(12, 2)), Heard::Known);
    assert_eq!(progress.heard(&change(14, 2)), Heard::Applied);
}

#[test]
fn a_reading_fills_the_gap_and_tells_what_nobody_told() {
    let mut progress = at_ten();
    progress.heard(&change(13, 2));
    let reading = progress.begin_reading(NOW);
    assert_eq!(reading.after, Some(seq(10)));
    progress.heard(&change(11, 2));
    let read = progress.read(&reading, &page(13, 11..=13), NOW);
    assert_eq!((read.drops, read.behind), (Drops::Nothing, 0));
    assert_eq!(read.confirmed_until, Some(NOW + CONFIRMED_FOR));
    assert_eq!(progress.applied(), Some(seq(13)));
    assert_eq!(told(&mut progress, NOW), [12]);
    assert!(!progress.reading_failed(), "the gap is closed");
}

#[test]
fn a_reading_overtaken_by_what_was_heard_is_no_step_back() {
    let mut progress = at_ten();
    let reading = progress.begin_reading(NOW);
    progress.heard(&change(11, 2));
    let read = progress.read(&reading, &page(10, []), NOW);
    assert_eq!((read.drops, read.behind), (Drops::Nothing, 0));
    assert_eq!(progress.applied(), Some(seq(11)));
}

#[test]
fn a_failed_reading_drops_everything_once_for_each_gap() {
    let mut progress = at_ten();
    assert!(!progress.reading_failed(), "nothing is known to be missing");
    assert_eq!(
        progress.heard_watermark(watermark(12), NOW, NOW),
        Heard::Gap
    );
    assert!(progress.reading_failed());
    assert!(!progress.reading_failed());
    assert_eq!(
        progress.heard_watermark(watermark(12), NOW, NOW),
        Heard::Known
    );
    assert!(!progress.reading_failed());
    assert_eq!(
        progress.heard_watermark(watermark(13), NOW, NOW),
        Heard::Gap
    );
    assert!(progress.reading_failed());
}

#[test]
fn a_page_without_what_was_trimmed_is_a_gap() {
    let mut progress = at_ten();
    let reading = progress.begin_reading(NOW);
    let read = progress.read(&reading, &page(13, [12, 13]), NOW);
    assert_eq!(read.drops, Drops::Missing);
    assert_eq!(progress.applied(), Some(seq(13)));
    let reading = progress.begin_reading(NOW);
    let read = progress.read(&reading, &page(20, []), NOW);
    assert_eq!((read.drops, read.behind), (Drops::Missing, 0));
}

#[test]
fn a_full_page_is_followed_by_another() {
    let mut progress = at_ten();
    let reading = progress.begin_reading(NOW);
    let last = 10 + u64::from(PAGE);
    let read = progress.read(&reading, &page(last + 5, 11..=last), NOW);
    assert_eq!((read.drops, read.behind), (Drops::Nothing, 5));
    assert_eq!(read.confirmed_until, None);
}

#[test]
fn a_feed_that_went_back_is_followed_from_there_after_a_new_note() {
    let mut progress = at_ten();
    progress.heard(&change(15, 2));
    let reading = progress.begin_reading(NOW);
    let read = progress.read(&reading, &page(3, []), NOW);
    assert_eq!(read.drops, Drops::Regressed);
    assert_eq!(read.confirmed_until, None);
    assert_eq!(progress.applied(), Some(seq(3)));
    assert!(progress.registration.is_over(NOW));
    for number in 4..15 {
        progress.heard(&change(number, 2));
    }
    assert_eq!(progress.applied(), Some(seq(14)), "15 was another one");
}

#[test]
fn in_a_feed_that_went_back_the_cache_is_another_reader() {
    let mut progress = at_ten();
    let (old, applied) = progress.begin_note(|| Some(READER)).unwrap();
    let reading = progress.begin_reading(NOW);
    progress.read(&reading, &page(3, []), NOW);
    // The note that was under way.
    progress.registration.was_noted(old, NOW, NOW, applied);
    assert_eq!(progress.registration.noted(), None);
    let reading = progress.begin_reading(NOW);
    let read = progress.read(&reading, &page(3, []), NOW);
    assert_eq!(read.confirmed_until, None);

    let other = ReaderId::new([2; 16]);
    let begun = progress.begin_note(|| Some(other));
    assert_eq!(begun, Some((other, seq(3))));
    progress.registration.was_noted(other, NOW, NOW, seq(3));
    assert_eq!(progress.registration.noted(), Some(seq(3)));
    assert_eq!(progress.registration.take_former(), Some(READER));
    assert_eq!(progress.registration.take_former(), None);
}

#[test]
fn numbers_that_the_feed_does_not_know_are_forgotten() {
    let mut progress = at_ten();
    progress.heard(&change(15, 2));
    let reading = progress.begin_reading(NOW);
    progress.read(&reading, &page(11, [11]), NOW);
    for number in 12..15 {
        progress.heard(&change(number, 2));
    }
    assert_eq!(progress.applied(), Some(seq(14)));
}

#[test]
fn a_watermark_confirms_from_when_it_was_asked_for_at_the_earliest() {
    let mut progress = at_ten();
    let heard = Watermark {
        head: seq(10),
        age: SECOND,
    };
    let told_after = NOW + 2 * SECOND;
    assert_eq!(
        progress.heard_watermark(heard, told_after, NOW + 3 * SECOND),
        Heard::Confirmed(NOW + SECOND + CONFIRMED_FOR)
    );
    assert_eq!(
        progress.heard_watermark(heard, NOW + SECOND, NOW + 3 * SECOND),
        Heard::Known,
        "no later than the reader was noted"
    );
}

#[test]
fn proofs_count_only_within_the_term_of_a_note() {
    let mut progress = at_ten();
    let almost = NOW + TRUSTED_FOR - SECOND;
    let reading = progress.begin_reading(almost);
    let read = progress.read(&reading, &page(10, []), almost);
    assert_eq!(
        read.confirmed_until,
        Some(NOW + TRUSTED_FOR),
        "no longer than the note"
    );
    assert!(!progress.registration.is_over(almost));
    assert!(progress.registration.is_over(NOW + TRUSTED_FOR));

    let later = NOW + 2 * TRUSTED_FOR;
    let reading = progress.begin_reading(later);
    note(&mut progress, later);
    let read = progress.read(&reading, &page(10, []), later);
    assert_eq!(read.confirmed_until, None, "it was asked before the note");
    let reading = progress.begin_reading(later);
    let read = progress.read(&reading, &page(10, []), later);
    assert_eq!(read.confirmed_until, Some(later + CONFIRMED_FOR));

    progress.registration.leave();
    let reading = progress.begin_reading(later);
    let read = progress.read(&reading, &page(10, []), later);
    assert_eq!(read.confirmed_until, None);
    assert!(
        !progress.registration.is_over(later),
        "no note is due any more"
    );
}

#[test]
fn only_what_takes_something_away_is_noted_at_once() {
    let mut progress = at_ten();
    assert!(!progress.is_awaited());
    progress.heard(&change(11, 1));
    assert!(!progress.is_awaited(), "a new record");
    note(&mut progress, NOW);
    progress.heard(&change(13, 2));
    assert!(!progress.is_awaited(), "something before it is missing");
    progress.heard(&change(12, 1));
    assert!(progress.is_awaited());
    note(&mut progress, NOW);
    assert!(!progress.is_awaited());
}

#[test]
fn what_nobody_told_of_the_feed_as_it_was_is_told_to_nobody() {
    let mut progress = at_ten();
    let reading = progress.begin_reading(NOW);
    progress.read(&reading, &page(12, [11, 12]), NOW);
    let reading = progress.begin_reading(NOW);
    progress.read(&reading, &page(3, []), NOW);
    assert_eq!(told(&mut progress, NOW), [0; 0]);
}

#[test]
fn a_watermark_is_told_unless_one_was_heard_lately() {
    let mut progress = at_ten();
    let read = |progress: &mut Progress, now| {
        let reading = progress.begin_reading(now);
        progress.read(&reading, &page(10, []), now);
        progress.outgoing.take(now + SECOND)
    };
    let expected = Watermark {
        head: seq(10),
        age: SECOND + TOLD_WITHIN,
    };
    assert_eq!(read(&mut progress, NOW), [Notice::Watermark(expected)]);
    progress.heard_watermark(watermark(10), NOW, NOW);
    assert_eq!(read(&mut progress, NOW + Duration::from_millis(349)), []);
    assert_eq!(
        read(&mut progress, NOW + Duration::from_millis(350)).len(),
        1
    );
}

#[test]
fn a_cache_without_a_bus_keeps_nothing_to_tell() {
    let mut progress = Progress::new(Outgoing::new(false));
    let reading = progress.begin_reading(NOW);
    progress.read(&reading, &page(0, []), NOW);
    let reading = progress.begin_reading(NOW);
    progress.read(&reading, &page(3, 1..=3), NOW);
    assert_eq!(progress.outgoing.take(NOW), []);
}
