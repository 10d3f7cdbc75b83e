//! Redis does not stand in for the database: what is not written there is not told.

use super::fleet::on_redis;
use crate::{harness::Data, locked_revocations::assert_bounded_and_told, programs::Redis};

#[tokio::test]
async fn a_revocation_that_cannot_be_written_is_told_to_nobody() {
    let redis = Redis::start().await;
    let data = Data::new();
    assert_bounded_and_told(&data, on_redis(&data, &redis)).await;
}
