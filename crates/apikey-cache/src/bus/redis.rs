//! Notices in a stream on a Redis or Valkey server.

mod builder;
mod config_error;
mod connection;
mod entry;
mod entry_id;
mod failure;
mod link;
mod listener;
mod position;
mod reply;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::timeout;

use self::{
    connection::Client, entry::Sealer, failure::Failure, link::Link, listener::RedisListener,
};
use super::{BusError, BusListener, InvalidationBus, Notice};
use crate::{feed::FeedId, pepper::Peppers};

pub use self::{
    builder::{RedisBusBuilder, RedisMode},
    config_error::RedisBusConfigError,
};

/// How many notices a stream keeps, and up to 200 more: at a watermark each 350 ms, those of 20 minutes and more.
const KEPT: &str = "4096";

/// In milliseconds: when a stream that nobody writes to goes away.
const EXPIRES_AFTER: &str = "3600000";

/// An invalidation bus on a Redis (6.2 or later) or Valkey server, or a cluster of them.
///
/// Each feed has a stream, `portcullis:apikey:{<feed id>}:notices`. Each notice carries a MAC under a key that
/// is derived from the primary pepper, and the time it was told at.
///
/// # When the server does not answer
/// Telling fails after its [deadline](RedisBusBuilder::deadline), and at once while there is no connection; connections are made again in the
/// background. Listening ends with an error after 1.5 s. Nothing has to be started again.
///
/// # Security
/// Anyone who can write to the server, but does not know a pepper, can hold notices back, delete and repeat them;
/// they cannot make one. A watermark that arrives late, or again, counts as old as it is by the two nodes' clocks on
/// the wall, so that it proves no more than it did. That takes clocks that agree: by how much the teller's is
/// ahead of the listener's, a late one counts as younger than it is. After a notice from more than 250 ms ahead
/// no watermark counts for ten minutes, and none that is older than 3 s ever. A notice that is off by more than a
/// minute is an error, as is one that no configured pepper authenticates.
///
/// # Where it runs
/// On a Tokio runtime with I/O and time, where it spawns the task that connects.
pub struct RedisBus {
    client: Client,
    sealer: Arc<Sealer>,
    link: Arc<Link>,
    deadline: Duration,
}

impl RedisBus {
    /// A bus on the server that a URL names (`redis://`, `rediss://` with the feature `redis-tls`), or on a
    /// cluster, of which the URLs name some nodes.
    ///
    /// # Errors
    /// A URL cannot be read. The error never repeats it.
    pub fn builder(
        urls: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<RedisBusBuilder, RedisBusConfigError> {
        RedisBusBuilder::new(urls)
    }

    fn new(client: Client, sealer: Sealer, deadline: Duration) -> Self {
        Self {
            deadline,
            link: Link::new(client.clone()),
            client,
            sealer: Arc::new(sealer),
        }
    }

    /// One round trip: what adds all notices, in their order, and has the stream expire later.
    fn commands(&self, feed: FeedId, notices: &[Notice]) -> redis::Pipeline {
        let stream = stream(feed);
        let mut commands = redis::pipe();
        for notice in notices {
            let entry = self.sealer.seal(feed, notice);
            let add = commands.cmd("XADD").arg(&stream);
            add.arg(&["MAXLEN", "~", KEPT, "*"]);
            add.arg(entry::NOTICE).arg(entry.notice);
            add.arg(entry::MAC).arg(entry.mac);
        }
        commands.cmd("PEXPIRE").arg(&stream).arg(EXPIRES_AFTER);
        commands
    }
}

#[async_trait]
impl InvalidationBus for RedisBus {
    async fn tell(&self, feed: FeedId, notices: &[Notice]) -> Result<(), BusError> {
        if notices.is_empty() {
            return Ok(());
        }
        let commands = self.commands(feed, notices);
        let mut asked = None;
        let told = timeout(self.deadline, async {
            let up = self.link.connected().await?;
            let mut connection = up.connection.clone();
            asked = Some(up);
            let replies = connection.send(&commands).await?;
            connection::first_error(replies).map_or(Ok(()), |error| Err(error.into()))
        });
        let told = told.await.unwrap_or(Err(Failure::TimedOut));
        if let Err(failure) = &told {
            self.link.failed(asked.as_ref(), failure);
        }
        Ok(told?)
    }

    async fn listen(&self, feed: FeedId) -> Result<Box<dyn BusListener>, BusError> {
        let sealer = Arc::clone(&self.sealer);
        let listener = RedisListener::start(&self.client, sealer, feed).await?;
        Ok(Box::new(listener))
    }

    fn replace_peppers(&self, peppers: &Peppers) {
        self.sealer.replace_keys(peppers.bus_keys());
    }
}

impl fmt::Debug for RedisBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBus")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

/// The stream of a feed. What stands in braces decides the slot of a cluster.
fn stream(feed: FeedId) -> String {
    format!("portcullis:apikey:{{{feed}}}:notices")
}
