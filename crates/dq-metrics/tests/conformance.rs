//! The open traits, implemented from outside with what is public.

#[path = "../examples/weather_station/reason.rs"]
mod reason;

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use portcullis_dq_metrics::{
    Outcome, Quality, Subject,
    clock::UnixMillis,
    conformance,
    sample::{
        Discarded, Fingerprint, Masker, Sample, SampleSlot, SampleStore, SampleStoreError, TraceId,
    },
};
use rand::{SeedableRng, rngs::StdRng};

use self::reason::Fault;

/// A table of a database in small: rows of plain columns by reason and slot.
#[derive(Debug, Default)]
struct Table(RwLock<BTreeMap<(String, usize), Row>>);

#[derive(Debug)]
struct Row {
    ordinal: u64,
    sample: Option<Columns>,
}

#[derive(Debug)]
struct Columns {
    names: [String; 2],
    texts: [String; 2],
    taken_at: u64,
    trace_id: Option<[u8; 16]>,
    fingerprint: u64,
}

impl SampleStore for Table {
    fn replace(
        &self,
        slot: SampleSlot,
        ordinal: u64,
        sample: Option<Sample>,
    ) -> Result<(), SampleStoreError> {
        let unavailable = |_| SampleStoreError::Unavailable(None);
        let mut rows = self.0.write().map_err(unavailable)?;
        let key = (slot.reason().to_owned(), slot.index());
        if rows.get(&key).is_none_or(|row| row.ordinal < ordinal) {
            let sample = sample.map(Columns::from);
            rows.insert(key, Row { ordinal, sample });
        }
        Ok(())
    }

    fn erase_tenant(&self, tenant: &str) -> Result<(), SampleStoreError> {
        let unavailable = |_| SampleStoreError::Unavailable(None);
        for row in self.0.write().map_err(unavailable)?.values_mut() {
            let of_tenant = |columns: &Columns| [tenant, "__other__"].contains(&&*columns.names[0]);
            row.sample.take_if(|columns| of_tenant(columns));
        }
        Ok(())
    }

    fn samples(&self, reason: &'static str) -> Vec<Sample> {
        let rows = self.0.read().expect("no panic before");
        let of_reason = rows.iter().filter(|((of, _), _)| of == reason);
        of_reason
            .filter_map(|(_, row)| Some(row.sample.as_ref()?.read(reason, row.ordinal)))
            .collect()
    }
}

impl From<Sample> for Columns {
    fn from(sample: Sample) -> Self {
        Self {
            names: [sample.tenant, sample.event_type],
            texts: [sample.detail, sample.excerpt],
            taken_at: sample.taken_at.value(),
            trace_id: sample.trace_id.map(TraceId::to_bytes),
            fingerprint: sample.fingerprint.value(),
        }
    }
}

impl Columns {
    fn read(&self, reason: &'static str, ordinal: u64) -> Sample {
        let mut sample = Sample::new(reason, ordinal, UnixMillis::new(self.taken_at));
        [sample.tenant, sample.event_type] = self.names.clone();
        [sample.detail, sample.excerpt] = self.texts.clone();
        sample.trace_id = self.trace_id.map(TraceId::from_bytes);
        sample.fingerprint = Fingerprint::new(self.fingerprint);
        sample
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

#[test]
fn a_sample_store_from_outside_keeps_the_contract() {
    conformance::sample_store(|| Arc::new(Table::default()));
}

#[test]
fn a_taxonomy_from_outside_keeps_the_contract() {
    conformance::reason::<Fault>();
}

#[test]
fn a_sample_store_from_outside_serves_the_reports() {
    let store = Arc::new(Table::default());
    let quality = Quality::<Fault>::builder(Arc::new(LengthOnly), StdRng::seed_from_u64(1))
        .sample_store(store.clone())
        .build();
    let subject = Subject::tenant("zugspitze");
    quality.received(Some("zugspitze"), 1);
    quality.record(subject, Outcome::Rejected(Fault::Garbled));
    quality.sample(&Discarded::new(subject, Fault::Garbled, b"9;7.6"));
    let samples = quality.report(None).samples;
    assert_eq!(samples[0].samples, store.samples("line.garbled"));
    assert_eq!(samples[0].samples[0].excerpt, "5");
}
