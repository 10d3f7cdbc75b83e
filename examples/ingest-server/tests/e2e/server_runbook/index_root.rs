//! "Rotate the fingerprint secret".

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    host::{Host, Step},
    steps,
    traffic::Fleet,
};
use crate::harness::{count, wait_for};

const SECTION: &str = "Rotate the fingerprint secret";
const MINUTE: Duration = Duration::from_secs(60);

/// The live versions with their phases, as the page has them shown.
fn phases(host: &Host) -> Vec<(u64, String)> {
    let status = &host.json("index rotate --status")[0];
    let live = status["live"].as_array().unwrap().iter();
    live.map(|it| {
        let phase = it["phase"].as_str().unwrap().to_owned();
        (it["version"].as_u64().unwrap(), phase)
    })
    .collect()
}

fn live(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    let live = expected.iter();
    live.map(|(version, phase)| (*version, (*phase).to_owned()))
        .collect()
}

/// Waits for the phase, and until both servers have followed.
async fn reached(host: &Host, fleet: &Fleet, expected: &[(u64, &str)]) {
    wait_for("the phase", async || {
        (phases(host) == live(expected)).then_some(())
    })
    .await;
    followed(fleet, expected).await;
}

async fn followed(fleet: &Fleet, expected: &[(u64, &str)]) {
    for server in &fleet.servers {
        wait_for("the server to follow", async || {
            let metrics = server.metrics().await;
            let shown = metrics
                .iter()
                .filter(|(name, value)| name.starts_with("pii_index_phase{") && **value > 0.0);
            let shown: Vec<_> = shown.map(|(name, _)| name.clone()).collect();
            let is_shown = |(version, phase): &(u64, &str)| {
                shown.iter().any(|name| {
                    name.contains(&format!("\"{version}\""))
                        && name.contains(&format!("\"{phase}\""))
                })
            };
            (shown.len() == expected.len() && expected.iter().all(is_shown)).then_some(())
        })
        .await;
    }
    // What was under way before is done.
    fleet.ask_on().await;
}

/// Goes on with a rotation to its end: a phase that every server follows lasts no longer than that.
async fn go_through_phases(
    host: &Host,
    fleet: &Fleet,
    minutes: &mut u32,
    mut step: Step,
) -> String {
    let mut seen = phases(host);
    while !step.is_over() {
        let now = phases(host);
        if now != seen || *minutes == 0 {
            seen = now;
            let expected: Vec<_> = seen
                .iter()
                .map(|(version, phase)| (*version, phase.as_str()))
                .collect();
            followed(fleet, &expected).await;
            *minutes += 1;
            host.set_ahead(*minutes * MINUTE);
        }
        fleet.ask_on().await;
    }
    step.end()
}

#[tokio::test]
async fn the_fingerprint_secret_is_replaced_and_dropped() {
    assert_eq!(steps::count(SECTION), 3);
    let host = Host::new();
    let mut fleet = Fleet::start(&host).await;

    // 1. Run twice.
    host.follow(SECTION, 1);
    let added = host.read("index-roots");
    host.follow(SECTION, 1);
    assert_eq!(host.read("index-roots"), added);
    fleet.restart(&host).await;

    // 2. Killed when both versions are written, and given up.
    host.set_ahead(MINUTE);
    let step = host.begin(SECTION, 2);
    reached(&host, &fleet, &[(1, "enforced"), (2, "written")]).await;
    step.kill();
    let said = host.ingest("index rotate --version 2 --abandon", &[]);
    assert!(
        said.contains("version 2 is configured and not used"),
        "{said}"
    );
    reached(&host, &fleet, &[(1, "enforced")]).await;

    // Two that turn out to be the same stop it, and are listed.
    let twin = json!({ "email": "twin@example.com" });
    let first = fleet.servers[0].lead(&fleet.key, &twin).await;
    let mut database = host.data.connect().await;
    for statement in [
        "DELETE FROM lead_index WHERE lead = ?",
        "UPDATE lead SET email_fp = randomblob(18) WHERE id = ?",
    ] {
        sqlx::query(statement)
            .bind(&first)
            .execute(&mut database)
            .await
            .unwrap();
    }
    let second = fleet.servers[1].lead(&fleet.key, &twin).await;
    assert_ne!(first, second);
    let mut minutes = 2;
    host.set_ahead(minutes * MINUTE);
    let mut step = host.begin(SECTION, 2);
    reached(&host, &fleet, &[(1, "enforced"), (2, "written")]).await;
    minutes += 1;
    host.set_ahead(minutes * MINUTE);
    wait_for("it to stop", async || step.is_over().then_some(())).await;
    let said = step.said();
    assert!(said.contains("version 2 is not looked up yet"), "{said}");
    assert!(said.contains(&first) || said.contains(&second), "{said}");
    // Too early: nothing starts without what is in use.
    let said = host.fail(SECTION, 3);
    assert!(
        said.contains("PORTCULLIS_INDEX_ROOTS: version 1 is in use and not configured"),
        "{said}"
    );
    host.put_back("index-roots");
    assert_eq!(host.read("index-roots"), added);
    fleet.ask_on().await;
    host.ingest(
        "erase --tenant T --lead ID",
        &[("T", "acme"), ("ID", &first)],
    );

    // Run again, it goes on; killed, it goes on too.
    let step = host.begin(SECTION, 2);
    reached(&host, &fleet, &[(1, "retiring"), (2, "enforced")]).await;
    step.kill();
    let step = host.begin(SECTION, 2);
    minutes += 1;
    host.set_ahead(minutes * MINUTE);
    let said = go_through_phases(&host, &fleet, &mut minutes, step).await;
    assert!(
        said.contains("version 2 is the only one that is used"),
        "{said}"
    );
    assert_eq!(phases(&host), live(&[(2, "enforced")]));
    assert_eq!(count(&host.data, "lead_index WHERE version = 1").await, 0);
    let of_the_first = "lead WHERE substr(email_fp, 1, 2) = X'0001'";
    assert_eq!(count(&host.data, of_the_first).await, 0);

    // 3.
    let said = host.follow(SECTION, 3);
    assert!(said.contains("systemctl restart ingest-server"), "{said}");
    assert!(host.read("index-roots").starts_with("2:") && !host.read("index-roots").contains(','));
    assert!(!host.secret("before").exists() && !host.secret("new").exists());
    fleet.restart(&host).await;
    let found = Value::from(fleet.servers[0].lead(&fleet.key, &twin).await);
    assert_eq!(found, second);
    // An event from before is told by its source and id.
    let again = crate::harness::page_view(0);
    let answer = fleet.servers[0]
        .post("/v1/events", &fleet.key, &again)
        .send()
        .await;
    assert!(answer.unwrap().status().is_success());
    fleet.end(&host, 1).await;
}
