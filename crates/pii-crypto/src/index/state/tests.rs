//! The steps of a rotation, and what each version is used for after them.

use std::time::Duration;

use portcullis_keyring::{
    TenantId,
    secrets::{SecretVersion, VersionedSecrets},
};

use super::*;
use crate::{IndexRoots, known_keys::ascending_from};

fn version(number: u32) -> IndexVersion {
    number.try_into().expect("it is in range")
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn rows(state: &IndexState) -> Vec<(u16, &'static str, SystemTime)> {
    let rows = state.rows();
    rows.map(|(version, phase, since)| (version.value(), phase.as_str(), since))
        .collect()
}

fn roots(numbers: &[u32]) -> IndexRoots {
    let version = |number: u32| SecretVersion::try_from(number).expect("not zero");
    let first = |number: u32| 0x10 * u8::try_from(number).expect("small");
    let set = numbers
        .iter()
        .map(|number| (version(*number), ascending_from(first(*number))));
    let secrets = VersionedSecrets::new(version(numbers[0]), set).expect("they differ");
    IndexRoots::new(secrets).expect("they fit")
}

#[test]
fn a_rotation_goes_through_its_phases() {
    let (one, two) = (version(1), version(2));
    let started = IndexState::default().start(one, at(1)).expect("empty");
    assert_eq!(rows(&started), [(1, "enforced", at(1))]);
    let begun = started.begin(two, at(2)).expect("one is live");
    assert_eq!(
        rows(&begun),
        [(1, "enforced", at(1)), (2, "written", at(2))]
    );
    let enforced = begun.enforce(two, at(3)).expect("it is written");
    assert_eq!(
        rows(&enforced),
        [(1, "retiring", at(3)), (2, "enforced", at(3))]
    );
    assert_eq!(enforced.live(), [two, one]);
    let retired = enforced.retire(one, at(4)).expect("it is retiring");
    assert_eq!(rows(&retired), [(2, "enforced", at(4))]);
    let abandoned = begun.abandon(two, at(5)).expect("it is written");
    assert_eq!(rows(&abandoned), [(1, "enforced", at(5))]);
}

#[test]
fn every_other_step_is_refused() {
    let (one, two, three) = (version(1), version(2), version(3));
    let started = IndexState::default().start(one, at(1)).expect("empty");
    let begun = started.begin(two, at(2)).expect("one is live");
    let enforced = begun.enforce(two, at(3)).expect("it is written");
    let retired = enforced.retire(one, at(4)).expect("it is retiring");
    let empty = IndexState::default();
    let states = [&empty, &started, &begun, &enforced, &retired];
    let mut allowed = Vec::new();
    for (number, state) in states.into_iter().enumerate() {
        for version in [one, two, three] {
            let steps = [
                ("start", state.start(version, at(9))),
                ("begin", state.begin(version, at(9))),
                ("enforce", state.enforce(version, at(9))),
                ("retire", state.retire(version, at(9))),
                ("abandon", state.abandon(version, at(9))),
            ];
            for (name, step) in steps {
                match step {
                    Ok(_) => allowed.push((number, name, version.value())),
                    Err(error) => assert_eq!(error, IllegalIndexStep(version)),
                }
            }
        }
    }
    assert_eq!(
        allowed,
        [
            (0, "start", 1),
            (0, "start", 2),
            (0, "start", 3),
            (1, "begin", 2),
            (1, "begin", 3),
            (2, "enforce", 2),
            (2, "abandon", 2),
            (3, "retire", 1),
            (4, "begin", 1),
            (4, "begin", 3),
        ]
    );
}

#[test]
fn times_are_whole_milliseconds() {
    let time = at(7) + Duration::from_nanos(1_999_999);
    let state = IndexState::default()
        .start(version(1), time)
        .expect("empty");
    let (_, since) = state.phase(version(1)).expect("it is live");
    assert_eq!(since, at(7) + Duration::from_millis(1));
    assert_eq!(IndexState::new(state.rows()), state);
}

#[test]
fn a_fingerprint_of_a_version_that_is_not_live_is_compared_while_its_root_is_configured() {
    let tenant = TenantId::new("t").expect("a name");
    let stored = roots(&[1]).fingerprint(&tenant, "f", "n/1", b"content");
    let state = IndexState::new([(version(2), IndexPhase::Enforced, at(1))]);
    let live = roots(&[2, 1]).in_state(&state).expect("2 is configured");
    let new = live.fingerprint(&tenant, "f", "n/1", b"content");
    assert_eq!(new.version(), version(2));
    let again = live.fingerprint_under(version(1), &tenant, "f", "n/1", b"content");
    assert_eq!(again, Ok(stored));
    // And a state read later counts over what is configured, not over what was live before.
    let back = IndexState::new([(version(1), IndexPhase::Enforced, at(2))]);
    let back = live.in_state(&back).expect("1 is configured");
    assert_eq!(back.enforced_version(), version(1));
    let gone = roots(&[2]).in_state(&state).expect("2 is configured");
    assert!(
        gone.fingerprint_under(version(1), &tenant, "f", "n/1", b"content")
            .is_err()
    );
}

#[test]
fn a_live_version_that_is_not_configured_stops_all_writing() {
    let state = IndexState::new([
        (version(1), IndexPhase::Enforced, at(1)),
        (version(2), IndexPhase::Written, at(1)),
    ]);
    let error = roots(&[1])
        .in_state(&state)
        .expect_err("2 is not configured");
    assert_eq!(
        error.to_string(),
        "version 2 of the index root is not configured: add it"
    );
}
