//! A log with some leaves, and a receiver that does what it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::time::Instant;

use crate::{
    clock::FakeClock,
    entropy::{Entropy, EntropyError},
    event::{
        Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, Stamp, Timestamp,
    },
    export::{Endpoint, Webhook, WebhookSecrets},
    sink::{
        AddressPolicy, FollowEnd, Follower, LineWriter, Reply, RequestLimits, Sink, Transport,
        TransportError, WebhookSink,
    },
    store::{Group, MemoryStore, Store},
};

pub(super) const NAME: Id = Id::constant("siem");

/// As many leaves as were appended before, and these.
pub(super) async fn append(store: &MemoryStore, leaves: u64) {
    let tenant = Id::constant("tenant-7");
    let appending = store.lock(std::slice::from_ref(&tenant)).await.unwrap();
    let mut group = Group::new(appending.state());
    let first = appending.state().edge().size();
    for n in first..first + leaves {
        let actor = Actor::new(ActorType::System, Id::constant("writer"));
        let event = EventBuilder::new(
            tenant.clone(),
            Action::new("lead.read"),
            Activity::Read,
            actor,
        );
        let time = Timestamp::from_unix_micros(1_767_225_600_000_000 + n).unwrap();
        let id = EventId::new(time, [7; 10]);
        let stamp = Stamp::new(id, time, Delivery::Must, Id::constant("a"));
        group.push(&event.build(stamp).unwrap(), None).unwrap();
    }
    appending.commit(&group).await.unwrap();
}

/// What a receiver does with the next request; when it has nothing to do, it takes what comes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Does {
    Answer(u16),
    AnswerLater(u16, u64),
    Hang,
    BreakOff,
}

/// What came, by `n`, and when.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    pub(super) does: Mutex<VecDeque<Does>>,
    pub(super) attempts: Mutex<Vec<(u64, Instant)>>,
    pub(super) taken: Mutex<Vec<u64>>,
    pub(super) lines: Mutex<Vec<u8>>,
}

impl Receiver {
    pub(super) fn doing(does: impl IntoIterator<Item = Does>) -> Arc<Self> {
        let does = Mutex::new(does.into_iter().collect());
        Arc::new(Self {
            does,
            ..Self::default()
        })
    }

    pub(super) fn taken(&self) -> Vec<u64> {
        self.taken.lock().unwrap().clone()
    }

    /// Seconds between the attempts.
    pub(super) fn delays(&self) -> Vec<u64> {
        let attempts = self.attempts.lock().unwrap();
        let between = attempts.windows(2);
        between.map(|two| (two[1].1 - two[0].1).as_secs()).collect()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is that of the paused runtime"
)]
fn now() -> Instant {
    Instant::now()
}

#[async_trait]
impl Transport for Receiver {
    async fn request(
        &self,
        request: Request<Bytes>,
        _: &RequestLimits,
    ) -> Result<Reply, TransportError> {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let n = body["data"]["n"].as_u64().unwrap();
        self.attempts.lock().unwrap().push((n, now()));
        let does = self.does.lock().unwrap().pop_front();
        let status = |status| Reply::new(StatusCode::from_u16(status).unwrap());
        match does {
            None => {}
            Some(Does::Answer(code)) => {
                if (200..300).contains(&code) {
                    self.taken.lock().unwrap().push(n);
                }
                return Ok(status(code));
            }
            Some(Does::AnswerLater(code, seconds)) => {
                return Ok(status(code).retry_after(Duration::from_secs(seconds)));
            }
            Some(Does::Hang) => std::future::pending().await,
            Some(Does::BreakOff) => return Err(TransportError::unreachable("no route")),
        }
        self.taken.lock().unwrap().push(n);
        Ok(status(204))
    }
}

#[async_trait]
impl LineWriter for Receiver {
    async fn write(&self, lines: Bytes) -> Result<(), TransportError> {
        match self.does.lock().unwrap().pop_front() {
            Some(_) => return Err(TransportError::unreachable("reset")),
            None => self.lines.lock().unwrap().extend_from_slice(&lines),
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Constant(pub(super) u8);

impl Entropy for Constant {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0);
        Ok(())
    }
}

pub(super) fn webhooks(receiver: &Arc<Receiver>) -> Box<dyn Sink> {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
    let endpoint = Endpoint::parse("https://siem.example/hook").unwrap();
    let webhook = Webhook::new(endpoint, WebhookSecrets::new(secret));
    let transport: Arc<dyn Transport> = Arc::clone(receiver) as _;
    Box::new(WebhookSink::new(
        webhook,
        transport,
        AddressPolicy::public(),
    ))
}

pub(super) fn follower(store: &MemoryStore, sink: Box<dyn Sink>, random: u8) -> Follower {
    let (clock, entropy) = (FakeClock::default(), Constant(random));
    let store = Arc::new(store.clone());
    Follower::new(NAME, store, sink, Arc::new(clock), Arc::new(entropy))
}

/// Follows until it has ended, or nothing is left to do for this time.
pub(super) async fn follow(follower: Follower, time: Duration) -> Option<FollowEnd> {
    // As a service does it, which needs a future that may be sent to another thread.
    let running = tokio::spawn(follower.run());
    let abort = running.abort_handle();
    let end = tokio::time::timeout(time, running).await;
    abort.abort();
    end.ok().map(|end| end.unwrap())
}
