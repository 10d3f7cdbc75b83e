//! A bus that nobody in the crate knows, made from public items alone, and what breaks its contract.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use portcullis_apikey_cache::{
    bus::{BusError, BusListener, InvalidationBus, Notice},
    conformance,
    feed::FeedId,
};
use tokio::{sync::watch, time::timeout};

/// What is wrong with a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// All feeds are one.
    OneFeed,
    /// Listening begins with what was told before.
    FromTheStart,
    /// The last notice is heard in two calls.
    Twice,
    /// Of several notices at once, the last is lost.
    LosesTheLast,
    BackToFront,
    /// A watermark is heard as younger.
    Younger,
    /// A call that is dropped takes with it what comes next.
    LosesWithCalls,
    /// A call waits until there is something.
    WaitsForEver,
    /// Who tells does not hear it.
    Deaf,
}

type Told = Vec<(usize, FeedId, Notice)>;

/// One process's end of a bus in memory.
#[derive(Debug)]
struct End {
    number: usize,
    told: Arc<watch::Sender<Told>>,
    fault: Fault,
}

#[async_trait]
impl InvalidationBus for End {
    async fn tell(&self, feed: FeedId, notices: &[Notice]) -> Result<(), BusError> {
        let mut notices = notices.to_vec();
        match self.fault {
            Fault::LosesTheLast if notices.len() > 1 => drop(notices.pop()),
            Fault::BackToFront => notices.reverse(),
            _ => {}
        }
        let entries = notices
            .into_iter()
            .map(|notice| (self.number, feed, notice));
        self.told.send_modify(|told| told.extend(entries));
        Ok(())
    }

    async fn listen(&self, feed: FeedId) -> Result<Box<dyn BusListener>, BusError> {
        let told = self.told.subscribe();
        let length = told.borrow().len();
        let position = if self.fault == Fault::FromTheStart {
            0
        } else {
            length
        };
        Ok(Box::new(Listener {
            number: self.number,
            feed,
            told,
            position,
            began: 0,
            fault: self.fault,
        }))
    }
}

#[derive(Debug)]
struct Listener {
    number: usize,
    feed: FeedId,
    told: watch::Receiver<Told>,
    position: usize,
    /// Calls that have begun and not ended.
    began: usize,
    fault: Fault,
}

impl Listener {
    /// Everything since the last call; nothing if nothing is for this listener.
    fn take(&mut self) -> Vec<Notice> {
        let told = self.told.borrow_and_update();
        let new = &told[self.position.min(told.len())..];
        let is_for_this = |(teller, feed, _): &&(usize, FeedId, Notice)| {
            (self.fault == Fault::OneFeed || *feed == self.feed)
                && (self.fault != Fault::Deaf || *teller != self.number)
        };
        let heard = new.iter().filter(is_for_this);
        let mut heard: Vec<Notice> = heard.map(|(_, _, notice)| notice.clone()).collect();
        let again = usize::from(self.fault == Fault::Twice && !heard.is_empty());
        self.position = told.len() - again;
        if self.fault == Fault::Twice && again == 1 {
            self.fault = Fault::Nothing;
        }
        if self.fault == Fault::Younger {
            for notice in &mut heard {
                if let Notice::Watermark(watermark) = notice {
                    watermark.age -= Duration::from_nanos(1);
                }
            }
        }
        heard
    }
}

#[async_trait]
impl BusListener for Listener {
    async fn next(&mut self) -> Result<Vec<Notice>, BusError> {
        self.began += 1;
        loop {
            let heard = self.take();
            if !heard.is_empty() {
                let was_dropped = self.began > 1;
                self.began = 0;
                if was_dropped && self.fault == Fault::LosesWithCalls {
                    continue;
                }
                return Ok(heard);
            }
            let changed = self.told.changed();
            if self.fault == Fault::WaitsForEver {
                drop(changed.await);
            } else if timeout(Duration::from_millis(500), changed).await.is_err() {
                self.began = 0;
                return Ok(Vec::new());
            }
        }
    }
}

async fn suite(fault: Fault) {
    let told = Arc::new(watch::Sender::new(Told::new()));
    let ends = AtomicUsize::new(0);
    conformance::invalidation_bus(async || {
        let (number, told) = (ends.fetch_add(1, Ordering::Relaxed), told.clone());
        let end = End {
            number,
            told,
            fault,
        };
        Arc::new(end) as _
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bus_of_ones_own_conforms() {
    suite(Fault::Nothing).await;
}

/// The suite finds a fault, and says so in these words.
macro_rules! finds {
    ($($name:ident: $fault:ident, $words:literal;)+) => {$(
        #[tokio::test(start_paused = true)]
        #[should_panic(expected = $words)]
        async fn $name() {
            suite(Fault::$fault).await;
        }
    )+};
}

finds! {
    the_suite_finds_feeds_that_mix: OneFeed,
        "`InvalidationBus`: nobody on another feed hears it: ";
    the_suite_finds_what_was_told_before: FromTheStart,
        "`InvalidationBus`: what was told before listening is not heard: ";
    the_suite_finds_what_is_heard_twice: Twice,
        "`InvalidationBus`: what was told before the call before is not heard: heard later: ";
    the_suite_finds_what_is_lost: LosesTheLast,
        "`InvalidationBus`: what is told is heard by all who listen in order: what was told is not heard";
    the_suite_finds_another_order: BackToFront,
        "`InvalidationBus`: what is told is heard by all who listen in order: who tells: ";
    the_suite_finds_watermarks_that_get_younger: Younger,
        "`InvalidationBus`: nothing is made up or altered: a watermark of ";
    the_suite_finds_what_dropped_calls_take_with_them: LosesWithCalls,
        "`InvalidationBus`: a call that is dropped loses nothing: what was told is not heard";
    the_suite_finds_calls_that_do_not_end: WaitsForEver,
        ": a call does not end";
    the_suite_finds_who_tells_and_does_not_hear: Deaf,
        "`InvalidationBus`: what is told is heard by all who listen in order: what was told is not heard";
}
