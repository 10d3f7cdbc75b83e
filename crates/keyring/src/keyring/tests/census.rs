//! What is counted for gauges, and what is due.

use super::*;
use crate::KeyState::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Rotates the key of a tenant, in 15 s.
async fn rotate(world: &World, keyring: &Keyring, at: &str) {
    let (at, email) = (tenant(at), purpose("email"));
    keyring.rotate(&at, &email).await.expect("a step");
    world.clock.advance(15 * SECOND);
    keyring.rotate(&at, &email).await.expect("a step");
}

#[tokio::test]
async fn all_keys_are_counted_by_state_with_the_longest_of_each() {
    let world = World::new();
    let keyring = world.keyring();
    assert_eq!(
        keyring.key_states().await.expect("it counts"),
        KeyStates::default()
    );
    let old = keyring.primary("t", "email").await;
    keyring.primary("u", "email").await;
    world.clock.advance(DAY);
    rotate(&world, &keyring, "t").await;
    world.clock.advance(HOUR);
    rotate(&world, &keyring, "t").await;
    world.clock.advance(60 * SECOND);
    keyring.disable(&tenant("t"), old).await.expect("a step");
    keyring.primary("gone", "email").await;
    keyring
        .erase_tenant(&tenant("gone"))
        .await
        .expect("it answers");

    let states = keyring.key_states().await.expect("it counts");
    let count = [
        (Primary, 2),
        (DecryptOnly, 1),
        (Disabled, 1),
        (Destroyed, 1),
    ];
    assert_eq!(states.keys, count.into());
    let since_start = DAY + HOUR + 90 * SECOND;
    let longest = [
        (Primary, since_start),
        (DecryptOnly, 60 * SECOND),
        (Disabled, Duration::ZERO),
        (Destroyed, Duration::ZERO),
    ];
    assert_eq!(states.longest, longest.into());
    assert_eq!(states.oldest_primary, Some(since_start));
    assert_eq!(states.kek_versions, [(None, 4)].into(), "it does not tell");
}

#[tokio::test]
async fn of_keys_that_are_overdue_the_oldest_come_first() {
    let world = World::new();
    let keyring = world.keyring();
    let mut made = Vec::new();
    // More than a page of them.
    for at in 0..600 {
        made.push(keyring.primary(&format!("tenant-{at}"), "email").await);
        world.clock.advance(SECOND);
    }
    world.clock.advance(90 * DAY - 600 * SECOND);
    let overdue = async |limit: u32| {
        let limit = NonZeroU32::new(limit).expect("not zero");
        let overdue = keyring.overdue(DATA_KEY_PERIOD, limit).await;
        let overdue = overdue.expect("it reads");
        overdue.iter().map(StoredKey::id).collect::<Vec<_>>()
    };
    assert_eq!(overdue(10).await, [], "to the second");
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(overdue(10).await, made[..1]);
    world.clock.advance(299 * SECOND);
    assert_eq!(overdue(1000).await, made[..300]);
    assert_eq!(overdue(10).await, made[..10]);

    rotate(&world, &keyring, "tenant-0").await;
    assert_eq!(overdue(10).await, made[1..11]);
}

#[tokio::test]
async fn what_an_id_is_for_is_known_of_every_key_of_the_tenant() {
    let world = World::new();
    let keyring = world.keyring();
    let old = keyring.primary("t", "email").await;
    rotate(&world, &keyring, "t").await;
    let new = keyring.primary("t", "email").await;
    let others = keyring.primary("u", "email").await;
    world.clock.advance(60 * SECOND);
    keyring.disable(&tenant("t"), old).await.expect("a step");

    let ids = keyring.prepare_ids(&tenant("t"), &[old, new, others]).await;
    let ids = ids.expect("it answers");
    world.clock.advance(HOUR);
    let email = purpose("email");
    assert_eq!(ids.purpose_of(old), Some(&email));
    assert_eq!(ids.purpose_of(new), Some(&email));
    assert_eq!(ids.purpose_of(others), None);
    assert_eq!(ids.purpose_of(KeyId::new(!new.value())), None);
}
