//! Once a day it is found out whether the audit log is what it has signed.

use std::time::Duration;

use crate::admin::Verifications;

/// After the start, which has enough to do.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// Where an operator's is under way.
const AGAIN: Duration = Duration::from_secs(60 * 60);

/// Starts a verification each day, until it is dropped. That ends none.
pub(super) async fn run(verifications: Verifications) {
    tokio::time::sleep(FIRST).await;
    loop {
        let next = match verifications.start_daily() {
            Ok(_) => EVERY,
            Err(_) => AGAIN,
        };
        tokio::time::sleep(next).await;
    }
}
