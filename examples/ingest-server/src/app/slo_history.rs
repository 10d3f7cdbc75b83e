//! What becomes of what is promised is kept in the database, and written there in the background.

use std::sync::Arc;

use portcullis_telemetry::BackgroundTask;
use tokio::{sync::oneshot, time::timeout};

use super::recording::Recording;
use crate::slo::SloRecorder;

const TASK: BackgroundTask = BackgroundTask::new("write_slo_history");

/// Writes the history until it is told that nothing is counted any more.
pub(super) fn record(recorder: Arc<SloRecorder>) -> Recording {
    Recording::start("the history of objectives", |ended| write(recorder, ended))
}

async fn write(recorder: Arc<SloRecorder>, mut ended: oneshot::Receiver<()>) {
    let mut fails = false;
    loop {
        let goes_on = timeout(recorder.pause(), &mut ended).await.is_err();
        let flush = async {
            let flushed = recorder.flush().await;
            match &flushed {
                Ok(()) if fails => tracing::info!("the history of objectives is written again"),
                Err(error) if !fails => {
                    let error: &dyn std::error::Error = error;
                    tracing::warn!(error, "the history of objectives cannot be written now");
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
