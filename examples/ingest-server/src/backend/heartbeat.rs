//! Whether the Redis that limits are counted on takes what this process writes.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use portcullis_ratelimit::store::RedisHeartbeat;
use portcullis_telemetry::{BackgroundTask, Database, Statement};

/// Beats that were missed since the last that Redis took.
#[derive(Debug, Default)]
pub(super) struct MissedBeats(AtomicU32);

/// What the script is called by.
const BEAT: Statement = Statement::Command("EVALSHA");
const TASK: BackgroundTask = BackgroundTask::new("heartbeat");

/// From one beat to the next, as a [`RedisHeartbeat`] has it by default, and from a missed one to the next.
const EVERY: Duration = Duration::from_secs(2);
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// One alone may be missed by a machine that is busy for as long as a deadline.
const OUTAGE: u32 = 2;

impl MissedBeats {
    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn are_outage(&self) -> bool {
        self.count() >= OUTAGE
    }

    /// Notes a beat; an outage begins and ends with a line in the log each.
    fn note<E: Error + 'static>(&self, beat: Result<(), E>) {
        match beat {
            Ok(()) => {
                if self.0.swap(0, Ordering::Relaxed) >= OUTAGE {
                    tracing::info!("the heartbeat of this process is on record again");
                }
            }
            Err(error) => {
                let missed = self.count().saturating_add(1);
                self.0.store(missed, Ordering::Relaxed);
                if missed == OUTAGE {
                    tracing::warn!(
                        error = &error as &dyn Error,
                        "the heartbeat of this process fails: others do not count it among those that share \
                         the limits, and their number stays what it was"
                    );
                }
            }
        }
    }
}

/// Tells other processes that this one is there, until it is dropped.
pub(super) async fn beat(heartbeat: RedisHeartbeat, redis: Database, missed: Arc<MissedBeats>) {
    loop {
        let noted = async {
            let beat = redis.span(BEAT, None);
            let beat = beat.run_async(heartbeat.beat(), |_| "unavailable");
            missed.note(beat.await.map(drop));
        };
        TASK.run(noted).await;
        let pause = if missed.count() == 0 {
            EVERY
        } else {
            AGAIN_AFTER
        };
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Missed;

    impl fmt::Display for Missed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("missed")
        }
    }

    impl Error for Missed {}

    #[test]
    fn one_missed_beat_is_no_outage_and_one_that_is_taken_ends_one() {
        let missed = MissedBeats::default();
        for (beat, count, is_outage) in [
            (Err(Missed), 1, false),
            (Ok(()), 0, false),
            (Err(Missed), 1, false),
            (Err(Missed), 2, true),
            (Err(Missed), 3, true),
            (Ok(()), 0, false),
        ] {
            missed.note(beat);
            assert_eq!((missed.count(), missed.are_outage()), (count, is_outage));
        }
    }
}
