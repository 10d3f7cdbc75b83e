//! Another tenant, who sends events and asks nothing of anybody while an attack goes on.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use tokio::task::JoinSet;

use crate::{
    attackers::Attackers,
    harness::{ALL_SCOPES, Key, Server, page_view, wait_for},
    latencies::Latencies,
    target::Target,
};

/// How long the bystander is watched before an attack, and during it.
const UNDISTURBED: Duration = Duration::from_secs(3);
const ATTACKED: Duration = Duration::from_secs(8);
const ROUNDS: usize = 3;

/// Under attack, answers take at most so many times as long.
const SLOWER: u32 = 2;
/// Times below this are noise of the machine: twice as much of it hurts nobody.
const NOISE: Duration = Duration::from_millis(10);
/// Within which health answers, whatever goes on.
const HEALTH: Duration = Duration::from_secs(1);
/// The memory of the process after an attack, compared with before.
const MORE_MEMORY: u64 = 2;

/// Runs an attack with a key of the free tier and holds what is promised to all others: no refusal,
/// answers within twice the time, health within a second, and memory given back.
///
/// A machine may be busy with other things for a while, and what starves others does not stop: the
/// times count in the best of some rounds, everything else in each.
pub(crate) async fn is_left_alone(attack: impl Fn(&Target) -> JoinSet<()> + Send + Sync + 'static) {
    let server = Server::start();
    let attacker = server.issue_tier("attacker", "free", &ALL_SCOPES).await;
    let key = server.issue("bystander", &ALL_SCOPES).await;
    let target = Target::new(&server, &attacker);
    let attack = Arc::new(move || attack(&target));
    // The first requests make keys and connections.
    send_events(&server, &key, "first", Duration::from_secs(1)).await;
    let memory = resident_kib(&server);

    let mut is_within = false;
    for round in 0..ROUNDS {
        let before = send_events(&server, &key, &format!("before-{round}"), UNDISTURBED).await;
        let attack = Arc::clone(&attack);
        let attackers = Attackers::start(move || attack());
        let name = format!("attacked-{round}");
        let (attacked, health) = tokio::join!(
            send_events(&server, &key, &name, ATTACKED),
            ask_for_health(&server, ATTACKED)
        );
        attackers.stop();
        let allowed = SLOWER * before.p95().max(NOISE);
        println!(
            "p95 {:?} before ({} events), {:?} under attack ({}), {allowed:?} are allowed; health \
             within {:?}; {memory} KiB before, {} KiB after",
            before.p95(),
            before.count(),
            attacked.p95(),
            attacked.count(),
            health.longest(),
            resident_kib(&server)
        );
        is_within = attacked.p95() < allowed && health.longest() < HEALTH;
        if is_within {
            break;
        }
    }
    assert!(
        is_within,
        "in no round were the times within what is allowed"
    );
    wait_for("memory to be given back", async || {
        (resident_kib(&server) <= MORE_MEMORY * memory).then_some(())
    })
    .await;
}

/// Sends one event after the other for a while; each is accepted.
async fn send_events(server: &Server, key: &Key, name: &str, lasting: Duration) -> Latencies {
    let mut latencies = Latencies::default();
    let end = Instant::now() + lasting;
    while Instant::now() < end {
        let event = page_view(format!("{name}-{}", latencies.count()));
        let began = Instant::now();
        let answer = server.post("/v1/events", key, &event).send().await.unwrap();
        latencies.add(began.elapsed());
        let status = answer.status();
        let answer = answer.text().await.unwrap();
        assert_eq!(status, StatusCode::ACCEPTED, "{name}: {answer}");
    }
    latencies
}

/// Asks how the process is, ten times a second.
async fn ask_for_health(server: &Server, lasting: Duration) -> Latencies {
    let mut latencies = Latencies::default();
    let mut next = tokio::time::interval(Duration::from_millis(100));
    let end = Instant::now() + lasting;
    while Instant::now() < end {
        next.tick().await;
        let began = Instant::now();
        let alive = server.admin(Method::GET, "/healthz").send();
        let ready = server.admin(Method::GET, "/readyz").send();
        let (alive, ready) = tokio::join!(alive, ready);
        latencies.add(began.elapsed());
        assert_eq!(alive.unwrap().status(), StatusCode::OK);
        assert_eq!(ready.unwrap().status(), StatusCode::OK);
    }
    latencies
}

/// The memory that the process has now.
fn resident_kib(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}
