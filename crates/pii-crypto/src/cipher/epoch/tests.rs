//! No nonce is given twice.

use std::collections::HashSet;

use super::{super::aead::Ring, counters::EPOCH_MESSAGES, *};
use crate::{known_keys::World, sealed::COMMITMENT_BYTES};

const SECOND: Duration = Duration::from_secs(1);

fn take(
    subkeys: &KeySubkeys<Ring>,
    key: &PreparedKey,
    policy: EpochPolicy,
    now: Duration,
    world: &World,
) -> ([u8; PREFIX_BYTES], u32) {
    let nonce = subkeys.reserve(key, Suite::Exact, policy, now, &*world.entropy);
    let nonce = nonce.expect("there are random bytes");
    (prefix_of(nonce.subkey()), nonce.counter())
}

fn prefix_of(subkey: &Subkey<Ring>) -> [u8; PREFIX_BYTES] {
    subkey.prefix().try_into().expect("a whole prefix")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_race_through_many_epochs_never_share_a_nonce() {
    const THREADS: u64 = 8;
    const EACH: u64 = 20_000;
    let world = World::new().await;
    let key = world.known_key().await;
    let subkeys = KeySubkeys::<Ring>::default();
    // Begin near the end of an epoch, so that its last messages are fought for.
    let mut epoch = Epoch::<Ring>::make(&key, Suite::Exact, Duration::ZERO, &*world.entropy);
    let near_its_end = u64::from(EPOCH_MESSAGES) - THREADS * EACH / 4;
    if let Ok(epoch) = &mut epoch {
        epoch.counters = Counters::starting_at(near_its_end);
    }
    subkeys.sealing[0].store(Some(Arc::new(epoch.expect("there are random bytes"))));

    let mut seen = HashSet::new();
    let nonces: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (subkeys, key, world) = (&subkeys, &key, &world);
                let reserve = move |at: u64| {
                    // An epoch ends every 4,000 nonces of a thread by time as well.
                    let now = SECOND * u32::try_from(at / 4_000).expect("a few seconds");
                    take(subkeys, key, EpochPolicy::Shared, now, world)
                };
                scope.spawn(move || (0..EACH).map(reserve).collect::<Vec<_>>())
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let epochs: HashSet<_> = nonces.iter().map(|(prefix, _)| *prefix).collect();
    assert!(
        epochs.len() > 3,
        "only {} epochs were fought for",
        epochs.len()
    );
    for nonce in nonces {
        assert!(nonce.1 < EPOCH_MESSAGES);
        assert!(seen.insert(nonce), "counter {} was given twice", nonce.1);
    }
}

#[tokio::test]
async fn an_epoch_has_2_to_the_20_messages() {
    let world = World::new().await;
    let key = world.known_key().await;
    let mut epoch =
        Epoch::<Ring>::make(&key, Suite::Exact, SECOND, &*world.entropy).expect("an epoch");
    assert_eq!(epoch.take(SECOND), Some(0));
    assert_eq!(epoch.take(SECOND), Some(1));
    epoch.counters = Counters::starting_at((1 << 20) - 64);
    for counter in (1 << 20) - 64..1 << 20 {
        assert_eq!(epoch.take(SECOND), Some(counter));
    }
    assert_eq!(epoch.take(SECOND), None);
    // Another follows, from its beginning.
    let subkeys = KeySubkeys::<Ring>::default();
    let used_up = Arc::new(epoch);
    subkeys.sealing[0].store(Some(Arc::clone(&used_up)));
    let (prefix, counter) = take(&subkeys, &key, EpochPolicy::Shared, SECOND, &world);
    assert_ne!(prefix, prefix_of(&used_up.subkey));
    assert_eq!(counter, 0);
}

#[tokio::test]
async fn an_epoch_lasts_1_s() {
    let world = World::new().await;
    let key = world.known_key().await;
    let subkeys = KeySubkeys::<Ring>::default();
    let at = |now| take(&subkeys, &key, EpochPolicy::Shared, now, &world);
    let (first, counter) = at(SECOND);
    assert_eq!(counter, 0);
    assert_eq!(at(2 * SECOND - Duration::from_nanos(1)), (first, 1));
    let (second, counter) = at(2 * SECOND);
    assert_ne!(second, first);
    assert_eq!(counter, 0);
}

#[tokio::test]
async fn a_message_of_its_own_epoch_shares_it_with_none() {
    let world = World::new().await;
    let key = world.known_key().await;
    let subkeys = KeySubkeys::<Ring>::default();
    let at = |policy| take(&subkeys, &key, policy, SECOND, &world);
    let (shared, _) = at(EpochPolicy::Shared);
    let (one, other) = (at(EpochPolicy::PerMessage), at(EpochPolicy::PerMessage));
    assert_eq!((one.1, other.1), (0, 0));
    assert!(one.0 != other.0 && one.0 != shared && other.0 != shared);
    assert_eq!(at(EpochPolicy::Shared), (shared, 1));
}

#[tokio::test]
async fn the_two_suites_have_subkeys_of_their_own() {
    let world = World::with_known_salt().await;
    let key = world.known_key().await;
    let subkeys = KeySubkeys::<Ring>::default();
    let of = |suite| {
        let nonce = subkeys.reserve(&key, suite, EpochPolicy::Shared, SECOND, &*world.entropy);
        let mut header = Vec::new();
        let nonce = nonce.expect("there are random bytes");
        nonce.subkey().write_header(nonce.counter(), &mut header);
        header
    };
    // The salt is the same: only the suite in the prefix keeps them apart.
    let (exact, padded) = (of(Suite::Exact), of(Suite::Padded));
    assert_eq!((exact[1], padded[1]), (1, 2));
    let commitment = PREFIX_BYTES..PREFIX_BYTES + COMMITMENT_BYTES;
    assert_ne!(exact[commitment.clone()], padded[commitment]);
}

#[tokio::test]
async fn opening_keeps_8_subkeys_and_no_more() {
    let world = World::new().await;
    let key = world.known_key().await;
    let subkeys = KeySubkeys::<Ring>::default();
    let salts: Vec<_> = (0..100).map(|at| [at; SALT_BYTES]).collect();
    let prefix = |salt| derive_prefix(Suite::Exact, key.id(), salt);
    let made: Vec<_> = salts
        .iter()
        .map(|salt| {
            let found = subkeys.find_or_derive(&key, Suite::Exact, &prefix(salt));
            let FoundSubkey::New(subkey) = found else {
                panic!("nobody has seen its salt");
            };
            subkeys.remember(FoundSubkey::New(Arc::clone(&subkey)));
            subkey
        })
        .collect();
    let kept = made
        .iter()
        .filter(|subkey| Arc::strong_count(subkey) > 1)
        .count();
    assert_eq!(kept, 8);
    let last = subkeys.find_or_derive(&key, Suite::Exact, &prefix(&salts[99]));
    assert!(matches!(last, FoundSubkey::Kept(_)));
    assert!(std::ptr::eq(&*made[99], &*last));
}

#[tokio::test]
async fn opening_what_is_being_sealed_derives_nothing() {
    let world = World::new().await;
    let key = world.known_key().await;
    let subkeys = KeySubkeys::<Ring>::default();
    let (prefix, _) = take(&subkeys, &key, EpochPolicy::Shared, SECOND, &world);
    let running = subkeys.sealing[0].load_full().expect("an epoch is running");
    let found = subkeys.find_or_derive(&key, Suite::Exact, &prefix);
    assert!(std::ptr::eq(&running.subkey, &*found));
    // It is there already, and takes no memory twice.
    subkeys.remember(found);
    assert!(subkeys.opening.get().is_none());
}

#[tokio::test]
async fn what_an_epoch_sealed_opens_after_it_from_a_subkey_that_is_kept() {
    let world = World::new().await;
    let key = world.known_key().await;
    let subkeys = KeySubkeys::<Ring>::default();
    let at = |now| take(&subkeys, &key, EpochPolicy::Shared, now, &world).0;
    let (prefix, _next_epoch) = (at(SECOND), at(2 * SECOND));
    let found = subkeys.find_or_derive(&key, Suite::Exact, &prefix);
    assert!(matches!(found, FoundSubkey::New(_)));
    subkeys.remember(found);
    let found = subkeys.find_or_derive(&key, Suite::Exact, &prefix);
    assert!(matches!(found, FoundSubkey::Kept(_)));
}

#[tokio::test]
async fn what_is_cleared_is_gone_and_another_epoch_follows() {
    let world = World::new().await;
    let key = world.known_key().await;
    let subkeys = KeySubkeys::<Ring>::default();
    let at = |now| take(&subkeys, &key, EpochPolicy::Shared, now, &world);
    let (old, _) = at(SECOND);
    let (running, _) = at(2 * SECOND);
    subkeys.remember(subkeys.find_or_derive(&key, Suite::Exact, &old));
    subkeys.clear();
    for prefix in [old, running] {
        let found = subkeys.find_or_derive(&key, Suite::Exact, &prefix);
        assert!(matches!(found, FoundSubkey::New(_)));
    }
    let (another, counter) = at(2 * SECOND);
    assert!(another != running);
    assert_eq!(counter, 0);
}
