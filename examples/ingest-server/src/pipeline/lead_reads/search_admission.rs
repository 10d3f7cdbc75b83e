//! Whether a search may be made. It asks "is this value yours?": a caller who gets to see masks can ask so
//! for every value that a mask leaves possible, so that such searches have a limit of their own.

use portcullis_ratelimit::Admitted;

use super::{LeadReads, record};
use crate::{
    lead::View,
    pipeline::{
        limits::{self, Charge},
        rejection::RequestRejection,
        stages::Stage,
    },
};

/// A search that may be made.
#[derive(Debug)]
pub(crate) enum SearchAdmission {
    /// By a caller who gets to see what is found: it is on record as a read in the clear.
    Clear,
    /// By a caller who sees masks, and so tests a guess; how its limits stand. The probe has none: it looks for
    /// what it has just written, again and again, and its tenant has nothing else.
    Guess(Option<Box<Admitted>>),
}

impl SearchAdmission {
    /// The limits of guesses, where they hold.
    pub(crate) fn into_limits(self) -> Option<Admitted> {
        match self {
            Self::Clear => None,
            Self::Guess(admitted) => admitted.map(|admitted| *admitted),
        }
    }

    pub(super) const fn is_guess(&self) -> bool {
        matches!(self, Self::Guess(_))
    }
}

impl LeadReads<'_> {
    /// Admits one search, before anything is looked up. A page of an earlier search is one more: the
    /// next page of another value would be a guess as well.
    ///
    /// # Errors
    /// The caller sees masks, and has made as many searches as its limits allow; that is noted.
    pub(crate) async fn admit_search(&self) -> Result<SearchAdmission, RequestRejection> {
        let (services, caller) = (self.services, self.caller);
        if self.view == View::Open {
            return Ok(SearchAdmission::Clear);
        }
        if services.probe.is(&caller.tenant) {
            return Ok(SearchAdmission::Guess(None));
        }
        let mut laps = services.stages.begin();
        let charged = limits::charge_first(services, caller, Charge::SEARCH).await;
        match laps.end(Stage::ChargeSearch, charged) {
            Ok(admitted) => Ok(SearchAdmission::Guess(Some(Box::new(admitted)))),
            Err(rejection) => {
                if matches!(rejection, RequestRejection::Limited(_)) {
                    record::note_limited(services, caller);
                }
                Err(rejection)
            }
        }
    }
}
