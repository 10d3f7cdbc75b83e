//! Rounds one after the other, for as long as the probe runs.

use std::time::Duration;

use portcullis_telemetry::BackgroundTask;
use rand::rngs::StdRng;
use tokio::time::MissedTickBehavior;

use super::{
    client::Client,
    journeys::{self, Round},
};
use crate::{
    clock::SystemClock,
    observe::{Journey, ProbeMetrics},
};

const TASK: BackgroundTask = BackgroundTask::new("probe");

/// What the journeys share. None waits for another.
#[derive(Debug)]
pub(super) struct Rounds {
    client: Client,
    metrics: ProbeMetrics,
    interval: Duration,
}

impl Rounds {
    pub(super) const fn new(client: Client, metrics: ProbeMetrics, interval: Duration) -> Self {
        Self {
            client,
            metrics,
            interval,
        }
    }

    /// Goes on one journey again and again, until it is dropped.
    pub(super) async fn repeat(&self, journey: Journey, mut random: StdRng) {
        let mut beat = tokio::time::interval(self.interval);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut in_a_row = 0_u32;
        loop {
            beat.tick().await;
            let round = async {
                let round = journeys::round(&self.client, journey, &mut random, &SystemClock).await;
                in_a_row = self.tell(journey, &round, in_a_row);
            };
            TASK.run(round).await;
        }
    }

    /// Tells what came of a round; how many in a row have failed by now.
    fn tell(&self, journey: Journey, round: &Round, before: u32) -> u32 {
        for tried in round.tried() {
            let succeeded = tried.came_of_it.is_ok();
            self.metrics.tried(tried.step, succeeded, tried.took);
            if let Err(failure) = &tried.came_of_it {
                let (journey, step) = (journey.as_str(), tried.step.as_str());
                tracing::warn!(journey, step, why = %failure, "a step of the probe failed");
            }
        }
        for step in round.not_reached() {
            self.metrics.not_reached(step);
        }
        let failed_at = round.failed_at();
        let in_a_row = match failed_at {
            Some(_) => before.saturating_add(1),
            None => 0,
        };
        if before > 0 && in_a_row == 0 {
            let journey = journey.as_str();
            tracing::info!(journey, "a journey of the probe succeeds again");
        }
        self.metrics.round_ended(journey, failed_at, in_a_row);
        in_a_row
    }
}
