//! What lowers a bucket behind the back of a denial cache, and how late it is noticed.

use std::{future::ready, sync::Arc, time::Duration};

use super::{cached, single};
use crate::{
    clock::Timestamp,
    store::{
        Charge, ChargeFuture, Corrections, DenialCache, Source, Store,
        histories::{
            CATEGORY, Counted, OwnTime, TIER, admits, answered, capacity, charged, millis,
            one_limit, policy, rule,
        },
    },
};

/// One token in a hundred seconds, used up and refused once.
fn refused(store: &DenialCache, at: Timestamp) {
    let policy = one_limit(1, 100);
    charged(store, &single(&policy, 100, at));
    assert!(!admits(&policy, &charged(store, &single(&policy, 100, at))));
}

#[test]
fn what_another_process_gives_back_is_noticed_within_a_second() {
    let (inner, policy) = (Counted::new(), one_limit(1, 100));
    let cached = cached(&inner);
    refused(&cached, millis(0));
    let back = Corrections::none().with(0, -100);
    let charge = single(&policy, 0, millis(0));
    answered(inner.charge(&charge.with_corrections(&back)));
    let late = charged(&cached, &single(&policy, 100, millis(999)));
    assert_eq!(late.source(), Source::DenialCache);
    let noticed = charged(&cached, &single(&policy, 100, millis(1_000)));
    assert!(admits(&policy, &noticed));
}

#[test]
fn a_store_that_lost_its_buckets_or_was_set_forward_is_noticed_within_a_second() {
    for is_emptied in [true, false] {
        let (inner, policy) = (Arc::new(OwnTime::default()), one_limit(1, 100));
        let cached = DenialCache::new(Arc::clone(&inner) as _, capacity(8));
        refused(&cached, millis(0));
        if is_emptied {
            inner.empty();
        } else {
            inner.set(Timestamp::default().plus(Duration::from_secs(3_600)));
        }
        assert!(!admits(
            &policy,
            &charged(&cached, &single(&policy, 100, millis(999)))
        ));
        assert!(admits(
            &policy,
            &charged(&cached, &single(&policy, 100, millis(1_000)))
        ));
    }
}

#[test]
fn what_is_given_back_through_it_is_noticed_at_once() {
    let (inner, policy) = (Counted::new(), one_limit(1, 100));
    let cached = cached(&inner);
    refused(&cached, millis(0));
    let back = Corrections::none().with(0, -100);
    let charge = single(&policy, 1, millis(1));
    let outcome = answered(cached.charge(&charge.with_corrections(&back)));
    assert!(admits(&policy, &outcome));
    assert!(admits(
        &policy,
        &charged(&cached, &single(&policy, 99, millis(1)))
    ));
}

/// Also where the store counts what it keeps otherwise than what is remembered would tell: it drains
/// all of the time since the last charge at the new rate, and cuts to the new burst before that.
#[test]
fn changed_limits_are_noticed_at_once() {
    let at = millis(50_000);
    for (rate, burst, cost) in [
        (10, 100, 100),
        (10, 2_000, 2_000),
        (1, 40, 40),
        (1, 200, 150),
        (3, 70, 70),
    ] {
        let inner = Counted::new();
        let cached = cached(&inner);
        let (before, after) = (one_limit(1, 100), one_limit(rate, burst));
        charged(&cached, &single(&before, 100, millis(0)));
        assert!(!admits(
            &before,
            &charged(&cached, &single(&before, 60, at))
        ));
        assert!(!admits(
            &before,
            &charged(&cached, &single(&before, 60, at))
        ));
        assert_eq!(inner.asked(), 2);
        let outcome = charged(&cached, &single(&after, cost, at));
        assert!(admits(&after, &outcome), "{rate} {burst} {cost}");
    }
}

#[test]
fn a_larger_burst_that_still_does_not_suffice_is_refused_here() {
    let (inner, after) = (Counted::new(), one_limit(1, 110));
    let cached = cached(&inner);
    refused(&cached, millis(0));
    let outcome = charged(&cached, &single(&after, 11, millis(0)));
    assert_eq!(outcome.source(), Source::DenialCache);
    assert!(admits(
        &after,
        &charged(&cached, &single(&after, 10, millis(0)))
    ));
}

#[test]
fn a_shadow_that_becomes_enforced_is_asked_for() {
    let inner = Counted::new();
    let cached = cached(&inner);
    let with = |shadow: bool| {
        let narrow = rule(1, 2);
        let narrow = if shadow { narrow.shadow() } else { narrow };
        policy(|rules| {
            rules
                .tenant(TIER, rule(1, 3))
                .category(TIER, CATEGORY, narrow.clone())
        })
    };
    let (shadowed, enforced) = (with(true), with(false));
    charged(&cached, &single(&shadowed, 2, millis(0)));
    assert!(!admits(
        &shadowed,
        &charged(&cached, &single(&shadowed, 2, millis(0)))
    ));
    // The store in memory keeps the buckets of shadows apart.
    assert!(admits(
        &enforced,
        &charged(&cached, &single(&enforced, 1, millis(0)))
    ));
}

/// A store that decides at once, and whose answers come when they are waited for.
#[derive(Debug)]
struct Slow(Arc<Counted>);

impl Store for Slow {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        let outcome = charged(self.0.as_ref(), charge);
        ChargeFuture::boxed(ready(Ok(outcome)))
    }
}

#[test]
fn an_answer_that_was_overtaken_changes_nothing() {
    let (inner, policy) = (Counted::new(), one_limit(1, 5));
    let cached = DenialCache::new(Arc::new(Slow(Arc::clone(&inner))), capacity(8));
    charged(inner.as_ref(), &single(&policy, 1, millis(0)));
    let five = single(&policy, 5, millis(0));
    let overtaken = cached.charge(&five);
    charged(inner.as_ref(), &single(&policy, 4, millis(1)));
    assert!(!admits(
        &policy,
        &charged(&cached, &single(&policy, 1, millis(1)))
    ));
    // By what it was told, four tokens would be free.
    assert!(!admits(&policy, &answered(overtaken)));
    let outcome = charged(&cached, &single(&policy, 1, millis(2)));
    assert_eq!(outcome.source(), Source::DenialCache);
}
