//! Ten weeks of a company as they could be, with what must be found planted among them.

use std::collections::BTreeMap;

use super::{
    super::*,
    Constant,
    leaves::{Access, MINUTES, START},
};
use crate::event::{Activity, ActorType, Leaf};

const DAYS: u64 = 70;
const PEOPLE: u64 = 30;
const KEYS: u64 = 10;

/// SplitMix64, so that a failure comes again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.within(0..100) < percent
    }
}

/// An access, and where it came from: office, home, or somewhere else.
type Day = Vec<(Access, u8)>;

/// Somebody works eight hours, from about nine on, at times an hour longer, and comes from the office or from home.
fn person(random: &mut Random, id: &str, day: u64, habit: u64, into: &mut Day) {
    if day % 7 >= 5 {
        return;
    }
    let begins = 8 * 60 + habit * 7 % 90 + random.within(0..45);
    let mut ends = begins + 8 * 60;
    if random.chance(10) {
        ends += random.within(30..120);
    }
    let place = if random.chance(40) {
        100 + u8::try_from(habit).unwrap()
    } else {
        0
    };
    let mut minute = begins;
    while minute < ends {
        let lead = usize::try_from(random.within(0..5_000)).unwrap();
        let shown = usize::try_from(random.within(1..8)).unwrap();
        let mut access = Access::at(day * 24 * 60 + minute)
            .later(random.within(0..60))
            .actor(ActorType::Person, id)
            .fields(usize::try_from(random.within(0..6)).unwrap())
            .resources(lead..lead + shown)
            .reason("support");
        if random.chance(2) {
            access = access.denied();
        }
        into.push((access, place));
        minute += random.within(4..35);
    }
}

/// A program reads a little all day, and writes much.
fn key(random: &mut Random, id: &str, day: u64, into: &mut Day) {
    for hour in 0..24 {
        for _ in 0..random.within(3..8) {
            let at = Access::at((day * 24 + hour) * 60 + random.within(0..60));
            let lead = usize::try_from(random.within(0..5_000)).unwrap();
            let access = at.actor(ActorType::ApiKey, id).resources(lead..lead + 3);
            let access = if random.chance(50) {
                access.count(5_000).fields(12).activity(Activity::Create)
            } else {
                access
            };
            into.push((access, 1));
        }
    }
}

/// What is planted, after five weeks, each on a day and for an actor of its own; and the rule that must find it.
fn planted(rule: Rule, actor: u64, day: u64, into: &mut Day) {
    let id = format!("p-{actor}");
    let at = |minute: u64| Access::at((day * 24 + 13) * 60 + minute).actor(ActorType::Person, &id);
    match rule {
        Rule::Bulk => (0..9).for_each(|n| {
            let first = 10_000 + usize::try_from(n).unwrap() * 12;
            into.push((at(n).resources(first..first + 12), 0));
        }),
        Rule::Fields => into.push((at(0).fields(7), 0)),
        Rule::Automated => into.push((at(0).reason("automated"), 0)),
        Rule::Hour => into.push((
            Access::at((day * 24 + 2) * 60 + 30).actor(ActorType::Person, &id),
            0,
        )),
        Rule::Failures => (0..11).for_each(|n| into.push((at(0).later(n * 20).denied(), 0))),
        Rule::NewNetwork => into.push((at(0), 250)),
        Rule::BreakGlass => into.push((at(0).action("elevation.break_glass"), 0)),
    }
}

fn run(seed: u64) -> (BTreeMap<Rule, usize>, Vec<(Rule, String)>) {
    let mut random = Random(seed);
    let hasher = NetworkHasher::new(&Constant(1)).unwrap();
    let mut rules = Rules::new(RuleSettings::new());
    let (mut found, mut wrong) = (BTreeMap::new(), Vec::new());
    let mut plants = BTreeMap::new();
    for (nth, rule) in (0..).zip(Rule::ALL.iter().cycle().take(28)) {
        // From the second day of a week to the fifth, when people work.
        let day = 35 + nth / 4 * 5 % 35;
        let day = day - day % 7 + 1 + nth % 4;
        plants.insert((day, nth), *rule);
    }
    for day in 0..DAYS {
        let mut accesses = Day::new();
        for n in 0..PEOPLE {
            person(&mut random, &format!("p-{n}"), day, n, &mut accesses);
        }
        for n in 0..KEYS {
            key(&mut random, &format!("k-{n}"), day, &mut accesses);
        }
        for ((_, actor), rule) in plants.range((day, 0)..(day + 1, 0)) {
            planted(*rule, *actor, day, &mut accesses);
        }
        accesses.sort_by_key(|(access, _)| access.micros());
        for (access, place) in accesses {
            let leaf = access.leaf();
            let leaf = Leaf::parse(&leaf).unwrap();
            let network = hasher.hash([198, 51, place, 7].into());
            for finding in rules.observe(&leaf, Some(network)) {
                let actor = finding.actor_id.to_string();
                let is_planted = plants.iter().any(|((planted, nth), rule)| {
                    (*planted, *rule, format!("p-{nth}")) == (day, finding.rule, actor.clone())
                });
                if is_planted {
                    *found.entry(finding.rule).or_insert(0) += 1;
                } else {
                    let when = (finding.time.unix_micros() - START) / MINUTES;
                    wrong.push((
                        finding.rule,
                        format!("{actor} on day {day}, minute {}", when % 1_440),
                    ));
                }
            }
        }
    }
    (found, wrong)
}

#[test]
fn all_that_was_planted_is_found_and_at_most_one_else_an_actor_and_month() {
    for seed in 0..3 {
        let (found, wrong) = run(seed);
        for rule in Rule::ALL {
            assert_eq!(found.get(&rule), Some(&4), "seed {seed}, {rule}: {found:?}");
        }
        let actors = PEOPLE + KEYS;
        let months = DAYS as f64 / 30.0;
        let rate = wrong.len() as f64 / actors as f64 / months;
        assert!(
            rate <= 1.0,
            "seed {seed}: {rate} an actor and month, as {wrong:?}"
        );
    }
}
