//! The steps at the end of a key's life, in every order and at every time.

use std::{collections::BTreeMap, time::SystemTime};

use proptest::prelude::*;

use super::*;
use crate::{IllegalTransition, KeyState::*, RotateError, Rotation};

const DAY: Duration = Duration::from_secs(24 * 3600);
const MILLISECOND: Duration = Duration::from_millis(1);

/// What anybody can do; the numbers say to which key, of those there are, and in which process.
#[derive(Debug, Clone, Copy)]
enum Action {
    Wait(Duration),
    Rotate,
    Promote(usize),
    Disable(usize),
    Schedule(usize),
    Destroy(usize),
    Restore(usize),
    Erase,
}

fn actions() -> impl Strategy<Value = Vec<(Action, usize)>> {
    let times = [
        MILLISECOND,
        5 * SECOND,
        15 * SECOND - MILLISECOND,
        45 * SECOND,
        60 * SECOND,
        DAY,
        7 * DAY - MILLISECOND,
    ];
    let key = 0..4_usize;
    let action = prop_oneof![
        6 => prop::sample::select(times.to_vec()).prop_map(Action::Wait),
        4 => Just(Action::Rotate),
        2 => key.clone().prop_map(Action::Promote),
        3 => key.clone().prop_map(Action::Disable),
        3 => key.clone().prop_map(Action::Schedule),
        3 => key.clone().prop_map(Action::Destroy),
        1 => key.prop_map(Action::Restore),
    ];
    let action = prop_oneof![60 => action, 1 => Just(Action::Erase)];
    prop::collection::vec((action, 0..2_usize), 1..60)
}

/// What becomes of a step.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    TooYoung(Duration),
    TooSoon(KeyState, Duration),
    Illegal,
}

/// What should be: the state of each key and since when, in the words of the table in the README.
#[derive(Debug, Default)]
struct Model {
    keys: BTreeMap<KeyId, (KeyState, SystemTime)>,
    erased: bool,
}

impl Model {
    fn with(&self, state: KeyState) -> Option<KeyId> {
        let mut keys = self.keys.iter();
        keys.find(|(_, (is, _))| *is == state).map(|(id, _)| *id)
    }

    fn set(&mut self, id: KeyId, state: KeyState, now: SystemTime) {
        self.keys.insert(id, (state, now));
    }

    fn promote(&mut self, id: KeyId, now: SystemTime) -> Outcome {
        let (state, since) = self.keys[&id];
        let left = (15 * SECOND).saturating_sub(now.duration_since(since).expect("it is past"));
        match state {
            Pending | DecryptOnly if !left.is_zero() => Outcome::TooYoung(left),
            Pending | DecryptOnly => {
                let old = self.with(Primary).expect("there is always one");
                self.set(old, DecryptOnly, now);
                self.set(id, Primary, now);
                Outcome::Done
            }
            _ => Outcome::Illegal,
        }
    }

    fn step(&mut self, id: KeyId, to: KeyState, now: SystemTime) -> Outcome {
        let (state, since) = self.keys[&id];
        let wait = match (state, to) {
            (DecryptOnly, Disabled) => 60 * SECOND,
            (DestroyScheduled, Destroyed) => 7 * DAY,
            (Disabled, DestroyScheduled | DecryptOnly)
            | (DestroyScheduled, Disabled | DecryptOnly)
            | (Pending, Destroyed) => Duration::ZERO,
            _ => return Outcome::Illegal,
        };
        let left = wait.saturating_sub(now.duration_since(since).expect("it is past"));
        if !left.is_zero() {
            return Outcome::TooSoon(to, left);
        }
        self.set(id, to, now);
        Outcome::Done
    }
}

fn outcome<T>(answer: Result<T, RotateError>) -> Outcome {
    match answer {
        Ok(_) => Outcome::Done,
        Err(RotateError::TooYoung { ready_in }) => Outcome::TooYoung(ready_in),
        Err(RotateError::TooSoon { to, ready_in }) => Outcome::TooSoon(to, ready_in),
        Err(RotateError::Illegal(_)) => Outcome::Illegal,
        Err(other) => panic!("{other}"),
    }
}

/// Takes the steps in two processes and compares each with the model.
async fn run(actions: Vec<(Action, usize)>) {
    let world = World::new();
    let processes = [world.keyring(), world.keyring()];
    let (t, email) = (tenant("t"), purpose("email"));
    let mut model = Model::default();
    let first = processes[0].primary("t", "email").await;
    model.set(first, Primary, world.clock.wall());

    for (action, process) in actions {
        let (keyring, now) = (&processes[process], world.clock.wall());
        let key = |number: usize| {
            let ids: Vec<_> = model.keys.keys().copied().collect();
            ids[number % ids.len()]
        };
        match action {
            Action::Wait(time) => world.clock.advance(time),
            Action::Rotate if model.erased => {
                let refused = keyring.rotate(&t, &email).await;
                assert!(matches!(
                    refused,
                    Err(RotateError::Prepare(PrepareError::TenantErased))
                ));
            }
            Action::Rotate => {
                let step = keyring.rotate(&t, &email).await.expect("a step");
                match (model.with(Pending), step) {
                    (None, Rotation::Pending { key, ready_in }) => {
                        assert_eq!(ready_in, 15 * SECOND);
                        model.set(key, Pending, now);
                    }
                    (Some(pending), Rotation::Pending { key, ready_in }) => {
                        assert_eq!(key, pending);
                        assert_eq!(model.promote(key, now), Outcome::TooYoung(ready_in));
                    }
                    (Some(pending), Rotation::Promoted { key, demoted }) => {
                        assert_eq!((key, Some(demoted)), (pending, model.with(Primary)));
                        assert_eq!(model.promote(key, now), Outcome::Done);
                    }
                    (None, Rotation::Promoted { .. }) => panic!("nothing was pending"),
                }
            }
            Action::Promote(number) => {
                let id = key(number);
                let done = outcome(keyring.promote(&t, id).await);
                assert_eq!(done, model.promote(id, now));
            }
            Action::Disable(number) => {
                let id = key(number);
                let ready_in = keyring.verify_from(&t, id).await;
                let done = outcome(keyring.disable(&t, id).await);
                // A verification may begin exactly when the key may be disabled.
                if let Outcome::TooSoon(Disabled, left) = done {
                    assert_eq!(ready_in.expect("it was demoted"), left);
                } else if done == Outcome::Done {
                    assert_eq!(ready_in.expect("it was demoted"), Duration::ZERO);
                }
                assert_eq!(done, model.step(id, Disabled, now));
            }
            Action::Schedule(number) => {
                let id = key(number);
                let done = outcome(keyring.schedule_destruction(&t, id).await);
                assert_eq!(done, model.step(id, DestroyScheduled, now));
            }
            Action::Destroy(number) => {
                let id = key(number);
                let done = outcome(keyring.destroy(&t, id).await);
                assert_eq!(done, model.step(id, Destroyed, now));
            }
            Action::Restore(number) => {
                let id = key(number);
                let done = outcome(keyring.restore(&t, id).await);
                assert_eq!(done, model.step(id, DecryptOnly, now));
            }
            Action::Erase => {
                keyring.erase_tenant(&t).await.expect("it answers");
                model.erased = true;
                for (state, since) in model.keys.values_mut() {
                    if *state != Destroyed {
                        (*state, *since) = (Destroyed, now);
                    }
                }
            }
        }
        let stored = world.store.load_tenant(&t).await.expect("it answers");
        let stored = stored
            .keys
            .iter()
            .map(|key| (key.id(), (key.state(), key.state_since())));
        assert_eq!(stored.collect::<BTreeMap<_, _>>(), model.keys);
        let primaries = model.keys.values().filter(|(state, _)| *state == Primary);
        assert_eq!(primaries.count(), usize::from(!model.erased));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn steps_in_any_order_and_at_any_time_are_taken_or_refused_as_the_table_says(
        actions in actions(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(run(actions));
    }
}

#[tokio::test]
async fn a_key_is_known_everywhere_before_it_seals_again() {
    let world = World::new();
    let (one, other) = (world.keyring(), world.keyring());
    let (t, email) = (tenant("t"), purpose("email"));
    let old = one.primary("t", "email").await;
    one.rotate(&t, &email).await.expect("a step");
    world.clock.advance(15 * SECOND);
    one.rotate(&t, &email).await.expect("a step");
    world.clock.advance(60 * SECOND);
    one.disable(&t, old).await.expect("a step");
    assert_eq!(
        other.find("t", "email", old).await,
        Err(KeyMissing::Unavailable)
    );
    one.restore(&t, old).await.expect("a step");
    // The other process still refuses it.
    assert_eq!(
        other.find("t", "email", old).await,
        Err(KeyMissing::Unavailable)
    );
    let refused = one.promote(&t, old).await;
    assert!(matches!(refused, Err(RotateError::TooYoung { ready_in }) if ready_in == 15 * SECOND));
    world.clock.advance(15 * SECOND);
    one.promote(&t, old).await.expect("a step");
    assert_eq!(other.find("t", "email", old).await, Ok(old));
}

#[tokio::test]
async fn the_delay_before_a_destruction_is_a_setting() {
    let world = World::new();
    let keyring = world.builder().destroy_delay(HOUR).build();
    let (t, email) = (tenant("t"), purpose("email"));
    let old = keyring.primary("t", "email").await;
    keyring.rotate(&t, &email).await.expect("a step");
    world.clock.advance(15 * SECOND);
    keyring.rotate(&t, &email).await.expect("a step");
    world.clock.advance(60 * SECOND);
    keyring.disable(&t, old).await.expect("a step");
    keyring.schedule_destruction(&t, old).await.expect("a step");
    world.clock.advance(HOUR - SECOND);
    let error = keyring.destroy(&t, old).await.expect_err("too soon");
    let text = error.to_string();
    assert!(
        text.contains("too soon for the data key to become destroyed: try again in 1 s"),
        "{text}"
    );
    world.clock.advance(SECOND);
    keyring.destroy(&t, old).await.expect("a step");
    let stored = world.store.load(old).await.expect("it answers");
    let stored = stored.expect("a tombstone");
    assert_eq!((stored.state(), stored.wrapped()), (Destroyed, None));
}

#[tokio::test]
async fn a_key_from_the_future_waits_from_now() {
    let world = World::new();
    let keyring = world.keyring();
    let old = keyring.primary("t", "email").await;
    keyring
        .rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    world.clock.advance(15 * SECOND);
    let primary = old;
    let pending = world
        .store
        .load_tenant(&tenant("t"))
        .await
        .expect("it answers");
    let pending = pending
        .keys
        .iter()
        .find(|key| key.state() == Pending)
        .expect("it is there")
        .id();
    // A process whose clock is an hour ahead has promoted it.
    let ahead = world.clock.wall() + HOUR;
    world
        .store
        .promote(primary, pending, ahead)
        .await
        .expect("a step");
    world.clock.advance(HOUR);
    let refused = keyring.disable(&tenant("t"), old).await;
    assert_eq!(outcome(refused), Outcome::TooSoon(Disabled, 60 * SECOND));
}

#[tokio::test]
async fn a_verification_is_for_keys_that_were_demoted() {
    let world = World::new();
    let keyring = world.keyring();
    let primary = keyring.primary("t", "email").await;
    let refused = keyring.verify_from(&tenant("t"), primary).await;
    assert!(matches!(
        refused,
        Err(RotateError::Illegal(IllegalTransition::NoSuchStep {
            from: Primary,
            to: Disabled
        }))
    ));
    let nobodys = KeyId::new(!primary.value());
    let refused = keyring.verify_from(&tenant("t"), nobodys).await;
    assert!(matches!(refused, Err(RotateError::UnknownKey(id)) if id == nobodys));
}
