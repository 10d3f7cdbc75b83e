//! Whether the audit log is delivered to where it is to be.

use std::time::Duration;

use super::{Component, State};
use crate::delivery::{Deliveries, DeliveryState};

/// How far a sink may be behind.
const LATE: Duration = Duration::from_secs(10 * 60);

/// Never down: what is not delivered stays in the log, and nobody waits for it.
pub(super) fn component(deliveries: &Deliveries) -> Component {
    let states = deliveries.states();
    if states.is_empty() {
        return Component::new(State::Off);
    }
    let named = |is_meant: fn(&DeliveryState) -> bool| {
        let meant = states.iter().filter(|state| is_meant(state));
        let names: Vec<_> = meant.map(|state| format!("`{}`", state.name)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(names) = named(|state| state.has_ended) {
        let action = format!(
            "nothing is delivered to {names} any more: the receiver said that it is gone, or took nothing in all \
             attempts; set that right or take it out of the file of sinks, and start again: it goes on where it was"
        );
        return Component::new(State::Degraded).with_action(action);
    }
    if let Some(names) = named(|state| state.lag > LATE) {
        let action = format!(
            "entries wait for {names} since more than ten minutes: the log of the service says how attempts fail"
        );
        return Component::new(State::Degraded).with_action(action);
    }
    Component::new(State::Up)
}
