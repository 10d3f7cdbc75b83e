//! Listening to a stream, on a connection of its own.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use redis::{FromRedisValue as _, Pipeline, Value};

use super::{
    connection::{Client, Connection},
    entry::{self, Entry, Sealer},
    entry_id::EntryId,
    failure::Failure,
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

/// Reads a stream from where it ended when listening began.
pub(super) struct RedisListener {
    connection: Connection,
    sealer: Arc<Sealer>,
    feed: FeedId,
    stream: String,
    /// The last entry heard, or where the stream ended; the start if there was no stream.
    position: EntryId,
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
        let position = Extent::read(info)?.map_or(EntryId::START, |extent| extent.last);
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
        read.arg("STREAMS").arg(&self.stream);
        read.arg(self.position.to_string());
        commands.cmd("XINFO").arg("STREAM").arg(&self.stream);
        commands
    }
}

#[async_trait]
impl BusListener for RedisListener {
    async fn next(&mut self) -> Result<Vec<Notice>, BusError> {
        let commands = self.commands();
        let [read, info] = replies(&mut self.connection, &commands).await?;
        let entries = entries(read)?;
        let last = entries.last().map_or(self.position, |(id, _)| *id);
        if self.position != EntryId::START || last != EntryId::START {
            let extent = Extent::read(info)?.ok_or(GONE)?;
            extent.has_kept_all(self.position, last)?;
        }
        let notices = entries.iter().filter_map(|(_, entry)| {
            let opened = self.sealer.open(self.feed, entry);
            opened.transpose()
        });
        let notices = notices.collect::<Result<_, _>>()?;
        self.position = last;
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

const GONE: BusError = BusError::Malformed("the stream of notices is gone");
const WENT_BACK: BusError = BusError::Malformed("the stream of notices is an older one");
const TRIMMED: BusError =
    BusError::Malformed("notices were trimmed from the stream before they were heard");
const NO_STREAM: BusError =
    BusError::Malformed("what should be a stream of notices is another thing");

/// What a stream holds.
struct Extent {
    /// None if it holds nothing.
    first: Option<EntryId>,
    /// The last it has ever held.
    last: EntryId,
}

impl Extent {
    /// From an answer to `XINFO STREAM`; none if there is no stream.
    fn read(info: Value) -> Result<Option<Self>, BusError> {
        let info = match info.extract_error() {
            Ok(info) => info,
            Err(error) if error.detail() == Some("no such key") => return Ok(None),
            Err(error) => return Err(Failure::from(error).into()),
        };
        let fields = HashMap::<String, Value>::from_redis_value(info);
        let mut fields = fields.map_err(|_| NO_STREAM)?;
        let mut field = |name: &str| fields.remove(name).ok_or(NO_STREAM);
        let first = match field("first-entry")? {
            Value::Nil => None,
            Value::Array(entry) => Some(id(entry.into_iter().next())?),
            _ => return Err(NO_STREAM),
        };
        let last = id(Some(field("last-generated-id")?))?;
        Ok(Some(Self { first, last }))
    }

    /// Whether nothing was lost between a position and the last entry read after it.
    fn has_kept_all(&self, position: EntryId, last: EntryId) -> Result<(), BusError> {
        if self.last < last {
            return Err(WENT_BACK);
        }
        let was_trimmed = match self.first {
            Some(first) => first > position && position != EntryId::START,
            None => self.last > position,
        };
        // An entry that was kept up to here has held the place of those behind it.
        if was_trimmed { Err(TRIMMED) } else { Ok(()) }
    }
}

fn id(value: Option<Value>) -> Result<EntryId, BusError> {
    let text = String::from_redis_value(value.ok_or(NO_STREAM)?).map_err(|_| NO_STREAM)?;
    text.parse().map_err(|()| NO_STREAM)
}

async fn replies<const N: usize>(
    connection: &mut Connection,
    commands: &Pipeline,
) -> Result<[Value; N], BusError> {
    let replies = connection.send(commands).await.map_err(Failure::from)?;
    replies.try_into().map_err(|_| NO_STREAM)
}

/// From an answer to `XREAD` of one stream, in either protocol.
fn entries(read: Value) -> Result<Vec<(EntryId, Entry)>, BusError> {
    let read = read.extract_error().map_err(Failure::from)?;
    let entries = match read {
        Value::Nil => return Ok(Vec::new()),
        Value::Array(streams) => match streams.into_iter().next() {
            Some(Value::Array(stream)) => stream.into_iter().nth(1),
            _ => None,
        },
        Value::Map(streams) => streams.into_iter().next().map(|(_, entries)| entries),
        _ => None,
    };
    let Some(Value::Array(entries)) = entries else {
        return Err(NO_STREAM);
    };
    entries.into_iter().map(entry_of).collect()
}

fn entry_of(entry: Value) -> Result<(EntryId, Entry), BusError> {
    let Value::Array(entry) = entry else {
        return Err(NO_STREAM);
    };
    let mut entry = entry.into_iter();
    let id = id(entry.next())?;
    let fields = entry.next().ok_or(NO_STREAM)?;
    let fields = HashMap::<String, String>::from_redis_value(fields);
    let mut fields = fields.map_err(|_| entry::NO_MAC)?;
    let mut field = |name: &str| fields.remove(name).ok_or(entry::NO_MAC);
    let entry = Entry {
        notice: field(entry::NOTICE)?,
        mac: field(entry::MAC)?,
    };
    Ok((id, entry))
}
