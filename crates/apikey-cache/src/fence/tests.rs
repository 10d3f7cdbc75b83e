//! The rules of one stripe, one at a time.

use super::{least_versions::LEAST_VERSIONS, *};

fn kid(number: usize) -> Kid {
    format!("{number:022}").parse().unwrap()
}

fn invalidate(stripe: &mut Stripe<u8>, number: usize, version: u64, now: u64) -> Effect<u8> {
    let now = Duration::from_secs(now);
    let forget_at = now + Duration::from_secs(120);
    stripe.invalidate(kid(number), RecordVersion::new(version), now, forget_at)
}

fn admit(stripe: &Stripe<u8>, number: usize, version: u64) -> Result<(), Discard> {
    admit_at(stripe, number, version, 0)
}

fn admit_at(stripe: &Stripe<u8>, number: usize, version: u64, now: u64) -> Result<(), Discard> {
    let ticket = stripe.begin(Epoch(0));
    let version = RecordVersion::new(version);
    stripe.admit(
        &kid(number),
        version,
        ticket,
        Epoch(0),
        Duration::from_secs(now),
    )
}

#[test]
fn what_was_applied_before_changes_nothing() {
    let mut stripe = Stripe::default();
    invalidate(&mut stripe, 1, 2, 0);
    stripe.launch(kid(1), Epoch(0), 1);
    let before = stripe.clone();
    for version in [1, 2] {
        assert_eq!(
            invalidate(&mut stripe, 1, version, 1),
            Effect::AlreadyApplied
        );
        assert_eq!(stripe, before);
    }
    let invalidation = invalidate(&mut stripe, 1, 3, 1);
    assert_eq!(invalidation, Effect::New { detached: Some(1) });
}

#[test]
fn a_lower_version_does_not_replace_a_higher_one() {
    let mut stripe = Stripe::default();
    invalidate(&mut stripe, 1, 3, 0);
    invalidate(&mut stripe, 1, 2, 0);
    assert_eq!(admit(&stripe, 1, 2), Err(Discard::Version));
    assert_eq!(admit(&stripe, 1, 3), Ok(()));
    assert_eq!(admit(&stripe, 2, 1), Ok(()));
}

#[test]
fn a_missing_record_is_older_than_one_that_is_known_of() {
    let mut stripe = Stripe::default();
    assert_eq!(admit(&stripe, 1, 0), Ok(()));
    invalidate(&mut stripe, 1, 1, 0);
    assert_eq!(admit(&stripe, 1, 0), Err(Discard::Version));
}

#[test]
fn a_least_version_holds_for_its_time_and_no_longer() {
    let mut stripe = Stripe::default();
    invalidate(&mut stripe, 1, 2, 0);
    assert_eq!(admit_at(&stripe, 1, 0, 119), Err(Discard::Version));
    assert_eq!(admit_at(&stripe, 1, 0, 120), Ok(()));
}

#[test]
fn least_versions_are_bounded_and_the_oldest_goes_first() {
    let mut stripe = Stripe::default();
    for number in 0..LEAST_VERSIONS + 1 {
        invalidate(&mut stripe, number, 2, number as u64 / 1_000);
    }
    assert_eq!(stripe.least_versions.len(), LEAST_VERSIONS);
    assert_eq!(admit(&stripe, 0, 1), Ok(()));
    assert_eq!(admit(&stripe, 1, 1), Err(Discard::Version));
}

#[test]
fn room_is_made_by_what_is_past_its_time() {
    let mut stripe = Stripe::default();
    for number in 0..LEAST_VERSIONS {
        invalidate(&mut stripe, number, 2, 0);
    }
    invalidate(&mut stripe, LEAST_VERSIONS, 2, 120);
    assert_eq!(stripe.least_versions.len(), 1);
}

#[test]
fn a_kid_that_is_changed_over_and_over_takes_no_more_room_and_keeps_its_last_version() {
    let mut stripe = Stripe::default();
    invalidate(&mut stripe, 0, 2, 0);
    for version in 2..20_000 {
        // A stripe's worth of changes in two minutes and more.
        invalidate(&mut stripe, 1, version, version / 1_000);
    }
    assert_eq!(stripe.least_versions.len(), 2);
    assert!(stripe.least_versions.order_len() <= 2 * LEAST_VERSIONS);
    assert_eq!(admit(&stripe, 0, 1), Err(Discard::Version));
    assert_eq!(admit(&stripe, 1, 19_998), Err(Discard::Version));
    assert_eq!(admit(&stripe, 1, 19_999), Ok(()));
}

#[test]
fn a_load_that_was_replaced_does_not_finish_its_successor() {
    let mut stripe = Stripe::default();
    stripe.launch(kid(1), Epoch(0), 1);
    let invalidation = invalidate(&mut stripe, 1, 2, 0);
    assert_eq!(invalidation, Effect::New { detached: Some(1) });
    stripe.launch(kid(1), Epoch(0), 2);
    stripe.finish(&kid(1), |flight| *flight == 1);
    assert_eq!(stripe.flight(&kid(1), Epoch(0)), Some(&2));
    stripe.finish(&kid(1), |flight| *flight == 2);
    assert_eq!(stripe.flight(&kid(1), Epoch(0)), None);
}

#[test]
fn what_is_cut_off_is_read_again_and_joined_by_nobody() {
    let mut stripe = Stripe::default();
    stripe.launch(kid(1), Epoch(0), 1);
    stripe.launch(kid(2), Epoch(0), 2);
    let ticket = stripe.begin(Epoch(0));
    assert_eq!(stripe.cut_off(&kid(1)), Some(1));
    assert_eq!(stripe.flight(&kid(1), Epoch(0)), None);
    assert_eq!(stripe.flight(&kid(2), Epoch(0)), Some(&2));
    let kept = stripe.admit(
        &kid(1),
        RecordVersion::FIRST,
        ticket,
        Epoch(0),
        Duration::ZERO,
    );
    assert_eq!(kept, Err(Discard::Generation));
    assert_eq!(admit(&stripe, 1, 1), Ok(()), "what is read from here on");
    assert_eq!(stripe.cut_off(&kid(1)), None);
}

#[test]
fn all_of_a_stripe_are_cut_off_together() {
    let mut stripe = Stripe::default();
    stripe.launch(kid(1), Epoch(0), 1);
    stripe.launch(kid(2), Epoch(0), 2);
    let ticket = stripe.begin(Epoch(0));
    assert_eq!(stripe.cut_off_all(), 2);
    for number in [1, 2, 3] {
        assert_eq!(stripe.flight(&kid(number), Epoch(0)), None);
        let version = RecordVersion::FIRST;
        let kept = stripe.admit(&kid(number), version, ticket, Epoch(0), Duration::ZERO);
        assert_eq!(kept, Err(Discard::Generation));
        assert_eq!(admit(&stripe, number, 1), Ok(()));
    }
    assert_eq!(stripe.cut_off_all(), 0);
}

#[test]
fn cutting_off_forgets_no_version() {
    let mut stripe = Stripe::default();
    invalidate(&mut stripe, 1, 2, 0);
    stripe.cut_off(&kid(1));
    stripe.cut_off_all();
    assert_eq!(admit(&stripe, 1, 1), Err(Discard::Version));
    assert_eq!(admit(&stripe, 1, 2), Ok(()));
}
