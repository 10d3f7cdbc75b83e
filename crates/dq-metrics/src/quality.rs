//! The value a service holds: it counts, samples, scores and reports.

mod builder;

use std::{sync::Arc, time::Duration};

use crate::{
    clock::{Clock, UnixMillis, WallByMonotonic},
    conservation::Conservation,
    labels::Label,
    ledger::Ledger,
    outcome::Outcome,
    reason::Reason,
    sample::{Discarded, Sample, SampleGroup, SampleStoreError, Sampler},
    score::{Averages, Score, Trend, Trends, Weighed, Weights},
    subject::Subject,
    versions::VersionSeries,
};

pub use self::builder::QualityBuilder;

/// Counts what was received and what became of it, samples what was discarded, scores tenants; why
/// something was refused is a [`Reason`] of the application.
///
/// Cheap to clone; all clones are one.
///
/// # Bounds
/// 64 tenants and 128 event types are told apart, in the order they were first seen (event types of
/// the [`Plan`](crate::Plan) first); all others share `__other__`, and so does every name that is not
/// an identifier (letters, digits and `._:-/`, at most 255 bytes) or, for event types and versions
/// outside the plan, that the [`Masker`](crate::sample::Masker) would change. Of a
/// [closed](crate::Plan::closed) plan, whatever is outside it shares `__other__`. For each event type of each
/// tenant 8 schema versions are told apart, and 40 pairs of event type and version in metrics (those of the
/// plan first). What is not known is counted as `__unknown__`.
#[derive(Clone, Debug)]
pub struct Quality<R>(Arc<Parts<R>>);

#[derive(Debug)]
struct Parts<R> {
    ledger: Ledger<R>,
    version_series: VersionSeries,
    sampler: Sampler<R>,
    weights: Weights,
    trends: Trends,
    clock: Arc<dyn Clock>,
    wall: WallByMonotonic,
}

impl<R: Reason> Quality<R> {
    /// Counts `count` things received: 1 for a request refused as a whole, else its events.
    ///
    /// Call it before the outcomes are recorded.
    pub fn received(&self, tenant: Option<&str>, count: u64) {
        self.0.ledger.receive(tenant, count);
    }

    /// Records what became of one counted thing; exactly once for each.
    ///
    /// The tenant must be the one it was received for, or the sums of the two differ.
    pub fn record(&self, subject: Subject<'_>, outcome: Outcome<R>) {
        self.record_many(subject, outcome, 1);
    }

    /// Records the one outcome of `count` counted things that are alike, such as the accepted events of a
    /// batch, for the cost of one.
    ///
    /// The tenant must be the one they were received for, or the sums of the two differ.
    pub fn record_many(&self, subject: Subject<'_>, outcome: Outcome<R>, count: u64) {
        if count == 0 {
            return;
        }
        let admit = |name: &str| self.may_be_label(name);
        let monotonic = self.monotonic();
        let now = self.0.wall.at(&*self.0.clock, monotonic);
        let tenant = self.0.ledger.record(subject, outcome, count, now, admit);
        let totals = || self.totals_of(tenant);
        self.0.trends.keep_up(tenant, monotonic, totals);
    }

    /// Offers a discarded event as a sample, and returns the sample if it became one, for the log.
    ///
    /// It counts no outcome: [`Self::record`] does.
    pub fn sample(&self, discarded: &Discarded<'_, R>) -> Option<Sample> {
        let ledger = &self.0.ledger;
        let (tenant, event_type) =
            ledger.position(discarded.subject, |name| self.may_be_label(name));
        let tenant = ledger.tenants.name(tenant);
        self.0
            .sampler
            .offer(discarded, tenant, ledger.event_types.name(event_type))
    }

    /// The current samples, of one tenant or of all.
    pub fn samples(&self, tenant: Option<&str>) -> Vec<SampleGroup> {
        self.0.sampler.groups(tenant)
    }

    /// Clears the samples of a tenant and of `__other__`, which may be anybody's, and takes none of it any more.
    ///
    /// Counters stay until the process ends: they never go back. One name is remembered for each tenant.
    /// A [`HistoryWriter`](crate::history::HistoryWriter) calls this for each tenant that its history says is erased.
    ///
    /// # Errors
    /// [`SampleStoreError`] when samples may be left.
    pub fn erase_tenant(&self, tenant: &str) -> Result<(), SampleStoreError> {
        self.0.sampler.erase_tenant(tenant)
    }

    /// What was received and what is accounted for, over all tenants.
    ///
    /// Once nothing is in flight the two are equal.
    pub fn conservation(&self) -> Conservation {
        let tenants: Vec<_> = self.ledger().tenants.iter().collect();
        self.ledger().conservation(&tenants)
    }

    /// The score of one tenant since the service started; `None` without data.
    pub fn score(&self, tenant: &str) -> Option<Score> {
        let tenant = self.ledger().tenants.find(tenant)?;
        self.score_of(tenant)
    }

    /// The trend of one tenant's score; `None` if it was never seen.
    pub fn trend(&self, tenant: &str) -> Option<Trend> {
        let tenant = self.ledger().tenants.find(tenant)?;
        Some(self.averages_of(tenant, self.monotonic()).trend())
    }

    pub(crate) fn ledger(&self) -> &Ledger<R> {
        &self.0.ledger
    }

    pub(crate) fn version_series(&self) -> &VersionSeries {
        &self.0.version_series
    }

    pub(crate) fn sampler(&self) -> &Sampler<R> {
        &self.0.sampler
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.0.weights
    }

    /// For what is shown.
    pub(crate) fn now(&self) -> UnixMillis {
        UnixMillis::saturating_from(self.0.clock.wall())
    }

    /// For durations: the wall clock may be set meanwhile.
    pub(crate) fn monotonic(&self) -> Duration {
        self.0.clock.monotonic()
    }

    pub(crate) fn score_of(&self, tenant: Label) -> Option<Score> {
        Score::of(&self.0.ledger.of_tenant(tenant), &self.0.weights)
    }

    pub(crate) fn averages_of(&self, tenant: Label, now: Duration) -> Averages {
        self.0.trends.read(tenant, now, || self.totals_of(tenant))
    }

    fn totals_of(&self, tenant: Label) -> Weighed {
        self.0.weights.weigh(&self.0.ledger.of_tenant(tenant))
    }

    /// Names come from senders until a plan says otherwise, and may hold anything.
    fn may_be_label(&self, name: &str) -> bool {
        self.0.ledger.plan().admits_others() && self.0.sampler.masker().mask_text(name) == name
    }
}
