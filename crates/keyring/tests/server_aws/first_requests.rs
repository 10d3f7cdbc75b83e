//! Many requests at once for keys that this process does not have yet.

use std::sync::Arc;

use portcullis_keyring::{Keyring, Purpose, TenantId, kek::AwsKms, store::MemoryDekStore};

use super::{
    moto::{Moto, connection},
    proxy::Proxy,
};

const REQUESTS: usize = 1000;

async fn prepare_at_once(keyring: &Keyring, tenant: &TenantId, purposes: &[Purpose]) {
    let mut requests = Vec::new();
    for _ in 0..REQUESTS {
        let (keyring, tenant) = (keyring.clone(), tenant.clone());
        let purposes = purposes.to_vec();
        requests.push(tokio::spawn(async move {
            let keys = keyring.prepare(&tenant, &purposes).await.unwrap();
            let now = keys.clock().monotonic();
            purposes.iter().for_each(|purpose| {
                keys.primary(purpose.as_str(), now).unwrap();
            });
        }));
    }
    for request in requests {
        request.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_make_one_call_of_kms_for_each_purpose() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let connection = connection(&proxy.endpoint(), "test", "test").await;
    let kek = Arc::new(AwsKms::new(&connection, &moto.key()).unwrap());
    let store = Arc::new(MemoryDekStore::new());
    let purposes = ["email", "phone", "name"].map(|name| Purpose::new(name).unwrap());
    let tenant = TenantId::new("tenant-7").unwrap();

    // Of a tenant that nobody has seen: its keys are made, and serve as they were made.
    let keyring = Keyring::builder(kek.clone(), store.clone()).build();
    prepare_at_once(&keyring, &tenant, &purposes).await;
    assert_eq!(proxy.count("GenerateDataKey"), 3);
    assert_eq!(proxy.count("Decrypt"), 0);

    // Of a process that has just started.
    let keyring = Keyring::builder(kek, store).build();
    prepare_at_once(&keyring, &tenant, &purposes).await;
    assert_eq!(proxy.count("GenerateDataKey"), 3);
    assert_eq!(proxy.count("Decrypt"), 3);
    assert_eq!(proxy.calls().len(), 6);
}
