//! The table of an earlier audit log: rows are read, and nothing else.

use rusqlite::{Connection, Row, params_from_iter, types::ToSql};

use super::failure::Failure;
use crate::{
    json,
    store::{EarlierEntry, EarlierQuery, Named, StoreError},
};

const SELECT: &str = "SELECT n, id, time, tenant, action, activity, actor_type, actor_id, \
    resource_type, resources, count, fields, reason, outcome, detail, refs, peer, trace \
    FROM audit_event WHERE n < ?1";

/// Events that match, newest first.
pub(super) fn find(
    connection: &Connection,
    query: &EarlierQuery,
) -> Result<Vec<EarlierEntry>, Failure> {
    let before = query.before.and_then(|n| i64::try_from(n.get()).ok());
    let before = before.unwrap_or(i64::MAX);
    let limit = query.limit.get();
    let mut statement = SELECT.to_owned();
    let mut values: Vec<&dyn ToSql> = vec![&before, &limit];
    for (column, value) in [
        ("tenant", &query.tenant),
        ("actor_id", &query.actor),
        ("action", &query.action),
        ("outcome", &query.outcome),
    ] {
        if value.is_some() {
            values.push(value);
            statement += &format!(" AND {column} = ?{}", values.len());
        }
    }
    statement += " ORDER BY n DESC LIMIT ?2";
    let mut select = connection.prepare_cached(&statement)?;
    let mut rows = select.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry(row)?);
    }
    Ok(found)
}

fn entry(row: &Row<'_>) -> Result<EarlierEntry, Failure> {
    let list = |column| -> Result<Vec<String>, Failure> {
        let text: String = row.get(column)?;
        let list = json::read(text.as_bytes()).ok();
        let list = list.and_then(|list| serde_json::from_value(list).ok());
        list.ok_or_else(|| StoreError::Malformed("list of an audit event").into())
    };
    let number = |column| -> Result<u64, Failure> {
        let number: i64 = row.get(column)?;
        let number = u64::try_from(number);
        number.map_err(|_| StoreError::Malformed("number of an audit event").into())
    };
    let resource_type: String = row.get("resource_type")?;
    let resources = list("resources")?.into_iter().map(|id| Named {
        kind: resource_type.clone(),
        id,
    });
    Ok(EarlierEntry {
        n: number("n")?,
        id: row.get("id")?,
        time: row.get("time")?,
        tenant: row.get("tenant")?,
        action: row.get("action")?,
        activity: row.get("activity")?,
        actor: Named {
            kind: row.get("actor_type")?,
            id: row.get("actor_id")?,
        },
        resources: resources.collect(),
        count: number("count")?,
        fields: list("fields")?,
        reason: row.get("reason")?,
        outcome: row.get("outcome")?,
        detail: row.get("detail")?,
        refs: row.get("refs")?,
        peer: row.get("peer")?,
        trace: row.get("trace")?,
    })
}
