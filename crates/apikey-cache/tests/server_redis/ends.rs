//! Ends of a bus, as processes have them, and what tests tell on them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use portcullis_apikey_cache::{
    Peppers,
    bus::{BusListener, InvalidationBus as _, Notice, RedisBus, RedisBusBuilder, Watermark},
    clock::Clock,
    feed::{Change, ChangeKind, FeedId, FeedSeq, Invalidation},
    secrets::VersionedSecrets,
};
use secrecy::SecretBox;

pub(crate) const FEED: FeedId = FeedId::new([0xFE; 16]);
pub(crate) const STREAM: &str = "portcullis:apikey:{fefefefefefefefefefefefefefefefe}:notices";

/// Longer than anything here takes on a machine that is not broken.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

pub(crate) fn peppers(byte: u8) -> Peppers {
    let secret = SecretBox::new(Box::new([byte; 32]));
    Peppers::new(VersionedSecrets::single(secret)).unwrap()
}

pub(crate) fn builder(url: &str) -> RedisBusBuilder {
    RedisBus::builder([url]).unwrap()
}

/// One that waits for as long as a busy machine needs, where a test is not about time.
pub(crate) fn end(url: &str) -> RedisBus {
    let builder = builder(url).deadline(LONGEST_WAIT);
    builder.build(&peppers(1)).unwrap()
}

/// One that waits no longer than those of processes do.
pub(crate) fn hasty_end(url: &str) -> RedisBus {
    builder(url).build(&peppers(1)).unwrap()
}

pub(crate) fn end_by(url: &str, clock: &Arc<impl Clock + 'static>) -> RedisBus {
    let builder = builder(url).deadline(LONGEST_WAIT).clock(clock.clone());
    builder.build(&peppers(1)).unwrap()
}

/// That everything is to be dropped, as a change of this number.
pub(crate) fn all(seq: u64) -> Notice {
    let seq = FeedSeq::new(seq);
    let kind = ChangeKind::Invalidation(Invalidation::All);
    Notice::Change(Change { seq, kind })
}

pub(crate) fn watermark(head: u64) -> Notice {
    let (head, age) = (FeedSeq::new(head), Duration::ZERO);
    Notice::Watermark(Watermark { head, age })
}

/// What is heard until there are so many notices.
pub(crate) async fn collect(listener: &mut Box<dyn BusListener>, count: usize) -> Vec<Notice> {
    let mut heard = Vec::new();
    let all = async {
        while heard.len() < count {
            heard.extend(listener.next().await.unwrap());
        }
    };
    let ended = tokio::time::timeout(LONGEST_WAIT, all).await;
    assert!(ended.is_ok(), "{heard:?}");
    heard
}

/// What `look` finds, looked for until it is there.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < LONGEST_WAIT, "no {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until one can listen and tell, and what is told is heard.
pub(crate) async fn works(bus: &RedisBus) -> Box<dyn BusListener> {
    let listener = eventually("listener", async || bus.listen(FEED).await.ok());
    let mut listener = listener.await;
    eventually("success", async || bus.tell(FEED, &[all(7)]).await.ok()).await;
    let heard = collect(&mut listener, 1).await;
    assert!(heard.iter().all(|notice| *notice == all(7)), "{heard:?}");
    listener
}
