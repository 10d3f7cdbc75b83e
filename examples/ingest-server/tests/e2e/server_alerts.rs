//! Alerts fire for their causes: the committed rules and routes, a real Prometheus, a real Alertmanager, and faults.
//!
//! Every change has one alert fire, with all intervals at a second. With `INGEST_TEST_ALERTS=committed` (scripts/nightly)
//! the intervals are the committed ones, and every alert there is has to arrive at its receiver within 120 s of its
//! cause, and to resolve when that is mended, unless it looks back over longer than a test.

#[path = "server_alerts/demo.rs"]
mod demo;
#[path = "server_alerts/edited_metrics.rs"]
mod edited_metrics;
#[path = "server_alerts/faults.rs"]
mod faults;
#[path = "server_alerts/receivers.rs"]
mod receivers;
#[path = "server_alerts/senders.rs"]
mod senders;
#[path = "server_alerts/stage.rs"]
mod stage;
#[path = "server_alerts/watch.rs"]
mod watch;

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use self::{
    faults::{FAULTS, storage::disk_is_full},
    senders::Sender,
    stage::{PAGE, Stage, assert_leads_to_a_runbook},
    watch::{JOB, Target, Watch, as_committed},
};
use crate::harness::{ADMIN_TOKEN, ALL_SCOPES, Server, page_view};

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_arrives_with_its_runbook() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let instance = server.admin_address().to_owned();
    let target = Target {
        job: JOB,
        address: instance.clone(),
    };
    let watch = Watch::over(&[target], ADMIN_TOKEN, "").await;
    // Two scrapes before the fault: of what was born at 1 nothing would be seen.
    let heartbeat = watch.told("PortcullisWatchdog", "", "firing", PAGE).await;
    assert_eq!(heartbeat.receiver, "heartbeat");
    let _sender = Sender::of_events(&server, &key.text, 5);
    tokio::time::sleep(Duration::from_secs(2)).await;
    disk_is_full(&server, true);
    let began = Instant::now();
    let told = watch
        .told("PortcullisCommitFailing", &instance, "firing", PAGE)
        .await;
    println!(
        "PortcullisCommitFailing: {:.1} s",
        (told.at - began).as_secs_f64()
    );
    assert_eq!(told.receiver, "pager");
    assert_leads_to_a_runbook(&told);
    disk_is_full(&server, false);
    let event = server.post("/v1/events", &key, &page_view("after"));
    assert_eq!(event.send().await.unwrap().status(), StatusCode::ACCEPTED);
}

/// Takes seven minutes or more, and does nothing but in `scripts/nightly`.
#[tokio::test(flavor = "multi_thread")]
async fn each_alert_arrives_within_two_minutes_of_its_cause_and_resolves() {
    if !as_committed() {
        return;
    }
    let stage = Stage::new(FAULTS.len());
    let faults = FAULTS.iter().map(|fault| fault(&stage));
    tokio::join!(stage.run(), futures_util::future::join_all(faults));
    stage.assert_all();
}
