//! What the items of one batch are sealed with.

use std::sync::Arc;

use portcullis_keyring::Purpose;
use portcullis_pii_crypto::{Cipher, PiiKind};

use super::personal;
use crate::{
    pipeline::{
        authenticate::Caller, batch::Item, key_lookups::KeyLookups, pii::PiiOutcome,
        pii_span::PiiWork, rejection::Rejection, resolve::Resolved, services::Services,
    },
    quality::Reason,
};

/// A cipher with a primary key loaded for every purpose of the batch.
pub(super) async fn prepare(
    services: &Services,
    caller: &Caller,
    items: &[Item<Resolved>],
    work: &mut PiiWork,
) -> Result<Cipher, Rejection> {
    let kinds = work.kinds.iter().copied();
    let purposes: Vec<Purpose> = kinds.map(PiiKind::purpose).collect();
    let keys = KeyLookups::during(services.keyring.prepare(&caller.tenant, &purposes));
    let (keys, lookups) = keys.await;
    work.keys = lookups;
    let keys = keys.map_err(|error| {
        let outcome = work.all_failed(&error);
        for found in personal(items) {
            services.pii.sealed(found.value.kind(), outcome);
        }
        // For good: nobody is woken, and nothing is to be sent again.
        if outcome == PiiOutcome::KeyDestroyed {
            return Rejection::plain(Reason::AuthTenantErased);
        }
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "no data keys to seal with"
        );
        Rejection::plain(Reason::CapacityKeysUnavailable)
    })?;
    let cipher = Cipher::new(keys);
    Ok(cipher.with_observer(Arc::clone(&services.cipher_observer)))
}
