//! How the objectives are kept, as the service tells it itself: of all processes of a database, and over their ends.

use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Key, Server, on_record, page_view, wait_for};

const SLOS: [&str; 4] = ["availability", "latency", "durable", "revocation"];

async fn report(server: &Server) -> Value {
    let answer = server.admin(Method::GET, "/admin/slo").send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

/// What is good and what counts, of each objective.
async fn told(server: &Server) -> [(u64, u64); 4] {
    let report = report(server).await;
    let slos = report["slos"].as_array().unwrap();
    let names: Vec<&str> = slos
        .iter()
        .map(|slo| slo["slo"].as_str().unwrap())
        .collect();
    assert_eq!(names, SLOS);
    std::array::from_fn(|slo| {
        let number = |member: &str| slos[slo][member].as_u64().unwrap();
        (number("good"), number("valid"))
    })
}

/// What the process counted since its start.
async fn counted(server: &Server) -> [(u64, u64); 4] {
    let metrics = server.metrics().await;
    SLOS.map(|slo| {
        let count = |verdict: &str| {
            let name = format!("slo_requests_total{{slo=\"{slo}\",verdict=\"{verdict}\"}}");
            metrics[&name].to_string().parse::<u64>().unwrap()
        };
        (count("good"), count("good") + count("bad"))
    })
}

/// What the database has.
async fn written(data: &Data) -> [(u64, u64); 4] {
    let mut connection = data.connect().await;
    let mut written = [(0, 0); 4];
    for (slo, written) in SLOS.iter().zip(&mut written) {
        let sums = "SELECT coalesce(sum(good), 0), coalesce(sum(good + bad), 0) FROM slo_bucket
                    WHERE slo = ?";
        let sums = sqlx::query_as(sums).bind(slo);
        let (good, valid): (i64, i64) = sums.fetch_one(&mut connection).await.unwrap();
        *written = (good.cast_unsigned(), valid.cast_unsigned());
    }
    written
}

/// One request with so many events, each of its own.
async fn send(server: &Server, key: &Key, name: &str, events: usize) -> StatusCode {
    let batch: Value = (0..events)
        .map(|n| page_view(format!("{name}-{n}")))
        .collect();
    let answer = server.post("/v1/events", key, &batch).send().await;
    answer.unwrap().status()
}

async fn wait_until_written(server: &Server, data: &Data) {
    wait_for("what was counted in the database", async || {
        (written(data).await == counted(server).await).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_told_equals_the_counters_and_what_was_sent() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let nothing = report(&server).await;
    for slo in nothing["slos"].as_array().unwrap() {
        assert_eq!(slo["state"], "no_data", "{slo}");
        assert_eq!((&slo["valid"], &slo["alerts"]), (&json!(0), &json!([])));
        for unknown in [&slo["sli"], &slo["budget_remaining"], &slo["burn"]["5m"]] {
            assert!(unknown.is_null(), "{slo}");
        }
    }
    let key = server.issue("acme", &ALL_SCOPES).await;
    for (name, events) in [("a", 3), ("b", 20), ("c", 1)] {
        let status = send(&server, &key, name, events).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    // What the sender has to change is good, and in no time.
    let wrong = server.request(Method::GET, "/v1/leads?colour=red", &key);
    assert!(wrong.send().await.unwrap().status().is_client_error());

    let all = told(&server).await;
    assert_eq!(all, counted(&server).await);
    let [availability, latency, durable, revocation] = all;
    assert_eq!(availability, (4, 4));
    assert_eq!(latency.1, 3);
    assert_eq!(durable.1, 24);
    assert_eq!(revocation, (0, 0));
    let report = report(&server).await;
    let available = &report["slos"][0];
    assert_eq!(available["state"], "ok", "{available}");
    assert_eq!(available["sli"], 1.0);
    assert_eq!(available["budget_remaining"], 1.0);
    assert_eq!(available["window"], "30d");
    let burn = json!({ "5m": 0.0, "1h": 0.0, "6h": 0.0, "3d": 0.0 });
    assert_eq!(available["burn"], burn);
    // Of 30 days there are some minutes.
    assert!(available["covered"].as_f64().unwrap() < 0.001);
    assert_eq!(report["slos"][3]["state"], "no_data");

    // The last of it is written at the end, and told by the next.
    assert!(server.terminate().success());
    assert_eq!(written(&data).await, all);
    let server = Server::start_on(&data);
    assert_eq!(counted(&server).await, [(0, 0); 4]);
    assert_eq!(told(&server).await, all);
    // Who looked is on record, each time.
    let looks = on_record(&server, "&action=slo.read").await;
    assert_eq!(looks.len(), 4, "{looks:?}");
}

#[tokio::test]
async fn of_a_process_that_was_killed_the_last_seconds_are_missing_and_no_more() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(send(&server, &key, "a", 40).await, StatusCode::ACCEPTED);
    wait_until_written(&server, &data).await;
    assert_eq!(send(&server, &key, "b", 2).await, StatusCode::ACCEPTED);
    let all = told(&server).await;
    assert_eq!(all[2].1, 42);
    server.kill();
    let server = Server::start_on(&data);
    let left = told(&server).await;
    assert_eq!(left, written(&data).await);
    assert!([40, 42].contains(&left[2].1), "{left:?}");
    assert!([1, 2].contains(&left[0].1), "{left:?}");
}

#[tokio::test]
async fn two_servers_on_one_database_add_up() {
    let data = Data::new();
    let (one, other) = (Server::start_on(&data), Server::start_on(&data));
    let key = one.issue("acme", &ALL_SCOPES).await;
    assert_eq!(send(&one, &key, "a", 5).await, StatusCode::ACCEPTED);
    assert_eq!(send(&other, &key, "b", 30).await, StatusCode::ACCEPTED);
    assert_eq!(send(&other, &key, "c", 100).await, StatusCode::ACCEPTED);
    let sum = async || {
        let (one, other) = (counted(&one).await, counted(&other).await);
        std::array::from_fn(|slo| (one[slo].0 + other[slo].0, one[slo].1 + other[slo].1))
    };
    let all: [_; 4] = sum().await;
    assert_eq!(all[2].1, 135);
    assert_eq!(all[0].1, 3);
    for server in [&one, &other] {
        // What the other counted it writes within seconds.
        wait_for("both in one report", async || {
            (told(server).await == all).then_some(())
        })
        .await;
    }
    assert!(other.terminate().success());
    assert_eq!(told(&one).await, all);
}

#[tokio::test]
async fn a_disk_without_room_loses_nothing_of_what_was_counted_once_it_has_some() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(send(&server, &key, "a", 3).await, StatusCode::ACCEPTED);
    let limit = |bytes| {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        let pid = Pid::from_raw(server.pid().cast_signed());
        prlimit(pid, Resource::Fsize, limit).unwrap();
    };
    limit(Some(0));
    for name in ["b", "c"] {
        let status = send(&server, &key, name, 3).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    wait_for("a history that cannot be written", async || {
        let metrics = server.metrics().await;
        let failed = metrics.keys().any(|name| {
            name.starts_with("db_client_operation_duration_seconds_count")
                && name.contains("\"slo_bucket\"")
                && !name.contains("error_type=\"\"")
        });
        failed.then_some(())
    })
    .await;
    limit(None);
    wait_until_written(&server, &data).await;
    let status = send(&server, &key, "d", 3).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let all = told(&server).await;
    assert_eq!(all, counted(&server).await);
    let [(good, valid), _, durable, _] = all;
    assert_eq!((good, valid), (2, 4));
    assert_eq!(durable.1, 6);
    // Half of it failed, and yet two failures are too few for an alert.
    let report = report(&server).await;
    let available = &report["slos"][0];
    assert_eq!(available["state"], "exhausted", "{available}");
    assert_eq!(available["alerts"], json!([]));
    wait_until_written(&server, &data).await;
    server.kill();
    let server = Server::start_on(&data);
    assert_eq!(told(&server).await, all);
}

#[tokio::test]
async fn a_locked_database_keeps_no_report_waiting_and_loses_nothing() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(send(&server, &key, "a", 7).await, StatusCode::ACCEPTED);
    let mut lock = data.connect().await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut lock)
        .await
        .unwrap();
    assert_eq!(told(&server).await, counted(&server).await);
    drop(lock);
    wait_until_written(&server, &data).await;
    assert_eq!(told(&server).await[2].1, 7);
}

#[tokio::test]
async fn a_parameter_is_refused() {
    let server = Server::start();
    for query in ["?days=7", "?slo=durable", "?window=1h"] {
        let path = format!("/admin/slo{query}");
        let answer = server.admin(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
    }
}
