//! Ids and hashes.

use super::{Innocent, chance, field};
use crate::random::Random;

const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) const ALL: &[Innocent] = &[
    field("UUID", "id", |random| {
        let uuid = uuid(random);
        match random.index(5) {
            0 => uuid.to_uppercase(),
            1 => uuid.replace('-', ""),
            2 => format!("urn:uuid:{uuid}"),
            _ => uuid,
        }
    }),
    field("ULID", "id", |random| {
        format!("01{}", random.letters(CROCKFORD, 24))
    }),
    field("KSUID, nanoid, ObjectId", "id", |random| {
        match random.index(4) {
            0 => random.letters(BASE62, 27),
            1 => random.letters(BASE64URL, 21),
            2 => random.hex(24),
            _ => format!("evt_{}", random.letters(BASE62, 24)),
        }
    }),
    field("MD5", "etag", |random| hash(random, 32)),
    field("SHA-1", "commit", |random| hash(random, 40)),
    field("short commit", "commit", |random| {
        let length = random.index(6) + 7;
        random.hex(length)
    }),
    field("SHA-256", "digest", |random| match random.index(3) {
        0 => format!("sha256:{}", random.hex(64)),
        1 => format!("sha256-{}=", random.letters(BASE62, 43)),
        _ => hash(random, 64),
    }),
    field("trace id", "trace_id", |random| match random.index(5) {
        0 => random.hex(16),
        1 => format!("00-{}-{}-01", random.hex(32), random.hex(16)),
        2 => format!("{}-{}-1", random.hex(32), random.hex(16)),
        3 => format!("Root=1-{}-{}", random.hex(8), random.hex(24)),
        _ => random.hex(32),
    }),
    field("zero-padded id", "id", |random| {
        let width = random.index(11) + 8;
        let digits = random.index(5) + 1;
        format!("{:0>width$}", random.number(digits))
    }),
    field("snowflake", "id", |random| {
        // Milliseconds since an epoch and 22 bits: 18 or 19 digits for years.
        (random.within(700_000_000_000_000_000, 1_900_000_000_000_000_000)).to_string()
    }),
    field("order number", "order", order),
    field("tracking number", "parcel", parcel),
    chance("random 11 digits", "ref", |random| random.digits(11)),
    chance("random 14 digits", "ref", |random| random.digits(14)),
    chance("random 15 or 16 digits", "ref", |random| {
        let length = random.index(2) + 15;
        random.number(length)
    }),
];

pub(super) fn uuid(random: &mut Random) -> String {
    format!(
        "{}-{}-{}{}-{}{}-{}",
        random.hex(8),
        random.hex(4),
        random.pick(&["4", "7", "1"]),
        random.hex(3),
        random.pick(&["8", "9", "a", "b"]),
        random.hex(3),
        random.hex(12)
    )
}

fn hash(random: &mut Random, length: usize) -> String {
    let hash = random.hex(length);
    if random.once_in(4) {
        hash.to_uppercase()
    } else {
        hash
    }
}

/// As shops print them.
fn order(random: &mut Random) -> String {
    match random.index(12) {
        0 => format!(
            "{}-{}-{}",
            random.number(3),
            random.digits(7),
            random.digits(7)
        ),
        1 => format!("#{}", random.within(1001, 99_999)),
        2 => format!("{:0>9}", random.within(1, 99_999)),
        3 => format!(
            "{:02}-{}-{}",
            random.within(1, 27),
            random.digits(5),
            random.digits(5)
        ),
        4 => format!("20000{}", random.digits(11)),
        5 => format!("v{}vtex-01", random.number(7)),
        6 => format!("{}-{}", random.within(2019, 2026), random.digits(6)),
        7 => format!("INV-{:06}", random.within(1, 999_999)),
        8 => format!("{}-{}", random.number(13), random.digits(2)),
        9 => format!("PO{}", random.number(8)),
        10 => format!("{:0>10}", random.number(8)),
        _ => random.number(10),
    }
}

/// As carriers print them.
fn parcel(random: &mut Random) -> String {
    match random.index(6) {
        0 => format!("1Z{}{}", random.letters(CROCKFORD, 6), random.digits(10)),
        1 => format!("TBA{}", random.digits(12)),
        2 => {
            let service = random.letters(b"ABCELRUV", 2);
            let country = random.pick(&["BR", "DE", "GB", "US", "CN"]);
            format!("{service}{}{country}", random.digits(9))
        }
        3 => random.number(12),
        4 => format!("94{}", random.digits(20)),
        _ => random.number(10),
    }
}
