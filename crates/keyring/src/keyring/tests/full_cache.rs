//! A cache that is full may refuse a newcomer: all who want it at once still share one call.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_who_want_a_newcomer_share_one_call() {
    let world = World::new();
    world.keyring().primary("cold", "email").await;
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
    let before = world.kek.unwraps();
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let keyring = keyring.clone();
            tokio::spawn(async move { keyring.primary("cold", "email").await })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no panic");
    }
    assert_eq!(world.kek.unwraps(), before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_first_requests_of_a_newcomer_make_one_key() {
    let world = World::new();
    let keyring = world
        .builder()
        .cache_capacity(NonZeroUsize::new(4).expect("not zero"))
        .build();
    for _ in 0..200 {
        for at in ["a", "b", "c", "d"] {
            keyring.primary(at, "email").await;
        }
    }
    let before = world.kek.generates.load(Ordering::SeqCst);
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let keyring = keyring.clone();
            tokio::spawn(async move { keyring.primary("cold", "email").await })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no panic");
    }
    assert_eq!(world.kek.generates.load(Ordering::SeqCst), before + 1);
}
