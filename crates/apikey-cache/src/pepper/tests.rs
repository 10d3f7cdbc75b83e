//! Peppers and tag keys: which versions there are, and what contradicts itself.

use secrecy::SecretBox;

use super::*;

/// The version of this number.
fn version(number: u32) -> PepperVersion {
    number.try_into().unwrap()
}

/// Peppers of these versions, each of one repeated byte; the first is primary.
pub(crate) fn peppers(secrets: &[(u32, u8)]) -> Result<Peppers, PepperError> {
    let pepper = |&(version, byte): &(u32, u8)| {
        let secret = SecretBox::new(Box::new([byte; 32]));
        (SecretVersion::try_from(version).unwrap(), secret)
    };
    let primary = SecretVersion::try_from(secrets[0].0).unwrap();
    Peppers::new(VersionedSecrets::new(primary, secrets.iter().map(pepper)).unwrap())
}

#[test]
fn a_version_that_kids_cannot_hold_is_refused_by_number() {
    assert!(peppers(&[(1, 1), (65_535, 2)]).is_ok());
    let refused = peppers(&[(1, 1), (65_536, 2)]).map(drop).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "pepper version 65536 is out of range: number peppers from 1 to 65535"
    );
}

#[test]
fn versions_are_numbers_from_1_to_65535() {
    for number in [1, 65_535] {
        let version = PepperVersion::try_from(number).unwrap();
        assert_eq!(u32::from(version.value()), number);
    }
    for number in [0, 65_536] {
        assert_eq!(
            PepperVersion::try_from(number),
            Err(PepperError::VersionOutOfRange(number))
        );
    }
}

#[test]
fn keys_are_hashed_under_the_primary_version() {
    let peppers = peppers(&[(2, 2), (3, 3), (1, 1)]).unwrap();
    assert_eq!(peppers.primary().version, version(2));
    for version in 1..=3 {
        let version = self::version(version);
        assert_eq!(peppers.find(version).unwrap().version, version);
    }
    assert!(peppers.find(version(4)).is_none());
}

#[test]
fn a_check_value_depends_on_the_pepper_alone() {
    let one = peppers(&[(1, 1), (2, 2)]).unwrap().check_values();
    let two = peppers(&[(7, 1), (2, 3)]).unwrap().check_values();
    let secret_version = |number| SecretVersion::from(version(number));
    assert_eq!(one[&secret_version(1)], two[&secret_version(7)]);
    assert_ne!(one[&secret_version(2)], two[&secret_version(2)]);
}

#[test]
fn debug_shows_no_secret() {
    let peppers = peppers(&[(3, 0xAB)]).unwrap();
    assert_eq!(
        format!("{peppers:?}"),
        "Peppers { primary: PepperVersion(3), .. }"
    );
}

fn tag_keys(peppers: &Peppers, keys: &[(u32, u32)]) -> Vec<(PepperVersion, SecretBox<[u8; 32]>)> {
    let key = |(of, is): &(u32, u32)| (version(*of), peppers.tag_key(version(*is)).unwrap());
    keys.iter().map(key).collect()
}

#[test]
fn what_is_left_of_a_dropped_pepper_is_its_tag_key() {
    let before = peppers(&[(1, 1), (2, 2)]).unwrap();
    let after = peppers(&[(2, 2)]).unwrap();
    let after = after.with_tag_keys(tag_keys(&before, &[(1, 1)])).unwrap();
    assert!(after.find(version(1)).is_none(), "it verifies nothing");
    let bytes = |peppers: &Peppers| *peppers.tag_key(version(1)).unwrap().expose_secret();
    assert_eq!(bytes(&after), bytes(&before));
    assert_ne!(bytes(&after), [1; 32], "it is not the pepper");
    assert!(after.tag_key(version(3)).is_none());
    assert_eq!(after.tag_check_values(), before.tag_check_values());
    let checked: Vec<_> = after.check_values().into_keys().collect();
    assert_eq!(checked, [SecretVersion::from(version(2))]);
    assert_ne!(before.check_values(), before.tag_check_values());

    let roles = [1, 2, 3].map(|number| after.role(version(number)));
    use PepperRole::{Missing, Primary, TagsOnly, Verifies};
    assert_eq!(roles, [TagsOnly, Primary, Missing]);
    let back = peppers(&[(1, 1), (2, 2)]).unwrap();
    assert_eq!(back.role(version(2)), Verifies);
    let versions: Vec<_> = after.versions().collect();
    assert_eq!(versions, [version(2), version(1)]);
}

#[test]
fn a_tag_key_beside_its_own_pepper_adds_nothing() {
    let before = peppers(&[(1, 1), (2, 2)]).unwrap();
    let keys = tag_keys(&before, &[(1, 1), (2, 2), (1, 1)]);
    let after = before.with_tag_keys(keys).unwrap();
    assert!(after.tags_only.is_empty());
}

#[test]
fn tag_keys_that_contradict_something_are_refused() {
    let source = peppers(&[(1, 1), (2, 2), (3, 3)]).unwrap();
    let refused = |keys: &[(u32, u32)]| {
        let peppers = peppers(&[(2, 2)]).unwrap();
        let refused = peppers.with_tag_keys(tag_keys(&source, keys));
        refused.map(drop).unwrap_err()
    };
    assert_eq!(refused(&[(2, 1)]), PepperError::ForeignTagKey(version(2)));
    assert_eq!(
        refused(&[(1, 1), (1, 1)]),
        PepperError::RepeatedTagKey(version(1))
    );
    assert_eq!(
        refused(&[(1, 1), (1, 3)]),
        PepperError::RepeatedTagKey(version(1))
    );
    assert_eq!(
        refused(&[(1, 1), (3, 1)]),
        PepperError::SameTagKey(version(1), version(3))
    );
    assert_eq!(
        refused(&[(1, 2)]),
        PepperError::SameTagKey(version(2), version(1))
    );
    assert_eq!(
        refused(&[(2, 1)]).to_string(),
        "the tag key of version 2 is not that of its pepper: remove it, the pepper suffices"
    );
}
