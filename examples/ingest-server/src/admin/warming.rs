//! Loading the keys that were used of late, before a process is called ready.

use std::{
    num::NonZeroU16,
    sync::{Arc, Mutex, PoisonError},
};

use portcullis_apikey_cache::{ApiKeyCache, Warmed, WarmingEnd};
use portcullis_telemetry::BackgroundTask;
use serde::Serialize;

/// How far it is. Cloning gives another handle to the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warming(Arc<Mutex<WarmingState>>);

/// How far loading the keys that were used of late is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum WarmingState {
    #[default]
    UnderWay,
    Over {
        loaded: u64,
        failed: u64,
        end: &'static str,
    },
}

/// Keys that are loaded at most: those that a restart would have the store asked for at once.
const KEYS: NonZeroU16 = NonZeroU16::new(1_000).expect("1,000 is not zero");

impl Warming {
    pub(crate) fn state(&self) -> WarmingState {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the keys. It takes ten seconds at most: without its memory a process is slower, and no worse.
    pub(crate) async fn run(self, keys: ApiKeyCache) {
        let Warmed {
            loaded,
            failed,
            end,
            ..
        } = keys.warm(KEYS).await;
        let name = name(end);
        BackgroundTask::new("warm").turn().in_scope(|| match end {
            WarmingEnd::Complete | WarmingEnd::NoCache => {
                tracing::debug!("API keys that were used of late are loaded");
            }
            _ => tracing::warn!(
                kind = name,
                "API keys that were used of late are not loaded: the database does not answer"
            ),
        });
        let state = WarmingState::Over {
            loaded,
            failed,
            end: name,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

const fn name(end: WarmingEnd) -> &'static str {
    match end {
        WarmingEnd::Complete => "complete",
        WarmingEnd::NoCache => "no_cache",
        WarmingEnd::FeedNotRead => "feed_not_read",
        WarmingEnd::StoreFailed => "store_failed",
        _ => "time_up",
    }
}
