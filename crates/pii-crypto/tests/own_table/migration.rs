//! Deployments that go from process to process while plaintext is taken over.

use portcullis_keyring::TenantId;
use portcullis_pii_crypto::{Email, PersonName, Pii, reencrypt::Scope};

use super::shop::Shop;

fn email(text: &str) -> Pii<Email> {
    Pii::parse(text).expect("an address")
}

fn name() -> Pii<PersonName> {
    Pii::parse("One").expect("a name")
}

impl Shop {
    /// By a process of the first deployment; whether nobody else has the address.
    async fn store_unsealed(&self, id: &str, address: &str) -> bool {
        let stored = self
            .customers
            .store_unsealed(&self.tenant, id, email(address), name());
        stored.await.expect("it answers")
    }

    /// By a process of the second one, likewise.
    async fn store_sealed(&self, id: &str, address: &str) -> bool {
        let (cipher, email, name) = (self.cipher().await, email(address), name());
        let stored = self
            .customers
            .store(&cipher, &self.tenant, id, &email, &name);
        stored.await.expect("it answers")
    }

    /// What a process of the former version reads.
    async fn plain(&self, id: &str) -> Option<String> {
        let select = sqlx::query_scalar("SELECT email FROM customer WHERE id = ?").bind(id);
        select.fetch_one(&self.pool).await.expect("it is there")
    }

    async fn find(&self, address: &str) -> Option<String> {
        let found = self.customers.find(&self.tenant, &email(address)).await;
        found.expect("it answers")
    }
}

#[tokio::test]
async fn what_the_first_deployment_writes_the_former_version_reads() {
    let (_folder, shop) = Shop::new().await;
    assert!(shop.store_unsealed("c0", "one@example.com").await);
    assert_eq!(shop.plain("c0").await.as_deref(), Some("one@example.com"));
    assert_eq!(shop.email("c0").await, "one@example.com");
    shop.store_plain("c0", "two@example.com", "Two").await;
    assert_eq!(shop.email("c0").await, "two@example.com");
    assert_eq!(shop.find("two@example.com").await.as_deref(), Some("c0"));
    assert_eq!(shop.find("one@example.com").await, None);
}

#[tokio::test]
async fn processes_of_both_deployments_read_and_replace_what_the_other_writes() {
    let (_folder, shop) = Shop::new().await;
    assert!(shop.store_sealed("c0", "one@example.com").await);
    assert_eq!(shop.plain("c0").await, None);
    assert_eq!(shop.email("c0").await, "one@example.com");
    assert!(shop.store_unsealed("c0", "two@example.com").await);
    assert_eq!(shop.email("c0").await, "two@example.com");
    assert_eq!(shop.find("one@example.com").await, None);
    // Nothing of what was sealed is left, and no key is needed for it.
    let left = "SELECT (SELECT COUNT(*) FROM customer_index) + (SELECT COUNT(*) FROM customer_key)
        + (SELECT COUNT(email_sealed) FROM customer)";
    let left: i64 = sqlx::query_scalar(left)
        .fetch_one(&shop.pool)
        .await
        .unwrap();
    assert_eq!(left, 0);
    assert!(shop.store_sealed("c0", "three@example.com").await);
    assert_eq!(shop.find("three@example.com").await.as_deref(), Some("c0"));
}

#[tokio::test]
async fn no_second_record_gets_an_address_in_any_phase() {
    let (_folder, shop) = Shop::new().await;
    shop.store_plain("c0", "former@example.com", "Former").await;
    assert!(shop.store_unsealed("c1", "first@example.com").await);
    assert!(shop.store_sealed("c2", "second@example.com").await);
    let taken = async || {
        for address in [
            "Former@example.com",
            "FIRST@example.com",
            "Second@example.com",
        ] {
            assert!(!shop.store_unsealed("c3", address).await, "{address}");
            assert!(!shop.store_sealed("c3", address).await, "{address}");
        }
    };
    taken().await;
    assert!(
        shop.run(&shop.customers, &Scope::Plaintext)
            .await
            .is_complete()
    );
    taken().await;
    let other = Shop {
        tenant: TenantId::new("tenant-8").unwrap(),
        ..shop.clone()
    };
    assert!(other.store_sealed("d0", "first@example.com").await);
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM customer")
        .fetch_one(&shop.pool)
        .await
        .unwrap();
    assert_eq!(rows, 4);
}
