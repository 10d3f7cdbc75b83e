//! What was acknowledged is there, however the process ended.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{ALL_SCOPES, Data, Key, Server, count, page_view, wait_for};

/// Senders that post events one after the other until the server is gone; each remembers what was
/// acknowledged.
struct Load {
    senders: JoinSet<Vec<String>>,
    acknowledged: Arc<AtomicUsize>,
}

impl Load {
    fn start(server: &Arc<Server>, key: &Key, round: usize) -> Self {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let mut senders = JoinSet::new();
        for sender in 0..8 {
            let (server, key) = (Arc::clone(server), key.clone());
            let counter = Arc::clone(&acknowledged);
            senders.spawn(async move {
                let mut done = Vec::new();
                for n in 0..100_000 {
                    let ids: Vec<String> = (0..3)
                        .map(|part| format!("{round}-{sender}-{n}-{part}"))
                        .collect();
                    let events: Vec<Value> = ids.iter().map(page_view).collect();
                    match server.post("/v1/events", &key, &json!(events)).send().await {
                        Ok(answer) if answer.status() == StatusCode::ACCEPTED => {
                            counter.fetch_add(ids.len(), Ordering::Relaxed);
                            done.extend(ids);
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

    async fn end(mut self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        while let Some(done) = self.senders.join_next().await {
            all.extend(done.unwrap());
        }
        all
    }
}

async fn stored(data: &Data) -> BTreeSet<String> {
    let rows: Vec<String> = sqlx::query_scalar("SELECT id FROM event")
        .fetch_all(&mut data.connect().await)
        .await
        .unwrap();
    rows.into_iter().collect()
}

#[tokio::test]
async fn kill_9_in_the_middle_of_a_load_loses_nothing_acknowledged() {
    let data = Data::new();
    let mut key = None;
    let mut expected = BTreeSet::new();
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
        let found = stored(&data).await;
        let lost: Vec<_> = expected.difference(&found).take(5).collect();
        assert!(lost.is_empty(), "lost in round {round}: {lost:?}");
        server.kill();
    }
    assert!(
        expected.len() >= 1_491,
        "the load was too small: {}",
        expected.len()
    );
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
    let found = stored(&data).await;
    assert!(expected.is_subset(&found));
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
