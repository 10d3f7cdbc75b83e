//! What the service counts for its objectives is what became of requests, events and revocations.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use crate::{
    harness::{ALL_SCOPES, Server, page_view},
    movement::assert_moved,
};

/// How many verdicts there are now, as in the order availability, latency, durable, revocation, each good and bad.
async fn verdicts(server: &Server) -> [f64; 8] {
    let metrics = server.metrics().await;
    let mut found = [0.0; 8];
    let names = ["availability", "latency", "durable", "revocation"];
    let all = names.iter().flat_map(|slo| [(slo, "good"), (slo, "bad")]);
    for (place, (slo, verdict)) in found.iter_mut().zip(all) {
        let sample = format!("slo_requests_total{{slo=\"{slo}\",verdict=\"{verdict}\"}}");
        *place = metrics[&sample];
    }
    found
}

#[tokio::test]
async fn each_answer_event_and_revocation_has_one_verdict() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let nothing = verdicts(&server).await;
    assert_eq!(
        nothing, [0.0; 8],
        "every series is there before anything has happened"
    );

    // Three events that are accepted, one that came before, and one that is refused, in two requests.
    let batch = json!([page_view(1), page_view(2), page_view(3), { "id": "broken" }]);
    for body in [batch, json!([page_view(1)])] {
        let answer = server.post("/v1/events", &key, &body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    // What the sender has to change is no failure of the service; what is no route is nothing.
    for path in ["/v1/leads?colour=red", "/nowhere"] {
        let answer = server
            .request(Method::GET, path, &key)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_client_error(), "{path}");
    }
    let [
        good,
        bad,
        in_time,
        late,
        durable,
        not_durable,
        revoked,
        not_revoked,
    ] = verdicts(&server).await;
    assert_eq!((good, bad), (3.0, 0.0));
    assert_eq!(in_time + late, 2.0);
    assert_eq!(durable + not_durable, 3.0);
    assert_eq!((revoked, not_revoked), (0.0, 0.0));

    // Of one that nobody waits for, the verdict is known only after the answer.
    let path = format!("/admin/api-keys/{}?wait=effective", key.kid);
    let answer = server.admin(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let [.., revoked, not_revoked] = verdicts(&server).await;
    assert_eq!(revoked + not_revoked, 1.0);
}

#[tokio::test]
async fn what_cannot_be_written_is_no_availability_and_no_event() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let pid = Pid::from_raw(server.pid().cast_signed());
    let limit = Rlimit {
        current: Some(0),
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).unwrap();
    let answer = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    let [good, bad, in_time, late, durable, not_durable, ..] = verdicts(&server).await;
    assert_eq!((good, bad), (0.0, 1.0));
    assert_eq!((in_time, late, durable, not_durable), (0.0, 0.0, 0.0, 0.0));
}

/// It never changes: before the start there is none.
#[tokio::test]
async fn the_room_of_the_queue_is_told() {
    let server = Server::start();
    let metrics = server.metrics().await;
    assert_moved(
        &BTreeMap::new(),
        &metrics,
        ["ingest_write_queue_capacity_rows"],
    );
    assert_eq!(metrics["ingest_write_queue_capacity_rows"], 8_192.0);
}
