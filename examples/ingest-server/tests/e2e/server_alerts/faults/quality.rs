//! What senders send.

use super::{Sender, Stage, start};
use crate::harness::ALL_SCOPES;

/// Of what a tenant has sent today nearly all was good.
pub(super) async fn a_client_that_broke(stage: &Stage) {
    let server = start();
    let key = server.issue("broken", &ALL_SCOPES).await;
    stage.watch(&server);
    let received = "dq_received_total{job=\"portcullis\",instance=\"earlier\",tenant=\"broken\"}";
    stage.has_seen(received, 0, 100);
    let good = Sender::of_events(&server, &key.text, 2);
    stage.healthy().await;
    drop(good);
    let cause = stage.now();
    let _broken = Sender::of_broken_events(&server, &key.text, 10);
    cause.fires("QualityDrop", "", "tickets").await;
    stage.all_fired().await;
}
