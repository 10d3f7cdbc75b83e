//! The contract of a bus between caches.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::join_all};
use tokio::time::timeout;

use super::{
    Clause, clauses,
    records::{kid, tenant},
};
use crate::{
    bus::{BusListener, InvalidationBus, Notice, Watermark},
    feed::{Change, ChangeKind, FeedId, FeedSeq, Invalidation},
    store::RecordVersion,
};

/// Ends of one bus, as two processes have them.
type Ends = (Arc<dyn InvalidationBus>, Arc<dyn InvalidationBus>);

/// What ends a clause that waits for a notice which does not come.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Checks the contract of [`InvalidationBus`] on what `make` makes: an end of the bus, as each process has one,
/// on which nobody else uses the feeds whose ids are one repeated byte up to 20.
///
/// A bus may lose notices, but not while all goes well: the suite waits up to 20 s for each.
///
/// Two clauses take a network that fails, which the suite has not, and are yours to test: that a watermark which
/// reaches the bus late is not heard, or is heard as older by as much, and that `tell` answers within a tenth of a
/// second, and at once while the bus is known to be down.
///
/// # Panics
///
/// The bus breaks the contract, or fails. The message names the clause.
pub async fn invalidation_bus(make: impl AsyncFn() -> Arc<dyn InvalidationBus>) {
    let ends: Ends = (make().await, make().await);
    clauses! { "InvalidationBus";
        what_is_told_is_heard_by_all_who_listen_in_order(&ends);
        nothing_is_made_up_or_altered(&ends);
        nobody_on_another_feed_hears_it(&ends);
        what_was_told_before_listening_is_not_heard(&ends);
        what_was_told_before_the_call_before_is_not_heard(&ends);
        waiting_ends_without_a_notice(&ends);
        a_call_that_is_dropped_loses_nothing(&ends);
        what_several_tell_at_once_is_all_heard(&ends);
        telling_needs_nobody_who_listens(&ends);
        telling_nothing_is_heard_as_nothing(&ends);
    }
}

async fn what_is_told_is_heard_by_all_who_listen_in_order(clause: Clause, ends: &Ends) {
    let feed = feed(1);
    let mut own = listen(clause, &ends.0, feed).await;
    let mut other = listen(clause, &ends.1, feed).await;
    let mut told = Vec::new();
    for round in 0..3 {
        let notices: Vec<Notice> = (1..=3).map(|seq| change(round * 3 + seq)).collect();
        tell(clause, &ends.0, feed, &notices).await;
        told.extend(notices);
    }
    for (listener, who) in [(&mut own, "who tells"), (&mut other, "another")] {
        let heard = collect(clause, listener, told.len()).await;
        clause.same(who, heard, &*told);
    }
}

async fn nothing_is_made_up_or_altered(clause: Clause, ends: &Ends) {
    let feed = feed(2);
    let mut listener = listen(clause, &ends.1, feed).await;
    let last = FeedSeq::new(u64::MAX);
    let version = RecordVersion::new(u64::MAX);
    let record = ChangeKind::Record {
        kid: kid(7),
        version,
    };
    let everything: String = ('!'..='~').collect();
    let tenants = ["t", &"t".repeat(128), "a,b:c{d}\"e\\f'g%20h", &everything];
    let invalidations = [Invalidation::All, Invalidation::Key(kid(8))].into_iter();
    let invalidations = invalidations.chain(tenants.map(|id| Invalidation::Tenant(tenant(id))));
    let kinds = invalidations.map(ChangeKind::Invalidation).chain([record]);
    let mut told: Vec<Notice> = kinds
        .map(|kind| Notice::Change(Change { seq: last, kind }))
        .collect();
    let age = Duration::new(1, 234_567_891);
    told.push(Notice::Watermark(Watermark { head: last, age }));
    tell(clause, &ends.0, feed, &told).await;

    let mut heard = collect(clause, &mut listener, told.len()).await;
    match heard.last_mut() {
        Some(Notice::Watermark(watermark)) => {
            let seen = format_args!("a watermark of {age:?} is heard as {:?}", watermark.age);
            clause.holds(watermark.age >= age, seen);
            watermark.age = age;
        }
        _ => clause.fails("the last is no watermark"),
    }
    clause.same("heard", heard, told);
}

async fn nobody_on_another_feed_hears_it(clause: Clause, ends: &Ends) {
    let (one, other) = (feed(3), feed(4));
    let mut listener = listen(clause, &ends.0, one).await;
    tell(clause, &ends.0, other, &[change(1)]).await;
    tell(clause, &ends.1, other, &[change(2)]).await;
    tell(clause, &ends.1, one, &[change(3)]).await;
    let heard = collect(clause, &mut listener, 1).await;
    clause.same("heard", heard, [change(3)]);
}

async fn what_was_told_before_listening_is_not_heard(clause: Clause, ends: &Ends) {
    let feed = feed(5);
    let mut first = listen(clause, &ends.1, feed).await;
    tell(clause, &ends.0, feed, &[change(1)]).await;
    collect(clause, &mut first, 1).await;
    let mut second = listen(clause, &ends.1, feed).await;
    tell(clause, &ends.0, feed, &[change(2)]).await;
    let heard = collect(clause, &mut second, 1).await;
    clause.same("heard", heard, [change(2)]);
}

async fn what_was_told_before_the_call_before_is_not_heard(clause: Clause, ends: &Ends) {
    let feed = feed(6);
    let mut listener = listen(clause, &ends.1, feed).await;
    for seq in 1..=3 {
        tell(clause, &ends.0, feed, &[change(seq)]).await;
        // A call for each, and one that begins after what the first gave was told.
        let heard = next(clause, &mut listener).await;
        clause.same("heard at once", heard, [change(seq)]);
        let heard = next(clause, &mut listener).await;
        clause.same("heard later", heard, []);
    }
}

async fn waiting_ends_without_a_notice(clause: Clause, ends: &Ends) {
    let mut listener = listen(clause, &ends.0, feed(7)).await;
    for _ in 0..2 {
        clause.same("heard", next(clause, &mut listener).await, []);
    }
}

async fn a_call_that_is_dropped_loses_nothing(clause: Clause, ends: &Ends) {
    let feed = feed(8);
    let mut listener = listen(clause, &ends.1, feed).await;
    for seq in 1..=3 {
        let dropped = listener.next().now_or_never();
        clause.holds(dropped.is_none(), "a call did not wait");
        tell(clause, &ends.0, feed, &[change(seq)]).await;
        let heard = collect(clause, &mut listener, 1).await;
        clause.same("heard", heard, [change(seq)]);
    }
}

async fn what_several_tell_at_once_is_all_heard(clause: Clause, ends: &Ends) {
    let feed = feed(9);
    let mut listener = listen(clause, &ends.1, feed).await;
    let each = (1..=20).map(async |seq| {
        let end = if seq % 2 == 0 { &ends.0 } else { &ends.1 };
        tell(clause, end, feed, &[change(seq)]).await;
    });
    join_all(each).await;
    let mut heard = collect(clause, &mut listener, 20).await;
    heard.sort_by_key(|notice| match notice {
        Notice::Change(change) => change.seq,
        Notice::Watermark(watermark) => watermark.head,
    });
    let told: Vec<Notice> = (1..=20).map(change).collect();
    clause.same("heard", heard, told);
}

async fn telling_needs_nobody_who_listens(clause: Clause, ends: &Ends) {
    tell(clause, &ends.0, feed(10), &[change(1)]).await;
}

async fn telling_nothing_is_heard_as_nothing(clause: Clause, ends: &Ends) {
    let feed = feed(11);
    let mut listener = listen(clause, &ends.1, feed).await;
    tell(clause, &ends.0, feed, &[]).await;
    clause.same("heard", next(clause, &mut listener).await, []);
}

fn feed(byte: u8) -> FeedId {
    FeedId::new([byte; 16])
}

fn change(seq: u64) -> Notice {
    let kind = ChangeKind::Record {
        kid: kid(seq),
        version: RecordVersion::FIRST,
    };
    let seq = FeedSeq::new(seq);
    Notice::Change(Change { seq, kind })
}

async fn tell(clause: Clause, bus: &Arc<dyn InvalidationBus>, feed: FeedId, notices: &[Notice]) {
    clause.done("tell", bus.tell(feed, notices).await);
}

async fn listen(
    clause: Clause,
    bus: &Arc<dyn InvalidationBus>,
    feed: FeedId,
) -> Box<dyn BusListener> {
    clause.done("listen", bus.listen(feed).await)
}

async fn next(clause: Clause, listener: &mut Box<dyn BusListener>) -> Vec<Notice> {
    let ended = timeout(LONGEST_WAIT, listener.next()).await;
    let ended = ended.unwrap_or_else(|_| clause.fails("a call does not end"));
    clause.done("next", ended)
}

/// What is heard until there are so many notices, in how many calls ever.
async fn collect(clause: Clause, listener: &mut Box<dyn BusListener>, count: usize) -> Vec<Notice> {
    let heard = timeout(LONGEST_WAIT, async {
        let mut heard = Vec::new();
        while heard.len() < count {
            heard.extend(next(clause, listener).await);
        }
        heard
    });
    let heard = heard.await;
    heard.unwrap_or_else(|_| clause.fails("what was told is not heard"))
}
