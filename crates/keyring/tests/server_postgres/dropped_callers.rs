//! Callers who go away in the middle.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
};

use super::*;

/// Polls it so many times, if it does not end before.
async fn polled<F: Future>(mut future: Pin<&mut F>, polls: u32) -> Option<F::Output> {
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

async fn run(pool: &PgPool, statement: &'static str) {
    let run = sqlx::query(statement).execute(pool);
    run.await.expect("it is done");
}

/// What others of the pool write is written, and not in a transaction that a caller has left behind.
#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_transaction_to_others_of_the_pool() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    let tenant = tenant();
    run(&pool, "CREATE TABLE of_others (id INTEGER)").await;
    let elsewhere = server.schema("shared").await;
    // The first poll may find the answer of the server already, or not: several times over, some are dropped in each.
    for pass in 1..=3 {
        let mut polls = 0;
        while polled(
            pin!(store.erase_tenant(&tenant, SystemTime::UNIX_EPOCH)),
            polls,
        )
        .await
        .is_none()
        {
            polls += 1;
            for _ in 0..8 {
                run(&pool, "INSERT INTO of_others VALUES (1)").await;
            }
            let written = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM of_others");
            let written = written.fetch_one(&elsewhere).await.expect("it answers");
            assert_eq!(written, i64::from(polls) * 8, "in pass {pass}");
        }
        run(&pool, "DELETE FROM of_others").await;
    }
}
