//! Once a day it is found out whether the audit log is what it has signed.

use std::time::Duration;

use crate::{admin::Verifications, audit::Leadership};

/// After the start, which has enough to do, or once the process that did so is gone.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// Where an operator's is under way.
const AGAIN: Duration = Duration::from_secs(60 * 60);

/// Starts a verification each day once this process leads, until it is dropped. That ends none.
pub(super) async fn run(verifications: Verifications, leadership: Leadership) {
    let each_day = async {
        tokio::time::sleep(FIRST).await;
        loop {
            let next = match verifications.start_daily() {
                Ok(_) => EVERY,
                Err(_) => AGAIN,
            };
            tokio::time::sleep(next).await;
        }
    };
    leadership.lead(each_day).await;
}
