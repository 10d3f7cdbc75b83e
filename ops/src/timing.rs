//! How long it takes from a cause to a message, at the intervals of `prometheus.yml` and `alertmanager.yml`.

use std::time::Duration;

/// How often Prometheus asks the service.
pub(crate) const SCRAPE: Duration = Duration::from_secs(15);

/// How long the service may take to answer; one that does not is down from then on.
pub(crate) const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often rules are evaluated.
pub(crate) const EVALUATION: Duration = Duration::from_secs(15);

/// How long Alertmanager waits for more of the same.
pub(crate) const GROUP_WAIT: Duration = Duration::from_secs(10);

/// A page is on its way within this: two minutes, without what it takes to be delivered.
pub(crate) const MOST: Duration = Duration::from_secs(110);

/// How long it takes at most, where the condition begins to hold `climbs` after its cause and has to hold for `held`.
pub(crate) fn worst_case(climbs: Duration, held: Duration) -> Duration {
    SCRAPE + EVALUATION + climbs + held + GROUP_WAIT
}
