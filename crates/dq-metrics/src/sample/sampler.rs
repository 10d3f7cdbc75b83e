//! From a stream of refused events to few masked samples.

use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rand::Rng;

use super::{
    Discarded, Masker, SAMPLES_PER_REASON, Sample, SampleGroup, SampleSlot, SampleStore,
    SampleStoreError,
    bucket::Bucket,
    daily::{ChosenOfDay, DailySamples},
    excerpt::Excerpt,
    reservoir::{Chosen, Reservoir},
};
use crate::{
    clock::{Clock, UnixMillis},
    history::{Day, SampleChange},
    per_reason::PerReason,
    reason::Reason,
    score::as_f64,
};

/// Chooses, masks and stores samples.
#[derive(Debug)]
pub(crate) struct Sampler<R> {
    draws: Mutex<Draws<R>>,
    bucket: Bucket,
    masker: Arc<dyn Masker>,
    store: Arc<dyn SampleStore>,
    clock: Arc<dyn Clock>,
    captured: AtomicU64,
    withheld: AtomicU64,
    failed: AtomicU64,
}

/// What became of the events that were chosen as samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SamplerCounts {
    /// Masked and stored.
    pub(crate) captured: u64,
    /// Not masked, because the bucket was empty or the tenant is erased.
    pub(crate) withheld: u64,
    /// Refused by the store.
    pub(crate) failed: u64,
}

/// The reservoirs, and the generator they share.
struct Draws<R> {
    rng: Box<dyn Rng + Send>,
    reservoirs: PerReason<R, Reservoir>,
    /// None until somebody keeps a history.
    daily: Option<DailySamples<R>>,
    /// Tenants of which no sample is taken any more.
    erased: HashSet<Box<str>>,
}

/// For what an event was chosen: the samples since the start, those of the day, or both.
struct Draw {
    since_start: Option<Chosen>,
    of_day: Option<ChosenOfDay>,
}

impl<R: Reason> Sampler<R> {
    pub(crate) fn new(
        rng: Box<dyn Rng + Send>,
        bucket: Bucket,
        masker: Arc<dyn Masker>,
        store: Arc<dyn SampleStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let draws = Draws {
            rng,
            reservoirs: PerReason::new(Reservoir::default),
            daily: None,
            erased: HashSet::new(),
        };
        Self {
            draws: Mutex::new(draws),
            bucket,
            masker,
            store,
            clock,
            captured: AtomicU64::new(0),
            withheld: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    pub(crate) fn masker(&self) -> &dyn Masker {
        &*self.masker
    }

    /// Counts a refused event, and captures it if it is chosen; the labels are the subject's.
    pub(crate) fn offer(
        &self,
        discarded: &Discarded<'_, R>,
        tenant: &str,
        event_type: &str,
    ) -> Option<Sample> {
        let Draw {
            since_start,
            of_day,
        } = self.draw(discarded.reason);
        let ordinal = match (since_start, of_day) {
            (Some(chosen), _) => chosen.ordinal,
            (None, Some(_)) => 0,
            (None, None) => return None,
        };
        // A slot whose event may not be captured is cleared: keeping the sample that stood there
        // would favour early events, and the rest would no longer be a fair sample.
        let is_taken = !self.is_erased(discarded) && self.bucket.takes_one();
        let sample = is_taken.then(|| self.capture(discarded, ordinal, tenant, event_type));
        if let Some(of_day) = of_day {
            self.put_of_day(of_day, discarded.reason, sample.as_ref());
        }
        let replaced =
            since_start.is_none_or(|chosen| self.replace(discarded.reason, chosen, &sample));
        let count = match (replaced, &sample) {
            (false, _) => &self.failed,
            (true, Some(_)) => &self.captured,
            (true, None) => &self.withheld,
        };
        count.fetch_add(1, Ordering::Relaxed);
        // It may have been erased while its sample was masked.
        if sample.is_some() && self.is_erased(discarded) && self.clear(tenant).is_ok() {
            return None;
        }
        sample
    }

    /// Leaves no sample of a tenant, and takes none any more.
    pub(crate) fn erase_tenant(&self, tenant: &str) -> Result<(), SampleStoreError> {
        self.draws().erased.insert(tenant.into());
        self.clear(tenant)
    }

    fn clear(&self, tenant: &str) -> Result<(), SampleStoreError> {
        if let Some(daily) = &mut self.draws().daily {
            daily.erase_tenant(tenant);
        }
        self.store.erase_tenant(tenant)
    }

    fn is_erased(&self, discarded: &Discarded<'_, R>) -> bool {
        let tenant = discarded.subject.tenant;
        tenant.is_some_and(|tenant| self.draws().erased.contains(tenant))
    }

    /// From now on, days are sampled each by itself.
    pub(crate) fn sample_days(&self) {
        let today = self.today();
        let mut draws = self.draws();
        draws.daily.get_or_insert_with(|| DailySamples::new(today));
    }

    /// What has changed in the samples of days, and how many changes had to be dropped.
    pub(crate) fn take_changes(&self) -> (Vec<SampleChange>, u64) {
        let mut draws = self.draws();
        draws
            .daily
            .as_mut()
            .map(DailySamples::take)
            .unwrap_or_default()
    }

    /// The samples, of one tenant or of all.
    pub(crate) fn groups(&self, tenant: Option<&str>) -> Vec<SampleGroup> {
        let groups = R::ALL.iter().map(|reason| self.group(*reason, tenant));
        groups.filter(|group| !group.samples.is_empty()).collect()
    }

    pub(crate) fn counts(&self) -> SamplerCounts {
        let [captured, withheld, failed] =
            [&self.captured, &self.withheld, &self.failed].map(|n| n.load(Ordering::Relaxed));
        SamplerCounts {
            captured,
            withheld,
            failed,
        }
    }

    fn group(&self, reason: R, tenant: Option<&str>) -> SampleGroup {
        let name = reason.facts().name;
        let mut samples = self.store.samples(name);
        samples.retain(|sample| tenant.is_none_or(|tenant| sample.tenant == tenant));
        let count = self.draws().reservoirs[reason].seen();
        let slots = as_f64(SAMPLES_PER_REASON as u64);
        SampleGroup {
            reason: name,
            count,
            probability: (slots / as_f64(count)).min(1.0),
            samples,
        }
    }

    fn draw(&self, reason: R) -> Draw {
        let today = self.today();
        let mut draws = self.draws();
        let Draws {
            rng,
            reservoirs,
            daily,
            ..
        } = &mut *draws;
        Draw {
            since_start: reservoirs[reason].offer(&mut **rng),
            of_day: daily
                .as_mut()
                .and_then(|daily| daily.draw(reason, today, &mut **rng)),
        }
    }

    /// False if the store did not take it.
    fn replace(&self, reason: R, chosen: Chosen, sample: &Option<Sample>) -> bool {
        let Chosen { index, ordinal } = chosen;
        let slot = SampleSlot::new(reason.facts().name, index);
        slot.is_some_and(|slot| self.store.replace(slot, ordinal, sample.clone()).is_ok())
    }

    fn put_of_day(&self, of_day: ChosenOfDay, reason: R, sample: Option<&Sample>) {
        if let Some(daily) = &mut self.draws().daily {
            daily.put(of_day, reason, sample);
        }
    }

    fn draws(&self) -> MutexGuard<'_, Draws<R>> {
        self.draws.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn today(&self) -> Day {
        Day::of(UnixMillis::saturating_from(self.clock.wall()))
    }

    fn capture(
        &self,
        discarded: &Discarded<'_, R>,
        ordinal: u64,
        tenant: &str,
        event_type: &str,
    ) -> Sample {
        let excerpt = Excerpt::new(discarded, tenant.len() + event_type.len(), &*self.masker);
        let reason = discarded.reason.facts().name;
        Sample {
            reason,
            tenant: tenant.to_owned(),
            event_type: event_type.to_owned(),
            ordinal,
            taken_at: UnixMillis::saturating_from(self.clock.wall()),
            trace_id: discarded.trace_id,
            fingerprint: excerpt.fingerprint(reason, event_type),
            detail: excerpt.detail,
            excerpt: excerpt.payload,
        }
    }
}

impl<R: fmt::Debug> fmt::Debug for Draws<R> {
    /// Leaves out the generator: its state foretells which events will be sampled.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draws")
            .field("reservoirs", &self.reservoirs)
            .finish_non_exhaustive()
    }
}
