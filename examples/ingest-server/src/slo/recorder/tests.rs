//! The history of objectives under a clock that is told, and a database that fails.

use serde_json::{Value, json};

use super::*;
use crate::{slo::Counts, store::MemorySloHistory};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The beginning of a slot, in March of 2026.
fn noon() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_772_366_400).unwrap()
}

/// A clock that goes where it is told.
#[derive(Debug)]
struct SetClock(Mutex<(OffsetDateTime, Duration)>);

/// Counters that are counted up by hand.
#[derive(Debug, Default)]
struct Counted(Mutex<ByObjective>);

/// A process, as far as it is about objectives.
struct Node {
    recorder: SloRecorder,
    counted: Arc<Counted>,
    clock: Arc<SetClock>,
}

impl SetClock {
    /// Time goes by.
    fn pass(&self, time: Duration) {
        let mut now = self.0.lock().unwrap();
        now.0 += time;
        now.1 += time;
    }

    /// Somebody sets it.
    fn set(&self, wall: OffsetDateTime) {
        self.0.lock().unwrap().0 = wall;
    }
}

impl Clock for SetClock {
    fn wall(&self) -> OffsetDateTime {
        self.0.lock().unwrap().0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

impl ObjectiveCounts for Counted {
    fn counted(&self) -> ByObjective {
        *self.0.lock().unwrap()
    }
}

impl Node {
    fn new(name: &str, history: &Arc<MemorySloHistory>) -> Self {
        let clock = Arc::new(SetClock(Mutex::new((noon(), Duration::ZERO))));
        let counted = Arc::new(Counted::default());
        let recorder = SloRecorder::new(
            name.into(),
            Arc::clone(&counted) as _,
            Arc::clone(history) as _,
            Arc::clone(&clock) as _,
        );
        Self {
            recorder,
            counted,
            clock,
        }
    }

    fn count(&self, slo: Slo, good: u64, bad: u64) {
        self.counted.0.lock().unwrap()[slo as usize] += Counts { good, bad };
    }

    async fn flush(&self) {
        self.recorder.flush().await.unwrap();
    }

    /// As the task of the service does it.
    async fn run_for(&self, time: Duration) {
        let end = self.clock.monotonic() + time;
        while self.clock.monotonic() < end {
            self.clock.pass(self.recorder.pause());
            self.flush().await;
        }
    }

    async fn report(&self, slo: Slo) -> Value {
        let report = self.recorder.report().await.unwrap();
        serde_json::to_value(report).unwrap()["slos"][slo as usize].clone()
    }

    /// What is good, and what counts.
    async fn told(&self, slo: Slo) -> (u64, u64) {
        let report = self.report(slo).await;
        let number = |member: &str| report[member].as_u64().unwrap();
        (number("good"), number("valid"))
    }
}

fn history() -> Arc<MemorySloHistory> {
    Arc::new(MemorySloHistory::default())
}

#[tokio::test]
async fn what_is_shown_is_what_is_counted_also_before_it_is_written() {
    let history = history();
    let node = Node::new("a", &history);
    assert_eq!(node.report(Slo::Durable).await["state"], "no_data");
    node.count(Slo::Durable, 5, 1);
    assert_eq!(node.told(Slo::Durable).await, (5, 6));
    assert_eq!(history.written(), 0);
    node.flush().await;
    assert_eq!(node.told(Slo::Durable).await, (5, 6));
    // More of a slot that is written already.
    node.count(Slo::Durable, 1, 0);
    assert_eq!(node.told(Slo::Durable).await, (6, 7));
    node.clock.pass(2 * HOUR);
    node.count(Slo::Durable, 10, 0);
    assert_eq!(node.told(Slo::Durable).await, (16, 17));
    node.flush().await;
    assert_eq!(node.told(Slo::Durable).await, (16, 17));
    assert_eq!(node.told(Slo::Latency).await, (0, 0));
}

#[tokio::test]
async fn processes_that_share_a_history_add_up() {
    let history = history();
    let (one, other) = (Node::new("a", &history), Node::new("b", &history));
    one.count(Slo::Latency, 7, 1);
    other.count(Slo::Latency, 20, 2);
    // What another has not written yet nobody else knows.
    assert_eq!(one.told(Slo::Latency).await, (7, 8));
    one.flush().await;
    other.flush().await;
    for node in [&one, &other] {
        assert_eq!(node.told(Slo::Latency).await, (27, 30));
    }
    // The one that ended leaves what it wrote.
    drop(one);
    let next = Node::new("c", &history);
    assert_eq!(next.told(Slo::Latency).await, (27, 30));
    // A clock that is some minutes ahead loses nothing to the others.
    other.clock.pass(600 * SECOND);
    other.count(Slo::Latency, 100, 0);
    other.flush().await;
    assert_eq!(next.told(Slo::Latency).await, (127, 130));
}

#[tokio::test]
async fn what_happens_counts_in_the_slot_in_which_it_happened() {
    let history = history();
    let node = Node::new("a", &history);
    assert_eq!(node.recorder.pause(), FLUSHED_EVERY);
    node.clock.pass(293 * SECOND);
    assert_eq!(node.recorder.pause(), 7 * SECOND);
    node.count(Slo::Availability, 3, 0);
    // The timer fires a little later than it was to.
    node.clock.pass(Duration::from_millis(7_004));
    node.flush().await;
    node.count(Slo::Availability, 4, 0);
    node.clock.pass(SECOND);
    node.flush().await;
    let slot = Slot::of(noon());
    let expected = [(slot, 3, 0), (slot.next(), 4, 0)];
    assert_eq!(history.of("availability"), expected);
    // A machine that slept for a day woke up lately.
    node.count(Slo::Availability, 5, 0);
    node.clock.pass(DAY);
    node.flush().await;
    let today = Slot::of(node.clock.wall() - FLUSHED_EVERY / 2);
    assert_eq!(history.of("availability").last(), Some(&(today, 5, 0)));
}

#[tokio::test]
async fn windows_are_left_behind_one_after_the_other() {
    let history = history();
    let node = Node::new("a", &history);
    node.count(Slo::Latency, 80, 20);
    node.flush().await;
    let burn = async |passed: Duration| {
        node.clock.pass(passed);
        node.flush().await;
        node.report(Slo::Latency).await["burn"].clone()
    };
    // A fifth was bad, where a twentieth may be.
    let near = |told: &Value, windows: [bool; 4]| {
        for (window, is_in) in ["5m", "1h", "6h", "3d"].into_iter().zip(windows) {
            let expected = if is_in { json!(4.0) } else { Value::Null };
            assert_eq!(told[window], expected, "{told}");
        }
    };
    near(&burn(9 * 60 * SECOND).await, [true; 4]);
    near(&burn(60 * SECOND).await, [false, true, true, true]);
    near(&burn(54 * 60 * SECOND).await, [false, true, true, true]);
    near(&burn(60 * SECOND).await, [false, false, true, true]);
    near(&burn(5 * HOUR).await, [false, false, false, true]);
    near(&burn(3 * DAY).await, [false; 4]);
    assert_eq!(node.told(Slo::Latency).await, (80, 100));
    burn(27 * DAY).await;
    assert_eq!(node.report(Slo::Latency).await["state"], "no_data");
}

#[tokio::test]
async fn nothing_is_lost_or_counted_twice_while_the_database_fails() {
    let history = history();
    let node = Node::new("a", &history);
    node.count(Slo::Durable, 1, 0);
    node.flush().await;
    // It fails for three hours.
    history.fail(true);
    for hour in 0..3 {
        node.count(Slo::Durable, 10, hour);
        assert!(node.recorder.flush().await.is_err());
        node.clock.pass(HOUR);
    }
    // Readable, and not to be written.
    history.fail(false);
    assert_eq!(node.told(Slo::Durable).await, (31, 34));
    // It writes, and says that it did not.
    history.fail_after_the_next_write();
    assert!(node.recorder.flush().await.is_err());
    assert_eq!(node.told(Slo::Durable).await, (31, 34));
    node.count(Slo::Durable, 100, 0);
    for _ in 0..2 {
        node.flush().await;
        assert_eq!(node.told(Slo::Durable).await, (131, 134));
    }
    let next = Node::new("b", &history);
    next.clock.pass(3 * HOUR);
    assert_eq!(next.told(Slo::Durable).await, (131, 134));
    // Each hour has what was counted in it.
    let by_slot = history.of("durable");
    let goods: Vec<u64> = by_slot.iter().map(|(_, good, _)| *good).collect();
    assert_eq!(goods, [11, 10, 10, 0, 100]);
}

#[tokio::test]
async fn a_clock_that_goes_back_neither_loses_nor_doubles_anything() {
    let history = history();
    let node = Node::new("a", &history);
    node.count(Slo::Availability, 1, 0);
    node.flush().await;
    node.clock.pass(HOUR);
    node.count(Slo::Availability, 2, 0);
    node.flush().await;
    // Back to a slot that was written and is forgotten here.
    node.clock.set(noon());
    node.count(Slo::Availability, 4, 0);
    node.flush().await;
    node.clock.set(noon() + HOUR);
    assert_eq!(node.told(Slo::Availability).await, (7, 7));
    node.flush().await;
    let next = Node::new("b", &history);
    next.clock.pass(HOUR);
    assert_eq!(next.told(Slo::Availability).await, (7, 7));
}

#[tokio::test]
async fn what_is_older_than_35_days_is_removed_and_not_by_a_clock_that_was_just_set() {
    let history = history();
    let node = Node::new("a", &history);
    node.count(Slo::Durable, 1, 0);
    node.run_for(30 * 60 * SECOND).await;
    let kept = history.len();
    assert!(kept >= 24, "{kept}");
    // A year ahead by mistake, for some minutes.
    node.clock.set(noon() + 365 * DAY);
    node.run_for(9 * 60 * SECOND).await;
    node.clock.set(noon() + HOUR);
    node.run_for(30 * 60 * SECOND).await;
    assert!(history.of("durable").contains(&(Slot::of(noon()), 1, 0)));
    assert_eq!(node.told(Slo::Durable).await, (1, 1));
    // Time goes by.
    node.clock.pass(34 * DAY);
    node.run_for(HOUR).await;
    assert!(history.of("durable").contains(&(Slot::of(noon()), 1, 0)));
    node.clock.pass(DAY);
    node.run_for(HOUR).await;
    assert!(!history.of("durable").contains(&(Slot::of(noon()), 1, 0)));
}

#[tokio::test]
async fn a_process_without_requests_writes_each_slot_once() {
    let history = history();
    let node = Node::new("a", &history);
    node.run_for(HOUR).await;
    let slots = history.of("latency").len();
    assert_eq!(history.written(), 4 * slots);
    assert!((12..=13).contains(&slots), "{slots}");
    let report = node.report(Slo::Latency).await;
    assert_eq!(report["state"], "no_data");
    // It was there, and nothing came: an hour of 720.
    let covered = report["covered"].as_f64().unwrap();
    assert!((covered - 1.0 / 720.0).abs() < 1e-4, "{covered}");
}
