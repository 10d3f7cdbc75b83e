//! What is taken out of the tables.

use sqlx::{Encode, Executor, IntoArguments, Type};

use super::{Dialect, TableWriter};
use crate::{history::Retention, labels::OTHER};

impl<DB: Dialect> TableWriter<'_, DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    /// Notes that a tenant is erased, and removes what there is of it; says how many rows that were.
    pub(in crate::history) async fn erase_tenant(
        &mut self,
        tenant: &str,
    ) -> Result<u64, sqlx::Error> {
        let tenant = DB::storable(tenant);
        let note = "INSERT INTO dq_metrics_erased (tenant) VALUES ($1) ON CONFLICT DO NOTHING";
        self.change(note, tenant.clone()).await?;
        let mut removed = 0;
        for delete in [
            "DELETE FROM dq_metrics_tally WHERE tenant = $1",
            "DELETE FROM dq_metrics_receipt WHERE tenant = $1",
            "DELETE FROM dq_metrics_version WHERE tenant = $1",
            DELETE_SAMPLES,
        ] {
            removed += self.change(delete, tenant.clone()).await?;
        }
        removed += self.change(DELETE_SAMPLES, OTHER.to_owned()).await?;
        Ok(removed)
    }

    /// Removes what is older than it may become; says how many rows and samples that were.
    pub(in crate::history) async fn prune(&mut self, keep: Retention) -> Result<u64, sqlx::Error> {
        let (tallies, samples) = (keep.tallies_from, keep.samples_from);
        let mut removed = 0;
        for (delete, before) in [
            (
                "DELETE FROM dq_metrics_tally WHERE hour < $1",
                tallies.first_hour().value(),
            ),
            (
                "DELETE FROM dq_metrics_receipt WHERE day < $1",
                tallies.value(),
            ),
            (
                "DELETE FROM dq_metrics_version WHERE day < $1",
                tallies.value(),
            ),
            (
                "DELETE FROM dq_metrics_sample WHERE day < $1",
                samples.value(),
            ),
        ] {
            removed += self.change(delete, i64::from(before)).await?;
        }
        // Their writers have ended long ago, or add a batch that makes them known again.
        let writers = i64::from(tallies.min(samples).value());
        let delete = "DELETE FROM dq_metrics_writer WHERE day < $1";
        self.change(delete, writers).await?;
        Ok(removed)
    }

    /// Runs a statement about one value; says how many rows it changed.
    async fn change<T>(&mut self, statement: &'static str, value: T) -> Result<u64, sqlx::Error>
    where
        for<'q> T: Encode<'q, DB> + Type<DB>,
    {
        let statement = sqlx::query::<DB>(statement).bind(value);
        let outcome = statement.execute(&mut *self.connection).await?;
        Ok(DB::changed(&outcome))
    }
}

const DELETE_SAMPLES: &str = "DELETE FROM dq_metrics_sample WHERE tenant = $1";
