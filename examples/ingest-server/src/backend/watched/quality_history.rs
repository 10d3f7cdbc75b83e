//! The history of data quality, whose faults are remembered like those of any other statement.

use async_trait::async_trait;
use portcullis_dq_metrics::history::{
    ErasedTenant, HistoryBatch, HistoryError, HistoryQuery, HistorySample, QualityHistory,
    ReceiptSum, Retention, SampleQuery, TallyQuery, TallySum, VersionSum,
};
use portcullis_telemetry::Statement;

use super::{Watched, watch::TellsFault};
use crate::store::DatabaseFault;

/// Its tables, as `docs/formats.md` names them.
const TALLIES: &str = "dq_metrics_tally";
const RECEIPTS: &str = "dq_metrics_receipt";
const VERSIONS: &str = "dq_metrics_version";
const SAMPLES: &str = "dq_metrics_sample";
const ERASED: &str = "dq_metrics_erased";

impl Watched<dyn QualityHistory> {
    fn check(&self) -> Result<(), HistoryError> {
        let checked = self.watch.check();
        checked.map_err(|fault| HistoryError::Unavailable(fault.into()))
    }
}

#[async_trait]
impl QualityHistory for Watched<dyn QualityHistory> {
    async fn write(&self, batch: &HistoryBatch) -> Result<(), HistoryError> {
        self.check()?;
        self.watch
            .ask(
                Statement::Insert,
                TALLIES,
                self.turns.write(|| self.store.write(batch)),
            )
            .await
    }

    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<TallySum>, HistoryError> {
        self.watch
            .ask(Statement::Select, TALLIES, self.store.tallies(query))
            .await
    }

    async fn samples(&self, query: &SampleQuery) -> Result<Vec<HistorySample>, HistoryError> {
        self.watch
            .ask(Statement::Select, SAMPLES, self.store.samples(query))
            .await
    }

    async fn receipts(&self, query: &HistoryQuery) -> Result<Vec<ReceiptSum>, HistoryError> {
        self.watch
            .ask(Statement::Select, RECEIPTS, self.store.receipts(query))
            .await
    }

    async fn versions(&self, query: &HistoryQuery) -> Result<Vec<VersionSum>, HistoryError> {
        self.watch
            .ask(Statement::Select, VERSIONS, self.store.versions(query))
            .await
    }

    async fn erase_tenant(&self, tenant: &str) -> Result<u64, HistoryError> {
        self.check()?;
        self.watch
            .ask(
                Statement::Delete,
                TALLIES,
                self.turns.write(|| self.store.erase_tenant(tenant)),
            )
            .await
    }

    async fn erased_tenants(&self, after: u64) -> Result<Vec<ErasedTenant>, HistoryError> {
        self.watch
            .ask(Statement::Select, ERASED, self.store.erased_tenants(after))
            .await
    }

    async fn prune(&self, keep: Retention) -> Result<u64, HistoryError> {
        self.check()?;
        self.watch
            .ask(
                Statement::Delete,
                TALLIES,
                self.turns.write(|| self.store.prune(keep)),
            )
            .await
    }
}

impl TellsFault for HistoryError {
    fn fault(&self) -> Option<DatabaseFault> {
        matches!(self, Self::Damaged(_)).then_some(DatabaseFault::Corrupt)
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "corrupt",
            _ => "unavailable",
        }
    }
}
