//! The data key of a request.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput};
use moka::sync::Cache;
use portcullis_benches::{keys::Distribution, processor_time::ProcessorTime};
use portcullis_keyring::clock::FakeClock;
use portcullis_pii_crypto::{Email, PiiType as _};

use super::world::{KEY, World};

const TENANTS: usize = 10_000;

/// What a request pays for the key of its tenant, once warm.
pub(super) fn prepare(criterion: &mut Criterion<ProcessorTime>) {
    // On a clock that stands still, so that no states are read again: that is the store's time.
    let world = World::on(Arc::new(FakeClock::new()));
    let mut group = criterion.benchmark_group("prepare");
    group.throughput(Throughput::Elements(1));
    let purposes = [Email::purpose()];
    let peer = Cache::new(10_000);
    for (distribution, tenants) in [
        (Distribution::Hot, 1),
        (Distribution::Zipf, TENANTS),
        (Distribution::Uniform, TENANTS),
    ] {
        let all: Vec<_> = (0..tenants).map(|number| world.tenant(number)).collect();
        let drawn = distribution.draw(tenants, 1 << 16);
        group.bench_function(
            BenchmarkId::new("portcullis", distribution.name()),
            |bencher| {
                let mut drawn = drawn.iter().cycle();
                bencher.iter(|| {
                    let tenant = &all[*drawn.next().expect("it goes round")];
                    let keys = world.keyring.prepare(tenant, &purposes);
                    world.runtime.block_on(keys).expect("it answers")
                });
            },
        );
        for tenant in &all {
            peer.insert(tenant.clone(), Arc::new(KEY));
        }
        group.bench_function(BenchmarkId::new("moka", distribution.name()), |bencher| {
            let mut drawn = drawn.iter().cycle();
            bencher.iter(|| peer.get(&all[*drawn.next().expect("it goes round")]));
        });
    }
}
