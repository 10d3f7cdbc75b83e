//! What reaches a history, and what is told of what does not.

use std::{
    sync::atomic::AtomicBool,
    time::{Duration, UNIX_EPOCH},
};

use async_trait::async_trait;
use prometheus_client::{encoding::text::encode, registry::Registry};
use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    clock::{FakeClock, UnixMillis},
    conservation::Conservation,
    fault::Fault,
    history::{
        Days, GroupBy, HistoryQuery, HistorySample, MemoryHistory, ReceiptSum, SampleQuery,
        TallyQuery, TallySum, VersionSum,
    },
    outcome::Outcome,
    sample::{Discarded, Masker},
    subject::Subject,
};

/// A history whose database is down, or loses its answer once it has written.
#[derive(Debug, Default)]
struct Faulty {
    inner: MemoryHistory,
    is_down: AtomicBool,
    loses_answers: AtomicBool,
}

#[async_trait]
impl QualityHistory for Faulty {
    async fn write(&self, batch: &HistoryBatch) -> Result<(), HistoryError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(HistoryError::Unavailable("down".into()));
        }
        self.inner.write(batch).await?;
        if self.loses_answers.swap(false, Ordering::Relaxed) {
            return Err(HistoryError::Unavailable("no answer".into()));
        }
        Ok(())
    }

    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<TallySum>, HistoryError> {
        self.inner.tallies(query).await
    }

    async fn samples(&self, query: &SampleQuery) -> Result<Vec<HistorySample>, HistoryError> {
        self.inner.samples(query).await
    }

    async fn receipts(&self, query: &HistoryQuery) -> Result<Vec<ReceiptSum>, HistoryError> {
        self.inner.receipts(query).await
    }

    async fn versions(&self, query: &HistoryQuery) -> Result<Vec<VersionSum>, HistoryError> {
        self.inner.versions(query).await
    }

    async fn erase_tenant(&self, tenant: &str) -> Result<u64, HistoryError> {
        self.inner.erase_tenant(tenant).await
    }

    async fn erased_tenants(&self, after: u64) -> Result<Vec<ErasedTenant>, HistoryError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(HistoryError::Unavailable("down".into()));
        }
        self.inner.erased_tenants(after).await
    }

    async fn prune(&self, keep: Retention) -> Result<u64, HistoryError> {
        self.inner.prune(keep).await
    }
}

#[derive(Debug)]
struct LengthOnly;

impl Masker for LengthOnly {
    fn mask_payload(&self, payload: &str) -> String {
        payload.len().to_string()
    }

    fn mask_text(&self, text: &str) -> String {
        text.to_owned()
    }
}

const DAY: Duration = Duration::from_secs(86_400);

struct Setup {
    clock: Arc<FakeClock>,
    quality: Quality<Fault>,
    history: Arc<Faulty>,
    writer: HistoryWriter<Fault>,
}

impl Setup {
    fn new() -> Self {
        let clock = Arc::new(FakeClock::new(UNIX_EPOCH + 20_454 * DAY));
        let rng = StdRng::seed_from_u64(1);
        let quality = Quality::builder(Arc::new(LengthOnly), rng).clock(clock.clone());
        let (quality, history) = (quality.build(), Arc::<Faulty>::default());
        let [tallies, samples] = [30, 2].map(|days| NonZeroU32::new(days).unwrap());
        let rng = &mut StdRng::seed_from_u64(2);
        let writer = quality.history_writer(history.clone(), tallies, samples, rng);
        Self {
            clock,
            quality,
            history,
            writer,
        }
    }

    fn refuse(&self, events: u64) {
        let subject = Subject::tenant("acme").event_type("lead.created");
        let fault = Fault::Incomplete;
        for _ in 0..events {
            self.quality.record(subject, Outcome::Rejected(fault));
            self.quality.sample(&Discarded::new(subject, fault, b"{}"));
        }
    }

    fn days(&self) -> Days {
        let today = Day::of(self.quality.now());
        Days::last(NonZeroU32::new(366).unwrap(), today).unwrap()
    }

    async fn sums(&self) -> Vec<(Group, String, u64)> {
        let query = TallyQuery::new(self.days(), GroupBy::Day);
        let sums = self.history.tallies(&query).await.unwrap();
        let sums = sums.into_iter();
        sums.map(|sum| (sum.group, sum.outcome + &sum.reason, sum.events))
            .collect()
    }

    async fn samples(&self) -> Vec<HistorySample> {
        let query = SampleQuery::new(self.days(), NonZeroU32::MAX);
        self.history.samples(&query).await.unwrap()
    }

    fn scrape(&self) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        self.writer.register(&mut registry);
        encode(&mut text, &registry).unwrap();
        text
    }

    fn metric(&self, line: &str) -> f64 {
        let text = self.scrape();
        let value = text.lines().find_map(|found| found.strip_prefix(line));
        value
            .unwrap_or_else(|| panic!("{line} not in {text}"))
            .trim()
            .parse()
            .unwrap()
    }
}

use crate::history::Group;

/// Fails for each of these metrics whose samples in one scrape are those of the other. The reference service
/// collects the names from these calls.
fn assert_moved<const N: usize>(before: &str, after: &str, metrics: [&str; N]) {
    for metric in metrics {
        let samples = |scrape: &str| -> Vec<String> {
            let lines = scrape.lines().filter(|line| line.starts_with(metric));
            lines.map(str::to_owned).collect()
        };
        assert!(!samples(after).is_empty(), "{metric} is not there");
        assert_ne!(samples(before), samples(after), "{metric} is as it was");
    }
}

fn day(n: u32) -> Group {
    Group::Day(Day::new(n))
}

#[tokio::test]
async fn every_event_is_written_once_in_the_day_in_which_it_was_counted() {
    let mut setup = Setup::new();
    let accepted = Subject::tenant("acme").event_type("lead.created");
    setup.quality.record_many(accepted, Outcome::Accepted, 5);
    setup.refuse(2);
    setup.writer.flush().await.unwrap();
    setup.writer.flush().await.unwrap();
    setup.clock.advance(DAY);
    setup.refuse(1);
    setup.writer.flush().await.unwrap();
    let name = format!("rejected{}", Fault::Incomplete.facts().name);
    let expected = [
        (day(20_454), "accepted".to_owned(), 5),
        (day(20_454), name.clone(), 2),
        (day(20_455), name, 1),
    ];
    assert_eq!(setup.sums().await, expected);
    assert_eq!(
        setup.metric(r#"dq_history_written_total{what="events"}"#),
        8.0
    );
    assert_eq!(setup.metric(r#"dq_history_pending{what="events"}"#), 0.0);
}

#[tokio::test]
async fn an_outage_delays_and_a_lost_answer_doubles_nothing() {
    let mut setup = Setup::new();
    setup.refuse(2);
    setup.history.is_down.store(true, Ordering::Relaxed);
    setup.writer.flush().await.unwrap_err();
    setup.refuse(3);
    setup.writer.flush().await.unwrap_err();
    assert_eq!(setup.metric("dq_history_failures_total"), 2.0);
    assert_eq!(setup.metric(r#"dq_history_pending{what="events"}"#), 5.0);
    setup.history.is_down.store(false, Ordering::Relaxed);
    setup.history.loses_answers.store(true, Ordering::Relaxed);
    setup.writer.flush().await.unwrap_err();
    setup.refuse(1);
    setup.writer.flush().await.unwrap();
    let events: u64 = setup.sums().await.iter().map(|(.., events)| events).sum();
    assert_eq!(events, 6);
    assert_eq!(setup.samples().await.len(), 6);
    assert_eq!(setup.metric(r#"dq_history_pending{what="events"}"#), 0.0);
    assert_eq!(
        setup.metric(r#"dq_history_dropped_total{what="events"}"#),
        0.0
    );
}

#[tokio::test]
async fn an_outage_of_days_drops_what_memory_has_no_room_for_and_counts_it() {
    let mut setup = Setup::new();
    let before = setup.scrape();
    setup.history.is_down.store(true, Ordering::Relaxed);
    let mut recorded = 0;
    for _ in 0..40 {
        for n in 0..32 * 32 {
            let (tenant, event_type) = (format!("t{}", n / 32), format!("e{}", n % 32));
            let subject = Subject::tenant(&tenant).event_type(&event_type);
            setup.quality.record(subject, Outcome::Accepted);
            recorded += 1;
        }
        setup.refuse(1);
        recorded += 1;
        setup.writer.flush().await.unwrap_err();
        setup.clock.advance(DAY);
    }
    setup.history.is_down.store(false, Ordering::Relaxed);
    setup.writer.flush().await.unwrap();
    let written = setup.metric(r#"dq_history_written_total{what="events"}"#);
    let dropped = setup.metric(r#"dq_history_dropped_total{what="events"}"#);
    assert!(dropped > 0.0);
    assert_eq!(written + dropped, f64::from(recorded));
    let dropped = setup.metric(r#"dq_history_dropped_total{what="samples"}"#);
    let written = setup.metric(r#"dq_history_written_total{what="samples"}"#);
    assert_eq!(dropped + written, 40.0);
    assert_moved(&before, &setup.scrape(), ["dq_history_dropped_total"]);
}

#[tokio::test]
async fn each_day_has_its_own_samples_and_old_ones_go_before_old_tallies() {
    let mut setup = Setup::new();
    for _ in 0..4 {
        setup.clock.advance(Duration::from_secs(60));
        setup.refuse(40);
        setup.writer.flush().await.unwrap();
        setup.clock.advance(DAY);
    }
    setup.writer.flush().await.unwrap();
    let samples = setup.samples().await;
    let days: Vec<_> = samples.iter().map(|sample| sample.day.value()).collect();
    assert_eq!(
        days, [20_457; 16],
        "two days are kept, and one of them is today"
    );
    assert!(
        samples
            .iter()
            .all(|sample| sample.ordinal <= 40 && sample.excerpt == "2")
    );
    assert!(
        samples.iter().any(|sample| sample.ordinal > 16),
        "later ones have their chance"
    );
    assert_eq!(setup.sums().await.len(), 4);
    setup.clock.advance(28 * DAY);
    setup.writer.flush().await.unwrap();
    assert_eq!(setup.sums().await.len(), 1);
    assert_eq!(setup.samples().await, []);
}

#[tokio::test]
async fn what_was_received_and_which_versions_were_used_is_written_once_too() {
    let mut setup = Setup::new();
    let subject = Subject::tenant("acme").event_type("lead.created");
    for (version, events) in [("1", 3), ("2", 2)] {
        let subject = subject.schema_version(version);
        setup.quality.received(Some("acme"), events);
        setup
            .quality
            .record_many(subject, Outcome::Accepted, events);
    }
    // In flight still.
    setup.quality.received(Some("acme"), 1);
    setup.writer.flush().await.unwrap();
    setup.writer.flush().await.unwrap();
    setup.clock.advance(DAY);
    setup
        .quality
        .record(subject.schema_version("1"), Outcome::Lost);
    setup.history.loses_answers.store(true, Ordering::Relaxed);
    setup.writer.flush().await.unwrap_err();
    setup.writer.flush().await.unwrap();
    let query = HistoryQuery::new(setup.days());
    let receipts = setup.history.receipts(&query).await.unwrap();
    let receipts = receipts.into_iter();
    let receipts: Vec<_> = receipts
        .map(|sum| (sum.day.value(), sum.conservation))
        .collect();
    let expected = [
        (20_454, Conservation::new(6, 5)),
        (20_455, Conservation::new(0, 1)),
    ];
    assert_eq!(receipts, expected);
    let versions = setup.history.versions(&query).await.unwrap();
    let versions: Vec<_> = versions
        .iter()
        .map(|sum| (&*sum.version, sum.count.events, sum.count.last_seen))
        .collect();
    let seen = |days: u64| UnixMillis::new(days * 86_400_000);
    assert_eq!(versions, [("1", 4, seen(20_455)), ("2", 2, seen(20_454))]);
}

#[tokio::test]
async fn a_tenant_that_is_erased_elsewhere_leaves_this_process_too() {
    let mut setup = Setup::new();
    setup.refuse(2);
    setup.writer.flush().await.unwrap();
    setup.history.is_down.store(true, Ordering::Relaxed);
    setup.refuse(3);
    setup.writer.flush().await.unwrap_err();
    assert_eq!(setup.quality.samples(Some("acme"))[0].samples.len(), 5);

    setup.history.inner.erase_tenant("acme").await.unwrap();
    setup.history.is_down.store(false, Ordering::Relaxed);
    setup.writer.flush().await.unwrap();
    assert_eq!(
        setup.samples().await,
        [],
        "those that waited are not written"
    );
    assert_eq!(setup.quality.samples(None), [], "and none is shown");
    setup.refuse(1);
    setup.writer.flush().await.unwrap();
    assert_eq!(
        (setup.samples().await, setup.quality.samples(None)),
        (vec![], vec![])
    );
    // What came since is counted, and nobody's.
    let query = TallyQuery::new(setup.days(), GroupBy::Tenant);
    let sums = setup.history.tallies(&query).await.unwrap();
    let sums: Vec<_> = sums.iter().map(|sum| (&sum.group, sum.events)).collect();
    assert_eq!(sums, [(&Group::Tenant("__other__".to_owned()), 4)]);
    // Those of another tenant go on.
    let other = Subject::tenant("globex").event_type("lead.created");
    let discarded = Discarded::new(other, Fault::Incomplete, b"{}");
    assert!(setup.quality.sample(&discarded).is_some());
    setup.writer.flush().await.unwrap();
    assert_eq!(setup.samples().await.len(), 1);
}
