//! The store in memory beside the plain way: buckets in a map, and [`Charge::decide`] alone.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{CATEGORY, Step, TIER, histories, outcome_of, policy, rule, store};
use crate::{
    bucket::Bucket,
    policy::Policy,
    store::{Charge, ChargeOutcome, Target, WhenFull},
};

/// Every bucket by a text of its own.
#[derive(Default)]
struct Plain(HashMap<String, Bucket>);

impl Plain {
    fn charge(&mut self, charge: &Charge<'_>) -> ChargeOutcome {
        let key = |target: &Target<'_>| {
            let (limit, subject) = (target.limit().identity(), target.subject());
            format!("{limit} {:?} {subject:?}", charge.partition())
        };
        let pending = charge.decide(charge.now(), |target| self.0.get(&key(target)).copied());
        for (target, bucket) in pending.updates() {
            self.0.insert(key(&target), bucket);
        }
        pending.outcome()
    }
}

/// Limits that get in each other's way: with debt, and a shadow that is narrower than the others.
fn contrary_limits() -> Policy {
    policy(|rules| {
        rules
            .tenant(TIER, rule(9, 12))
            .category(TIER, CATEGORY, rule(2, 3).shadow())
            .key(TIER, CATEGORY, rule(5, 6))
            .address(TIER, CATEGORY, rule(4, 8))
            .with_debt_in(&CATEGORY, 9)
            .unwrap()
    })
}

proptest! {
    #[test]
    fn it_answers_what_deciding_over_a_map_does(
        history in histories(3, 0..=14_u32),
        befores in prop::collection::vec(prop_oneof![3 => Just(0), 1 => 1..=5_u32], 120),
    ) {
        let (memory, mut plain) = (store(1_000, WhenFull::SharedOverflow), Plain::default());
        let policy = contrary_limits();
        for (step, before) in history.iter().zip(befores) {
            let Step { at, .. } = *step;
            let (request, first) = (step.request(), ChargeOutcome::default());
            let charge = Charge::for_rest(&policy, &request, at, before, &first);
            prop_assert_eq!(outcome_of(&memory, &charge), plain.charge(&charge));
        }
    }
}
