//! What every [`Store`] must do with the events of the audit log.

use std::num::{NonZeroU16, NonZeroU64};

use time::OffsetDateTime;
use uuid::Uuid;

use super::write_group;
use crate::store::{
    Activity, AuditActor, AuditDraft, AuditEntry, AuditEvent, AuditOutcome, AuditQuery, Group,
    Named, Receipt, Store, StoreError,
};

pub(super) async fn audit_events_are_kept_in_one_piece_and_found(store: &impl Store) {
    let one = audit_event(1, "acme", AuditOutcome::Success);
    let two = audit_event(2, "other", AuditOutcome::Unknown);
    append(store, [one.clone(), two.clone()]).await.unwrap();
    // One that is there already takes the whole group with it.
    let three = audit_event(3, "acme", AuditOutcome::Denied);
    append(store, [three.clone(), one.clone()])
        .await
        .unwrap_err();
    append(store, [three]).await.unwrap();

    let all = AuditQuery {
        tenant: None,
        actor: None,
        action: None,
        outcome: None,
        before: None,
        limit: NonZeroU16::MAX,
    };
    let found = store.audit_events(&all).await.unwrap();
    let numbers: Vec<u64> = found.iter().map(|event| event.n).collect();
    assert_eq!(numbers, [3, 2, 1]);
    let expected = AuditEntry {
        n: 1,
        id: one.id.to_string(),
        time: "1970-01-01T00:00:01.000Z".to_owned(),
        tenant: "acme".to_owned(),
        action: "lead.read".to_owned(),
        activity: "read".to_owned(),
        actor: Named {
            kind: "api_key".to_owned(),
            id: "kid".to_owned(),
        },
        resources: ["a", "b"]
            .map(|id| Named {
                kind: "lead".to_owned(),
                id: id.to_owned(),
            })
            .into(),
        count: 2,
        fields: vec!["lead.email".to_owned()],
        reason: Some("why".to_owned()),
        outcome: "success".to_owned(),
        detail: None,
        refs: Some(two.id.to_string()),
        peer: Some("2001:db8::1".to_owned()),
        trace: Some("0".repeat(32)),
    };
    assert_eq!(found.last(), Some(&expected));
    let text = |text: &str| Some(text.to_owned());
    let queries = [
        (
            AuditQuery {
                tenant: text("acme"),
                ..all.clone()
            },
            vec![3, 1],
        ),
        (
            AuditQuery {
                tenant: text("nobody"),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditQuery {
                actor: text("kid"),
                ..all.clone()
            },
            vec![3, 2, 1],
        ),
        (
            AuditQuery {
                actor: text("' OR 1"),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditQuery {
                action: text("lead.search"),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditQuery {
                outcome: Some(AuditOutcome::Denied),
                ..all.clone()
            },
            vec![3],
        ),
        (
            AuditQuery {
                before: NonZeroU64::new(3),
                ..all.clone()
            },
            vec![2, 1],
        ),
        (
            AuditQuery {
                before: Some(NonZeroU64::MAX),
                ..all.clone()
            },
            vec![3, 2, 1],
        ),
        (
            AuditQuery {
                limit: NonZeroU16::MIN,
                ..all
            },
            vec![3],
        ),
    ];
    for (query, expected) in queries {
        let found = store.audit_events(&query).await.unwrap();
        let numbers: Vec<u64> = found.iter().map(|event| event.n).collect();
        assert_eq!(numbers, expected, "{query:?}");
    }
}

/// Nor is anything of the refused ones kept.
pub(super) async fn an_event_that_is_refused_takes_no_write_with_it(store: &impl Store) {
    let twice = event(1, "acme");
    let group = Group {
        audit: vec![twice.clone(), twice],
        writes: vec![super::event("a", "1", b"x")],
    };
    let committed = write_group(store, group).await.unwrap();
    committed.audit.unwrap_err();
    assert_eq!(committed.receipts, [Receipt::Stored]);
    append(store, [event(1, "acme")]).await.unwrap();
}

async fn append<const N: usize>(
    store: &impl Store,
    events: [AuditEvent; N],
) -> Result<(), StoreError> {
    let group = Group {
        audit: events.into(),
        ..Group::default()
    };
    write_group(store, group).await?.audit
}

pub(super) fn event(number: u8, tenant: &str) -> AuditEvent {
    audit_event(number, tenant, AuditOutcome::Success)
}

fn audit_event(number: u8, tenant: &str, outcome: AuditOutcome) -> AuditEvent {
    AuditEvent {
        id: Uuid::from_bytes([number; 16]),
        time: OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(i64::from(number)),
        draft: AuditDraft {
            tenant: tenant.to_owned(),
            action: "lead.read",
            activity: Activity::Read,
            actor: AuditActor::ApiKey("kid".to_owned()),
            resource_type: "lead",
            resources: vec!["a".to_owned(), "b".to_owned()],
            count: 2,
            fields: vec!["lead.email"],
            reason: Some("why".to_owned()),
            outcome,
            detail: None,
            refs: Some(Uuid::from_bytes([2; 16])),
            peer: Some("2001:db8::1".parse().unwrap()),
            trace: Some("0".repeat(32)),
        },
    }
}
