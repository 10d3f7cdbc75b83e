//! Leads that an earlier version wrote lack the values that this one finds them by. They get them while the
//! service runs, once.

use std::{future::pending, sync::Arc, time::Duration};

use portcullis_keyring::{Keyring, sweep::Cursor};
use portcullis_pii_crypto::{
    PiiKinds,
    reencrypt::{Reencryptor, Scope, SealedRows, SweepError},
};
use portcullis_telemetry::BackgroundTask;

use crate::store::{LiveIndexRoots, Store};

const TASK: BackgroundTask = BackgroundTask::new("index_earlier_leads");

/// What is remembered of it where the places of sweeps are.
const SWEEP: &str = "index-earlier-leads";
const DONE: &str = "index-earlier-leads done";

const AGAIN: Duration = Duration::from_secs(60);

/// Indexes them, and does nothing from then on.
pub(super) async fn index(store: Arc<dyn Store>, keyring: Keyring, roots: LiveIndexRoots) {
    loop {
        let indexing = async {
            let indexed = index_once(&*store, &keyring, &roots).await;
            if let Err(error) = &indexed {
                let error: &dyn std::error::Error = error;
                tracing::warn!(error, "leads of an earlier version are not indexed yet");
            }
            indexed.is_ok()
        };
        if TASK.run(indexing).await {
            return pending().await;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn index_once(
    store: &dyn Store,
    keyring: &Keyring,
    roots: &LiveIndexRoots,
) -> Result<(), SweepError> {
    // Without the roots nothing else works either; the next attempt may have them.
    let Ok(roots) = roots.present() else {
        return Ok(());
    };
    let scope = Scope::NotIndexed(roots.enforced_version());
    for rows in store.sealed_rows(&roots) {
        if rows.cursor(DONE).await?.is_none() {
            index_rows(&*rows, keyring, &scope).await?;
        }
    }
    Ok(())
}

async fn index_rows(
    rows: &dyn SealedRows,
    keyring: &Keyring,
    scope: &Scope,
) -> Result<(), SweepError> {
    if rows.count(scope).await? > 0 {
        let reencryptor = Reencryptor::new(keyring.clone(), PiiKinds::built_in());
        let report = reencryptor.run(rows, scope, SWEEP, &mut |_| {}).await?;
        tracing::info!(
            rows = report.progress.changed,
            "leads of an earlier version were indexed"
        );
        if report.progress.failed > 0 {
            tracing::warn!(
                rows = report.progress.failed,
                "leads of an earlier version cannot be indexed: see what a verification says of them"
            );
        }
    }
    let done = Cursor::new("all".to_owned());
    Ok(rows.set_cursor(DONE, Some(&done)).await?)
}
