//! Kinds as values do what their types do.

use std::collections::HashSet;

use portcullis_keyring::TenantId;

use super::*;
use crate::{
    Cipher, Indexed, OpenError, Sealed,
    known_keys::{World, known_roots},
};

fn any(kind: PiiKind, text: &str) -> AnyPii {
    kind.parse(text).expect("a value")
}

/// A value of each kind, in the order of the kinds.
const VALUES: &[(&str, &str)] = &[
    ("email", "john.smith@example.com"),
    #[cfg(feature = "phone")]
    ("phone", "+5511912345678"),
    ("national-id", "52998224725"),
    ("name", "Ana Souza"),
    ("address", "Rua A, 1"),
    ("text", " a "),
];

#[test]
fn the_crate_lists_its_own_kinds() {
    let names: Vec<_> = PiiKinds::built_in().iter().map(PiiKind::name).collect();
    let expected: Vec<_> = VALUES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected);
    let purposes: HashSet<_> = PiiKinds::built_in().iter().map(PiiKind::purpose).collect();
    assert_eq!(purposes.len(), names.len());
    let kinds = PiiKinds::built_in();
    let indexed = kinds.iter().filter(|kind| kind.is_indexed());
    let normalisers: Vec<_> = indexed.flat_map(PiiKind::normalisers).collect();
    let phone = cfg!(feature = "phone").then_some(&"phone/1");
    let expected = ["email/1", "email/2"].iter().chain(phone).chain(&["cpf/1"]);
    assert_eq!(normalisers, expected.collect::<Vec<_>>());
}

#[test]
fn a_kind_is_found_by_its_name_and_no_name_stands_twice() {
    let kinds = PiiKinds::built_in();
    assert_eq!(kinds.find("email"), Some(PiiKind::of::<Email>()));
    assert_eq!(kinds.find("Email"), None);
    let again = kinds
        .with(PiiKind::of::<Email>())
        .expect_err("the name is taken");
    assert!(again.to_string().contains("`email`"));
}

#[test]
fn a_kind_looks_up_if_its_type_says_so() {
    let (searched, kept) = (PiiKind::of::<Email>(), PiiKind::of::<PersonName>());
    assert_ne!(searched, kept);
    assert!(searched.is_indexed() && !kept.is_indexed());
    let index = known_roots().unique_index(&tenant(), "lead.email");
    assert!(any(searched, "a@example.com").index(&index).is_some());
    assert!(any(kept, "a@example.com").index(&index).is_none());
}

#[test]
fn a_type_has_one_kind() {
    let built_in = PiiKinds::built_in().find("email").expect("it is built in");
    assert_eq!(built_in, PiiKind::of::<Email>());
    let kinds = HashSet::from([built_in, PiiKind::of::<Email>()]);
    assert_eq!(kinds.len(), 1);
}

#[test]
fn every_normaliser_of_a_value_is_listed_by_its_kind() {
    fn listed<T: Indexed>(text: &str) {
        let value = T::parse(text).expect("a value");
        assert!(T::NORMALISERS.contains(&value.normaliser()));
    }
    listed::<Email>("a@example.com");
    listed::<Email>("ä@example.com");
    #[cfg(feature = "phone")]
    listed::<PhoneNumber>("+5511912345678");
    listed::<NationalId>("52998224725");
}

#[test]
fn an_erased_value_is_indexed_like_one_of_its_type() {
    let roots = known_roots();
    let typed = Pii::<Email>::parse("John.Smith@example.com").expect("an address");
    let erased = any(PiiKind::of::<Email>(), "John.Smith@example.com");
    let index = roots.unique_index(&tenant(), "lead.email");
    assert_eq!(erased.index(&index), Some(index.values(&typed)));
    assert!(erased.former_index(&index).is_empty());
    let typed = Pii::<Email>::parse("João@example.com").expect("an address");
    let erased = any(PiiKind::of::<Email>(), "João@example.com");
    assert_eq!(erased.former_index(&index), index.former_values(&typed));
    assert_eq!(erased.former_index(&index).len(), 1);
    let name = any(PiiKind::of::<PersonName>(), "João");
    assert!(name.former_index(&index).is_empty());
}

#[tokio::test]
async fn an_erased_value_is_sealed_opened_and_masked_like_one_of_its_type() {
    let purposes: Vec<_> = VALUES.iter().map(|(name, _)| *name).collect();
    let cipher = Cipher::new(World::new().await.keys(&purposes).await);
    for (kind, (_, text)) in PiiKinds::built_in().iter().zip(VALUES) {
        let value = any(kind, text);
        assert_eq!((value.kind(), value.expose()), (kind, *text));
        let sealed = value.seal(&cipher, "f", "r").expect("it seals");
        let read: Sealed<AnyPii> = sealed.to_string().parse().expect("it is read back");
        let opened = kind.open(&cipher, "f", "r", &read).expect("it opens");
        assert_eq!(opened.expose(), *text);
        assert_eq!(opened.masked(), value.masked());
        assert_eq!(opened.kind(), kind);

        let moved = kind.open(&cipher, "f", "elsewhere", &read);
        assert_eq!(moved.expect_err("it is not there"), OpenError::Rejected);
        for other in PiiKinds::built_in().iter().filter(|other| *other != kind) {
            let answer = other.open(&cipher, "f", "r", &read);
            assert_eq!(
                answer.expect_err("another kind"),
                OpenError::Rejected,
                "{kind} {other}"
            );
        }
    }
}

#[tokio::test]
async fn what_was_sealed_by_its_type_opens_by_its_kind_and_the_other_way_round() {
    let cipher = Cipher::new(World::new().await.keys(&["email"]).await);
    let typed = Pii::<Email>::parse("a@example.com").expect("an address");
    let kind = PiiKind::of::<Email>();

    let bytes = cipher
        .seal("f", "r", &typed)
        .expect("it seals")
        .into_bytes();
    let sealed = Sealed::from_bytes(bytes).expect("the shape of a sealed value");
    let opened = kind.open(&cipher, "f", "r", &sealed).expect("it opens");
    let email = opened.downcast_ref::<Email>().expect("it is an address");
    assert_eq!(email.expose().as_str(), "a@example.com");
    assert!(opened.downcast_ref::<FreeText>().is_none());

    let bytes = opened
        .seal(&cipher, "f", "r")
        .expect("it seals")
        .into_bytes();
    let sealed = Sealed::<Email>::from_bytes(bytes).expect("the shape of a sealed value");
    let opened = cipher.open("f", "r", &sealed).expect("it opens");
    assert_eq!(opened.expose().as_str(), "a@example.com");
}

#[test]
fn an_erased_value_is_refused_like_one_of_its_type_and_says_what_it_should_be() {
    for (kind, refused, expected) in [
        ("email", "john", "an e-mail address"),
        #[cfg(feature = "phone")]
        (
            "phone",
            "911",
            "a valid phone number in international form, digits after a +",
        ),
        (
            "national-id",
            "52998224724",
            "a CPF with valid check digits",
        ),
        (
            "name",
            "",
            "a name of at most 1,024 characters, without control characters",
        ),
        (
            "address",
            "",
            "an address of at most 4,096 characters, of control characters line ends and tabs alone",
        ),
    ] {
        let kind = PiiKinds::built_in().find(kind).expect("it is built in");
        assert!(kind.parse(refused).is_err());
        assert_eq!(kind.expected(), expected);
    }
}

#[test]
fn debug_shows_the_kind_alone() {
    for (kind, (name, text)) in PiiKinds::built_in().iter().zip(VALUES) {
        assert_eq!(
            format!("{:?}", any(kind, text)),
            format!("AnyPii<{name}>(…)")
        );
        assert_eq!(
            format!("{kind:?} {kind}"),
            format!("PiiKind({name}) {name}")
        );
    }
}

fn tenant() -> TenantId {
    TenantId::new("tenant-7").expect("a name")
}
