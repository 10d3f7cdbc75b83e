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
        let extent = Extent::read(info)?;
        let position = extent.map_or_else(Position::default, |extent| extent.position(extent.last));
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
        let entries = entries(read)?;
        let last = entries.last().map_or(self.position.last, |(id, _)| *id);
        let position = match Extent::read(info)? {
            Some(extent) => extent.follows(self.position, last)?,
            // Nobody has told anything yet.
            None if last == EntryId::START => self.position,
            None => return Err(GONE),
        };
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

const GONE: BusError = BusError::Malformed("the stream of notices is gone");
const WENT_BACK: BusError = BusError::Malformed("the stream of notices is an older one");
const TRIMMED: BusError =
    BusError::Malformed("notices were trimmed from the stream before they were heard");
const NO_STREAM: BusError =
    BusError::Malformed("what should be a stream of notices is another thing");

/// How far a listener has come.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    /// The last entry heard, or where the stream ended; the start if there was no stream.
    last: EntryId,
    /// Whether the stream held an entry up to there: as long as it does, nothing after it was trimmed.
    is_held: bool,
}

/// What a stream holds.
#[derive(Clone, Copy)]
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

    fn position(self, last: EntryId) -> Position {
        let is_held = self.first.is_some_and(|first| first <= last);
        Position { last, is_held }
    }

    /// The position at the last entry that was read, unless something before it was lost.
    fn follows(self, position: Position, last: EntryId) -> Result<Position, BusError> {
        if self.last < last {
            return Err(WENT_BACK);
        }
        let was_trimmed = match self.first {
            Some(first) => position.is_held && first > position.last,
            None => self.last > position.last,
        };
        if was_trimmed {
            Err(TRIMMED)
        } else {
            Ok(self.position(last))
        }
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
    // What others wrote has no MAC, whatever it is.
    let mut fields = HashMap::<String, String>::from_redis_value(fields).unwrap_or_default();
    let mut field = |name: &str| fields.remove(name).unwrap_or_default();
    let entry = Entry {
        notice: field(entry::NOTICE),
        mac: field(entry::MAC),
    };
    Ok((id, entry))
}
