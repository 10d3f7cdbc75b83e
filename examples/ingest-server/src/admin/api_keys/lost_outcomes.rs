//! A change that is on record as begun, and whose outcome cannot be put there.

use std::{pin::pin, sync::Arc};

use futures_util::poll;
use portcullis_apikey_cache::{
    ApiKeyCache, Kid, Peppers, secrets::VersionedSecrets, store::MemoryKeyStore,
};
use portcullis_audit_log::{
    audit::Audit,
    event::Id,
    note::SigningKey,
    store::{MemoryStore, Store as _},
};
use secrecy::{SecretBox, SecretString};
use tempfile::TempDir;

use super::{ApiKeyError, ApiKeyRequest, ApiKeys, RotationRequest};
use crate::{
    admin::{Actor, AdminEvent, AdminObserver},
    audit::{AuditFolder, AuditIdentity, AuditLog, WriteRecords},
    backend::empty_store,
    clock::SystemClock,
};

const ACTOR: Actor = Actor::DevProfile;

#[derive(Debug)]
struct Unobserved;

impl AdminObserver for Unobserved {
    fn observe(&self, _: &AdminEvent<'_>) {}
}

/// The use cases, the log that they are put into, and what writes it.
struct Recorded<W> {
    keys: ApiKeys,
    log: MemoryStore,
    writing: W,
    _folder: TempDir,
}

async fn recorded() -> Recorded<impl Future<Output = ()>> {
    let pepper = SecretString::from("1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=");
    let peppers = Peppers::new(VersionedSecrets::parse(&pepper, None).unwrap()).unwrap();
    let key_store = Arc::new(MemoryKeyStore::new());
    let cache = ApiKeyCache::builder_without_feed(key_store, peppers).build();
    let folder = TempDir::new().unwrap();

    let log = MemoryStore::new();
    let name = || "test.example/audit".parse().unwrap();
    let seed = SecretBox::new(Box::new([7; 32]));
    let opened = Audit::builder(Arc::new(log.clone()), name(), Id::constant("a"))
        .key(SigningKey::from_seed(name(), &seed).unwrap())
        .open();
    let (audit, writing) = opened.await.unwrap();
    let own = AuditFolder::new("audit".into(), "a".to_owned());
    let identity = AuditIdentity {
        origin: name(),
        keys: Vec::new(),
    };
    let clock = Arc::new(SystemClock);
    let (audit, _gathering) = AuditLog::new(audit, own, identity, clock, WriteRecords::Off);
    Recorded {
        keys: ApiKeys::new(
            cache,
            empty_store(folder.path()).await,
            audit,
            Arc::new(Unobserved),
        ),
        log,
        writing,
        _folder: folder,
    }
}

/// Makes a change while the log is written, until there are so many entries; then nobody writes it any more.
async fn while_written<T>(
    log: &MemoryStore,
    writing: impl Future<Output = ()>,
    entries: u64,
    change: impl Future<Output = T>,
) -> T {
    let (mut writing, mut change) = (pin!(writing), pin!(change));
    while log.size().await.unwrap() < entries {
        if let std::task::Poll::Ready(changed) = poll!(&mut change) {
            return changed;
        }
        assert!(poll!(&mut writing).is_pending());
        tokio::task::yield_now().await;
    }
    change.await
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

/// `audit.opened` and the beginning of the change.
const BEGUN: u64 = 2;

#[tokio::test]
async fn a_key_that_nobody_has_seen_is_revoked() {
    let Recorded {
        keys,
        log,
        writing,
        _folder,
    } = recorded().await;
    let issued = while_written(&log, writing, BEGUN, keys.issue(&ACTOR, &request())).await;
    assert!(matches!(issued, Err(ApiKeyError::Unrecorded(_))));
    assert_eq!(statuses(&keys).await, [("revoked", None)]);
}

#[tokio::test]
async fn a_rotation_is_told_with_the_end_of_the_old_key_and_the_new_one_is_revoked() {
    let Recorded {
        keys,
        log,
        writing,
        _folder,
    } = recorded().await;
    let mut writing = Box::pin(writing);
    // The beginning of the issue, and what came of it.
    let asked = request();
    let issuing = keys.issue(&ACTOR, &asked);
    let issued = while_written(&log, &mut writing, BEGUN + 1, issuing).await;
    let old = issued.unwrap().kid;
    let rotation = RotationRequest::default();
    let rotating = keys.rotate(&ACTOR, old.as_str(), &rotation);
    let rotated = while_written(&log, &mut writing, BEGUN + 2, rotating).await;
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
        log,
        writing,
        _folder,
    } = recorded().await;
    let mut writing = Box::pin(writing);
    let asked = request();
    let issuing = keys.issue(&ACTOR, &asked);
    let issued = while_written(&log, &mut writing, BEGUN + 1, issuing).await;
    let kid: Kid = issued.unwrap().kid;
    let revoking = keys.revoke(&ACTOR, kid.as_str());
    let revoked = while_written(&log, &mut writing, BEGUN + 2, revoking).await;
    assert!(revoked.is_ok());
    assert_eq!(statuses(&keys).await, [("revoked", None)]);
}
