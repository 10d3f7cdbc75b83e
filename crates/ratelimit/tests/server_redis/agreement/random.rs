//! Random limits, policies and charges.

use std::time::Duration;

use portcullis_ratelimit::{
    Category, Tier,
    policy::{Limit, Policies, Policy, Rate, Rule},
};

/// SplitMix64, for histories that a seed names.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, which is above zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = usize::try_from(self.below(choices.len() as u64));
        choices[index.expect("below the length")]
    }

    /// Any number of bits, so that small numbers come as often as large ones.
    pub(crate) fn of_any_size(&mut self, most: u64) -> u64 {
        let bits = self.below(65);
        let mask = u64::MAX.checked_shr(64 - u32::try_from(bits).expect("at most 64"));
        (self.next() & mask.unwrap_or(0)).min(most)
    }

    pub(crate) fn tokens(&mut self, most: u32) -> u32 {
        u32::try_from(self.of_any_size(most.into())).expect("at most the bound")
    }
}

/// One to four limits of one tier and category, and so the same buckets as every other policy made here.
pub(crate) fn policy(random: &mut Random) -> Policy {
    let (tier, category) = (Tier::STANDARD, Category::INGEST);
    // At least one of the category's, without which there is no policy.
    let present = 2 + random.below(14);
    let mut builder = Policies::builder();
    if present & 1 != 0 {
        builder = builder.tenant(tier.clone(), rule(random));
    }
    if present & 2 != 0 {
        builder = builder.category(tier.clone(), category.clone(), rule(random));
    }
    if present & 4 != 0 {
        builder = builder.key(tier.clone(), category.clone(), rule(random));
    }
    if present & 8 != 0 {
        builder = builder.address(tier.clone(), category.clone(), rule(random));
    }
    let policies = builder.build().expect("scopes have different names");
    let policy = policies.policy(&tier, &category);
    policy.expect("the category has a rule").as_ref().clone()
}

fn rule(random: &mut Random) -> Rule {
    let rule = Rule::new(limit(random));
    if random.one_in(4) {
        rule.shadow()
    } else {
        rule
    }
}

fn limit(random: &mut Random) -> Limit {
    const DAY: u64 = 86_400_000_000;
    loop {
        let period = match random.below(4) {
            0 => random.one_of(&[
                1,
                1_000,
                1_000_000,
                60_000_000,
                3_600_000_000,
                DAY,
                30 * DAY,
            ]),
            1 => 1 + random.of_any_size(400 * DAY),
            2 => (1 + random.below(1_000)) * 1_000,
            _ => 1_000_000,
        };
        let rate = Rate::tokens_per(
            random.tokens(u32::MAX - 1) + 1,
            Duration::from_micros(period),
        );
        // Up to the bound of what can be counted, which refuses some.
        let burst = random.tokens(u32::MAX - 1) + 1;
        let debt = if random.one_in(2) {
            random.tokens(u32::MAX)
        } else {
            0
        };
        if let Ok(limit) = Limit::new(rate, burst).and_then(|limit| limit.with_debt(debt)) {
            return limit;
        }
    }
}
