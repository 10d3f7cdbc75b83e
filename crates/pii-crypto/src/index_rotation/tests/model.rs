//! In every phase what is unique stays unique, and no look-up misses; and what the model is for: whatever
//! is left out of the rotation, it sees.

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

use super::world::{ADDRESSES, Address, Rule, World};

#[derive(Debug, Clone)]
enum Action {
    Pass(u64),
    Reread(usize),
    Decide(usize, Option<usize>, Option<Address>),
    Commit(usize),
    Rotate(usize),
    Abandon(usize),
}

const PROCESSES: usize = 3;
const ROTATIONS: usize = 2;

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let address = prop::option::weighted(0.9, 0..ADDRESSES);
    let record = prop::option::of(any::<usize>());
    let action = prop_oneof![
        40 => (1..15_u64).prop_map(Action::Pass),
        20 => (0..PROCESSES).prop_map(Action::Reread),
        30 => (0..PROCESSES, record, address)
            .prop_map(|(process, record, address)| Action::Decide(process, record, address)),
        30 => any::<usize>().prop_map(Action::Commit),
        40 => (0..ROTATIONS).prop_map(Action::Rotate),
        1 => (0..ROTATIONS).prop_map(Action::Abandon),
    ];
    prop::collection::vec(action, 100..400)
}

/// How many rotations began, unless something is broken.
fn run(rule: Rule, actions: Vec<Action>) -> Result<u32, String> {
    let mut world = World::new(rule, PROCESSES, ROTATIONS);
    for action in actions {
        match action {
            Action::Pass(seconds) => world.pass(seconds),
            Action::Reread(process) => world.reread(process),
            Action::Decide(process, record, address) => {
                // Without a record and an address there is nothing to write.
                let address = address.or_else(|| record.is_none().then_some(0));
                world.decide(process, record, address);
            }
            Action::Commit(at) => world.commit(at)?,
            Action::Rotate(rotation) => world.rotate(rotation)?,
            Action::Abandon(rotation) => world.abandon(rotation),
        }
        world.look_up_everything()?;
        world.no_value_is_left_over()?;
    }
    Ok(world.begun)
}

fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, random)
}

#[test]
fn unique_holds_and_no_look_up_misses_in_every_phase() {
    let begun = std::cell::Cell::new(0);
    let checked = runner(600).run(&actions(), |actions| {
        let count = run(Rule::AsBuilt, actions).map_err(TestCaseError::fail)?;
        begun.set(begun.get() + count);
        Ok(())
    });
    checked.expect("nothing is broken");
    assert!(begun.get() > 1_200, "only {} rotations began", begun.get());
}

#[test]
fn the_model_sees_what_is_left_out() {
    for rule in [
        Rule::EnforceWithoutBackfill,
        Rule::BackfillAtOnce,
        Rule::RetireAtOnce,
        Rule::EnforceWithoutRetiring,
        Rule::DeleteAtOnce,
        Rule::PhasesOfTenSeconds,
        Rule::OldPhases,
        Rule::WritesLeaveUnknown,
        Rule::BackfillOverwrites,
        Rule::LookUpsTakeWritten,
        Rule::PhasesStoredLate,
    ] {
        let checked = runner(3_000).run(&actions(), |actions| {
            run(rule, actions).map(drop).map_err(TestCaseError::fail)
        });
        assert!(
            matches!(checked, Err(TestError::Fail(..))),
            "{rule:?} is not seen: {checked:?}"
        );
    }
}
