//! Whatever happens between the steps of a sweep, and wherever it is killed: no row is lost, no value
//! changed, and all is in order at the end.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use portcullis_keyring::{KeyId, sweep::Pace};
use portcullis_pii_crypto::{
    Email, Pii, PiiType, Sealed,
    reencrypt::{Scope, SweepError},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sqlx::Row as _;

use super::{
    disturbed::{Application, Disturbed, Event},
    shop::Shop,
};

const CUSTOMERS: u32 = 8;

/// How a customer is stored when the sweep begins.
#[derive(Debug, Clone, Copy)]
enum Stored {
    Old,
    New,
    Plain,
    Not,
}

/// What the application has stored, beside the table itself.
#[derive(Debug)]
struct Model {
    shop: Shop,
    /// Does not know of the last rotation.
    late: Shop,
    stored: Mutex<BTreeMap<String, String>>,
}

fn id(number: u32) -> String {
    format!("c{number}")
}

fn address(number: u32, version: u32) -> String {
    format!("customer.{number}.{version}@example.com")
}

impl Model {
    fn stored(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn put(&self, shop: &Shop, number: u32, version: u32) {
        let address = address(number, version);
        shop.store(&id(number), &address, &format!("Customer {version}"))
            .await;
        self.stored().insert(id(number), address);
    }

    async fn put_plain(&self, number: u32, version: u32) {
        let (address, name) = (address(number, version), format!("Customer {version}"));
        self.shop.store_plain(&id(number), &address, &name).await;
        self.stored().insert(id(number), address);
    }

    /// Every row opens to what was stored last.
    async fn is_whole(&self) -> Result<(), TestCaseError> {
        let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM customer ORDER BY id")
            .fetch_all(&self.shop.pool)
            .await
            .expect("the table answers");
        let expected = self.stored().clone();
        prop_assert_eq!(&ids, &Vec::from_iter(expected.keys().cloned()));
        for (id, address) in &expected {
            prop_assert_eq!(&self.shop.email(id).await, address);
        }
        Ok(())
    }
}

#[async_trait]
impl Application for Model {
    async fn disturb(&self, event: &Event) {
        match *event {
            Event::Stores(number, version) => self.put(&self.shop, number, version).await,
            Event::StoresLate(number, version) => self.put(&self.late, number, version).await,
            Event::StoresPlain(number, version) => self.put_plain(number, version).await,
            Event::Removes(number) => {
                self.stored().remove(&id(number));
                for delete in [
                    "DELETE FROM customer WHERE id = ?",
                    "DELETE FROM customer_key WHERE customer = ?",
                    "DELETE FROM customer_index WHERE customer = ?",
                ] {
                    let delete = sqlx::query(delete).bind(id(number));
                    delete
                        .execute(&self.shop.pool)
                        .await
                        .expect("it is removed");
                }
            }
            Event::Nothing | Event::Fails | Event::KilledBefore | Event::KilledAfter => {}
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    let customer = || (0..CUSTOMERS + 2, 1..1_000_u32);
    prop_oneof![
        4 => Just(Event::Nothing),
        1 => Just(Event::Fails),
        2 => Just(Event::KilledBefore),
        2 => Just(Event::KilledAfter),
        2 => customer().prop_map(|(number, version)| Event::Stores(number, version)),
        1 => customer().prop_map(|(number, version)| Event::StoresLate(number, version)),
        1 => customer().prop_map(|(number, version)| Event::StoresPlain(number, version)),
        1 => customer().prop_map(|(number, _)| Event::Removes(number)),
    ]
}

fn stored() -> impl Strategy<Value = Stored> {
    prop_oneof![
        3 => Just(Stored::Old),
        1 => Just(Stored::New),
        2 => Just(Stored::Plain),
        1 => Just(Stored::Not),
    ]
}

/// Runs a sweep of a scope until it comes to its end with nothing left.
async fn sweep(
    model: &Model,
    scope: &Scope,
    batch: u32,
    events: Vec<Event>,
) -> Result<(), TestCaseError> {
    let rows = Disturbed::new(&model.shop, events, model);
    let batch = NonZeroU32::new(batch).expect("not zero");
    let reencryptor = model.shop.reencryptor().pace(Pace::batches_of(batch));
    for _ in 0..100 {
        let was_quiet = rows.is_quiet();
        let mut nobody = |_: &_| {};
        let run = reencryptor.run(&rows, scope, "sweep", &mut nobody);
        tokio::select! {
            report = run => match report {
                Ok(report) => {
                    prop_assert!(report.failures.is_empty(), "{:?}", report.failures);
                    prop_assert!(report.duplicates.is_empty(), "{:?}", report.duplicates);
                    if was_quiet {
                        prop_assert!(report.is_complete(), "{:?}", report);
                        return Ok(());
                    }
                }
                Err(error) => prop_assert!(matches!(error, SweepError::Rows(_)), "{error}"),
            },
            () = rows.killed.notified() => {}
        }
        model.is_whole().await?;
    }
    Err(TestCaseError::fail("it does not come to its end"))
}

async fn set_up(begin: &[Stored]) -> (tempfile::TempDir, Model, KeyId) {
    let (folder, shop) = Shop::new().await;
    let late = Shop::open(&folder.path().join("shop.db")).await;
    late.cipher().await;
    shop.cipher().await;
    let model = Model {
        shop,
        late,
        stored: Mutex::default(),
    };
    for (number, stored) in (0..).zip(begin) {
        match stored {
            Stored::Old => model.put(&model.shop, number, 0).await,
            Stored::Plain => model.put_plain(number, 0).await,
            Stored::New | Stored::Not => {}
        }
    }
    let old = model.shop.rotate(&Email::purpose()).await;
    for (number, stored) in (0..).zip(begin) {
        if matches!(stored, Stored::New) {
            model.put(&model.shop, number, 0).await;
        }
    }
    (folder, model, old)
}

fn holds(test: impl AsyncFn(Vec<Stored>, u32, Vec<Event>) -> Result<(), TestCaseError>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let cases = (
        prop::collection::vec(stored(), CUSTOMERS as usize),
        1..5_u32,
        prop::collection::vec(event(), 0..60),
    );
    let mut runner = TestRunner::new(Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&cases, |(begin, batch, events)| {
            runtime.block_on(test(begin, batch, events))
        })
        .expect("it holds");
}

#[test]
fn what_an_old_key_sealed_ends_under_the_primary() {
    holds(async |begin, batch, events| {
        let (_folder, model, old) = set_up(&begin).await;
        sweep(&model, &Scope::Keys([old].into()), batch, events).await?;
        model.is_whole().await?;
        let verified = model.shop.verify(old).await;
        prop_assert_eq!(verified.rows_of(old), Some(0));
        prop_assert!(verified.differing().all(|(key, ..)| key != old));
        prop_assert!(verified.failures.is_empty(), "{:?}", verified.failures);
        Ok(())
    });
}

#[test]
fn plaintext_ends_sealed_and_is_found() {
    holds(async |begin, batch, events| {
        let (_folder, model, _) = set_up(&begin).await;
        sweep(&model, &Scope::Plaintext, batch, events).await?;
        model.is_whole().await?;
        let reencryptor = model.shop.reencryptor();
        let left = reencryptor.plaintext_left(&model.shop.customers).await;
        prop_assert_eq!(left.expect("it answers"), 0);
        let stored = model.stored().clone();
        for (id, address) in stored {
            let address = Pii::<Email>::parse(&address).expect("an address");
            let found = model.shop.customers.find(&model.shop.tenant, &address);
            prop_assert_eq!(found.await.expect("it answers"), Some(id));
        }
        Ok(())
    });
}

#[test]
fn rows_without_an_index_end_with_one() {
    holds(async |begin, batch, events| {
        let (_folder, model, _) = set_up(&begin).await;
        sqlx::query("DELETE FROM customer_index")
            .execute(&model.shop.pool)
            .await
            .expect("it is empty");
        let version = 1_u32.try_into().expect("a version");
        sweep(&model, &Scope::NotIndexed(version), batch, events).await?;
        model.is_whole().await?;
        let rows = sqlx::query("SELECT id, email FROM customer WHERE email IS NULL")
            .fetch_all(&model.shop.pool)
            .await
            .expect("the table answers");
        for row in rows {
            let id: String = row.get("id");
            let address = model.stored()[&id].clone();
            let address = Pii::<Email>::parse(&address).expect("an address");
            let found = model.shop.customers.find(&model.shop.tenant, &address);
            prop_assert_eq!(found.await.expect("it answers"), Some(id));
        }
        Ok(())
    });
}

#[test]
fn everything_ends_under_the_primary() {
    holds(async |begin, batch, events| {
        let (_folder, model, _) = set_up(&begin).await;
        sweep(&model, &Scope::All, batch, events).await?;
        // What plaintext of later stands beside is not needed any more. Writers that came late while a sweep of all rows went on are met by the next.
        sweep(&model, &Scope::All, batch, Vec::new()).await?;
        model.is_whole().await?;
        let primary = model.shop.cipher().await;
        let email = Pii::<Email>::parse("a@example.com").expect("an address");
        let primary = primary.seal("f", "r", &email).expect("it seals").key_id();
        let rows = sqlx::query("SELECT email_sealed FROM customer WHERE email IS NULL")
            .fetch_all(&model.shop.pool)
            .await
            .expect("the table answers");
        for row in rows {
            prop_assert_eq!(row.get::<Sealed<Email>, _>(0).key_id(), primary);
        }
        Ok(())
    });
}
