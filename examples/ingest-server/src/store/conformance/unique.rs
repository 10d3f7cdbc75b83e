//! Which values only one lead may have, and who has several values at once.

use super::{
    commit,
    rows::{column, email_column, id, lead, only_lead, phone_column, tenant},
};
use crate::{
    lead::{LeadColumn, UniqueFields},
    store::{
        IndexRow, IndexedLead, LeadChange, LeadWrite, Receipt, SealedColumn, Store,
        UniqueFieldsError, Write,
    },
};

fn with_phone(number: u128, email: &[u8], phone: &[u8]) -> Write {
    let phone = SealedColumn {
        column: phone_column(),
        ..column(phone, b"phone")
    };
    only_lead(LeadWrite {
        columns: vec![column(email, b"sealed"), phone],
        ..lead(number, LeadChange::Create, email)
    })
}

pub(super) async fn a_field_is_unique_while_it_is_to_be(store: &impl Store) {
    let (email, both) = (
        UniqueFields::default(),
        UniqueFields::parse("email,phone").unwrap(),
    );
    let hold = async |fields| store.hold_unique(fields).await.unwrap();
    let change = async |fields| store.change_unique(fields).await.unwrap();
    for _ in 0..2 {
        assert_eq!(hold(&both).await, Ok(()));
    }
    // One that starts with others would hold other values unique than those that run.
    let differ = |held: &UniqueFields, configured: &UniqueFields| {
        Err(UniqueFieldsError::Differ {
            held: held.to_string(),
            configured: configured.to_string(),
        })
    };
    assert_eq!(hold(&email).await, differ(&both, &email));
    let group = [
        with_phone(1, b"a", b"p"),
        with_phone(2, b"b", b"p"),
        Write {
            tenant: tenant("b"),
            ..with_phone(3, b"c", b"p")
        },
    ];
    let (stored, lost) = (Receipt::Stored, Receipt::LostRace);
    assert_eq!(commit(store, group).await, [stored, lost, stored]);
    // Left out again for all, it is held no more.
    assert_eq!(change(&email).await, Ok(()));
    assert_eq!(hold(&email).await, Ok(()));
    assert_eq!(hold(&both).await, differ(&email, &both));
    let group = [with_phone(2, b"b", b"p"), with_phone(4, b"d", b"q")];
    assert_eq!(commit(store, group).await, [stored, stored]);
    // What is there stands against it, and nothing changes.
    let refused = Err(UniqueFieldsError::Shared {
        field: "phone",
        duplicates: 1,
    });
    assert_eq!(change(&both).await, refused);
    assert_eq!(hold(&email).await, Ok(()));
    let third = with_phone(5, b"e", b"p");
    assert_eq!(commit(store, [third]).await, [stored]);
    assert_eq!(change(&both).await, refused);
    // The identity is unique in any case.
    assert_eq!(commit(store, [with_phone(6, b"a", b"r")]).await, [lost]);
}

pub(super) async fn a_lead_found_by_parts_has_all_of_them(store: &impl Store) {
    let name = LeadColumn::found_by_part().next().unwrap();
    let named = |number, parts: &[&[u8]]| {
        let parts = parts.iter().map(|value| IndexRow {
            version: 1,
            value: value.to_vec(),
        });
        let name = SealedColumn {
            column: name,
            index: parts.collect(),
            ..column(b"", b"name")
        };
        only_lead(LeadWrite {
            columns: vec![name],
            ..lead(number, LeadChange::Create, b"")
        })
    };
    let group = [
        named(3, &[b"ada", b"da "]),
        named(1, &[b"ada", b"dam"]),
        named(2, &[b"dam"]),
        Write {
            tenant: tenant("b"),
            ..named(4, &[b"ada", b"dam"])
        },
    ];
    assert_eq!(commit(store, group).await, [Receipt::Stored; 4]);
    let (a, b) = (tenant("a"), tenant("b"));
    let found = async |tenant, parts: &[&[u8]], after, limit| {
        let found = store.leads_by_parts(tenant, name, parts, after, limit);
        let found = found.await.unwrap().into_iter();
        let ids = found.map(|lead| match lead {
            IndexedLead::Found(lead) => lead.id,
            IndexedLead::Nowhere => panic!("the index leads nowhere"),
        });
        ids.collect::<Vec<_>>()
    };
    assert_eq!(found(&a, &[b"ada"], None, 10).await, [id(1), id(3)]);
    assert_eq!(found(&a, &[b"ada"], None, 1).await, [id(1)]);
    assert_eq!(found(&a, &[b"ada"], Some(id(1)), 10).await, [id(3)]);
    assert_eq!(found(&a, &[b"ada", b"dam"], None, 10).await, [id(1)]);
    assert_eq!(found(&a, &[b"dam", b"da "], None, 10).await, []);
    assert_eq!(found(&b, &[b"dam", b"ada"], None, 10).await, [id(4)]);
    assert_eq!(found(&a, &[], None, 10).await, []);
    // A name that is changed has the parts of the new one alone.
    let changed = Write {
        lead: named(1, &[b"bob"]).lead.map(|mut lead| {
            lead.change = LeadChange::Update;
            lead
        }),
        ..named(1, &[])
    };
    assert_eq!(commit(store, [changed]).await, [Receipt::Stored]);
    assert_eq!(found(&a, &[b"ada"], None, 10).await, [id(3)]);
    assert_eq!(found(&a, &[b"bob"], None, 10).await, [id(1)]);
    let email = store.leads_by_index(&a, email_column(), &[b"bob"], None, 10);
    assert!(email.await.unwrap().is_empty());
}
