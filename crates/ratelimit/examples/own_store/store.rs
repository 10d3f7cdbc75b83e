//! Buckets as bytes under byte keys, read and written in one step.

use std::collections::HashMap;

use portcullis_ratelimit::{
    policy::MAX_LIMITS,
    store::{Charge, ChargeFuture, Source, Store, StoreError},
};
use tokio::sync::Mutex;

use super::row;

#[derive(Debug, Default)]
pub(crate) struct ByteStore {
    rows: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Store for ByteStore {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        ChargeFuture::boxed(async move {
            // One step: read all, decide, write all, with no other charge in between.
            let mut rows = self.rows.lock().await;
            let mut buckets = [None; MAX_LIMITS];
            for target in charge.targets() {
                if let Some(bytes) = rows.get(&row::key(charge.partition(), &target)) {
                    let bucket = row::decode(bytes).ok_or_else(malformed)?;
                    buckets[target.position()] = Some(bucket);
                }
            }
            let pending = charge.decide(charge.now(), |target| buckets[target.position()]);
            for (target, bucket) in pending.updates() {
                rows.insert(row::key(charge.partition(), &target), row::encode(&bucket));
            }
            Ok(pending.outcome().with_source(Source::Other))
        })
    }
}

fn malformed() -> StoreError {
    StoreError::Malformed("a row of the rate limits is not a bucket".into())
}
