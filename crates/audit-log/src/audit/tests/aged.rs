//! What is erased and taken away.

use tokio::{runtime::Handle, task::spawn_blocking};

use super::{known::key, parts::Inverting, *};
use crate::{
    checkpoint::Policy,
    event::Actor,
    source::StoreSource,
    verify::{Outcome, Report, Verification},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const TYPED: PersonalText<'static> = PersonalText {
    address: None,
    user_agent: None,
    text: Some("customer called"),
};

async fn open_sealed() -> Open {
    let sealed = |builder: AuditBuilder| builder.sealer(Arc::new(Inverting));
    let opened = open_with(MemoryStore::new(), sealed).await;
    opened.expect("an empty log opens")
}

/// Events of two tenants, two actors and two resources, each with a personal part.
async fn fill(log: &Open, count: u64) {
    use crate::event::{Activity, ActorType, Resource, ResourceType};

    for number in 0..count {
        let of = |ids: [&'static str; 2], bit: u64| {
            Id::constant(ids[usize::from(number >> bit & 1 == 1)])
        };
        let actor = Actor::new(ActorType::ApiKey, of(["key-1", "key-2"], 0));
        let lead = Resource::new(ResourceType::new("lead"), of(["lead-1", "lead-2"], 1));
        let tenant = of(["tenant-1", "tenant-2"], 2);
        let draft = EventBuilder::new(tenant, READ, Activity::Read, actor).resources([lead]);
        let recorded = log.audit.record(draft, Some(&TYPED)).await;
        assert!(recorded.is_ok());
    }
}

/// A log that was filled and closed, on 2026-01-01.
async fn kept_with(count: u64) -> MemoryStore {
    let kept = MemoryStore::new();
    let sealed = |builder: AuditBuilder| builder.sealer(Arc::new(Inverting));
    let opened = open_with(kept.clone(), sealed).await;
    let log = opened.expect("an empty log opens");
    fill(&log, count).await;
    log.closed().await;
    kept
}

async fn parts_left(log: &Open) -> Vec<u64> {
    let mut left = Vec::new();
    for n in 0..log.audit.status().size {
        let part = log.audit.personal(n).await.expect("the store answers");
        left.extend(part.map(|_| n));
    }
    left
}

#[tokio::test(start_paused = true)]
async fn the_parts_of_an_event_an_actor_a_resource_or_a_tenant_are_erased_and_no_others() {
    type Meant = fn(u64) -> bool;
    let cases: [(Erasure, Meant); 4] = [
        (Erasure::Event(4), |n| n == 4),
        (Erasure::Actor(Id::constant("key-2")), |n| (n - 1) & 1 == 1),
        (Erasure::Resource(Id::constant("lead-2")), |n| {
            (n - 1) >> 1 & 1 == 1
        }),
        (Erasure::Tenant(Id::constant("tenant-2")), |n| {
            (n - 1) >> 2 & 1 == 1
        }),
    ];
    for (erasure, is_meant) in cases {
        let log = open_sealed().await;
        // More than a page.
        fill(&log, 1_200).await;
        let meant = (1..=1_200).filter(|n| is_meant(*n)).count() as u64;
        let erased = log.audit.erase(&erasure).await;
        assert_eq!(erased.expect("it works"), meant, "{erasure:?}");
        let left: Vec<_> = (1..=1_200).filter(|n| !is_meant(*n)).collect();
        assert_eq!(parts_left(&log).await, left, "{erasure:?}");
        let leaves = log.closed().await;
        let expected = ["audit.erased unknown begun", "audit.erased success"];
        assert_eq!(said(&leaves)[1_201..1_203], expected);
        let leaf = Leaf::parse(&leaves[1_202]).expect("it is a leaf");
        assert_eq!(leaf.count(), meant);
    }
}

#[tokio::test(start_paused = true)]
async fn an_erasure_of_nothing_is_on_record_as_none() {
    for erasure in [
        Erasure::Event(3),
        Erasure::Event(9_999),
        Erasure::Actor(Id::constant("of-nobody")),
    ] {
        let log = open_sealed().await;
        fill(&log, 4).await;
        assert_eq!(
            log.audit.erase(&Erasure::Event(3)).await.expect("it works"),
            1
        );
        assert_eq!(log.audit.erase(&erasure).await.expect("it works"), 0);
        let leaves = log.closed().await;
        let [.., begun, done, _closed] = &leaves[..] else {
            panic!("they are on record");
        };
        let [begun, done] = [begun, done].map(|leaf| Leaf::parse(leaf).expect("it is a leaf"));
        assert_eq!(begun.action(), "audit.erased");
        assert_eq!(
            (done.action(), done.count()),
            ("audit.erased", 0),
            "{erasure:?}"
        );
        assert_eq!(done.resources().count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_erased_that_is_not_on_record() {
    let log = open_sealed().await;
    fill(&log, 4).await;
    log.store.is_to(flaky::Mood::Refuses);
    let refused = log.audit.erase(&Erasure::Event(2)).await;
    assert!(matches!(refused, Err(EraseError::Unrecorded(_))));
    assert_eq!(parts_left(&log).await, [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn personal_parts_go_after_90_days_and_leaves_after_400() {
    let log = open_sealed().await;
    fill(&log, 600).await;
    log.audit.checkpoint().await.expect("it is published");
    let retention = Retention::default();
    let retained = log.audit.retain(&retention).await.expect("it works");
    assert_eq!(retained, Retained::default());

    log.clock.advance(90 * DAY + Duration::from_secs(1));
    fill(&log, 100).await;
    let retained = log.audit.retain(&retention).await.expect("it works");
    assert_eq!((retained.erased, retained.pruned), (600, 0));
    assert_eq!(parts_left(&log).await.len(), 100);
    let again = log.audit.retain(&retention).await.expect("it works");
    assert_eq!(again, Retained::default());

    log.clock.advance(310 * DAY);
    log.audit.checkpoint().await.expect("it is published");
    let retained = log.audit.retain(&retention).await.expect("it works");
    // By whole bundles: 601 of 400 days are two of them.
    assert_eq!(
        (retained.erased, retained.pruned, retained.first),
        (100, 512, 512)
    );
    let gone = log.store.entries(511, NonZeroUsize::MIN).await;
    assert!(matches!(gone, Err(StoreError::Pruned { first: 512 })));
}

#[tokio::test(start_paused = true)]
async fn who_takes_the_beginning_of_a_log_away_and_not_the_log_itself_is_found() {
    let log = open_sealed().await;
    fill(&log, 1_000).await;
    log.clock.advance(401 * DAY);
    fill(&log, 300).await;
    log.audit.checkpoint().await.expect("it is published");
    let retained = log.audit.retain(&Retention::default()).await;
    assert_eq!(retained.expect("it works").first, 768);
    // Published before they went.
    let report = verified_as_on_record(&log).await;
    assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
    assert_eq!(report.pruned, 768);

    log.store.prune(1_024).await.expect("it works");
    let report = verified_as_on_record(&log).await;
    assert_eq!(report.outcome(), Outcome::Incomplete, "{report:?}");
    let said: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    let expected =
        "the entries before 1024 are gone, and the log says so of those before 768 alone";
    assert_eq!(said, [expected]);
}

/// As a service verifies its log.
async fn verified_as_on_record(log: &Open) -> Report {
    let first = log.store.first().await.expect("it works");
    let source = StoreSource::new(log.store.clone(), Handle::current());
    let policy = Policy::new(vec![key().verifying_key().clone()]).expect("it is a key");
    let verifying = move || {
        let verification = Verification::new(&source, &policy).pruned_below(first);
        verification.pruning_on_record().run()
    };
    spawn_blocking(verifying).await.expect("it does not panic")
}

#[tokio::test(start_paused = true)]
async fn a_hold_keeps_everything_and_a_follower_what_it_has_not_read() {
    let log = open_sealed().await;
    fill(&log, 800).await;
    log.clock.advance(500 * DAY);
    log.audit.checkpoint().await.expect("it is published");
    let held = Retention::default().held(true);
    let retained = log.audit.retain(&held).await.expect("it works");
    assert_eq!(retained, Retained::default());
    assert_eq!(parts_left(&log).await.len(), 800);

    let sink = Id::constant("sink-1");
    let followed = Retention::default().follower(sink.clone());
    let retained = log.audit.retain(&followed).await.expect("it works");
    assert_eq!((retained.erased, retained.pruned), (800, 0));
    log.store.move_cursor(&sink, 300).await.expect("it works");
    let retained = log.audit.retain(&followed).await.expect("it works");
    assert_eq!((retained.pruned, retained.first), (256, 256));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_published_is_not_taken_away() {
    let log = open_sealed().await;
    fill(&log, 300).await;
    log.clock.advance(500 * DAY);
    let retained = log
        .audit
        .retain(&Retention::default())
        .await
        .expect("it works");
    assert_eq!((retained.pruned, retained.first), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_that_is_not_archived() {
    let log = open_sealed().await;
    fill(&log, 800).await;
    log.clock.advance(500 * DAY);
    log.audit.checkpoint().await.expect("it is published");
    let retention = Retention::default().archived();
    for (archived, expected) in [(None, 0), (Some(511), 256), (Some(801), 768)] {
        if let Some(size) = archived {
            let moved = log.store.move_cursor(&ARCHIVE_CURSOR, size).await;
            moved.expect("the store works");
        }
        let retained = log.audit.retain(&retention).await.expect("it works");
        assert_eq!(retained.first, expected, "{archived:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_sink_misses_is_counted_in_the_log_before_it_goes() {
    let log = open_sealed().await;
    fill(&log, 600).await;
    log.clock.advance(500 * DAY);
    log.audit.checkpoint().await.expect("it is published");
    let [slow, new, quick] = ["slow", "new", "quick"].map(Id::constant);
    for (sink, next) in [(&slow, 300), (&quick, 600)] {
        log.store
            .move_cursor(sink, next)
            .await
            .expect("the store works");
    }
    let retention = [&slow, &new, &quick].into_iter();
    let retention = retention.fold(Retention::default(), |retention, sink| {
        retention.passable(sink.clone())
    });

    // What is not on record does not go.
    log.store.is_to(flaky::Mood::Refuses);
    let refused = log
        .audit
        .retain(&retention.clone().personal(900 * DAY))
        .await;
    assert!(
        matches!(refused, Err(EraseError::Unrecorded(_))),
        "{refused:?}"
    );
    assert_eq!(log.store.first().await.expect("the store answers"), 0);
    log.store.is_to(flaky::Mood::Works);

    for expected in [512, 512] {
        let retained = log.audit.retain(&retention).await.expect("it works");
        assert_eq!(retained.first, expected);
    }
    log.audit.close();
    log.writer.await.expect("the writer does not panic");
    let batch = log.store.entries(601, NonZeroUsize::MAX).await;
    let batch = batch.expect("the store answers");
    let leaves = batch
        .iter()
        .map(|(_, leaf)| Leaf::parse(leaf).expect("a leaf"));
    let gaps = leaves
        .filter(|leaf| leaf.action() == "audit.gap")
        .map(|leaf| {
            let sinks: Vec<_> = leaf.resources().map(|(_, sink)| sink.to_owned()).collect();
            (sinks.concat(), leaf.count())
        });
    let gaps: Vec<_> = gaps.collect();
    assert_eq!(gaps, [("slow".to_owned(), 212), ("new".to_owned(), 512)]);
}

#[tokio::test(start_paused = true)]
async fn what_two_take_away_at_the_same_time_is_counted_once() {
    let log = open_sealed().await;
    fill(&log, 600).await;
    log.clock.advance(500 * DAY);
    log.audit.checkpoint().await.expect("it is published");
    // Each puts on record that it is missed, and the other goes on meanwhile.
    let retention = Retention::default().passable(Id::constant("new"));
    let [one, other] = [log.audit.retain(&retention), log.audit.retain(&retention)];
    let (one, other) = tokio::join!(one, other);
    let [one, other] = [one, other].map(|retained| retained.expect("it works"));
    assert_eq!((one.first, other.first), (512, 512));
    assert_eq!(one.pruned + other.pruned, 512);
}

#[tokio::test(start_paused = true)]
async fn what_lies_beside_a_log_goes_too_when_another_has_followed_it() {
    let followed = open_sealed().await;
    fill(&followed, 300).await;
    let before: Arc<dyn Store> = followed.store.clone();
    followed.closed().await;
    let log = open_sealed().await;
    fill(&log, 4).await;
    let earlier = [Arc::clone(&before)];
    let parts_before = async || {
        let mut left = 0;
        for n in 0..before.size().await.expect("it works") {
            let part = before.personal(n).await;
            left += u64::from(part.is_ok_and(|part| part.is_some()));
        }
        left
    };

    let erased = log.audit.erase_with(&Erasure::Event(1), &earlier).await;
    assert_eq!((erased.expect("it works"), parts_before().await), (1, 300));
    let whose = Erasure::Actor(Id::constant("key-2"));
    let erased = log.audit.erase_with(&whose, &earlier).await;
    assert_eq!(
        (erased.expect("it works"), parts_before().await),
        (152, 150)
    );

    log.clock.advance(500 * DAY);
    let retention = Retention::default();
    let retained = log.audit.retain_in(&*before, &retention).await;
    let retained = retained.expect("it works");
    assert_eq!(
        (retained.erased, retained.pruned, retained.first),
        (150, 256, 256)
    );
    let leaves = log.closed().await;
    let told = |action: &str| {
        let mut told = leaves
            .iter()
            .map(|leaf| Leaf::parse(leaf).expect("it is a leaf"));
        told.rfind(|leaf| leaf.action() == action)
            .map(|leaf| leaf.count())
    };
    assert_eq!(
        (told("audit.erased"), told("audit.pruned")),
        (Some(150), Some(256))
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_500_days_ahead_at_a_start_takes_nothing_away_and_500_days_lived_do() {
    let kept = kept_with(600).await;

    let clock = Arc::new(FakeClock::default());
    clock.advance(500 * DAY);
    let ahead = clock.clone();
    let log = open_with(kept, move |builder| {
        builder.sealer(Arc::new(Inverting)).clock(ahead)
    });
    let log = log.await.expect("it opens");
    log.audit.checkpoint().await.expect("it is published");
    let retention = Retention::default();
    for _ in 0..2 {
        let retained = log.audit.retain(&retention).await.expect("it works");
        assert_eq!(
            (retained.erased, retained.pruned, retained.first),
            (0, 0, 0)
        );
        let ahead = retained.clock_ahead.expect("it is told");
        let not_believed = ahead.clock.unix_micros() - ahead.trusted.unix_micros();
        assert_eq!(Duration::from_micros(not_believed), 499 * DAY);
    }
    assert_eq!(parts_left(&log).await.len(), 600);
    assert_eq!(log.seen.clock_ahead(), 1);

    // Ended logs go by the same.
    let followed = open_sealed().await;
    fill(&followed, 300).await;
    let other: Arc<dyn Store> = followed.store.clone();
    followed.closed().await;
    let retained = log.audit.retain_in(&*other, &retention).await;
    let retained = retained.expect("it works");
    assert_eq!((retained.erased, retained.pruned), (0, 0));

    clock.advance(DAY);
    log.audit.retain(&retention).await.expect("it works");
    assert_eq!(log.seen.clock_ahead(), 2);
    clock.advance(499 * DAY);
    let retained = log.audit.retain(&retention).await.expect("it works");
    assert_eq!((retained.erased, retained.pruned), (600, 512));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_says_of_the_clock_counts() {
    let kept = kept_with(600).await;
    let clock = Arc::new(FakeClock::default());
    clock.advance(500 * DAY);
    let log = open_with(kept, |builder| builder.clock(clock));
    let log = log.await.expect("it opens");
    log.audit.checkpoint().await.expect("it is published");
    let confirmed = Retention::default().clock_confirmed(true);
    let retained = log.audit.retain(&confirmed).await.expect("it works");
    assert_eq!((retained.erased, retained.pruned), (600, 512));
    assert_eq!(retained.clock_ahead, None);
    assert_eq!(log.seen.clock_ahead(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_while_an_empty_log_is_filled_takes_nothing_away() {
    /// One whose date is set.
    #[derive(Debug)]
    struct Jumped(FakeClock, std::sync::atomic::AtomicU64);

    impl crate::clock::Clock for Jumped {
        fn wall(&self) -> std::time::SystemTime {
            let days = self.1.load(std::sync::atomic::Ordering::Relaxed);
            self.0.wall() + Duration::from_secs(days * DAY.as_secs())
        }

        fn monotonic(&self) -> Duration {
            self.0.monotonic()
        }
    }

    let clock = Arc::new(Jumped(FakeClock::default(), 0.into()));
    let set = Arc::clone(&clock);
    let log = open_with(MemoryStore::new(), |builder| builder.clock(clock));
    let log = log.await.expect("it opens");
    fill(&log, 600).await;
    set.1.store(500, std::sync::atomic::Ordering::Relaxed);
    log.audit.checkpoint().await.expect("it is published");
    let retained = log.audit.retain(&Retention::default()).await;
    assert_eq!(retained.expect("it works").pruned, 0);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_behind_the_end_holds_what_it_would_hold_at_the_beginning() {
    let log = open_sealed().await;
    fill(&log, 600).await;
    log.clock.advance(500 * DAY);
    log.audit.checkpoint().await.expect("it is published");
    let [sink, personal] = ["sink-1", "audit.personal"].map(Id::constant);
    for name in [&sink, &personal] {
        log.store.move_cursor(name, 99_999).await.expect("it works");
    }
    let retention = Retention::default().follower(sink.clone());
    let retained = log.audit.retain(&retention).await.expect("it works");
    assert_eq!((retained.erased, retained.pruned), (600, 0));
    assert_eq!(log.seen.cursors_beyond(), ["audit.personal", "sink-1"]);
}
