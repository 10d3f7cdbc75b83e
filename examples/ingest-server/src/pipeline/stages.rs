//! How long each stage of a request takes, and how those that fail do.

use std::{fmt::Debug, sync::Arc, time::Duration};

use http::StatusCode;

use super::rejection::{Rejection, RequestRejection, reduced};
use crate::clock::Clock;

/// A stage of a request, one that brings something or one that reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    LimitAddress,
    Authenticate,
    ChargeRequest,
    Frame,
    ChargeContent,
    Parse,
    Validate,
    Fingerprint,
    Resolve,
    Seal,
    Store,
    /// Charges a request that reads.
    ChargeRead,
    /// Charges a search whose answer is masked.
    ChargeSearch,
    /// Looks leads up by what they are indexed under.
    LookUp,
    /// Charges the leads that were found.
    ChargeFound,
    /// Reads one lead by its id.
    ReadLead,
    Open,
    /// Puts on record what is shown.
    RecordRead,
    /// Erases one lead.
    Erase,
}

/// Why a stage ended a request, by who has to do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StageFailure {
    /// The sender asks too often, or for too much at once: 429.
    Limited,
    /// The sender has to send something else: any other 4xx.
    Refused,
    /// Something that is needed does not answer or has no room: 503.
    Unavailable,
    /// A defect, or stored data that is not what was written: any other 5xx.
    Internal,
}

/// Is told of each stage that ends.
pub(crate) trait StageObserver: Debug + Send + Sync {
    /// Called within a request: it must not wait.
    fn ended(&self, stage: Stage, took: Duration);

    fn failed(&self, stage: Stage, failure: StageFailure);
}

/// Times the stages of all requests.
#[derive(Debug)]
pub(crate) struct Stages {
    clock: Arc<dyn Clock>,
    observer: Arc<dyn StageObserver>,
}

/// Times the stages of one request, each from the end of the one before. Of a request that is dropped, the stage
/// it was in is not told.
#[derive(Debug)]
pub(super) struct Laps<'a> {
    stages: &'a Stages,
    since: Duration,
}

/// An error that a stage can end with.
pub(super) trait EndsStage {
    fn failure(&self) -> StageFailure;
}

impl Stages {
    pub(crate) fn new(clock: Arc<dyn Clock>, observer: Arc<dyn StageObserver>) -> Self {
        Self { clock, observer }
    }

    /// From now on.
    pub(super) fn begin(&self) -> Laps<'_> {
        Laps {
            stages: self,
            since: self.clock.monotonic(),
        }
    }
}

impl Laps<'_> {
    /// The stage has ended so, and another begins.
    pub(super) fn end<T, E: EndsStage>(
        &mut self,
        stage: Stage,
        outcome: Result<T, E>,
    ) -> Result<T, E> {
        self.passed(stage);
        if let Err(error) = &outcome {
            self.failed(stage, error);
        }
        outcome
    }

    /// The stage has ended, and another begins.
    pub(super) fn passed(&mut self, stage: Stage) {
        let now = self.stages.clock.monotonic();
        let took = now.saturating_sub(self.since);
        self.stages.observer.ended(stage, took);
        self.since = now;
    }

    /// The stage is why the request ends.
    pub(super) fn failed(&self, stage: Stage, error: &impl EndsStage) {
        self.stages.observer.failed(stage, error.failure());
    }
}

impl EndsStage for Rejection {
    fn failure(&self) -> StageFailure {
        StageFailure::of(self.reason.status())
    }
}

impl EndsStage for RequestRejection {
    fn failure(&self) -> StageFailure {
        match self {
            Self::Rejected(rejection) => rejection.failure(),
            Self::Limited(decision) => {
                reduced(decision).map_or(StageFailure::Limited, |it| StageFailure::of(it.status()))
            }
        }
    }
}

impl Stage {
    pub(crate) const ALL: [Self; 19] = [
        Self::LimitAddress,
        Self::Authenticate,
        Self::ChargeRequest,
        Self::Frame,
        Self::ChargeContent,
        Self::Parse,
        Self::Validate,
        Self::Fingerprint,
        Self::Resolve,
        Self::Seal,
        Self::Store,
        Self::ChargeRead,
        Self::ChargeSearch,
        Self::LookUp,
        Self::ChargeFound,
        Self::ReadLead,
        Self::Open,
        Self::RecordRead,
        Self::Erase,
    ];

    /// As a label; where there is a span of the stage, its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::LimitAddress => "limit_address",
            Self::Authenticate => "authenticate",
            Self::ChargeRequest => "charge_request",
            Self::Frame => "frame",
            Self::ChargeContent => "charge_content",
            Self::Parse => "parse",
            Self::Validate => "validate",
            Self::Fingerprint => "fingerprint",
            Self::Resolve => "resolve",
            Self::Seal => "seal",
            Self::Store => "store",
            Self::ChargeRead => "charge_read",
            Self::ChargeSearch => "charge_search",
            Self::LookUp => "look_up",
            Self::ChargeFound => "charge_found",
            Self::ReadLead => "read_lead",
            Self::Open => "open",
            Self::RecordRead => "record_read",
            Self::Erase => "erase",
        }
    }
}

impl StageFailure {
    pub(crate) const ALL: [Self; 4] = [
        Self::Limited,
        Self::Refused,
        Self::Unavailable,
        Self::Internal,
    ];

    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::TOO_MANY_REQUESTS => Self::Limited,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::Refused,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{clock::ToldClock, quality::Reason};

    #[derive(Debug, Default)]
    struct Seen(Mutex<Vec<String>>);

    impl StageObserver for Seen {
        fn ended(&self, stage: Stage, took: Duration) {
            let text = format!("{} {}", stage.as_str(), took.as_secs());
            self.0.lock().unwrap().push(text);
        }

        fn failed(&self, stage: Stage, failure: StageFailure) {
            let text = format!("{} {}", stage.as_str(), failure.as_str());
            self.0.lock().unwrap().push(text);
        }
    }

    #[test]
    fn each_stage_takes_from_the_end_of_the_one_before() {
        let seen = Arc::new(Seen::default());
        let clock = ToldClock::new([10, 13, 14, 21]);
        let stages = Stages::new(Arc::new(clock), Arc::clone(&seen) as _);
        let mut laps = stages.begin();
        laps.passed(Stage::Parse);
        let passed: Result<_, Rejection> = Ok(7);
        assert_eq!(laps.end(Stage::Seal, passed), Ok(7));
        let failed: Result<(), _> = Err(Rejection::plain(Reason::CapacityStoreUnavailable));
        laps.end(Stage::Store, failed).unwrap_err();
        let seen = seen.0.lock().unwrap().join(", ");
        assert_eq!(seen, "parse 3, seal 1, store 7, store unavailable");
    }

    #[test]
    fn a_failure_is_told_by_who_has_to_do_something_about_it() {
        for (reason, failure) in [
            (Reason::AuthInvalid, StageFailure::Refused),
            (Reason::TransportTooLarge, StageFailure::Refused),
            (Reason::CapacityTenantQueue, StageFailure::Limited),
            (Reason::CapacityQueueFull, StageFailure::Unavailable),
            (Reason::Internal, StageFailure::Internal),
            (Reason::IntegrityUnreadable, StageFailure::Internal),
        ] {
            let rejection = Rejection::plain(reason);
            assert_eq!(rejection.failure(), failure, "{}", reason.as_str());
        }
    }

    #[test]
    fn every_stage_and_failure_has_its_place_and_its_name() {
        for (place, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, place);
        }
        for (place, failure) in StageFailure::ALL.into_iter().enumerate() {
            assert_eq!(failure as usize, place);
        }
        let mut names = Stage::ALL.map(Stage::as_str).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Stage::ALL.len());
    }
}
