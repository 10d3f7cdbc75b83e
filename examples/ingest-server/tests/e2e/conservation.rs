//! What was received is accounted for.

use std::collections::BTreeMap;

use crate::harness::{Server, wait_for};

/// What the counters of one scrape say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Conservation {
    received: f64,
    /// The sum of all outcomes.
    outcomes: f64,
    unaccounted: f64,
}

impl Conservation {
    pub(crate) async fn of(server: &Server) -> Self {
        Self::in_scrape(&server.metrics().await)
    }

    pub(crate) fn in_scrape(metrics: &BTreeMap<String, f64>) -> Self {
        let sum = |name: &str| -> f64 {
            let of_name = metrics.iter().filter(|(key, _)| key.starts_with(name));
            of_name.map(|(_, value)| value).sum()
        };
        Self {
            received: sum("dq_received_total"),
            outcomes: sum("dq_outcomes_total"),
            unaccounted: metrics["dq_unaccounted"],
        }
    }

    /// So many received, each of which has an outcome.
    pub(crate) const fn balanced(received: f64) -> Self {
        Self {
            received,
            outcomes: received,
            unaccounted: 0.0,
        }
    }

    fn is_balanced(self) -> bool {
        self == Self::balanced(self.received)
    }
}

/// After requests whose answers were all waited for.
pub(crate) async fn assert_balanced(server: &Server) {
    let conservation = Conservation::of(server).await;
    assert!(
        conservation.received > 0.0 && conservation.is_balanced(),
        "{conservation:?}"
    );
}

/// After requests whose senders went away: they end later, and a scrape meanwhile shows each metric as of
/// another moment.
pub(crate) async fn assert_balanced_at_rest(server: &Server) {
    let balanced = wait_for("everything to end and to have an outcome", async || {
        let metrics = server.metrics().await;
        let conservation = Conservation::in_scrape(&metrics);
        let at_rest =
            metrics["ingest_requests_in_flight"] == 0.0 && metrics["ingest_body_bytes"] == 0.0;
        (at_rest && conservation.is_balanced()).then_some(conservation)
    })
    .await;
    assert!(balanced.received > 0.0, "{balanced:?}");
}
