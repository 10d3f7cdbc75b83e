//! What every [`Store`] must do, run against each implementation.

mod audit;
mod events;

use std::fmt::Debug;

use portcullis_keyring::{KeyId, TenantId};
use time::OffsetDateTime;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    Committed, EventRow, Group, GroupSink, IndexRow, IndexedLead, LeadChange, LeadWrite, Owner,
    Receipt, SealedColumn, SecretCheck, Store, StoreError, StoredContent, Write,
};
use crate::lead::{LeadColumn, LeadId, StoredColumn};

/// Runs every check on an empty store of its own.
pub(super) async fn check<S: Store>(open: impl AsyncFn() -> S) {
    an_event_is_stored_once(&open().await).await;
    events::events_are_told_apart_by_all_of_their_texts(&open().await).await;
    an_event_twice_in_a_group_is_stored_once(&open().await).await;
    a_conflict_says_whether_the_stored_event_has_sealed_values(&open().await).await;
    a_repeat_does_not_write_its_lead(&open().await).await;
    a_repeat_of_a_lost_race_is_lost_too(&open().await).await;
    an_email_belongs_to_one_lead_of_a_tenant(&open().await).await;
    a_merge_is_lost_when_the_lead_has_another_email(&open().await).await;
    a_merge_replaces_the_fingerprint_that_the_lead_was_found_under(&open().await).await;
    an_update_replaces_what_it_names(&open().await).await;
    a_lost_write_leaves_nothing_and_disturbs_nobody(&open().await).await;
    leads_are_found_within_their_tenant(&open().await).await;
    the_first_check_value_stays(&open().await).await;
    the_first_index_version_is_enforced(&open().await).await;
    trying_to_write_leaves_nothing(&open().await).await;
    audit::audit_events_are_kept_in_one_piece_and_found(&open().await).await;
    audit::an_event_that_is_refused_takes_no_write_with_it(&open().await).await;
    groups_follow_one_another(&open().await).await;
    limits_are_remembered(&open().await).await;
    a_detection_policy_is_remembered(&open().await).await;
}

async fn a_detection_policy_is_remembered(store: &impl Store) {
    assert_eq!(store.detection().await.unwrap(), None);
    for text in ["{}", "{\"tenant\":{}}"] {
        store.remember_detection(text).await.unwrap();
        assert_eq!(store.detection().await.unwrap().as_deref(), Some(text));
    }
    assert_eq!(store.limits().await.unwrap(), None);
}

async fn limits_are_remembered(store: &impl Store) {
    assert_eq!(store.limits().await.unwrap(), None);
    for text in ["{}", "{\"tier\":{}}"] {
        store.remember_limits(text).await.unwrap();
        assert_eq!(store.limits().await.unwrap().as_deref(), Some(text));
    }
}

async fn trying_to_write_leaves_nothing(store: &impl Store) {
    let tries = async |mut sink: Box<dyn GroupSink>| {
        sink.try_writing().await?;
        sink.try_writing().await
    };
    in_sink(store, tries).await.unwrap();
    assert!(store.secret_checks().await.unwrap().is_empty());
}

/// One that fails included.
async fn groups_follow_one_another(store: &impl Store) {
    let group = |id: &str| Group {
        audit: vec![audit::event(1, "acme")],
        writes: vec![event("a", id, b"x")],
    };
    let groups = [group("1"), group("2"), group("1")];
    let written = in_sink(store, async move |mut sink| {
        let mut written = Vec::new();
        for group in &groups {
            written.push(sink.commit(group).await.unwrap());
        }
        written
    });
    let written = written.await.into_iter();
    let written: Vec<_> = written
        .map(|group| (group.audit.is_ok(), group.receipts))
        .collect();
    assert_eq!(
        written,
        [
            (true, vec![Receipt::Stored]),
            (false, vec![Receipt::Stored]),
            (false, vec![Receipt::DuplicateNatural]),
        ]
    );
}

async fn an_event_is_stored_once(store: &impl Store) {
    assert_eq!(
        commit(store, [event("a", "1", b"x")]).await,
        [Receipt::Stored]
    );
    let again = [
        event("a", "1", b"x"),
        event("a", "1", b"y"),
        event("b", "1", b"x"),
    ];
    for (write, receipt) in again.into_iter().zip([
        Receipt::DuplicateNatural,
        Receipt::DuplicateConflicting(StoredContent::Plain),
        Receipt::Stored,
    ]) {
        assert_eq!(commit(store, [write]).await, [receipt]);
    }
}

async fn an_event_twice_in_a_group_is_stored_once(store: &impl Store) {
    let group = [
        event("a", "1", b"x"),
        event("a", "1", b"x"),
        event("a", "1", b"y"),
    ];
    assert_eq!(
        commit(store, group).await,
        [
            Receipt::Stored,
            Receipt::DuplicateNatural,
            Receipt::DuplicateConflicting(StoredContent::Plain)
        ]
    );
}

async fn a_conflict_says_whether_the_stored_event_has_sealed_values(store: &impl Store) {
    let with_payload = |id: &str, content: &[u8], payload: &str| {
        let mut write = event("a", id, content);
        write.event.as_mut().unwrap().payload = payload.to_owned();
        write
    };
    let sealed = r#"{"email":"pc1.x"}"#;
    let plain = r#"{"code":"pc2.x"}"#;
    for (id, first, second, content) in [
        ("1", sealed, plain, StoredContent::Sealed),
        ("2", plain, sealed, StoredContent::Plain),
    ] {
        let expected = Receipt::DuplicateConflicting(content);
        let group = [
            with_payload(id, b"x", first),
            with_payload(id, b"y", second),
        ];
        assert_eq!(commit(store, group).await, [Receipt::Stored, expected]);
        // Each is compared with what is stored, also behind another that is not.
        let later = [
            with_payload(id, b"y", second),
            with_payload(id, b"y", second),
            with_payload(id, b"x", first),
        ];
        let natural = Receipt::DuplicateNatural;
        assert_eq!(commit(store, later).await, [expected, expected, natural]);
    }
}

/// A retry that queues beside the first request names the same event, and a lead of its own.
async fn a_repeat_does_not_write_its_lead(store: &impl Store) {
    let (first, second) = (
        lead(1, LeadChange::Create, b"e"),
        lead(2, LeadChange::Create, b"e"),
    );
    let group = [with_lead("1", first), with_lead("1", second)];
    assert_eq!(
        commit(store, group).await,
        [Receipt::Stored, Receipt::DuplicateNatural]
    );
    let again = commit(store, [event("a", "1", b"content")]).await;
    assert_eq!(
        again,
        [Receipt::DuplicateNatural],
        "the first was withdrawn"
    );
    assert_eq!(owner(store, b"e").await, Some(id(1)));

    let other = lead(1, LeadChange::Merge, b"e");
    let mut conflicting = with_lead(
        "1",
        LeadWrite {
            columns: vec![column(b"e", b"new")],
            ..other
        },
    );
    conflicting.event.as_mut().unwrap().content_fp = b"other".to_vec();
    assert_eq!(
        commit(store, [conflicting]).await,
        [Receipt::DuplicateConflicting(StoredContent::Plain)]
    );
    assert_eq!(sealed(store, 1).await, b"sealed");
}

async fn a_repeat_of_a_lost_race_is_lost_too(store: &impl Store) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"e"))]).await;
    let loser = || with_lead("1", lead(2, LeadChange::Create, b"e"));
    let receipts = commit(store, [loser(), loser()]).await;
    assert_eq!(receipts, [Receipt::LostRace, Receipt::LostRace]);
    assert_eq!(
        commit(store, [event("a", "1", b"content")]).await,
        [Receipt::Stored]
    );
}

async fn an_email_belongs_to_one_lead_of_a_tenant(store: &impl Store) {
    let create = |number| only_lead(lead(number, LeadChange::Create, b"e"));
    let group = [
        create(1),
        create(2),
        Write {
            tenant: tenant("b"),
            ..create(3)
        },
    ];
    let receipts = commit(store, group).await;
    assert_eq!(
        receipts,
        [Receipt::Stored, Receipt::LostRace, Receipt::Stored]
    );
    assert_eq!(owner(store, b"e").await, Some(id(1)));
    assert_eq!(owner(store, b"unknown").await, None);
}

async fn a_merge_is_lost_when_the_lead_has_another_email(store: &impl Store) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"old"))]).await;
    let group = [
        only_lead(lead(1, LeadChange::Update, b"new")),
        only_lead(lead(1, LeadChange::Merge, b"old")),
    ];
    assert_eq!(
        commit(store, group).await,
        [Receipt::Stored, Receipt::LostRace]
    );
    assert_eq!(owner(store, b"new").await, Some(id(1)));
    assert_eq!(owner(store, b"old").await, None);
}

async fn a_merge_replaces_the_fingerprint_that_the_lead_was_found_under(store: &impl Store) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"former"))]).await;
    commit(store, [only_lead(lead(2, LeadChange::Create, b"other"))]).await;
    let merge = |value: &[u8]| {
        only_lead(LeadWrite {
            expected_identity: Some(b"former".to_vec()),
            ..lead(1, LeadChange::Merge, value)
        })
    };
    // Another has it: nothing changes.
    assert_eq!(commit(store, [merge(b"other")]).await, [Receipt::LostRace]);
    assert_eq!(owner(store, b"former").await, Some(id(1)));
    // Of two that found it under the former one, the second comes too late.
    let receipts = commit(store, [merge(b"current"), merge(b"current")]).await;
    assert_eq!(receipts, [Receipt::Stored, Receipt::LostRace]);
    assert_eq!(owner(store, b"current").await, Some(id(1)));
    assert_eq!(owner(store, b"former").await, None);
}

async fn an_update_replaces_what_it_names(store: &impl Store) {
    let created = lead(1, LeadChange::Create, b"e");
    let phone = SealedColumn {
        column: phone_column(),
        ..column(b"p", b"phone")
    };
    commit(store, [only_lead(created)]).await;
    let update = LeadWrite {
        columns: vec![phone],
        ..lead(1, LeadChange::Update, b"")
    };
    assert_eq!(commit(store, [only_lead(update)]).await, [Receipt::Stored]);
    let lead = store.lead(&tenant("a"), id(1)).await.unwrap().unwrap();
    let sealed = |column: &StoredColumn| {
        let value = column.value.as_ref().unwrap();
        (column.column, value.sealed.clone())
    };
    let columns: Vec<_> = lead.sealed.iter().map(sealed).collect();
    assert_eq!(
        columns,
        [
            (email_column(), b"sealed".to_vec()),
            (phone_column(), b"phone".to_vec())
        ]
    );
    let missing = LeadWrite {
        id: id(9),
        ..self::lead(1, LeadChange::Update, b"z")
    };
    assert_eq!(
        commit(store, [only_lead(missing)]).await,
        [Receipt::LostRace]
    );
}

async fn a_lost_write_leaves_nothing_and_disturbs_nobody(store: &impl Store) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"e"))]).await;
    let group = [
        event("a", "before", b"x"),
        with_lead("lost", lead(2, LeadChange::Create, b"e")),
        event("a", "after", b"x"),
    ];
    let receipts = commit(store, group).await;
    assert_eq!(
        receipts,
        [Receipt::Stored, Receipt::LostRace, Receipt::Stored]
    );
    assert!(store.lead(&tenant("a"), id(2)).await.unwrap().is_none());
    assert_eq!(
        commit(store, [event("a", "lost", b"x")]).await,
        [Receipt::Stored]
    );
}

async fn leads_are_found_within_their_tenant(store: &impl Store) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"e"))]).await;
    let (a, b) = (tenant("a"), tenant("b"));
    assert!(store.lead(&a, id(1)).await.unwrap().is_some());
    assert!(store.lead(&b, id(1)).await.unwrap().is_none());
    let email = email_column();
    assert_eq!(
        store
            .leads_by_index(&a, email, &[b"e"], None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert!(
        store
            .leads_by_index(&b, email, &[b"e"], None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .leads_by_index(&a, phone_column(), &[b"e"], None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let after = store.leads_by_index(&a, email, &[b"e"], Some(id(1)), 10);
    assert!(after.await.unwrap().is_empty());
    // Under any of several values, oldest first.
    commit(store, [only_lead(lead(3, LeadChange::Create, b"c"))]).await;
    commit(store, [only_lead(lead(2, LeadChange::Create, b"d"))]).await;
    let values: [&[u8]; 3] = [b"c", b"d", b"e"];
    for (after, limit, expected) in [
        (None, 10, &[1, 2, 3][..]),
        (None, 2, &[1, 2]),
        (Some(id(1)), 10, &[2, 3]),
        (Some(id(3)), 10, &[]),
    ] {
        let found = store.leads_by_index(&a, email, &values, after, limit);
        let found = found.await.unwrap().into_iter();
        let found: Vec<_> = found
            .map(|lead| match lead {
                IndexedLead::Found(lead) => lead.id,
                IndexedLead::Nowhere => panic!("the index leads nowhere"),
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|number| id(*number)).collect();
        assert_eq!(found, expected);
    }
    let ids = [id(1), id(2), id(9)];
    for (tenant, expected) in [(&a, &ids[..2]), (&b, &[])] {
        let known = store.known_leads(tenant, email, &[b"e"], &ids);
        let known = known.await.unwrap();
        assert_eq!(known.owners.len(), expected.len().min(1));
        assert_eq!(known.existing, expected.iter().copied().collect());
    }
}

async fn the_first_check_value_stays(store: &impl Store) {
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

async fn the_first_index_version_is_enforced(store: &impl Store) {
    assert_eq!(store.enforced_index(3).await.unwrap(), 3);
    assert_eq!(store.enforced_index(4).await.unwrap(), 3);
}

async fn commit<const N: usize>(store: &impl Store, group: [Write; N]) -> Vec<Receipt> {
    let writes = Group {
        writes: group.into(),
        ..Group::default()
    };
    write_group(store, writes).await.unwrap().receipts
}

/// Writes one group where the store writes.
async fn write_group(store: &impl Store, group: Group) -> Result<Committed, StoreError> {
    in_sink(store, async move |mut sink| sink.commit(&group).await).await
}

async fn in_sink<T, F>(
    store: &impl Store,
    work: impl FnOnce(Box<dyn GroupSink>) -> F + Send + 'static,
) -> T
where
    T: Debug + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (sender, done) = oneshot::channel();
    let groups = |sink| {
        let work = work(sink);
        Box::pin(async { sender.send(work.await).unwrap() }) as _
    };
    store.write_groups(Box::new(groups)).await;
    done.await.unwrap()
}

async fn owner(store: &impl Store, email: &[u8]) -> Option<LeadId> {
    let (tenant, emails) = (tenant("a"), [email]);
    let known = store
        .known_leads(&tenant, email_column(), &emails, &[])
        .await;
    match known.unwrap().owners.get(email)? {
        Owner::Lead(id) => Some(*id),
        Owner::Nowhere => panic!("the index leads nowhere"),
    }
}

async fn sealed(store: &impl Store, number: u128) -> Vec<u8> {
    let lead = store.lead(&tenant("a"), id(number)).await.unwrap().unwrap();
    lead.sealed[0].value.as_ref().unwrap().sealed.clone()
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn id(number: u128) -> LeadId {
    LeadId(Uuid::from_u128(number))
}

fn event(tenant_name: &str, event_id: &str, content: &[u8]) -> Write {
    let now = OffsetDateTime::UNIX_EPOCH;
    let row = EventRow {
        source: "test".to_owned(),
        id: event_id.to_owned(),
        content_fp: content.to_vec(),
        lead: None,
        event_type: "page.viewed".to_owned(),
        schema_version: 1,
        time: now,
        received_at: now,
        payload: "{}".to_owned(),
        key_ids: vec![KeyId::new(7)],
    };
    Write {
        tenant: tenant(tenant_name),
        event: Some(row),
        lead: None,
    }
}

fn only_lead(lead: LeadWrite) -> Write {
    Write {
        tenant: tenant("a"),
        event: None,
        lead: Some(lead),
    }
}

fn with_lead(event_id: &str, lead: LeadWrite) -> Write {
    Write {
        lead: Some(lead),
        ..event("a", event_id, b"content")
    }
}

fn lead(number: u128, change: LeadChange, email: &[u8]) -> LeadWrite {
    let columns = vec![column(email, b"sealed")];
    LeadWrite {
        id: id(number),
        change,
        expected_identity: (change == LeadChange::Merge).then(|| email.to_vec()),
        columns,
        at: OffsetDateTime::UNIX_EPOCH,
    }
}

fn column(index: &[u8], sealed: &[u8]) -> SealedColumn {
    SealedColumn {
        column: email_column(),
        sealed: sealed.to_vec(),
        key_id: KeyId::new(1),
        index: vec![IndexRow {
            version: 1,
            value: index.to_vec(),
        }],
    }
}

fn email_column() -> &'static LeadColumn {
    LeadColumn::identity()
}

fn phone_column() -> &'static LeadColumn {
    LeadColumn::searchable()
        .find(|column| column.name() == "phone")
        .unwrap()
}
