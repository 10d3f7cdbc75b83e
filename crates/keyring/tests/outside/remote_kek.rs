//! A key-encryption key as a service would have it that keeps every data key on its side and hands
//! out handles.

use std::{collections::HashMap, sync::Mutex};

use async_trait::async_trait;
use portcullis_keyring::{
    DataKey,
    entropy::{Entropy as _, SystemEntropy},
    kek::{GeneratedKey, KekContext, KekError, KekProvider, WrappedKey},
};
use secrecy::SecretBox;

#[derive(Debug, Default)]
pub(crate) struct RemoteKek {
    kept: Mutex<HashMap<[u8; 16], Kept>>,
    careless: bool,
    lying: bool,
}

/// What a key is bound to, and the key.
type Kept = (KekContext, [u8; 32]);

impl RemoteKek {
    /// One that opens a key in every context.
    pub(crate) fn careless() -> Self {
        Self {
            careless: true,
            ..Self::default()
        }
    }

    /// One that tells a wrong version.
    pub(crate) fn lying() -> Self {
        Self {
            lying: true,
            ..Self::default()
        }
    }
}

#[async_trait]
impl KekProvider for RemoteKek {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        let mut secret = Box::new([0; 32]);
        SystemEntropy::new().fill(secret.as_mut_slice())?;
        let secret = SecretBox::new(secret);
        let key = DataKey::hazmat_from_bytes(secret);
        let wrapped = self.wrap(context, &key).await?;
        Ok(GeneratedKey::new(key, wrapped))
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        let mut handle = [0; 16];
        SystemEntropy::new().fill(&mut handle)?;
        let mut kept = self.kept.lock().expect("no panic");
        // EXPOSE: wrapping is what this provider is for.
        kept.insert(handle, (context.clone(), *key.hazmat_export()));
        Ok(WrappedKey::from_bytes(handle.to_vec()))
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        let handle: [u8; 16] = key.as_bytes().try_into().map_err(|_| KekError::Rejected)?;
        let kept = self.kept.lock().expect("no panic");
        match kept.get(&handle) {
            Some((bound_to, key)) if self.careless || bound_to == context => {
                Ok(DataKey::hazmat_from_bytes(SecretBox::new(Box::new(*key))))
            }
            _ => Err(KekError::Rejected),
        }
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        let key = self.unwrap_key(context, key).await?;
        self.wrap(context, &key).await
    }

    fn version_of(&self, _: &WrappedKey) -> Option<String> {
        Some(if self.lying { "another" } else { "one" }.to_owned())
    }

    async fn primary(&self) -> Result<Option<String>, KekError> {
        Ok(Some("one".to_owned()))
    }
}
