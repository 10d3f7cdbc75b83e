//! A table that holds plaintext, in an application that goes on running: columns are added, a version is
//! deployed that reads both kinds, then one that seals, the rows are taken in, and it is checked that no
//! plaintext is left. Then the data key is
//! rotated, the rows are sealed again and verified, and the old key goes the way to its destruction.
//!
//! How the table tells a sweep of its rows, and takes what it made of them, is in
//! `own_table/customers.rs`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

#[path = "own_table/customers.rs"]
mod customers;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use portcullis_keyring::{
    Keyring, Rotation, TenantId,
    clock::FakeClock,
    kek::MemoryKek,
    store::{DekStore, MemoryDekStore},
    sweep::{Pace, Progress},
};
use portcullis_pii_crypto::{
    Cipher, Email, IndexRoots, PersonName, Pii, PiiKinds, PiiType,
    reencrypt::{FailureReason, Reencryptor, Scope},
    secrets::VersionedSecrets,
};
use secrecy::SecretString;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use self::customers::Customers;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    // A service leaves the clock and the timer out; here all waiting is over at once.
    let clock = Arc::new(FakeClock::new());
    let keys = Arc::new(MemoryDekStore::new());
    let keyring = Keyring::builder(Arc::new(MemoryKek::new()?), keys.clone())
        .clock(clock.clone())
        .build();
    let root = SecretString::from("1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=");
    let roots = IndexRoots::new(VersionedSecrets::parse(&root, None)?)?;
    let tenant = TenantId::new("tenant-7")?;
    let purposes = [Email::purpose(), PersonName::purpose()];

    // The table as it was: one address is none, and two customers are the same.
    let folder = tempfile::tempdir()?;
    let file = SqliteConnectOptions::new()
        .filename(folder.path().join("shop.db"))
        .create_if_missing(true);
    let pool = SqlitePoolOptions::new().connect_with(file).await?;
    sqlx::raw_sql(
        "CREATE TABLE customer (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, email TEXT, name TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO customer SELECT printf('c%04d', i), 'tenant-7',
           printf('customer.%d@example.com', i), printf('Customer %d', i) FROM n;
         INSERT INTO customer VALUES ('d1', 'tenant-7', 'unknown', 'Nobody'),
           ('d2', 'tenant-7', 'Customer.5@EXAMPLE.com', 'Customer 5');",
    )
    .execute(&pool)
    .await?;

    // 1. Columns are added, and a version of the application that knows them is deployed: it reads both,
    //    and writes plaintext, which processes of the former version still read.
    let customers = Customers::new(pool.clone(), roots);
    customers.add_columns().await?;
    let email = customers.email(&keyring, &tenant, "c0001").await?;
    println!("before: {}", email.ok_or("it has one")?.masked());
    let new = || Pii::<Email>::parse("new.address@example.com");
    let name = || Pii::<PersonName>::parse("Customer 2");
    let is_new = customers
        .store_unsealed(&tenant, "c0002", new()?, name()?)
        .await?;
    assert!(is_new);

    // 2. When none of those is left, the version that writes sealed values is deployed. No address is
    //    taken twice, whether it is sealed or not.
    let cipher = Cipher::new(keyring.prepare(&tenant, &purposes).await?);
    let is_new = customers
        .store(&cipher, &tenant, "c0002", &new()?, &name()?)
        .await?;
    assert!(is_new);
    for taken in ["NEW.address@example.com", "Customer.3@example.com"] {
        let email = Pii::parse(taken)?;
        let is_new = customers
            .store(&cipher, &tenant, "d3", &email, &name()?)
            .await?;
        assert!(!is_new, "another customer has it");
    }

    // 3. The plaintext is taken in, 500 rows a second. What cannot be is listed, and the rest goes on.
    let (batch, rate) = (
        NonZeroU32::MIN.saturating_add(99),
        NonZeroU32::MIN.saturating_add(499),
    );
    let reencryptor = Reencryptor::new(keyring.clone(), PiiKinds::built_in())
        .pace(Pace::batches_of(batch).at_most(rate))
        .timer(clock.clone());
    let mut show = |progress: &Progress| {
        if progress.done.is_multiple_of(500) {
            println!(
                "  {} of {}, {:.0}/s",
                progress.done,
                progress.total,
                progress.rate()
            );
        }
    };
    let report = reencryptor
        .run(&customers, &Scope::Plaintext, "take in", &mut show)
        .await?;
    for failure in report.failures.iter().chain(&report.duplicates) {
        println!("  {failure}");
    }
    let [failure] = &*report.failures else {
        return Err("one address is none".into());
    };
    assert!(matches!(failure.reason, FailureReason::Invalid(_)));
    assert_eq!(report.duplicates.len(), 1);

    // 4. Somebody corrects those; then none is left, and the plaintext columns can be dropped.
    sqlx::query("DELETE FROM customer WHERE id IN ('d1', 'd2')")
        .execute(&pool)
        .await?;
    let report = reencryptor
        .run(&customers, &Scope::Plaintext, "take in", &mut show)
        .await?;
    assert!(report.is_complete());
    assert_eq!(reencryptor.plaintext_left(&customers).await?, 0);
    println!("no plaintext is left");

    // 5. A look-up by the blind index.
    let found = customers
        .find(&tenant, &Pii::parse("CUSTOMER.77@example.com")?)
        .await?;
    assert_eq!(found.as_deref(), Some("c0077"));

    // 6. The data key of addresses is rotated: the next one is promoted when every process knows it.
    keyring.rotate(&tenant, &Email::purpose()).await?;
    clock.advance(Duration::from_secs(15));
    let Rotation::Promoted { demoted, .. } = keyring.rotate(&tenant, &Email::purpose()).await?
    else {
        return Err("15 s have passed".into());
    };

    // 7. What it sealed is sealed again. A process that still sealed with it has stored that a minute
    //    later; then every row is opened, and counted by the keys that it needs.
    let old = Scope::Keys([demoted].into());
    let report = reencryptor
        .run(&customers, &old, "retire", &mut show)
        .await?;
    assert!(report.is_complete());
    let ready_in = keyring.verify_from(&tenant, demoted).await?;
    clock.advance(ready_in);
    let verified = reencryptor
        .verify(&customers, &[demoted].into(), &mut show)
        .await?;
    let key = keys.load(demoted).await?.ok_or("it is there")?;
    verified.frees(&key)?;
    println!(
        "key {demoted}: {:?} rows need it",
        verified.rows_of(demoted)
    );

    // 8. Only now may it be disabled, and later, verified again each time, be destroyed.
    keyring.disable(&tenant, demoted).await?;
    let email = customers.email(&keyring, &tenant, "c0001").await?;
    println!("after: {}", email.ok_or("it has one")?.masked());
    Ok(())
}
