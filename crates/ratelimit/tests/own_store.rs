//! A store written outside the crate, on its public API alone, keeps the contract; and stores
//! that break it are caught by the clause that they break.

#[path = "../examples/own_store/row.rs"]
mod row;
#[path = "../examples/own_store/store.rs"]
mod store;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use portcullis_ratelimit::{
    bucket::Bucket,
    clock::Timestamp,
    conformance,
    policy::MAX_LIMITS,
    store::{Answer, Charge, ChargeFuture, ChargeOutcome, Partition, Store, Subject, Target},
};

use self::store::ByteStore;

#[tokio::test]
async fn a_store_that_keeps_bytes_conforms() {
    conformance::store(
        async || Arc::new(ByteStore::default()) as Arc<dyn Store>,
        async |_| {},
    )
    .await;
}

/// How a store breaks the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    YieldsBetweenReadingAndWriting,
    ChargesEachLimitAlone,
    CountsPeeks,
    RefillsWhenTimeStepsBack,
    ForgetsTheScale,
    JoinsNamesWithAColon,
    ForgetsDebt,
    TakesTheRestForANewRequest,
}

#[derive(Debug)]
struct Broken {
    fault: Fault,
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl Broken {
    fn key(&self, charge: &Charge<'_>, target: &Target<'_>) -> String {
        let identity = target.limit().identity();
        match (self.fault, charge.partition(), target.subject()) {
            (Fault::JoinsNamesWithAColon, Partition::Tenant(tenant), Subject::Key(key)) => {
                format!("{identity}:{tenant}:{key}")
            }
            (_, partition, subject) => format!("{identity} {partition:?} {subject:?}"),
        }
    }

    fn read(&self, charge: &Charge<'_>, target: &Target<'_>) -> Option<Bucket> {
        let key = self.key(charge, target);
        let bucket = *self
            .buckets
            .lock()
            .expect("no thread panics with it")
            .get(&key)?;
        let (consumed, last, scale) = (bucket.consumed(), bucket.last_tick(), bucket.scale());
        Some(match self.fault {
            Fault::RefillsWhenTimeStepsBack => {
                let present = scale.tick().floor(charge.now());
                Bucket::new(consumed, last.min(present), scale)
            }
            Fault::ForgetsDebt => {
                Bucket::new(consumed.min(target.limit().limit().volume()), last, scale)
            }
            Fault::ForgetsTheScale => Bucket::new(consumed, last, target.limit().limit().scale()),
            _ => bucket,
        })
    }

    fn write(&self, charge: &Charge<'_>, target: &Target<'_>, bucket: Bucket) {
        let key = self.key(charge, target);
        self.buckets
            .lock()
            .expect("no thread panics with it")
            .insert(key, bucket);
    }

    /// Takes `cost` from each limit that has room, whatever the others say.
    fn charge_each(&self, charge: &Charge<'_>, cost: u32) -> ChargeOutcome {
        let mut outcome = ChargeOutcome::new(charge, charge.now());
        for target in charge.targets() {
            let limit = target.limit().limit();
            let bucket = self.read(charge, &target);
            let bucket = bucket.unwrap_or_else(|| Bucket::full(limit, Timestamp::default()));
            let level = bucket.at(limit, charge.now());
            match level.charge(cost) {
                Err(_) => outcome.set(&target, Answer::Refuses, &level),
                Ok(charged) => {
                    self.write(charge, &target, charged);
                    let level = charged.at(limit, charge.now());
                    outcome.set(&target, Answer::HasRoom, &level);
                }
            }
        }
        outcome
    }
}

impl Store for Broken {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        ChargeFuture::boxed(async move {
            match (self.fault, charge.cost()) {
                (Fault::ChargesEachLimitAlone, cost) => return Ok(self.charge_each(charge, cost)),
                (Fault::TakesTheRestForANewRequest, cost) if charge.before() > 0 => {
                    return Ok(self.charge_each(charge, cost));
                }
                (Fault::CountsPeeks, 0) => return Ok(self.charge_each(charge, 1)),
                _ => {}
            }
            let mut buckets = [None; MAX_LIMITS];
            for target in charge.targets() {
                buckets[target.position()] = self.read(charge, &target);
            }
            if self.fault == Fault::YieldsBetweenReadingAndWriting {
                tokio::task::yield_now().await;
            }
            let pending = charge.decide(charge.now(), |target| buckets[target.position()]);
            for (target, bucket) in pending.updates() {
                self.write(charge, &target, bucket);
            }
            Ok(pending.outcome())
        })
    }
}

async fn check_broken(fault: Fault) {
    let make = async || {
        let buckets = Mutex::default();
        Arc::new(Broken { fault, buckets }) as Arc<dyn Store>
    };
    conformance::store(make, async |_| {}).await;
}

#[tokio::test]
#[should_panic(expected = "`Store`: a charge is one step: ")]
async fn charges_that_come_between_reading_and_writing_are_caught() {
    check_broken(Fault::YieldsBetweenReadingAndWriting).await;
}

#[tokio::test]
#[should_panic(expected = "`Store`: a refusal charges no limit: ")]
async fn a_limit_charged_although_another_refuses_is_caught() {
    check_broken(Fault::ChargesEachLimitAlone).await;
}

#[tokio::test]
#[should_panic(expected = "`Store`: a cost of zero changes nothing: ")]
async fn a_peek_that_takes_tokens_is_caught() {
    check_broken(Fault::CountsPeeks).await;
}

#[tokio::test]
#[should_panic(expected = "`Store`: a clock that steps back refills nothing: ")]
async fn a_refill_by_a_clock_that_steps_back_is_caught() {
    check_broken(Fault::RefillsWhenTimeStepsBack).await;
}

#[tokio::test]
#[should_panic(expected = "`Store`: changed limits keep the tokens used: ")]
async fn a_bucket_kept_without_its_scale_is_caught() {
    check_broken(Fault::ForgetsTheScale).await;
}

#[tokio::test]
#[should_panic(
    expected = "`Store`: a cost above the burst is charged in full where debt is allowed: 101 tokens drain in 101 hours, "
)]
async fn debt_that_is_forgotten_is_caught() {
    check_broken(Fault::ForgetsDebt).await;
}

#[tokio::test]
#[should_panic(
    expected = "`Store`: the first charge of a request does not stand in the way of its rest: "
)]
async fn a_rest_that_is_decided_without_its_first_charge_is_caught() {
    check_broken(Fault::TakesTheRestForANewRequest).await;
}

#[tokio::test]
#[should_panic(
    expected = "`Store`: names with any separator are counted apart: tokens left of 9 for names that hold \":\""
)]
async fn names_that_run_into_each_other_are_caught() {
    check_broken(Fault::JoinsNamesWithAColon).await;
}
