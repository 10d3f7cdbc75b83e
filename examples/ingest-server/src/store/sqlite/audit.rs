//! The audit log: rows are added and read, never changed.

use rusqlite::{Connection, params};
use serde_json::json;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};

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
pub(super) fn append(connection: &Connection, events: &[AuditEvent]) -> Result<(), Failure> {
    let mut insert = connection.prepare_cached(INSERT)?;
    for AuditEvent { id, time, draft } in events {
        insert.execute(params![
            id.to_string(),
            timestamp::Text::of(*time).as_str(),
            draft.tenant,
            draft.action,
            draft.activity.as_str(),
            draft.actor.kind(),
            draft.actor.id(),
            draft.resource_type,
            json!(draft.resources).to_string(),
            i64::try_from(draft.count).unwrap_or(i64::MAX),
            json!(draft.fields).to_string(),
            draft.reason,
            draft.outcome.as_str(),
            draft.detail,
            draft.refs.map(|id| id.to_string()),
            draft.peer.map(|address| address.to_string()),
            draft.trace,
        ])?;
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
