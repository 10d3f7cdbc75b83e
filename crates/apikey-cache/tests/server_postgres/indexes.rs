//! No statement reads every key, but the count of those that need a pepper.

use portcullis_apikey_cache::store::{KeyQuery, KeyStore as _};
use sqlx::postgres::PgPoolOptions;

use super::*;

/// By how the server counts it: what it says of a statement in `EXPLAIN` is of another one.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_looked_up_by_indexes() {
    let server = Server::start();
    // One connection, which tells what it has counted when it is asked to.
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect_lazy_with((*server.schema("shared").await.connect_options()).clone());
    let store = migrated(pool.clone()).await;
    run(
        &pool,
        "INSERT INTO apikey_cache_api_key (kid, tenant, tier, scopes, status, version, created_at, last_used,
             pepper_version, hash, row_mac)
         SELECT lpad(number::TEXT, 22, '0'), 'Tenant-' || number % 100, 'free', '', 'active', 1, number, number,
             1, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')
         FROM generate_series(1, 200000) AS number;
         ANALYZE apikey_cache_api_key",
    )
    .await;
    let scans = async || {
        run(&pool, "SELECT pg_stat_force_next_flush()").await;
        run(&pool, "SELECT 1").await;
        let count =
            "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'apikey_cache_api_key'";
        number(&pool, count).await
    };
    let before = scans().await;
    // More often than a server plans a statement for its values.
    for round in 0..8 {
        let kid = record(round + 1).kid;
        let tenant = |name: &str| name.parse().unwrap();
        store.load(&kid).await.unwrap();
        store.tenant_alike(&tenant("tenant-7")).await.unwrap();
        store.tenant_alike(&tenant("nobody")).await.unwrap();
        let recent = store.recently_used(UnixMillis::new(10), 100.try_into().unwrap());
        assert_eq!(recent.await.unwrap().len(), 100);
        let page = KeyQuery::first(10.try_into().unwrap()).after(kid);
        store.list(&page).await.unwrap();
        let page = page.of_tenant(tenant("Tenant-7"));
        assert_eq!(store.list(&page).await.unwrap().len(), 10);
        let uses: Vec<_> = (1..=500)
            .map(|number| (record(number).kid, ISSUED))
            .collect();
        store.update_last_used(&uses).await.unwrap();
        store.revoke(&kid, ISSUED).await.unwrap();
        store.rotate(&ended(), &record(1)).await.unwrap();
    }
    assert_eq!(scans().await, before);
    // That it is counted at all: once for each process that takes part.
    run(&pool, "SELECT count(hash) FROM apikey_cache_api_key").await;
    assert!(scans().await > before);
}
