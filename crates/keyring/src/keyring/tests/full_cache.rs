//! A cache that is full may refuse a newcomer: all who want it at once still share one call.

use super::*;

/// A keyring whose cache has room for four keys, which are in use, and a thousand who want another at once.
async fn a_thousand_want_a_newcomer(world: &World) {
    let keyring = world
        .builder()
        .cache_capacity(NonZeroUsize::new(4).expect("not zero"))
        .build();
    // What is used often is what the cache keeps.
    for _ in 0..200 {
        for at in ["a", "b", "c", "d"] {
            keyring.primary(at, "email").await;
        }
    }
    world.kek.generates.store(0, Ordering::SeqCst);
    world.kek.unwraps.store(0, Ordering::SeqCst);
    // They are polled in order, all of them before the call of the first goes on.
    join_all((0..1000).map(|_| keyring.primary("cold", "email"))).await;
}

#[tokio::test]
async fn a_thousand_who_want_a_newcomer_share_one_call() {
    let world = World::new();
    world.keyring().primary("cold", "email").await;
    a_thousand_want_a_newcomer(&world).await;
    assert_eq!(world.kek.unwraps(), 1);
}

#[tokio::test]
async fn a_thousand_first_requests_of_a_newcomer_make_one_key() {
    let world = World::new();
    a_thousand_want_a_newcomer(&world).await;
    assert_eq!(world.kek.generates.load(Ordering::SeqCst), 1);
    assert!(world.kek.unwraps() <= 1, "{}", world.kek.unwraps());
}
