//! A store of your own: buckets as bytes under byte keys behind an async lock, as a database or a
//! key-value server would keep them. A test runs it through the public conformance suite.
//!
//! `cargo run -p portcullis-ratelimit --example own_store`

mod row;
mod store;

use std::{error::Error, sync::Arc};

use portcullis_ratelimit::{Category, RateLimitRequest, RateLimiter, Tier, policy::Policies};

use self::store::ByteStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let limiter = RateLimiter::builder()
        .policies(Policies::tier_defaults())
        .store(Arc::new(ByteStore::default()))
        .build()?;
    let batch = RateLimitRequest::new("acme", &Tier::FREE, &Category::INGEST).with_cost(15);
    assert!(limiter.check(&batch).await?.is_admitted());
    let second = limiter.check(&batch).await?;
    assert!(!second.is_admitted(), "5 of 20 tokens are left");
    Ok(())
}
