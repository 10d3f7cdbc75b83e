//! First keys, of which what serves has to be what is stored.

use std::time::SystemTime;

use super::*;
use crate::{
    Transition,
    store::{ChangeError, KeyQuery, LoadedKeys},
};

/// The key in the clear, which this process has, serves for what it was wrapped as and for nothing else.
#[tokio::test]
async fn a_first_key_that_the_store_has_cut_short_is_not_used() {
    let world = World::new();
    let keyring = Keyring::builder(world.kek.clone(), Arc::new(Cutting::default()))
        .clock(world.clock.clone())
        .build();
    let answer = keyring.prepare(&tenant("t"), &[purpose("email")]).await;
    assert!(matches!(answer, Err(PrepareError::Kek(KekError::Rejected))));
}

/// A key-encryption key in memory is asked what it has wrapped before anything is sealed with it.
#[tokio::test]
async fn a_first_key_is_what_is_stored_of_it() {
    let (kek, store) = (Arc::new(Careless::new()), Arc::new(MemoryDekStore::new()));
    let keyring = || Keyring::builder(kek.clone(), store.clone()).build();
    let made = keyring().data_key("t", "email").await;
    let stored = keyring().data_key("t", "email").await;
    assert!(made == stored, "what it has made opens no more");
}

/// A store whose column is too short for a wrapped key.
#[derive(Debug, Default)]
struct Cutting(MemoryDekStore);

#[async_trait]
impl DekStore for Cutting {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        let wrapped = key.wrapped().expect("it is new").as_bytes();
        let cut = WrappedKey::from_bytes(wrapped[..wrapped.len() - 1].to_vec());
        let (context, made) = (key.context().clone(), key.created_at());
        self.0
            .insert(&StoredKey::new(context, key.state(), cut, made))
            .await
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.0.load(id).await
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        self.0.load_tenant(tenant).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        self.0.list(query).await
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        self.0.promote(old, new, at).await
    }

    async fn change(&self, id: KeyId, to: Transition, at: SystemTime) -> Result<(), ChangeError> {
        self.0.change(id, to, at).await
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        self.0.rewrap(id, old, new).await
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        self.0.erase_tenant(tenant, at).await
    }
}

/// Wraps another key than it says.
#[derive(Debug)]
struct Careless(MemoryKek);

impl Careless {
    fn new() -> Self {
        Self(MemoryKek::new().expect("a KEK"))
    }
}

#[async_trait]
impl KekProvider for Careless {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        let made = self.0.generate(context).await?;
        let another = self.0.generate(context).await?;
        Ok(GeneratedKey::new(made.key, another.wrapped))
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.0.wrap(context, key).await
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        self.0.unwrap_key(context, key).await
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        self.0.rewrap(context, key).await
    }

    fn is_local(&self) -> bool {
        true
    }
}
