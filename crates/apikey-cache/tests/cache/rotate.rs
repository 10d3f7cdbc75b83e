//! A key that replaces another.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::FutureExt as _;
use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, EffectiveBy, KeyStatus, Kid, ManageError, Rotated, Rotation, Tier,
    clock::Clock as _,
    feed::ChangeFeed as _,
    observer::{DenialReason, RowFault},
    store::{KeyRecord, KeyStore as _, MemoryKeyStore, RecordState, RecordVersion, UnixMillis},
};
use tokio::task::JoinHandle;

use crate::support::{DEADLINE, Node, eventually, new_key, peppers};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

fn node(store: &Arc<MemoryKeyStore>, primary: u8, versions: &[u8]) -> Node {
    let mut node = Node::with_peppers(Arc::clone(store), peppers(primary, versions), |builder| {
        builder.store_timeout(DEADLINE)
    });
    node.follow();
    node
}

/// Rotates in a task of its own.
fn rotate(cache: &ApiKeyCache, kid: Kid) -> JoinHandle<Result<Rotated, ManageError>> {
    let cache = cache.clone();
    let rotation = Rotation::after(DAY).expires_at(SystemTime::UNIX_EPOCH + 200 * 365 * DAY);
    tokio::spawn(async move { cache.rotate(&kid, rotation).await })
}

async fn record(store: &MemoryKeyStore, kid: &Kid) -> KeyRecord {
    store.load(kid).await.unwrap().unwrap()
}

fn pepper_of(record: &KeyRecord) -> u16 {
    let RecordState::Active(verifier) = record.state else {
        panic!("the key is active")
    };
    verifier.pepper.value()
}

#[tokio::test(start_paused = true)]
async fn both_keys_are_good_during_the_overlap_and_only_the_new_one_after_it() {
    let store = Arc::new(MemoryKeyStore::new());
    let (mut node, mut other) = (node(&store, 1, &[1]), node(&store, 1, &[1]));
    let old = node.issue().await.into_key();
    assert!(node.accepts(&old).await && other.accepts(&old).await);

    let ends_at = node.clock.wall() + 10 * SECOND;
    let rotation = Rotation::after(10 * SECOND);
    let rotated = node.cache.rotate(old.kid(), rotation).await.unwrap();
    assert_eq!(rotated.old_ends_at(), ends_at);
    let new = rotated.into_key();
    let principal = node.cache.validate(&new).await.unwrap();
    assert_eq!(principal.tenant().as_str(), "tenant-7");
    assert_eq!(principal.tier(), &Tier::STANDARD);
    assert_eq!(principal.scopes().as_str(), "events:write leads:read");

    node.pass(Duration::from_millis(9_999)).await;
    other.pass(Duration::from_millis(9_999)).await;
    for node in [&node, &other] {
        assert!(node.accepts(&old).await && node.accepts(&new).await);
    }
    node.pass(Duration::from_millis(1)).await;
    other.pass(Duration::from_millis(1)).await;
    for node in [&node, &other] {
        assert_eq!(node.denial(&old).await, DenialReason::Expired);
        assert!(node.accepts(&new).await);
    }
    let info = node.cache.record(old.kid()).await.unwrap();
    assert_eq!(info.status(), KeyStatus::Expired);
    assert_eq!(info.version(), RecordVersion::new(2));
}

#[tokio::test(start_paused = true)]
async fn without_an_overlap_the_old_key_is_revoked() {
    let node = Node::new();
    let old = node.issue().await.into_key();
    assert!(node.accepts(&old).await);
    for overlap in [Duration::ZERO, Duration::from_micros(999)] {
        let old = node.issue().await.into_key();
        let rotated = node.cache.rotate(old.kid(), Rotation::after(overlap)).await;
        let rotated = rotated.unwrap();
        assert_eq!(rotated.old_ends_at(), node.clock.wall());
        assert!(rotated.revocation().unwrap().was_active());
        assert_eq!(node.denial(&old).await, DenialReason::Revoked);
        assert!(node.accepts(rotated.key()).await);
        let record = node.store.load(old.kid()).await.unwrap().unwrap();
        assert!(matches!(record.state, RecordState::Revoked));
    }
    assert!(node.accepts(&old).await, "another key stays");
}

#[tokio::test(start_paused = true)]
async fn that_the_old_key_is_revoked_everywhere_can_be_waited_for() {
    let store = Arc::new(MemoryKeyStore::new());
    let (node, mut other) = (node(&store, 1, &[1]), node(&store, 1, &[1]));
    let old = node.issue().await.into_key();
    // The other node has noted that it reads.
    other.pass(Duration::from_millis(500)).await;
    assert!(other.accepts(&old).await);
    let later = node.cache.rotate(old.kid(), Rotation::after(SECOND)).await;
    assert!(later.unwrap().revocation().is_none(), "the old key is good");

    // It has an end by now.
    let now = Rotation::after(Duration::ZERO).expires_at(node.clock.wall() + DAY);
    let rotated = node.cache.rotate(old.kid(), now).await.unwrap();
    let revocation = rotated.revocation().unwrap();
    let mut effective = pin!(revocation.effective());
    assert_eq!(effective.as_mut().now_or_never(), None);
    let effective = loop {
        other.pass(Duration::from_millis(100)).await;
        node.clock.advance(Duration::from_millis(100));
        if let Some(effective) = effective.as_mut().now_or_never() {
            break effective;
        }
    };
    assert_eq!(effective.how, EffectiveBy::Acknowledged);
    assert_eq!(other.denial(&old).await, DenialReason::Revoked);
}

#[tokio::test(start_paused = true)]
async fn the_new_key_ends_where_that_is_said_and_inherits_no_end() {
    let node = Node::new();
    let issued_at = node.clock.wall();
    let ends = async |new, rotation| {
        let old = node.cache.issue(new).await.unwrap();
        node.clock.advance(DAY);
        let rotated = node.cache.rotate(old.kid(), rotation).await.unwrap();
        let old = node.cache.record(old.kid()).await.unwrap();
        assert_eq!(old.expires_at(), Some(rotated.old_ends_at()));
        let new = node.cache.record(rotated.kid()).await.unwrap();
        assert_eq!(new.expires_at(), rotated.expires_at());
        (new.expires_at(), rotated.old_ends_at())
    };
    let after = Rotation::after(DAY);
    let unlimited = ends(new_key(), after).await;
    assert_eq!(unlimited, (None, issued_at + 2 * DAY));

    let date = issued_at + 100 * DAY;
    let chosen = ends(new_key(), after.expires_at(date)).await;
    assert_eq!(chosen, (Some(date), issued_at + 3 * DAY));

    // Its own end is earlier than that of the overlap.
    let short = new_key().expires_at(issued_at + 5 * DAY - SECOND);
    let date = issued_at + 200 * DAY;
    let earlier = ends(short, Rotation::after(90 * DAY).expires_at(date)).await;
    assert_eq!(earlier, (Some(date), issued_at + 5 * DAY - SECOND));
}

/// The end that the first rotation gave it is that of the overlap, and says nothing of how long a key is to live.
#[tokio::test(start_paused = true)]
async fn a_key_that_was_replaced_before_is_replaced_again_if_the_new_end_is_said() {
    let node = Node::new();
    let old = node.issue().await.into_key();
    let after = Rotation::after(DAY);
    let first = node.cache.rotate(old.kid(), after).await.unwrap();
    assert_eq!(first.expires_at(), None);
    let before = node.store.load(old.kid()).await.unwrap();
    for overlap in [DAY, Duration::ZERO] {
        let refused = node.cache.rotate(old.kid(), Rotation::after(overlap)).await;
        let refused = refused.unwrap_err();
        assert!(matches!(refused, ManageError::EndNeeded), "{refused}");
    }
    let after_refusals = node.store.load(old.kid()).await.unwrap();
    assert_eq!(format!("{before:?}"), format!("{after_refusals:?}"));

    let end = node.clock.wall() + 300 * DAY;
    let second = node.cache.rotate(old.kid(), after.expires_at(end)).await;
    let second = second.unwrap();
    assert_eq!(second.expires_at(), Some(end));
    node.clock.advance(200 * DAY);
    assert!(node.accepts(first.key()).await && node.accepts(second.key()).await);
    assert_eq!(node.denial(&old).await, DenialReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_would_end_before_it_is_good_is_revoked() {
    let node = Node::new();
    for (overlap, is_revoked) in [
        (Duration::ZERO, true),
        (DAY - Duration::from_millis(1), true),
        (DAY, true),
        (DAY + Duration::from_millis(1), false),
    ] {
        let now = node.clock.wall();
        let old = new_key().not_before(now + DAY);
        let old = node.cache.issue(old).await.unwrap();
        let rotated = node.cache.rotate(old.kid(), Rotation::after(overlap)).await;
        let rotated = rotated.unwrap();
        let status = node.cache.record(old.kid()).await.unwrap().status();
        assert_eq!(status == KeyStatus::Revoked, is_revoked, "{overlap:?}");
        let ends_at = if is_revoked { now } else { now + overlap };
        assert_eq!(rotated.old_ends_at(), ends_at, "{overlap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_valid_yet_is_replaced_by_one_that_is_not_either() {
    let node = Node::new();
    let starts_at = node.clock.wall() + DAY;
    let old = node.cache.issue(new_key().not_before(starts_at)).await;
    let rotation = Rotation::after(SECOND);
    let rotated = node.cache.rotate(old.unwrap().kid(), rotation).await;
    let rotated = rotated.unwrap();
    let info = node.cache.record(rotated.kid()).await.unwrap();
    assert_eq!(info.not_before(), Some(starts_at));
    assert_eq!(node.denial(rotated.key()).await, DenialReason::NotYetValid);

    let old = node.cache.issue(new_key().not_before(starts_at)).await;
    node.clock.advance(DAY);
    let rotated = node.cache.rotate(old.unwrap().kid(), rotation).await;
    let info = node.cache.record(rotated.unwrap().kid()).await.unwrap();
    assert_eq!(info.not_before(), None);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_good_is_not_rotated_and_stays_as_it_is() {
    let node = Node::new();
    let refused = async |kid: &Kid, rotation| {
        let before = format!("{:?}", node.store.load(kid).await.unwrap());
        let head = node.store.head().await;
        let refused = node.cache.rotate(kid, rotation).await.unwrap_err();
        let after = format!("{:?}", node.store.load(kid).await.unwrap());
        assert_eq!(before, after);
        let told = node.store.head().await;
        assert_eq!(head.unwrap(), told.unwrap(), "nothing is told");
        refused
    };
    let after = Rotation::after(DAY);
    let unknown = Node::new().issue().await;
    let error = refused(unknown.kid(), after).await;
    assert!(matches!(error, ManageError::NotFound), "{error}");

    let good = node.issue().await;
    let too_long = Rotation::after(Rotation::MAX_OVERLAP + Duration::from_millis(1));
    let error = refused(good.kid(), too_long).await;
    assert!(matches!(error, ManageError::OverlapTooLong), "{error}");
    let past = after.expires_at(node.clock.wall());
    let error = refused(good.kid(), past).await;
    assert!(matches!(error, ManageError::NeverValid), "{error}");
    let longest = Rotation::after(Rotation::MAX_OVERLAP);
    node.cache.rotate(good.kid(), longest).await.unwrap();

    let revoked = node.issue().await;
    node.cache.revoke(revoked.kid()).await.unwrap();
    let error = refused(revoked.kid(), after).await;
    assert!(matches!(error, ManageError::Revoked), "{error}");

    let end = node.clock.wall() + SECOND;
    let expired = node.cache.issue(new_key().expires_at(end)).await.unwrap();
    node.clock.advance(SECOND);
    let error = refused(expired.kid(), after).await;
    assert!(matches!(error, ManageError::Expired), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_nothing_vouches_for_gets_no_new_mac() {
    let source = Node::new();
    let key = source.issue().await.into_key();
    let genuine = source.store.load(key.kid()).await.unwrap().unwrap();
    let forgeries: [fn(&mut KeyRecord); 4] = [
        |record| record.scopes = "pii:read".parse().unwrap(),
        |record| record.tier = Tier::ENTERPRISE,
        |record| record.version = RecordVersion::new(7),
        // Expired or not, it is a forgery.
        |record| record.expires_at = Some(UnixMillis::new(0)),
    ];
    for forge in forgeries {
        let mut forged = genuine.clone();
        forge(&mut forged);
        let store = Arc::new(MemoryKeyStore::new());
        store.insert(&forged).await.unwrap();
        let node = node(&store, 1, &[1]);
        for overlap in [DAY, Duration::ZERO] {
            let refused = node.cache.rotate(key.kid(), Rotation::after(overlap)).await;
            let refused = refused.unwrap_err();
            assert!(
                matches!(refused, ManageError::Unverifiable(RowFault::Mac)),
                "{refused}"
            );
        }
        let kept = record(&store, key.kid()).await;
        assert_eq!(format!("{kept:?}"), format!("{forged:?}"));
        assert_eq!(node.denial(&key).await, DenialReason::RowRejected);
    }

    let store = Arc::new(MemoryKeyStore::new());
    store.insert(&genuine).await.unwrap();
    let node = node(&store, 2, &[2]);
    let refused = node.cache.rotate(key.kid(), Rotation::after(DAY)).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, ManageError::Unverifiable(RowFault::UnknownPepper)),
        "{refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_old_key_keeps_its_pepper_and_the_new_one_has_the_primary() {
    let store = Arc::new(MemoryKeyStore::new());
    let old = node(&store, 1, &[1]).issue().await.into_key();
    let node = node(&store, 2, &[1, 2]);
    let rotated = node.cache.rotate(old.kid(), Rotation::after(DAY)).await;
    let rotated = rotated.unwrap();
    assert_eq!(pepper_of(&record(&store, old.kid()).await), 1);
    assert_eq!(pepper_of(&record(&store, rotated.kid()).await), 2);
    assert!(node.accepts(&old).await && node.accepts(rotated.key()).await);
    assert_eq!(pepper_of(&record(&store, old.kid()).await), 2);
}

#[tokio::test]
async fn a_hash_that_is_renewed_meanwhile_stays_renewed() {
    let store = Arc::new(MemoryKeyStore::new());
    let old = node(&store, 1, &[1]).issue().await.into_key();
    let (rotating, using) = (node(&store, 2, &[1, 2]), node(&store, 2, &[1, 2]));
    rotating.store.slow_down();
    let rotated = rotate(&rotating.cache, *old.kid());
    eventually(|| rotating.store.loads() == 1).await;
    assert!(using.accepts(&old).await);
    assert_eq!(using.store.rehashes(), 1);
    rotating.store.let_answer(2);
    rotated.await.unwrap().unwrap();
    let record = record(&store, old.kid()).await;
    assert_eq!(
        pepper_of(&record),
        2,
        "the first pepper is not needed again"
    );
    assert_eq!(record.version, RecordVersion::new(2));
    rotating.store.open();
    assert!(rotating.accepts(&old).await);
}

#[tokio::test]
async fn a_key_that_is_revoked_meanwhile_is_not_rotated() {
    let store = Arc::new(MemoryKeyStore::new());
    let (rotating, other) = (node(&store, 1, &[1]), node(&store, 1, &[1]));
    let old = other.issue().await.into_key();
    rotating.store.slow_down();
    let rotated = rotate(&rotating.cache, *old.kid());
    eventually(|| rotating.store.loads() == 1).await;
    other.cache.revoke(old.kid()).await.unwrap();
    rotating.store.let_answer(2);
    let refused = rotated.await.unwrap().unwrap_err();
    assert!(matches!(refused, ManageError::Revoked), "{refused}");
    assert_eq!(other.denial(&old).await, DenialReason::Revoked);
}

#[tokio::test]
async fn a_rotation_that_is_overtaken_again_and_again_gives_up() {
    let store = Arc::new(MemoryKeyStore::new());
    let (rotating, other) = (node(&store, 1, &[1]), node(&store, 1, &[1]));
    let old = other.issue().await.into_key();
    rotating.store.slow_down();
    let rotated = rotate(&rotating.cache, *old.kid());
    for attempt in 1..=4 {
        eventually(|| rotating.store.loads() == attempt).await;
        let end = other.clock.wall() + 100 * DAY;
        let overtaking = Rotation::after(DAY).expires_at(end);
        let overtaking = other.cache.rotate(old.kid(), overtaking).await;
        overtaking.unwrap();
        rotating.store.let_answer(1);
    }
    let refused = rotated.await.unwrap().unwrap_err();
    assert!(matches!(refused, ManageError::Overtaken), "{refused}");
    assert!(other.accepts(&old).await);
}

#[tokio::test]
async fn a_load_in_flight_does_not_bring_back_the_old_end() {
    let node = Node::with_long_timeout();
    let old = node.issue().await.into_key();
    node.store.slow_down();
    let cache = node.cache.clone();
    let key = ApiKey::parse(old.hazmat_expose()).unwrap();
    let waiting = tokio::spawn(async move { cache.validate(&key).await.is_ok() });
    eventually(|| node.store.loads() == 1).await;
    node.store.open();
    let rotation = Rotation::after(SECOND);
    node.cache.rotate(old.kid(), rotation).await.unwrap();
    node.store.let_answer(1);
    assert!(waiting.await.unwrap());
    node.clock.advance(SECOND);
    assert_eq!(node.denial(&old).await, DenialReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_cut_off_rotates_nothing() {
    let node = Node::new();
    let old = node.issue().await;
    node.store.cut();
    let refused = node.cache.rotate(old.kid(), Rotation::after(DAY)).await;
    assert!(matches!(refused, Err(ManageError::Store(_))));
}

#[tokio::test(start_paused = true)]
async fn what_is_shown_of_a_rotation_has_no_secret() {
    let node = Node::new();
    let old = node.issue().await;
    let rotated = node.cache.rotate(old.kid(), Rotation::after(DAY)).await;
    let rotated = rotated.unwrap();
    let shown = format!("{rotated:?}");
    let secret = &rotated.key().hazmat_expose()[32..];
    assert!(!shown.contains(secret) && !shown.contains(&secret[..43]));
}
