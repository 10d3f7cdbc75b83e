//! A bus in memory that can lose notices, be cut off, and never answer; and nodes that share one.

use std::{
    future::pending,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use portcullis_apikey_cache::{
    ApiKeyCacheBuilder,
    bus::{BusError, BusListener, InvalidationBus, Notice},
    feed::FeedId,
    store::MemoryKeyStore,
};
use tokio::{sync::Notify, time::sleep};

use crate::support::Node;

/// How long a listener waits for something.
const WAITS: Duration = Duration::from_millis(500);

/// What was told, in order.
#[derive(Debug, Default)]
struct Wire {
    told: Mutex<Vec<(FeedId, Notice)>>,
    appended: Notify,
}

/// One node's connection to the bus.
#[derive(Debug)]
pub(crate) struct LossyBus {
    wire: Arc<Wire>,
    state: Arc<Mutex<BusConnection>>,
    listens: AtomicUsize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BusConnection {
    Open,
    /// What is told gets lost without a sign.
    Losing,
    /// Something on the bus was told by no cache.
    Forged,
    /// Every call fails.
    Cut,
    /// No call ever answers.
    Silent,
}

impl LossyBus {
    pub(crate) fn set(&self, state: BusConnection) {
        *self.state.lock().unwrap() = state;
        // Those who wait find out.
        self.wire.appended.notify_waiters();
    }

    /// How often the node began to listen.
    pub(crate) fn listens(&self) -> usize {
        self.listens.load(Ordering::SeqCst)
    }

    /// What has been told, by whomever.
    pub(crate) fn told(&self) -> Vec<Notice> {
        let told = self.wire.told.lock().unwrap();
        told.iter().map(|(_, notice)| notice.clone()).collect()
    }

    /// Tells this once more, of the feed of which something was told last.
    pub(crate) fn tell_again(&self, notice: &Notice) {
        let mut told = self.wire.told.lock().unwrap();
        let feed = told.last().unwrap().0;
        told.push((feed, notice.clone()));
        self.wire.appended.notify_waiters();
    }

    fn state(&self) -> BusConnection {
        *self.state.lock().unwrap()
    }
}

#[async_trait]
impl InvalidationBus for LossyBus {
    async fn tell(&self, feed: FeedId, notices: &[Notice]) -> Result<(), BusError> {
        match self.state() {
            BusConnection::Open | BusConnection::Forged => {
                let notices = notices.iter().map(|notice| (feed, notice.clone()));
                self.wire.told.lock().unwrap().extend(notices);
                self.wire.appended.notify_waiters();
                Ok(())
            }
            BusConnection::Losing => Ok(()),
            BusConnection::Cut => Err(BusError::unavailable("cut")),
            BusConnection::Silent => pending().await,
        }
    }

    async fn listen(&self, feed: FeedId) -> Result<Box<dyn BusListener>, BusError> {
        match self.state() {
            BusConnection::Cut => return Err(BusError::unavailable("cut")),
            BusConnection::Silent => pending::<()>().await,
            BusConnection::Open | BusConnection::Losing | BusConnection::Forged => {}
        }
        self.listens.fetch_add(1, Ordering::SeqCst);
        let position = self.wire.told.lock().unwrap().len();
        Ok(Box::new(Listener {
            feed,
            wire: Arc::clone(&self.wire),
            state: Arc::clone(&self.state),
            position,
        }))
    }
}

#[derive(Debug)]
struct Listener {
    feed: FeedId,
    wire: Arc<Wire>,
    state: Arc<Mutex<BusConnection>>,
    position: usize,
}

#[async_trait]
impl BusListener for Listener {
    async fn next(&mut self) -> Result<Vec<Notice>, BusError> {
        let mut waited = pin!(sleep(WAITS));
        loop {
            let appended = self.wire.appended.notified();
            let state = *self.state.lock().unwrap();
            match state {
                BusConnection::Cut => return Err(BusError::unavailable("cut")),
                BusConnection::Silent => pending::<()>().await,
                BusConnection::Forged => return Err(BusError::Malformed("forged")),
                BusConnection::Open | BusConnection::Losing => {}
            }
            let heard: Vec<_> = {
                let told = self.wire.told.lock().unwrap();
                let heard = told[self.position..].iter();
                let heard = heard.filter(|(feed, _)| *feed == self.feed);
                let heard = heard.map(|(_, notice)| notice.clone()).collect();
                self.position = told.len();
                heard
            };
            if !heard.is_empty() {
                return Ok(heard);
            }
            tokio::select! {
                () = appended => {}
                () = &mut waited => return Ok(Vec::new()),
            }
        }
    }
}

/// A process with a connection to the bus.
pub(crate) struct BusNode {
    pub(crate) node: Node,
    pub(crate) bus: Arc<LossyBus>,
}

/// So many processes on one store and one bus, which all follow.
pub(crate) fn nodes<const N: usize>() -> [BusNode; N] {
    nodes_built(|builder| builder)
}

/// The same, each built like this.
pub(crate) fn nodes_built<const N: usize>(
    build: impl Fn(ApiKeyCacheBuilder) -> ApiKeyCacheBuilder,
) -> [BusNode; N] {
    let mut nodes = nodes_to_follow(build);
    settle(&mut nodes);
    nodes
}

/// The same, which do not follow yet.
pub(crate) fn nodes_to_follow<const N: usize>(
    build: impl Fn(ApiKeyCacheBuilder) -> ApiKeyCacheBuilder,
) -> [BusNode; N] {
    let store = Arc::new(MemoryKeyStore::new());
    let wire = Arc::new(Wire::default());
    [(); N].map(|()| {
        let bus = Arc::new(LossyBus {
            wire: Arc::clone(&wire),
            state: Arc::new(Mutex::new(BusConnection::Open)),
            listens: AtomicUsize::new(0),
        });
        let connection = Arc::clone(&bus);
        let node = Node::on(Arc::clone(&store), |builder| build(builder.bus(connection)));
        BusNode { node, bus }
    })
}

/// Lets all followers do what can be done at this moment.
pub(crate) fn settle(nodes: &mut [BusNode]) {
    for _ in 0..4 {
        for node in &mut *nodes {
            node.node.follow();
        }
    }
}

/// Lets time pass on all clocks, and the followers do what is due.
pub(crate) async fn pass(nodes: &mut [BusNode], time: Duration) {
    const STEP: Duration = Duration::from_millis(10);
    let mut left = time;
    while !left.is_zero() {
        let step = left.min(STEP);
        for node in &*nodes {
            node.node.clock.advance(step);
        }
        tokio::time::advance(step).await;
        settle(nodes);
        left -= step;
    }
}
