//! A bus between caches of one process.

use std::time::Duration;

use async_trait::async_trait;
use portcullis_apikey_cache::{
    bus::{BusError, BusListener, InvalidationBus, Notice},
    feed::FeedId,
};
use tokio::{
    sync::broadcast::{self, Receiver, Sender},
    time::timeout,
};

/// How many notices a listener may be behind.
const BEHIND: usize = 1_024;
const WAIT: Duration = Duration::from_millis(500);

/// Of a single feed.
#[derive(Debug)]
pub(crate) struct ChannelBus(Sender<Notice>);

#[derive(Debug)]
struct Listener(Receiver<Notice>);

impl ChannelBus {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(BEHIND).0)
    }

    /// Who is told as well, as other caches do.
    pub(crate) fn listen_here(&self) -> impl Sized + use<> {
        self.0.subscribe()
    }
}

#[async_trait]
impl InvalidationBus for ChannelBus {
    async fn tell(&self, _feed: FeedId, notices: &[Notice]) -> Result<(), BusError> {
        for notice in notices {
            // Where nobody listens there is nobody to be told.
            drop(self.0.send(notice.clone()));
        }
        Ok(())
    }

    async fn listen(&self, _feed: FeedId) -> Result<Box<dyn BusListener>, BusError> {
        Ok(Box::new(Listener(self.0.subscribe())))
    }
}

#[async_trait]
impl BusListener for Listener {
    async fn next(&mut self) -> Result<Vec<Notice>, BusError> {
        match timeout(WAIT, self.0.recv()).await {
            Ok(Ok(notice)) => Ok(vec![notice]),
            Ok(Err(error)) => Err(BusError::unavailable(error)),
            Err(_) => Ok(Vec::new()),
        }
    }
}
