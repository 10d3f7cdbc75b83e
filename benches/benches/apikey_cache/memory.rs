//! What a cached key takes of this process's memory, beside the same in a plain `moka` cache.

use std::{fs, num::NonZeroUsize, sync::Arc};

use portcullis_apikey_cache::{Scopes, TenantId, Tier, store::MemoryKeyStore};
use portcullis_benches::figures::{Failure, Figures};

use super::{
    apart::{Digest, Hashing},
    ours::{Ours, TENANT, block_on, builder, issue},
};

const KEYS: usize = 1_000_000;
/// Issued by one cache.
const PART: usize = 100_000;
const QUICK_KEYS: usize = 100;

/// What the peer keeps of a key: who presents it and what for, as ours does, and nothing to check the secret
/// with: the digest it is found by does that.
struct Payload {
    _tenant: TenantId,
    _tier: Tier,
    _scopes: Scopes,
    _dates: [Option<i64>; 4],
    _version: u64,
}

pub(crate) fn run(is_quick: bool) -> Result<Figures, Failure> {
    let keys = if is_quick { QUICK_KEYS } else { KEYS };
    let capacity = NonZeroUsize::new(keys + keys / 10).ok_or("there are keys")?;
    let hashing = Hashing::new();
    // Keys and what the store has of them are in memory before.
    let store = Arc::new(MemoryKeyStore::new());
    let issued = block_on(issue_in_parts(&store, keys));
    let ours = block_on(Ours::of(
        builder(store, 7).capacity(capacity).build(),
        issued,
    ));
    let before = resident_bytes()?;
    block_on(ours.fill());
    let with_ours = resident_bytes()?;

    let digests: Vec<Digest> = ours
        .keys()
        .iter()
        .map(|text| hashing.digest(text))
        .collect();
    let with_digests = resident_bytes()?;
    let peer = moka::sync::Cache::new(capacity.get() as u64);
    for digest in digests {
        peer.insert(digest, Arc::new(payload()));
    }
    peer.run_pending_tasks();
    let with_peer = resident_bytes()?;

    let each = |bytes: u64, count: u64| bytes as f64 / count as f64;
    let mut figures = Figures::default();
    figures.add(
        "memory",
        "bytes/key",
        [
            each(with_ours - before, ours.cache().stats().entries),
            each(with_peer - with_digests, peer.entry_count()),
        ],
    );
    Ok(figures)
}

/// By caches of their own: one that has just issued so many has to remember it of each for two minutes.
async fn issue_in_parts(store: &Arc<MemoryKeyStore>, keys: usize) -> Vec<String> {
    let mut issued = Vec::with_capacity(keys);
    while issued.len() < keys {
        let part = PART.min(keys - issued.len());
        issued.extend(issue(&builder(Arc::clone(store), 7).build(), part).await);
    }
    issued
}

fn payload() -> Payload {
    Payload {
        _tenant: TENANT.parse().expect("it is a tenant id"),
        _tier: Tier::STANDARD,
        _scopes: "events:write".parse().expect("it is a scope"),
        _dates: [None; 4],
        _version: 1,
    }
}

/// Of this process, in memory now.
fn resident_bytes() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes.ok_or("Linux has it")?.parse::<u64>()? * 1_024)
}
