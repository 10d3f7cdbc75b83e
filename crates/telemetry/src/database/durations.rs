//! How long statements take.

use std::{num::NonZeroUsize, time::Duration};

use super::{DatabaseTarget, Statement};
use crate::metrics::{BoundedFamily, Buckets, ExemplarHistogram, MetricError, Registry};

/// The duration of statements, `db_client_operation_duration_seconds`, of all databases of a process.
///
/// Its labels are `db_system_name`, `db_namespace`, `db_operation_name`, `db_collection_name` and
/// `error_type`, empty where a span has none. Beyond 512 label sets they share one.
#[derive(Clone, Debug)]
pub struct DatabaseDurations(BoundedFamily<5, ExemplarHistogram>);

const MAX_SERIES: NonZeroUsize = NonZeroUsize::new(512).expect("not zero");

impl DatabaseDurations {
    /// The histogram in this registry, for [`Database::with_durations`](super::Database::with_durations).
    ///
    /// # Errors
    /// When the registry has it already: one serves all databases.
    pub fn register(registry: &Registry) -> Result<Self, MetricError> {
        let labels = [
            "db_system_name",
            "db_namespace",
            "db_operation_name",
            "db_collection_name",
            "error_type",
        ];
        let family = registry.exemplar_histogram_family(
            "db_client_operation_duration_seconds",
            "Time from a statement's begin to its outcome, as the client sees it",
            labels,
            Buckets::DATABASE_SECONDS,
            MAX_SERIES,
        )?;
        Ok(Self(family))
    }

    pub(super) fn observe(
        &self,
        target: &DatabaseTarget,
        statement: Statement,
        collection: Option<&'static str>,
        error: Option<&'static str>,
        took: Duration,
    ) {
        let labels = [
            target.system,
            target.namespace.as_deref().unwrap_or_default(),
            statement.operation().unwrap_or_default(),
            collection.unwrap_or_default(),
            error.unwrap_or_default(),
        ];
        self.0.with(labels).observe(took.as_secs_f64());
    }
}
