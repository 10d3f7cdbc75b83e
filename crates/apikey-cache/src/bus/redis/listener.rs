//! Listening to a stream, on a connection of its own.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use redis::{Pipeline, Value};

use super::{
    connection::{Client, Connection},
    entry::Sealer,
    failure::Failure,
    position::{Extent, Position},
    reply::{self, NO_STREAM},
    stream,
};
use crate::{
    bus::{BusError, BusListener, Notice},
    feed::FeedId,
};

/// How long the server waits for something, in milliseconds.
const BLOCK: u64 = 500;

/// An answer that takes longer does not come.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(BLOCK + 1_000);

/// Notices heard at once at most. It is more than a stream keeps, so only one that others write to has as many.
const MOST_AT_ONCE: usize = 4_500;

const FLOODED: BusError =
    BusError::Malformed("more notices came at once than a stream keeps: others write to it");

/// Reads a stream from where it ended when listening began.
pub(super) struct RedisListener {
    connection: Connection,
    sealer: Arc<Sealer>,
    feed: FeedId,
    stream: String,
    position: Position,
}

impl RedisListener {
    pub(super) async fn start(
        client: &Client,
        sealer: Arc<Sealer>,
        feed: FeedId,
    ) -> Result<Self, BusError> {
        let stream = stream(feed);
        let mut connection = client.connect(RESPONSE_TIMEOUT).await?;
        let mut commands = redis::pipe();
        commands.cmd("XINFO").arg("STREAM").arg(&stream);
        let [info] = replies(&mut connection, &commands).await?;
        let position = Position::at_end(Extent::read(info)?);
        Ok(Self {
            connection,
            sealer,
            feed,
            stream,
            position,
        })
    }

    /// One round trip: what is new, which the server may wait for, and what the stream then holds.
    fn commands(&self) -> Pipeline {
        let mut commands = redis::pipe();
        let read = commands.cmd("XREAD").arg("BLOCK").arg(BLOCK);
        read.arg("COUNT").arg(MOST_AT_ONCE);
        read.arg("STREAMS").arg(&self.stream);
        read.arg(self.position.last.to_string());
        commands.cmd("XINFO").arg("STREAM").arg(&self.stream);
        commands
    }
}

#[async_trait]
impl BusListener for RedisListener {
    async fn next(&mut self) -> Result<Vec<Notice>, BusError> {
        let commands = self.commands();
        let [read, info] = replies(&mut self.connection, &commands).await?;
        let entries = reply::entries(read)?;
        if entries.len() >= MOST_AT_ONCE {
            // What stands behind them is not known.
            return Err(FLOODED);
        }
        let last = entries.last().map(|(id, _)| *id);
        let position = self.position.moved_to(last, Extent::read(info)?)?;
        let notices = entries.iter().filter_map(|(_, entry)| {
            let opened = self.sealer.open(self.feed, entry);
            opened.transpose()
        });
        let notices = notices.collect::<Result<_, _>>()?;
        self.position = position;
        Ok(notices)
    }
}

impl fmt::Debug for RedisListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisListener")
            .field("feed", &self.feed)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

async fn replies<const N: usize>(
    connection: &mut Connection,
    commands: &Pipeline,
) -> Result<[Value; N], BusError> {
    let replies = connection.send(commands).await.map_err(Failure::from)?;
    replies.try_into().map_err(|_| NO_STREAM)
}
