//! All sinks of a log.

use std::{
    error::Error,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::join_all;
use portcullis_audit_log::{
    audit::Retention,
    clock::{Clock, timestamp},
    entropy::SystemEntropy,
    event::{Id, InvalidId, Screen},
    sink::{FollowEnd, Follower, Sink, SinkStatus},
    store::{Store, StoreError},
};

use super::{
    ended::Ended,
    sink::{self, UnusableSink},
    told::{SharedSink, TASK, ToldCursors, ToldSink},
};
use crate::config::AuditSink;

/// The sinks of a log, and how each does. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Deliveries {
    sinks: Arc<[Delivery]>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct Delivery {
    name: String,
    cursor: Id,
    sink: Arc<ToldSink>,
    status: Arc<SinkStatus>,
    has_ended: AtomicBool,
    /// Of logs whose processes have ended.
    ended: Ended,
}

/// Names of sinks are the operator's.
#[derive(Debug)]
struct Configured;

impl Screen for Configured {
    fn is_personal(&self, _: &str) -> bool {
        false
    }
}

/// How a sink does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryState {
    pub(crate) name: String,
    /// For how long the oldest entry has been waiting that is not delivered.
    pub(crate) lag: Duration,
    /// Entries that were delivered.
    pub(crate) delivered: u64,
    /// Attempts that failed.
    pub(crate) failed: u64,
    /// Entries that were too old when their turn came.
    pub(crate) missed: u64,
    /// Whether nothing is delivered any more before the next start.
    pub(crate) has_ended: bool,
}

impl Deliveries {
    /// The sinks, and what follows the log for them, which never ends by itself.
    ///
    /// # Errors
    /// [`UnusableSink`].
    pub(crate) fn new(
        sinks: &[AuditSink],
        store: &Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), UnusableSink> {
        let made = |sink: &AuditSink| {
            let AuditSink { name, receiver } = sink;
            Ok((name.clone(), cursor_of(sink)?, sink::of(receiver)?))
        };
        let sinks = sinks.iter().map(made);
        let sinks = sinks.collect::<Result<Vec<_>, UnusableSink>>()?;
        Ok(Self::of(sinks, store, clock))
    }

    /// Sinks by their names, each with that of its cursor.
    fn of(
        sinks: Vec<(String, Id, Box<dyn Sink>)>,
        store: &Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let mut followers = Vec::new();
        let mut deliveries = Vec::new();
        for (name, cursor, sink) in sinks {
            let sink = Arc::new(ToldSink::new(&name, sink));
            let follower = follower(&cursor, store, &sink, &clock);
            deliveries.push(Delivery {
                name,
                cursor,
                sink,
                status: follower.status(),
                has_ended: AtomicBool::new(false),
                ended: Ended::default(),
            });
            followers.push(follower);
        }
        let sinks: Arc<[Delivery]> = deliveries.into();
        let followed = Arc::clone(&sinks);
        let run = async move {
            let followers = followers.into_iter().zip(&*followed);
            join_all(followers.map(|(follower, sink)| sink.follow(follower))).await;
            pending().await
        };
        (Self { sinks, clock }, run)
    }

    /// How each does, in the order of their names.
    pub(crate) fn states(&self) -> Vec<DeliveryState> {
        let now = timestamp(&*self.clock);
        let state = |sink: &Delivery| DeliveryState {
            name: sink.name.clone(),
            lag: sink.status.lag(now).max(sink.ended.lag(now)),
            delivered: sink.status.delivered() + sink.ended.delivered(),
            failed: sink.status.failed() + sink.ended.failed(),
            missed: sink.status.missed() + sink.ended.missed(),
            has_ended: sink.has_ended(),
        };
        self.sinks.iter().map(state).collect()
    }

    /// Delivers what is new in the log of that name, whose process has ended, as far as the sinks take it at once. Gives
    /// whether they have all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn deliver_ended(
        &self,
        log: &str,
        store: &Arc<dyn Store>,
    ) -> Result<bool, StoreError> {
        let size = store.size().await?;
        let sinks = self.sinks.iter().filter(|sink| !sink.has_ended());
        let delivered = sinks.map(|sink| {
            let follower = follower(&sink.cursor, store, &sink.sink, &self.clock);
            sink.ended.deliver(log, follower, store, &sink.cursor, size)
        });
        let mut delivered = join_all(delivered).await.into_iter();
        delivered.try_fold(true, |all, has_all| Ok(all & has_all?))
    }

    /// So long entries are kept for those that are still to get them; for those that have ended no longer, and that
    /// they miss some is on record.
    pub(crate) fn held(&self, ages: Retention) -> Retention {
        let passed = self.cursors(true).fold(ages, Retention::passable);
        self.cursors(false).fold(passed, Retention::follower)
    }

    /// The cursors of those that have ended, or have not.
    pub(crate) fn cursors(&self, have_ended: bool) -> impl Iterator<Item = Id> {
        let sinks = self.sinks.iter();
        let chosen = sinks.filter(move |sink| sink.has_ended() == have_ended);
        chosen.map(|sink| sink.cursor.clone())
    }
}

fn follower(
    cursor: &Id,
    store: &Arc<dyn Store>,
    sink: &Arc<ToldSink>,
    clock: &Arc<dyn Clock>,
) -> Follower {
    Follower::new(
        cursor.clone(),
        Arc::clone(store),
        Box::new(SharedSink(Arc::clone(sink))),
        Arc::clone(clock),
        Arc::new(SystemEntropy::new()),
    )
    .observer(Arc::new(ToldCursors))
}

/// How far a sink has come is known under this name.
///
/// # Errors
/// Its name is none.
pub(crate) fn cursor_of(sink: &AuditSink) -> Result<Id, InvalidId> {
    Id::parse(&format!("sink/{}", sink.name), &Configured)
}

impl Delivery {
    /// Whether nothing is delivered any more, of whatever log.
    fn has_ended(&self) -> bool {
        self.has_ended.load(Relaxed) || self.sink.is_gone()
    }

    async fn follow(&self, follower: Follower) {
        let end = tokio::select! {
            biased;
            end = follower.run() => end,
            // It said so to who gave it another log.
            () = self.sink.gone() => FollowEnd::Gone,
        };
        self.has_ended.store(true, Relaxed);
        TASK.within(|| {
            tracing::error!(
                sink = &*self.name,
                error = &end as &dyn Error,
                "entries of the audit log are delivered there no more"
            );
        });
    }
}

#[cfg(test)]
mod tests;
