//! The history of data quality, whose faults are remembered like those of any other statement.

use async_trait::async_trait;
use portcullis_dq_metrics::history::{
    HistoryBatch, HistoryError, HistorySample, QualityHistory, Retention, SampleQuery, TallyQuery,
    TallySum,
};

use super::{TellsFault, Watched};
use crate::store::DatabaseFault;

impl Watched<dyn QualityHistory> {
    fn check(&self) -> Result<(), HistoryError> {
        let checked = self.latch.check();
        checked.map_err(|fault| HistoryError::Unavailable(fault.into()))
    }
}

#[async_trait]
impl QualityHistory for Watched<dyn QualityHistory> {
    async fn write(&self, batch: &HistoryBatch) -> Result<(), HistoryError> {
        self.check()?;
        self.watch(self.turns.write(|| self.store.write(batch)).await)
    }

    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<TallySum>, HistoryError> {
        self.watch(self.store.tallies(query).await)
    }

    async fn samples(&self, query: &SampleQuery) -> Result<Vec<HistorySample>, HistoryError> {
        self.watch(self.store.samples(query).await)
    }

    async fn prune(&self, keep: Retention) -> Result<u64, HistoryError> {
        self.check()?;
        self.watch(self.turns.write(|| self.store.prune(keep)).await)
    }
}

impl TellsFault for HistoryError {
    fn fault(&self) -> Option<DatabaseFault> {
        matches!(self, Self::Damaged(_)).then_some(DatabaseFault::Corrupt)
    }
}
