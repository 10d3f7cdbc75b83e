//! Every query, run on a real Prometheus.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;
use thiserror::Error;

use crate::{
    alerts,
    dashboards::{self, Dashboard},
    rules,
};

/// Why Prometheus could not be asked.
#[derive(Debug, Error)]
pub(crate) enum QueryError {
    #[error("the address of Prometheus is http://HOST:PORT")]
    Url,
    #[error("Prometheus does not answer: {0}")]
    Connection(io::ErrorKind),
    #[error("Prometheus refuses the query of {0}")]
    Refused(String),
}

/// A query and where it stands.
type Placed = (String, String);

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The query of every panel and of every rule that records. Those of alerts have data while they fire alone.
pub(crate) fn all() -> Vec<Placed> {
    let panels = dashboards::all();
    let panels = panels.iter().flat_map(Dashboard::queries);
    let groups = rules::recordings();
    let recordings = groups.iter().flat_map(|group| &group.recordings);
    let recordings = recordings.map(|rule| (rule.name.clone(), rule.name.clone()));
    let watchdog = (
        alerts::PREFIX.to_owned(),
        "ALERTS{alertname=\"PortcullisWatchdog\"}".to_owned(),
    );
    panels.chain(recordings).chain([watchdog]).collect()
}

/// Where nothing came back.
pub(crate) fn without_data(url: &str, queries: &[Placed]) -> Result<Vec<String>, QueryError> {
    let mut empty = Vec::new();
    for (place, query) in queries {
        let answer = ask(url, query)?;
        let result = &answer["data"]["result"];
        match result.as_array() {
            Some(series) if series.is_empty() => empty.push(place.clone()),
            Some(_) => {}
            None => return Err(QueryError::Refused(place.clone())),
        }
    }
    Ok(empty)
}

fn ask(url: &str, query: &str) -> Result<Value, QueryError> {
    let address = url.strip_prefix("http://").ok_or(QueryError::Url)?;
    let address = address.trim_end_matches('/');
    let failed = |error: io::Error| QueryError::Connection(error.kind());
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
    let target = format!("/api/v1/query?query={}", encoded(query));
    // Of HTTP/1.0, so that the answer comes in one piece and ends with the connection.
    let request = format!("GET {target} HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).map_err(|_| QueryError::Connection(io::ErrorKind::InvalidData))
}

/// As a value in a query of a URL.
fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    bytes.collect()
}
