//! The history of data quality, whose faults are remembered like those of any other statement.

use async_trait::async_trait;
use portcullis_dq_metrics::history::{
    HistoryBatch, HistoryError, HistorySample, QualityHistory, Retention, SampleQuery, TallyQuery,
    TallySum,
};
use portcullis_telemetry::Statement;

use super::{Watched, watch::TellsFault};
use crate::store::DatabaseFault;

/// Its tables, as `docs/formats.md` names them.
const TALLIES: &str = "dq_metrics_tally";
const SAMPLES: &str = "dq_metrics_sample";

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
