//! What it takes to record an accepted event, beside counting it in families of `prometheus-client`; and to look for
//! and note an id, beside a set that has all of them.

use std::{collections::HashSet, hint::black_box, num::NonZeroU32, sync::Arc};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use portcullis_benches::processor_time::{self, ProcessorTime};
use portcullis_dq_metrics::{
    Facts, Outcome, Quality, Reason, Subject,
    duplicates::{ContentHash, DuplicateFilter, Sighting},
    sample::Masker,
};
use prometheus_client::metrics::{counter::Counter, family::Family};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// Ids that are noted before anything is measured, and asked for in turns.
const IDS: u32 = 1_000_000;

/// Ids that the filter has room for.
const ROOM: u32 = 10_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NoEmail,
}

impl Reason for Fault {
    const ALL: &'static [Self] = &[Self::NoEmail];

    fn index(self) -> usize {
        0
    }

    fn facts(self) -> Facts {
        Facts::new("form.no_email", "The form has no e-mail address.")
    }
}

#[derive(Debug)]
struct MasksNothing;

impl Masker for MasksNothing {
    fn mask_payload(&self, payload: &str) -> String {
        payload.to_owned()
    }

    fn mask_text(&self, text: &str) -> String {
        text.to_owned()
    }
}

type Labels<const N: usize> = [(&'static str, String); N];

fn record(criterion: &mut Criterion<ProcessorTime>) {
    let rng = StdRng::seed_from_u64(1);
    let quality: Quality<Fault> = Quality::builder(Arc::new(MasksNothing), rng).build();
    let subject = Subject::tenant("tenant-17")
        .event_type("lead.created")
        .schema_version("2");
    let outcomes = Family::<Labels<2>, Counter>::default();
    let types = Family::<Labels<2>, Counter>::default();
    let versions = Family::<Labels<2>, Counter>::default();

    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(1));
    group.bench_function("quality", |bencher| {
        bencher.iter(|| quality.record(black_box(subject), black_box(Outcome::Accepted)));
    });
    group.bench_function("families", |bencher| {
        let label = |name, value: &str| (name, black_box(value).to_owned());
        bencher.iter(|| {
            let accepted = || label("outcome", "accepted");
            let lead = || label("event_type", "lead.created");
            outcomes
                .get_or_create(&[label("tenant", "tenant-17"), accepted()])
                .inc();
            types.get_or_create(&[lead(), accepted()]).inc();
            versions
                .get_or_create(&[lead(), label("version", "2")])
                .inc();
        });
    });
}

fn duplicates(criterion: &mut Criterion<ProcessorTime>) {
    let mut rng = StdRng::seed_from_u64(2);
    let ids: Vec<[u8; 16]> = (0..IDS).map(|_| rng.random()).collect();
    let content = ContentHash::new(7);
    let [room, recent] = [ROOM, 65_536].map(|n| NonZeroU32::new(n).expect("not 0"));
    let filter = DuplicateFilter::new(room, recent, &mut rng);
    let mut set: HashSet<[u8; 16]> = HashSet::new();
    for id in &ids {
        filter.note(id, content);
        set.insert(*id);
    }

    let mut group = criterion.benchmark_group("look");
    group.throughput(Throughput::Elements(1));
    for (kind, is_known) in [("known", true), ("unknown", false)] {
        let mut asked = ids.iter().cycle().map(|id| {
            let mut id = *id;
            // Another id, at another place, without drawing one.
            id[0] ^= u8::from(!is_known);
            id
        });
        group.bench_function(format!("filter_{kind}"), |bencher| {
            bencher.iter(|| {
                let id = asked.next().expect("it goes round");
                filter.look(black_box(&id), content) == Sighting::Unseen
            });
        });
        group.bench_function(format!("set_{kind}"), |bencher| {
            bencher.iter(|| {
                let id = asked.next().expect("it goes round");
                set.contains(black_box(&id))
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = record, duplicates
}
criterion_main!(benches);
