//! Leaves as log records of OpenTelemetry.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use serde_json::{Value, json};

use super::{Endpoint, Ocsf};
use crate::event::{Leaf, Outcome};

/// Makes requests of OTLP over HTTP in JSON: `ExportLogsServiceRequest`, one record for each leaf. The body of a record
/// is the OCSF event, as text.
#[derive(Debug, Clone)]
pub struct Otlp {
    ocsf: Ocsf,
    endpoint: Endpoint,
}

impl Otlp {
    /// With OCSF events of this kind, for the URL of a collector with its path, which is `/v1/logs` mostly.
    #[must_use]
    pub const fn new(ocsf: Ocsf, endpoint: Endpoint) -> Self {
        Self { ocsf, endpoint }
    }

    /// The request for these leaves.
    #[must_use]
    pub fn request<'a>(&self, leaves: impl IntoIterator<Item = &'a Leaf<'a>>) -> Request<Bytes> {
        let records: Value = leaves.into_iter().map(|leaf| self.record(leaf)).collect();
        let product = self.ocsf.product();
        let body = json!({ "resourceLogs": [{
            "resource": { "attributes": [
                attribute("service.name", product.name()),
                attribute("service.version", product.version()),
            ] },
            "scopeLogs": [{
                "scope": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
                "logRecords": records,
            }],
        }] });
        let mut request = Request::new(Bytes::from(body.to_string()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.uri().clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        request
    }

    fn record(&self, leaf: &Leaf<'_>) -> Value {
        // 9 is INFO, 13 is WARN.
        let (severity, text) = match leaf.outcome() {
            Outcome::Success => (9, "INFO"),
            Outcome::Denied | Outcome::Failure | Outcome::Unknown => (13, "WARN"),
        };
        // Numbers of 64 bits are texts in the JSON of Protocol Buffers.
        let nanos = (u128::from(leaf.time().unix_micros()) * 1_000).to_string();
        let mut record = json!({
            "timeUnixNano": nanos,
            "observedTimeUnixNano": nanos,
            "severityNumber": severity,
            "severityText": text,
            "eventName": leaf.action(),
            "body": { "stringValue": self.ocsf.event(leaf).to_string() },
            "attributes": [
                { "key": "audit.n", "value": { "intValue": leaf.numbers().in_tree.to_string() } },
                attribute("audit.id", &leaf.id().to_string()),
                attribute("audit.tenant", leaf.tenant()),
                attribute("audit.action", leaf.action()),
                attribute("audit.actor.type", leaf.actor_type().as_str()),
                attribute("audit.actor.id", leaf.actor_id()),
                attribute("audit.outcome", leaf.outcome().as_str()),
                attribute("service.instance.id", leaf.node()),
            ],
        });
        if let Some(trace) = leaf.trace() {
            record["traceId"] = trace.to_string().into();
        }
        if let Some(span) = leaf.span() {
            record["spanId"] = span.to_string().into();
        }
        record
    }
}

fn attribute(key: &str, text: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": text } })
}
