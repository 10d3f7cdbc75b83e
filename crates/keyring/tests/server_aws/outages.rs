//! KMS goes away: what is cached goes on, then it is said that nobody answers, and it comes back by itself.

use std::{sync::Arc, time::Duration};

use portcullis_keyring::{
    Keyring, PrepareError, Purpose, TenantId,
    clock::FakeClock,
    kek::{AwsKms, KekError, KekProvider as _},
    store::MemoryDekStore,
};

use super::{
    moto::{self, Moto, connection, context},
    proxy::Proxy,
};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn is_unavailable<T: std::fmt::Debug>(answer: Result<T, PrepareError>) {
    let unavailable = matches!(&answer, Err(PrepareError::Kek(KekError::Unavailable(_))));
    assert!(unavailable, "{answer:?}");
}

#[tokio::test]
async fn what_is_cached_outlives_an_outage_for_a_day() {
    let moto = Moto::start();
    let mut proxy = Proxy::before(moto.port()).await;
    let connection = connection(&proxy.endpoint(), "test", "test").await;
    let kek = AwsKms::new(&connection, &moto.key()).unwrap();
    let clock = Arc::new(FakeClock::new());
    let keyring = Keyring::builder(Arc::new(kek), Arc::new(MemoryDekStore::new()))
        .clock(clock.clone())
        .build();
    let (known, new) = (
        TenantId::new("known").unwrap(),
        TenantId::new("new").unwrap(),
    );
    let email = [Purpose::new("email").unwrap()];
    let seals = async || {
        let keys = keyring.prepare(&known, &email).await?;
        let now = keys.clock().monotonic();
        Ok::<_, PrepareError>(keys.primary("email", now).unwrap().id())
    };
    let id = seals().await.unwrap();

    proxy.close().await;
    for _ in 0..23 {
        clock.advance(HOUR);
        assert_eq!(seals().await.unwrap(), id);
    }
    is_unavailable(keyring.prepare(&new, &email).await);
    clock.advance(HOUR);
    is_unavailable(seals().await);

    proxy.reopen().await;
    assert_eq!(seals().await.unwrap(), id, "without a restart");
    keyring.prepare(&new, &email).await.unwrap();
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let moto = Moto::start();
    let builder = moto::builder(&moto.endpoint(), "test", "test")
        .attempt_timeout(Duration::from_secs(1))
        .call_timeout(Duration::from_secs(3));
    let connection = builder.build().await.unwrap();
    let (patient, key) = moto.kek().await;
    let kek = AwsKms::new(&connection, &key).unwrap();
    let here = context("tenant", "email", 7);
    let made = patient.generate(&here).await.unwrap();

    moto.pause();
    let asked = std::time::Instant::now();
    let opened = kek.unwrap_key(&here, &made.wrapped).await;
    let took = asked.elapsed();
    moto.resume();
    assert!(
        matches!(opened, Err(KekError::Unavailable(_))),
        "{opened:?}"
    );
    assert!(took >= Duration::from_secs(1), "it was asked: {took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");

    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while let Err(error) = kek.unwrap_key(&here, &made.wrapped).await {
        assert!(std::time::Instant::now() < deadline, "{error:?}");
    }
}

/// With a connection that would ask three times.
#[tokio::test]
async fn what_fails_is_not_sent_again_past_the_budget() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let connection = moto::builder(&proxy.endpoint(), "test", "test");
    let connection = connection.build().await.unwrap();
    let kek = AwsKms::new(&connection, &moto.key()).unwrap();
    let keyring = Keyring::builder(Arc::new(kek), Arc::new(MemoryDekStore::new())).build();
    let (new, email) = (
        TenantId::new("new").unwrap(),
        [Purpose::new("email").unwrap()],
    );
    for (status, code) in [
        (503, "KeyUnavailableException"),
        (500, "KMSInternalException"),
        (400, "ThrottlingException"),
    ] {
        let before = proxy.count("GenerateDataKey");
        proxy.fails("GenerateDataKey", status, code);
        is_unavailable(keyring.prepare(&new, &email).await);
        assert_eq!(proxy.count("GenerateDataKey"), before + 1, "{code}");
    }
}

#[tokio::test]
async fn without_credentials_nobody_answers() {
    let moto = Moto::start();
    let endpoint = moto.endpoint();
    let proxy = Proxy::before(moto.port()).await;
    let (kek, _) = moto.kek().await;
    let here = context("tenant", "email", 7);
    let made = kek.generate(&here).await.unwrap();
    moto.enforce_policies();
    let unknown = connection(&endpoint, "AKIANOBODY", "none").await;
    let key = kek.primary().await.unwrap().unwrap();
    let kek = AwsKms::new(&unknown, &key).unwrap();
    let opened = kek.unwrap_key(&here, &made.wrapped).await;
    assert!(
        matches!(opened, Err(KekError::Unavailable(_))),
        "{opened:?}"
    );
    drop(proxy);
}
