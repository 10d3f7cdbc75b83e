//! Texts that are read, and what is said of those that are not.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::*;

fn version(number: u32) -> SecretVersion {
    number.try_into().unwrap()
}

fn base64(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

fn parse(text: &str, primary: Option<u32>) -> Result<VersionedSecrets, Vec<ParseFault>> {
    VersionedSecrets::parse(&text.into(), primary.map(version)).map_err(|error| {
        assert!(!error.faults().is_empty());
        error.faults().to_vec()
    })
}

#[test]
fn one_version_needs_no_primary_and_several_do() {
    let one = parse(&format!("7:{}", base64(1)), None).unwrap();
    assert_eq!(one.primary_version(), version(7));
    assert_eq!(one.primary().expose_secret(), &[1; 32]);

    let text = format!("1:{} , 2:{}", base64(1), base64(2));
    assert_eq!(
        parse(&text, None).unwrap_err(),
        [ParseFault::PrimaryRequired]
    );
    assert_eq!(
        parse(&text, Some(3)).unwrap_err(),
        [ParseFault::PrimaryMissing(version(3))]
    );
    let two = parse(&text, Some(2)).unwrap();
    assert_eq!(two.primary().expose_secret(), &[2; 32]);
}

#[test]
fn an_error_says_all_of_its_faults() {
    let text = format!("nonsense,1:{},1:{}", base64(1), base64(2));
    let error = VersionedSecrets::parse(&text.into(), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "entry 1 must be `<version>:<base64 of 32 bytes>`; entry 3 repeats version 1"
    );
}

#[test]
fn every_fault_is_told_with_its_entry() {
    let (one, two) = (base64(1), base64(2));
    let text = format!("1:{one},nonsense,1:{two},2:{one},0:{two}");
    assert_eq!(
        parse(&text, Some(1)).unwrap_err(),
        [
            ParseFault::Malformed { entry: 2 },
            ParseFault::RepeatedVersion {
                entry: 3,
                version: version(1)
            },
            ParseFault::SameSecret {
                entry: 4,
                other: version(1)
            },
            ParseFault::Malformed { entry: 5 },
        ]
    );
}

#[test]
fn other_forms_are_malformed() {
    let padded = base64(1);
    for text in [
        String::new(),
        ",".to_owned(),
        padded.clone(),
        format!(":{padded}"),
        format!("-1:{padded}"),
        format!("+1:{padded}"),
        format!("01:{padded}"),
        format!("0:{padded}"),
        format!("4294967296:{padded}"),
        format!("1: {padded}"),
        format!("1:{}", padded.trim_end_matches('=')),
        format!("1:{}", STANDARD.encode([1; 31])),
        format!("1:{}", STANDARD.encode([1; 33])),
    ] {
        let faults = parse(&text, None).unwrap_err();
        assert_eq!(faults[0], ParseFault::Malformed { entry: 1 }, "{text:?}");
    }
}

#[test]
fn an_error_holds_no_part_of_a_secret() {
    let secret = "c2VjcmV0Y2FuYXJ5";
    let text = format!("1:{secret},{secret}:1,{secret}");
    let error = VersionedSecrets::parse(&text.into(), None).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("c2VjcmV0"), "{shown}");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        secrets in prop::collection::btree_map(1_u32.., any::<[u8; 32]>(), 1..5),
        chosen in any::<prop::sample::Index>(),
    ) {
        let mut distinct: Vec<_> = secrets.values().collect();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assume!(distinct.len() == secrets.len());
        let versions: Vec<u32> = secrets.keys().copied().collect();
        let primary = versions[chosen.index(versions.len())];
        let entries: Vec<String> = secrets
            .iter()
            .map(|(version, secret)| format!("{version}:{}", STANDARD.encode(secret)))
            .collect();
        let set = parse(&entries.join(","), Some(primary)).unwrap();
        prop_assert_eq!(set.primary_version().value(), primary);
        for (version, secret) in set.iter() {
            prop_assert_eq!(secret.expose_secret(), &secrets[&version.value()]);
        }
        prop_assert_eq!(set.versions().count(), secrets.len());
    }

    #[test]
    fn no_text_panics(text in ".{0,200}", primary in prop::option::of(1_u32..)) {
        drop(parse(&text, primary));
    }
}
