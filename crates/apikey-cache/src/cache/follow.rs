//! Learns of changes that other processes made, and tells them of changes.

mod listen;
mod note;
mod outgoing;
mod progress;
mod random_share;
mod read;
mod registration;
mod state;
mod tell;
mod upkeep;

use std::{pin::pin, sync::Arc};

use futures_util::future::select;

use super::{ApiKeyCache, Shared};

pub(super) use self::{random_share::random_share, registration::IGNORED_AFTER, state::Following};

impl ApiKeyCache {
    /// Learns of changes for as long as a handle to the cache exists. It reads the change feed every 400 ms, so
    /// that, as long as the feed answers, a revocation by another process is applied within 500 ms and a round
    /// trip, or at once where the feed or the bus tells of it. It tells the bus what nobody has told, notes in the feed that
    /// this cache reads it, and how far, loads records of keys in use again before their time is over, writes
    /// when keys were last used, and trims the feed to [`RETENTION`](crate::feed::RETENTION).
    ///
    /// The caller spawns the future, once; dropping it makes every validation ask the store from 3 s
    /// later. It needs a Tokio runtime with time enabled.
    pub fn follow(&self) -> impl Future<Output = ()> + Send + 'static {
        let weak = || Arc::downgrade(&self.shared);
        let signals = || Arc::clone(self.shared.following.signals());
        let reading = read::repeatedly(weak(), signals());
        let noting = note::repeatedly(weak(), signals());
        let listening = listen::repeatedly(weak());
        let telling = tell::repeatedly(weak(), signals());
        let writing = upkeep::repeatedly(weak());
        let refreshing = self.shared.refreshes.run(weak());
        // Side by side: what has to wait must not delay a reading.
        async move {
            let (reading, noting) = (pin!(reading), pin!(noting));
            let (listening, telling) = (pin!(listening), pin!(telling));
            let (writing, refreshing) = (pin!(writing), pin!(refreshing));
            let bus = select(listening, telling);
            let records = select(writing, refreshing);
            select(select(reading, noting), select(bus, records)).await;
        }
    }

    /// At an orderly end: writes when keys were last used, by which the next process knows what to load first,
    /// and says that those who revoke need not wait for this cache any more. From now on every validation asks
    /// the store.
    ///
    /// If the store does not answer, they wait for 3 s with each revocation, for two minutes at most.
    pub async fn leave(&self) {
        self.shared.write_uses().await;
        self.shared.leave().await;
    }
}
