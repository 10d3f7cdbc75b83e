//! Requirements 8: what holds under load and when something fails.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::{
    future::join_all,
    stream::{FuturesUnordered, StreamExt as _},
};
use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    conservation::assert_balanced,
    harness::{ALL_SCOPES, Server, page_view, readiness, wait_for},
    tier_limits::limit_for_good,
};

const ROWS: &str = include_str!("../../../../../benches/rows.toml");
const MEASURED: &str = include_str!("../../../../../docs/benchmarks.md");

/// The 95th percentile of answers is below 120 ms under load. That is measured by `scripts/bench`; here it is held that
/// it has this goal and met it, and that the service counts what is later.
///
/// Also: `e2e::objectives::each_answer_event_and_revocation_has_one_verdict`,
/// `attack::latencies::of_a_hundred_the_95th_counts`.
#[tokio::test]
async fn r8_1_p95_is_measured_against_120_ms() {
    assert!(ROWS.contains(r#"{ of = "p95 at full throughput", ours_most = 120, slack = 2.0 }"#));
    let row = MEASURED
        .lines()
        .find(|line| line.contains("p95 at full throughput"));
    let row = row.unwrap();
    assert!(row.contains("≤ 120 ms") && row.contains("| met |"), "{row}");
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    server
        .post("/v1/events", &key, &page_view(1))
        .send()
        .await
        .unwrap();
    let samples = server.metrics().await;
    let verdict = |verdict: &str| {
        samples[&format!("slo_requests_total{{slo=\"latency\",verdict=\"{verdict}\"}}")]
    };
    assert_eq!(verdict("good") + verdict("bad"), 1.0);
}

/// What was acknowledged is there, also after the process was killed.
///
/// Also: `e2e::crash::kill_9_in_the_middle_of_a_load_loses_nothing_acknowledged`,
/// `e2e::crash::sigterm_under_load_ends_with_0_within_10_seconds_and_loses_nothing`,
/// `e2e::pressure::a_full_disk_is_told_and_what_was_acknowledged_stays`.
#[tokio::test]
async fn r8_2_nothing_that_was_acknowledged_is_lost() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut acknowledged = BTreeSet::new();
    let mut is_killed = false;
    for round in 0.. {
        let requests = (0..8).map(|n| {
            let id = format!("{round}-{n}");
            let request = server.post("/v1/events", &key, &page_view(&id)).send();
            async { (id, request.await) }
        });
        let mut answers: FuturesUnordered<_> = requests.collect();
        while let Some((id, answer)) = answers.next().await {
            if answer.is_ok_and(|answer| answer.status() == StatusCode::ACCEPTED) {
                acknowledged.insert(id);
            }
            // While the others of the round are under way.
            if acknowledged.len() > 100 && !is_killed {
                let pid = Pid::from_raw(server.pid().cast_signed()).unwrap();
                kill_process(pid, Signal::KILL).unwrap();
                is_killed = true;
            }
        }
        if is_killed {
            break;
        }
    }
    let data = server.data().clone();
    server.kill();
    let server = Server::start_on(&data);
    let stored = sqlx::query_scalar("SELECT id FROM event");
    let stored: Vec<String> = stored.fetch_all(&mut data.connect().await).await.unwrap();
    let stored: BTreeSet<String> = stored.into_iter().collect();
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "{lost:?}");
    // A sender who repeats it is told that it is there.
    let again = server
        .post("/v1/events", &key, &page_view("0-0"))
        .send()
        .await;
    let again: Value = again.unwrap().json().await.unwrap();
    assert_eq!(again["duplicates"], 1);
}

/// A tenant that sends more than it may, or more than there is room for, takes nothing from the others.
///
/// Also: `e2e::shares::slow_bodies_of_one_key_leave_other_tenants_every_answer`,
/// `e2e::shares::rows_that_wait_are_bounded_in_bytes_for_each_tenant`, `attack::batches::batches_of_a_thousand`.
#[tokio::test]
async fn r8_3_one_tenant_cannot_starve_the_others() {
    let server = Server::start();
    limit_for_good(&server, [("ingest", 50)]).await;
    let hasty = server.issue_tier("hasty", "free", &ALL_SCOPES).await;
    let calm = server.issue_tier("calm", "standard", &ALL_SCOPES).await;
    let flood =
        join_all((0..100).map(|id| server.post("/v1/events", &hasty, &page_view(id)).send()));
    let others = async {
        for id in 0..20 {
            let answer = server
                .post("/v1/events", &calm, &page_view(id))
                .send()
                .await;
            assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
        }
    };
    let (flood, ()) = tokio::join!(flood, others);
    let passed = flood.into_iter().filter(|answer| {
        let answer = answer.as_ref().unwrap();
        answer.status() == StatusCode::ACCEPTED
    });
    assert!(passed.count() <= 50);
}

/// Bad input gets an error that says what is wrong, and costs nothing that came with it.
///
/// Also: `e2e::bad_input::each_bad_input_has_its_own_problem_and_repeats_nothing`,
/// `e2e::duplicates::of_a_batch_of_1000_with_10_broken_990_are_stored_and_10_named`.
#[tokio::test]
async fn r8_4_bad_input_gets_a_clear_error_and_costs_nothing_else() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut broken = page_view("broken");
    broken["data"] = json!({ "url": 7 });
    let batch = json!([page_view(1), broken, page_view(2)]);
    let answer = server
        .post("/v1/events", &key, &batch)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["accepted"], 2);
    let rejected = &answer["rejected"][0];
    assert_eq!(
        (&rejected["index"], &rejected["id"]),
        (&json!(1), &json!("broken"))
    );
    assert!(
        rejected["detail"].as_str().unwrap().contains("/url"),
        "{rejected}"
    );
    assert_balanced(&server).await;
}

/// The service says whether it lives and whether it is ready, with the part that is not, and ends in order within ten
/// seconds when it is told to.
///
/// Also: `e2e::health::a_component_whose_table_cannot_be_used_is_down_until_it_is_put_back`,
/// `e2e::shutdown::a_stuck_admin_body_and_a_locked_database_do_not_delay_the_end_beyond_10_seconds`,
/// `e2e::degraded::anyone_may_ask_how_the_service_does_and_no_objective_counts_it`.
#[tokio::test]
async fn r8_5_health_is_told_and_the_end_is_in_order() {
    let server = Server::start();
    let healthy = server.admin(Method::GET, "/healthz").send().await.unwrap();
    assert_eq!(healthy.status(), StatusCode::OK);
    assert_eq!(readiness(&server).await.0, StatusCode::OK);
    let break_it = sqlx::query("ALTER TABLE event RENAME TO gone");
    break_it
        .execute(&mut server.data().connect().await)
        .await
        .unwrap();
    let components = wait_for("an answer that it is not ready", async || {
        let (status, components) = readiness(&server).await;
        (status == StatusCode::SERVICE_UNAVAILABLE).then_some(components)
    })
    .await;
    assert_eq!(components["database"]["state"], "down", "{components}");
    assert!(components["database"]["action"].is_string(), "{components}");
    let mend = sqlx::query("ALTER TABLE gone RENAME TO event");
    mend.execute(&mut server.data().connect().await)
        .await
        .unwrap();
    wait_for("an answer that it is ready again", async || {
        (readiness(&server).await.0 == StatusCode::OK).then_some(())
    })
    .await;
    let asked = Instant::now();
    assert_eq!(server.terminate().code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(10));
}
