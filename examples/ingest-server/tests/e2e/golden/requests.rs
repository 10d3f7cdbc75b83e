//! The requests, as they are committed.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::Value;

use super::{accepted::folder, aliases::Aliases};
use crate::harness::{ALL_SCOPES, Key, Server};

pub(super) const GROUPS: [&str; 6] = [
    "right",
    "duplicate",
    "envelope",
    "schema",
    "personal",
    "hostile",
];

/// One line of `requests/*.jsonl`; its body is one of `json`, `text` and `base64`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) name: String,
    path: String,
    #[serde(rename = "type")]
    media_type: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    json: Value,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    base64: Option<String>,
}

/// Who asks.
pub(super) struct Callers {
    acme: Key,
    other: Key,
    reader: Key,
}

impl Callers {
    pub(super) async fn issue(server: &Server) -> Self {
        Self {
            acme: server.issue("acme", &ALL_SCOPES).await,
            other: server.issue("other", &ALL_SCOPES).await,
            reader: server.issue("acme", &["leads:read"]).await,
        }
    }
}

impl Request {
    pub(super) fn all(group: &str) -> impl Iterator<Item = Self> {
        let path = folder().join("requests").join(format!("{group}.jsonl"));
        let lines = fs::read_to_string(path).unwrap();
        let requests: Vec<_> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        requests.into_iter()
    }

    pub(super) async fn send(
        &self,
        server: &Server,
        callers: &Callers,
        aliases: &Aliases,
    ) -> Response {
        let method = self.method.as_deref().unwrap_or("POST").parse::<Method>();
        let path = aliases.filled(&self.path);
        let url = server.public_url(&path);
        let mut request = reqwest::Client::new()
            .request(method.unwrap(), url)
            .header("content-type", &self.media_type);
        request = match self.by.as_deref().unwrap_or("acme") {
            "acme" => request.bearer_auth(&callers.acme.text),
            "other" => request.bearer_auth(&callers.other.text),
            "reader" => request.bearer_auth(&callers.reader.text),
            "nobody" => request.bearer_auth("nobody's key"),
            "acme and other" => request
                .bearer_auth(&callers.acme.text)
                .header("x-api-key", &callers.other.text),
            "none" => request,
            by => panic!("{by} is nobody that asks"),
        };
        if let Some(encoding) = &self.encoding {
            request = request.header("content-encoding", encoding);
        }
        request.body(self.body(aliases)).send().await.unwrap()
    }

    fn body(&self, aliases: &Aliases) -> Vec<u8> {
        match (&self.text, &self.base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(coded)) => STANDARD.decode(coded).unwrap(),
            (None, None) => aliases.filled(&self.json.to_string()).into_bytes(),
            _ => panic!("{} has two bodies", self.name),
        }
    }
}
