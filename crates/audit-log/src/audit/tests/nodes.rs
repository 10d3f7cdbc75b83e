//! Several processes that share one log.

use super::*;
use crate::{anchor::FileAnchor, checkpoint::Checkpoint};

/// A process with a log that others have too.
struct Node {
    audit: Audit,
    clock: Arc<FakeClock>,
    seen: Arc<Known>,
    writer: JoinHandle<()>,
}

async fn node(
    kept: &MemoryStore,
    name: &'static str,
    clock: Arc<FakeClock>,
    more: impl FnOnce(AuditBuilder) -> AuditBuilder,
) -> Node {
    let seen = Arc::new(Known::default());
    let builder = Audit::builder(Arc::new(kept.clone()), origin(), Id::constant(name))
        .key(key())
        .clock(clock.clone())
        .observer(seen.clone());
    let (audit, writing) = more(builder).open().await.expect("it is sound");
    Node {
        audit,
        clock,
        seen,
        writer: tokio::spawn(writing),
    }
}

async fn two(kept: &MemoryStore) -> [Node; 2] {
    let clock = Arc::new(FakeClock::default());
    [
        node(kept, "node-a", clock.clone(), |builder| builder).await,
        node(kept, "node-b", clock, |builder| builder).await,
    ]
}

impl Node {
    async fn records(&self) -> Recorded {
        let recorded = self.audit.record(draft(READ), None).await;
        recorded.expect("it works")
    }

    async fn closes(self) {
        self.audit.close();
        self.writer.await.expect("no panic");
        assert_eq!(self.seen.failed(), 0);
    }
}

fn size_of(note: &SignedNote) -> u64 {
    let checkpoint = Checkpoint::parse(note.unverified_text());
    checkpoint.expect("it is a checkpoint").size()
}

#[tokio::test(start_paused = true)]
async fn each_has_a_checkpoint_of_its_events_from_one_or_the_other() {
    let kept = MemoryStore::new();
    let [a, b] = two(&kept).await;
    for _ in 0..3 {
        let (of_a, of_b) = (a.records().await, b.records().await);
        assert!(of_b.n > of_a.n);
        // The one that has the smaller tree comes last.
        let note = b.audit.checkpoint().await.expect("it is published");
        assert!(size_of(&note) > of_b.n);
        let note = a.audit.checkpoint().await.expect("it is published");
        assert!(size_of(&note) > of_a.n);
    }
    a.closes().await;
    b.closes().await;
    let note = kept.checkpoint().await.expect("it answers");
    assert_eq!(note.map(|note| size_of(&note)), Some(2 + 6 + 2));
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_is_asked_for_has_what_another_process_appended_before() {
    let kept = MemoryStore::new();
    let [a, b] = two(&kept).await;
    a.audit.checkpoint().await.expect("it is published");
    let of_b = b.records().await;
    let note = a.audit.checkpoint().await.expect("it is published");
    assert!(size_of(&note) > of_b.n);
    a.closes().await;
    b.closes().await;
}

#[tokio::test(start_paused = true)]
async fn two_that_publish_at_once_have_the_larger_tree_and_no_failure() {
    let kept = MemoryStore::new();
    let [a, b] = two(&kept).await;
    for _ in 0..20 {
        let (a_recorded, b_recorded) = tokio::join!(a.records(), b.records());
        let (of_a, of_b) = tokio::join!(a.audit.checkpoint(), b.audit.checkpoint());
        assert!(size_of(&of_a.expect("it is published")) > a_recorded.n);
        assert!(size_of(&of_b.expect("it is published")) > b_recorded.n);
    }
    a.closes().await;
    b.closes().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_process_left_unpublished_another_publishes_and_anchors() {
    let folder = tempfile::tempdir().expect("a folder");
    let anchor = Arc::new(FileAnchor::new("elsewhere", folder.path().join("kept")));
    let kept = MemoryStore::new();
    let clock = Arc::new(FakeClock::default());
    let a = node(&kept, "node-a", clock.clone(), |builder| builder).await;
    let with_anchor = |builder: AuditBuilder| builder.anchor(anchor.clone());
    let b = node(&kept, "node-b", clock, with_anchor).await;
    let last = a.records().await;
    a.writer.abort();
    tokio::time::sleep(Duration::from_secs(63)).await;
    let size = b.audit.status().published;
    assert!(size > last.n && size == b.audit.status().size);
    let anchored = crate::anchor::Anchor::latest(&*anchor).await;
    let anchored = anchored.expect("it answers").map(|note| size_of(&note));
    assert_eq!(anchored, Some(size));
    // And what it has published itself, to the anchors that it does not have.
    let a = node(&kept, "node-a", b.clock.clone(), |builder| builder).await;
    a.closes().await;
    tokio::time::sleep(Duration::from_secs(63)).await;
    let anchored = crate::anchor::Anchor::latest(&*anchor).await;
    let anchored = anchored.expect("it answers").map(|note| size_of(&note));
    assert_eq!(anchored, Some(size + 2));
    b.closes().await;
}

#[tokio::test(start_paused = true)]
async fn each_says_of_itself_that_it_is_there() {
    let kept = MemoryStore::new();
    let [a, b] = two(&kept).await;
    a.records().await;
    b.records().await;
    a.closes().await;
    b.closes().await;
    let leaves = leaves(&kept).await;
    for name in ["node-a", "node-b"] {
        let mut of_node = Vec::new();
        for bytes in &leaves {
            let leaf = Leaf::parse(bytes).expect("it is a leaf");
            if leaf.node() == name {
                of_node.push(leaf.action().to_owned());
            }
        }
        assert_eq!(of_node, ["audit.opened", "lead.read", "audit.closed"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_node_that_is_gone_has_begun_another_closes_after_6_minutes() {
    let kept = MemoryStore::new();
    let clock = Arc::new(FakeClock::default());
    let gone = node(&kept, "node-a", clock.clone(), |builder| builder).await;
    let begun = gone
        .audit
        .begin(draft(LOGIN), None)
        .await
        .expect("it works");
    gone.writer.abort();
    std::mem::forget(begun);
    for (minutes, expected) in [(5, 0), (2, 1), (0, 1)] {
        clock.advance(Duration::from_secs(60 * minutes));
        let other = node(&kept, "node-b", clock.clone(), |builder| builder).await;
        other.closes().await;
        let said = said(&leaves(&kept).await);
        let closings = said
            .iter()
            .filter(|said| *said == "audit.unfinished unknown crashed");
        assert_eq!(closings.count(), expected, "after {minutes} minutes more");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_node_that_is_gone_has_begun_one_that_is_open_closes_within_7_minutes() {
    let kept = MemoryStore::new();
    let clock = Arc::new(FakeClock::default());
    let gone = node(&kept, "node-a", clock.clone(), |builder| builder).await;
    // What was begun before the others opened the log, and after.
    let before = gone.audit.begin(draft(LOGIN), None).await;
    let others = [
        node(&kept, "node-b", clock.clone(), |builder| builder).await,
        node(&kept, "node-c", clock.clone(), |builder| builder).await,
    ];
    let after = gone.audit.begin(draft(LOGIN), None).await;
    let begun = [before, after].map(|begun| begun.expect("it works"));
    let ended = gone.audit.begin(draft(LOGIN), None).await;
    let finished = ended.expect("it works").finish(Ending::Success).await;
    assert!(finished.is_ok());
    // What is open, those who began it end.
    let open = others[0].audit.begin(draft(LOGIN), None).await;
    let open = open.expect("it works");
    gone.writer.abort();
    let mut intents = begun.each_ref().map(|begun| begun.intent().id);
    intents.sort_unstable();
    std::mem::forget(begun);

    let crashed = async || {
        let leaves = leaves(&kept).await;
        let leaves = leaves.iter().map(|leaf| Leaf::parse(leaf).expect("a leaf"));
        let crashed = leaves.filter(|leaf| leaf.detail() == Some("crashed"));
        crashed
            .flat_map(|leaf| leaf.refs().collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    for second in 1..=7 * 60 {
        assert!(second > 6 * 60 || crashed().await.is_empty(), "{second} s");
        clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // One of them has said so, once.
    let mut said = crashed().await;
    said.sort_unstable();
    assert_eq!(said, intents);
    drop(open);
    for other in others {
        other.closes().await;
    }
    assert_eq!(crashed().await.len(), 2);
}
