//! The state machine against a plain model, and what its settings say.

use std::{num::NonZeroU32, time::Duration};

use proptest::prelude::*;

use super::{BreakerState, Circuit, Ticket};
use crate::settings::BreakerSettings;

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Pass(u64),
    Call,
    /// Of the calls under way, the one with this index.
    Succeed(usize),
    Fail(usize),
    GiveUp(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..1_500_u64).prop_map(Step::Pass),
        5 => Just(Step::Call),
        2 => any::<usize>().prop_map(Step::Succeed),
        4 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::GiveUp),
    ];
    prop::collection::vec(step, 1..300)
}

fn any_settings() -> impl Strategy<Value = BreakerSettings> {
    let numbers = (1..=6_u32, 1..=6_u32, 1..=12_u32, 1..=4_000_u64);
    numbers.prop_map(|(failures, of_calls, calls, window)| {
        BreakerSettings::default()
            .opens_at(number(failures), number(of_calls))
            .window(number(calls), millis(window))
            .stays_open(millis(1_000), millis(30_000))
    })
}

/// All calls ever, and when it opened and closed.
#[derive(Debug)]
struct Model {
    settings: BreakerSettings,
    state: BreakerState,
    changes: usize,
    /// Of this state: when each ended, and whether it failed.
    ended: Vec<(Duration, bool)>,
    probes: usize,
    failed_probes: u32,
    opened_at: Duration,
}

impl Model {
    fn should_open(&self, now: Duration) -> bool {
        let last = self.settings.window_calls.get() as usize;
        let young = |(at, _): &&(Duration, bool)| *at + self.settings.window_time > now;
        let window: Vec<_> = self.ended.iter().rev().take(last).filter(young).collect();
        let failed = window.iter().filter(|(_, failed)| *failed).count();
        let of_calls = self.settings.of_calls.get() as usize;
        let at_least = self.settings.failures.get() as usize;
        window.len() >= of_calls && failed * of_calls >= at_least * window.len()
    }

    fn change(&mut self, state: BreakerState) -> Option<BreakerState> {
        self.state = state;
        self.changes += 1;
        self.ended.clear();
        self.probes = 0;
        Some(state)
    }

    fn open(&mut self, now: Duration) -> Option<BreakerState> {
        self.opened_at = now;
        self.change(BreakerState::Open)
    }

    /// The shortest and the longest time that it may be open now.
    fn open_times(&self) -> (Duration, Duration) {
        let whole = (0..self.failed_probes).fold(millis(1_000), |time, _| time * 2);
        let whole = whole.min(millis(30_000));
        (whole * 3 / 4, whole)
    }

    fn end(&mut self, began_in: usize, failed: bool, now: Duration) -> Option<BreakerState> {
        if began_in != self.changes {
            return None;
        }
        match (self.state, failed) {
            (BreakerState::Closed, _) => {
                self.ended.push((now, failed));
                self.should_open(now).then(|| self.open(now)).flatten()
            }
            (BreakerState::HalfOpen, true) => {
                self.failed_probes += 1;
                self.open(now)
            }
            (BreakerState::HalfOpen, false) => {
                self.failed_probes = 0;
                self.change(BreakerState::Closed)
            }
            (BreakerState::Open, _) => None,
        }
    }
}

proptest! {
    #[test]
    fn it_does_what_a_plain_model_does(
        settings in any_settings(),
        seed in any::<u64>(),
        steps in steps(),
    ) {
        let mut circuit = Circuit::new(settings, seed);
        let mut model = Model {
            settings,
            state: BreakerState::Closed,
            changes: 0,
            ended: Vec::new(),
            probes: 0,
            failed_probes: 0,
            opened_at: Duration::ZERO,
        };
        let mut under_way: Vec<(Ticket, usize)> = Vec::new();
        let mut now = Duration::ZERO;
        for step in steps {
            match step {
                Step::Pass(time) => now += millis(time),
                Step::Call => {
                    let answer = circuit.acquire(now);
                    if let (BreakerState::Open, open) = (model.state, now - model.opened_at) {
                        let (shortest, longest) = model.open_times();
                        prop_assert!(open >= shortest || answer.is_err());
                        prop_assert!(open < longest || answer.is_ok());
                        if answer.is_ok() {
                            model.change(BreakerState::HalfOpen);
                        }
                    }
                    match model.state {
                        BreakerState::Closed => prop_assert!(answer.is_ok()),
                        BreakerState::HalfOpen => prop_assert_eq!(answer.is_ok(), model.probes == 0),
                        BreakerState::Open => {}
                    }
                    if let Ok(ticket) = answer {
                        prop_assert_eq!(ticket.is_probe, model.state == BreakerState::HalfOpen);
                        model.probes += usize::from(ticket.is_probe);
                        under_way.push((ticket, model.changes));
                    }
                }
                Step::Succeed(index) | Step::Fail(index) if !under_way.is_empty() => {
                    let (ticket, began_in) = under_way.swap_remove(index % under_way.len());
                    let failed = matches!(step, Step::Fail(_));
                    let told = circuit.report(&ticket, failed, now);
                    prop_assert_eq!(told, model.end(began_in, failed, now));
                }
                Step::GiveUp(index) if !under_way.is_empty() => {
                    let (ticket, began_in) = under_way.swap_remove(index % under_way.len());
                    circuit.give_back(&ticket);
                    if ticket.is_probe && began_in == model.changes {
                        model.probes -= 1;
                    }
                }
                Step::Succeed(_) | Step::Fail(_) | Step::GiveUp(_) => {}
            }
            prop_assert_eq!(circuit.state(), model.state);
            prop_assert_eq!(circuit.open_since().is_some(), model.state != BreakerState::Closed);
            prop_assert_eq!(circuit.open_until().is_some(), model.state == BreakerState::Open);
        }
    }
}

fn call(circuit: &mut Circuit, failed: bool, now: Duration) -> Option<BreakerState> {
    let ticket = circuit.acquire(now).expect("it lets calls through");
    circuit.report(&ticket, failed, now)
}

#[test]
fn it_opens_at_half_of_twenty() {
    let mut circuit = Circuit::new(BreakerSettings::default(), 1);
    for number in 0..19 {
        assert_eq!(call(&mut circuit, number < 10, millis(0)), None);
    }
    let opened = call(&mut circuit, false, millis(0));
    assert_eq!(opened, Some(BreakerState::Open), "10 of 20 have failed");
}

#[test]
fn less_than_half_never_opens_it() {
    let mut circuit = Circuit::new(BreakerSettings::default(), 1);
    for number in 0..10_000_u64 {
        // Of any twenty calls, nine.
        let failed = number % 20 >= 11;
        assert_eq!(call(&mut circuit, failed, millis(number)), None, "{number}");
    }
}

#[test]
fn five_in_a_row_open_it_and_four_do_not() {
    let five = BreakerSettings::default()
        .window(number(5), Duration::MAX)
        .opens_at(number(5), number(5));
    // A window for twenty calls stays one, whatever order the settings come in.
    let five = five.window(number(5), Duration::MAX);
    let mut circuit = Circuit::new(five, 1);
    for round in 0..100 {
        for number in 0..5 {
            assert_eq!(call(&mut circuit, number < 4, millis(round)), None);
        }
    }
    for _ in 0..4 {
        assert_eq!(call(&mut circuit, true, millis(200)), None);
    }
    assert_eq!(
        call(&mut circuit, true, millis(9_000_000)),
        Some(BreakerState::Open),
        "however long they are apart"
    );
}

#[test]
fn old_failures_do_not_open_it() {
    let mut circuit = Circuit::new(BreakerSettings::default(), 1);
    for number in 0..1_000 {
        let told = call(&mut circuit, true, Duration::from_secs(number));
        assert_eq!(told, None, "10 s hold no 20 calls");
    }
}

#[test]
fn a_clock_that_steps_back_breaks_nothing() {
    let mut circuit = Circuit::new(BreakerSettings::default(), 1);
    for number in 0..19 {
        assert_eq!(call(&mut circuit, true, millis(1_000 - number)), None);
    }
    assert_eq!(
        call(&mut circuit, true, Duration::ZERO),
        Some(BreakerState::Open)
    );
    assert!(circuit.acquire(Duration::MAX).is_ok());
}
