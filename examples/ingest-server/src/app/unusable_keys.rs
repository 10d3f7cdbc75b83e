//! Data keys that another process took out of use leave the memory of this one too, also while nobody asks for them.

use std::time::Duration;

use portcullis_keyring::Keyring;
use tracing::Instrument as _;

/// With it an erased tenant is forgotten within 10 s in every process.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Forgets them until it is dropped.
pub(super) async fn forget(keyring: Keyring) {
    let mut has_failed = false;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let span = tracing::info_span!(parent: None, "forget_unusable_keys");
        let looked = keyring.forget_unusable().instrument(span.clone());
        match looked.await {
            Ok(()) => has_failed = false,
            // Once for an outage, of which the database itself tells more.
            Err(error) if !has_failed => {
                has_failed = true;
                let error: &dyn std::error::Error = &error;
                span.in_scope(|| {
                    tracing::warn!(
                        error,
                        "unusable data keys may still be in memory; it is looked again"
                    );
                });
            }
            Err(_) => {}
        }
    }
}
