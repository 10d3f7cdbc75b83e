//! Personal parts, sealed beside the log.

use std::future::pending;

use async_trait::async_trait;

use super::*;
use crate::{
    event::{Commitment, Personal},
    sealer::{PartToSeal, SealError},
};

/// Turns every bit: enough to tell what was sealed from what was not.
#[derive(Debug)]
pub(super) struct Inverting;

#[derive(Debug)]
struct Hanging;

#[async_trait]
impl Sealer for Inverting {
    async fn seal(&self, parts: &[PartToSeal<'_>]) -> Vec<Result<Vec<u8>, SealError>> {
        let sealed = parts.iter().map(|part| {
            if part.tenant.as_str() == "erased" {
                return Err(SealError::new("there is no key"));
            }
            Ok(part.personal.as_bytes().iter().map(|byte| !byte).collect())
        });
        sealed.collect()
    }

    async fn open(&self, _: &Id, _: EventId, sealed: &[u8]) -> Result<Personal, SealError> {
        let bytes = sealed.iter().map(|byte| !byte).collect();
        Personal::from_bytes(bytes).map_err(SealError::new)
    }
}

#[async_trait]
impl Sealer for Hanging {
    async fn seal(&self, _: &[PartToSeal<'_>]) -> Vec<Result<Vec<u8>, SealError>> {
        pending().await
    }

    async fn open(&self, _: &Id, _: EventId, _: &[u8]) -> Result<Personal, SealError> {
        pending().await
    }
}

const TYPED: PersonalText<'static> = PersonalText {
    address: None,
    user_agent: Some("curl/8.5"),
    text: Some("customer called"),
};

fn draft_of(tenant: Id) -> EventBuilder {
    let actor = crate::event::Actor::new(crate::event::ActorType::System, Id::constant("a"));
    EventBuilder::new(tenant, READ, crate::event::Activity::Read, actor)
}

fn commitment(leaf: &[u8]) -> Option<Commitment> {
    Leaf::parse(leaf).expect("it is a leaf").personal()
}

#[tokio::test(start_paused = true)]
async fn what_was_typed_lies_beside_the_log_sealed_and_the_leaf_commits_to_it() {
    let sealed = |builder: AuditBuilder| builder.sealer(Arc::new(Inverting));
    let log = open_with(MemoryStore::new(), sealed).await.expect("empty");
    let recorded = log.audit.record(draft(READ), Some(&TYPED)).await;
    let n = recorded.expect("it works").n;
    let opened = log.audit.personal(n).await.expect("it opens");
    let opened = opened.expect("there is one");
    assert_eq!(
        opened.json(),
        r#"{"ua":"curl/8.5","text":"customer called"}"#
    );
    let store = log.store.clone();
    let leaves = log.closed().await;
    let commitment = commitment(&leaves[1]).expect("there is one");
    assert_eq!(commitment.verify(&opened), Ok(()));
    let beside = store.personal(n).await.expect("the store answers");
    assert_ne!(beside.expect("there is one"), opened.as_bytes());
    let text = leaves.concat();
    assert!(!text.windows(8).any(|bytes| bytes == b"customer"));
}

#[tokio::test(start_paused = true)]
async fn an_event_waits_at_most_500_ms_for_a_key_and_keeps_its_commitment() {
    let hanging = |builder: AuditBuilder| builder.sealer(Arc::new(Hanging));
    let log = open_with(MemoryStore::new(), hanging).await.expect("empty");
    let began = now();
    let recorded = log.audit.record(draft(READ), Some(&TYPED)).await;
    assert!(recorded.is_ok());
    assert_eq!(began.elapsed(), Duration::from_millis(500));
    assert_eq!(log.seen.parts_lost(), 1);
    let store = log.store.clone();
    let leaves = log.closed().await;
    let commitment = commitment(&leaves[1]).expect("there is one");
    assert_ne!(commitment, Commitment::UNKNOWN);
    assert_eq!(store.personal(1).await.expect("the store answers"), None);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sealed_keeps_nothing_else_from_it() {
    let sealed = |builder: AuditBuilder| builder.sealer(Arc::new(Inverting));
    let log = open_with(MemoryStore::new(), sealed).await.expect("empty");
    let of_erased = draft_of(Id::constant("erased"));
    log.audit.note(draft(READ), Some(&TYPED));
    log.audit.note(of_erased, Some(&TYPED));
    log.audit.note(draft(READ), Some(&TYPED));
    let (store, seen) = (log.store.clone(), log.seen.clone());
    log.closed().await;
    assert_eq!(seen.parts_lost(), 1);
    for (n, is_there) in [(1, true), (2, false), (3, true)] {
        let part = store.personal(n).await.expect("the store answers");
        assert_eq!(part.is_some(), is_there, "{n}");
    }
}

/// Has the keys of all tenants but one.
#[derive(Debug)]
struct HangingForOne;

#[async_trait]
impl Sealer for HangingForOne {
    async fn seal(&self, parts: &[PartToSeal<'_>]) -> Vec<Result<Vec<u8>, SealError>> {
        if parts.iter().any(|part| part.tenant.as_str() == "slow") {
            return pending().await;
        }
        Inverting.seal(parts).await
    }

    async fn open(&self, of: &Id, event: EventId, sealed: &[u8]) -> Result<Personal, SealError> {
        Inverting.open(of, event, sealed).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_key_is_slow_costs_the_others_no_part() {
    let hanging = |builder: AuditBuilder| builder.sealer(Arc::new(HangingForOne));
    let log = open_with(MemoryStore::new(), hanging).await.expect("empty");
    let tenants = ["slow", "a", "slow", "b", "a", "slow", "b"];
    let began = now();
    for tenant in tenants {
        log.audit.note(draft_of(Id::constant(tenant)), Some(&TYPED));
    }
    let recorded = log.audit.record(draft(READ), Some(&TYPED)).await;
    assert_eq!(began.elapsed(), Duration::from_millis(500));
    assert_eq!(log.seen.parts_lost(), 3);
    let of_other = recorded.expect("it works").n;
    assert!(
        log.audit
            .personal(of_other)
            .await
            .expect("it opens")
            .is_some()
    );
    let (store, audit) = (log.store.clone(), log.audit.clone());
    let mut of_tenants = Vec::new();
    for n in 1..=tenants.len() as u64 + 1 {
        let batch = store
            .entries(n, NonZeroUsize::MIN)
            .await
            .expect("it answers");
        let (_, leaf) = batch.iter().next().expect("it is there");
        let tenant = Leaf::parse(leaf).expect("it is a leaf").tenant().to_owned();
        // Each opens as what its own leaf commits to.
        let part = audit.personal(n).await.expect("it opens");
        assert_eq!(part.is_none(), tenant == "slow", "{n}");
        assert!(commitment(leaf).is_some());
        of_tenants.push(tenant);
    }
    for tenant in tenants {
        assert!(of_tenants.iter().any(|of| of == tenant), "{tenant}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_sealer_nothing_that_was_typed_is_kept() {
    let log = open().await;
    let recorded = log.audit.record(draft(READ), Some(&TYPED)).await;
    assert!(recorded.is_ok());
    assert_eq!(log.seen.parts_lost(), 1);
    assert_eq!(
        log.store.personal(1).await.expect("the store answers"),
        None
    );
}
