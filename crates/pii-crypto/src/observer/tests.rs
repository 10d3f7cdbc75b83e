//! What an observer of a cipher is told.

use std::sync::{Arc, Mutex};

use super::*;
use crate::{Cipher, Email, FieldContext, Pii, known_keys::World};

/// Keeps what it was told; its clock moves 3 µs each time it is read.
#[derive(Debug, Default)]
struct Kept {
    events: Mutex<Vec<(Operation, String, Outcome, Duration)>>,
    reads: Mutex<u32>,
}

impl Observer for Kept {
    fn observe(&self, event: &Event<'_>) {
        let told = (
            event.operation,
            event.purpose.to_owned(),
            event.outcome,
            event.took,
        );
        self.events.lock().expect("no one panics").push(told);
    }

    fn now(&self) -> Duration {
        let mut reads = self.reads.lock().expect("no one panics");
        *reads += 1;
        *reads * Duration::from_micros(3)
    }
}

impl Kept {
    fn told(&self) -> Vec<(&'static str, String, &'static str, Duration)> {
        let events = self.events.lock().expect("no one panics");
        let told = events.iter();
        told.map(|(operation, purpose, outcome, took)| {
            (operation.as_str(), purpose.clone(), outcome.as_str(), *took)
        })
        .collect()
    }
}

#[tokio::test]
async fn every_value_is_told_once_with_its_purpose_outcome_and_time() {
    let world = World::new().await;
    let kept = Arc::new(Kept::default());
    let keys = world.keys(&["email"]).await;
    let cipher = Cipher::new(keys).with_observer(kept.clone());
    let email = Pii::<Email>::parse("ada@example.com").expect("an address");
    let sealed = cipher.seal("f", "r", &email).expect("it seals");
    cipher.open("f", "r", &sealed).expect("it opens");
    cipher.open("f", "other", &sealed).expect_err("rejected");
    cipher.seal("", "r", &email).expect_err("no field");
    let (from, to) = (FieldContext::new("f", "r"), FieldContext::new("f", "s"));
    cipher.rebind(&sealed, from, to).expect("it moves");
    world.clock.advance(Duration::from_secs(11));
    cipher.seal("f", "r", &email).expect_err("stale");
    cipher.open("f", "r", &sealed).expect_err("stale");
    let told = kept.told();
    let expected = [
        ("seal", "ok"),
        ("open", "ok"),
        ("open", "rejected"),
        ("seal", "invalid_context"),
        ("open", "ok"),
        ("seal", "ok"),
        ("seal", "stale_keys"),
        ("open", "needs_key"),
    ];
    let expected = expected.map(|(operation, outcome)| {
        let took = Duration::from_micros(3);
        (operation, "email".to_owned(), outcome, took)
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_is_told_shows_neither_value_nor_place() {
    let world = World::new().await;
    #[derive(Debug)]
    struct Printed(Mutex<String>);
    impl Observer for Printed {
        fn observe(&self, event: &Event<'_>) {
            *self.0.lock().expect("no one panics") += &format!("{event:?}");
        }
    }
    let printed = Arc::new(Printed(Mutex::default()));
    let cipher = Cipher::new(world.keys(&["email"]).await).with_observer(printed.clone());
    let email = Pii::<Email>::parse("ada@example.com").expect("an address");
    cipher
        .seal("lead.email", "record-1", &email)
        .expect("it seals");
    let printed = printed.0.lock().expect("no one panics").clone();
    assert!(printed.contains("Seal"), "{printed}");
    for hidden in ["ada", "example", "lead.email", "record-1", "tenant-7"] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}

#[test]
fn labels_are_distinct_and_cover_every_error() {
    let mut labels: Vec<_> = Outcome::ALL.map(Outcome::as_str).into();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), Outcome::ALL.len());
    let seal = [
        SealError::NoKey,
        SealError::StaleKeys,
        SealError::InvalidContext,
        SealError::TooLong,
    ];
    let open = [
        OpenError::Rejected,
        OpenError::KeyUnavailable,
        OpenError::KeyDestroyed,
        OpenError::KeyNotOpened,
    ];
    let of_errors = seal.map(Outcome::from).into_iter();
    for outcome in of_errors.chain(open.map(Outcome::from)) {
        assert!(Outcome::ALL.contains(&outcome));
        assert_ne!(outcome, Outcome::Ok);
    }
}
