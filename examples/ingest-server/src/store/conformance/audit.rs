//! What every [`Store`] must do with the events of the audit log.

use std::num::{NonZeroU16, NonZeroU64};

use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::{
    Activity, AuditActor, AuditDraft, AuditEntry, AuditEvent, AuditOutcome, AuditQuery, Named,
    Store,
};

pub(super) async fn audit_events_are_kept_in_one_piece_and_found(store: &impl Store) {
    let one = audit_event(1, "acme", AuditOutcome::Success);
    let two = audit_event(2, "other", AuditOutcome::Unknown);
    store
        .append_audit(&[one.clone(), two.clone()])
        .await
        .unwrap();
    // One that is there already takes the whole group with it.
    let three = audit_event(3, "acme", AuditOutcome::Denied);
    let group = [three.clone(), one.clone()];
    store.append_audit(&group).await.unwrap_err();
    store.append_audit(&[three]).await.unwrap();

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
