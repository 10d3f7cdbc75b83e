//! The bus of changes of API keys: that it fails is told with the cause.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use portcullis_apikey_cache::{
    Peppers,
    bus::{BusError, BusListener, InvalidationBus, Notice},
    feed::FeedId,
};

use super::outages::Outages;

/// Tells when the bus fails at what it is asked for, and why, and when it works again. Its errors hold no
/// URL, and of what the server said its code alone.
#[derive(Debug)]
pub(super) struct WatchedBus<B> {
    bus: B,
    outages: Arc<Outages>,
}

#[derive(Debug)]
struct WatchedListener {
    listener: Box<dyn BusListener>,
    outages: Arc<Outages>,
}

const LISTEN: &str = "listen";

impl<B> WatchedBus<B> {
    pub(super) fn new(bus: B) -> Self {
        Self {
            bus,
            outages: Arc::new(Outages::new(tell)),
        }
    }
}

fn tell(task: &'static str, cause: Option<&(dyn Error + 'static)>) {
    match cause {
        Some(error) => tracing::warn!(
            task,
            error,
            "Redis does not carry changes of API keys; other processes read them in the database"
        ),
        None => tracing::info!(task, "Redis carries changes of API keys again"),
    }
}

#[async_trait]
impl<B: InvalidationBus> InvalidationBus for WatchedBus<B> {
    async fn tell(&self, feed: FeedId, notices: &[Notice]) -> Result<(), BusError> {
        let told = self.bus.tell(feed, notices);
        self.outages.watch("tell", told).await
    }

    async fn listen(&self, feed: FeedId) -> Result<Box<dyn BusListener>, BusError> {
        let listener = self.outages.watch(LISTEN, self.bus.listen(feed)).await?;
        let outages = Arc::clone(&self.outages);
        Ok(Box::new(WatchedListener { listener, outages }))
    }

    fn replace_peppers(&self, peppers: &Peppers) {
        self.bus.replace_peppers(peppers);
    }
}

#[async_trait]
impl BusListener for WatchedListener {
    async fn next(&mut self) -> Result<Vec<Notice>, BusError> {
        self.outages.watch(LISTEN, self.listener.next()).await
    }
}
