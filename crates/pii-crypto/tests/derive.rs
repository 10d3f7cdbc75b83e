//! `#[derive(Seal)]` as an application uses it.

use std::{sync::Arc, time::Duration};

use portcullis_keyring::{
    Keyring, PreparedKeys, Purpose, TenantId,
    clock::FakeClock,
    kek::MemoryKek,
    secrets::{SecretVersion, VersionedSecrets},
    store::MemoryDekStore,
};
use portcullis_pii_crypto::{
    AcceptLeak, Cipher, Email, FreeText, IndexRoots, NationalId, OpenError, PersonName, Pii, Seal,
    TrigramQuery,
    plan::search_bits,
    record::{Seal as _, SealedRecord as _},
    reencrypt::FieldValue,
};
use secrecy::SecretBox;

/// A customer.
#[derive(Debug, Seal)]
#[seal(rows = 50_000, derive(Clone, Debug, PartialEq, serde::Serialize))]
pub struct Customer {
    /// Not personal.
    pub plan: String,
    /// Where to write to.
    #[pii(purpose = "email", field = "customer.email", index(unique))]
    pub email: Pii<Email>,
    /// What they are called.
    #[pii(field = "customer.name", index(trigram, accept_leak = "name-equality"))]
    pub name: Option<Pii<PersonName>>,
    /// By what the state knows them.
    #[pii(field = "customer.national_id", index(search, bits = 12))]
    pub national_id: Option<Pii<NationalId>>,
    #[pii(field = "customer.note")]
    note: Option<Pii<FreeText>>,
}

struct World {
    clock: Arc<FakeClock>,
    keyring: Keyring,
    tenant: TenantId,
    roots: IndexRoots,
}

impl World {
    fn new() -> Self {
        let keyring = Keyring::builder(
            Arc::new(MemoryKek::new().expect("random bytes")),
            Arc::new(MemoryDekStore::new()),
        );
        let clock = Arc::new(FakeClock::new());
        let root = |byte| SecretBox::new(Box::new([byte; 32]));
        let version = |number| SecretVersion::try_from(number).expect("not zero");
        let roots = [(version(1), root(1)), (version(2), root(2))];
        let roots = VersionedSecrets::new(version(2), roots).expect("they differ");
        Self {
            keyring: keyring.clock(clock.clone()).build(),
            clock,
            tenant: TenantId::new("tenant-7").expect("a name"),
            roots: IndexRoots::new(roots).expect("low versions"),
        }
    }

    async fn keys(&self) -> PreparedKeys {
        let purposes = ["email", "name", "national-id", "text"]
            .map(|name| Purpose::new(name).expect("a name"));
        let keys = self.keyring.prepare(&self.tenant, &purposes).await;
        keys.expect("keys are made")
    }

    async fn cipher(&self) -> Cipher {
        Cipher::new(self.keys().await)
    }
}

fn customer() -> Customer {
    Customer {
        plan: "gold".to_owned(),
        email: Pii::parse("jo@example.com").expect("an address"),
        name: Some(Pii::parse("Jo Doe").expect("a name")),
        national_id: Some(Pii::parse("529.982.247-25").expect("a CPF")),
        note: None,
    }
}

#[tokio::test]
async fn a_record_is_sealed_stored_and_opened() {
    let world = World::new();
    let cipher = world.cipher().await;
    let sealed = customer().seal(&cipher, &world.roots, "1").expect("sealed");
    assert_eq!(sealed.plan, "gold");
    assert!(sealed.note.is_none());

    let text = serde_json::to_string(&sealed.email).expect("it serialises");
    assert!(text.starts_with("\"pc1."), "{text}");

    let opened = sealed.open(&cipher, "1").expect("it opens");
    // EXPOSE: the test compares it.
    assert_eq!(opened.email.expose().as_str(), "jo@example.com");
    let name = opened.name.expect("it has a name");
    // EXPOSE: the test compares it.
    assert_eq!(name.expose().as_str(), "Jo Doe");
    assert_eq!(opened.plan, "gold");
}

#[tokio::test]
async fn a_unique_index_has_a_value_for_each_version_the_enforced_one_first() {
    let world = World::new();
    let cipher = world.cipher().await;
    let sealed = customer().seal(&cipher, &world.roots, "1").expect("sealed");
    let expected = world
        .roots
        .unique(&world.tenant, "customer.email", &customer().email);
    assert_eq!(expected.len(), 2);
    assert_eq!(sealed.email_fp, expected);
}

#[tokio::test]
async fn searches_find_what_was_sealed() {
    let world = World::new();
    let cipher = world.cipher().await;
    let sealed = customer().seal(&cipher, &world.roots, "1").expect("sealed");
    let [bits] = search_bits(50_000, [12]).expect("12 of 50,000 rows share them");
    let wanted = Pii::<NationalId>::parse("52998224725").expect("a CPF");
    let index = world
        .roots
        .search_index(&world.tenant, "customer.national_id", bits);
    assert_eq!(sealed.national_id_search, index.values(&wanted));

    let leak = AcceptLeak::NameEquality;
    let index = world
        .roots
        .trigram_index(&world.tenant, "customer.name", leak);
    let wanted = index.wanted(&TrigramQuery::parse("o do").expect("long enough"));
    assert!(!wanted.is_empty());
    assert!(
        wanted
            .iter()
            .all(|value| sealed.name_trigrams.contains(value))
    );
}

#[tokio::test]
async fn what_fails_is_named_by_its_field() {
    let world = World::new();
    let cipher = world.cipher().await;
    let sealed = customer().seal(&cipher, &world.roots, "1").expect("sealed");
    let moved = sealed.open(&cipher, "2").expect_err("another record");
    assert_eq!(
        (moved.field, moved.error),
        ("customer.email", OpenError::Rejected)
    );

    let purposes = [Purpose::new("email").expect("a name")];
    let keys = world.keyring.prepare(&world.tenant, &purposes).await;
    let cipher = Cipher::new(keys.expect("keys are made"));
    let refused = customer().seal(&cipher, &world.roots, "1");
    assert_eq!(refused.expect_err("no key").field, "customer.name");
}

#[tokio::test]
async fn only_what_has_changed_is_sealed_again() {
    let world = World::new();
    let cipher = world.cipher().await;
    let stored = customer().seal(&cipher, &world.roots, "1").expect("sealed");
    let same = customer().seal_changes(&stored, &cipher, &world.roots, "1");
    assert_eq!(same.expect("sealed"), stored);

    let mut other = customer();
    other.name = Some(Pii::parse("Jo Smith").expect("a name"));
    other.note = Some(Pii::parse("new").expect("a text"));
    let changed = other.seal_changes(&stored, &cipher, &world.roots, "1");
    let changed = changed.expect("sealed");
    assert_eq!(changed.email, stored.email);
    assert_ne!(changed.name, stored.name);
    let opened = changed.open(&cipher, "1").expect("it opens");
    // EXPOSE: the test compares it.
    assert_eq!(
        opened.name.expect("it has one").expose().as_str(),
        "Jo Smith"
    );
    assert!(changed.note.is_some());

    let mut without = customer();
    without.name = None;
    let cleared = without.seal_changes(&stored, &cipher, &world.roots, "1");
    assert_eq!(cleared.expect("sealed").name, None);
}

/// A row that was read before a sweep sealed it again is written after it: the bytes that were read would
/// be lost with the former key.
#[tokio::test]
async fn what_a_former_key_sealed_is_sealed_again_though_it_has_not_changed() {
    let world = World::new();
    let cipher = world.cipher().await;
    let stored = customer().seal(&cipher, &world.roots, "1").expect("sealed");
    let email = Purpose::new("email").expect("a name");
    for _ in 0..2 {
        let rotated = world.keyring.rotate(&world.tenant, &email).await;
        rotated.expect("it rotates");
        world.clock.advance(Duration::from_secs(15));
    }
    let former = [stored.email.key_id()];
    let former = world.keyring.prepare_ids(&world.tenant, &former).await;
    let cipher = Cipher::new(world.keys().await.merge(former.expect("it is there")));

    let same = customer().seal_changes(&stored, &cipher, &world.roots, "1");
    let same = same.expect("sealed");
    assert_ne!(same.email.key_id(), stored.email.key_id());
    assert_eq!(same.name, stored.name);
    same.open(&cipher, "1").expect("it opens");
}

#[tokio::test]
async fn a_stored_value_of_another_record_is_not_kept() {
    let world = World::new();
    let cipher = world.cipher().await;
    let elsewhere = customer().seal(&cipher, &world.roots, "2").expect("sealed");
    let here = customer().seal_changes(&elsewhere, &cipher, &world.roots, "1");
    here.expect("sealed")
        .open(&cipher, "1")
        .expect("it opens here");
}

#[tokio::test]
async fn a_sweep_reads_and_replaces_its_fields() {
    let world = World::new();
    let cipher = world.cipher().await;
    let mut sealed = customer().seal(&cipher, &world.roots, "1").expect("sealed");
    let fields = sealed.row_fields("1");
    let names: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(
        names,
        ["customer.email", "customer.name", "customer.national_id"]
    );
    assert_eq!(Customer::FIELDS.len(), 4);

    let other = customer().seal(&cipher, &world.roots, "1").expect("sealed");
    let FieldValue::Sealed(value) = &other.row_fields("1")[0].value else {
        panic!("it is sealed")
    };
    assert!(sealed.replace("customer.email", value.clone()));
    assert_eq!(sealed.email, other.email);
    assert!(!sealed.replace("customer.phone", value.clone()));
    assert_eq!(sealed.key_ids().len(), 3);
}

#[tokio::test]
async fn a_key_of_several_fields_is_needed_once() {
    #[derive(Seal)]
    struct Addresses {
        #[pii(field = "customer.email")]
        first: Pii<Email>,
        #[pii(field = "customer.second_email")]
        second: Pii<Email>,
    }

    let world = World::new();
    let address = || Pii::parse("jo@example.com").expect("an address");
    let (first, second) = (address(), address());
    let record = Addresses { first, second };
    let sealed = record.seal(&world.cipher().await, &world.roots, "1");
    let sealed = sealed.expect("sealed");
    assert_eq!(sealed.key_ids(), [sealed.first.key_id()]);
    assert_eq!(sealed.second.key_id(), sealed.first.key_id());
}
