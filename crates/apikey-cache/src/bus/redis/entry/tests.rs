//! What is taken back, what is refused, and what does not count any more.

use proptest::prelude::*;

use super::*;
use crate::{clock::FakeClock, kid::Kid, pepper::peppers};

const FEED: FeedId = FeedId::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
const KID: &str = "0123456789AB08HB5DldTJ";

// Computed by `tests/oracle.py`; printed in `docs/formats.md`. They must never break.
const NOTICE_TEXT: &str = "1767225600000 record 17 0123456789AB08HB5DldTJ 2";
const NOTICE_MAC: &str = "513:f427dca1866def07b5e46f541e42c397fb98dece70c945651813492904a85ee2";

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A node with these peppers, each of one repeated byte, the first of which is primary.
fn node(secrets: &[(u32, u8)], clock: &Arc<FakeClock>) -> Sealer {
    let peppers = peppers(secrets).unwrap();
    Sealer::new(peppers.bus_keys(), clock.clone())
}

fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::default())
}

/// A clock that is so far from another: the first number is by how much it is ahead, in milliseconds, the
/// second by how much it is behind.
fn clocks(ahead: u64, behind: u64) -> (Arc<FakeClock>, Arc<FakeClock>) {
    let (this, other) = (clock(), clock());
    this.advance(Duration::from_millis(ahead));
    other.advance(Duration::from_millis(behind));
    (this, other)
}

fn record(seq: u64) -> Notice {
    let kid: Kid = KID.parse().unwrap();
    let version = RecordVersion::new(2);
    let seq = FeedSeq::new(seq);
    let kind = ChangeKind::Record { kid, version };
    Notice::Change(Change { seq, kind })
}

fn watermark(head: u64, age: Duration) -> Notice {
    let head = FeedSeq::new(head);
    Notice::Watermark(Watermark { head, age })
}

/// What a refusal says.
fn refused(opened: Result<Option<Notice>, BusError>) -> &'static str {
    match opened {
        Err(BusError::Malformed(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn why(error: BusError) -> &'static str {
    refused(Err(error))
}

#[test]
fn an_entry_is_what_a_second_implementation_makes_of_it() {
    let bytes: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let secret = secrecy::SecretBox::new(Box::new(bytes));
    let version = portcullis_versioned_secrets::SecretVersion::try_from(513).unwrap();
    let secrets = portcullis_versioned_secrets::VersionedSecrets::new(version, [(version, secret)]);
    let peppers = crate::pepper::Peppers::new(secrets.unwrap()).unwrap();
    let entry = Sealer::new(peppers.bus_keys(), clock()).seal(FEED, &record(17));
    let expected = Entry {
        notice: NOTICE_TEXT.to_owned(),
        mac: NOTICE_MAC.to_owned(),
    };
    assert_eq!(entry, expected);
}

fn any_kind() -> impl Strategy<Value = ChangeKind> {
    let kid = "[0-9A-Za-z]{22}".prop_map(|kid| kid.parse::<Kid>().unwrap());
    let tenant = "[!-~]{1,128}".prop_map(|id| TenantId::new(&id).unwrap());
    prop_oneof![
        (kid.clone(), any::<u64>()).prop_map(|(kid, version)| ChangeKind::Record {
            kid,
            version: RecordVersion::new(version),
        }),
        kid.prop_map(|kid| ChangeKind::Invalidation(Invalidation::Key(kid))),
        tenant.prop_map(|tenant| ChangeKind::Invalidation(Invalidation::Tenant(tenant))),
        Just(ChangeKind::Invalidation(Invalidation::All)),
    ]
}

proptest! {
    #[test]
    fn every_change_is_taken_back_as_it_was(seq: u64, kind in any_kind()) {
        let node = node(&[(1, 1)], &clock());
        let seq = FeedSeq::new(seq);
        let notice = Notice::Change(Change { seq, kind });
        let entry = node.seal(FEED, &notice);
        prop_assert_eq!(node.open(FEED, &entry).unwrap(), Some(notice));
    }

    #[test]
    fn no_watermark_gets_younger(head: u64, age in any::<Duration>(), passed in 0..=3_000_u64) {
        let clock = clock();
        let node = node(&[(1, 1)], &clock);
        let entry = node.seal(FEED, &watermark(head, age));
        let passed = Duration::from_millis(passed);
        clock.advance(passed);
        let opened = node.open(FEED, &entry).unwrap();
        let Some(Notice::Watermark(heard)) = opened else {
            panic!("{opened:?}");
        };
        prop_assert_eq!(heard.head.value(), head);
        let most_told = Duration::from_millis(u64::MAX);
        prop_assert!(heard.age >= age.min(most_told).saturating_add(passed));
        prop_assert!(heard.age <= age.saturating_add(passed + 2 * MILLISECOND));
    }
}

#[test]
fn what_no_node_has_told_is_refused() {
    let node = node(&[(1, 1)], &clock());
    let entry = node.seal(FEED, &watermark(17, SECOND));
    let with = |notice: &str, mac: &str| {
        let (notice, mac) = (notice.to_owned(), mac.to_owned());
        refused(node.open(FEED, &Entry { notice, mac }))
    };
    let forged = entry.notice.replace("17", "18");
    assert_eq!(with(&forged, &entry.mac), why(WRONG_MAC));
    for mac in [
        "",
        "1:",
        "1:00",
        &entry.mac[..entry.mac.len() - 1],
        &entry.mac.to_uppercase(),
    ] {
        let expected = if mac.is_empty() { NO_MAC } else { WRONG_MAC };
        assert_eq!(with(&entry.notice, mac), why(expected), "{mac}");
    }
    for version in ["x", "0", "65536", "-1"] {
        let mac = entry.mac.replacen('1', version, 1);
        assert_eq!(with(&entry.notice, &mac), why(NO_MAC), "{version}");
    }
    let other = FeedId::new([7; 16]);
    assert_eq!(refused(node.open(other, &entry)), why(WRONG_MAC));
}

#[test]
fn a_node_that_has_another_pepper_is_not_believed() {
    let clock = clock();
    let entry = node(&[(1, 2)], &clock).seal(FEED, &record(1));
    let opened = node(&[(1, 1)], &clock).open(FEED, &entry);
    assert_eq!(refused(opened), why(WRONG_MAC));
}

#[test]
fn nodes_that_have_both_versions_understand_each_other_while_peppers_are_rotated() {
    let clock = clock();
    let before = node(&[(1, 1), (2, 2)], &clock);
    let after = node(&[(2, 2), (1, 1)], &clock);
    for (teller, listener) in [(&before, &after), (&after, &before)] {
        let entry = teller.seal(FEED, &record(1));
        assert_eq!(listener.open(FEED, &entry).unwrap(), Some(record(1)));
    }
    let without = node(&[(1, 1)], &clock);
    let opened = without.open(FEED, &after.seal(FEED, &record(1)));
    assert_eq!(refused(opened), why(NOT_CONFIGURED));
    without.replace_keys(peppers(&[(1, 1), (2, 2)]).unwrap().bus_keys());
    let opened = without.open(FEED, &after.seal(FEED, &record(1)));
    assert_eq!(opened.unwrap(), Some(record(1)));
}

#[test]
fn what_a_later_version_of_the_crate_tells_is_refused_and_not_guessed_at() {
    let clock = clock();
    let node = node(&[(1, 1)], &clock);
    let keys = node.keys.load();
    let (version, key) = &keys[0];
    for text in [
        "",
        "1767225600000",
        "1767225600000 revived 17",
        "1767225600000 all 17 more",
        "1767225600000 head 17",
        "1767225600000 key 17 short",
        "1767225600000  all 17",
    ] {
        let mac = format!("{version}:{}", mac(key, FEED, text));
        let notice = text.to_owned();
        let opened = node.open(FEED, &Entry { notice, mac });
        assert_eq!(refused(opened), why(UNKNOWN), "{text}");
    }
}

#[test]
fn a_watermark_written_again_counts_as_old_as_it_is_and_then_not_at_all() {
    let clock = clock();
    let node = node(&[(1, 1)], &clock);
    let entry = node.seal(FEED, &watermark(17, SECOND));
    clock.advance(2 * SECOND);
    let aged = watermark(17, 3 * SECOND + MILLISECOND);
    assert_eq!(node.open(FEED, &entry).unwrap(), Some(aged));
    clock.advance(SECOND + MILLISECOND);
    assert_eq!(node.open(FEED, &entry).unwrap(), None);
    clock.advance(60 * SECOND);
    assert_eq!(refused(node.open(FEED, &entry)), why(ANOTHER_TIME));
}

#[test]
fn a_watermark_from_a_clock_that_is_ahead_does_not_count() {
    for (ahead, counts) in [(0, true), (250, true), (251, false), (60_000, false)] {
        let (tellers, listeners) = clocks(ahead, 0);
        let (teller, listener) = (node(&[(1, 1)], &tellers), node(&[(1, 1)], &listeners));
        let opened = listener.open(FEED, &teller.seal(FEED, &watermark(17, SECOND)));
        let expected = counts.then(|| watermark(17, SECOND + MILLISECOND));
        assert_eq!(opened.unwrap(), expected, "{ahead}");
    }
}

/// One that its clock dates ten seconds ahead, and that is held up for so long, looks new.
#[test]
fn no_watermark_counts_for_ten_minutes_after_somebody_told_something_from_ahead() {
    let (tellers, listeners) = clocks(10_000, 0);
    let (teller, listener) = (node(&[(1, 1)], &tellers), node(&[(1, 1)], &listeners));
    let held_up = teller.seal(FEED, &watermark(17, SECOND));
    let change = teller.seal(FEED, &record(1));
    assert_eq!(listener.open(FEED, &change).unwrap(), Some(record(1)));
    listeners.advance(10 * SECOND);
    assert_eq!(listener.open(FEED, &held_up).unwrap(), None);

    listeners.advance(590 * SECOND - MILLISECOND);
    let own = |age| listener.open(FEED, &listener.seal(FEED, &watermark(17, age)));
    assert_eq!(own(SECOND).unwrap(), None);
    listeners.advance(MILLISECOND);
    let aged = watermark(17, SECOND + MILLISECOND);
    assert_eq!(own(SECOND).unwrap(), Some(aged));
}

#[test]
fn a_change_counts_unless_clocks_are_more_than_a_minute_apart() {
    for (ahead, behind, counts) in [
        (60_000, 0, true),
        (0, 60_000, true),
        (60_001, 0, false),
        (0, 60_001, false),
    ] {
        let (tellers, listeners) = clocks(ahead, behind);
        let (teller, listener) = (node(&[(1, 1)], &tellers), node(&[(1, 1)], &listeners));
        let opened = listener.open(FEED, &teller.seal(FEED, &record(1)));
        if counts {
            assert_eq!(opened.unwrap(), Some(record(1)));
        } else {
            assert_eq!(refused(opened), why(ANOTHER_TIME));
        }
    }
}
