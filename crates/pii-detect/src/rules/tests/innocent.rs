//! Corpora of what is nobody's, made by generators.

use proptest::prelude::*;

use crate::detector::Detector;

fn nothing_in(text: &str) {
    let detector = Detector::standard();
    let found: Vec<_> = detector.find(text).collect();
    assert_eq!(found, [], "{text}");
}

/// The check digit that makes weights of one and three, from the right, a multiple of ten.
fn gtin(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| u32::from(byte - b'0') * if index % 2 == 0 { 3 } else { 1 })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn isbn_10(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .zip((2..=10).rev())
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    let check = (11 - sum % 11) % 11;
    let check = char::from_digit(check, 10).unwrap_or('X');
    format!("{digits}{check}")
}

fn in_groups(digits: &str, lengths: &[usize], separator: &str) -> String {
    let mut rest = digits;
    let mut groups = Vec::new();
    for length in lengths {
        let (group, after) = rest.split_at(*length);
        groups.push(group);
        rest = after;
    }
    groups.push(rest);
    groups.join(separator)
}

/// Groups in which no digit happens to be do not end a row.
#[test]
fn rows_of_words_some_of_letters_only() {
    for row in [
        "0000040: 1d1c 2319 d5b5 18cd babe 0453 9312 0512  ................",
        "0000040: 1d1c 2319 d5b5 cafe babe 0453 9312 0512  ................",
        "0000040: 1d1c 2319 d5b5 18cd 18cd 0453 9312 0512  ................",
    ] {
        nothing_in(row);
    }
    assert!(
        Detector::standard()
            .first_kind("tel babe 0453 9312 0512")
            .is_some()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn codes_of_goods(twelve in "[0-9]{12}", eleven in "[0-9]{11}", seven in "[0-9]{7}") {
        for text in [gtin(&twelve), gtin(&eleven), gtin(&seven)] {
            nothing_in(&text);
        }
        nothing_in(&format!("ean {}", gtin(&twelve)));
        nothing_in(&in_groups(&gtin(&twelve), &[1, 6], " "));
        nothing_in(&in_groups(&gtin(&eleven), &[1, 5, 5], " "));
    }

    #[test]
    fn isbns(nine in "[0-57][0-9]{8}|8[0-9]{8}|9[5-8][0-9]{7}", publisher in 2_usize..5) {
        // The registration groups: one digit, two from 80 on, three from 950 on.
        let language = match nine.as_bytes()[0] {
            b'8' => 2,
            b'9' => 3,
            _ => 1,
        };
        let book = isbn_10(&nine);
        let title = 9 - language - publisher;
        for separator in ["", "-", " "] {
            nothing_in(&in_groups(&book, &[language, publisher, title], separator));
            let thirteen = gtin(&format!("978{nine}"));
            nothing_in(&in_groups(&thirteen, &[3, language, publisher, title], separator));
        }
    }

    #[test]
    fn ids(
        uuid in "[0-9a-f]{8}-[0-9a-f]{4}-[1-7][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        digits in "[0-9]{8}-[0-9]{4}-4[0-9]{3}-8[0-9]{3}-[0-9]{12}",
        ulid in "01[0-9A-HJKMNP-TV-Z]{24}",
        hash in "[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}",
        short in "[0-9a-f]{7,12}[a-f]",
        object in "[0-9a-f]{24}",
    ) {
        for text in [&uuid, &digits, &ulid, &hash, &short, &uuid.to_uppercase(), &hash.to_uppercase()] {
            nothing_in(text);
        }
        // Twenty-four digits without a letter are no id of this kind, but nothing else either.
        nothing_in(&object);
        nothing_in(&format!("urn:uuid:{uuid}"));
        nothing_in(&format!("traceparent: 00-{hash:.32}-{object:.16}-01"));
    }

    #[test]
    fn moments(seconds in 946_684_800_u64..2_145_916_800, nanos in 0_u32..1_000_000_000, offset in 0_u32..14) {
        for text in [
            seconds.to_string(),
            format!("{seconds}{:03}", nanos / 1_000_000),
            format!("{seconds}{:06}", nanos / 1_000),
            format!("{seconds}{nanos:09}"),
            format!("{seconds}.{nanos:09}"),
            format!("{seconds}.{:06}", nanos / 1_000),
        ] {
            nothing_in(&text);
            nothing_in(&format!("took {text} ns"));
        }
        let (day, time) = (seconds / 86_400, seconds % 86_400);
        let date = (1970 + day / 366, day % 12 + 1, day % 28 + 1);
        let clock = format!("{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
        let (year, month, day) = date;
        for text in [
            format!("{year}-{month:02}-{day:02}T{clock}.{nanos:09}+{offset:02}:00"),
            format!("{year}-{month:02}-{day:02} {clock}.{:06}-{offset:02}00", nanos / 1000),
            format!("{day:02}.{month:02}.{year} {clock}"),
            format!("{month:02}/{day:02}/{year} {clock}"),
            format!("{day:02}-{month:02}-{year} {clock}"),
            format!("{day:02}-{month:02}-{year} {}", clock.replace(':', "-")),
            format!("{year}{month:02}{day:02}{}", clock.replace(':', "")),
            format!("{year}{month:02}{day:02}T{}Z", clock.replace(':', "")),
            format!("{year}{month:02}{day:02}-{}", clock.replace(':', "")),
            format!("{year}_{month:02}_{day:02}_{}", clock.replace(':', "")),
        ] {
            nothing_in(&text);
        }
    }

    #[test]
    fn places(latitude in -90.0..90.0_f64, longitude in -180.0..180.0_f64) {
        for digits in [3, 4, 5, 6, 7] {
            nothing_in(&format!("{latitude:.digits$}, {longitude:.digits$}"));
            nothing_in(&format!("{latitude:+.digits$},{longitude:+.digits$}"));
            nothing_in(&format!("{latitude:+08.digits$}{longitude:+09.digits$}/"));
        }
        nothing_in(&format!("{latitude},{longitude}"));
        nothing_in(&format!("geo:{latitude:+},{longitude:+}"));
        nothing_in(&format!("https://maps.example/@{latitude:.7},{longitude:.7},15z"));
    }

    #[test]
    fn orders_and_counters(year in 1990_u32..2060, number in 0_u64..10_000_000, check in 0_u8..10) {
        for text in [
            format!("{year}-{number:06}-{check}"),
            format!("{year}/{number:07}"),
            format!("ORD-{year}-{number:07}"),
            format!("#{number:08}"),
            format!("INV{year}{number:06}"),
            format!("{number:010}"),
            format!("{number:012}"),
            // Eleven digits in a row are a CPF by chance, also where they are said to be an order's.
            format!("order {year}{:06}", number % 1_000_000),
            format!("job-{number:010}"),
        ] {
            nothing_in(&text);
        }
    }

    #[test]
    fn prices_and_sums(cents in 0_u64..100_000_000_000, other in 1_u64..1_000_000) {
        let (whole, rest) = (cents / 100, cents % 100);
        let text = whole.to_string();
        let grouped = |separator: &str| {
            let groups = text.as_bytes().rchunks(3).rev();
            let groups: Vec<_> = groups.map(|group| std::str::from_utf8(group).unwrap()).collect();
            groups.join(separator)
        };
        for text in [
            format!("{whole}.{rest:02}"),
            format!("${}.{rest:02}", grouped(",")),
            format!("{},{rest:02} €", grouped(".")),
            format!("R$ {},{rest:02}", grouped(".")),
            format!("{},{rest:02} Kč", grouped(" ")),
            format!("1e+{other}"),
            format!("+{other}"),
            format!("@@ -{},{} +{},{} @@", other, rest, other + 1, rest),
        ] {
            nothing_in(&text);
        }
    }

    #[test]
    fn versions_and_addresses_of_the_network(a in 0_u8..255, b in 0_u8..255, c in 0_u8..255, d in 0_u8..255) {
        for text in [
            format!("{a}.{b}.{c}.{d}"),
            format!("{a}.{b}.{c}.{d}:8080"),
            format!("v{a}.{b}.{c}-rc.{d}"),
            format!("pkg@{a}.{b}.{c}"),
            format!("@scope/pkg@{a}.{b}.{c}-beta.{d}"),
            format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:00:01"),
            format!("{a:02x} {b:02x} {c:02x} {d:02x} 01 23 45 67"),
            format!("{a:02x}-{b:02x}-{c:02x}-{d:02x}-00-01"),
        ] {
            nothing_in(&text);
        }
    }

    #[test]
    fn rows_of_numbers(
        triples in "[1-9][0-9]{2}( [1-9][0-9]{2}){4,12}",
        octal in "[0-7]{7}( [0-7]{6}){5,9}",
        bytes in "[0-9a-f]{2}( [0-9a-f]{2}){15}",
        words in "[0-9a-f]{4}( [0-9a-f]{4}){7}",
        pairs in "[0-9]{2}(-[0-9]{2}){5}",
        object in "[12]\\.[0-9]{1,3}\\.[0-9]{1,6}(\\.[0-9]{1,5}){3,6}",
        path in "M[0-9]{1,3}\\.[0-9]{1,3} [0-9]{1,3}\\.[0-9]{1,3}(L-?[0-9]{1,3}\\.[0-9]{1,3},[0-9]{1,3}){3,6}z",
    ) {
        for text in [&triples, &octal, &pairs, &object, &path] {
            nothing_in(text);
        }
        nothing_in(&format!("00000040  {bytes}  |................|"));
        nothing_in(&format!("0000040: {words}  ................"));
    }

    #[test]
    fn numbers_of_things_and_places(nine in "[1-9][0-9]{8}", eight in "[0-9]{8}", letters in "[B-DF-HJ-NP-TV-Z]{4}") {
        let (left, right) = eight.split_at(4);
        for text in [
            format!("ISSN {left}-{right}"),
            format!("{letters}DE{left:.2}500"),
            format!("979-0-{left}-{right}-1"),
            format!("doi:10.{left}/s{nine}"),
            format!("IL {}-{left}", &nine[..5]),
            format!("SP, {}-{}", &nine[..5], &nine[..3]),
            format!("o NIF {nine} consta"),
            format!("NIF: {} {} {}", &nine[..3], &nine[3..6], &nine[6..]),
            format!("{}AB{nine}GB", &letters[..2]),
            format!("1Z{letters}{nine}"),
            format!("IMEI 35{nine}{left}"),
            format!("CAS {}-{}-1", &nine[..5], &eight[..2]),
            format!("0000-000{}-{left}-{right}", &nine[..1]),
            format!("{}-{left}", &nine[..2]),
            format!("web-{}-{nine}", letters.to_lowercase()),
            format!("app:1.{left}.0-{nine}"),
            format!("0-{} 1-{} (102-98, 88-110)", &nine[..1], &nine[1..2]),
            format!("*/5 0,30 1-{} * 1-5", &nine[..1]),
            format!("usb 1-1.{}: [{nine}.{eight}]", &nine[..1]),
        ] {
            nothing_in(&text);
        }
    }
}

/// Known limits have known odds: with as many right check digits as chance gives, and no more.
#[test]
fn chance_finds_what_the_readme_says() {
    let share = |digits: u32| {
        const NUMBERS: u64 = 20_000;
        let from = 10_u64.pow(digits - 1);
        // Over the whole range, and no multiple of ten.
        let step = from / NUMBERS * 9 - 13;
        let detector = Detector::standard();
        let is_found = |index: &u64| {
            let number = from + index * step;
            detector.first_kind(&number.to_string()).is_some()
        };
        (0..NUMBERS).filter(is_found).count() as f64 / NUMBERS as f64
    };
    for (digits, at_least, at_most) in [
        (10, 0.0, 0.0),
        (11, 0.005, 0.015),
        (12, 0.0, 0.0),
        (13, 0.0, 0.0),
        (14, 0.002, 0.006),
        (15, 0.001, 0.004),
        (16, 0.02, 0.035),
        (17, 0.0, 0.0),
        (18, 0.0, 0.0),
        (19, 0.0005, 0.002),
    ] {
        let share = share(digits);
        assert!((at_least..=at_most).contains(&share), "{digits}: {share}");
    }
}
