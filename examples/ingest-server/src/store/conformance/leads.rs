//! What a write does to a lead, and who owns an e-mail address.

use super::{
    commit,
    rows::{
        column, email_column, event, expected, fingerprint, id, lead, only_lead, phone_column,
        tenant, with_lead,
    },
};
use crate::{
    lead::{LeadId, StoredColumn},
    store::{
        IndexedLead, LeadChange, LeadWrite, Owner, Receipt, SealedColumn, Store, StoredContent,
        Write,
    },
};

/// A retry that queues beside the first request names the same event, and a lead of its own.
pub(super) async fn a_repeat_does_not_write_its_lead(store: &impl Store) {
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
    conflicting.event.as_mut().unwrap().content_fp = fingerprint(1, b"other");
    assert_eq!(
        commit(store, [conflicting]).await,
        [Receipt::DuplicateConflicting(StoredContent::Plain)]
    );
    assert_eq!(sealed(store, 1).await, b"sealed");
}

pub(super) async fn a_repeat_of_a_lost_race_is_lost_too(store: &impl Store) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"e"))]).await;
    let loser = || with_lead("1", lead(2, LeadChange::Create, b"e"));
    let receipts = commit(store, [loser(), loser()]).await;
    assert_eq!(receipts, [Receipt::LostRace, Receipt::LostRace]);
    assert_eq!(
        commit(store, [event("a", "1", b"content")]).await,
        [Receipt::Stored]
    );
}

pub(super) async fn an_email_belongs_to_one_lead_of_a_tenant(store: &impl Store) {
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

pub(super) async fn a_merge_is_lost_when_the_lead_has_another_email(store: &impl Store) {
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

pub(super) async fn a_merge_replaces_the_fingerprint_that_the_lead_was_found_under(
    store: &impl Store,
) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"former"))]).await;
    commit(store, [only_lead(lead(2, LeadChange::Create, b"other"))]).await;
    let merge = |value: &[u8]| {
        only_lead(LeadWrite {
            expected: Some(expected(b"former")),
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

pub(super) async fn an_update_replaces_what_it_names(store: &impl Store) {
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

pub(super) async fn a_lost_write_leaves_nothing_and_disturbs_nobody(store: &impl Store) {
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

pub(super) async fn leads_are_found_within_their_tenant(store: &impl Store) {
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
