//! Samples: masked, few, and of known probability.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis_dq_metrics::{
    Outcome, Quality, Reason as _, Subject,
    clock::FakeClock,
    sample::{
        Discarded, Masker, MemorySamples, SAMPLE_BYTES, Sample, SampleSlot, SampleStore,
        SampleStoreError, TraceId,
    },
};
use rand::{SeedableRng, rngs::StdRng};

use crate::{CANARY, builder, fault::Fault, quality, scrape, sum};

/// Remembers everything it was ever given.
#[derive(Debug, Default)]
struct Recording {
    given: Mutex<Vec<String>>,
    samples: MemorySamples,
}

impl SampleStore for Recording {
    fn replace(
        &self,
        slot: SampleSlot,
        ordinal: u64,
        sample: Option<Sample>,
    ) -> Result<(), SampleStoreError> {
        self.given
            .lock()
            .expect("no panic before")
            .push(format!("{slot:?} {ordinal} {sample:?}"));
        self.samples.replace(slot, ordinal, sample)
    }

    fn erase_tenant(&self, tenant: &str) -> Result<(), SampleStoreError> {
        self.samples.erase_tenant(tenant)
    }

    fn samples(&self, reason: &'static str) -> Vec<Sample> {
        self.samples.samples(reason)
    }
}

/// Takes nothing.
#[derive(Debug)]
struct Broken;

impl SampleStore for Broken {
    fn replace(&self, _: SampleSlot, _: u64, _: Option<Sample>) -> Result<(), SampleStoreError> {
        Err(SampleStoreError::Unavailable(None))
    }

    fn erase_tenant(&self, _: &str) -> Result<(), SampleStoreError> {
        Err(SampleStoreError::Unavailable(None))
    }

    fn samples(&self, _: &'static str) -> Vec<Sample> {
        Vec::new()
    }
}

#[derive(Debug)]
struct HidesNothing;

impl Masker for HidesNothing {
    fn mask_payload(&self, payload: &str) -> String {
        self.mask_text(payload)
    }

    fn mask_text(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Sends the canary everywhere a sender can put it, and answers with all that was stored or shown.
fn everything_about_the_canary(masker: Arc<dyn Masker>) -> String {
    let store = Arc::new(Recording::default());
    let quality = Quality::<Fault>::builder(masker, StdRng::seed_from_u64(7))
        .clock(Arc::new(FakeClock::default()))
        .sample_store(store.clone())
        .build();
    let (payload, event_type) = (
        format!(r#"{{"email":"{CANARY}"}}"#),
        format!("type.{CANARY}"),
    );
    let subject = Subject::tenant("acme")
        .event_type(&event_type)
        .schema_version(CANARY);
    let mut shown = String::new();
    for &reason in Fault::ALL {
        let detail = format!("/data/{CANARY}");
        let discarded = Discarded::new(subject, reason, payload.as_bytes()).detail(&detail);
        quality.record(subject, Outcome::Rejected(reason));
        shown += &format!("{:?}{discarded:?}", quality.sample(&discarded));
    }
    let report = quality.report(None);
    shown += &serde_json::to_string(&report).expect("a report is JSON");
    shown += &format!(
        "{}{}{quality:?}{}",
        report.html(),
        report.markdown(),
        scrape(&quality)
    );
    let given = store.given.lock().expect("no panic before").join("\n");
    assert!(
        given.matches("/data/").count() >= Fault::ALL.len(),
        "samples were stored"
    );
    shown + &given
}

#[test]
fn samples_are_masked_before_they_are_stored() {
    let masked = everything_about_the_canary(Arc::new(crate::HidesCanary));
    assert!(!masked.contains(CANARY), "{masked}");
    assert!(masked.contains("[masked]"));
    let control = everything_about_the_canary(Arc::new(HidesNothing));
    assert!(
        control.contains(CANARY),
        "without masking the canary is found"
    );
}

/// Says which way a text went.
#[derive(Debug)]
struct Names;

impl Masker for Names {
    fn mask_payload(&self, _: &str) -> String {
        "payload".to_owned()
    }

    fn mask_text(&self, text: &str) -> String {
        text.replace(CANARY, "text")
    }
}

#[test]
fn a_payload_is_masked_as_one_and_details_and_names_as_texts() {
    let quality = Quality::<Fault>::builder(Arc::new(Names), StdRng::seed_from_u64(7)).build();
    let sample = |event_type| {
        let subject = Subject::tenant("acme").event_type(event_type);
        let discarded = Discarded::new(subject, Fault::Unreadable, b"7").detail(CANARY);
        quality.sample(&discarded).unwrap()
    };
    let taken = sample("lead.created");
    assert_eq!((&*taken.excerpt, &*taken.detail), ("payload", "text"));
    assert_eq!(taken.event_type, "lead.created");
    assert_eq!(sample(CANARY).event_type, "__other__");
}

#[test]
fn a_sample_says_what_it_stands_for() {
    let clock = Arc::new(FakeClock::default());
    let many = NonZeroU32::new(10_000).unwrap();
    let quality = builder(&clock).capture_burst(many).build();
    let subject = Subject::tenant("acme").event_type("lead.created");
    for n in 0..400 {
        let payload = format!("{{\"n\":{n}}}");
        let discarded = Discarded::new(subject, Fault::FieldMissing, payload.as_bytes())
            .detail("/data/email")
            .trace_id(TraceId::from_bytes([0xab; 16]));
        quality.sample(&discarded);
    }
    let groups = quality.samples(None);
    assert_eq!(groups.len(), 1);
    let group = &groups[0];
    assert_eq!((group.reason, group.count), ("check.field_missing", 400));
    assert_eq!(group.samples.len(), 16);
    assert!((group.probability - 16.0 / 400.0).abs() < 1e-12);
    for sample in &group.samples {
        assert_eq!(sample.excerpt, format!("{{\"n\":{}}}", sample.ordinal - 1));
        assert_eq!(
            (&*sample.tenant, &*sample.event_type),
            ("acme", "lead.created")
        );
        assert_eq!(sample.detail, "/data/email");
        assert_eq!(sample.trace_id.unwrap().to_string(), "ab".repeat(16));
    }
    let json = serde_json::to_value(group).unwrap();
    assert_eq!(json["samples"][0]["trace_id"], "ab".repeat(16));
    assert_eq!(json["reason"], "check.field_missing");
}

#[test]
fn few_events_are_all_samples() {
    let quality = quality();
    let discarded = Discarded::new(Subject::UNKNOWN, Fault::Unreadable, b"{");
    let sample = quality.sample(&discarded).unwrap();
    assert_eq!(
        (&*sample.tenant, &*sample.event_type),
        ("__unknown__", "__unknown__")
    );
    assert_eq!(quality.samples(None)[0].probability, 1.0);
}

#[test]
fn a_tenant_sees_its_own_samples_only() {
    let quality = quality();
    for tenant in ["acme", "globex"] {
        let subject = Subject::tenant(tenant);
        quality.sample(&Discarded::new(
            subject,
            Fault::Unreadable,
            tenant.as_bytes(),
        ));
    }
    let of_acme = quality.report(Some("acme")).samples;
    assert_eq!(of_acme.len(), 1);
    assert_eq!(of_acme[0].samples.len(), 1);
    assert_eq!(of_acme[0].samples[0].excerpt, "acme");
    assert!(quality.samples(Some("initech")).is_empty());
}

#[test]
fn by_default_64_events_are_masked_at_once_and_10_a_second() {
    let clock = Arc::new(FakeClock::default());
    let quality = builder(&clock).build();
    let offer = |reasons: &[Fault]| {
        let sampled = reasons
            .iter()
            .flat_map(|reason| [*reason; 16])
            .filter(|reason| {
                quality
                    .sample(&Discarded::new(Subject::UNKNOWN, *reason, b"{"))
                    .is_some()
            });
        sampled.count()
    };
    assert_eq!(offer(&Fault::ALL[..5]), 64);
    clock.advance(Duration::from_secs(1));
    assert_eq!(offer(&Fault::ALL[5..]), 10);
}

#[test]
fn an_empty_bucket_bounds_the_masking_and_clears_the_slot() {
    let clock = Arc::new(FakeClock::default());
    let [one, four] = [1, 4].map(|n| NonZeroU32::new(n).unwrap());
    let quality = builder(&clock)
        .captures_per_second(one)
        .capture_burst(four)
        .build();
    let offer = |n: usize| {
        let discarded = Discarded::new(Subject::UNKNOWN, Fault::Unreadable, b"{");
        (0..n)
            .filter(|_| quality.sample(&discarded).is_some())
            .count()
    };
    assert_eq!(offer(1_000), 4, "as many as the burst");
    let withheld = sum(&scrape(&quality), "dq_samples_total") - 4.0;
    assert!(withheld > 12.0, "the others that were chosen: {withheld}");
    // Each slot chosen again was cleared, so that no early event stays longer than its chance.
    let group = quality.samples(None);
    assert!(
        group
            .iter()
            .all(|group| group.samples.len() <= 4 && group.count == 1_000)
    );
    clock.advance(Duration::from_secs(3));
    assert!(offer(100_000) <= 3, "one more for each second");
}

#[test]
fn a_store_that_fails_is_counted_and_stops_nothing() {
    let quality = builder(&Arc::new(FakeClock::default()))
        .sample_store(Arc::new(Broken))
        .build();
    let sample = quality.sample(&Discarded::new(Subject::UNKNOWN, Fault::Unreadable, b"{"));
    assert!(sample.is_some(), "it can still be logged");
    let failed = r#"dq_samples_total{result="failed"} 1"#;
    assert!(scrape(&quality).lines().any(|line| line == failed));
}

#[test]
fn a_sample_keeps_its_bound_whatever_was_sent() {
    let quality = quality();
    let long = "y".repeat(40_000);
    let name = "n".repeat(255);
    let discarded = Discarded::new(
        Subject::tenant(&name).event_type(&name),
        Fault::Unreadable,
        long.as_bytes(),
    )
    .detail(&long);
    let sample = quality.sample(&discarded).unwrap();
    let bytes: usize = [
        &sample.tenant,
        &sample.event_type,
        &sample.detail,
        &sample.excerpt,
    ]
    .map(String::len)
    .iter()
    .sum();
    assert_eq!(bytes, SAMPLE_BYTES);
    assert_eq!(SAMPLE_BYTES, 2_048);
}
