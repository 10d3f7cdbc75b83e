//! What files of policies have in common.

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Server, wait_for};

/// Waits until the last change that such a follower made is on record as done: it is in force before that.
pub(crate) async fn wait_until_on_record(server: &Server, actor: &str, action: &str) {
    wait_for("the change to be on record", async || {
        let path = format!("/admin/audit/events?actor={actor}");
        let events = server.admin(Method::GET, &path).send().await;
        let events: Value = events.unwrap().json().await.unwrap();
        let last = &events["events"][0];
        assert_eq!(last["action"], action, "{events}");
        (last["outcome"] == "success").then_some(())
    })
    .await;
}
