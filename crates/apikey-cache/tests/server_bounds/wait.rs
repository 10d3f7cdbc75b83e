//! Waits for what has to happen.

use std::time::{Duration, Instant};

/// How long anything that has to happen may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// Polls until `met` gives something.
pub(crate) async fn wait_for<T>(what: &str, mut met: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(result) = met().await {
            return result;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
