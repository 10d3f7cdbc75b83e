//! "Rotate the KEK".

use serde_json::json;

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

    // Too early, without step 2; and again, which does not lose the version that was put aside.
    let said = host.fail(SECTION, 4);
    assert!(
        said.contains("PORTCULLIS_KEKS_PRIMARY: names no version"),
        "{said}"
    );
    let said = host.fail(SECTION, 4);
    assert!(!said.contains("wraps"), "`before` is in its way: {said}");
    fleet.ask_on().await;
    host.put_back("keks");
    assert_eq!(host.read("keks"), added);

    // 2. One process has the new environment, the other not yet.
    host.follow(SECTION, 2);
    let new = host.start();
    let lead = json!({ "email": "new@example.com" });
    let id = new.lead(&fleet.key, &lead).await;
    for server in &fleet.servers {
        assert!(
            server
                .read_lead(&fleet.key, &id)
                .await
                .status()
                .is_success()
        );
    }
    assert!(new.terminate().success());
    host.follow(SECTION, 2);
    fleet.restart(&host).await;
    // Nothing starts without what still wraps something, and those that run go on.
    let (_, second) = added.split_once(',').unwrap();
    host.write("keks", second);
    let said = host.refused();
    // Of e-mail, phone and name, and what seals beside the audit log.
    let (before, after) = (
        "PORTCULLIS_KEKS: version 1 is missing, and ",
        " data keys are wrapped under it",
    );
    let count = said
        .split_once(before)
        .and_then(|(_, said)| said.split_once(after));
    let count: usize = count
        .and_then(|(count, _)| count.parse().ok())
        .unwrap_or_default();
    assert!((4..=5).contains(&count), "{said}");
    fleet.ask_on().await;
    host.write("keks", &added);

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
