//! Writers and readers in several tasks, while a sweep goes over their rows.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use portcullis_keyring::sweep::Pace;
use portcullis_pii_crypto::{
    Email, PiiType,
    reencrypt::{Scope, TokioTimer},
};

use super::shop::Shop;

const CUSTOMERS: u32 = 120;
const WRITERS: u32 = 3;

fn id(number: u32) -> String {
    format!("c{number:03}")
}

/// Stores its own customers round and round; answers with what it stored last.
async fn write(shop: Shop, writer: u32, stop: Arc<AtomicBool>) -> BTreeMap<String, String> {
    let mut stored = BTreeMap::new();
    let mut version = 1;
    loop {
        for number in (writer..CUSTOMERS).step_by(WRITERS as usize * 2) {
            let address = format!("customer.{number}.{version}@example.com");
            shop.store(&id(number), &address, "Customer").await;
            stored.insert(id(number), address);
            if stop.load(Ordering::Relaxed) {
                return stored;
            }
        }
        version += 1;
    }
}

/// Reads every customer round and round: each opens each time.
async fn read(shop: Shop, stop: Arc<AtomicBool>) -> u32 {
    let mut reads = 0;
    while !stop.load(Ordering::Relaxed) {
        for number in 0..CUSTOMERS {
            let address = shop.email(&id(number)).await;
            assert!(address.starts_with(&format!("customer.{number}.")));
            reads += 1;
        }
    }
    reads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_loses_a_value_and_no_read_fails() {
    let (folder, shop) = Shop::new().await;
    for number in 0..CUSTOMERS {
        let address = format!("customer.{number}.0@example.com");
        shop.store(&id(number), &address, "Customer").await;
    }
    // Another process, which does not know of the rotation, seals with the old key.
    let late = Shop::open(&folder.path().join("shop.db")).await;
    late.cipher().await;
    let old = shop.rotate(&Email::purpose()).await;

    let stop = Arc::new(AtomicBool::new(false));
    let writers = (0..WRITERS).map(|writer| {
        let shop = if writer == 0 { &late } else { &shop };
        tokio::spawn(write(shop.clone(), writer, Arc::clone(&stop)))
    });
    let writers = Vec::from_iter(writers);
    let reader = tokio::spawn(read(shop.clone(), Arc::clone(&stop)));

    let scope = Scope::Keys([old].into());
    let reencryptor = shop
        .reencryptor()
        .timer(Arc::new(TokioTimer::new()))
        .pace(Pace::batches_of(NonZeroU32::MIN.saturating_add(6)));
    let run = async || {
        let mut nobody = |_: &_| {};
        let report = reencryptor.run(&shop.customers, &scope, "retire", &mut nobody);
        report.await.unwrap()
    };
    let mut changed = 0;
    for _ in 0..3 {
        let report = run().await;
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        changed += report.progress.changed;
    }
    assert!(changed >= u64::from(CUSTOMERS / 2), "{changed}");
    stop.store(true, Ordering::Relaxed);
    let mut stored = BTreeMap::new();
    for writer in writers {
        stored.extend(writer.await.unwrap());
    }
    assert!(reader.await.unwrap() > 0);

    // The late process has learned of it; what it left is brought in order.
    let report = run().await;
    assert!(report.is_complete(), "{report:?}");
    let verified = shop.verify(old).await;
    assert_eq!(verified.rows_of(old), Some(0));
    assert_eq!(verified.progress.done, u64::from(CUSTOMERS));
    assert!(verified.failures.is_empty(), "{:?}", verified.failures);
    assert_eq!(verified.differing().count(), 0);
    for number in 0..CUSTOMERS {
        let first = format!("customer.{number}.0@example.com");
        let expected = stored.get(&id(number)).unwrap_or(&first);
        assert_eq!(&shop.email(&id(number)).await, expected);
    }
}
