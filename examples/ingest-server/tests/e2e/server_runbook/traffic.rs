//! Two servers on one file that are asked without a pause: every answer is the right one, whatever is rotated.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    sync::RwLock,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::host::Host;
use crate::harness::{ALL_SCOPES, Key, Server, count, page_view, wait_for};

/// Servers, and who asks them.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) servers: [Server; 2],
    pub(super) key: Key,
    shared: Arc<Shared>,
    asking: JoinHandle<Vec<String>>,
}

#[derive(Debug)]
struct Shared {
    /// Held while a request is under way: a server ends between two of them.
    urls: RwLock<[String; 2]>,
    done: RwLock<usize>,
    is_over: AtomicBool,
}

/// From one round of requests to the next, so that others have the processor too.
const EVERY: Duration = Duration::from_millis(100);

impl Fleet {
    /// Starts two servers, which have some leads of before.
    pub(super) async fn start(host: &Host) -> Self {
        let servers = [host.start(), host.start()];
        let key = servers[0].issue("acme", &ALL_SCOPES).await;
        let shared = Arc::new(Shared {
            urls: RwLock::new(urls(&servers)),
            done: RwLock::new(0),
            is_over: AtomicBool::new(false),
        });
        let asking = tokio::spawn(ask(Arc::clone(&shared), key.text.clone()));
        let fleet = Self {
            servers,
            key,
            shared,
            asking,
        };
        fleet.ask_on().await;
        fleet
    }

    /// Waits until both servers have written and read what others had written.
    pub(super) async fn ask_on(&self) {
        let before = *self.shared.done.read().await;
        wait_for("requests", async || {
            assert!(!self.asking.is_finished(), "a request failed");
            (*self.shared.done.read().await >= before + 4).then_some(())
        })
        .await;
    }

    /// One after the other, as an operator restarts the service on each host.
    pub(super) async fn restart(&mut self, host: &Host) {
        for number in 0..self.servers.len() {
            let new = host.start();
            let mut urls = self.shared.urls.write().await;
            urls[number] = new.public_url("");
            let old = std::mem::replace(&mut self.servers[number], new);
            drop(urls);
            assert!(old.terminate().success());
            self.ask_on().await;
        }
    }

    /// The ids of all leads, each of which is there once, whole, and found, by both servers.
    pub(super) async fn end(self, host: &Host, extra: usize) {
        self.ask_on().await;
        self.shared.is_over.store(true, Ordering::Relaxed);
        let ids = self.asking.await.unwrap();
        let client = Client::new();
        for server in &self.servers {
            for (number, id) in ids.iter().enumerate() {
                check(&client, &server.public_url(""), &self.key.text, number, id).await;
            }
        }
        let leads = usize::try_from(count(&host.data, "lead").await).unwrap();
        assert_eq!(leads, ids.len() + extra);
        let events = usize::try_from(count(&host.data, "event").await).unwrap();
        assert_eq!(events, ids.len());
        for server in self.servers {
            assert!(server.terminate().success());
        }
    }
}

fn urls(servers: &[Server; 2]) -> [String; 2] {
    [servers[0].public_url(""), servers[1].public_url("")]
}

fn lead(number: usize) -> Value {
    json!({
        "email": format!("person{number}@example.com"), "name": format!("Person {number}"),
        "phone": format!("+55119{:08}", 1_000_000 + number)
    })
}

/// Writes a lead by one server and reads it by both, in turn, and comes back to one of before.
async fn ask(shared: Arc<Shared>, key: String) -> Vec<String> {
    let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let mut ids: Vec<String> = Vec::new();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shared.is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        let urls = shared.urls.read().await;
        let (number, url) = (ids.len(), &urls[ids.len() % 2]);
        let id = write(&client, url, &key, number).await;
        assert!(!ids.contains(&id), "{number} is another lead");
        ids.push(id);
        // Who comes again is no other lead.
        let earlier = number * 7 % ids.len();
        assert_eq!(write(&client, url, &key, earlier).await, ids[earlier]);
        let event = page_view(number);
        let sent = client.post(format!("{url}/v1/events")).bearer_auth(&key);
        let answer = sent.json(&event).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{number}");
        for url in &*urls {
            check(&client, url, &key, number, &ids[number]).await;
            check(&client, url, &key, earlier, &ids[earlier]).await;
        }
        drop(urls);
        *shared.done.write().await += 1;
    }
    ids
}

async fn write(client: &Client, url: &str, key: &str, number: usize) -> String {
    let sent = client.post(format!("{url}/v1/leads")).bearer_auth(key);
    let answer = sent.json(&lead(number)).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{number}: {status} {text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    answer["id"].as_str().unwrap().to_owned()
}

/// The lead is whole, and found by its e-mail and nothing else is.
async fn check(client: &Client, url: &str, key: &str, number: usize, id: &str) {
    let get = async |path: String| -> Value {
        let request = client.request(Method::GET, format!("{url}{path}"));
        let request = request.bearer_auth(key).header("x-access-reason", "test");
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    };
    let expected = lead(number);
    let read = get(format!("/v1/leads/{id}")).await;
    for field in ["email", "name", "phone"] {
        assert_eq!(read[field], expected[field], "{number}: {read}");
    }
    let found = get(format!("/v1/leads?email=person{number}@example.com")).await;
    let found = found["leads"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{number}: {found:?}");
    assert_eq!(found[0]["id"], id);
}
