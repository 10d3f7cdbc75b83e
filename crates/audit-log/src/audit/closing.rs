//! A log that is being closed ends in time, whatever hangs.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{Shared, left_behind::LeftBehind, publisher::Publisher, shared::Phase, writer::Writer};

/// The longest that a log takes to be closed, from [`Audit::close`](super::Audit::close) on: to write what it has taken,
/// to publish that, and to give the checkpoint to its anchors.
///
/// What the store has not taken by then is told ([`LeftUnwritten`](crate::observer::Event::LeftUnwritten)), and so is each
/// anchor that has not answered. What is not published, the next process publishes.
pub const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// What is left of it when nothing is waited for any more.
const TO_TELL: Duration = Duration::from_secs(1);

/// A log that is being closed has no time left.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the audit log was closed before there was an answer")]
pub(super) struct Late;

impl Shared {
    /// What comes of something, if it comes before a log that is being closed has no time left.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Late> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.out_of_time() => Err(Late),
        }
    }

    pub(super) fn is_late(&self) -> bool {
        *self.late.borrow()
    }

    async fn out_of_time(&self) {
        let mut late = self.late.subscribe();
        // Its sender is here.
        let _ = late.wait_for(|is_late| *is_late).await;
    }

    /// Returns when nobody can record any more.
    pub(super) async fn ended(&self) {
        let mut phase = self.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase != Phase::Open).await;
    }
}

/// Writes and publishes, and ends in time.
pub(super) async fn drive(
    shared: Arc<Shared>,
    writer: Writer,
    publisher: Publisher,
    left_behind: LeftBehind,
) {
    let writing = async {
        tokio::join!(writer.run(), left_behind.run());
    };
    let working = publisher.run(writing);
    let closing = async {
        shared.ended().await;
        sleep(CLOSE_WAIT.saturating_sub(TO_TELL)).await;
        shared.late.send_replace(true);
        sleep(TO_TELL).await;
    };
    tokio::select! {
        biased;
        () = working => {}
        () = closing => {}
    }
}
