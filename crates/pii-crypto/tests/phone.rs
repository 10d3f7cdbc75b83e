//! Telephone numbers against those of libphonenumber: its example of every region and type, numbers
//! near them, and numbers given with another region. `data/phone` says where they are from.
#![cfg(feature = "phone")]

use std::{collections::BTreeSet, path::Path, process::Command, sync::LazyLock};

use portcullis_pii_crypto::{ParseError, PhoneNumber, PiiType, Region};
use proptest::prelude::*;

/// Of one region and type of number, each way of writing it.
struct Example {
    region: &'static str,
    e164: &'static str,
    international: &'static str,
    rfc3966: &'static str,
    /// None of a number that belongs to no region.
    national: Option<&'static str>,
}

fn rows<const N: usize>(file: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    file.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        columns.try_into().expect("a row has all columns")
    })
}

static EXAMPLES: LazyLock<Vec<Example>> = LazyLock::new(|| {
    rows(include_str!("data/phone/examples.tsv"))
        .map(
            |[region, _, e164, international, rfc3966, national]| Example {
                region,
                e164,
                international,
                rfc3966,
                national: (national != "-").then_some(national),
            },
        )
        .collect()
});

fn e164(parsed: Result<PhoneNumber, ParseError>) -> Option<String> {
    parsed.ok().map(|number| number.as_str().to_owned())
}

fn parse(text: &str) -> Option<String> {
    e164(PhoneNumber::parse(text))
}

fn parse_in(region: &str, text: &str) -> Option<String> {
    let region = Region::new(region).expect("a region with a plan");
    e164(PhoneNumber::parse_in(region, text))
}

/// What differs, a line each; nothing is what is expected.
fn differing(cases: impl Iterator<Item = (String, Option<String>, Option<String>)>) -> Vec<String> {
    cases
        .filter(|(_, got, wanted)| got != wanted)
        .map(|(case, got, wanted)| format!("{case}: {got:?}, not {wanted:?}"))
        .collect()
}

#[test]
fn every_example_is_taken_in_every_form_and_is_itself() {
    let regions: BTreeSet<&str> = EXAMPLES.iter().map(|example| example.region).collect();
    assert_eq!((EXAMPLES.len(), regions.len()), (1_385, 246));
    let cases = EXAMPLES.iter().flat_map(|example| {
        let international = [example.e164, example.international, example.rfc3966];
        let national = example
            .national
            .map(|text| (text, parse_in(example.region, text)));
        international
            .map(|text| (text, parse(text)))
            .into_iter()
            .chain(national)
            .map(|(text, got)| {
                let case = format!("{} {text}", example.region);
                (case, got, Some(example.e164.to_owned()))
            })
    });
    assert_eq!(differing(cases), Vec::<String>::new());
}

#[test]
fn an_example_is_itself_whatever_region_it_is_given_with() {
    let cases = EXAMPLES.iter().flat_map(|example| {
        ["US", "BR", "RU", "IT", "KZ", "AR", "MX", "GG", "NF", "HU"].map(|region| {
            let case = format!("{region} {}", example.international);
            let got = parse_in(region, example.international);
            (case, got, Some(example.e164.to_owned()))
        })
    });
    assert_eq!(differing(cases), Vec::<String>::new());
}

fn wanted(number: &str) -> Option<String> {
    (number != "-").then(|| number.to_owned())
}

#[test]
fn numbers_near_the_examples_are_taken_and_refused_like_there() {
    let rows: Vec<[&str; 2]> = rows(include_str!("data/phone/changed.tsv")).collect();
    let refused = rows.iter().filter(|[_, number]| *number == "-").count();
    assert_eq!((rows.len(), refused), (7_701, 4_229));
    let cases = rows
        .iter()
        .map(|[text, number]| ((*text).to_owned(), parse(text), wanted(number)));
    assert_eq!(differing(cases), Vec::<String>::new());
}

#[test]
fn numbers_given_with_another_region_are_taken_and_refused_like_there() {
    let cases = rows(include_str!("data/phone/abroad.tsv")).map(|[region, text, number]| {
        let case = format!("{region} {text}");
        (case, parse_in(region, text), wanted(number))
    });
    assert_eq!(differing(cases), Vec::<String>::new());
}

#[test]
fn a_mask_begins_with_the_country_calling_code_and_hides_the_length() {
    for example in EXAMPLES.iter() {
        let number = PhoneNumber::parse(example.e164).expect("an example");
        // The number itself has no blank, its international form has one behind the code.
        let code = example.international.split(' ').next().expect("a code");
        let last = &example.e164[example.e164.len() - 2..];
        let masked = number.masked();
        let shown = masked
            .strip_prefix(code)
            .and_then(|masked| masked.strip_prefix("***"));
        let national = example.e164.len() - code.len();
        let wanted = if national > 4 { last } else { "" };
        assert_eq!(shown, Some(wanted), "{}", example.e164);
    }
}

/// The text with other characters where the digits are apart.
fn separated(text: &str, separator: &str) -> String {
    text.replace([' ', '-'], separator)
}

proptest! {
    #[test]
    fn each_way_of_writing_an_example_is_one_number(
        at in any::<prop::sample::Index>(),
        separator in prop::sample::select(vec![
            "", " ", "\u{a0}", "\u{202f}", "-", "\u{2011}", "\u{2013}", ".", "/", "\u{200b}", "\u{ad}",
        ]),
        before in prop::sample::select(vec!["", " ", "\u{202a}", "\u{feff}", "\u{200e}", "("]),
        after in prop::sample::select(vec!["", "\n", "\u{202c}", "\u{200f}", ";ext=12", " x12"]),
    ) {
        let example = at.get(&EXAMPLES);
        let wanted = Some(example.e164.to_owned());
        for text in [example.e164, example.international] {
            let text = format!("{before}{}{after}", separated(text, separator));
            prop_assert_eq!(&parse(&text), &wanted, "{:?}", text);
        }
        let text = format!("{}{after}", example.rfc3966);
        prop_assert_eq!(&parse(&text), &wanted, "{:?}", text);
        if let Some(national) = example.national {
            let text = format!("{before}{}{after}", separated(national, separator));
            prop_assert_eq!(&parse_in(example.region, &text), &wanted, "{:?}", text);
        }
    }

    #[test]
    fn what_was_parsed_parses_to_itself(
        at in any::<prop::sample::Index>(),
        digits in "[0-9]{1,14}",
        kept in 1..8_usize,
    ) {
        let example = at.get(&EXAMPLES);
        let texts = [
            format!("{}{digits}", &example.e164[..kept.min(example.e164.len())]),
            format!("+{digits}"),
        ];
        for once in texts.iter().filter_map(|text| parse(text)) {
            prop_assert!(once.len() <= 16, "{}", once);
            prop_assert_eq!(parse(&once), Some(once));
        }
        if example.national.is_some() && let Some(once) = parse_in(example.region, &digits) {
            prop_assert_eq!(parse(&once), Some(once));
        }
    }

    #[test]
    fn no_text_of_what_numbers_are_written_with_panics(
        at in any::<prop::sample::Index>(),
        text in "[-+0-9xX#*,;:=()./~ \u{a0}\u{200b}\u{ff0b}\u{ff10}-\u{ff19}\u{660}-\u{669}\u{b2}½tel]{0,40}",
        tail in prop::sample::select(vec!["", ";ext=", ";phone-context=", ";phone-context=+1", "ext"]),
    ) {
        let region = at.get(&EXAMPLES).region;
        let text = format!("{text}{tail}");
        for parsed in [parse(&text), (region != "001").then(|| parse_in(region, &text)).flatten()] {
            prop_assert!(parsed.is_none_or(|number| number.starts_with('+')));
        }
    }
}

/// Where the crate that is linked lies.
fn linked_crate() -> String {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--all-features",
            "--offline",
            "--locked",
        ])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{output:?}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let found = packages.iter().find(|one| one["name"] == "rlibphonenumber");
    let manifest = found.and_then(|one| one["manifest_path"].as_str());
    manifest.expect("the crate is linked").to_owned()
}

#[test]
fn the_version_of_the_plans_is_the_one_that_is_linked_and_compared_with() {
    let version = PhoneNumber::NUMBERING_PLANS;
    // The crate says it nowhere but in its README.
    let readme = Path::new(&linked_crate()).with_file_name("Readme.md");
    let readme = std::fs::read_to_string(readme).expect("the crate has a README");
    let line = format!("**Used metadata version:** `v{version}`");
    assert!(readme.contains(&line), "{line}");
    for (name, text) in [
        ("README.md", include_str!("../README.md")),
        ("data/phone/README.md", include_str!("data/phone/README.md")),
        ("phone.rs", include_str!("../src/pii/phone.rs")),
        (
            "scripts/phone-cases",
            include_str!("../../../scripts/phone-cases"),
        ),
    ] {
        assert!(
            text.contains(version),
            "{name} states another version than {version}"
        );
    }
}
