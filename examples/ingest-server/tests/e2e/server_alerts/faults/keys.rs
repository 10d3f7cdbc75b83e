//! API keys and data keys.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use tokio::time::sleep;

use super::{Stage, command, execute, go_on, scraped, start, start_on, stop};
use crate::{
    harness::{ALL_SCOPES, Data, page_view, run_to_end, wait_for},
    key_checks::revoke,
};

pub(super) async fn a_row_of_a_key_is_edited(stage: &Stage) {
    let server = start();
    let key = server.issue_tier("acme", "free", &ALL_SCOPES).await;
    let instance = stage.watch(&server);
    stage.healthy().await;
    let tier = |tier: &str| format!("UPDATE apikey_cache_api_key SET tier = '{tier}'");
    execute(server.data(), tier("enterprise")).await;
    let cause = stage.now();
    let answer = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::UNAUTHORIZED);
    cause.fires("KeyRowTampered", &instance, "pager").await;
    stage.all_fired().await;
    execute(server.data(), tier("free")).await;
    stage.now().resolves("KeyRowTampered", &instance).await;
}

/// A process that is stopped does not answer for them, and the one that waits for its lease is stopped too.
pub(super) async fn revocations_are_held(stage: &Stage) {
    let data = Data::new();
    let [server, other] = [(); 2].map(|()| start_on(&data));
    let (instance, stopped) = (stage.watch(&server), stage.watch(&other));
    let mut keys = Vec::new();
    for _ in 0..12 {
        keys.push(server.issue("acme", &ALL_SCOPES).await);
    }
    stage.healthy().await;
    let cause = stage.now();
    stop(&other);
    let revoking = join_all(keys.iter().map(|key| revoke(&server, key)));
    let holding = async {
        wait_for("revocations", async || {
            let revoked = "SELECT count(*) FROM apikey_cache_api_key WHERE status = 'revoked'";
            let revoked = sqlx::query_scalar::<_, i64>(revoked);
            let revoked = revoked.fetch_one(&mut data.connect().await).await.unwrap();
            (revoked == 12).then_some(())
        })
        .await;
        stop(&server);
        sleep(Duration::from_secs(4)).await;
        go_on(&server);
    };
    tokio::join!(revoking, holding);
    cause.fires("RevocationLate", &instance, "pager").await;
    cause.fires("FailingAtLowTraffic", "", "tickets").await;
    cause.fires("TargetDown", &stopped, "pager").await;
    stage.all_fired().await;
    go_on(&other);
    let mended = stage.now();
    mended.resolves("TargetDown", &stopped).await;
    mended.resolves("RevocationLate", &instance).await;
}

pub(super) async fn data_keys_are_old(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let instance = stage.watch(&server);
    stage.healthy().await;
    let age = |days: i64| {
        let by = days * 86_400_000;
        format!("UPDATE keyring_data_key SET created_at = created_at - {by}")
    };
    let cause = stage.now();
    execute(server.data(), age(98)).await;
    cause.fires("KeyOverdue", &instance, "tickets").await;
    stage.all_fired().await;
    execute(server.data(), age(-98)).await;
    stage.now().resolves("KeyOverdue", &instance).await;
}

/// There were as many rows an hour ago that need a key which is no primary one any more.
pub(super) async fn nobody_seals_again(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for number in 0..5 {
        let email = format!("{number}@b.example");
        server.lead(&key, &json!({ "email": email })).await;
    }
    let instance = stage.watch(&server);
    let rows = format!(
        "keyring_rows{{job=\"portcullis\",instance=\"{instance}\",state=\"decrypt-only\"}}"
    );
    stage.has_seen(&rows, 5, 0);
    stage.healthy().await;
    let cause = stage.now();
    let rotate = ["keys", "rotate", "--tenant", "acme", "--purpose", "email"];
    let rotated = run_to_end(command(server.data()).args(rotate));
    assert!(rotated.status.success(), "{rotated:?}");
    cause.fires("RotationStalled", &instance, "tickets").await;
    stage.all_fired().await;
    scraped().await;
    let sealed = run_to_end(command(server.data()).args(["keys", "reencrypt"]));
    assert!(sealed.status.success(), "{sealed:?}");
    stage.now().resolves("RotationStalled", &instance).await;
}
