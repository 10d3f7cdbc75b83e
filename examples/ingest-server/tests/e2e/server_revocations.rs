//! Two servers on one database under a flood of events: how late the one refuses what the other has revoked.
//! Alone on the machine (`.config/nextest.toml`).
#![expect(
    clippy::print_stdout,
    reason = "the figures tell how near a promise was to be broken"
)]

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use tokio::task::JoinSet;

use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, page_view, wait_for},
    key_checks::revoke,
    programs::Redis,
};

/// Keys that are revoked, and how many at a time.
const REVOCATIONS: usize = 200;
const AT_ONCE: usize = 8;
/// Checks of one key at a time.
const CHECKS: usize = 2;

/// From a commit to the end of a reading of the outbox that tells of it, but for the way there and back.
const READING: Duration = Duration::from_millis(500);

/// Tenants that flood each server, each with some connections and so many events in a request.
const TENANTS: usize = 4;
const CONNECTIONS: usize = 2;
const BATCH: usize = 100;

/// Senders that send as fast as they are answered.
struct Flood {
    ends: Arc<AtomicBool>,
    accepted: Arc<AtomicU64>,
    senders: JoinSet<()>,
    began: Instant,
}

impl Flood {
    async fn start(servers: &[Server]) -> Self {
        let (ends, accepted) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut senders = JoinSet::new();
        for (number, server) in servers.iter().enumerate() {
            for tenant in 0..TENANTS {
                let name = format!("flood-{number}-{tenant}");
                let key = server.issue(&name, &ALL_SCOPES).await;
                for connection in 0..CONNECTIONS {
                    let (ends, accepted) = (Arc::clone(&ends), Arc::clone(&accepted));
                    let (url, key) = (server.public_url("/v1/events"), key.clone());
                    let name = format!("{name}-{connection}");
                    senders.spawn(async move {
                        let client = Client::new();
                        for batch in 0.. {
                            if ends.load(Ordering::SeqCst) {
                                break;
                            }
                            let id = |event| page_view(format!("{name}-{batch}-{event}"));
                            let events: Value = (0..BATCH).map(id).collect();
                            let send = client.post(&url).bearer_auth(&key.text).json(&events);
                            let status = send.send().await.unwrap().status();
                            if status == StatusCode::ACCEPTED {
                                accepted.fetch_add(BATCH as u64, Ordering::SeqCst);
                            }
                        }
                    });
                }
            }
        }
        Self {
            ends,
            accepted,
            senders,
            began: Instant::now(),
        }
    }

    /// Ends it, and gives how many events were accepted in a second.
    async fn end(self) -> f64 {
        let took = self.began.elapsed().as_secs_f64();
        let accepted = self.accepted.load(Ordering::SeqCst);
        self.ends.store(true, Ordering::SeqCst);
        self.senders.join_all().await;
        accepted as f64 / took
    }
}

/// Checks one key on one server, from an address of its own: who sends a wrong key is slowed.
struct Checker {
    client: Client,
    url: String,
    key: Key,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Accepted,
    Refused,
    /// The server was too busy to check it.
    Busy,
}

impl Checker {
    fn new(server: &Server, key: Key, number: usize) -> Self {
        let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
        let client =
            Client::builder().local_address(std::net::IpAddr::from([127, 1 + high, low, 1]));
        Self {
            client: client.build().unwrap(),
            url: server.public_url("/v1/events"),
            key,
        }
    }

    async fn check(&self) -> Check {
        // Refused after the key was checked, and before anything is stored.
        let invalid = json!({ "type": "page.viewed", "source": "test/web", "id": "1", "data": {} });
        let request = self.client.post(&self.url).bearer_auth(&self.key.text);
        let status = request.json(&invalid).send().await.unwrap().status();
        match status {
            StatusCode::UNPROCESSABLE_ENTITY => Check::Accepted,
            StatusCode::UNAUTHORIZED => Check::Refused,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Check::Busy,
            status => panic!("{status}"),
        }
    }

    async fn is_in_memory(&self) {
        wait_for("a key that is accepted", async || {
            (self.check().await == Check::Accepted).then_some(())
        })
        .await;
    }

    /// When the last check began that found the key good, until it is refused.
    async fn last_acceptance(&self) -> Option<Instant> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut last = None;
        loop {
            let began = Instant::now();
            match self.check().await {
                Check::Accepted => last = Some(began),
                Check::Refused => return last,
                Check::Busy => {}
            }
            assert!(began < deadline, "it is not refused");
        }
    }
}

/// How late a revocation was, and how long the database took at most to answer meanwhile.
#[derive(Clone, Copy)]
struct Late {
    by: Duration,
    round_trip: Duration,
}

/// The last moment at which a key was certainly not revoked yet, which is when the database was last asked in vain;
/// and the longest that it took to answer.
async fn before_commit(database: &mut SqliteConnection, key: &Key) -> (Instant, Duration) {
    let mut before = Instant::now();
    let mut longest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        let status = "SELECT status FROM apikey_cache_api_key WHERE kid = ?";
        let status = sqlx::query_scalar(status).bind(&key.kid);
        let status: String = status.fetch_one(&mut *database).await.unwrap();
        longest = longest.max(asked.elapsed());
        if status == "revoked" {
            return (before, longest);
        }
        before = asked;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Revokes a key through a server, and gives how long after the commit the last check began that accepted it.
async fn revoked_late(
    revoker: &Server,
    checker: &Checker,
    database: &mut SqliteConnection,
) -> Late {
    checker.is_in_memory().await;
    let revoking = wait_for("a revocation", async || {
        (revoke(revoker, &checker.key).await.status() == StatusCode::NO_CONTENT).then_some(())
    });
    let checking = join_all((0..CHECKS).map(|_| checker.last_acceptance()));
    let committing = before_commit(database, &checker.key);
    let ((), last, (committed, round_trip)) = tokio::join!(revoking, checking, committing);
    let last = last.into_iter().flatten().max();
    let by = last.map_or(Duration::ZERO, |last| {
        last.saturating_duration_since(committed)
    });
    Late { by, round_trip }
}

/// Revokes keys on one of two servers that are flooded, and holds the bound against how late the other was.
async fn assert_late(case: &str, start: impl Fn(&Data) -> Command) {
    let data = Data::new();
    let servers = [(); 2].map(|()| Server::start_command(&data, start(&data)));
    let [revoker, server] = &servers;
    for server in &servers {
        // Operators do more here than they usually may.
        let much = json!({ "per-second": 10_000, "burst": 10_000 });
        let admin = json!({ "admin": { "address": much, "tenant": much } });
        let limits = json!({ "tier": { "operator": { "category": admin } } });
        let put = server.admin(Method::PUT, "/admin/limits").json(&limits);
        assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    }
    let mut checkers = Vec::new();
    for number in 0..REVOCATIONS {
        let key = revoker
            .issue(&format!("tenant-{}", number % AT_ONCE), &ALL_SCOPES)
            .await;
        checkers.push(Checker::new(server, key, number));
    }
    let flood = Flood::start(&servers).await;
    let mut lanes = Vec::new();
    for lane in 0..AT_ONCE {
        let of_lane = checkers.iter().skip(lane).step_by(AT_ONCE);
        let mut database = data.connect().await;
        lanes.push(async move {
            let mut late = Vec::new();
            for checker in of_lane {
                late.push(revoked_late(revoker, checker, &mut database).await);
            }
            late
        });
    }
    let all = join_all(lanes).await.concat();
    let per_second = flood.end().await;
    let round_trip = all.iter().map(|late| late.round_trip).max().unwrap();
    let mut late: Vec<Duration> = all.iter().map(|late| late.by).collect();
    late.sort_unstable();
    let (worst, median) = (late[late.len() - 1], late[late.len() / 2]);
    let bound = READING + round_trip;
    println!(
        "| {case} | {} | {worst:.1?} | {median:.1?} | {bound:.1?} | {per_second:.0} events/s |",
        late.len()
    );
    assert!(per_second > 100.0, "that is no flood: {per_second}");
    assert!(worst <= bound, "{worst:?} late, at most {bound:?}");
    // None of them is good again.
    for checker in &checkers {
        assert!(checker.check().await != Check::Accepted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_flood_without_redis() {
    assert_late("two servers under a flood", Data::command).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_flood_with_redis() {
    let redis = Redis::start().await;
    let start = |data: &Data| {
        let mut command = data.command();
        command.env("INGEST_REDIS_URL", redis.url());
        command
    };
    assert_late("two servers under a flood, Redis", start).await;
}
