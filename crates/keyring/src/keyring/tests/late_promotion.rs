//! Promotions that other processes make at the last moment.

use super::{late_store::LateStore, *};
use crate::store::ChangeError;

/// Replaces a key while another process promotes one at the last moment; answers with what came of it, the key
/// that was to be replaced and the one that was promoted.
async fn replaced_late(
    promoted: impl FnOnce(KeyId, KeyId) -> KeyId,
) -> (Result<Rotation, RotateError>, KeyId, KeyId) {
    let world = World::new();
    let (store, other) = (LateStore::on(&world.store), world.keyring());
    let keyring = store.keyring(&world);
    let (at, former) = (tenant("t"), keyring.primary("t", "email").await);
    for _ in 0..2 {
        let rotated = other.rotate(&at, &purpose("email")).await;
        rotated.expect("a step");
        world.clock.advance(15 * SECOND);
    }
    let present = other.primary("t", "email").await;
    let begun = keyring.rotate_from(&at, present).await;
    let Ok(Rotation::Pending { key: next, .. }) = begun else {
        panic!("{begun:?}")
    };
    world.clock.advance(15 * SECOND);

    // The second look of two is before the promotion, and answered after it.
    store.keys_of_tenant.hold_after(1);
    let asked = store.keys_of_tenant.asked();
    let replace = keyring.rotate_from(&at, present);
    let promoted = promoted(former, next);
    let promote = async {
        while store.keys_of_tenant.asked() < asked + 2 {
            tokio::task::yield_now().await;
        }
        let demoted = other.promote(&at, promoted).await;
        assert_eq!(demoted.expect("it is a step"), present);
        store.keys_of_tenant.let_go();
    };
    let (replaced, ()) = tokio::join!(biased; replace, promote);
    assert_eq!(world.keyring().primary("t", "email").await, promoted);
    (replaced, present, promoted)
}

#[tokio::test]
async fn a_replacement_that_comes_late_replaces_no_other_key() {
    let (replaced, ..) = replaced_late(|former, _| former).await;
    let conflict = matches!(replaced, Err(RotateError::Change(ChangeError::Conflict)));
    assert!(conflict, "{replaced:?}");
}

#[tokio::test]
async fn a_replacement_that_another_process_has_just_done_is_told() {
    let (replaced, demoted, key) = replaced_late(|_, next| next).await;
    let promoted = Rotation::Promoted { key, demoted };
    assert_eq!(replaced.expect("it is replaced"), promoted);
}
