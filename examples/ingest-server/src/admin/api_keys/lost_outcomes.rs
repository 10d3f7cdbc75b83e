//! A change that is on record as begun, and whose outcome cannot be put there.

use std::sync::Arc;

use portcullis_apikey_cache::{
    ApiKeyCache, Kid, Peppers, secrets::VersionedSecrets, store::MemoryKeyStore,
};
use secrecy::SecretString;
use tempfile::TempDir;

use super::{ApiKeyError, ApiKeyRequest, ApiKeys, RotationRequest};
use crate::{
    admin::{Actor, AdminEvent, AdminObserver, stopping_log::StoppingLog},
    backend::empty_store,
};

const ACTOR: Actor = Actor::DevProfile;

#[derive(Debug)]
struct Unobserved;

impl AdminObserver for Unobserved {
    fn observe(&self, _: &AdminEvent<'_>) {}
}

/// The use cases, and the log that they are put into.
struct Recorded {
    keys: ApiKeys,
    log: StoppingLog,
    _folder: TempDir,
}

async fn recorded() -> Recorded {
    let pepper = SecretString::from("1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=");
    let peppers = Peppers::new(VersionedSecrets::parse(&pepper, None).unwrap()).unwrap();
    let key_store = Arc::new(MemoryKeyStore::new());
    let cache = ApiKeyCache::builder_without_feed(key_store, peppers).build();
    let folder = TempDir::new().unwrap();
    let (log, audit) = StoppingLog::open().await;
    let store = empty_store(folder.path()).await;
    Recorded {
        keys: ApiKeys::new(cache, store, audit, Arc::new(Unobserved)),
        log,
        _folder: folder,
    }
}

fn request() -> ApiKeyRequest {
    ApiKeyRequest {
        tenant: "acme".to_owned(),
        tier: "free".to_owned(),
        scopes: vec!["events:write".to_owned()],
        not_before: None,
        expires_at: None,
    }
}

/// The status of each key, and when it ends.
async fn statuses(keys: &ApiKeys) -> Vec<(&'static str, Option<String>)> {
    let query = portcullis_apikey_cache::store::KeyQuery::first(ApiKeys::MAX_PAGE);
    let page = keys.keys.list(&query).await.unwrap();
    let described = page.keys.iter().map(super::ApiKeyDescription::from);
    let mut statuses: Vec<_> = described.map(|key| (key.status, key.expires_at)).collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn a_key_that_nobody_has_seen_is_revoked() {
    let Recorded {
        keys,
        mut log,
        _folder,
    } = recorded().await;
    let issued = log
        .until(StoppingLog::BEGUN, keys.issue(&ACTOR, &request()))
        .await;
    assert!(matches!(issued, Err(ApiKeyError::Unrecorded(_))));
    assert_eq!(statuses(&keys).await, [("revoked", None)]);
}

#[tokio::test]
async fn a_rotation_is_told_with_the_end_of_the_old_key_and_the_new_one_is_revoked() {
    let Recorded {
        keys,
        mut log,
        _folder,
    } = recorded().await;
    // The beginning of the issue, and what came of it.
    let asked = request();
    let issuing = keys.issue(&ACTOR, &asked);
    let issued = log.until(StoppingLog::BEGUN + 1, issuing).await;
    let old = issued.unwrap().kid;
    let rotation = RotationRequest::default();
    let rotating = keys.rotate(&ACTOR, old.as_str(), &rotation);
    let rotated = log.until(StoppingLog::BEGUN + 2, rotating).await;
    let Err(ApiKeyError::RotatedUnrecorded { old_ends_at }) = rotated else {
        panic!("{rotated:?}");
    };
    let expected = [("active", Some(old_ends_at)), ("revoked", None)];
    assert_eq!(statuses(&keys).await, expected);
}

#[tokio::test]
async fn a_revocation_is_told_as_done_since_it_is() {
    let Recorded {
        keys,
        mut log,
        _folder,
    } = recorded().await;
    let asked = request();
    let issuing = keys.issue(&ACTOR, &asked);
    let issued = log.until(StoppingLog::BEGUN + 1, issuing).await;
    let kid: Kid = issued.unwrap().kid;
    let revoking = keys.revoke(&ACTOR, kid.as_str());
    let revoked = log.until(StoppingLog::BEGUN + 2, revoking).await;
    assert!(revoked.is_ok());
    assert_eq!(statuses(&keys).await, [("revoked", None)]);
}
