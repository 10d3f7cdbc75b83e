//! "Rotate the KEK".

use super::{host::Host, steps, traffic::Fleet};

const SECTION: &str = "Rotate the KEK";

#[tokio::test]
async fn the_kek_is_replaced_and_dropped() {
    assert_eq!(steps::count(SECTION), 4);
    let host = Host::new();
    let mut fleet = Fleet::start(&host).await;

    // 1. It stops half way, for a reason of its own; run again, it adds the version once.
    host.configure("canary = 1");
    host.fail(SECTION, 1);
    let added = host.read("keks");
    fleet.ask_on().await;
    host.configure("");
    host.follow(SECTION, 1);
    assert_eq!(host.read("keks"), added);
    assert_eq!(added.matches(",2:").count(), 1);
    fleet.restart(&host).await;

    // Too early: nothing is dropped that wraps something.
    let said = host.fail(SECTION, 4);
    assert!(
        said.contains("PORTCULLIS_KEKS: version 1 is missing, and"),
        "{said}"
    );
    let said = host.fail(SECTION, 4);
    assert!(!said.contains("wraps"), "`before` is in its way: {said}");
    fleet.ask_on().await;
    host.put_back("keks");
    assert_eq!(host.read("keks"), added);

    // 2. One process has the new environment, the other not yet; undone, and done again.
    host.follow(SECTION, 2);
    let old = host.start();
    fleet.restart(&host).await;
    let id = old.lead(
        &fleet.key,
        &serde_json::json!({ "email": "new@example.com" }),
    );
    let id = id.await;
    assert!(
        fleet.servers[0]
            .read_lead(&fleet.key, &id)
            .await
            .status()
            .is_success()
    );
    assert!(old.terminate().success());
    host.follow(SECTION, 2);

    // 3. Run twice.
    let said = host.follow(SECTION, 3);
    assert!(said.contains("version 2 wraps"), "{said}");
    assert!(!said.contains("version 1 wraps"), "{said}");
    fleet.ask_on().await;
    let said = host.follow(SECTION, 3);
    assert!(said.contains(" 0 wrapped again, 0 failed"), "{said}");

    // 4. Now it can go.
    let said = host.follow(SECTION, 4);
    assert!(said.contains("systemctl restart ingest-server"), "{said}");
    assert!(!host.read("keks").contains("1:") && host.read("keks").starts_with("2:"));
    assert!(!host.secret("before").exists() && !host.secret("new").exists());
    fleet.restart(&host).await;
    fleet.end(&host, 1).await;
}
