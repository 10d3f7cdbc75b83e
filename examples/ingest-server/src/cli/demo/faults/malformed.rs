//! Requests that nobody can make sense of, one kind after the other.

use std::sync::Arc;

use http::{
    Method,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName},
};
use portcullis_apikey_cache::ApiKey;

use super::super::{
    error::DemoError,
    sender::{Answer, Sender},
    summary::Summary,
    tenants,
};
use crate::admin::ApiKeys;

/// Who sends them.
const TENANT: &str = "fabrikam";

const JSON: (HeaderName, &str) = (CONTENT_TYPE, "application/json");

#[derive(Debug)]
pub(super) struct Malformed {
    sender: Arc<Sender>,
    key: ApiKey,
    next: usize,
}

impl Malformed {
    pub(super) async fn new(keys: &ApiKeys, sender: &Arc<Sender>) -> Result<Self, DemoError> {
        Ok(Self {
            sender: Arc::clone(sender),
            key: tenants::issue(keys, TENANT, "standard").await?.key,
            next: 0,
        })
    }

    pub(super) async fn beat(&mut self, summary: &mut Summary) {
        let kinds = kinds();
        let (target, fields, body) = kinds[self.next % kinds.len()].clone();
        self.next += 1;
        let mut request = self.sender.request_by(&self.key, Method::POST, target);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let answer = Answer::to(request.body(body)).await;
        summary.count_events(TENANT, 1, &answer);
    }
}

/// Where to, with which fields, and what.
type Kind = (&'static str, Vec<(HeaderName, &'static str)>, Vec<u8>);

fn kinds() -> [Kind; 8] {
    let deep = [b"[".repeat(200), b"]".repeat(200)].concat();
    let twice = br#"{"id":"1","id":"2"}"#.to_vec();
    [
        ("/v1/events", vec![JSON], b"{\"id\":".to_vec()),
        ("/v1/events", vec![JSON], vec![b'"', 0xff, b'"']),
        ("/v1/events", vec![JSON], deep),
        ("/v1/events", vec![JSON], twice),
        (
            "/v1/events",
            vec![(CONTENT_TYPE, "text/csv")],
            b"1".to_vec(),
        ),
        (
            "/v1/events",
            vec![JSON, (CONTENT_ENCODING, "br")],
            b"{}".to_vec(),
        ),
        (
            "/v1/events",
            vec![JSON, (CONTENT_ENCODING, "gzip")],
            b"{}".to_vec(),
        ),
        ("/v1/events?colour=red", vec![JSON], b"{}".to_vec()),
    ]
}
