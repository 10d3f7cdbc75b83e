//! The audit log: rows are added and read, never changed.

use serde_json::json;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::failure::Failure;
use crate::{
    json,
    store::{AuditEntry, AuditEvent, AuditQuery, Named, StoreError},
    timestamp,
};

const INSERT: &str = "INSERT INTO audit_event (id, time, tenant, action, activity, actor_type, \
    actor_id, resource_type, resources, count, fields, reason, outcome, detail, refs, peer, trace) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const SELECT: &str = "SELECT n, id, time, tenant, action, activity, actor_type, actor_id, \
    resource_type, resources, count, fields, reason, outcome, detail, refs, peer, trace \
    FROM audit_event WHERE n < ";

/// Adds events, in their order.
pub(super) async fn append(
    tx: &mut SqliteConnection,
    events: &[AuditEvent],
) -> Result<(), Failure> {
    for AuditEvent { id, time, draft } in events {
        sqlx::query(INSERT)
            .bind(id.to_string())
            .bind(timestamp::format(*time))
            .bind(&draft.tenant)
            .bind(draft.action)
            .bind(draft.activity.as_str())
            .bind(draft.actor.kind())
            .bind(draft.actor.id())
            .bind(draft.resource_type)
            .bind(json!(draft.resources).to_string())
            .bind(i64::try_from(draft.count).unwrap_or(i64::MAX))
            .bind(json!(draft.fields).to_string())
            .bind(draft.reason.as_deref())
            .bind(draft.outcome.as_str())
            .bind(draft.detail)
            .bind(draft.refs.map(|id| id.to_string()))
            .bind(draft.peer.map(|address| address.to_string()))
            .bind(draft.trace.as_deref())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Events that match, newest first.
pub(super) async fn find(
    pool: &SqlitePool,
    query: &AuditQuery,
) -> Result<Vec<AuditEntry>, Failure> {
    let before = query.before.and_then(|n| i64::try_from(n.get()).ok());
    let mut statement = QueryBuilder::<Sqlite>::new(SELECT);
    statement.push_bind(before.unwrap_or(i64::MAX));
    let outcome = query.outcome.map(|outcome| outcome.as_str().to_owned());
    for (column, value) in [
        (" AND tenant = ", query.tenant.clone()),
        (" AND actor_id = ", query.actor.clone()),
        (" AND action = ", query.action.clone()),
        (" AND outcome = ", outcome),
    ] {
        if let Some(value) = value {
            statement.push(column).push_bind(value);
        }
    }
    statement.push(" ORDER BY n DESC LIMIT ");
    statement.push_bind(i64::from(query.limit.get()));
    let rows = statement.build().fetch_all(pool).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &SqliteRow) -> Result<AuditEntry, Failure> {
    let list = |column| -> Result<Vec<String>, Failure> {
        let text: String = row.try_get(column)?;
        let list = json::read(text.as_bytes()).ok();
        let list = list.and_then(|list| serde_json::from_value(list).ok());
        list.ok_or_else(|| StoreError::Malformed("list of an audit event").into())
    };
    let number = |column| -> Result<u64, Failure> {
        let number: i64 = row.try_get(column)?;
        let number = u64::try_from(number);
        number.map_err(|_| StoreError::Malformed("number of an audit event").into())
    };
    let resource_type: String = row.try_get("resource_type")?;
    let resources = list("resources")?.into_iter().map(|id| Named {
        kind: resource_type.clone(),
        id,
    });
    Ok(AuditEntry {
        n: number("n")?,
        id: row.try_get("id")?,
        time: row.try_get("time")?,
        tenant: row.try_get("tenant")?,
        action: row.try_get("action")?,
        activity: row.try_get("activity")?,
        actor: Named {
            kind: row.try_get("actor_type")?,
            id: row.try_get("actor_id")?,
        },
        resources: resources.collect(),
        count: number("count")?,
        fields: list("fields")?,
        reason: row.try_get("reason")?,
        outcome: row.try_get("outcome")?,
        detail: row.try_get("detail")?,
        refs: row.try_get("refs")?,
        peer: row.try_get("peer")?,
        trace: row.try_get("trace")?,
    })
}
