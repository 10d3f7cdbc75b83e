//! Everything that comes out of the service, by the place where it comes out.

use std::{fs, io};

use sqlx::{AssertSqlSafe, Row as _};

use crate::harness::{Data, Server};

/// A place, and what is there.
pub(super) type Output = (String, Vec<u8>);

/// What operators are shown, but for what is theirs to see of single records.
const SHOWN: [&str; 18] = [
    "/healthz",
    "/health",
    "/readyz",
    "/metrics",
    "/admin/api-keys",
    "/admin/audit/events?limit=500",
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
    let open_metrics = Some("application/openmetrics-text");
    let metrics = page(server, "/metrics", open_metrics).await;
    outputs.push(("GET /metrics, OpenMetrics".to_owned(), metrics));
    outputs
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

/// Each file in the data folder but the logs, such as the database, its log and the tombstones.
pub(super) fn files(data: &Data) -> Vec<Output> {
    let mut outputs = Vec::new();
    for file in fs::read_dir(data.path()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("logs-") {
            continue;
        }
        match fs::read(&path) {
            Ok(bytes) => outputs.push((format!("file {name}"), bytes)),
            // A server that stops or starts takes some of its files away.
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound, "{name}"),
        }
    }
    outputs
}
