//! Counts the rows that need each version of the pepper.

use std::collections::BTreeMap;

use sqlx::SqlitePool;

use super::{failed, row};
use crate::{
    pepper::PepperVersion,
    store::{PepperRows, StoreError, UnixMillis},
};

/// One pass over an index that has all of it; where the tag's version stands in a kid is part of the format.
pub(super) const COUNT: &str = "\
    SELECT pepper_version, min(kid) AS kid, count(*) AS number FROM apikey_cache_api_key \
    WHERE status = 'active' AND (expires_at IS NULL OR expires_at > ?1) \
    GROUP BY pepper_version, substr(kid, 13, 3)";

pub(super) async fn count(
    pool: &SqlitePool,
    at: UnixMillis,
) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
    let groups = sqlx::query(COUNT).bind(at.value()).fetch_all(pool).await;
    let mut rows = BTreeMap::<_, PepperRows>::new();
    for group in &groups.map_err(failed)? {
        let number = row::number(group)?;
        rows.entry(row::pepper(group)?).or_default().hashed += number;
        if let Some(version) = row::kid(group)?.tag_version() {
            rows.entry(version).or_default().tagged += number;
        }
    }
    Ok(rows)
}
