//! The driver, on a table in memory and a clock that moves when it is waited for.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use portcullis_keyring::{clock::Clock as _, sweep::Progress};

use super::{
    super::*,
    leads::{Application, version},
};
use crate::{IndexState, IndexVersion, reencrypt::FailureReason};

const LEADS: u32 = 250;

async fn steps(application: &Application, target: u32) -> Vec<String> {
    let rotation = application.rotation(application.states());
    let mut steps = Vec::new();
    loop {
        let step = rotation.step(version(target), &mut |_| {}).await;
        let step = step.expect("everything is up");
        if let IndexStep::Waiting { ready_in } = step {
            application.world.clock.advance(ready_in);
        }
        let is_end = matches!(step, IndexStep::Done | IndexStep::Stopped(_));
        steps.push(format!("{step:?}"));
        if is_end {
            return steps;
        }
    }
}

#[tokio::test]
async fn a_rotation_goes_through_its_phases_and_every_lead_is_found_in_each() {
    let application = Application::started().await;
    application.insert_many(LEADS).await;
    let rotation = application.rotation(application.states());
    let mut phases = Vec::new();
    let began = application.world.clock.monotonic();
    loop {
        let step = rotation.step(version(2), &mut |_| {}).await;
        for lead in 0..LEADS {
            let found = application.find(&format!("lead-{lead}@example.com"));
            assert_eq!(found, [format!("lead-{lead}")]);
        }
        match step.expect("everything is up") {
            IndexStep::Waiting { ready_in } => {
                // One that is too early does nothing, up to the last millisecond.
                let early = ready_in - Duration::from_millis(1);
                application.world.clock.advance(early);
                let step = rotation.step(version(2), &mut |_| {}).await;
                let left = Duration::from_millis(1);
                assert!(matches!(step, Ok(IndexStep::Waiting { ready_in }) if ready_in == left));
                application.world.clock.advance(left);
            }
            IndexStep::Done => break,
            step => phases.push((step, application.versions())),
        }
    }
    let phases: Vec<_> = phases
        .into_iter()
        .map(|(step, versions)| format!("{step:?} {versions:?}"))
        .collect();
    assert_eq!(
        phases,
        [
            "Begun [1]",
            "Enforced { former: IndexVersion(1) } [1, 2]",
            "Retired { former: IndexVersion(1) } [1, 2]",
        ]
    );
    assert_eq!(application.versions(), [2]);
    let took = application.world.clock.monotonic() - began;
    assert!(took >= Duration::from_secs(3 * 60), "{took:?}");
}

#[tokio::test]
async fn it_runs_to_its_end_and_waits_in_between() {
    let application = Application::started().await;
    application.insert_many(LEADS).await;
    let rotation = application.rotation(application.states());
    let mut reported = 0;
    let mut report = |progress: &Progress| reported = progress.changed.max(reported);
    let end = rotation.run(version(2), &mut report).await;
    assert!(matches!(end, Ok(IndexStep::Done)));
    assert_eq!(reported, u64::from(LEADS));
    assert_eq!(application.versions(), [2]);
    // And again, from where it is.
    let end = rotation.run(version(3), &mut |_| {}).await;
    assert!(matches!(end, Ok(IndexStep::Done)));
    assert_eq!(application.versions(), [3]);
}

/// Under version 1 the two had values that differ; under version 2 they turn out to be the same.
#[tokio::test]
async fn records_that_turn_out_to_be_the_same_stop_it_and_are_listed() {
    let application = Application::started().await;
    application.insert_many(5).await;
    let (john, former) = ("john@example.com", "former@example.com");
    application.insert("lead-a", john, john).await;
    application.insert("lead-b", john, former).await;
    let rotation = application.rotation(application.states());
    let end = rotation.run(version(2), &mut |_| {}).await;
    let Ok(IndexStep::Stopped(stopped)) = end else {
        panic!("{end:?}");
    };
    let listed = stopped.duplicates.iter();
    let listed: Vec<_> = listed.map(|it| (it.row.as_str(), it.reason)).collect();
    assert_eq!(listed, [("lead-b", FailureReason::Duplicate)]);
    assert_eq!((stopped.left, stopped.differences), (1, 1));
    assert!(stopped.failures.is_empty());
    let state = application.leads.index.read().await.expect("in memory");
    assert_eq!(state.enforced(), Some(version(1)));
    assert_eq!(application.find(john), ["lead-a"]);

    application.erase("lead-b");
    let end = rotation.run(version(2), &mut |_| {}).await;
    assert!(matches!(end, Ok(IndexStep::Done)), "{end:?}");
    assert_eq!(application.versions(), [2]);
}

/// Fails at the call of a number, before it or after it was done; and at all that follow, if it is killed there.
#[derive(Debug)]
struct Failing {
    states: Arc<dyn IndexStates>,
    calls: AtomicU32,
    at: u32,
    is_done_first: bool,
    is_killed: bool,
}

impl Failing {
    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, IndexStatesError>>,
    ) -> Result<T, IndexStatesError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let fails_first = number == self.at && !self.is_done_first;
        if fails_first || number > self.at && self.is_killed {
            return Err(IndexStatesError::new("before"));
        }
        let done = call.await;
        if number == self.at {
            return Err(IndexStatesError::new("after"));
        }
        done
    }
}

#[async_trait]
impl IndexStates for Failing {
    async fn read(&self) -> Result<IndexState, IndexStatesError> {
        self.call(self.states.read()).await
    }

    async fn replace(
        &self,
        expected: &IndexState,
        new: &IndexState,
    ) -> Result<Replaced, IndexStatesError> {
        self.call(self.states.replace(expected, new)).await
    }

    async fn differences(
        &self,
        enforced: IndexVersion,
        written: IndexVersion,
    ) -> Result<u64, IndexStatesError> {
        self.call(self.states.differences(enforced, written)).await
    }

    async fn copy_columns(
        &self,
        version: IndexVersion,
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        self.call(self.states.copy_columns(version, limit)).await
    }

    async fn delete_others(
        &self,
        live: &[IndexVersion],
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        self.call(self.states.delete_others(live, limit)).await
    }
}

#[tokio::test]
async fn one_that_is_killed_at_any_point_is_gone_on_with() {
    let mut killed = 0;
    for calls in 0.. {
        let mut ended = 0;
        for is_done_first in [false, true] {
            let application = Application::started().await;
            application.insert_many(3).await;
            let states = Arc::new(Failing {
                states: application.states(),
                calls: AtomicU32::new(0),
                at: calls,
                is_done_first,
                is_killed: true,
            });
            let first = application.rotation(states);
            match first.run(version(2), &mut |_| {}).await {
                Ok(_) => ended += 1,
                Err(RotationError::States(_)) => killed += 1,
                Err(error) => panic!("{error}"),
            }
            let other = application.rotation(application.states());
            let end = other.run(version(2), &mut |_| {}).await;
            assert!(matches!(end, Ok(IndexStep::Done)), "{calls}: {end:?}");
            assert_eq!(application.versions(), [2], "{calls}");
            assert_eq!(application.find("lead-1@example.com"), ["lead-1"]);
        }
        if ended == 2 {
            break;
        }
    }
    assert!(killed > 20, "only {killed} were killed");
}

#[tokio::test]
async fn of_two_at_once_each_step_is_done_by_one() {
    let application = Application::started().await;
    application.insert_many(3).await;
    let [one, other] = [0, 1].map(|_| application.rotation(application.states()));
    let mut done = Vec::new();
    let (mut first, mut second) = (None, None);
    while !(matches!(first, Some(IndexStep::Done)) && matches!(second, Some(IndexStep::Done))) {
        let (mut quiet, mut quiet_too) = (|_: &_| {}, |_: &_| {});
        let both = tokio::join!(
            one.step(version(2), &mut quiet),
            other.step(version(2), &mut quiet_too)
        );
        for step in [&both.0, &both.1] {
            match step {
                Ok(IndexStep::Waiting { ready_in }) => application.world.clock.advance(*ready_in),
                Ok(step) => done.push(format!("{step:?}")),
                Err(error) => panic!("{error}"),
            }
        }
        (first, second) = (both.0.ok(), both.1.ok());
    }
    for step in ["Begun", "Enforced", "Retired"] {
        let times = done.iter().filter(|it| it.starts_with(step)).count();
        assert_eq!(times, 1, "{done:?}");
    }
}

/// By the time it compares, another rotation has taken the step, and deletes values that are compared.
#[derive(Debug)]
struct Outrun(Arc<dyn IndexStates>);

#[async_trait]
impl IndexStates for Outrun {
    async fn read(&self) -> Result<IndexState, IndexStatesError> {
        self.0.read().await
    }

    async fn replace(
        &self,
        expected: &IndexState,
        new: &IndexState,
    ) -> Result<Replaced, IndexStatesError> {
        self.0.replace(expected, new).await
    }

    async fn differences(
        &self,
        _: IndexVersion,
        written: IndexVersion,
    ) -> Result<u64, IndexStatesError> {
        let state = self.0.read().await?;
        let enforced = state.enforce(written, SystemTime::UNIX_EPOCH);
        let enforced = enforced.expect("it is written");
        self.0.replace(&state, &enforced).await?;
        Ok(1)
    }

    async fn copy_columns(
        &self,
        version: IndexVersion,
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        self.0.copy_columns(version, limit).await
    }

    async fn delete_others(
        &self,
        live: &[IndexVersion],
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        self.0.delete_others(live, limit).await
    }
}

#[tokio::test]
async fn one_that_was_overtaken_while_it_compared_is_not_stopped_by_what_it_found() {
    let application = Application::started().await;
    application.insert_many(3).await;
    let rotation = application.rotation(Arc::new(Outrun(application.states())));
    application.world.clock.advance(PHASE_LASTS);
    let step = rotation.step(version(2), &mut |_| {}).await;
    assert!(matches!(step, Ok(IndexStep::Begun)), "{step:?}");
    application.world.clock.advance(PHASE_LASTS);
    let step = rotation.step(version(2), &mut |_| {}).await;
    assert!(matches!(step, Ok(IndexStep::Overtaken)), "{step:?}");
    let end = rotation.run(version(2), &mut |_| {}).await;
    assert!(matches!(end, Ok(IndexStep::Done)), "{end:?}");
}

#[tokio::test]
async fn a_row_that_does_not_open_stops_it_and_is_listed() {
    let application = Application::started().await;
    application.insert_many(2).await;
    // As a backup that was put back in the wrong place would have it.
    application.swap_sealed("lead-0", "lead-1");
    let rotation = application.rotation(application.states());
    let end = rotation.run(version(2), &mut |_| {}).await;
    let Ok(IndexStep::Stopped(stopped)) = end else {
        panic!("{end:?}");
    };
    let reasons: Vec<_> = stopped.failures.iter().map(|it| it.reason).collect();
    assert_eq!(reasons, [FailureReason::Rejected; 2]);
    assert_eq!((stopped.left, stopped.differences), (2, 2));
}

/// As a writer would leave behind that replaces the values of those versions alone that it knows.
#[tokio::test]
async fn values_that_only_the_new_version_has_stop_it() {
    let application = Application::started().await;
    application.insert_many(2).await;
    application.world.clock.advance(PHASE_LASTS);
    let rotation = application.rotation(application.states());
    let step = rotation.step(version(2), &mut |_| {}).await;
    assert!(matches!(step, Ok(IndexStep::Begun)), "{step:?}");
    application
        .insert("late", "late@example.com", "late@example.com")
        .await;
    application.keep_versions("late", &[2]);
    application.world.clock.advance(PHASE_LASTS);
    let step = rotation.step(version(2), &mut |_| {}).await;
    let Ok(IndexStep::Stopped(stopped)) = step else {
        panic!("{step:?}");
    };
    assert_eq!((stopped.left, stopped.differences), (0, 1));
}

/// As a writer leaves behind that knows of the enforced version alone, and changes the address of a lead: it has
/// values of both versions, and one of them is that of the former address.
#[tokio::test]
async fn a_value_of_what_a_field_held_before_stops_it_until_all_are_written_again() {
    let application = Application::started().await;
    application.insert_many(3).await;
    let rotation = application.rotation(application.states());
    application.world.clock.advance(PHASE_LASTS);
    let step = rotation.step(version(2), &mut |_| {}).await;
    assert!(matches!(step, Ok(IndexStep::Begun)), "{step:?}");
    for lead in ["lead-0", "lead-1", "lead-2"] {
        application.keep_versions(lead, &[1, 2]);
    }
    application.put_value_of("lead-1", "before@example.com", 2);
    let end = rotation.run(version(2), &mut |_| {}).await;
    let Ok(IndexStep::Stopped(stopped)) = end else {
        panic!("{end:?}");
    };
    // The one that is missing, and the one that is in its place.
    assert_eq!(
        (stopped.left, stopped.differences, stopped.wrong),
        (0, 0, 2)
    );
    assert_eq!(application.find("lead-1@example.com"), ["lead-1"]);

    let abandoned = rotation.abandon(version(2)).await;
    assert!(matches!(abandoned, Ok(Replaced::Done)), "{abandoned:?}");
    let end = rotation.run(version(2), &mut |_| {}).await;
    assert!(matches!(end, Ok(IndexStep::Done)), "{end:?}");
    assert_eq!(application.find("lead-1@example.com"), ["lead-1"]);
    assert!(application.find("before@example.com").is_empty());
}

#[tokio::test]
async fn what_cannot_begin_says_why() {
    let application = Application::new().await;
    let rotation = application.rotation(application.states());
    let error = rotation.step(version(2), &mut |_| {}).await;
    assert!(matches!(error, Err(RotationError::NotStarted)), "{error:?}");

    let application = Application::started().await;
    application.insert_many(1).await;
    let rotation = application.rotation(application.states());
    application.world.clock.advance(PHASE_LASTS);
    let step = rotation.step(version(2), &mut |_| {}).await;
    assert!(matches!(step, Ok(IndexStep::Begun)), "{step:?}");
    assert!(rotation.check(version(2)).await.is_ok());
    for other in [1, 3] {
        let error = rotation.step(version(other), &mut |_| {}).await;
        assert!(
            matches!(error, Err(RotationError::Other(it)) if it == version(2)),
            "{error:?}"
        );
        let checked = rotation.check(version(other)).await;
        assert!(
            matches!(checked, Err(RotationError::Other(it)) if it == version(2)),
            "{checked:?}"
        );
    }
}

#[tokio::test]
async fn one_that_was_given_up_leaves_nothing_and_can_begin_again() {
    let application = Application::started().await;
    application.insert_many(3).await;
    application.world.clock.advance(PHASE_LASTS);
    let rotation = application.rotation(application.states());
    let step = rotation.step(version(2), &mut |_| {}).await;
    assert!(matches!(step, Ok(IndexStep::Begun)), "{step:?}");
    application
        .insert("late", "late@example.com", "late@example.com")
        .await;
    assert_eq!(application.versions(), [1, 2]);
    let given_up = rotation.abandon(version(2)).await;
    assert!(matches!(given_up, Ok(Replaced::Done)), "{given_up:?}");
    assert!(rotation.abandon(version(2)).await.is_err());

    // What was written is deleted before it begins again, and not earlier than all know of its end.
    let step = rotation.step(version(2), &mut |_| {}).await;
    assert!(
        matches!(step, Ok(IndexStep::Waiting { ready_in }) if ready_in == PHASE_LASTS),
        "{step:?}"
    );
    application.world.clock.advance(PHASE_LASTS);
    let step = rotation.step(version(2), &mut |_| {}).await;
    assert!(matches!(step, Ok(IndexStep::Begun)), "{step:?}");
    assert_eq!(application.versions(), [1]);
    assert_eq!(steps(&application, 2).await.last().expect("some"), "Done");
    assert_eq!(application.versions(), [2]);
    assert_eq!(application.find("late@example.com"), ["late"]);
}

/// A clock that is ahead makes a phase longer, never shorter.
#[test]
fn a_phase_that_begins_in_the_future_lasts_from_then() {
    use super::super::machine::{Next, next};
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    let ahead = now + Duration::from_secs(5);
    let state = IndexState::default().start(version(1), ahead);
    let state = state.expect("it is empty");
    let wait = next(&state, version(2), now);
    assert_eq!(wait, Next::Wait(PHASE_LASTS + Duration::from_secs(5)));
}

/// But not a change of the phases: it is dated when it is asked for.
#[tokio::test]
async fn what_fails_once_is_asked_again() {
    const CHANGES: u32 = 3;
    let mut given_up = 0;
    for at in 0.. {
        let application = Application::started().await;
        application.insert_many(3).await;
        let states = Arc::new(Failing {
            states: application.states(),
            calls: AtomicU32::new(0),
            at,
            is_done_first: false,
            is_killed: false,
        });
        let rotation = application.rotation(states.clone());
        match rotation.run(version(2), &mut |_| {}).await {
            Ok(end) => assert!(matches!(end, IndexStep::Done), "{at}: {end:?}"),
            Err(RotationError::States(_)) => given_up += 1,
            Err(error) => panic!("{error}"),
        }
        if states.calls.load(Ordering::SeqCst) <= at {
            assert!(at > 10, "only {at} calls");
            assert_eq!(given_up, CHANGES);
            return;
        }
    }
}
