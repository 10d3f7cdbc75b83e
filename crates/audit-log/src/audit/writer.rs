//! The one that writes: takes what has queued, makes it durable at once, and answers.

mod ending;
mod taking;

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::time::sleep;

use super::{
    Recorded, Shared, Unrecorded,
    doubt::Doubt,
    intents::Intents,
    own_events::{self, Closing, Unfinished},
    queued::{Queued, Waits},
    sealing::seal,
    shared::Phase,
};
use crate::{
    entropy::EntropyError,
    event::Event,
    observer,
    sealer::Sealer,
    store::{Appending, Group, LogState, MAX_GROUP_EVENTS, Store, StoreError},
};

/// How long a store that failed is left alone.
const PAUSE: Duration = Duration::from_millis(250);

/// How often it looks at what is due.
const TICK: Duration = Duration::from_secs(1);

/// How often the log says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(60 * 60);

/// How long a log that is being closed tries to write what is left.
const LAST_TRIES: u32 = 8;

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    sealer: Option<Arc<dyn Sealer>>,
    intents: Intents,
    /// What the log says of itself, and is not written yet.
    own: VecDeque<Event>,
    doubt: Option<Doubt>,
    next_heartbeat: Duration,
}

impl Writer {
    /// `first` is what the log begins with, if it is empty and begins with more than that it was opened.
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Arc<dyn Store>,
        sealer: Option<Arc<dyn Sealer>>,
        first: Option<Event>,
        crashed: &[Closing],
    ) -> Result<Self, EntropyError> {
        let opened = own_events::of_itself(&shared, own_events::OPENED)?;
        let mut own: VecDeque<_> = first.into_iter().chain([opened]).collect();
        for closing in crashed {
            own.push_back(closing.event(&shared)?);
        }
        Ok(Self {
            next_heartbeat: shared.clock.monotonic() + HEARTBEAT,
            shared,
            store,
            sealer,
            intents: Intents::default(),
            own,
            doubt: None,
        })
    }

    /// Writes until the log is closed and everything in it, or cannot be.
    pub(super) async fn run(mut self) {
        let mut last_tries = LAST_TRIES;
        let mut has_said_so = false;
        loop {
            self.note_what_is_due();
            let group = self.take();
            let is_idle = group.is_empty() && self.own.is_empty() && self.doubt.is_none();
            let phase = self.shared.phase();
            match phase {
                Phase::RolledBack => return self.give_up(group, &Unrecorded::RolledBack),
                Phase::Closing if self.shared.is_late() => {
                    return self.give_up(group, &Unrecorded::Unavailable);
                }
                Phase::Closing if is_idle && has_said_so => return,
                Phase::Closing if is_idle => {
                    has_said_so = true;
                    self.say(own_events::of_itself(&self.shared, own_events::CLOSED));
                    continue;
                }
                Phase::Open if is_idle => {
                    tokio::select! {
                        () = self.shared.wake.notified() => {}
                        () = sleep(TICK) => {}
                    }
                    continue;
                }
                Phase::Open | Phase::Closing => {}
            }
            let written = self.write(group).await;
            self.shared.is_failing.store(written.is_err(), Relaxed);
            if let Err(error) = written {
                self.shared
                    .tell(observer::Event::StoreFailed { error: &error });
                if phase == Phase::Closing {
                    last_tries -= 1;
                    if last_tries == 0 {
                        let left = self.take();
                        return self.give_up(left, &Unrecorded::Unavailable);
                    }
                }
                // Who has no time left does not sleep.
                let _ = self.shared.in_time(sleep(PAUSE)).await;
            }
        }
    }

    /// What the log has to say of itself by now.
    fn note_what_is_due(&mut self) {
        let now = self.shared.clock.monotonic();
        if now >= self.next_heartbeat {
            self.next_heartbeat = now + HEARTBEAT;
            self.say(own_events::of_itself(&self.shared, own_events::HEARTBEAT));
        }
        let abandoned = self.shared.take_abandoned();
        let abandoned = abandoned
            .into_iter()
            .filter_map(|intent| self.intents.abandon(intent, Unfinished::Abandoned));
        let mut closings: Vec<_> = abandoned.collect();
        closings.extend(self.intents.expired(now));
        closings.extend(self.shared.take_left_behind());
        for closing in closings {
            self.say(closing.event(&self.shared));
        }
        // Once the last were written: while the store fails, they are counted and take no room.
        let is_told = self.own.is_empty() && self.doubt.is_none();
        let dropped = is_told.then(|| self.shared.dropped.take());
        for (action, count) in dropped.unwrap_or_default() {
            let said = own_events::dropped(&self.shared, action, count);
            if said.is_err() {
                self.shared.dropped.add(action, count);
            }
            self.own.extend(said.ok());
        }
    }

    fn say(&mut self, event: Result<Event, EntropyError>) {
        // Without random bytes there is no event, and none of anybody else.
        self.own.extend(event.ok());
    }

    fn take(&self) -> Vec<Queued> {
        let mut group = Vec::new();
        let most = MAX_GROUP_EVENTS.saturating_sub(self.own.len());
        self.shared.must.take(most, &mut group);
        self.shared.best.take(most - group.len(), &mut group);
        group.retain(Queued::is_wanted);
        group
    }

    async fn write(&mut self, mut queued: Vec<Queued>) -> Result<(), StoreError> {
        let sealed = seal(&self.shared, self.sealer.as_ref(), &mut queued).await;
        let began = self.shared.clock.monotonic();
        let shared = Arc::clone(&self.shared);
        let taken = shared.in_time(self.lock(&queued)).await;
        let taken = match taken.unwrap_or_else(|late| Err(StoreError::unavailable(late))) {
            Ok(taken) => taken,
            Err(error) => {
                self.keep_notes(queued);
                return Err(error);
            }
        };
        let state = taken.state();
        let (group, written, left) = self.put_together(state, queued, sealed);
        self.put_back(left);
        self.commit(taken, &group, written).await?;
        self.shared.tell(observer::Event::Committed {
            events: group.len(),
            took: self.shared.since(began),
        });
        Ok(())
    }

    /// Gives the events their numbers: those of the log first, then as many others as there is room for.
    fn put_together(
        &mut self,
        state: LogState,
        queued: Vec<Queued>,
        sealed: Vec<Option<Vec<u8>>>,
    ) -> (Group, Vec<(u64, Queued)>, Vec<Queued>) {
        let mut group = Group::new(state);
        let mut written = Vec::with_capacity(self.own.len() + queued.len());
        while let Some(event) = self.own.pop_front() {
            match group.push(&event, None) {
                Ok(n) => written.push((n, Queued::own(event))),
                Err(_) => {
                    self.own.push_front(event);
                    break;
                }
            }
        }
        let mut left = Vec::new();
        for (queued, sealed) in queued.into_iter().zip(sealed) {
            if left.is_empty() && queued.is_wanted() {
                match group.push(&queued.event, sealed) {
                    Ok(n) => written.push((n, queued)),
                    Err(_) => left.push(queued),
                }
            } else {
                left.push(queued);
            }
        }
        (group, written, left)
    }

    async fn commit(
        &mut self,
        taken: Box<dyn Appending>,
        group: &Group,
        written: Vec<(u64, Queued)>,
    ) -> Result<(), StoreError> {
        if group.is_empty() {
            return Ok(());
        }
        let committed = self.shared.in_time(taken.commit(group)).await;
        let committed = committed.unwrap_or_else(|late| Err(StoreError::unavailable(late)));
        if let Err(error) = committed {
            let mut kept = Vec::new();
            for (_, queued) in written {
                if queued.is_kept() {
                    kept.push(queued);
                } else {
                    queued.answer(Err(Unrecorded::Unavailable));
                }
            }
            self.doubt = Some(Doubt::new(group, kept));
            return Err(error);
        }
        self.shared.has_grown(group.edge_after());
        for (n, queued) in written {
            self.has_written(&queued.event);
            self.answer(n, queued);
        }
        Ok(())
    }

    fn has_written(&self, event: &Event) {
        self.shared.tell(observer::Event::Written {
            delivery: event.delivery(),
            outcome: event.outcome(),
        });
    }

    fn answer(&mut self, n: u64, queued: Queued) {
        let id = queued.event.id();
        match &queued.waits {
            Waits::Beginner(_) => {
                let now = self.shared.clock.monotonic();
                self.intents.begin(id, queued.event.tenant().clone(), now);
            }
            Waits::Finisher(intent, _) => self.intents.end(*intent),
            Waits::Nobody | Waits::Reader(_) => {}
        }
        let is_beginner = matches!(queued.waits, Waits::Beginner(_));
        let is_heard = queued.answer(Ok(Recorded { id, n }));
        if is_beginner && !is_heard {
            let closing = self.intents.abandon(id, Unfinished::Abandoned);
            let closing = closing.map(|closing| closing.event(&self.shared));
            closing.into_iter().for_each(|event| self.say(event));
        }
    }

    /// After a failure before anything was written: those who wait are told, and notes wait for the next time.
    fn keep_notes(&self, queued: Vec<Queued>) {
        let (kept, told): (Vec<_>, Vec<_>) = queued.into_iter().partition(Queued::is_kept);
        self.put_back(kept);
        for queued in told {
            queued.answer(Err(Unrecorded::Unavailable));
        }
    }

    fn put_back(&self, queued: Vec<Queued>) {
        let (notes, must): (Vec<_>, Vec<_>) = queued.into_iter().partition(Queued::is_note);
        self.shared.best.put_back(notes.into_iter());
        self.shared.must.put_back(must.into_iter());
    }
}
