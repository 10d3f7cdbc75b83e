//! What is cleared and erased is gone, and nothing else is.

use portcullis_keyring::KeyId;
use portcullis_pii_crypto::{AnyPii, Sealed};

use super::{
    commit,
    rows::{
        column, email_column, event, expected, fingerprint, id, lead, only_lead, phone_column,
        tenant, with_lead,
    },
};
use crate::{
    lead::LeadColumn,
    store::{LeadChange, LeadWrite, Owner, Receipt, SealedColumn, Store, Write},
};

fn patch(number: u128, columns: Vec<SealedColumn>, cleared: &[&'static LeadColumn]) -> Write {
    only_lead(LeadWrite {
        columns,
        cleared: cleared.to_vec(),
        ..lead(number, LeadChange::Update, b"")
    })
}

fn phone(index: &[u8]) -> SealedColumn {
    SealedColumn {
        column: phone_column(),
        ..column(index, b"phone")
    }
}

pub(super) fn erase(number: u128) -> Write {
    only_lead(LeadWrite {
        columns: Vec::new(),
        ..lead(number, LeadChange::Erase, b"")
    })
}

async fn columns(store: &impl Store, number: u128) -> Vec<&'static str> {
    let lead = store.lead(&tenant("a"), id(number)).await.unwrap().unwrap();
    lead.sealed.iter().map(|it| it.column.name()).collect()
}

async fn is_found(store: &impl Store, column: &'static LeadColumn, value: &[u8]) -> bool {
    let (tenant, values) = (tenant("a"), [value]);
    let found = store.leads_by_index(&tenant, column, &values, None, 10);
    !found.await.unwrap().is_empty()
}

pub(super) async fn a_cleared_column_is_gone_and_found_no_more(store: &impl Store) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"e"))]).await;
    let both = [
        patch(1, vec![phone(b"p")], &[]),
        patch(1, Vec::new(), &[email_column()]),
    ];
    assert_eq!(
        commit(store, both).await,
        [Receipt::Stored, Receipt::Stored]
    );
    assert_eq!(columns(store, 1).await, ["phone"]);
    assert!(!is_found(store, email_column(), b"e").await);
    assert!(is_found(store, phone_column(), b"p").await);
    // Another may have what it had.
    let other = only_lead(lead(2, LeadChange::Create, b"e"));
    assert_eq!(commit(store, [other]).await, [Receipt::Stored]);
}

pub(super) async fn a_lead_of_which_nothing_would_be_left_stays(store: &impl Store) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"e"))]).await;
    let emptied = patch(1, Vec::new(), &[email_column()]);
    assert_eq!(commit(store, [emptied]).await, [Receipt::LostRace]);
    assert!(is_found(store, email_column(), b"e").await);
    let replaced = patch(1, vec![phone(b"p")], &[email_column()]);
    assert_eq!(commit(store, [replaced]).await, [Receipt::Stored]);
    assert_eq!(columns(store, 1).await, ["phone"]);
}

/// A text that looks sealed, under a key.
pub(super) fn sealed_text(key: KeyId) -> String {
    let mut bytes = vec![0xf9, 1];
    bytes.extend(key.value().to_be_bytes());
    bytes.resize(80, 7);
    let sealed: Sealed<AnyPii> = Sealed::from_bytes(bytes).unwrap();
    sealed.to_text()
}

/// An event of a lead with a sealed value, and with one that its client made up.
pub(super) fn personal_event(event_id: &str, change: LeadWrite, key: KeyId) -> Write {
    let mut write = with_lead(event_id, change);
    let event = write.event.as_mut().unwrap();
    event.lead = write.lead.as_ref().map(|lead| lead.id);
    event.key_ids = vec![key];
    event.payload = format!(
        r#"{{"email":"{}","note":"{}","page":"/a"}}"#,
        sealed_text(key),
        sealed_text(KeyId::new(99)),
    );
    write
}

pub(super) async fn an_erased_lead_is_gone_with_what_its_events_hold_of_it(store: &impl Store) {
    let (kept, gone) = (KeyId::new(7), KeyId::new(8));
    let group = [
        personal_event("1", lead(1, LeadChange::Create, b"e"), gone),
        personal_event("2", lead(2, LeadChange::Create, b"f"), kept),
        // Of nobody.
        event("a", "3", b"content"),
    ];
    commit(store, group).await;
    assert_eq!(
        commit(store, [erase(1), erase(1), erase(9)]).await,
        [Receipt::Stored, Receipt::LostRace, Receipt::LostRace]
    );
    assert!(store.lead(&tenant("a"), id(1)).await.unwrap().is_none());
    assert!(!is_found(store, email_column(), b"e").await);
    assert!(is_found(store, email_column(), b"f").await);
    let needed = store.rows_by_key().await.unwrap();
    assert_eq!(needed.get(&gone), None);
    assert_eq!(needed.get(&kept), Some(&2), "that of a lead and an event");
    // Whatever its content: it came before, and what it said is not told.
    let mut again = event("a", "1", b"other");
    assert_eq!(
        commit(store, [again.clone()]).await,
        [Receipt::DuplicateNatural]
    );
    again.event.as_mut().unwrap().id = "2".to_owned();
    assert!(matches!(
        commit(store, [again]).await[..],
        [Receipt::DuplicateConflicting(_)]
    ));
}

pub(super) async fn writes_to_an_erased_lead_are_lost(store: &impl Store) {
    commit(store, [only_lead(lead(1, LeadChange::Create, b"e"))]).await;
    let group = [
        erase(1),
        only_lead(lead(1, LeadChange::Merge, b"e")),
        with_lead("1", lead(1, LeadChange::Update, b"e")),
        patch(1, vec![phone(b"p")], &[]),
    ];
    let receipts = commit(store, group).await;
    assert_eq!(receipts[0], Receipt::Stored);
    assert_eq!(receipts[1..], [Receipt::LostRace; 3]);
    let (tenant_a, values, ids) = (tenant("a"), [&b"e"[..]], [id(1)]);
    let known = store.known_leads(&tenant_a, email_column(), &values, &ids);
    let known = known.await.unwrap();
    assert!(known.owners.is_empty() && known.existing.is_empty());
    // A lead of another tenant is none.
    commit(store, [only_lead(lead(2, LeadChange::Create, b"e"))]).await;
    let other = Write {
        tenant: tenant("b"),
        ..erase(2)
    };
    assert_eq!(commit(store, [other]).await, [Receipt::LostRace]);
    assert!(store.lead(&tenant("a"), id(2)).await.unwrap().is_some());
}

pub(super) async fn what_no_request_erases_is_erased_as_well(store: &impl Store) {
    let key = KeyId::new(8);
    let group = [
        personal_event("1", lead(1, LeadChange::Create, b"e"), key),
        personal_event("2", lead(2, LeadChange::Create, b"f"), key),
        personal_event("3", lead(3, LeadChange::Create, b"g"), key),
    ];
    commit(store, group).await;
    let mut other = personal_event("4", lead(4, LeadChange::Create, b"e"), KeyId::new(7));
    other.tenant = tenant("b");
    commit(store, [other]).await;
    let (a, b) = (tenant("a"), tenant("b"));
    let erased = [(a.clone(), id(1)), (b.clone(), id(2)), (a.clone(), id(9))];
    assert_eq!(store.erase_leads(&erased).await.unwrap(), 1);
    assert_eq!(store.erase_leads(&erased).await.unwrap(), 0);
    assert!(store.lead(&a, id(1)).await.unwrap().is_none());
    assert!(store.lead(&a, id(2)).await.unwrap().is_some());
    // Two leads and their events.
    assert_eq!(store.erase_tenant(&a).await.unwrap(), 4);
    assert_eq!(store.erase_tenant(&a).await.unwrap(), 0);
    assert_eq!(store.rows_by_key().await.unwrap().get(&key), None);
    assert!(store.lead(&b, id(4)).await.unwrap().is_some());
    assert!(store.owes_shredding().await.unwrap());
    assert!(store.shred().await.unwrap());
    assert!(!store.owes_shredding().await.unwrap());
}

/// While a version of the index comes and another goes, processes find leads under either.
pub(super) async fn a_lead_is_expected_under_any_version(store: &impl Store) {
    let both = |value: &[u8]| {
        let mut column = column(value, b"sealed");
        let mut other = column.index[0].clone();
        other.version = 2;
        other.value.push(2);
        column.index.push(other);
        column
    };
    let write = |number, change| LeadWrite {
        columns: vec![both(b"e")],
        ..lead(number, change, b"e")
    };
    commit(store, [only_lead(write(1, LeadChange::Create))]).await;
    for value in [&b"e"[..], b"e\x02"] {
        let merge = LeadWrite {
            expected: Some(expected(value)),
            ..write(1, LeadChange::Merge)
        };
        assert_eq!(commit(store, [only_lead(merge)]).await, [Receipt::Stored]);
        let (tenant, values) = (tenant("a"), [value]);
        let known = store.known_leads(&tenant, email_column(), &values, &[]);
        let known = known.await.unwrap();
        assert_eq!(known.owners.get(value), Some(&Owner::Lead(id(1))));
        // By whichever a process enforces, the value has one lead.
        let other = only_lead(lead(2, LeadChange::Create, value));
        assert_eq!(commit(store, [other]).await, [Receipt::LostRace]);
    }
}

/// Contents are compared under the version that was stored; of one that is not configured any more, and of
/// what was erased, nothing can be said.
pub(super) async fn contents_are_compared_under_the_stored_version(store: &impl Store) {
    let offered = |id: &str, version, content: &[u8], others: &[(u16, &[u8])]| {
        let mut write = event("a", id, b"");
        let event = write.event.as_mut().unwrap();
        event.content_fp = fingerprint(version, content);
        let others = others.iter();
        event.other_fps = others
            .map(|(version, content)| fingerprint(*version, content))
            .collect();
        write
    };
    commit(store, [offered("1", 1, b"x", &[])]).await;
    for (write, is_same) in [
        (offered("1", 2, b"?", &[(1, b"x")]), true),
        (offered("1", 2, b"x", &[(1, b"y")]), false),
        (offered("1", 1, b"x", &[(2, b"y")]), true),
        (offered("1", 1, b"y", &[(2, b"x")]), false),
        (offered("1", 2, b"y", &[(3, b"z")]), true),
    ] {
        let receipt = commit(store, [write]).await[0];
        assert_eq!(receipt == Receipt::DuplicateNatural, is_same, "{receipt:?}");
    }
}
