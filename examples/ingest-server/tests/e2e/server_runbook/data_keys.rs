//! "Rotate the data keys", to their destruction after seven days.

use std::time::Duration;

use serde_json::Value;

use super::{host::Host, steps, traffic::Fleet};
use crate::harness::wait_for;

const SECTION: &str = "Rotate the data keys";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Those that rows are sealed under; what seals what lies beside the audit log goes with its tenant.
fn keys(host: &Host, state: &str) -> Vec<Value> {
    let mut keys = host.json(&format!("keys list --state {state}"));
    keys.retain(|key| key["purpose"] != "audit");
    keys
}

fn ids(keys: &[Value]) -> Vec<String> {
    let ids = keys.iter().map(|key| key["key"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn data_keys_are_replaced_and_destroyed() {
    assert_eq!(steps::count(SECTION), 6);
    let host = Host::new();
    let fleet = Fleet::start(&host).await;
    let old = ids(&keys(&host, "primary"));
    assert_eq!(old.len(), 3, "of e-mail, phone and name");

    // 1. Killed when the new ones are made and seal nothing yet; run again, it goes on with them.
    let step = host.begin(SECTION, 1);
    let made = wait_for("new keys", async || {
        Some(ids(&keys(&host, "pending"))).filter(|it| it.len() == old.len())
    })
    .await;
    step.kill();
    fleet.ask_on().await;
    host.follow(SECTION, 1);
    let mut sealing = ids(&keys(&host, "primary"));
    sealing.sort();
    let mut made = made;
    made.sort();
    assert_eq!(sealing, made);
    assert_eq!(ids(&keys(&host, "decrypt-only")), old);

    // Too soon, and rows need them.
    let said = host.fail(SECTION, 4);
    assert!(said.contains("it is too soon: try again in"), "{said}");
    // Every server seals under the new keys, and what was under way before is committed.
    settled(&host, &fleet).await;
    host.set_ahead(MINUTE);
    let said = host.fail(SECTION, 4);
    assert!(said.contains("rows still need the key"), "{said}");

    // 2. Killed while it goes over the rows, at some moment; run again, it ends, and again there is nothing.
    let mut step = host.begin(SECTION, 2);
    wait_for("rows", async || {
        let left = keys(&host, "decrypt-only");
        let before: u64 = left.iter().map(|key| key["rows"].as_u64().unwrap()).sum();
        (before < 30 || step.is_over()).then_some(())
    })
    .await;
    step.kill();
    host.follow(SECTION, 2);
    let said = host.follow(SECTION, 2);
    assert!(said.contains("0 sealed again"), "{said}");
    fleet.ask_on().await;

    // 3.
    let said = host.follow(SECTION, 3);
    assert!(said.contains(" rows opened, 0 of them not"), "{said}");
    assert!(!said.contains("decrypt-only"), "{said}");

    // 4. One is taken back, and goes again.
    host.follow(SECTION, 4);
    assert_eq!(ids(&keys(&host, "disabled")), old);
    host.ingest("keys restore KEY", &[("KEY", &old[0])]);
    assert_eq!(ids(&keys(&host, "decrypt-only")), [old[0].clone()]);
    host.set_ahead(3 * MINUTE);
    host.follow(SECTION, 4);
    host.follow(SECTION, 4);
    assert_eq!(ids(&keys(&host, "disabled")), old);
    fleet.ask_on().await;

    // 5. Run twice.
    let said = host.follow(SECTION, 5);
    assert_eq!(said.matches("is destroy-scheduled").count(), old.len());
    assert!(host.follow(SECTION, 5).is_empty());

    // 6. Not before seven days are over.
    host.set_ahead(7 * DAY - MINUTE);
    let said = host.fail(SECTION, 6);
    assert!(said.contains("it is too soon: try again in"), "{said}");
    assert_eq!(ids(&keys(&host, "destroy-scheduled")), old);
    host.set_ahead(7 * DAY + 5 * MINUTE);
    fleet.ask_on().await;
    let said = host.follow(SECTION, 6);
    assert_eq!(said.matches("is destroyed").count(), old.len());
    assert_eq!(ids(&keys(&host, "destroyed")), old);
    for key in keys(&host, "destroyed") {
        assert_eq!(
            (&key["rows"], &key["kek_version"]),
            (&0.into(), &Value::Null)
        );
    }
    assert!(keys(&host, "destroy-scheduled").is_empty());
    fleet.end(&host, 0).await;
}

/// Waits until what both servers write needs none of the old keys.
async fn settled(host: &Host, fleet: &Fleet) {
    let rows = || -> Vec<Value> { keys(host, "decrypt-only") };
    let mut before = rows();
    wait_for("servers to follow", async || {
        fleet.ask_on().await;
        fleet.ask_on().await;
        let now = rows();
        let is_settled = now
            .iter()
            .zip(&before)
            .all(|(now, before)| now["rows"] == before["rows"]);
        before = now;
        is_settled.then_some(())
    })
    .await;
}
