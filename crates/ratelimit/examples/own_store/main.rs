//! A store of your own: buckets as bytes under byte keys behind an async lock, as a database or a
//! key-value server would keep them. A test runs it through the public conformance suite.
//!
//! `cargo run -p portcullis-ratelimit --example own_store`

mod row;

use std::{collections::HashMap, error::Error, sync::Arc};

use portcullis_ratelimit::{
    Category, RateLimiter, Request, Tier,
    policy::{MAX_LIMITS, Policies},
    store::{Charge, ChargeFuture, Store, StoreError},
};
use tokio::sync::Mutex;

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
            Ok(pending.outcome())
        })
    }
}

fn malformed() -> StoreError {
    StoreError::Malformed("a row of the rate limits is not a bucket".into())
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let limiter = RateLimiter::builder()
        .policies(Policies::tier_defaults())
        .store(Arc::new(ByteStore::default()))
        .build()?;
    let batch = Request::new("acme", &Tier::FREE, &Category::INGEST).with_cost(15);
    assert!(limiter.check(&batch).await?.is_admitted());
    let second = limiter.check(&batch).await?;
    assert!(!second.is_admitted(), "5 of 20 tokens are left");
    Ok(())
}
