//! Everything that comes out of the service, by the place where it comes out.

use std::{fs, io};

use sqlx::{AssertSqlSafe, Row as _};

use crate::harness::{Data, Server};

/// A place, and what is there.
pub(super) type Output = (String, Vec<u8>);

/// What operators are shown, but for what is theirs to see of single records.
const SHOWN: [&str; 22] = [
    "/healthz",
    "/health",
    "/readyz",
    "/metrics",
    "/admin/api-keys",
    "/admin/audit/events?limit=500",
    "/admin/audit/status",
    "/admin/audit/erasures",
    "/admin/audit/report?from=2020-01-01",
    "/admin/audit/report?from=2020-01-01&format=html",
    "/admin/cache",
    "/admin/detection",
    "/admin/index",
    "/admin/keys",
    "/admin/limits",
    "/admin/reencryption",
    "/admin/quality",
    "/admin/quality?days=1",
    "/admin/quality?days=1&tenant=acme",
    "/admin/quality/report",
    "/admin/quality/report?days=1",
    "/admin/quality/samples",
];

/// What operators see while the server runs.
pub(super) async fn shown(server: &Server) -> Vec<Output> {
    let mut outputs = Vec::new();
    for path in SHOWN {
        outputs.push((format!("GET {path}"), page(server, path, None).await));
    }
    for n in events_of_reads(&outputs) {
        let path = format!("/admin/audit/events/{n}");
        outputs.push((format!("GET {path}"), page(server, &path, None).await));
    }
    let open_metrics = Some("application/openmetrics-text");
    let metrics = page(server, "/metrics", open_metrics).await;
    outputs.push(("GET /metrics, OpenMetrics".to_owned(), metrics));
    outputs
}

/// What is on record of those who read leads, each shown with what they typed.
fn events_of_reads(outputs: &[Output]) -> Vec<u64> {
    let mut pages = outputs.iter();
    let (_, page) = pages
        .find(|(place, _)| place.starts_with("GET /admin/audit/events?"))
        .unwrap();
    // Behind the headers.
    let start = page.windows(2).position(|bytes| bytes == b"\n{").unwrap();
    let page: serde_json::Value = serde_json::from_slice(&page[start..]).unwrap();
    let events = page["events"].as_array().unwrap().iter();
    let reads = events.filter(|event| event["action"] == "lead.read");
    reads
        .map(|event| event["n"].as_u64().unwrap())
        .take(20)
        .collect()
}

async fn page(server: &Server, path: &str, accept: Option<&str>) -> Vec<u8> {
    let mut request = server.admin(reqwest::Method::GET, path);
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    // Operators are limited too, and these have asked for much.
    let answer = crate::harness::wait_for(path, async || {
        let answer = request.try_clone().unwrap().send().await.unwrap();
        answer.status().is_success().then_some(answer)
    })
    .await;
    let head = format!("{:?}\n", answer.headers());
    [head.as_bytes(), &answer.bytes().await.unwrap()].concat()
}

/// Each column of each table, as bytes.
pub(super) async fn tables(data: &Data) -> Vec<Output> {
    let mut connection = data.connect().await;
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let names: Vec<String> = sqlx::query_scalar(names)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut outputs = Vec::new();
    for table in names {
        let columns = format!("SELECT name FROM pragma_table_xinfo('{table}')");
        let columns: Vec<String> = sqlx::query_scalar(AssertSqlSafe(columns))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for column in columns {
            let cells = format!(r#"SELECT CAST("{column}" AS BLOB) FROM "{table}""#);
            let cells = sqlx::query(AssertSqlSafe(cells))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            let mut bytes = Vec::new();
            for cell in cells {
                bytes.extend(cell.get::<Option<Vec<u8>>, _>(0).unwrap_or_default());
                bytes.push(b'\n');
            }
            outputs.push((format!("table {table}, {column}"), bytes));
        }
    }
    outputs
}

/// Each file in the data folder but the logs of the service: the database, its log, the tombstones, and all that the
/// audit log keeps.
pub(super) fn files(data: &Data) -> Vec<Output> {
    let mut outputs = Vec::new();
    let mut left = vec![data.path().to_owned()];
    while let Some(path) = left.pop() {
        let name = path.strip_prefix(data.path()).unwrap();
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("logs-") {
            continue;
        }
        let read = if path.is_dir() {
            fs::read_dir(&path).and_then(|folder| {
                for file in folder {
                    left.push(file?.path());
                }
                Ok(())
            })
        } else {
            fs::read(&path).map(|bytes| outputs.push((format!("file {name}"), bytes)))
        };
        if let Err(error) = read {
            // A server that runs takes some of its files away, and more when it stops or starts.
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{name}");
        }
    }
    outputs
}
