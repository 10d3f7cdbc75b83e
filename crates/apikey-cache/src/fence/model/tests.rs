//! What holds of the whole fence, and what each part of it is for.

use stateright::Checker as _;

use super::{Delivery, Fence, NEVER_STALE, Source, explore};

#[test]
fn the_fence_lets_nothing_stale_pass() {
    explore(Fence::Whole, Delivery::Invalidation, Source::Primary).assert_properties();
}

#[test]
fn the_fence_holds_against_a_lagging_replica() {
    explore(Fence::Whole, Delivery::Invalidation, Source::LaggingReplica).assert_properties();
}

#[test]
fn the_fence_holds_when_the_change_was_lost() {
    explore(Fence::Whole, Delivery::Gap, Source::Primary).assert_properties();
}

#[test]
fn the_fence_holds_when_somebody_has_a_key_read_again() {
    explore(Fence::Whole, Delivery::KeyForgotten, Source::Primary).assert_properties();
}

#[test]
fn the_fence_holds_when_somebody_has_a_tenants_keys_read_again() {
    explore(Fence::Whole, Delivery::TenantForgotten, Source::Primary).assert_properties();
}

#[test]
fn an_invalidation_that_keeps_the_generation_lets_stale_records_pass() {
    for delivery in [Delivery::KeyForgotten, Delivery::TenantForgotten] {
        let found = explore(Fence::GenerationKept, delivery, Source::Primary);
        found.assert_any_discovery(NEVER_STALE);
    }
}

#[test]
fn a_tenants_keys_that_are_removed_before_loads_are_cut_off_come_back() {
    let found = explore(
        Fence::RemovedFirst,
        Delivery::TenantForgotten,
        Source::Primary,
    );
    found.assert_any_discovery(NEVER_STALE);
}

/// Nobody knows a version: that is what the documentation of `invalidate` says.
#[test]
fn a_key_that_is_read_again_from_a_lagging_replica_may_be_as_it_was() {
    let found = explore(Fence::Whole, Delivery::KeyForgotten, Source::LaggingReplica);
    found.assert_any_discovery(NEVER_STALE);
}

#[test]
fn single_flight_and_invalidation_alone_let_stale_records_pass() {
    let fence = Fence::SingleFlightAndInvalidation;
    let found = explore(fence, Delivery::Invalidation, Source::Primary);
    found.assert_any_discovery(NEVER_STALE);
}

#[test]
fn a_generation_lets_stale_records_pass_while_joiners_are_kept() {
    for delivery in [Delivery::Invalidation, Delivery::Gap] {
        let found = explore(Fence::JoinersKept, delivery, Source::Primary);
        found.assert_any_discovery(NEVER_STALE);
    }
}

#[test]
fn without_the_least_version_a_lagging_replica_brings_stale_records_back() {
    let found = explore(
        Fence::NoMinVersion,
        Delivery::Invalidation,
        Source::LaggingReplica,
    );
    found.assert_any_discovery(NEVER_STALE);
    // Nothing else is wrong with it.
    explore(Fence::NoMinVersion, Delivery::Invalidation, Source::Primary).assert_properties();
}

#[test]
fn an_epoch_that_is_read_late_lets_stale_records_pass() {
    let found = explore(Fence::EpochReadLate, Delivery::Gap, Source::Primary);
    found.assert_any_discovery(NEVER_STALE);
}
