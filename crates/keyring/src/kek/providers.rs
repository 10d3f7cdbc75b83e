//! Several key-encryption keys of different keepers: one wraps, each unwraps what it has wrapped.

use std::{iter, sync::Arc, time::SystemTime};

use async_trait::async_trait;

use super::{GeneratedKey, KekContext, KekError, KekProvider, WrappedKey};
use crate::DataKey;

/// Several providers, to move data keys from one to another while a service runs: the primary one wraps, and
/// each unwraps what its wrapped bytes say is its own ([`KekProvider::opens`]). No key is tried with one
/// provider after the other.
///
/// Configure the next provider as an additional one everywhere, make it the primary one everywhere (with the
/// former one as an additional one), and run [`Keyring::rewrap_all`](crate::Keyring::rewrap_all). When
/// [`Keyring::key_states`](crate::Keyring::key_states) counts no key under the former one, drop it.
///
/// They have to be of different kinds, or name different keys: of two [`LocalKek`](super::LocalKek)s with the
/// same version numbers, the first is asked.
///
/// # Security
/// To move a data key, this process unwraps it with one provider and wraps it with the other, and wipes it: no
/// two services pass it on to each other. Within one provider it is rewrapped as that provider does it.
///
/// What opens is what any of them opens: while a former provider stands here, who may use its key may make data
/// keys that this process takes, if they can write to the store. Drop it when nothing needs it.
#[derive(Debug, Clone)]
pub struct KekProviders {
    primary: Arc<dyn KekProvider>,
    others: Vec<Arc<dyn KekProvider>>,
}

impl KekProviders {
    /// The one that wraps, and so far the only one that unwraps.
    #[must_use]
    pub fn new(primary: Arc<dyn KekProvider>) -> Self {
        Self {
            primary,
            others: Vec::new(),
        }
    }

    /// Unwraps what this one has wrapped, too: the former provider, or the next one while processes are
    /// configured one after another.
    #[must_use]
    pub fn also_opens(mut self, other: Arc<dyn KekProvider>) -> Self {
        self.others.push(other);
        self
    }

    fn all(&self) -> impl Iterator<Item = &dyn KekProvider> {
        iter::once(&self.primary)
            .chain(&self.others)
            .map(|it| &**it)
    }

    /// Who is to unwrap a key. What nobody opens goes to one who can tell why.
    fn keeper(&self, key: &WrappedKey) -> &dyn KekProvider {
        let opens = self.all().find(|it| it.opens(key));
        let knows = || self.all().find(|it| it.version_of(key).is_some());
        opens.or_else(knows).unwrap_or(&*self.primary)
    }
}

#[async_trait]
impl KekProvider for KekProviders {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        self.primary.generate(context).await
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.primary.wrap(context, key).await
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        self.keeper(key).unwrap_key(context, key).await
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        if self.primary.opens(key) {
            return self.primary.rewrap(context, key).await;
        }
        let opened = self.keeper(key).unwrap_key(context, key).await?;
        self.primary.wrap(context, &opened).await
    }

    fn version_of(&self, key: &WrappedKey) -> Option<String> {
        self.all().find_map(|it| it.version_of(key))
    }

    fn opens(&self, key: &WrappedKey) -> bool {
        self.all().any(|it| it.opens(key))
    }

    async fn primary(&self) -> Result<Option<String>, KekError> {
        self.primary.primary().await
    }

    async fn primary_since(&self) -> Result<Option<SystemTime>, KekError> {
        self.primary.primary_since().await
    }

    /// Only if every one is: nobody knows which one a call is for before its key is looked at.
    fn is_local(&self) -> bool {
        self.all().all(KekProvider::is_local)
    }
}

#[cfg(test)]
mod tests;
