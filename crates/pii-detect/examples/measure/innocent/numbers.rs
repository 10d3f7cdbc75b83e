//! Quantities: places, prices, versions, addresses of machines.

use super::{Innocent, field, itself};
use crate::random::Random;

pub(super) const ALL: &[Innocent] = &[
    field("coordinates", "location", coordinates),
    field("price", "amount", price),
    itself("JSON number", |random| match random.index(5) {
        0 => random.within(0, 4_000_000_000).to_string(),
        1 => format!("-{}.{}", random.within(0, 999), random.digits(12)),
        2 => format!("0.{}", random.digits(16)),
        3 => format!(
            "{}.{}e{}",
            random.within(1, 9),
            random.digits(15),
            random.within(10, 300)
        ),
        _ => format!("{}.{}", random.within(0, 99_999_999), random.digits(7)),
    }),
    field("version", "version", version),
    field("IP address and port", "peer", machine),
    itself("measurements", |random| {
        format!(
            "took {}.{}s for {} rows, {} bytes of {} ({}%), p99 {}ms",
            random.within(0, 999),
            random.digits(9),
            random.within(1, 9_999_999_999),
            random.within(1, 99_999_999_999),
            random.within(1, 9_999_999_999_999),
            random.within(0, 100),
            random.within(1, 99_999)
        )
    }),
];

fn coordinates(random: &mut Random) -> String {
    let precision = random.index(5) + 4;
    let mut degrees = |most: u64, width: usize| {
        let sign = random.pick(&["", "-"]);
        let whole = random.within(0, most);
        (
            sign,
            format!("{whole:0width$}.{}", random.digits(precision)),
        )
    };
    let ((south, latitude), (west, longitude)) = (degrees(89, 1), degrees(179, 1));
    let (north, _) = degrees(1, 1);
    match random.index(6) {
        0 => format!("{south}{latitude},{west}{longitude}"),
        1 => format!("{south}{latitude}, {west}{longitude}"),
        2 => format!("POINT({west}{longitude} {south}{latitude})"),
        3 => format!("geo:{south}{latitude},{west}{longitude}"),
        // ISO 6709.
        4 => {
            let (north, east) = (plus(north), plus(west));
            let (latitude, longitude) = (padded(&latitude, 2), padded(&longitude, 3));
            format!("{north}{latitude}{east}{longitude}/")
        }
        _ => format!(
            "{}°{:02}′{:02}.{}″N {}°{:02}′{:02}″W",
            random.within(0, 89),
            random.within(0, 59),
            random.within(0, 59),
            random.digits(2),
            random.within(0, 179),
            random.within(0, 59),
            random.within(0, 59)
        ),
    }
}

fn plus(sign: &str) -> &str {
    if sign.is_empty() { "+" } else { sign }
}

/// With so many digits before the point.
fn padded(decimal: &str, width: usize) -> String {
    let whole = decimal.find('.').unwrap_or(decimal.len());
    format!("{:0>width$}{}", &decimal[..whole], &decimal[whole..])
}

fn price(random: &mut Random) -> String {
    let (groups, cents) = (random.index(4), random.digits(2));
    let first = random.within(1, 999).to_string();
    let rest: Vec<_> = (0..groups).map(|_| random.digits(3)).collect();
    let whole = |separator: &str| {
        rest.iter()
            .fold(first.clone(), |price, group| price + separator + group)
    };
    match random.index(8) {
        0 => format!("R$ {},{cents}", whole(".")),
        1 => format!("${}.{cents}", whole(",")),
        2 => format!("{},{cents} €", whole("\u{a0}")),
        3 => format!("{},{cents} kr", whole(" ")),
        4 => format!("CHF {}.{cents}", whole("'")),
        5 => format!("¥{}", whole(",")),
        6 => format!("{}.{cents}", whole("")),
        _ => format!("{},{cents} zł", whole("\u{202f}")),
    }
}

fn version(random: &mut Random) -> String {
    let mut part = |most: u64| random.within(0, most);
    let (major, minor, patch) = (part(30), part(99), part(999));
    let build = part(99_999);
    match random.index(6) {
        0 => format!("v{major}.{minor}.{patch}-rc.{}", random.within(1, 20)),
        1 => format!("{major}.{minor}.{build}.{patch}"),
        2 => format!("{major}.{minor}.{patch}+{}", super::times::date(random, "")),
        3 => format!(
            "{major}.{minor}.{patch}+{}120000",
            super::times::date(random, "")
        ),
        4 => format!(
            "0.0.0-{}120000-{}",
            super::times::date(random, ""),
            random.hex(12)
        ),
        _ => format!("{major}.{minor}.{patch}"),
    }
}

fn machine(random: &mut Random) -> String {
    let octets: Vec<_> = (0..4).map(|_| random.within(1, 254).to_string()).collect();
    let address = octets.join(".");
    let groups: Vec<_> = (0..8).map(|_| random.hex(4)).collect();
    let port = random.within(1024, 65_535);
    match random.index(6) {
        0 => address,
        1 => format!("{address}/{}", random.within(8, 32)),
        2 => groups.join(":"),
        3 => format!("[2001:db8::{}:{}]:{port}", groups[0], groups[1]),
        4 => format!("{}:{}", octets.join("-"), port),
        _ => format!("{address}:{port}"),
    }
}
