//! The bus of changes of API keys: what it asks of Redis are spans, and that it fails is told with the cause.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use portcullis_apikey_cache::{
    Peppers,
    bus::{BusError, BusListener, InvalidationBus, Notice},
    feed::FeedId,
};
use portcullis_telemetry::{Database, Statement};

use super::outages::Outages;

/// Tells when the bus fails at what it is asked for, and why, and when it works again. Its errors hold no
/// URL, and of what the server said its code alone.
#[derive(Debug)]
pub(super) struct WatchedBus<B> {
    bus: B,
    redis: Database,
    outages: Arc<Outages>,
}

#[derive(Debug)]
struct WatchedListener {
    listener: Box<dyn BusListener>,
    outages: Arc<Outages>,
}

const LISTEN: &str = "listen";

/// Adds to the stream, and asks how long it is by now.
const ADD: Statement = Statement::Command("XADD");
const ASK: Statement = Statement::Command("XINFO");

impl<B> WatchedBus<B> {
    pub(super) fn new(bus: B, redis: Database) -> Self {
        Self {
            bus,
            redis,
            outages: Arc::new(Outages::new(tell)),
        }
    }
}

fn kind(error: &BusError) -> &'static str {
    match error {
        BusError::Malformed(_) => "malformed",
        _ => "unavailable",
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
        let told = self.outages.watch("tell", self.bus.tell(feed, notices));
        self.redis.span(ADD, None).run_async(told, kind).await
    }

    async fn listen(&self, feed: FeedId) -> Result<Box<dyn BusListener>, BusError> {
        let listener = self.outages.watch(LISTEN, self.bus.listen(feed));
        let listener = self.redis.span(ASK, None).run_async(listener, kind).await?;
        let outages = Arc::clone(&self.outages);
        Ok(Box::new(WatchedListener { listener, outages }))
    }

    fn replace_peppers(&self, peppers: &Peppers) {
        self.bus.replace_peppers(peppers);
    }
}

#[async_trait]
impl BusListener for WatchedListener {
    /// No span: as a rule it takes as long as nothing happens.
    async fn next(&mut self) -> Result<Vec<Notice>, BusError> {
        self.outages.watch(LISTEN, self.listener.next()).await
    }
}
