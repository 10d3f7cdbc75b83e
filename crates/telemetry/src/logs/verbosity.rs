//! Which events and spans exist.

use tracing::{Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{Layer, filter::Targets, layer::Context};

/// Which events exist, by target and level; spans from INFO up always do.
///
/// A filter for log lines that also took spans away would take the trace id out of the lines that
/// are left: `warn` must not end tracing.
#[derive(Debug)]
pub(crate) struct Verbosity {
    events: Targets,
}

const SPANS: LevelFilter = LevelFilter::INFO;

impl Verbosity {
    pub(crate) fn new(events: Targets) -> Self {
        Self { events }
    }

    fn allows(&self, metadata: &Metadata<'_>) -> bool {
        (metadata.is_span() && *metadata.level() <= SPANS)
            || self
                .events
                .would_enable(metadata.target(), metadata.level())
    }
}

impl<S: Subscriber> Layer<S> for Verbosity {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.allows(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        self.allows(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let events = Layer::<S>::max_level_hint(&self.events);
        events.map(|events| events.max(SPANS))
    }
}
