//! Whether API keys are checked from memory.

use portcullis_apikey_cache::{ApiKeyCache, BusState};

use super::{Component, State, milliseconds};
use crate::admin::{Warming, WarmingState};

/// Not ready only at the start: a process that is asked before its memory is filled would ask the store for
/// each of those who come. Later each request asks the store while the memory cannot be trusted, and what Redis
/// does not carry is read in the database.
pub(super) fn component(keys: &ApiKeyCache, warming: &Warming) -> Component {
    let stats = keys.stats();
    let component = if warming.state() == WarmingState::UnderWay {
        let action = "wait, 10 seconds at most: the API keys that were used of late are loaded";
        Component::new(State::Warming).with_action(action)
    } else if stats.confirmed_for.is_zero() {
        let action = "check the database: it cannot be read, or not be written for a minute; until it tells of \
                      revocations, each request asks it; see GET /admin/cache";
        Component::new(State::Degraded).with_action(action)
    } else if stats.bus == BusState::Down {
        let action = "until Redis carries them, revocations by other processes are read in the database, \
                      within half a second; check that it runs, can be reached with the configured URL and \
                      password, and may be written: the log says how it failed";
        Component::new(State::Degraded).with_action(action)
    } else {
        Component::new(State::Up)
    };
    Component {
        confirmed_for_ms: Some(milliseconds(stats.confirmed_for)),
        ..component
    }
}
