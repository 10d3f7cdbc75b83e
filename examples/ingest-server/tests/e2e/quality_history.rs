//! What became of events, over days: kept over restarts, shown to operators, removed when it is old.

use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, Server, count, on_record, page_view},
    movement::assert_moved,
};

const DAY: i64 = 24;

/// Hours since 1970, as the database counts them.
fn this_hour() -> i64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap() / 3_600
}

/// What is counted by the hour and shown by the day is looked at within one: what an hour ends in begins again.
async fn within_an_hour<T: Future<Output = ()> + Send + 'static>(test: fn() -> T) {
    loop {
        let hour = this_hour();
        let ended = tokio::spawn(test()).await;
        if this_hour() == hour {
            return ended.unwrap();
        }
    }
}

/// Adds what an earlier process would have counted some days ago.
pub(crate) async fn add_day(data: &Data, days_ago: i64, tenant: &str, accepted: i64, refused: i64) {
    let mut connection = data.connect().await;
    let hour = this_hour() - days_ago * DAY;
    for (outcome, reason, events) in [
        ("accepted", "", accepted),
        ("rejected", "schema.type_mismatch", refused),
        ("duplicate_natural", "", 1 + accepted / 20),
        ("rate_limited", "", 1),
    ] {
        let add = "INSERT INTO dq_metrics_tally (hour, tenant, event_type, outcome, reason, events)
                   VALUES (?, ?, 'purchase.completed', ?, ?, ?)";
        let add = sqlx::query(add).bind(hour).bind(tenant).bind(outcome);
        let add = add.bind(reason).bind(events);
        add.execute(&mut connection).await.unwrap();
    }
}

async fn report(server: &Server, query: &str) -> Value {
    let path = format!("/admin/quality?{query}");
    let answer = server.admin(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

fn quality(data: &Data, arguments: &[&str]) -> std::process::Output {
    data.run(&[&["quality", "report"], arguments].concat())
}

fn text(data: &Data, arguments: &[&str]) -> String {
    let output = quality(data, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn what_became_of_events_outlives_the_process_and_is_shown_for_days() {
    within_an_hour(assert_outlives_the_process_and_is_shown).await;
}

async fn assert_outlives_the_process_and_is_shown() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    for n in 0..3 {
        let answer = server.post("/v1/events", &key, &page_view(n));
        assert_eq!(answer.send().await.unwrap().status(), StatusCode::ACCEPTED);
    }
    let broken = json!({
        "specversion": "1.0", "type": "purchase.completed", "source": "test", "id": "broken",
        "data": { "order": "canary7Q", "total_cents": "8371983", "currency": "EUR", "items": [] }
    });
    let answer = server.post("/v1/events", &key, &broken).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    // The last of it is written at the end.
    assert!(server.terminate().success());

    add_day(&data, 5, "acme", 100, 50).await;
    add_day(&data, 5, "globex", 100, 0).await;
    let server = Server::start_on(&data);
    // Since this start, nothing came.
    let since_start = report(&server, "").await;
    assert_eq!(since_start["conservation"]["received"], 0);
    let today = report(&server, "days=1").await;
    assert_eq!(today["outcomes"], json!({ "accepted": 3, "rejected": 1 }));
    let group = &today["samples"][0];
    assert_eq!(group["count"], 1);
    assert!(
        group["samples"][0]["excerpt"]
            .as_str()
            .unwrap()
            .contains(r#""total_cents":"9999999""#)
    );

    let week = report(&server, "days=7&tenant=acme").await;
    assert_eq!(week["by_day"].as_array().unwrap().len(), 7);
    assert_eq!(week["by_day"][1]["outcomes"]["rejected"], 50);
    assert_eq!(week["trend"]["direction"], "improving");
    assert_eq!(week["tenants"], json!([]));
    let (from, to) = (
        week["days"]["from"].as_str().unwrap(),
        week["by_day"][1]["day"].as_str().unwrap(),
    );
    let part = report(&server, &format!("from={from}&to={to}")).await;
    assert_eq!(part["tenants"].as_array().unwrap().len(), 2);
    assert_eq!(part["outcomes"]["rejected"], 50);

    // On the command line, while the server runs.
    let told: Value = serde_json::from_str(&text(
        &data,
        &["--days", "7", "--tenant", "acme", "--format", "json"],
    ))
    .unwrap();
    for member in [
        "events",
        "outcomes",
        "by_day",
        "score",
        "trend",
        "samples",
        "rejections",
    ] {
        assert_eq!(told[member], week[member], "{member}");
    }
    let markdown = text(&data, &[]);
    assert!(
        markdown.contains("| acme | ") && markdown.contains("| globex | "),
        "{markdown}"
    );
    let page = text(&data, &["--from", from, "--to", to, "--format", "html"]);
    assert!(
        page.starts_with("<!doctype html>") && page.contains("class=\"p\""),
        "{page}"
    );
    let answer = server
        .admin(Method::GET, "/admin/quality/report?days=7")
        .send()
        .await;
    let served = answer.unwrap().text().await.unwrap();
    assert!(served.contains("Events a day"), "{served}");
    for text in [markdown, page, served, today.to_string(), told.to_string()] {
        assert!(
            !text.contains("canary7Q") && !text.contains("8371983"),
            "{text}"
        );
    }
    // Who looked is on record, also of those at the command line.
    let looks = on_record(&server, "&action=quality.read").await.len()
        + on_record(&server, "&log=command-line&action=quality.read")
            .await
            .len();
    assert_eq!(looks, 8);
}

#[tokio::test]
async fn what_is_no_period_is_told_and_exits_with_2() {
    let data = Data::new();
    let server = Server::start_on(&data);
    for query in [
        "days=0",
        "days=367",
        "days=a",
        "days=",
        "days=7&from=2026-01-01",
        "to=2026-01-01",
        "from=2026-13-01",
        "from=2026-01-02&to=2026-01-01",
        "from=2020-01-01&to=2026-01-01",
    ] {
        for path in ["/admin/quality", "/admin/quality/report"] {
            let path = format!("{path}?{query}");
            let answer = server.admin(Method::GET, &path).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        }
    }
    for arguments in [
        &["--days", "0"][..],
        &["--days", "7", "--from", "2026-01-01"],
        &["--to", "2026-01-01"],
        &["--from", "yesterday"],
        &["--format", "pdf"],
    ] {
        let output = quality(&data, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(count(&data, "dq_metrics_tally").await, 0);
}

fn with_days(data: &Data, tallies: &str, samples: &str) -> Command {
    let mut command = data.command();
    command.env("INGEST_QUALITY_DAYS", tallies);
    command.env("INGEST_QUALITY_SAMPLE_DAYS", samples);
    command
}

#[tokio::test]
async fn what_is_too_old_is_removed_tallies_and_samples_each_in_their_time() {
    within_an_hour(assert_removed_in_their_time).await;
}

async fn assert_removed_in_their_time() {
    let data = Data::new();
    assert!(Server::start_on(&data).terminate().success());
    for days_ago in [1, 29, 30, 89, 90] {
        add_day(&data, days_ago, "acme", 10, 1).await;
    }
    let mut connection = data.connect().await;
    for days_ago in [0, 1, 2] {
        let add = "INSERT INTO dq_metrics_sample (day, reason, writer, slot, tenant, event_type, ordinal,
                       taken_at, trace_id, detail, excerpt, fingerprint)
                   VALUES (?, 'schema.type_mismatch', zeroblob(16), 0, 'acme', 'page.view', 1, 0, NULL, '', '', 0)";
        let add = sqlx::query(add).bind(this_hour() / DAY - days_ago);
        add.execute(&mut connection).await.unwrap();
    }
    drop(connection);
    for (tallies, samples, rows) in [
        ("90", "3", (16, 3)),
        ("30", "2", (8, 2)),
        ("1", "1", (0, 1)),
    ] {
        let server = Server::start_command(&data, with_days(&data, tallies, samples));
        assert!(server.terminate().success());
        let left = (
            count(&data, "dq_metrics_tally").await,
            count(&data, "dq_metrics_sample").await,
        );
        assert_eq!(left, rows, "of {tallies} and {samples} days");
    }
}

#[tokio::test]
async fn a_history_that_cannot_be_written_keeps_no_event_waiting_and_is_told() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let mut connection = data.connect().await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON dq_metrics_tally
                  BEGIN SELECT RAISE(ABORT, 'no'); END";
    sqlx::raw_sql(refuse)
        .execute(&mut connection)
        .await
        .unwrap();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    for n in 0..3 {
        let answer = server.post("/v1/events", &key, &page_view(n));
        assert_eq!(answer.send().await.unwrap().status(), StatusCode::ACCEPTED);
    }
    crate::harness::wait_for("a failure to be counted", async || {
        let metrics = server.metrics().await;
        (metrics["dq_history_failures_total"] > 0.0).then_some(metrics)
    })
    .await;
    let metrics = server.metrics().await;
    assert_eq!(metrics[r#"dq_history_pending{what="events"}"#], 3.0);
    assert_eq!(metrics[r#"dq_history_dropped_total{what="events"}"#], 0.0);
    assert_moved(
        &before,
        &metrics,
        ["dq_history_failures_total", "dq_history_pending"],
    );
    assert!(
        server
            .logs()
            .contains("the history of data quality cannot be written now")
    );
    let mend = sqlx::raw_sql("DROP TRIGGER refuse");
    mend.execute(&mut connection).await.unwrap();
    drop(connection);
    assert!(server.terminate().success());
    assert!(
        data.logs()
            .contains("the history of data quality is written again")
    );
    let mut connection = data.connect().await;
    let events = "SELECT sum(events) FROM dq_metrics_tally WHERE outcome = 'accepted'";
    let events: i64 = sqlx::query_scalar(events)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(events, 3);
}

/// Shows nothing of a tenant: neither since the start, nor of the days.
async fn shows_no_sample(server: &Server, tenant: &str) -> bool {
    let samples = server.admin(Method::GET, "/admin/quality/samples");
    let samples = samples.send().await.unwrap().text().await.unwrap();
    let days = report(server, &format!("days=7&tenant={tenant}")).await;
    !samples.contains(&format!("\"{tenant}\""))
        && days["events"] == 0
        && days["samples"] == json!([])
}

/// Rows of a tenant in the tables of the history, and of the others.
async fn history_rows(data: &Data, tenant: &str) -> Vec<(i64, i64)> {
    let mut rows = Vec::new();
    for table in ["tally", "receipt", "version", "sample"] {
        let table = format!("dq_metrics_{table}");
        let own = count(data, &format!("{table} WHERE tenant = '{tenant}'")).await;
        rows.push((own, count(data, &table).await - own));
    }
    rows
}

/// What is masked says how the data was shaped: it goes with the tenant, from the database and from the memory of
/// every process, and from a backup that is restored.
/// How many of these entries of the audit log have something beside them.
async fn beside(server: &Server, recorded: &[Value]) -> usize {
    let mut parts = 0;
    for event in recorded {
        let path = format!("/admin/audit/events/{}", event["n"]);
        let one = server.admin(Method::GET, &path).send().await.unwrap();
        let one: Value = one.json().await.unwrap();
        parts += usize::from(!one["personal"].is_null());
    }
    parts
}

#[tokio::test]
async fn of_an_erased_tenant_no_sample_and_no_tally_is_left() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let broken = |id: &str| json!({ "specversion": "1.0", "type": "purchase.completed", "source": "test", "id": id, "data": {} });
    for tenant in ["acme", "globex"] {
        let key = server.issue(tenant, &ALL_SCOPES).await;
        for event in [page_view(tenant), broken(tenant)] {
            server
                .post("/v1/events", &key, &event)
                .send()
                .await
                .unwrap();
        }
    }
    assert!(server.terminate().success());
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let sent = server
        .post("/v1/events", &key, &broken("again"))
        .send()
        .await;
    assert_eq!(sent.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    let rows = history_rows(&data, "acme").await;
    assert!(
        rows.iter().all(|(own, others)| *own > 0 && *others > 0),
        "{rows:?}"
    );
    assert!(!shows_no_sample(&server, "acme").await);
    // A backup, to be restored.
    let backup = data.path().join("backup.db");
    sqlx::query("VACUUM INTO ?")
        .bind(backup.to_str().unwrap())
        .execute(&mut data.connect().await)
        .await
        .unwrap();

    let recorded = on_record(&server, "&tenant=acme").await;
    assert!(beside(&server, &recorded).await > 0);
    let erase = server.admin(Method::POST, "/admin/erasures");
    let erase = erase.json(&json!({ "tenant": "acme", "all": true }));
    let erased = erase.send().await.unwrap();
    assert_eq!(erased.status(), StatusCode::OK);
    // Nor anything beside the entries of it, under whichever key.
    assert_eq!(beside(&server, &recorded).await, 0);
    assert!(shows_no_sample(&server, "acme").await);
    // What its process counted and had not written yet is counted for all others together.
    let of_acme = history_rows(&data, "acme").await;
    assert!(of_acme.iter().all(|(own, _)| *own == 0), "{of_acme:?}");
    let week = report(&server, "days=7").await;
    assert_eq!(
        week["conservation"],
        json!({ "received": 3, "outcomes": 3 })
    );
    assert!(!shows_no_sample(&server, "globex").await);
    assert!(server.terminate().success());

    for name in ["ingest.db", "ingest.db-wal", "ingest.db-shm"] {
        // The log may be gone already.
        drop(std::fs::remove_file(data.path().join(name)));
    }
    std::fs::rename(backup, data.database()).unwrap();
    let server = Server::start_on(&data);
    assert!(shows_no_sample(&server, "acme").await);
    let of_acme = history_rows(&data, "acme").await;
    assert!(of_acme.iter().all(|(own, _)| *own == 0), "{of_acme:?}");
    assert!(!shows_no_sample(&server, "globex").await);
}
