//! Everything that rotates is rotated, and people are erased, while two servers on one file read and write.
//! `INGEST_TEST_LEADS` says of how many leads; nothing is waited for that is no bound of the service.

#![expect(
    clippy::print_stderr,
    reason = "how long it took and what it met is what a nightly run is looked at for"
)]

#[path = "server_rotation/client.rs"]
mod client;
#[path = "server_rotation/erasing.rs"]
mod erasing;
#[path = "server_rotation/operator.rs"]
mod operator;
#[path = "server_rotation/people.rs"]
mod people;
#[path = "server_rotation/rotating.rs"]
mod rotating;
#[path = "server_rotation/traces.rs"]
mod traces;
#[path = "server_rotation/traffic.rs"]
mod traffic;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use sqlx::Row as _;

use self::{
    client::{Client, Tally},
    erasing::{DOOMED, Others},
    operator::Operator,
    people::Person,
    traffic::{Load, Traffic, batch},
};
use crate::{
    files_of_secrets::Files,
    harness::{ALL_SCOPES, Data, Server},
};

/// Leads at the start.
fn seeded() -> usize {
    let number = std::env::var("INGEST_TEST_LEADS");
    number.map_or(2_000, |number| number.parse().unwrap())
}

/// What one sender sends at once, and how many look at the end.
const BATCH: usize = 250;
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn everything_rotates_and_people_are_erased_under_load() {
    let began = Instant::now();
    let said = |what: &str| eprintln!("{:>6.1} s  {what}", began.elapsed().as_secs_f64());
    let operator = Operator {
        files: Files::new(),
    };
    let data = operator.files.data.clone();
    let servers = [operator.files.start(), operator.files.start()];
    let key = servers[0].issue("acme", &ALL_SCOPES).await;
    let other_key = servers[0].issue("acme", &ALL_SCOPES).await;
    let load = Load::new([
        Client::new(&servers[0], &key),
        Client::new(&servers[1], &other_key),
    ]);
    let others = Others::seed(&servers, &load.tally).await;
    let load = Arc::new(load);
    let seeded = seeded();
    seed(&load, &data, seeded).await;
    // Nobody touches them until they are erased.
    let doomed = load.people.remove(DOOMED);
    let kept = load.people.all().len();
    said("seeded");
    let traffic = Traffic::start(&load, kept);

    let dropped = rotating::run(&operator, &servers, &load, (others, &doomed), &said).await;
    traffic.end().await;
    load.tally.check("at the end");
    said("rotated and erased");
    let count = |it: &std::sync::atomic::AtomicU64| it.load(Ordering::Relaxed);
    eprintln!(
        "{} reads, {} writes, {} of them events that came again; writes that were told to come again: {:?}",
        count(&load.tally.reads),
        count(&load.tally.writes),
        count(&load.tally.duplicates),
        load.tally.delayed(),
    );
    for server in &servers {
        eprintln!("a server: {}", used(server));
    }
    for server in servers {
        assert!(server.terminate().success());
    }

    // With nothing of what was before in their environment, they have everything.
    let servers = dropped.start(&operator);
    let clients = [
        Client::new(&servers[0], &other_key),
        Client::new(&servers[1], &key),
    ];
    check_everything(&load.people.all(), &clients).await;
    let mut database = data.connect().await;
    let events = operator
        .number(
            &mut database,
            "SELECT count(*) FROM event WHERE source = 'load/crm' AND tenant = 'acme'",
        )
        .await;
    let expected = seeded as u64 + load.tally.events.load(Ordering::Relaxed);
    assert_eq!(u64::try_from(events).unwrap(), expected);
    let leads = operator
        .number(&mut database, "SELECT count(*) FROM lead")
        .await;
    assert_eq!(usize::try_from(leads).unwrap(), load.people.all().len());
    let verified = operator.done(&["keys", "verify", "--json"]).await;
    assert_eq!(verified[0]["failed"], 0, "{verified:?}");
    drop(database);
    said("all is there");
    dropped.restore(&operator, servers, &key).await;
    said("restored, and erased again");
}

/// Sends everybody as an event, and learns which leads they became.
async fn seed(load: &Arc<Load>, data: &Data, seeded: usize) {
    let first: Vec<Arc<Person>> = (0..seeded as u64)
        .map(|number| load.people.add(number))
        .collect();
    load.next.store(seeded as u64, Ordering::SeqCst);
    let batches = first.chunks(BATCH).map(batch).enumerate();
    let sent = stream::iter(batches).for_each_concurrent(2, |(number, batch)| {
        let client = &load.clients[number % 2];
        async move {
            let sent = client.write(&load.tally, Method::POST, "/v1/events", &batch);
            let answer = sent.await.unwrap();
            assert_eq!(
                answer["accepted"],
                batch.as_array().unwrap().len(),
                "{answer}"
            );
        }
    });
    sent.await;
    load.tally.check("at the start");
    let leads = "SELECT id, lead FROM event WHERE type = 'lead.created' AND tenant = 'acme'";
    let rows = sqlx::query(leads)
        .fetch_all(&mut data.connect().await)
        .await;
    let ids: BTreeMap<String, String> = rows
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert_eq!(ids.len(), seeded);
    for person in &first {
        assert!(person.got_id(&ids[&format!("first-{}", person.number)]));
    }
}

/// Nobody is missing, nobody is there twice, and everything opens to what was acknowledged last.
async fn check_everything(people: &[Arc<Person>], clients: &[Client; 2]) {
    let tally = Tally::default();
    let all = stream::iter(people.iter().enumerate());
    let checked = all.for_each_concurrent(AT_ONCE, |(number, person)| {
        let (tally, client) = (&tally, &clients[number % 2]);
        async move {
            assert_eq!(person.acknowledged(), person.sent(), "{person:?}");
            client.check_lead(tally, person).await;
            let query = format!("email={}", person.email());
            client.check_found(tally, person, &query).await;
            client.check_searches(tally, person).await;
        }
    });
    checked.await;
    tally.check("after everything");
}

/// How much of a processor a process took, and how much memory at most.
fn used(server: &Server) -> String {
    let read = |name: &str| {
        let path = format!("/proc/{}/{name}", server.pid());
        std::fs::read_to_string(path).unwrap()
    };
    let stat = read("stat");
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let status = read("status");
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    let cpu = Duration::from_millis(ticks * 10);
    format!(
        "{:.1} s of CPU, {}",
        cpu.as_secs_f64(),
        peak.unwrap_or_default()
    )
}
