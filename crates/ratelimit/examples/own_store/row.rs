//! A bucket as one row: a key that no other bucket has, and its parts as bytes.

use portcullis_ratelimit::{
    bucket::{Bucket, Scale, Tick},
    store::{Partition, Subject, Target},
};

/// Each part with its kind and length before it, so that no two targets have one key.
pub(super) fn key(partition: Partition<'_>, target: &Target<'_>) -> Vec<u8> {
    let (kind, partition) = match partition {
        Partition::Tenant(tenant) => (0, tenant.to_owned()),
        Partition::Address(network) => (1, network.address().to_string()),
    };
    let mut key = Vec::new();
    push(&mut key, kind, &partition);
    push(&mut key, 0, target.limit().identity());
    match target.subject() {
        Subject::Whole => push(&mut key, 0, ""),
        Subject::Key(id) => push(&mut key, 1, id),
        Subject::Address(network) => push(&mut key, 2, &network.address().to_string()),
    }
    key
}

fn push(key: &mut Vec<u8>, kind: u8, text: &str) {
    key.push(kind);
    key.extend((text.len() as u64).to_be_bytes());
    key.extend(text.as_bytes());
}

/// The consumed volume, the last tick, and the scale that both are counted in: 29 bytes.
pub(super) fn encode(bucket: &Bucket) -> Vec<u8> {
    let scale = bucket.scale();
    let mut row = Vec::with_capacity(29);
    row.extend(bucket.consumed().to_be_bytes());
    row.extend(bucket.last_tick().to_be_bytes());
    row.extend(scale.units_per_token().get().to_be_bytes());
    row.extend(scale.units_per_tick().get().to_be_bytes());
    row.push(match scale.tick() {
        Tick::Micros => 0,
        Tick::Millis => 1,
    });
    row
}

/// `None` if the bytes are not a bucket.
pub(super) fn decode(row: &[u8]) -> Option<Bucket> {
    let (consumed, row) = row.split_first_chunk()?;
    let (last_tick, row) = row.split_first_chunk()?;
    let (units_per_token, row) = row.split_first_chunk()?;
    let (units_per_tick, row) = row.split_first_chunk()?;
    let tick = match row {
        [0] => Tick::Micros,
        [1] => Tick::Millis,
        _ => return None,
    };
    let scale = Scale::new(
        u64::from_be_bytes(*units_per_token).try_into().ok()?,
        u32::from_be_bytes(*units_per_tick).try_into().ok()?,
        tick,
    );
    let (consumed, last_tick) = (
        u64::from_be_bytes(*consumed),
        u64::from_be_bytes(*last_tick),
    );
    Some(Bucket::new(consumed, last_tick, scale))
}
