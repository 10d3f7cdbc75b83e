//! Keys that other processes took out of use, and that nobody here asks for any more.

use std::num::NonZeroUsize;

use super::Keyring;
use crate::{
    KeyId,
    kek::KekContext,
    observer::EvictionCause,
    store::{StoreError, StoredKey},
};

impl Keyring {
    /// Forgets the keys that this process has in the clear and that may not open any more: those of tenants that
    /// another process has erased, and those that it has disabled or destroyed.
    ///
    /// Each request looks at states itself. A process that gets no requests does not, and has the keys of an erased
    /// tenant in memory for up to 24 h: call this every 5 s, and they are gone within 10 s of an erasure anywhere.
    ///
    /// It also forgets what has had its time, whatever the store says: keys that were unwrapped 24 h ago, and of all
    /// others what a cipher derived from them for a while, which is most of the memory that a key takes. A key in use
    /// has it derived again, in a few microseconds.
    ///
    /// It costs one read of the number of changes. Only what that cannot answer for is read, 500 keys at once:
    /// with a store that does not count its changes all that are cached, each time.
    ///
    /// # Errors
    /// [`StoreError`]; the keys that could not be looked at are still cached, and are looked at again by the next
    /// call.
    pub async fn forget_unusable(&self) -> Result<(), StoreError> {
        let shared = &*self.shared;
        shared.keys.tidy();
        let counted = shared.changes_now().await;
        let mut others = Vec::new();
        for context in shared.keys.held() {
            let states = shared.states.known(context.tenant());
            // A first key is not counted as a change: states may stand, and not have it.
            let found = states.as_ref().and_then(|states| {
                let stands = counted.is_some_and(|counted| states.confirm(counted));
                states.find(context.key_id()).filter(|_| stands)
            });
            match found {
                Some(stored) => self.forget_unless_it_opens(&context, Some(stored)),
                None => others.push(context),
            }
        }
        for some in others.chunks(AT_ONCE.get()) {
            let ids: Vec<KeyId> = some.iter().map(KekContext::key_id).collect();
            let stored = shared.store.load_many(&ids).await?;
            for context in some {
                let stored = stored
                    .keys
                    .iter()
                    .find(|stored| stored.context() == context);
                self.forget_unless_it_opens(context, stored);
            }
        }
        Ok(())
    }

    fn forget_unless_it_opens(&self, context: &KekContext, stored: Option<&StoredKey>) {
        if stored.is_some_and(|stored| stored.state().opens()) {
            return;
        }
        // In this order: a key that is unwrapped meanwhile is kept only by states that are read from now on.
        self.shared.states.forget(context.tenant());
        self.shared.keys.evict(context, EvictionCause::State);
    }
}

const AT_ONCE: NonZeroUsize = NonZeroUsize::new(500).expect("it is not zero");
