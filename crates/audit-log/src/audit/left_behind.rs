//! What was begun by a process that is gone: another says that nobody knows what came of it.

mod begun;

use std::{collections::HashSet, num::NonZeroUsize, sync::Arc, time::Duration};

use tokio::{task::yield_now, time::sleep};

use self::begun::{Begun, Intent};
use super::{Shared, intents::MAX_AGE, own_events::Closing, shared::Phase};
use crate::{
    clock::timestamp,
    event::{Id, Leaf, Timestamp},
    observer,
    store::{Store, StoreError},
    tile::WIDTH,
    tree::TreeHash,
};

/// How far back from its last entries a process looks that opens the log. Who was there when those were written ended by
/// then what had been begun [`MAX_AGE`] before: nothing older is open, for however long nobody has been there since.
const LOOK_BACK: Duration = Duration::from_secs(10 * 60);

/// How often it looks from then on.
const INTERVAL: Duration = Duration::from_secs(60);

/// How old an intent of another node is that nobody has ended: that node would have, if it were there. The minute is for
/// clocks that differ.
const LEFT_BEHIND: Duration = Duration::from_secs(MAX_AGE.as_secs() + 60);

/// How much of a log is read at once: who waits for a group waits for so many leaves to be read.
const READ_BYTES: NonZeroUsize = NonZeroUsize::new(256 * 1024).expect("it is not zero");
const WIDE: u64 = WIDTH as u64;

/// Reads what others append, and has what they began ended when nobody else does.
#[derive(Debug)]
pub(super) struct LeftBehind {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    begun: Begun,
}

impl LeftBehind {
    pub(super) const fn new(shared: Arc<Shared>, store: Arc<dyn Store>, begun: Begun) -> Self {
        Self {
            shared,
            store,
            begun,
        }
    }

    /// Looks each minute until the log is closed. Of several processes each does so at a second of its own, so that what
    /// one has ended the others find ended.
    pub(super) async fn run(mut self) {
        if !self.store.is_shared() {
            return;
        }
        let mut wait = first_wait(&self.shared.node);
        while self.shared.phase() == Phase::Open {
            tokio::select! {
                () = sleep(wait) => {}
                () = self.shared.ended() => return,
            }
            wait = INTERVAL;
            let looked = tokio::select! {
                looked = look(&*self.store, &mut self.begun) => looked,
                () = self.shared.ended() => return,
            };
            match looked {
                Ok(()) => {
                    let left = self
                        .begun
                        .take_left(before(timestamp(&*self.shared.clock), LEFT_BEHIND));
                    self.shared.leave_behind(left);
                }
                Err(error) => self
                    .shared
                    .tell(observer::Event::StoreFailed { error: &error }),
            }
        }
    }
}

/// A second of the minute, by the name of the node.
fn first_wait(node: &Id) -> Duration {
    let hash = TreeHash::of_leaf(node.as_str().as_bytes());
    let [first, second, ..] = *hash.as_bytes();
    let of = u32::from(u16::from_be_bytes([first, second]));
    INTERVAL * of / u32::from(u16::MAX)
}

/// Reads what was appended since.
async fn look(store: &dyn Store, begun: &mut Begun) -> Result<(), StoreError> {
    let size = store.size().await?;
    while begun.next() < size {
        let batch = match store.entries(begun.next(), READ_BYTES).await {
            Err(StoreError::Pruned { first }) => {
                begun.go_on_at(first);
                continue;
            }
            batch => batch?,
        };
        if batch.is_empty() {
            break;
        }
        for (_, bytes) in batch.iter() {
            begun.read(&Leaf::parse(bytes).map_err(StoreError::damaged)?);
        }
        begun.go_on_at(batch.next());
        yield_now().await;
    }
    Ok(())
}

/// What was begun in the last ten minutes of the log and nobody ended: by this node, whose process before this one
/// crashed, or so long ago by another that its process is gone as well. And what others may still end.
pub(super) async fn crashed(
    store: &dyn Store,
    node: &Id,
    now: Timestamp,
) -> Result<(Vec<Closing>, Begun), StoreError> {
    let mut earliest = None;
    let (mut intents, mut ended) = (Vec::new(), HashSet::new());
    let (first, size) = (store.first().await?, store.size().await?);
    let mut end = size;
    while end > first {
        let start = (end.saturating_sub(1) / WIDE * WIDE).max(first);
        let mut newest = 0;
        let mut next = start;
        while next < end {
            let batch = store.entries(next, READ_BYTES).await?;
            if batch.is_empty() {
                break;
            }
            for (_, bytes) in batch.iter().take_while(|(n, _)| *n < end) {
                let leaf = Leaf::parse(bytes).map_err(StoreError::damaged)?;
                newest = newest.max(leaf.time().unix_micros());
                ended.extend(leaf.refs());
                intents.extend(Intent::of(&leaf));
            }
            next = batch.next();
        }
        // A clock that was ahead does not end the look early.
        let last = now.unix_micros().min(newest);
        if newest < *earliest.get_or_insert_with(|| last.saturating_sub(micros(LOOK_BACK))) {
            break;
        }
        end = start;
    }
    intents.retain(|intent| !ended.contains(&intent.id));
    let (ours, others): (Vec<_>, Vec<_>) =
        intents.into_iter().partition(|intent| intent.node == *node);
    let mut begun = Begun::new(node.clone(), size);
    others.into_iter().for_each(|intent| begun.add(intent));
    let mut left = begun.take_left(before(now, LEFT_BEHIND));
    left.extend(ours.into_iter().map(Intent::crashed));
    left.sort_unstable_by_key(|closing| closing.intent);
    Ok((left, begun))
}

fn before(now: Timestamp, age: Duration) -> u64 {
    now.unix_micros().saturating_sub(micros(age))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
