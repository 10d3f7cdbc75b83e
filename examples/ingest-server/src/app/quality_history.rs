//! What becomes of events is kept in the database, and written there in the background.

use std::time::Duration;

use portcullis_dq_metrics::history::HistoryWriter;
use portcullis_telemetry::BackgroundTask;
use tokio::{sync::oneshot, time::timeout};

use super::recording::Recording;
use crate::quality::Reason;

const TASK: BackgroundTask = BackgroundTask::new("write_quality_history");

/// What a process that is killed loses of it at most.
const EVERY: Duration = Duration::from_secs(10);

/// Writes the history until it is told that nothing is recorded any more.
pub(super) fn record(writer: HistoryWriter<Reason>) -> Recording {
    Recording::start("the history of data quality", |ended| write(writer, ended))
}

async fn write(mut writer: HistoryWriter<Reason>, mut ended: oneshot::Receiver<()>) {
    let mut fails = false;
    loop {
        let goes_on = timeout(EVERY, &mut ended).await.is_err();
        let flush = async {
            let flushed = writer.flush().await;
            match &flushed {
                Ok(()) if fails => tracing::info!("the history of data quality is written again"),
                Err(error) if !fails => {
                    let error: &dyn std::error::Error = error;
                    tracing::warn!(error, "the history of data quality cannot be written now");
                }
                _ => {}
            }
            flushed.is_err()
        };
        fails = TASK.run(flush).await;
        if !goes_on {
            return;
        }
    }
}
