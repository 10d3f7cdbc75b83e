//! Rows to write.

use portcullis_keyring::{KeyId, TenantId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    lead::{LeadColumn, LeadId},
    store::{Asked, EventRow, ExpectedValue, IndexRow, LeadChange, LeadWrite, SealedColumn, Write},
};

pub(super) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

pub(super) fn id(number: u128) -> LeadId {
    LeadId(Uuid::from_u128(number))
}

pub(super) fn event(tenant_name: &str, event_id: &str, content: &[u8]) -> Write {
    let now = OffsetDateTime::UNIX_EPOCH;
    let row = EventRow {
        source: "test".to_owned(),
        id: event_id.to_owned(),
        content_fp: fingerprint(1, content),
        other_fps: Vec::new(),
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
        asked: Asked::Store,
        decided_at: None,
    }
}

/// A fingerprint under a version, as far as a store looks into it.
pub(super) fn fingerprint(version: u16, content: &[u8]) -> Vec<u8> {
    [&version.to_be_bytes(), content].concat()
}

pub(super) fn only_lead(lead: LeadWrite) -> Write {
    Write {
        tenant: tenant("a"),
        event: None,
        lead: Some(Box::new(lead)),
        asked: Asked::Store,
        decided_at: None,
    }
}

pub(super) fn with_lead(event_id: &str, lead: LeadWrite) -> Write {
    Write {
        lead: Some(Box::new(lead)),
        ..event("a", event_id, b"content")
    }
}

pub(super) fn lead(number: u128, change: LeadChange, email: &[u8]) -> LeadWrite {
    let columns = vec![column(email, b"sealed")];
    LeadWrite {
        id: id(number),
        change,
        expected: (change == LeadChange::Merge).then(|| expected(email)),
        columns,
        cleared: Vec::new(),
        at: OffsetDateTime::UNIX_EPOCH,
    }
}

pub(super) fn expected(email: &[u8]) -> ExpectedValue {
    ExpectedValue {
        column: email_column(),
        value: email.to_vec(),
    }
}

pub(super) fn column(index: &[u8], sealed: &[u8]) -> SealedColumn {
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

pub(super) fn email_column() -> &'static LeadColumn {
    LeadColumn::identity()
}

pub(super) fn phone_column() -> &'static LeadColumn {
    LeadColumn::searchable()
        .find(|column| column.name() == "phone")
        .unwrap()
}
