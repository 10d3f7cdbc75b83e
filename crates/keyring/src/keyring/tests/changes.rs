//! How often the store is asked what has changed.

use super::{late_store::LateStore, *};

const TENANTS: usize = 50;

#[tokio::test]
async fn all_who_wait_for_a_store_that_fails_slowly_wait_for_one_attempt() {
    let world = World::new();
    let store = LateStore::on(&world.store);
    let keyring = store.keyring(&world);
    let tenants: Vec<_> = (0..TENANTS).map(|at| format!("tenant-{at}")).collect();
    for at in &tenants {
        keyring.primary(at, "email").await;
    }
    assert_eq!(store.count.asked(), 1);

    world.clock.advance(5 * SECOND);
    store.count.hold_after(0);
    let waiting = tenants.iter().map(|at| keyring.primary(at, "email"));
    let waiting = join_all(waiting);
    // It has polled all of them, in order, when it lets the store fail.
    let fails = async {
        assert_eq!(store.count.asked(), 2);
        world.clock.advance(SECOND);
        store.count.fail();
        store.count.let_go();
    };
    tokio::join!(biased; waiting, fails);
    assert_eq!(store.count.asked(), 2, "one attempt for all");

    keyring.primary("new", "email").await;
    world.clock.advance(Duration::from_millis(249));
    keyring.primary("newer", "email").await;
    assert_eq!(store.count.asked(), 2, "for 250 ms it is not asked either");
    world.clock.advance(Duration::from_millis(1));
    keyring.primary("newest", "email").await;
    assert_eq!(store.count.asked(), 3);
}
