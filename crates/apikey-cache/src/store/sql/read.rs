//! What is asked of the records.

use std::{collections::BTreeMap, num::NonZeroU16};

use sqlx::{Encode, Executor, IntoArguments, Type};

use super::{Dialect, Tables, row};
use crate::{
    kid::Kid,
    pepper::PepperVersion,
    store::{KeyQuery, KeyRecord, PepperRows, StoreError, UnixMillis},
    tenant::TenantId,
};

/// Every column by its name: a statement that is kept for a connection must give the same ones when a later
/// version has added one. At another `sqlx` panics in SQLite, and PostgreSQL refuses the statement.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT kid, tenant, tier, scopes, status, version, not_before, expires_at, created_at, \
             last_used, pepper_version, hash, row_mac FROM apikey_cache_api_key ",
            $rest
        )
    };
}

/// From the end of an index that has the active ones alone.
pub(in crate::store) const RECENTLY_USED: &str = "\
    SELECT kid FROM apikey_cache_api_key \
    WHERE status = 'active' AND last_used >= $1 ORDER BY last_used DESC LIMIT $2";

/// One pass over an index that has all of it; where the tag's version stands in a kid is part of the format.
pub(in crate::store) const COUNT_BY_PEPPER: &str = "\
    SELECT pepper_version, min(kid) AS kid, count(*) AS number FROM apikey_cache_api_key \
    WHERE status = 'active' AND (expires_at IS NULL OR expires_at > $1) \
    GROUP BY pepper_version, substr(kid, 13, 3)";

impl<DB: Dialect> Tables<'_, DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    pub(in crate::store) async fn load(self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        let row = sqlx::query::<DB>(select_keys!("WHERE kid = $1"))
            .bind(kid.to_string())
            .fetch_optional(self.0)
            .await
            .map_err(DB::failed)?;
        row.as_ref().map(row::record).transpose()
    }

    pub(in crate::store) async fn list(
        self,
        query: &KeyQuery,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        let statement = match &query.tenant {
            None => select_keys!("WHERE kid > $1 ORDER BY kid LIMIT $2"),
            Some(_) => {
                select_keys!("WHERE kid > $1 AND tenant = $3 ORDER BY kid LIMIT $2")
            }
        };
        let mut listed = sqlx::query::<DB>(statement)
            .bind(query.after.as_ref().map_or("", Kid::as_str).to_owned())
            .bind(i64::from(query.limit.get()));
        if let Some(tenant) = &query.tenant {
            listed = listed.bind(tenant.to_string());
        }
        let rows = listed.fetch_all(self.0).await;
        rows.map_err(DB::failed)?.iter().map(row::record).collect()
    }

    pub(in crate::store) async fn recently_used(
        self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        let rows = sqlx::query::<DB>(RECENTLY_USED)
            .bind(since.value())
            .bind(i64::from(limit.get()))
            .fetch_all(self.0)
            .await;
        rows.map_err(DB::failed)?.iter().map(row::kid).collect()
    }

    pub(in crate::store) async fn rows_by_pepper(
        self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        let groups = sqlx::query::<DB>(COUNT_BY_PEPPER)
            .bind(at.value())
            .fetch_all(self.0)
            .await;
        let mut rows = BTreeMap::<_, PepperRows>::new();
        for group in &groups.map_err(DB::failed)? {
            let number = row::count(group)?;
            rows.entry(row::pepper(group)?).or_default().hashed += number;
            if let Some(version) = row::kid(group)?.tag_version() {
                rows.entry(version).or_default().tagged += number;
            }
        }
        Ok(rows)
    }

    pub(in crate::store) async fn tenant_alike(
        self,
        tenant: &TenantId,
    ) -> Result<Option<TenantId>, StoreError> {
        let row = sqlx::query::<DB>(DB::TENANT_ALIKE)
            .bind(tenant.to_string())
            .fetch_optional(self.0)
            .await
            .map_err(DB::failed)?;
        row.as_ref().map(row::tenant).transpose()
    }
}
