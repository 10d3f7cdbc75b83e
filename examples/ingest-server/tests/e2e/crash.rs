//! What was acknowledged is there, however the process ended.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{ALL_SCOPES, Data, Key, Server, count, page_view, wait_for};

/// Senders that post events and leads one after the other until the server is gone; each remembers
/// what was acknowledged.
struct Load {
    senders: JoinSet<Acknowledged>,
    acknowledged: Arc<AtomicUsize>,
}

/// What the service said that it has.
#[derive(Default)]
struct Acknowledged {
    /// Their ids.
    events: BTreeSet<String>,
    /// Their e-mail addresses, sent as leads and in events.
    leads: BTreeSet<String>,
}

impl Acknowledged {
    fn extend(&mut self, other: Self) {
        self.events.extend(other.events);
        self.leads.extend(other.leads);
    }
}

impl Load {
    fn start(server: &Arc<Server>, key: &Key, round: usize) -> Self {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let mut senders = JoinSet::new();
        for sender in 0..8 {
            let (server, key) = (Arc::clone(server), key.clone());
            let counter = Arc::clone(&acknowledged);
            senders.spawn(async move {
                let mut done = Acknowledged::default();
                for n in 0..100_000 {
                    let ids: Vec<String> = (0..3)
                        .map(|part| format!("{round}-{sender}-{n}-{part}"))
                        .collect();
                    let mut events: Vec<Value> = ids.iter().map(page_view).collect();
                    let email = format!("e{}@load.example", ids[0]);
                    events[0]["type"] = json!("lead.created");
                    events[0]["data"] = json!({ "email": email, "notes": "calls back" });
                    match server.post("/v1/events", &key, &json!(events)).send().await {
                        Ok(answer) if answer.status() == StatusCode::ACCEPTED => {
                            counter.fetch_add(ids.len(), Ordering::Relaxed);
                            done.events.extend(ids);
                            done.leads.insert(email);
                        }
                        _ => break,
                    }
                    let email = format!("l{round}-{sender}-{n}@load.example");
                    let lead = json!({ "email": email, "name": "Ada" });
                    match server.post("/v1/leads", &key, &lead).send().await {
                        Ok(answer) if answer.status() == StatusCode::CREATED => {
                            done.leads.insert(email);
                        }
                        _ => break,
                    }
                }
                done
            });
        }
        Self {
            senders,
            acknowledged,
        }
    }

    async fn reaches(&self, events: usize) {
        wait_for("acknowledged events", async || {
            (self.acknowledged.load(Ordering::Relaxed) >= events).then_some(())
        })
        .await;
    }

    async fn end(mut self) -> Acknowledged {
        let mut all = Acknowledged::default();
        while let Some(done) = self.senders.join_next().await {
            all.extend(done.unwrap());
        }
        all
    }
}

/// Checks that all that was acknowledged is there, and that what was sealed opens.
async fn assert_kept(server: &Server, key: &Key, expected: &Acknowledged) {
    let rows: Vec<(String, String, String)> = sqlx::query_as("SELECT id, type, payload FROM event")
        .fetch_all(&mut server.data().connect().await)
        .await
        .unwrap();
    for (id, event_type, payload) in &rows {
        let sealed = payload.matches("\"pc1.").count();
        let declared = if event_type == "lead.created" { 2 } else { 0 };
        assert_eq!(sealed, declared, "event {id}: {payload}");
    }
    let found = rows.into_iter().map(|(id, ..)| id).collect();
    let lost: Vec<_> = expected.events.difference(&found).take(5).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    for email in &expected.leads {
        let path = format!("/v1/leads?email={email}");
        let request = server
            .request(Method::GET, &path, key)
            .header("x-access-reason", "test");
        let found: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(found["leads"][0]["email"], email.as_str(), "{found}");
    }
}

#[tokio::test]
async fn kill_9_in_the_middle_of_a_load_loses_nothing_acknowledged() {
    let data = Data::new();
    let mut key = None;
    let mut expected = Acknowledged::default();
    for (round, moment) in [1, 40, 150, 400, 900].into_iter().enumerate() {
        let server = Arc::new(Server::start_on(&data));
        let key = match &key {
            Some(key) => key,
            None => key.insert(server.issue("acme", &ALL_SCOPES).await),
        };
        let load = Load::start(&server, key, round);
        load.reaches(moment).await;
        let pid = server.pid().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap();
        assert!(killed.success());
        expected.extend(load.end().await);
        drop(server);

        // The next start recovers the file, and serves.
        let server = Server::start_on(&data);
        assert_kept(&server, key, &expected).await;
        server.kill();
    }
    let (events, leads) = (expected.events.len(), expected.leads.len());
    assert!(events >= 1_491, "the load was too small: {events}");
    assert!(leads >= 497, "the load was too small: {leads} leads");
}

#[tokio::test]
async fn sigterm_under_load_ends_with_0_within_10_seconds_and_loses_nothing() {
    let data = Data::new();
    let server = Arc::new(Server::start_on(&data));
    let key = server.issue("acme", &ALL_SCOPES).await;
    let load = Load::start(&server, &key, 0);
    load.reaches(300).await;
    let asked = Instant::now();
    let pid = server.pid().to_string();
    assert!(
        std::process::Command::new("kill")
            .arg(&pid)
            .status()
            .unwrap()
            .success()
    );
    let expected = load.end().await;
    let server = Arc::into_inner(server).unwrap();
    assert_eq!(server.terminate().code(), Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "took {:?}",
        asked.elapsed()
    );
    // An orderly end leaves one file: nothing waits in a write-ahead log.
    assert!(!data.path().join("ingest.db-wal").exists());
    let server = Server::start_on(&data);
    assert_kept(&server, &key, &expected).await;
}

#[tokio::test]
async fn two_processes_share_one_file() {
    let data = Data::new();
    // Both find no database and want to make it.
    let starting = [data.clone(), data.clone()];
    let [first, second] = starting.map(|data| std::thread::spawn(move || Server::start_on(&data)));
    let servers = [
        Arc::new(first.join().unwrap()),
        Arc::new(second.join().unwrap()),
    ];
    let key = servers[0].issue("acme", &ALL_SCOPES).await;

    let mut requests = JoinSet::new();
    for n in 0..200 {
        let (server, key) = (Arc::clone(&servers[n % 2]), key.clone());
        requests.spawn(async move {
            let event = server
                .post("/v1/events", &key, &page_view(n / 2))
                .send()
                .await
                .unwrap();
            assert_eq!(event.status(), StatusCode::ACCEPTED);
            let lead = json!({ "email": format!("p{}@shared.example", n / 4) });
            server.lead(&key, &lead).await
        });
    }
    let leads: BTreeSet<String> = requests.join_all().await.into_iter().collect();
    assert_eq!(leads.len(), 50);
    assert_eq!(count(&data, "event").await, 100);
    assert_eq!(count(&data, "lead").await, 50);
    for (n, id) in leads.iter().enumerate() {
        let lead = servers[n % 2].read_lead(&key, id).await;
        let lead = lead.json::<Value>().await.unwrap();
        assert!(
            lead["email"].as_str().unwrap().ends_with("@shared.example"),
            "{lead}"
        );
    }
}
