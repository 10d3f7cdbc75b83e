//! Feeds that break the contract of a feed, each in one way.

use super::{
    store::{Broken, Fault as StoreFault},
    *,
};

#[derive(Clone, Copy, Debug)]
enum Fault {
    LeavesOutRevocations,
    NeverTrims,
    /// All feeds have the same id.
    HasOneId,
    /// It is answered, and not appended.
    TellsNoInvalidation,
    /// Whatever is to be dropped.
    TellsThatAllIsDropped,
    /// Of two changes at once.
    TellsNewRecordFirst,
    /// A late note replaces a later one.
    AppliedGoesBack,
    FindsReadersOfAnyDate,
    ForgetsNobody,
    TrimsNoReaders,
}

/// A feed with one fault.
#[derive(Debug)]
struct BrokenFeed {
    feed: Arc<TextFeed>,
    fault: Fault,
}

#[async_trait]
impl ChangeFeed for BrokenFeed {
    async fn id(&self) -> Result<FeedId, StoreError> {
        match self.fault {
            Fault::HasOneId => Ok(FeedId::new([7; 16])),
            _ => self.feed.id().await,
        }
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        self.feed.head().await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        let mut page = self.feed.changes_after(seq, limit).await?;
        let version = |change: &Change| match change.kind {
            ChangeKind::Record { version, .. } => version.value(),
            ChangeKind::Invalidation(_) => 0,
        };
        match self.fault {
            Fault::LeavesOutRevocations => page.changes.retain(|change| version(change) < 2),
            Fault::TellsNewRecordFirst => {
                if let [old, new] = &mut page.changes[..]
                    && (version(old), version(new)) == (2, 1)
                {
                    std::mem::swap(&mut old.kind, &mut new.kind);
                }
            }
            _ => {}
        }
        Ok(page)
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        match self.fault {
            Fault::TellsNoInvalidation => Ok(Change {
                seq: self.feed.head().await?.next(),
                kind: ChangeKind::Invalidation(what.clone()),
            }),
            Fault::TellsThatAllIsDropped => self.feed.invalidate(&Invalidation::All, at).await,
            _ => self.feed.invalidate(what, at).await,
        }
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        if let Fault::AppliedGoesBack = self.fault {
            self.feed.forget_reader(&reader.id).await?;
        }
        self.feed.note_reader(reader).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        let since = match self.fault {
            Fault::FindsReadersOfAnyDate => UnixMillis::new(i64::MIN),
            _ => since,
        };
        self.feed.readers(since).await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        match self.fault {
            Fault::ForgetsNobody => Ok(()),
            _ => self.feed.forget_reader(reader).await,
        }
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        match self.fault {
            Fault::NeverTrims => Ok(()),
            Fault::TrimsNoReaders => {
                let readers = self.feed.readers(UnixMillis::new(i64::MIN)).await?;
                self.feed.trim(before).await?;
                for reader in &readers {
                    self.feed.note_reader(reader).await?;
                }
                Ok(())
            }
            _ => self.feed.trim(before).await,
        }
    }
}

async fn check(fault: Fault) {
    conformance::change_feed(async || {
        let (store, feed) = open();
        (store as _, Arc::new(BrokenFeed { feed, fault }) as _)
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "`ChangeFeed`: every change is told once in order from 1: ")]
async fn the_suite_finds_a_feed_that_leaves_out_revocations() {
    check(Fault::LeavesOutRevocations).await;
}

#[tokio::test]
#[should_panic(
    expected = "`ChangeFeed`: trimming drops every change before the first that is not older: two \
                are older: [1, 2, 3, 4], not [3, 4]"
)]
async fn the_suite_finds_a_feed_that_never_trims() {
    check(Fault::NeverTrims).await;
}

#[tokio::test]
#[should_panic(expected = "`ChangeFeed`: what is answered to a change is what is told: told: ")]
async fn the_suite_finds_a_store_that_answers_another_number() {
    conformance::change_feed(async || {
        let (store, feed) = open();
        let fault = StoreFault::AnswersOtherNumber;
        (Arc::new(Broken { store, fault }) as _, feed as _)
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "`ChangeFeed`: what is answered to a change is what is told: told: ")]
async fn the_suite_finds_a_feed_that_does_not_append_invalidations() {
    check(Fault::TellsNoInvalidation).await;
}

#[tokio::test]
#[should_panic(expected = "`ChangeFeed`: invalidations of each kind are told in order: told: ")]
async fn the_suite_finds_a_feed_that_tells_another_kind() {
    check(Fault::TellsThatAllIsDropped).await;
}

#[tokio::test]
#[should_panic(
    expected = "`ChangeFeed`: a rotation is told as two changes that of the old record first: "
)]
async fn the_suite_finds_a_feed_that_tells_a_rotation_in_another_order() {
    check(Fault::TellsNewRecordFirst).await;
}

#[tokio::test]
#[should_panic(expected = "`ChangeFeed`: a feed has one id that no other has: another feed")]
async fn the_suite_finds_a_feed_that_is_taken_for_another() {
    check(Fault::HasOneId).await;
}

#[tokio::test]
#[should_panic(
    expected = "`ChangeFeed`: of each reader the last note is kept and what it applied never goes \
                back: after a late note: "
)]
async fn the_suite_finds_a_feed_whose_readers_go_back() {
    check(Fault::AppliedGoesBack).await;
}

#[tokio::test]
#[should_panic(
    expected = "`ChangeFeed`: readers are found from the date of their last note on: since 20: "
)]
async fn the_suite_finds_a_feed_that_knows_no_dates_of_readers() {
    check(Fault::FindsReadersOfAnyDate).await;
}

#[tokio::test]
#[should_panic(
    expected = "`ChangeFeed`: a forgotten reader is not found until it is noted again: "
)]
async fn the_suite_finds_a_feed_that_forgets_nobody() {
    check(Fault::ForgetsNobody).await;
}

#[tokio::test]
#[should_panic(
    expected = "`ChangeFeed`: trimming drops readers that were last noted before: after trimming"
)]
async fn the_suite_finds_a_feed_that_keeps_readers_for_ever() {
    check(Fault::TrimsNoReaders).await;
}
