//! What two servers admit together while Redis answers.

use std::time::Duration;

use reqwest::StatusCode;

use super::fleet::{Answers, BURST, RATE, decisions, read, reader, send, start_two, sum};
use crate::{harness::Server, programs::Redis};

const LASTING: Duration = Duration::from_secs(10);

/// How long a lease lasts at most, in seconds.
const LEASE: f64 = 0.2;

/// A tenant that floods both servers, and one that sends a fifth of its rate meanwhile.
async fn flood_beside_calm(counting: &str) -> (Answers, Answers, [Server; 2]) {
    let redis = Redis::start().await;
    let servers = start_two(&redis, counting).await;
    let (hasty, calm) = (
        reader(&servers[0], "hasty").await,
        reader(&servers[0], "calm").await,
    );
    let (flood, calm) = tokio::join!(
        send(&servers, &hasty, 4 * RATE, LASTING),
        send(&servers, &calm, RATE / 5, LASTING),
    );
    (flood, calm, servers)
}

/// A machine on which Redis does not answer within its deadline is not one where limits are exact.
#[tokio::test]
async fn exact_admits_the_burst_and_the_rate_within_three_percent() {
    for _ in 0..5 {
        let (flood, calm, servers) = flood_beside_calm("exact").await;
        let alone = ["admitted", "refused"].map(|outcome| decisions(outcome, "fallback"));
        if sum(&servers, &alone[0]).await + sum(&servers, &alone[1]).await == 0.0 {
            return assert_exact(&flood, &calm, &servers).await;
        }
    }
    panic!("this machine is too slow for any run without a timeout");
}

async fn assert_exact(flood: &Answers, calm: &Answers, servers: &[Server]) {
    let expected = f64::from(BURST) + f64::from(RATE) * flood.took.as_secs_f64();
    let ratio = f64::from(flood.admitted()) / expected;
    assert!((0.97..=1.03).contains(&ratio), "{flood:?} of {expected}");
    assert_eq!(calm.admitted(), calm.all(), "{calm:?}");
    let refused = flood.number(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(flood.admitted() + refused, flood.all(), "{flood:?}");
    let decided = f64::from(flood.admitted() + calm.admitted());
    assert_eq!(sum(servers, &decisions("admitted", "redis")).await, decided);
    // Most of a flood costs Redis nothing.
    let spared = sum(servers, &decisions("refused", "deny_cache")).await;
    let asked = sum(servers, &decisions("refused", "redis")).await;
    assert_eq!(spared + asked, f64::from(refused));
    assert!(spared > asked, "{spared} of {refused}");
}

#[tokio::test]
async fn a_lease_admits_no_more_than_the_rate_of_its_lifetime_beside() {
    let (flood, calm, servers) = flood_beside_calm("lease").await;
    let took = flood.took.as_secs_f64();
    let most = f64::from(BURST) + f64::from(RATE) * (took + LEASE);
    let admitted = f64::from(flood.admitted());
    assert!(admitted <= most, "{flood:?} of {most}");
    // What is refused while another server has tokens left is the price.
    let least = f64::from(RATE) * took;
    assert!(admitted >= 0.9 * least, "{flood:?} of {least}");
    assert_eq!(calm.admitted(), calm.all(), "{calm:?}");
    assert!(sum(&servers, &decisions("admitted", "lease")).await > 0.0);
}

#[tokio::test]
async fn what_one_server_admits_counts_on_the_other() {
    let redis = Redis::start().await;
    let servers = start_two(&redis, "exact").await;
    let key = reader(&servers[0], "acme").await;
    let flood = send(&servers[..1], &key, 4 * RATE, Duration::from_secs(3)).await;
    assert!(flood.number(StatusCode::TOO_MANY_REQUESTS) > 0, "{flood:?}");
    // A second of the rate is at most what has come back since.
    let mut admitted = 0;
    while read(&servers[1], &key).await.status() == StatusCode::NOT_FOUND {
        admitted += 1;
        assert!(admitted < BURST / 2, "a burst of its own");
    }
    // Another tenant has all of its burst.
    let other = reader(&servers[0], "other").await;
    for _ in 0..BURST {
        let answer = read(&servers[1], &other).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}
