//! What is remembered of secrets, limits and policies.

use std::time::{Duration, SystemTime};

use crate::{
    clock::{Clock as _, SystemClock},
    store::{PolicyKind, SecretCheck, Store},
};

pub(super) async fn the_first_check_value_stays(store: &impl Store) {
    let check = |value: &[u8]| SecretCheck {
        secret: "secret".to_owned(),
        version: 1,
        value: value.to_vec(),
    };
    store.remember_secrets(&[check(b"first")]).await.unwrap();
    let newer = SecretCheck {
        version: 2,
        ..check(b"newer")
    };
    store
        .remember_secrets(&[check(b"second"), newer.clone()])
        .await
        .unwrap();
    let mut checks = store.secret_checks().await.unwrap();
    checks.sort_by_key(|check| check.version);
    assert_eq!(checks, [check(b"first"), newer]);
}

/// Which does not change when it is remembered again.
pub(super) async fn the_first_use_of_a_secret_is_dated(store: &impl Store) {
    let used = async |version| store.secret_first_used("dated", version).await.unwrap();
    let check = SecretCheck {
        secret: "dated".to_owned(),
        version: 1,
        value: b"value".to_vec(),
    };
    assert_eq!(used(1).await, None);
    store
        .remember_secrets(std::slice::from_ref(&check))
        .await
        .unwrap();
    let at = used(1).await.unwrap();
    let now: SystemTime = SystemClock.wall().into();
    let age = now.duration_since(at).unwrap();
    assert!(age < Duration::from_secs(60), "{age:?}");
    let next = SecretCheck {
        version: 2,
        ..check.clone()
    };
    store.remember_secrets(&[check, next]).await.unwrap();
    assert_eq!(used(1).await, Some(at));
    assert!(used(2).await >= Some(at));
    assert_eq!(used(3).await, None);
}

pub(super) async fn the_first_index_version_is_enforced(store: &impl Store) {
    let live = async || store.index_state().await.unwrap().live();
    assert_eq!(live().await, []);
    assert_eq!(store.enforced_index(3).await.unwrap(), 3);
    assert_eq!(store.enforced_index(4).await.unwrap(), 3);
    assert_eq!(live().await, [3.try_into().unwrap()]);
}

pub(super) async fn each_policy_is_remembered(store: &impl Store) {
    for kind in PolicyKind::ALL {
        assert_eq!(store.policy(kind).await.unwrap(), None);
        for text in ["{}", kind.as_str()] {
            store.remember_policy(kind, text).await.unwrap();
            assert_eq!(store.policy(kind).await.unwrap().as_deref(), Some(text));
        }
    }
    let limits = store.policy(PolicyKind::Limits).await.unwrap();
    assert_eq!(limits.as_deref(), Some("limits"));
}

pub(super) async fn each_audit_log_has_its_anchor(store: &impl Store) {
    let kept = async |origin| store.audit_anchor(origin).await.unwrap();
    assert_eq!(kept("one").await, None);
    for (origin, before, checkpoint, is_done) in [
        ("one", Some("0"), "1", false),
        ("one", None, "1", true),
        ("one", None, "2", false),
        ("one", Some("1"), "2", true),
        ("one", Some("1"), "3", false),
        ("other", None, "3", true),
    ] {
        let replaced = store.replace_audit_anchor(origin, before, checkpoint);
        assert_eq!(replaced.await.unwrap(), is_done, "{origin} {before:?}");
    }
    assert_eq!(kept("one").await.as_deref(), Some("2"));
    assert_eq!(kept("other").await.as_deref(), Some("3"));
    assert_eq!(kept("another").await, None);
}

pub(super) async fn of_two_who_begin_a_work_one_is_at_it(store: &impl Store) {
    let work = "test";
    assert_eq!(store.at_work(work).await.unwrap(), None);
    for (expected, new, is_done) in [
        (None, Some("one"), true),
        (None, Some("other"), false),
        (Some("other"), None, false),
        (Some("one"), Some("one, further"), true),
        (Some("one"), None, false),
    ] {
        let replaced = store.replace_at_work(work, expected, new).await.unwrap();
        assert_eq!(replaced, is_done, "{expected:?} {new:?}");
    }
    let words = store.at_work(work).await.unwrap();
    assert_eq!(words.as_deref(), Some("one, further"));
    assert_eq!(store.at_work("another").await.unwrap(), None);
    let ended = store.replace_at_work(work, words.as_deref(), None);
    assert!(ended.await.unwrap());
    assert_eq!(store.at_work(work).await.unwrap(), None);
}
