//! The script, the decision in Rust and a model in exact fractions agree step for step, on random histories
//! with clocks that step back, limits that change, debt, corrections, shadows and peeks, of charges that are
//! sent in groups, in which one key comes again and again.

mod model;
mod random;

use std::{collections::HashMap, net::IpAddr, time::Duration};

use portcullis_ratelimit::{
    Category, RateLimitRequest, Tier,
    bucket::{Bucket, Retry},
    clock::Timestamp,
    policy::Policy,
    store::{Answer, Charge, ChargeOutcome, Corrections, Source, Target},
};
use redis::{Pipeline, aio::MultiplexedConnection, pipe};

use self::{
    model::{Asked, Fraction, ModelBucket},
    random::Random,
};
use crate::{
    group::{Group, GroupPosition, MOST_CHARGES},
    key::append_key,
    script::{CHARGE, Script},
    servers::Server,
};

static TIER: Tier = Tier::STANDARD;
static CATEGORY: Category = Category::INGEST;

const HISTORIES: u64 = 240;
const STEPS: usize = 500;

/// Below what a double can tell apart.
const LATEST: u64 = (1 << 53) - 1;

/// What a key outlives its bucket by, in milliseconds.
const MARGIN: u64 = 10_000;

#[derive(Clone, Copy, Debug)]
struct Step {
    policy: usize,
    tenant: &'static str,
    key: Option<&'static str>,
    address: Option<IpAddr>,
    before: u32,
    cost: u32,
    corrections: Option<Corrections>,
    now: u64,
}

/// The buckets of one history as Rust and as the model have them, by the names of their keys.
#[derive(Default)]
struct Kept {
    buckets: HashMap<String, (Bucket, u64)>,
    model: HashMap<String, ModelBucket>,
}

#[tokio::test(flavor = "current_thread")]
async fn the_script_decides_as_rust_and_as_exact_fractions() {
    let server = Server::redis();
    let client = redis::Client::open(server.url()).unwrap();
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .unwrap();
    let mut counts = Counts::default();
    for seed in 0..HISTORIES {
        history(seed, &mut connection, &mut counts).await;
    }
    assert!(counts.steps >= 100_000, "{counts:?}");
    // The histories are no use if they never get to the cases.
    for (what, count) in counts.cases() {
        assert!(count >= 1_000, "{what}: {counts:?}");
    }
}

/// How often what was seen.
#[derive(Debug, Default)]
struct Counts {
    steps: u64,
    admitted: u64,
    refused: u64,
    waits: u64,
    set_back: u64,
    converted: u64,
    in_debt: u64,
    groups: u64,
}

impl Counts {
    fn cases(&self) -> [(&'static str, u64); 7] {
        [
            ("admitted", self.admitted),
            ("refused", self.refused),
            ("refused until the wait was over", self.waits),
            ("clock set back", self.set_back),
            ("limits changed", self.converted),
            ("in debt", self.in_debt),
            ("groups of several charges", self.groups),
        ]
    }
}

async fn history(seed: u64, connection: &mut MultiplexedConnection, counts: &mut Counts) {
    let mut random = Random::new(seed);
    let policies: Vec<Policy> = (0..4).map(|_| random::policy(&mut random)).collect();
    let script = Script::new(told_the_time());
    let prefix = format!("h{seed}");
    let mut groups = Groups::default();
    let mut kept = Kept::default();
    let mut expected = Vec::new();
    let mut step = first_step(&mut random);
    for _ in 0..STEPS {
        step = next_step(&mut random, step, &policies);
        let mut probes = vec![(step, None)];
        while let Some((step, admits)) = probes.pop() {
            let place = format!("seed {seed}, step {}: {step:?}", expected.len());
            let charge = charge(&step, &policies);
            if charge.targets().next().is_none() {
                // The store asks no server for it.
                continue;
            }
            let outcome = kept.decide(&charge, &place, counts);
            if let Some(admits) = admits {
                assert_eq!(is_admitted(&charge, &outcome), admits, "{place}");
            } else if let Some([early, then]) = around_the_wait(&step, &charge, &outcome) {
                counts.waits += 1;
                probes.extend([(then, Some(true)), (early, Some(false))]);
            }
            let goes_alone = random.one_in(4);
            let place = groups.add(&charge, &prefix, step.now, goes_alone);
            expected.push((step, place, outcome));
        }
    }
    let load = redis::cmd("SCRIPT")
        .arg("LOAD")
        .arg(told_the_time())
        .to_owned();
    let _: String = load.query_async(connection).await.unwrap();
    let replies: Vec<Vec<u8>> = groups
        .commands(&script)
        .query_async(connection)
        .await
        .unwrap();
    assert_eq!(replies.len(), groups.0.len());
    for ((_, group), reply) in groups.0.iter().zip(&replies) {
        assert!(group.is_answered_by(reply));
        counts.groups += u64::from(group.charges() > 1);
    }
    for (index, (step, (group, place), expected)) in expected.iter().enumerate() {
        let charge = charge(step, &policies);
        let outcome = place.outcome(&charge, &replies[*group]).unwrap().unwrap();
        assert_eq!(outcome, *expected, "seed {seed}, step {index}: {step:?}");
    }
    kept.are_on_the_server(seed, connection).await;
}

/// Charges of the same time that follow each other, and the time.
#[derive(Default)]
struct Groups(Vec<(u64, Group)>);

impl Groups {
    /// Which group a charge is put into, and where.
    fn add(
        &mut self,
        charge: &Charge<'_>,
        prefix: &str,
        now: u64,
        goes_alone: bool,
    ) -> (usize, GroupPosition) {
        let may_join = self.0.last().is_some_and(|(time, group)| {
            !goes_alone && *time == now && group.charges() < MOST_CHARGES
        });
        if !may_join {
            self.0.push((now, Group::default()));
        }
        let last = self.0.len() - 1;
        (last, self.0[last].1.add(charge, prefix))
    }

    fn commands(&self, script: &Script) -> Pipeline {
        let mut commands = pipe();
        for (now, group) in &self.0 {
            let mut command = group.complete(script.by_hash());
            command.arg(now / 1_000_000).arg(now % 1_000_000);
            commands.add_command(command);
        }
        commands
    }
}

/// The script with a time that comes with the call, in place of the server's.
fn told_the_time() -> String {
    let server_time = "local time = redis.call('TIME') -- the clock\n";
    assert_eq!(CHARGE.matches(server_time).count(), 1);
    CHARGE.replace(
        server_time,
        "local time = { table.remove(ARGV, #ARGV - 1), table.remove(ARGV) }\n",
    )
}

fn first_step(random: &mut Random) -> Step {
    Step {
        policy: 0,
        tenant: "a",
        key: None,
        address: None,
        before: 0,
        cost: 0,
        corrections: None,
        now: random.one_of(&[0, 1_000_000, 1_790_000_000_000_000, LATEST / 10 * 9]),
    }
}

fn next_step(random: &mut Random, last: Step, policies: &[Policy]) -> Step {
    let policy = if random.one_in(10) {
        usize::try_from(random.below(policies.len() as u64)).unwrap()
    } else {
        last.policy
    };
    let now = match random.below(20) {
        0 => last.now.saturating_sub(random.of_any_size(1 << 45)),
        1..13 => last.now,
        13..16 => last.now + random.below(5_000),
        _ => last.now + random.of_any_size(1 << 45),
    };
    let of_policy = &policies[policy];
    let limit = random.below(of_policy.limits().len() as u64);
    let limit = of_policy.limits()[usize::try_from(limit).unwrap()].limit();
    let cost = match random.below(8) {
        0 => 0,
        1 => 1,
        2 => limit.burst(),
        3 => limit.largest_cost(),
        4 => limit.largest_cost().saturating_add(1),
        _ => random.tokens(limit.largest_cost()),
    };
    let before = if random.one_in(4) {
        random.tokens(cost)
    } else {
        0
    };
    let corrections = random.one_in(5).then(|| {
        (0..4).fold(Corrections::none(), |corrections, position| {
            corrections.with(position, correction(random))
        })
    });
    Step {
        policy,
        tenant: random.one_of(&["a", "b{c}"]),
        key: random.one_of(&[None, Some("k"), Some("k"), Some("l")]),
        address: random
            .one_of(&[None, Some(1), Some(1), Some(2)])
            .map(|last| [192, 0, 2, last].into()),
        before,
        cost,
        corrections,
        now: now.min(LATEST - (1 << 40)),
    }
}

fn correction(random: &mut Random) -> i64 {
    let tokens = i64::try_from(random.of_any_size(1 << 40)).unwrap();
    match random.below(8) {
        0 => i64::MAX,
        1 => i64::MIN,
        2..5 => -tokens,
        5 => 0,
        _ => tokens,
    }
}

fn charge<'a>(step: &'a Step, policies: &'a [Policy]) -> Charge<'a> {
    let mut request = RateLimitRequest::new(step.tenant, &TIER, &CATEGORY);
    if let Some(key) = step.key {
        request = request.with_key(key);
    }
    if let Some(address) = step.address {
        request = request.with_address(address);
    }
    let now = Timestamp::from_micros(step.now);
    let charge = Charge::for_request(&policies[step.policy], &request, now);
    let charge = charge.with_amounts(step.before, step.cost);
    match &step.corrections {
        Some(corrections) => charge.with_corrections(corrections),
        None => charge,
    }
}

/// The whole request sent again a microsecond before the longest wait is over, and when it is.
fn around_the_wait(step: &Step, charge: &Charge<'_>, outcome: &ChargeOutcome) -> Option<[Step; 2]> {
    if is_admitted(charge, outcome) {
        return None;
    }
    let enforced = charge
        .targets()
        .filter(|target| target.limit().is_enforced());
    let retries =
        enforced.filter_map(|target| outcome.status(charge.policy(), target.position())?.retry());
    let Retry::After(wait) = retries.max()? else {
        return None;
    };
    let now = step
        .now
        .checked_add(u64::try_from(wait.as_micros()).ok()?)?;
    if wait.is_zero() || now > LATEST {
        return None;
    }
    let again = Step {
        before: 0,
        cost: step.before.checked_add(step.cost)?,
        corrections: None,
        ..*step
    };
    Some([
        Step {
            now: now - 1,
            ..again
        },
        Step { now, ..again },
    ])
}

fn is_admitted(charge: &Charge<'_>, outcome: &ChargeOutcome) -> bool {
    let mut enforced = charge
        .targets()
        .filter(|target| target.limit().is_enforced());
    enforced.all(|target| outcome.answer(target.position()) != Answer::Refuses)
}

/// That of a key without its prefix.
fn name(charge: &Charge<'_>, target: &Target<'_>) -> String {
    let mut name = String::new();
    append_key(&mut name, "", charge.partition(), target);
    name
}

impl Kept {
    /// Decides in Rust and in the model, and carries both out.
    fn decide(&mut self, charge: &Charge<'_>, place: &str, counts: &mut Counts) -> ChargeOutcome {
        let name = |target: &Target<'_>| name(charge, target);
        let pending = charge.decide(charge.now(), |target| {
            self.buckets.get(&name(target)).map(|(bucket, _)| *bucket)
        });
        let outcome = pending.outcome();
        self.compare(charge, &outcome, place);
        counts.steps += 1;
        let admits = is_admitted(charge, &outcome);
        counts.admitted += u64::from(admits);
        counts.refused += u64::from(!admits);
        for (target, bucket) in pending.updates() {
            let limit = target.limit().limit();
            let level = bucket.at(limit, charge.now());
            let present = limit.scale().tick().floor(charge.now());
            counts.set_back += u64::from(level.tick() > present);
            counts.in_debt += u64::from(level.consumed() > limit.volume());
            let live = u64::try_from(level.time_to_full().as_micros()).unwrap();
            let entry = (bucket, live.div_ceil(1_000));
            let before = self.buckets.insert(name(&target), entry);
            counts.converted +=
                u64::from(before.is_some_and(|(before, _)| before.scale() != bucket.scale()));
        }
        outcome.with_source(Source::Redis)
    }

    /// The model says the same, and what it holds is what the bucket does.
    fn compare(&mut self, charge: &Charge<'_>, outcome: &ChargeOutcome, place: &str) {
        let mut levels = Vec::new();
        for target in charge.targets() {
            let limit = *target.limit().limit();
            let name = name(charge, &target);
            let bucket = self.model.get(&name).copied();
            let asked = Asked {
                before: charge.before(),
                cost: charge.cost(),
                correction: target.correction(),
            };
            let bucket = bucket.unwrap_or_else(|| ModelBucket::full(limit));
            let (bucket, has_room) = bucket.asked(limit, charge.now().as_micros(), asked);
            levels.push((target, name, bucket, has_room));
        }
        let is_refused = levels
            .iter()
            .any(|(target, _, _, has_room)| target.limit().is_enforced() && !has_room);
        for (target, name, mut bucket, has_room) in levels {
            let answer = match (has_room, is_refused) {
                (false, _) => Answer::Refuses,
                (true, true) => Answer::NotTaken,
                (true, false) => Answer::HasRoom,
            };
            if answer == Answer::HasRoom {
                bucket = bucket.charged(charge.cost());
            }
            if target.correction() != 0 || (answer == Answer::HasRoom && charge.cost() > 0) {
                self.model.insert(name, bucket);
            }
            let ours = outcome.bucket(&target).unwrap();
            let per_token = ours.scale().units_per_token().get().into();
            assert_eq!(outcome.answer(target.position()), answer, "{place}");
            let used = Fraction::new(ours.consumed().into(), per_token);
            assert_eq!(used, bucket.used, "{place}");
        }
    }

    /// The server holds these buckets and no others, each for as long as it takes to drain.
    async fn are_on_the_server(&self, seed: u64, connection: &mut MultiplexedConnection) {
        let pattern = format!("h{seed}:*");
        let names: Vec<String> = redis::cmd("KEYS")
            .arg(pattern)
            .query_async(connection)
            .await
            .unwrap();
        assert_eq!(names.len(), self.buckets.len(), "{names:?}");
        for (name, (bucket, millis)) in &self.buckets {
            let name = format!("h{seed}{name}");
            let mut both = pipe();
            both.cmd("GET").arg(&name).cmd("PTTL").arg(&name);
            let (value, left): (Vec<u8>, u64) = both.query_async(connection).await.unwrap();
            assert_eq!(value, as_kept(bucket), "{name}");
            // The server's own clock has gone on since.
            let whole = millis + MARGIN;
            let elapsed = u64::try_from(Duration::from_secs(60).as_millis()).unwrap();
            assert!(left <= whole + 1, "{name}: {left} of {whole}");
            assert!(left + elapsed >= whole, "{name}: {left} of {whole}");
        }
    }
}

/// Whole numbers below 2^53 are the same as doubles.
fn as_kept(bucket: &Bucket) -> Vec<u8> {
    let scale = bucket.scale();
    let double = |number: u64| {
        let (high, low) = (u32::try_from(number >> 32).unwrap(), number & 0xffff_ffff);
        let low = u32::try_from(low).unwrap();
        f64::from(high) * 4_294_967_296.0 + f64::from(low)
    };
    let numbers = [bucket.consumed(), bucket.last_tick()].map(double);
    let mut value = numbers.map(f64::to_be_bytes).concat();
    let (units, drain, tick) = (
        scale.units_per_token(),
        scale.units_per_tick(),
        scale.tick().micros(),
    );
    value.extend(format!("{units}/{drain}/{tick}").bytes());
    value
}
