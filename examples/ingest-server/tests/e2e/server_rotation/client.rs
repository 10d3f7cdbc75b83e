//! Requests of the senders and readers of a load, and what must not happen to them.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use super::people::Person;
use crate::harness::{Key, Server};

/// Where a server listens, and with which key it is asked.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    key: Key,
}

/// What happened to all clients.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) reads: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) duplicates: AtomicU64,
    /// Events that were acknowledged for the first time.
    pub(super) events: AtomicU64,
    /// Writes that were told to come again, by reason.
    delayed: Mutex<BTreeMap<String, u64>>,
    failures: Mutex<Vec<String>>,
}

impl Tally {
    pub(super) fn fail(&self, failure: String) {
        let mut failures = self.failures.lock().unwrap();
        if failures.len() < 50 {
            failures.push(failure);
        }
    }

    /// None failed so far.
    pub(super) fn check(&self, when: &str) {
        let failures = self.failures.lock().unwrap();
        assert!(failures.is_empty(), "{when}: {failures:#?}");
    }

    pub(super) fn delayed(&self) -> BTreeMap<String, u64> {
        self.delayed.lock().unwrap().clone()
    }

    fn delay(&self, reason: &str) {
        let mut delayed = self.delayed.lock().unwrap();
        *delayed.entry(reason.to_owned()).or_default() += 1;
    }
}

/// What a writer is told when there is no room, and comes again for.
const COME_AGAIN: [&str; 3] = [
    "capacity.queue_full",
    "capacity.tenant_queue",
    "limits.exceeded",
];
const AGAIN: Duration = Duration::from_millis(100);

impl Client {
    pub(super) fn new(server: &Server, key: &Key) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: server.public_url(""),
            key: key.clone(),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.url);
        self.http.request(method, url).bearer_auth(&self.key.text)
    }

    /// An answer without looking at it.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request.header("x-access-reason", "test"),
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A write that is sent until there is room for it.
    pub(super) async fn write(
        &self,
        tally: &Tally,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Option<Value> {
        tally.writes.fetch_add(1, Ordering::Relaxed);
        loop {
            let (status, answer) = self.send(method.clone(), path, Some(body)).await;
            if status.is_success() {
                return Some(answer);
            }
            let reason = answer["reason"].as_str().unwrap_or_default();
            let is_full = status == StatusCode::TOO_MANY_REQUESTS || COME_AGAIN.contains(&reason);
            if !is_full {
                tally.fail(format!("{method} {path}: {status} {answer}"));
                return None;
            }
            tally.delay(&format!("{status} {reason}"));
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// A read, which may not fail; what is beyond the limit of reads alone is asked for again.
    pub(super) async fn read(&self, tally: &Tally, path: &str) -> Option<Value> {
        tally.reads.fetch_add(1, Ordering::Relaxed);
        loop {
            let (status, answer) = self.send(Method::GET, path, None).await;
            if status == StatusCode::OK {
                return Some(answer);
            }
            if status != StatusCode::TOO_MANY_REQUESTS {
                tally.fail(format!("GET {path}: {status} {answer}"));
                return None;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Reads somebody by id.
    pub(super) async fn check_lead(&self, tally: &Tally, person: &Person) {
        let from = person.acknowledged();
        let path = format!("/v1/leads/{}", person.id());
        let Some(lead) = self.read(tally, &path).await else {
            return;
        };
        let versions = from..=person.sent();
        if !person.is(&lead, versions.clone()) {
            tally.fail(format!("{lead} is not {versions:?} of {person:?}"));
        }
    }

    /// Looks for somebody by one of the values, who has to be the only one that is found.
    pub(super) async fn check_found(&self, tally: &Tally, person: &Person, query: &str) {
        let from = person.acknowledged();
        let path = format!("/v1/leads?{query}");
        let Some(mut found) = self.read(tally, &path).await else {
            return;
        };
        let versions = from..=person.sent();
        let leads: Vec<Value> = serde_json::from_value(found["leads"].take()).unwrap();
        let is_found = matches!(&*leads, [lead] if person.is(lead, versions.clone()));
        // Another value is being written.
        let may_be_gone = !query.starts_with("email=") && leads.is_empty() && from != person.sent();
        if !is_found && !may_be_gone {
            tally.fail(format!(
                "{query} finds {leads:?}, not {versions:?} of {person:?}"
            ));
        }
    }

    /// Looks for somebody by every value there is.
    pub(super) async fn check_searches(&self, tally: &Tally, person: &Person) {
        let phone = person.phone(person.acknowledged()).replace('+', "%2B");
        self.check_found(tally, person, &format!("phone={phone}"))
            .await;
        let has_name = |version: u64| version % 5 != 4;
        if has_name(person.acknowledged()) {
            let query = format!("name={}", person.word());
            self.check_found(tally, person, &query).await;
        }
    }
}
