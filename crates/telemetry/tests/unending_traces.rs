//! Traces that never end leave the memory of the process flat, however much ends in them. This binary holds one
//! test, since it looks at the memory of its process.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

#[path = "support/resident.rs"]
mod resident;
#[path = "support/spans.rs"]
mod spans;

use std::{num::NonZeroUsize, time::Duration};

use portcullis_telemetry::{Environment, Guard, Logs, Ratio, Sampling, Tail, Telemetry};
use tracing::{Span, info, info_span, subscriber::with_default};
use tracing_subscriber::layer::SubscriberExt;

use self::{resident::resident, spans::Spans};

const BYTES: NonZeroUsize = NonZeroUsize::new(8 << 20).unwrap();
const TRACES: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();
const SPANS_PER_TRACE: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// Those of a round, which are more than may be held, with five times the bytes.
const ROOTS: usize = 2_000;
/// The most that an open span takes in the subscriber's registry, whatever becomes of its trace.
const OPEN_SPAN_BYTES: f64 = 1_024.0;

fn tail() -> Tail {
    let mut tail = Tail::default();
    tail.bytes = BYTES;
    tail.traces = TRACES;
    tail.spans_per_trace = SPANS_PER_TRACE;
    // None is kept because the machine is busy.
    tail.slower_than = Duration::from_secs(3_600);
    tail
}

/// Begins roots and does not end them; in some of them children end, with 4,000 bytes of texts each.
fn fill(roots: &mut Vec<Span>) {
    let text = "x".repeat(2_000);
    for number in 0..ROOTS {
        let root = info_span!(parent: None, "never");
        let children = match number % 100 {
            0 => 2 * SPANS_PER_TRACE.get(),
            number if number % 2 == 0 => 8,
            _ => 0,
        };
        for _ in 0..children {
            let child = info_span!(parent: &root, "child", text);
            child.in_scope(|| info!(text, "happened"));
        }
        roots.push(root);
    }
}

fn evicted(guard: &Guard, reason: &str) -> u64 {
    let body = guard.registry().render(None).unwrap().body;
    let sample = format!("telemetry_tail_evictions_total{{reason=\"{reason}\"}} ");
    let value = body.lines().find_map(|line| line.strip_prefix(&sample));
    value.expect(&sample).parse().unwrap()
}

#[test]
fn traces_that_never_end_leave_memory_flat_however_much_ends_in_them() {
    let exported = Spans::default();
    let (layer, guard) = Telemetry::builder("unending")
        .environment(Environment::empty())
        .exporter(exported.clone())
        .sampling(Sampling::head(Ratio::NONE).with_tail(tail()))
        .logs(Logs::Off)
        .layer()
        .unwrap();
    let mut roots = Vec::new();
    with_default(tracing_subscriber::registry().with(layer), || {
        let before = resident();
        fill(&mut roots);
        let full = resident();
        let taken = full - before;
        // The bound is on an estimate, which says nothing of what the allocator adds.
        let most = 2.0 * BYTES.get() as f64 + ROOTS as f64 * OPEN_SPAN_BYTES;
        assert!(taken < most, "{taken} bytes under a bound of {BYTES}");
        (0..4).for_each(|_| fill(&mut roots));
        let grown = resident() - full;
        let most = 4.0 * ROOTS as f64 * OPEN_SPAN_BYTES + 0.5 * BYTES.get() as f64;
        assert!(
            grown < most,
            "memory grew by {grown} bytes with 160 MB of spans"
        );
        for reason in ["traces", "spans_per_trace", "bytes"] {
            assert!(evicted(&guard, reason) > 0, "{reason}");
        }
        drop(roots);
    });
    guard.shutdown(Duration::from_secs(5));
    assert!(exported.all().is_empty());
}
