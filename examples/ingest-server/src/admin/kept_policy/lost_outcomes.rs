//! A replacement that is on record as begun, and whose outcome cannot be put there.

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{KeptPolicy, Observers, PolicyObserver, PolicyStart, PolicyState, ReplaceError};
use crate::{
    admin::{Actor, AdminEvent, AdminObserver, stopping_log::StoppingLog},
    backend::empty_store,
    detection::{self, DetectionPolicies, DetectionPolicy},
    store::{PolicyKind, Store},
};

#[derive(Debug)]
struct Unobserved;

impl AdminObserver for Unobserved {
    fn observe(&self, _: &AdminEvent<'_>) {}
}

impl PolicyObserver for Unobserved {
    fn observe(&self, _: PolicyKind, _: PolicyState) {}
}

/// A policy that is kept in a database, and the log that its changes are put on record in.
struct Recorded {
    policy: KeptPolicy<DetectionPolicies>,
    store: Arc<dyn Store>,
    log: StoppingLog,
    _folder: TempDir,
}

async fn recorded() -> Recorded {
    let folder = TempDir::new().unwrap();
    let store = empty_store(folder.path()).await;
    let (log, audit) = StoppingLog::open().await;
    let in_force = DetectionPolicies::new(DetectionPolicy::default());
    let observers = Observers {
        admin: Arc::new(Unobserved),
        policies: Arc::new(Unobserved),
    };
    let start = PolicyStart::Database { is_set: false };
    Recorded {
        policy: KeptPolicy::new(in_force, start, Arc::clone(&store), audit, observers),
        store,
        log,
        _folder: folder,
    }
}

fn given() -> Value {
    json!({ "tenant": { "acme": { "email": "seal" } } })
}

#[tokio::test]
async fn what_was_replaced_holds_and_is_kept_and_the_answer_says_that_it_is_not_on_record() {
    let Recorded {
        policy,
        store,
        mut log,
        _folder,
    } = recorded().await;
    let replacing = policy.replace(&Actor::DevProfile, given());
    let replaced = log.until(StoppingLog::BEGUN, replacing).await;
    assert!(matches!(replaced, Err(ReplaceError::Unrecorded(_))));
    let expected = detection::read(given()).unwrap();
    assert_eq!(policy.in_force.policy(), expected);
    let kept = store.policy(PolicyKind::Detection).await.unwrap();
    let kept = detection::read_stored(kept.as_deref()).unwrap();
    assert_eq!(kept, expected);
}

#[tokio::test]
async fn what_cannot_be_begun_on_record_is_not_replaced() {
    let Recorded {
        policy,
        store,
        mut log,
        _folder,
    } = recorded().await;
    let replacing = policy.replace(&Actor::DevProfile, given());
    let replaced = log.until(StoppingLog::BEGUN - 1, replacing).await;
    assert!(matches!(replaced, Err(ReplaceError::Unrecorded(_))));
    assert_eq!(policy.in_force.policy(), DetectionPolicy::default());
    assert_eq!(store.policy(PolicyKind::Detection).await.unwrap(), None);
}
