//! Charges sent together: those that come while others are under way wait for each other, and go in one call.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::{
    failure::Failure,
    group::{Group, GroupPosition, MOST_CHARGES},
    script::{CHARGE, Script},
    servers::Servers,
};
use crate::store::Charge;

/// Calls under way at once, where charges go in groups: the server has the next while the answers to one are
/// on their way. More of them would make smaller groups, and fewer would idle behind a slow network.
const MOST_CALLS: usize = 4;

/// The calls that take charges to the servers. A charge that finds none under way goes at once, and alone if
/// none comes in the same moment.
pub(super) struct Calls {
    servers: Servers,
    script: Script,
    key_prefix: String,
    most: Most,
    queue: Mutex<Queue>,
}

/// How much there may be of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    calls: usize,
    charges_a_call: usize,
    charges_waiting: usize,
}

impl Most {
    /// Charges go in groups, and so many may wait.
    pub(super) fn in_groups(charges_waiting: usize) -> Self {
        Self {
            calls: MOST_CALLS,
            charges_a_call: MOST_CHARGES,
            charges_waiting,
        }
    }

    /// Each charge is a call: those of a cluster, where a call has one slot.
    #[cfg(feature = "redis-cluster")]
    pub(super) fn one_by_one(charges_waiting: usize) -> Self {
        Self {
            calls: charges_waiting,
            charges_a_call: 1,
            charges_waiting,
        }
    }
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    charges: usize,
    calls: usize,
    /// A call has been spawned and takes what waits when it is its turn.
    is_starting: bool,
}

/// A group that is not sent yet, and who waits for the reply.
#[derive(Default)]
struct Waiting {
    group: Group,
    replies: Vec<oneshot::Sender<Reply>>,
}

/// What the servers said to a whole group.
type Reply = Result<Arc<[u8]>, Failure>;

/// The reply to one charge, which is sent whether that is waited for or not.
pub(super) struct Sent {
    pub(super) reply: oneshot::Receiver<Reply>,
    pub(super) position: GroupPosition,
}

impl Calls {
    pub(super) fn new(servers: Servers, key_prefix: String, most: Most) -> Arc<Self> {
        Arc::new(Self {
            servers,
            script: Script::new(CHARGE),
            key_prefix,
            most,
            queue: Mutex::default(),
        })
    }

    pub(super) fn servers(&self) -> &Servers {
        &self.servers
    }

    pub(super) fn key_prefix(&self) -> &str {
        &self.key_prefix
    }

    /// Puts a charge into the group that goes next.
    pub(super) fn send(self: &Arc<Self>, charge: &Charge<'_>) -> Result<Sent, Failure> {
        let (sender, reply) = oneshot::channel();
        let mut queue = self.queue();
        if queue.charges >= self.most.charges_waiting {
            return Err(Failure::Crowded);
        }
        queue.charges += 1;
        let is_full = |last: &mut Waiting| last.group.charges() >= self.most.charges_a_call;
        if queue.waiting.back_mut().is_none_or(is_full) {
            queue.waiting.push_back(Waiting::default());
        }
        let last = queue.waiting.back_mut().expect("just looked at");
        let position = last.group.add(charge, &self.key_prefix);
        last.replies.push(sender);
        self.start(&mut queue);
        Ok(Sent { reply, position })
    }

    /// Another call, if there may be one and what waits is not about to be taken.
    fn start(self: &Arc<Self>, queue: &mut Queue) {
        if !queue.is_starting && queue.calls < self.most.calls {
            queue.is_starting = true;
            queue.calls += 1;
            tokio::spawn(Caller::new(Arc::clone(self)).run());
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the calls, counted as such until it is over.
struct Caller {
    calls: Arc<Calls>,
    is_over: bool,
}

impl Caller {
    fn new(calls: Arc<Calls>) -> Self {
        Self {
            calls,
            is_over: false,
        }
    }

    /// Sends what waits, group after group.
    async fn run(mut self) {
        while let Some(Waiting { group, replies }) = self.next() {
            let reply = self.evaluate(&group).await;
            for waits in replies {
                // It may have been dropped, or its deadline be over.
                drop(waits.send(reply.clone()));
            }
        }
    }

    /// The next group that anyone still waits for. Where there is none, the call is over in the same step, so
    /// that the next charge starts another.
    fn next(&mut self) -> Option<Waiting> {
        let mut queue = self.calls.queue();
        queue.is_starting = false;
        while let Some(waiting) = queue.waiting.pop_front() {
            queue.charges -= waiting.group.charges();
            if waiting.replies.iter().all(oneshot::Sender::is_closed) {
                continue;
            }
            if !queue.waiting.is_empty() {
                self.calls.start(&mut queue);
            }
            return Some(waiting);
        }
        queue.calls -= 1;
        self.is_over = true;
        None
    }

    async fn evaluate(&self, group: &Group) -> Reply {
        let script = &self.calls.script;
        let by_hash = group.complete(script.by_hash());
        let whole = || group.complete(script.whole());
        let reply: Vec<u8> = self.calls.servers.evaluate(&by_hash, whole).await?;
        if group.is_answered_by(&reply) {
            Ok(reply.into())
        } else {
            Err(Failure::WrongReply)
        }
    }
}

/// The runtime that it runs on may end before the store does.
impl Drop for Caller {
    fn drop(&mut self) {
        if !self.is_over {
            let mut queue = self.calls.queue();
            queue.calls -= 1;
            queue.is_starting = false;
        }
    }
}
